/*
 * gate.h: what the files of sekishod share.
 *
 * One process, one loop, one struct gate. At most one job (boot, commit, proof) is under way; what has to happen
 * at once (lease, restore, schedule) is synchronous and may come between a job's steps.
 */
#ifndef GATE_H
#define GATE_H

#include <stdbool.h>
#include <stdint.h>

#include <sekisho/clock.h>
#include <sekisho/daemon.h>
#include <sekisho/finding.h>
#include <sekisho/ir.h>
#include <sekisho/match.h>
#include <sekisho/msg.h>
#include <sekisho/net.h>
#include <sekisho/nft.h>
#include <sekisho/open.h>

#include "alarm.h"
#include "confirm.h"
#include "cut.h"
#include "drafts.h"
#include "drill.h"
#include "freeze.h"
#include "health.h"
#include "host.h"
#include "mail.h"
#include "peer.h"
#include "people.h"
#include "tls.h"
#include "relay.h"
#include "roles.h"
#include "session.h"
#include "store.h"

struct loop_timer;

/* A policy that was compiled and checked: its IR stays mapped as long as the kernel's ruleset refers to it. */
struct generation {
	uint32_t number;
	struct store_meta meta;
	int ir_fd;
	void *map;
	size_t size;
	struct ir ir;
	struct matcher *matcher;
};
/* Takes the descriptor (sealed memfd) in any case. NULL with a reason in ret_error. */
struct generation *generation_new(int ir_fd, const char **ret_error);
void generation_free(struct generation *g); /* NULL is allowed */

/* -- state.c: what the gate is, and what may follow ------------------------------------------------------ */

enum gate_state {
	GATE_SHUT, /* the closed ruleset: no policy, or none that could be put in force */
	GATE_OPEN, /* a generation is in force and the lease is held */
	GATE_HELD, /* a generation is in force, the lease was dropped: a finding says why */
	GATE_STATES,
};
enum gate_event {
	EVENT_COMMITTED,  /* the kernel took a ruleset */
	EVENT_PROVED,	  /* the proof found nothing */
	EVENT_DISPROVED,  /* it found something, also in the restored ruleset, or could not be made */
	EVENT_SHUT,	  /* the closed ruleset was loaded */
	GATE_EVENTS,
};
enum gate_state state_next(enum gate_state s, enum gate_event e);
const char *state_word(enum gate_state s);

/* -- The job --------------------------------------------------------------------------------------------- */

enum job_kind {
	JOB_NONE,
	JOB_BOOT,   /* the stored running generation */
	JOB_COMMIT, /* a client's policy */
	JOB_ROLLBACK, /* the text of an older generation, again */
	JOB_REVERT,   /* the same by ourselves: nobody confirmed what is in force */
	JOB_PROVE,  /* what is in force, again */
};

struct job {
	enum job_kind kind;
	unsigned step;	  /* index into the kind's steps (commit.c) */
	uint32_t tag;	  /* of the one-shot under way */
	int result;	  /* our end of its result socket, -1 */
	int client;	  /* index into clients, -1: nobody waits */
	bool kernel_done; /* the kernel has the new ruleset */
	bool net_done;	  /* the network settings are the new ones, or somewhere between */
	bool second_try;  /* of a proof: after a restore */
	bool failed;
	char language[8];
	int policy, diagnostics, findings; /* memfds, -1 */
	struct store_meta meta;
	struct generation *next;
	struct mono begun;
	struct wall now; /* at which rules were judged */
	uint32_t errors, warnings, kernel_us;
	uint32_t confirm_minutes; /* it must be confirmed within these; 0: it stays */
	char error[256];
};

/* -- Clients of the control socket ----------------------------------------------------------------------- */

/* All together; of one person; of all but administrators. Sessions count apart (session.h). */
#define CLIENTS_MAX (MSG_SESSIONS_MAX + 32)
#define CLIENTS_EACH 12
#define CLIENTS_OTHERS 24
struct client {
	int fd; /* -1: free */
	struct peer peer;
	struct mono since;
	bool waiting; /* its commit or proof is queued or under way */
	uint32_t tag;
	struct msg_request request;
	bool asked; /* it is not answered yet */
	int policy; /* what it handed, -1 */
	uint64_t turn; /* order of arrival */
	struct session session; /* id 0: none, a connection for some requests */
};

/* -- recorder.c: the link to sekisho-logd ---------------------------------------------------------------- */

#define RECORDER_QUEUE 64
struct recorder {
	int fd; /* -1: none */
	struct recorder_entry {
		enum msg_type type;
		union {
			struct msg_fault fault;
			struct msg_work work;
			struct msg_login login;
		} u;
	} queue[RECORDER_QUEUE];
	unsigned first, n, lost;
	bool generation_due, links_due;
	struct msg_links links;
	struct msg_log_status status; /* the last */
	bool have_status;
	struct mono heard; /* when; or when we began to wait */
	uint64_t loss_seen;
};

/* -- watch.c: what people look at ------------------------------------------------------------------------ */

struct gate_watch {
	struct nft_flows flows; /* the last list; fd -1: none */
	struct mono made;
};

struct gate {
	struct daemon *d;
	bool close_only; /* --close */
	struct nft *nft;
	struct net *net;
	struct store store;
	bool have_store;
	enum gate_state state;
	struct generation *current; /* in force in the kernel; NULL: closed ruleset */
	/* What the kernel has this moment: `current`, or that of a commit that is not at its end. */
	const struct generation *in_kernel;
	struct job job;
	uint32_t tags;
	uint32_t running; /* what is to be in force: as the store says, or what waits to be confirmed; 0: none */
	struct confirm confirm;
	struct drafts drafts;
	struct people people;
	struct health health;
	struct recorder rec;
	struct relay relay;
	int host; /* to sekisho-hostd, -1 */
	struct gate_mail mail;
	struct gate_alarm alarm;
	struct gate_watch watch;
	struct gate_cut cut;
	struct gate_tls tls;
	struct gate_drill drill;
	struct gate_freeze freeze;
	int control, own_control;
	struct client clients[CLIENTS_MAX];
	uint64_t turns;
	struct nft_counters counters;
	bool have_counters;
	bool clock_trusted;
	bool foreign_seen; /* the tables changed and not by us: check when it is quiet */
	bool adopted;	/* what runs in the kernel was left running until the stored policy is compiled */
	bool proof_due;
	bool restored; /* the ruleset was made anew because of a proof; cleared by a good one */
	enum nft_records records;
	bool records_set; /* the kernel was told */
	struct wall last_wall;
	struct mono last_mono;
	struct wall started;
	int64_t committed_at;
	unsigned lease_failures;
	struct loop_timer *look, *tick, *slow; /* look: at settings and tables, once, soon */
	struct mono boot_at, proof_at, revert_at; /* when these were last tried */
};

/* commit.c */
/* No job: all descriptors -1. */
struct job job_none(void);
void job_boot(struct gate *g);
void job_commit(struct gate *g, int client); /* or a rollback */
void job_revert(struct gate *g);
void job_prove(struct gate *g, int client);
/* A one-shot ended (MSG_EXITED with a tag). */
void job_exited(struct gate *g, uint32_t tag, int32_t status);

/* kernel.c: the kernel's ruleset: load, restore, keep */
/* Loads the closed ruleset; forwarding off. */
int kernel_shut(struct gate *g);
/* Programs a generation at this moment: ruleset, sweep. The gate opens. 0 or -errno with text in err (256 bytes). */
int kernel_commit(struct gate *g, const struct generation *gen, struct nft_commit *ret, char *err);
/* Makes the kernel hold `current` again after a foreign change, from the closed ruleset on, and has it proved. */
void kernel_restore(struct gate *g, const char *why);
/* The schedule: programs `current` anew when a rule opens or ends, when the clock was set, or trust changed. */
void kernel_tick(struct gate *g);
void kernel_lease(struct gate *g);
/* Looks after a change of the tables that was not ours. */
void kernel_check(struct gate *g);
void kernel_watch(struct gate *g);
void kernel_on_watch(void *arg, int fd, uint32_t events);
/* Is the clock believable: not before our release, nor before the newest of our own records? */
bool clock_is_trusted(const struct gate *g, struct wall now);

/* settings.c: the network settings of the generation in force, kept */
int settings_apply(struct gate *g, const struct generation *gen, char *err);
void settings_check(struct gate *g);
void settings_on_finding(void *arg, enum finding f, const char *detail);

/* recorder.c */
void recorder_start(struct gate *g, int fd);
/* A record of a fault or notice (enum msg_severity). */
void record(struct gate *g, enum msg_severity severity, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* What somebody did; that somebody came or went. */
void recorder_work(struct gate *g, const struct msg_work *w);
void recorder_login(struct gate *g, const struct msg_login *l);
/* So many records wait that whoever makes them should wait as well. */
bool recorder_is_busy(const struct gate *g);
void recorder_tick(struct gate *g);
/*
 * What the policy of `gen` wants while records cannot be kept: new flows, or all, are closed. loaded: the ruleset
 * was just programmed and knows nothing of it yet.
 */
void recorder_close_or_open(struct gate *g, const struct generation *gen, bool loaded);
/* logd was started again: it gets the running generation and the links. */
void recorder_renew(struct gate *g);

/* watch.c */
/* The answer to MSG_VERB_FLOWS and _POLICY; fds[] stay ours. Returns how many there are. */
unsigned watch_answer(struct gate *g, uint32_t verb, struct msg_watched *ret, int fds[2]);
void watch_stop(struct gate *g);
/* The alarms that the recorder says stand now. */
void watch_alarms(struct gate *g, const struct msg_alarms *m);
/* Looks at the disk and at the ends of approved flows. */
void watch_slow(struct gate *g);
/* past.c: generations of before, and what stands in the way of the next one */
/* Whether the client's commit or rollback may begin; why not in err (256 bytes). */
bool past_allows(const struct gate *g, const struct client *c, char *err);
void past_list(struct gate *g, struct client *c);
void past_text(struct gate *g, struct client *c);
void past_confirm(struct gate *g, struct client *c);

/* control.c */
/* What this person may at this moment (set of ROLE()). */
uint32_t client_roles(const struct gate *g, const struct client *c);
/* Answers the client's request; one that does not take it is dropped. fd: beside it, -1 none; it stays the caller's. */
void client_answer(struct gate *g, struct client *c, enum msg_type type, const void *body, int fd);
/* Its place is free then. */
void client_drop(struct gate *g, struct client *c);
/* MSG_OPENED: ok when fd >= 0, else `error`. */
void client_opened(struct gate *g, struct client *c, int fd, const char *error);
int control_start(struct gate *g, int fd);
void control_tick(struct gate *g);
/* Answers the client of a job that ended, and takes the next request. */
void control_answer(struct gate *g, const struct job *j);
void control_next(struct gate *g);
void control_status(struct gate *g, struct msg_status *ret);

/* gate.c */
/* The whole process: main()'s arguments and exit status. */
int gate_main(int argc, char **argv);
extern const struct daemon_spec gate_spec;
void gate_event(struct gate *g, enum gate_event e);
void gate_finding(struct gate *g, enum health_source source, enum finding f, const char *detail);
/* health_end(), with a record of what was cured. */
void gate_health_end(struct gate *g, enum health_source source);

#endif
