/*
 * sender.h: one mail to the alarm host: asks sekisho-connect for a connection, speaks SMTP on it (smtp_client.h), tells how it
 * ended. One at a time.
 */
#ifndef ALARM_SENDER_H
#define ALARM_SENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sekisho/msg.h>
#include <sekisho/smtp_client.h>

struct loop;

#define SENDER_ERROR 160

struct sender {
	struct loop *loop;
	struct msg_alarm_settings settings; /* recipients, addresses, our name: as they were at the start */
	const char *text; /* the caller's, until done() */
	size_t n;
	bool busy;
	uint32_t tag; /* of the call, 0: none */
	uint32_t hop; /* that is tried */
	int fd;	      /* -1 */
	int64_t until; /* monotonic ms: of the call, then of all of it */
	bool mail_said, data_said, body, writing;
	uint32_t said, answered, taken; /* recipients */
	size_t at; /* of the text */
	struct smtp_client client;
	char error[SENDER_ERROR]; /* the last; the mail server's words are in it, printable ASCII */
	/* taken: by so many recipients' server; 0: not sent, error says why. */
	void (*done)(void *arg, uint32_t taken, const char *error);
	void *arg;
};

void sender_init(struct sender *s, struct loop *loop);
/* False: another one is under way. done() may be called before this returns. */
bool sender_start(struct sender *s, const struct msg_alarm_settings *settings, const char *text, size_t n);
/* MSG_MAIL_CONNECTED of sekisho-connect; the descriptor is taken over, -1: none. */
void sender_connected(struct sender *s, uint32_t tag, const struct msg_mail_connected *m, int fd);
/* Twice a second. */
void sender_tick(struct sender *s);

#endif
