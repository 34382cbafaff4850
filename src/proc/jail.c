/*
 * jail.c: enters a row of the jail table, and looks whether the process is really in it.
 *
 * Order matters: paths are opened and the root is changed while we still may; capabilities are cut down
 * around the change of user; Landlock and seccomp come last, since they need no_new_privs and forbid the
 * rest.
 *
 * Landlock is used by raw system calls with the kernel's own numbers (headers of the build machine may be
 * older): the rights that the running kernel's ABI knows, up to 7: files (1), rename across directories (2),
 * truncate (3), TCP bind and connect (4), ioctl on devices (5), abstract sockets and signals beyond the jail
 * (6). Entries of /proc are made anew when memory was short, and a Landlock rule belongs to the old inode:
 * the descriptors of the row's paths therefore stay open, which pins them.
 *
 * Failure: -errno and the step; the caller ends. Without Landlock in the kernel the report says so.
 */
#include "jail_table.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <sekisho/daemon.h>

const char *jail_name(enum jail_row row)
{
	return jail_table[row].name;
}

enum jail_row jail_find(const char *name)
{
	unsigned row = 0;

	while (row < JAIL_ROWS && strcmp(jail_table[row].name, name) != 0)
		row++;
	return (enum jail_row)row;
}

uid_t jail_uid(enum jail_row row)
{
	return jail_table[row].uid;
}

/* -- Landlock -------------------------------------------------------------------------------------------- */

/* The kernel's ABI (include/uapi/linux/landlock.h of 6.12+); attribute structs only grow at their end. */
struct landlock_ruleset {
	uint64_t fs, net, scoped;
};
struct landlock_path {
	uint64_t access;
	int32_t fd;
} __attribute__((packed));

struct landlock_port {
	uint64_t access, port;
};

#define LANDLOCK_VERSION_FLAG 1u
#define LANDLOCK_RULE_PATH 1
#define LANDLOCK_RULE_PORT 2
#define NET_CONNECT_TCP (UINT64_C(1) << 1)
#define FS_WRITE_FILE (UINT64_C(1) << 1)
#define FS_READ_FILE (UINT64_C(1) << 2)
#define FS_READ_DIR (UINT64_C(1) << 3)
#define FS_REMOVE_DIR (UINT64_C(1) << 4)
#define FS_REMOVE_FILE (UINT64_C(1) << 5)
#define FS_MAKE_DIR (UINT64_C(1) << 7)
#define FS_MAKE_REG (UINT64_C(1) << 8)
#define FS_REFER (UINT64_C(1) << 13)
#define FS_TRUNCATE (UINT64_C(1) << 14)
#define FS_OF_FILES (UINT64_C(1) | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | UINT64_C(1) << 15)
#define LANDLOCK_ABI_MAX 7

/* Everything that this ABI can forbid. */
static struct landlock_ruleset landlock_all(int abi)
{
	static const unsigned fs_bits[LANDLOCK_ABI_MAX + 1] = {0, 13, 14, 15, 15, 16, 16, 16};

	return (struct landlock_ruleset){
		.fs = (UINT64_C(1) << fs_bits[abi]) - 1,
		.net = abi >= 4 ? 3 : 0,
		.scoped = abi >= 6 ? 3 : 0,
	};
}

static uint64_t landlock_rights(enum jail_path_use use)
{
	uint64_t look = FS_READ_FILE, read = look | FS_READ_DIR, tune = read | FS_WRITE_FILE | FS_TRUNCATE;

	switch (use) {
	case JAIL_LOOK:
		return look;
	case JAIL_READ:
		return read;
	case JAIL_TUNE:
		return tune;
	case JAIL_STORE:
		return tune | FS_MAKE_REG | FS_MAKE_DIR | FS_REMOVE_FILE | FS_REMOVE_DIR | FS_REFER;
	}
	return 0;
}

/* A path that is not there stays closed; its descriptor stays open (see above). */
static int landlock_allow(int ruleset, const struct jail_path *p, const char *root, uint64_t known)
{
	char buf[PATH_MAX];
	struct stat st;

	int r = daemon_path(p->below_root ? root : "", p->path, buf, sizeof(buf));
	if (r < 0)
		return r;
	int fd = open(p->below_root ? buf : p->path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	uint64_t rights = landlock_rights(p->use) & known;
	if (!S_ISDIR(st.st_mode))
		rights &= FS_OF_FILES;
	struct landlock_path rule = {rights, fd};
	return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH, &rule, 0) < 0 ? -errno : 0;
}

static int landlock_allow_port(int ruleset, uint16_t port)
{
	struct landlock_port rule = {NET_CONNECT_TCP, port};

	return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PORT, &rule, 0) < 0 ? -errno : 0;
}

/* *ret_fd: the ruleset, or -1 (and *ret_abi 0) where the kernel has no Landlock. */
static int landlock_prepare(const struct jail_spec *s, const char *root, int *ret_fd, int *ret_abi)
{
	static const size_t sizes[LANDLOCK_ABI_MAX + 1] = {0, 8, 8, 8, 16, 16, 24, 24};
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION_FLAG);

	*ret_fd = -1;
	*ret_abi = 0;
	if (abi < 1)
		return 0;
	if (abi > LANDLOCK_ABI_MAX)
		abi = LANDLOCK_ABI_MAX;
	struct landlock_ruleset all = landlock_all((int)abi);
	int fd = (int)syscall(SYS_landlock_create_ruleset, &all, sizes[abi], 0);
	if (fd < 0)
		return -errno;
	int r = s->calls_port != 0 && all.net != 0 ? landlock_allow_port(fd, s->calls_port) : 0;
	for (const struct jail_path *p = s->paths; r == 0 && p->path != NULL; p++)
		r = landlock_allow(fd, p, root, all.fs);
	if (r < 0) {
		close(fd);
		return r;
	}
	*ret_fd = fd;
	*ret_abi = (int)abi;
	return 0;
}

/* -- seccomp --------------------------------------------------------------------------------------------- */

/* Appends the condition to cmp; returns how many comparisons there are then. */
static unsigned add_condition(const struct jail_condition *c, struct scmp_arg_cmp *cmp, unsigned n)
{
	switch (c->test) {
	case JAIL_ALWAYS:
		return n;
	case JAIL_EQUAL:
		cmp[n] = SCMP_CMP64(c->arg, SCMP_CMP_EQ, c->value);
		break;
	case JAIL_MASKED:
		cmp[n] = SCMP_CMP64(c->arg, SCMP_CMP_MASKED_EQ, c->mask, c->value);
		break;
	}
	return n + 1;
}

static int add_call(scmp_filter_ctx ctx, const struct jail_call *c)
{
	static const uint32_t actions[] = {[JAIL_ALLOW] = SCMP_ACT_ALLOW,
		[JAIL_REFUSE] = SCMP_ACT_ERRNO(EPERM),
		[JAIL_ABSENT] = SCMP_ACT_ERRNO(ENOSYS)};
	int nr = seccomp_syscall_resolve_name(c->name);
	struct scmp_arg_cmp cmp[2];
	unsigned n = 0;

	if (nr < 0) /* not on this architecture */
		return 0;
	for (unsigned i = 0; i < 2; i++)
		n = add_condition(&c->when[i], cmp, n);
	return seccomp_rule_add_array(ctx, actions[c->action], nr, n, cmp);
}

/* Builds the row's filter; NULL when the library refuses. */
static scmp_filter_ctx build_filter(const struct jail_spec *s)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int r = ctx == NULL ? -ENOMEM : 0;

	if (r == 0)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (r == 0) /* a binary tree: the hot calls are not behind a hundred comparisons */
		r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(JAIL_PROBE_ERRNO), SCMP_SYS(personality), 1,
			SCMP_A0_64(SCMP_CMP_EQ, JAIL_PROBE));
	for (unsigned i = 0; r == 0 && i < JAIL_LISTS_MAX && s->calls[i] != NULL; i++) {
		for (const struct jail_call *c = s->calls[i]; r == 0 && c->name != NULL; c++)
			r = add_call(ctx, c);
	}
	if (r < 0 && ctx != NULL) {
		seccomp_release(ctx);
		return NULL;
	}
	return ctx;
}

/* -- User and capabilities ------------------------------------------------------------------------------- */

static int set_capabilities(uint64_t permitted)
{
	struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct d[2] = {
		{(uint32_t)permitted, (uint32_t)permitted, 0},
		{(uint32_t)(permitted >> 32), (uint32_t)(permitted >> 32), 0},
	};
	return syscall(SYS_capset, &h, d) < 0 ? -errno : 0;
}

static int drop_bounding_set(void)
{
	for (unsigned long cap = 0; cap < 64; cap++) {
		int has = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);
		if (has < 0)
			return 0; /* beyond the kernel's last */
		if (has > 0 && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return -errno;
	}
	return 0;
}

/* Uid 0 means nothing any more, and no capability comes back by any way; all of it locked. */
#define SECURE_BITS                                                                                          \
	(SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED |     \
		SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

static int change_user(const struct jail_spec *s)
{
	int r = drop_bounding_set();

	if (r < 0)
		return r;
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || setgroups(0, NULL) < 0 ||
		setresgid(s->uid, s->uid, s->uid) < 0 || setresuid(s->uid, s->uid, s->uid) < 0)
		return -errno;
	/* CAP_SETPCAP for one call more: locking the secure bits needs it. */
	r = set_capabilities(s->capabilities | UINT64_C(1) << CAP_SETPCAP);
	if (r < 0)
		return r;
	if (prctl(PR_SET_SECUREBITS, SECURE_BITS, 0, 0, 0) < 0)
		return -errno;
	return set_capabilities(s->capabilities);
}

static int set_limits(const struct jail_spec *s)
{
	for (const struct jail_limit *l = s->limits; l < s->limits + JAIL_LIMITS_MAX; l++) {
		struct rlimit rl = {l->value, l->value};
		if (l->resource == RLIMIT_CPU && l->value == 0)
			break;
		if (setrlimit(l->resource, &rl) < 0)
			return -errno;
	}
	return 0;
}

/* -- Entering -------------------------------------------------------------------------------------------- */

/* Where there are no zones there is an empty directory instead. */
static int change_root(const struct jail_spec *s, const char *root)
{
	char empty[PATH_MAX];

	if (!s->zones_root && !s->empty_root)
		return chdir("/") < 0 ? -errno : 0;
	int r = daemon_path(root, DAEMON_PATH_EMPTY, empty, sizeof(empty));
	if (r < 0)
		return r;
	if (((s->empty_root || chroot(JAIL_ZONES) < 0) && chroot(empty) < 0) || chdir("/") < 0)
		return -errno;
	/* Where libc and clock_set_zone() find them now. */
	return setenv("TZDIR", "/", 1) < 0 ? -errno : 0;
}

static int close_the_door(int ruleset, scmp_filter_ctx filter)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return -errno;
	if (ruleset >= 0) {
		if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
			return -errno;
		close(ruleset);
	}
	return seccomp_load(filter);
}

/* What jail_verify() cannot ask the kernel afterwards. */
static int entered_landlock;

/* A service also changes its root and always its user; a user's command keeps both where it is not root. */
static int enter(const struct jail_spec *s, const char *root, bool service, struct jail_report *ret)
{
	scmp_filter_ctx filter;
	int r, ruleset = -1;

	*ret = (struct jail_report){.step = "seccomp filter"};
	filter = build_filter(s);
	if (filter == NULL)
		return -EINVAL;
	ret->step = "landlock paths";
	r = landlock_prepare(s, root, &ruleset, &ret->landlock);
	if (r == 0) {
		ret->step = "limits";
		r = set_limits(s);
	}
	if (r == 0 && service) {
		ret->step = "root directory";
		r = change_root(s, root);
	}
	if (r == 0) {
		ret->step = "user and capabilities";
		r = service || geteuid() == 0 ? change_user(s) : set_capabilities(0);
	}
	if (r == 0) {
		ret->step = "landlock and seccomp";
		r = close_the_door(ruleset, filter);
	}
	seccomp_release(filter);
	entered_landlock = ret->landlock;
	return r;
}

int jail_enter(enum jail_row row, const char *root, struct jail_report *ret)
{
	return enter(&jail_table[row], root, true, ret);
}

int jail_confine(enum jail_row row, struct jail_report *ret)
{
	return enter(&jail_table[row], "", false, ret);
}

/* -- Narrowing ------------------------------------------------------------------------------------------- */

/* The program as the kernel takes it; the library only writes it to a file. */
static int export_filter(scmp_filter_ctx filter, int fd, struct jail_filter *ret)
{
	int r = seccomp_export_bpf(filter, fd);
	off_t size = r == 0 ? lseek(fd, 0, SEEK_END) : 0;
	size_t n = (size_t)size / sizeof(struct sock_filter);

	if (r < 0 || size <= 0 || n > BPF_MAXINSNS)
		return r < 0 ? r : -EINVAL;
	void *program = malloc((size_t)size);
	if (program == NULL)
		return -ENOMEM;
	if (pread(fd, program, (size_t)size, 0) != size) {
		free(program);
		return -EIO;
	}
	*ret = (struct jail_filter){(unsigned short)n, program};
	return 0;
}

int jail_prepare(enum jail_row row, struct jail_filter *ret)
{
	scmp_filter_ctx filter = build_filter(&jail_table[row]);
	int fd = memfd_create("filter", MFD_CLOEXEC), r;

	r = filter == NULL ? -EINVAL : fd < 0 ? -errno : export_filter(filter, fd, ret);
	if (fd >= 0)
		close(fd);
	if (filter != NULL)
		seccomp_release(filter);
	return r;
}

int jail_narrow(enum jail_row row, const struct jail_filter *filter)
{
	struct sock_fprog program = {filter->n, filter->program};
	int r = set_limits(&jail_table[row]);

	if (r == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0)
		r = -errno;
	return r;
}

/* -- Verifying ------------------------------------------------------------------------------------------- */

static bool user_is(uid_t uid)
{
	uid_t u[3];
	gid_t g[3];

	return getresuid(&u[0], &u[1], &u[2]) == 0 && getresgid(&g[0], &g[1], &g[2]) == 0 && u[0] == uid &&
	       u[1] == uid && u[2] == uid && g[0] == uid && g[1] == uid && g[2] == uid &&
	       getgroups(0, NULL) == 0;
}

static bool capabilities_are(uint64_t want)
{
	struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct d[2];

	if (syscall(SYS_capget, &h, d) < 0)
		return false;
	for (unsigned i = 0; i < 2; i++) {
		uint32_t w = (uint32_t)(want >> (32 * i));
		if (d[i].permitted != w || d[i].effective != w || d[i].inheritable != 0)
			return false;
	}
	for (unsigned long cap = 0; cap < 64; cap++) {
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) > 0)
			return false;
	}
	return true;
}

static bool limits_are(const struct jail_spec *s)
{
	struct rlimit rl;

	for (const struct jail_limit *l = s->limits; l < s->limits + JAIL_LIMITS_MAX; l++) {
		if (l->resource == RLIMIT_CPU && l->value == 0)
			break;
		if (getrlimit(l->resource, &rl) < 0 || rl.rlim_cur != l->value || rl.rlim_max != l->value)
			return false;
	}
	return true;
}

/* The filter answers our probe, and nobody else would with this number. */
static bool filter_answers(void)
{
	return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 2 && personality(JAIL_PROBE) == -1 &&
	       errno == JAIL_PROBE_ERRNO;
}

/* Listing the root directory is in no row. */
static bool root_is_closed(void)
{
	if (entered_landlock == 0)
		return true; /* the kernel cannot; said at start */
	int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		close(fd);
	return fd < 0;
}

const char *jail_verify(enum jail_row row)
{
	const struct jail_spec *s = &jail_table[row];

	/* First: without the filter the other answers are not worth having, and the probe kills nobody. */
	if (!filter_answers())
		return "seccomp";
	if (!user_is(s->uid))
		return "user";
	if (!capabilities_are(s->capabilities))
		return "capabilities";
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return "no_new_privs";
	if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		return "dumpable";
	if (!limits_are(s))
		return "limits";
	if (!root_is_closed())
		return "landlock";
	return NULL;
}

const char *jail_confined(enum jail_row row)
{
	if (!filter_answers())
		return "seccomp";
	if (geteuid() == 0)
		return "user";
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return "no_new_privs";
	if (!limits_are(&jail_table[row]))
		return "limits";
	if (!root_is_closed())
		return "landlock";
	return NULL;
}

#if defined(__SANITIZE_ADDRESS__)
/* The leak checker starts a thread that traces us; a jail allows neither. It still runs outside. */
int __lsan_is_turned_off(void);
int __attribute__((visibility("default"))) __lsan_is_turned_off(void)
{
	return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 2;
}
#endif
