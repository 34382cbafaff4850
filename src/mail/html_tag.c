/*
 * html_tag.c: what elements do to the text.
 *
 * There is no stack of open elements, so nothing grows with nesting: lists, quotes and tables are counters, and only elements
 * that change how their content is taken (hidden, dropped, line ends kept) have a scope, HTML_SCOPES of them at most. A scope
 * ends with its own end tag, or where a browser would have closed the element: when a block, cell or row around it ends.
 */
#include "html_private.h"

#include "words.h"

enum id {
	E_OTHER, E_A, E_BASE, E_BLOCKQUOTE, E_BODY, E_BR, E_CELL, E_DD, E_DEL, E_DT, E_DROP, E_FORM, E_FOREIGN, E_HEADING, E_HR,
	E_IMG, E_LI, E_LIST, E_META, E_ORDERED, E_P, E_PLAINTEXT, E_PRE, E_Q, E_RAW, E_ROW, E_ROWS, E_RP, E_RT, E_RUBY,
	E_SUP, E_TABLE, E_XMP, E_BLOCK, E_CAPTION, E_PAGE,
};

/* Line of its own; has no content; its end closes what is open in it; changes how its content is taken. */
enum { BLOCK = 1, EMPTY = 2, CLOSES = 4, SCOPE = 8 };

#define WANT(attribute) (1u << (attribute))
#define WANTS (WANT(A_STYLE) | WANT(A_HIDDEN) | WANT(A_COLOR) | WANT(A_BGCOLOR) | WANT(A_BACKGROUND)) /* nearly all */
#define WANTS_NUMBER (WANT(A_START) | WANT(A_VALUE))
#define WANTS_IMAGE (WANT(A_ALT) | WANT(A_STYLE) | WANT(A_HIDDEN) | WANT(A_WIDTH) | WANT(A_HEIGHT))

struct element {
	uint8_t id, flags;
	uint16_t wants; /* attributes that are read: a bit for each */
};

#include "html_elements.inc"

void html_name_end(struct html_tag *tag)
{
	size_t n = tag->length;
	struct word_pair pair = {0};
	int known;

	if (n < 8) { /* nearly all */
		pair.first = bytes_load(tag->name) & ~(UINT64_MAX << 8 * n);
		known = word_search(&html_elements, pair, n, "");
	} else {
		known = word_find(&html_elements, tag->name, n);
	}

	tag->element = (int16_t)known;
	tag->wants = tag->end ? 0 : known >= 0 ? html_elements_rows[known].wants : WANTS;
}

static const struct element *element_of(const struct html_tag *tag)
{
	static const struct element other = {E_OTHER, 0, WANTS};
	return tag->element >= 0 ? &html_elements_rows[tag->element] : &other;
}

/* A name that no scope has to keep: the number of a known one, else a hash (FNV-1a). */
static uint32_t name_of(const struct html_tag *tag)
{
	uint32_t x = 2166136261u;

	if (tag->element >= 0)
		return (uint32_t)tag->element;
	for (size_t i = 0; i < tag->length; i++)
		x = (x ^ (uint8_t)tag->name[i]) * 16777619u;
	return x | 1u << 31;
}

/* -- Scopes ------------------------------------------------------------------------------------------------ */

static void judge(struct html *h)
{
	uint8_t hide = SCOPE_NONE;

	h->pre = false;
	for (unsigned i = 0; i < h->nscopes; i++) {
		uint8_t kind = h->scopes[i].kind;
		if (kind == SCOPE_PRE)
			h->pre = true;
		else if (kind == SCOPE_DROP || (kind == SCOPE_HIDE && hide != SCOPE_DROP))
			hide = kind;
		else if (kind == SCOPE_SMALL && hide == SCOPE_NONE)
			hide = kind;
		else if (kind == SCOPE_NORMAL && hide == SCOPE_SMALL)
			hide = SCOPE_NONE;
	}
	h->hidden_run &= hide == h->hide;
	h->hide = hide;
}

static void pop(struct html *h)
{
	if (h->nscopes > 0)
		h->nscopes--;
	judge(h);
}

static void push(struct html *h, const struct element *e, enum scope kind)
{
	if (h->nscopes == HTML_SCOPES)
		return;
	h->scopes[h->nscopes++] = (struct html_scope){
		.name = name_of(&h->tag), .kind = kind, .id = e->id, .table = (uint16_t)h->ntables};
	judge(h);
}

/* Does the start of e end the element of the top scope, whose end tag was left out? */
static bool starts_over(const struct html *h, const struct html_scope *top, const struct element *e)
{
	bool table = top->table == h->ntables;

	if (top->id == E_FOREIGN)
		return e->flags & BLOCK;
	if (top->id == E_P || top->id == E_DD || top->id == E_DT)
		return (e->flags & BLOCK) && top->open == 0;
	if (top->id == E_LI)
		return e->id == E_LI && top->open == 0;
	if (e->id == E_CELL)
		return table && top->id != E_ROW && top->id != E_ROWS && top->id != E_TABLE;
	if (e->id == E_ROW)
		return table && top->id != E_ROWS && top->id != E_TABLE;
	return e->id == E_ROWS && table && top->id != E_TABLE;
}

/* A start tag of e that makes no scope: counted into the one that is open. */
static void scopes_start(struct html *h, const struct element *e)
{
	if (h->nscopes == 0)
		return;
	struct html_scope *top = &h->scopes[h->nscopes - 1];
	if (top->name == name_of(&h->tag) && top->same < UINT16_MAX)
		top->same++;
	else if ((e->flags & CLOSES) && top->open < UINT16_MAX)
		top->open++;
}

/* At the end tag of e. */
static void scopes_end(struct html *h, const struct element *e)
{
	uint32_t name = h->nscopes > 0 ? name_of(&h->tag) : 0;

	while (h->nscopes > 0) {
		struct html_scope *top = &h->scopes[h->nscopes - 1];
		if (top->name == name) {
			if (top->same > 0)
				top->same--;
			else
				pop(h);
			return;
		}
		if (e->flags & CLOSES) {
			if (top->open > 0) {
				top->open--;
				return;
			}
		} else if (!((e->id == E_CELL || e->id == E_ROW || e->id == E_ROWS) && starts_over(h, top, e))) {
			return;
		}
		pop(h);
	}
}

/* -- Hidden by colour -------------------------------------------------------------------------------------- */

static bool close_colors(int32_t a, int32_t b)
{
	for (unsigned shift = 0; shift < 24; shift += 8) {
		int32_t d = (a >> shift & 0xff) - (b >> shift & 0xff);
		if (d > 4 || d < -4)
			return false;
	}
	return true;
}

/*
 * Is the text as the ground? Known for the element's own ground; and for the page's, as long as nothing else was painted and
 * there is no style sheet that could: white text on a dark cell must not be lost.
 */
static bool same_color(struct html *h, const struct element *e)
{
	const struct html_tag *tag = &h->tag;

	if (tag->background >= 0) {
		if (e->id == E_BODY || e->id == E_PAGE)
			h->page = tag->background;
		else if (!close_colors(tag->background, h->page))
			h->painted = true;
	}
	h->painted |= tag->painted || (tag->background < 0 && (tag->seen & (1u << A_BGCOLOR)));
	if (tag->color < 0 || e->id == E_BODY || e->id == E_PAGE)
		return false;
	if (tag->background >= 0 && !tag->painted)
		return close_colors(tag->color, tag->background);
	return !h->painted && close_colors(tag->color, h->page);
}

static void scope_of(struct html *h, const struct element *e)
{
	const struct html_tag *tag = &h->tag;
	bool colored = same_color(h, e);

	if (e->id == E_DROP || e->id == E_FOREIGN)
		push(h, e, SCOPE_DROP);
	else if (tag->hidden || colored)
		push(h, e, SCOPE_HIDE);
	else if (tag->font == FONT_ZERO)
		push(h, e, SCOPE_SMALL);
	else if (tag->font == FONT_NORMAL && h->hide == SCOPE_SMALL)
		push(h, e, SCOPE_NORMAL);
	else if (e->id == E_PRE || e->id == E_XMP || tag->pre)
		push(h, e, SCOPE_PRE);
	else
		scopes_start(h, e);
}

/* -- Elements ---------------------------------------------------------------------------------------------- */

static void image(struct html *h)
{
	const struct html_tag *tag = &h->tag;
	bool tiny = (tag->width >= 0 && tag->width <= 2) || (tag->height >= 0 && tag->height <= 2);
	bool named = false;
	char text[HTML_VISIBLE_MAX + 1];
	size_t n = tag->nalt;

	if (h->hide != SCOPE_NONE || tag->hidden || tiny)
		return;
	h->report.images++;
	if (n == HTML_VISIBLE_MAX) { /* was cut: its last character may not be whole */
		while (n > 0 && ((uint8_t)tag->alt[n - 1] & 0xc0) == 0x80)
			n--;
		n -= n > 0;
	}
	memcpy(text, tag->alt, n);
	text[n] = '\0';
	for (size_t i = 0; i < n; i++) {
		named |= !html_is_space((uint8_t)text[i]);
		if (html_is_space((uint8_t)text[i]) || text[i] == '\0')
			text[i] = ' ';
	}
	if (!named) { /* decoration, unless it is all that a link shows */
		h->visible_image = true;
		return;
	}
	h->visible_any = true;
	html_mark(h, h->options.english ? "[image: " : "[画像: ");
	html_say(h, text, n);
	html_mark(h, "]");
}

static void end_ruby_text(struct html *h)
{
	if (h->rt)
		html_mark(h, h->options.english ? ")" : "）");
	h->rt = h->rp = false;
}

static void list_begin(struct html *h, bool ordered)
{
	if (h->held)
		html_row_spill(h);
	html_break(h, h->nlists == 0 ? 2 : 1);
	if (h->nlists < UINT32_MAX)
		h->nlists++;
	if (h->nlists <= HTML_LISTS)
		h->lists[h->nlists - 1] = (struct html_list){
			ordered, h->tag.start > 0 ? (uint32_t)h->tag.start - 1 : 0};
}

static void list_end(struct html *h)
{
	if (h->bullet == BULLET_ITEM)
		h->bullet = BULLET_NONE;
	if (h->nlists > 0)
		h->nlists--;
	html_break(h, h->nlists == 0 ? 2 : 1);
}

static void item(struct html *h)
{
	html_break(h, 1);
	if (h->hide != SCOPE_NONE)
		return;
	if (h->nlists > 0 && h->nlists <= HTML_LISTS) {
		struct html_list *list = &h->lists[h->nlists - 1];
		list->number = h->tag.start > 0 ? (uint32_t)h->tag.start : list->number + 1;
	}
	h->bullet = BULLET_ITEM;
}

static void quote(struct html *h, bool begins)
{
	if (h->held)
		html_row_spill(h);
	html_break(h, 2);
	if (begins)
		h->nquotes += h->nquotes < UINT32_MAX;
	else
		h->nquotes -= h->nquotes > 0;
}

static void rule(struct html *h)
{
	if (h->held)
		html_row_spill(h);
	html_break(h, 1);
	html_mark(h, "----------------------------------------");
	html_break(h, 1);
}

static void heading(struct html *h, bool begins)
{
	html_break(h, 2);
	if (h->hide == SCOPE_NONE)
		h->bullet = begins ? BULLET_HEADING : BULLET_NONE;
}

/* A mark around the text of the mail: the blank before it is kept. */
static void mark(struct html *h, const char *japanese, const char *english)
{
	html_mark(h, h->options.english ? english : japanese);
}

static void block(struct html *h, const struct element *e)
{
	if (e->id == E_P)
		h->dense = h->tag.mso;
	html_break(h, e->id == E_P && !h->dense ? 2 : 1);
}

static void start_element(struct html *h, const struct element *e)
{
	switch ((enum id)e->id) {
	case E_A: html_link_begin(h); break;
	case E_BASE: h->report.base |= (h->tag.seen & 1u << A_HREF) != 0; break;
	case E_BR: html_line(h); break;
	case E_HR: rule(h); break;
	case E_IMG: image(h); break;
	case E_BLOCKQUOTE: quote(h, true); break;
	case E_CELL: html_cell(h, h->tag.name[1] == 'h'); break;
	case E_ROW: html_row_begin(h); break;
	case E_ROWS: html_row_end(h); break;
	case E_TABLE: html_table_begin(h); break;
	case E_LIST: list_begin(h, false); break;
	case E_ORDERED: list_begin(h, true); break;
	case E_LI: item(h); break;
	case E_DT: html_break(h, 1); break;
	case E_DD: html_break(h, 1); h->bullet = BULLET_DEFINITION; break;
	case E_HEADING: heading(h, true); break;
	case E_DEL: mark(h, "[取消線: ", "[struck out: "); break;
	case E_Q: mark(h, "「", "\""); break;
	case E_SUP: if (html_alnum(h->last) && !h->space && h->breaks == 0) html_mark(h, "^"); break;
	case E_RP: end_ruby_text(h); h->rp = true; break;
	case E_RT: end_ruby_text(h); h->rt = h->hide == SCOPE_NONE; mark(h, "（", "("); break;
	case E_RUBY: end_ruby_text(h); break;
	case E_FORM: h->report.forms++; html_break(h, 1); break;
	case E_PRE: case E_XMP: case E_PLAINTEXT:
		if (h->held)
			html_row_spill(h);
		html_break(h, 2);
		h->fresh = true;
		break;
	default:
		if (e->flags & BLOCK)
			block(h, e);
	}
}

static void end_element(struct html *h, const struct element *e)
{
	switch ((enum id)e->id) {
	case E_A: html_link_end(h); break;
	case E_BR: html_line(h); break;
	case E_BLOCKQUOTE: quote(h, false); break;
	case E_CELL: break;
	case E_ROW: case E_ROWS: html_row_end(h); break;
	case E_TABLE: html_table_end(h); break;
	case E_LIST: case E_ORDERED: list_end(h); break;
	case E_HEADING: heading(h, false); break;
	case E_DD: html_break(h, 1); h->bullet = BULLET_NONE; break;
	case E_DEL: mark(h, "]", "]"); break;
	case E_Q: mark(h, "」", "\""); break;
	case E_RP: h->rp = false; break;
	case E_RT: case E_RUBY: end_ruby_text(h); break;
	case E_PRE: case E_XMP: html_break(h, 2); break;
	default:
		if (e->flags & BLOCK)
			html_break(h, e->id == E_P && !h->dense ? 2 : 1);
	}
}

enum raw html_start(struct html *h)
{
	const struct element *e = element_of(&h->tag);

	if (e->id == E_RAW) {
		h->painted |= html_is(h->tag.name, h->tag.length, "style");
		return RAW_DROP;
	}
	/* Some change the text around them before they hide their own. */
	if (e->flags & EMPTY) {
		start_element(h, e);
		return RAW_NONE;
	}
	while (h->nscopes > 0 && starts_over(h, &h->scopes[h->nscopes - 1], e))
		pop(h);
	start_element(h, e);
	if (h->tag.marked || h->nscopes > 0 || (e->flags & SCOPE))
		scope_of(h, e);
	return e->id == E_XMP ? RAW_SHOW : e->id == E_PLAINTEXT ? RAW_REST : RAW_NONE;
}

void html_finish(struct html *h)
{
	const struct element *e = element_of(&h->tag);

	if (e->id == E_BODY || e->id == E_PAGE) /* much comes behind it */
		return;
	/* What ends inside a hidden element is hidden too; what ends with it is not. */
	if (e->id == E_TABLE)
		end_element(h, e);
	scopes_end(h, e);
	if (e->id != E_TABLE)
		end_element(h, e);
}
