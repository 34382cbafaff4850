/*
 * test_loop.c: order of timers, callbacks that remove themselves and each other, stale events, signals.
 *
 * Time stands still and is moved by hand where order matters.
 */
#include <sekisho/clock.h>
#include <sekisho/loop.h>

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test.h"

static char trace[64];
static struct loop *l;
static struct loop_timer *timers[4];

static void mark(char c)
{
	size_t n = strlen(trace);

	if (n + 1 < sizeof(trace)) {
		trace[n] = c;
		trace[n + 1] = 0;
	}
}

static void begin(void)
{
	trace[0] = 0;
	l = loop_new();
}

static void on_letter(void *arg)
{
	mark(*(const char *)arg);
}

static void on_stop(void *arg)
{
	(void)arg;
	loop_stop(l, 5);
}

static char a[] = "a", b[] = "b", c[] = "c";

/* -- Timers ---------------------------------------------------------------------------------------------- */

static void test_order(void)
{
	struct mono now = {1000000000};

	begin();
	clock_set_test(NULL, &now);
	struct loop_timer *t1 = loop_add_timer(l, 20, 0, on_letter, b),
			  *t2 = loop_add_timer(l, 10, 0, on_letter, a);
	struct loop_timer *t3 = loop_add_timer(l, 20, 0, on_letter, c),
			  *t4 = loop_add_timer(l, 30, 0, on_stop, NULL);
	now.ns += 30000000;
	clock_set_test(NULL, &now);
	CHECK_INT(loop_run(l), 5);
	CHECK_STR(trace, "abc");
	loop_del_timer(t1);
	loop_del_timer(t2);
	loop_del_timer(t3);
	loop_del_timer(t4);
	loop_del_timer(NULL);
	loop_free(l);
	clock_set_test(NULL, NULL);
}

static void delete_two(void *arg)
{
	(void)arg;
	mark('d');
	loop_del_timer(timers[0]); /* itself */
	loop_del_timer(timers[1]); /* due at the same time */
}

static void arm_again(void *arg)
{
	static int n;

	(void)arg;
	mark('r');
	/* At once, again and again: others must have their turn all the same. */
	loop_set_timer(timers[2], ++n < 5 ? 0 : -1, 0);
}

static void test_change_in_callback(void)
{
	begin();
	timers[0] = loop_add_timer(l, 0, 0, delete_two, NULL);
	timers[1] = loop_add_timer(l, 0, 0, on_letter, a);
	timers[2] = loop_add_timer(l, 1, 0, arm_again, NULL);
	timers[3] = loop_add_timer(l, 60, 0, on_stop, NULL);
	CHECK_INT(loop_run(l), 5);
	CHECK_STR(trace, "drrrrr");
	loop_del_timer(timers[2]);
	loop_del_timer(timers[3]);
	loop_free(l);
}

/* A periodic timer that was late runs once, not once for each turn it missed. */
static void test_periodic(void)
{
	struct mono now = {1000000000};

	begin();
	clock_set_test(NULL, &now);
	struct loop_timer *p = loop_add_timer(l, 10, 10, on_letter, a),
			  *t = loop_add_timer(l, 1000, 0, on_stop, NULL);
	now.ns += 1000000000;
	clock_set_test(NULL, &now);
	CHECK_INT(loop_run(l), 5);
	CHECK_STR(trace, "a");
	clock_set_test(NULL, NULL);
	loop_set_timer(p, 1, 5);
	loop_set_timer(t, 18, 0);
	trace[0] = 0;
	CHECK_INT(loop_run(l), 5);
	CHECK(strlen(trace) >= 2 && strlen(trace) <= 4);
	loop_del_timer(p);
	loop_del_timer(t);
	loop_free(l);
}

/* -- Descriptors ----------------------------------------------------------------------------------------- */

static int one[2], two[2];

static void pairs_open(void)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, one) < 0 ||
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, two) < 0)
		exit(1);
}

static void pairs_close(void)
{
	close(one[0]);
	close(one[1]);
	close(two[0]);
	close(two[1]);
}

/* Whichever comes first removes both: the other's event, already fetched, must not be delivered. */
static void remove_both(void *arg, int fd, uint32_t events)
{
	(void)arg;
	(void)fd;
	(void)events;
	mark('x');
	loop_del_fd(l, one[0]);
	loop_del_fd(l, two[0]);
}

static void test_remove_in_callback(void)
{
	begin();
	pairs_open();
	CHECK(write(one[1], "1", 1) == 1 && write(two[1], "2", 1) == 1);
	CHECK_INT(loop_add_fd(l, one[0], EPOLLIN, remove_both, NULL), 0);
	CHECK_INT(loop_add_fd(l, two[0], EPOLLIN, remove_both, NULL), 0);
	struct loop_timer *t = loop_add_timer(l, 20, 0, on_stop, NULL);
	CHECK_INT(loop_run(l), 5);
	CHECK_STR(trace, "x");
	loop_del_timer(t);
	loop_free(l);
	pairs_close();
}

static void read_one(void *arg, int fd, uint32_t events)
{
	char letter;

	(void)arg;
	(void)events;
	if (read(fd, &letter, 1) == 1)
		mark(letter);
}

static void end_of_turn(void *arg)
{
	mark(*(const char *)arg);
	if (strchr(trace, '3') == NULL)
		CHECK(write(one[1], "3", 1) == 1);
	else
		loop_stop(l, 6);
}

/* Once behind all that a turn brought, and not behind a timer alone. */
static void test_end_of_turn(void)
{
	begin();
	pairs_open();
	loop_on_turn(l, end_of_turn, a);
	CHECK_INT(loop_add_fd(l, one[0], EPOLLIN, read_one, NULL), 0);
	CHECK_INT(loop_add_fd(l, two[0], EPOLLIN, read_one, NULL), 0);
	CHECK(write(one[1], "1", 1) == 1 && write(two[1], "2", 1) == 1);
	CHECK_INT(loop_run(l), 6);
	CHECK(strcmp(trace, "12a3a") == 0 || strcmp(trace, "21a3a") == 0);
	struct loop_timer *t = loop_add_timer(l, 1, 0, on_stop, NULL);
	loop_on_turn(l, NULL, NULL);
	CHECK(write(one[1], "4", 1) == 1);
	CHECK_INT(loop_run(l), 5);
	CHECK(trace[5] == '4' && trace[6] == '\0');
	loop_del_timer(t);
	loop_free(l);
	pairs_close();
}

static void never(void *arg, int fd, uint32_t events)
{
	(void)arg;
	(void)fd;
	(void)events;
	mark('!');
}

/* Removes, closes, and registers another file under the same number, with nothing to read. */
static void reuse_number(void *arg, int fd, uint32_t events)
{
	int other = fd == one[0] ? two[0] : one[0], fresh[2];

	(void)arg;
	(void)events;
	mark('x');
	loop_del_fd(l, fd);
	loop_del_fd(l, other);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fresh) < 0 || dup2(fresh[0], other) < 0)
		exit(1);
	CHECK_INT(loop_add_fd(l, other, EPOLLIN, never, NULL), 0);
	close(fresh[0]);
	/* Kept open, so that there is no end of file: a leak of one descriptor, in a test. */
}

static void test_reused_number(void)
{
	begin();
	pairs_open();
	CHECK(write(one[1], "1", 1) == 1 && write(two[1], "2", 1) == 1);
	loop_add_fd(l, one[0], EPOLLIN, reuse_number, NULL);
	loop_add_fd(l, two[0], EPOLLIN, reuse_number, NULL);
	struct loop_timer *t = loop_add_timer(l, 20, 0, on_stop, NULL);
	CHECK_INT(loop_run(l), 5);
	CHECK_STR(trace, "x");
	loop_del_timer(t);
	loop_free(l);
	pairs_close();
}

static void stop_on_hangup(void *arg, int fd, uint32_t events)
{
	(void)arg;
	(void)fd;
	if (events & EPOLLHUP)
		loop_stop(l, 6);
}

static void test_registration(void)
{
	begin();
	pairs_open();
	CHECK_INT(loop_add_fd(l, -1, EPOLLIN, never, NULL), -EINVAL);
	CHECK_INT(loop_add_fd(l, 900, EPOLLIN, never, NULL), -EBADF);
	CHECK_INT(loop_mod_fd(l, one[0], EPOLLIN), -ENOENT);
	CHECK_INT(loop_add_fd(l, one[0], 0, stop_on_hangup, NULL), 0);
	CHECK_INT(loop_add_fd(l, one[0], EPOLLIN, never, NULL), -EEXIST);
	CHECK_INT(loop_mod_fd(l, one[0], EPOLLIN), 0);
	loop_del_fd(l, 12345);
	close(one[1]);
	CHECK_INT(loop_run(l), 6);
	one[1] = -1;
	loop_free(l);
	loop_free(NULL);
	pairs_close();
}

/* -- Signals --------------------------------------------------------------------------------------------- */

static void on_signal(void *arg, int signo)
{
	mark(*(const char *)arg);
	if (signo == SIGUSR2)
		loop_stop(l, 8);
}

static void test_signals(void)
{
	begin();
	CHECK_INT(loop_add_signal(l, SIGUSR1, on_signal, a), 0);
	CHECK_INT(loop_add_signal(l, SIGUSR2, on_signal, b), 0);
	CHECK_INT(loop_add_signal(l, 0, on_signal, b), -EINVAL);
	CHECK_INT(loop_add_signal(l, 1000, on_signal, b), -EINVAL);
	kill(getpid(), SIGUSR1);
	kill(getpid(), SIGUSR2);
	CHECK_INT(loop_run(l), 8);
	CHECK_STR(trace, "ab");
	loop_free(l);
}

int main(void)
{
	test_order();
	test_change_in_callback();
	test_periodic();
	test_remove_in_callback();
	test_reused_number();
	test_end_of_turn();
	test_registration();
	test_signals();
	return test_end();
}
