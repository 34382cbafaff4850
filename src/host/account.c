/*
 * account.c: the people who may log in: reading, changing and storing them.
 *
 * Input: files that root wrote on the data partition. They are read as foreign all the same (a disk rots):
 * each field is checked, the whole has a checksum, and anything odd makes the file damaged: nobody is let in
 * by half a file. Limits: ACCOUNTS_MAX lines, FILE_MAX bytes. Failure: nothing was changed, in memory or on
 * disk.
 */
#include "account.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sekisho/buf.h>
#include <sekisho/crc.h>
#include <sekisho/i18n.h>
#include <sekisho/jail.h>

#define HEADER "sekisho-accounts 1"
#define FILE_MAX (256u << 10)
#define FIELDS 8
#define SHELL "/usr/bin/sekisho"
/* Days: shadow(5) counts in them. */
#define DAY 86400

static const struct {
	enum msg_role role;
	const char *word;
	gid_t gid;
} roles[] = {
	{MSG_ROLE_VIEWER, "viewer", JAIL_GID_VIEWER},
	{MSG_ROLE_AUDITOR, "auditor", JAIL_GID_AUDITOR},
	{MSG_ROLE_OPERATOR, "operator", JAIL_GID_OPERATOR},
	{MSG_ROLE_ADMINISTRATOR, "administrator", JAIL_GID_ADMINISTRATOR},
	{MSG_ROLE_MAINTENANCE, "maintenance", JAIL_GID_MAINTENANCE},
};
#define NROLES (sizeof(roles) / sizeof(roles[0]))

static size_t role_index(enum msg_role role)
{
	size_t i = 0;

	while (i < NROLES && roles[i].role != role)
		i++;
	return i;
}

const char *account_error_text(enum account_error e)
{
	static const char *const texts[] = {
		[ACCOUNT_OK] = "",
		[ACCOUNT_NAME_BAD] = N_("a name has 2 to 31 small letters, digits and hyphens, begins with a letter, and is none of the system's"),
		[ACCOUNT_NAME_TAKEN] = N_("there is an account of this name, or was one: names are never used again"),
		[ACCOUNT_LABEL_BAD] = N_("the person's name is needed: at most 63 bytes, without ':'"),
		[ACCOUNT_UNKNOWN] = N_("there is no such account"),
		[ACCOUNT_FULL] = N_("there are as many accounts as there can be"),
		[ACCOUNT_LAST] = N_("no administrator would be left: name another one first"),
		[ACCOUNT_DISK] = N_("the account could not be stored; nothing was changed"),
	};
	return _(texts[e]);
}

/* -- Words ----------------------------------------------------------------------------------------------- */

bool account_name_ok(const char *name)
{
	size_t n = strlen(name);

	if (n < 2 || n >= ACCOUNT_NAME || name[0] < 'a' || name[0] > 'z' ||
		strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != n)
		return false;
	return strcmp(name, "root") != 0 && strncmp(name, "sekisho-", 8) != 0;
}

static bool label_ok(const char *label)
{
	size_t n = strlen(label);

	if (n == 0 || n >= ACCOUNT_LABEL)
		return false;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)label[i] < 0x20 || label[i] == 0x7f || label[i] == ':')
			return false;
	return true;
}

/* crypt(5): '$', letters and digits; what a field of passwd could not hold is no hash. */
static bool hash_ok(const char *hash)
{
	size_t n = strlen(hash);

	return n > 0 && n < ACCOUNT_HASH && hash[0] == '$' &&
	       strspn(hash, "$./=,0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") == n;
}

static bool number(const char *text, int64_t max, int64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoll(text, &end, 10);
	return errno == 0 && end != text && *end == '\0' && *ret >= 0 && *ret <= max;
}

/* -- Reading --------------------------------------------------------------------------------------------- */

static bool take_history(struct account *r, char *text)
{
	unsigned n = 0;

	for (char *one = strsep(&text, ","); one != NULL && *one != '\0'; one = strsep(&text, ",")) {
		if (n == ACCOUNT_HISTORY || !hash_ok(one))
			return false;
		snprintf(r->history[n++], ACCOUNT_HASH, "%s", one);
	}
	return true;
}

/* name:uid:role:state:changed:label:hash:history */
static bool take_line(struct accounts *a, char *line)
{
	struct account r = {0};
	char *field[FIELDS];
	int64_t uid;

	for (unsigned i = 0; i < FIELDS; i++) {
		field[i] = strsep(&line, ":");
		if (field[i] == NULL)
			return false;
	}
	if (line != NULL || a->n == ACCOUNTS_MAX || !account_name_ok(field[0]) || accounts_find(a, field[0]) != NULL ||
		!number(field[1], ACCOUNT_UID_FIRST + ACCOUNTS_MAX, &uid) || uid < ACCOUNT_UID_FIRST || !label_ok(field[5]) ||
		!hash_ok(field[6]) || !number(field[4], INT64_MAX, &r.changed) || !take_history(&r, field[7]))
		return false;
	size_t role = 0;
	while (role < NROLES && strcmp(roles[role].word, field[2]) != 0)
		role++;
	r.enabled = strcmp(field[3], "enabled") == 0 || strcmp(field[3], "temporary") == 0;
	r.must_change = strcmp(field[3], "temporary") == 0;
	if (role == NROLES || (!r.enabled && strcmp(field[3], "disabled") != 0))
		return false;
	snprintf(r.name, sizeof(r.name), "%s", field[0]);
	snprintf(r.label, sizeof(r.label), "%s", field[5]);
	snprintf(r.hash, sizeof(r.hash), "%s", field[6]);
	r.uid = (uint32_t)uid;
	r.role = roles[role].role;
	a->account[a->n++] = r;
	return true;
}

/* The text between the header and the checksum line, which must be right. */
static bool take_text(struct accounts *a, char *text, size_t n)
{
	char *sum = n > 1 ? memrchr(text, '\n', n - 1) : NULL, wanted[16];

	if (sum == NULL || memchr(text, '\0', n) != NULL)
		return false;
	size_t body = (size_t)(sum + 1 - text);
	int len = snprintf(wanted, sizeof(wanted), "sum %08x\n", (unsigned)crc32c(0, text, body));
	if (n - body != (size_t)len || memcmp(sum + 1, wanted, (size_t)len) != 0)
		return false;
	sum[0] = '\0';
	char *line = strsep(&text, "\n");
	bool good = strcmp(line, HEADER) == 0;
	while (good && (line = strsep(&text, "\n")) != NULL)
		good = take_line(a, line);
	return good;
}

static int read_file(int dir, const char *name, struct buf *ret)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char block[4096];
	ssize_t n;

	if (fd < 0)
		return -errno;
	while ((n = read(fd, block, sizeof(block))) > 0 && ret->len <= FILE_MAX)
		buf_add(ret, block, (size_t)n);
	int r = n < 0 ? -errno : ret->len > FILE_MAX ? -EBADMSG : 0;
	close(fd);
	return r;
}

int accounts_begin(int dir, struct accounts *ret)
{
	if (flock(dir, LOCK_EX) < 0) {
		*ret = (struct accounts){.dir = dir};
		return -errno;
	}
	int r = accounts_load(dir, ret);
	if (r < 0)
		flock(dir, LOCK_UN);
	return r;
}

void accounts_end(struct accounts *a)
{
	flock(a->dir, LOCK_UN);
}

int accounts_load(int dir, struct accounts *ret)
{
	struct buf text = {0};

	*ret = (struct accounts){.dir = dir};
	int r = read_file(dir, "accounts", &text);
	if (r == 0) {
		size_t n = text.len;
		buf_addc(&text, '\0');
		if (!take_text(ret, (char *)text.data, n)) {
			*ret = (struct accounts){.dir = dir};
			r = -EBADMSG;
		}
	}
	if (text.data != NULL)
		explicit_bzero(text.data, text.len);
	buf_free(&text);
	return r == -ENOENT ? 0 : r;
}

/* -- Writing --------------------------------------------------------------------------------------------- */

static int write_all(int fd, const void *data, size_t n)
{
	const char *p = data;

	while (n > 0) {
		ssize_t done = write(fd, p, n);
		if (done < 0 && errno != EINTR)
			return -errno;
		if (done > 0) {
			p += done;
			n -= (size_t)done;
		}
	}
	return 0;
}

/* The login writes as root into the directory of sekisho-hostd: what it makes is to be read and replaced there. */
static int keep_owner(int dir, int fd)
{
	struct stat st;

	return geteuid() != 0 ? 0 : fstat(dir, &st) < 0 ? -1 : fchown(fd, st.st_uid, st.st_gid);
}

/* Under another name, synced, renamed, the directory synced. */
static int replace(int dir, const char *name, mode_t mode, const struct buf *b)
{
	char temporary[40];

	snprintf(temporary, sizeof(temporary), "%s.new", name);
	int fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return -errno;
	int r = keep_owner(dir, fd) < 0 || fchmod(fd, mode) < 0 ? -errno : write_all(fd, b->data, b->len);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	close(fd);
	if (r == 0 && renameat(dir, temporary, dir, name) < 0)
		r = -errno;
	if (r < 0) {
		unlinkat(dir, temporary, 0);
		return r;
	}
	return fsync(dir) < 0 ? -errno : 0;
}

static const char *state_word(const struct account *r)
{
	return !r->enabled ? "disabled" : r->must_change ? "temporary" : "enabled";
}

static int store(const struct accounts *a)
{
	struct buf b = {0};

	buf_adds(&b, HEADER "\n");
	for (unsigned i = 0; i < a->n; i++) {
		const struct account *r = &a->account[i];
		buf_printf(&b, "%s:%u:%s:%s:%" PRId64 ":%s:%s:", r->name, r->uid, roles[role_index(r->role)].word, state_word(r), r->changed,
			r->label, r->hash);
		for (unsigned h = 0; h < ACCOUNT_HISTORY && r->history[h][0] != '\0'; h++)
			buf_printf(&b, "%s%s", h > 0 ? "," : "", r->history[h]);
		buf_addc(&b, '\n');
	}
	buf_printf(&b, "sum %08x\n", (unsigned)crc32c(0, b.data, b.len));
	int r = replace(a->dir, "accounts", 0600, &b);
	explicit_bzero(b.data, b.len);
	buf_free(&b);
	return r;
}

/* -- What libc reads ------------------------------------------------------------------------------------- */

static void add_passwd(struct buf *b, const struct account *r)
{
	buf_printf(b, "%s:x:%u:%u:%s:/:%s\n", r->name, r->uid, roles[role_index(r->role)].gid, r->label, SHELL);
}

/* A disabled account has a hash that no password gives. */
static void add_shadow(struct buf *b, const struct account *r)
{
	buf_printf(b, "%s:%s%s:%" PRId64 "::::::\n", r->name, r->enabled ? "" : "!", r->hash,
		r->must_change ? 0 : r->changed / DAY);
}

static void add_groups(struct buf *b, const struct accounts *a)
{
	buf_printf(b, "sekisho-control:*:%d:", JAIL_GID_CONTROL);
	for (unsigned i = 0, n = 0; i < a->n; i++)
		if (a->account[i].enabled)
			buf_printf(b, "%s%s", n++ > 0 ? "," : "", a->account[i].name);
	buf_addc(b, '\n');
	for (size_t i = 0; i < NROLES; i++)
		buf_printf(b, "%s:*:%u:\n", roles[i].word, roles[i].gid);
}

static int publish(int dir, const char *name, mode_t mode, const struct buf *wanted)
{
	struct buf there = {0};
	bool same = read_file(dir, name, &there) == 0 && there.len == wanted->len &&
		    memcmp(there.data, wanted->data, there.len) == 0;

	buf_free(&there);
	return same ? 0 : replace(dir, name, mode, wanted);
}

int accounts_publish(const struct accounts *a, int base)
{
	struct buf passwd = {0}, shadow = {0}, group = {0};
	int r = base < 0 ? 0 : read_file(base, "passwd", &passwd);

	if (r == 0 && base >= 0)
		r = read_file(base, "group", &group);
	for (unsigned i = 0; i < a->n; i++) {
		add_passwd(&passwd, &a->account[i]);
		add_shadow(&shadow, &a->account[i]);
	}
	add_groups(&group, a);
	/* shadow first: a person of passwd who has no password there could not log in, but one the other way
	 * round is nobody. */
	if (r == 0)
		r = publish(a->dir, "shadow", 0600, &shadow);
	if (r == 0)
		r = publish(a->dir, "passwd", 0644, &passwd);
	if (r == 0)
		r = publish(a->dir, "group", 0644, &group);
	if (shadow.data != NULL)
		explicit_bzero(shadow.data, shadow.len);
	buf_free(&passwd);
	buf_free(&shadow);
	buf_free(&group);
	return r;
}

/* -- Changing -------------------------------------------------------------------------------------------- */

struct account *accounts_find(struct accounts *a, const char *name)
{
	for (unsigned i = 0; i < a->n; i++)
		if (strcmp(a->account[i].name, name) == 0)
			return &a->account[i];
	return NULL;
}

unsigned accounts_administrators(const struct accounts *a)
{
	unsigned n = 0;

	for (unsigned i = 0; i < a->n; i++)
		n += a->account[i].enabled && a->account[i].role == MSG_ROLE_ADMINISTRATOR;
	return n;
}

/* Puts `now` in the place of r and stores all; when that fails the old one stands again. */
static enum account_error change(struct accounts *a, struct account *r, const struct account *now)
{
	struct account before = *r;

	*r = *now;
	if (accounts_administrators(a) == 0 && before.enabled && before.role == MSG_ROLE_ADMINISTRATOR) {
		*r = before;
		return ACCOUNT_LAST;
	}
	if (store(a) == 0)
		return ACCOUNT_OK;
	*r = before;
	return ACCOUNT_DISK;
}

enum account_error account_add(struct accounts *a, const char *name, const char *label, enum msg_role role, const char *hash,
	bool must_change, int64_t now)
{
	if (!account_name_ok(name))
		return ACCOUNT_NAME_BAD;
	if (accounts_find(a, name) != NULL)
		return ACCOUNT_NAME_TAKEN;
	if (!label_ok(label))
		return ACCOUNT_LABEL_BAD;
	if (a->n == ACCOUNTS_MAX)
		return ACCOUNT_FULL;
	struct account r = {.uid = ACCOUNT_UID_FIRST + a->n,
		.role = role,
		.enabled = true,
		.must_change = must_change,
		.changed = now};
	snprintf(r.name, sizeof(r.name), "%s", name);
	snprintf(r.label, sizeof(r.label), "%s", label);
	snprintf(r.hash, sizeof(r.hash), "%s", hash);
	a->account[a->n++] = r;
	if (store(a) == 0)
		return ACCOUNT_OK;
	a->n--;
	return ACCOUNT_DISK;
}

enum account_error account_enable(struct accounts *a, const char *name, bool enabled)
{
	struct account *r = accounts_find(a, name);

	if (r == NULL)
		return ACCOUNT_UNKNOWN;
	struct account now = *r;
	now.enabled = enabled;
	return change(a, r, &now);
}

enum account_error account_role(struct accounts *a, const char *name, enum msg_role role)
{
	struct account *r = accounts_find(a, name);

	if (r == NULL)
		return ACCOUNT_UNKNOWN;
	struct account now = *r;
	now.role = role;
	return change(a, r, &now);
}

enum account_error account_password(struct accounts *a, const char *name, const char *hash, bool must_change, int64_t at)
{
	struct account *r = accounts_find(a, name);

	if (r == NULL)
		return ACCOUNT_UNKNOWN;
	struct account now = *r;
	memmove(now.history[1], now.history[0], sizeof(now.history) - sizeof(now.history[0]));
	snprintf(now.history[0], ACCOUNT_HASH, "%s", r->hash);
	snprintf(now.hash, ACCOUNT_HASH, "%s", hash);
	now.must_change = must_change;
	now.changed = at;
	return change(a, r, &now);
}
