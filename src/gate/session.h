/*
 * session.h: a person's shell, as sekishod sees it: one connection that stays, and says what is done on it.
 */
#ifndef GATE_SESSION_H
#define GATE_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include <sekisho/clock.h>
#include <sekisho/msg.h>

struct gate;
struct client;

/* At once: of one person, and of all but administrators. So nobody keeps an administrator out. */
#define SESSIONS_EACH 4
#define SESSIONS_OTHERS 12
/* Where the policy says nothing. */
#define SESSION_IDLE_MINUTES 15
#define SESSION_CONFIGURE_MINUTES 60

struct session { /* id 0: the connection is none */
	uint32_t id;
	int64_t since; /* wall seconds */
	struct mono configure_until; /* 0: not in configuration mode */
	bool waits;    /* a line waits to be recorded before it is answered */
	char terminal[64];
};

/* Requests of a client, answered. */
void session_begin(struct gate *g, struct client *c);
void session_list(struct gate *g, struct client *c);
void session_configure(struct gate *g, struct client *c);
void session_extend(struct gate *g, struct client *c);
/* A line that was run on it. */
void session_command(struct gate *g, struct client *c, const struct msg_command *m);

/* It is over: enum msg_login_event. For a connection that is no session nothing happens. */
void session_end(struct gate *g, struct client *c, enum msg_login_event how);
/* Ends those that do nothing, answers lines that waited. */
void session_tick(struct gate *g);
/* Is the person's configuration mode (if the request comes out of one) within its time? Else why not in err (256 bytes). */
bool session_allows(const struct gate *g, const struct client *c, char *err);
uint32_t session_count(const struct gate *g);

#endif
