/*
 * mime_address.c: lists of addresses (RFC 5322 3.4, and 4.4 as people still write it).
 *
 * One pass, one character after another; comments and groups are counters, so nothing nests. What an address is, is
 * decided at its end: the text in <>, or all of it. The address is built anew from characters that are allowed; what is no
 * address gives an entry without one, whose name is all there was.
 *
 * Unencoded Japanese is decoded to UTF-8 first: its bytes may look like quotation marks and commas.
 *
 * Input: one field of strangers. Limits: MAIL_ADDRESS_TOKENS; names MAIL_DISPLAY_RAW. Memory: about 8 KB. Time: linear.
 */
#include <sekisho/charset.h>

#include <string.h>
#include <strings.h>

#include "mime_private.h"

#define SPEC_MAX 640u /* a local part with every character escaped, a domain; longer is no address */

enum place {
	IN_LIST,
	IN_QUOTES,
	IN_ANGLE,	 /* <...> */
	IN_ANGLE_QUOTES,
	IN_LITERAL,	 /* [...] within <> */
	AFTER_ANGLE,
};

struct text {
	size_t n, size;
	bool cut;
	char *p;
};

struct list {
	mime_address_sink *sink;
	void *arg;
	mime_flags flags;
	unsigned tokens;
	uint8_t place;
	size_t comments;
	bool escaped;	    /* after a backslash */
	bool space;	    /* a blank came since the last character of the name */
	bool group;	    /* within one */
	bool any;	    /* the entry has something */
	bool angle;	    /* it has <> */
	bool atom;	    /* in an atom: it counts once */
	bool literal;	    /* after "@[" without <>: a ":" is one of an address */
	bool broken;
	struct text phrase, comment, spec;
	char phrase_text[MAIL_DISPLAY_RAW], comment_text[MAIL_DISPLAY_RAW], spec_text[SPEC_MAX];
	struct mime_address address;
};

static void text_put(struct text *t, char c)
{
	if (t->n < t->size)
		t->p[t->n++] = c;
	else
		t->cut = true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_atext(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		mime_is_of((uint8_t)c, "!#$%&'*+-/=?^_`{|}~");
}

/* -- An address ------------------------------------------------------------------------------------------------- */

/* Copies a local part out of its quotation marks; returns where it ends, NULL when it is none. */
static const char *local_read(struct mime_address *a, const char *p, const char *end)
{
	size_t n = 0;
	bool marks = p < end && *p == '"', dot = true;

	a->quoted = false;
	for (p += marks; p < end && (marks ? *p != '"' : *p != '@'); p++) {
		if (marks && *p == '\\' && end - p > 1)
			p++;
		if (*p < ' ' || *p > '~' || n == MAIL_LOCAL_PART || (!marks && !is_atext(*p) && *p != '.'))
			return NULL;
		a->quoted |= (!is_atext(*p) && *p != '.') || (dot && *p == '.');
		dot = *p == '.';
		a->local[n++] = *p;
	}
	a->quoted |= dot;
	a->local[n] = '\0';
	if (marks && p++ == end)
		return NULL;
	return n > 0 ? p : NULL;
}

static bool literal_read(struct mime_address *a, const char *p, size_t n)
{
	if (n < 3 || n > MAIL_DOMAIN || p[n - 1] != ']')
		return false;
	for (size_t i = 1; i + 1 < n; i++)
		if (!mime_is_of((uint8_t)p[i], "0123456789abcdefABCDEF:.IPv"))
			return false;
	memcpy(a->domain, p, n);
	a->domain[n] = '\0';
	a->literal = true;
	return true;
}

static bool domain_read(struct mime_address *a, const char *p, size_t n)
{
	size_t label = 0;

	if (n > 0 && *p == '[')
		return literal_read(a, p, n);
	if (n > 1 && p[n - 1] == '.')
		n--;
	if (n == 0 || n > MAIL_DOMAIN)
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = p[i];
		bool end = i + 1 == n || p[i + 1] == '.', letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		if (c == '.' ? label == 0 : !letter && !(c >= '0' && c <= '9') && c != '_' &&
			(c != '-' || label == 0 || end))
			return false;
		label = c == '.' ? 0 : label + 1;
		if (label > 63)
			return false;
		a->domain[i] = (char)(letter ? c | 0x20 : c);
	}
	a->domain[n] = '\0';
	return label > 0;
}

/* What is in <>, or all of the entry, without blanks and comments. */
static bool spec_read(struct list *l, struct mime_address *a)
{
	const char *p = l->spec.p, *end = p + l->spec.n;

	if (l->angle && p < end && *p == '@') { /* <@relay,@relay:local@domain> */
		p = memchr(p, ':', (size_t)(end - p));
		if (p++ == NULL)
			return false;
		a->flags |= MIME_FLAG(ADDRESS_ROUTE);
	}
	p = local_read(a, p, end);
	return p != NULL && p < end && *p == '@' && domain_read(a, p + 1, (size_t)(end - p - 1));
}

size_t mime_address_spec(const struct mime_address *a, char out[MIME_ADDRESS_SPEC])
{
	size_t n = 0;

	out[0] = '\0';
	if (a->local[0] == '\0')
		return 0;
	if (a->quoted)
		out[n++] = '"';
	for (const char *p = a->local; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			out[n++] = '\\';
		out[n++] = *p;
	}
	if (a->quoted)
		out[n++] = '"';
	out[n++] = '@';
	size_t domain = strlen(a->domain);
	memcpy(out + n, a->domain, domain + 1);
	return n + domain;
}

/* -- An entry ------------------------------------------------------------------------------------------------------ */

/* A name with something like "a@b.c" in it. */
static bool looks_like_address(const char *name)
{
	static const char wide[] = "\xef\xbc\xa0"; /* U+FF20 */
	const char *at = strchr(name, '@'), *full = strstr(name, wide);

	if (at == NULL || (full != NULL && full < at))
		at = full;
	if (at == NULL || at == name || is_blank(at[-1]))
		return false;
	at += *at == '@' ? 1 : 3;
	size_t n = strcspn(at, " \t\"'<>()[],;");
	return n > 2 && (memchr(at, '.', n) != NULL || memmem(at, n, "\xef\xbc\x8e", 3) != NULL);
}

static void entry_clear(struct list *l)
{
	l->phrase.n = l->comment.n = l->spec.n = 0;
	l->phrase.cut = l->comment.cut = l->spec.cut = false;
	l->space = l->any = l->angle = l->atom = l->literal = l->broken = false;
	l->place = IN_LIST;
}

static void name_decode(struct list *l, const struct text *t)
{
	struct mime_address *a = &l->address;

	a->flags |= mime_words_into(a->display, sizeof(a->display), t->p, t->n);
	if (t->cut)
		a->flags |= MIME_FLAG(CUT);
}

/* The entry is complete: tells it. */
static void entry_end(struct list *l, bool group)
{
	struct mime_address *a = &l->address;
	char spec[MIME_ADDRESS_SPEC];

	if (!l->any && !group) {
		entry_clear(l);
		return;
	}
	a->flags = 0;
	a->display[0] = a->local[0] = a->domain[0] = '\0';
	a->quoted = a->literal = false;
	a->group = group;
	a->member = l->group && !group;
	bool good = !group && !l->broken && !l->spec.cut && spec_read(l, a);
	if (!good) {
		a->local[0] = a->domain[0] = '\0';
		a->quoted = a->literal = false;
		if (!group)
			a->flags |= MIME_FLAG(ADDRESS_BROKEN);
	}
	if (!good || l->angle)
		name_decode(l, l->phrase.n > 0 ? &l->phrase : &l->comment);
	else
		name_decode(l, &l->comment);
	mime_address_spec(a, spec);
	if (!group && good && strcasecmp(a->display, spec) != 0 && looks_like_address(a->display))
		a->flags |= MIME_FLAG(ADDRESS_NAME);
	l->flags |= a->flags;
	l->sink(l->arg, a);
	entry_clear(l);
}

static void token(struct list *l)
{
	l->atom = false;
	if (++l->tokens > MAIL_ADDRESS_TOKENS)
		l->flags |= MIME_FLAG(ADDRESSES);
}

/* A character of the name: blanks between two become one. */
static void phrase_put(struct list *l, char c)
{
	if (l->space && l->phrase.n > 0)
		text_put(&l->phrase, ' ');
	l->space = false;
	text_put(&l->phrase, c);
}

/* -- Characters ----------------------------------------------------------------------------------------------------- */

static void in_comment(struct list *l, char c)
{
	if (l->escaped)
		l->escaped = false;
	else if (c == '\\')
		l->escaped = true;
	else if (c == '(')
		l->comments++;
	else if (c == ')')
		l->comments--;
	if (l->comments > 0 && !l->escaped)
		text_put(&l->comment, c);
}

/* Within quotation marks, of a name or of a local part. */
static void in_quotes(struct list *l, char c)
{
	bool angle = l->place == IN_ANGLE_QUOTES;

	if (!l->escaped && c == '\\') {
		l->escaped = true;
		text_put(&l->spec, c);
		return;
	}
	text_put(&l->spec, c);
	if (!l->escaped && c == '"') {
		l->place = angle ? IN_ANGLE : IN_LIST;
		return;
	}
	l->escaped = false;
	if (!angle)
		phrase_put(l, c);
}

static void in_angle(struct list *l, char c)
{
	if (l->place == IN_LITERAL) {
		l->place = c == ']' ? IN_ANGLE : IN_LITERAL;
	} else if (c == '>') {
		l->place = AFTER_ANGLE;
		return;
	} else if (c == '"') {
		l->place = IN_ANGLE_QUOTES;
	} else if (c == '[') {
		l->place = IN_LITERAL;
	} else if (is_blank(c)) {
		l->space = l->spec.n > 0;
		return;
	} else if (c == '<') {
		l->broken = true;
	}
	/* Blanks stand only at either end. */
	l->broken |= l->space;
	text_put(&l->spec, c);
}

/* A character with a meaning between entries and words; false: it is one of a word. */
static bool in_list_special(struct list *l, char c)
{
	if (c == ',' || c == ';') {
		token(l);
		entry_end(l, false);
		if (c == ';')
			l->group = false;
	} else if (c == ':' && l->place == IN_LIST && l->any && !l->literal) {
		token(l);
		entry_end(l, true);
		l->group = true;
	} else if (c == '<') {
		token(l);
		l->broken |= l->angle;
		l->any = l->angle = true;
		l->spec.n = 0;
		l->spec.cut = false;
		l->space = false;
		l->place = IN_ANGLE;
	} else if (c == '"' && l->place == IN_LIST) {
		token(l);
		l->any = true;
		if (l->space && l->spec.n > 0)
			text_put(&l->spec, ' ');
		text_put(&l->spec, c);
		l->place = IN_QUOTES;
	} else {
		return false;
	}
	return true;
}

static void character(struct list *l, char c)
{
	if (l->comments > 0) {
		in_comment(l, c);
	} else if (l->place == IN_QUOTES || l->place == IN_ANGLE_QUOTES) {
		in_quotes(l, c);
	} else if (c == '(' && l->place != IN_LITERAL) {
		token(l);
		l->comments = 1;
		if (l->comment.n > 0)
			text_put(&l->comment, ' ');
	} else if (l->place == IN_ANGLE || l->place == IN_LITERAL) {
		in_angle(l, c);
	} else if (is_blank(c)) {
		l->space = true;
		l->atom = l->literal = false;
	} else if (!in_list_special(l, c)) {
		if (l->place == AFTER_ANGLE) {
			l->broken = true;
			return;
		}
		if (!l->atom)
			token(l);
		l->atom = l->any = true;
		if (l->space && l->spec.n > 0)
			text_put(&l->spec, ' ');
		l->literal |= c == '[' && l->spec.n > 0 && l->spec.p[l->spec.n - 1] == '@';
		text_put(&l->spec, c);
		phrase_put(l, c);
	}
}

static void characters(struct list *l, const char *p, size_t n)
{
	for (size_t i = 0; i < n && (l->flags & MIME_FLAG(ADDRESSES)) == 0; i++)
		character(l, p[i]);
}

mime_flags mime_addresses(const void *value, size_t n, mime_address_sink *sink, void *arg)
{
	const uint8_t *p = value;
	struct list l;
	struct decoder d;
	char out[DECODER_OUT(256)];
	enum charset charset = CHARSET_UTF_8;

	l.sink = sink;
	l.arg = arg;
	l.flags = 0;
	l.tokens = 0;
	l.comments = 0;
	l.escaped = l.group = false;
	l.phrase = (struct text){.p = l.phrase_text, .size = sizeof(l.phrase_text)};
	l.comment = (struct text){.p = l.comment_text, .size = sizeof(l.comment_text)};
	l.spec = (struct text){.p = l.spec_text, .size = sizeof(l.spec_text)};
	entry_clear(&l);
	if (memchr(p, 0x1b, n) != NULL || mime_line_8bit(p, n))
		charset = charset_settle(CHARSET_UTF_8, p, n);
	if (charset == CHARSET_UTF_8) { /* bytes that are none may be those of an encoded word */
		characters(&l, (const char *)p, n);
	} else {
		decoder_begin(&d, charset);
		for (size_t i = 0; i < n; i += 256)
			characters(&l, out, decoder_push(&d, p + i, n - i < 256 ? n - i : 256, out));
		characters(&l, out, decoder_end(&d, out));
	}
	if (l.flags & MIME_FLAG(ADDRESSES))
		return l.flags;
	l.broken |= l.comments > 0 || (l.place != IN_LIST && l.place != AFTER_ANGLE);
	l.any |= l.comments > 0;
	entry_end(&l, false);
	return l.flags;
}
