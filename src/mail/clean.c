/*
 * clean.c: a mail from the internet becomes text (see clean.h).
 *
 * The chain: bytes → mime.h (structure, transfer encodings) → clean_entity.c (what becomes of each entity) → clean_capture.c
 * (charset.h, html.h) → clean_text.c (mailtext.h: the one filter of characters) → clean_output.c. What is removed goes by
 * clean_part.c (attachment.h) into the list of clean_notice.c. The output is in the form of rootfs/doc/mail-output.md.
 *
 * Input: a mail of a stranger, whole. Memory: struct clean and one struct attachment, taken once; limits in mail_limits.h and
 * clean_private.h. Failure: a reason of mail_reason.h; then nothing is written. No clock, no chance: the same mail gives the
 * same bytes.
 */
#include "clean_private.h"

#include <assert.h>
#include <sys/mman.h>

#include <sekisho/i18n.h>
#include <sekisho/receipt.h>

#define LIST_MAX (200u << 10) /* of CLEAN_NOTICE_MAX, the rest is for what is said around it */

static_assert(offsetof(struct clean, parts) == offsetof(struct clean, report) + sizeof(struct mailreport),
	"the report is one piece");
static_assert(CLEAN_TEXT_MAX + LIST_MAX + CLEAN_CALENDAR_MAX + (40u << 10) <= 1310720u, "rootfs/doc/mail-output.md, 5");

static size_t whole_size(void)
{
	return sizeof(struct clean) + attachment_size();
}

/*
 * What every mail touches, by the page at which it begins and the bytes from there: asked of the kernel at once, a page costs
 * a quarter of what it costs as a fault. The rest comes when a mail needs it.
 */
static const struct {
	size_t at, n;
} touched[] = {
	{0, offsetof(struct clean, parts)},
	{offsetof(struct clean, header), 4096},
	{offsetof(struct clean, mime), 1},
	{offsetof(struct clean, mime) + offsetof(struct mime, base64), 4096},
	{offsetof(struct clean, mime) + offsetof(struct mime, frames), sizeof(struct mime_frame)},
	{offsetof(struct clean, raw), 4096},
	{offsetof(struct clean, text_out), 4096},
};

static void take_pages(struct clean *c)
{
	const size_t page = 4096; /* of a kernel with larger ones the call refuses, and they come as faults */

	for (size_t i = 0; i < sizeof(touched) / sizeof(touched[0]); i++) {
		size_t from = touched[i].at / page * page;
		(void)madvise((char *)c + from, touched[i].at + touched[i].n - from, MADV_POPULATE_WRITE);
	}
}

static void init_text(struct clean_text *t, char *memory, size_t max, struct mynumber *search)
{
	t->data = memory; /* all else is zero */
	t->max = max;
	t->search = search;
}

static void init_texts(struct clean *c)
{
	bool out = c->options.direction == CLEAN_OUT;
	size_t max = c->options.text_max;

	if (max == 0 || max > CLEAN_TEXT_MAX)
		max = CLEAN_TEXT_MAX;
	init_text(&c->text, c->text_out, max, out ? &c->mynumber : NULL);
	init_text(&c->attached, c->attached_out, max, out ? &c->mynumber : NULL);
	init_text(&c->calendar, c->calendar_out, sizeof(c->calendar_out), NULL);
	init_text(&c->list, c->list_out, LIST_MAX, NULL);
	init_text(&c->notice, c->notice_out, sizeof(c->notice_out), NULL);
	init_text(&c->items, c->items_out, sizeof(c->items_out), NULL);
}

/* What cannot be written is not: else the verifier would refuse every mail. */
static bool trace_ok(const char trace[64])
{
	size_t n = strnlen(trace, 64);

	for (size_t i = 0; i < n; i++)
		if (!clean_is_atext(trace[i]) && trace[i] != '.')
			return false;
	return n < 64 && strpbrk(trace, "!#$%&'*+/=?^_`{|}~") == NULL;
}

struct clean *clean_new(const struct clean_options *options)
{
	/* Fresh pages of the kernel: zero, and not there before they are touched. */
	struct clean *c = mmap(NULL, whole_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (c == MAP_FAILED)
		return NULL;
	take_pages(c);
	struct mime_handler handler = clean_handler;

	c->options = *options;
	if (!trace_ok(options->trace))
		c->options.trace[0] = '\0';
	c->attachment = (struct attachment *)(c + 1);
	c->allowance = ZIP_ALLOWANCE;
	c->report = (struct mailreport){.magic = MAILREPORT_MAGIC, .version = MAILREPORT_VERSION,
		.direction = options->direction == CLEAN_OUT};
	i18n_init(options->english ? "en" : "ja");
	sha256_init(&c->hash);
	if (options->direction == CLEAN_OUT)
		mynumber_begin(&c->mynumber, &(struct mynumber_options){.kanji = true});
	init_texts(c);
	handler.tolerant = options->lf;
	mime_begin(&c->mime, &handler, c);
	return c;
}

void clean_free(struct clean *c)
{
	if (c != NULL)
		munmap(c, whole_size());
}

/* -- In ------------------------------------------------------------------------------------------------------ */

static enum mail_reason reason_of(enum mime_flag flag)
{
	static const uint8_t reasons[MIME_FLAG_END] = {
		[MIME_BIT_BARE_CR] = MAIL_REASON_SMUGGLING, [MIME_BIT_BARE_LF] = MAIL_REASON_SMUGGLING,
		[MIME_BIT_NUL] = MAIL_REASON_MALFORMED, [MIME_BIT_DEPTH] = MAIL_REASON_LIMIT_DEPTH,
		[MIME_BIT_PARTS] = MAIL_REASON_LIMIT_PARTS, [MIME_BIT_FIELDS] = MAIL_REASON_LIMIT_HEADER,
		[MIME_BIT_HEADER_BYTES] = MAIL_REASON_LIMIT_HEADER, [MIME_BIT_FIELD_BYTES] = MAIL_REASON_LIMIT_FIELD,
		[MIME_BIT_PARAMETERS] = MAIL_REASON_LIMIT_PARAMETERS, [MIME_BIT_SEGMENTS] = MAIL_REASON_LIMIT_SEGMENTS,
		[MIME_BIT_ADDRESSES] = MAIL_REASON_LIMIT_ADDRESSES,
	};

	return flag < MIME_FLAG_END && reasons[flag] != 0 ? reasons[flag] : MAIL_REASON_MALFORMED;
}

int clean_push(struct clean *c, const void *bytes, size_t n)
{
	if (c->options.sha256 == NULL)
		sha256_update(&c->hash, n, bytes);
	c->report.size_in += n;
	if (c->reason == 0 && c->options.size_max > 0 && c->report.size_in > c->options.size_max)
		c->reason = MAIL_REASON_TOO_BIG;
	if (c->reason == 0 && mime_push(&c->mime, bytes, n) < 0)
		c->reason = reason_of(c->mime.refusal);
	return (int)c->reason;
}

/* -- Out ----------------------------------------------------------------------------------------------------- */

static bool is_empty(const struct clean *c)
{
	return c->text.n == 0 && c->attached.n == 0 && c->calendar.n == 0;
}

/* Text, text of attachments and notice share one limit: the second is cut at what the first left. */
static void cut(struct clean *c, struct clean_text *t, size_t max)
{
	if (t->n <= max)
		return;
	c->report.flags |= MAIL_FLAG(TRUNCATED);
	while (max > 0 && t->data[max - 1] != '\n')
		max--;
	t->n = max;
}

static void write_text(struct clean *c, const struct clean_text *t)
{
	if (t->n == 0)
		return;
	clean_output_base64(&c->output, t->data, t->n);
	clean_output_base64(&c->output, "\r\n", 2);
}

static void write_mail(struct clean *c)
{
	c->output.sink = c->options.sink;
	c->output.arg = c->options.arg;
	c->output.buffer = (char *)c->raw; /* nothing is captured any more */
	sha256_init(&c->output.hash);
	if (is_empty(c)) {
		clean_text_begin(&c->text, 0, false);
		clean_text_say(&c->text, "(%s)\n", _("The mail has no text"));
		clean_text_end(&c->text);
	}
	cut(c, &c->attached, CLEAN_TEXT_MAX - c->text.n);
	clean_header_write(c);
	write_text(c, &c->text);
	write_text(c, &c->calendar);
	write_text(c, &c->attached);
	clean_notice_write(c);
	clean_output_end(&c->output);
	c->report.size_out = c->output.size;
	sha256_digest(&c->output.hash, sizeof(c->report.sha256_out), c->report.sha256_out);
}

static void end_numbers(struct clean *c)
{
	struct mynumber_report found;

	if (c->options.direction == CLEAN_IN)
		return;
	mynumber_end(&c->mynumber, &found);
	c->report.mynumber_hits = found.hits;
	c->report.mynumber_score = found.score;
	for (uint32_t i = 0; i < found.nshown && i < MAILREPORT_MASKED; i++)
		memcpy(c->report.mynumber_masked[i], found.shown[i], sizeof(found.shown[i]));
}

static void end_report(struct clean *c)
{
	if (c->options.sha256 != NULL)
		memcpy(c->report.sha256_in, c->options.sha256, sizeof(c->report.sha256_in));
	else
		sha256_digest(&c->hash, sizeof(c->report.sha256_in), c->report.sha256_in);
	receipt_number(c->report.sha256_in, c->report.receipt);
	c->report.structure |= c->mime.flags;
	if (c->text.dropped > 0)
		c->report.flags |= MAIL_FLAG(INVISIBLE);
	if (c->text.replaced > 0)
		c->report.flags |= MAIL_FLAG(BAD_TEXT);
	end_numbers(c);
}

const void *clean_report(const struct clean *c, size_t *ret_n)
{
	*ret_n = sizeof(c->report) + c->report.shown * sizeof(c->parts[0]);
	return &c->report;
}

int clean_end(struct clean *c, struct mailreport_view *ret_report)
{
	if (!c->ended) {
		c->ended = true;
		if (c->reason == 0 && mime_end(&c->mime) < 0)
			c->reason = reason_of(c->mime.refusal);
		if (!c->header_done && c->reason == 0)
			c->reason = clean_header_end(c);
		end_report(c);
		if (c->reason == 0 && c->options.direction == CLEAN_IN)
			write_mail(c);
		c->report.reason = (uint8_t)c->reason;
	}
	*ret_report = (struct mailreport_view){&c->report, c->parts};
	return c->output.error != 0 ? c->output.error : (int)c->reason;
}

unsigned clean_text_find(const char *word, size_t n)
{
	static const char *const words[] = {"docx", "xlsx", "pptx", "txt", "csv"};

	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i]) == n && memcmp(words[i], word, n) == 0)
			return 1u << i;
	return 0;
}
