/*
 * The store of generations, and power cuts: the commit's calls to the disk are stopped after each one, what was not
 * synced is lost in every way that a disk may lose it, and the machine "starts" again: it must find
 * exactly the old or exactly the new generation, whole.
 */
#include "store.h"
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];

/* -- A disk that can be cut off -------------------------------------------------------------------------- */

#define OPS_MAX 64
static struct {
	int steps, stop_after; /* calls so far; from this one on nothing reaches the disk */
	struct {
		int fd;
		char name[64];
	} open_files[OPS_MAX];
	unsigned nopen;
	char dirty[OPS_MAX][64]; /* written and not synced, by the name that the file has now */
	unsigned ndirty;
	struct {
		char from[64], to[64];
		char backup[64]; /* a link to what `to` was before, "" = nothing */
	} renames[OPS_MAX]; /* not yet made durable by a sync of the directory */
	unsigned nrenames;
	int dir_fd;
} disk;

static int cut(void)
{
	if (disk.stop_after >= 0 && disk.steps >= disk.stop_after) {
		errno = EIO;
		return 1;
	}
	disk.steps++;
	return 0;
}

static const char *name_of(int fd)
{
	for (unsigned i = disk.nopen; i-- > 0;)
		if (disk.open_files[i].fd == fd)
			return disk.open_files[i].name;
	return "";
}

static void forget_dirty(const char *name)
{
	for (unsigned i = 0; i < disk.ndirty; i++)
		if (strcmp(disk.dirty[i], name) == 0)
			disk.dirty[i][0] = '\0';
}

static int d_openat(int d, const char *name, int flags, mode_t mode)
{
	if (cut())
		return -1;
	int fd = openat(d, name, flags, mode);
	disk.dir_fd = d;
	disk.open_files[disk.nopen].fd = fd;
	snprintf(disk.open_files[disk.nopen++].name, 64, "%s", name);
	return fd;
}

static ssize_t d_write(int fd, const void *p, size_t n)
{
	if (cut())
		return -1;
	forget_dirty(name_of(fd));
	snprintf(disk.dirty[disk.ndirty++], 64, "%s", name_of(fd));
	return write(fd, p, n);
}

static int d_fsync(int fd)
{
	if (cut())
		return -1;
	if (fd == disk.dir_fd) {
		for (unsigned i = 0; i < disk.nrenames; i++)
			if (disk.renames[i].backup[0] != '\0')
				unlinkat(disk.dir_fd, disk.renames[i].backup, 0);
		disk.nrenames = 0;
	} else {
		forget_dirty(name_of(fd));
	}
	return fsync(fd);
}

static int d_renameat(int d, const char *from, int d2, const char *to)
{
	if (cut())
		return -1;
	unsigned i = disk.nrenames++;
	snprintf(disk.renames[i].from, 64, "%s", from);
	snprintf(disk.renames[i].to, 64, "%s", to);
	snprintf(disk.renames[i].backup, 64, "backup-%d", disk.steps);
	if (linkat(d, to, d, disk.renames[i].backup, 0) != 0)
		disk.renames[i].backup[0] = '\0';
	for (unsigned k = 0; k < disk.ndirty; k++)
		if (strcmp(disk.dirty[k], from) == 0)
			snprintf(disk.dirty[k], 64, "%s", to);
	return renameat(d, from, d2, to);
}

static int d_unlinkat(int d, const char *name, int flags)
{
	return cut() ? -1 : unlinkat(d, name, flags);
}

static const struct store_io disk_io = {d_openat, d_write, d_fsync, d_renameat, d_unlinkat};

/* What the cut leaves: unsynced bytes gone; renames without a directory sync done or undone, by the bits of `how`. */
static void power_cut(unsigned how)
{
	int d = open(dir, O_RDONLY | O_DIRECTORY);

	for (unsigned i = 0; i < disk.ndirty; i++) {
		int fd = disk.dirty[i][0] != '\0' ? openat(d, disk.dirty[i], O_WRONLY) : -1;
		if (fd >= 0) {
			CHECK_INT(ftruncate(fd, how & 0x100 ? 0 : 3), 0);
			close(fd);
		}
	}
	for (unsigned i = disk.nrenames; i-- > 0;) {
		if ((how >> i & 1) != 0)
			continue;
		renameat(d, disk.renames[i].to, d, disk.renames[i].from);
		if (disk.renames[i].backup[0] != '\0')
			renameat(d, disk.renames[i].backup, d, disk.renames[i].to);
	}
	close(d);
	memset(&disk, 0, sizeof(disk));
	disk.stop_after = -1;
}

/* -- Helpers --------------------------------------------------------------------------------------------- */

static void wipe(void)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL)
		unlinkat(dirfd(d), e->d_name, 0);
	if (d != NULL)
		closedir(d);
}

static int put(const struct store *s, uint32_t number, const char *text)
{
	struct store_meta m = {.number = number, .at = 1000 + number};

	snprintf(m.who, sizeof(m.who), "who %u", number);
	int r = store_put(s, &m, text, strlen(text));
	return r != 0 ? r : store_set_running(s, number);
}

/* The running generation's text; "" when anything is wrong with it. */
static const char *running_text(uint32_t *ret_number)
{
	static char text[256];
	struct store s;
	struct store_meta m;
	uint32_t n = 0;

	text[0] = '\0';
	*ret_number = 0;
	if (store_open(&s, dir, &store_io_real) != 0)
		return text;
	if (store_running(&s, &n) == 0 && store_meta(&s, n, &m) == 0) {
		int fd = store_policy(&s, &m);
		ssize_t got = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;
		text[got > 0 ? got : 0] = '\0';
		if (fd >= 0)
			close(fd);
		*ret_number = n;
	}
	store_close(&s);
	return text;
}

/* -- Tests ----------------------------------------------------------------------------------------------- */

static void test_plain(void)
{
	struct store s;
	struct store_meta m;
	uint32_t n;

	wipe();
	CHECK_INT(store_open(&s, dir, &store_io_real), 0);
	CHECK_INT(store_running(&s, &n), -ENOENT);
	CHECK_INT(store_next(&s), 1);
	CHECK_INT(put(&s, 1, "one"), 0);
	CHECK_INT(put(&s, 2, ""), 0);
	CHECK_INT(store_next(&s), 3);
	CHECK_INT(store_running(&s, &n), 0);
	CHECK_INT(n, 2);
	CHECK_INT(store_meta(&s, 1, &m), 0);
	CHECK_STR(m.who, "who 1");
	CHECK_INT(m.policy_size, 3);
	CHECK_INT(store_meta(&s, 7, &m), -ENOENT);
	CHECK_STR(running_text(&n), "");
	CHECK_INT(n, 2);
	store_close(&s);
}

static void damage(const char *name, off_t at, const char *with)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY);
	CHECK(fd >= 0);
	if (with == NULL)
		CHECK_INT(ftruncate(fd, at), 0);
	else
		CHECK(pwrite(fd, with, strlen(with), at) > 0);
	close(fd);
}

/* Bits that rotted are noticed, wherever they are. */
static void test_damage(void)
{
	struct store s;
	struct store_meta m;
	uint32_t n;
	static const struct {
		const char *name;
		off_t at;
		const char *with;
		int running, meta, policy;
	} cases[] = {
		{"running", 16, "\xff", -EBADMSG, 0, 0},   {"running", 17, NULL, -EBADMSG, 0, 0},
		{"running", 20, "x", -EBADMSG, 0, 0},	   {"1.meta", 40, "\xff", 0, -EBADMSG, 0},
		{"1.meta", 100, NULL, 0, -EBADMSG, 0},	   {"1.meta", 0, "X", 0, -EBADMSG, 0},
		{"1.policy", 1, "\xff", 0, 0, -EBADMSG},   {"1.policy", 1, NULL, 0, 0, -EBADMSG},
		{"1.policy", 3, "x", 0, 0, -EBADMSG},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		wipe();
		CHECK_INT(store_open(&s, dir, &store_io_real), 0);
		CHECK_INT(put(&s, 1, "one"), 0);
		CHECK_INT(store_meta(&s, 1, &m), 0);
		damage(cases[i].name, cases[i].at, cases[i].with);
		CHECK_INT(store_running(&s, &n), cases[i].running);
		struct store_meta again;
		CHECK_INT(store_meta(&s, 1, &again), cases[i].meta);
		int fd = store_policy(&s, &m);
		CHECK(cases[i].policy == 0 ? fd >= 0 : fd == cases[i].policy);
		if (fd >= 0)
			close(fd);
		store_close(&s);
	}
}

/* The heart: every step of a commit, every way to lose what was not synced. */
static void test_power_cuts(void)
{
	unsigned cuts = 0, old = 0, new = 0;

	for (int stop = 0; stop < 40; stop++) {
		for (unsigned how = 0; how < 0x200; how += how % 8 == 7 ? 0xf9 : 1) {
			struct store s;
			uint32_t n;
			wipe();
			memset(&disk, 0, sizeof(disk));
			disk.stop_after = -1;
			CHECK_INT(store_open(&s, dir, &store_io_real), 0);
			CHECK_INT(put(&s, 1, "the old policy"), 0);
			s.io = &disk_io;
			disk.stop_after = stop;
			int r = put(&s, 2, "the new policy");
			bool done = disk.steps < stop;
			store_close(&s);
			power_cut(how);
			const char *text = running_text(&n);
			CHECK((n == 1 && strcmp(text, "the old policy") == 0) ||
			      (n == 2 && strcmp(text, "the new policy") == 0));
			/* What was reported as durable is. */
			CHECK(r != 0 || n == 2);
			cuts++;
			old += n == 1;
			new += n == 2;
			if (done)
				CHECK(r == 0 && n == 2);
		}
	}
	printf("%u power cuts: %u found the old, %u the new generation\n", cuts, old, new);
	CHECK(old > 0 && new > 0);
	/* The test itself would notice: a disk that loses synced bytes is not survived. */
	struct store s;
	uint32_t n;
	wipe();
	CHECK_INT(store_open(&s, dir, &store_io_real), 0);
	CHECK_INT(put(&s, 1, "the old policy"), 0);
	damage("1.policy", 0, NULL);
	CHECK_STR(running_text(&n), "");
	store_close(&s);
}

/*
 * A commit that waits to be confirmed, and then is: in each moment before the word the old one runs after a power cut, from
 * the word on the old or the new; and what waits is readable whole, or not there.
 */
static void test_unconfirmed_power_cuts(void)
{
	const struct {
		uint32_t number, previous;
	} waits = {2, 1};
	unsigned old = 0, new = 0, pending = 0;

	for (int stop = 0; stop < 40; stop++) {
		for (unsigned how = 0; how < 0x200; how += how % 8 == 7 ? 0xf9 : 1) {
			struct store_meta m = {.number = 2, .of = 1, .account = "sato"};
			uint32_t got[2] = {0}, n;
			struct store s;
			wipe();
			memset(&disk, 0, sizeof(disk));
			disk.stop_after = -1;
			CHECK_INT(store_open(&s, dir, &store_io_real), 0);
			CHECK_INT(put(&s, 1, "the old policy"), 0);
			s.io = &disk_io;
			disk.stop_after = stop;
			int r = store_put(&s, &m, "the new policy", 14);
			if (r == 0)
				r = store_put_record(&s, "unconfirmed", 7, &waits, sizeof(waits));
			bool word = r == 0;
			int confirmed = word ? store_set_running(&s, 2) : -1;
			if (confirmed == 0)
				store_remove(&s, "unconfirmed");
			store_close(&s);
			power_cut(how);
			const char *text = running_text(&n);
			CHECK((n == 1 && strcmp(text, "the old policy") == 0) || (n == 2 && word && strcmp(text, "the new policy") == 0));
			CHECK(confirmed != 0 || n == 2);
			CHECK_INT(store_open(&s, dir, &store_io_real), 0);
			int there = store_get_record(&s, "unconfirmed", 7, got, sizeof(got));
			CHECK(there == -ENOENT || (there == 0 && got[0] == 2 && got[1] == 1));
			/* What is said to wait is there to wait for. */
			CHECK(there != 0 || (store_meta(&s, 2, &m) == 0 && m.of == 1 && strcmp(m.account, "sato") == 0));
			store_close(&s);
			old += n == 1;
			new += n == 2;
			pending += there == 0 && n == 1;
		}
	}
	printf("unconfirmed: %u found the old (%u of them still waiting), %u the new generation\n", old, pending, new);
	CHECK(old > 0 && new > 0 && pending > 0);
}

/* A generation as the first version stored it: without account. */
static void test_older_form(void)
{
	struct store_meta m = {.number = 3, .policy_size = 3, .who = "sato"}, got;
	struct store s;

	wipe();
	CHECK_INT(store_open(&s, dir, &store_io_real), 0);
	CHECK_INT(store_put_record(&s, "3.meta", 0x4d474b53u, &m, (uint32_t)offsetof(struct store_meta, uid)), 0);
	CHECK_INT(store_meta(&s, 3, &got), 0);
	CHECK_STR(got.who, "sato");
	CHECK(got.uid == 0 && got.of == 0 && got.account[0] == '\0');
	/* Of no other size. */
	CHECK_INT(store_put_record(&s, "4.meta", 0x4d474b53u, &m, (uint32_t)offsetof(struct store_meta, uid) + 4), 0);
	CHECK_INT(store_meta(&s, 4, &got), -EBADMSG);
	CHECK_INT(store_below(&s, 0), 4);
	CHECK_INT(store_below(&s, 4), 3);
	CHECK_INT(store_below(&s, 3), 0);
	store_close(&s);
}

/* Texts behind records: whole or not at all; names that are no generation's. */
static void test_texts(void)
{
	struct store s;
	uint32_t body = 42, got = 0;
	char text[16] = "";

	wipe();
	CHECK_INT(store_open(&s, dir, &store_io_real), 0);
	CHECK_INT(store_get_record(&s, "candidate-7", 9, &got, sizeof(got)), -ENOENT);
	CHECK_INT(store_put_text(&s, "candidate-7", 9, &body, sizeof(body), "set a", 5), 0);
	CHECK_INT(store_get_record(&s, "candidate-7", 9, &got, sizeof(got)), 0);
	CHECK_INT(got, 42);
	int fd = store_get_text(&s, "candidate-7", sizeof(body), 100);
	CHECK(fd >= 0 && read(fd, text, sizeof(text)) == 5);
	CHECK_STR(text, "set a");
	close(fd);
	CHECK_INT(store_get_text(&s, "candidate-7", sizeof(body), 4), -EBADMSG);
	CHECK_INT(store_get_record(&s, "candidate-7", 8, &got, sizeof(got)), -EBADMSG); /* of another kind */
	CHECK_INT(store_next(&s), 1);
	store_prune(&s, 1);
	CHECK_INT(store_remove(&s, "candidate-7"), 0);
	CHECK_INT(store_remove(&s, "candidate-7"), 0);
	CHECK_INT(store_get_text(&s, "candidate-7", sizeof(body), 4), -ENOENT);
	store_close(&s);
}

/* A disk that is full: an error, and the old one runs. */
static ssize_t full_write(int fd, const void *p, size_t n)
{
	(void)fd;
	(void)p;
	(void)n;
	errno = ENOSPC;
	return -1;
}

static void test_full(void)
{
	struct store_io io = store_io_real;
	struct store s;
	uint32_t n;

	wipe();
	CHECK_INT(store_open(&s, dir, &io), 0);
	CHECK_INT(put(&s, 1, "one"), 0);
	io.write = full_write;
	CHECK_INT(put(&s, 2, "two"), -ENOSPC);
	CHECK_STR(running_text(&n), "one");
	/* Nothing half-written stays. */
	CHECK_INT(store_next(&s), 2);
	store_close(&s);
}

static void test_prune(void)
{
	struct store s;
	struct store_meta m;

	wipe();
	CHECK_INT(store_open(&s, dir, &store_io_real), 0);
	for (uint32_t i = 1; i <= STORE_KEEP + 5; i++) {
		m = (struct store_meta){.number = i};
		CHECK_INT(store_put(&s, &m, "x", 1), 0);
	}
	CHECK_INT(store_set_running(&s, 2), 0);
	store_prune(&s, 2);
	CHECK_INT(store_meta(&s, 1, &m), -ENOENT);
	CHECK_INT(store_meta(&s, 2, &m), 0);
	CHECK_INT(store_meta(&s, 5, &m), -ENOENT);
	CHECK_INT(store_meta(&s, 6, &m), 0);
	CHECK_INT(store_meta(&s, STORE_KEEP + 5, &m), 0);
	store_close(&s);
}

int main(void)
{
	snprintf(dir, sizeof(dir), "/tmp/sekisho-test-store-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return 77;
	test_plain();
	test_damage();
	test_power_cuts();
	test_unconfirmed_power_cuts();
	test_older_form();
	test_texts();
	test_full();
	test_prune();
	wipe();
	rmdir(dir);
	return test_end();
}
