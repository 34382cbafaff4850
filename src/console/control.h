/*
 * control.h: talking to the running gate over its control socket.
 */
#ifndef CONSOLE_CONTROL_H
#define CONSOLE_CONTROL_H

#include <sekisho/msg.h>

#include <stdbool.h>

struct console;

/*
 * Sends one request in the reader's language (with fd beside it, -1 = none) and waits for the answer of type
 * `want`. Returns CONSOLE_OK with *ret filled (msg_close_fds() is the caller's); with the message printed CONSOLE_REFUSED
 * when the user's role may not ask this, or CONSOLE_ENV.
 */
int control_ask(struct console *c, const struct msg_request *q, int fd, enum msg_type want, struct msg *ret);

/* The same without any message: false when it was not answered as wanted within `seconds`. */
bool control_try(struct console *c, const struct msg_request *q, int fd, int seconds, enum msg_type want, struct msg *ret);

/* A connection to the gate that stays: its descriptor, or -errno. */
int control_connect(const char *root);

/*
 * A connection to sekisho-logd, for what the verb gives the right to (LOG: questions, APPROVE, RECORD). CONSOLE_OK with *ret_fd
 * (the caller's to close), or an exit code with the message printed.
 */
int control_open_log(struct console *c, enum msg_verb verb, int *ret_fd);
/* The same, with who asks and why: it is recorded. */
int control_open_log_as(struct console *c, const struct msg_request *q, int *ret_fd);

/*
 * From now on times are read and shown in the zone of the policy in force. A gate that does not answer is no
 * error here: what is asked next will say so.
 */
void control_zone(struct console *c);

/*
 * Receives one message within `seconds` (-1 = for ever). False with the message printed when the peer is gone,
 * slow, or malformed.
 */
bool control_receive(int fd, int seconds, struct msg *ret);

/*
 * All of a descriptor that came with an answer (a memfd), at most `max` bytes, with a NUL behind. False when it
 * is larger or cannot be read.
 */
struct buf;
bool control_read_fd(int fd, size_t max, struct buf *ret);

#endif
