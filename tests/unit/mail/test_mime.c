/* test_mime.c: limits, each at its value and one beyond; big bodies; the order of what is wanted. Attacks: tests/golden/mail. */
#include <sekisho/mime.h>

#include "mime_trace.h"
#include "test.h"

static struct mime mime;

/* What came of a mail. */
static struct {
	unsigned fields, entities, ends, most;
	uint64_t bytes;
	uint32_t sum;
	enum mime_want want;
} got;

static void take_field(void *arg, const struct mime_field *field)
{
	(void)arg, (void)field;
	got.fields++;
}

static enum mime_want take_entity(void *arg, const struct mime_entity *e)
{
	(void)arg;
	got.entities++;
	if (e->depth > got.most)
		got.most = e->depth;
	return got.want;
}

static void take_bytes(void *arg, const struct mime_entity *e, const uint8_t *bytes, size_t n)
{
	(void)arg, (void)e;
	got.bytes += n;
	for (size_t i = 0; i < n; i++)
		got.sum = got.sum * 31 + bytes[i];
}

static void take_end(void *arg, const struct mime_entity *e, mime_flags body)
{
	(void)arg, (void)e, (void)body;
	got.ends++;
}

static const struct mime_handler handler = {take_field, take_entity, take_bytes, take_end, false};

/* 0, or the word of the refusal. */
static const char *read_mail(struct buf *mail, size_t step)
{
	memset(&got, 0, sizeof(got));
	got.want = MIME_DESCEND;
	mime_begin(&mime, &handler, NULL);
	for (size_t i = 0; i < mail->len; i += step)
		mime_push(&mime, (const char *)mail->data + i, mail->len - i < step ? mail->len - i : step);
	int r = mime_end(&mime);
	CHECK_INT(r == 0, mime.refusal == MIME_FLAG_END);
	buf_free(mail);
	return r == 0 ? "taken" : mime_flag_word(mime.refusal);
}

static void repeat(struct buf *b, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_adds(b, text);
}

/* -- Limits ------------------------------------------------------------------------------------------------------ */

static void test_size(void)
{
	/* All the memory there is, whatever the mail. */
	CHECK(sizeof(struct mime) < 512u << 10);
}

/* multipart in multipart: n entities deep below the top, the last one text. */
static const char *nested(unsigned n)
{
	struct buf mail = {0};

	buf_printf(&mail, "Content-Type: multipart/mixed; boundary=b0\r\n\r\n");
	for (unsigned i = 1; i < n; i++)
		buf_printf(&mail, "--b%u\r\nContent-Type: multipart/mixed; boundary=b%u\r\n\r\n", i - 1, i);
	buf_printf(&mail, "--b%u\r\n\r\ntext\r\n", n - 1);
	return read_mail(&mail, mail.len);
}

static const char *nested_messages(unsigned n)
{
	struct buf mail = {0};

	repeat(&mail, "Content-Type: message/rfc822\r\n\r\n", n);
	return read_mail(&mail, mail.len);
}

static void test_depth(void)
{
	CHECK_STR(nested(MAIL_DEPTH), "taken");
	CHECK_INT(got.most, MAIL_DEPTH);
	CHECK_INT(got.ends, MAIL_DEPTH + 1);
	CHECK_STR(nested(MAIL_DEPTH + 1), "depth");
	CHECK_STR(nested_messages(MAIL_DEPTH), "taken");
	CHECK_STR(nested_messages(100000), "depth");
}

static const char *parts(unsigned n)
{
	struct buf mail = {0};

	buf_adds(&mail, "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
	repeat(&mail, "--b\r\n\r\n", n);
	return read_mail(&mail, 1000);
}

static void test_parts(void)
{
	CHECK_STR(parts(MAIL_PARTS - 1), "taken");
	CHECK_INT(got.entities, MAIL_PARTS);
	CHECK_STR(parts(MAIL_PARTS), "parts");
	CHECK_STR(parts(1000000), "parts");
}

/* Files inside text are entities, too; and one fits into the deepest part. */
static void test_files(void)
{
	struct buf mail = {0};

	buf_adds(&mail, "\r\n");
	repeat(&mail, "begin 644 x\r\n#0V%T\r\nend\r\n", MAIL_PARTS);
	CHECK_STR(read_mail(&mail, 777), "parts");
	buf_printf(&mail, "Content-Type: multipart/mixed; boundary=b0\r\n\r\n");
	for (unsigned i = 1; i < MAIL_DEPTH; i++)
		buf_printf(&mail, "--b%u\r\nContent-Type: multipart/mixed; boundary=b%u\r\n\r\n", i - 1, i);
	buf_printf(&mail, "--b%u\r\n\r\nbegin 644 x\r\n#0V%%T\r\nend\r\n", MAIL_DEPTH - 1);
	CHECK_STR(read_mail(&mail, 1 << 20), "taken");
	CHECK_INT(got.most, MAIL_DEPTH + 1);
}

static const char *fields(unsigned n)
{
	struct buf mail = {0};

	repeat(&mail, "X: y\r\n", n);
	buf_adds(&mail, "\r\ntext\r\n");
	return read_mail(&mail, 4096);
}

/* A field of n bytes with its name, folded. */
static const char *field_bytes(size_t n)
{
	struct buf mail = {0};

	buf_adds(&mail, "To: ");
	for (size_t i = 4; i < n; i++)
		buf_adds(&mail, i % 70 == 0 ? "\r\n " : "a");
	buf_adds(&mail, "\r\n\r\ntext\r\n");
	return read_mail(&mail, 4096);
}

static const char *header_bytes(size_t n)
{
	struct buf mail = {0};

	while (mail.len < n) {
		buf_adds(&mail, "X: ");
		repeat(&mail, "a", n - mail.len < 1000 ? n - mail.len - 2 : 900);
		buf_adds(&mail, "\r\n");
	}
	buf_adds(&mail, "\r\n");
	return read_mail(&mail, 4096);
}

static void test_header(void)
{
	CHECK_STR(fields(MAIL_FIELDS), "taken");
	CHECK_INT(got.fields, MAIL_FIELDS);
	CHECK_STR(fields(MAIL_FIELDS + 1), "fields");
	CHECK_STR(field_bytes(MAIL_FIELD_BYTES), "taken");
	CHECK_STR(field_bytes(MAIL_FIELD_BYTES + 1), "field-bytes");
	CHECK_STR(header_bytes(MAIL_HEADER_BYTES - 2), "taken");
	CHECK_STR(header_bytes(MAIL_HEADER_BYTES - 1), "header-bytes");
	CHECK_STR(header_bytes(5000000), "header-bytes");
}

static const char *parameters(const char *text, unsigned n, bool numbered)
{
	struct buf mail = {0};

	buf_adds(&mail, "Content-Type: text/plain");
	for (unsigned i = 0; i < n; i++)
		buf_printf(&mail, numbered ? "; %s*%u=a" : "; %s%u=a", text, i);
	buf_adds(&mail, "\r\n\r\ntext\r\n");
	return read_mail(&mail, 4096);
}

static void test_parameters(void)
{
	CHECK_STR(parameters("x", MAIL_PARAMETERS, false), "taken");
	CHECK_STR(parameters("x", MAIL_PARAMETERS + 1, false), "parameters");
	CHECK_STR(parameters("name", MAIL_SEGMENTS, true), "taken");
	CHECK_STR(parameters("name", MAIL_SEGMENTS + 1, true), "segments");
	CHECK_STR(parameters("charset", MAIL_SEGMENTS + 1, true), "segments");
}

static void take_address(void *arg, const struct mime_address *address)
{
	(void)address;
	++*(unsigned *)arg;
}

static mime_flags addresses(const char *text, unsigned n, unsigned *ret_count)
{
	struct buf list = {0};

	*ret_count = 0;
	repeat(&list, text, n);
	mime_flags flags = mime_addresses(list.data, list.len, take_address, ret_count);
	buf_free(&list);
	return flags;
}

static void test_addresses(void)
{
	unsigned count;

	CHECK(addresses("a@b.c,", MAIL_ADDRESS_TOKENS / 2, &count) == 0);
	CHECK_INT(count, MAIL_ADDRESS_TOKENS / 2);
	CHECK(addresses("a@b.c,", MAIL_ADDRESS_TOKENS, &count) & MIME_FLAG(ADDRESSES));
	CHECK_INT(count, MAIL_ADDRESS_TOKENS / 2);
	/* What others died of: groups in groups, comments in comments. */
	CHECK(addresses("a:", 100000, &count) & MIME_FLAG(ADDRESSES));
	CHECK(addresses("(", 1000000, &count) & MIME_FLAG(ADDRESS_BROKEN));
	CHECK(addresses("<", 1000000, &count) & MIME_FLAG(ADDRESS_BROKEN));
	CHECK(addresses("\"\\", 1000000, &count) & MIME_FLAG(ADDRESS_BROKEN));
}

/* -- Bodies ------------------------------------------------------------------------------------------------------- */

/* Bigger than any buffer: the same bytes, however they are cut. */
static void test_big(void)
{
	static const char *const encodings[] = {"7bit", "base64", "quoted-printable"};
	static const size_t steps[] = {1u << 20, 65536, 4097, 61};

	for (size_t e = 0; e < sizeof(encodings) / sizeof(encodings[0]); e++) {
		uint32_t sum = 0;
		for (size_t s = 0; s < sizeof(steps) / sizeof(steps[0]); s++) {
			struct buf mail = {0};
			buf_printf(&mail, "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Transfer-Encoding: %s\r\n\r\n",
				encodings[e]);
			for (unsigned i = 0; i < 8000; i++) {
				if (e == 1)
					buf_printf(&mail, "QUJD%04uQUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3g\r\n", i);
				else
					buf_printf(&mail, "--line %u =%02X =\r\n   \t \r\n", i, i % 256);
			}
			buf_adds(&mail, "\r\n--b--\r\n");
			CHECK_STR(read_mail(&mail, steps[s]), "taken");
			if (s > 0)
				CHECK_INT(got.sum, sum);
			sum = got.sum;
		}
	}
}

static void test_wants(void)
{
	static const char text[] = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b--\r\n";
	struct buf mail = {0}, trace = {0};

	/* A multipart that is not descended comes as it is. */
	mime_trace(&trace, text, sizeof(text) - 1, 0, sizeof(text), TRACE_OPAQUE);
	CHECK(strstr(buf_str(&trace), "bytes 0 \"--b\\r\\n\\r\\none\\r\\n--b--\\r\\n\"") != NULL);
	buf_free(&trace);
	/* After a refusal there is nothing more. */
	buf_adds(&mail, "Subject: x\r\n\r\na\nb\r\n");
	CHECK_STR(read_mail(&mail, 1), "bare-lf");
	CHECK_INT(got.ends, 0);
	CHECK(mime_push(&mime, "more", 4) < 0);
	CHECK(mime_end(&mime) < 0);
	CHECK_INT(got.bytes, 1);
}

/* Many open boundaries, and lines that are almost one of them. */
static void test_near(void)
{
	struct buf mail = {0};

	for (unsigned i = 0; i < MAIL_DEPTH; i++)
		buf_printf(&mail, "%s%sContent-Type: multipart/mixed; boundary=\"bbbbbbbbbbbbbbbbbbbbbbbb%02u\"\r\n\r\n", i == 0 ? "" :
			"--bbbbbbbbbbbbbbbbbbbbbbbb", i == 0 ? "" : (char[]){(char)('0' + (i - 1) / 10), (char)('0' + (i - 1) % 10), '\r',
			'\n', '\0'}, i);
	repeat(&mail, "--bbbbbbbbbbbbbbbbbbbbbbbb99\r\n", 100000);
	CHECK_STR(read_mail(&mail, 65536), "taken");
	CHECK_INT(got.entities, MAIL_DEPTH);
}

int main(void)
{
	test_size();
	test_depth();
	test_parts();
	test_files();
	test_header();
	test_parameters();
	test_addresses();
	test_big();
	test_wants();
	test_near();
	return test_end();
}
