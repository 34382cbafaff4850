/*
 * main_compile.c: sekisho-compile: one run per candidate policy: text -> IR.
 *
 * Handed by sekishod through sekisho-init: the policy's text (sealed memfd), a socket for the answer. It
 * holds no privilege and opens no file but time zones: libyang and the schema are loaded before the jail. The
 * text is what a person wrote: foreign bytes. The answer is MSG_RESULT with the counts, the diagnostics as
 * JSON in a memfd, and, when there are no errors, the IR in a memfd sealed for good. The policy text must be
 * sealed as well, so that it cannot change or shrink while it is read.
 */
#include <sekisho/arena.h>
#include <sekisho/buf.h>
#include <sekisho/clock.h>
#include <sekisho/config.h>
#include <sekisho/daemon.h>
#include <sekisho/diag.h>
#include <sekisho/i18n.h>
#include <sekisho/ir.h>
#include <sekisho/limits.h>
#include <sekisho/model.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* Maps the policy; an empty one gives an empty text. */
static int map_policy(const char **ret, size_t *ret_size)
{
	struct stat st;
	int seals = fcntl(DAEMON_FD_POLICY, F_GET_SEALS);

	if (seals < 0)
		return -errno;
	if ((seals & SEALS) != SEALS)
		return -EPERM;
	if (fstat(DAEMON_FD_POLICY, &st) != 0)
		return -errno;
	if (st.st_size == 0) {
		*ret = "";
		*ret_size = 0;
		return 0;
	}
	void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, DAEMON_FD_POLICY, 0);
	if (p == MAP_FAILED)
		return -errno;
	*ret = p;
	*ret_size = (size_t)st.st_size;
	return 0;
}

/* The content in a memfd that nobody can change any more, or -errno. */
static int sealed(const char *name, const struct buf *content)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING), r = 0;

	if (fd < 0)
		return -errno;
	for (size_t done = 0; r == 0 && done < content->len;) {
		ssize_t n = write(fd, content->data + done, content->len - done);
		if (n > 0)
			done += (size_t)n;
		else if (n == 0 || errno != EINTR)
			r = n == 0 ? -EIO : -errno;
	}
	if (r == 0 && lseek(fd, 0, SEEK_SET) != 0)
		r = -errno;
	if (r == 0 && fcntl(fd, F_ADD_SEALS, SEALS | F_SEAL_SEAL) != 0)
		r = -errno;
	if (r == 0)
		return fd;
	close(fd);
	return r;
}

static int answer(struct diag_list *diags, const struct buf *ir)
{
	struct msg_result result = {
		.errors = (uint32_t)diags->nerrors, .warnings = (uint32_t)diags->nwarnings};
	int fds[2] = {-1, -1}, r = 0;
	unsigned nfds = diags->nerrors == 0 ? 2 : 1;
	struct buf json = {0};

	diag_sort(diags);
	diag_json(diags, &json);
	fds[0] = sealed("diagnostics", &json);
	if (nfds == 2)
		fds[1] = sealed("ir", ir);
	for (unsigned i = 0; i < nfds && r == 0; i++)
		r = fds[i] < 0 ? fds[i] : 0;
	if (r == 0)
		r = msg_send(DAEMON_FD_RESULT, MSG_RESULT, 0, &result, fds, nfds);
	for (unsigned i = 0; i < nfds; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	buf_free(&json);
	return r;
}

static int before(struct daemon *d)
{
	const char *why;

	i18n_init(d->language);
	clock_set_zone("Asia/Tokyo");
	if (config_prepare(&why))
		return 0;
	daemon_log("the schema cannot be loaded: %s", why);
	return -ENOEXEC;
}

static int start(struct daemon *d)
{
	struct arena *arena = arena_new();
	struct diag_list diags;
	struct model *model;
	struct buf ir = {0};
	const char *text;
	size_t size;
	int r = arena == NULL ? -ENOMEM : map_policy(&text, &size);

	if (r < 0)
		return r;
	diag_init(&diags, arena);
	if (!config_read(arena, text, size, &diags, &model))
		return -ENOEXEC;
	policy_compile(model, (struct wall){d->now}, &diags, &ir);
	r = answer(&diags, &ir);
	buf_free(&ir);
	arena_free(arena);
	return r < 0 ? r : 1;
}

int main(int argc, char **argv)
{
	static const struct daemon_spec spec = {
		.row = JAIL_COMPILE, .oneshot = true, .before = before, .start = start};

	return daemon_run(&spec, NULL, argc, argv);
}
