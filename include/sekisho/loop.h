/*
 * loop.h: one event loop per process: descriptors, timers, signals (epoll, timerfd-free, signalfd).
 *
 * Callbacks run on the loop's thread, one at a time. A callback may add or remove anything, itself included.
 */
#ifndef SEKISHO_LOOP_H
#define SEKISHO_LOOP_H

#include <stdint.h>

struct loop;
struct loop_timer;

struct loop *loop_new(void); /* NULL with errno when the kernel refuses */
void loop_free(struct loop *l); /* with its timers; NULL is allowed */

/* events: EPOLLIN, EPOLLOUT; the callback gets what happened (with EPOLLHUP, EPOLLERR). 0 or -errno. */
typedef void loop_fd_fn(void *arg, int fd, uint32_t events);
int loop_add_fd(struct loop *l, int fd, uint32_t events, loop_fd_fn *fn, void *arg);
int loop_mod_fd(struct loop *l, int fd, uint32_t events);
void loop_del_fd(struct loop *l, int fd); /* does not close it */

/* Runs fn after ms, and then each `every_ms` (0 = once; a timer that ran once stays valid until freed). */
typedef void loop_timer_fn(void *arg);
struct loop_timer *loop_add_timer(struct loop *l, int64_t ms, int64_t every_ms, loop_timer_fn *fn, void *arg);
/* Arms it again; ms < 0 stops it. */
void loop_set_timer(struct loop_timer *t, int64_t ms, int64_t every_ms);
void loop_del_timer(struct loop_timer *t); /* NULL is allowed */

/* Runs fn each time when all descriptors that had something have been dealt with. One a loop; NULL ends it. */
typedef void loop_turn_fn(void *arg);
void loop_on_turn(struct loop *l, loop_turn_fn *fn, void *arg);

/* Blocks the signal and delivers it here. 0 or -errno. */
typedef void loop_signal_fn(void *arg, int signo);
int loop_add_signal(struct loop *l, int signo, loop_signal_fn *fn, void *arg);

/* Runs until loop_stop(); returns its value, or -errno. */
int loop_run(struct loop *l);
void loop_stop(struct loop *l, int value);

#endif
