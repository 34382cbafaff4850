/*
 * tls.h: the words of STARTTLS: what the policy demands, how a handshake ended, how a certificate of ours fares.
 *
 * One table each for the processes, the ledger, the console and tests. Numbers travel between processes; none is stored.
 */
#ifndef SEKISHO_TLS_H
#define SEKISHO_TLS_H

#include <stddef.h>

#ifndef N_
#define N_(s) s /* marks a msgid for xgettext */
#endif

/* Files of the directory of keys: a name of the policy, and what it ends with. */
#define TLS_NAME_MAX 31	   /* of a certificate: small letters, digits, "-" */
#define TLS_NAMES_MAX 8	   /* certificates and authorities that one policy names: two gates, and each mail server's own */
#define TLS_FILE_BYTES 65536 /* a file: a chain of ten certificates has 20 KiB */
#define TLS_PINS_MAX 4	   /* fingerprints of one mail server: the present one, the next, and two machines */
#define TLS_PIN_BYTES 32   /* SHA-256 */
#define TLS_FILE_CERTIFICATE ".crt"
#define TLS_FILE_KEY ".key"

/* What a client of ours hears: level of `mail inbound tls` and `mail outbound tls`. */
enum tls_offer {
	TLS_OFF,
	TLS_OFFER,   /* STARTTLS is offered */
	TLS_DEMAND,  /* no mail without it */
	TLS_OFFERS,
};

/* What a mail server behind us must do: level of `tls-to`. */
enum tls_level {
	TLS_PLAIN,
	TLS_OPPORTUNISTIC, /* when it offers it; who it is nobody asks */
	TLS_REQUIRE,	   /* no mail without; who it is nobody asks */
	TLS_VERIFY,	   /* no mail but to who its certificate says it is */
	TLS_LEVELS,
};

/* How a handshake ended. NAME, word, sentence */
#define TLS_WHYS(X)                                                                                              \
	X(OK, "ok", N_("encrypted"))                                                                              \
	X(TIMEOUT, "timeout", N_("the handshake took too long"))                                                  \
	X(CLOSED, "closed", N_("the peer went away during the handshake"))                                        \
	X(GARBAGE, "not-tls", N_("the peer sent something that is not TLS"))                                      \
	X(VERSION, "version", N_("no version of TLS that both have; 1.2 is the least"))                           \
	X(CIPHER, "cipher", N_("no cipher that both have"))                                                       \
	X(ALERT, "alert", N_("the peer broke off the handshake"))                                                 \
	X(NO_CERTIFICATE, "no-certificate", N_("the peer showed no certificate"))                                 \
	X(UNTRUSTED, "untrusted", N_("the certificate is not of the authority that the policy names"))            \
	X(EXPIRED, "expired", N_("the certificate has expired or does not hold yet"))                             \
	X(WRONG_NAME, "wrong-name", N_("the certificate is of another name"))                                     \
	X(WRONG_PIN, "wrong-fingerprint", N_("the certificate has another fingerprint than the policy"))          \
	X(KEY, "key", N_("the own key could not sign"))                                                           \
	X(OWN, "own-certificate", N_("the own certificate, or the authority's, is not there"))                    \
	X(HANDSHAKE, "handshake", N_("the handshake failed"))                                                     \
	X(AWAY, "away", N_("sekisho-tls did not answer"))

enum tls_why {
#define X(NAME, word, text) TLS_WHY_##NAME,
	TLS_WHYS(X)
#undef X
	TLS_WHYS_END,
};

/* What is known of who the peer is. NAME, word */
#define TLS_TRUSTS(X)                                                                                             \
	X(NONE, "none")		      /* it showed nothing */                                                   \
	X(UNVERIFIED, "unverified")   /* a certificate that nobody looked at, or that proves nothing */          \
	X(AUTHORITY, "verified")      /* its name, by the authority of the policy */                             \
	X(FINGERPRINT, "fingerprint") /* the very certificate of the policy */

enum tls_trust {
#define X(NAME, word) TLS_TRUST_##NAME,
	TLS_TRUSTS(X)
#undef X
	TLS_TRUSTS_END,
};

/* How a certificate of ours fares. NAME, word, sentence */
#define TLS_FILES(X)                                                                                              \
	X(GOOD, "good", N_("in use"))                                                                             \
	X(MISSING, "missing", N_("the file is not there"))                                                        \
	X(UNREADABLE, "unreadable",                                                                               \
		N_("the file is not taken: it must be root's own and writable by root alone; a key readable by root alone")) \
	X(MALFORMED, "malformed", N_("the file holds no certificate in PEM form"))                                \
	X(NO_KEY, "no-key", N_("its key is not there, is not taken, or is none"))                                 \
	X(OTHER_KEY, "other-key", N_("certificate and key do not belong together"))

enum tls_file {
#define X(NAME, word, text) TLS_FILE_##NAME,
	TLS_FILES(X)
#undef X
	TLS_FILES_END,
};

/* The stable words ("wrong-name"); "unknown" for a number that is none. Never NULL. */
const char *tls_why_word(unsigned why);
const char *tls_trust_word(unsigned trust);
const char *tls_file_word(unsigned state);
/* The sentences, untranslated (gettext msgids). Never NULL. */
const char *tls_why_text(unsigned why);
const char *tls_file_text(unsigned state);

#endif
