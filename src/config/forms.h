/*
 * forms.h: the forms in which people write values: addresses, dates, hours, services, sizes.
 *
 * Each function returns NULL and fills *ret, or returns the sentence (an untranslated msgid) that says what
 * is wrong and leaves *ret alone.
 */
#ifndef CONFIG_FORMS_H
#define CONFIG_FORMS_H

#include <sekisho/clock.h>
#include <sekisho/model.h>

/* What an address is for decides which ones are wrong. */
enum prefix_use {
	PREFIX_HOST,	/* a host's: one address or a network */
	PREFIX_SINGLE,	/* one address, no length */
	PREFIX_LOCAL,	/* an address of the gate with its length */
	PREFIX_NETWORK, /* a network, 0.0.0.0/0 included */
};
const char *form_prefix(const char *text, enum prefix_use use, struct prefix *ret);

const char *form_mac(const char *text, struct mac *ret);
const char *form_date(const char *text, struct date *ret);
/* "08:30" to minutes of the day. */
const char *form_time(const char *text, uint16_t *ret);
/* "06:30-23:00"; an end of 24:00 becomes 0. */
const char *form_hours(const char *text, uint16_t *ret_from, uint16_t *ret_to);
/* "mon-fri,sun" to bits, Monday first. */
const char *form_days(const char *text, uint8_t *ret);
const char *form_window(const char *text, struct wall *ret_from, struct wall *ret_to);
/* "20M" to bytes. */
const char *form_size(const char *text, uint64_t *ret);
/*
 * "tcp/443", "udp/5000-5100", "icmp/echo-request", "icmp/3/4", "icmpv6/128". *ret_6: of a name that ICMP and
 * ICMPv6 share, the ICMPv6 message (proto 0 when there is none).
 */
const char *form_service(const char *text, struct service_port *ret, struct service_port *ret_6);

/*
 * Appends what the writer of a text that was refused with `why` probably meant ("the network is 10.1.10.0/24
 * …"); false when there is no idea.
 */
struct buf;
bool form_better(const char *text, const char *why, struct buf *out);

/* The refusal of an ICMP name. */
extern const char form_no_icmp[];

/* The names of ICMP messages, for the manual and hints: "echo-request echo-reply ..." in *out. */
void form_icmp_names(struct buf *out);

#endif
