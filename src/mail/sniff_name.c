/*
 * sniff_name.c: what a file's name says, and whether its content agrees.
 *
 * Input: names that strangers chose, as UTF-8 of any quality; only ASCII of the extension matters. No state, never fails.
 */
#include <sekisho/sniff.h>

#include <string.h>
#include <strings.h>

/* What Windows runs, mounts or hands to an interpreter at a click; and what macOS and Linux desktops do. */
static const char runs[] =
	"exe com scr pif cpl bat cmd msi msp mst msc ps1 psm1 psd1 ps1xml ps2 psc1 psc2 vbs vbe vb js jse mjs ws wsf wsc wsh sct hta "
	"jar jnlp lnk url website scf reg inf chm hlp application gadget appref-ms appx appxbundle msix msixbundle appinstaller "
	"dll ocx sys drv xll wll ade adp mde accde mad maf mag mam maq mar mas mat mau mav maw mda mdt mdw mdz "
	"iso img vhd vhdx settingcontent-ms library-ms search-ms searchconnector-ms theme themepack desklink mapimail diagcab "
	"one onepkg rdp udl py pyw pyc pyz pyzw rb pl sh bash csh ksh command app pkg dmg deb rpm run desktop apk "
	"osd grp prg cnt fxp mcf ops plg shb shs vsmacros vsw xbap xnk";

/* Blanks and dots at the end do not count; U+3000 is a blank. */
static size_t trim(const char *name, size_t n)
{
	for (;;) {
		if (n > 0 && strchr(" .\t", name[n - 1]) != NULL)
			n--;
		else if (n > 2 && memcmp(name + n - 3, "\xe3\x80\x80", 3) == 0)
			n -= 3;
		else
			return n;
	}
}

/* The extension without its dot; NULL when there is none. */
static const char *extension(const char *name, size_t n, size_t *ret_n)
{
	size_t i = n;

	while (i > 0 && strchr("./\\:", name[i - 1]) == NULL)
		i--;
	/* strchr finds the NUL of its list, too: a name holds none where it is text. */
	if (i == 0 || name[i - 1] != '.' || i == n)
		return NULL;
	*ret_n = n - i;
	return name + i;
}

/* Is word one of list, whose words are parted by blanks? */
static bool listed(const char *list, const char *word, size_t n)
{
	while (*list != '\0') {
		list += strspn(list, " ");
		size_t m = strcspn(list, " ");
		if (m == n && n > 0 && strncasecmp(list, word, n) == 0)
			return true;
		list += m;
	}
	return false;
}

static enum sniff_kind claim(const char *ext, size_t n)
{
	for (unsigned k = SNIFF_TEXT; k < SNIFF_KINDS; k++)
		if (k != SNIFF_OOXML && listed(sniff_type(k)->extensions, ext, n))
			return k;
	return SNIFF_DATA;
}

enum sniff_kind sniff_claim(const char *name, size_t n)
{
	size_t next = 0;
	const char *ext = extension(name, trim(name, n), &next);

	return ext != NULL ? claim(ext, next) : SNIFF_DATA;
}

/* Kinds whose first bytes are those of another one: by the first bytes alone they may be each. */
static bool is_of(enum sniff_kind family, enum sniff_kind kind)
{
	switch (family) {
	case SNIFF_ZIP:
		return (kind >= SNIFF_OOXML && kind <= SNIFF_VISIO) || kind == SNIFF_JAR || kind == SNIFF_APK;
	case SNIFF_OOXML:
		return (kind >= SNIFF_OOXML && kind <= SNIFF_XLSB) || kind == SNIFF_XPS || kind == SNIFF_VISIO;
	case SNIFF_COMPOUND:
		return (kind >= SNIFF_DOC && kind <= SNIFF_COMPOUND) || kind == SNIFF_MSI;
	default:
		return false;
	}
}

bool sniff_fits(enum sniff_kind kind, const char *name, size_t n)
{
	size_t next = 0;
	const char *ext = extension(name, trim(name, n), &next);
	const struct sniff_type *type = sniff_type(kind);

	if (kind == SNIFF_EMPTY || (ext != NULL && listed(type->extensions, ext, next)))
		return true;
	if (ext == NULL)
		return (type->traits & SNIFF_IS_PROGRAM) == 0;
	enum sniff_kind said = claim(ext, next);
	if (said == SNIFF_DATA) /* unknown to us */
		return (type->traits & SNIFF_IS_PROGRAM) == 0;
	if ((type->traits & SNIFF_IS_TEXT) && (type->traits & SNIFF_IS_PROGRAM) == 0 &&
		(sniff_type(said)->traits & SNIFF_IS_TEXT))
		return true; /* a page of text may look like any kind of text */
	for (unsigned k = 0; k < SNIFF_KINDS; k++)
		if (is_of(kind, k) && listed(sniff_type(k)->extensions, ext, next))
			return true;
	return false;
}

bool sniff_name_runs(const char *name, size_t n)
{
	size_t next = 0;
	const char *ext = extension(name, trim(name, n), &next);

	return ext != NULL && listed(runs, ext, next);
}

/* Marks of direction, as they are or as mailtext shows them. */
static bool turned(const char *name, size_t n)
{
	static const char *const marks[] = {"[U+202", "[U+206", "\xe2\x80\xae", "\xe2\x80\xad", "\xe2\x81\xa6",
		"\xe2\x81\xa7"};

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (memmem(name, n, marks[i], strlen(marks[i])) != NULL)
			return true;
	return false;
}

bool sniff_name_dressed(const char *name, size_t n)
{
	size_t next = 0, before = 0;
	const char *ext = extension(name, n = trim(name, n), &next);

	if (ext == NULL || !listed(runs, ext, next))
		return false;
	size_t stem = (size_t)(ext - name) - 1;
	if (stem - trim(name, stem) >= 4 || turned(name, n))
		return true;
	const char *first = extension(name, trim(name, stem), &before);
	return first != NULL && claim(first, before) != SNIFF_DATA && !listed(runs, first, before);
}
