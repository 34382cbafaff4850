/*
 * mail_reason.h: why the mail gate did not take a mail. One table serves the gate, its ledger, the console and tests.
 *
 * The code is what the ledger keeps, so codes are never reused or renumbered. SMTP code and enhanced code (RFC 5321,
 * RFC 3463) are what the client hears: 4xx = it tries again by itself, 5xx = its user gets the mail back. The sentence is
 * written for that user: what was wrong and, where he can do something about it, what.
 * To add one: a row below, its Japanese in ja.po, its place in the order of judge.h if the policy decides it, and its
 * row in rootfs/doc/mail.md (a test compares).
 */
#ifndef SEKISHO_MAIL_REASON_H
#define SEKISHO_MAIL_REASON_H

#include <stdbool.h>
#include <stddef.h>

#ifndef N_
#define N_(s) s /* marks a msgid for xgettext */
#endif

/*   code  NAME                  word                  SMTP  enhanced what people read (English msgid; Japanese in po/ja.po) */
#define MAIL_REASONS(X)                                                                                          \
	/* the connection */                                                                                      \
	X(1, NO_POLICY, "no-policy", 421, "4.3.0", N_("the mail gate is not ready yet; try again later"))         \
	X(2, CLOSING, "closing", 421, "4.3.2", N_("the mail gate is restarting; try again later"))                \
	X(3, BUSY, "busy", 421, "4.3.2", N_("the mail gate is busy; try again later"))                            \
	X(4, NO_SPACE, "no-space", 452, "4.3.1", N_("the mail gate has no room for another mail now; try again later")) \
	X(5, SERVER_NOT_LISTED, "server-not-listed", 554, "5.7.1",                                                \
		N_("this mail server is not registered to send through the mail gate"))                           \
	X(6, PROTOCOL, "protocol", 503, "5.5.1", N_("a command that SMTP does not allow here"))                   \
	X(7, TOO_MANY_ERRORS, "too-many-errors", 421, "4.7.0", N_("too many wrong commands"))                     \
	X(8, TIMEOUT, "timeout", 421, "4.4.2", N_("the client waited too long or sent too slowly"))               \
	X(9, CLIENT_GONE, "client-gone", 421, "4.4.2", N_("the client went away before the mail was complete"))   \
	X(10, FLOOD_SLOW, "flood-slow", 451, "4.7.1", N_("too many mails in a short time; try again later"))      \
	X(11, FLOOD_STOPPED, "flood-stopped", 421, "4.7.1",                                                       \
		N_("mail is stopped because of a flood until someone in charge resumes it"))                      \
	X(12, CUT, "cut", 421, "4.3.2", N_("mail is stopped for now by order of the town; try again later"))     \
	X(13, NO_SUCH_SERVER, "no-such-server", 421, "4.3.0",                                                     \
		N_("mail for the server that was called is not taken here; try again later"))                     \
	X(14, TLS_INJECTED, "tls-injected", 554, "5.5.1", N_("text in clear was sent behind STARTTLS"))            \
	X(15, TLS_FAILED, "tls-failed", 454, "4.7.0", N_("the encryption with the client could not be begun"))    \
	/* the envelope */                                                                                        \
	X(20, SENDER_DOMAIN, "sender-domain", 550, "5.7.1", N_("mail of this sender's domain does not leave by this gate")) \
	X(21, RELAY, "relay", 550, "5.7.1", N_("the mail gate takes mail for its own domains only"))              \
	X(22, ADDRESS_FORM, "address-form", 553, "5.1.3",                                                         \
		N_("an address with a route, %, ! or a quoted name is not taken"))                                \
	X(23, TOO_BIG, "too-big", 552, "5.3.4", N_("the mail is larger than allowed"))                            \
	X(24, TOO_MANY_RECIPIENTS, "too-many-recipients", 452, "4.5.3",                                           \
		N_("too many recipients at once; the others follow in another mail"))                             \
	X(25, OTHER_RULES, "other-rules", 452, "4.5.3",                                                           \
		N_("other rules hold for this recipient; it follows in another mail"))                            \
	X(26, SMTPUTF8, "smtputf8", 550, "5.6.7", N_("addresses in other than ASCII letters are not taken"))      \
	X(27, LOOP, "loop", 554, "5.4.6", N_("the mail goes round in a circle"))                                  \
	/* the mail's form */                                                                                     \
	X(30, SMUGGLING, "smuggling", 550, "5.6.0", N_("a line does not end in CR LF, which can hide a second mail")) \
	X(31, MALFORMED, "malformed", 554, "5.6.0", N_("the mail's form is broken"))                              \
	X(32, LIMIT_DEPTH, "limit-depth", 554, "5.6.0", N_("the mail's parts lie too deep in each other"))        \
	X(33, LIMIT_PARTS, "limit-parts", 554, "5.6.0", N_("the mail has too many parts"))                        \
	X(34, LIMIT_HEADER, "limit-header", 554, "5.6.0", N_("the mail's header is too long or has too many lines")) \
	X(36, LIMIT_FIELD, "limit-field", 554, "5.6.0", N_("a header line of the mail is too long"))              \
	X(37, LIMIT_PARAMETERS, "limit-parameters", 554, "5.6.0", N_("a header line of the mail has too many parameters")) \
	X(38, LIMIT_ADDRESSES, "limit-addresses", 554, "5.6.0", N_("the mail's header names too many addresses")) \
	X(39, LIMIT_SEGMENTS, "limit-segments", 554, "5.6.0", N_("a file name in the mail has too many pieces"))  \
	X(40, LIMIT_TEXT, "limit-text", 554, "5.6.0", N_("the mail's text is too long"))                          \
	X(41, LIMIT_LINE, "limit-line", 554, "5.6.0", N_("a line of the mail is too long"))                       \
	/* what is in it */                                                                                       \
	X(50, ATTACHMENTS_REFUSED, "attachments-refused", 550, "5.7.1", N_("attachments are not sent out by mail")) \
	X(51, ATTACHMENT_TYPE, "attachment-type", 550, "5.7.1", N_("an attachment is of a type that is not sent out")) \
	X(52, ATTACHMENT_SIZE, "attachment-size", 552, "5.3.4", N_("an attachment is larger than allowed"))       \
	X(53, ATTACHMENT_COUNT, "attachment-count", 550, "5.7.1", N_("the mail has more attachments than allowed")) \
	X(54, ATTACHMENT_ENCRYPTED, "attachment-encrypted", 550, "5.7.1",                                         \
		N_("an attachment is encrypted, so nobody can see what leaves"))                                  \
	X(55, NEEDS_CC, "needs-cc", 550, "5.7.1",                                                                 \
		N_("a mail with attachments needs a registered superior in Cc; add one and send it again"))       \
	X(56, HELD, "held", 450, "4.7.1", N_("the mail waits for approval; it goes out by itself when approved")) \
	X(57, TOO_MANY_EXTERNAL, "too-many-external", 550, "5.7.1",                                               \
		N_("To and Cc show more external addresses than allowed; use Bcc or fewer recipients"))           \
	X(58, LABEL_UNPROTECTED, "label-unprotected", 550, "5.7.1",                                               \
		N_("the subject's label demands that the attachment is encrypted"))                               \
	X(59, MYNUMBER, "mynumber", 550, "5.7.6",                                                                 \
		N_("the mail seems to hold individual numbers; take them out and send it again"))                 \
	X(60, AUTO_FORWARD, "auto-forward", 550, "5.7.1", N_("the mail was forwarded automatically, which is not allowed")) \
	/* within the gate, and behind it */                                                                      \
	X(80, WORKER_FAILED, "worker-failed", 451, "4.3.0", N_("the mail could not be worked on; try again later")) \
	X(81, WORKER_SLOW, "worker-slow", 451, "4.3.0", N_("working on the mail took too long; try again later")) \
	X(82, NOT_VERIFIED, "not-verified", 554, "5.6.0", N_("the mail could not be made harmless with certainty")) \
	X(83, LEDGER_FAILED, "ledger-failed", 451, "4.3.0", N_("the mail could not be recorded; try again later")) \
	X(84, NEXT_HOP_DOWN, "next-hop-down", 451, "4.4.1", N_("the next mail server cannot be reached; try again later")) \
	X(85, NEXT_HOP_REFUSED, "next-hop-refused", 554, "5.0.0", N_("the next mail server refused the mail"))    \
	X(86, NEXT_HOP_DEFERRED, "next-hop-deferred", 451, "4.0.0",                                               \
		N_("the next mail server cannot take the mail now; try again later"))                             \
	X(87, NEXT_HOP_STALLED, "next-hop-stalled", 451, "4.4.2",                                                 \
		N_("the next mail server did not answer in time; try again later"))                               \
	X(88, NEXT_HOP_GARBAGE, "next-hop-garbage", 451, "4.5.0",                                                 \
		N_("the next mail server does not speak SMTP properly; try again later"))                         \
	X(89, COPY_FAILED, "copy-failed", 451, "4.4.1",                                                           \
		N_("the server that keeps the originals did not take the mail; try again later"))                 \
	X(90, NEXT_HOP_TLS, "next-hop-tls", 451, "4.7.5",                                                         \
		N_("the next mail server cannot be reached by TLS as the policy demands; try again later"))

enum mail_reason {
	MAIL_REASON_NONE = 0,
#define X(code, name, word, smtp, enhanced, text) MAIL_REASON_##name = code,
	MAIL_REASONS(X)
#undef X
	MAIL_REASON_END, /* one past the last code */
};

#define MAIL_REPLY_MAX 1024u /* bytes of a reply that mail_reason_reply() writes, two lines of RFC 5321's 512 */

/* Is there a reason of this code? */
bool mail_reason_known(unsigned code);
/* The stable word ("needs-cc"); "none" for 0, "unknown" for a code that is none. Never NULL. */
const char *mail_reason_word(unsigned code);
/* The sentence, untranslated (a gettext msgid); "" for 0. Never NULL. */
const char *mail_reason_text(unsigned code);
/* The SMTP code, 451 for a code that is none (a doubt delays, it loses nothing), 250 for 0. */
unsigned mail_reason_smtp(unsigned code);
/* The enhanced code, "4.3.0" for a code that is none, "2.0.0" for 0. Never NULL. */
const char *mail_reason_enhanced(unsigned code);
/* The code of a word, or MAIL_REASON_NONE. */
enum mail_reason mail_reason_find(const char *word);

/*
 * The reply to the client, with CR LF: "550 5.7.1 needs-cc: SENTENCE (DETAIL)". `detail` (may be NULL) is shown as printable
 * ASCII, all else in it as '?'. With `local` and a program that speaks Japanese a second line says both in Japanese (UTF-8):
 * for the own town's mail servers, whose users read it in their returned mail; the internet hears ASCII only, as RFC 5321
 * has it. Returns the length, less than MAIL_REPLY_MAX; out is a string.
 */
size_t mail_reason_reply(enum mail_reason reason, const char *detail, bool local, char out[MAIL_REPLY_MAX]);

#endif
