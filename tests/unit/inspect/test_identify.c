/*
 * test_identify.c: what a flow is when no rule says it, by the verifiers themselves: from all of it, from packets in any
 * pieces, and of a refused flow from its beginning.
 */
#include "gate.h"
#include "identify.h"
#include "script.h"
#include "test.h"

static const char ssh_banner[] = "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n", greeting[] = "220 mx.town.example ESMTP\r\n",
		  hello[] = "EHLO pc.town.example\r\n", offer[] = "250-mx.town.example\r\n250 8BITMIME\r\n",
		  mail[] = "MAIL FROM:<a@town.example>\r\n", ok[] = "250 2.1.0 Ok\r\n";

static enum application identity(const char *client, const char *server, uint16_t port, enum inspect_level *ret_level)
{
	struct verify_side side[2] = {{.p = (const uint8_t *)client, .n = (uint32_t)strlen(client)},
		{.p = (const uint8_t *)server, .n = (uint32_t)strlen(server)}};

	return judge_identify(side, false, port, ret_level);
}

static void beginnings(void)
{
	enum inspect_level level;

	CHECK_INT(identity(ssh_banner, "", 443, &level), APP_SSH);
	CHECK_INT(level, LEVEL_PREFIX);
	CHECK_INT(identity("", ssh_banner, 443, &level), APP_SSH);
	CHECK_INT(identity("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", "", 443, &level), APP_HTTP);
	CHECK_INT(identity("\x16\x03\x01\x02\x08\x01", "", 22, &level), APP_TLS);
	CHECK_INT(identity("no protocol that we know", "", 22, &level), APP_NONE);
	CHECK_INT(level, LEVEL_NONE);
	CHECK_INT(identity("", "", 22, &level), APP_NONE);
}

/* Over a real table: conversation in pieces of `mss`; returns the application that the flow ended as. */
static struct inspect_flow hear(uint16_t port, const char *const *lines, size_t n, size_t mss)
{
	struct inspect_options o = {.flows = 64, .secret = "x", .keep_passed = true};
	struct gate g;
	struct traffic t;
	struct talk k;

	traffic_init(&t);
	gate_open_with(&g, NULL, &o, true);
	talk_init(&k, &t, 40000, port);
	k.mss = mss;
	talk_open(&k);
	for (size_t i = 0; i < n; i++)
		talk_say(&k, lines[i][0], lines[i] + 1, strlen(lines[i] + 1));
	gate_run(&g, &t);
	CHECK_INT(g.code[INSPECT_REFUSE] + g.code[INSPECT_DROP], 0);
	gate_close(&g);
	traffic_free(&t);
	return g.over;
}

static void conversations(void)
{
	char lines[6][128];
	const char *const order[] = {lines[0], lines[1], lines[2], lines[3], lines[4], lines[5]};

	snprintf(lines[0], 128, "s%s", greeting);
	snprintf(lines[1], 128, "c%s", hello);
	snprintf(lines[2], 128, "s%s", offer);
	snprintf(lines[3], 128, "c%s", mail);
	snprintf(lines[4], 128, "s%s", ok);
	for (size_t mss = 1; mss <= 1001; mss += 100) {
		struct inspect_flow f = hear(4025, order, 5, mss);
		CHECK_INT(f.application, APP_SMTP);
		CHECK_INT(f.level, LEVEL_RELATES);
		CHECK_INT(f.code, INSPECT_PASS);
	}
	/* Broken off: what it was so far, at the level that it came to. */
	struct inspect_flow f = hear(25, order, 2, 1000);
	CHECK_INT(f.application, APP_SMTP);
	CHECK(f.level == LEVEL_PREFIX || f.level == LEVEL_ANSWER);
	CHECK_INT(f.code, INSPECT_FORWARD);
	snprintf(lines[1], 128, "cnothing that anybody says\r\n");
	f = hear(25, order, 2, 1000);
	CHECK_INT(f.application, APP_NONE);
	CHECK_INT(f.code, INSPECT_PASS);
}

/* A rule for TLS, and somebody speaks SSH. */
static void what_was_seen_instead(void)
{
	static const struct verify_policy tls = {.application = APP_TLS};
	struct gate g;
	struct traffic t;
	struct talk k;

	for (size_t mss = 1; mss <= 1001; mss += 250) {
		traffic_init(&t);
		gate_open(&g, &tls, false);
		talk_init(&k, &t, 40000, 443);
		k.mss = mss;
		talk_open(&k);
		talk_say(&k, 'c', ssh_banner, strlen(ssh_banner));
		gate_run(&g, &t);
		CHECK_INT(g.last.code, INSPECT_REFUSE);
		CHECK_STR(inspect_why_word(g.last.why), "other-protocol");
		/* One letter is not enough to tell, and no more than that is let through. */
		CHECK_INT(g.last.seen, mss == 1 ? APP_NONE : APP_SSH);
		CHECK_INT(g.flow.seen, g.last.seen);
		gate_close(&g);
		traffic_free(&t);
	}
}

/* -- One that is left alone keeps its state: the same as to hear all of it again ------------------------------- */

static uint32_t dice(uint32_t n)
{
	static uint64_t state = 0x9e3779b97f4a7c15u;

	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state >> 33) % n;
}

/* 's' or 'c' in front of what that side says. */
static const char *const talks[][8] = {
	{"s220 mx.town.example ESMTP\r\n", "cEHLO pc.town.example\r\n", "s250-mx.town.example\r\n250 8BITMIME\r\n",
		"cMAIL FROM:<a@town.example>\r\n", "s250 2.1.0 Ok\r\n"},
	{"s220 mx.town.example ESMTP\r\n", "cEHLO pc\r\n", "s250-mx\r\n250 STARTTLS\r\n", "cSTARTTLS\r\n", "s220 go\r\n",
		"c\x16\x03\x01\x02\x08\x01"},
	{"s220 files\r\n", "cUSER a\r\n", "s331 word?\r\n", "cPASS b\r\n", "s230 in\r\n"},
	{"cGET / HTTP/1.1\r\nAccept: */*\r\nHost: www.town.example\r\nX: y\r\n\r\n",
		"sHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"},
	{"cPOST /a HTTP/1.0\r\nHost: a.example\r\nContent-Length: 5\r\n\r\n12345", "sHTTP/1.0 404 no\r\n\r\nnothing"},
	{"cGET / HTTP/1.1\r\nHost: a.example\r\nbroken line\r\n\r\n"},
	{"cSSH-2.0-OpenSSH_9.2p1\r\n", "sSSH-2.0-dropbear\r\n", "c\x01\x02"},
	{"s+OK ready\r\n", "cCAPA\r\n", "s+OK\r\nUSER\r\n.\r\n", "cUSER a\r\n", "s+OK\r\n", "cPASS b\r\n", "s+OK in\r\n"},
	{"s* OK ready\r\n", "ca CAPABILITY\r\n", "s* CAPABILITY IMAP4rev1\r\na OK done\r\n", "cb LOGIN a b\r\n",
		"sb OK in\r\n"},
	{"sRFB 003.008\n", "cRFB 003.008\n", "s\1\1", "c\1"},
	{"c<13>Nov 20 10:00:00 pc cron: run\n"},
	{"chello?", "sno"},
};

struct told {
	struct identify i;
	struct transcript t;
	uint8_t said[2][1024];
	uint32_t n[2];
	enum application application;
	enum inspect_level level;
	bool over;
};

/* The piece to both; as long as the flow is in question they must agree. */
static void tell(struct told *w, struct pool *pool, unsigned from, const char *p, uint32_t n, bool ended)
{
	struct identity now, all;
	uint32_t live = identify_all(false);

	memcpy(w->said[from] + w->n[from], p, n);
	w->n[from] += n;
	w->t.ended[from] = w->t.ended[from] || ended;
	uint32_t who = from != 0 ? TRANSCRIPT_SERVER : 0;
	if (n > 0 && w->t.turns > 0 && (w->t.turn[w->t.turns - 1] & TRANSCRIPT_SERVER) == who)
		w->t.turn[w->t.turns - 1] += n;
	else if (n > 0)
		w->t.turn[w->t.turns++] = n | who;
	w->over = identify_hear(&w->i, pool, from, (const uint8_t *)p, n, ended, &now);
	identify(&w->t, &live, &all, NULL);
	CHECK_INT(now.application, all.application);
	CHECK_INT(now.level, all.level);
	CHECK_INT(now.settled, all.settled);
	CHECK_INT(w->i.live, live);
}

static void alone(size_t talk)
{
	struct pool *pool = pool_new(1 << 20);
	struct told w = {.t.server_port = 4000};

	w.t.p[0] = w.said[0];
	w.t.p[1] = w.said[1];
	identify_init(&w.i, false, 4000);
	for (size_t k = 0; k < 8 && talks[talk][k] != NULL && !w.over; k++) {
		unsigned from = talks[talk][k][0] == 's';
		const char *p = talks[talk][k] + 1;
		uint32_t left = (uint32_t)strlen(p);
		while (left > 0 && !w.over) {
			uint32_t n = 1 + dice(dice(3) == 0 ? left : left < 9 ? left : 9);
			tell(&w, pool, from, p, n, n == left && dice(16) == 0);
			p += n;
			left -= n;
		}
	}
	if (!w.over)
		tell(&w, pool, dice(2), "", 0, true);
	identify_release(&w.i, pool);
	CHECK_INT(pool_used(pool), 0);
	pool_free(pool);
}

static void kept_or_heard_again(void)
{
	for (unsigned round = 0; round < 200; round++)
		for (size_t talk = 0; talk < sizeof(talks) / sizeof(talks[0]); talk++)
			alone(talk);
}

/* -- The first byte leaves out only those that refuse whatever follows it ------------------------------------------- */

static void nothing_follows(const struct verifier *v, bool datagrams, unsigned from, uint8_t byte)
{
	uint8_t said[300];
	const uint8_t *p[2] = {said, said};

	for (unsigned round = 0; round < 12; round++) {
		uint32_t n = 1 + dice(round < 6 ? 64 : sizeof(said) - 1);
		for (uint32_t i = 0; i < n; i++)
			said[i] = (uint8_t)dice(dice(2) == 0 ? 8 : 256);
		said[0] = byte;
		struct hearing h;
		struct heard m;
		heard_begin(&m, v);
		hearing_begin(&h, p, datagrams, 53);
		hearing_turn(&h, &m, from, n);
		CHECK(!m.alive);
	}
}

static void first_bytes(void)
{
	size_t n;
	const struct verifier *table = verifier_table(&n);

	for (size_t i = 1; i < n; i++)
		for (unsigned k = 0; k < 4 * 256; k++)
			if (((k >> 9 ? table[i].datagram : table[i].stream) != NULL) &&
				(identify_first(k >> 9, k >> 8 & 1, (uint8_t)k) & 1u << table[i].application) == 0)
				nothing_follows(&table[i], k >> 9, k >> 8 & 1, (uint8_t)k);
	/* And it leaves who may be meant: a query, the modes of NTP, a log, BER. */
	CHECK(identify_first(true, 0, 0x23) & 1u << APP_NTP);
	CHECK((identify_first(true, 0, 0x24) & 1u << APP_NTP) == 0);
	CHECK(identify_first(true, 1, 0x24) & 1u << APP_NTP);
	CHECK(identify_first(true, 0, '<') & 1u << APP_SYSLOG);
	CHECK_INT(identify_first(true, 0, 0x30) & (1u << APP_SNMP | 1u << APP_LDAP | 1u << APP_KERBEROS | 1u << APP_DNS),
		1u << APP_SNMP | 1u << APP_LDAP | 1u << APP_DNS);
	CHECK(identify_first(true, 0, 0x6a) & 1u << APP_KERBEROS);
	CHECK_INT(identify_first(false, 0, 'G') & (1u << APP_HTTP | 1u << APP_SSH | 1u << APP_TLS), 1u << APP_HTTP);
}

int main(void)
{
	beginnings();
	conversations();
	what_was_seen_instead();
	kept_or_heard_again();
	first_bytes();
	return test_end();
}
