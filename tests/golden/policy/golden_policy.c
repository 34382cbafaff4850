/*
 * golden_policy.c: compiles each NAME.policy of a directory, on Friday 2026-11-20 at 10:00 in Tokyo, and
 * compares the findings and the compiled policy with NAME.expected. --regenerate writes the expectations
 * anew: read the diff afterwards. With --codes also each *.c of the directory SOURCES is read: every code of
 * a finding that it can report must occur in some expectation.
 *
 * usage: golden_policy [--regenerate] DIRECTORY
 *        golden_policy --codes SOURCES DIRECTORY
 */
#include <sekisho/arena.h>
#include <sekisho/buf.h>
#include <sekisho/clock.h>
#include <sekisho/diag.h>
#include <sekisho/i18n.h>
#include <sekisho/ir.h>
#include <sekisho/model.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool slurp(const char *path, struct buf *out)
{
	FILE *f = fopen(path, "rb");
	char chunk[4096];
	size_t n;

	if (f == NULL)
		return false;
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_add(out, chunk, n);
	fclose(f);
	return true;
}

static bool spew(const char *path, const struct buf *b)
{
	FILE *f = fopen(path, "wb");

	if (f == NULL)
		return false;
	bool ok = fwrite(b->data, 1, b->len, f) == b->len;
	return fclose(f) == 0 && ok;
}

/* -- the compiled policy as text ------------------------------------------------------------------------ */

static const char *range_text(uint8_t family, const struct ir_range *r, char *buf)
{
	struct addr_range range = ir_addr_range(family, r);

	return range_format(&range, buf);
}

static const char *mac_text(bool has, const uint8_t b[6], char *buf)
{
	struct mac m;

	memcpy(m.b, b, sizeof(m.b));
	return has ? mac_format(&m, buf) : "any";
}

static void show_network(const struct ir *ir, struct buf *out)
{
	char a[ADDR_TEXT_MAX], b[ADDR_TEXT_MAX];

	for (uint32_t i = 0; i < ir->nnetworks; i++)
		buf_printf(out, "network %s %s\n", ir_text(ir, ir->segments[ir->networks[i].segment].name),
			range_text(ir->networks[i].family, &ir->networks[i].range, a));
	for (uint32_t i = 0; i < ir->nsources; i++)
		buf_printf(out, "source %s %s mac %s\n", ir->interfaces[ir->sources[i].interface].name,
			range_text(ir->sources[i].family, &ir->sources[i].range, a),
			mac_text(ir->sources[i].has_mac, ir->sources[i].mac, b));
	for (uint32_t i = 0; i < ir->nneighs; i++) {
		struct addr x = ir_addr(ir->neighs[i].family, ir->neighs[i].addr);
		buf_printf(out, "neighbour %s %s %s\n", ir->interfaces[ir->neighs[i].interface].name,
			addr_format(&x, a), mac_text(true, ir->neighs[i].mac, b));
	}
	for (uint32_t i = 0; i < ir->nroutes; i++) {
		const struct ir_route *r = &ir->routes[i];
		struct addr p = ir_addr(r->family, r->prefix), via = ir_addr(r->family, r->via);
		buf_printf(out, "route %s/%u via %s %s\n", addr_format(&p, a), r->prefix_len,
			addr_format(&via, b), ir->interfaces[r->interface].name);
	}
	for (uint32_t i = 0; i < ir->nowns; i++) {
		const struct ir_own *o = &ir->owns[i];
		struct addr local = ir_addr(o->family, o->local);
		buf_printf(out, "own %s %s %s proto %u %u-%u local %s remote %s\n", ir_text(ir, o->what),
			o->turned ? "turned" : o->out ? "out" : "in", ir->interfaces[o->interface].name, o->proto, o->port_lo,
			o->port_hi, addr_format(&local, a), range_text(o->family, &o->remote, b));
	}
}

static void show_rules(const struct ir *ir, struct buf *out)
{
	static const char *const actions[] = {"?", "allow", "inspect", "mail"};
	char a[ADDR_TEXT_MAX], b[ADDR_TEXT_MAX];

	if (ir->system->refuse_silently)
		buf_adds(out, "refuse silently\n");
	for (uint32_t i = 0; i < ir->nverifieds; i++)
		buf_printf(out, "verified %u %s\n", i + 1, ir_text(ir, ir->verifieds[i].text));
	for (uint32_t i = 0; i < ir->nrules; i++) {
		const struct ir_rule *r = &ir->rules[i];
		buf_printf(out, "rule %u %s %s verified %u flags %x%s%s\n", i, ir_text(ir, r->name),
			actions[r->action], r->verified, r->flags, r->screen_product == SCREEN_NONE ? "" : " UNVERIFIED ",
			r->screen_product == SCREEN_NONE ? "" : screen_product_word((enum screen_product)r->screen_product));
	}
	for (uint32_t i = 0; i < ir->nboxes; i++) {
		const struct ir_box *x = &ir->boxes[i];
		buf_printf(out, "box %s>%s %s %s proto %u %u-%u:", ir_text(ir, ir->segments[x->from].name),
			ir_text(ir, ir->segments[x->to].name), range_text(x->family, &x->src, a),
			range_text(x->family, &x->dst, b), x->proto, x->port_lo, x->port_hi);
		for (uint32_t k = 0; k < x->cand.n; k++)
			buf_printf(
				out, " %s", ir_text(ir, ir->rules[ir->cands[x->cand.first + k].rule].name));
		buf_adds(out, "\n");
	}
}

static void show_names(const struct ir *ir, const char *what, struct ir_run run, struct buf *out)
{
	if (run.n > 0)
		buf_printf(out, " %s", what);
	for (uint32_t i = 0; i < run.n; i++)
		buf_printf(out, " %s", ir_text(ir, ir->names[run.first + i].name));
}

static void show_hosts(const struct ir *ir, const char *what, struct ir_run run, struct buf *out)
{
	char a[ADDR_TEXT_MAX];

	for (uint32_t i = 0; i < run.n; i++) {
		const struct ir_mail_host *h = &ir->mail_hosts[run.first + i];
		buf_printf(out, "  %s %s %s %s", what, ir_text(ir, h->name), range_text(h->family, &h->range, a),
			ir->interfaces[h->interface].name);
		if (h->tls != 0)
			buf_printf(out, " tls %u name \"%s\" ca \"%s\"", h->tls, ir_text(ir, h->tls_name), ir_text(ir, h->tls_ca));
		show_names(ir, " pins", h->tls_pins, out);
		buf_adds(out, "\n");
	}
}

static void show_direction(const struct ir *ir, const struct ir_mail *m, struct buf *out)
{
	buf_printf(out, "mail %s%s%s%s%s size %llu", m->direction == MAIL_IN ? "in" : "out",
		m->transparent ? " transparent" : "",
		m->english ? " english" : "", m->original_copied ? " copied" : "", m->private_use ? " private-use" : "",
		(unsigned long long)m->max_size);
	buf_printf(out, " text %x authserv \"%s\" flood %u %u %u %u", m->attachment_text, ir_text(ir, m->authserv), m->slow,
		m->stop, m->sender_slow, m->sender_stop);
	buf_printf(out, " mynumber %u forward %u external %u attachments %x encrypted %x listed %u days %u files %u of %llu",
		m->mynumber, m->auto_forward_refuse, m->max_external, m->demands, m->encrypted, m->listed_only,
		m->approval_days, m->max_files, (unsigned long long)m->max_file_size);
	if (m->tls != 0)
		buf_printf(out, " tls %u certificate %s", m->tls, ir_text(ir, m->certificate));
	show_names(ir, "domains", m->domains, out);
	show_names(ir, "roles", m->roles, out);
	buf_adds(out, "\n");
	show_hosts(ir, "listen", m->listens, out);
	show_hosts(ir, "server", m->servers, out);
	show_hosts(ir, "hop", m->hops, out);
	show_hosts(ir, "original", m->originals, out);
	for (uint32_t i = 0; i < m->types.n; i++)
		buf_printf(out, "  type %s %x\n", ir_text(ir, ir->mail_types[m->types.first + i].name),
			ir->mail_types[m->types.first + i].demands);
}

static void show_mail(const struct ir *ir, struct buf *out)
{
	for (uint32_t i = 0; i < ir->nmails; i++)
		show_direction(ir, &ir->mails[i], out);
	for (uint32_t i = 0; i < ir->nsuperiors; i++)
		buf_printf(out, "superior %s %s %s\n", ir_text(ir, ir->superiors[i].name), ir_text(ir, ir->superiors[i].address),
			ir_text(ir, ir->superiors[i].role));
	for (uint32_t i = 0; i < ir->nlabels; i++)
		buf_printf(out, "label %u %s\n", i, ir_text(ir, ir->labels[i].text));
	for (uint32_t i = 0; i < ir->npartners; i++) {
		const struct ir_partner *p = &ir->partners[i];
		buf_printf(out, "partner %s labels %x group %u%s", ir_text(ir, p->name), p->labels, p->group,
			p->others ? " others" : "");
		show_names(ir, "domains", p->domains, out);
		buf_adds(out, "\n");
	}
}

static void show(const struct buf *block, struct buf *out)
{
	struct ir ir;
	uint32_t rule;
	const char *bad = ir_open(block->data, block->len, &ir);

	if (bad != NULL) {
		buf_printf(out, "ir_open: %s\n", bad);
		return;
	}
	const char *law = guard_check(&ir, &rule);
	buf_printf(out, "guard: %s\n", law == NULL ? "kept" : law);
	show_network(&ir, out);
	show_rules(&ir, out);
	show_mail(&ir, out);
}

/* -- one policy ----------------------------------------------------------------------------------------- */

static void describe(const char *name, const struct buf *text, struct buf *out)
{
	struct arena *arena = arena_new();
	struct diag_list diags;
	struct model *m = NULL;
	struct buf block = {0};
	struct wall now;
	char *shown = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&shown, &n);

	diag_init(&diags, arena);
	if (f == NULL || !clock_set_zone("Asia/Tokyo") || !clock_parse("2026-11-20T10:00", &now) ||
		!config_read(arena, (const char *)text->data, text->len, &diags, &m))
		abort();
	bool ok = policy_compile(m, now, &diags, &block);
	diag_sort(&diags);
	diag_print(&diags, name, f);
	fclose(f);
	buf_add(out, shown, n);
	if (ok)
		show(&block, out);
	else
		buf_adds(out, "refused\n");
	free(shown);
	buf_free(&block);
	arena_free(arena);
}

static bool one(const char *dir, const char *name, bool regenerate, struct buf *all)
{
	char path[4096], expected[4096];
	struct buf text = {0}, got = {0}, want = {0};

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	snprintf(expected, sizeof(expected), "%s/%.*s.expected", dir, (int)(strlen(name) - strlen(".policy")),
		name);
	bool ok = slurp(path, &text);
	if (ok) {
		describe(name, &text, &got);
		ok = regenerate ? spew(expected, &got)
				: slurp(expected, &want) && got.len == want.len &&
					  memcmp(got.data, want.data, want.len) == 0;
	}
	if (!ok)
		printf("%s: not as expected; got:\n%s\n", path, buf_str(&got));
	buf_add(all, got.data, got.len);
	buf_free(&text);
	buf_free(&got);
	buf_free(&want);
	return ok;
}

static int is_policy(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return n > 7 && strcmp(e->d_name + n - 7, ".policy") == 0;
}

static bool each(const char *dir, bool regenerate, struct buf *all)
{
	struct dirent **names;
	bool ok = true;
	int n = scandir(dir, &names, is_policy, alphasort);

	if (n <= 0) {
		printf("%s: no policies\n", dir);
		return false;
	}
	for (int i = 0; i < n; i++) {
		ok = one(dir, names[i]->d_name, regenerate, all) && ok;
		free(names[i]);
	}
	free(names);
	printf("%d policies\n", n);
	return ok;
}

/* -- every code has an expectation ---------------------------------------------------------------------- */

/*
 * Said first where the text is read (tests/golden/config), and by the compiler only of a model from elsewhere
 * (tests/unit/policy/test_model.c); and what needs a machine without memory.
 */
static const char *const excused[] = {"memory", "never-open", "host-bits", "mac-not-a-device",
	"duplicate-name", "interface-name", "address-needs-length", "address-not-a-host", "segment-no-kind",
	"router-no-segment", "route-no-router", "host-no-segment", "host-no-address", "group-empty",
	"rule-no-end", "rule-no-service", "approval-incomplete", "mail-no-listen", "mail-no-next-hop",
	"mail-no-domain", "mail-no-server", "mail-no-original-to", "mail-superior-incomplete", "limit"};

static bool is_excused(const char *code)
{
	for (size_t i = 0; i < sizeof(excused) / sizeof(excused[0]); i++)
		if (strcmp(excused[i], code) == 0)
			return true;
	return false;
}

/* The first string literal behind a call of diag_error, diag_warning or the guard's broken(): its code. */
static bool check_source(const char *text, const char *all)
{
	static const char *const calls[] = {"diag_error(", "diag_warning(", "broken("};
	bool ok = true;

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		for (const char *p = strstr(text, calls[i]); p != NULL; p = strstr(p + 1, calls[i])) {
			const char *from = strchr(p, '"'), *brace = strpbrk(p, "{;");
			char code[64], tag[70];
			if (from == NULL || (brace != NULL && brace < from))
				continue;
			size_t n = strcspn(from + 1, "\"");
			if (n >= sizeof(code) ||
				strcspn(from + 1, " ") < n) /* a sentence: the code is a variable */
				continue;
			memcpy(code, from + 1, n);
			code[n] = '\0';
			snprintf(tag, sizeof(tag), "[%s]", code);
			if (strstr(all, tag) == NULL && !is_excused(code)) {
				printf("no expectation shows the code %s\n", code);
				ok = false;
			}
		}
	return ok;
}

static bool check_codes(const char *sources, struct buf *all)
{
	DIR *d = opendir(sources);
	bool ok = d != NULL;
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL) {
		char path[4096];
		struct buf text = {0};
		size_t n = strlen(e->d_name);
		snprintf(path, sizeof(path), "%s/%s", sources, e->d_name);
		if (n > 2 && strcmp(e->d_name + n - 2, ".c") == 0 && slurp(path, &text))
			ok = check_source(buf_str(&text), buf_str(all)) && ok;
		buf_free(&text);
	}
	if (d != NULL)
		closedir(d);
	return ok;
}

int main(int argc, char **argv)
{
	bool regenerate = argc == 3 && strcmp(argv[1], "--regenerate") == 0;
	bool codes = argc == 4 && strcmp(argv[1], "--codes") == 0;
	struct buf all = {0};

	if (argc != 2 && !regenerate && !codes)
		return 2;
	i18n_init("en");
	bool ok = each(argv[argc - 1], regenerate, &all);
	if (codes)
		ok = check_codes(argv[2], &all) && ok;
	buf_free(&all);
	return ok ? 0 : 1;
}
