/*
 * mailreport.h: what the cleaner found in a mail: for the judge, the ledger and people. Never a body, never a subject.
 *
 * The wire form is the structs below in host order: one mailreport, then `shown` times mailreport_part, nothing after. Who
 * reads one that another process wrote opens it with mailreport_open(), which checks every member; an unchecked one is
 * only bytes. Codes and bits are kept by the ledger and never reused. Why a mail is refused is a code of mail_reason.h.
 */
#ifndef SEKISHO_MAILREPORT_H
#define SEKISHO_MAILREPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sekisho/mail_reason.h>
#include <sekisho/mime_flag.h>

struct buf;

#ifndef N_
#define N_(s) s /* marks a msgid for xgettext */
#endif

#define MAILREPORT_VERSION 1u
/* Parts that are described. A mail with more has parts_total > shown: who judges by parts must look. */
#define MAILREPORT_PARTS 100u
/* 255 characters of three bytes, and NUL. */
#define MAILREPORT_NAME 768u
#define MAILREPORT_TYPE 80u
/* Numbers that look like individual numbers: so many are shown, masked. */
#define MAILREPORT_MASKED 4u

/* What is noteworthy about a mail's content: bits of mailreport.flags. What is wrong with its structure are the bits of
 * mime_flag.h, in mailreport.structure. SAID: the sentence stands in the notice at the end of the text. */
/*	bit NAME		SAID   word		       what people read */
#define MAIL_FLAGS(X)                                                                                                      \
	X(0, AMBIGUOUS, true, "ambiguous", N_("parts whose description contradicts itself were removed unread"))           \
	X(1, BAD_ENCODING, true, "bad-encoding", N_("part of the text could not be decoded"))                              \
	X(2, CHARSET_LIE, false, "charset-lie", N_("the text is not in the charset that it names"))                        \
	X(3, CHARSET_UNKNOWN, true, "charset-unknown", N_("text in a charset that is not known here was left out"))        \
	X(4, BAD_TEXT, true, "bad-text", N_("some characters could not be read"))                                          \
	X(5, INVISIBLE, false, "invisible", N_("invisible or direction-changing characters were removed"))                 \
	X(6, HIDDEN, true, "hidden-text", N_("text that the sender had hidden was left out"))                              \
	X(7, DECEPTIVE, true, "deceptive-link", N_("links lead elsewhere than their text says"))                           \
	X(8, BAD_LINK, true, "bad-link", N_("links that would run a program were removed"))                                \
	X(9, BASE, true, "base", N_("the mail tried to redirect its links (base)"))                                        \
	X(10, DIFFER, true, "alternatives-differ", N_("the HTML and the plain text of the mail say different things"))     \
	X(11, STUB, false, "stub", N_("the plain text was only a stub; the HTML is shown"))                                \
	X(12, TRUNCATED, true, "truncated", N_("the text was too long and is cut"))                                        \
	X(13, FROM_MISSING, true, "from-missing", N_("the sender's address is missing or malformed"))                      \
	X(14, FROM_SEVERAL, true, "from-several", N_("several senders are named; the first one is shown"))                 \
	X(15, LOOKALIKE, true, "lookalike-name", N_("a name looks like a mail address; only the address in < > is true"))  \
	X(16, PUNYCODE, true, "punycode", N_("an address has letters of other scripts, which may look like familiar ones")) \
	X(17, DATE_MISSING, false, "date-missing", N_("the date is missing or malformed"))                                 \
	X(18, NESTED, true, "nested", N_("mails within mails were too deep to be shown"))                                  \
	X(19, MANY_PARTS, true, "many-parts", N_("more was removed than is listed"))                                       \
	X(20, TYPE_DIFFERS, true, "type-differs", N_("a removed file is not what it is named"))                            \
	X(21, EXECUTABLE, true, "executable", N_("a removed file can run as a program"))                                   \
	X(22, MACRO, true, "macro", N_("a removed document holds macros"))                                                 \
	X(23, ENCRYPTED, false, "encrypted", N_("encrypted content cannot be checked"))                                    \
	X(24, BROKEN_ARCHIVE, true, "broken-archive", N_("an archive is broken or tries to deceive"))                      \
	X(25, EXTERNAL, true, "external", N_("the mail points to content that lies elsewhere, or is a piece of one"))      \
	X(26, SIGNED, false, "signed", N_("the signature cannot be verified"))                                             \
	X(27, UUENCODE, true, "uuencode", N_("files hidden in the text were removed"))                                     \
	X(28, TNEF, false, "tnef", N_("the mail is in Outlook's own format (winmail.dat)"))                                \
	X(29, BOUNCE, false, "bounce", N_("this is a report about the delivery of a mail"))                                \
	X(30, CALENDAR, false, "calendar", N_("this is an invitation"))                                                    \
	X(31, AUTOMATIC, false, "automatic", N_("the mail was sent by a program"))                                         \
	X(32, MANY_ADDRESSES, true, "many-addresses", N_("not all addressees are shown"))                                  \
	X(33, OUTSIDE, false, "outside-parts", N_("text outside of the parts was left out"))

enum mail_flag {
#define X(bit, name, said, word, text) MAIL_FLAG_##name = bit,
	MAIL_FLAGS(X)
#undef X
	MAIL_FLAG_END,
};
#define MAIL_FLAG(name) ((uint64_t)1 << MAIL_FLAG_##name)

/* Why a part is not in the text. */
/*	code NAME	word		what people read */
#define MAILREPORT_WHYS(X)                                                                                          \
	X(0, ATTACHMENT, "attachment", N_("attached file"))                                                         \
	X(1, INLINE, "inline", N_("picture or file within the text"))                                               \
	X(2, TYPE, "type", N_("not text"))                                                                          \
	X(3, AMBIGUOUS, "ambiguous", N_("its description contradicts itself"))                                      \
	X(4, CHARSET, "charset", N_("unknown charset"))                                                             \
	X(5, ALTERNATIVE, "alternative", N_("another form of the same text"))                                       \
	X(6, NESTED, "nested", N_("mail within mails, too deep"))                                                   \
	X(7, MAIL, "mail", N_("attached mail"))                                                                     \
	X(8, PARTIAL, "partial", N_("piece of a larger mail"))                                                      \
	X(9, EXTERNAL, "external", N_("points to content that lies elsewhere"))                                     \
	X(10, ENCRYPTED, "encrypted", N_("encrypted"))                                                              \
	X(11, SIGNATURE, "signature", N_("signature, which cannot be verified here"))                               \
	X(12, UUENCODE, "uuencode", N_("file written into the text"))                                               \
	X(13, TNEF, "tnef", N_("Outlook's own format (winmail.dat)"))                                               \
	X(14, RETURNED, "returned", N_("the mail that the report is about"))

enum mailreport_why {
#define X(code, name, word, text) MAILREPORT_WHY_##name = code,
	MAILREPORT_WHYS(X)
#undef X
	MAILREPORT_WHY_END,
};

/* More about a removed part: bits of mailreport_part.marks. */
enum mailreport_mark {
	MAILREPORT_ATTACHED = 1 << 0,	  /* what a person would call an attachment: no signature, no other form of the text */
	MAILREPORT_NAMES_DIFFER = 1 << 1,
	MAILREPORT_TEXT_TAKEN = 1 << 2,	  /* its text follows the body */
	MAILREPORT_CUT = 1 << 3,	  /* its transfer encoding is damaged: size and hash are those of the sound beginning */
	MAILREPORT_MARKS_ALL = (1 << 4) - 1,
};

/* All bits of attachment.h. */
#define MAILREPORT_ATTACHMENT_ALL ((ATTACHMENT_TRUNCATED << 1) - 1)

/* Signs that a program forwards the mail: bits of mailreport.forward. */
enum mailreport_forward {
	MAILREPORT_RESENT = 1 << 0,	/* Resent-From, Resent-To */
	MAILREPORT_X_FORWARDED = 1 << 1, /* X-Forwarded-To, X-Forwarded-For */
	MAILREPORT_AUTO = 1 << 2,	/* Auto-Submitted: auto-forwarded; Exchange's AutoForwarded: true */
	MAILREPORT_DELIVERED = 1 << 3,	/* Delivered-To, X-Original-To: it had reached a mailbox before */
	MAILREPORT_OUTSIDE_FROM = 1 << 4, /* From is not of the own domains */
	MAILREPORT_FORWARD_ALL = (1 << 5) - 1,
};

struct mailreport_part {
	char name[MAILREPORT_NAME];  /* as it is listed: filtered, one line; "" if it has none */
	char other[MAILREPORT_NAME]; /* the other name, where headers disagree; else "" */
	char declared[MAILREPORT_TYPE]; /* "application/pdf" in lower case */
	uint8_t sha256[32];		/* of the decoded content; zero: of a mail within the mail, whose parts are listed */
	uint64_t size;			/* decoded bytes */
	uint32_t flags;			/* attachment.h: ATTACHMENT_ENCRYPTED, ATTACHMENT_MACROS, ... */
	uint32_t marks;			/* enum mailreport_mark */
	uint32_t entries;		/* of an archive */
	uint16_t kind;			/* by content: enum sniff_kind */
	uint8_t why;			/* enum mailreport_why */
	uint8_t depth;			/* mails around it: 0 = of this mail */
};

struct mailreport {
	uint32_t magic, version;
	uint32_t shown, parts_total; /* removed parts: described here, and all */
	uint64_t flags;		     /* MAIL_FLAG() */
	uint64_t structure;	     /* MIME_FLAG() of mime_flag.h */
	uint64_t size_in, size_out;  /* bytes of the mail and of what became of it (0 in direction out) */
	uint64_t text_bytes;	     /* of decoded text that was read */
	uint8_t sha256_in[32], sha256_out[32];
	char receipt[40];    /* 受付番号 */
	char charset[24];    /* of the main text, as charset_name() */
	char message_id[256]; /* with < >, or "" */
	char from[320];	     /* the first address of From, or "" */
	uint32_t from_count; /* addresses in From */
	uint32_t recipients, recipients_external; /* different addresses of To and Cc; those outside the own domains */
	uint32_t labels;     /* bit i: label i of the options stands in the subject */
	uint32_t received;   /* Received fields, and the hops that other gates counted */
	uint32_t passes;     /* times that the mail passed this gate before */
	uint32_t forward;    /* enum mailreport_forward */
	uint32_t attachments;	     /* parts with MAILREPORT_ATTACHED, all of them */
	uint64_t attachments_bytes;  /* decoded, of all of them */
	uint32_t attachments_encrypted; /* of them, encrypted ones: all, not only those shown */
	uint32_t attachments_executable, attachments_macro;
	uint32_t mynumber_hits;	     /* different numbers */
	uint32_t mynumber_score;
	char mynumber_masked[MAILREPORT_MASKED][24]; /* "****-****-9018"; the number itself is never kept */
	uint32_t hidden, deceptive;  /* characters hidden by the sender; deceptive links */
	uint8_t reason;		     /* enum mail_reason; 0: delivered */
	uint8_t direction;	     /* 0 in, 1 out */
	uint8_t zero[6];
};

#define MAILREPORT_MAGIC 0x4d52504bu
#define MAILREPORT_MAX (sizeof(struct mailreport) + MAILREPORT_PARTS * sizeof(struct mailreport_part))

/* A report that was checked. Both point into the bytes that were given. */
struct mailreport_view {
	const struct mailreport *head;
	const struct mailreport_part *parts; /* head->shown of them */
};

/*
 * Checks a report of n bytes: size, version, ranges, unknown bits, and that every text is ended and valid UTF-8 without
 * controls. bytes must be aligned for uint64_t and stay. 0, or -EINVAL.
 */
int mailreport_open(const void *bytes, size_t n, struct mailreport_view *ret_view);

/* The words of codes and bits ("unknown" for none), and their sentences (msgids). Never NULL. */
const char *mail_flag_word(unsigned bit);
const char *mail_flag_text(unsigned bit);
bool mail_flag_said(unsigned bit);
const char *mailreport_why_word(unsigned why);
const char *mailreport_why_text(unsigned why);

/*
 * The report as one JSON object: verdict ("pass" or "refused"), reason, direction, receipt, charset, size, size_out,
 * sha256, sha256_out, message_id, from, recipients, recipients_external, labels, received, passes, forward[], flags[],
 * structure[], hidden, deceptive, mynumber{hits score masked[]}, parts_total, attachments, removed[{name other declared
 * sniffed size sha256 why flags[] entries depth}].
 */
void mailreport_json(const struct mailreport_view *view, struct buf *out);

#endif
