/*
 * policies.c: verified policies by generation (see policies.h).
 *
 * Input: IRs that sekishod accepted (checked here again, ir_open()), and its table of links. What packets bring are
 * numbers, bounded here.
 * Limits: two generations. Failure: an IR that is none is refused; an unknown generation or number is no policy.
 */
#include "policies.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <sekisho/arena.h>
#include <sekisho/ruleset.h>

/* A tag is slot and number; numbers have 16 bits. */
#define SLOTS 2
#define TAG(slot, id) ((uint32_t)(slot) << 16 | (uint32_t)(id))
#define TAG_SLOT(tag) ((tag) >> 16)
#define TAG_ID(tag) ((tag) & 0xffffu)
/* The zone of a link that belongs to no segment. */
#define NO_SEGMENT 0u

struct table {
	uint32_t number; /* 0 = free */
	void *map;
	size_t size;
	struct ir ir;
	struct arena *arena;
	struct verify_policy *policy; /* by verified id, 1.. */
	/* Once another is enforced: what its numbers are there, 0 = gone. What was queued before is judged by it. */
	const uint16_t *to;
};

struct policies {
	struct table table[SLOTS];
	unsigned current; /* slot of the enforced one */
	bool any;	  /* there is an enforced one */
	struct msg_links links;
	uint16_t segment[MSG_LINKS_MAX]; /* of each link, under the enforced generation: a hash of its name */
};

struct policies *policies_new(void)
{
	return calloc(1, sizeof(struct policies));
}

static void table_free(struct table *t)
{
	arena_free(t->arena);
	if (t->map != NULL)
		munmap(t->map, t->size);
	*t = (struct table){0};
}

void policies_free(struct policies *p)
{
	for (unsigned i = 0; p != NULL && i < SLOTS; i++)
		table_free(&p->table[i]);
	free(p);
}

/* -- Offered and enforced -------------------------------------------------------------------------------- */

static const char *table_map(struct table *t, int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || st.st_size <= 0)
		return "no size";
	void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return "cannot be mapped";
	t->map = map;
	t->size = (size_t)st.st_size;
	return ir_open(t->map, t->size, &t->ir);
}

static const char *table_fill(struct table *t)
{
	t->arena = arena_new();
	if (t->arena == NULL)
		return "no memory";
	t->policy = ARENA_ARRAY(t->arena, (size_t)t->ir.nverifieds + 1, struct verify_policy);
	for (uint32_t id = 1; id <= t->ir.nverifieds; id++)
		if (!ir_verify_policy(&t->ir, id, t->arena, &t->policy[id]))
			return "a verified policy that is none";
	return NULL;
}

const char *policies_offer(struct policies *p, uint32_t number, int fd)
{
	struct table t = {.number = number};
	const char *bad = number == 0 ? "no number" : table_map(&t, fd);

	msg_close_fd(fd);
	if (bad == NULL)
		bad = table_fill(&t);
	unsigned slot = p->any ? !p->current : 0;
	if (bad == NULL && p->any && p->table[p->current].number == number)
		bad = "already enforced";
	if (bad != NULL) {
		table_free(&t);
		return bad;
	}
	table_free(&p->table[slot]);
	p->table[slot] = t;
	return NULL;
}

/* The policy for a number of that slot, now: of the enforced generation if it was renewed already. */
static const struct verify_policy *find(const struct policies *p, unsigned slot, uint32_t id, uint32_t *ret_tag)
{
	const struct table *t = &p->table[slot];

	if (id == 0 || id > t->ir.nverifieds)
		return NULL;
	if (t->to == NULL) {
		*ret_tag = TAG(slot, id);
		return &t->policy[id];
	}
	*ret_tag = TAG(p->current, t->to[id]);
	return t->to[id] != 0 ? &p->table[p->current].policy[t->to[id]] : NULL;
}

/* A flow of the new generation, whose first packets came before the word of sekishod, keeps its own. */
static const struct verify_policy *renew(void *arg, const struct inspect_flow *f, uint32_t *ret_tag)
{
	return find(arg, TAG_SLOT(f->tag) % SLOTS, TAG_ID(f->tag), ret_tag);
}

/* Segments are numbered anew in each generation, and flows outlive it: a hash of the name. Equal ones do no harm. */
static uint16_t segment_of(const struct ir *ir, const char *link)
{
	for (uint32_t i = 0; i < ir->ninterfaces; i++) {
		uint32_t hash = 2166136261u;
		if (strcmp(ir->interfaces[i].name, link) != 0)
			continue;
		for (const char *c = ir_text(ir, ir->segments[ir->interfaces[i].segment].name); *c != '\0'; c++)
			hash = (hash ^ (uint8_t)*c) * 16777619u;
		return (uint16_t)((hash ^ hash >> 16) | 1u);
	}
	return NO_SEGMENT;
}

static void name_links(struct policies *p)
{
	for (uint32_t i = 0; p->any && i < p->links.n; i++)
		p->segment[i] = segment_of(&p->table[p->current].ir, p->links.link[i].name);
}

bool policies_enforce(struct policies *p, uint32_t number, struct inspector *in)
{
	struct table *old = &p->table[p->current];

	if (p->any && old->number == number)
		return true;
	unsigned slot = p->any ? !p->current : 0;
	struct table *new = &p->table[slot];
	if (number == 0 || new->number != number)
		return false;
	if (p->any)
		old->to = ir_renumber(&old->ir, &new->ir, old->arena);
	p->current = slot;
	p->any = true;
	inspector_policies(in, renew, p);
	name_links(p);
	return true;
}

uint32_t policies_enforced(const struct policies *p)
{
	return p->any ? p->table[p->current].number : 0;
}

/* -- Packets --------------------------------------------------------------------------------------------- */

bool policies_known(const struct policies *p, uint32_t mark)
{
	for (unsigned i = 0; i < SLOTS; i++)
		if (p->table[i].number != 0 && QUEUED_MARK(p->table[i].number) == QUEUED_GENERATION(mark))
			return true;
	return false;
}

const struct verify_policy *policies_find(const struct policies *p, uint32_t mark, uint32_t *ret_tag)
{
	for (unsigned i = 0; i < SLOTS; i++)
		if (p->table[i].number != 0 && QUEUED_MARK(p->table[i].number) == QUEUED_GENERATION(mark))
			return find(p, i, (mark & CTMARK_VERIFIED) >> 12, ret_tag);
	return NULL;
}

bool policies_tag(const struct policies *p, uint32_t tag, uint32_t *ret_generation, uint16_t *ret_verified)
{
	if (TAG_SLOT(tag) >= SLOTS || p->table[TAG_SLOT(tag)].number == 0)
		return false;
	*ret_generation = p->table[TAG_SLOT(tag)].number;
	*ret_verified = (uint16_t)TAG_ID(tag);
	return true;
}

/* -- Zones ----------------------------------------------------------------------------------------------- */

void policies_links(struct policies *p, const struct msg_links *links)
{
	p->links = *links;
	name_links(p);
}

static uint32_t segment_of_index(const struct policies *p, uint32_t index)
{
	for (uint32_t i = 0; i < p->links.n; i++)
		if (p->links.link[i].index == index)
			return p->segment[i];
	return NO_SEGMENT;
}

uint32_t policies_zone(const struct policies *p, uint32_t in, uint32_t out)
{
	uint32_t a = segment_of_index(p, in), b = segment_of_index(p, out);

	return a < b ? a << 16 | b : b << 16 | a;
}
