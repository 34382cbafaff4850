/*
 * cut.c: emergency cuts: kept, durable, in the kernel before anything is opened, above every policy.
 *
 *	start	the stored list goes to the kernel: to the table that was left running at once, else into the ruleset that
 *		opens the gate. A list that cannot be read is everything cut: nobody knows what it was
 *	change	the mail gate ends its sessions with 421, the kernel stops packets, the disk has it, flows lose their entries.
 *		Who cut is answered when the disk has it; a restoration that did not get so far is cut again after a restart
 *	commit	names follow the policy; a name that is gone keeps its addresses
 *
 * Input: requests (checked texts), the IR, our own file. Failure: what the kernel refused shuts the gate; what the disk
 * refused holds until a restart, and a finding says so.
 */
#include "gate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <sekisho/buf.h>
#include <sekisho/i18n.h>

#define FILE_CUTS "cuts"
#define MAGIC_CUTS 0x43474b53u /* "SKGC" */
/* Flows that a restoration names. */
#define FLOWS_SHOWN 100

/* -- names --------------------------------------------------------------------------------------------------- */

static void add_range(struct cut_end *e, uint8_t family, const struct ir_range *r)
{
	if (e->nranges == CUT_RANGES)
		return;
	struct cut_range *to = &e->range[e->nranges++];
	to->family = family;
	memcpy(to->lo, r->lo, sizeof(to->lo));
	memcpy(to->hi, r->hi, sizeof(to->hi));
}

static const struct ir_host *find_host(const struct ir *ir, const char *name)
{
	for (uint32_t i = 0; i < ir->nhosts; i++)
		if (strcmp(ir_text(ir, ir->hosts[i].name), name) == 0)
			return &ir->hosts[i];
	return NULL;
}

static bool find_segment(const struct ir *ir, const char *name, uint32_t *ret)
{
	for (uint32_t i = 0; i < ir->nsegments; i++)
		if (strcmp(ir_text(ir, ir->segments[i].name), name) == 0) {
			*ret = i;
			return true;
		}
	return false;
}

static void fill_segment(const struct ir *ir, uint32_t segment, struct cut_end *e)
{
	e->segment = 1;
	e->ninterfaces = 0;
	memset(e->interface, 0, sizeof(e->interface));
	for (uint32_t i = 0; i < ir->ninterfaces && e->ninterfaces < LIMIT_INTERFACES; i++)
		if (ir->interfaces[i].segment == segment)
			memcpy(e->interface[e->ninterfaces++], ir->interfaces[i].name, LIMIT_IFNAME);
}

static void fill_host(const struct ir *ir, const struct ir_host *h, struct cut_end *e)
{
	e->nranges = 0;
	memset(e->range, 0, sizeof(e->range));
	for (uint32_t i = 0; i < h->addrs.n; i++)
		add_range(e, ir->hostaddrs[h->addrs.first + i].family, &ir->hostaddrs[h->addrs.first + i].range);
}

static bool fill_address(const char *word, struct cut_end *e)
{
	struct addr_range r;
	struct ir_range range = {0};

	if (!prefix_parse(word, NULL, NULL, &r))
		return false;
	memcpy(range.lo, r.lo.b, addr_len(r.lo.family));
	memcpy(range.hi, r.hi.b, addr_len(r.lo.family));
	add_range(e, r.lo.family, &range);
	return true;
}

const char *gate_cut_resolve(struct gate *g, bool segment, const char *word, struct cut_end *ret)
{
	const struct generation *gen = g->in_kernel != NULL ? g->in_kernel : g->current;
	const struct ir_host *h = gen != NULL ? find_host(&gen->ir, word) : NULL;
	uint32_t i;

	*ret = (struct cut_end){0};
	if (!segment && fill_address(word, ret))
		return NULL;
	if (gen == NULL)
		return _("no policy is in force that knows names: give an address, or cut all");
	MSG_TEXT(ret->name, word);
	if (segment) {
		if (!find_segment(&gen->ir, word, &i))
			return _("the policy in force has no such segment (sekisho ledger names them)");
		fill_segment(&gen->ir, i, ret);
		return NULL;
	}
	if (h == NULL)
		return _("the policy in force has no such host, and it is no address: give its address");
	if (h->addrs.n > CUT_RANGES)
		return _("it has too many addresses to be cut as one: cut its segment, or addresses");
	fill_host(&gen->ir, h, ret);
	return NULL;
}

/* True when it changed. */
static bool follow_end(const struct ir *ir, struct cut_end *e)
{
	struct cut_end before = *e;
	const struct ir_host *h = e->segment == 0 ? find_host(ir, e->name) : NULL;
	uint32_t segment;

	if (e->name[0] == '\0')
		return false;
	if (e->segment == 1 && find_segment(ir, e->name, &segment)) {
		fill_segment(ir, segment, e);
		e->gone = 0;
	} else if (h != NULL && h->addrs.n > 0 && h->addrs.n <= CUT_RANGES) {
		fill_host(ir, h, e);
		e->gone = 0;
	} else {
		e->gone = 1;
	}
	return memcmp(&before, e, sizeof(before)) != 0;
}

/* -- disk ---------------------------------------------------------------------------------------------------- */

static int save(struct gate *g)
{
	int r = g->have_store ? store_put_record(&g->store, FILE_CUTS, MAGIC_CUTS, &g->cut.list, sizeof(g->cut.list)) : -ENOENT;

	g->cut.unstored = r != 0;
	return r;
}

static void cut_everything(struct gate *g)
{
	struct cut c = {.number = 1, .kind = CUT_ALL, .at = clock_wall().sec};

	MSG_TEXT(c.who, "sekishod");
	MSG_TEXT(c.why, "the stored list of emergency cuts cannot be read");
	g->cut.list = (struct cuts){.n = 1, .next = 2, .cut[0] = c};
	g->cut.broken = true;
}

static void load(struct gate *g)
{
	struct cuts *c = &g->cut.list;
	int r = g->have_store ? store_get_record(&g->store, FILE_CUTS, MAGIC_CUTS, c, sizeof(*c)) : -EIO;

	if (r == 0 && cuts_check(c, sizeof(*c)) == NULL)
		return;
	*c = (struct cuts){.next = 1};
	/* Without a store there is no policy either, and nothing is opened. */
	if (r != -ENOENT && g->have_store)
		cut_everything(g);
}

/* -- telling -------------------------------------------------------------------------------------------------- */

static void say_findings(struct gate *g)
{
	char text[CUT_TEXT_MAX], detail[HEALTH_DETAIL];

	health_begin(&g->health, SOURCE_CUT);
	if (g->cut.broken)
		gate_finding(g, SOURCE_CUT, FINDING_CUTS_BROKEN, "");
	if (g->cut.unstored)
		gate_finding(g, SOURCE_CUT, FINDING_CUTS_UNSTORED, "");
	if (g->cut.list.level != LEVEL_NORMAL) {
		snprintf(detail, sizeof(detail), "%s", level_word(g->cut.list.level));
		gate_finding(g, SOURCE_CUT, FINDING_LEVEL, detail);
	}
	for (uint32_t i = 0; i < g->cut.list.n; i++) {
		const struct cut *c = &g->cut.list.cut[i];
		snprintf(detail, sizeof(detail), "%u: %.120s", c->number, cut_text(c, text));
		gate_finding(g, SOURCE_CUT, FINDING_CUT, detail);
	}
	gate_health_end(g, SOURCE_CUT);
}

int gate_cut_memfd(const struct gate *g)
{
	int fd = memfd_create("cuts", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -errno;
	if (write(fd, &g->cut.list, sizeof(g->cut.list)) != (ssize_t)sizeof(g->cut.list) ||
		fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
		close(fd);
		return -EIO;
	}
	return fd;
}

/* -- changing ------------------------------------------------------------------------------------------------- */

static int to_kernel(struct gate *g)
{
	int r = nft_cut(g->nft, &g->cut.list);

	if (r == 0)
		return 0;
	record(g, MSG_SEVERITY_FAULT, "cut", "the kernel refused an emergency cut, so everything is shut: %s", strerror(-r));
	kernel_shut(g);
	return r;
}

int gate_cut_apply(struct gate *g, struct mono begun, uint32_t *ret_us, uint32_t *ret_flows)
{
	const struct generation *gen = g->in_kernel;

	gate_mail_cut(g);
	gate_mail_settle(g);
	int r = to_kernel(g);
	*ret_us = (uint32_t)((clock_mono().ns - begun.ns) / 1000);
	relay_pump(g);
	save(g);
	say_findings(g);
	*ret_flows = 0;
	if (gen != NULL && nft_cut_flows(g->nft, &gen->ir, gen->matcher, ret_flows) != 0)
		record(g, MSG_SEVERITY_NOTICE, "cut", "some entries of cut connections could not be removed; their packets are stopped");
	relay_pump(g);
	g->proof_due = g->current != NULL;
	return r;
}

void gate_cut_follow(struct gate *g, const struct generation *gen)
{
	bool changed = false;

	for (uint32_t i = 0; i < g->cut.list.n; i++)
		for (unsigned k = 0; k < 2; k++)
			changed |= follow_end(&gen->ir, &g->cut.list.cut[i].end[k]);
	if (!changed)
		return;
	record(g, MSG_SEVERITY_NOTICE, "cut", "emergency cuts follow the names of the policy");
	to_kernel(g);
	save(g);
	say_findings(g);
	gate_mail_cut(g);
}

int gate_cut_start(struct gate *g)
{
	load(g);
	say_findings(g);
	if (g->cut.list.n > 0)
		record(g, MSG_SEVERITY_NOTICE, "cut", "%u emergency cuts hold on after a restart", g->cut.list.n);
	return nft_cut(g->nft, &g->cut.list);
}

/* -- the alert level --------------------------------------------------------------------------------------------- */

void gate_cut_levels(struct gate *g)
{
	if (g->current != NULL)
		g->current->ir.level = g->cut.list.level;
	if (g->job.next != NULL)
		g->job.next->ir.level = g->cut.list.level;
}

uint32_t gate_cut_closed(const struct gate *g)
{
	uint32_t n = 0;

	for (uint32_t i = 0; g->current != NULL && i < g->current->ir.nrules; i++)
		n += rule_closed_by_level(&g->current->ir, &g->current->ir.rules[i]);
	return n;
}

/* What is closed loses its connections by the sweep that ends each load. */
int gate_cut_level(struct gate *g, const char **ret_error, uint32_t *ret_us)
{
	struct mono begun = clock_mono();
	struct generation *gen = g->job.kernel_done ? g->job.next : g->current;
	struct nft_commit done;
	static char err[256];
	int r = 0;

	gate_cut_levels(g);
	gate_mail_cut(g);
	if (gen != NULL && (r = kernel_commit(g, gen, &done, err)) != 0) {
		*ret_error = err;
		gate_finding(g, SOURCE_POLICY, FINDING_KERNEL_REFUSED, err);
		kernel_restore(g, "the alert level could not be programmed");
	}
	*ret_us = (uint32_t)((clock_mono().ns - begun.ns) / 1000);
	g->proof_due = g->current != NULL;
	save(g);
	say_findings(g);
	return r;
}

/* -- what would pass again --------------------------------------------------------------------------------------- */

static bool meets(const struct cut_end *e, const char *segment, uint8_t family, const struct ir_range *range)
{
	struct addr_range mine = ir_addr_range(family, range);

	if (e->segment == 1)
		return strcmp(e->name, segment) == 0;
	for (uint32_t i = 0; i < e->nranges; i++) {
		struct ir_range other;
		memcpy(other.lo, e->range[i].lo, sizeof(other.lo));
		memcpy(other.hi, e->range[i].hi, sizeof(other.hi));
		struct addr_range theirs = ir_addr_range(e->range[i].family, &other);
		if (e->range[i].family == family && range_overlaps(&mine, &theirs))
			return true;
	}
	return false;
}

static bool stops_span(const struct cut *c, const struct ir *ir, const struct ir_rule *r, const struct ir_span *sp)
{
	const char *from = ir_text(ir, ir->segments[r->from_segment].name), *to = ir_text(ir, ir->segments[r->to_segment].name);
	bool a_from = meets(&c->end[0], from, sp->family, &sp->src), a_to = meets(&c->end[0], to, sp->family, &sp->dst);

	if (c->kind == CUT_ALL)
		return true;
	if (c->kind != CUT_PAIR)
		return a_from || a_to;
	return (a_from && meets(&c->end[1], to, sp->family, &sp->dst)) ||
	       (a_to && meets(&c->end[1], from, sp->family, &sp->src));
}

static bool stops_rule(const struct cut *c, const struct ir *ir, const struct ir_rule *r)
{
	for (uint32_t i = 0; i < r->spans.n; i++)
		if (stops_span(c, ir, r, &ir->spans[r->spans.first + i]))
			return true;
	return false;
}

void gate_cut_flows(struct gate *g, const struct cut *c, struct buf *out)
{
	const struct generation *gen = g->in_kernel != NULL ? g->in_kernel : g->current;
	unsigned n = 0;

	for (uint32_t i = 0; gen != NULL && i < gen->ir.nrules; i++) {
		const struct ir_rule *r = &gen->ir.rules[i];
		if (!stops_rule(c, &gen->ir, r) || n++ >= FLOWS_SHOWN)
			continue;
		buf_printf(out, "%s: %s -> %s %s\n", ir_text(&gen->ir, r->name), ir_text(&gen->ir, r->from),
			ir_text(&gen->ir, r->to), ir_text(&gen->ir, r->service));
	}
	if (n > FLOWS_SHOWN)
		buf_printf(out, _("and %u more\n"), n - FLOWS_SHOWN);
}
