/* spawn.h: start a program of ours from a fresh image with descriptors on fixed numbers. */
#ifndef SEKISHO_SPAWN_H
#define SEKISHO_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

#define SPAWN_ARGS_MAX 8

struct spawn {
	const char *libexec;		  /* directory of the programs */
	const char *name;		  /* the program, also argv[0] */
	const char *args[SPAWN_ARGS_MAX]; /* further arguments, ends with NULL */
	const int *fds;			  /* become 3, 4, …; stay open here */
	unsigned nfds;
	bool together; /* on one processor with all others that are so, where there are several */
};

/*
 * fork and exec. The child has 0 and 1 on /dev/null, our 2, the given descriptors and no other; a clean
 * environment, all signals at their defaults, a process group of its own. Returns its pid, or -errno of fork;
 * an exec that fails shows as exit status 127.
 */
pid_t spawn(const struct spawn *s);

#endif
