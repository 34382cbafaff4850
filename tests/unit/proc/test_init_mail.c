/*
 * test_init_mail.c: what sekisho-maild listens on is handed over whole, also when there is no room for it at first; and an
 * address that is listened on already is opened beside its old socket. Own code of sekisho-init, linked for this alone.
 */
#include "../../../src/proc/init.h"
#include "test.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static struct init in;
static int mail; /* sekisho-maild's end */

static void begin(int room)
{
	int pair[2];

	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
	if (room > 0)
		CHECK(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)) == 0);
	in = (struct init){0};
	in.daemons[INIT_MAIL].fd = pair[0];
	in.daemons[INIT_MAIL].ready = true;
	mail = pair[1];
}

static void end(void)
{
	close(in.daemons[INIT_MAIL].fd);
	close(mail);
}

/* Addresses that nobody has: each is told with its error, where a socket cannot be had. */
static struct msg_mail_listen listen_on(uint32_t n)
{
	struct msg_mail_listen l = {.n = n};

	for (uint32_t i = 0; i < n; i++)
		l.address[i] = (struct msg_mail_address){.family = 4, .port = DAEMON_MAIL_PORT, .direction = MSG_MAIL_IN,
			.addr = {127, 0, 0, (uint8_t)(i + 1)}};
	return l;
}

/* Reads what came: the numbers must go on from *next. */
static void take(uint32_t *next, uint32_t n)
{
	struct msg m;

	while (msg_recv(mail, &m) == 1) {
		CHECK(m.type == MSG_MAIL_LISTENER && m.u.msg_mail_listener.n == n);
		CHECK_INT(m.u.msg_mail_listener.index, *next);
		CHECK((m.nfds == 1) == (m.u.msg_mail_listener.error == 0) || n == 0);
		(*next)++;
		msg_close_fds(&m);
	}
}

static void test_no_room(void)
{
	struct msg_mail_listen l = listen_on(MSG_MAIL_LISTENERS_MAX);
	uint32_t next = 0, turns = 0;

	begin(1);
	init_mail_listen(&in, &l);
	take(&next, l.n);
	CHECK(next > 0 && next < l.n); /* else nothing is tried here */
	for (; next < l.n && turns < 100; turns++) {
		init_mail_check(&in);
		take(&next, l.n);
	}
	CHECK_INT(next, l.n);
	init_mail_check(&in);
	take(&next, l.n);
	CHECK_INT(next, l.n); /* and nothing twice */
	/* A newer wish is handed over from its beginning. */
	l = listen_on(0);
	next = 0;
	init_mail_listen(&in, &l);
	take(&next, 0);
	CHECK_INT(next, 1);
	end();
}

static void test_not_ready(void)
{
	struct msg_mail_listen l = listen_on(1);
	uint32_t next = 0;

	begin(0);
	in.daemons[INIT_MAIL].ready = false;
	init_mail_listen(&in, &l);
	init_mail_check(&in);
	take(&next, 1);
	CHECK_INT(next, 0);
	in.daemons[INIT_MAIL].ready = true;
	init_mail_ready(&in);
	take(&next, 1);
	CHECK_INT(next, 1);
	end();
}

/* Error of the one address that is handed over. */
static uint32_t error_of(struct msg_mail_address a)
{
	struct msg_mail_listen l = {.n = 1, .address = {a}};
	struct msg m;

	begin(0);
	init_mail_listen(&in, &l);
	CHECK(msg_recv(mail, &m) == 1);
	uint32_t error = m.u.msg_mail_listener.error;
	msg_close_fds(&m);
	end();
	return error;
}

/* The port says what is listened on: the policy's addresses, or any for what is turned; nothing else is opened. */
static void test_addresses(void)
{
	struct msg_mail_address any = {.family = 4, .port = DAEMON_MAIL_PORT}, named = listen_on(1).address[0];
	struct msg_mail_address turned = {.family = 6, .port = DAEMON_MAIL_TURNED_PORT, .transparent = 1}, bad;

	CHECK_INT(error_of(any), EINVAL);
	bad = named;
	bad.port = DAEMON_MAIL_TURNED_PORT;
	CHECK_INT(error_of(bad), EINVAL);
	bad = turned;
	bad.addr[15] = 1;
	CHECK_INT(error_of(bad), EINVAL);
	bad = turned;
	bad.port = DAEMON_MAIL_PORT;
	CHECK_INT(error_of(bad), EINVAL);
	bad = turned;
	bad.family = 5;
	CHECK_INT(error_of(bad), EINVAL);
	CHECK(error_of(turned) != EINVAL && error_of(named) != EINVAL); /* root alone gets them */
}

int main(void)
{
	test_no_room();
	test_not_ready();
	test_addresses();
	return test_end();
}
