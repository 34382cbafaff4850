/*
 * tls_hello.c: ClientHello and ServerHello, to the last vector (RFC 8446, 4.1 and 4.2; RFC 5246, 7.4.1; RFC 6066, 7301).
 *
 * Every vector must add up exactly, whether its bytes are there yet or not: a length that cannot fit is refused when it is
 * read. No extension comes twice. Extensions that are known are read to their end, others are skipped; padding (RFC 7685)
 * must be zeros. Values of RFC 8701 (GREASE) are legal in an offer and never in an answer.
 *
 * Rules that the client's bytes decide: server-name (the name is judged with its last byte, so a wrong one never goes out
 * whole), alpn (every protocol that is offered must be the rule's, because the answer is encrypted in TLS 1.3), ech.
 *
 * Input: bytes of the network. Bounds: TLS_EXTENSIONS_MAX. Failure: the why in the cursor.
 */
#include "tls_hello.h"

#include "vector.h"
#include "verifiers.h"

enum {
	X_SERVER_NAME = 0,
	X_FRAGMENT_LENGTH = 1,
	X_STATUS_REQUEST = 5,
	X_GROUPS = 10,
	X_POINT_FORMATS = 11,
	X_SIGNATURES = 13,
	X_HEARTBEAT = 15,
	X_ALPN = 16,
	X_TIMESTAMPS = 18,
	X_PADDING = 21,
	X_ENCRYPT_THEN_MAC = 22,
	X_MASTER_SECRET = 23,
	X_RECORD_SIZE = 28,
	X_TICKET = 35,
	X_PSK = 41,
	X_EARLY_DATA = 42,
	X_VERSIONS = 43,
	X_COOKIE = 44,
	X_PSK_MODES = 45,
	X_POST_HANDSHAKE = 49,
	X_SIGNATURES_CERT = 50,
	X_KEY_SHARE = 51,
	X_QUIC = 57,
	X_NEXT_PROTOCOL = 13172,
	X_ECH_OUTER_LIST = 0xfd00,
	X_ECH = 0xfe0d,
	X_RENEGOTIATION = 0xff01,
};

/* -- Extensions of both ------------------------------------------------------------------------------------ */

struct reading {
	struct cursor *c;
	const struct verify_policy *policy;
	const struct tls_hello *client; /* of a server's hello: what it answers */
	struct tls_hello *h;
};

const struct tls_extension *tls_extension_find(const struct tls_hello *h, uint16_t type)
{
	for (uint32_t i = 0; i < h->n; i++)
		if (h->extension[i].type == type)
			return &h->extension[i];
	return NULL;
}

static bool contains16(struct slice list, uint16_t value)
{
	for (uint32_t i = 0; i + 1 < list.n; i += 2)
		if (list.p[i] == value >> 8 && list.p[i + 1] == (value & 0xff))
			return true;
	return false;
}

/* A list of 16-bit values with a length of its own in an extension's body. */
static struct slice list16(const struct tls_extension *x)
{
	return x == NULL || x->body.n < 2 ? (struct slice){NULL, 0} : (struct slice){x->body.p + 2, x->body.n - 2};
}

typedef void extension_fn(struct reading *r, struct vector *v);

static void x_empty(struct reading *r, struct vector *v)
{
	(void)r;
	vector_end(v);
}

static void x_renegotiation(struct reading *r, struct vector *v)
{
	cursor_must(r->c, vector_u8(v) == 0, WHY_FIELD);
	vector_end(v);
}

static void x_list8(struct reading *r, struct vector *v)
{
	struct vector in = vector_fill8(v);

	cursor_must(r->c, in.left > 0, WHY_LENGTH);
	vector_rest(&in);
}

static void x_list16(struct reading *r, struct vector *v)
{
	struct vector in = vector_fill16(v);

	cursor_must(r->c, in.left > 0 && in.left % 2 == 0, WHY_LENGTH);
	vector_rest(&in);
}

static void x_opaque16(struct reading *r, struct vector *v)
{
	struct vector in = vector_fill16(v);

	cursor_must(r->c, in.left > 0, WHY_LENGTH);
	vector_rest(&in);
}

static void x_fragment_length(struct reading *r, struct vector *v)
{
	uint8_t n = vector_u8(v);

	cursor_must(r->c, n >= 1 && n <= 4, WHY_FIELD);
	vector_end(v);
}

static void x_heartbeat(struct reading *r, struct vector *v)
{
	uint8_t n = vector_u8(v);

	cursor_must(r->c, n == 1 || n == 2, WHY_FIELD);
	vector_end(v);
}

static void x_record_size(struct reading *r, struct vector *v)
{
	cursor_must(r->c, v->left == 2, WHY_LENGTH);
	cursor_must(r->c, vector_be16(v) >= 64, WHY_FIELD);
}

/* -- Extensions of a client -------------------------------------------------------------------------------- */

static void x_server_name(struct reading *r, struct vector *v)
{
	struct vector list = vector_fill16(v);

	cursor_must(r->c, vector_u8(&list) == 0, WHY_FIELD);
	struct vector name = vector_fill16(&list);
	cursor_must(r->c, name.left > 0 && name.left < VERIFY_NAME_MAX, WHY_LENGTH);
	struct slice s = vector_rest(&name);
	if (!cursor_ok(r->c))
		return;
	r->h->name = s;
	cursor_must(r->c, verify_host_legal(s.p, s.n), WHY_FIELD);
	cursor_must(r->c, verify_name_allowed(&r->policy->server_names, (const char *)s.p, s.n), WHY_SERVER_NAME);
}

static bool list_has(const struct verify_list *list, struct slice word)
{
	for (uint32_t i = 0; i < list->n; i++)
		if (strlen(list->v[i]) == word.n && memcmp(list->v[i], word.p, word.n) == 0)
			return true;
	return false;
}

static void x_alpn(struct reading *r, struct vector *v)
{
	struct vector list = vector_fill16(v);

	cursor_must(r->c, list.left > 0, WHY_LENGTH);
	while (vector_going(&list)) {
		uint8_t n = vector_u8(&list);
		cursor_must(r->c, n > 0, WHY_LENGTH);
		struct slice word = vector_take(&list, n);
		if (!cursor_ok(r->c))
			return;
		if (n == 2 && tls_grease((uint16_t)(word.p[0] << 8 | word.p[1])))
			continue;
		cursor_must(r->c, r->policy->alpns.n == 0 || list_has(&r->policy->alpns, word), WHY_ALPN);
		r->h->has_alpn = true;
	}
}

static void x_status_request(struct reading *r, struct vector *v)
{
	uint8_t type = vector_u8(v);

	if (type != 1) { /* not OCSP: not known to us */
		vector_rest(v);
		return;
	}
	struct vector responders = vector_sub16(v);
	vector_rest(&responders);
	struct vector extensions = vector_fill16(v);
	vector_rest(&extensions);
	(void)r;
}

static void x_padding(struct reading *r, struct vector *v)
{
	while (vector_going(v))
		cursor_must(r->c, vector_u8(v) == 0, WHY_FIELD);
}

static void x_versions(struct reading *r, struct vector *v)
{
	struct vector list = vector_fill8(v);

	cursor_must(r->c, list.left >= 2 && list.left % 2 == 0, WHY_LENGTH);
	r->h->tls12 = r->h->tls13 = false;
	while (vector_going(&list)) {
		uint16_t version = vector_be16(&list);
		r->h->tls13 |= version == 0x0304;
		r->h->tls12 |= version == 0x0303;
	}
	cursor_must(r->c, r->h->tls12 || r->h->tls13, WHY_VERSION);
}

/* Bytes of a key: of the client's, and of the server's answer; 0 = a group that is not known here. */
static const struct {
	uint16_t group, client, server;
} key_bytes[] = {
	{23, 65, 65},	      /* secp256r1 */
	{24, 97, 97},	      /* secp384r1 */
	{25, 133, 133},	      /* secp521r1 */
	{29, 32, 32},	      /* x25519 */
	{30, 56, 56},	      /* x448 */
	{256, 256, 256},      /* ffdhe2048 */
	{257, 384, 384},      /* ffdhe3072 */
	{258, 512, 512},      /* ffdhe4096 */
	{0x0200, 800, 768},   /* ML-KEM-512 */
	{0x0201, 1184, 1088}, /* ML-KEM-768 */
	{0x0202, 1568, 1568}, /* ML-KEM-1024 */
	{0x11eb, 1249, 1153}, /* SecP256r1MLKEM768 */
	{0x11ec, 1216, 1120}, /* X25519MLKEM768 */
	{0x11ed, 1665, 1665}, /* SecP384r1MLKEM1024 */
	{0x6399, 1216, 1120}, /* X25519Kyber768Draft00 */
};

static bool key_fits(uint16_t group, size_t n, bool server)
{
	for (size_t i = 0; i < sizeof(key_bytes) / sizeof(key_bytes[0]); i++)
		if (key_bytes[i].group == group)
			return n == (server ? key_bytes[i].server : key_bytes[i].client);
	return n > 0;
}

static void key(struct reading *r, struct vector *v, uint16_t group)
{
	struct vector in = vector_sub16(v);

	cursor_must(r->c, key_fits(group, in.left, r->client != NULL), WHY_LENGTH);
	vector_rest(&in);
}

/* May be empty: the client asks for HelloRetryRequest. */
static void x_key_share(struct reading *r, struct vector *v)
{
	struct vector list = vector_fill16(v);

	while (vector_going(&list))
		key(r, &list, vector_be16(&list));
}

/* Each binder belongs to an identity; the extension is the last (RFC 8446, 4.2.11), which its caller checks. */
static void x_psk(struct reading *r, struct vector *v)
{
	struct vector identities = vector_sub16(v);

	cursor_must(r->c, identities.left >= 7, WHY_LENGTH);
	while (vector_going(&identities)) {
		struct vector in = vector_sub16(&identities);
		cursor_must(r->c, in.left > 0, WHY_LENGTH);
		vector_rest(&in);
		vector_take(&identities, 4);
		r->h->identities++;
	}
	struct vector binders = vector_fill16(v);
	uint32_t n = 0;
	for (; vector_going(&binders); n++) {
		struct vector in = vector_sub8(&binders);
		cursor_must(r->c, in.left >= 32, WHY_LENGTH);
		vector_rest(&in);
	}
	cursor_must(r->c, n == r->h->identities, WHY_LENGTH);
}

/* RFC 9849: the outer form, and no other, is sent in the clear. GREASE of it has the same form. */
static void x_ech(struct reading *r, struct vector *v)
{
	cursor_must(r->c, r->policy->server_names.n == 0 || (r->policy->options & VERIFY_ECH) != 0, WHY_ECH);
	cursor_must(r->c, vector_u8(v) == 0, WHY_FIELD);
	vector_be16(v); /* KDF */
	vector_be16(v); /* AEAD */
	vector_u8(v);   /* configuration */
	struct vector enc = vector_sub16(v);
	vector_rest(&enc);
	struct vector payload = vector_fill16(v);
	cursor_must(r->c, payload.left > 0, WHY_LENGTH);
	vector_rest(&payload);
}

static void x_cookie(struct reading *r, struct vector *v)
{
	cursor_must(r->c, r->h->second, WHY_FIELD);
	x_opaque16(r, v);
}

static void x_early_data(struct reading *r, struct vector *v)
{
	cursor_must(r->c, !r->h->second, WHY_FIELD);
	x_empty(r, v);
}

static void x_never(struct reading *r, struct vector *v)
{
	(void)v;
	cursor_must(r->c, false, WHY_FIELD);
}

static const struct known {
	uint16_t type;
	extension_fn *read;
} of_client[] = {
	{X_SERVER_NAME, x_server_name},
	{X_FRAGMENT_LENGTH, x_fragment_length},
	{X_STATUS_REQUEST, x_status_request},
	{X_GROUPS, x_list16},
	{X_POINT_FORMATS, x_list8},
	{X_SIGNATURES, x_list16},
	{X_HEARTBEAT, x_heartbeat},
	{X_ALPN, x_alpn},
	{X_TIMESTAMPS, x_empty},
	{X_PADDING, x_padding},
	{X_ENCRYPT_THEN_MAC, x_empty},
	{X_MASTER_SECRET, x_empty},
	{X_RECORD_SIZE, x_record_size},
	{X_PSK, x_psk},
	{X_EARLY_DATA, x_early_data},
	{X_VERSIONS, x_versions},
	{X_COOKIE, x_cookie},
	{X_PSK_MODES, x_list8},
	{X_POST_HANDSHAKE, x_empty},
	{X_SIGNATURES_CERT, x_list16},
	{X_KEY_SHARE, x_key_share},
	{X_QUIC, x_never},
	{X_NEXT_PROTOCOL, x_empty},
	{X_ECH_OUTER_LIST, x_never},
	{X_ECH, x_ech},
	{X_RENEGOTIATION, x_renegotiation},
};

/* -- Extensions of a server -------------------------------------------------------------------------------- */

static void s_alpn(struct reading *r, struct vector *v)
{
	struct vector list = vector_fill16(v);
	struct vector word = vector_fill8(&list);
	const struct tls_extension *offer = tls_extension_find(r->client, X_ALPN);

	cursor_must(r->c, word.left > 0, WHY_LENGTH);
	struct slice got = vector_rest(&word);
	if (!cursor_ok(r->c))
		return;
	bool offered = false;
	for (uint32_t i = 2; offer != NULL && i < offer->body.n; i += 1u + offer->body.p[i])
		offered |= offer->body.p[i] == got.n && memcmp(offer->body.p + i + 1, got.p, got.n) == 0;
	cursor_must(r->c, offered && !(got.n == 2 && tls_grease((uint16_t)(got.p[0] << 8 | got.p[1]))), WHY_ANSWER_OTHER);
}

static void s_versions(struct reading *r, struct vector *v)
{
	cursor_must(r->c, v->left == 2, WHY_LENGTH);
	r->h->version = vector_be16(v);
	cursor_must(r->c, r->h->version == 0x0304, WHY_VERSION);
	cursor_must(r->c, r->client->tls13, WHY_ANSWER_OTHER);
}

static bool share_offered(const struct tls_hello *client, uint16_t group)
{
	const struct tls_extension *x = tls_extension_find(client, X_KEY_SHARE);

	for (uint32_t i = 2; x != NULL && i + 3 < x->body.n; i += 4u + (uint32_t)(x->body.p[i + 2] << 8 | x->body.p[i + 3]))
		if (x->body.p[i] == group >> 8 && x->body.p[i + 1] == (group & 0xff))
			return true;
	return false;
}

/* In HelloRetryRequest a group that the client supports and sent no key of; else the server's key for one that it sent. */
static void s_key_share(struct reading *r, struct vector *v)
{
	uint16_t group = r->h->group = vector_be16(v);

	if (r->h->retry) {
		cursor_must(r->c, contains16(list16(tls_extension_find(r->client, X_GROUPS)), group), WHY_ANSWER_OTHER);
		cursor_must(r->c, !tls_grease(group) && !share_offered(r->client, group), WHY_ANSWER_OTHER);
	} else {
		cursor_must(r->c, !tls_grease(group) && share_offered(r->client, group), WHY_ANSWER_OTHER);
		key(r, v, group);
	}
	vector_end(v);
}

static void s_psk(struct reading *r, struct vector *v)
{
	cursor_must(r->c, v->left == 2, WHY_LENGTH);
	cursor_must(r->c, vector_be16(v) < r->client->identities, WHY_ANSWER_OTHER);
}

static void s_ech(struct reading *r, struct vector *v)
{
	cursor_must(r->c, r->h->retry, WHY_FIELD);
	cursor_must(r->c, v->left == 8, WHY_LENGTH);
	vector_rest(v);
}

static const struct known of_server[] = {
	{X_SERVER_NAME, x_empty},
	{X_FRAGMENT_LENGTH, x_fragment_length},
	{X_STATUS_REQUEST, x_empty},
	{X_POINT_FORMATS, x_list8},
	{X_HEARTBEAT, x_heartbeat},
	{X_ALPN, s_alpn},
	{X_ENCRYPT_THEN_MAC, x_empty},
	{X_MASTER_SECRET, x_empty},
	{X_RECORD_SIZE, x_record_size},
	{X_TICKET, x_empty},
	{X_PSK, s_psk},
	{X_VERSIONS, s_versions},
	{X_COOKIE, x_opaque16},
	{X_KEY_SHARE, s_key_share},
	{X_ECH, s_ech},
	{X_RENEGOTIATION, x_renegotiation},
};

/* -- The list of extensions -------------------------------------------------------------------------------- */

/* What a server may send must have been offered; RFC 5746, 3.3: a cipher number may stand for the extension. */
static bool may_answer(const struct reading *r, uint16_t type)
{
	if (type == X_RENEGOTIATION && contains16(r->client->ciphers, 0x00ff))
		return true;
	if (type == X_COOKIE)
		return r->h->retry;
	return !tls_grease(type) && tls_extension_find(r->client, type) != NULL;
}

static extension_fn *known_fn(const struct known *k, size_t n, uint16_t type)
{
	for (size_t i = 0; i < n; i++)
		if (k[i].type == type)
			return k[i].read;
	return NULL;
}

static void extension(struct reading *r, struct vector *list)
{
	struct tls_hello *h = r->h;
	uint16_t type = vector_be16(list);
	bool server = r->client != NULL;

	cursor_must(r->c, h->n < TLS_EXTENSIONS_MAX && tls_extension_find(h, type) == NULL, WHY_FIELD);
	cursor_must(r->c, !server || (cursor_ok(r->c) && may_answer(r, type)), WHY_ANSWER_OTHER);
	struct vector body = vector_sub16(list);
	cursor_must(r->c, type != X_PSK || server || list->left == 0, WHY_FIELD);
	if (!cursor_ok(r->c))
		return;
	const uint8_t *p = r->c->p;
	uint32_t n = (uint32_t)body.left;
	extension_fn *read = server ? known_fn(of_server, sizeof(of_server) / sizeof(of_server[0]), type)
				    : known_fn(of_client, sizeof(of_client) / sizeof(of_client[0]), type);
	if (read != NULL)
		read(r, &body);
	vector_rest(&body);
	if (cursor_ok(r->c))
		h->extension[h->n++] = (struct tls_extension){type, {p, n}};
}

static void extensions(struct reading *r, struct vector *v)
{
	if (!vector_going(v)) /* TLS 1.2 may have none */
		return;
	struct vector list = vector_fill16(v);
	while (vector_going(&list))
		extension(r, &list);
}

/* -- ClientHello ------------------------------------------------------------------------------------------- */

/* RFC 8446, 9.2: what an offer of TLS 1.3 is made of. */
static void whole_offer(struct reading *r)
{
	const struct tls_hello *h = r->h;
	bool groups = tls_extension_find(h, X_GROUPS) != NULL, share = tls_extension_find(h, X_KEY_SHARE) != NULL;
	bool psk = h->identities > 0;

	cursor_must(r->c, h->name.n > 0 || r->policy->server_names.n == 0, WHY_NO_SERVER_NAME);
	cursor_must(r->c, h->has_alpn || r->policy->alpns.n == 0, WHY_ALPN);
	cursor_must(r->c, !psk || tls_extension_find(h, X_PSK_MODES) != NULL, WHY_FIELD);
	cursor_must(r->c, psk || tls_extension_find(h, X_EARLY_DATA) == NULL, WHY_FIELD);
	if (!h->tls13)
		return;
	cursor_must(r->c, groups == share, WHY_FIELD);
	cursor_must(r->c, psk || (groups && tls_extension_find(h, X_SIGNATURES) != NULL), WHY_FIELD);
	cursor_must(r->c, h->compressions.n == 1, WHY_FIELD);
}

static void version_03(struct vector *v)
{
	cursor_must(v->c, vector_u8(v) == 3, WHY_FIELD);
	cursor_must(v->c, vector_u8(v) == 3, WHY_VERSION);
}

void tls_client_hello(struct cursor *c, const struct tls_message *m, const struct verify_policy *policy, struct tls_hello *ret)
{
	struct vector v = {c, m->length};
	struct reading r = {c, policy, NULL, ret};

	version_03(&v);
	ret->tls12 = true;
	ret->random = vector_take(&v, 32);
	struct vector session = vector_sub8(&v);
	cursor_must(c, session.left <= 32, WHY_LENGTH);
	ret->session = vector_rest(&session);
	struct vector ciphers = vector_sub16(&v);
	cursor_must(c, ciphers.left >= 2 && ciphers.left % 2 == 0, WHY_LENGTH);
	ret->ciphers = vector_rest(&ciphers);
	struct vector compressions = vector_sub8(&v);
	cursor_must(c, compressions.left > 0, WHY_LENGTH);
	ret->compressions = vector_rest(&compressions);
	cursor_must(c, cursor_ok(c) && memchr(ret->compressions.p, 0, ret->compressions.n) != NULL, WHY_FIELD);
	extensions(&r, &v);
	whole_offer(&r);
}

/* -- ServerHello ------------------------------------------------------------------------------------------- */

static bool same(struct slice a, struct slice b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* RFC 8446, 4.1.3: SHA-256 of "HelloRetryRequest". */
static const uint8_t retry_random[32] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65,
	0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

static void whole_answer(struct reading *r)
{
	const struct tls_hello *h = r->h, *client = r->client;
	bool share = tls_extension_find(h, X_KEY_SHARE) != NULL, psk = tls_extension_find(h, X_PSK) != NULL;

	if (h->version != 0x0304) {
		cursor_must(r->c, client->tls12 && !h->retry, WHY_VERSION);
		cursor_must(r->c, h->cipher >> 8 != 0x13 && !share && !psk, WHY_FIELD);
		return;
	}
	cursor_must(r->c, same(h->session, client->session), WHY_ANSWER_OTHER);
	cursor_must(r->c, h->cipher >> 8 == 0x13, WHY_FIELD);
	cursor_must(r->c, h->retry ? !psk && h->n > 1 : share || psk, WHY_FIELD);
	for (uint32_t i = 0; i < h->n; i++) {
		uint16_t t = h->extension[i].type;
		bool legal = t == X_VERSIONS || t == X_KEY_SHARE || t == X_PSK || t == X_COOKIE || t == X_ECH;
		cursor_must(r->c, legal, WHY_FIELD);
	}
}

void tls_server_hello(struct cursor *c, const struct tls_message *m, const struct tls_hello *client, struct tls_hello *ret)
{
	struct vector v = {c, m->length};
	struct reading r = {c, NULL, client, ret};

	version_03(&v);
	ret->version = 0x0303;
	ret->random = vector_take(&v, 32);
	ret->retry = ret->random.n == 32 && memcmp(ret->random.p, retry_random, 32) == 0;
	struct vector session = vector_sub8(&v);
	cursor_must(c, session.left <= 32, WHY_LENGTH);
	ret->session = vector_rest(&session);
	ret->cipher = vector_be16(&v);
	cursor_must(c, contains16(client->ciphers, ret->cipher) && !tls_grease(ret->cipher), WHY_ANSWER_OTHER);
	cursor_must(c, vector_u8(&v) == 0, WHY_FIELD);
	extensions(&r, &v);
	whole_answer(&r);
}

/* -- The second ClientHello -------------------------------------------------------------------------------- */

static bool may_differ(uint16_t type)
{
	return type == X_KEY_SHARE || type == X_EARLY_DATA || type == X_COOKIE || type == X_PSK || type == X_PADDING ||
	       type == X_ECH;
}

static bool extensions_kept(const struct tls_hello *a, const struct tls_hello *b)
{
	for (uint32_t i = 0; i < a->n; i++) {
		const struct tls_extension *x = &a->extension[i], *y = tls_extension_find(b, x->type);
		if (!may_differ(x->type) && (y == NULL || !same(x->body, y->body)))
			return false;
	}
	return true;
}

static bool keeps_what_was_asked(const struct tls_hello *first, const struct tls_hello *retry,
	const struct tls_hello *second)
{
	const struct tls_extension *before = tls_extension_find(first, X_KEY_SHARE);
	const struct tls_extension *asked = tls_extension_find(retry, X_KEY_SHARE);
	const struct tls_extension *share = tls_extension_find(second, X_KEY_SHARE);
	const struct tls_extension *cookie = tls_extension_find(retry, X_COOKIE);
	const struct tls_extension *echo = tls_extension_find(second, X_COOKIE);

	if ((cookie == NULL) != (echo == NULL) || (cookie != NULL && !same(cookie->body, echo->body)))
		return false;
	if (asked == NULL)
		return before != NULL && share != NULL && same(before->body, share->body);
	/* One entry, of the group that the server asked for: its two lengths fill the extension. */
	return share != NULL && share_offered(second, retry->group) &&
	       (uint32_t)(share->body.p[4] << 8 | share->body.p[5]) + 6 == share->body.n;
}

bool tls_second_hello_fits(const struct tls_hello *first, const struct tls_hello *retry, const struct tls_hello *second)
{
	return same(first->random, second->random) && same(first->session, second->session) &&
	       same(first->ciphers, second->ciphers) && same(first->compressions, second->compressions) &&
	       extensions_kept(first, second) && extensions_kept(second, first) && keeps_what_was_asked(first, retry, second);
}
