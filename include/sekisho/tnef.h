/*
 * tnef.h: what is in a winmail.dat (MS-OXTNEF): names and sizes of its attachments, in the order of the bytes.
 *
 * Nothing of it is unpacked, its text (compressed RTF) is never read. Names come in the code page that the file says,
 * or in UTF-16; they are shown through mailtext. Fixed memory; check sums are not judged (Outlook itself writes wrong
 * ones).
 */
#ifndef SEKISHO_TNEF_H
#define SEKISHO_TNEF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sekisho/charset.h>
#include <sekisho/mail_limits.h>
#include <sekisho/sniff.h>


struct tnef_item {
	const char *name; /* as in zip_entry; "" when it has none */
	size_t nname;
	uint64_t size;
	enum sniff_kind kind; /* by content */
	bool embedded;	      /* a mail or an object of a program, not a file */
	bool odd;	      /* its name had characters that are not shown as they are */
};

struct tnef_report {
	uint32_t items;
	uint32_t flags;	  /* TNEF_... */
	uint16_t codepage;
	enum charset charset; /* of it; CHARSET_UNKNOWN when it names none or one that is not known */
};
#define TNEF_BROKEN 0x01u   /* not TNEF, or cut, or a length that leads outside */
#define TNEF_TOO_MANY 0x02u /* a limit was reached: the rest was not read */
#define TNEF_RTF 0x04u	    /* has a body in RTF */
#define TNEF_HTML 0x08u	    /* in HTML */
#define TNEF_TEXT 0x10u	    /* in plain text */
#define TNEF_BEHIND 0x20u   /* bytes behind the last attribute that are none */

struct tnef_handler {
	void *arg;
	void (*item)(void *arg, const struct tnef_item *item);
};

/* One file on its way: 2.5 KiB. Every member but `report` is tnef's own. */
struct tnef {
	struct tnef_report report;
	struct tnef_handler handler;
	/* Reading. */
	uint8_t state, sub, next; /* what is read; of a list of properties, what of it; and what comes after it */
	uint8_t need, fill;	  /* of field[] */
	uint8_t pad;		  /* bytes behind a value */
	uint8_t target;		  /* where a value goes */
	uint32_t attribute;
	uint64_t left;		  /* bytes of the attribute */
	uint64_t skip;
	uint32_t properties, values, length; /* that are left */
	uint16_t type, id;
	uint8_t field[24];
	/* The item that is open. */
	bool open, embedded, wide, now_wide;
	uint8_t best, now; /* how good the name is that is known; and the one that comes */
	uint16_t nname, nraw, nhead;
	uint64_t size;
	uint8_t name[2 * TNEF_NAME_MAX], raw[2 * TNEF_NAME_MAX];
	uint8_t head[SNIFF_HEAD];
	char shown[TNEF_SHOWN_MAX + 4];
};

void tnef_begin(struct tnef *t, const struct tnef_handler *handler);
void tnef_push(struct tnef *t, const void *bytes, size_t n);
void tnef_end(struct tnef *t);

#endif
