/*
 * freeze.c: `sekisho freeze …`: 証拠保全: take a snapshot, list, show, release, export.
 *
 * Input: the gate's answers; lists and manifests are JSON of the gate's own, read within limits. Export copies each file that
 * the manifest names into a directory of the user's, never over anything, and compares its SHA-256.
 */
#include "console.h"
#include "control.h"
#include "jsonread.h"
#include "logquery.h"
#include "text.h"

#include <sekisho/arena.h>
#include <sekisho/json.h>

#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act.h"

#define LIST_MAX (1u << 20)

static void acted_json(struct console *c, const char *verb, const struct msg_acted *m)
{
	struct json j = json_init(&c->out);

	json_object(&j, NULL);
	json_str(&j, "verb", verb);
	json_bool(&j, "ok", m->ok != 0);
	json_uint(&j, "number", m->number);
	json_str(&j, "manifest_sha256", m->object[0] != '\0' ? m->object : NULL);
	json_uint(&j, "records", m->flows);
	json_uint(&j, "total_us", m->total_us);
	json_str(&j, "error", m->error[0] != '\0' ? m->error : NULL);
	json_object_end(&j);
	buf_addc(&c->out, '\n');
}

static int act(struct console *c, const struct msg_request *q, const char *verb, struct msg_acted *ret)
{
	struct msg m;
	int code = control_ask(c, q, -1, MSG_ACTED, &m);

	if (code != CONSOLE_OK)
		return code;
	*ret = m.u.msg_acted;
	msg_close_fds(&m);
	if (c->json)
		acted_json(c, verb, ret);
	if (!ret->ok)
		return c->json ? CONSOLE_REFUSED : console_fail(CONSOLE_REFUSED, "%s", _(ret->error));
	return CONSOLE_OK;
}

int verb_freeze(struct console *c, const struct args *a)
{
	struct msg_request q = {.verb = MSG_VERB_FREEZE};
	struct msg_acted m;
	int code = act_sign(a, &q);

	if (code == CONSOLE_OK)
		code = act(c, &q, "freeze", &m);
	if (code != CONSOLE_OK || c->json)
		return code;
	buf_printf(&c->out, _("FROZEN, number %u: %u records and what else there is, after %u.%03u s\n"), m.number, m.flows,
		m.total_us / 1000000, m.total_us / 1000 % 1000);
	buf_printf(&c->out, _("SHA-256 of its manifest: %s\n"), m.object);
	buf_printf(&c->out, "%s\n", _("Write this down elsewhere: it proves later that nothing was changed."));
	return CONSOLE_OK;
}

int verb_freeze_release(struct console *c, const struct args *a)
{
	struct msg_request q = {.verb = MSG_VERB_RELEASE};
	struct msg_acted m;
	int code = act_number(a->words[0], &q.argument);

	if (code == CONSOLE_OK)
		code = act_sign(a, &q);
	if (code == CONSOLE_OK)
		code = act(c, &q, "release", &m);
	if (code == CONSOLE_OK && !c->json)
		buf_printf(&c->out, _("released: %u; its files stay\n"), m.number);
	return code;
}

/* -- list, show ---------------------------------------------------------------------------------------------- */

/* The file that the gate hands out; CONSOLE_OK with *ret_fd, the caller's to close. */
static int open_file(struct console *c, enum msg_verb verb, uint32_t number, const char *name, int *ret_fd)
{
	struct msg_request q = {.verb = verb, .argument = number};
	struct msg m;

	MSG_TEXT(q.object[0], name);
	int code = control_ask(c, &q, -1, MSG_OPENED, &m);
	if (code != CONSOLE_OK)
		return code;
	if (!m.u.msg_opened.ok || m.nfds != 1) {
		msg_close_fds(&m);
		return console_fail(CONSOLE_REFUSED, "%s", _(m.u.msg_opened.error));
	}
	*ret_fd = m.fds[0];
	return CONSOLE_OK;
}

static int read_text(struct console *c, uint32_t number, struct buf *ret)
{
	int fd = -1, code = open_file(c, MSG_VERB_FREEZES, number, "", &fd);

	if (code != CONSOLE_OK)
		return code;
	bool good = control_read_fd(fd, LIST_MAX, ret);
	close(fd);
	return good ? CONSOLE_OK
		    : console_fail(CONSOLE_ENV, "%s",
			      _("the gate answers in a form that this command does not know"));
}

static int64_t number_of(const struct json_value *v, const char *key)
{
	const struct json_value *n = json_member(v, key);

	return n != NULL && n->kind == JSON_NUMBER ? n->number : 0;
}

static const char *text_of(const struct json_value *v, const char *key)
{
	const char *t = json_member_text(v, key);

	return t != NULL ? t : "";
}

static void print_one(struct console *c, const struct json_value *f)
{
	const struct json_value *held = json_member(f, "held");
	bool is = held != NULL && held->kind == JSON_BOOL && held->truth;
	char at[32];

	buf_printf(&c->out, "%lld  %s  %s\n      ", (long long)number_of(f, "number"), log_time_long(number_of(f, "at"), at),
		is ? _("held") : _("released"));
	text_safe(&c->out, text_of(f, "who"));
	buf_adds(&c->out, ": ");
	text_safe(&c->out, text_of(f, "why"));
	buf_adds(&c->out, "\n      SHA-256 ");
	text_safe(&c->out, text_of(f, "manifest_sha256"));
	buf_addc(&c->out, '\n');
}

static int print_text(struct console *c, struct buf *bytes, void (*print)(struct console *c, const struct json_value *v))
{
	struct arena *arena = arena_new();
	const struct json_value *v = arena != NULL ? json_read(arena, (const char *)bytes->data, bytes->len) : NULL;
	int code = CONSOLE_OK;

	if (v == NULL)
		code = console_fail(CONSOLE_ENV, "%s", _("the gate answers in a form that this command does not know"));
	else
		print(c, v);
	arena_free(arena);
	return code;
}

static void print_list(struct console *c, const struct json_value *v)
{
	if (v->kind != JSON_ARRAY || v->first == NULL)
		buf_printf(&c->out, "%s\n", _("there is no freeze"));
	for (const struct json_value *f = v->kind == JSON_ARRAY ? v->first : NULL; f != NULL; f = f->next)
		print_one(c, f);
}

static void print_manifest(struct console *c, const struct json_value *v)
{
	const struct json_value *files = json_member(v, "files");
	char at[32];

	buf_printf(&c->out, "%lld  %s  ", (long long)number_of(v, "freeze"), log_time_long(number_of(v, "at"), at));
	text_safe(&c->out, text_of(v, "who"));
	buf_adds(&c->out, ": ");
	text_safe(&c->out, text_of(v, "why"));
	buf_addc(&c->out, '\n');
	for (const struct json_value *f = files != NULL && files->kind == JSON_ARRAY ? files->first : NULL;
		f != NULL; f = f->next) {
		buf_adds(&c->out, "      ");
		text_pad(&c->out, text_of(f, "file"), 18);
		buf_printf(&c->out, " %10lld  ", (long long)number_of(f, "bytes"));
		text_safe(&c->out, text_of(f, "sha256"));
		text_safe(&c->out, text_of(f, "missing"));
		buf_addc(&c->out, '\n');
	}
}

static int list_or_show(struct console *c, uint32_t number, void (*print)(struct console *c, const struct json_value *v))
{
	struct buf bytes = {0};
	int code = read_text(c, number, &bytes);

	control_zone(c);
	if (code == CONSOLE_OK && c->json) {
		buf_add(&c->out, bytes.data, bytes.len);
		buf_addc(&c->out, '\n');
	} else if (code == CONSOLE_OK) {
		code = print_text(c, &bytes, print);
	}
	buf_free(&bytes);
	return code;
}

int verb_freeze_list(struct console *c, const struct args *a)
{
	(void)a;
	return list_or_show(c, 0, print_list);
}

int verb_freeze_show(struct console *c, const struct args *a)
{
	uint32_t number = 0;
	int code = act_number(a->words[0], &number);

	return code != CONSOLE_OK ? code : list_or_show(c, number, print_manifest);
}

/* -- export -------------------------------------------------------------------------------------------------- */

/* Copies all of it; the SHA-256 of what was copied as text. 0 or -errno. */
static int copy(int from, int to, char ret_hash[65])
{
	static uint8_t chunk[65536];
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct sha256_ctx ctx;
	ssize_t n;

	sha256_init(&ctx);
	while ((n = read(from, chunk, sizeof(chunk))) > 0) {
		sha256_update(&ctx, (size_t)n, chunk);
		for (ssize_t done = 0; done < n;) {
			ssize_t k = write(to, chunk + done, (size_t)(n - done));
			if (k < 0 && errno != EINTR)
				return -errno;
			done += k > 0 ? k : 0;
		}
	}
	sha256_digest(&ctx, sizeof(digest), digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(ret_hash + 2 * i, 3, "%02x", digest[i]);
	return n < 0 ? -errno : 0;
}

/* want: its SHA-256, NULL when nothing is known of it. */
static int export_file(struct console *c, uint32_t number, int dir, const char *name, const char *want)
{
	char hash[65] = "";
	int from = -1, code = open_file(c, MSG_VERB_FREEZE_FILE, number, name, &from);

	if (code != CONSOLE_OK)
		return code;
	int to = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400);
	int r = to < 0 ? -errno : copy(from, to, hash);
	if (to >= 0 && (fsync(to) != 0 || close(to) != 0) && r == 0)
		r = -errno;
	close(from);
	if (r != 0)
		return console_fail(CONSOLE_ENV, "%s: %s", name, strerror(-r));
	if (want != NULL && strcmp(hash, want) != 0)
		return console_fail(CONSOLE_REFUSED, _("%s is not what was frozen: its SHA-256 differs from the manifest"), name);
	buf_printf(&c->out, "%s  %s\n", hash, name);
	return CONSOLE_OK;
}

static int export_all(struct console *c, uint32_t number, int dir, const struct json_value *manifest)
{
	const struct json_value *files = json_member(manifest, "files");
	int code = export_file(c, number, dir, "manifest.json", NULL);

	for (const struct json_value *f = files != NULL && files->kind == JSON_ARRAY ? files->first : NULL;
		f != NULL && code == CONSOLE_OK; f = f->next) {
		const char *name = json_member_text(f, "file"), *hash = json_member_text(f, "sha256");
		if (name != NULL && hash != NULL && strchr(name, '/') == NULL && name[0] != '.')
			code = export_file(c, number, dir, name, hash);
	}
	return code;
}

int verb_freeze_export(struct console *c, const struct args *a)
{
	struct arena *arena = arena_new();
	struct buf bytes = {0};
	uint32_t number = 0;
	int code = act_number(a->words[0], &number), dir = -1;

	if (code == CONSOLE_OK)
		code = read_text(c, number, &bytes);
	const struct json_value *v = code == CONSOLE_OK && arena != NULL
					     ? json_read(arena, (const char *)bytes.data, bytes.len)
					     : NULL;
	if (code == CONSOLE_OK && v == NULL)
		code = console_fail(CONSOLE_ENV, "%s", _("the gate answers in a form that this command does not know"));
	if (code == CONSOLE_OK && (dir = open(a->words[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		code = console_fail(CONSOLE_ENV, "%s: %s", a->words[1], strerror(errno));
	if (code == CONSOLE_OK)
		code = export_all(c, number, dir, v);
	if (dir >= 0)
		close(dir);
	buf_free(&bytes);
	arena_free(arena);
	return code;
}
