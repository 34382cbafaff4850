/*
 * main_prove.c: sekisho-prove: one run after each commit: is the kernel's ruleset the policy?
 *
 * Handed by sekishod through sekisho-init: the IR (sealed memfd), the kernel's dump (memfd), a socket for the
 * answer. It holds no privilege and opens nothing. Both inputs are foreign bytes here. The answer is
 * MSG_RESULT with the number of findings and a memfd with their JSON: [{"code","text"}].
 * If it dies or does not answer, sekishod takes that as a finding.
 */
#include <sekisho/arena.h>
#include <sekisho/buf.h>
#include <sekisho/clock.h>
#include <sekisho/daemon.h>
#include <sekisho/i18n.h>
#include <sekisho/json.h>
#include <sekisho/limits.h>
#include <sekisho/prove.h>

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Larger than any dump of LIMIT_BOXES elements. */
#define DUMP_BYTES_MAX ((off_t)2 << 30)

static bool clock_untrusted; /* rules with times are closed now */

static int map_file(int fd, const void **ret, size_t *ret_size)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return -errno;
	if (st.st_size <= 0 || st.st_size > DUMP_BYTES_MAX)
		return -EFBIG;
	void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	*ret = p;
	*ret_size = (size_t)st.st_size;
	return 0;
}

static void findings_json(const struct prove *p, struct buf *out)
{
	struct json j = json_init(out);

	json_array(&j, NULL);
	for (size_t i = 0; i < p->n; i++) {
		json_object(&j, NULL);
		json_str(&j, "code", p->findings[i].code);
		json_str(&j, "text", p->findings[i].text);
		json_object_end(&j);
	}
	json_array_end(&j);
}

static int answer(const struct prove *p)
{
	struct msg_result result = {.errors = (uint32_t)p->total};
	struct buf json = {0};
	int fd = memfd_create("findings", MFD_CLOEXEC | MFD_ALLOW_SEALING), r;

	if (fd < 0)
		return -errno;
	findings_json(p, &json);
	r = write(fd, json.data, json.len) == (ssize_t)json.len ? 0 : -EIO;
	if (r == 0)
		r = msg_send(DAEMON_FD_RESULT, MSG_RESULT, 0, &result, &fd, 1);
	buf_free(&json);
	close(fd);
	return r;
}

/* The zone must be loaded before the jail; the name is the system's own default until the IR says another. */
static int before(struct daemon *d)
{
	i18n_init(d->language);
	clock_set_zone("Asia/Tokyo");
	return 0;
}

static int start(struct daemon *d)
{
	const void *ir_bytes, *dump;
	size_t ir_size, dump_size;
	struct ir ir;
	struct prove p;
	int r = map_file(DAEMON_FD_IR, &ir_bytes, &ir_size);

	if (r == 0)
		r = map_file(DAEMON_FD_DUMP, &dump, &dump_size);
	if (r < 0)
		return r;
	const char *bad = ir_open(ir_bytes, ir_size, &ir);
	if (bad != NULL) {
		daemon_log("IR refused: %s", bad);
		return -EBADMSG;
	}
	struct arena *arena = arena_new();
	if (arena == NULL)
		return -ENOMEM;
	clock_set_zone(ir_text(&ir, ir.system->timezone));
	prove_check(&p, arena, &ir, dump, dump_size, (struct wall){clock_untrusted ? -d->now : d->now});
	r = answer(&p);
	arena_free(arena);
	return r < 0 ? r : 1;
}

static int option(struct daemon *d, const char *word, const char *value)
{
	(void)d;
	clock_untrusted = strcmp(word, "--clock-untrusted") == 0 && value == NULL;
	return clock_untrusted ? 0 : -EINVAL;
}

int main(int argc, char **argv)
{
	static const struct daemon_spec spec = {
		.row = JAIL_PROVE, .oneshot = true, .option = option, .before = before, .start = start};

	return daemon_run(&spec, NULL, argc, argv);
}
