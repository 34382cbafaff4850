/*
 * test_ftp.c: what vsftpd, curl and ftp said to each other; data connections that are announced, and those
 * that must not be.
 */
#include "script.h"
#include "test.h"

static const struct verify_policy any = {.application = APP_FTP};
static const struct verify_policy active = {.application = APP_FTP, .options = VERIFY_ACTIVE_DATA};
static const struct verify_policy no_data = {.application = APP_FTP,
	.options = VERIFY_NO_DATA | VERIFY_ACTIVE_DATA};
static const struct verify_policy tls = {.application = APP_FTP, .options = VERIFY_STARTTLS_REQUIRED};

#define COUNT(lines) (sizeof(lines) / sizeof((lines)[0]))
#define C(text) {'c', TEXT(text "\r\n")}
#define S(text) {'s', TEXT(text "\r\n")}
#define GREETING S("220 (vsFTPd 3.0.3)")
#define LOGIN GREETING, C("USER anonymous"), S("230 Login successful.")
#define PASV C("PASV"), S("227 Entering Passive Mode (10,2,0,8,248,122).")

static const struct line passive[] = {LOGIN, C("PWD"), S("257 \"/\" is the current directory"), C("CWD pub"),
	S("250 Directory successfully changed."), PASV, C("TYPE A"), S("200 Switching to ASCII mode."), C("LIST"),
	S("150 Here comes the directory listing."), S("226 Directory send OK."), C("QUIT"), S("221 Goodbye.")};
static const struct line extended[] = {LOGIN, C("SYST"), S("215 UNIX Type: L8"), C("FEAT"),
	S("211-Features:"), S(" AUTH TLS"),
	S(" EPRT"), S(" EPSV"), S(" UTF8"), S("211 End"), C("EPSV"),
		S("229 Entering Extended Passive Mode (|||35174|)"),
	C("TYPE I"), S("200 Switching to Binary mode."), C("SIZE file.txt"), S("213 5"), C("RETR file.txt"),
	S("150 Opening BINARY mode data connection for file.txt (5 bytes)."), S("226 Transfer complete.")};
static const struct line port[] = {LOGIN, C("PORT 10,1,0,5,222,21"),
	S("200 PORT command successful. Consider using PASV.")};
static const struct line eprt[] = {LOGIN, C("EPRT |1|10.1.0.5|39367|"),
	S("200 EPRT command successful. Consider using EPSV.")};

static void decided_with_the_user(void)
{
	static const struct line l[] = {LOGIN};
	CHECK(script_decides(APP_FTP, &any, l, COUNT(l), VERIFY_DECIDED));
	static const struct line password[] = {S("220-hello"), S("220-"), S("  220 is not the end"),
		S("220 ready"), C("OPTS UTF8 ON"),
		S("502 what?"), C("user a"), S("331 Please specify the password.")};
	CHECK(script_decides(APP_FTP, &any, password, COUNT(password), VERIFY_DECIDED));
	static const struct line again[] = {S("120 soon"), GREETING, C("USER a"), S("530 no"), C("USER b"),
		S("331 Password?")};
	CHECK(script_decides(APP_FTP, &any, again, COUNT(again), VERIFY_DECIDED));
	static const struct line *const whole[] = {passive, extended};
	static const size_t n[] = {COUNT(passive), COUNT(extended)};
	for (int i = 0; i < 2; i++) {
		CHECK_INT(script_run(APP_FTP, &any, whole[i], n[i]).status, VERIFY_DECIDED);
		script_no_prefix_refused(APP_FTP, &any, whole[i], n[i]);
	}
	static const struct line names[] = {LOGIN, C("PASS "), S("230 Already logged in."),
		C("CWD \223\372\226\173"), S("250 Ok"),
		C("RNFR a b"), S("350 Ready"), C("RNTO c"), S("250 Ok"), {'c',
			HEX("fff4 fff2 41424f52 0d0a")}, S("225 No transfer"),
		S("421 Timeout.")};
	CHECK_INT(SCRIPT(APP_FTP, &any, names).status, VERIFY_DECIDED);
	/* Commands ahead of their replies. */
	static const struct line ahead[] = {LOGIN, {'c', TEXT("CWD a\r\nTYPE I\r\nPASV\r\n")},
		{'s', TEXT("250 Ok\r\n200 Ok\r\n227 =10,2,0,8,4,0\r\n")}};
	struct outcome o = SCRIPT(APP_FTP, &any, ahead);
	CHECK(o.status == VERIFY_DECIDED && o.has_pinhole && o.pinhole.port == 1024);
}

static bool hole(const struct outcome *o, const char *from, const char *to, unsigned at)
{
	struct addr a, b;

	return o->has_pinhole && addr_parse(from, &a) && addr_parse(to, &b) && addr_cmp(&o->pinhole.client,
		&a) == 0 &&
	       addr_cmp(&o->pinhole.server, &b) == 0 && o->pinhole.port == at;
}

static void pinholes(void)
{
	struct outcome o = SCRIPT(APP_FTP, &any, passive);
	CHECK(hole(&o, "10.1.0.5", "10.2.0.8", 248 * 256 + 122));
	o = SCRIPT(APP_FTP, &any, extended);
	CHECK(hole(&o, "10.1.0.5", "10.2.0.8", 35174));
	o = SCRIPT(APP_FTP, &active, port);
	CHECK(hole(&o, "10.2.0.8", "10.1.0.5", 222 * 256 + 21));
	o = SCRIPT(APP_FTP, &active, eprt);
	CHECK(hole(&o, "10.2.0.8", "10.1.0.5", 39367));
	/* None before the server's word, and none when it says no. */
	o = script_run(APP_FTP, &active, port, COUNT(port) - 1);
	CHECK(o.status == VERIFY_DECIDED && !o.has_pinhole);
	static const struct line no[] = {LOGIN, C("PORT 10,1,0,5,222,21"), S("500 Illegal PORT command."),
		C("PASV"), S("425 no"),
		C("EPSV ALL"), S("200 Ok")};
	o = SCRIPT(APP_FTP, &active, no);
	CHECK(o.status == VERIFY_DECIDED && !o.has_pinhole);
}

#define REFUSED(policy, why, ...)                                                                                      \
	do {                                                                                                           \
		static const struct line lines_[] = {__VA_ARGS__};                                                     \
		CHECK(script_refuses(APP_FTP, (policy), lines_, COUNT(lines_), (why)));                                \
		CHECK(!script_run(APP_FTP, (policy), lines_, COUNT(lines_)).has_pinhole);                              \
	} while (0)

static void data_connections_refused(void)
{
	REFUSED(&any, WHY_DATA_CHANNEL, LOGIN, C("PORT 10,1,0,5,222,21"));
	REFUSED(&any, WHY_DATA_CHANNEL, LOGIN, C("EPRT |1|10.1.0.5|39367|"));
	REFUSED(&no_data, WHY_DATA_CHANNEL, LOGIN, C("PASV"));
	REFUSED(&no_data, WHY_DATA_CHANNEL, LOGIN, C("EPSV"));
	REFUSED(&no_data, WHY_DATA_CHANNEL, LOGIN, C("PORT 10,1,0,5,222,21"));
	/* Elsewhere (bounce), and ports of services. */
	REFUSED(&active, WHY_DATA_CHANNEL, LOGIN, C("PORT 10,1,0,6,222,21"));
	REFUSED(&active, WHY_DATA_CHANNEL, LOGIN, C("PORT 10,2,0,8,222,21"));
	REFUSED(&active, WHY_DATA_CHANNEL, LOGIN, C("PORT 10,1,0,5,3,255"));
	REFUSED(&active, WHY_DATA_CHANNEL, LOGIN, C("EPRT |1|10.1.0.6|39367|"));
	REFUSED(&active, WHY_DATA_CHANNEL, LOGIN, C("EPRT |2|2001:db8::5|39367|"));
	REFUSED(&active, WHY_DATA_CHANNEL, LOGIN, C("EPRT |1|10.1.0.5|1023|"));
	REFUSED(&any, WHY_DATA_CHANNEL, LOGIN, C("PASV"), S("227 Entering Passive Mode (10,2,0,9,248,122)."));
	REFUSED(&any, WHY_DATA_CHANNEL, LOGIN, C("PASV"), S("227 Entering Passive Mode (0,0,0,0,248,122)."));
	REFUSED(&any, WHY_DATA_CHANNEL, LOGIN, C("PASV"), S("227 Entering Passive Mode (10,2,0,8,3,255)."));
	REFUSED(&any, WHY_DATA_CHANNEL, LOGIN, C("PASV"), S("227 Entering Passive Mode (10,2,0,8,256,1)."));
	REFUSED(&any, WHY_DATA_CHANNEL, LOGIN, C("PASV"), S("227 Entering Passive Mode (10,2,0,08,248,122)."));
	REFUSED(&any, WHY_DATA_CHANNEL, LOGIN, C("PASV"), S("227 Entering Passive Mode (10,2,0,8,248,122,1)."));
	REFUSED(&any, WHY_DATA_CHANNEL, LOGIN, C("PASV"), S("227 (10,2,0,8,248,122) or (10,2,0,8,0,22)"));
	REFUSED(&any, WHY_DATA_CHANNEL, LOGIN, C("PASV"), S("227 Entering Passive Mode"));
	REFUSED(&any, WHY_DATA_CHANNEL, LOGIN, C("PASV"), S("227-Entering Passive Mode (10,2,0,8,248,122)."));
	REFUSED(&any, WHY_DATA_CHANNEL, LOGIN, C("EPSV"), S("229 Extended (|||1023|)"));
	REFUSED(&any, WHY_DATA_CHANNEL, LOGIN, C("EPSV"), S("229 Extended (|||65536|)"));
	REFUSED(&any, WHY_DATA_CHANNEL, LOGIN, C("EPSV"), S("229 Extended (|1|10.2.0.9|4000|)"));
	REFUSED(&any, WHY_DATA_CHANNEL, LOGIN, C("EPSV"), S("229 Extended (|||4000|) (|||22|)"));
	REFUSED(&any, WHY_DATA_CHANNEL, LOGIN, C("EPSV"), S("229 Extended |||4000|"));
	/* A reply that its command does not have. */
	REFUSED(&any, WHY_ANSWER, LOGIN, C("NOOP"), S("227 Entering Passive Mode (10,2,0,8,248,122)."));
	REFUSED(&any, WHY_ANSWER, LOGIN, C("PASV"), S("200 Ok"));
	REFUSED(&any, WHY_ORDER, LOGIN, S("227 Entering Passive Mode (10,2,0,8,248,122)."));
	REFUSED(&any, WHY_ORDER, LOGIN, {'c', TEXT("PASV\r\nEPSV\r\n")});
	/* Before anybody is logged in. */
	REFUSED(&any, WHY_ORDER, GREETING, C("PASV"));
	REFUSED(&any, WHY_DATA_CHANNEL, GREETING, C("USER a"), S("331 Password?"), PASV);
	REFUSED(&any, WHY_DATA_CHANNEL, LOGIN, C("REIN"), S("220 ready"), PASV);
	REFUSED(&any, WHY_DATA_CHANNEL, LOGIN, C("USER b"), S("331 Password?"), PASV);
	/* Forms. */
	REFUSED(&active, WHY_FIELD, LOGIN, C("PORT 10,1,0,5,222"));
	REFUSED(&active, WHY_FIELD, LOGIN, C("PORT 10,1,0,5,222,21,1"));
	REFUSED(&active, WHY_FIELD, LOGIN, C("EPRT |3|10.1.0.5|39367|"));
	REFUSED(&active, WHY_FIELD, LOGIN, C("EPRT |2|10.1.0.5|39367|"));
	REFUSED(&active, WHY_FIELD, LOGIN, C("EPRT 1 10.1.0.5 39367"));
	REFUSED(&any, WHY_FIELD, LOGIN, C("EPSV 3"));
}

static void no_ftp(void)
{
	REFUSED(&any, WHY_ANSWER, {'s', TEXT("SSH-2.0-OpenSSH_9.2p1\r\n")});
	REFUSED(&any, WHY_ANSWER, {'s', TEXT("+OK ready\r\n")});
	REFUSED(&any, WHY_ANSWER, S("250 hello"));
	REFUSED(&any, WHY_ORDER, {'c', TEXT("USER a\r\n")});
	REFUSED(&any, WHY_ORDER, {'c', HEX("16 03 01")});
	REFUSED(&any, WHY_COMMAND, GREETING, C("EHLO a"));
	REFUSED(&any, WHY_COMMAND, GREETING, C("GET / HTTP/1.1"));
	REFUSED(&any, WHY_COMMAND, GREETING, {'c', HEX("00")});
	REFUSED(&any, WHY_COMMAND, GREETING, {'c', HEX("fffb")});
	REFUSED(&any, WHY_ORDER, GREETING, C("RETR a"));
	REFUSED(&any, WHY_ANSWER, GREETING, C("USER a"), S("150 what"));
	REFUSED(&any, WHY_ANSWER, GREETING, C("USER a"), {'s', TEXT("SSH-2.0")});
	/* For the life of the connection. */
	REFUSED(&any, WHY_COMMAND, LOGIN, {'c', TEXT("SSH-2.0-x\r\n")});
	REFUSED(&any, WHY_ORDER, LOGIN, S("200 Ok"));
	REFUSED(&any, WHY_ENCODING, LOGIN, {'c', TEXT("CWD a\n")});
	REFUSED(&any, WHY_ENCODING, LOGIN, {'c', TEXT("CWD \1\r\n")});
	REFUSED(&any, WHY_ENCODING, LOGIN, {'c', TEXT("PWD x\r\n")});
	REFUSED(&any, WHY_FIELD, LOGIN, {'c', TEXT("CWD\r\n")});
	REFUSED(&any, WHY_ORDER, LOGIN, {'c', TEXT("QUIT\r\nNOOP\r\n")});
	REFUSED(&any, WHY_ORDER, LOGIN, {'c',
		TEXT("NOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\n"
		"NOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\n")});
	static char big[5000];
	memset(big, 'a', sizeof(big));
	memcpy(big, "CWD ", 4);
	const struct line l[] = {LOGIN, {'c', big, sizeof(big)}};
	CHECK(script_refuses(APP_FTP, &any, l, COUNT(l), WHY_LENGTH));
}

static void auth_tls(void)
{
	static const struct line l[] = {GREETING, C("AUTH TLS"), S("234 Proceed with negotiation.")};
	CHECK(script_hands_over(APP_FTP, &any, l, COUNT(l)));
	CHECK(script_hands_over(APP_FTP, &tls, l, COUNT(l)));
	static const struct line ssl[] = {GREETING, C("FEAT"), S("211-x"), S(" AUTH TLS"), S("211 End"),
		C("auth ssl"), S("234 Ok")};
	CHECK(script_hands_over(APP_FTP, &tls, ssl, COUNT(ssl)));
	/* Another mechanism may be asked for, and must be refused by the server. */
	static const struct line gss[] = {GREETING, C("AUTH GSSAPI"), S("504 Unknown AUTH type."),
		C("USER a"), S("331 Password?")};
	CHECK(script_decides(APP_FTP, &any, gss, COUNT(gss), VERIFY_DECIDED));
	REFUSED(&any, WHY_ANSWER, GREETING, C("AUTH GSSAPI"), S("334 go on"));
	REFUSED(&any, WHY_STARTTLS, GREETING, {'c', TEXT("AUTH TLS\r\nUSER a\r\n")});
	REFUSED(&any, WHY_STARTTLS, GREETING, {'c', TEXT("NOOP\r\nAUTH TLS\r\n")});
	REFUSED(&any, WHY_STARTTLS, GREETING, C("AUTH TLS"), {'c', HEX("16 03")});
	REFUSED(&any, WHY_ANSWER, GREETING, C("AUTH TLS"), S("200 Ok"));
	REFUSED(&any, WHY_ORDER, LOGIN, C("AUTH TLS"));
	REFUSED(&tls, WHY_PLAIN, GREETING, C("USER a"));
	REFUSED(&tls, WHY_PLAIN, GREETING, C("AUTH TLS"), S("500 no"), C("USER a"));
	REFUSED(&tls, WHY_PLAIN, GREETING, C("PASV"));
}

/*
 * The real thing, through TLS: verified there, with the names of the rule; and nothing slipped in behind
 * the server's word.
 */
static void through_tls(void)
{
	static const char *const names[] = {"mail.town.example"};
	const struct verify_policy named = {.application = APP_FTP, .server_names = {names, 1}};
	static struct line l[32];
	size_t n = script_load("verify_ftp/auth-tls", l, COUNT(l));

	CHECK_INT(script_run(APP_FTP, &tls, l, n).level, LEVEL_RELATES);
	CHECK(script_run(APP_FTP, &tls, l, n).status != VERIFY_REFUSE);
	script_no_prefix_refused(APP_FTP, &tls, l, n);
	CHECK_INT(script_run(APP_FTP, &named, l, n).why, WHY_NO_SERVER_NAME);
	static const struct line slipped[] = {GREETING, C("AUTH TLS"), {'s',
		TEXT("234 Proceed with negotiation.\r\n234 Proceed with negotiation.\r\n")}};
	CHECK_INT(SCRIPT(APP_FTP, &any, slipped).status, VERIFY_REFUSE);
	static const struct line plain[] = {GREETING, C("AUTH TLS"), {'s',
		TEXT("234 Proceed with negotiation.\r\n")}, {'c', TEXT("NOOP\r\n")}};
	CHECK_INT(SCRIPT(APP_FTP, &any, plain).status, VERIFY_REFUSE);
}

int main(void)
{
	decided_with_the_user();
	pinholes();
	data_connections_refused();
	no_ftp();
	auth_tls();
	through_tls();
	return test_end();
}
