/*
 * smb.c: SMB 2 and 3 over TCP, up to the answer to the first SESSION_SETUP. Standards: MS-SMB2 (2.1 framing, 2.2.1 header,
 * 2.2.3/4 NEGOTIATE, 2.2.5/6 SESSION_SETUP, 3.2.5.2 the question in SMB 1), MS-SPNG/RFC 4178 and MS-NLMP for the tokens.
 *
 * Input: both directions of a connection, whoever wrote them. The two sides take turns until the session is set up; a side
 * that speaks out of turn is refused, so nothing can ride along. NEGOTIATE and its answer are read to the last byte: one
 * frame exactly, legal dialects, contexts that end where the frame does, an answer whose dialect was offered and whose
 * MessageId is the question's. That alone is no SMB session: a tunnel can send two frames by rote. So the client must go on
 * with SESSION_SETUP carrying a security token whose own length agrees, and the server must answer that; only then the flow
 * passes. Encrypted (FD) and compressed (FC) frames belong to a session and are refused before.
 *
 * SMB 1 is refused as such. With the option smb1-negotiate its NEGOTIATE may be the question, if the answer is SMB 2.
 * NetBIOS session services (port 139: requests, keep-alives) are refused: direct TCP knows only type 0.
 *
 * Limits: a NEGOTIATE frame of NEGOTIATE_MAX. Of a session's token only the head is looked at; the whole must fit into what
 * an undecided flow may bring (16 KiB: Kerberos tickets with hundreds of groups are larger).
 */
#include "ber.h"
#include "verifiers.h"

#define NEGOTIATE_MAX 8192u
#define HEADER_BYTES 64u
#define ERROR_BYTES 8u
#define CONTEXTS_MAX 16u
#define DIALECTS_MAX 16u
#define WILDCARD 0x02ff /* "some SMB 2": only as the answer to SMB 1's question */

enum { NEGOTIATE = 0, SESSION_SETUP = 1 };
enum { FROM_SERVER = 0x1, ASYNC = 0x2, RELATED = 0x4, SIGNED = 0x8, PRIORITY = 0x70, DFS = 0x10000000, REPLAY = 0x20000000 };
#define STATUS_OK 0u
#define STATUS_PENDING 0x103u
#define STATUS_MORE_PROCESSING 0xc0000016u

enum phase { ASK, ANSWER, SETUP, SETUP_ANSWER, SET_UP, OVER };

struct smb_state {
	uint8_t phase;
	uint8_t speaker; /* whose frame has `skip` bytes to come */
	bool smb1;	 /* the question was SMB 1's */
	uint16_t offer;	 /* bits of dialects[] */
	uint32_t skip;
	uint64_t message_id; /* of the last question */
};
VERIFY_STATE(struct smb_state);

/* Those that were ever sold, and three that clients still offer though no server has them; the last is SMB 1's wildcard. */
static const uint16_t dialects[] = {0x0202, 0x0210, 0x0300, 0x0302, 0x0311, 0x0222, 0x0224, 0x0310, WILDCARD};
#define DIALECT_311 (1u << 4)
#define ANSWERABLE 0x1fu
#define NDIALECTS (sizeof(dialects) / sizeof(dialects[0]))

static uint16_t dialect_bit(uint16_t dialect)
{
	for (size_t i = 0; i < NDIALECTS; i++)
		if (dialects[i] == dialect)
			return (uint16_t)(1u << i);
	return 0;
}

/* -- Framing and header ------------------------------------------------------------------------------------ */

/* MS-SMB2 2.1: a zero byte and 24 bits of length. */
static uint32_t frame(struct cursor *c, uint32_t min, uint32_t max)
{
	cursor_must(c, cursor_u8(c) == 0, WHY_PROTOCOL);
	uint32_t n = cursor_be24(c);
	cursor_must(c, n >= min && n <= max, WHY_LENGTH);
	return n;
}

/* FE 'SMB'; what else it may begin with has its own name. */
static bool protocol_id(struct cursor *c, enum inspect_why other)
{
	if (cursor_left(c) > 0)
		cursor_must(c, *c->p != 0xff, WHY_SMB1);
	if (cursor_left(c) > 0)
		cursor_must(c, *c->p != 0xfd && *c->p != 0xfc, WHY_ORDER);
	return CURSOR_EXPECT(c, "\xfeSMB", other);
}

struct head {
	uint32_t status, flags;
	uint64_t message_id, session_id;
};

/* The 64 bytes that begin each message (2.2.1.2). A question has no status but in its first two bytes (ChannelSequence). */
static struct head header(struct cursor *c, uint16_t command, bool answer)
{
	struct head h = {0};

	protocol_id(c, answer ? WHY_ANSWER : WHY_PROTOCOL);
	cursor_must(c, cursor_le16(c) == HEADER_BYTES, WHY_FIELD);
	cursor_le16(c); /* CreditCharge */
	h.status = cursor_le32(c);
	cursor_must(c, answer || h.status >> 16 == 0, WHY_FIELD);
	cursor_must(c, cursor_le16(c) == command, WHY_COMMAND);
	cursor_le16(c); /* credits */
	h.flags = cursor_le32(c);
	cursor_must(c, ((h.flags & FROM_SERVER) != 0) == answer, WHY_ORDER);
	cursor_must(c, (h.flags & ~(uint32_t)(FROM_SERVER | ASYNC | SIGNED | PRIORITY | DFS | REPLAY)) == 0, WHY_FIELD);
	cursor_must(c, (h.flags & ASYNC) == 0 || (answer && h.status == STATUS_PENDING), WHY_FIELD);
	cursor_must(c, cursor_le32(c) == 0, WHY_FIELD); /* NextCommand: neither message is ever compounded */
	h.message_id = cursor_le64(c);
	return h;
}

/* The rest of it, once the MessageId was judged. */
static void header_rest(struct cursor *c, struct head *h)
{
	cursor_le64(c); /* process and tree, or AsyncId */
	h->session_id = cursor_le64(c);
	cursor_bytes(c, 16); /* signature */
}

/* 2.2.2: what an answer holds when its status is an error. */
static void error_body(struct cursor *c)
{
	cursor_must(c, cursor_le16(c) == 9, WHY_FIELD);
	cursor_le16(c); /* contexts, reserved */
	uint32_t n = cursor_le32(c);
	/* One byte stands there even when there is none to say; some servers leave it out. */
	if (n > 0 || cursor_left(c) > 0)
		cursor_bytes(c, n > 0 ? n : 1);
}

/* -- Contexts of 3.1.1 -------------------------------------------------------------------------------------- */

/* A count, then so many numbers up to `max`, and nothing else. */
static void numbers(struct cursor *c, uint16_t n, unsigned fixed, uint16_t max)
{
	uint16_t count = cursor_le16(c);

	cursor_must(c, count >= 1 && 2 + fixed + 2u * count == n, WHY_LENGTH);
	cursor_bytes(c, fixed);
	for (unsigned i = 0; i < count && cursor_ok(c); i++)
		cursor_must(c, cursor_le16(c) <= max, WHY_FIELD);
}

static void preauth(struct cursor *c, uint16_t n)
{
	uint16_t count = cursor_le16(c), salt = cursor_le16(c);

	cursor_must(c, count >= 1 && 4 + 2u * count + salt == n, WHY_LENGTH);
	for (unsigned i = 0; i < count && cursor_ok(c); i++)
		cursor_must(c, cursor_le16(c) == 1, WHY_FIELD); /* SHA-512 is the only one */
	cursor_bytes(c, salt);
}

enum { CONTEXT_PREAUTH = 1, ENCRYPTION, COMPRESSION, NETNAME = 5, TRANSPORT, RDMA, SIGNING, POSIX = 0x100 };

/* 2.2.3.1. A receiver ignores types that it does not know, so those that will be defined next are let be. */
static uint16_t context(struct cursor *c)
{
	uint16_t type = cursor_le16(c);

	cursor_must(c, (type >= 1 && type <= 0x20) || type == POSIX, WHY_FIELD);
	uint16_t n = cursor_le16(c);
	cursor_le32(c);
	if (type == CONTEXT_PREAUTH)
		preauth(c, n);
	else if (type == ENCRYPTION)
		numbers(c, n, 0, 4);
	else if (type == COMPRESSION)
		numbers(c, n, 6, 5);
	else if (type == SIGNING)
		numbers(c, n, 0, 2);
	else if (cursor_must(c, type != NETNAME || (n > 0 && n % 2 == 0), WHY_LENGTH))
		cursor_bytes(c, n);
	return cursor_ok(c) ? type : 0;
}

/* Bytes up to the next multiple of eight, or up to the end of the message: nobody looks at them. */
static void padding(struct cursor *c, const uint8_t *start, uint32_t size)
{
	while (cursor_ok(c) && (size_t)(c->p - start) % 8 != 0 && (size_t)(c->p - start) < size)
		cursor_u8(c);
}

/* `start` is the header's first byte, `size` the message's bytes. */
static void contexts(struct cursor *c, const uint8_t *start, uint32_t size, uint16_t count)
{
	unsigned preauths = 0;

	for (unsigned i = 0; i < count && cursor_ok(c); i++) {
		padding(c, start, size);
		preauths += context(c) == CONTEXT_PREAUTH;
	}
	cursor_must(c, preauths == 1, WHY_FIELD);
	padding(c, start, size);
}

/* -- NEGOTIATE ---------------------------------------------------------------------------------------------- */

static uint16_t dialect_list(struct cursor *c, uint16_t count)
{
	uint16_t offer = 0;

	for (unsigned i = 0; i < count && cursor_ok(c); i++) {
		uint16_t bit = dialect_bit(cursor_le16(c));
		cursor_must(c, bit != 0 && bit != dialect_bit(WILDCARD), WHY_VERSION);
		offer |= bit;
	}
	return offer;
}

/* 2.2.3, from behind the header. */
static uint16_t negotiate_body(struct cursor *c, const uint8_t *start, uint32_t size)
{
	cursor_must(c, cursor_le16(c) == 36, WHY_FIELD);
	uint16_t count = cursor_le16(c);
	cursor_must(c, count >= 1 && count <= DIALECTS_MAX, WHY_FIELD);
	uint16_t mode = cursor_le16(c);
	cursor_must(c, (mode & ~3) == 0, WHY_FIELD);
	cursor_le16(c);
	cursor_must(c, (cursor_le32(c) & ~0xffu) == 0, WHY_FIELD); /* capabilities */
	cursor_bytes(c, 16);					    /* ClientGuid */
	uint32_t at = cursor_le32(c);
	uint16_t ncontexts = cursor_le16(c);
	cursor_le16(c);
	uint16_t offer = dialect_list(c, count);
	if (!cursor_ok(c))
		return 0;
	if ((offer & DIALECT_311) != 0) {
		padding(c, start, size);
		cursor_must(c, ncontexts <= CONTEXTS_MAX && cursor_ok(c) && at == (size_t)(c->p - start), WHY_LENGTH);
		contexts(c, start, size, ncontexts);
	} else {
		padding(c, start, size);
	}
	return offer;
}

/* MS-SMB2 3.3.5.3.1 and MS-CIFS 2.2.4.52.1: SMB 1's question with the two names of SMB 2 among its dialects. */
static uint16_t smb1_question(struct cursor *c, uint32_t size)
{
	uint16_t offer = 0;
	uint32_t left;

	CURSOR_EXPECT(c, "\xffSMB\x72", WHY_SMB1);
	cursor_must(c, cursor_le32(c) == 0, WHY_FIELD); /* status */
	cursor_bytes(c, 23);
	cursor_must(c, cursor_u8(c) == 0, WHY_FIELD); /* no words */
	left = cursor_le16(c);
	cursor_must(c, left + 35 == size, WHY_LENGTH);
	while (left > 0 && cursor_ok(c)) {
		char name[16] = "";
		unsigned k = 0;
		uint8_t b = 1;
		cursor_must(c, cursor_u8(c) == 2, WHY_FIELD);
		for (left--; left > 0 && b != 0 && cursor_ok(c); left--) {
			b = cursor_u8(c);
			cursor_must(c, b == 0 || (b >= 0x20 && b < 0x7f), WHY_ENCODING);
			if (k < sizeof(name) - 1)
				name[k++] = (char)b;
		}
		cursor_must(c, b == 0, WHY_LENGTH);
		offer |= strcmp(name, "SMB 2.002") == 0 ? dialect_bit(0x0202) : 0;
		offer |= strcmp(name, "SMB 2.???") == 0 ? dialect_bit(WILDCARD) : 0;
	}
	cursor_must(c, offer != 0, WHY_SMB1);
	return offer;
}

static bool begins_with_smb1(const struct verify *v, const struct smb_state *s, const struct cursor *c)
{
	return (v->policy->options & VERIFY_SMB1_NEGOTIATE) != 0 && !s->smb1 && cursor_left(c) > 0 && *c->p == 0xff;
}

static enum verify_status ask(struct verify *v, struct smb_state *s)
{
	struct cursor c = verify_said(v, VERIFY_CLIENT);
	uint32_t n = frame(&c, 35, NEGOTIATE_MAX);
	struct cursor in = cursor_sub(&c, n);
	const uint8_t *start = in.p;
	uint16_t offer;

	if (begins_with_smb1(v, s, &in)) {
		s->message_id = 0;
		offer = smb1_question(&in, n);
	} else {
		struct head h = header(&in, NEGOTIATE, false);
		/* The first number is 0; after an answer "some SMB 2" it is 1 (3.2.5.2). */
		cursor_must(&in, h.message_id == (s->smb1 ? 1 : 0), WHY_FIELD);
		header_rest(&in, &h);
		cursor_must(&in, h.session_id == 0, WHY_FIELD);
		offer = negotiate_body(&in, start, n);
	}
	if (!cursor_sub_end(&c, &in, true))
		return verify_stopped(v, &c);
	s->message_id = s->smb1 ? 1 : 0;
	s->smb1 = *start == 0xff;
	s->offer = offer;
	s->phase = ANSWER;
	v->level = LEVEL_PREFIX;
	verify_use(v, VERIFY_CLIENT, &c);
	return VERIFY_MORE;
}

/*
 * A security token of n bytes: its head, and that its own length agrees. The client begins with GSS-API's initial token
 * (RFC 2743 3.1: SPNEGO, or Kerberos alone) or with NTLM's first message, the server goes on likewise.
 */
static void token(struct cursor *c, uint32_t n, bool answer)
{
	enum { INITIAL = 0x60, RESPONSE = 0xa1, NTLM = 'N' };
	struct ber all = ber_init(c, n, BER_BASIC), outer, inner;

	if (n == 0)
		return;
	uint8_t first = ber_tag(&all);
	cursor_must(c, first == INITIAL || first == NTLM || (first == RESPONSE && answer), WHY_FIELD);
	if (first == NTLM) {
		cursor_must(c, n >= 12, WHY_LENGTH);
		CURSOR_EXPECT(c, "NTLMSSP\0", WHY_FIELD);
		cursor_must(c, cursor_le32(c) == (answer ? 2 : 1), WHY_FIELD);
		return;
	}
	ber_open(&all, first, &outer);
	ber_end(&all);
	if (first == INITIAL)
		ber_oid(&outer);
	else if (ber_open(&outer, BER_SEQUENCE, &inner))
		ber_end(&outer);
}

/* 2.2.4, from behind the header. */
static uint16_t negotiated_body(struct cursor *c, const uint8_t *start, uint32_t size, uint16_t offer)
{
	cursor_must(c, cursor_le16(c) == 65, WHY_FIELD);
	uint16_t mode = cursor_le16(c);
	cursor_must(c, (mode & ~3) == 0, WHY_FIELD);
	uint16_t dialect = cursor_le16(c), bit = dialect_bit(dialect);
	cursor_must(c, (bit & (ANSWERABLE | dialect_bit(WILDCARD))) != 0, WHY_VERSION);
	cursor_must(c, (bit & offer) != 0, WHY_ANSWER_OTHER);
	uint16_t ncontexts = cursor_le16(c);
	cursor_bytes(c, 16);
	cursor_must(c, (cursor_le32(c) & ~0xffu) == 0, WHY_FIELD);
	cursor_bytes(c, 28); /* sizes and times */
	uint16_t at = cursor_le16(c), n = cursor_le16(c);
	uint32_t contexts_at = cursor_le32(c);
	/* Some say 0 for where nothing is. */
	cursor_must(c, at == 128 || (n == 0 && at == 0), WHY_LENGTH);
	cursor_must(c, 128u + n <= size, WHY_LENGTH);
	struct cursor in = cursor_sub(c, n);
	token(&in, n, true);
	if (!cursor_sub_end(c, &in, false))
		return 0;
	if (bit == DIALECT_311) {
		padding(c, start, size);
		cursor_must(c, ncontexts <= CONTEXTS_MAX && cursor_ok(c) && contexts_at == (size_t)(c->p - start), WHY_LENGTH);
		contexts(c, start, size, ncontexts);
	}
	padding(c, start, size);
	return dialect;
}

static enum verify_status answer(struct verify *v, struct smb_state *s)
{
	struct cursor c = verify_said(v, VERIFY_SERVER);
	uint32_t n = frame(&c, HEADER_BYTES + ERROR_BYTES, NEGOTIATE_MAX);
	struct cursor in = cursor_sub(&c, n);
	const uint8_t *start = in.p;
	struct head h = header(&in, NEGOTIATE, true);
	uint16_t dialect = 0;

	cursor_must(&in, (h.flags & ASYNC) == 0, WHY_FIELD);
	cursor_must(&in, h.message_id == s->message_id, WHY_ANSWER_OTHER);
	header_rest(&in, &h);
	cursor_must(&in, h.session_id == 0, WHY_FIELD);
	if (h.status != STATUS_OK)
		error_body(&in);
	else
		dialect = negotiated_body(&in, start, n, s->offer);
	if (!cursor_sub_end(&c, &in, true))
		return verify_stopped(v, &c);
	verify_use(v, VERIFY_SERVER, &c);
	v->level = LEVEL_ANSWER;
	s->phase = h.status != STATUS_OK ? OVER : dialect == WILDCARD ? ASK : SETUP;
	return VERIFY_MORE;
}

/* -- SESSION_SETUP ------------------------------------------------------------------------------------------ */

/* What of a frame was not looked at is let through uncounted. */
static void rest_of_frame(struct verify *v, struct smb_state *s, const struct cursor *c, uint32_t size)
{
	unsigned speaker = s->phase == SETUP ? VERIFY_CLIENT : VERIFY_SERVER;
	uint32_t before = v->side[speaker].used;

	verify_use(v, speaker, c);
	s->speaker = (uint8_t)speaker;
	s->skip = size + 4 - (v->side[speaker].used - before);
}

/* Where the token is and how long: at the end of the message, which it fills. */
static uint16_t token_place(struct cursor *c, uint32_t fixed, uint32_t size)
{
	uint16_t at = cursor_le16(c), n = cursor_le16(c);

	cursor_must(c, at == fixed || (n == 0 && at == 0), WHY_LENGTH);
	/* A message without a token has one byte in its place, or not. */
	cursor_must(c, fixed + n == size || (n == 0 && fixed + 1 == size), WHY_LENGTH);
	return n;
}

static enum verify_status setup(struct verify *v, struct smb_state *s)
{
	struct cursor c = verify_said(v, VERIFY_CLIENT);
	uint32_t size = frame(&c, HEADER_BYTES + 24, HEADER_BYTES + 24 + 65535);
	struct head h = header(&c, SESSION_SETUP, false);

	cursor_must(&c, h.message_id == s->message_id + 1, WHY_FIELD);
	header_rest(&c, &h);
	cursor_must(&c, cursor_le16(&c) == 25, WHY_FIELD);
	cursor_must(&c, cursor_u8(&c) <= 1, WHY_FIELD); /* binding */
	cursor_must(&c, (cursor_u8(&c) & ~3) == 0, WHY_FIELD);
	cursor_must(&c, (cursor_le32(&c) & ~0xffu) == 0, WHY_FIELD);
	cursor_must(&c, cursor_le32(&c) == 0, WHY_FIELD); /* channel */
	uint16_t n = token_place(&c, HEADER_BYTES + 24, size);
	cursor_must(&c, n > 0, WHY_LENGTH);
	cursor_le64(&c); /* PreviousSessionId */
	token(&c, n, false);
	if (!cursor_ok(&c))
		return verify_stopped(v, &c);
	rest_of_frame(v, s, &c, size);
	s->message_id = h.message_id;
	s->phase = SETUP_ANSWER;
	return VERIFY_MORE;
}

static void setup_body(struct cursor *c, uint32_t size)
{
	cursor_must(c, cursor_le16(c) == 9, WHY_FIELD);
	cursor_must(c, cursor_le16(c) <= 7, WHY_FIELD); /* guest, anonymous, encrypt */
	token(c, token_place(c, HEADER_BYTES + 8, size), true);
}

static enum verify_status setup_answer(struct verify *v, struct smb_state *s)
{
	struct cursor c = verify_said(v, VERIFY_SERVER);
	uint32_t size = frame(&c, HEADER_BYTES + ERROR_BYTES, HEADER_BYTES + 8 + 65535);
	struct head h = header(&c, SESSION_SETUP, true);
	bool good = h.status == STATUS_OK || h.status == STATUS_MORE_PROCESSING;

	cursor_must(&c, h.message_id == s->message_id, WHY_ANSWER_OTHER);
	header_rest(&c, &h);
	cursor_must(&c, !good || h.session_id != 0, WHY_FIELD);
	if (good) {
		setup_body(&c, size);
	} else {
		cursor_must(&c, cursor_le16(&c) == 9, WHY_FIELD);
		cursor_le16(&c);
		uint32_t n = cursor_le32(&c);
		bool filler = n == 0 && size == HEADER_BYTES + ERROR_BYTES + 1;
		cursor_must(&c, filler || (n <= size && HEADER_BYTES + ERROR_BYTES + n == size), WHY_LENGTH);
	}
	if (!cursor_ok(&c))
		return verify_stopped(v, &c);
	rest_of_frame(v, s, &c, size);
	if (h.status != STATUS_PENDING)
		s->phase = SET_UP;
	return VERIFY_MORE;
}

/* -- Turns -------------------------------------------------------------------------------------------------- */

/* Neither side may speak while the other one has not finished. */
static enum verify_status skip(struct verify *v, struct smb_state *s)
{
	if (verify_unread(v, 1u - s->speaker) > 0)
		return verify_refuse(v, WHY_ORDER);
	s->skip -= verify_skip(v, s->speaker, s->skip);
	return VERIFY_MORE;
}

static enum verify_status step(struct verify *v)
{
	typedef enum verify_status turn_fn(struct verify *, struct smb_state *);
	static turn_fn *const turns[] = {[ASK] = ask, [ANSWER] = answer, [SETUP] = setup, [SETUP_ANSWER] = setup_answer};
	struct smb_state *s = v->state;

	if (s->skip > 0 && skip(v, s) == VERIFY_REFUSE)
		return VERIFY_REFUSE;
	if (s->skip > 0)
		return VERIFY_MORE;
	if (s->phase == SET_UP) {
		v->level = LEVEL_RELATES;
		return VERIFY_ACCEPT;
	}
	if (s->phase == OVER)
		return verify_unread(v, 0) + verify_unread(v, 1) > 0 ? verify_refuse(v, WHY_ORDER) : VERIFY_MORE;
	if (verify_unread(v, s->phase == ASK || s->phase == SETUP ? VERIFY_SERVER : VERIFY_CLIENT) > 0)
		return verify_refuse(v, WHY_ORDER);
	return turns[s->phase](v, s);
}

enum verify_status smb_stream(struct verify *v)
{
	return verify_steps(v, step);
}
