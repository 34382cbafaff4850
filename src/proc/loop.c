/*
 * loop.c: epoll, a list of timers, one signalfd.
 *
 * Callbacks may add and remove anything, themselves included. Two things make that safe: an epoll event
 * carries descriptor and the registration's number, so that an event for a registration that is gone (or
 * whose descriptor was reused) is recognised and dropped; and nothing of ours is touched after a callback but
 * the loop.
 *
 * Timers are a list ordered by time: a daemon has a dozen of them. A late periodic timer is not made up for.
 * Time is clock_mono(), which tests can move.
 *
 * Failure: without memory a call returns -ENOMEM or NULL. epoll_wait() failing ends loop_run() with -errno.
 */
#include <sekisho/loop.h>

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <sekisho/clock.h>

#define EVENTS_A_TURN 64

struct watch {
	loop_fd_fn *fn; /* NULL = no registration */
	void *arg;
	uint32_t number;
};

struct loop_timer {
	struct loop *loop;
	struct loop_timer *next; /* in the ordered list; only while armed */
	struct loop_timer *next_of_all;
	bool armed;
	uint64_t turn; /* of the loop when it was armed: it does not fire in that same turn */
	int64_t due_ns, every_ns;
	loop_timer_fn *fn;
	void *arg;
};

struct signal_watch {
	loop_signal_fn *fn;
	void *arg;
};

struct loop {
	int epoll;
	struct watch *watches; /* by descriptor */
	size_t nwatches;
	uint32_t number;	   /* of the latest registration */
	struct loop_timer *timers; /* armed, by time */
	struct loop_timer *all_timers;
	uint64_t turn;
	loop_turn_fn *on_turn;
	void *on_turn_arg;
	int signals; /* signalfd or -1 */
	sigset_t mask;
	struct signal_watch on_signal[_NSIG];
	bool stopped;
	int value;
};

struct loop *loop_new(void)
{
	struct loop *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->signals = -1;
	sigemptyset(&l->mask);
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll < 0) {
		free(l);
		return NULL;
	}
	return l;
}

void loop_free(struct loop *l)
{
	if (l == NULL)
		return;
	if (l->signals >= 0)
		close(l->signals);
	close(l->epoll);
	while (l->all_timers != NULL)
		loop_del_timer(l->all_timers);
	free(l->watches);
	free(l);
}

/* -- Descriptors ----------------------------------------------------------------------------------------- */

static struct watch *find_watch(struct loop *l, int fd)
{
	if (fd < 0 || (size_t)fd >= l->nwatches || l->watches[fd].fn == NULL)
		return NULL;
	return &l->watches[fd];
}

static int grow_watches(struct loop *l, int fd)
{
	size_t n = l->nwatches ? l->nwatches : 32;

	while (n <= (size_t)fd)
		n *= 2;
	if (n == l->nwatches)
		return 0;
	struct watch *w = reallocarray(l->watches, n, sizeof(*w));
	if (w == NULL)
		return -ENOMEM;
	memset(w + l->nwatches, 0, (n - l->nwatches) * sizeof(*w));
	l->watches = w;
	l->nwatches = n;
	return 0;
}

static struct epoll_event event_for(int fd, uint32_t number, uint32_t events)
{
	return (struct epoll_event){.events = events, .data.u64 = (uint64_t)number << 32 | (uint32_t)fd};
}

int loop_add_fd(struct loop *l, int fd, uint32_t events, loop_fd_fn *fn, void *arg)
{
	if (fd < 0 || fn == NULL)
		return -EINVAL;
	if (find_watch(l, fd) != NULL)
		return -EEXIST;
	int r = grow_watches(l, fd);
	if (r < 0)
		return r;
	struct epoll_event ev = event_for(fd, ++l->number, events);
	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &ev) < 0)
		return -errno;
	l->watches[fd] = (struct watch){fn, arg, l->number};
	return 0;
}

int loop_mod_fd(struct loop *l, int fd, uint32_t events)
{
	struct watch *w = find_watch(l, fd);

	if (w == NULL)
		return -ENOENT;
	struct epoll_event ev = event_for(fd, w->number, events);
	return epoll_ctl(l->epoll, EPOLL_CTL_MOD, fd, &ev) < 0 ? -errno : 0;
}

void loop_del_fd(struct loop *l, int fd)
{
	struct watch *w = find_watch(l, fd);

	if (w == NULL)
		return;
	/* The caller may have closed it already: the kernel forgot it then by itself. */
	epoll_ctl(l->epoll, EPOLL_CTL_DEL, fd, NULL);
	w->fn = NULL;
}

static void dispatch(struct loop *l, const struct epoll_event *ev)
{
	int fd = (int)(uint32_t)ev->data.u64;
	const struct watch *w = find_watch(l, fd);

	if (w == NULL || w->number != (uint32_t)(ev->data.u64 >> 32))
		return;
	w->fn(w->arg, fd, ev->events);
}

/* -- Timers ---------------------------------------------------------------------------------------------- */

static void unlink_timer(struct loop_timer *t)
{
	if (!t->armed)
		return;
	struct loop_timer **p = &t->loop->timers;
	while (*p != t)
		p = &(*p)->next;
	*p = t->next;
	t->armed = false;
}

/* Behind those that are due at the same time: first armed, first served. */
static void link_timer(struct loop_timer *t)
{
	struct loop_timer **p = &t->loop->timers;

	while (*p != NULL && (*p)->due_ns <= t->due_ns)
		p = &(*p)->next;
	t->next = *p;
	*p = t;
	t->armed = true;
	t->turn = t->loop->turn;
}

struct loop_timer *loop_add_timer(struct loop *l, int64_t ms, int64_t every_ms, loop_timer_fn *fn, void *arg)
{
	struct loop_timer *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->loop = l;
	t->fn = fn;
	t->arg = arg;
	t->next_of_all = l->all_timers;
	l->all_timers = t;
	loop_set_timer(t, ms, every_ms);
	return t;
}

void loop_set_timer(struct loop_timer *t, int64_t ms, int64_t every_ms)
{
	unlink_timer(t);
	if (ms < 0)
		return;
	t->due_ns = clock_mono().ns + ms * 1000000;
	t->every_ns = every_ms > 0 ? every_ms * 1000000 : 0;
	link_timer(t);
}

void loop_del_timer(struct loop_timer *t)
{
	if (t == NULL)
		return;
	unlink_timer(t);
	struct loop_timer **p = &t->loop->all_timers;
	while (*p != t)
		p = &(*p)->next_of_all;
	*p = t->next_of_all;
	free(t);
}

/* The first timer that is due and was armed before this turn. */
static struct loop_timer *due_timer(struct loop *l, int64_t now_ns)
{
	struct loop_timer *t = l->timers;

	while (t != NULL && t->due_ns <= now_ns && t->turn == l->turn)
		t = t->next;
	return t != NULL && t->due_ns <= now_ns ? t : NULL;
}

static void run_timers(struct loop *l)
{
	int64_t now = clock_mono().ns;
	struct loop_timer *t;

	l->turn++;
	while (!l->stopped && (t = due_timer(l, now)) != NULL) {
		unlink_timer(t);
		if (t->every_ns > 0) {
			t->due_ns += t->every_ns;
			if (t->due_ns <= now)
				t->due_ns = now + t->every_ns;
			link_timer(t);
		}
		t->fn(t->arg);
	}
}

/* Milliseconds until the next timer, rounded up; -1 = none. */
static int wait_ms(const struct loop *l)
{
	if (l->timers == NULL)
		return -1;
	int64_t ns = l->timers->due_ns - clock_mono().ns;
	if (ns <= 0)
		return 0;
	int64_t ms = (ns + 999999) / 1000000;
	return ms > INT_MAX ? INT_MAX : (int)ms;
}

void loop_on_turn(struct loop *l, loop_turn_fn *fn, void *arg)
{
	l->on_turn = fn;
	l->on_turn_arg = arg;
}

/* -- Signals --------------------------------------------------------------------------------------------- */

static void on_signalfd(void *arg, int fd, uint32_t events)
{
	struct loop *l = arg;
	struct signalfd_siginfo si;

	(void)events;
	while (!l->stopped && read(fd, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		if (si.ssi_signo >= _NSIG)
			continue;
		const struct signal_watch *w = &l->on_signal[si.ssi_signo];
		if (w->fn != NULL)
			w->fn(w->arg, (int)si.ssi_signo);
	}
}

int loop_add_signal(struct loop *l, int signo, loop_signal_fn *fn, void *arg)
{
	if (signo <= 0 || signo >= _NSIG || fn == NULL)
		return -EINVAL;
	sigaddset(&l->mask, signo);
	if (sigprocmask(SIG_BLOCK, &l->mask, NULL) < 0)
		return -errno;
	int fd = signalfd(l->signals, &l->mask, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (l->signals < 0) {
		int r = loop_add_fd(l, fd, EPOLLIN, on_signalfd, l);
		if (r < 0) {
			close(fd);
			return r;
		}
		l->signals = fd;
	}
	l->on_signal[signo] = (struct signal_watch){fn, arg};
	return 0;
}

/* -- Running --------------------------------------------------------------------------------------------- */

int loop_run(struct loop *l)
{
	struct epoll_event events[EVENTS_A_TURN];

	l->stopped = false;
	while (!l->stopped) {
		int n = epoll_wait(l->epoll, events, EVENTS_A_TURN, wait_ms(l));
		if (n < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < n && !l->stopped; i++)
			dispatch(l, &events[i]);
		if (!l->stopped && n > 0 && l->on_turn != NULL)
			l->on_turn(l->on_turn_arg);
		if (!l->stopped)
			run_timers(l);
	}
	return l->value;
}

void loop_stop(struct loop *l, int value)
{
	l->stopped = true;
	l->value = value;
}
