/*
 * test_model.c: a model that did not come through the reader of set-lines, or came through it damaged. The
 * compiler finds for itself what it cannot work with; it never makes something of it.
 */
#include "policy_test.h"

static const char base[] =
	"set segment m kind mynumber interface eth0 address 10.1.0.1/24 network 10.1.0.0/16\n"
	"set segment l kind lgwan interface eth1 address 10.2.0.1/24 network 10.2.0.0/16\n"
	"set segment i kind internet interface eth2 address 192.0.2.1/24 network other\n"
	"set router rm segment m address 10.1.0.254 mac 02:00:00:01:00:fe\n"
	"set route 10.1.10.0/24 via rm\n"
	"set host m1 segment m address 10.1.10.5 behind rm\n"
	"set host l1 segment l address 10.2.0.5 mac 02:00:00:02:00:05\n"
	"set host l2 segment l address 10.2.0.6\n"
	"set host i1 segment i address 192.0.2.5\n"
	"set host-group g member l2\n"
	"set allow r from m1 to l1 service tcp/443 purpose p applicant a expires 2027-03-31 approval ciso "
	"name n date 2026-04-01\n"
	"set allow q from g to i1 service tcp/444 application ssh sanitised-by file-relay sanitising-product p "
	"sanitising-statement s\n"
	"set mail inbound listen 192.0.2.1 domain a.example next-hop l1 max-size 10M original upstream\n"
	"set mail outbound listen 10.2.0.1 server l1 next-hop i1 max-size 10M\n"
	"set mail outbound attachments require-cc kacho\n"
	"set mail superior s address s@a.example role kacho\n";

static struct model *model;

/* Reads the base again, applies the change, compiles: refused, with this code among the findings. */
#define DAMAGED(code, ...)                                                                                   \
	do {                                                                                                 \
		struct arena *a = arena_new();                                                               \
		struct diag_list d;                                                                          \
		struct buf block = {0};                                                                      \
		diag_init(&d, a);                                                                            \
		CHECK(config_read(a, base, strlen(base), &d, &model));                                       \
		CHECK(d.nerrors == 0);                                                                       \
		__VA_ARGS__;                                                                                 \
		expect(&d, policy_compile(model, at(TODAY), &d, &block), &block, code);                      \
		buf_free(&block);                                                                            \
		arena_free(a);                                                                               \
	} while (0)

static void expect(const struct diag_list *d, bool ok, const struct buf *block, const char *code)
{
	bool found = false;

	for (size_t i = 0; i < d->n; i++)
		found = found || strcmp(d->items[i].code, code) == 0;
	CHECK(found);
	if (!found) {
		printf("  no %s among:\n", code);
		diag_print(d, "model", stdout);
	}
	CHECK(ok == (d->nerrors == 0) && (block->len > 0) == ok);
}

/* Undamaged it is accepted without a word; else the damage below would prove nothing. */
static void test_sound(void)
{
	struct compiled c = compile_text(base, strlen(base), TODAY);

	CHECK(c.ok && c.diags.n == 0);
	print_diags(&c);
	compiled_free(&c);
}

static void test_missing(void)
{
	DAMAGED("segment-no-kind", model->segments[0].kind_line = 0);
	DAMAGED("router-no-segment", model->routers[0].segment.text = NULL);
	DAMAGED("router-no-address", model->routers[0].addresses.n = 0);
	DAMAGED("route-no-router", model->routes[0].via.text = NULL);
	DAMAGED("host-no-segment", model->hosts[1].segment.text = NULL);
	DAMAGED("host-no-address", model->hosts[1].addresses.n = 0);
	DAMAGED("group-empty", model->groups[0].members.n = 0);
	DAMAGED("rule-no-end", model->allows[0].from.text = NULL);
	DAMAGED("rule-no-end", model->allows[0].to.text = NULL);
	DAMAGED("rule-no-service", model->allows[0].nservices = 0);
	DAMAGED("approval-incomplete", model->allows[0].approvals[0].name = NULL);
	DAMAGED("never-open", model->allows[0].days = 0);
	DAMAGED("mail-no-listen", model->mail_in.listen.n = 0);
	DAMAGED("mail-no-next-hop", model->mail_in.next_hops.n = 0);
	DAMAGED("mail-no-domain", model->mail_in.domains.n = 0);
	DAMAGED("mail-no-original-to", model->mail_in.original_copied = true);
	DAMAGED("mail-superior-incomplete", model->superiors[0].address.text = NULL);
	DAMAGED("mail-superior-incomplete", model->superiors[0].role.text = NULL);
	DAMAGED("mail-superior-outside", model->superiors[0].address.text = "nobody");
	DAMAGED("mail-no-server", model->mail_out.servers.n = 0);
}

static void test_malformed(void)
{
	DAMAGED("host-bits", model->segments[0].networks.v[0].addr.b[3] = 1);
	DAMAGED("host-bits", model->routes[0].prefix.addr.b[3] = 1);
	DAMAGED("host-bits",
		(model->hosts[1].addresses.v[0].has_len = true, model->hosts[1].addresses.v[0].len = 24));
	DAMAGED("address-needs-length", model->segments[0].addresses.v[0].has_len = false);
	DAMAGED("address-not-a-host", model->segments[0].addresses.v[0].addr.b[3] = 0);
	DAMAGED("address-not-a-host", model->segments[0].addresses.v[0].addr.b[3] = 255);
	DAMAGED("mac-not-a-device", model->routers[0].mac.mac.b[0] = 1);
	DAMAGED("mac-not-a-device", memset(model->hosts[1].mac.mac.b, 0, 6));
	DAMAGED("interface-name", model->segments[0].interfaces.v[0].text = "an-interface-too-long");
	DAMAGED("interface-name", model->segments[0].interfaces.v[0].text = "lo");
	DAMAGED("interface-name", model->segments[0].interfaces.v[0].text = "a/b");
	DAMAGED("duplicate-name", model->hosts[2].name.text = model->hosts[1].name.text);
	DAMAGED("ends-before-start", model->allows[0].starts = (struct date){2028, 1, 1, 1});
	DAMAGED("ends-before-start", {
		model->allows[0].window_line = 1;
		model->allows[0].window_from = at("2026-11-20T10:00");
		model->allows[0].window_to = at("2026-11-20T10:00");
	});
}

/* Lists longer than the gate can hold are refused unread. */
static void test_limits(void)
{
	DAMAGED("limit", {
		struct model_segment *v = ARENA_ARRAY(a, LIMIT_SEGMENTS + 1, struct model_segment);
		for (int i = 0; i <= LIMIT_SEGMENTS; i++)
			v[i] = model->segments[0];
		model->segments = v;
		model->nsegments = LIMIT_SEGMENTS + 1;
	});
	DAMAGED("limit", {
		struct model_allow *v = ARENA_ARRAY(a, LIMIT_RULES + 1, struct model_allow);
		for (int i = 0; i <= LIMIT_RULES; i++)
			v[i] = model->allows[0];
		model->allows = v;
		model->nallows = LIMIT_RULES + 1;
	});
	/* 2 000 hosts to 2 000 hosts: more spans than there may be. */
	DAMAGED("limit", {
		struct words w = {ARENA_ARRAY(a, 2000, struct word), 2000, 2000};
		struct model_host *v = ARENA_ARRAY(a, model->nhosts + 2000, struct model_host);
		memcpy(v, model->hosts, model->nhosts * sizeof(*v));
		for (unsigned i = 0; i < 2000; i++) {
			struct model_host *h = &v[model->nhosts + i];
			*h = v[2];
			h->name.text = arena_printf(a, "x%u", i);
			h->addresses.v = ARENA_NEW(a, struct prefix);
			*h->addresses.v = v[2].addresses.v[0];
			h->addresses.v->addr.b[2] = (uint8_t)(1 + i / 250);
			h->addresses.v->addr.b[3] = (uint8_t)(i % 250);
			w.v[i] = h->name;
		}
		model->hosts = v;
		model->nhosts += 2000;
		model->groups[0].members = w;
		model->allows[1].to = model->allows[1].from;
	});
}

int main(void)
{
	test_sound();
	test_missing();
	test_malformed();
	test_limits();
	return test_end();
}
