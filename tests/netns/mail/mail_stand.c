/*
 * mail_stand.c: the mail gate's processes without the rest of the gate: this program is their sekisho-init, sekishod and
 * sekisho-logd at once, and does what a test says. usage: mail_stand LIBEXEC POLICY ROOT
 *
 * Commands, a line each, on standard input; events, a JSON object a line, on standard output:
 *
 *	kill NAME | stop NAME	  SIGKILL, SIGTERM to a process, which is started again
 *	ledger ok|fail|silent	  what the ledger does with an entry
 *	approve yes|no		  what it says when it is asked
 *	policy FILE		  another generation
 *	resume in|out		  after a flood
 *	lie FILE BYTES		  the cleaner is one that was taken over: it writes FILE, and says that it was BYTES
 *	honest yes		  the real one again
 *	certificates now	  the files of certificates and keys below ROOT are handed over again
 *	pids			  {"event":"pids","sekisho-maild":123,...}
 *	{"event":"ready","name"}  {"event":"entry",...}  {"event":"outcome",...}  {"event":"status",...}
 *	{"event":"died","name"}   {"event":"tls","living",NAME:STATE,...}: the states of certificates
 *
 * The listening sockets are bound in the network namespace in which it runs, by the policy's addresses.
 */
#include <sekisho/arena.h>
#include <sekisho/buf.h>
#include <sekisho/config.h>
#include <sekisho/daemon.h>
#include <sekisho/diag.h>
#include <sekisho/ir.h>
#include <sekisho/json.h>
#include <sekisho/loop.h>
#include <sekisho/mail_reason.h>
#include <sekisho/mailreport.h>
#include <sekisho/receipt.h>
#include <sekisho/model.h>
#include <sekisho/open.h>
#include <sekisho/tls.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../../src/proc/spawn.h"

enum who { MAIL, CONNECT, CLEAN, VERIFY, TLS, SIGN, PROCESSES };
enum pair { TO_MAIL, TO_CONNECT, TO_TLS, LEDGER, CALLS, ALARM_CALLS, JOBS_CLEAN, JOBS_VERIFY, JOBS_TLS, SIGNATURES, PAIRS };
enum ledger_mode { LEDGER_OK, LEDGER_FAIL, LEDGER_SILENT };

static const char *const names[PROCESSES] = {
	"sekisho-maild", "sekisho-connect", "sekisho-clean", "sekisho-verify", "sekisho-tls", "sekisho-sign"};

static struct stand {
	struct loop *loop;
	const char *libexec;
	char root[256];
	pid_t pid[PROCESSES];
	int init[PROCESSES]; /* our ends */
	int pair[PAIRS][2];
	int ir_fd;
	struct ir ir;
	void *map;
	size_t size;
	uint32_t generation;
	enum ledger_mode ledger;
	bool approve;
	char lie[256]; /* file; "": the cleaner is the real one */
	uint64_t lie_bytes;
	unsigned long lie_name; /* 1: of another mail; 2: another hash beside the right number */
	uint64_t rows;
} st;

static void die(const char *what)
{
	fprintf(stderr, "mail_stand: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void event(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void event(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

/* -- The policy ------------------------------------------------------------------------------------------ */

static char *read_file(const char *path, size_t *ret_n)
{
	FILE *f = fopen(path, "re");
	char *text = malloc(1 << 20);

	if (f == NULL || text == NULL)
		die(path);
	*ret_n = fread(text, 1, 1 << 20, f);
	fclose(f);
	return text;
}

static int sealed(const struct buf *b)
{
	int fd = memfd_create("ir", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || write(fd, b->data, b->len) != (ssize_t)b->len ||
		fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0)
		die("memfd");
	return fd;
}

static void load_policy(const char *path)
{
	struct arena *arena = arena_new();
	struct diag_list diags;
	struct model *model;
	struct buf ir = {0};
	size_t n;
	char *text = read_file(path, &n);

	diag_init(&diags, arena);
	if (!config_read(arena, text, n, &diags, &model) ||
		!policy_compile(model, (struct wall){time(NULL)}, &diags, &ir)) {
		diag_print(&diags, path, stderr);
		exit(1);
	}
	st.ir_fd = sealed(&ir);
	st.map = malloc(ir.len);
	memcpy(st.map, ir.data, ir.len);
	const char *bad = ir_open(st.map, ir.len, &st.ir);
	if (bad != NULL) {
		fprintf(stderr, "%s: %s\n", path, bad);
		exit(1);
	}
	st.generation++;
	buf_free(&ir);
	arena_free(arena);
	free(text);
}

static void send_hops(void)
{
	struct msg_mail_hops m = {0};

	for (uint32_t i = 0; i < st.ir.nowns && m.n < MSG_MAIL_HOPS_MAX; i++) {
		const struct ir_own *o = &st.ir.owns[i];
		if (!o->out || o->port_lo != DAEMON_MAIL_PORT)
			continue;
		m.hop[m.n] = (struct msg_mail_address){.family = o->family, .port = DAEMON_MAIL_PORT};
		memcpy(m.hop[m.n++].addr, o->remote.lo, 16);
	}
	msg_send(st.pair[TO_CONNECT][0], MSG_MAIL_HOPS, 0, &m, NULL, 0);
}

static void send_generation(void)
{
	struct msg_generation m = {.number = st.generation};

	msg_send(st.pair[TO_MAIL][0], MSG_GENERATION, 0, &m, &st.ir_fd, 1);
}

static int listener(uint8_t family, const uint8_t addr[16])
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(DAEMON_MAIL_PORT)};
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	memcpy(&v4.sin_addr, addr, 4);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (family != 4 || bind(fd, (struct sockaddr *)&v4, sizeof(v4)) < 0 || listen(fd, 1024) < 0)
		die("listen");
	return fd;
}

static void send_listeners(void)
{
	struct msg_mail_listener m[MSG_MAIL_LISTENERS_MAX] = {0};
	uint32_t n = 0;

	for (uint32_t w = 0; w < st.ir.nmails; w++) {
		const struct ir_mail *way = &st.ir.mails[w];
		for (uint32_t i = 0; i < way->listens.n && n < MSG_MAIL_LISTENERS_MAX; i++, n++) {
			const struct ir_mail_host *h = &st.ir.mail_hosts[way->listens.first + i];
			m[n].address = (struct msg_mail_address){.family = h->family, .port = DAEMON_MAIL_PORT,
				.direction = way->direction == MAIL_IN ? MSG_MAIL_IN : MSG_MAIL_OUT};
			memcpy(m[n].address.addr, h->range.lo, 16);
		}
	}
	for (uint32_t i = 0; i < n; i++) {
		int fd = listener(m[i].address.family, m[i].address.addr);
		m[i].index = i;
		m[i].n = n;
		msg_send(st.init[MAIL], MSG_MAIL_LISTENER, 0, &m[i], &fd, 1);
		close(fd);
	}
}

/* -- Certificates ---------------------------------------------------------------------------------------- */

static uint32_t add_file(struct msg_tls_file *list, uint32_t n, ir_str name, bool keyed)
{
	const char *text = ir_text(&st.ir, name);

	for (uint32_t i = 0; i < n; i++)
		if (strcmp(list[i].name, text) == 0 && list[i].keyed == keyed)
			return n;
	if (text[0] == '\0')
		return n;
	list[n].keyed = keyed;
	MSG_TEXT(list[n].name, text);
	return n + 1;
}

static void send_files(enum who who)
{
	struct msg_tls_file list[TLS_NAMES_MAX] = {0};
	uint32_t n = 0;
	char path[600];

	for (uint32_t w = 0; w < st.ir.nmails; w++) {
		n = add_file(list, n, st.ir.mails[w].certificate, true);
		for (uint32_t i = 0; i < st.ir.mails[w].hops.n; i++)
			n = add_file(list, n, st.ir.mail_hosts[st.ir.mails[w].hops.first + i].tls_ca, false);
	}
	for (uint32_t i = 0; i < (n > 0 ? n : 1); i++) {
		struct msg_tls_file *m = &list[i];
		if (who == SIGN && n > 0 && !m->keyed)
			continue;
		snprintf(path, sizeof(path), "%s/" DAEMON_PATH_TLS "/%s%s", st.root, m->name,
			who == TLS ? TLS_FILE_CERTIFICATE : TLS_FILE_KEY);
		int fd = n > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
		m->index = i;
		m->n = n;
		m->state = fd >= 0 ? TLS_FILE_GOOD : TLS_FILE_MISSING;
		msg_send(st.init[who], MSG_TLS_FILE, 0, m, fd >= 0 ? &fd : NULL, fd >= 0);
		if (fd >= 0)
			close(fd);
	}
}

static void on_tls(void *arg, int fd, uint32_t events)
{
	struct msg m;
	struct buf b = {0};
	struct json j = json_init(&b);

	(void)arg;
	(void)events;
	if (msg_recv(fd, &m) != 1)
		return;
	const struct msg_tls_status *s = &m.u.msg_tls_status;
	json_object(&j, NULL);
	json_str(&j, "event", "tls");
	json_int(&j, "living", s->living);
	for (uint32_t i = 0; i < s->n; i++)
		json_str(&j, s->certificate[i].name, tls_file_word(s->certificate[i].state));
	json_object_end(&j);
	event("%.*s", (int)b.len, (const char *)b.data);
	buf_free(&b);
}

/* -- The ledger ------------------------------------------------------------------------------------------ */

static void print_entry(const struct msg_mail_entry *e)
{
	struct buf b = {0};
	struct json j = json_init(&b);

	json_object(&j, NULL);
	json_str(&j, "event", "entry");
	json_int(&j, "id", (int64_t)e->id);
	json_str(&j, "direction", e->direction == MSG_MAIL_IN ? "in" : "out");
	json_int(&j, "verdict", e->verdict);
	json_str(&j, "reason", mail_reason_word(e->reason));
	json_int(&j, "size", (int64_t)e->size);
	json_str(&j, "sender", e->sender);
	json_str(&j, "recipients", e->recipients);
	json_str(&j, "receipt", e->receipt);
	char hash[65];
	for (unsigned i = 0; i < 32; i++)
		snprintf(hash + i * 2, 3, "%02x", e->sha256[i]);
	json_str(&j, "sha256", hash);
	json_str(&j, "detail", e->detail);
	json_int(&j, "notes", e->notes);
	json_str(&j, "tls", e->tls);
	json_object_end(&j);
	event("%.*s", (int)b.len, (const char *)b.data);
	buf_free(&b);
}

static void on_ledger(void *arg, int fd, uint32_t events)
{
	struct msg m;

	(void)arg;
	(void)events;
	if (msg_recv(fd, &m) != 1)
		return;
	if (m.type == MSG_MAIL_ENTRY) {
		struct msg_mail_stored a = {.id = m.u.msg_mail_entry.id, .ok = st.ledger == LEDGER_OK, .sequence = ++st.rows};
		print_entry(&m.u.msg_mail_entry);
		if (st.ledger != LEDGER_SILENT)
			msg_send(fd, MSG_MAIL_STORED, 0, &a, NULL, 0);
	} else if (m.type == MSG_MAIL_ASK) {
		struct msg_mail_approval a = {.id = m.u.msg_mail_ask.id, .approved = st.approve, .at = time(NULL)};
		msg_send(fd, MSG_MAIL_APPROVAL, 0, &a, NULL, 0);
	} else if (m.type == MSG_MAIL_OUTCOME) {
		event("{\"event\":\"outcome\",\"id\":%llu,\"result\":%u,\"code\":%u,\"tls\":\"%s\"}",
			(unsigned long long)m.u.msg_mail_outcome.id, m.u.msg_mail_outcome.result, m.u.msg_mail_outcome.code,
			m.u.msg_mail_outcome.tls);
	}
	msg_close_fds(&m);
}

static void on_status(void *arg, int fd, uint32_t events)
{
	struct msg m;

	(void)arg;
	(void)events;
	if (msg_recv(fd, &m) != 1)
		return;
	if (m.type == MSG_MAIL_STATUS) {
		const struct msg_mail_status *s = &m.u.msg_mail_status;
		event("{\"event\":\"status\",\"generation\":%u,\"sessions\":%u,\"listeners\":%u,\"memory\":%llu,"
		      "\"in\":{\"delivered\":%llu,\"refused\":%llu,\"deferred\":%llu,\"flood\":%u},"
		      "\"out\":{\"delivered\":%llu,\"refused\":%llu,\"held\":%llu,\"flood\":%u}}",
			s->generation, s->sessions, s->listeners, (unsigned long long)s->memory_now,
			(unsigned long long)s->way[0].delivered, (unsigned long long)s->way[0].refused,
			(unsigned long long)s->way[0].deferred, s->way[0].flood, (unsigned long long)s->way[1].delivered,
			(unsigned long long)s->way[1].refused, (unsigned long long)s->way[1].held, s->way[1].flood);
	}
	msg_close_fds(&m);
}

/* -- Processes ------------------------------------------------------------------------------------------- */

static void on_process(void *arg, int fd, uint32_t events);

static void start(enum who who)
{
	int pair[2], fds[8];
	unsigned n = 0;
	char root_option[300];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		die("socketpair");
	fds[n++] = pair[1];
	if (who == MAIL) {
		fds[n++] = st.pair[TO_MAIL][1];
		fds[n++] = st.pair[LEDGER][1];
		fds[n++] = st.pair[CALLS][0];
		fds[n++] = st.pair[JOBS_CLEAN][0];
		fds[n++] = st.pair[JOBS_VERIFY][0];
		fds[n++] = st.pair[JOBS_TLS][0];
	} else if (who == TLS) {
		fds[n++] = st.pair[JOBS_TLS][1];
		fds[n++] = st.pair[TO_TLS][1];
		fds[n++] = st.pair[SIGNATURES][0];
	} else if (who == SIGN) {
		fds[n++] = st.pair[SIGNATURES][1];
	} else if (who == CONNECT) {
		fds[n++] = st.pair[TO_CONNECT][1];
		fds[n++] = st.pair[CALLS][1];
		fds[n++] = st.pair[ALARM_CALLS][1]; /* nobody asks there */
	} else {
		fds[n++] = st.pair[who == CLEAN ? JOBS_CLEAN : JOBS_VERIFY][1];
	}
	snprintf(root_option, sizeof(root_option), "--root=%s", st.root);
	struct spawn s = {.libexec = st.libexec, .name = names[who], .args = {"--handed", root_option}, .fds = fds, .nfds = n};
	st.pid[who] = spawn(&s);
	close(pair[1]);
	st.init[who] = pair[0];
	loop_add_fd(st.loop, pair[0], EPOLLIN, on_process, (void *)(uintptr_t)who);
}

static void on_process(void *arg, int fd, uint32_t events)
{
	enum who who = (enum who)(uintptr_t)arg;
	struct msg m;
	int r = msg_recv(fd, &m);

	(void)events;
	if (r == 1 && m.type == MSG_READY) {
		event("{\"event\":\"ready\",\"name\":\"%s\",\"pid\":%d}", names[who], (int)st.pid[who]);
		if (who == MAIL) {
			send_generation();
			send_listeners();
		} else if (who == CONNECT) {
			send_hops();
		} else if (who == TLS || who == SIGN) {
			send_files(who);
		}
	}
	if (r == 1) {
		msg_close_fds(&m);
	} else if (r != -EAGAIN) {
		loop_del_fd(st.loop, fd);
		close(fd);
		st.init[who] = -1;
	}
}

static void on_child(void *arg, int signo)
{
	int status;
	pid_t pid;

	(void)arg;
	(void)signo;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (unsigned i = 0; i < PROCESSES; i++) {
			if (st.pid[i] != pid)
				continue;
			event("{\"event\":\"died\",\"name\":\"%s\",\"status\":%d}", names[i], status);
			if (i != CLEAN || st.lie[0] == '\0')
				start((enum who)i);
		}
	}
}

/* -- A cleaner that was taken over ------------------------------------------------------------------------ */

/* In the name of the mail that it was given, or of another one. */
static void answer(int fd, const struct msg_mail_job *job)
{
	struct mailreport r = {.magic = MAILREPORT_MAGIC, .version = MAILREPORT_VERSION};
	memcpy(r.sha256_in, job->sha256, sizeof(r.sha256_in));
	r.sha256_in[31] ^= st.lie_name == 1;
	receipt_number(r.sha256_in, r.receipt);
	r.sha256_in[31] ^= st.lie_name == 2;
	struct msg_mail_result said = {.bytes_out = st.lie_bytes};
	struct buf b = {.data = (uint8_t *)&r, .len = sizeof(r)};
	int report = sealed(&b);

	msg_send(fd, MSG_MAIL_RESULT, 0, &said, &report, 1);
	close(report);
}

static void on_job(void *arg, int fd, uint32_t events)
{
	struct msg m;
	size_t n;

	(void)arg;
	(void)events;
	if (msg_recv(fd, &m) != 1)
		return;
	char *text = read_file(st.lie, &n);
	if (m.type != MSG_MAIL_JOB || write(m.fds[1], text, n) != (ssize_t)n)
		die("lie");
	answer(m.fds[2], &m.u.msg_mail_job);
	free(text);
	msg_close_fds(&m);
}

static void lie(const char *file, const char *bytes)
{
	if (st.lie[0] == '\0') {
		kill(st.pid[CLEAN], SIGKILL);
		loop_add_fd(st.loop, st.pair[JOBS_CLEAN][1], EPOLLIN, on_job, NULL);
	}
	snprintf(st.lie, sizeof(st.lie), "%s", file);
	char *end;
	st.lie_bytes = strtoull(bytes, &end, 10);
	st.lie_name = *end == ':' ? strtoul(end + 1, NULL, 10) : 0;
}

static void be_honest(void)
{
	if (st.lie[0] == '\0')
		return;
	loop_del_fd(st.loop, st.pair[JOBS_CLEAN][1]);
	st.lie[0] = '\0';
	start(CLEAN);
}

/* -- Commands -------------------------------------------------------------------------------------------- */

static enum who find(const char *name)
{
	unsigned i = 0;

	while (i < PROCESSES && strcmp(names[i], name) != 0)
		i++;
	return (enum who)i;
}

static void obey(char *line)
{
	char *word = strtok(line, " \n"), *value = strtok(NULL, " \n"), *more = strtok(NULL, " \n");

	if (word == NULL)
		return;
	if (strcmp(word, "pids") == 0) {
		event("{\"event\":\"pids\",\"%s\":%d,\"%s\":%d,\"%s\":%d,\"%s\":%d,\"%s\":%d,\"%s\":%d}", names[0],
			(int)st.pid[0], names[1], (int)st.pid[1], names[2], (int)st.pid[2], names[3], (int)st.pid[3], names[4],
			(int)st.pid[4], names[5], (int)st.pid[5]);
	} else if (value == NULL) {
		return;
	} else if (strcmp(word, "kill") == 0 || strcmp(word, "stop") == 0) {
		enum who who = find(value);
		if (who < PROCESSES)
			kill(st.pid[who], word[0] == 'k' ? SIGKILL : SIGTERM);
	} else if (strcmp(word, "ledger") == 0) {
		st.ledger = value[0] == 'o' ? LEDGER_OK : value[0] == 'f' ? LEDGER_FAIL : LEDGER_SILENT;
	} else if (strcmp(word, "approve") == 0) {
		st.approve = value[0] == 'y';
	} else if (strcmp(word, "policy") == 0) {
		load_policy(value);
		send_hops();
		send_files(TLS);
		send_files(SIGN);
		send_generation();
	} else if (strcmp(word, "certificates") == 0) {
		send_files(TLS);
		send_files(SIGN);
	} else if (strcmp(word, "lie") == 0 && more != NULL) {
		lie(value, more);
	} else if (strcmp(word, "honest") == 0) {
		be_honest();
	} else if (strcmp(word, "resume") == 0) {
		struct msg_mail_command c = {.what = MSG_MAIL_RESUME,
			.direction = value[0] == 'i' ? MSG_MAIL_IN : MSG_MAIL_OUT};
		MSG_TEXT(c.who, "test");
		msg_send(st.pair[TO_MAIL][0], MSG_MAIL_COMMAND, 0, &c, NULL, 0);
	}
	event("{\"event\":\"done\",\"command\":\"%s\"}", word);
}

static void on_command(void *arg, int fd, uint32_t events)
{
	static char buf[4096];
	static size_t n;
	ssize_t got = read(fd, buf + n, sizeof(buf) - 1 - n);
	char *end;

	(void)arg;
	(void)events;
	if (got <= 0) {
		loop_stop(st.loop, 0);
		return;
	}
	n += (size_t)got;
	buf[n] = '\0';
	while ((end = strchr(buf, '\n')) != NULL) {
		*end = '\0';
		obey(buf);
		n -= (size_t)(end + 1 - buf);
		memmove(buf, end + 1, n + 1);
	}
}

int main(int argc, char **argv)
{
	const char *why;

	if (argc != 4 || geteuid() != 0) {
		fprintf(stderr, "usage (root): mail_stand LIBEXEC POLICY ROOT\n");
		return 2;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	signal(SIGPIPE, SIG_IGN);
	clock_set_zone("Asia/Tokyo");
	if (!config_prepare(&why))
		die(why);
	st.libexec = argv[1];
	snprintf(st.root, sizeof(st.root), "%s", argv[3]);
	if (paths_make(st.root) != 0)
		die("paths");
	load_policy(argv[2]);
	st.loop = loop_new();
	for (unsigned i = 0; i < PAIRS; i++)
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, st.pair[i]) < 0)
			die("socketpair");
	loop_add_signal(st.loop, SIGCHLD, on_child, NULL);
	loop_add_fd(st.loop, st.pair[LEDGER][0], EPOLLIN, on_ledger, NULL);
	loop_add_fd(st.loop, st.pair[TO_MAIL][0], EPOLLIN, on_status, NULL);
	loop_add_fd(st.loop, st.pair[TO_TLS][0], EPOLLIN, on_tls, NULL);
	loop_add_fd(st.loop, STDIN_FILENO, EPOLLIN, on_command, NULL);
	for (unsigned i = 0; i < PROCESSES; i++)
		start((enum who)i);
	loop_run(st.loop);
	for (unsigned i = 0; i < PROCESSES; i++)
		kill(st.pid[i], SIGKILL);
	return 0;
}
