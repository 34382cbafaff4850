/*
 * dns_message.c: reads one DNS message field by field.
 *
 * Input: bytes of the network, of a datagram (whole) or of a TCP stream (as far as they came). Limits:
 * names of 255 bytes, labels of 63; a compression pointer points behind the header and before the name that
 * it ends, and each further one lower still, so following them ends. Where the beginning of a long message
 * was used up, a pointer's place is judged and not what it points to. Data of record types that carry names
 * or lists are read in their form, others by their length. Failure: the cursor's contradiction. Types and
 * classes that IANA does not list are not let through in a question; in a record only with transfers, whose
 * zones may hold what their owner likes.
 */
#include "dns_message.h"

#define CLASS_NONE 254
#define CLASS_ANY 255
/* Data of records of no known form that are longer are not kept. */
#define KEEP 1024

static uint32_t place(const struct dns_message *m, const uint8_t *p)
{
	return m->at + (uint32_t)(p - m->first);
}

/* -- Names ------------------------------------------------------------------------------------------------- */

/* The rest of a name, at `begin`: labels that end before `end`, or a pointer to what begins lower still. */
static bool follow(const struct dns_message *m, uint32_t begin, uint32_t end, size_t total)
{
	uint32_t i = begin;

	while (i < end) {
		uint8_t len = m->start[i];
		if (len == 0)
			return true; /* total < DNS_NAME_MAX holds, so there is room for the root */
		if ((len & 0xc0) == 0xc0) {
			uint32_t to = i + 1 < end ? (uint32_t)(len & 0x3f) << 8 | m->start[i + 1] : begin;
			if (to < DNS_HEADER || to >= begin)
				return false;
			end = begin;
			begin = i = to;
			continue;
		}
		total += len + 1u;
		if ((len & 0xc0) != 0 || total >= DNS_NAME_MAX)
			return false;
		i += len + 1u;
	}
	return false;
}

static bool pointer(const struct dns_message *m, struct cursor *c, uint8_t high, uint32_t begin, size_t total)
{
	uint32_t target = (uint32_t)(high & 0x3f) << 8 | cursor_u8(c);

	if (!cursor_must(c, target >= DNS_HEADER && target < begin, WHY_FIELD))
		return false;
	return m->start == NULL || cursor_must(c, follow(m, target, begin, total), WHY_FIELD);
}

/* A name in a record: any bytes in its labels (RFC 2181), compressed or not. */
static bool name(const struct dns_message *m, struct cursor *c)
{
	uint32_t begin = place(m, c->p);
	size_t total = 0;

	while (cursor_ok(c)) {
		uint8_t len = cursor_u8(c);
		if (!cursor_ok(c) || len == 0)
			break;
		if ((len & 0xc0) == 0xc0)
			return pointer(m, c, len, begin, total);
		total += len + 1u;
		cursor_must(c, (len & 0xc0) == 0, WHY_FIELD);
		cursor_must(c, total < DNS_NAME_MAX, WHY_LENGTH);
		cursor_bytes(c, len);
	}
	return cursor_ok(c);
}

/*
 * Names that are asked for are text: printable ASCII without blanks, dots and backslashes inside a label.
 * So what a rule's list is compared with is what the server reads, and a tunnel has six bits a byte instead
 * of eight.
 */
static bool label_text(struct cursor *c, struct dns_question *q, size_t len)
{
	if (q->name_n > 0)
		q->name[q->name_n++] = '.';
	for (size_t i = 0; i < len; i++) {
		uint8_t b = cursor_u8(c);
		if (!cursor_must(c, b > 0x20 && b < 0x7f && b != '.' && b != '\\', WHY_ENCODING))
			return false;
		q->name[q->name_n++] = (char)b;
	}
	q->labels++;
	return true;
}

static bool question_name(struct cursor *c, struct dns_question *q)
{
	size_t total = 0;

	while (cursor_ok(c)) {
		uint8_t len = cursor_u8(c);
		if (!cursor_ok(c) || len == 0)
			break;
		total += len + 1u;
		cursor_must(c, len < 64, WHY_FIELD);
		if (!cursor_must(c, total < DNS_NAME_MAX, WHY_LENGTH) || !label_text(c, q, len))
			break;
	}
	return cursor_ok(c);
}

/* -- Types and classes (IANA dns-parameters) --------------------------------------------------------------- */

static bool type_listed(uint16_t t)
{
	return (t >= 1 && t <= 68) || (t >= 99 && t <= 109) || t == 128 || (t >= 249 && t <= 264) || t == 32768 ||
	       t == 32769;
}

static bool question_type(uint16_t t, bool updates)
{
	switch (t) {
	case DNS_NULL:
	case DNS_OPT:
	case DNS_TSIG:
	case 128: /* NXNAME */
		return false;
	case DNS_TKEY:
	case DNS_IXFR:
	case DNS_AXFR:
		return updates;
	default:
		return type_listed(t);
	}
}

static bool class_listed(uint16_t class)
{
	return class == 1 || class == 3 || class == 4 || class == CLASS_NONE || class == CLASS_ANY;
}

/* -- Data of records --------------------------------------------------------------------------------------- */

/*
 * The form of a record's data: n = name, t = text with a byte of length before it, l = bytes with two, p =
 * a number and its value, 0-9 = so many bytes, . = anything up to the end, * = the last again up to the
 * end.
 */
static const char *form(uint16_t type, uint16_t class)
{
	switch (type) {
	case 1:
		return class == 1 ? "4" : ".";
	case 2: case 3: case 4: case 5: case 7: case 8: case 9: case 12: case 23: case 39:
		return "n";
	case DNS_SOA:
		return "nn488";
	case 13:
		return "tt";
	case 14: case 17:
		return "nn";
	case 15: case 18: case 21: case 36:
		return "2n";
	case 16: case 99:
		return "tt*";
	case DNS_SIG: case 46:
		return "99n.";
	case 28:
		return "88";
	case 33:
		return "6n";
	case 35:
		return "4tttn";
	case 43: case 48: case 59: case 60:
		return "4.";
	case 47:
		return "n.";
	case 64: case 65:
		return "2np*";
	case DNS_OPT:
		return "p*";
	case DNS_TKEY:
		return "n444ll";
	case DNS_TSIG:
		return "n8l4l";
	case 257:
		return "1t.";
	default:
		return ".";
	}
}

/* One item of a form; those with a length before them hold what it says. */
static void item(const struct dns_message *m, struct cursor *c, char what)
{
	switch (what) {
	case 'n':
		name(m, c);
		break;
	case 't':
		cursor_bytes(c, cursor_u8(c));
		break;
	case 'l':
		cursor_bytes(c, cursor_be16(c));
		break;
	case 'p': /* a number and its value: EDNS options, service parameters */
		cursor_be16(c);
		cursor_bytes(c, cursor_be16(c));
		break;
	case '.':
		if (cursor_ok(c))
			c->p = c->end;
		break;
	default:
		cursor_bytes(c, (size_t)(what - '0'));
	}
}

static void data(const struct dns_message *m, struct cursor *c, const char *how)
{
	for (; *how != '\0' && cursor_ok(c); how++) {
		if (how[1] == '*') {
			while (cursor_ok(c) && c->p != c->end)
				item(m, c, *how);
			return;
		}
		item(m, c, *how);
	}
}

/* -- Parts of the message ---------------------------------------------------------------------------------- */

static bool opcode_allowed(const struct dns_message *m)
{
	return m->opcode == DNS_QUERY || (m->updates && (m->opcode == DNS_NOTIFY || m->opcode == DNS_UPDATE));
}

/*
 * What only an answer says must not be in a question; what both must not say is the bit that is kept for
 * later.
 */
static bool flags_allowed(const struct dns_message *m, bool reply)
{
	unsigned rcode = m->flags & 15u;

	if (m->flags & DNS_FLAG_ZERO)
		return false;
	if (reply)
		return rcode <= 10;
	if (m->opcode == DNS_NOTIFY)
		return rcode == 0 && (m->flags & DNS_FLAG_CUT) == 0;
	return rcode == 0 && (m->flags & (DNS_FLAG_AUTHORITATIVE | DNS_FLAG_CUT | DNS_FLAG_RECURSION_AVAILABLE)) == 0;
}

/* How many records which section may hold. */
static bool counts_allowed(const struct dns_message *m, bool reply)
{
	if (reply) /* none: of an update, an error or the second message of a transfer; the verifier asks */
		return m->count[DNS_QUESTION] <= 1;
	if (m->count[DNS_QUESTION] != 1)
		return false;
	if (m->opcode == DNS_UPDATE)
		return true;
	if (m->opcode == DNS_NOTIFY)
		return m->count[DNS_ANSWER] <= 1 && m->count[DNS_AUTHORITY] == 0 && m->count[DNS_ADDITIONAL] <= 2;
	return m->count[DNS_ANSWER] == 0 && m->count[DNS_AUTHORITY] <= (m->updates ? 1 : 0) &&
	       m->count[DNS_ADDITIONAL] <= 2;
}

bool dns_header(struct dns_message *m, struct cursor *c, bool reply)
{
	m->id = cursor_be16(c);
	m->flags = (uint16_t)(cursor_u8(c) << 8);
	m->opcode = m->flags >> 11 & 15;
	cursor_must(c, ((m->flags & DNS_FLAG_REPLY) != 0) == reply, WHY_ORDER);
	cursor_must(c, opcode_allowed(m), WHY_COMMAND);
	m->flags |= cursor_u8(c);
	cursor_must(c, flags_allowed(m, reply), WHY_FIELD);
	for (int i = 0; i < 4; i++)
		m->count[i] = cursor_be16(c);
	return cursor_must(c, counts_allowed(m, reply), WHY_FIELD);
}

bool dns_question(struct dns_message *m, struct cursor *c, bool reply)
{
	struct dns_question *q = &m->question;
	const uint8_t *begin = c->p;

	q->wire_n = q->name_n = q->labels = 0;
	if (!cursor_ok(c) || m->count[DNS_QUESTION] == 0)
		return cursor_ok(c);
	question_name(c, q);
	q->type = cursor_be16(c);
	cursor_must(c, question_type(q->type, m->updates), WHY_FIELD);
	cursor_must(c, m->opcode == DNS_QUERY || q->type == DNS_SOA, WHY_FIELD);
	q->class = cursor_be16(c);
	cursor_must(c, class_listed(q->class) && q->class != CLASS_NONE, WHY_FIELD);
	/* An increment is asked for with the state that the client has. */
	cursor_must(c, reply || m->opcode != DNS_QUERY || m->count[DNS_AUTHORITY] == (q->type == DNS_IXFR),
		WHY_FIELD);
	if (!cursor_ok(c))
		return false;
	q->wire = begin;
	q->wire_n = (uint32_t)(c->p - begin);
	return true;
}

/* An OPT record (RFC 6891): one, of the root, at the end, of the version that there is. */
static void opt_fields(struct dns_message *m, struct cursor *c, enum dns_section section, bool root)
{
	cursor_must(c, section == DNS_ADDITIONAL && root && ++m->opts == 1, WHY_FIELD);
	cursor_be16(c);
	cursor_u8(c);
	uint8_t version = cursor_u8(c);
	cursor_must(c, version == 0, WHY_VERSION);
	cursor_be16(c);
}

static bool type_allowed(const struct dns_message *m, uint16_t type, enum dns_section section)
{
	if (type == 0 || (type >= DNS_IXFR && type <= DNS_ANY))
		return type == DNS_ANY && m->opcode == DNS_UPDATE;
	if (type == DNS_TSIG || type == DNS_OPT)
		return section == DNS_ADDITIONAL;
	if (m->opcode == DNS_QUERY && (m->flags & DNS_FLAG_REPLY) == 0 && section == DNS_ADDITIONAL)
		return type == DNS_SIG || (m->updates && type == DNS_TKEY);
	return type_listed(type) || m->updates;
}

bool dns_record(struct dns_message *m, struct cursor *c, enum dns_section section, uint16_t *ret_rest)
{
	bool root = c->p < c->end && *c->p == 0;

	name(m, c);
	uint16_t type = cursor_be16(c), class = 0;
	cursor_must(c, type_allowed(m, type, section), WHY_FIELD);
	if (type == DNS_OPT) {
		opt_fields(m, c, section, root);
	} else {
		class = cursor_be16(c);
		cursor_must(c, class_listed(class), WHY_FIELD);
		cursor_be32(c);
	}
	uint16_t n = cursor_be16(c);
	const char *how = form(type, class);
	/* An update names what is to be there, or not, without its data (RFC 2136 section 2.4). */
	if (n == 0 && m->opcode == DNS_UPDATE && type != DNS_OPT && type != DNS_TSIG)
		how = ".";
	if (ret_rest != NULL && (how[0] == '.' || how[0] == 't' || how[0] == 'p') && n > KEEP && cursor_ok(c)) {
		*ret_rest = n;
		return true;
	}
	cursor_must(c, ret_rest == NULL || n <= 4 * KEEP, WHY_LENGTH);
	struct cursor in = cursor_sub(c, n);
	data(m, &in, how);
	return cursor_sub_end(c, &in, true);
}

bool dns_message(struct dns_message *m, struct cursor *c, bool reply, size_t len)
{
	m->start = m->first = c->p;
	m->at = 0;
	dns_header(m, c, reply);
	dns_question(m, c, reply);
	for (int s = DNS_ANSWER; s <= DNS_ADDITIONAL && cursor_ok(c); s++)
		for (uint32_t i = 0; i < m->count[s] && cursor_ok(c); i++)
			dns_record(m, c, (enum dns_section)s, NULL);
	return cursor_must(c, place(m, c->p) == len, WHY_TRAILING);
}
