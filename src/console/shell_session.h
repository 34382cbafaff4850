/*
 * shell_session.h: the shell's session with the gate.
 */
#ifndef CONSOLE_SHELL_SESSION_H
#define CONSOLE_SHELL_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct console;
struct session;

/*
 * Begins a session; the name of the machine as the policy has it goes to `host`. NULL when the gate does not
 * run or keeps none: the shell works all the same, and what it asks says so.
 */
struct session *session_open(struct console *c, char *host, size_t size);
void session_close(struct session *s); /* NULL is allowed, here and below */

/* What a person wants to see when he comes: when he was here last, and whether somebody tried meanwhile. */
void session_greeting(const struct session *s, struct buf *out);

/* A line was run: it becomes a record. */
void session_report(struct session *s, const char *line, int code);

/* Configuration mode begins or ends; its time begins anew, with a reason. False when the gate did not take
 * it. */
bool session_configure(struct session *s, bool on);
bool session_extend(struct session *s, const char *why);
/* Until when configuration mode may last, wall seconds; 0 = no limit. */
int64_t session_configure_until(const struct session *s);

/* A session where nothing was done for so long is to be ended; 0 = never. */
uint32_t session_idle_seconds(const struct session *s);

#endif
