/*
 * ldap.c: LDAP over TCP, and the LDAP ping of Active Directory over UDP. Standards: RFC 4511 (messages; 4.14 StartTLS),
 * RFC 4513, MS-ADTS 5.1.1.1.3 (Sicily binds) and 6.3.3 (ping).
 *
 * Input: both directions of a connection, whoever wrote them. Each request is read to its last byte: a legal operation
 * whose parts fill it exactly (filters too), and each answer must carry the number of a request that waits and be of the
 * kind that the request is answered with. An answered operation passes the flow; what comes after a bind may be sealed by
 * SASL and could not be read anyway. Reading the root of the tree, as clients do before they choose how to go on, does not
 * pass it: StartTLS may follow, and must be seen.
 *
 * StartTLS: nothing else may wait for an answer, nobody may say a word before the server has agreed, and nothing may lie
 * behind its answer; then TLS takes over. With starttls-required everything before it but unbind is refused. TLS from the
 * first byte on (ldaps) is the application tls.
 *
 * Over UDP every datagram is judged: a search of the root, and answers to one of the last searches.
 *
 * Limits: WAITING_MAX requests without an answer; one message as large as the judge holds, entries of any size.
 */
#include "ber.h"
#include "verifiers.h"

#define WAITING_MAX 11u
#define MESSAGE_MAX (1u << 24)
/* An entry that is larger is judged by its head: photographs, certificate lists. */
#define ENTRY_WHOLE 8192u
#define STARTTLS_OID "1.3.6.1.4.1.1466.20037"

enum {
	BIND = 0x60, BIND_ANSWER = 0x61, UNBIND = 0x42, SEARCH = 0x63, ENTRY = 0x64, DONE = 0x65, MODIFY = 0x66, ADD = 0x68,
	DELETE = 0x4a, MOVE = 0x6c, COMPARE = 0x6e, ABANDON = 0x50, REFERENCE = 0x73, EXTENDED = 0x77, EXTENDED_ANSWER = 0x78,
	INTERMEDIATE = 0x79,
};

struct waiting {
	uint32_t id; /* 0 = none */
	uint8_t tag; /* of the request */
	bool root;   /* reads the root of the tree */
	bool starttls;
	uint8_t unused;
};

struct ldap_state {
	struct waiting waiting[WAITING_MAX];
	bool starttls; /* one waits */
	bool over;     /* unbind was said */
	uint8_t next;  /* datagrams: the place that is written over next */
};
VERIFY_STATE(struct ldap_state);

struct message {
	struct waiting w;
	uint8_t tag;
	uint32_t size; /* of an answer, with its head */
	int64_t result;
	bool large; /* an entry of which only the head was read */
};

/* -- Parts -------------------------------------------------------------------------------------------------- */

static void every_byte(struct cursor *c, struct ber_bytes s, bool (*is)(uint8_t))
{
	for (uint32_t i = 0; s.p != NULL && i < s.n; i++)
		cursor_must(c, is(s.p[i]), WHY_ENCODING);
}

static bool is_oid(uint8_t b)
{
	return (b >= '0' && b <= '9') || b == '.';
}

/*
 * RFC 4512 2.5: names, numbers, options; in a list that is asked for also "*", "+" and "@class" (RFC 4529); some servers know
 * ranges and blanks.
 */
static bool is_description(uint8_t b)
{
	return (b >= '*' && b <= ';') || (b >= '@' && b <= 'Z') || (b >= 'a' && b <= 'z') || b == '=' || b == '_' || b == ' ';
}

static bool is_mechanism(uint8_t b)
{
	return (b >= 'A' && b <= 'Z') || (b >= 'a' && b <= 'z') || (b >= '0' && b <= '9') || b == '-' || b == '_';
}

static void boolean(struct ber *b)
{
	struct ber e;

	if (ber_open(b, BER_BOOLEAN, &e) && cursor_must(b->c, e.left == 1, WHY_LENGTH))
		ber_rest(&e);
}

static void description(struct ber *b, uint8_t tag)
{
	every_byte(b->c, ber_octets(b, tag), is_description);
}

/* Any number of octet strings to the end of an element. */
static void strings(struct ber *b)
{
	while (ber_has(b))
		ber_octets(b, BER_OCTETS);
}

/* SEQUENCE { type, SET OF value } */
static void attribute(struct ber *b)
{
	struct ber one, values;

	ber_open(b, BER_SEQUENCE, &one);
	description(&one, BER_OCTETS);
	ber_open(&one, BER_SET, &values);
	ber_end(&one);
	strings(&values);
}

/* attribute and value, the end of what holds them */
static void assertion(struct ber *b)
{
	description(b, BER_OCTETS);
	ber_octets(b, BER_OCTETS);
	ber_end(b);
}

static void substrings(struct ber *b)
{
	struct ber parts, part;

	description(b, BER_OCTETS);
	ber_open(b, BER_SEQUENCE, &parts);
	ber_end(b);
	while (ber_has(&parts)) {
		uint8_t tag = ber_any(&parts, &part);
		cursor_must(b->c, tag >= 0x80 && tag <= 0x82, WHY_FIELD);
		ber_rest(&part);
	}
}

static void extensible(struct ber *b)
{
	struct ber part;

	while (ber_has(b)) {
		uint8_t tag = ber_any(b, &part);
		cursor_must(b->c, tag >= 0x81 && tag <= 0x84, WHY_FIELD);
		ber_rest(&part);
	}
}

/* RFC 4511 4.5.1.7. Depth is bounded by that of elements. */
static void filter(struct ber *b)
{
	struct ber f;
	uint8_t tag = ber_any(b, &f);

	if (tag == 0xa0 || tag == 0xa1) {
		while (ber_has(&f))
			filter(&f);
	} else if (tag == 0xa2) {
		filter(&f);
		ber_end(&f);
	} else if (tag == 0xa3 || tag == 0xa5 || tag == 0xa6 || tag == 0xa8) {
		assertion(&f);
	} else if (tag == 0xa4) {
		substrings(&f);
	} else if (tag == 0xa9) {
		extensible(&f);
	} else if (cursor_must(b->c, tag == 0x87, WHY_FIELD)) {
		every_byte(b->c, ber_rest(&f), is_description);
	}
}

/* [0] SEQUENCE OF { OID, criticality, value }: behind the operation, when there are any. */
static void controls(struct ber *message)
{
	struct ber all, one, part;

	if (!ber_has(message))
		return;
	ber_open(message, 0xa0, &all);
	ber_end(message);
	while (ber_has(&all)) {
		ber_open(&all, BER_SEQUENCE, &one);
		every_byte(one.c, ber_octets(&one, BER_OCTETS), is_oid);
		if (ber_tag(&one) == BER_BOOLEAN)
			boolean(&one);
		if (ber_optional(&one, BER_OCTETS, &part))
			ber_rest(&part);
		ber_end(&one);
	}
}

/* -- Requests ----------------------------------------------------------------------------------------------- */

static void bind_body(struct ber *b, struct message *m)
{
	struct ber how;

	(void)m;
	int64_t version = ber_int(b, BER_INTEGER, BER_INT32);
	cursor_must(b->c, version == 2 || version == 3, WHY_VERSION);
	ber_octets(b, BER_OCTETS);
	uint8_t tag = ber_any(b, &how);
	/* simple, SASL, and Sicily's three */
	cursor_must(b->c, tag == 0x80 || tag == 0xa3 || (tag >= 0x89 && tag <= 0x8b), WHY_FIELD);
	ber_end(b);
	if (tag != 0xa3) {
		ber_rest(&how);
		return;
	}
	every_byte(b->c, ber_octets(&how, BER_OCTETS), is_mechanism);
	if (ber_has(&how))
		ber_octets(&how, BER_OCTETS);
	ber_end(&how);
}

static void search_body(struct ber *b, struct message *m)
{
	struct ber names;
	struct ber_bytes base = ber_octets(b, BER_OCTETS);
	int64_t scope = ber_int(b, BER_ENUMERATED, (struct ber_range){0, 3});

	m->w.root = base.p != NULL && base.n == 0 && scope == 0;
	ber_int(b, BER_ENUMERATED, (struct ber_range){0, 3});
	ber_int(b, BER_INTEGER, BER_UINT31);
	ber_int(b, BER_INTEGER, BER_UINT31);
	boolean(b);
	filter(b);
	ber_open(b, BER_SEQUENCE, &names);
	ber_end(b);
	while (ber_has(&names))
		description(&names, BER_OCTETS);
}

static void modify_body(struct ber *b, struct message *m)
{
	struct ber changes, one;

	(void)m;
	ber_octets(b, BER_OCTETS);
	ber_open(b, BER_SEQUENCE, &changes);
	ber_end(b);
	while (ber_has(&changes)) {
		ber_open(&changes, BER_SEQUENCE, &one);
		ber_int(&one, BER_ENUMERATED, (struct ber_range){0, 3});
		attribute(&one);
		ber_end(&one);
	}
}

static void add_body(struct ber *b, struct message *m)
{
	struct ber attributes;

	(void)m;
	ber_octets(b, BER_OCTETS);
	ber_open(b, BER_SEQUENCE, &attributes);
	ber_end(b);
	while (ber_has(&attributes))
		attribute(&attributes);
}

static void delete_body(struct ber *b, struct message *m)
{
	(void)m;
	ber_rest(b);
}

static void move_body(struct ber *b, struct message *m)
{
	struct ber superior;

	(void)m;
	ber_octets(b, BER_OCTETS);
	ber_octets(b, BER_OCTETS);
	boolean(b);
	if (ber_optional(b, 0x80, &superior))
		ber_rest(&superior);
}

static void compare_body(struct ber *b, struct message *m)
{
	struct ber pair;

	(void)m;
	ber_octets(b, BER_OCTETS);
	ber_open(b, BER_SEQUENCE, &pair);
	assertion(&pair);
}

static void extended_body(struct ber *b, struct message *m)
{
	struct ber value;
	struct ber_bytes name = ber_octets(b, 0x80);

	every_byte(b->c, name, is_oid);
	m->w.starttls = name.p != NULL && name.n == sizeof(STARTTLS_OID) - 1 && memcmp(name.p, STARTTLS_OID, name.n) == 0;
	if (ber_optional(b, 0x81, &value) && cursor_must(b->c, !m->w.starttls, WHY_STARTTLS))
		ber_rest(&value);
}

static void abandon_body(struct ber *b, struct message *m)
{
	(void)m;
	if (cursor_must(b->c, b->left >= 1 && b->left <= 5, WHY_LENGTH))
		ber_rest(b);
}

static void unbind_body(struct ber *b, struct message *m)
{
	(void)m;
	ber_end(b);
}

static const struct operation {
	uint8_t tag, answer; /* 0: is not answered */
	void (*body)(struct ber *b, struct message *m);
} operations[] = {
	{BIND, BIND_ANSWER, bind_body}, {UNBIND, 0, unbind_body}, {SEARCH, DONE, search_body}, {MODIFY, 0x67, modify_body},
	{ADD, 0x69, add_body}, {DELETE, 0x6b, delete_body}, {MOVE, 0x6d, move_body}, {COMPARE, 0x6f, compare_body},
	{ABANDON, 0, abandon_body}, {EXTENDED, EXTENDED_ANSWER, extended_body},
};

static const struct operation *operation(uint8_t tag)
{
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if (operations[i].tag == tag)
			return &operations[i];
	return NULL;
}

/* SEQUENCE { messageID, operation, controls }: up to the operation, which is opened. */
static uint8_t head(struct cursor *c, uint32_t max, struct ber *whole, struct ber *op, struct message *m)
{
	struct ber all = ber_init(c, max, BER_BASIC);

	cursor_must(c, cursor_left(c) == 0 || *c->p == BER_SEQUENCE, WHY_PROTOCOL);
	ber_open(&all, BER_SEQUENCE, whole);
	m->size = max - all.left;
	m->w.id = (uint32_t)ber_int(whole, BER_INTEGER, BER_UINT31);
	return m->tag = ber_any(whole, op);
}

static bool request(struct cursor *c, uint32_t max, uint32_t options, struct message *m)
{
	struct ber whole, op;
	uint8_t tag = head(c, max, &whole, &op, m);
	const struct operation *o = operation(tag);
	bool tls_first = (options & VERIFY_STARTTLS_REQUIRED) != 0;

	m->w.tag = tag;
	cursor_must(c, o != NULL, WHY_COMMAND);
	cursor_must(c, m->w.id != 0, WHY_FIELD);
	cursor_must(c, !tls_first || tag == EXTENDED || tag == UNBIND, WHY_PLAIN);
	if (!cursor_ok(c))
		return false;
	o->body(&op, m);
	cursor_must(c, !tls_first || m->w.starttls || tag == UNBIND, WHY_PLAIN);
	ber_end(&op);
	controls(&whole);
	return cursor_ok(c);
}

/* -- Answers ------------------------------------------------------------------------------------------------ */

static void result(struct ber *b, struct message *m)
{
	struct ber part;

	/* Codes go to 123, and to 4096 where replication is (RFC 4533). */
	m->result = ber_int(b, BER_ENUMERATED, (struct ber_range){0, 16654});
	ber_octets(b, BER_OCTETS);
	ber_octets(b, BER_OCTETS);
	if (ber_optional(b, 0xa3, &part))
		strings(&part);
	if (m->tag == BIND_ANSWER && ber_optional(b, 0x87, &part))
		ber_rest(&part);
	if (m->tag == EXTENDED_ANSWER && ber_optional(b, 0x8a, &part))
		every_byte(b->c, ber_rest(&part), is_oid);
	if (m->tag == EXTENDED_ANSWER && ber_optional(b, 0x8b, &part))
		ber_rest(&part);
	ber_end(b);
}

static void entry(struct ber *b, struct message *m, bool whole)
{
	struct ber attributes;

	ber_octets(b, BER_OCTETS);
	ber_open(b, BER_SEQUENCE, &attributes);
	ber_end(b);
	m->large = !whole && m->size > ENTRY_WHOLE && cursor_ok(b->c);
	while (!m->large && ber_has(&attributes))
		attribute(&attributes);
}

static void intermediate(struct ber *b)
{
	struct ber part;

	if (ber_optional(b, 0x80, &part))
		every_byte(b->c, ber_rest(&part), is_oid);
	if (ber_optional(b, 0x81, &part))
		ber_rest(&part);
	ber_end(b);
}

static bool is_answer(uint8_t tag)
{
	if (tag == ENTRY || tag == REFERENCE || tag == INTERMEDIATE)
		return true;
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if (operations[i].answer == tag)
			return tag != 0;
	return false;
}

/* Is this kind of answer one to that kind of request? */
static bool answers(uint8_t tag, uint8_t asked)
{
	const struct operation *o = operation(asked);

	if (tag == ENTRY || tag == REFERENCE)
		return asked == SEARCH;
	if (tag == INTERMEDIATE)
		return asked == SEARCH || asked == EXTENDED;
	return o != NULL && o->answer == tag;
}

/* Whose answer it is; NULL when nobody asked (a contradiction), or when it is a notice (number 0). */
static struct waiting *asked_by(struct ldap_state *s, struct cursor *c, const struct message *m)
{
	for (size_t i = 0; i < WAITING_MAX && cursor_ok(c) && m->w.id != 0; i++)
		if (s->waiting[i].id == m->w.id && answers(m->tag, s->waiting[i].tag))
			return &s->waiting[i];
	cursor_must(c, m->w.id == 0 && m->tag == EXTENDED_ANSWER, WHY_ANSWER_OTHER);
	return NULL;
}

static struct waiting *reply(struct ldap_state *s, struct cursor *c, uint32_t max, struct message *m)
{
	struct ber whole, op;

	head(c, max, &whole, &op, m);
	cursor_must(c, is_answer(m->tag), WHY_ANSWER);
	struct waiting *w = asked_by(s, c, m);
	if (m->tag == ENTRY)
		entry(&op, m, w != NULL && w->root);
	else if (m->tag == REFERENCE)
		strings(&op);
	else if (m->tag == INTERMEDIATE)
		intermediate(&op);
	else
		result(&op, m);
	if (!m->large)
		controls(&whole);
	return w;
}

/* -- Over TCP ----------------------------------------------------------------------------------------------- */

static enum verify_status undecided(const struct verify *v)
{
	return v->level == LEVEL_RELATES ? VERIFY_DECIDED : VERIFY_MORE;
}

/* Writes down who waits; what is wrong with that, if anything. */
static enum inspect_why await(struct ldap_state *s, const struct waiting *w)
{
	struct waiting *free = NULL;

	for (size_t i = 0; i < WAITING_MAX; i++) {
		if (s->waiting[i].id == w->id)
			return WHY_FIELD;
		if (s->waiting[i].id == 0)
			free = &s->waiting[i];
		else if (w->starttls)
			return WHY_STARTTLS;
	}
	if (free == NULL)
		return WHY_MANY_PACKETS;
	*free = *w;
	s->starttls = w->starttls;
	return WHY_NONE;
}

static enum verify_status question(struct verify *v, struct ldap_state *s)
{
	struct cursor c = verify_said(v, VERIFY_CLIENT);
	struct message m = {0};
	enum inspect_why why = WHY_NONE;

	if (s->starttls || s->over)
		return verify_refuse(v, s->over ? WHY_ORDER : WHY_STARTTLS);
	if (!request(&c, MESSAGE_MAX, v->policy->options, &m))
		return verify_stopped(v, &c);
	const struct operation *o = operation(m.w.tag);
	if (o->answer != 0)
		why = await(s, &m.w);
	if (why != WHY_NONE)
		return verify_refuse(v, why);
	s->over = m.w.tag == UNBIND;
	verify_use(v, VERIFY_CLIENT, &c);
	if (v->level < LEVEL_PREFIX)
		v->level = LEVEL_PREFIX;
	return VERIFY_MORE;
}

/* The server agrees. What it says behind that in the clear is refused by TLS, in which the client speaks first. */
static enum verify_status hand_over(struct verify *v)
{
	v->next = APP_TLS;
	return VERIFY_HANDOVER;
}

static enum verify_status answer(struct verify *v, struct ldap_state *s)
{
	struct cursor c = verify_said(v, VERIFY_SERVER);
	struct message m = {0};
	struct waiting *w = reply(s, &c, MESSAGE_MAX, &m);

	if (!cursor_ok(&c))
		return verify_stopped(v, &c);
	verify_use(v, VERIFY_SERVER, &c);
	if (w == NULL)
		return VERIFY_MORE;
	struct waiting was = *w;
	if (m.tag != ENTRY && m.tag != REFERENCE && m.tag != INTERMEDIATE)
		*w = (struct waiting){0};
	if (was.starttls && m.tag == EXTENDED_ANSWER) {
		s->starttls = false;
		return m.result == 0 ? hand_over(v) : VERIFY_MORE;
	}
	v->level = LEVEL_RELATES;
	return was.root ? VERIFY_MORE : VERIFY_ACCEPT;
}

static enum verify_status step(struct verify *v)
{
	struct ldap_state *s = v->state;

	if (verify_unread(v, VERIFY_CLIENT) > 0 && question(v, s) == VERIFY_REFUSE)
		return VERIFY_REFUSE;
	if (verify_unread(v, VERIFY_SERVER) == 0)
		return undecided(v);
	enum verify_status said = answer(v, s);
	return said == VERIFY_MORE ? undecided(v) : said;
}

enum verify_status ldap_stream(struct verify *v)
{
	return verify_steps(v, step);
}

/* -- Over UDP ----------------------------------------------------------------------------------------------- */

/* What ran out in a datagram will not come. */
static enum verify_status broken(struct verify *v, const struct cursor *c)
{
	return verify_refuse(v, c->why != WHY_NONE ? c->why : WHY_LENGTH);
}

static enum verify_status ping(struct verify *v, struct ldap_state *s, struct cursor *c)
{
	struct message m = {0};

	request(c, v->side[VERIFY_CLIENT].n, 0, &m);
	cursor_must(c, m.w.tag == SEARCH && m.w.root, WHY_COMMAND);
	cursor_must(c, cursor_left(c) == 0, WHY_TRAILING);
	if (!cursor_ok(c))
		return broken(v, c);
	for (size_t i = 0; i < WAITING_MAX; i++)
		if (s->waiting[i].id == m.w.id)
			return undecided(v);
	s->waiting[s->next++ % WAITING_MAX] = m.w;
	if (v->level < LEVEL_PREFIX)
		v->level = LEVEL_PREFIX;
	return undecided(v);
}

enum verify_status ldap_datagram(struct verify *v)
{
	struct ldap_state *s = v->state;
	struct cursor c = verify_said(v, v->from);

	if (v->from == VERIFY_CLIENT)
		return ping(v, s, &c);
	/* The entry and the end of the search come in one datagram. */
	do {
		struct message m = {0};
		struct waiting *w = reply(s, &c, (uint32_t)cursor_left(&c), &m);
		if (c.why == WHY_ANSWER_OTHER)
			return verify_drop(v, WHY_ANSWER_OTHER);
		if (!cursor_ok(&c))
			return broken(v, &c);
		cursor_must(&c, w != NULL, WHY_COMMAND);
	} while (cursor_left(&c) > 0);
	if (!cursor_ok(&c))
		return broken(v, &c);
	v->level = LEVEL_RELATES;
	return VERIFY_DECIDED;
}
