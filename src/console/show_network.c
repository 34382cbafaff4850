/*
 * show_network.c: `sekisho show interfaces|neighbours|routes`: the machine's ports and ways, beside what the policy says.
 *
 * Read from the kernel by this command itself, which needs no privilege for it; only the policy comes from the gate. A gate
 * without a policy is no error here: then segments and names are not known.
 */
#include "console.h"
#include "figures.h"
#include "render.h"
#include "rtlist.h"
#include "seen.h"
#include "sysread.h"
#include "text.h"

#include <sekisho/json.h>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NET "/sys/class/net"

/* The policy, if there is one; no message where there is none. */
static int open_policy(struct console *c, struct seen *s)
{
	int code = seen_open(c, MSG_VERB_POLICY, s);

	if (code == CONSOLE_OK || code == CONSOLE_REFUSED)
		return CONSOLE_OK;
	return code;
}

static const char *segment_of(const struct seen *s, const char *interface)
{
	for (uint32_t i = 0; s->matcher != NULL && i < s->ir.ninterfaces; i++)
		if (strncmp(s->ir.interfaces[i].name, interface, LIMIT_IFNAME) == 0)
			return seen_segment(s, s->ir.interfaces[i].segment);
	return NULL;
}

/* -- Interfaces ------------------------------------------------------------------------------------------------- */

static const char *const counters[] = {"rx_bytes", "tx_bytes", "rx_packets", "tx_packets", "rx_errors",
	"tx_errors", "rx_dropped", "tx_dropped", "rx_crc_errors"};
enum { RX_BYTES, TX_BYTES, RX_PACKETS, TX_PACKETS, RX_ERRORS, TX_ERRORS, RX_DROPPED, TX_DROPPED, RX_CRC, COUNTERS };

struct port {
	const char *name, *segment;
	char state[32], mac[32], duplex[16];
	bool link, has_link;
	int64_t speed, changes; /* Mbit/s, -1: not known; times that the link changed */
	int64_t count[COUNTERS];
};

struct ports {
	struct console *c;
	const struct seen *seen;
	struct ifaddrs *addresses;
	size_t n;
};

static void read_port(const char *name, struct port *p)
{
	int64_t carrier;

	*p = (struct port){.name = name, .speed = -1, .changes = -1};
	if (!sys_line(p->state, sizeof(p->state), NET "/%s/operstate", name))
		p->state[0] = '\0';
	if (!sys_line(p->mac, sizeof(p->mac), NET "/%s/address", name))
		p->mac[0] = '\0';
	if (!sys_line(p->duplex, sizeof(p->duplex), NET "/%s/duplex", name))
		p->duplex[0] = '\0';
	p->has_link = sys_number(&carrier, NET "/%s/carrier", name);
	p->link = p->has_link && carrier == 1;
	if (!sys_number(&p->speed, NET "/%s/speed", name) || p->speed <= 0)
		p->speed = -1;
	if (!sys_number(&p->changes, NET "/%s/carrier_changes", name))
		p->changes = -1;
	for (unsigned i = 0; i < COUNTERS; i++)
		if (!sys_number(&p->count[i], NET "/%s/statistics/%s", name, counters[i]))
			p->count[i] = 0;
}

/* "10.1.0.1/24" of one address, "" for none of ours to show. */
static const char *address_text(const struct ifaddrs *i, char *buf, size_t size)
{
	char text[INET6_ADDRSTRLEN];
	unsigned len = 0;

	buf[0] = '\0';
	if (i->ifa_addr == NULL || i->ifa_netmask == NULL)
		return buf;
	bool six = i->ifa_addr->sa_family == AF_INET6;
	if (!six && i->ifa_addr->sa_family != AF_INET)
		return buf;
	const void *addr = six ? (const void *)&((const struct sockaddr_in6 *)(const void *)i->ifa_addr)->sin6_addr
			       : (const void *)&((const struct sockaddr_in *)(const void *)i->ifa_addr)->sin_addr;
	const uint8_t *mask = six ? (const uint8_t *)&((const struct sockaddr_in6 *)(const void *)i->ifa_netmask)->sin6_addr
				  : (const uint8_t *)&((const struct sockaddr_in *)(const void *)i->ifa_netmask)->sin_addr;
	for (unsigned b = 0; b < (six ? 16u : 4u); b++)
		len += (unsigned)__builtin_popcount(mask[b]);
	if (inet_ntop(six ? AF_INET6 : AF_INET, addr, text, sizeof(text)) != NULL)
		snprintf(buf, size, "%s/%u", text, len);
	return buf;
}

static void port_json(const struct ports *l, const struct port *p)
{
	struct json j = json_init(&l->c->out);
	char text[64];

	json_object(&j, NULL);
	json_str(&j, "interface", p->name);
	json_str(&j, "segment", p->segment);
	json_str(&j, "state", p->state);
	if (p->has_link)
		json_bool(&j, "link", p->link);
	else
		json_null(&j, "link");
	if (p->speed > 0)
		json_int(&j, "speed_mbit", p->speed);
	else
		json_null(&j, "speed_mbit");
	json_str(&j, "duplex", p->duplex[0] != '\0' ? p->duplex : NULL);
	json_str(&j, "mac", p->mac);
	json_int(&j, "link_changes", p->changes);
	for (unsigned i = 0; i < COUNTERS; i++)
		json_int(&j, counters[i], p->count[i]);
	json_array(&j, "addresses");
	for (const struct ifaddrs *i = l->addresses; i != NULL; i = i->ifa_next)
		if (strcmp(i->ifa_name, p->name) == 0 && address_text(i, text, sizeof(text))[0] != '\0')
			json_str(&j, NULL, text);
	json_array_end(&j);
	json_object_end(&j);
	buf_addc(&l->c->out, '\n');
}

static void put_addresses(struct buf *b, const struct ports *l, const char *name)
{
	char text[64];
	bool first = true;

	for (const struct ifaddrs *i = l->addresses; i != NULL; i = i->ifa_next) {
		if (strcmp(i->ifa_name, name) != 0 || address_text(i, text, sizeof(text))[0] == '\0')
			continue;
		buf_printf(b, "%s%s", first ? "" : ", ", text);
		first = false;
	}
	if (first)
		buf_adds(b, _("no address"));
}

static void port_text(const struct ports *l, const struct port *p)
{
	struct buf *out = &l->c->out, line = {0};
	char in[FIGURES_MAX], sent[FIGURES_MAX];

	buf_printf(&line, "%s [%s] ", p->name, p->segment != NULL ? p->segment : _("no segment"));
	buf_adds(&line, !p->has_link ? _("is switched off")
			: p->link    ? _("link")
				     : _("NO LINK: cable, or the device at its other end"));
	if (p->speed > 0)
		buf_printf(&line, " %" PRId64 " Mbit/s", p->speed);
	if (p->link && strcmp(p->duplex, "half") == 0)
		buf_adds(&line, _(", HALF DUPLEX"));
	buf_printf(&line, "; %s; ", p->mac);
	put_addresses(&line, l, p->name);
	text_wrap(out, buf_str(&line), 0, 6);
	buf_addc(out, '\n');
	buf_clear(&line);
	buf_printf(&line, _("in %s, out %s; errors %lld/%lld, drops %lld/%lld; link changed %lld times"),
		figures_bytes((uint64_t)p->count[RX_BYTES], in), figures_bytes((uint64_t)p->count[TX_BYTES], sent),
		(long long)p->count[RX_ERRORS], (long long)p->count[TX_ERRORS], (long long)p->count[RX_DROPPED],
		(long long)p->count[TX_DROPPED], (long long)p->changes);
	text_spaces(out, 6);
	text_wrap(out, buf_str(&line), 6, 6);
	buf_addc(out, '\n');
	buf_free(&line);
}

static void on_port(void *arg, const char *name)
{
	struct ports *l = arg;
	struct port p;

	if (strcmp(name, "lo") == 0 || strlen(name) >= LIMIT_IFNAME)
		return;
	read_port(name, &p);
	p.segment = segment_of(l->seen, name);
	if (l->c->json)
		port_json(l, &p);
	else
		port_text(l, &p);
	l->n++;
}

int verb_show_interfaces(struct console *c, const struct args *a)
{
	struct seen s;
	struct ports l = {.c = c, .seen = &s};
	int code = open_policy(c, &s);

	(void)a;
	if (code == CONSOLE_OK) {
		if (getifaddrs(&l.addresses) != 0)
			l.addresses = NULL;
		sys_entries(NET, on_port, &l);
		if (l.addresses != NULL)
			freeifaddrs(l.addresses);
	}
	seen_close(&s);
	return code;
}

/* -- Neighbours ------------------------------------------------------------------------------------------------- */

static const struct field neighbour_fields[] = {
	{"address", N_("ADDRESS"), 24, false}, {"host", N_("NAME"), 14, false}, {"mac", N_("MAC"), 17, false}, {"interface"},
	{"segment"}, {"bound", N_("REGISTER"), 0, false}, {"state"}, {"expected_mac"},
};
#define NEIGHBOUR_FIELDS (sizeof(neighbour_fields) / sizeof(neighbour_fields[0]))

static const char *nud_word(uint16_t state)
{
	static const struct {
		uint16_t bit;
		const char *word;
	} words[] = {{NUD_PERMANENT, "permanent"}, {NUD_REACHABLE, "reachable"}, {NUD_STALE, "stale"}, {NUD_DELAY, "delay"},
		{NUD_PROBE, "probe"}, {NUD_FAILED, "failed"}, {NUD_INCOMPLETE, "incomplete"}};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if ((state & words[i].bit) != 0)
			return words[i].word;
	return "none";
}

/* What the policy binds this address to on this interface, or NULL. */
static const struct ir_neigh *bound(const struct seen *s, const struct addr *a, const char *interface)
{
	for (uint32_t i = 0; s->matcher != NULL && i < s->ir.nneighs; i++) {
		const struct ir_neigh *n = &s->ir.neighs[i];
		if (n->family == a->family && memcmp(n->addr, a->b, addr_len(a->family)) == 0 &&
			strncmp(s->ir.interfaces[n->interface].name, interface, LIMIT_IFNAME) == 0)
			return n;
	}
	return NULL;
}

static const char *register_text(const struct rt_neighbour *e, const struct ir_neigh *n, const char *host, const char *word)
{
	if (n != NULL && (!e->has_mac || memcmp(n->mac, e->mac.b, sizeof(n->mac)) != 0))
		return _("ANOTHER MAC than registered");
	if (n != NULL)
		return _("registered");
	if (strcmp(word, "failed") == 0 || strcmp(word, "incomplete") == 0)
		return _("does not answer");
	return host != NULL ? _("without MAC in the register") : _("UNKNOWN: not in the register");
}

static void print_neighbour(struct render *r, const struct seen *s, const struct rt_neighbour *e)
{
	char name[IF_NAMESIZE] = "", address[ADDR_TEXT_MAX], mac[MAC_TEXT_MAX], want[MAC_TEXT_MAX];
	struct mac expected;

	if_indextoname(e->link, name);
	const struct ir_neigh *n = bound(s, &e->addr, name);
	const char *host = s->matcher != NULL ? seen_host(s, &e->addr) : NULL, *word = nud_word(e->state);
	if (n != NULL)
		memcpy(expected.b, n->mac, sizeof(expected.b));
	struct value v[NEIGHBOUR_FIELDS] = {value_text(addr_format(&e->addr, address)), value_text(host),
		value_text(e->has_mac ? mac_format(&e->mac, mac) : NULL), value_name(name), value_text(segment_of(s, name)),
		{.kind = VALUE_BOOL, .number = n != NULL, .shown = register_text(e, n, host, word)}, value_text(word),
		value_text(n != NULL ? mac_format(&expected, want) : NULL)};
	if (e->addr.family == 6 && e->addr.b[0] == 0xfe && (e->addr.b[1] & 0xc0) == 0x80 && n == NULL)
		v[5].shown = _("link-local");
	render_row(r, v);
}

static int read_list(struct rt_list *l)
{
	int r = rt_list_read(l);

	return r == 0 ? CONSOLE_OK : console_fail(CONSOLE_ENV, _("the kernel does not tell: %s"), strerror(-r));
}

int verb_show_neighbours(struct console *c, const struct args *a)
{
	struct render r = {.ops = c->json ? &render_json : &render_table, .out = &c->out, .fields = neighbour_fields,
		.nfields = NEIGHBOUR_FIELDS};
	struct rt_list l = {0};
	struct seen s;
	int code = open_policy(c, &s);

	(void)a;
	if (code == CONSOLE_OK)
		code = read_list(&l);
	for (size_t i = 0; code == CONSOLE_OK && i < l.nneighbours; i++)
		print_neighbour(&r, &s, &l.neighbours[i]);
	render_end(&r);
	if (code == CONSOLE_OK && l.nneighbours == 0 && !c->json)
		buf_adds(&c->out, _("the gate knows no neighbour now\n"));
	rt_list_free(&l);
	seen_close(&s);
	return code;
}

/* -- Routes ----------------------------------------------------------------------------------------------------- */

static const struct field route_fields[] = {
	{"prefix", N_("TO"), 26, false}, {"via", N_("VIA"), 20, false}, {"router", N_("ROUTER"), 12, false},
	{"interface", N_("PORT"), 8, false}, {"segment", N_("SEGMENT"), 0, false}, {"metric"}, {"of_policy"},
};
#define ROUTE_FIELDS (sizeof(route_fields) / sizeof(route_fields[0]))

/* Is it one that the policy asks for: a route, or the network of an own address? */
static bool is_of_policy(const struct seen *s, const struct rt_route *e)
{
	for (uint32_t i = 0; s->matcher != NULL && i < s->ir.nroutes; i++) {
		const struct ir_route *r = &s->ir.routes[i];
		if (r->family == e->prefix.family && r->prefix_len == e->prefix_len &&
			memcmp(r->prefix, e->prefix.b, addr_len(r->family)) == 0)
			return true;
	}
	for (uint32_t i = 0; s->matcher != NULL && i < s->ir.nlocals; i++) {
		const struct ir_local *o = &s->ir.locals[i];
		struct addr own = ir_addr(o->family, o->addr);
		struct addr_range net = prefix_range(&own, o->prefix_len);
		if (o->family == e->prefix.family && o->prefix_len == e->prefix_len && addr_cmp(&net.lo, &e->prefix) == 0)
			return true;
	}
	return false;
}

static bool is_link_local(const struct addr *a)
{
	return a->family == 6 && (a->b[0] == 0xff || (a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80));
}

static void print_route(struct render *r, const struct seen *s, const struct rt_route *e)
{
	char prefix[ADDR_TEXT_MAX + 8], via[ADDR_TEXT_MAX], name[IF_NAMESIZE] = "", text[ADDR_TEXT_MAX];

	snprintf(prefix, sizeof(prefix), "%s/%u", addr_format(&e->prefix, text), e->prefix_len);
	if_indextoname(e->link, name);
	const char *router = e->via.family != 0 && s->matcher != NULL ? seen_host(s, &e->via) : NULL;
	struct value v[ROUTE_FIELDS] = {value_text(prefix), value_text(e->via.family != 0 ? addr_format(&e->via, via) : NULL),
		value_text(router), value_name(name), value_text(segment_of(s, name)), value_number(e->metric),
		{.kind = VALUE_BOOL, .number = is_of_policy(s, e)}};
	if (e->via.family == 0)
		v[1].shown = e->type == RTN_UNICAST ? _("(on the link)") : _("(refused)");
	render_row(r, v);
}

int verb_show_routes(struct console *c, const struct args *a)
{
	struct render r = {.ops = c->json ? &render_json : &render_table, .out = &c->out, .fields = route_fields,
		.nfields = ROUTE_FIELDS};
	struct rt_list l = {0};
	struct seen s;
	int code = open_policy(c, &s);

	(void)a;
	if (code == CONSOLE_OK)
		code = read_list(&l);
	for (size_t i = 0; code == CONSOLE_OK && i < l.nroutes; i++)
		if (!is_link_local(&l.routes[i].prefix))
			print_route(&r, &s, &l.routes[i]);
	render_end(&r);
	if (code == CONSOLE_OK && r.nrows == 0 && !c->json)
		buf_adds(&c->out, _("the gate knows no route now\n"));
	rt_list_free(&l);
	seen_close(&s);
	return code;
}
