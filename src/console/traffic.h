/*
 * traffic.h: who talked to whom, on which port, as what application: a bounded table of what was seen, the ground for
 * drafts of allow rules.
 *
 * One entry for each (client, server, protocol, server port, application). When the table is full new conversations are
 * counted as left out and nothing that is there is lost.
 */
#ifndef CONSOLE_TRAFFIC_H
#define CONSOLE_TRAFFIC_H

#include <sekisho/addr.h>
#include <sekisho/model.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct traffic;

#define TRAFFIC_ENTRIES 65536u
#define TRAFFIC_NAMES 8 /* server names kept of one entry */
#define TRAFFIC_NAME_MAX 256

struct talk {
	struct addr client, server;
	uint8_t l4;
	uint16_t port;
	uint8_t application; /* enum application; APP_NONE = not identified */
	bool many_names;     /* there were more server names than are kept */
	uint8_t nnames;
	uint32_t flows;
	uint64_t packets, bytes;
	int64_t first, last; /* wall seconds */
	const char *names[TRAFFIC_NAMES];
};

struct traffic *traffic_new(uint32_t entries); /* ends the process without memory */
void traffic_free(struct traffic *t); /* NULL is allowed */

/* Adds one flow's numbers to its entry. `like` holds the key and what to add; server_name "" = none seen. */
void traffic_add(struct traffic *t, const struct talk *like, const char *server_name);

size_t traffic_count(const struct traffic *t);
uint64_t traffic_left_out(const struct traffic *t);
/* Entry i in the order in which they came. */
const struct talk *traffic_at(const struct traffic *t, size_t i);

#endif
