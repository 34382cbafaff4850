/*
 * spawn.c: start a program of ours from a fresh image: nothing is inherited but what is named.
 *
 * A fresh image (exec, not a bare fork) has its own address layout and stack canary, and no memory of ours.
 * It has a process group of its own, so that Ctrl-C at a terminal reaches init alone.
 */
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#define FIRST_FD 3
/* Above every fixed number, so that moving one never overwrites another. */
#define PARKING_FD 64

static int place_descriptors(const struct spawn *s)
{
	int parked[32], null = open("/dev/null", O_RDWR);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 || s->nfds > 32)
		return -1;
	for (unsigned i = 0; i < s->nfds; i++) {
		parked[i] = fcntl(s->fds[i], F_DUPFD, PARKING_FD);
		if (parked[i] < 0)
			return -1;
	}
	for (unsigned i = 0; i < s->nfds; i++) {
		if (dup2(parked[i], FIRST_FD + (int)i) < 0)
			return -1;
	}
	return close_range(FIRST_FD + s->nfds, ~0u, 0);
}

static void reset_signals(void)
{
	sigset_t none;

	for (int i = 1; i < _NSIG; i++)
		signal(i, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The last one: interrupts mostly come to the first. What the kernel does not grant costs speed only. */
static void sit_together(void)
{
	cpu_set_t all, one;

	if (sched_getaffinity(0, sizeof(all), &all) < 0 || CPU_COUNT(&all) < 2)
		return;
	int last = CPU_SETSIZE - 1;
	while (!CPU_ISSET(last, &all))
		last--;
	CPU_ZERO(&one);
	CPU_SET(last, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

static void become(const struct spawn *s)
{
	static char path_env[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	char path[PATH_MAX], *env[] = {path_env, NULL};
	char *argv[SPAWN_ARGS_MAX + 2] = {(char *)(uintptr_t)s->name};

	for (unsigned i = 0; i < SPAWN_ARGS_MAX && s->args[i] != NULL; i++)
		argv[i + 1] = (char *)(uintptr_t)s->args[i];
	int n = snprintf(path, sizeof(path), "%s/%s", s->libexec, s->name);
	if (n < 0 || (size_t)n >= sizeof(path))
		return;
	reset_signals();
	if (s->together)
		sit_together();
	if (setpgid(0, 0) < 0 || place_descriptors(s) < 0)
		return;
	execve(path, argv, env);
}

pid_t spawn(const struct spawn *s)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		become(s);
		_exit(127);
	}
	return pid;
}
