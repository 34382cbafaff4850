/*
 * zip.h: what is in a ZIP that passes by once, front to back. Nothing is kept, nothing is written anywhere.
 *
 * The local headers are walked as they come; the central directory behind them must then tell the same story (count,
 * names, sizes, check sums, places). If it does not, different programs would see different files in it: 壊れた書庫
 * (report.broken says how). Entries are told in the order of the bytes, before the directory is known; report.broken
 * may come later.
 *
 * What is inflated: the first bytes of each entry, to see its kind; an entry whose length stands behind it (data
 * descriptor), to find its end; an entry that the owner wants. All inflated bytes are taken from one allowance a
 * mail; when it is used up, ends are found by the descriptor's own marks, nothing more is inflated, and the report
 * says so. One level: an archive in the archive is named, not opened.
 */
#ifndef SEKISHO_ZIP_H
#define SEKISHO_ZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nettle/sha2.h>

#include <sekisho/mail_limits.h>
#include <sekisho/sniff.h>

/* Of an entry, and or-ed of all entries. */
#define ZIP_ENCRYPTED 0x0001u
#define ZIP_DIRECTORY 0x0002u
#define ZIP_PARENT 0x0004u   /* ".." in the path */
#define ZIP_ABSOLUTE 0x0008u /* begins with / or \, or with a drive letter */
#define ZIP_NAME_ODD 0x0010u /* controls, marks of direction, bytes that are no text, backslashes; too long; none */
#define ZIP_NAME_TWICE 0x0020u /* an entry before had the same name */
#define ZIP_ARCHIVE 0x0040u  /* is itself an archive */
#define ZIP_PROGRAM 0x0080u  /* by content, or by name */
#define ZIP_DRESSED 0x0100u  /* its name hides that it is a program */
#define ZIP_UNFIT 0x0200u    /* the name's extension says another kind than the content is */
#define ZIP_MACROS 0x0400u   /* vbaProject.bin, macro sheets */
#define ZIP_OBJECT 0x0800u   /* an embedded object of a document (OLE, ActiveX) */
#define ZIP_BOMB 0x1000u     /* says or shows more than ZIP_RATIO_MAX */
#define ZIP_UNREAD 0x2000u   /* the content's kind could not be seen: encrypted, unknown method, allowance used up */

/* Why an archive is not well formed; the first that was found. */
enum zip_broken {
	ZIP_WELL,
	ZIP_NO_HEADER,	   /* does not begin with an entry, or something stands between entries */
	ZIP_CUT,	   /* ends in the middle */
	ZIP_BAD_DATA,	   /* an entry cannot be inflated, or its length or check sum are wrong */
	ZIP_NO_END,	   /* the end of an entry was not found */
	ZIP_BAD_DIRECTORY, /* the directory cannot be read */
	ZIP_DISAGREES,	   /* the directory names other entries than there are */
	ZIP_BEHIND,	   /* bytes behind the end */
	ZIP_SPANNED,	   /* one of several parts */
	ZIP_DIRECTORY_ENCRYPTED,
	ZIP_TOO_MANY,	   /* more than ZIP_ENTRIES_MAX: the rest was not read */
	ZIP_BROKENS
};
/* For people: a msgid, give it to _(). */
const char *zip_broken_text(enum zip_broken broken);
/* For reports: "disagrees"; "well" for ZIP_WELL. */
const char *zip_broken_word(enum zip_broken broken);

struct zip_entry {
	const char *name; /* UTF-8 through mailtext (one line, odd characters visible), NUL; at most ZIP_SHOWN_MAX bytes */
	size_t nname;
	uint64_t size, packed; /* bytes, inflated and as they are; size is what was said until it was read */
	uint32_t crc;
	uint32_t flags;	       /* ZIP_... */
	uint16_t method;       /* 0 stored, 8 deflated, 99 AES, ... */
	enum sniff_kind kind;  /* by content; SNIFF_DATA with ZIP_UNREAD when it was not seen */
};

struct zip_report {
	uint32_t entries;      /* that were told */
	uint32_t files;	       /* of these, no directories */
	uint32_t encrypted;    /* of these files */
	uint64_t size, packed; /* sums */
	uint32_t flags;	       /* ZIP_... of all */
	enum zip_broken broken;
	enum sniff_kind kind;  /* SNIFF_ZIP, SNIFF_DOCX, SNIFF_DOCM, SNIFF_JAR, ... by the names in it */
	bool spent;	       /* the allowance was used up: not all was looked at */
};

/* The owner. Pointers of an entry are good during the call. Any member may be NULL. */
struct zip_handler {
	void *arg;
	/* An entry begins; size, packed, crc may still be 0 and kind unknown. true: its content is wanted. */
	bool (*begin)(void *arg, const struct zip_entry *e);
	/* Content of a wanted entry, inflated. false: no more of it is wanted. */
	bool (*data)(void *arg, const uint8_t *bytes, size_t n);
	/* The entry is over. whole: it was wanted, all of it came and its check sum was right. */
	void (*end)(void *arg, const struct zip_entry *e, bool whole);
	uint64_t *allowance; /* shared by all that is unpacked of a mail; begins as ZIP_ALLOWANCE; NULL: one of its own */
};

/* What was seen of an entry, to compare with the directory. */
struct zip_seen {
	uint64_t offset, packed, size;
	uint64_t name[2]; /* 128 bits of the SHA-256 of its bytes */
	uint32_t crc;
	uint16_t flags, method;
	bool listed; /* the directory has it */
};

#define ZIP_INFLATE_MEMORY (48u << 10) /* zlib: 7 KiB of state, 32 KiB of window */

/* One archive on its way: 115 KiB. Every member but `report` is zip's own. */
struct zip {
	struct zip_report report;
	struct zip_handler handler;
	struct zip_entry entry;
	uint64_t own; /* the allowance, when it is not shared */
	/* Reading. */
	uint8_t state, mode;
	uint32_t need, fill;   /* of field[] */
	uint64_t offset;       /* of the next byte */
	uint64_t record;       /* where the record that is being read begins */
	uint64_t left;	       /* bytes of the data, of a name, of what is skipped */
	uint64_t start, behind; /* the directory */
	uint64_t zip64;	       /* where ZIP64's end record begins; 0 none */
	uint32_t nextra, ncomment;
	uint32_t marks;	       /* which names of documents were seen */
	/* The entry that is open. */
	bool opened, known, asked, wanted, whole, bad, failed, poor, wide;
	uint64_t count;	       /* bytes of its data so far, as they are */
	uint64_t out;	       /* inflated */
	uint64_t due, budget;  /* of that, not taken from the allowance yet; what the allowance was then */
	uint32_t crc;	       /* of what was inflated */
	uint16_t nhead, nheld;
	uint8_t field[64];
	uint8_t raw[ZIP_NAME_MAX];
	uint8_t extra[1024];
	uint8_t head[SNIFF_HEAD]; /* of its content */
	uint8_t held[64];      /* when its end is searched: bytes that may be the mark */
	char shown[ZIP_SHOWN_MAX + 4];
	/* All entries. */
	uint32_t nseen, nlisted;
	struct zip_seen now;   /* the record that is being read */
	struct zip_seen seen[ZIP_ENTRIES_MAX];
	struct sha256_ctx hash;
	/* zlib, without the heap. */
	void *inflate; /* its z_stream, in memory[] */
	uint32_t used;
	uint64_t memory[ZIP_INFLATE_MEMORY / 8];
};

void zip_begin(struct zip *z, const struct zip_handler *handler);
void zip_push(struct zip *z, const void *bytes, size_t n);
/* The archive is over: what is open ends, the directory is judged. Then report is final. */
void zip_end(struct zip *z);

#endif
