/*
 * zip_entry.c: what is told of an entry of a ZIP: its name as people see it, what kind it is, what is odd about it;
 * and by the names of all entries, what kind of document the archive is.
 */
#include "zip_private.h"

#include <string.h>
#include <strings.h>

#include <zlib.h>

#include "shown.h"

#define MARK_OFFICE 0x001u
#define MARK_WORD 0x002u
#define MARK_EXCEL 0x004u
#define MARK_EXCEL_BINARY 0x008u
#define MARK_POWERPOINT 0x010u
#define MARK_VISIO 0x020u
#define MARK_XPS 0x040u
#define MARK_MANIFEST 0x080u
#define MARK_CLASS 0x100u
#define MARK_ANDROID 0x200u
#define MARK_OPENDOCUMENT 0x400u
#define MARK_EPUB 0x800u

/* Names that say what an archive is. Part names of Office count without regard to case (OPC 6.2.2.3). */
static const struct document {
	const char *name;
	uint32_t mark;
} documents[] = {
	{"[Content_Types].xml", MARK_OFFICE},
	{"word/document.xml", MARK_WORD},
	{"xl/workbook.xml", MARK_EXCEL},
	{"xl/workbook.bin", MARK_EXCEL_BINARY},
	{"ppt/presentation.xml", MARK_POWERPOINT},
	{"visio/document.xml", MARK_VISIO},
	{"FixedDocumentSequence.fdseq", MARK_XPS},
	{"FixedDocSeq.fdseq", MARK_XPS},
	{"META-INF/MANIFEST.MF", MARK_MANIFEST},
	{"AndroidManifest.xml", MARK_ANDROID},
};

static bool is(const char *name, size_t n, const char *word)
{
	return n == strlen(word) && strncasecmp(name, word, n) == 0;
}

static bool ends(const char *name, size_t n, const char *word)
{
	size_t m = strlen(word);

	return n >= m && strncasecmp(name + n - m, word, m) == 0;
}

static bool holds(const char *name, size_t n, const char *word)
{
	size_t m = strlen(word);

	for (size_t i = 0; i + m <= n; i++)
		if (strncasecmp(name + i, word, m) == 0)
			return true;
	return false;
}

/* What the bytes of the name say. */
static uint32_t path_flags(const uint8_t *raw, size_t n)
{
	const char *s = (const char *)raw;
	uint32_t flags = n == 0 ? ZIP_NAME_ODD : 0;

	for (size_t i = 0; i < n; i++)
		if (raw[i] < 0x20 || raw[i] == '\\')
			flags |= ZIP_NAME_ODD;
	if (n > 0 && (s[0] == '/' || s[0] == '\\' || (n > 1 && s[1] == ':')))
		flags |= ZIP_ABSOLUTE;
	for (size_t i = 0; i + 2 <= n; i++)
		if (s[i] == '.' && s[i + 1] == '.' && (i == 0 || strchr("/\\:", s[i - 1]) != NULL) &&
			(i + 2 == n || s[i + 2] == '/' || s[i + 2] == '\\'))
			flags |= ZIP_PARENT;
	if (n > 0 && (s[n - 1] == '/' || s[n - 1] == '\\'))
		flags |= ZIP_DIRECTORY;
	return flags;
}

/* Info-ZIP's field with the name in UTF-8: good when it belongs to this name. */
static const uint8_t *unicode_name(const struct zip *z, size_t nraw, size_t *ret_n)
{
	size_t n = 0;
	const uint8_t *p = zip_extra(z, 0x7075, &n);

	if (p == NULL || n < 6 || p[0] != 1 || zip_u32(p + 1) != crc32(0, z->raw, (uInt)nraw))
		return NULL;
	*ret_n = n - 5;
	return p + 5;
}

static bool is_ascii(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] >= 0x80)
			return false;
	return true;
}

static void name_entry(struct zip *z, size_t nraw)
{
	struct zip_entry *e = &z->entry;
	size_t n = 0;
	const uint8_t *utf8 = (z->now.flags & HEADER_UTF_8) ? NULL : unicode_name(z, nraw, &n);
	bool odd = false;

	if (utf8 != NULL) {
		e->nname = shown_name(CHARSET_UTF_8, utf8, n, z->shown, ZIP_SHOWN_MAX, &odd);
		/* Two names that any program could have read alike, and that differ. */
		if (is_ascii(z->raw, nraw) && (n != nraw || memcmp(utf8, z->raw, n) != 0))
			odd = true;
		e->flags |= path_flags(utf8, n);
	} else {
		enum charset charset = (z->now.flags & HEADER_UTF_8) ? CHARSET_UTF_8 : shown_charset(z->raw, nraw);
		e->nname = shown_name(charset, z->raw, nraw, z->shown, ZIP_SHOWN_MAX, &odd);
	}
	e->name = z->shown;
	e->flags |= path_flags(z->raw, nraw) | (odd ? ZIP_NAME_ODD : 0);
}

static bool known_name(const struct zip *z)
{
	for (uint32_t i = 0; i < z->nseen; i++)
		if (z->seen[i].name[0] == z->now.name[0] && z->seen[i].name[1] == z->now.name[1])
			return true;
	return false;
}

static void note_document(struct zip *z)
{
	struct zip_entry *e = &z->entry;

	for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++)
		if (is(e->name, e->nname, documents[i].name))
			z->marks |= documents[i].mark;
	if (ends(e->name, e->nname, ".class"))
		z->marks |= MARK_CLASS;
	if (ends(e->name, e->nname, "vbaProject.bin") || holds(e->name, e->nname, "/macrosheets/") ||
		(e->nname > 6 && strncmp(e->name, "Basic/", 6) == 0 && ends(e->name, e->nname, ".xml")))
		e->flags |= ZIP_MACROS;
	bool folder = (e->flags & ZIP_DIRECTORY) != 0;
	if (!folder && (holds(e->name, e->nname, "/embeddings/") || holds(e->name, e->nname, "/activeX/")))
		e->flags |= ZIP_OBJECT;
}

/* The header of an entry is read, and its name and extra fields. */
void zip_entry_begin(struct zip *z)
{
	struct zip_entry *e = &z->entry;
	size_t nraw = z->need;

	if (!zip_wide(z, false)) {
		zip_lose(z, ZIP_NO_HEADER);
		return;
	}
	*e = (struct zip_entry){.size = z->now.size, .packed = z->now.packed, .crc = z->now.crc, .method = z->now.method};
	if (zip_u16(z->field + 22) > ZIP_NAME_MAX)
		e->flags |= ZIP_NAME_ODD;
	name_entry(z, nraw);
	if (z->now.flags & (HEADER_ENCRYPTED | HEADER_STRONG) || z->now.method == 99)
		e->flags |= ZIP_ENCRYPTED;
	if (known_name(z))
		e->flags |= ZIP_NAME_TWICE;
	note_document(z);
	e->kind = SNIFF_DATA;
	z->opened = true;
	zip_data_begin(z);
}

/* By its content, and a document of Office by its name, too: its first bytes do not say which it is. */
static enum sniff_kind kind_of(const struct zip *z)
{
	const struct zip_entry *e = &z->entry;
	enum sniff_kind kind = sniff_head(z->head, z->nhead, z->whole && z->out == z->nhead);

	if (kind != SNIFF_OOXML && kind != SNIFF_COMPOUND)
		return kind;
	return sniff_fits(kind, e->name, e->nname) ? sniff_claim(e->name, e->nname) : kind;
}

static void judge_entry(struct zip *z)
{
	struct zip_entry *e = &z->entry;

	if ((e->flags & ZIP_DIRECTORY) && e->size == 0)
		return;
	if (e->flags & ZIP_DIRECTORY) /* a folder with content is a file in disguise */
		e->flags = (e->flags & ~ZIP_DIRECTORY) | ZIP_NAME_ODD;
	bool seen = (e->flags & ZIP_UNREAD) == 0;
	if (seen)
		e->kind = e->size == 0 && z->nhead == 0 ? SNIFF_EMPTY : kind_of(z);
	uint32_t traits = sniff_type(seen ? e->kind : sniff_claim(e->name, e->nname))->traits;
	if (traits & SNIFF_IS_ARCHIVE)
		e->flags |= ZIP_ARCHIVE;
	if ((traits & SNIFF_IS_PROGRAM) || sniff_name_runs(e->name, e->nname))
		e->flags |= ZIP_PROGRAM;
	if (seen && (traits & SNIFF_IS_MACRO))
		e->flags |= ZIP_MACROS;
	/* macOS adds what it knows of each file under the file's own name. */
	if (seen && !sniff_fits(e->kind, e->name, e->nname) && strncmp(e->name, "__MACOSX/", 9) != 0)
		e->flags |= ZIP_UNFIT;
	if (sniff_name_dressed(e->name, e->nname))
		e->flags |= ZIP_DRESSED;
	if (e->size > ZIP_RATIO_FREE && e->size / ZIP_RATIO_MAX > e->packed)
		e->flags |= ZIP_BOMB;
}

static void note_mimetype(struct zip *z)
{
	static const char office[] = "application/vnd.oasis.opendocument", book[] = "application/epub";

	if (z->nseen != 0 || !is(z->entry.name, z->entry.nname, "mimetype"))
		return;
	if (z->nhead >= sizeof(office) - 1 && memcmp(z->head, office, sizeof(office) - 1) == 0)
		z->marks |= MARK_OPENDOCUMENT;
	if (z->nhead >= sizeof(book) - 1 && memcmp(z->head, book, sizeof(book) - 1) == 0)
		z->marks |= MARK_EPUB;
}

void zip_entry_end(struct zip *z)
{
	struct zip_entry *e = &z->entry;
	struct zip_report *r = &z->report;

	judge_entry(z);
	note_mimetype(z);
	z->now.size = e->size;
	z->now.packed = e->packed;
	z->now.crc = e->crc;
	z->seen[z->nseen++] = z->now;
	r->entries++;
	r->files += (e->flags & ZIP_DIRECTORY) == 0;
	r->encrypted += (e->flags & (ZIP_DIRECTORY | ZIP_ENCRYPTED)) == ZIP_ENCRYPTED;
	r->size += e->size;
	r->packed += e->packed;
	r->flags |= e->flags;
	z->opened = false;
	if (z->handler.end != NULL)
		z->handler.end(z->handler.arg, e, z->whole);
}

/* What was seen together, and what it makes: without macros, with. Programs first. */
static const struct {
	uint32_t marks;
	uint8_t kind, with;
} kinds[] = {
	{MARK_ANDROID, SNIFF_APK, SNIFF_APK},
	{MARK_MANIFEST | MARK_CLASS, SNIFF_JAR, SNIFF_JAR},
	{MARK_OFFICE | MARK_WORD, SNIFF_DOCX, SNIFF_DOCM},
	{MARK_OFFICE | MARK_EXCEL_BINARY, SNIFF_XLSB, SNIFF_XLSM},
	{MARK_OFFICE | MARK_EXCEL, SNIFF_XLSX, SNIFF_XLSM},
	{MARK_OFFICE | MARK_POWERPOINT, SNIFF_PPTX, SNIFF_PPTM},
	{MARK_OFFICE | MARK_VISIO, SNIFF_VISIO, SNIFF_VISIO},
	{MARK_OFFICE | MARK_XPS, SNIFF_XPS, SNIFF_XPS},
	{MARK_OPENDOCUMENT, SNIFF_OPENDOCUMENT, SNIFF_OPENDOCUMENT},
	{MARK_EPUB, SNIFF_EPUB, SNIFF_EPUB},
};

enum sniff_kind zip_kind(const struct zip *z)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if ((z->marks & kinds[i].marks) == kinds[i].marks)
			return z->report.flags & ZIP_MACROS ? kinds[i].with : kinds[i].kind;
	return SNIFF_ZIP;
}
