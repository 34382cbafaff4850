/*
 * sniff.c: what a file is, by its first bytes; a compound file by its directory (sniff_cfb.c), text by what it looks like
 * (sniff_text.c), an ISO 9660 image by the mark at 32 769.
 *
 * Input: bytes of strangers, cut anywhere. State: struct sniff. Never fails: what is nothing else is SNIFF_DATA. A
 * file that is two things at once is what its first bytes say, as the programs that would open it go by.
 */
#include "sniff_private.h"

#include <string.h>

#define ISO_AT 32769u

/* A fixed mark. The first row that fits decides, so longer marks stand before shorter ones. */
static const struct magic {
	uint16_t at;
	uint8_t n;
	uint8_t kind;
	const char *bytes;
} magics[] = {
	{0, 4, SNIFF_TNEF, "\x78\x9f\x3e\x22"},
	{0, 8, SNIFF_COMPOUND, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"},
	{0, 5, SNIFF_PDF, "%PDF-"},
	{0, 4, SNIFF_POSTSCRIPT, "%!PS"},
	{0, 4, SNIFF_RTF, "{\\rt"},
	{0, 3, SNIFF_JPEG, "\xff\xd8\xff"},
	{0, 8, SNIFF_PNG, "\x89PNG\r\n\x1a\n"},
	{0, 4, SNIFF_GIF, "GIF8"},
	{0, 4, SNIFF_TIFF, "II*\0"},
	{0, 4, SNIFF_TIFF, "MM\0*"},
	{0, 4, SNIFF_PHOTOSHOP, "8BPS"},
	{0, 4, SNIFF_METAFILE, "\xd7\xcd\xc6\x9a"},
	{0, 6, SNIFF_METAFILE, "\x01\0\x09\0\0\x03"},
	{40, 4, SNIFF_METAFILE, " EMF"},
	{0, 4, SNIFF_MEDIA, "OggS"},
	{0, 4, SNIFF_MEDIA, "fLaC"},
	{0, 4, SNIFF_MEDIA, "MThd"},
	{0, 3, SNIFF_MEDIA, "ID3"},
	{0, 4, SNIFF_MEDIA, "\x1a\x45\xdf\xa3"},
	{0, 8, SNIFF_MEDIA, "\x30\x26\xb2\x75\x8e\x66\xcf\x11"},
	{0, 4, SNIFF_MEDIA, "\0\0\x01\xba"},
	{0, 4, SNIFF_MEDIA, "\0\0\x01\xb3"},
	{0, 6, SNIFF_7Z, "7z\xbc\xaf\x27\x1c"},
	{0, 6, SNIFF_RAR, "Rar!\x1a\x07"},
	{0, 4, SNIFF_CAB, "MSCF"},
	{0, 4, SNIFF_CAB, "ISc("},
	{0, 3, SNIFF_GZIP, "\x1f\x8b\x08"},
	{0, 3, SNIFF_BZIP2, "BZh"},
	{0, 6, SNIFF_XZ, "\xfd" "7zXZ\0"},
	{0, 4, SNIFF_ZSTD, "\x28\xb5\x2f\xfd"},
	{0, 2, SNIFF_COMPRESS, "\x1f\x9d"},
	{0, 2, SNIFF_COMPRESS, "\x1f\xa0"},
	{0, 2, SNIFF_ARJ, "\x60\xea"},
	{7, 7, SNIFF_ACE, "**ACE**"},
	{257, 5, SNIFF_TAR, "ustar"},
	{0, 8, SNIFF_AR, "!<arch>\n"},
	{0, 6, SNIFF_CPIO, "070701"},
	{0, 6, SNIFF_CPIO, "070702"},
	{0, 6, SNIFF_CPIO, "070707"},
	{0, 8, SNIFF_DISK, "conectix"},
	{0, 8, SNIFF_DISK, "vhdxfile"},
	{0, 4, SNIFF_DISK, "KDMV"},
	{0, 4, SNIFF_DISK, "QFI\xfb"},
	{0, 8, SNIFF_DISK, "MSWIM\0\0\0"},
	{0, 4, SNIFF_ELF, "\x7f" "ELF"},
	{0, 4, SNIFF_MACHO, "\xfe\xed\xfa\xce"},
	{0, 4, SNIFF_MACHO, "\xfe\xed\xfa\xcf"},
	{0, 4, SNIFF_MACHO, "\xce\xfa\xed\xfe"},
	{0, 4, SNIFF_MACHO, "\xcf\xfa\xed\xfe"},
	{0, 8, SNIFF_SHORTCUT, "\x4c\0\0\0\x01\x14\x02\0"},
	{0, 4, SNIFF_HELP, "ITSF"},
	{0, 16, SNIFF_ONENOTE, "\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3"},
	{0, 16, SNIFF_DATABASE, "SQLite format 3\0"},
	{4, 15, SNIFF_DATABASE, "Standard Jet DB"},
	{4, 15, SNIFF_DATABASE, "Standard ACE DB"},
};

static uint32_t le32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static bool has(const uint8_t *p, size_t n, size_t at, const char *bytes, size_t nbytes)
{
	return n >= at + nbytes && memcmp(p + at, bytes, nbytes) == 0;
}

static enum sniff_kind of_magic(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
		if (has(p, n, magics[i].at, magics[i].bytes, magics[i].n))
			return magics[i].kind;
	return SNIFF_DATA;
}

bool sniff_is_zip(const void *bytes, size_t n)
{
	static const char marks[][5] = {"PK\x03\x04", "PK\x05\x06", "PK\x07\x08", "PK00"};

	for (size_t i = 0; i < 4; i++)
		if (has(bytes, n, 0, marks[i], 4))
			return true;
	return false;
}

/* Which ZIP, by the name of its first entry: documents of Office and OpenDocument begin in a few ways. */
static enum sniff_kind of_zip(const uint8_t *p, size_t n)
{
	static const struct {
		const char *name;
		uint8_t kind;
	} first[] = {
		{"[Content_Types].xml", SNIFF_OOXML},
		{"_rels/", SNIFF_OOXML},
		{"docProps/", SNIFF_OOXML},
		{"word/", SNIFF_OOXML},
		{"xl/", SNIFF_OOXML},
		{"ppt/", SNIFF_OOXML},
		{"mimetypeapplication/vnd.oasis.opendocument", SNIFF_OPENDOCUMENT},
		{"mimetypeapplication/epub", SNIFF_EPUB},
		{"META-INF/MANIFEST.MF", SNIFF_JAR},
		{"AndroidManifest.xml", SNIFF_APK},
	};
	for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++)
		if (has(p, n, 30, first[i].name, strlen(first[i].name)))
			return first[i].kind;
	return SNIFF_ZIP;
}

/* ISO base media: "ftyp" and a brand. RIFF: a form. */
static enum sniff_kind of_container(const uint8_t *p, size_t n)
{
	static const char stills[][5] = {"heic", "heix", "heim", "mif1", "msf1", "avif", "avis"};

	if (has(p, n, 0, "RIFF", 4) && n >= 12)
		return memcmp(p + 8, "WEBP", 4) == 0 ? SNIFF_WEBP : SNIFF_MEDIA;
	if (!has(p, n, 4, "ftyp", 4))
		return SNIFF_DATA;
	for (size_t i = 0; i < sizeof(stills) / sizeof(stills[0]); i++)
		if (has(p, n, 8, stills[i], 4))
			return SNIFF_HEIF;
	return SNIFF_MEDIA;
}

/* Marks of two or four bytes that need a second look. */
static enum sniff_kind of_short_mark(const uint8_t *p, size_t n)
{
	if (n >= 30 && p[0] == 'M' && p[1] == 'Z')
		return SNIFF_EXE;
	if (n >= 8 && memcmp(p, "\xca\xfe\xba\xbe", 4) == 0)
		return p[4] == 0 && p[5] == 0 && p[6] == 0 && p[7] < 30 ? SNIFF_MACHO : SNIFF_CLASS;
	if (n >= 18 && p[0] == 'B' && p[1] == 'M' && le32(p + 14) <= 124 && le32(p + 14) >= 12)
		return SNIFF_BMP;
	if (n >= 10 && (has(p, n, 0, "\0\0\1\0", 4) || has(p, n, 0, "\0\0\2\0", 4)) && p[4] != 0 && p[5] == 0 && p[9] == 0)
		return SNIFF_ICON;
	if (n >= 8 && strchr("FCZ", p[0]) != NULL && p[0] != 0 && p[1] == 'W' && p[2] == 'S' && p[3] > 0 && p[3] < 60)
		return SNIFF_FLASH;
	if (n >= 7 && (has(p, n, 2, "-lh", 3) || has(p, n, 2, "-lz", 3) || has(p, n, 2, "-pm", 3)) && p[6] == '-')
		return SNIFF_LZH;
	if (n >= 4 && p[0] == 0xff && (p[1] & 0xe6) == 0xe2 && (p[2] & 0xf0) != 0xf0 && (p[2] & 0x0c) != 0x0c)
		return SNIFF_MEDIA; /* MPEG audio, layer 3 */
	return SNIFF_DATA;
}

/* The header of a DER value at p: its length's bytes; 0 when it is none. */
static size_t der_header(const uint8_t *p, size_t n, uint8_t tag)
{
	if (n < 2 || p[0] != tag)
		return 0;
	if (p[1] <= 0x80)
		return 2;
	return p[1] <= 0x84 && n >= 2u + (p[1] & 0x7fu) ? 2u + (p[1] & 0x7fu) : 0;
}

/* PKCS #7 and CMS, PKCS #12, certificates (ASN.1), and binary OpenPGP that begins with a session key. */
static enum sniff_kind of_crypto(const uint8_t *p, size_t n)
{
	size_t outer = der_header(p, n, 0x30);

	if (outer != 0) {
		size_t inner = der_header(p + outer, n - outer, 0x30);
		if (has(p, n, outer, "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", 11))
			return SNIFF_SIGNATURE; /* signedData */
		if (has(p, n, outer, "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07", 10) ||
			has(p, n, outer, "\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01", 12))
			return SNIFF_PKCS7;
		if (has(p, n, outer, "\x02\x01\x03\x30", 4))
			return SNIFF_CERTIFICATE; /* PKCS #12 */
		if (inner != 0 && has(p, n, outer + inner, "\xa0\x03\x02\x01\x02", 5))
			return SNIFF_CERTIFICATE;
	}
	bool old = n >= 13 && (p[0] == 0x84 || p[0] == 0x85) && p[p[0] == 0x84 ? 2 : 3] == 3;
	bool new = n >= 13 && p[0] == 0xc1 && p[p[1] < 192 ? 2 : 3] == 3;
	uint8_t algorithm = old ? p[p[0] == 0x84 ? 11 : 12] : new ? p[p[1] < 192 ? 11 : 12] : 0;
	return algorithm == 1 || algorithm == 16 || algorithm == 18 || algorithm == 25 ? SNIFF_PGP : SNIFF_DATA;
}

/* Old tar without a mark: the sum of its header is in it. */
static bool is_old_tar(const uint8_t *p, size_t n)
{
	unsigned long said = 0, sum = 0;
	size_t i = 148;

	if (n < 512 || p[0] == 0)
		return false;
	for (; i < 156 && (p[i] == ' ' || (p[i] >= '0' && p[i] <= '7')); i++)
		said = p[i] == ' ' ? said : said * 8 + (p[i] - '0');
	for (size_t k = 0; k < 512; k++)
		sum += k >= 148 && k < 156 ? ' ' : p[k];
	return i > 148 && said == sum;
}

enum sniff_kind sniff_head(const void *bytes, size_t n, bool whole)
{
	enum sniff_kind (*const looks[])(const uint8_t *, size_t) = {
		of_magic, of_container, sniff_text, of_short_mark, of_crypto};
	const uint8_t *p = bytes;

	n = n < SNIFF_HEAD ? n : SNIFF_HEAD;
	if (n == 0)
		return whole ? SNIFF_EMPTY : SNIFF_DATA;
	if (sniff_is_zip(p, n))
		return of_zip(p, n);
	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
		enum sniff_kind kind = looks[i](p, n);
		if (kind != SNIFF_DATA)
			return kind;
	}
	/* A PDF may have something before it; programs that read it do not mind. */
	return memmem(p, n, "%PDF-", 5) != NULL ? SNIFF_PDF : is_old_tar(p, n) ? SNIFF_TAR : SNIFF_DATA;
}

void sniff_begin(struct sniff *s)
{
	s->size = 0;
	s->streams = 0;
	s->compound = s->volume = false;
}

/* Records of 128 bytes: those that are whole in place, the others are put together in entry[]. */
static void push_records(struct sniff *s, const uint8_t *p, size_t n, uint64_t at)
{
	while (n > 0) {
		size_t fill = at % 128, take = 128 - fill < n ? 128 - fill : n;
		if (take == 128) {
			s->streams |= cfb_record(p);
		} else {
			memcpy(s->entry + fill, p, take);
			if (fill + take == 128)
				s->streams |= cfb_record(s->entry);
		}
		p += take;
		n -= take;
		at += take;
	}
}

static void push_volume(struct sniff *s, const uint8_t *p, size_t n)
{
	static const char mark[] = "CD001";

	for (size_t i = 0; i < 5; i++) {
		uint64_t at = ISO_AT + i;
		if (at >= s->size && at - s->size < n) {
			if (i == 0)
				s->volume = true;
			s->volume = s->volume && p[at - s->size] == (uint8_t)mark[i];
		}
	}
}

void sniff_push(struct sniff *s, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	if (n == 0)
		return;
	if (s->size < SNIFF_HEAD) {
		size_t take = SNIFF_HEAD - s->size < n ? (size_t)(SNIFF_HEAD - s->size) : n;
		memcpy(s->head + s->size, p, take);
	}
	if (s->size < 8 && s->size + n >= 8) {
		s->compound = memcmp(s->head, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8) == 0;
		if (s->compound && s->size > 0)
			memcpy(s->entry, s->head, (size_t)s->size);
	}
	if (s->compound)
		push_records(s, p, n, s->size);
	if (s->size < ISO_AT + 5 && s->size + n > ISO_AT)
		push_volume(s, p, n);
	s->size += n;
}

enum sniff_kind sniff_kind(const struct sniff *s)
{
	enum sniff_kind kind = sniff_head(s->head, s->size < SNIFF_HEAD ? (size_t)s->size : SNIFF_HEAD, true);

	if (kind == SNIFF_COMPOUND)
		return cfb_kind(s->streams);
	return kind == SNIFF_DATA && s->volume && s->size >= ISO_AT + 5 ? SNIFF_ISO : kind;
}

uint32_t sniff_cfb(const struct sniff *s)
{
	return s->streams & 0xff;
}
