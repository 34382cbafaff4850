/*
 * verify.c: `sekisho verify`: is the mail on standard input one that the mail gate would let out?
 *
 * The verifier of the gate. Nothing is written but the answer: the reason and the byte where the mail leaves the language
 * of rootfs/doc/mail-output.md. The mail is read in a jail (reader.h), as all foreign bytes are.
 */
#include "console.h"
#include "reader.h"

#include <sekisho/json.h>
#include <sekisho/mailverify.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <nettle/sha2.h>

#define SIZE_MAX_MAIL (64u << 20) /* far more than the language allows: it has a limit of its own */

static const char *text_of(enum mailverify_reason reason)
{
	static const char *const texts[MAILVERIFY_REASONS] = {
		[MAILVERIFY_OK] = N_("accepted"),
		[MAILVERIFY_LINE_END] = N_("a line does not end with CR LF"),
		[MAILVERIFY_LINE_LENGTH] = N_("a line is too long"),
		[MAILVERIFY_HEADER_LENGTH] = N_("the header is too long"),
		[MAILVERIFY_FIELD_NAME] = N_("a header field that does not belong here"),
		[MAILVERIFY_FIELD_ORDER] = N_("a header field that is twice, missing, or in the wrong place"),
		[MAILVERIFY_FIELD_VALUE] = N_("a header field whose value has not its form"),
		[MAILVERIFY_WORD] = N_("an encoded word that has not its form"),
		[MAILVERIFY_BASE64] = N_("the body is not strict Base64"),
		[MAILVERIFY_UTF8] = N_("the text is not valid UTF-8"),
		[MAILVERIFY_CHARACTER] = N_("the text has a character that must not pass"),
		[MAILVERIFY_LINK] = N_("the text has an address that a program would make a link of"),
		[MAILVERIFY_TEXT_END] = N_("the text does not end with one line end"),
		[MAILVERIFY_SIZE] = N_("the mail is too large"),
		[MAILVERIFY_TRUNCATED] = N_("the mail ends too early"),
	};

	return _(texts[reason]);
}

struct result {
	struct mailverify v;
	uint64_t bytes;
	uint8_t sha256[32]; /* of what is proven */
};

/* 0 or -errno. */
static int read_mail(int fd, bool private_use, struct result *ret)
{
	static uint8_t buffer[65536];
	struct sha256_ctx hash;
	size_t have = 0;
	ssize_t n;

	mailverify_begin(&ret->v, &(struct mailverify_options){SIZE_MAX_MAIL, private_use});
	sha256_init(&hash);
	while (ret->v.reason == MAILVERIFY_OK && (n = read(fd, buffer + have, sizeof(buffer) - have)) != 0) {
		if (n < 0 && errno != EINTR)
			return -errno;
		have += n > 0 ? (size_t)n : 0;
		size_t proven = mailverify_push(&ret->v, buffer, have);
		sha256_update(&hash, proven, buffer);
		ret->bytes += proven;
		have -= proven;
		memmove(buffer, buffer + proven, have);
	}
	mailverify_end(&ret->v, have);
	sha256_digest(&hash, sizeof(ret->sha256), ret->sha256);
	return 0;
}

static void print_json(struct buf *out, const struct result *r)
{
	struct json j = json_init(out);
	char hex[65];

	for (size_t i = 0; i < sizeof(r->sha256); i++)
		snprintf(hex + 2 * i, 3, "%02x", r->sha256[i]);
	json_object(&j, NULL);
	json_bool(&j, "ok", r->v.reason == MAILVERIFY_OK);
	json_str(&j, "reason", mailverify_word(r->v.reason));
	json_str(&j, "text", text_of(r->v.reason));
	json_uint(&j, "offset", r->v.offset);
	json_uint(&j, "bytes", r->bytes);
	json_str(&j, "sha256", hex);
	json_object_end(&j);
	buf_addc(out, '\n');
}

static int run(struct console *c, struct reader_files *files, void *arg)
{
	const struct args *a = arg;
	struct result r = {0};

	(void)files;
	int e = read_mail(c->in_fd, args_option(a, "--gaiji") != NULL, &r);
	if (e < 0)
		return console_fail(CONSOLE_ENV, _("cannot read the mail: %s"), strerror(-e));
	bool good = r.v.reason == MAILVERIFY_OK;
	if (c->json)
		print_json(&c->out, &r);
	else if (good)
		buf_printf(&c->out, _("accepted: %llu bytes\n"), (unsigned long long)r.bytes);
	else
		buf_printf(&c->out, _("refused: %s, at byte %llu [%s]\n"), text_of(r.v.reason), (unsigned long long)r.v.offset,
			mailverify_word(r.v.reason));
	console_flush(c);
	return good ? CONSOLE_OK : CONSOLE_REFUSED;
}

int verb_verify(struct console *c, const struct args *a)
{
	return reader_run(c, NULL, 0, run, (void *)(uintptr_t)a);
}
