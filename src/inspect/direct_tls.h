/*
 * direct_tls.h: TLS from the first byte on, in an application that also begins in the clear: its ALPN says that it is meant.
 */
#ifndef SEKISHO_INSPECT_DIRECT_TLS_H
#define SEKISHO_INSPECT_DIRECT_TLS_H

#include "verify.h"

/* The client's first byte was a handshake record's. Hands over to TLS, nothing used, once its hello offers only this ALPN. */
enum verify_status direct_tls(struct verify *v, const char *alpn);

#endif
