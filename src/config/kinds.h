/*
 * kinds.h: the kinds of values that fields.c's table names. `struct kind` is in fields.h.
 */
#ifndef CONFIG_KINDS_H
#define CONFIG_KINDS_H

#include "fields.h"

#include <stdint.h>

/* The member that a field names. */
#define FIELD_AT(f, type) ((type *)(void *)((char *)(f)->base + (f)->field->offset))

/* Notes the line beside the member, where the field has a place for it. */
static inline void field_mark_line(const struct filling *f)
{
	if (f->field->line_offset != 0)
		*(uint32_t *)(void *)((char *)f->base + f->field->line_offset) = f->line;
}

/* The member written is named behind each. */
extern const struct kind kind_word;	   /* struct word */
extern const struct kind kind_words;	   /* struct words: one more */
extern const struct kind kind_text;	   /* const char * */
extern const struct kind kind_hostname;	   /* const char * */
extern const struct kind kind_zone;	   /* const char * */
extern const struct kind kind_domains;	   /* struct words: one more */
extern const struct kind kind_choices;	   /* struct words: one more */
extern const struct kind kind_alpns;	   /* struct words: one more */
extern const struct kind kind_mails;	   /* struct words: one more */
extern const struct kind kind_bool;	   /* bool */
extern const struct kind kind_u8;	   /* uint8_t */
extern const struct kind kind_u16;	   /* uint16_t */
extern const struct kind kind_u32;	   /* uint32_t */
extern const struct kind kind_size;	   /* uint64_t */
extern const struct kind kind_is;	   /* bool: the text equals field->word */
extern const struct kind kind_time;	   /* const char *, checked */
extern const struct kind kind_interface;   /* struct word */
extern const struct kind kind_interfaces;  /* struct words */
extern const struct kind kind_single;	   /* struct prefixes: one address more */
extern const struct kind kind_local;	   /* struct prefixes: one address with length more */
extern const struct kind kind_hostaddr;	   /* struct prefixes: one address or network more */
extern const struct kind kind_network;	   /* struct model_segment: networks or network_other */
extern const struct kind kind_route;	   /* struct prefix */
extern const struct kind kind_mac;	   /* struct mac_at */
extern const struct kind kind_date;	   /* struct date */
extern const struct kind kind_dates;	   /* struct date *, size_t n, cap: one more */
extern const struct kind kind_days;	   /* struct model_allow */
extern const struct kind kind_hours;	   /* struct model_allow */
extern const struct kind kind_window;	   /* struct model_allow */
extern const struct kind kind_port;	   /* struct service_port */
extern const struct kind kind_ports;	   /* struct model_service: one or two more */
extern const struct kind kind_use;	   /* struct model_allow: one more */
extern const struct kind kind_application; /* enum application */
extern const struct kind kind_segment;	   /* enum segment_kind */
extern const struct kind kind_screen;	   /* enum screen_product */
extern const struct kind kind_sanitised;   /* enum sanitised_by */
extern const struct kind kind_closes;	   /* uint8_t: enum closes */
extern const struct kind kind_own; /* struct model: a host that the gate itself uses; what = field->word */
extern const struct kind kind_alarm_via; /* struct model: system.alarm_via and its own flow */
extern const struct kind kind_nothing; /* no member: a word that says what holds anyway */
extern const struct kind kind_domain;  /* struct word */
extern const struct kind kind_mail;    /* struct word */
extern const struct kind kind_labels;  /* struct words: one more */
extern const struct kind kind_mail_texts;    /* uint8_t: enum mail_text */
extern const struct kind kind_mail_types;    /* const char *, checked */
extern const struct kind kind_mail_type;     /* struct word */
extern const struct kind kind_mail_demand;   /* uint8_t: enum mail_demand */
extern const struct kind kind_mail_mynumber; /* enum mail_mynumber */
extern const struct kind kind_mail_tls;	     /* uint8_t: enum tls_offer */
extern const struct kind kind_mail_tls_level; /* uint8_t: enum tls_level */
extern const struct kind kind_fingerprints;  /* struct words: one more, 64 small hexadecimal digits */
extern const struct kind kind_collector; /* struct model_own: its host */

#endif
