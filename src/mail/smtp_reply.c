/*
 * smtp_reply.c: the replies that the machine gives by itself, the names of what goes wrong, and how replies are written
 * (RFC 5321 4.2, RFC 2034, RFC 3463). What the daemon decides is said with the words of mail_reason.h.
 *
 * Input: our own texts, and those of next hops that were read by smtp_client.c. Only printable ASCII is written.
 */
#include <sekisho/smtp.h>

#include <stdio.h>
#include <string.h>

#include "smtp_private.h"

#define WIDTH 480u /* of a line's text: with code and CRLF under SMTP_REPLY_LINE */
#define BREAKS 10u /* line ends of the text that are kept; further ones become blanks */

static const struct smtp_reply answers[SMTP_SAY_COUNT] = {
	[SMTP_SAY_OK] = {250, "2.0.0", "Ok"},
	[SMTP_SAY_MAIL_OK] = {250, "2.1.0", "Ok"},
	[SMTP_SAY_RCPT_OK] = {250, "2.1.5", "Ok"},
	[SMTP_SAY_SENT] = {250, "2.0.0", "Ok: delivered to the next server"},
	[SMTP_SAY_START_DATA] = {354, "", "End data with <CR><LF>.<CR><LF>"},
	[SMTP_SAY_BYE] = {221, "2.0.0", "Bye"},
	[SMTP_SAY_TLS_READY] = {220, "2.0.0", "Ready to start TLS"},
	[SMTP_SAY_VRFY] = {252, "2.0.0", "Cannot verify; send some mail and it will be tried"},
	[SMTP_SAY_UNKNOWN] = {500, "5.5.2", "Command not recognized"},
	[SMTP_SAY_SYNTAX] = {501, "5.5.4", "Syntax error"},
	[SMTP_SAY_ARGUMENT] = {501, "5.5.4", "This command takes no argument"},
	[SMTP_SAY_NOT_HERE] = {502, "5.5.1", "Command not implemented"},
	[SMTP_SAY_TOO_LONG] = {500, "5.5.2", "Line too long"},
	[SMTP_SAY_BARE_LF_COMMAND] = {554, "5.5.2", "Lines end with CR LF, closing"},
	[SMTP_SAY_NOT_SMTP] = {554, "5.5.1", "This is SMTP, closing"},
	[SMTP_SAY_PIPELINED] = {503, "5.5.1", "Commands sent without waiting for the reply, closing"},
	[SMTP_SAY_HELO_FIRST] = {503, "5.5.1", "Send HELO or EHLO first"},
	[SMTP_SAY_HELO_NAME] = {501, "5.5.4", "Send a host name or an address literal"},
	[SMTP_SAY_NESTED_MAIL] = {503, "5.5.1", "Sender already given"},
	[SMTP_SAY_NEED_MAIL] = {503, "5.5.1", "Send MAIL first"},
	[SMTP_SAY_NEED_RCPT] = {503, "5.5.1", "Send RCPT first"},
	[SMTP_SAY_NO_RCPT] = {554, "5.5.1", "No valid recipients"},
	[SMTP_SAY_SEQUENCE] = {503, "5.5.1", "Not now"},
	[SMTP_SAY_PARAMETER] = {555, "5.5.4", "Parameter not recognized"},
	[SMTP_SAY_PARAMETER_VALUE] = {501, "5.5.4", "Bad or repeated parameter"},
	[SMTP_SAY_FROM_SYNTAX] = {501, "5.1.7", "Bad sender address syntax"},
	[SMTP_SAY_FROM_UTF8] = {553, "5.6.7", "Sender address must be ASCII"},
	[SMTP_SAY_FROM_DOMAIN] = {501, "5.1.7", "Bad domain in sender address"},
	[SMTP_SAY_FROM_LONG] = {501, "5.1.7", "Sender address too long"},
	[SMTP_SAY_FROM_ROUTE] = {553, "5.1.7", "Source routes are not taken"},
	[SMTP_SAY_TO_SYNTAX] = {501, "5.1.3", "Bad recipient address syntax"},
	[SMTP_SAY_TO_UTF8] = {553, "5.6.7", "Recipient address must be ASCII"},
	[SMTP_SAY_TO_DOMAIN] = {501, "5.1.3", "Bad domain in recipient address"},
	[SMTP_SAY_TO_LONG] = {501, "5.1.3", "Recipient address too long"},
	[SMTP_SAY_TO_ROUTE] = {553, "5.1.3", "Addresses with a route, % or ! are not relayed"},
	[SMTP_SAY_TO_NULL] = {501, "5.1.3", "Recipient missing"},
	[SMTP_SAY_TOO_MANY_RCPT] = {452, "4.5.3", "Too many recipients; send to the others in another mail"},
	[SMTP_SAY_TOO_BIG_CLAIM] = {552, "5.3.4", "Message size exceeds the limit"},
	[SMTP_SAY_TOO_BIG] = {552, "5.3.4", "Message is larger than the limit"},
	[SMTP_SAY_BARE_CR] = {550, "5.6.0", "smuggling: CR without LF in the message"},
	[SMTP_SAY_BARE_LF] = {550, "5.6.0", "smuggling: LF without CR in the message"},
	[SMTP_SAY_NUL] = {550, "5.6.0", "smuggling: NUL in the message"},
	[SMTP_SAY_DOT] = {550, "5.6.0", "smuggling: line of a dot and blanks in the message"},
	[SMTP_SAY_LONG_LINE] = {550, "5.6.0", "Line over 998 octets in the message"},
	[SMTP_SAY_ERRORS] = {421, "4.7.0", "Too many errors, closing"},
	[SMTP_SAY_TIMEOUT] = {421, "4.4.2", "Timeout, closing"},
	[SMTP_SAY_SLOW] = {421, "4.4.2", "Too slow, closing"},
	[SMTP_SAY_SESSION] = {421, "4.4.2", "Session too long, closing"},
	[SMTP_SAY_DRAIN] = {421, "4.3.2", "Shutting down, try again later"},
	[SMTP_SAY_NEED_TLS] = {530, "5.7.0", "Send STARTTLS first"},
	[SMTP_SAY_TLS_ALREADY] = {503, "5.5.1", "TLS is active already"},
	[SMTP_SAY_NO_TLS] = {454, "4.7.0", "TLS not available now, try again later"},
	[SMTP_SAY_INJECTED] = {554, "5.5.1", "Text in clear behind STARTTLS, closing"},
	[SMTP_SAY_EARLY] = {554, "5.5.1", "You spoke before the greeting, closing"},
	[SMTP_SAY_REFUSED] = {554, "5.0.0", "Refused"},
	[SMTP_SAY_DEFER] = {451, "4.3.0", "Try again later"},
};

const struct smtp_reply *smtp_answer_get(enum smtp_answer what)
{
	return &answers[what];
}

static const struct {
	const char *word;
	enum mail_reason reason;
} whys[SMTP_WHY_COUNT] = {
	[SMTP_WHY_NONE] = {"none", MAIL_REASON_NONE},
	[SMTP_WHY_BARE_CR] = {"bare-cr", MAIL_REASON_SMUGGLING},
	[SMTP_WHY_BARE_LF] = {"bare-lf", MAIL_REASON_SMUGGLING},
	[SMTP_WHY_NUL] = {"nul", MAIL_REASON_SMUGGLING},
	[SMTP_WHY_DOT] = {"dot", MAIL_REASON_SMUGGLING},
	[SMTP_WHY_LONG_LINE] = {"long-line", MAIL_REASON_LIMIT_LINE},
	[SMTP_WHY_SIZE] = {"size", MAIL_REASON_TOO_BIG},
	[SMTP_WHY_QUIT] = {"quit", MAIL_REASON_CLIENT_GONE},
	[SMTP_WHY_CLOSED] = {"closed", MAIL_REASON_CLIENT_GONE},
	[SMTP_WHY_TIMEOUT] = {"timeout", MAIL_REASON_TIMEOUT},
	[SMTP_WHY_SLOW] = {"slow", MAIL_REASON_TIMEOUT},
	[SMTP_WHY_SESSION] = {"session", MAIL_REASON_TIMEOUT},
	[SMTP_WHY_STALLED] = {"stalled", MAIL_REASON_TIMEOUT},
	[SMTP_WHY_ERRORS] = {"errors", MAIL_REASON_TOO_MANY_ERRORS},
	[SMTP_WHY_PIPELINED] = {"pipelined", MAIL_REASON_PROTOCOL},
	[SMTP_WHY_INJECTED] = {"injected", MAIL_REASON_TLS_INJECTED},
	[SMTP_WHY_JUNK] = {"junk", MAIL_REASON_PROTOCOL},
	[SMTP_WHY_DRAIN] = {"drain", MAIL_REASON_CLOSING},
	[SMTP_WHY_HOP_CLOSED] = {"hop-closed", MAIL_REASON_NEXT_HOP_DOWN},
	[SMTP_WHY_HOP_TIMEOUT] = {"hop-timeout", MAIL_REASON_NEXT_HOP_STALLED},
	[SMTP_WHY_HOP_REPLY] = {"hop-reply", MAIL_REASON_NEXT_HOP_GARBAGE},
	[SMTP_WHY_HOP_UNEXPECTED] = {"hop-unexpected", MAIL_REASON_NEXT_HOP_GARBAGE},
	[SMTP_WHY_HOP_REFUSED] = {"hop-refused", MAIL_REASON_NEXT_HOP_DEFERRED},
	[SMTP_WHY_HOP_TLS] = {"hop-tls", MAIL_REASON_NEXT_HOP_TLS},
	[SMTP_WHY_HOP_QUIT] = {"hop-quit", MAIL_REASON_NONE},
};

const char *smtp_why_word(enum smtp_why why)
{
	return (unsigned)why < SMTP_WHY_COUNT ? whys[why].word : "unknown";
}

enum mail_reason smtp_why_reason(enum smtp_why why)
{
	return (unsigned)why < SMTP_WHY_COUNT ? whys[why].reason : MAIL_REASON_WORKER_FAILED;
}

bool smtp_code_valid(unsigned code)
{
	return code >= 200 && code < 600 && code / 10 % 10 <= 5;
}

/* One to three digits without a leading zero; returns what follows, or NULL. */
static const char *subject(const char *p)
{
	const char *s = p;

	while (is_digit(*s) && s - p < 3)
		s++;
	return s == p || (p[0] == '0' && s - p > 1) ? NULL : s;
}

bool smtp_enhanced_valid(const char *e, unsigned code)
{
	unsigned class = code / 100;

	if ((class != 2 && class != 4 && class != 5) || e[0] != (char)('0' + class) || e[1] != '.')
		return false;
	e = subject(e + 2);
	if (e == NULL || *e++ != '.')
		return false;
	e = subject(e);
	return e != NULL && *e == '\0';
}

/* How much of the text goes on this line; *ret_skip: blanks or a line end behind it. */
static size_t line_of(const char *text, bool breaks, size_t *ret_skip)
{
	size_t n = strlen(text), end = breaks ? strcspn(text, "\n") : n;

	*ret_skip = end < n ? 1 : 0;
	if (end <= WIDTH)
		return end;
	size_t at = WIDTH;
	while (at > 0 && text[at] != ' ')
		at--;
	*ret_skip = at > 0 ? 1 : 0;
	return at > 0 ? at : WIDTH;
}

size_t smtp_reply_write(char *out, size_t size, unsigned code, const char *enhanced, const char *text)
{
	const char *e = enhanced != NULL ? enhanced : "";
	size_t used = 0, nlines = 0, skip = 0;

	do {
		size_t n = line_of(text, ++nlines <= BREAKS, &skip), prefix = 4 + strlen(e) + (*e != '\0' ? 1 : 0);
		if (size - used < prefix + n + 3) /* snprintf() ends with a NUL */
			return 0;
		snprintf(out + used, size - used, "%03u%c%s%s", code % 1000, text[n + skip] != '\0' ? '-' : ' ', e,
			*e != '\0' ? " " : "");
		used += prefix;
		for (size_t i = 0; i < n; i++)
			out[used++] = is_graph(text[i]) || text[i] == ' ' ? text[i] : text[i] == '\n' ? ' ' : '?';
		out[used++] = '\r';
		out[used++] = '\n';
		text += n + skip;
	} while (*text != '\0');
	return used;
}
