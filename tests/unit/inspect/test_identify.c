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

int main(void)
{
	beginnings();
	conversations();
	what_was_seen_instead();
	return test_end();
}
