/*
 * zygote.h: a jailed process that makes a child for each mail: fork, no exec, one mail a life.
 *
 * How the others meet it (sekisho-clean and sekisho-verify alike):
 *   sekisho-init     starts it like any daemon: rows JAIL_CLEAN and JAIL_VERIFY, descriptors DAEMON_FD_INIT and
 *		      DAEMON_FD_MAIL (AF_UNIX, SOCK_SEQPACKET, its end non-blocking), READY, beats.
 *   sekisho-maild    holds the other end. The pair may outlive both: a job that waits in it is done by the next zygote,
 *		      and a MSG_MAIL_BUSY in it may be meant for the maild of before (an unknown tag: let it go). Where it
 *		      does not, the zygote ends at the end of file, and init starts it again.
 *   a job	      MSG_MAIL_JOB with its descriptors (msg.h). Nothing else comes, and a malformed message ends the zygote.
 *   its answer	      comes on the job's own socket `result`, from the child. The end of file without one is the child's
 *		      death, whatever killed it. in, out and result may be non-blocking at maild's end; the child makes its
 *		      own ends blocking.
 *
 * The child has in, out, result (domains) and a memfd for a report, and cannot get another descriptor: no open, no
 * socket, no recvmsg, no dup, no fork; memory, processor and time are limited; it dies with the zygote.
 */
#ifndef SEKISHO_ZYGOTE_H
#define SEKISHO_ZYGOTE_H

#include <stddef.h>

#include <sekisho/daemon.h>
#include <sekisho/msg.h>

/* A zygote has at most so many children at work; a job beyond is answered with MSG_MAIL_BUSY. */
#define ZYGOTE_CHILDREN_MAX 512
_Static_assert(ZYGOTE_CHILDREN_MAX < JAIL_MAIL_PROCESSES, "the limit of the jail is the second one");

struct zygote_spec {
	enum jail_row row;  /* of the zygote */
	enum jail_row child; /* narrower: of its children */
	unsigned fds;	    /* of a job: MSG_MAIL_FDS_CLEAN or MSG_MAIL_FDS_VERIFY */
	/*
	 * In the child, in its jail: reads, writes, and answers with one message on MAIL_FD_RESULT. The process ends
	 * when it returns; what it returns is the exit status and told to nobody but the log.
	 */
	int (*work)(const struct msg_mail_job *job);
};

/* Runs the whole program: call it from main() and return its value. */
int zygote_run(const struct zygote_spec *spec, int argc, char **argv);

#endif
