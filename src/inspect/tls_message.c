/*
 * tls_message.c: the first handshake message of a stream, out of the records that it was cut into.
 *
 * A client may cut its hello anywhere (RFC 8446, 5.1: no record is empty), also inside the four bytes of the message's
 * header. A message in one record is read in place, one in several is copied together. A ClientHello must end with its
 * record: what follows would be sent under other keys, so bytes behind it are none of a client.
 *
 * Input: bytes of the network from the start of a record. Bounds: JUDGE_BYTES. Failure: m->why, of the first byte that
 * contradicts; all of the body that came before it is in m->p.
 */
#include "tls_hello.h"

struct taking {
	struct cursor c;
	enum inspect_why first;
	uint8_t type, head[4];
	uint32_t have;	 /* of head */
	uint32_t record; /* bytes of the present record that were not taken yet, there or not */
};

static void record_header(struct taking *t)
{
	struct cursor *c = &t->c;
	enum inspect_why other = t->first != WHY_NONE ? t->first : WHY_ORDER;

	cursor_must(c, cursor_u8(c) == TLS_HANDSHAKE, other);
	cursor_must(c, cursor_u8(c) == 3, other);
	uint8_t minor = cursor_u8(c);
	cursor_must(c, minor >= 1 && minor <= 3, WHY_VERSION);
	t->record = cursor_be16(c);
	cursor_must(c, t->record > 0 && t->record <= TLS_PLAIN_MAX, WHY_LENGTH);
	if (cursor_ok(c))
		t->first = WHY_NONE;
}

static void message_header(struct taking *t, struct tls_message *m)
{
	struct cursor *c = &t->c;

	while (t->have < 4 && t->record > 0 && cursor_ok(c)) {
		t->head[t->have] = cursor_u8(c);
		if (!cursor_ok(c))
			return;
		t->have++;
		t->record--;
		cursor_must(c, t->head[0] == t->type, WHY_COMMAND);
	}
	if (t->have == 4 && cursor_ok(c) && !m->has_length) {
		m->has_length = true;
		m->length = (size_t)t->head[1] << 16 | (size_t)t->head[2] << 8 | t->head[3];
		cursor_must(c, m->length <= JUDGE_BYTES, WHY_MANY_BYTES);
	}
}

static void add(struct tls_message *m, const uint8_t *p, size_t n)
{
	if (n == 0)
		return;
	if (m->n == 0) {
		m->p = p;
	} else {
		if (m->p != m->copy)
			memcpy(m->copy, m->p, m->n);
		memcpy(m->copy + m->n, p, n);
		m->p = m->copy;
	}
	m->n += n;
}

static void body(struct taking *t, struct tls_message *m)
{
	struct cursor *c = &t->c;
	size_t n = m->length - m->n;

	if (t->type == TLS_CLIENT_HELLO && !cursor_must(c, t->record <= n, WHY_LENGTH))
		return;
	n = n < t->record ? n : t->record;
	n = n < cursor_left(c) ? n : cursor_left(c);
	add(m, cursor_bytes(c, n), n);
	t->record -= (uint32_t)n;
	m->whole = m->n == m->length;
	if (!m->whole && t->record > 0)
		c->more = true;
}

void tls_message_read(struct tls_message *m, uint8_t type, const uint8_t *p, size_t n, enum inspect_why first)
{
	struct taking t = {.c = cursor_init(p, n), .first = first, .type = type};

	m->p = m->copy;
	m->n = m->length = 0;
	m->end = m->record_left = 0;
	m->has_length = m->whole = false;
	while (!m->whole && cursor_ok(&t.c)) {
		if (t.record == 0)
			record_header(&t);
		if (cursor_ok(&t.c))
			message_header(&t, m);
		if (cursor_ok(&t.c) && m->has_length)
			body(&t, m);
	}
	m->why = t.c.why;
	m->end = (uint32_t)(t.c.p - p);
	m->record_left = t.record;
}
