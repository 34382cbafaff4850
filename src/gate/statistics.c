/*
 * statistics.c: the kernel's figures of the packet queues.
 *
 * Input: /proc/net/netfilter/nfnetlink_queue, which root alone may open: init hands us the descriptor. Text made by the
 * kernel, read as foreign text: bounded, a line that is none is passed over. A line: queue, port, waiting, copy mode, copy
 * range, dropped (queue full), dropped (socket full), last id, 1.
 * Limits: the first 4 KiB, which is 60 queues.
 */
#include "relay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sekisho/daemon.h>

#define TEXT_MAX 4096
#define COLUMNS 7

static bool take_line(const char *line, uint32_t ret[COLUMNS])
{
	for (unsigned i = 0; i < COLUMNS; i++) {
		char *end;
		errno = 0;
		unsigned long v = strtoul(line, &end, 10);
		if (end == line || errno != 0 || v > UINT32_MAX)
			return false;
		ret[i] = (uint32_t)v;
		line = end;
	}
	return true;
}

void relay_statistics_parse(const char *text, size_t n, struct queue_line ret[LIMIT_SEGMENTS])
{
	char line[256];
	uint32_t column[COLUMNS];

	for (unsigned i = 0; i < LIMIT_SEGMENTS; i++)
		ret[i] = (struct queue_line){0, 0};
	while (n > 0) {
		const char *end = memchr(text, '\n', n);
		size_t len = end != NULL ? (size_t)(end - text) : n;
		if (len < sizeof(line)) {
			memcpy(line, text, len);
			line[len] = '\0';
			if (take_line(line, column) && column[0] >= DAEMON_QUEUE && column[0] < DAEMON_QUEUE + LIMIT_SEGMENTS)
				ret[column[0] - DAEMON_QUEUE] = (struct queue_line){column[2], column[5] + column[6]};
		}
		text += len + (end != NULL);
		n -= len + (end != NULL);
	}
}

bool relay_statistics(int fd, struct queue_line ret[LIMIT_SEGMENTS])
{
	char text[TEXT_MAX];
	ssize_t n = fd >= 0 ? pread(fd, text, sizeof(text), 0) : -1;

	if (n < 0)
		return false;
	relay_statistics_parse(text, (size_t)n, ret);
	return true;
}
