/*
 * tls_play.c: both ends of many TLS conversations that were recorded once: for measuring what stands between them.
 *
 * usage: tls_play server ADDRESS PORT DIR [BYTES]
 *        tls_play client ADDRESS PORT DIR SECONDS PARALLEL [BYTES]
 *
 * DIR holds what each side says: client1, server1, client2 (tools/bench takes them from a capture of our own). With BYTES
 * the server then sends so many bytes as TLS records of 16 KiB on each connection. No cryptography is done: the bytes are
 * right on the wire. The client prints one line of JSON: connections, seconds, bytes, failed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TEXT_MAX 65536
#define RECORD 16384
#define PARALLEL_MAX 4096

struct text {
	uint8_t p[TEXT_MAX];
	size_t n;
};

static struct text client1, server1, client2;
static uint8_t records[64 * (RECORD + 5)];
static uint64_t bulk;

/* One connection: how far each side is. */
struct talk {
	int fd;
	size_t got, sent; /* in the present step */
	unsigned step;
	uint64_t bulk;
};

static void load(const char *dir, const char *name, struct text *t)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, t->p, sizeof(t->p));
	if (n <= 0) {
		perror(path);
		exit(2);
	}
	t->n = (size_t)n;
	close(fd);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct sockaddr_in where(const char *address, const char *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};

	if (inet_pton(AF_INET, address, &a.sin_addr) != 1)
		exit(2);
	return a;
}

/* 1: all of it went; 0: later; -1: broken. */
static int say(struct talk *t, const uint8_t *p, size_t n)
{
	while (t->sent < n) {
		ssize_t k = send(t->fd, p + t->sent, n - t->sent, MSG_NOSIGNAL);
		if (k < 0)
			return errno == EAGAIN ? 0 : -1;
		t->sent += (size_t)k;
	}
	return 1;
}

static int hear(struct talk *t, size_t n)
{
	static uint8_t sink[1 << 18];

	while (t->got < n) {
		size_t want = n - t->got < sizeof(sink) ? n - t->got : sizeof(sink);
		ssize_t k = recv(t->fd, sink, want, 0);
		if (k == 0)
			return -1;
		if (k < 0)
			return errno == EAGAIN ? 0 : -1;
		t->got += (size_t)k;
	}
	return 1;
}

static int say_bulk(struct talk *t)
{
	while (t->bulk < bulk) {
		size_t at = (size_t)(t->bulk % sizeof(records)), n = sizeof(records) - at;
		if (n > bulk - t->bulk)
			n = (size_t)(bulk - t->bulk);
		ssize_t k = send(t->fd, records + at, n, MSG_NOSIGNAL);
		if (k < 0)
			return errno == EAGAIN ? 0 : -1;
		t->bulk += (uint64_t)k;
	}
	return 1;
}

static int server_step(struct talk *t)
{
	switch (t->step) {
	case 0:
		return hear(t, client1.n);
	case 1:
		return say(t, server1.p, server1.n);
	case 2:
		return hear(t, client2.n);
	case 3:
		return say_bulk(t);
	default: /* the client closes first, so that it keeps the waiting connections */
		return hear(t, SIZE_MAX);
	}
}

static int client_step(struct talk *t)
{
	switch (t->step) {
	case 0:
		return say(t, client1.p, client1.n);
	case 1:
		return hear(t, server1.n);
	case 2:
		return say(t, client2.p, client2.n);
	case 3:
		return hear(t, bulk);
	default:
		return -2; /* done */
	}
}

/* Goes as far as it can: 0 = waits, -1 = broken, -2 = done. */
static int go_on(struct talk *t, int (*step)(struct talk *))
{
	int r;

	while ((r = step(t)) == 1) {
		t->step++;
		t->got = t->sent = 0;
	}
	return r;
}

static void serve(const char *address, const char *port)
{
	struct sockaddr_in a = where(address, port);
	int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), e = epoll_create1(0);
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = NULL}, got[256];

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(listener, 4096) < 0) {
		perror("listen");
		exit(3);
	}
	epoll_ctl(e, EPOLL_CTL_ADD, listener, &ev);
	puts("ready");
	fflush(stdout);
	for (;;) {
		int n = epoll_wait(e, got, 256, -1);
		for (int i = 0; i < n; i++) {
			struct talk *t = got[i].data.ptr;
			int fd;
			if (t != NULL) {
				if (go_on(t, server_step) < 0) {
					close(t->fd);
					free(t);
				}
				continue;
			}
			while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
				t = calloc(1, sizeof(*t));
				if (t == NULL)
					exit(3);
				t->fd = fd;
				ev = (struct epoll_event){.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = t};
				epoll_ctl(e, EPOLL_CTL_ADD, fd, &ev);
			}
		}
	}
}

static void begin(struct talk *t, int e, const struct sockaddr_in *a)
{
	struct linger at_once = {1, 0};
	struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = t};

	*t = (struct talk){.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
	/* A reset at the end: the ports are free again. */
	setsockopt(t->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	if (connect(t->fd, (const struct sockaddr *)a, sizeof(*a)) < 0 && errno != EINPROGRESS) {
		perror("connect");
		exit(3);
	}
	epoll_ctl(e, EPOLL_CTL_ADD, t->fd, &ev);
}

static void call(const char *address, const char *port, double seconds, unsigned parallel)
{
	static struct talk talks[PARALLEL_MAX];
	struct sockaddr_in a = where(address, port);
	struct epoll_event got[256];
	int e = epoll_create1(0);
	double start = now();
	uint64_t done = 0, failed = 0;

	for (unsigned i = 0; i < parallel; i++)
		begin(&talks[i], e, &a);
	while (now() - start < seconds) {
		int n = epoll_wait(e, got, 256, 100);
		for (int i = 0; i < n; i++) {
			struct talk *t = got[i].data.ptr;
			int r = (got[i].events & EPOLLOUT) != 0 || t->step > 0 ? go_on(t, client_step) : 0;
			if (r == 0)
				continue;
			done += r == -2;
			failed += r == -1;
			close(t->fd);
			begin(t, e, &a);
		}
	}
	double took = now() - start;
	printf("{\"connections\":%llu,\"failed\":%llu,\"seconds\":%.3f,\"bytes\":%llu}\n", (unsigned long long)done,
		(unsigned long long)failed, took, (unsigned long long)(done * bulk));
}

int main(int argc, char **argv)
{
	bool server = argc >= 5 && strcmp(argv[1], "server") == 0;

	if (argc < (server ? 5 : 7))
		return 2;
	load(argv[4], "client1", &client1);
	load(argv[4], "server1", &server1);
	load(argv[4], "client2", &client2);
	for (size_t i = 0; i < sizeof(records); i += RECORD + 5)
		memcpy(records + i, (const uint8_t[]){23, 3, 3, RECORD >> 8, RECORD & 255}, 5);
	int at = server ? 5 : 7;
	bulk = argc > at ? strtoull(argv[at], NULL, 10) : 0;
	if (server)
		serve(argv[2], argv[3]);
	unsigned parallel = (unsigned)atoi(argv[6]);
	call(argv[2], argv[3], atof(argv[5]), parallel > PARALLEL_MAX ? PARALLEL_MAX : parallel);
	return 0;
}
