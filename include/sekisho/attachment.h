/*
 * attachment.h: everything that is told of one attachment while it passes by: kind, size, SHA-256, what is in it, its
 * text.
 *
 * One call for each piece of decoded content; sniff.h, zip.h, tnef.h, ooxml.h and charset.h do the work. Fixed memory:
 * struct attachment is taken once and used for one attachment after the other.
 */
#ifndef SEKISHO_ATTACHMENT_H
#define SEKISHO_ATTACHMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sekisho/charset.h>
#include <sekisho/mailtext.h>
#include <sekisho/ooxml.h>
#include <sekisho/sniff.h>
#include <sekisho/tnef.h>
#include <sekisho/zip.h>


/* options.text_of: whose text is wanted. */
#define ATTACHMENT_DOCX 0x01u
#define ATTACHMENT_XLSX 0x02u
#define ATTACHMENT_PPTX 0x04u
#define ATTACHMENT_TXT 0x08u
#define ATTACHMENT_CSV 0x10u
#define ATTACHMENT_ANY 0x20u /* and any other file whose content is text, whatever its name */
#define ATTACHMENT_ODF 0x40u /* OpenDocument: odt, ods, odp */

/* Something in an attachment: an entry of an archive, an attachment of a winmail.dat. */
struct attachment_item {
	const char *name; /* shown form, good during the call */
	size_t nname;
	uint64_t size;
	uint32_t flags; /* ZIP_...; of a winmail.dat those that apply */
	enum sniff_kind kind;
};

struct attachment_options {
	const char *name; /* file name, UTF-8, as people will see it; may be NULL; the last ATTACHMENT_NAME_MAX bytes count */
	size_t nname;
	enum charset declared; /* of a text file; CHARSET_UNKNOWN when the mail says none */
	unsigned text_of;      /* ATTACHMENT_... */
	size_t text_max;       /* bytes of text */
	bool private_use;
	uint64_t *allowance; /* as in zip_handler: shared by the attachments of a mail */
	void *arg;
	void (*item)(void *arg, const struct attachment_item *item); /* may be NULL */
	mailtext_sink *text; /* UTF-8 through mailtext, LF; NULL: none is wanted */
};

/* What is known. */
#define ATTACHMENT_ENCRYPTED 0x0001u /* all of it or an entry: 中身を確認できません */
#define ATTACHMENT_MACROS 0x0002u
#define ATTACHMENT_PROGRAM 0x0004u  /* is one, or holds one, or has the name of one */
#define ATTACHMENT_ARCHIVE 0x0008u  /* other files are in it */
#define ATTACHMENT_NESTED 0x0010u   /* an archive in the archive */
#define ATTACHMENT_BROKEN 0x0020u   /* 壊れた書庫: zip.broken or tnef.flags say how */
#define ATTACHMENT_BOMB 0x0040u	    /* unpacks to more than a hundredfold */
#define ATTACHMENT_UNFIT 0x0080u    /* the extension says another kind than the content is */
#define ATTACHMENT_DRESSED 0x0100u  /* the name hides that it is a program */
#define ATTACHMENT_PATH 0x0200u	    /* a name in it leads out of the folder */
#define ATTACHMENT_OBJECT 0x0400u   /* an embedded object */
#define ATTACHMENT_UNREAD 0x0800u   /* not all of it could be looked at */
#define ATTACHMENT_TRUNCATED 0x1000u /* not all of its text was given */
#define ATTACHMENT_PARTLY 0x2000u   /* encrypted, but only some of the files in it */

struct attachment_report {
	enum sniff_kind kind;
	uint32_t flags; /* ATTACHMENT_... */
	uint64_t size;
	uint8_t sha256[32];
	uint32_t items; /* that were told */
	bool zip, tnef; /* which of the next two is filled */
	struct zip_report archive;
	struct tnef_report winmail;
	size_t text;	      /* bytes of text given */
	enum charset charset; /* of a text file, as settled */
};

struct attachment; /* some 2.5 MiB, of which only what is needed is touched */
size_t attachment_size(void);

/* In memory of attachment_size() bytes, aligned as malloc() does. Touches little of it. Never fails. */
void attachment_begin(struct attachment *a, const struct attachment_options *options);
void attachment_push(struct attachment *a, const void *bytes, size_t n);
/* The attachment is over. Text that was held back is given now. */
void attachment_end(struct attachment *a, struct attachment_report *ret);

/* The words of flags, for reports: the n-th bit's, NULL behind the last ("encrypted", "macros", ...). */
const char *attachment_flag_word(unsigned bit);
/* For people, a msgid. */
const char *attachment_flag_text(unsigned bit);

#endif
