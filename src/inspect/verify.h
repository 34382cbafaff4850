/*
 * verify.h: what a verifier is: one file for each application, no memory but what it is handed, no I/O.
 *
 * A verifier reads the beginning of both directions of one flow and says whether they are, so far, what the protocol's
 * standard allows. It is called each time that bytes were added and sees all that it has not used yet, so the same bytes
 * in other pieces must give the same answer: read field by field with a cursor (below), and say VERIFY_MORE exactly when a
 * legal continuation exists. Refuse at the first byte that contradicts, not at the end of the message.
 *
 * Levels: set v->level as it rises. L1: the client's bytes are a legal beginning. L2: the server answered in the protocol.
 * L3: the answer refers to the request (id, nonce, version in offer, sequence). Only at L3 a flow is decided.
 */
#ifndef SEKISHO_INSPECT_VERIFY_H
#define SEKISHO_INSPECT_VERIFY_H

#include <sekisho/inspect.h>
#include <sekisho/reader.h>
#include <sekisho/unset.h>

struct rates;

#define VERIFY_CLIENT 0
#define VERIFY_SERVER 1
/* A verifier's own memory for one flow; zero at the start. Checked at compile time by VERIFY_STATE(). */
#define VERIFY_STATE_BYTES 96
#define VERIFY_NAME_MAX 256

enum verify_status {
	VERIFY_MORE,	 /* legal so far: let it go, and call again with more */
	VERIFY_DECIDED,	 /* L3: verified, and to be looked at further (framing, each command, each datagram) */
	VERIFY_ACCEPT,	 /* L3: verified, and the rest may go unseen once the peers have acknowledged what was used */
	VERIFY_REFUSE,	 /* v->why says why */
	VERIFY_DROP,	 /* datagrams only: this one does not go (v->why), the flow stays what it was: what is not worth a flow,
			    or what anybody could have sent in a server's name */
	VERIFY_HANDOVER, /* what was used ended this protocol in agreement; the rest is v->next (TLS after STARTTLS) */
};

struct verify_side {
	const uint8_t *p; /* bytes in order, from the first that was not used */
	uint32_t n;
	uint32_t used; /* out: so many of them are done with and will not be seen again; 0 at the call */
	bool ended;    /* the side has closed (FIN) behind these bytes */
};

struct verify {
	/* in */
	const struct verify_policy *policy;
	struct verify_side side[2]; /* VERIFY_CLIENT, VERIFY_SERVER. A datagram: only side[from], whole, always all used */
	uint8_t from;		    /* who sent what is new */
	const struct addr *client, *server;
	uint16_t server_port;
	int64_t now; /* nanoseconds */
	struct rates *rates; /* counts a client's questions over all its flows (rate.h); NULL: this flow alone is known */
	void *state; /* VERIFY_STATE_BYTES, kept between calls, zero at first and after a hand-over */
	/* out */
	enum inspect_level level; /* kept between calls */
	enum inspect_why why;
	bool content; /* of MORE: these bytes are a body that a verified head announced: the limits of the undecided wait */
	enum application next;	     /* of HANDOVER */
	char name[VERIFY_NAME_MAX];  /* server name, when it was learned in this call: name_n > 0. As sent, not yet escaped */
	uint32_t name_n;
	bool has_pinhole;	     /* ftp: a data connection was announced in this call */
	struct inspect_pinhole pinhole; /* tag is the core's */
};

#define VERIFY_OVER_TCP 1u
#define VERIFY_OVER_UDP 2u

typedef enum verify_status verify_fn(struct verify *v);

struct verifier {
	enum application application;
	verify_fn *stream;   /* over TCP; NULL: not over TCP */
	verify_fn *datagram; /* over UDP: VERIFY_MORE, _DECIDED, _DROP or _REFUSE for each datagram; NULL: not over UDP */
	uint16_t ports[4];   /* where it usually lives: only the order in which identification tries */
};

/* The verifier of an application; NULL for APP_NONE and what has none. */
const struct verifier *verifier_of(enum application a);
/* All of them, in the order of enum application; *ret_n their number. */
const struct verifier *verifier_table(size_t *ret_n);

/* One line in each verifier's file, with the bytes of its state; the table in verifiers.c names them all. */
#define VERIFY_STATE(type) _Static_assert(sizeof(type) <= VERIFY_STATE_BYTES, "state of a verifier")

static inline enum verify_status verify_refuse(struct verify *v, enum inspect_why why)
{
	v->why = why;
	return VERIFY_REFUSE;
}

static inline enum verify_status verify_drop(struct verify *v, enum inspect_why why)
{
	v->why = why;
	return VERIFY_DROP;
}

/* -- Cursor ------------------------------------------------------------------------------------------------ */

/*
 * Reads a message that may not be all there yet. Where reader.h has one sticky error, a cursor has two ends: `more` (the
 * bytes ran out: legal so far) and `why` (a contradiction). Each read after either gives zero; parse on and ask once.
 * A contradiction found before the bytes ran out counts: CURSOR_MUST() after each field that can be wrong.
 */
struct cursor {
	const uint8_t *p, *end;
	bool more;
	enum inspect_why why;
};

static inline struct cursor cursor_init(const void *p, size_t n)
{
	return (struct cursor){p, (const uint8_t *)p + n, false, WHY_NONE};
}

static inline bool cursor_ok(const struct cursor *c)
{
	return !c->more && c->why == WHY_NONE;
}

static inline size_t cursor_left(const struct cursor *c)
{
	return cursor_ok(c) ? (size_t)(c->end - c->p) : 0;
}

static inline const uint8_t *cursor_bytes(struct cursor *c, size_t n)
{
	if (!cursor_ok(c))
		return NULL;
	if ((size_t)(c->end - c->p) < n) {
		c->more = true;
		return NULL;
	}
	const uint8_t *p = c->p;
	c->p += n;
	return p;
}

static inline uint8_t cursor_u8(struct cursor *c)
{
	const uint8_t *p = cursor_bytes(c, 1);

	return p == NULL ? 0 : *p;
}

static inline uint16_t cursor_be16(struct cursor *c)
{
	const uint8_t *p = cursor_bytes(c, 2);

	return p == NULL ? 0 : (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t cursor_be24(struct cursor *c)
{
	const uint8_t *p = cursor_bytes(c, 3);

	return p == NULL ? 0 : (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

static inline uint32_t cursor_be32(struct cursor *c)
{
	const uint8_t *p = cursor_bytes(c, 4);

	return p == NULL ? 0 : (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint16_t cursor_le16(struct cursor *c)
{
	const uint8_t *p = cursor_bytes(c, 2);

	return p == NULL ? 0 : (uint16_t)(p[1] << 8 | p[0]);
}

static inline uint32_t cursor_le32(struct cursor *c)
{
	const uint8_t *p = cursor_bytes(c, 4);

	return p == NULL ? 0 : (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

/* The value just read must be so, else it is a contradiction; nothing is judged after the bytes ran out. */
static inline bool cursor_must(struct cursor *c, bool condition, enum inspect_why why)
{
	if (cursor_ok(c) && !condition)
		c->why = why;
	return cursor_ok(c);
}

/* The next bytes must be exactly these; a beginning of them is enough to contradict. */
static inline bool cursor_expect(struct cursor *c, const void *bytes, size_t n, enum inspect_why why)
{
	if (!cursor_ok(c))
		return false;
	size_t left = (size_t)(c->end - c->p), k = left < n ? left : n;
	if (memcmp(c->p, bytes, k) != 0)
		c->why = why;
	else if (k < n)
		c->more = true;
	else
		c->p += n;
	return cursor_ok(c);
}
#define CURSOR_EXPECT(c, literal, why) cursor_expect((c), (literal), sizeof(literal) - 1, (why))

/* Goes on behind at most `max` bytes of printable ASCII (0x20 to 0x7e), eight at a time; what follows is looked at singly. */
static inline void cursor_skip_printable(struct cursor *c, size_t max)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
	uint64_t w;

	if (!cursor_ok(c))
		return;
	const uint8_t *end = (size_t)(c->end - c->p) < max ? c->end : c->p + max;
	for (; end - c->p >= 8; c->p += 8) {
		memcpy(&w, c->p, 8);
		/* A byte below 0x20 borrows, 0x7f carries into its highest bit, the others have it. */
		if (((w - 0x20 * ones) | (w + ones) | w) & high)
			return;
	}
}

/*
 * A cursor over the next n bytes, which need not be all there: a contradiction in the part that is there is found. The
 * outer cursor goes on behind them, or has `more`. `inner->end` is cut to what is there: when the inner cursor runs out
 * before n, that is `more` when bytes are missing, and a contradiction of lengths when they are all there:
 * ask cursor_sub_end().
 */
static inline struct cursor cursor_sub(struct cursor *c, size_t n)
{
	struct cursor in = {c->p, c->p, c->more, c->why};

	if (!cursor_ok(c))
		return in;
	size_t left = (size_t)(c->end - c->p);
	in.end = c->p + (left < n ? left : n);
	if (left < n)
		c->more = true;
	else
		c->p += n;
	return in;
}

/*
 * Ends a cursor of cursor_sub() and takes over its contradiction. `outer` is the cursor it came from: when outer has all
 * the bytes, running out inside is WHY_LENGTH, and so are bytes left over (all = true).
 */
static inline bool cursor_sub_end(struct cursor *outer, struct cursor *in, bool all)
{
	if (in->why == WHY_NONE && !outer->more && (in->more || (all && in->p != in->end)))
		in->why = WHY_LENGTH;
	if (outer->why == WHY_NONE)
		outer->why = in->why;
	return cursor_ok(outer);
}

static inline uint64_t cursor_le64(struct cursor *c)
{
	uint64_t low = cursor_le32(c);

	return low | (uint64_t)cursor_le32(c) << 32;
}

/* -- Sides ------------------------------------------------------------------------------------------------- */

/* How much a side has said that this call has not used yet, and a cursor over it. */
static inline uint32_t verify_unread(const struct verify *v, unsigned side)
{
	return v->side[side].n - v->side[side].used;
}

static inline struct cursor verify_said(const struct verify *v, unsigned side)
{
	static const uint8_t nothing[1];
	const struct verify_side *s = &v->side[side];

	return s->p == NULL ? cursor_init(nothing, 0) : cursor_init(s->p + s->used, s->n - s->used);
}

/* What a cursor of verify_said() has read is used. */
static inline void verify_use(struct verify *v, unsigned side, const struct cursor *c)
{
	if (v->side[side].p != NULL)
		v->side[side].used = (uint32_t)(c->p - v->side[side].p);
}

/* Takes up to n bytes that nobody needs to see; returns how many there were. */
static inline uint32_t verify_skip(struct verify *v, unsigned side, uint32_t n)
{
	uint32_t k = verify_unread(v, side) < n ? verify_unread(v, side) : n;

	v->side[side].used += k;
	return k;
}

/* A verifier that is written as a step for each message: steps while they use bytes up and the flow goes on. */
static inline enum verify_status verify_steps(struct verify *v, verify_fn *step)
{
	uint32_t before;
	enum verify_status s;

	do {
		before = v->side[0].used + v->side[1].used;
		s = step(v);
	} while ((s == VERIFY_MORE || s == VERIFY_DECIDED) && v->side[0].used + v->side[1].used > before);
	return s;
}

/* What a verifier says of a cursor that did not get to its end. */
static inline enum verify_status verify_stopped(struct verify *v, const struct cursor *c)
{
	return c->why != WHY_NONE ? verify_refuse(v, c->why) : VERIFY_MORE;
}

#endif
