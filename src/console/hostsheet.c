/*
 * hostsheet.c: rows of a table of machines -> lines of set.
 *
 * Input: a file that somebody made (sheet.c bounds it). Each cell is first set alone on a scratch candidate, so that what is
 * wrong with it can be said with its column; then all lines are loaded at once. Names, addresses and MAC addresses typed
 * full-width are taken as half-width; a segment may be named by its label.
 */
#include "hostsheet.h"

#include "sheet.h"

#include <sekisho/arena.h>
#include <sekisho/buf.h>
#include <sekisho/candidate.h>
#include <sekisho/diag.h>
#include <sekisho/i18n.h>
#include <sekisho/strmap.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Words of the policy that a column may stand for. */
enum column { COLUMN_NAME, COLUMN_SEGMENT, COLUMN_ADDRESS, COLUMN_MAC, COLUMN_BEHIND, COLUMN_EXTERNAL, COLUMN_LABEL,
	COLUMN_SECTION, COLUMN_LOCATION, COLUMNS, COLUMN_NONE = COLUMNS };

static const struct {
	const char *word; /* of `set host` */
	bool ascii;	  /* full-width letters and digits are meant half-width */
	const char *titles[8];
} columns[COLUMNS] = {
	[COLUMN_NAME] = {"host", true, {"名前", "ホスト名", "機器名", "name", "host", "hostname"}},
	[COLUMN_SEGMENT] = {"segment", false, {"区間", "所属区間", "系", "ネットワーク", "segment"}},
	[COLUMN_ADDRESS] = {"address", true, {"ipアドレス", "アドレス", "ip", "ipaddress", "address", "ipv4アドレス", "ipv6アドレス"}},
	[COLUMN_MAC] = {"mac", true, {"macアドレス", "mac", "macaddress", "物理アドレス"}},
	[COLUMN_BEHIND] = {"behind", true, {"ルータ", "手前のルータ", "behind", "router"}},
	[COLUMN_EXTERNAL] = {"external", false, {"外部団体", "運営団体", "external"}},
	[COLUMN_LABEL] = {"label", false, {"名称", "表示名", "機器名称", "label"}},
	[COLUMN_SECTION] = {"section", false, {"課", "課名", "所管課", "所属", "section", "department"}},
	[COLUMN_LOCATION] = {"location", false, {"設置場所", "場所", "location"}},
};

struct reading {
	struct candidate *scratch;
	struct diag_list *diags;
	struct arena *arena;
	struct sheet sheet;
	enum column of[SHEET_CELLS_MAX]; /* by cell of a row */
	const char *titles[SHEET_CELLS_MAX];
	struct strmap *hosts, *rows; /* names of hosts that are there; name -> line of its row */
	struct strmap *labels;	     /* segment's label -> 1 + index into names */
	const char *segments[64];
	uint32_t nsegments;
	struct buf lines;
	struct hostsheet_counts *ret;
};

/* U+FF01..U+FF5E and U+3000 as their half-width forms. */
static char *half_width(struct reading *r, const char *text)
{
	char *out = arena_strdup(r->arena, text), *to = out;

	for (const uint8_t *p = (const uint8_t *)text; *p != '\0';) {
		if (p[0] == 0xef && p[1] == 0xbc && p[2] >= 0x81) {
			*to++ = (char)(p[2] - 0x81 + '!');
			p += 3;
		} else if (p[0] == 0xef && p[1] == 0xbd && p[2] >= 0x80 && p[2] <= 0x9e) {
			*to++ = (char)(p[2] - 0x80 + '`');
			p += 3;
		} else if (p[0] == 0xe3 && p[1] == 0x80 && p[2] == 0x80) {
			*to++ = ' ';
			p += 3;
		} else {
			*to++ = (char)*p++;
		}
	}
	*to = '\0';
	return out;
}

/* A title without blanks, in small half-width letters. */
static const char *plain_title(struct reading *r, const char *title)
{
	char *text = half_width(r, title), *to = text;

	for (char *p = text; *p != '\0'; p++)
		if (*p != ' ' && *p != '\t' && *p != '\n' && *p != '\r' && *p != '_')
			*to++ = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;
	*to = '\0';
	return text;
}

static enum column find_column(const char *title)
{
	for (int c = 0; c < COLUMNS; c++)
		for (size_t i = 0; i < sizeof(columns[c].titles) / sizeof(columns[c].titles[0]) &&
				   columns[c].titles[i] != NULL;
			i++)
			if (strcmp(columns[c].titles[i], title) == 0)
				return (enum column)c;
	return COLUMN_NONE;
}

/* -- the first row ----------------------------------------------------------------------------------------------- */

static bool check_twice(struct reading *r, const struct sheet_row *row, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (r->of[k] == r->of[i] && r->of[i] != COLUMN_NONE && r->of[i] != COLUMN_ADDRESS) {
			diag_error(r->diags, row->line, "duplicate", _("keep one of the two columns"),
				_("the columns \"%s\" and \"%s\" mean the same"), r->titles[k], r->titles[i]);
			return false;
		}
	return true;
}

/* Which column is which. False: a table of hosts has a column of names (said). */
static bool read_titles(struct reading *r, const struct sheet_row *row)
{
	bool named = false, good = true;

	for (size_t i = 0; i < SHEET_CELLS_MAX; i++) {
		const char *title = i < row->n ? row->cells[i] : "";
		r->titles[i] = arena_strdup(r->arena, title);
		r->of[i] = find_column(plain_title(r, title));
		named = named || r->of[i] == COLUMN_NAME;
		if (title[0] != '\0' && r->of[i] == COLUMN_NONE)
			diag_warning(r->diags, row->line, "unknown-column",
				_("known are: 名前, 区間, IPアドレス, MACアドレス, ルータ, 外部団体, 名称, 課, 設置場所"),
				_("the column \"%s\" is not read"), title);
		good = check_twice(r, row, i) && good;
	}
	if (!named)
		diag_error(r->diags, row->line, "no-names",
			_("the first row names the columns, such as: 名前,区間,IPアドレス,MACアドレス,名称,課,設置場所"),
			_("no column has the names of the hosts"));
	return named && good;
}

/* -- cells ------------------------------------------------------------------------------------------------------- */

static void put_quoted(struct buf *b, const char *text)
{
	buf_addc(b, '"');
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			buf_addc(b, '\\');
		buf_addc(b, *p);
	}
	buf_addc(b, '"');
}

/* Sets one value alone; what is wrong is said with the row's line and the column's name. */
static bool try_value(struct reading *r, const struct sheet_row *row, size_t cell, const char *line)
{
	struct diag_list own;

	diag_init(&own, r->arena);
	if (candidate_set(r->scratch, line, &own) == 0)
		return true;
	if (own.n > 0)
		diag_error(r->diags, row->line, own.items[0].code, own.items[0].hint, _("column \"%s\": %s"), r->titles[cell],
			own.items[0].what);
	return false;
}

/* "WORD VALUE" appended to the row's line when the value is good. */
static bool put_value(struct reading *r, const struct sheet_row *row, size_t cell, const char *name, const char *value)
{
	const char *word = columns[r->of[cell]].word;
	struct buf one = {0};

	buf_adds(&one, "host ");
	put_quoted(&one, name);
	buf_printf(&one, " %s ", word);
	put_quoted(&one, value);
	bool good = try_value(r, row, cell, buf_str(&one));
	buf_free(&one);
	buf_printf(&r->lines, " %s ", word);
	put_quoted(&r->lines, value);
	return good;
}

/* The addresses of a cell: one or several, between blanks, commas, semicolons or line breaks. */
static bool put_addresses(struct reading *r, const struct sheet_row *row, size_t cell, const char *name, const char *text)
{
	static const char between[] = " \t\r\n,;";
	bool good = true;

	for (const char *p = text + strspn(text, between); *p != '\0'; p += strspn(p, between)) {
		size_t n = strcspn(p, between);
		good = put_value(r, row, cell, name, arena_strndup(r->arena, p, n)) && good;
		p += n;
	}
	return good;
}

/* The name of a segment that is there, by its name or its label; NULL: there is none (said). */
static const char *find_segment(struct reading *r, const struct sheet_row *row, size_t cell, const char *text)
{
	struct buf hint = {0};
	uint32_t segment;

	if (strmap_get(r->labels, text, &segment))
		return r->segments[segment];
	for (uint32_t i = 0; i < r->nsegments; i++) {
		if (strcmp(r->segments[i], text) == 0) {
			buf_free(&hint);
			return text;
		}
		buf_printf(&hint, "%s%s", i == 0 ? _("known are: ") : ", ", r->segments[i]);
	}
	diag_error(r->diags, row->line, "unknown-segment", hint.len > 0 ? buf_str(&hint) : NULL,
		_("column \"%s\": there is no segment \"%s\""), r->titles[cell], text);
	buf_free(&hint);
	return NULL;
}

static bool put_cell(struct reading *r, const struct sheet_row *row, size_t cell, const char *name)
{
	enum column column = r->of[cell];
	const char *text = row->cells[cell];

	if (column == COLUMN_NONE || column == COLUMN_NAME || text[0] == '\0')
		return true;
	if (columns[column].ascii)
		text = half_width(r, text);
	if (column == COLUMN_ADDRESS)
		return put_addresses(r, row, cell, name, text);
	if (column == COLUMN_SEGMENT)
		text = find_segment(r, row, cell, text);
	return text != NULL && put_value(r, row, cell, name, text);
}

/* Does the row give an address of this family? */
static bool has_family(const struct reading *r, const struct sheet_row *row, bool six)
{
	for (size_t i = 0; i < row->n; i++)
		if (r->of[i] == COLUMN_ADDRESS && row->cells[i][0] != '\0' && (strchr(row->cells[i], ':') != NULL) == six)
			return true;
	return false;
}

/* The addresses that the host has are replaced by those of the row, each family by itself. */
static void drop_addresses(struct reading *r, const struct sheet_row *row, const char *name)
{
	struct buf path = {0}, had = {0};

	buf_printf(&path, "host %s address", name);
	candidate_print(r->scratch, buf_str(&path), &had);
	/* "set host NAME address ADDRESS", a line each */
	for (const char *p = buf_str(&had); *p != '\0'; p += strcspn(p, "\n") + 1) {
		size_t n = strcspn(p, "\n");
		bool six = memchr(p, ':', n) != NULL;
		if (n > strlen("set ") && has_family(r, row, six))
			buf_printf(&r->lines, "delete %.*s\n", (int)(n - strlen("set ")), p + strlen("set "));
	}
	buf_free(&path);
	buf_free(&had);
}

/* -- rows -------------------------------------------------------------------------------------------------------- */

/* The host's name, good by itself and not that of an earlier row; NULL when it is not (said). */
static const char *row_name(struct reading *r, const struct sheet_row *row)
{
	uint32_t before;
	size_t cell = 0;
	struct buf line = {0};

	while (r->of[cell] != COLUMN_NAME)
		cell++;
	const char *name = cell < row->n ? half_width(r, row->cells[cell]) : "";
	if (name[0] == '\0') {
		diag_error(r->diags, row->line, "missing-value",
			_("give each host a name of letters, digits, '.', '_' and '-'"),
			_("column \"%s\" is empty"), r->titles[cell]);
		return NULL;
	}
	if (strmap_get(r->rows, name, &before)) {
		diag_error(r->diags, row->line, "duplicate", _("keep the line that is right and remove the other"),
			_("column \"%s\": the host \"%s\" is in line %u already"), r->titles[cell], name, before);
		return NULL;
	}
	buf_adds(&line, "host ");
	put_quoted(&line, name);
	bool good = try_value(r, row, cell, buf_str(&line));
	buf_free(&line);
	strmap_add(r->rows, name, row->line);
	return good ? name : NULL;
}

static bool read_host(struct reading *r, const struct sheet_row *row)
{
	const char *name = row_name(r, row);
	uint32_t known;
	bool good = true;

	r->ret->rows++;
	if (name == NULL)
		return false;
	bool is_known = strmap_get(r->hosts, name, &known);
	r->ret->known += is_known;
	r->ret->added += !is_known;
	if (is_known)
		drop_addresses(r, row, name);
	buf_adds(&r->lines, "set host ");
	put_quoted(&r->lines, name);
	for (size_t i = 0; i < row->n; i++)
		good = put_cell(r, row, i, name) && good;
	buf_addc(&r->lines, '\n');
	return good;
}

/* -- what the policy has ----------------------------------------------------------------------------------------- */

static bool take_host(void *arg, const char *word, enum candidate_word kind, const char *help)
{
	struct reading *r = arg;

	(void)help;
	if (kind == CANDIDATE_NAME)
		strmap_add(r->hosts, arena_strdup(r->arena, word), 1);
	return true;
}

static bool take_segment(void *arg, const char *word, enum candidate_word kind, const char *help)
{
	struct reading *r = arg;

	if (kind != CANDIDATE_NAME || r->nsegments == sizeof(r->segments) / sizeof(r->segments[0]))
		return true;
	r->segments[r->nsegments] = arena_strdup(r->arena, word);
	if (help[0] != '\0')
		strmap_add(r->labels, arena_strdup(r->arena, help), r->nsegments);
	r->nsegments++;
	return true;
}

static void begin(struct reading *r, const struct candidate *c)
{
	struct buf text = {0};
	struct diag_list none;

	r->hosts = strmap_new();
	r->rows = strmap_new();
	r->labels = strmap_new();
	candidate_complete(c, CANDIDATE_FOR_ENTRY, "host ", take_host, r);
	candidate_complete(c, CANDIDATE_FOR_SET, "host x segment ", take_segment, r);
	candidate_print(c, NULL, &text);
	diag_init(&none, r->arena);
	r->scratch = candidate_new((const char *)text.data, text.len, &none);
	buf_free(&text);
}

static void end(struct reading *r)
{
	strmap_free(r->hosts);
	strmap_free(r->rows);
	strmap_free(r->labels);
	candidate_free(r->scratch);
	buf_free(&r->lines);
	arena_free(r->arena);
}

int hostsheet_load(struct candidate *c, const void *data, size_t n, struct hostsheet_counts *ret, struct diag_list *diags)
{
	struct reading r = {.diags = diags, .arena = arena_new(), .ret = ret};
	size_t before = diags->nerrors;
	struct sheet_row row;
	int result = -EINVAL;

	*ret = (struct hostsheet_counts){0};
	if (r.arena == NULL)
		abort();
	begin(&r, c);
	if (r.scratch != NULL && sheet_open(&r.sheet, r.arena, data, n, diags)) {
		if (!sheet_next(&r.sheet, &row))
			diag_error(diags, 0, "empty",
				_("the first row names the columns, the others are hosts"),
				_("the table is empty"));
		else if (read_titles(&r, &row))
			while (sheet_next(&r.sheet, &row) && diags->nerrors < before + DIAG_KEEP_MAX)
				read_host(&r, &row);
		if (diags->nerrors == before)
			result = candidate_load(c, (const char *)r.lines.data, r.lines.len, false, NULL, diags);
	}
	end(&r);
	return result;
}
