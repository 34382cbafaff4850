/*
 * liar.c: stands in for sekisho-compile or sekisho-prove, and lies. The worst case: it is started as root and
 * never enters a jail.
 *
 * What it does is the first word of the file ROOT/lie ("honest" when there is none), a number may follow. As
 * a compiler it first compiles the policy as the real one does, then breaks the result; checksums are made
 * right again, so that not the checksum but what stands behind it must find the lie.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sekisho/arena.h>
#include <sekisho/buf.h>
#include <sekisho/config.h>
#include <sekisho/crc.h>
#include <sekisho/daemon.h>
#include <sekisho/diag.h>
#include <sekisho/ir.h>

#define SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW)

static char lie[32] = "honest";
static unsigned number;
static struct buf block;
static struct ir ir;

static bool told(const char *word)
{
	return strcmp(lie, word) == 0;
}

static void read_lie(const char *root)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/lie", root);
	f = fopen(path, "r");
	if (f == NULL)
		return;
	if (fscanf(f, "%31s %u", lie, &number) < 1)
		strcpy(lie, "honest");
	fclose(f);
}

static void answer(uint32_t errors, const int *fds, unsigned n)
{
	struct msg_result r = {.errors = errors};

	if (msg_send(DAEMON_FD_RESULT, MSG_RESULT, 0, &r, fds, n) != 0)
		_exit(1);
}

static int memfd(const void *p, size_t n, int seals)
{
	int fd = memfd_create("lie", MFD_ALLOW_SEALING);

	if (fd < 0 || write(fd, p, n) != (ssize_t)n || (seals != 0 && fcntl(fd, F_ADD_SEALS, seals) != 0))
		_exit(1);
	return fd;
}

/* -- the policy, compiled as it should be -------------------------------------------------------------- */

static void compile(int64_t now)
{
	struct arena *arena = arena_new();
	struct diag_list diags;
	struct model *model;
	struct stat st;

	if (fstat(DAEMON_FD_POLICY, &st) != 0)
		_exit(1);
	char *text = mmap(NULL, (size_t)st.st_size + 1, PROT_READ, MAP_PRIVATE, DAEMON_FD_POLICY, 0);
	diag_init(&diags, arena);
	if (!config_read(arena, text, (size_t)st.st_size, &diags, &model) ||
		!policy_compile(model, (struct wall){now}, &diags, &block) ||
		ir_open(block.data, block.len, &ir) != NULL)
		_exit(1);
}

static void checksum_again(void)
{
	struct ir_header *h = (void *)block.data;

	h->crc = 0;
	h->crc = crc32c(0, block.data, block.len);
}

/* -- broken compiled policies ---------------------------------------------------------------------------- */

#define MUTABLE(member, i) ((void *)(uintptr_t) & ir.member[i])

static void flip(void)
{
	size_t head = sizeof(struct ir_header);

	srand(number);
	for (int i = 0; i < 1 + (int)(number % 4); i++) {
		size_t at = (size_t)rand() % block.len;
		/* Rarely the header: it is found too easily. */
		if (at < head && number % 8 != 0)
			at = head + (size_t)rand() % (block.len - head);
		block.data[at] ^= (uint8_t)(1u << rand() % 8);
	}
}

/* lgwan said to be internet: every flow of mynumber would leave the house. */
static void forbidden(void)
{
	for (uint32_t i = 0; i < ir.nsegments; i++)
		if (ir.segments[i].kind == KIND_LGWAN)
			((struct ir_segment *)MUTABLE(segments, i))->kind = KIND_INTERNET;
}

static void wide(void)
{
	((struct ir_box *)MUTABLE(boxes, 0))->port_hi = 65535;
}

/* Two boxes of one rule that lie over each other: no law is broken, and the kernel refuses. */
static void overlap(void)
{
	for (uint32_t i = 0; i + 1 < ir.nboxes; i++) {
		struct ir_box *a = MUTABLE(boxes, i);
		const struct ir_box *b = &ir.boxes[i + 1];
		if (a->from == b->from && a->to == b->to && a->family == b->family && a->proto == b->proto &&
			memcmp(&a->src, &b->src, sizeof(a->src)) == 0 &&
			memcmp(&a->dst, &b->dst, sizeof(a->dst)) == 0 && a->port_hi + 1 == b->port_lo) {
			a->port_hi = b->port_hi;
			return;
		}
	}
	_exit(1);
}

/* A way that the kernel refuses, after it has taken the rules. */
static void no_way(void)
{
	for (uint32_t i = 0; i < ir.nroutes; i++)
		if (ir.routes[i].family == 4)
			memcpy(((struct ir_route *)MUTABLE(routes, i))->via, "\xcb\x00\x71\x01", 4);
}

static void break_ir(void)
{
	static const struct {
		const char *word;
		void (*fn)(void);
	} lies[] = {{"flip", flip}, {"forbidden", forbidden}, {"wide", wide}, {"overlap", overlap},
		{"no-way", no_way}};

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++)
		if (told(lies[i].word))
			lies[i].fn();
	checksum_again();
}

/* -- answers ------------------------------------------------------------------------------------------------ */

/* Something that is no sealed file. */
static int strange_fd(void)
{
	int pair[2];

	if (told("pipe") && pipe(pair) == 0)
		return pair[0];
	if (told("socket") && socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0)
		return pair[0];
	if (told("directory"))
		return open("/", O_RDONLY | O_DIRECTORY);
	if (told("device"))
		return open("/dev/zero", O_RDONLY);
	if (told("file"))
		return open("/proc/self/exe", O_RDONLY);
	return -1;
}

/* Sealed, full of nothing, and larger than memory. */
static int huge_fd(void)
{
	int fd = memfd_create("lie", MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, told("huge") ? (off_t)1 << 44 : (off_t)1 << 30) != 0 ||
		fcntl(fd, F_ADD_SEALS, SEALS) != 0)
		_exit(1);
	return fd;
}

static void send_ir(int fd)
{
	int fds[2] = {memfd("[]", 2, SEALS), fd};

	answer(0, fds, 2);
}

/* What is wrong with the message itself. */
static bool lied_by_message(void)
{
	struct msg_ready ready = {1};
	int fds[2] = {memfd("[]", 2, SEALS), -1};
	static char bytes[70000];

	if (told("nothing"))
		return true;
	if (told("crash"))
		abort();
	if (told("noise"))
		return send(DAEMON_FD_RESULT, bytes, 1 + number % sizeof(bytes), MSG_NOSIGNAL) != -2;
	if (told("other")) {
		msg_send(DAEMON_FD_RESULT, MSG_READY, 0, &ready, NULL, 0);
		return true;
	}
	if (told("no-ir")) {
		answer(0, fds, 1);
		return true;
	}
	return false;
}

/* 64 MB of what is no JSON, with words for a terminal in it. */
static int talk(void)
{
	static const char text[] = "[{\"severity\":\"error\",\"line\":1,\"code\":\"x\",\"what\":\"\x1b[2J\xc2\x9b"
				   "31m\\u001b[2J\"},";
	int fd = memfd("", 0, 0);

	for (int i = 0; i < 64; i++) {
		static char chunk[1 << 20];
		for (size_t at = 0; at + sizeof(text) < sizeof(chunk); at += sizeof(text) - 1)
			memcpy(chunk + at, text, sizeof(text) - 1);
		if (write(fd, chunk, sizeof(chunk)) < 0)
			_exit(1);
	}
	return fd;
}

static int lying_compiler(int64_t now)
{
	int fd;

	if (lied_by_message())
		return 0;
	if (told("talk")) {
		fd = talk();
		answer(1, &fd, 1);
		return 0;
	}
	if (told("huge") || told("gigabyte"))
		send_ir(huge_fd());
	else if ((fd = strange_fd()) >= 0)
		send_ir(fd);
	else if (told("empty"))
		send_ir(memfd("", 0, SEALS));
	else {
		compile(now);
		break_ir();
		send_ir(memfd(block.data, told("short") ? block.len - 8 : block.len,
			told("unsealed") ? 0 : told("writable") ? F_SEAL_SHRINK | F_SEAL_GROW : SEALS));
	}
	return 0;
}

/* "objects" whatever it sees, unless told another lie. */
static int lying_prover(void)
{
	int fd;

	if (lied_by_message())
		return 0;
	fd = told("talk") ? talk() : memfd("[]", 2, SEALS);
	answer(told("objects") || told("talk") ? 3 : 0, &fd, 1);
	return 0;
}

int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/');
	int64_t now = 0;

	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "--root=", 7) == 0)
			read_lie(argv[i] + 7);
		if (strncmp(argv[i], "--now=", 6) == 0)
			now = strtoll(argv[i] + 6, NULL, 10);
	}
	return strcmp(name != NULL ? name + 1 : argv[0], "sekisho-prove") == 0 ? lying_prover() :
										   lying_compiler(now);
}
