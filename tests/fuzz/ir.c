/*
 * ir.c (fuzz): a compiled policy from a compiler that was taken over.
 *
 * The bytes are tried as they are, and again with the size and the checksum put right, or no mutation would
 * get past them. What ir_open() accepts must be walkable: every string, the guard, the times, the matcher.
 */
#include <sekisho/arena.h>
#include <sekisho/crc.h>
#include <sekisho/inspect.h>
#include <sekisho/ir.h>
#include <sekisho/match.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of long lists the first so many: times and questions are the slow part. */
#define SOME 40

static volatile size_t sink; /* what was read is used */

static void read_text(const struct ir *ir, ir_str s)
{
	sink += strlen(ir_text(ir, s));
}

static void read_strings(const struct ir *ir)
{
	read_text(ir, ir->system->hostname);
	read_text(ir, ir->system->timezone);
	read_text(ir, ir->system->language);
	for (uint32_t i = 0; i < ir->nsegments; i++) {
		read_text(ir, ir->segments[i].name);
		read_text(ir, ir->segments[i].label);
	}
	for (uint32_t i = 0; i < ir->nhosts; i++) {
		read_text(ir, ir->hosts[i].name);
		read_text(ir, ir->hosts[i].external);
	}
	for (uint32_t i = 0; i < ir->nrules; i++) {
		const struct ir_rule *r = &ir->rules[i];
		read_text(ir, r->name);
		read_text(ir, r->application_text);
	}
	for (uint32_t i = 0; i < ir->nowns; i++)
		read_text(ir, ir->owns[i].what);
	for (uint32_t i = 0; i < ir->ninterfaces; i++)
		sink += strlen(ir->interfaces[i].name) + strlen(ir->interfaces[i].parent) +
			ir->segments[ir->interfaces[i].segment].kind;
}

static void read_names(const struct ir *ir, struct ir_run run)
{
	for (uint32_t i = 0; i < run.n; i++)
		read_text(ir, ir->names[run.first + i].name);
}

static void read_mail_hosts(const struct ir *ir, struct ir_run run)
{
	for (uint32_t i = 0; i < run.n; i++) {
		const struct ir_mail_host *h = &ir->mail_hosts[run.first + i];
		read_text(ir, h->name);
		sink += strlen(ir->interfaces[h->interface].name) + ir_addr_range(h->family, &h->range).lo.b[0];
	}
}

/* What the mail gate's processes would read. */
static void read_mail(const struct ir *ir)
{
	for (uint32_t i = 0; i < ir->nmails; i++) {
		const struct ir_mail *m = &ir->mails[i];
		read_text(ir, m->authserv);
		read_mail_hosts(ir, m->listens);
		read_mail_hosts(ir, m->servers);
		read_mail_hosts(ir, m->hops);
		read_mail_hosts(ir, m->originals);
		read_names(ir, m->domains);
		read_names(ir, m->roles);
		for (uint32_t k = 0; k < m->types.n; k++)
			read_text(ir, ir->mail_types[m->types.first + k].name);
	}
	for (uint32_t i = 0; i < ir->nsuperiors; i++) {
		read_text(ir, ir->superiors[i].address);
		read_text(ir, ir->superiors[i].name);
		read_text(ir, ir->superiors[i].role);
	}
	for (uint32_t i = 0; i < ir->npartners; i++) {
		read_text(ir, ir->partners[i].name);
		read_names(ir, ir->partners[i].domains);
		sink += ir->partners[ir->partners[i].group].labels;
	}
	for (uint32_t i = 0; i < ir->nlabels; i++)
		read_text(ir, ir->labels[i].text);
}

static void read_list(const struct verify_list *list)
{
	for (uint32_t i = 0; i < list->n; i++)
		sink += strlen(list->v[i]);
}

/* What the inspector would get, and what a flow would be called under the same policy again: the same. */
static void read_verifieds(const struct ir *ir)
{
	struct arena *a = arena_new();
	struct verify_policy p;

	if (a == NULL)
		abort();
	uint16_t *number = ir_renumber(ir, ir, a);
	for (uint32_t i = 0; i <= ir->nverifieds; i++) {
		if (number[i] != i || ir_verify_policy(ir, i, a, &p) != (i > 0))
			abort();
		if (i == 0)
			continue;
		read_list(&p.server_names);
		read_list(&p.alpns);
		read_list(&p.domain_names);
	}
	arena_free(a);
}

static void read_times(const struct ir *ir, struct wall now)
{
	struct wall until;

	for (uint32_t i = 0; i < ir->nrules && i < SOME; i++)
		sink += rule_active(ir, &ir->rules[i], now, &until);
	for (uint32_t i = 0; i < ir->nboxes && i < SOME; i++) {
		uint32_t rule = box_active(ir, &ir->boxes[i], now, &until);
		if (rule != IR_NONE && rule >= ir->nrules)
			abort();
	}
}

static void ask(const struct ir *ir, const struct matcher *m, const struct ir_box *b, struct wall now)
{
	struct question q = {.src = ir_addr(b->family, b->src.lo),
		.dst = ir_addr(b->family, b->dst.hi),
		.proto = b->proto,
		.dport = b->port_hi,
		.has_port = true,
		.has_mac = true};
	struct decision d;

	for (int i = 0; i < 3; i++) {
		matcher_decide(m, &q, now, &d);
		if ((d.rule != IR_NONE && d.rule >= ir->nrules) ||
			(d.nearest != IR_NONE && d.nearest >= ir->nrules) ||
			(d.from != IR_NONE && d.from >= ir->nsegments) ||
			(d.to != IR_NONE && d.to >= ir->nsegments))
			abort();
		/* Next a miss: another port, then the way back. */
		q.dport ^= 1;
		struct addr swap = q.src;
		q.src = i == 0 ? q.src : q.dst;
		q.dst = i == 0 ? q.dst : swap;
	}
}

static void walk(const struct ir *ir)
{
	struct wall now = {1795136400};
	uint32_t rule;

	read_strings(ir);
	read_verifieds(ir);
	read_mail(ir);
	read_times(ir, now);
	const char *law = guard_check(ir, &rule);
	if (law != NULL && rule != IR_NONE && rule >= ir->nrules)
		abort();
	struct matcher *m = matcher_new(ir);
	for (uint32_t i = 0; i < ir->nboxes && i < SOME; i++)
		ask(ir, m, &ir->boxes[i], now);
	matcher_free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A block of its own, so that a read past the end is seen, aligned as a mapping is. */
	uint8_t *p = malloc(size == 0 ? 1 : size);
	struct ir_header h;
	struct ir ir;

	if (p == NULL)
		abort();
	memcpy(p, data, size);
	if (ir_open(p, size, &ir) == NULL)
		walk(&ir);
	if (size >= sizeof(h)) {
		memcpy(&h, p, sizeof(h));
		h.magic = IR_MAGIC;
		h.version = IR_VERSION;
		h.nsections = IR_NSECTIONS;
		h.size = size;
		h.crc = 0;
		memcpy(p, &h, sizeof(h));
		h.crc = crc32c(0, p, size);
		memcpy(p, &h, sizeof(h));
		if (ir_open(p, size, &ir) == NULL)
			walk(&ir);
	}
	free(p);
	return 0;
}
