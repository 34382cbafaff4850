/*
 * test_ssh.c: conversations of OpenSSH and Dropbear as they were recorded, packets by hand, every refusal, and banners in
 * front of tunnels.
 */
#include "script.h"
#include "test.h"

static const struct verify_policy policy = {.application = APP_SSH};

/* -- Packets by hand --------------------------------------------------------------------------------------- */

struct out {
	char b[8192];
	size_t n;
};

static void put(struct out *o, unsigned long v, size_t bytes)
{
	while (bytes-- > 0)
		o->b[o->n++] = (char)(v >> 8 * bytes);
}

static void string(struct out *o, const char *s)
{
	put(o, strlen(s), 4);
	memcpy(o->b + o->n, s, strlen(s));
	o->n += strlen(s);
}

static void packet(struct out *o, const struct out *payload)
{
	size_t padding = 8 - (payload->n + 5) % 8;

	if (padding < 4)
		padding += 8;
	put(o, payload->n + padding + 1, 4);
	put(o, padding, 1);
	memcpy(o->b + o->n, payload->b, payload->n);
	memset(o->b + o->n + payload->n, 'p', padding);
	o->n += payload->n + padding;
}

static void simple(struct out *o, unsigned type, const char *a, const char *b, const char *c)
{
	struct out payload = {.n = 0};
	const char *strings[] = {a, b, c};

	put(&payload, type, 1);
	for (int i = 0; i < 3; i++)
		if (strings[i] != NULL)
			string(&payload, strings[i]);
	packet(o, &payload);
}

struct init {
	const char *kex, *cipher, *compress; /* NULL = what all have */
	unsigned guess, reserved;
	size_t extra;
};

static void kexinit(struct out *o, const struct init *in)
{
	struct out p = {.n = 0};
	const char *cipher = in->cipher != NULL ? in->cipher : "aes128-ctr";
	const char *compress = in->compress != NULL ? in->compress : "none";

	put(&p, 20, 1);
	memset(p.b + p.n, 'k', 16);
	p.n += 16;
	string(&p, in->kex != NULL ? in->kex : "curve25519-sha256,kex-strict-c-v00@openssh.com");
	string(&p, "ssh-ed25519");
	string(&p, cipher);
	string(&p, cipher);
	string(&p, "hmac-sha2-256");
	string(&p, "hmac-sha2-256");
	string(&p, compress);
	string(&p, compress);
	string(&p, "");
	string(&p, "");
	put(&p, in->guess, 1);
	put(&p, in->reserved, 4);
	p.n += in->extra;
	packet(o, &p);
}

static struct line said(char who, const struct out *o)
{
	return (struct line){who, o->b, o->n};
}

static const struct line client_version = {'c', TEXT("SSH-2.0-test\r\n")}, server_version = {'s', TEXT("SSH-2.0-test\r\n")};

/* -- Recorded ---------------------------------------------------------------------------------------------- */

static void recorded(const char *name, size_t line)
{
	struct line lines[16];
	size_t n = script_load(name, lines, 16);
	struct outcome o = script_run(APP_SSH, &policy, lines, n);

	CHECK_INT(o.status, VERIFY_ACCEPT);
	CHECK_INT(o.level, LEVEL_RELATES);
	CHECK_INT(o.line, line);
	script_no_prefix_refused(APP_SSH, &policy, lines, n);
}

/* -- Version lines ----------------------------------------------------------------------------------------- */

static struct outcome one(char who, const char *text, size_t n)
{
	struct line lines[] = {{who, text, n}};

	return SCRIPT(APP_SSH, &policy, lines);
}

static void versions(void)
{
	CHECK_INT(one('c', TEXT("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")).level, LEVEL_PREFIX);
	CHECK_INT(one('c', TEXT("SSH-2.0-x\n")).level, LEVEL_PREFIX);
	CHECK_INT(one('s', TEXT("SSH-1.99-Cisco-1.25\n")).why, WHY_NONE);
	CHECK_INT(one('c', TEXT("SSH-1.99-Cisco-1.25\n")).why, WHY_NONE);
	CHECK_INT(one('c', TEXT("SSH-1.98-x\n")).why, WHY_VERSION);
	CHECK_INT(one('s', TEXT("SSH-1.5-x\n")).why, WHY_VERSION);
	CHECK_INT(one('c', TEXT("SSH-2.1-x\n")).why, WHY_VERSION);
	CHECK_INT(one('c', TEXT("SSH-3")).why, WHY_VERSION);
	CHECK_INT(one('c', TEXT("SSH-2.0-\r\n")).why, WHY_ENCODING);
	CHECK_INT(one('c', TEXT("SSH-2.0-x\0y\r\n")).why, WHY_ENCODING);
	CHECK_INT(one('c', TEXT("SSH-2.0-x\xe3\x81\x82\r\n")).why, WHY_ENCODING);
	CHECK_INT(one('c', TEXT("SSH-2.0-x\ry")).why, WHY_ENCODING);
	CHECK_INT(one('c', TEXT("GET / HTTP/1.1\r\n")).why, WHY_PROTOCOL);
	CHECK_INT(one('c', TEXT("\x16\x03\x01")).why, WHY_PROTOCOL);
	CHECK_INT(one('s', TEXT("Welcome\r\nSS is our ship\r\nSSH-2.0-x\r\n")).why, WHY_NONE);
	CHECK_INT(one('s', TEXT("Welcome\x01")).why, WHY_ENCODING);
	static char many[4096];
	memset(many, 'x', sizeof(many));
	CHECK_INT(one('s', many, 1100).why, WHY_LENGTH);
	memcpy(many, "SSH-2.0-", 8);
	CHECK_INT(one('c', many, 300).why, WHY_LENGTH);
	CHECK_INT(one('c', many, 254).why, WHY_NONE);
	memset(many, '\n', 70);
	CHECK_INT(one('s', many, 64).why, WHY_NONE);
	CHECK_INT(one('s', many, 65).why, WHY_PROTOCOL);
}

/* -- KEXINIT ----------------------------------------------------------------------------------------------- */

static struct outcome offers(const struct init *client, const struct init *server)
{
	static struct out c, s;

	c.n = s.n = 0;
	kexinit(&c, client);
	kexinit(&s, server);
	struct line lines[] = {client_version, server_version, said('c', &c), said('s', &s)};
	return SCRIPT(APP_SSH, &policy, lines);
}

static void agreements(void)
{
	struct init plain = {0};

	CHECK_INT(offers(&plain, &plain).level, LEVEL_RELATES);
	CHECK_INT(offers(&plain, &plain).status, VERIFY_DECIDED);
	struct init x = {.cipher = "x,aes128-ctr"}, y = {.cipher = "y,aes128-ctr"};
	CHECK_INT(offers(&x, &y).level, LEVEL_RELATES);
	CHECK_INT(offers(&(struct init){.cipher = "aes128"}, &plain).why, WHY_ANSWER_OTHER);
	CHECK_INT(offers(&(struct init){.kex = "curve25519"}, &plain).why, WHY_ANSWER_OTHER);
	CHECK_INT(offers(&(struct init){.compress = "zlib"}, &plain).why, WHY_ANSWER_OTHER);
	CHECK_INT(offers(&(struct init){.cipher = "a,,b"}, &plain).why, WHY_ENCODING);
	CHECK_INT(offers(&(struct init){.cipher = "a,"}, &plain).why, WHY_ENCODING);
	CHECK_INT(offers(&(struct init){.cipher = "a b"}, &plain).why, WHY_ENCODING);
	CHECK_INT(offers(&(struct init){.cipher = ""}, &plain).why, WHY_LENGTH);
	CHECK_INT(offers(&(struct init){.guess = 2}, &plain).why, WHY_FIELD);
	CHECK_INT(offers(&(struct init){.reserved = 1}, &plain).why, WHY_FIELD);
	CHECK_INT(offers(&(struct init){.extra = 1}, &plain).why, WHY_LENGTH);
}

static void framing(void)
{
	static const struct {
		const char *hex;
		enum inspect_why why;
	} cases[] = {
		{"01", WHY_PROTOCOL},
		{"17 03 03", WHY_PROTOCOL},
		{"00 00 00 0d", WHY_LENGTH}, /* not in blocks of eight */
		{"00 00 ff fc", WHY_LENGTH},
		{"00 00 00 03", WHY_LENGTH},
		{"00 00 00 1c 03", WHY_LENGTH}, /* too little padding */
		{"00 00 00 1c 1b", WHY_LENGTH}, /* nothing but padding */
		{"00 00 00 1c 04 15", WHY_COMMAND},
		{"00 00 00 1c 04 1e", WHY_COMMAND},
		{"00 00 00 1c 04 32", WHY_COMMAND},
		/* A name-list longer than the packet. */
		{"00 00 00 1c 04 14 00112233445566778899aabbccddeeff 00 00 00 03", WHY_LENGTH},
		{"00 00 00 1c 04 14 00112233445566778899aabbccddeeff 00 00 00 02", WHY_NONE},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct line lines[] = {client_version, {'c', HEX(cases[i].hex)}};
		CHECK_STR(inspect_why_word(SCRIPT(APP_SSH, &policy, lines).why), inspect_why_word(cases[i].why));
	}
}

/* -- The exchange ------------------------------------------------------------------------------------------ */

static struct outcome exchange(const struct init *client, const struct init *server, const struct out *from_client,
	const struct out *from_server)
{
	static struct out c, s;

	c.n = s.n = 0;
	kexinit(&c, client);
	kexinit(&s, server);
	struct line lines[] = {client_version, server_version, said('c', &c), said('s', &s), said('c', from_client),
		said('s', from_server)};
	return SCRIPT(APP_SSH, &policy, lines);
}

static void exchanges(void)
{
	struct init plain = {0}, rsa = {.kex = "rsa2048-sha256"};
	struct out key = {.n = 0}, reply = {.n = 0}, two = {.n = 0}, newkeys = {.n = 0}, debug = {.n = 0};
	struct out raw = {.b = "hello", .n = 5}, secret = {.n = 0}, pubkey = {.n = 0};

	simple(&key, 30, "the client's key", NULL, NULL);
	simple(&reply, 31, "host key", "the server's key", "signature");
	simple(&two, 31, "host key", "the server's key", NULL);
	simple(&newkeys, 21, NULL, NULL, NULL);
	simple(&debug, 2, "ignored", NULL, NULL);
	simple(&pubkey, 30, "host key", "key", NULL);
	simple(&secret, 31, "secret", NULL, NULL);
	CHECK_INT(exchange(&plain, &plain, &key, &reply).status, VERIFY_ACCEPT);
	CHECK_INT(exchange(&plain, &plain, &key, &two).why, WHY_LENGTH);
	CHECK_INT(exchange(&plain, &plain, &reply, &reply).why, WHY_COMMAND);
	CHECK_INT(exchange(&plain, &plain, &debug, &reply).why, WHY_ORDER);
	CHECK_INT(exchange(&plain, &plain, &debug, &debug).status, VERIFY_DECIDED);
	CHECK_INT(exchange(&plain, &plain, &newkeys, &reply).why, WHY_COMMAND);
	CHECK_INT(exchange(&plain, &plain, &raw, &reply).why, WHY_PROTOCOL);
	CHECK_INT(exchange(&plain, &plain, &key, &raw).why, WHY_PROTOCOL);
	CHECK_INT(exchange(&rsa, &rsa, &secret, &pubkey).why, WHY_ORDER);
}

/* A guess: right, it is the exchange's first message; wrong, it is passed over and the true one must follow. */
static void guesses(void)
{
	struct init same = {.guess = 1}, other = {.kex = "x,curve25519-sha256", .guess = 1}, plain = {0};
	struct out c = {.n = 0}, s = {.n = 0}, reply = {.n = 0}, key = {.n = 0}, wrong = {.n = 0};

	simple(&key, 30, "the client's key", NULL, NULL);
	simple(&reply, 31, "host key", "the server's key", "signature");
	simple(&wrong, 34, "x", NULL, NULL);
	kexinit(&c, &same);
	memcpy(c.b + c.n, key.b, key.n);
	c.n += key.n;
	kexinit(&s, &plain);
	struct line right[] = {client_version, said('c', &c), server_version, said('s', &s), said('s', &reply)};
	CHECK_INT(SCRIPT(APP_SSH, &policy, right).status, VERIFY_ACCEPT);

	c.n = 0;
	kexinit(&c, &other);
	memcpy(c.b + c.n, wrong.b, wrong.n);
	c.n += wrong.n;
	struct line again[] = {client_version, said('c', &c), server_version, said('s', &s), said('c', &key),
		said('s', &reply)};
	CHECK_INT(SCRIPT(APP_SSH, &policy, again).status, VERIFY_ACCEPT);
	struct line early[] = {client_version, said('c', &c), server_version, said('s', &s), said('s', &reply)};
	CHECK_INT(SCRIPT(APP_SSH, &policy, early).why, WHY_ORDER);

	struct init bear = {.kex = "curve25519-sha256,kexguess2@matt.ucc.asn.au", .guess = 1};
	struct init cave = {.kex = "x,curve25519-sha256,kexguess2@matt.ucc.asn.au"};
	c.n = s.n = 0;
	kexinit(&c, &bear);
	memcpy(c.b + c.n, key.b, key.n);
	c.n += key.n;
	kexinit(&s, &cave);
	struct line dropbear[] = {client_version, said('c', &c), server_version, said('s', &s), said('s', &reply)};
	CHECK_INT(SCRIPT(APP_SSH, &policy, dropbear).status, VERIFY_ACCEPT);

	c.n = 0;
	kexinit(&c, &plain);
	struct line unasked[] = {client_version, said('c', &c), said('c', &key)};
	CHECK_INT(SCRIPT(APP_SSH, &policy, unasked).why, WHY_ORDER);
}

static void disconnects(void)
{
	struct out bye = {.n = 0}, payload = {.n = 0};

	put(&payload, 1, 1);
	put(&payload, 2, 4);
	string(&payload, "too many");
	string(&payload, "");
	packet(&bye, &payload);
	struct line ends[] = {client_version, server_version, said('s', &bye)};
	struct line goes_on[] = {client_version, server_version, said('s', &bye), {'s', TEXT("\0")}};
	CHECK_INT(SCRIPT(APP_SSH, &policy, ends).status, VERIFY_MORE);
	CHECK_INT(SCRIPT(APP_SSH, &policy, goes_on).why, WHY_ORDER);
}

static void mimics(void)
{
	struct line banner_then_http[] = {client_version, server_version, {'c', TEXT("GET / HTTP/1.1\r\n")}};
	struct line banner_then_tls[] = {client_version, server_version, {'c', TEXT("\x16\x03\x01\x02\x00")}};
	struct line smtp[] = {{'s', TEXT("220 mail ESMTP\r\n")}, {'c', TEXT("EHLO x\r\n")}};

	CHECK_INT(SCRIPT(APP_SSH, &policy, banner_then_http).why, WHY_PROTOCOL);
	CHECK_INT(SCRIPT(APP_SSH, &policy, banner_then_tls).why, WHY_PROTOCOL);
	CHECK_INT(SCRIPT(APP_SSH, &policy, smtp).why, WHY_PROTOCOL);
	CHECK_INT(SCRIPT(APP_SSH, &policy, smtp).line, 1);
}

int main(void)
{
	recorded("verify_ssh/ssh", 5);
	recorded("verify_ssh/sshdh", 3);
	recorded("verify_ssh/sshgex", 5);
	recorded("verify_ssh/dropbear", 1); /* it guesses */
	versions();
	agreements();
	framing();
	exchanges();
	guesses();
	disconnects();
	mimics();
	return test_end();
}
