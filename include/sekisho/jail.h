/*
 * jail.h: what each process may still do once it runs: one table, a row per process.
 *
 * A jail is: a user of its own, capabilities, no_new_privs, not dumpable, resource limits, Landlock (paths,
 * no network, no signals or abstract sockets beyond the jail) and an allow list of system calls: anything
 * else kills the process, but for a few calls that libraries try and can live without, which fail with an
 * error. The numbers of the users need no entry in a passwd file.
 *
 * To add a process: a row in enum jail_row, its row in src/proc/jail_table.c, its attempts in
 * tests/unit/proc/test_jail.c (that test fails for a row without any).
 */
#ifndef SEKISHO_JAIL_H
#define SEKISHO_JAIL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum jail_row {
	JAIL_GATE,    /* sekishod */
	JAIL_LOG,     /* sekisho-logd */
	JAIL_COMPILE, /* sekisho-compile */
	JAIL_PROVE,   /* sekisho-prove */
	JAIL_INSPECT, /* sekisho-inspect */
	JAIL_READER,  /* the child of `sekisho classify` and `sekisho watch` that reads captures */
	JAIL_MAIL,    /* sekisho-maild */
	JAIL_CONNECT, /* sekisho-connect */
	JAIL_ALARM,   /* sekisho-alarm */
	JAIL_HOST,    /* sekisho-hostd */
	JAIL_CLEAN,   /* sekisho-clean: makes a child for each mail */
	JAIL_VERIFY,  /* sekisho-verify: the same */
	JAIL_CLEAN_MAIL,  /* its child, which reads one: entered with jail_narrow() from the row above */
	JAIL_VERIFY_MAIL,
	JAIL_TLS,	/* sekisho-tls: makes a child for each connection */
	JAIL_TLS_CHILD, /* its child: entered with jail_narrow() from the row above */
	JAIL_SIGN,	/* sekisho-sign */
	JAIL_ROWS,
};

#define JAIL_UID_GATE 970
#define JAIL_UID_LOG 971
#define JAIL_UID_NONE 972
/* Who may open the control socket: root, and members of this group (sekishod looks at the peer again). */
#define JAIL_GID_CONTROL 973
/* The roles of people (enum msg_role), each a group; a member of the control group alone is a viewer, root an administrator. */
#define JAIL_GID_VIEWER 980
#define JAIL_GID_AUDITOR 981
#define JAIL_GID_OPERATOR 982
#define JAIL_GID_ADMINISTRATOR 983
#define JAIL_GID_MAINTENANCE 984
#define JAIL_UID_INSPECT 974
#define JAIL_UID_MAIL 975
#define JAIL_UID_CONNECT 976
#define JAIL_UID_CLEAN 977
#define JAIL_UID_HOST 987
#define JAIL_UID_VERIFY 978
#define JAIL_UID_ALARM 979
#define JAIL_UID_TLS 985
#define JAIL_UID_SIGN 988

/* Processes of the user of sekisho-clean, and of that of sekisho-verify: a zygote, its children, those nobody looked after. */
#define JAIL_MAIL_PROCESSES 600

/* Those of sekisho-tls: one for each connection that is encrypted. */
#define JAIL_TLS_PROCESSES 720

/* Name of the program ("sekishod"); also what MSG_EXITED and the log call it. */
const char *jail_name(enum jail_row row);
/* The row of a program's name; JAIL_ROWS when there is none. */
enum jail_row jail_find(const char *name);
uid_t jail_uid(enum jail_row row);

/* What the kernel could give; filled by jail_enter(). */
struct jail_report {
	int landlock;	  /* ABI used; 0 = the kernel has none: said in the log, the rest of the jail holds */
	const char *step; /* where it failed; static text, never NULL */
};

/*
 * Enters the jail of this row; there is no way back. Called once, as root, by a process of one thread. root:
 * the directory below which the row's paths lie ("/" on a gateway). Paths of the row that do not exist stay
 * closed. The process is killed when its parent ends. Returns 0, or -errno with ret->step; the caller must
 * end the process then.
 */
int jail_enter(enum jail_row row, const char *root, struct jail_report *ret);

/*
 * The same for a child of a user's command, which is not root: keeps the user (root becomes the row's), gives up all
 * capabilities, new privileges, paths and every other system call. Same result.
 */
int jail_confine(enum jail_row row, struct jail_report *ret);

/*
 * A narrower row for the children of a process that is in its jail already: made ready before that (it needs a
 * descriptor for a moment), used after each fork. The process keeps user, root and paths; limits can only become less,
 * and a system call is allowed when both rows have it.
 */
struct jail_filter {
	unsigned short n; /* instructions */
	void *program;	  /* malloc()ed: struct sock_filter[n] */
};
int jail_prepare(enum jail_row row, struct jail_filter *ret);
int jail_narrow(enum jail_row row, const struct jail_filter *filter);

/* Is the calling process confined in this row? NULL, or what is missing (static text). */
const char *jail_confined(enum jail_row row);

/*
 * Looks whether the calling process really is in this row's jail: asks the kernel for each of its parts.
 * Returns NULL, or what is missing (static text).
 */
const char *jail_verify(enum jail_row row);

#endif
