/*
 * tds_login.c: LOGIN7 in the clear and the tokens of its answer. Standard: MS-TDS 2.2.6.4 and 2.2.7.
 *
 * Input: messages of both sides without the headers of their packets, perhaps not all there. The login's parts lie behind
 * its fixed part and inside of its length; the answer's tokens have lengths that agree and end where the message does. See
 * tds.c for whose turn it is and what follows.
 */
#include "tds_login.h"

/* -- LOGIN7 ------------------------------------------------------------------------------------------------- */

/* 2.2.6.4: 7.0 to 7.4, as the client writes them. */
static uint8_t version_of(uint32_t v)
{
	static const uint32_t known[] = {0x70000000, 0x71000000, 0x71000001, 0x72090002, 0x730a0003, 0x730b0003, 0x74000004};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i] == v)
			return (uint8_t)(v >> 24);
	return 0;
}

/* A place behind the fixed part and inside the message; sizes are of characters of two bytes, or bytes. */
static void place(struct cursor *c, uint32_t fixed, uint32_t total, uint32_t width)
{
	uint32_t at = cursor_le16(c), n = cursor_le16(c);

	/* 65535: the size stands elsewhere (cbSSPILong). */
	if (n != 0)
		cursor_must(c, at >= fixed && (n == 0xffff || at + n * width <= total), WHY_LENGTH);
}

uint8_t tds_login7(struct cursor *c)
{
	uint32_t total = cursor_le32(c);

	cursor_must(c, total >= 86 && total <= JUDGE_BYTES, WHY_LENGTH);
	uint8_t version = version_of(cursor_le32(c));
	cursor_must(c, version != 0, WHY_VERSION);
	uint32_t fixed = version >= 0x72 ? 94 : 86, packet = cursor_le32(c);
	cursor_must(c, total >= fixed, WHY_LENGTH);
	cursor_must(c, packet == 0 || (packet >= 512 && packet <= TDS_PACKET_MAX), WHY_FIELD);
	cursor_bytes(c, 12); /* program, process, connection */
	cursor_bytes(c, 4);  /* flags */
	cursor_bytes(c, 8);  /* time zone, language */
	/* host, user, password, application, server, extension, library, language, database */
	for (unsigned i = 0; i < 9; i++)
		place(c, fixed, total, i == 5 ? 1 : 2);
	cursor_bytes(c, 6); /* ClientID: a MAC address */
	place(c, fixed, total, 1);
	place(c, fixed, total, 2);
	if (version >= 0x72) {
		place(c, fixed, total, 2);
		cursor_must(c, cursor_le32(c) <= total, WHY_LENGTH);
	}
	cursor_bytes(c, total - fixed);
	if (cursor_ok(c) && c->p != c->end)
		cursor_must(c, false, WHY_TRAILING);
	return version;
}

/* -- Answer to the login ------------------------------------------------------------------------------------- */

enum {
	ERROR = 0xaa, INFO = 0xab, LOGINACK = 0xad, FEATURES = 0xae, ENVCHANGE = 0xe3, STATE = 0xe4, SSPI = 0xed,
	FEDAUTH = 0xee, DONE = 0xfd, FEATURE_END = 0xff,
};

/* 2.2.7.14: interface, version, name of the program, its version. */
static void loginack(struct cursor *c, uint32_t n, uint8_t asked)
{
	cursor_must(c, n >= 10, WHY_LENGTH);
	cursor_must(c, cursor_u8(c) <= 1, WHY_FIELD);
	uint32_t version = cursor_be32(c);
	/* 7.0 and 7.1 are also written as they are read. */
	uint8_t major = version >> 24 == 7 ? (uint8_t)(0x70 | (version >> 16 & 0xf)) : (uint8_t)(version >> 24);
	cursor_must(c, major >= 0x70 && major <= 0x74, WHY_VERSION);
	cursor_must(c, major <= asked, WHY_ANSWER_OTHER);
	cursor_must(c, cursor_u8(c) * 2u + 10 == n, WHY_LENGTH);
	cursor_bytes(c, n - 6);
}

/* 2.2.7.10 and 13: number, state, class, text, and more. */
static void notice(struct cursor *c, uint32_t n)
{
	cursor_must(c, n >= 8, WHY_LENGTH);
	cursor_bytes(c, 6);
	uint32_t text = cursor_le16(c);
	cursor_must(c, text * 2 + 8 <= n, WHY_LENGTH);
	cursor_bytes(c, n - 8);
}

/* The next step of NTLM, Kerberos or SPNEGO. */
static void sspi(struct cursor *c, uint32_t n)
{
	cursor_must(c, n > 0, WHY_LENGTH);
	if (cursor_left(c) > 0)
		cursor_must(c, *c->p == 'N' || *c->p == 0x60 || *c->p == 0xa1, WHY_FIELD);
	cursor_bytes(c, n);
}

static void features(struct cursor *c)
{
	while (cursor_ok(c) && cursor_u8(c) != FEATURE_END)
		cursor_bytes(c, cursor_le32(c));
}

/* DONE (2.2.7.6): status, command, rows; since 7.2 rows have eight bytes. */
static void done(struct cursor *c, uint8_t version)
{
	cursor_bytes(c, 4);
	cursor_bytes(c, version >= 0x72 ? 8 : 4);
}

static uint8_t token(struct cursor *c, uint8_t version)
{
	uint8_t type = cursor_u8(c);

	if (type == FEATURES) {
		features(c);
	} else if (type == DONE) {
		done(c, version);
	} else if (type == FEDAUTH || type == STATE) {
		cursor_bytes(c, cursor_le32(c));
	} else {
		bool known = type == ERROR || type == INFO || type == LOGINACK || type == ENVCHANGE || type == SSPI;
		cursor_must(c, known, WHY_FIELD);
		uint32_t n = cursor_le16(c);
		if (type == LOGINACK)
			loginack(c, n, version);
		else if (type == SSPI)
			sspi(c, n);
		else if (type == ENVCHANGE)
			cursor_bytes(c, n);
		else
			notice(c, n);
	}
	return cursor_ok(c) ? type : 0;
}

enum tds_said tds_login_answer(struct cursor *c, uint8_t version)
{
	enum tds_said said = TDS_NEITHER;

	do {
		uint8_t type = token(c, version);
		if (type == LOGINACK || type == SSPI || type == FEDAUTH)
			said = TDS_ACCEPTED;
		else if (type == ERROR && said == TDS_NEITHER)
			said = TDS_FAILED;
	} while (cursor_left(c) > 0);
	return said;
}
