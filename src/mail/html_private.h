/* html_private.h: what the files of html share. */
#include <sekisho/html.h>

#include <string.h>

/* What comes next. */
enum state {
	S_TEXT, S_OPEN, S_END_OPEN, S_NAME, S_BEFORE, S_ATTRIBUTE, S_AFTER, S_EQUALS, S_DOUBLE, S_SINGLE, S_PLAIN, S_MARKUP,
	S_MARKUP_DASH, S_COMMENT, S_BOGUS, S_RAW, S_RAW_OPEN, S_RAW_NAME, S_ENTITY, S_REST,
};

/*
 * Readers take what they can of the bytes from s to end, and return where they stopped: at least one byte was taken or the
 * state is another.
 */
const char *html_read_wide(struct html *h, const char *s, const char *end); /* a character that is no ASCII, where it counts */
const char *html_read_entity(struct html *h, const char *s, const char *end); /* s is behind '&' */
const char *html_read_cut_entity(struct html *h, const char *s, const char *end);
const char *html_read_between(struct html *h, const char *s, const char *end); /* in a tag, between names and values */
const char *html_read_attribute(struct html *h, const char *s, const char *end);
const char *html_read_quoted(struct html *h, const char *s, const char *end);
const char *html_read_plain(struct html *h, const char *s, const char *end);
const char *html_read_usual(struct html *h, const char *s, const char *end); /* before an attribute */

/* What ends the name of an attribute, and but for '=' that of an element. */
extern const bool html_ends_name[256];
/* As if a tag had none. */
void html_no_attributes(struct html_tag *tag);
/* A character of the value that is being read. */
void html_value_put(struct html *h, uint32_t point);
/* '>': the tag does what it does. */
void html_tag_end(struct html *h);

/* One character, as the list of HTML's named characters has it. */
struct entity {
	uint8_t length, old; /* of the name; does it count without a semicolon? */
	uint32_t point, second;
};

/* Looks a name up (without & and ;). With `old` only those that count without a semicolon. NULL: there is none. */
const struct entity *html_entity(const char *name, size_t n, bool old);
/* The character of &#n;: what browsers show. */
uint32_t html_numeric(const char *digits, size_t n);

enum attribute {
	A_NONE, A_ALT, A_BACKGROUND, A_BGCOLOR, A_BORDER, A_CLASS, A_COLOR, A_HEIGHT, A_HIDDEN, A_HREF, A_ROLE, A_START,
	A_STYLE, A_VALUE, A_WIDTH,
};

enum font { FONT_UNSET, FONT_ZERO, FONT_NORMAL };
enum { COLOR_UNSET = -1, COLOR_CLEAR = -2, NUMBER_UNSET = -1 };
int32_t html_color(const char *s, size_t n);
/* A whole number, as of width; NUMBER_UNSET: none, or not of pixels. */
int32_t html_number(const char *s, size_t n);
void html_style(struct html_tag *tag, const char *s, size_t n);

/* Why the text in an element is not taken, or how. */
enum scope { SCOPE_NONE, SCOPE_DROP, SCOPE_HIDE, SCOPE_SMALL, SCOPE_NORMAL, SCOPE_PRE };

/* The name is there: which element, and which of its attributes matter? */
void html_name_end(struct html_tag *tag);
/* What h->tag does. Returns how the tokenizer goes on. */
enum raw { RAW_NONE, RAW_DROP, RAW_SHOW, RAW_REST };
enum raw html_start(struct html *h);
void html_finish(struct html *h);

/* Links. */
void html_link_begin(struct html *h);
void html_link_text(struct html *h, uint32_t point);
/* The same for what mailtext_run() took. */
void html_link_run(struct html *h, const char *utf8, size_t n);
void html_link_end(struct html *h);

/* Text of the mail: spaces are joined, hidden text counted. */
void html_text(struct html *h, uint32_t point);
/* The same for many characters at once: bytes taken; 0: html_text() must look at the first. */
size_t html_text_run(struct html *h, const char *utf8, size_t n);
/* The same for the blanks at utf8 (html_is_space): how many they were, at least one. */
size_t html_text_blanks(struct html *h, const char *utf8, size_t n);
/* Text of ours, or as we write it: what is said may be anything, a mark is one of mailtext_put_run(). */
void html_say(struct html *h, const char *utf8, size_t n);
void html_say_mark(struct html *h, const char *utf8, size_t n);
static inline void html_mark(struct html *h, const char *mark)
{
	html_say_mark(h, mark, strlen(mark));
}
/* At least n line ends before the next text. */
void html_break(struct html *h, unsigned n);
/* <br> */
void html_line(struct html *h);

enum bullet { BULLET_NONE, BULLET_ITEM, BULLET_HEADING, BULLET_DEFINITION };

/* Tables. */
enum table_kind { TABLE_DATA = 1, TABLE_LAYOUT = 2, TABLE_SPILLED = 4 };
void html_table_begin(struct html *h);
void html_table_end(struct html *h);
void html_row_begin(struct html *h);
void html_row_end(struct html *h);
void html_cell(struct html *h, bool title);
/* The held row becomes lines of its own: one cell after the other. */
void html_row_spill(struct html *h);
bool html_cell_empty(const struct html *h);

/* For the rows: the line ends that are due and what stands before a line; bytes as they are. */
void html_begin_line(struct html *h);
void html_put(struct html *h, const char *utf8, size_t n);
/* The same for what mailtext_put_run() takes. */
void html_put_run(struct html *h, const char *utf8, size_t n);

static inline const char *html_before(const char *s, const char *end, char until)
{
	const char *p = memchr(s, until, (size_t)(end - s));
	return p != NULL ? p : end;
}

static inline bool html_is_space(uint32_t p)
{
	return p == ' ' || p == '\n' || p == '\t' || p == '\r' || p == '\f';
}

static inline uint32_t html_lower(uint32_t p)
{
	return p - 'A' < 26 ? p | 0x20 : p;
}

static inline bool html_alnum(uint32_t p)
{
	return p - '0' < 10 || (p | 0x20) - 'a' < 26;
}

/* Inline, so that the length of a constant word is known: most words differ by that. */
static inline __attribute__((always_inline)) bool html_is(const char *s, size_t n, const char *word)
{
	return strlen(word) == n && memcmp(s, word, strlen(word)) == 0;
}
