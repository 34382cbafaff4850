/*
 * jail_processes.h: attempts of test_jail.c: processes, rights, memory. Part of that file: it has the headers that are needed here.
 */
#ifndef JAIL_PROCESSES_H
#define JAIL_PROCESSES_H

/* -- Processes and memory -------------------------------------------------------------------------------- */

static int execute(void)
{
	static char name[] = "true", *argv[] = {name, NULL}, *env[] = {NULL};

	execve("/bin/true", argv, env);
	return errno;
}

static int make_child(void)
{
	pid_t pid = fork();

	if (pid < 0)
		return errno;
	if (pid == 0)
		_exit(0);
	return waitpid(pid, NULL, 0) == pid ? 0 : errno;
}

static void *thread(void *arg)
{
	return arg;
}

static int make_thread(void)
{
	pthread_t t;
	int r = pthread_create(&t, NULL, thread, NULL);

	return r != 0 ? r : pthread_join(t, NULL);
}

/*
 * A thread may be allowed; with a namespace of its own it never is. (The kernel takes no such pair: EINVAL.)
 */
static int make_thread_with_namespace(void)
{
	long r = syscall(SYS_clone, CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_NEWUSER, 0, 0, 0, 0);

	return r < 0 && errno == EINVAL ? 0 : errno;
}

static int trace_me(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 ? errno : 0;
}

static int signal_parent(void)
{
	return kill(getppid(), 0) < 0 ? errno : 0;
}

static int read_memory_of_parent(void)
{
	char byte;
	struct iovec ours = {&byte, 1}, theirs = {root, 1};

	return process_vm_readv(getppid(), &ours, 1, &theirs, 1, 0) < 0 ? errno : 0;
}

static int become_root(void)
{
	return setuid(0) < 0 ? errno : 0;
}

static int raise_capability(void)
{
	struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct d[2] = {{1u << CAP_SYS_PTRACE, 1u << CAP_SYS_PTRACE, 0}};

	return syscall(SYS_capset, &h, d) < 0 ? errno : 0;
}

static int new_namespace(void)
{
	return unshare(CLONE_NEWNET) < 0 ? errno : 0;
}

static int become_dumpable(void)
{
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0 ? errno : 0;
}

static int map_executable(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? errno : 0;
}

static int make_executable(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mprotect(p, 4096, PROT_READ | PROT_EXEC) < 0 ? errno : 0;
}

static int raise_limit(void)
{
	struct rlimit rl = {1024, 1024}; /* more than any row has, less than root has */

	return setrlimit(RLIMIT_NOFILE, &rl) < 0 ? errno : 0;
}

static int use_memory(void)
{
	char *p = malloc(64 << 20);

	if (p == NULL)
		return ENOMEM;
	memset(p, 1, 64 << 20);
	p = realloc(p, 128 << 20);
	int r = p == NULL ? ENOMEM : 0;
	free(p);
	return r;
}

static int seal_memory_file(void)
{
	int fd = memfd_create("ir", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int seals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
	int ok = fd >= 0 && write(fd, "SKIR", 4) == 4 && ftruncate(fd, 4096) == 0 &&
		fcntl(fd, F_ADD_SEALS, seals) == 0 && fcntl(fd, F_GET_SEALS) == seals &&
		mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0) != MAP_FAILED;

	return ok ? 0 : errno;
}

static int write_line(void)
{
	daemon_log("a line from inside");
	return 0;
}

/* stdio asks with ioctl() whether the stream is a terminal; the answer may be no, but it must not kill. */
static int print(void)
{
	FILE *f = fdopen(memfd_create("out", MFD_CLOEXEC), "w");

	return f != NULL && fprintf(f, "%s %d %.2f\n", "text", 1, 0.5) > 0 && fclose(f) == 0 ? 0 : errno;
}

#endif
