/*
 * tls_hello.h: ClientHello and ServerHello out of their records, read to the last vector.
 */
#ifndef SEKISHO_INSPECT_TLS_HELLO_H
#define SEKISHO_INSPECT_TLS_HELLO_H

#include "judge.h"
#include "vector.h"

#define TLS_CHANGE_CIPHER_SPEC 20
#define TLS_ALERT 21
#define TLS_HANDSHAKE 22
#define TLS_DATA 23

#define TLS_CLIENT_HELLO 1
#define TLS_SERVER_HELLO 2

/* RFC 8446, 5.1 and 5.2; RFC 5246, 6.2.3: what encryption may add. */
#define TLS_PLAIN_MAX 16384u
#define TLS_SEALED_MAX (16384u + 256)
#define TLS_SEALED12_MAX (16384u + 2048)

/* Browsers send 15 to 20. */
#define TLS_EXTENSIONS_MAX 48

/* One handshake message, without the headers of the records that it came in. */
struct tls_message {
	const uint8_t *p; /* body that is there */
	size_t n;
	size_t length;	  /* of the whole body; 0 until its header is there */
	uint32_t end;	  /* of a whole message: bytes of the stream up to its end */
	uint32_t record_left; /* of a whole message: bytes of its last record that follow it */
	bool has_length, whole;
	enum inspect_why why; /* a contradiction of the framing, behind the bytes in p */
	uint8_t copy[JUDGE_BYTES]; /* used by a message in several records */
}; /* a local of it is UNSET: tls_message_read() sets all that is read later */

/*
 * Takes the first handshake message of type `type` from n bytes of the stream. `first` is the why of a first byte that is no
 * handshake record (PROTOCOL, ANSWER).
 */
void tls_message_read(struct tls_message *m, uint8_t type, const uint8_t *p, size_t n, enum inspect_why first);

struct tls_extension {
	uint16_t type;
	struct slice body;
};

struct tls_hello {
	struct slice random, session, ciphers, compressions; /* ciphers of a client */
	uint16_t cipher;  /* of a server */
	uint16_t version; /* of a server: what it selected */
	bool tls12, tls13; /* of a client: what it offers */
	bool retry;	  /* of a server: HelloRetryRequest */
	bool second;	  /* of a client, set by the caller: after HelloRetryRequest */
	uint16_t group;	  /* of a server: of key_share */
	struct slice name; /* of a client */
	uint32_t identities;   /* of a client: PSKs offered */
	bool has_alpn;
	struct tls_extension extension[TLS_EXTENSIONS_MAX];
	uint32_t n;
};

/* Both leave what they found in the cursor of the message: cursor_ok() when the hello is whole and legal. */
void tls_client_hello(struct cursor *c, const struct tls_message *m, const struct verify_policy *policy, struct tls_hello *ret);
void tls_server_hello(struct cursor *c, const struct tls_message *m, const struct tls_hello *client, struct tls_hello *ret);

/* NULL when the hello has none of that type. */
const struct tls_extension *tls_extension_find(const struct tls_hello *h, uint16_t type);

/* Is the second ClientHello the first one but for what HelloRetryRequest changes (RFC 8446, 4.1.2)? */
bool tls_second_hello_fits(const struct tls_hello *first, const struct tls_hello *retry, const struct tls_hello *second);

/* 0x?A?A (RFC 8701): values that nobody may choose. */
static inline bool tls_grease(uint16_t v)
{
	return (v & 0x0f0f) == 0x0a0a && v >> 8 == (v & 0xff);
}

/* The name that the client asks for becomes what the verifier learned in this call. */
static inline void tls_learn_name(struct verify *v, const struct tls_hello *h)
{
	if (h->name.n == 0 || h->name.n > VERIFY_NAME_MAX)
		return;
	memcpy(v->name, h->name.p, h->name.n);
	v->name_n = h->name.n;
}

#endif
