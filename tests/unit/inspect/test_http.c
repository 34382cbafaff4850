/*
 * test_http.c: a conversation of curl as it was recorded, the examples of RFC 9110 and 9112, second requests on a kept
 * connection, every refusal, smuggling.
 */
#include "script.h"
#include "test.h"

static const char *const names[] = {"intra.example", "*.town.example"};
static const struct verify_policy any = {.application = APP_HTTP};
static const struct verify_policy named = {.application = APP_HTTP, .server_names = {names, 2}};
static const struct verify_policy with_connect = {.application = APP_HTTP, .options = VERIFY_CONNECT,
	.server_names = {names, 2}};
static const struct verify_policy with_upgrade = {.application = APP_HTTP, .options = VERIFY_UPGRADE};

/* What comes of requests in one piece, under a policy. */
static struct outcome asks(const struct verify_policy *policy, const char *request)
{
	struct line lines[] = {{'c', request, strlen(request)}};

	return SCRIPT(APP_HTTP, policy, lines);
}

/* And of an answer to it. */
static struct outcome answers(const char *request, const char *response)
{
	struct line lines[] = {{'c', request, strlen(request)}, {'s', response, strlen(response)}};

	return SCRIPT(APP_HTTP, &any, lines);
}

#define GET "GET / HTTP/1.1\r\nHost: intra.example\r\n\r\n"
#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

struct request {
	const char *text;
	enum inspect_why why;
};

static void table(const struct verify_policy *policy, const struct request *r, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct outcome o = asks(policy, r[i].text);
		if (o.why != r[i].why)
			printf("%s: %s\n", r[i].text, inspect_why_word(o.why));
		CHECK_INT(o.why, r[i].why);
	}
}
#define TABLE(policy, t) table((policy), (t), sizeof(t) / sizeof((t)[0]))

/* -- Recorded ---------------------------------------------------------------------------------------------- */

static void recorded(void)
{
	struct line lines[32];
	size_t n = script_load("verify_http/keep", lines, 32);
	struct outcome o = script_run(APP_HTTP, &named, lines, n);

	CHECK_INT(o.status, VERIFY_DECIDED);
	CHECK_INT(o.level, LEVEL_RELATES);
	CHECK_INT(o.line, n - 1);
	CHECK_STR(o.name, "intra.example");
	script_no_prefix_refused(APP_HTTP, &named, lines, n);
}

/* -- Requests ---------------------------------------------------------------------------------------------- */

static void request_lines(void)
{
	static const struct request t[] = {
		{GET, WHY_NONE},
		{"OPTIONS * HTTP/1.1\r\nHost: a.example\r\n\r\n", WHY_NONE},
		{"GET http://www.example.org/pub/ HTTP/1.1\r\nHost: www.example.org\r\n\r\n", WHY_NONE},
		{"M-SEARCH /x?y=\xe3\x81\x82 HTTP/1.0\r\n\r\n", WHY_NONE},
		{"PROPFIND / HTTP/1.1\r\nHost: [2001:db8::1]:8080\r\n\r\n", WHY_NONE},
		{"GET / HTTP/1.1\r\nHost:\r\n\r\n", WHY_NONE},
		{GET "\r\n" GET, WHY_NONE},
		{GET "\r\n\r\n", WHY_PROTOCOL},
		{"\r\n" GET, WHY_PROTOCOL},
		{"SSH-2.0-OpenSSH_9.2\r\n", WHY_PROTOCOL},
		{"\x16\x03\x01", WHY_PROTOCOL},
		{"EHLO mail example\r\n", WHY_FIELD},
		{"GETGETGETGETGETGETGETGETG", WHY_PROTOCOL},
		{"get\t/", WHY_PROTOCOL},
		{"GET /\r\n", WHY_VERSION},
		{"GET / HTTP/2", WHY_VERSION},
		{"GET / HTTP/1.2", WHY_VERSION},
		{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", WHY_VERSION},
		{"GET / HTTP/1.1\n", WHY_ENCODING},
		{"GET / HTTP/1.1 \r\n", WHY_ENCODING},
		{"GET /a\x01 HTTP/1.1\r\n", WHY_ENCODING},
		{"GET  / HTTP/1.1\r\n", WHY_ENCODING},
		{"GET * HTTP/1.1\r\n", WHY_FIELD},
		{"GET intra.example:80 HTTP/1.1\r\n", WHY_FIELD},
		{"GET ftp://intra.example/ HTTP/1.1\r\n", WHY_FIELD},
		{"GET http:/// HTTP/1.1\r\n", WHY_FIELD},
		{"GET http://user@intra.example/ HTTP/1.1\r\n", WHY_FIELD},
	};

	TABLE(&any, t);
}

static void fields(void)
{
	static const struct request t[] = {
		{"GET / HTTP/1.1\r\nHost: a\r\nX-Y:\t z \r\nEmpty:\r\n\r\n", WHY_NONE},
		{"GET / HTTP/1.1\r\n\r\n", WHY_FIELD}, /* no Host */
		{"GET / HTTP/1.0\r\n\r\n", WHY_NONE},
		{"GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n", WHY_FIELD},
		{"GET / HTTP/1.1\r\nHost: a b\r\n", WHY_FIELD},
		{"GET / HTTP/1.1\r\nHost: [::1\r\n", WHY_FIELD},
		{"GET / HTTP/1.1\r\nHost : a\r\n", WHY_FIELD},
		{"GET / HTTP/1.1\r\n Host: a\r\n", WHY_FIELD},
		{"GET / HTTP/1.1\r\nHost: a\r\n b\r\n", WHY_FIELD}, /* folded */
		{"GET / HTTP/1.1\r\n: a\r\n", WHY_FIELD},
		{"GET / HTTP/1.1\r\nHost: a\r\nX: a\nY: b\r\n", WHY_ENCODING},
		{"GET / HTTP/1.1\r\nHost: a\r\nX: a\rY: b\r\n", WHY_ENCODING},
		{"GET / HTTP/1.1\r\nHost: a\r\nX: \x7f", WHY_ENCODING},
		{"GET / HTTP/1.1\r\nHost: a\r\n\rx", WHY_ENCODING},
		{"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n", WHY_UPGRADE},
		{"GET / HTTP/1.1\r\nHost: a\r\nUpgrade-Insecure-Requests: 1\r\n\r\n", WHY_NONE},
		{"CONNECT a:443 HTTP/1.1\r\n", WHY_CONNECT},
		{"CONNECT", WHY_NONE},
		{"CONNECT ", WHY_CONNECT},
	};

	TABLE(&any, t);
}

static void server_names(void)
{
	static const struct request t[] = {
		{GET, WHY_NONE},
		{"GET / HTTP/1.1\r\nHost: INTRA.example:8080\r\n\r\n", WHY_NONE},
		{"GET / HTTP/1.1\r\nHost: www.town.example.\r\n\r\n", WHY_NONE},
		{"GET http://intra.example/ HTTP/1.0\r\n\r\n", WHY_NONE},
		{"GET / HTTP/1.1\r\nHost: other.example\r\n", WHY_SERVER_NAME},
		{"GET http://other.example/ HTTP/1.1\r\n", WHY_SERVER_NAME},
		{"GET http://intra.example/ HTTP/1.1\r\nHost: www.town.example\r\n", WHY_SERVER_NAME}, /* they disagree */
		{"GET http://intra.example@other.example/ HTTP/1.1\r\n", WHY_FIELD},
		{"GET / HTTP/1.0\r\n\r\n", WHY_NO_SERVER_NAME},
		{"GET / HTTP/1.1\r\nHost: \r\n", WHY_NO_SERVER_NAME},
		/* The second request on the connection. */
		{GET "GET / HTTP/1.1\r\nHost: other.example\r\n", WHY_SERVER_NAME},
		{GET "CONNECT intra.example:22 HTTP/1.1\r\n", WHY_CONNECT},
		{GET "GET / HTTP/1.1\r\nHost: intra.example\r\nUpgrade: h2c\r\n", WHY_UPGRADE},
		{"POST / HTTP/1.1\r\nHost: intra.example\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\nHost: x.example\r\n",
			WHY_SERVER_NAME},
		{"POST / HTTP/1.1\r\nHost: intra.example\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
		 "GET / HTTP/1.1\r\nHost: x.example\r\n",
			WHY_SERVER_NAME},
	};

	TABLE(&named, t);
	CHECK_STR(asks(&named, t[4].text).name, "other.example");
}

/* Where two readers could see different messages. */
static void smuggling(void)
{
#define POST "POST / HTTP/1.1\r\nHost: a\r\n"
	static const struct request t[] = {
		{POST "Content-Length: 3\r\n\r\nabc", WHY_NONE},
		{POST "Content-Length: 0\r\n\r\n" GET, WHY_NONE},
		{POST "Content-Length: 3\r\nContent-Length: 3\r\n", WHY_LENGTH},
		{POST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", WHY_LENGTH},
		{POST "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", WHY_LENGTH},
		{POST "Content-Length: +3\r\n", WHY_LENGTH},
		{POST "Content-Length: 3, 3\r\n", WHY_LENGTH},
		{POST "Content-Length: 0x3\r\n", WHY_LENGTH},
		{POST "Content-Length: \r\n", WHY_LENGTH},
		{POST "Content-Length: 1234567890123456789\r\n", WHY_LENGTH},
		{POST "Transfer-Encoding: xchunked\r\n", WHY_FIELD},
		{POST "Transfer-Encoding: identity\r\n", WHY_FIELD},
		{POST "Transfer-Encoding: chunked, gzip\r\n", WHY_FIELD},
		{POST "Transfer-Encoding: chunked, chunked\r\n", WHY_FIELD},
		{POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", WHY_FIELD},
		{POST "Transfer-Encoding: gzip\r\n", WHY_FIELD},
		{POST "Transfer-Encoding:\r\n", WHY_FIELD},
		{POST "Transfer-Encoding: gzip, Chunked\r\n\r\n0\r\n\r\n" GET, WHY_NONE},
		{"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n", WHY_FIELD},
		{POST "Transfer-Encoding: chunked\r\n\r\n1a ;a=\"b\"\r\nabcdefghijklmnopqrstuvwxyz\r\n00\r\nX: y\r\n\r\n" GET,
			WHY_NONE},
		{POST "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd", WHY_LENGTH},
		{POST "Transfer-Encoding: chunked\r\n\r\n3\nabc", WHY_LENGTH},
		{POST "Transfer-Encoding: chunked\r\n\r\n-3\r\n", WHY_LENGTH},
		{POST "Transfer-Encoding: chunked\r\n\r\n\r\n", WHY_LENGTH},
		{POST "Transfer-Encoding: chunked\r\n\r\n1234567890abcdef\r\n", WHY_LENGTH},
		{POST "Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 3\r\n", WHY_FIELD},
		{POST "Transfer-Encoding: chunked\r\n\r\n0\r\nHost: b\r\n", WHY_FIELD},
		{POST "Transfer-Encoding: chunked\r\n\r\n3;\x01", WHY_ENCODING},
	};

	TABLE(&any, t);
}

/* -- Answers ----------------------------------------------------------------------------------------------- */

static void status_lines(void)
{
	static const struct request t[] = {
		{OK, WHY_NONE},
		{"HTTP/1.1 200\r\n\r\n", WHY_NONE},
		{"HTTP/1.1 200 \r\n\r\n", WHY_NONE},
		{"HTTP/1.0 404 \xe7\x84\xa1\r\n\r\nwhatever comes", WHY_NONE},
		{"HTTP/1.1 100 Continue\r\n\r\n" OK, WHY_NONE},
		{"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\nH", WHY_NONE},
		{"HTTP/1.1 204 No Content\r\n\r\nx", WHY_ANSWER},
		{"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 408 x\r\n\r\n", WHY_NONE},
		{OK OK, WHY_ORDER},
		{"SSH-2.0-x\r\n", WHY_ANSWER},
		{"\x16\x03\x03", WHY_ANSWER},
		{"ICY 200 OK\r\n", WHY_ANSWER},
		{"HTTP/2 200\r\n", WHY_VERSION},
		{"HTTP/1.1 2000", WHY_ENCODING},
		{"HTTP/1.1 999 x\r\n", WHY_FIELD},
		{"HTTP/1.1 2x0", WHY_FIELD},
		{"HTTP/1.1 200 OK\n", WHY_ENCODING},
		{"HTTP/1.1 101 Switching Protocols\r\n", WHY_UPGRADE},
		{"HTTP/1.1 200 OK\r\nUpgrade: h2\r\nContent-Length: 0\r\n\r\n", WHY_NONE}, /* only announced */
		{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n", WHY_LENGTH},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nanything", WHY_NONE},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nx", WHY_ANSWER},
		{"HTTP/1.1 200 OK\r\nFolded: a\r\n b\r\n", WHY_FIELD},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct outcome o = answers(GET, t[i].text);
		if (o.why != t[i].why)
			printf("%s: %s\n", t[i].text, inspect_why_word(o.why));
		CHECK_INT(o.why, t[i].why);
	}
	CHECK_INT(answers(GET, OK).status, VERIFY_DECIDED);
	CHECK_INT(answers(GET, OK).level, LEVEL_RELATES);
	CHECK_INT(answers(GET, "HTTP/1.1 100 Continue\r\n\r\n").level, LEVEL_ANSWER);
	/* HEAD: a length without a body; requests in a row. */
	const char *head = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" GET;
	const char *reply = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n" OK;
	CHECK_INT(answers(head, reply).why, WHY_NONE);
	CHECK_INT(answers(GET GET, OK OK).why, WHY_NONE);
	struct line unasked[] = {{'s', TEXT("H")}};
	CHECK_INT(SCRIPT(APP_HTTP, &any, unasked).why, WHY_ORDER);
}

static void pipelines(void)
{
	static char many[65 * sizeof(GET)];

	for (int i = 0; i < 64; i++)
		strcat(many, i % 3 == 0 ? "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" : GET);
	CHECK_INT(asks(&any, many).why, WHY_NONE);
	static char replies[65 * sizeof(OK) + 65 * 60];
	for (int i = 0; i < 64; i++)
		strcat(replies, i % 3 == 0 ? "HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n" : OK);
	CHECK_INT(answers(many, replies).why, WHY_NONE);
	CHECK_INT(answers(many, strcat(replies, OK)).why, WHY_ORDER);
	CHECK_INT(asks(&any, strcat(many, GET)).why, WHY_ORDER);
}

/* -- CONNECT and Upgrade, where the rule allows them ------------------------------------------------------- */

#define CONNECT "CONNECT intra.example:443 HTTP/1.1\r\nHost: intra.example:443\r\n\r\n"

static void connects(void)
{
	struct line tls[] = {{'c', TEXT(CONNECT)}, {'s', TEXT("HTTP/1.0 200 Connection established\r\n\r\n")},
		{'c', TEXT("\x16\x03\x01\x02\x00\x01")}};
	struct line ssh[] = {{'c', TEXT(CONNECT)}, {'s', TEXT("HTTP/1.1 200 OK\r\n\r\n")}, {'c', TEXT("SSH-")}};
	struct line hasty[] = {{'c', TEXT(CONNECT "\x16")}};
	struct line denied[] = {{'c', TEXT(CONNECT)}, {'s', TEXT("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")},
		{'c', TEXT(GET)}};

	CHECK_INT(SCRIPT(APP_HTTP, &with_connect, tls).why, WHY_NONE);
	CHECK_INT(SCRIPT(APP_HTTP, &with_connect, tls).level, LEVEL_NONE); /* of TLS, which begins */
	CHECK_INT(SCRIPT(APP_HTTP, &with_connect, ssh).why, WHY_PROTOCOL);
	CHECK_INT(SCRIPT(APP_HTTP, &with_connect, hasty).why, WHY_ORDER);
	CHECK_INT(SCRIPT(APP_HTTP, &with_connect, denied).why, WHY_NONE);
	CHECK_INT(asks(&with_connect, "CONNECT other.example:443 HTTP/1.1\r\n").why, WHY_SERVER_NAME);
	CHECK_INT(asks(&with_connect, "CONNECT intra.example:443 HTTP/1.1\r\nHost: a\r\n").why, WHY_SERVER_NAME);
	const char *content = "CONNECT intra.example:443 HTTP/1.1\r\nHost: intra.example\r\nContent-Length: 1\r\n\r\n";
	CHECK_INT(asks(&with_connect, content).why, WHY_FIELD);
}

/* The example of RFC 6455, 1.2. */
static void upgrades(void)
{
	static const char ask[] = "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\n"
				  "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
	static const char take[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
	struct line taken[] = {{'c', BYTES(ask)}, {'s', BYTES(take)}, {'c', TEXT("\x81\x85")}};
	struct line passed_over[] = {{'c', BYTES(ask)}, {'s', TEXT(OK)}, {'c', TEXT("\x81\x85")}};

	taken[0].n = passed_over[0].n = sizeof(ask) - 1;
	taken[1].n = sizeof(take) - 1;
	CHECK_INT(SCRIPT(APP_HTTP, &with_upgrade, taken).status, VERIFY_ACCEPT);
	CHECK_INT(SCRIPT(APP_HTTP, &with_upgrade, passed_over).why, WHY_PROTOCOL);
	CHECK_INT(SCRIPT(APP_HTTP, &any, taken).why, WHY_UPGRADE);
}

/* A body of any size only counts; what follows is read again. */
static void large_bodies(void)
{
	static char body[100000];
	struct line lines[] = {{'c', TEXT("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")}, {'c', BYTES(body)},
		{'c', TEXT(GET)}, {'c', TEXT("x\x01")}};
	struct line huge[] = {{'c', TEXT("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999999999999\r\n\r\n")},
		{'c', BYTES(body)}};

	CHECK_INT(SCRIPT(APP_HTTP, &any, lines).why, WHY_PROTOCOL);
	CHECK_INT(SCRIPT(APP_HTTP, &any, lines).line, 3);
	CHECK_INT(SCRIPT(APP_HTTP, &any, huge).why, WHY_NONE);
}

static void limits(void)
{
	static char head[80000] = "GET / HTTP/1.1\r\nHost: a\r\n";

	for (int i = 0; i < 199; i++)
		strcat(head, "X: y\r\n");
	CHECK_INT(asks(&any, head).why, WHY_NONE);
	CHECK_INT(asks(&any, strcat(head, "X: y\r\n")).why, WHY_MANY_BYTES);
	strcpy(head, "GET / HTTP/1.1\r\nHost: a\r\n");
	for (int i = 0; i < 9; i++) {
		strcat(head, "X: ");
		size_t n = strlen(head);
		memset(head + n, 'a', 8000);
		strcpy(head + n + 8000, "\r\n");
	}
	CHECK_INT(asks(&any, head).why, WHY_MANY_BYTES);
}

int main(void)
{
	recorded();
	request_lines();
	fields();
	server_names();
	smuggling();
	status_lines();
	pipelines();
	connects();
	upgrades();
	large_bodies();
	limits();
	return test_end();
}
