/*
 * traffic.c: a hash table that does not grow: entries in one array, slots with linear probing, names in an arena.
 */
#include "traffic.h"

#include <sekisho/arena.h>
#include <sekisho/strmap.h>

#include <string.h>

struct key {
	uint8_t client[16], server[16];
	uint16_t port;
	uint8_t family, l4, application, pad[3];
};

struct traffic {
	struct arena *arena;
	struct talk *entry;
	uint32_t *slot; /* index + 1; 0 = free */
	uint32_t n, max, mask;
	uint64_t left_out;
};

struct traffic *traffic_new(uint32_t entries)
{
	struct arena *a = arena_new();
	struct traffic *t = ARENA_NEW(a, struct traffic);

	t->arena = a;
	t->max = entries;
	for (t->mask = 15; t->mask < entries * 2; t->mask = t->mask * 2 + 1)
		;
	t->entry = ARENA_ARRAY(a, entries, struct talk);
	t->slot = ARENA_ARRAY(a, (size_t)t->mask + 1, uint32_t);
	return t;
}

void traffic_free(struct traffic *t)
{
	if (t != NULL)
		arena_free(t->arena);
}

static bool same(const struct talk *a, const struct talk *b)
{
	return a->l4 == b->l4 && a->port == b->port && a->application == b->application &&
	       addr_cmp(&a->client, &b->client) == 0 && addr_cmp(&a->server, &b->server) == 0;
}

/* The entry's slot: its own or the free one where it would go. */
static uint32_t *find(const struct traffic *t, const struct talk *like)
{
	struct key k = {.port = like->port, .family = like->client.family, .l4 = like->l4, .application = like->application};
	uint32_t at;

	memcpy(k.client, like->client.b, 16);
	memcpy(k.server, like->server.b, 16);
	at = (uint32_t)siphash(siphash_key(), &k, sizeof(k)) & t->mask;
	while (t->slot[at] != 0 && !same(&t->entry[t->slot[at] - 1], like))
		at = (at + 1) & t->mask;
	return &t->slot[at];
}

static void add_name(struct traffic *t, struct talk *e, const char *name)
{
	for (unsigned i = 0; i < e->nnames; i++)
		if (strcmp(e->names[i], name) == 0)
			return;
	if (e->nnames == TRAFFIC_NAMES || strlen(name) >= TRAFFIC_NAME_MAX)
		e->many_names = true;
	else
		e->names[e->nnames++] = arena_strdup(t->arena, name);
}

void traffic_add(struct traffic *t, const struct talk *like, const char *server_name)
{
	uint32_t *slot = find(t, like);

	if (*slot == 0 && t->n == t->max) {
		t->left_out++;
		return;
	}
	if (*slot == 0) {
		t->entry[t->n] = (struct talk){.client = like->client,
			.server = like->server,
			.l4 = like->l4,
			.port = like->port,
			.application = like->application,
			.first = like->first,
			.last = like->last};
		*slot = ++t->n;
	}
	struct talk *e = &t->entry[*slot - 1];
	e->flows += like->flows;
	e->packets += like->packets;
	e->bytes += like->bytes;
	if (like->first < e->first)
		e->first = like->first;
	if (like->last > e->last)
		e->last = like->last;
	if (server_name[0] != '\0')
		add_name(t, e, server_name);
}

size_t traffic_count(const struct traffic *t)
{
	return t->n;
}

uint64_t traffic_left_out(const struct traffic *t)
{
	return t->left_out;
}

const struct talk *traffic_at(const struct traffic *t, size_t i)
{
	return &t->entry[i];
}
