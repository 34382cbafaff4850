/*
 * sniff.h: what a file is, by its content. The sender's word for it (type, name) counts for nothing here.
 *
 * Bytes are pushed as they are decoded; fixed memory. The kind comes from the first bytes, and for compound files (old
 * Word, Excel, mail of Outlook, ...) from the names of their streams, wherever in the file they are. Which document a
 * ZIP is, and whether it has macros, says zip.h: here it is SNIFF_ZIP, or SNIFF_OOXML when it begins like one of Office.
 */
#ifndef SEKISHO_SNIFF_H
#define SEKISHO_SNIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sniff_kind {
	SNIFF_EMPTY, /* no byte */
	SNIFF_DATA,  /* none of the others */
	/* Text. */
	SNIFF_TEXT,
	SNIFF_HTML,
	SNIFF_XML,
	SNIFF_SVG,
	SNIFF_RTF,
	SNIFF_CALENDAR,
	SNIFF_VCARD,
	SNIFF_MAIL,
	SNIFF_UUENCODE,
	SNIFF_POSTSCRIPT,
	/* Documents. */
	SNIFF_PDF,
	SNIFF_OOXML, /* of today's Office, which of them is not known */
	SNIFF_DOCX,
	SNIFF_XLSX,
	SNIFF_PPTX,
	SNIFF_DOCM, /* with macros */
	SNIFF_XLSM,
	SNIFF_PPTM,
	SNIFF_XLSB,
	SNIFF_OPENDOCUMENT,
	SNIFF_EPUB,
	SNIFF_XPS,
	SNIFF_VISIO,
	SNIFF_DOC,
	SNIFF_XLS,
	SNIFF_PPT,
	SNIFF_OFFICE_ENCRYPTED, /* a document of today's Office with a password */
	SNIFF_ICHITARO,
	SNIFF_OUTLOOK, /* .msg */
	SNIFF_COMPOUND, /* some other compound file */
	SNIFF_DATABASE, /* Access, SQLite */
	SNIFF_TNEF,
	/* Pictures, sound, film. */
	SNIFF_JPEG,
	SNIFF_PNG,
	SNIFF_GIF,
	SNIFF_BMP,
	SNIFF_TIFF,
	SNIFF_WEBP,
	SNIFF_HEIF,
	SNIFF_ICON,
	SNIFF_METAFILE,
	SNIFF_PHOTOSHOP,
	SNIFF_MEDIA,
	/* Archives and images of disks. */
	SNIFF_ZIP,
	SNIFF_7Z,
	SNIFF_RAR,
	SNIFF_CAB,
	SNIFF_GZIP,
	SNIFF_BZIP2,
	SNIFF_XZ,
	SNIFF_ZSTD,
	SNIFF_COMPRESS,
	SNIFF_LZH,
	SNIFF_ARJ,
	SNIFF_ACE,
	SNIFF_TAR,
	SNIFF_AR,
	SNIFF_CPIO,
	SNIFF_ISO,
	SNIFF_DISK,
	/* Programs. */
	SNIFF_EXE,
	SNIFF_ELF,
	SNIFF_MACHO,
	SNIFF_CLASS,
	SNIFF_JAR,
	SNIFF_APK,
	SNIFF_MSI,
	SNIFF_SCRIPT,
	SNIFF_SHORTCUT,
	SNIFF_HELP, /* .chm */
	SNIFF_ONENOTE, /* carries files that run at a click */
	SNIFF_FLASH,
	/* Signed or encrypted. */
	SNIFF_PKCS7, /* enveloped */
	SNIFF_SIGNATURE, /* S/MIME or OpenPGP: signed, or only the signature */
	SNIFF_CERTIFICATE,
	SNIFF_PGP,
	SNIFF_PGP_KEY,
	SNIFF_KINDS
};

/* What a kind is, for policies. */
#define SNIFF_IS_TEXT 0x01u	 /* a person can read the bytes */
#define SNIFF_IS_OFFICE 0x02u	 /* document */
#define SNIFF_IS_MACRO 0x04u	 /* holds a program that the document may start */
#define SNIFF_IS_MEDIA 0x08u	 /* picture, sound, film */
#define SNIFF_IS_ARCHIVE 0x10u	 /* other files are in it */
#define SNIFF_IS_PROGRAM 0x20u	 /* a click may run it */
#define SNIFF_IS_ENCRYPTED 0x40u /* nobody but the recipient can look into it */

struct sniff_type {
	const char *word;	/* for reports and policies: "pdf" */
	const char *text;	/* for people: a msgid, give it to _() */
	const char *extensions; /* that such a file may have, lower case, a blank between: "jpg jpeg jpe jfif" */
	uint32_t traits;	/* SNIFF_IS_... */
};

/* Never NULL: what is no kind is SNIFF_DATA. */
const struct sniff_type *sniff_type(enum sniff_kind kind);

/* The kind of a word; SNIFF_KINDS when there is none. */
enum sniff_kind sniff_find(const char *word);

/* Of these first bytes alone (whole: there are no more). 512 are as good as all but for compound files and disc images. */
#define SNIFF_HEAD 512u
enum sniff_kind sniff_head(const void *bytes, size_t n, bool whole);

/* The parts of a compound file (MS-CFB): what the names of its streams say. */
#define SNIFF_CFB_MACROS 0x01u	  /* VBA */
#define SNIFF_CFB_ENCRYPTED 0x02u /* EncryptedPackage */
#define SNIFF_CFB_OBJECT 0x04u	  /* an embedded file (Ole10Native: "Package") */

/* One file on its way. Fixed size, no pointers; every member is sniff's own. */
struct sniff {
	uint64_t size;
	uint8_t head[SNIFF_HEAD];
	uint8_t entry[128]; /* a record that has not come whole */
	uint32_t streams;   /* of a compound file: what was seen */
	bool compound, volume; /* magic of a compound file; CD001 where an ISO 9660 image has it */
};

void sniff_begin(struct sniff *s);
void sniff_push(struct sniff *s, const void *bytes, size_t n);
/* May be asked at any time: what is known so far. */
enum sniff_kind sniff_kind(const struct sniff *s);
/* SNIFF_CFB_... */
uint32_t sniff_cfb(const struct sniff *s);
/* Does it begin as a ZIP does, whatever its kind? Then zip.h has more to say. */
bool sniff_is_zip(const void *bytes, size_t n);

/*
 * Names. They are UTF-8 as a person sees them; blanks and dots at the end do not count, as Windows does not count them.
 */

/* The kind that the extension says; SNIFF_DATA when it has none or an unknown one. */
enum sniff_kind sniff_claim(const char *name, size_t n);

/* May a file of this kind have that name? false: "the name says .pdf, the content is a program". No extension, or one that
 * is not known here, claims nothing and fits all but programs. */
bool sniff_fits(enum sniff_kind kind, const char *name, size_t n);

/* Does Windows run a file of that name at a click (.exe .scr .js .lnk .hta .iso ...)? */
bool sniff_name_runs(const char *name, size_t n);

/* Is it dressed up: a known extension before one that runs ("report.pdf.exe", "report.pdf      .scr")? */
bool sniff_name_dressed(const char *name, size_t n);

#endif
