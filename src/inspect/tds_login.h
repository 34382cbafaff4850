/*
 * tds_login.h: what tds.c needs of logins in the clear.
 */
#ifndef SEKISHO_INSPECT_TDS_LOGIN_H
#define SEKISHO_INSPECT_TDS_LOGIN_H

#include "judge.h"
#include "verify.h"

#define TDS_PACKET_MAX 32767u

/* Reads a LOGIN7 message; the version that it asks for (0x70 .. 0x74), 0 while it is not known. */
uint8_t tds_login7(struct cursor *c);

enum tds_said { TDS_NEITHER, TDS_FAILED, TDS_ACCEPTED }; /* accepted: also with the next step of an authentication */

/* Reads the tokens that answer a login of this version, to the end of what is there. */
enum tds_said tds_login_answer(struct cursor *c, uint8_t version);

#endif
