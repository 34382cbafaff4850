/* test_ir.c: what ir_open() accepts, and that it accepts nothing else. */
#include "policy_test.h"

#include <sekisho/crc.h>

/* Writes the right checksum after a change. */
static void seal(void *p, size_t n)
{
	struct ir_header *h = p;

	h->crc = 0;
	h->crc = crc32c(0, p, n);
}

/* A copy of the town's block to damage. */
struct copy {
	uint8_t *p;
	size_t n;
	struct ir_header *h;
};

static struct copy copy_of(const struct compiled *c)
{
	struct copy k = {malloc(c->block.len), c->block.len, NULL};

	memcpy(k.p, c->block.data, k.n);
	k.h = (struct ir_header *)(void *)k.p;
	return k;
}

static void *record(const struct copy *k, enum ir_section s, size_t i)
{
	return k->p + k->h->section[s].off + i * k->h->section[s].record;
}

/* After the change and with a right checksum it must be refused, with this beginning of the reason. */
static void refused(struct copy *k, const char *why)
{
	struct ir ir;

	seal(k->p, k->n);
	const char *got = ir_open(k->p, k->n, &ir);
	CHECK(got != NULL && strncmp(got, why, strlen(why)) == 0);
	if (got == NULL || strncmp(got, why, strlen(why)) != 0)
		printf("  expected \"%s\", got \"%s\"\n", why, got == NULL ? "(accepted)" : got);
	free(k->p);
}

#define DAMAGE(section, type, index, change, why)                                                            \
	do {                                                                                                 \
		struct copy k = copy_of(c);                                                                  \
		struct type *r = record(&k, IR_##section, index);                                            \
		change;                                                                                      \
		refused(&k, why);                                                                            \
	} while (0)

static void test_header(const struct compiled *c)
{
	struct ir ir;
	struct copy k = copy_of(c);

	CHECK(ir_open(k.p, k.n, &ir) == NULL);
	k.p[k.n - 1] ^= 1;
	CHECK_STR(ir_open(k.p, k.n, &ir), "checksum");
	free(k.p);
	for (size_t n = 0; n < c->block.len; n += n < 600 ? 1 : 997)
		CHECK(ir_open(c->block.data, n, &ir) != NULL);
	k = copy_of(c);
	k.h->magic++;
	refused(&k, "magic");
	k = copy_of(c);
	k.h->version++;
	refused(&k, "version");
	k = copy_of(c);
	k.h->section[IR_BOX].record++;
	refused(&k, "version");
	k = copy_of(c);
	k.h->section[IR_BOX].n = UINT32_MAX;
	refused(&k, "section out of bounds");
	k = copy_of(c);
	k.h->section[IR_BOX].off += 1ull << 60;
	refused(&k, "section out of bounds");
	k = copy_of(c);
	k.h->section[IR_BOX].off = 0;
	refused(&k, "section out of bounds");
	k = copy_of(c);
	k.h->section[IR_STRING].n--;
	k.p[k.h->section[IR_STRING].off + k.h->section[IR_STRING].n - 1] = 'x';
	refused(&k, "strings");
}

static void test_records(const struct compiled *c)
{
	DAMAGE(SYSTEM, ir_system, 0, r->hostname = c->ir.nstrings, "system");
	DAMAGE(SEGMENT, ir_segment, 1, r->kind = 99, "segment 1");
	DAMAGE(SEGMENT, ir_segment, 1, r->networks.n = UINT32_MAX, "segment 1");
	DAMAGE(SEGMENT, ir_segment, 0, r->name = 0, "segment 0");
	DAMAGE(INTERFACE, ir_interface, 0, memset(r->name, 'x', sizeof(r->name)), "interface 0");
	DAMAGE(INTERFACE, ir_interface, 0, r->segment = 7, "interface 0");
	DAMAGE(INTERFACE, ir_interface, 1, r->name[3] = '0', "interface 1"); /* eth1 becomes a second eth0 */
	DAMAGE(LOCAL, ir_local, 0, r->prefix_len = 33, "local 0");
	DAMAGE(NETWORK, ir_network, 0, r->range.hi[0] = 0, "network 0");
	DAMAGE(SOURCE, ir_source, 1, r->interface = 99, "source 1");
	DAMAGE(SOURCE, ir_source, 1, memset(&r->range, 0, sizeof(r->range)), "source 1: not in order");
	DAMAGE(NEIGH, ir_neigh, 0, r->mac[0] = 1, "neighbour 0");
	DAMAGE(ROUTE, ir_route, 0, r->family = 5, "route 0");
	DAMAGE(HOST, ir_host, 3, r->addrs.first = UINT32_MAX, "host 3");
	DAMAGE(HOSTADDR, ir_hostaddr, 0, r->host = 1, "host 0");
	DAMAGE(RULE, ir_rule, 2, r->from_segment = 9, "rule 2");
	DAMAGE(RULE, ir_rule, 2, r->action = 0, "rule 2");
	DAMAGE(RULE, ir_rule, 2, r->spans.first++, "rule 2");
	DAMAGE(RULE, ir_rule, 2, r->days = 0xff, "rule 2");
	DAMAGE(RULE, ir_rule, 0, r->closed = ((struct ir_run){0, c->ir.ndates}), "rule");
	DAMAGE(RULE, ir_rule, 2, r->screen_product = SCREEN_END, "rule 2");
	DAMAGE(RULE, ir_rule, 0, r->verified = (uint16_t)(c->ir.nverifieds + 1), "rule 0: verified");
	DAMAGE(RULE, ir_rule, 0, r->verified = 0, "rule 0: verified");
	DAMAGE(RULE, ir_rule, 0, r->application = APP_FTP, "rule 0: verified");
	DAMAGE(RULE, ir_rule, 0, r->flags |= IR_RULE_ONE_WAY, "rule 0: verified");
	DAMAGE(RULE, ir_rule, 0, r->action = IR_ALLOW, "rule 0: verified");
	DAMAGE(VERIFIED, ir_verified, 0, r->application = APP_NONE, "verified 0");
	DAMAGE(VERIFIED, ir_verified, 0, r->application = APP_END, "verified 0");
	DAMAGE(VERIFIED, ir_verified, 0, r->options = UINT32_MAX, "verified 0");
	DAMAGE(VERIFIED, ir_verified, 0, r->one_way = 2, "verified 0");
	DAMAGE(VERIFIED, ir_verified, 0, r->text = 0, "verified: texts");
	DAMAGE(VERIFIED, ir_verified, 0, r->text = c->ir.nstrings, "verified: texts");
	DAMAGE(VERIFIED, ir_verified, 1, r->text = r[-1].text, "verified: texts");
	DAMAGE(VERIFIED, ir_verified, 0, r->server_names = ((struct ir_run){0, c->ir.nnames + 1}), "verified 0: names");
	DAMAGE(VERIFIED, ir_verified, 0, r->alpns = ((struct ir_run){0, c->ir.nnames}), "verified 0: names");
	DAMAGE(NAME, ir_name, 0, r->name = 0, "verified");
	DAMAGE(DATE, ir_date, 0, r->month = 13, "date 0");
	DAMAGE(NAME, ir_name, 0, r->name = UINT32_MAX, "verified");
	DAMAGE(SPAN, ir_span, 0, r->src.lo[15] = 1, "span 0"); /* IPv4 with bytes behind */
	DAMAGE(SPAN, ir_span, 0, r->proto = 47, "span 0");
	DAMAGE(BOX, ir_box, 0, r->port_lo = r->port_hi + 1, "box 0");
	DAMAGE(BOX, ir_box, 0, r->cand.n = 0, "box 0: candidates");
	DAMAGE(BOX, ir_box, 0, r->to = 0, "box 0: candidates");
	DAMAGE(BOX, ir_box, 1, r[0] = r[-1], "box 1: not in order");
	DAMAGE(CAND, ir_cand, 0, r->rule = UINT32_MAX, "box");
	DAMAGE(OWN, ir_own, 0, r->interface = 99, "own flow 0");
	DAMAGE(OWN, ir_own, 0, r->turned = 2, "own flow 0");
}

static void test_mail(const struct compiled *c)
{
	DAMAGE(SYSTEM, ir_system, 0, r->has_mail_in = 0, "system: mail");
	DAMAGE(MAIL_DIRECTION, ir_mail, 0, r->direction = MAIL_DIRECTIONS, "mail 0: value");
	DAMAGE(MAIL_DIRECTION, ir_mail, 1, r->direction = MAIL_IN, "mail 1: value");
	DAMAGE(MAIL_DIRECTION, ir_mail, 0, r->attachment_text = 0x20, "mail 0: value");
	DAMAGE(MAIL_DIRECTION, ir_mail, 1, r->demands = 8, "mail 1: value");
	DAMAGE(MAIL_DIRECTION, ir_mail, 1, r->encrypted = 8, "mail 1: value");
	DAMAGE(MAIL_DIRECTION, ir_mail, 1, r->mynumber = MAIL_MYNUMBER_END, "mail 1: value");
	DAMAGE(MAIL_DIRECTION, ir_mail, 1, r->max_size = 0, "mail 1: value");
	DAMAGE(MAIL_DIRECTION, ir_mail, 0, r->original_copied = 0, "mail 0: value");
	DAMAGE(MAIL_DIRECTION, ir_mail, 0, r->authserv = UINT32_MAX, "mail 0: string");
	DAMAGE(MAIL_DIRECTION, ir_mail, 0, r->hops.n = UINT32_MAX, "mail 0: hosts");
	DAMAGE(MAIL_DIRECTION, ir_mail, 1, r->hops.n += LIMIT_MAIL_HOSTS, "mail 1: hosts");
	DAMAGE(MAIL_DIRECTION, ir_mail, 0, r->hops = r->listens, "mail 0: hosts"); /* no name */
	DAMAGE(MAIL_DIRECTION, ir_mail, 1, r->hops = r->servers, "mail 1: hosts"); /* a range */
	DAMAGE(MAIL_DIRECTION, ir_mail, 1, r->domains = ((struct ir_run){0, c->ir.nnames}), "mail 1: names");
	DAMAGE(MAIL_DIRECTION, ir_mail, 1, r->roles.first = UINT32_MAX, "mail 1: names");
	DAMAGE(MAIL_DIRECTION, ir_mail, 1, r->types.n++, "mail 1: types");
	DAMAGE(MAIL_HOST, ir_mail_host, 2, r->interface = 99, "mail host 2");
	DAMAGE(MAIL_HOST, ir_mail_host, 2, r->family = 5, "mail host 2");
	DAMAGE(MAIL_HOST, ir_mail_host, 2, r->range.hi[0] = 0, "mail host 2");
	DAMAGE(MAIL_TYPE, ir_mail_type, 1, r->name = r[-1].name, "mail 1: types");
	DAMAGE(MAIL_TYPE, ir_mail_type, 1, r->demands = 8, "mail 1: types");
	DAMAGE(SUPERIOR, ir_superior, 0, r->address = 0, "superior 0: string");
	DAMAGE(SUPERIOR, ir_superior, 1, *r = r[-1], "superior 1: not in order");
	DAMAGE(PARTNER, ir_partner, 0, r->labels = 0x80, "partner 0: value");
	DAMAGE(PARTNER, ir_partner, 0, r->group = 9, "partner 0: group");
	DAMAGE(PARTNER, ir_partner, 2, r->group = 0, "partner 2: group");
	DAMAGE(PARTNER, ir_partner, 0, r->domains = ((struct ir_run){0, c->ir.nnames}), "partner 0: domains");
	DAMAGE(LABEL, ir_label, 0, r->text = c->ir.nstrings, "label 0");
}

/* Names go into comments and onto terminals: no quotes, no control characters, not too long. */
static void test_strings(const struct compiled *c)
{
	static const char bad[] = {'"', '\\', '\n', 0x1b, 0x7f, ' '};

	for (size_t i = 0; i < sizeof(bad); i++) {
		struct copy k = copy_of(c);
		struct ir_rule *r = record(&k, IR_RULE, 0);
		((char *)record(&k, IR_STRING, r->name))[1] = bad[i];
		refused(&k, "rule 0: string");
	}
}

/* Equal input gives equal bytes: a generation can be compared with another. */
static void test_stable(const char *dir, const struct compiled *c)
{
	struct compiled again = compile_file(dir, "examples/town.policy", TODAY);

	CHECK(again.block.len == c->block.len && memcmp(again.block.data, c->block.data, c->block.len) == 0);
	compiled_free(&again);
}

/*
 * The kept inputs of the fuzzer are still what the compiler writes;
 * else they would test nothing but the header.
 */
static void test_corpus(const char *dir)
{
	static const char *const names[] = {"default", "good", "mail", "overlap-time", "town", "two-segment", "verified"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[4096];
		struct ir ir;
		snprintf(path, sizeof(path), "%s/%s.ir", dir, names[i]);
		FILE *f = fopen(path, "rb");
		CHECK(f != NULL);
		if (f == NULL)
			continue;
		uint8_t *p = malloc(1 << 20);
		size_t n = fread(p, 1, 1 << 20, f);
		fclose(f);
		CHECK(ir_open(p, n, &ir) == NULL); /* meson compile regenerate-fuzz-ir */
		free(p);
	}
}

int main(int argc, char **argv)
{
	const char *dir = argc > 1 ? argv[1] : ".";
	struct compiled c = compile_file(dir, "examples/town.policy", TODAY);

	CHECK(c.ok);
	if (c.ok) {
		test_header(&c);
		test_records(&c);
		test_strings(&c);
		test_stable(dir, &c);
	}
	compiled_free(&c);
	if (argc > 3) {
		c = compile_file(argv[3], "mail.policy", TODAY);
		CHECK(c.ok);
		if (c.ok)
			test_mail(&c);
		compiled_free(&c);
	}
	if (argc > 2)
		test_corpus(argv[2]);
	return test_end();
}
