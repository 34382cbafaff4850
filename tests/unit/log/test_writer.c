/* test_writer.c: from events to durable rows: windows, faults, the equation through kills and damaged stores. */
#include "test.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sekisho/clock.h>

#include "packet.h"
#include "store_private.h"
#include "temp.h"
#include "writer.h"

#define S INT64_C(1000000000)
#define SLOTS 2

/* The kernel's side: sockets that outlive the process under test, and the counters of the table. */
static int kernel[SLOTS], ours[SLOTS];
static struct msg_counters counters;
static int64_t now_s = 1800000000;

static struct intake *in;
static struct names *names;
static struct writer *w;

static void set_clock(void)
{
	clock_set_test(&(struct wall){now_s}, &(struct mono){(now_s - 1790000000) * S});
}

static void boot_kernel(void)
{
	for (int i = 0; i < SLOTS; i++) {
		int pair[2], size = 4 << 20;
		if (kernel[i] != 0) {
			close(kernel[i]);
			close(ours[i]);
		}
		if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair) != 0)
			abort();
		setsockopt(pair[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
		kernel[i] = pair[0];
		ours[i] = pair[1];
	}
	counters = (struct msg_counters){.epoch = 1};
}

static void start(const char *dir, uint64_t space)
{
	const struct writer_options o = {.store = {.dir = dir, .space = space}, .boot_id = "boot-1", .window_s = 60};

	in = intake_new(ours, SLOTS);
	names = names_new();
	w = writer_new(&o, in, names);
}

static void stop(void)
{
	writer_free(w);
	names_free(names);
	intake_free(in);
}

static void read_all(void)
{
	for (unsigned i = 0; i < SLOTS; i++)
		while (intake_read(in, i))
			;
}

/* n drops of a reason (with what the inspector said above it); `distinct` sources. */
static void drops(unsigned slot, unsigned reason, unsigned n, unsigned distinct)
{
	static struct datagram d;
	static uint32_t sequence[SLOTS];

	for (unsigned done = 0; done < n;) {
		d.n = 0;
		for (unsigned i = 0; i < 64 && done < n; i++, done++) {
			struct test_packet p = {.mark = 0xbb000000u | reason, .in = 3 + slot, .sequence = sequence[slot]++,
				.src = {10, 1, (uint8_t)((done % distinct) >> 8), (uint8_t)(done % distinct)},
				.dst = {10, 2, 0, 8},
				.proto = IPPROTO_TCP, .flags = 2, .dport = 443};
			add_packet(&d, &p);
		}
		if (send(kernel[slot], d.b, d.n, 0) != (ssize_t)d.n)
			abort();
	}
	counters.packets[reason & 0xff] += n;
}

/* The kernel counts, and nothing is logged. */
static void lose(unsigned reason, unsigned n)
{
	counters.packets[reason] += n;
}

static void second(void)
{
	now_s++;
	set_clock();
	read_all();
	writer_counters(w, &counters, clock_mono().ns);
	writer_tick(w);
}

static void seconds(int n)
{
	while (n-- > 0)
		second();
}

static struct msg_drop_row rows[64];
static unsigned nrows;
static uint64_t row_sum[REASON_END], loss_sum[REASON_END];

static bool keep(void *arg, const struct msg_drop_row *r)
{
	(void)arg;
	if (nrows < 64)
		rows[nrows] = *r;
	nrows++;
	if (r->loss == MSG_LOSS_NONE)
		row_sum[r->reason] += r->count;
	else if (r->loss == MSG_LOSS_LOST)
		loss_sum[r->reason] += r->count;
	else
		loss_sum[r->reason] -= r->count;
	return true;
}

static void read_rows(void)
{
	nrows = 0;
	memset(row_sum, 0, sizeof(row_sum));
	memset(loss_sum, 0, sizeof(loss_sum));
	store_drops(writer_store(w), 1, UINT64_MAX >> 1, false, keep, NULL);
}

static void check_chain(void)
{
	struct store_verify v = {0};

	while (store_verify_step(writer_store(w), &v, 1000))
		;
	CHECK_STR(v.error, "");
}

/* Per reason: what the kernel counted = rows + log-loss, and the status says the same. */
static void check_equation(void)
{
	struct msg_log_status st;

	writer_status(w, &st);
	read_rows();
	for (unsigned r = 1; r < REASON_END; r++) {
		CHECK_INT(row_sum[r] + loss_sum[r], counters.packets[r]);
		CHECK_INT(st.stored[r], row_sum[r]);
		CHECK_INT(st.loss[r], loss_sum[r]);
	}
	check_chain();
}

static char fault_codes[1024];

static bool keep_fault(void *arg, const struct msg_fault_row *r)
{
	(void)arg;
	snprintf(fault_codes + strlen(fault_codes), sizeof(fault_codes) - strlen(fault_codes), "%s ", r->code);
	return true;
}

static bool has_fault(const char *code)
{
	fault_codes[0] = '\0';
	store_faults(writer_store(w), 1, UINT64_MAX >> 1, false, keep_fault, NULL);
	return strstr(fault_codes, code) != NULL;
}

static void test_visible_within_a_second(void)
{
	boot_kernel();
	start(temp_begin(), 0);
	second();
	drops(0, REASON_NO_RULE, 3, 1);
	second();
	read_rows();
	CHECK_INT(nrows, 1);
	CHECK_INT(rows[0].count, 3);
	CHECK_INT(rows[0].open, 1);
	CHECK_STR(rows[0].boot_id, "boot-1");
	CHECK_STR(rows[0].iface, "#3");
	CHECK_INT(rows[0].dport, 443);
	CHECK_INT(rows[0].src_len, 32);
	drops(0, REASON_NO_RULE, 4, 1);
	second();
	read_rows();
	CHECK_INT(nrows, 1);
	CHECK_INT(rows[0].count, 7);
	/* The window closes before a minute is over. */
	seconds(56);
	read_rows();
	CHECK_INT(rows[0].open, 1);
	seconds(3);
	read_rows();
	CHECK_INT(nrows, 1);
	CHECK_INT(rows[0].open, 0);
	CHECK(rows[0].last_ns - rows[0].first_ns < 60 * S);
	drops(0, REASON_NO_RULE, 1, 1);
	second();
	read_rows();
	CHECK_INT(nrows, 2);
	CHECK_INT(rows[1].count, 1);
	check_equation();
	stop();
}

/* A refusal without the inspector's word first, then with it, beside rows that never get one. */
static void test_inspection(void)
{
	const unsigned said = REASON_APP_MISMATCH | WHY_PROTOCOL << 8 | APP_SSH << 16;

	boot_kernel();
	start(temp_begin(), 0);
	drops(0, REASON_APP_MISMATCH, 1, 1);
	drops(1, REASON_NO_RULE, 1, 1);
	seconds(2);
	drops(0, said, 2, 1);
	drops(1, REASON_NO_RULE, 3, 1);
	seconds(2);
	read_rows();
	CHECK_INT(nrows, 2);
	for (unsigned i = 0; i < nrows && i < 2; i++) {
		bool first = rows[i].reason == REASON_APP_MISMATCH;
		CHECK(rows[i].why == (first ? WHY_PROTOCOL : 0) && rows[i].seen == (first ? APP_SSH : 0));
		CHECK_INT(rows[i].count, first ? 3 : 4);
	}
	stop();
}

static void test_loss_becomes_rows(void)
{
	struct msg_log_status st;

	boot_kernel();
	start(temp_begin(), 0);
	drops(0, REASON_NO_RULE, 100, 5);
	lose(REASON_NO_RULE, 20);
	lose(REASON_SPOOF, 3);
	seconds(4);
	read_rows();
	CHECK_INT(loss_sum[REASON_NO_RULE], 20);
	CHECK_INT(loss_sum[REASON_SPOOF], 3);
	check_equation();
	/* In one window log-loss is one row that counts on. */
	lose(REASON_SPOOF, 5);
	seconds(4);
	read_rows();
	unsigned n = 0;
	for (unsigned i = 0; i < nrows; i++)
		n += rows[i].reason == REASON_SPOOF;
	check_equation();
	writer_status(w, &st);
	CHECK_INT(st.loss[REASON_SPOOF], 8);
	CHECK_INT(st.writable, 1);
	CHECK(n >= 1 && n <= 2);
	CHECK(has_fault("log-loss"));
	stop();
}

/* What the limiter in the ruleset kept from the log is log-loss as well, and no fault. */
static void test_limited_is_no_fault(void)
{
	boot_kernel();
	start(temp_begin(), 0);
	seconds(3);
	drops(0, REASON_NO_RULE, 10, 1);
	lose(REASON_NO_RULE, 5000);
	counters.limited[0] += 5000;
	seconds(5);
	check_equation();
	CHECK(!has_fault("log-loss"));
	stop();
}

/* Nor is it one when it happened while the recorder was away. */
static void test_limited_while_away(void)
{
	const char *dir = temp_begin();

	boot_kernel();
	start(dir, 0);
	drops(0, REASON_NO_RULE, 10, 1);
	lose(REASON_NO_RULE, 700);
	counters.limited[1] += 700;
	seconds(5);
	stop();
	drops(0, REASON_NO_RULE, 10, 1);
	lose(REASON_NO_RULE, 900);
	counters.limited[1] += 900;
	start(dir, 0);
	seconds(5);
	check_equation();
	CHECK(!has_fault("log-loss"));
	lose(REASON_NO_RULE, 1);
	seconds(5);
	CHECK(has_fault("log-loss"));
	check_equation();
	stop();
}

static void test_faults_and_commits(void)
{
	struct msg_fault f = {.severity = MSG_SEVERITY_FAULT, .at = 5};
	struct msg_generation g = {.number = 4, .at = 77};
	const char *dir = temp_begin();

	boot_kernel();
	start(dir, 0);
	drops(0, REASON_NO_RULE, 3, 1);
	second();
	MSG_TEXT(f.process, "sekishod");
	MSG_TEXT(f.code, "tampered");
	writer_fault(w, &f);
	MSG_TEXT(g.who, "admin");
	writer_commit(w, &g);
	writer_commit(w, &g); /* told again */
	second();
	CHECK(has_fault("tampered"));
	/* They stand behind the drops before them. */
	read_rows();
	CHECK_INT(rows[0].open, 0);
	CHECK_INT(store_newest(writer_store(w)), 4);
	check_equation();
	stop();
	start(dir, 0);
	second();
	writer_commit(w, &g); /* our own restart: told again */
	second();
	CHECK_INT(store_newest(writer_store(w)), 4);
	g.number = 5;
	writer_commit(w, &g);
	second();
	CHECK_INT(store_newest(writer_store(w)), 5);
	check_chain();
	stop();
}

/* kill -9 at random times, again and again; the kernel's sockets and counters live on. */
static void test_killed_at_random(void)
{
	const char *dir = temp_begin();
	struct {
		struct msg_counters counters;
		int64_t now;
	} *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned seed = 42;

	boot_kernel();
	for (int life = 0; life < 25; life++) {
		pid_t pid = fork();
		if (pid == 0) {
			srand((unsigned)life);
			start(dir, 0);
			for (int i = rand() % 6; i >= 0; i--) {
				drops(0, REASON_NO_RULE, (unsigned)(rand() % 500), 50);
				drops(1, REASON_SPOOF, (unsigned)(rand() % 500), 2000);
				lose(REASON_MAC, (unsigned)(rand() % 5));
				second();
			}
			drops(0, REASON_NO_RULE, 77, 10);
			if (rand() % 2 == 0)
				read_all(); /* received, and never stored */
			shared->counters = counters;
			shared->now = now_s;
			kill(getpid(), SIGKILL);
		}
		waitpid(pid, NULL, 0);
		counters = shared->counters;
		now_s = shared->now + rand_r(&seed) % 3;
	}
	start(dir, 0);
	seconds(5);
	check_equation();
	read_rows();
	CHECK(row_sum[REASON_NO_RULE] > 1000);
	stop();
	munmap(shared, sizeof(*shared));
}

/* The store is damaged while it is open: set aside, a new one goes on, and nothing is silent. */
static void test_damaged_while_open(void)
{
	char list[128], line[256] = "";
	const char *dir = temp_begin();

	boot_kernel();
	start(dir, 0);
	drops(0, REASON_NO_RULE, 50, 5);
	seconds(2);
	CHECK_INT(sqlite3_exec(writer_store(w)->db, "DELETE FROM open", NULL, NULL, NULL), SQLITE_OK);
	drops(0, REASON_NO_RULE, 30, 5);
	drops(1, REASON_SPOOF, 10, 1);
	second();
	drops(0, REASON_NO_RULE, 20, 5);
	seconds(6);
	CHECK(has_fault("store-set-aside"));
	check_equation();
	CHECK_INT(loss_sum[REASON_NO_RULE], 50);
	CHECK_INT(row_sum[REASON_NO_RULE], 50);
	CHECK_INT(loss_sum[REASON_SPOOF], 0);
	snprintf(list, sizeof(list), "ls %s | grep -c set-aside-[0-9]*-000$", dir);
	FILE *p = popen(list, "r");
	CHECK(fgets(line, sizeof(line), p) != NULL);
	pclose(p);
	CHECK_STR(line, "1\n");
	stop();
}

static void test_damaged_at_start(void)
{
	const char *dir = temp_begin();
	char path[128];

	boot_kernel();
	snprintf(path, sizeof(path), "%s/records.db", dir);
	FILE *f = fopen(path, "w");
	fputs("garbage that is no database, long enough to be looked at by everybody who wants to", f);
	fclose(f);
	start(dir, 0);
	drops(0, REASON_NO_RULE, 5, 1);
	seconds(4);
	CHECK(has_fault("store-set-aside"));
	check_equation();
	CHECK_INT(row_sum[REASON_NO_RULE], 5);
	stop();
}

/* Another process holds the file: events wait in memory, after a while the store is set aside. */
static void test_locked_at_start(void)
{
	const char *dir = temp_begin();
	int ready[2], hold[2];
	char c;

	boot_kernel();
	if (pipe(ready) != 0 || pipe(hold) != 0)
		abort();
	pid_t pid = fork();
	if (pid == 0) {
		start(dir, 0);
		second();
		if (write(ready[1], "x", 1) == 1 && read(hold[0], &c, 1) < 0)
			_exit(1);
		_exit(0);
	}
	CHECK_INT(read(ready[0], &c, 1), 1);
	start(dir, 0);
	drops(0, REASON_NO_RULE, 5, 1);
	seconds(3);
	struct msg_log_status st;
	writer_status(w, &st);
	CHECK_INT(st.writable, 0);
	CHECK(writer_store(w) == NULL);
	seconds(8);
	writer_status(w, &st);
	CHECK_INT(st.writable, 1);
	CHECK(has_fault("store-set-aside"));
	check_equation();
	CHECK_INT(row_sum[REASON_NO_RULE], 5);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	stop();
}

/* No more bytes may be written for a while: nothing is lost, and it goes on by itself. */
static void test_no_space_for_a_while(void)
{
	const char *dir = temp_begin();
	struct rlimit old, none = {0, RLIM_INFINITY};
	struct msg_log_status st;

	boot_kernel();
	signal(SIGXFSZ, SIG_IGN);
	start(dir, 1 << 20);
	drops(0, REASON_NO_RULE, 10, 10);
	seconds(3);
	getrlimit(RLIMIT_FSIZE, &old);
	setrlimit(RLIMIT_FSIZE, &none);
	for (int i = 0; i < 40; i++) {
		drops(0, REASON_NO_RULE, 500, 200);
		second();
	}
	writer_status(w, &st);
	CHECK_INT(st.writable, 0);
	CHECK_INT(st.stored[REASON_NO_RULE], 10);
	setrlimit(RLIMIT_FSIZE, &old);
	seconds(15);
	writer_status(w, &st);
	CHECK_INT(st.writable, 1);
	check_equation();
	CHECK_INT(loss_sum[REASON_NO_RULE], 0);
	CHECK(has_fault("store"));
	stop();
}

/* A small store under a long flood: the oldest go, the equation of the account and the chain hold. */
static void test_small_store_under_flood(void)
{
	struct msg_log_status st;

	boot_kernel();
	start(temp_begin(), 1 << 20);
	for (int i = 0; i < 200; i++) {
		drops(0, REASON_SPOOF, 3000, 3000);
		second();
	}
	seconds(3);
	writer_status(w, &st);
	CHECK_INT(st.stored[REASON_SPOOF] + st.loss[REASON_SPOOF], counters.packets[REASON_SPOOF]);
	CHECK_INT(st.writable, 1);
	CHECK(st.bytes_used < 1 << 20);
	check_chain();
	stop();
}

static void test_other_boot(void)
{
	const char *dir = temp_begin();
	struct writer_options o = {.store = {.dir = dir}, .boot_id = "boot-2", .window_s = 60};

	boot_kernel();
	start(dir, 0);
	drops(0, REASON_NO_RULE, 10, 1);
	seconds(3);
	lose(REASON_NO_RULE, 4);
	drops(0, REASON_NO_RULE, 1, 1);
	second(); /* the power goes before the shortage is settled */
	stop();
	boot_kernel();
	counters.epoch = 2;
	in = intake_new(ours, SLOTS);
	names = names_new();
	w = writer_new(&o, in, names);
	drops(0, REASON_NO_RULE, 6, 1);
	seconds(4);
	struct msg_log_status st;
	writer_status(w, &st);
	CHECK_INT(st.epoch, 2);
	CHECK_INT(st.stored[REASON_NO_RULE], 6);
	CHECK_INT(st.loss[REASON_NO_RULE], 0);
	read_rows();
	CHECK_INT(row_sum[REASON_NO_RULE], 17);
	CHECK_INT(loss_sum[REASON_NO_RULE], 4);
	check_chain();
	stop();
}

static void test_clock_goes_back(void)
{
	boot_kernel();
	start(temp_begin(), 0);
	drops(0, REASON_NO_RULE, 1, 1);
	second();
	/* A day back by the wall, on by the monotonic clock. */
	clock_set_test(&(struct wall){now_s - 86400}, &(struct mono){(now_s + 1 - 1790000000) * S});
	drops(0, REASON_SPOOF, 1, 1);
	read_all();
	writer_counters(w, &counters, clock_mono().ns);
	writer_tick(w);
	read_rows();
	CHECK_INT(nrows, 2);
	CHECK(rows[1].sequence > rows[0].sequence);
	CHECK(rows[1].first_ns < rows[0].first_ns);
	seconds(3);
	check_equation();
	stop();
}

static void test_gaps_and_strange_events(void)
{
	static struct datagram d;
	struct test_packet p = {.mark = 0xbb0002, .in = 3, .sequence = 900000, .proto = IPPROTO_TCP};

	boot_kernel();
	start(temp_begin(), 0);
	drops(0, REASON_NO_RULE, 1, 1);
	second();
	d.n = 0;
	add_packet(&d, &p);
	p.mark = 0x12345600;
	p.sequence++;
	add_packet(&d, &p);
	CHECK(send(kernel[0], d.b, d.n, 0) > 0);
	CHECK(send(kernel[0], "short", 5, 0) > 0);
	counters.packets[REASON_NO_RULE]++;
	seconds(3);
	CHECK(has_fault("nflog-overflow"));
	CHECK(has_fault("nflog-strange"));
	check_equation();
	stop();
}

int main(void)
{
	set_clock();
	test_visible_within_a_second();
	test_inspection();
	test_loss_becomes_rows();
	test_limited_is_no_fault();
	test_limited_while_away();
	test_faults_and_commits();
	test_killed_at_random();
	test_damaged_while_open();
	test_damaged_at_start();
	test_locked_at_start();
	test_no_space_for_a_while();
	test_small_store_under_flood();
	test_other_boot();
	test_clock_goes_back();
	test_gaps_and_strange_events();
	temp_end();
	return test_end();
}
