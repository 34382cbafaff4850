/*
 * mailverify.c: recogniser of the one language in which a mail may leave the gate (rootfs/doc/mail-output.md).
 *
 * Input: bytes of the cleaner, who is believed nothing. Every byte is looked at once, in order; the state is struct
 * mailverify, whatever the mail. What is not allowed is refused at its first byte, with a name, for good.
 *
 * Sections of the page are named where they are recognised. The text inside is looked at in mailverify_text.c; nothing of
 * either file is shared with what makes such mails.
 */
#include "mailverify_private.h"

#include <string.h>

#define LINE_USUAL 76
#define LINE_LONG 320
#define HEADER_MAX 65536
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* -- Tokens of fields (sections 3 and 4) -------------------------------------------------------------------- */

/* Sets of ASCII, a bit a character: letters and digits, and these. */
struct set {
	uint32_t bits[4];
};
static const struct set atext = {{0, 0xa3ffacfa, 0xc7fffffe, 0x7fffffff}}; /* !#$%&'*+-/=?^_`{|}~ */
static const struct set mchar = {{0, 0xa7ffecfa, 0xefffffff, 0x7fffffff}}; /* those and .@:[] */
static const struct set label = {{0, 0x03ff2000, 0x87fffffe, 0x07fffffe}}; /* -_ */
static const struct set gate = {{0, 0x03ff6000, 0x07fffffe, 0x07fffffe}}; /* .- */
static const struct set receipt = {{0, 0x03ff2000, 0x07fffffe, 0}};	   /* -, no small letters */
static const struct set digit = {{0, 0x03ff0000, 0, 0}};

/* How many characters at s, before end, are of the set. */
static size_t span(const struct set *set, const char *s, const char *end)
{
	size_t n = 0;

	while (s + n < end && (uint8_t)s[n] < 128 && (set->bits[(uint8_t)s[n] >> 5] >> (s[n] & 31) & 1) != 0)
		n++;
	return n;
}

static bool is_all(const struct set *set, const char *s, size_t n, size_t most)
{
	return n > 0 && n <= most && span(set, s, s + n) == n;
}

static bool is_label(const char *s, size_t n, const struct set *set, size_t most)
{
	return is_all(set, s, n, most) && s[0] != '-' && s[n - 1] != '-';
}

static bool is_domain(const char *s, size_t n)
{
	if (n == 0 || n > 253)
		return false;
	for (const char *end = s + n, *dot; ; s = dot + 1) {
		dot = memchr(s, '.', (size_t)(end - s));
		if (!is_label(s, (size_t)((dot != NULL ? dot : end) - s), &label, 63))
			return false;
		if (dot == NULL)
			return true;
	}
}

static bool is_local(const char *s, size_t n)
{
	bool quoted = n > 2 && s[0] == '"' && s[n - 1] == '"';
	const char *end = s + n - quoted;

	if (n == 0 || n > 64)
		return false;
	for (s += quoted; s < end; s++) {
		size_t part = span(&atext, s, end);
		if (!quoted && part == 0)
			return false;
		s += part;
		if (s == end)
			return true;
		if (*s != '.')
			return false;
	}
	return quoted; /* ends with a dot */
}

/* "<" local "@" domain ">" */
static bool is_address(const char *s, size_t n)
{
	const char *at = n > 2 && s[0] == '<' && s[n - 1] == '>' ? memchr(s, '@', n) : NULL;

	return at != NULL && is_local(s + 1, (size_t)(at - s - 1)) && is_domain(at + 1, (size_t)(s + n - 1 - at - 1));
}

static bool is_number(const char *s, size_t n, size_t most)
{
	return is_all(&digit, s, n, most) && (n == 1 || s[0] != '0');
}

/* n digits between first and last, which have as many; of the same length they compare as text. */
static bool is_between(const char *s, const char *first, const char *last)
{
	size_t n = strlen(first);

	return is_all(&digit, s, n, n) && memcmp(s, first, n) >= 0 && memcmp(s, last, n) <= 0;
}

static bool is_one_of(const char *s, const char *words)
{
	for (; *words != 0; words += 3) {
		if (memcmp(s, words, 3) == 0)
			return true;
	}
	return false;
}

/* The six tokens of a date. */
static bool is_date(unsigned step, const char *s, size_t n)
{
	switch (step) {
	case 0:
		return n == 4 && s[3] == ',' && is_one_of(s, "MonTueWedThuFriSatSun");
	case 1:
		return n == 2 && is_between(s, "01", "31");
	case 2:
		return n == 3 && is_one_of(s, "JanFebMarAprMayJunJulAugSepOctNovDec");
	case 3:
		return n == 4 && is_between(s, "1900", "9999");
	case 4:
		return n == 8 && s[2] == ':' && s[5] == ':' && is_between(s, "00", "23") &&
		       is_between(s + 3, "00", "59") && is_between(s + 6, "00", "60");
	case 5:
		return n == 5 && (s[0] == '+' || s[0] == '-') && is_between(s + 1, "00", "14") && is_between(s + 3, "00", "59");
	default:
		return false;
	}
}

static bool has_mark_of_word(const char *s, size_t n)
{
	for (const char *p = s; (p = memchr(p, '=', (size_t)(s + n - p))) != NULL; p++) {
		if (p + 1 < s + n && p[1] == '?')
			return true;
	}
	return false;
}

static enum mailverify_reason encoded_word(struct mailverify *v, const char *s, size_t n)
{
	static const char begin[] = "=?UTF-8?B?";
	size_t head = sizeof(begin) - 1, size = n - head - 2;
	uint8_t text[45];

	if (n < head + 2 + 4 || size > 60 || size % 4 != 0 || memcmp(s, begin, head) != 0 || memcmp(s + n - 2, "?=", 2) != 0)
		return MAILVERIFY_WORD;
	int have = mailverify_decode((const uint8_t *)s + head, size, text);
	if (have < 0)
		return MAILVERIFY_WORD;
	if (mailverify_text_put(v, text, (size_t)have) < (size_t)have)
		return v->reason;
	return v->need > 0 ? MAILVERIFY_UTF8 : MAILVERIFY_OK;
}

/* What came last in a text, or a list of mailboxes. */
enum step { START, TEXT, COMMA, CLOSED };

/* A token of a text: all of a text are words, or none is; a plain one may consist of `allowed`, NULL for anything. */
static enum mailverify_reason text_token(struct mailverify *v, const char *s, size_t n, const struct set *allowed)
{
	bool word = has_mark_of_word(s, n);

	if (v->step != TEXT) {
		mailverify_text_begin(v);
		v->words = word;
	}
	v->step = TEXT;
	if (word != v->words)
		return MAILVERIFY_FIELD_VALUE;
	if (word)
		return encoded_word(v, s, n);
	return allowed == NULL || is_all(allowed, s, n, n) ? MAILVERIFY_OK : MAILVERIFY_FIELD_VALUE;
}

static enum mailverify_reason mailbox_token(struct mailverify *v, const char *s, size_t n)
{
	if (v->step == CLOSED)
		return MAILVERIFY_FIELD_VALUE;
	if (s[0] != '<')
		return text_token(v, s, n, &atext);
	bool comma = s[n - 1] == ',';
	v->step = comma ? COMMA : CLOSED;
	v->items++;
	return is_address(s, n - comma) && !has_mark_of_word(s, n) ? MAILVERIFY_OK : MAILVERIFY_FIELD_VALUE;
}

/* -- Fields ------------------------------------------------------------------------------------------------- */

enum form { DATE, MAILBOXES, SUBJECT, IDS, LITERAL, RECEIPT, HOPS, TRACE };

static const struct field {
	const char *name;
	enum form form;
	unsigned most; /* mailboxes or names */
	const char *literal;
} fields[] = {
	{"Date", DATE, 0, NULL},
	{"From", MAILBOXES, 1, NULL},
	{"Reply-To", MAILBOXES, 10, NULL},
	{"To", MAILBOXES, HEADER_MAX, NULL},
	{"Cc", MAILBOXES, HEADER_MAX, NULL},
	{"Subject", SUBJECT, 0, NULL},
	{"Message-ID", IDS, 1, NULL},
	{"In-Reply-To", IDS, 10, NULL},
	{"References", IDS, 20, NULL},
	{"Auto-Submitted", LITERAL, 0, "auto-generated"},
	{"Precedence", LITERAL, 0, "bulk"},
	{"X-Sekisho-Receipt", RECEIPT, 0, NULL},
	{"X-Sekisho-Hops", HOPS, 0, NULL},
	{"X-Sekisho-Trace", TRACE, 0, NULL},
};
#define FROM 2 /* counted from 1 */

static const char *const fixed[] = {
	"MIME-Version: 1.0",
	"Content-Type: text/plain; charset=UTF-8",
	"Content-Transfer-Encoding: base64",
};

/* Forms of a fixed number of tokens: step counts them. */
static bool is_counted_token(const struct field *f, unsigned step, const char *s, size_t n)
{
	switch (f->form) {
	case DATE:
		return is_date(step, s, n);
	case LITERAL:
		return step == 0 && n == strlen(f->literal) && memcmp(s, f->literal, n) == 0;
	case RECEIPT:
		return step == 0 && is_label(s, n, &receipt, 39);
	case HOPS:
		return step == 0 && is_number(s, n, 3);
	case TRACE:
		return step == 0 ? is_all(&gate, s, n, 64) : step == 1 && n == 1 && is_between(s, "1", "9");
	default:
		return false;
	}
}

static enum mailverify_reason token(struct mailverify *v, const char *s, size_t n)
{
	const struct field *f = &fields[v->field - 1];
	bool good;

	switch (f->form) {
	case MAILBOXES:
		return mailbox_token(v, s, n);
	case SUBJECT:
		return text_token(v, s, n, NULL);
	case IDS:
		v->items++;
		good = n > 2 && s[0] == '<' && s[n - 1] == '>' && is_all(&mchar, s + 1, n - 2, 250);
		break;
	default:
		good = is_counted_token(f, v->step++, s, n);
		break;
	}
	return good && !has_mark_of_word(s, n) ? MAILVERIFY_OK : MAILVERIFY_FIELD_VALUE;
}

/* Is the field complete that is open? */
static bool field_is_whole(const struct mailverify *v)
{
	static const uint8_t steps[] = {[DATE] = 6, [LITERAL] = 1, [RECEIPT] = 1, [HOPS] = 1, [TRACE] = 2};
	const struct field *f = &fields[v->field - 1];

	switch (f->form) {
	case MAILBOXES:
		return v->step == CLOSED && v->items <= f->most;
	case SUBJECT:
		return v->step == TEXT;
	case IDS:
		return v->items >= 1 && v->items <= f->most;
	default:
		return v->step == steps[f->form];
	}
}

/* -- Lines of the header (section 2); s has n bytes without CR LF -------------------------------------------- */

/* Sets v->reason; adds to v->offset the place of a token that is refused. */
static void tokens(struct mailverify *v, const char *s, size_t from, size_t n)
{
	bool usual_line = n <= LINE_USUAL;

	for (size_t at = from; at <= n && v->reason == MAILVERIFY_OK; ) {
		const char *blank = memchr(s + at, ' ', n - at);
		size_t end = blank != NULL ? (size_t)(blank - s) : n;
		for (size_t i = at; i < end && v->reason == MAILVERIFY_OK; i++)
			v->reason = s[i] < 0x21 || s[i] > 0x7e ? MAILVERIFY_FIELD_VALUE : MAILVERIFY_OK;
		if (end == at)
			v->reason = MAILVERIFY_FIELD_VALUE;
		else if (!usual_line && (at != from || end != n || s[at] != '<'))
			v->reason = MAILVERIFY_LINE_LENGTH;
		else if (v->reason == MAILVERIFY_OK)
			v->reason = token(v, s + at, end - at);
		if (v->reason != MAILVERIFY_OK)
			v->offset += at;
		at = end + 1;
	}
}

static void begin_field(struct mailverify *v, const char *s, size_t n)
{
	const char *colon = memchr(s, ':', n);
	size_t len = colon != NULL ? (size_t)(colon - s) : 0, i = 0;

	while (i < COUNT(fields) && (strlen(fields[i].name) != len || memcmp(fields[i].name, s, len) != 0))
		i++;
	if (i == COUNT(fields) || len + 1 >= n || s[len + 1] != ' ') {
		v->reason = MAILVERIFY_FIELD_NAME;
		return;
	}
	if (i < v->field) {
		v->reason = MAILVERIFY_FIELD_ORDER;
		return;
	}
	v->field = (uint8_t)(i + 1);
	v->from = v->from || v->field == FROM;
	v->step = START;
	v->items = 0;
	tokens(v, s, len + 2, n);
}

static void fixed_line(struct mailverify *v, const char *s, size_t n)
{
	bool all = v->fixed == COUNT(fixed);

	if (all ? n > 0 : n != strlen(fixed[v->fixed]) || memcmp(s, fixed[v->fixed], n) != 0)
		v->reason = all ? MAILVERIFY_FIELD_ORDER : MAILVERIFY_FIELD_VALUE;
	else if (!all)
		v->fixed++;
	else
		v->stage = BODY;
}

static void header_line(struct mailverify *v, const char *s, size_t n)
{
	bool first_fixed = n > 0 && s[0] == 'M' && n == strlen(fixed[0]) && memcmp(s, fixed[0], n) == 0;

	v->header += (uint32_t)n + 2;
	if (v->header > HEADER_MAX) {
		v->reason = MAILVERIFY_HEADER_LENGTH;
	} else if (v->stage == FIXED) {
		fixed_line(v, s, n);
	} else if (n > 0 && s[0] == ' ' && v->field > 0) {
		tokens(v, s, 1, n);
	} else if (v->field > 0 && !field_is_whole(v)) {
		v->reason = MAILVERIFY_FIELD_VALUE;
	} else if (first_fixed) {
		v->stage = FIXED;
		v->fixed = 1;
		v->reason = v->from ? MAILVERIFY_OK : MAILVERIFY_FIELD_ORDER;
	} else {
		begin_field(v, s, n);
	}
	if (v->stage == BODY)
		mailverify_text_begin(v);
}

/* -- The body (section 5) ------------------------------------------------------------------------------------ */

static void body_line(struct mailverify *v, const uint8_t *s, size_t n)
{
	uint8_t text[LINE_USUAL / 4 * 3];
	int have = -1;

	if (!v->last && n > 0 && n <= LINE_USUAL && n % 4 == 0)
		have = mailverify_decode(s, n, text);
	if (have < 0) {
		v->reason = MAILVERIFY_BASE64;
		return;
	}
	v->last = have < (int)sizeof(text);
	v->text += (uint32_t)have;
	size_t good = mailverify_text_put(v, text, (size_t)have);
	if (good < (size_t)have)
		v->offset += good / 3 * 4 + good % 3;
	else if (v->text > MAILVERIFY_TEXT_MAX)
		v->reason = MAILVERIFY_SIZE;
}

/* -- The mail -------------------------------------------------------------------------------------------------- */

void mailverify_begin(struct mailverify *v, const struct mailverify_options *options)
{
	*v = (struct mailverify){.options = *options};
}

/* Length of the line at s with its CR LF; 0: its end is not there yet, or it is refused. */
static size_t line_length(struct mailverify *v, const char *s, size_t n)
{
	const char *lf = memchr(s, '\n', n < MAILVERIFY_LINE_MAX ? n : MAILVERIFY_LINE_MAX);

	if (lf == NULL && n >= MAILVERIFY_LINE_MAX)
		v->reason = MAILVERIFY_LINE_LENGTH;
	else if (lf != NULL && (lf == s || lf[-1] != '\r'))
		v->reason = MAILVERIFY_LINE_END;
	return lf == NULL || v->reason != MAILVERIFY_OK ? 0 : (size_t)(lf - s) + 1;
}

size_t mailverify_push(struct mailverify *v, const void *bytes, size_t n)
{
	const char *s = bytes;
	size_t proven = 0, len;

	while (v->reason == MAILVERIFY_OK && (len = line_length(v, s + proven, n - proven)) > 0) {
		if (v->offset + len > v->options.size_max)
			v->reason = MAILVERIFY_SIZE;
		else if (v->stage == BODY)
			body_line(v, (const uint8_t *)s + proven, len - 2);
		else
			header_line(v, s + proven, len - 2);
		if (v->reason != MAILVERIFY_OK)
			break;
		proven += len;
		v->offset += len;
	}
	return proven;
}

enum mailverify_reason mailverify_end(struct mailverify *v, size_t left)
{
	if (v->reason != MAILVERIFY_OK)
		return v->reason;
	if (left > 0 || v->stage != BODY || v->text == 0)
		v->reason = MAILVERIFY_TRUNCATED;
	else if (v->need > 0)
		v->reason = MAILVERIFY_UTF8;
	else if ((v->tail & 0xffff) != 0x0d0a || (v->tail & 0xffffffff) == 0x0d0a0d0a || v->text == 2)
		v->reason = MAILVERIFY_TEXT_END;
	return v->reason;
}

const char *mailverify_word(enum mailverify_reason reason)
{
	static const char *const words[] = {
#define X(NAME, word) word,
		MAILVERIFY_LIST(X)
#undef X
	};

	return (unsigned)reason < MAILVERIFY_REASONS ? words[reason] : "unknown";
}
