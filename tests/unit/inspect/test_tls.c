/*
 * test_tls.c: conversations of OpenSSL as they were recorded, hellos made by hand (hybrid keys, GREASE, ECH, cut anywhere),
 * every refusal, and what pretends to be TLS.
 */
#include "script.h"
#include "test.h"

static const char *const names[] = {"renkei.example", "*.town.example"}, *const alpns[] = {"h2", "http/1.1"};
static const struct verify_policy any = {.application = APP_TLS};
static const struct verify_policy named = {.application = APP_TLS, .server_names = {names, 2}};
static const struct verify_policy named_ech = {.application = APP_TLS, .options = VERIFY_ECH, .server_names = {names, 2}};
static const struct verify_policy h2_only = {.application = APP_TLS, .alpns = {alpns, 1}};
static const struct verify_policy both_alpns = {.application = APP_TLS, .alpns = {alpns, 2}};

/* -- Bytes by hand ----------------------------------------------------------------------------------------- */

struct out {
	uint8_t b[16384];
	size_t n;
};

static void put(struct out *o, unsigned long v, size_t bytes)
{
	while (bytes-- > 0)
		o->b[o->n++] = (uint8_t)(v >> 8 * bytes);
}

static void fill(struct out *o, uint8_t v, size_t n)
{
	memset(o->b + o->n, v, n);
	o->n += n;
}

static void text(struct out *o, const char *s)
{
	memcpy(o->b + o->n, s, strlen(s));
	o->n += strlen(s);
}

static size_t begin(struct out *o, size_t bytes)
{
	put(o, 0, bytes);
	return o->n;
}

static void end(struct out *o, size_t start, size_t bytes)
{
	struct out length = {.n = 0};

	put(&length, o->n - start, bytes);
	memcpy(o->b + start - bytes, length.b, bytes);
}

/* What is unusual of a hello; zero: a plain one of TLS 1.3 and 1.2. */
struct hello {
	const char *name; /* NULL: renkei.example; "": no extension */
	const char *alpn, *alpn2;
	unsigned version; /* legacy; 0 = 0x0303 */
	unsigned offered; /* one in supported_versions; 0 = both; 1 = no extension */
	bool hybrid, ech, grease, early, psk, no_share;
	unsigned extra;	  /* an extension of this type with extra_n bytes of extra_byte */
	size_t extra_n;
	uint8_t extra_byte;
	int padding;	  /* zeros, the last of them padding_last */
	uint8_t padding_last;
	unsigned group;	  /* of the key; 0 = x25519 */
	size_t cookie;
	uint8_t name_type;
	bool two_names, psk_first;
};

static void extension_name(struct out *o, const struct hello *h)
{
	const char *name = h->name != NULL ? h->name : "renkei.example";

	if (*name == '\0')
		return;
	put(o, 0, 2);
	size_t x = begin(o, 2), list = begin(o, 2);
	for (int i = 0; i < 1 + h->two_names; i++) {
		put(o, h->name_type, 1);
		size_t n = begin(o, 2);
		text(o, name);
		end(o, n, 2);
	}
	end(o, list, 2);
	end(o, x, 2);
}

static void extension_alpn(struct out *o, const struct hello *h)
{
	if (h->alpn == NULL)
		return;
	put(o, 16, 2);
	size_t x = begin(o, 2), list = begin(o, 2);
	const char *words[] = {h->grease ? "\x3a\x3a" : NULL, h->alpn, h->alpn2};
	for (int i = 0; i < 3; i++) {
		if (words[i] == NULL)
			continue;
		put(o, strlen(words[i]), 1);
		text(o, words[i]);
	}
	end(o, list, 2);
	end(o, x, 2);
}

static void extension_share(struct out *o, const struct hello *h)
{
	unsigned group = h->group != 0 ? h->group : 29;

	put(o, 51, 2);
	size_t x = begin(o, 2), list = begin(o, 2);
	if (h->grease) {
		put(o, 0x1a1a, 2);
		put(o, 1, 2);
		put(o, 0, 1);
	}
	if (h->hybrid) {
		put(o, 0x11ec, 2);
		put(o, 1216, 2);
		fill(o, 0x77, 1216);
	}
	if (!h->no_share) {
		put(o, group, 2);
		put(o, group == 23 ? 65 : 32, 2);
		fill(o, 0x55, group == 23 ? 65 : 32);
	}
	end(o, list, 2);
	end(o, x, 2);
}

static void extension_psk(struct out *o)
{
	put(o, 41, 2);
	size_t x = begin(o, 2), list = begin(o, 2);
	put(o, 16, 2);
	fill(o, 0x31, 16 + 4);
	end(o, list, 2);
	list = begin(o, 2);
	put(o, 32, 1);
	fill(o, 0x32, 32);
	end(o, list, 2);
	end(o, x, 2);
}

static void extension_versions(struct out *o, const struct hello *h)
{
	if (h->offered == 1)
		return;
	put(o, 43, 2);
	size_t x = begin(o, 2), list = begin(o, 1);
	if (h->grease)
		put(o, 0x8a8a, 2);
	put(o, h->offered != 0 ? h->offered : 0x0304, 2);
	if (h->offered == 0)
		put(o, 0x0303, 2);
	end(o, list, 1);
	end(o, x, 2);
}

static void extensions(struct out *o, const struct hello *h)
{
	size_t x;

	if (h->grease)
		put(o, 0xdada0000, 4);
	extension_name(o, h);
	put(o, 0x000a0008, 4); /* groups: x25519 secp256r1 X25519MLKEM768 */
	put(o, 0x0006001d, 4);
	put(o, 0x001711ec, 4);
	put(o, 0x000d0004, 4); /* signatures */
	put(o, 0x00020403, 4);
	extension_alpn(o, h);
	extension_versions(o, h);
	put(o, 0x002d0002, 4);
	put(o, 0x0101, 2);
	if (h->psk_first)
		extension_psk(o);
	if (h->offered != 1)
		extension_share(o, h);
	if (h->early)
		put(o, 0x002a0000, 4);
	if (h->cookie > 0) {
		put(o, 44, 2);
		put(o, h->cookie + 2, 2);
		put(o, h->cookie, 2);
		fill(o, 0xc0, h->cookie);
	}
	if (h->ech) {
		put(o, 0xfe0d, 2);
		x = begin(o, 2);
		put(o, 0, 1);
		put(o, 0x00010001, 4);
		put(o, 0x42, 1);
		put(o, 32, 2);
		fill(o, 0xee, 32);
		put(o, 144, 2);
		fill(o, 0xef, 144);
		end(o, x, 2);
	}
	if (h->extra != 0 || h->extra_n != 0) {
		put(o, h->extra, 2);
		put(o, h->extra_n, 2);
		fill(o, h->extra_byte, h->extra_n);
	}
	if (h->padding > 0) {
		put(o, 21, 2);
		put(o, (unsigned)h->padding, 2);
		fill(o, 0, (size_t)h->padding);
		o->b[o->n - 1] = h->padding_last;
	}
	if (h->psk)
		extension_psk(o);
}

/* A whole record with a ClientHello. */
static struct line client(struct out *o, const struct hello *h)
{
	o->n = 0;
	put(o, 0x160301, 3);
	size_t record = begin(o, 2);
	put(o, 1, 1);
	size_t message = begin(o, 3);
	put(o, h->version != 0 ? h->version : 0x0303, 2);
	fill(o, 0xaa, 32);
	put(o, 32, 1);
	fill(o, 0xbb, 32);
	size_t ciphers = begin(o, 2);
	if (h->grease)
		put(o, 0x4a4a, 2);
	put(o, 0x13011302, 4);
	put(o, 0xc02bc02f, 4);
	end(o, ciphers, 2);
	put(o, 0x0100, 2);
	size_t list = begin(o, 2);
	extensions(o, h);
	end(o, list, 2);
	end(o, message, 3);
	end(o, record, 2);
	return (struct line){'c', (const char *)o->b, o->n};
}

struct answer {
	unsigned version; /* legacy; 0 = 0x0303 */
	unsigned cipher;  /* 0 = 0x1301 */
	uint8_t session;  /* 0 = as the client's */
	bool tls12, retry, no_share, psk;
	unsigned group;	  /* 0 = x25519 */
	unsigned extra, extra_n;
	const char *alpn;
	size_t cookie, key;
	bool behind;	  /* more in the record than the hello */
};

static void answer_extensions(struct out *o, const struct answer *a)
{
	if (!a->tls12)
		put(o, 0x002b00020304, 6);
	if (a->retry && !a->no_share) {
		put(o, 0x00330002, 4);
		put(o, a->group != 0 ? a->group : 23, 2);
	} else if (!a->tls12 && !a->no_share) {
		size_t n = a->key != 0 ? a->key : a->group == 0x11ec ? 1120 : a->group == 23 ? 65 : 32;
		put(o, 51, 2);
		put(o, 4 + n, 2);
		put(o, a->group != 0 ? a->group : 29, 2);
		put(o, n, 2);
		fill(o, 0x99, n);
	}
	if (a->cookie > 0) {
		put(o, 44, 2);
		put(o, a->cookie + 2, 2);
		put(o, a->cookie, 2);
		fill(o, 0xc0, a->cookie);
	}
	if (a->psk)
		put(o, 0x002900020000, 6);
	if (a->alpn != NULL) {
		size_t n = strlen(a->alpn);
		put(o, 16, 2);
		put(o, n + 3, 2);
		put(o, n + 1, 2);
		put(o, n, 1);
		text(o, a->alpn);
	}
	if (a->extra != 0) {
		put(o, a->extra, 2);
		put(o, a->extra_n, 2);
		fill(o, 0, a->extra_n);
	}
}

static struct line server(struct out *o, const struct answer *a)
{
	static const char retry[] = "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91"
				    "\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c";

	o->n = 0;
	put(o, 0x160303, 3);
	size_t record = begin(o, 2);
	put(o, 2, 1);
	size_t message = begin(o, 3);
	put(o, a->version != 0 ? a->version : 0x0303, 2);
	if (a->retry)
		memcpy(o->b + o->n, retry, 32);
	else
		memset(o->b + o->n, 0xdd, 32);
	o->n += 32;
	put(o, 32, 1);
	fill(o, a->session != 0 ? a->session : 0xbb, 32);
	put(o, a->cipher != 0 ? a->cipher : a->tls12 ? 0xc02b : 0x1301, 2);
	put(o, 0, 1);
	size_t list = begin(o, 2);
	answer_extensions(o, a);
	end(o, list, 2);
	end(o, message, 3);
	if (a->behind)
		put(o, 0x0b000000, 4);
	end(o, record, 2);
	return (struct line){'s', (const char *)o->b, o->n};
}

static struct outcome offer(const struct verify_policy *policy, const struct hello *h)
{
	static struct out o;
	struct line lines[] = {client(&o, h)};

	return SCRIPT(APP_TLS, policy, lines);
}

static struct outcome exchange(const struct hello *h, const struct answer *a)
{
	static struct out o, p;
	struct line lines[] = {client(&o, h), server(&p, a)};

	return SCRIPT(APP_TLS, &any, lines);
}

/* -- Recorded conversations -------------------------------------------------------------------------------- */

static void recorded(const char *name, enum verify_status status, size_t line)
{
	struct line lines[16];
	size_t n = script_load(name, lines, 16);
	struct outcome o = script_run(APP_TLS, &named, lines, n);

	if (o.status != status || o.line != line)
		printf("%s: status %u (%s) in line %zu\n", name, o.status, inspect_why_word(o.why), o.line);
	CHECK_INT(o.status, status);
	CHECK_INT(o.line, line);
	CHECK_STR(o.name, "renkei.example");
	script_no_prefix_refused(APP_TLS, &named, lines, n);
}

static void conversations(void)
{
	recorded("verify_tls/tls13", VERIFY_ACCEPT, 2);
	recorded("verify_tls/tls13retry", VERIFY_ACCEPT, 4);
	recorded("verify_tls/tls13client", VERIFY_ACCEPT, 2);
	recorded("verify_tls/tls13early2", VERIFY_ACCEPT, 2);
	recorded("verify_tls/tls12", VERIFY_ACCEPT, 2);
	recorded("verify_tls/tls12client", VERIFY_ACCEPT, 2);
	recorded("verify_tls/tls12resume2", VERIFY_ACCEPT, 2);
	recorded("verify_tls/tls12untrusted", VERIFY_DECIDED, 2);
	recorded("verify_tls/tls13untrusted", VERIFY_DECIDED, 2);
	recorded("verify_tls/tls13noshare", VERIFY_MORE, 1);
}

/* -- Offers ------------------------------------------------------------------------------------------------ */

#define OFFER(policy, expected, ...)                                                                                   \
	do {                                                                                                            \
		struct outcome o_ = offer((policy), &(struct hello){__VA_ARGS__});                                      \
		CHECK_STR(inspect_why_word(o_.why), inspect_why_word(expected));                                        \
		CHECK_INT(o_.level, (expected) == WHY_NONE ? LEVEL_PREFIX : LEVEL_NONE);                                \
	} while (0)

static void offers(void)
{
	OFFER(&any, WHY_NONE, 0);
	OFFER(&any, WHY_NONE, .grease = true, .hybrid = true, .alpn = "h2", .alpn2 = "http/1.1", .ech = true, .padding = 200);
	OFFER(&any, WHY_NONE, .psk = true, .early = true);
	OFFER(&any, WHY_NONE, .offered = 1);
	OFFER(&any, WHY_NONE, .no_share = true);
	OFFER(&any, WHY_NONE, .extra = 0x4469, .extra_n = 3);
	OFFER(&any, WHY_VERSION, .version = 0x0302, .offered = 1);
	OFFER(&any, WHY_VERSION, .version = 0x0301, .offered = 1);
	OFFER(&any, WHY_VERSION, .offered = 0x0302);
	OFFER(&any, WHY_VERSION, .offered = 0x7f1c);
	OFFER(&any, WHY_FIELD, .extra = 43, .extra_n = 3);	   /* twice */
	OFFER(&any, WHY_FIELD, .extra = 0, .extra_n = 5);	   /* server_name twice */
	OFFER(&any, WHY_FIELD, .padding = 100, .padding_last = 1); /* padding that says something */
	OFFER(&any, WHY_FIELD, .psk_first = true);
	OFFER(&any, WHY_FIELD, .early = true);			   /* without a key to seal it */
	OFFER(&any, WHY_FIELD, .cookie = 8);			   /* that nobody has sent */
	OFFER(&any, WHY_FIELD, .extra = 57, .extra_n = 8);	   /* QUIC's */
	OFFER(&any, WHY_LENGTH, .extra = 23, .extra_n = 1);
	OFFER(&any, WHY_LENGTH, .extra = 0x3374, .extra_n = 1);
	OFFER(&any, WHY_FIELD, .extra = 0xff01, .extra_n = 1, .extra_byte = 7);
	OFFER(&any, WHY_FIELD, .extra = 0xfd00, .extra_n = 3);
	OFFER(&any, WHY_LENGTH, .group = 0x0201);		   /* a key of the wrong size */
}

static void server_names(void)
{
	OFFER(&named, WHY_NONE, 0);
	OFFER(&named, WHY_NONE, .name = "RENKEI.example");
	OFFER(&named, WHY_NONE, .name = "www.town.example");
	OFFER(&named, WHY_SERVER_NAME, .name = "town.example");
	OFFER(&named, WHY_SERVER_NAME, .name = "renkei.example.evil.example");
	OFFER(&named, WHY_SERVER_NAME, .name = "xrenkei.example");
	OFFER(&named, WHY_FIELD, .name = "renkei.example\n");
	OFFER(&any, WHY_FIELD, .name = "a..b");
	OFFER(&any, WHY_FIELD, .name_type = 1);
	OFFER(&any, WHY_LENGTH, .two_names = true);
	OFFER(&named, WHY_NO_SERVER_NAME, .name = "");
	OFFER(&any, WHY_NONE, .name = "");
	OFFER(&any, WHY_NONE, .name = "10.2.0.8");
}

/* The byte that completes a wrong name is the one that is refused; nothing before it. */
static void wrong_name_never_whole(void)
{
	static struct out o;
	struct line l = client(&o, &(struct hello){.name = "other.example"});
	size_t at = (size_t)((const char *)memmem(l.text, l.n, "other.example", 13) - l.text) + 13;
	struct line before[] = {{'c', l.text, at - 1}}, whole[] = {{'c', l.text, at}};

	CHECK_INT(SCRIPT(APP_TLS, &named, before).why, WHY_NONE);
	CHECK_INT(SCRIPT(APP_TLS, &named, whole).why, WHY_SERVER_NAME);
	CHECK_STR(SCRIPT(APP_TLS, &named, whole).name, "other.example");
}

static void alpn_and_ech(void)
{
	OFFER(&h2_only, WHY_NONE, .alpn = "h2");
	OFFER(&h2_only, WHY_NONE, .alpn = "h2", .grease = true);
	OFFER(&h2_only, WHY_ALPN, .alpn = "h2", .alpn2 = "http/1.1");
	OFFER(&both_alpns, WHY_NONE, .alpn = "h2", .alpn2 = "http/1.1");
	OFFER(&h2_only, WHY_ALPN, .alpn = "ssh");
	OFFER(&h2_only, WHY_ALPN, 0);
	OFFER(&h2_only, WHY_ALPN, .alpn = "\x4a\x4a");
	OFFER(&any, WHY_NONE, .ech = true);
	OFFER(&named, WHY_ECH, .ech = true);
	OFFER(&named_ech, WHY_NONE, .ech = true);
	OFFER(&named_ech, WHY_SERVER_NAME, .ech = true, .name = "cloud.example");
	OFFER(&named_ech, WHY_FIELD, .extra = 0xfe0d, .extra_n = 40, .extra_byte = 1); /* the inner form outside */
}

/* Cut into two records at each place, also inside the message's header. */
static void split_hellos(void)
{
	static struct out o, p, s;
	struct line l = client(&o, &(struct hello){.hybrid = true, .grease = true});
	struct line a = server(&s, &(struct answer){.group = 0x11ec});

	for (size_t cut = 1; cut < l.n - 5; cut += cut < 90 ? 1 : 97) {
		p.n = 0;
		put(&p, 0x160301, 3);
		put(&p, cut, 2);
		memcpy(p.b + p.n, l.text + 5, cut);
		p.n += cut;
		put(&p, 0x160303, 3);
		put(&p, l.n - 5 - cut, 2);
		memcpy(p.b + p.n, l.text + 5 + cut, l.n - 5 - cut);
		p.n += l.n - 5 - cut;
		struct line lines[] = {{'c', (const char *)p.b, p.n}, a};
		struct outcome r = SCRIPT(APP_TLS, &named, lines);
		CHECK_INT(r.status, VERIFY_DECIDED);
		CHECK_INT(r.level, LEVEL_RELATES);
	}
	/* The second record longer than what is left of the hello. */
	p.n = 0;
	put(&p, 0x160301, 3);
	put(&p, 6, 2);
	memcpy(p.b + p.n, l.text + 5, 6);
	p.n += 6;
	put(&p, 0x160303, 3);
	put(&p, l.n - 5 - 6 + 1, 2);
	struct line lines[] = {{'c', (const char *)p.b, p.n}};
	CHECK_INT(SCRIPT(APP_TLS, &any, lines).why, WHY_LENGTH);
}

/* -- Answers ----------------------------------------------------------------------------------------------- */

#define ANSWER(expected, h, ...)                                                                                       \
	do {                                                                                                            \
		struct outcome o_ = exchange(&(struct hello)h, &(struct answer){__VA_ARGS__});                          \
		CHECK_STR(inspect_why_word(o_.why), inspect_why_word(expected));                                        \
		CHECK_INT(o_.level, (expected) == WHY_NONE ? LEVEL_RELATES : LEVEL_PREFIX);                             \
	} while (0)
#define PLAIN {0}
#define WITH(...) {__VA_ARGS__}

static void answers(void)
{
	ANSWER(WHY_NONE, PLAIN, 0);
	ANSWER(WHY_NONE, PLAIN, .tls12 = true);
	ANSWER(WHY_NONE, PLAIN, .tls12 = true, .session = 0x12);
	ANSWER(WHY_NONE, PLAIN, .tls12 = true, .behind = true);
	ANSWER(WHY_NONE, WITH(.hybrid = true), .group = 0x11ec);
	ANSWER(WHY_NONE, WITH(.psk = true), .psk = true, .no_share = true);
	ANSWER(WHY_NONE, WITH(.alpn = "h2"), .tls12 = true, .alpn = "h2");
	ANSWER(WHY_ANSWER_OTHER, WITH(.alpn = "h2"), .tls12 = true, .alpn = "h3");
	ANSWER(WHY_ANSWER_OTHER, PLAIN, .tls12 = true, .alpn = "h2");
	ANSWER(WHY_ANSWER_OTHER, PLAIN, .session = 0x12);
	ANSWER(WHY_ANSWER_OTHER, PLAIN, .cipher = 0x1303);
	ANSWER(WHY_ANSWER_OTHER, WITH(.grease = true), .cipher = 0x4a4a);
	ANSWER(WHY_FIELD, PLAIN, .cipher = 0xc02b);
	ANSWER(WHY_FIELD, PLAIN, .tls12 = true, .cipher = 0x1301);
	ANSWER(WHY_VERSION, PLAIN, .tls12 = true, .version = 0x0302);
	ANSWER(WHY_VERSION, PLAIN, .tls12 = true, .version = 0x0301);
	ANSWER(WHY_VERSION, WITH(.offered = 0x0304), .tls12 = true);
	ANSWER(WHY_ANSWER_OTHER, WITH(.offered = 1), 0);
	ANSWER(WHY_ANSWER_OTHER, PLAIN, .group = 23);
	ANSWER(WHY_ANSWER_OTHER, WITH(.grease = true), .group = 0x1a1a, .key = 1);
	ANSWER(WHY_LENGTH, WITH(.hybrid = true), .group = 0x11ec, .key = 1216);
	ANSWER(WHY_ANSWER_OTHER, PLAIN, .extra = 35);
	ANSWER(WHY_ANSWER_OTHER, WITH(.grease = true), .extra = 0xdada);
	ANSWER(WHY_FIELD, WITH(.alpn = "h2"), .alpn = "h2"); /* of TLS 1.3 it would be sealed */
	ANSWER(WHY_ANSWER_OTHER, PLAIN, .psk = true);
	ANSWER(WHY_FIELD, PLAIN, .no_share = true);
	ANSWER(WHY_TRAILING, PLAIN, .behind = true);
	ANSWER(WHY_ANSWER_OTHER, PLAIN, .cookie = 4);
}

static struct outcome retry(const struct answer *asked, const struct hello *again, const struct answer *last)
{
	static struct out o[4];
	struct hello first = {.psk = again->psk, .early = again->psk};
	struct line lines[] = {client(&o[0], &first), server(&o[1], asked), client(&o[2], again), server(&o[3], last)};

	return SCRIPT(APP_TLS, &any, lines);
}

#define RETRY(expected, asked, again, ...)                                                                             \
	do {                                                                                                            \
		struct outcome o_ = retry(&(struct answer)asked, &(struct hello)again, &(struct answer){__VA_ARGS__});  \
		CHECK_STR(inspect_why_word(o_.why), inspect_why_word(expected));                                        \
	} while (0)

static void retries(void)
{
	struct outcome o = retry(&(struct answer){.retry = true, .cookie = 9}, &(struct hello){.group = 23, .cookie = 9},
		&(struct answer){.group = 23});

	CHECK_INT(o.level, LEVEL_RELATES);
	RETRY(WHY_NONE, WITH(.retry = true), WITH(.group = 23, .psk = true), .group = 23, .psk = true);
	RETRY(WHY_NONE, WITH(.retry = true, .no_share = true, .cookie = 4), WITH(.cookie = 4), 0);
	RETRY(WHY_ANSWER_OTHER, WITH(.retry = true), WITH(.group = 29), 0);		     /* not the group asked for */
	RETRY(WHY_ANSWER_OTHER, WITH(.retry = true), WITH(.group = 23, .hybrid = true), 0);  /* one more */
	RETRY(WHY_ANSWER_OTHER, WITH(.retry = true, .cookie = 4), WITH(.group = 23), 0);
	RETRY(WHY_ANSWER_OTHER, WITH(.retry = true, .cookie = 4), WITH(.group = 23, .cookie = 5), 0);
	RETRY(WHY_ANSWER_OTHER, WITH(.retry = true), WITH(.group = 23, .name = "other.example"), 0);
	RETRY(WHY_ANSWER_OTHER, WITH(.retry = true), WITH(.group = 23, .alpn = "h2"), 0);
	RETRY(WHY_FIELD, WITH(.retry = true), WITH(.group = 23, .early = true), 0);
	RETRY(WHY_ORDER, WITH(.retry = true), WITH(.group = 23), .retry = true, .group = 0x11ec); /* twice */
	RETRY(WHY_ANSWER_OTHER, WITH(.retry = true), WITH(.group = 23), .group = 23, .cipher = 0x1302);
	RETRY(WHY_VERSION, WITH(.retry = true, .tls12 = true), PLAIN, 0);
	RETRY(WHY_ANSWER_OTHER, WITH(.retry = true, .group = 29), PLAIN, 0);	/* its key was there */
	RETRY(WHY_ANSWER_OTHER, WITH(.retry = true, .group = 30), PLAIN, 0);	/* not supported */
	RETRY(WHY_FIELD, WITH(.retry = true, .no_share = true), PLAIN, 0);	/* nothing to change */
}

/* -- Behind the answer ------------------------------------------------------------------------------------- */

static struct outcome behind(bool tls12, const char *from_server, const char *from_client)
{
	static struct out o, p;
	struct line lines[] = {client(&o, &(struct hello){0}), server(&p, &(struct answer){.tls12 = tls12}),
		{'s', HEX(from_server)}, {'c', HEX(from_client)}};

	return SCRIPT(APP_TLS, &any, lines);
}

#define SEALED_16 "17 03 03 00 10 00112233445566778899aabbccddeeff"

static void records(void)
{
	CHECK_INT(behind(false, "14 03 03 00 01 01" SEALED_16, "14 03 03 00 01 01" SEALED_16).status, VERIFY_ACCEPT);
	CHECK_INT(behind(false, SEALED_16, SEALED_16).status, VERIFY_ACCEPT);
	CHECK_INT(behind(false, SEALED_16, "14 03 03 00 01 01").status, VERIFY_DECIDED);
	CHECK_INT(behind(false, SEALED_16, "15 03 03 00 02 02 30").status, VERIFY_DECIDED);
	CHECK_INT(behind(false, "53 53 48", "").why, WHY_PROTOCOL);
	CHECK_INT(behind(false, SEALED_16 "53", "").why, WHY_PROTOCOL);
	CHECK_INT(behind(false, SEALED_16, "00").why, WHY_PROTOCOL);
	CHECK_INT(behind(false, SEALED_16, "17 03 01").why, WHY_VERSION);
	CHECK_INT(behind(false, SEALED_16, "17 04").why, WHY_PROTOCOL);
	CHECK_INT(behind(false, SEALED_16, "17 03 03 41 01").why, WHY_LENGTH);
	CHECK_INT(behind(false, SEALED_16, "17 03 03 00 00").why, WHY_LENGTH);
	CHECK_INT(behind(false, SEALED_16, "16 03").why, WHY_ORDER);
	CHECK_INT(behind(false, SEALED_16, "14 03 03 00 02").why, WHY_LENGTH);
	CHECK_INT(behind(false, SEALED_16, "14 03 03 00 01 02").why, WHY_FIELD);
	CHECK_INT(behind(false, SEALED_16, "14 03 03 00 01 01 14").why, WHY_ORDER);
	CHECK_INT(behind(false, SEALED_16, "15 03 03 00 02 03").why, WHY_FIELD);
	CHECK_INT(behind(false, SEALED_16, "15 03 03 00 02 02 30 17").why, WHY_ORDER);
	CHECK_INT(behind(false, SEALED_16, "15 03 03 00 02 01 5a" SEALED_16).status, VERIFY_ACCEPT);
}

static void records_of_12(void)
{
	static const char done[] = "16 03 03 00 09 0b 00 00 01 00 0e 00 00 00";
	static const char finish[] = "16 03 03 00 06 10 00 00 02 01 02  14 03 03 00 01 01  16 03 03 00 10 00112233445566778899aabbccddeeff";

	CHECK_INT(behind(true, done, finish).status, VERIFY_ACCEPT);
	/* Messages across records; a session resumed: no ServerHelloDone. */
	CHECK_INT(behind(true, "16 03 03 00 03 0b 00 00  16 03 03 00 06 01 00 0e 00 00 00", finish).status, VERIFY_ACCEPT);
	CHECK_INT(behind(true, "14 03 03 00 01 01 16 03 03 00 10 00112233445566778899aabbccddeeff", finish).status, VERIFY_ACCEPT);
	CHECK_INT(behind(true, done, "16 03 03 00 06 10 00 00 02 01 02 14 03 03 00 01 01 16 03 03 00 10 00").status,
		VERIFY_DECIDED);
	CHECK_INT(behind(true, "16 03 03 00 04 14", "").why, WHY_COMMAND);
	CHECK_INT(behind(true, "16 03 03 00 04 0e 00 00 01", "").why, WHY_LENGTH);
	CHECK_INT(behind(true, "16 03 03 00 04 0b ff", "").why, WHY_NONE);
	CHECK_INT(behind(true, "16 03 03 00 04 0b ff ff ff", "").why, WHY_LENGTH);
	CHECK_INT(behind(true, "16 03 03 00 03 0b 00 00 14", "").why, WHY_ORDER);
	CHECK_INT(behind(true, SEALED_16, "").why, WHY_ORDER);
	CHECK_INT(behind(true, done, "16 03 03 00 04 01").why, WHY_COMMAND);
	CHECK_INT(behind(true, done, "17 03").why, WHY_ORDER);
	CHECK_INT(behind(true, done, "14 03 03 00 01 01 17 03").why, WHY_ORDER);
	CHECK_INT(behind(true, done, "14 03 03 00 01 01 16 03 03 48 01").why, WHY_LENGTH);
}

/* -- Other protocols, and what begins like TLS ------------------------------------------------------------- */

static struct outcome says(char who, const char *bytes, size_t n)
{
	struct line lines[] = {{who, bytes, n}};

	return SCRIPT(APP_TLS, &any, lines);
}

static void mimics(void)
{
	static struct out o;
	struct line hello = client(&o, &(struct hello){0});

	CHECK_INT(says('c', TEXT("SSH-2.0-OpenSSH_9.2\r\n")).why, WHY_PROTOCOL);
	CHECK_INT(says('c', TEXT("GET / HTTP/1.1\r\n")).why, WHY_PROTOCOL);
	CHECK_INT(says('c', TEXT("\x80\x2e\x01\x03\x01")).why, WHY_PROTOCOL); /* SSL 2.0 */
	CHECK_INT(says('c', TEXT("\x16\x03\x00")).why, WHY_VERSION);
	CHECK_INT(says('c', TEXT("\x16\x03\x04")).why, WHY_VERSION);
	CHECK_INT(says('c', TEXT("\x16\x03\x01\x40\x01")).why, WHY_LENGTH);
	CHECK_INT(says('c', TEXT("\x16\x03\x01\x00\x00")).why, WHY_LENGTH);
	CHECK_INT(says('c', TEXT("\x16\x03\x01\x01\x00\x02")).why, WHY_COMMAND);
	CHECK_INT(says('c', TEXT("\x16\x03\x01\x01\x00\x01\x00\x00\xfb")).why, WHY_LENGTH);
	CHECK_INT(says('c', TEXT("\x17\x03\x03\x01\x00")).why, WHY_PROTOCOL);
	CHECK_INT(says('s', TEXT("\x16")).why, WHY_ORDER);
	const struct {
		char who;
		const char *hex;
		enum inspect_why why;
	} after[] = {
		{'c', "00", WHY_PROTOCOL}, /* the hello, then a tunnel */
		{'c', "17 03 03", WHY_ORDER},
		{'c', "16 03 01", WHY_ORDER},
		{'s', "53 53 48 2d", WHY_ANSWER},
		{'s', "17 03 03", WHY_ANSWER},
		{'s', "16 03 03 00 7a 0b", WHY_COMMAND},
		{'s', "16 03 03 00 7a 02 00 00 76 04", WHY_FIELD},
		{'s', "15 03 01 00 02 02 28", WHY_NONE},
		{'s', "15 03 01 00 02 02 28 00", WHY_ORDER},
		{'s', "15 03 03 00 02 01 70 16 03 03", WHY_NONE},
	};
	for (size_t i = 0; i < sizeof(after) / sizeof(after[0]); i++) {
		struct line lines[] = {hello, {after[i].who, HEX(after[i].hex)}};
		CHECK_STR(inspect_why_word(SCRIPT(APP_TLS, &any, lines).why), inspect_why_word(after[i].why));
	}
}

/* Early data: announced, framed, bounded. */
static void early_data(void)
{
	static struct out o, p;
	struct line hello = client(&o, &(struct hello){.psk = true, .early = true});
	struct line early[] = {hello, {'c', HEX("14 03 03 00 01 01" SEALED_16)}, server(&p, &(struct answer){.psk = true}),
		{'s', HEX(SEALED_16)}, {'c', HEX(SEALED_16)}};
	struct line wild[] = {hello, {'c', HEX("14 03 03 00 01 01" SEALED_16 "00")}};

	CHECK_INT(SCRIPT(APP_TLS, &any, early).status, VERIFY_ACCEPT);
	CHECK_INT(SCRIPT(APP_TLS, &any, wild).why, WHY_PROTOCOL);
	static uint8_t much[16400] = {0x17, 0x03, 0x03, 0x40, 0x00};
	struct line endless[] = {hello, {'c', BYTES(much)}};
	CHECK_INT(SCRIPT(APP_TLS, &any, endless).why, WHY_MANY_BYTES);
}

int main(void)
{
	conversations();
	offers();
	server_names();
	wrong_name_never_whole();
	alpn_and_ech();
	split_hellos();
	answers();
	retries();
	records();
	records_of_12();
	mimics();
	early_data();
	return test_end();
}
