/*
 * learn.c: the table as lines of text.
 *
 *	sekisho-learn 1 SINCE
 *	CLIENT SERVER PROTO PORT APPLICATION FLOWS PACKETS BYTES FIRST LAST [NAME ...]
 *
 * Input: a file that the user named and may have edited. Limits: LINE_BYTES a line, the table's own for entries and names.
 * A line that is none of these ends the reading and is told by its number: nothing is guessed.
 */
#include "learn.h"

#include "words.h"

#include <sekisho/buf.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_BYTES 4096
#define WORDS_MAX (10 + TRAFFIC_NAMES)

static bool number(const char *s, uint64_t max, uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoull(s, &end, 10);
	return errno == 0 && s[0] >= '0' && s[0] <= '9' && *end == '\0' && *ret <= max;
}

static bool application_of(const char *word, uint8_t *ret)
{
	for (unsigned a = 0; a < APP_END; a++) {
		if (strcmp(application_word((enum application)a), word) == 0) {
			*ret = (uint8_t)a;
			return true;
		}
	}
	return false;
}

static bool read_talk(char *const *w, size_t n, struct talk *ret)
{
	struct buf service = {0};
	struct question q = {.proto = 0};
	uint64_t v[5];

	if (n < 10 || !addr_parse(w[0], &ret->client) || !addr_parse(w[1], &ret->server) ||
		ret->client.family != ret->server.family)
		return false;
	buf_printf(&service, "%s/%s", w[2], w[3]);
	bool known = words_parse_service(buf_str(&service), ret->client.family, &q);
	buf_free(&service);
	if (!known || !application_of(w[4], &ret->application))
		return false;
	for (size_t i = 0; i < 5; i++)
		if (!number(w[5 + i], i == 0 ? UINT32_MAX : INT64_MAX, &v[i]))
			return false;
	ret->l4 = q.proto;
	ret->port = q.dport;
	ret->flows = (uint32_t)v[0];
	ret->packets = v[1];
	ret->bytes = v[2];
	ret->first = (int64_t)v[3];
	ret->last = (int64_t)v[4];
	return true;
}

static bool read_line(char *line, bool first, struct traffic *t, int64_t *ret_since)
{
	char *w[WORDS_MAX], *save = NULL;
	struct talk like = {.flows = 0};
	uint64_t since;
	size_t n = 0;

	for (char *p = strtok_r(line, " \n", &save); p != NULL && n < WORDS_MAX; p = strtok_r(NULL, " \n", &save))
		w[n++] = p;
	if (first) {
		if (n != 3 || strcmp(w[0], "sekisho-learn") != 0 || strcmp(w[1], "1") != 0 || !number(w[2], INT64_MAX, &since))
			return false;
		*ret_since = (int64_t)since;
		return true;
	}
	if (!read_talk(w, n, &like))
		return false;
	traffic_add(t, &like, n > 10 ? w[10] : "");
	like.flows = 0;
	like.packets = like.bytes = 0;
	for (size_t i = 11; i < n; i++)
		traffic_add(t, &like, w[i]);
	return true;
}

int learn_load(int fd, struct traffic *t, int64_t *ret_since)
{
	int copy = dup(fd), line_number = 0;
	FILE *f = copy < 0 ? NULL : fdopen(copy, "r");
	char line[LINE_BYTES];
	bool good = true;

	if (f == NULL)
		return -errno;
	while (good && fgets(line, sizeof(line), f) != NULL) {
		line_number++;
		good = strchr(line, '\n') != NULL && read_line(line, line_number == 1, t, ret_since);
	}
	int r = ferror(f) ? -EIO : good ? 0 : line_number;
	fclose(f);
	return r;
}

/* A server name is the network's: only plain visible characters go into the file. */
static bool is_plain(const char *s)
{
	for (; *s != '\0'; s++)
		if (*s <= ' ' || *s > '~')
			return false;
	return true;
}

static void put_talk(struct buf *b, const struct talk *e)
{
	char client[ADDR_TEXT_MAX], server[ADDR_TEXT_MAX], proto[8];

	buf_printf(b, "%s %s %s %u %s ", addr_format(&e->client, client), addr_format(&e->server, server),
		words_protocol(e->l4, proto), e->port, application_word((enum application)e->application));
	buf_printf(b, "%" PRIu32 " %" PRIu64 " %" PRIu64 " %" PRId64 " %" PRId64, e->flows, e->packets, e->bytes, e->first,
		e->last);
	for (unsigned i = 0; i < e->nnames; i++)
		if (is_plain(e->names[i]))
			buf_printf(b, " %s", e->names[i]);
	buf_addc(b, '\n');
}

int learn_save(int fd, const struct traffic *t, int64_t since)
{
	struct buf b = {0};
	int r = 0;

	buf_printf(&b, "sekisho-learn 1 %" PRId64 "\n", since);
	for (size_t i = 0; i < traffic_count(t); i++)
		put_talk(&b, traffic_at(t, i));
	for (size_t at = 0; r == 0 && at < b.len;) {
		ssize_t n = pwrite(fd, b.data + at, b.len - at, (off_t)at);
		if (n < 0 && errno != EINTR)
			r = -errno;
		else if (n > 0)
			at += (size_t)n;
	}
	if (r == 0 && (ftruncate(fd, (off_t)b.len) < 0 || fsync(fd) < 0))
		r = -errno;
	buf_free(&b);
	return r;
}
