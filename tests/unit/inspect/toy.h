/*
 * toy.h: verifiers so simple that a test of the core is about the core. They stand in for the real table.
 *
 * A message is its letter, its length (one byte) and so many bytes. "ssh": the client asks 'Q', the server answers 'A' with
 * the same bytes, and that is accepted. "smtp": as often as they like; decided with the first answer, looked at for ever.
 * "ftp" as smtp, and a question "!" announces a pinhole to port 2000 of the server. Over UDP "dns" asks 'Q' and answers 'A'.
 * "pop3" takes everything and never decides.
 */
#ifndef SEKISHO_TEST_TOY_H
#define SEKISHO_TEST_TOY_H

#include "verify.h"

#define TOY_ACCEPTS APP_SSH
#define TOY_WATCHES APP_SMTP
#define TOY_PINHOLES APP_FTP
#define TOY_DATAGRAMS APP_DNS
#define TOY_NEVER APP_POP3

#endif
