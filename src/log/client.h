/*
 * client.h: the connections of people's commands, whose questions sekisho-logd answers.
 *
 * sekishod has checked who they are and hands over the socket. Used by the storing thread, on its loop.
 */
#ifndef LOG_CLIENT_H
#define LOG_CLIENT_H

#include <stdint.h>

struct clients;
struct loop;
struct writer;
struct mailbook;
struct passbook;

/* At once; further ones are turned away. */
#define CLIENTS_MAX 16
/* Who takes nothing for so long is dropped. */
#define CLIENT_STALL_S 30

/* NULL without memory. What it is given outlives it. */
struct clients *clients_new(struct loop *l, struct writer *w, struct mailbook *b, struct passbook *p);
void clients_free(struct clients *c);

/* Takes the socket over: for how long, and what may be asked on it, is in `who`. */
struct msg_client;
void clients_add(struct clients *c, int fd, const struct msg_client *who);

/* The store changed: followers look again. */
void clients_wake(struct clients *c);

#endif
