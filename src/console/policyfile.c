/*
 * policyfile.c: file -> model -> IR, without any process of the gate.
 *
 * Input: a file that the user names, of up to LIMIT_POLICY_BYTES. The IR is opened through the same checks as
 * one from another process.
 */
#include "policyfile.h"

#include "console.h"
#include "findings.h"
#include "running.h"
#include "timearg.h"

#include <sekisho/arena.h>
#include <sekisho/model.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int policy_file_read(const char *path, struct buf *ret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int result = fd < 0 ? -errno : 1;

	while (result > 0) {
		size_t old = ret->len;
		uint8_t *p = buf_reserve(ret, 65536);
		ssize_t n = read(fd, p, 65536);
		ret->len = old + (n > 0 ? (size_t)n : 0);
		if (n == 0)
			result = 0;
		else if (n < 0 && errno != EINTR)
			result = -errno;
		else if (ret->len > LIMIT_POLICY_BYTES)
			result = -EFBIG;
	}
	if (fd >= 0)
		close(fd);
	return result;
}

/* The guard and the IR's own check, as sekishod applies them: findings here are errors of our compiler. */
static bool open_block(struct policy_file *f)
{
	uint32_t rule;
	const char *wrong = ir_open(f->block.data, f->block.len, &f->ir);

	if (wrong == NULL)
		wrong = guard_check(&f->ir, &rule);
	if (wrong != NULL)
		diag_error(&f->diags, 0, "internal", NULL, _("the compiled policy does not hold: %s"), wrong);
	return wrong == NULL;
}

static int begin(struct policy_file *f, const char *path)
{
	*f = (struct policy_file){.path = path, .arena = arena_new(), .at = clock_wall()};
	if (f->arena == NULL)
		return console_fail(CONSOLE_ENV, "%s", strerror(ENOMEM));
	diag_init(&f->diags, f->arena);
	return CONSOLE_OK;
}

static int compile(struct policy_file *f, const struct buf *text, const struct args *a)
{
	const char *at = args_option(a, "--at");

	if (!config_read(f->arena, (const char *)text->data, text->len, &f->diags, &f->model))
		return console_fail(CONSOLE_ENV, _("the schema cannot be loaded: %s"),
			f->diags.n > 0 ? f->diags.items[0].what : "libyang");
	(void)clock_set_zone(f->model->system.timezone); /* policy_compile() says with its line when there is none */
	if (at != NULL && !timearg_parse(at, f->at, false, &f->at))
		return console_fail(CONSOLE_USAGE, _("\"%s\" is not a time (see: sekisho help times)"), at);
	f->usable = policy_compile(f->model, f->at, &f->diags, &f->block) && f->diags.nerrors == 0 && open_block(f);
	diag_sort(&f->diags);
	return CONSOLE_OK;
}

int policy_file_text(struct policy_file *f, const char *path, const struct buf *text, const struct args *a)
{
	int code = begin(f, path);

	return code == CONSOLE_OK ? compile(f, text, a) : code;
}

int policy_file_open(struct policy_file *f, const char *path, const struct args *a)
{
	struct buf text = {0};
	int code = begin(f, path), result = code == CONSOLE_OK ? policy_file_read(path, &text) : 0;

	if (result < 0)
		code = console_fail(CONSOLE_ENV, "%s: %s", path, strerror(-result));
	if (code == CONSOLE_OK)
		code = compile(f, &text, a);
	buf_free(&text);
	return code;
}

int policy_file_running(struct policy_file *f, struct console *c, const struct args *a)
{
	struct buf text = {0};
	int code = begin(f, "running");

	if (code == CONSOLE_OK)
		code = running_read(c, &text);
	if (code == CONSOLE_OK)
		code = compile(f, &text, a);
	buf_free(&text);
	return code;
}

int policy_file_refused(const struct policy_file *f)
{
	struct buf text = {0};

	findings_text(&text, f->path, &f->diags);
	console_error_text(&text);
	buf_free(&text);
	return console_fail(CONSOLE_REFUSED, _("%s is refused"), f->path);
}

void policy_file_close(struct policy_file *f)
{
	buf_free(&f->block);
	arena_free(f->arena);
}
