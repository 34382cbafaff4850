/*
 * life.h: a sekishod whose kernel (fake_kernel.c), sekisho-init and one-shots, recorder and mail gate are the test's. One
 * life at a time, from machine() to death(); time stands still unless run_ms() moves it.
 */
#ifndef TEST_GATE_LIFE_H
#define TEST_GATE_LIFE_H

#include "fake_kernel.h"
#include "gate.h"

#define NOW 1795136400 /* 2026-11-20 */

extern char root[64];
extern struct gate gate;
extern struct daemon d;
/* The far ends: of sekisho-init, sekisho-logd, sekisho-maild, sekisho-connect, sekisho-tls, sekisho-alarm. */
extern int init_end, logd_end, mail_end, caller_end, tls_end, alarm_end;
extern struct wall wall;
extern struct mono mono;

/* What the stand-in for sekisho-init and its one-shots does. */
struct world {
	bool compile_dies, prove_dies, unsealed, lies, forbidden, silent;
	uint32_t errors, findings;
	unsigned findings_times; /* so often; 0 = always */
	unsigned compiled, proved;
	uint32_t nsegments; /* of the IR that comes: tells generations apart */
	bool close_all, prove_untrusted;
	uint32_t idle, configure; /* minutes of its sessions */
	const char *deputy; /* this account is an administrator from NOW on for an hour */
	bool mail; /* the policy has a mail gate */
	bool alarm; /* and alarm mail, with a report at 08:30, and a mynumber host "jumin-ap" at 10.1.0.5 */
	unsigned listens;
	struct msg_mail_listen listen;
};
extern struct world world;

/* False: this machine cannot run it (skip). The end: how many checks failed in here. */
bool life_begin(void);
unsigned life_end(void);

/* A new machine: nothing stored, nothing in the kernel. Then further lives on it. */
void machine(void);
void life(void);
void death(void);
void wipe_store(void);
/* After a change of wall and mono. */
void quiet(void);
/* Moves time on in steps of a quarter second, running what is due. */
void run_ms(int64_t ms);

/* A connection to the control socket; a request on it, with a policy file of this text beside it or NULL. */
int client(void);
void request(int fd, uint32_t verb, const char *policy);
/* A connection of this user with this one group. */
int client_as(uid_t uid, gid_t group);
/* A whole request, with a file beside it or -1; and its answer after a second (0: none came). */
void ask(int fd, const struct msg_request *q, int file);
enum msg_type answer_of(int fd, struct msg *ret);
/* A file of this text, the caller's to close. */
int text_file(const char *text);
struct msg_committed commit_text(const char *text);
struct msg_status status(void);
bool has_finding(const struct msg_status *s, const char *code);
/* As logd says it: records can be stored, or not. */
void logd_says(bool writable);
/* Takes what was sent to logd; counts faults with this code and generations. */
unsigned heard(const char *code, unsigned *ret_generations);

#endif
