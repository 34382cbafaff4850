/*
 * net_sample.c: what the kernel loses where no rule of ours sees it: IP layer, connection table, interfaces.
 *
 * Input: text of /proc/net, made by the kernel, read as foreign text: files are read up to SAMPLE_MAX bytes, lines
 * and words are bounded, an unknown or malformed line is passed over. Absolute counters become differences; a
 * counter that went back (a reset, a new interface of an old name) begins anew.
 */
#include "net_sample.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SAMPLE_MAX 65536
#define WORD_MAX 64

/* Which counters are losses. `group` is what the record says. */
static const struct {
	const char *group, *name;
} watched[] = {
	{"ip", "Ip.InHdrErrors"}, {"ip", "Ip.InAddrErrors"}, {"ip", "Ip.InUnknownProtos"}, {"ip", "Ip.InDiscards"},
	{"ip", "Ip.OutDiscards"}, {"ip", "Ip.OutNoRoutes"}, {"ip", "Ip.ReasmFails"}, {"ip", "Ip.FragFails"},
	{"ip", "IpExt.InNoRoutes"}, {"ip", "IpExt.InTruncatedPkts"}, {"ip", "IpExt.InCsumErrors"},
	{"ip", "TcpExt.IPReversePathFilter"},
	{"ip6", "Ip6InHdrErrors"}, {"ip6", "Ip6InTooBigErrors"}, {"ip6", "Ip6InNoRoutes"}, {"ip6", "Ip6InAddrErrors"},
	{"ip6", "Ip6InUnknownProtos"}, {"ip6", "Ip6InTruncatedPkts"}, {"ip6", "Ip6InDiscards"},
	{"ip6", "Ip6OutDiscards"}, {"ip6", "Ip6OutNoRoutes"}, {"ip6", "Ip6ReasmFails"}, {"ip6", "Ip6FragFails"},
	{"conntrack", "ct.insert_failed"}, {"conntrack", "ct.drop"}, {"conntrack", "ct.early_drop"},
};
#define NWATCHED (sizeof(watched) / sizeof(watched[0]))

/* Columns of /proc/net/dev that are losses (after the name): errors and drops of both directions. */
static const struct {
	unsigned column;
	const char *name;
} dev_columns[NET_SAMPLE_DEV_COLUMNS] = {
	{2, "rx-errors"}, {3, "rx-drops"}, {4, "rx-overruns"}, {10, "tx-errors"}, {11, "tx-drops"},
};

struct net_sample_state {
	bool known[NWATCHED];
	uint64_t value[NWATCHED];
	struct {
		char name[LIMIT_IFNAME];
		uint64_t value[NET_SAMPLE_DEV_COLUMNS];
	} dev[NET_LINKS_MAX];
	unsigned ndev;
};

struct net_sample_state *net_sample_new(void)
{
	return calloc(1, sizeof(struct net_sample_state));
}

/* The next word of a line into w (WORD_MAX bytes); NULL at its end. A longer word is cut. */
static const char *next_word(const char *s, const char *end, char *w)
{
	size_t n = 0;

	while (s < end && (*s == ' ' || *s == '\t'))
		s++;
	if (s >= end)
		return NULL;
	for (; s < end && *s != ' ' && *s != '\t'; s++)
		if (n < WORD_MAX - 1)
			w[n++] = *s;
	w[n] = '\0';
	return s;
}

static const char *line_end(const char *s, const char *end)
{
	const char *nl = memchr(s, '\n', (size_t)(end - s));

	return nl != NULL ? nl : end;
}

static bool number(const char *w, int base, uint64_t *ret)
{
	char *end;

	if (*w == '-' || *w == '\0')
		return false;
	errno = 0;
	unsigned long long v = strtoull(w, &end, base);
	if (errno != 0 || *end != '\0')
		return false;
	*ret = v;
	return true;
}

void net_sample_parse_pairs(const char *text, size_t n, net_sample_fn *fn, void *arg)
{
	const char *s = text, *end = text + n;
	char group[WORD_MAX], again[WORD_MAX], name[WORD_MAX], value[WORD_MAX], full[2 * WORD_MAX];

	while (s < end) {
		const char *names_end = line_end(s, end), *values = names_end < end ? names_end + 1 : end;
		const char *values_end = line_end(values, end);
		const char *a = next_word(s, names_end, group), *b = next_word(values, values_end, again);
		s = values_end < end ? values_end + 1 : end;
		size_t len = a == NULL ? 0 : strlen(group); /* 0 also for a word that begins with a NUL */
		if (len == 0 || b == NULL || strcmp(group, again) != 0 || group[len - 1] != ':')
			continue;
		group[len - 1] = '\0';
		while ((a = next_word(a, names_end, name)) != NULL && (b = next_word(b, values_end, value)) != NULL) {
			uint64_t v;
			snprintf(full, sizeof(full), "%s.%s", group, name);
			if (number(value, 10, &v))
				fn(arg, full, v);
		}
	}
}

void net_sample_parse_lines(const char *text, size_t n, net_sample_fn *fn, void *arg)
{
	const char *s = text, *end = text + n;
	char name[WORD_MAX], value[WORD_MAX];

	for (; s < end; s++) {
		const char *e = line_end(s, end), *p = next_word(s, e, name);
		uint64_t v;
		if (p != NULL && next_word(p, e, value) != NULL && number(value, 10, &v))
			fn(arg, name, v);
		s = e;
	}
}

void net_sample_parse_conntrack(const char *text, size_t n, net_sample_fn *fn, void *arg)
{
	const char *end = text + n, *head_end = line_end(text, end);
	char name[WORD_MAX], word[WORD_MAX], full[WORD_MAX + 4];
	unsigned column = 0;

	for (const char *h = text; (h = next_word(h, head_end, name)) != NULL; column++) {
		uint64_t sum = 0, v;
		/* The same column of each CPU's line. */
		for (const char *s = head_end; s < end;) {
			const char *e = line_end(++s, end), *p = s;
			for (unsigned i = 0; i <= column && p != NULL; i++)
				p = next_word(p, e, word);
			if (p != NULL && number(word, 16, &v))
				sum += v;
			s = e;
		}
		snprintf(full, sizeof(full), "ct.%s", name);
		fn(arg, full, sum);
	}
}

void net_sample_parse_dev(const char *text, size_t n, net_sample_dev_fn *fn, void *arg)
{
	const char *s = text, *end = text + n;
	char word[WORD_MAX], name[LIMIT_IFNAME];

	for (; s < end; s++) {
		const char *e = line_end(s, end), *colon = memchr(s, ':', (size_t)(e - s)), *p = s;
		uint64_t v[NET_SAMPLE_DEV_COLUMNS] = {0};
		while (p < e && *p == ' ')
			p++;
		if (colon != NULL && colon > p && (size_t)(colon - p) < sizeof(name)) {
			unsigned column = 0, k = 0;
			memcpy(name, p, (size_t)(colon - p));
			name[colon - p] = '\0';
			for (p = colon + 1; k < NET_SAMPLE_DEV_COLUMNS && (p = next_word(p, e, word)) != NULL; column++)
				if (column == dev_columns[k].column && !number(word, 10, &v[k++]))
					break;
			if (k == NET_SAMPLE_DEV_COLUMNS)
				fn(arg, name, v);
		}
		s = e;
	}
}

/* -- the sample ------------------------------------------------------------------------------------------ */

struct sampling {
	struct net_sample_state *state;
	char text[512];
	size_t len;
	const char *group;
	net_loss_fn *fn;
	void *arg;
};

static void flush(struct sampling *s)
{
	if (s->len > 0)
		s->fn(s->arg, s->group, s->text);
	s->len = 0;
}

static void grew(struct sampling *s, const char *group, const char *name, uint64_t by)
{
	if (s->len > 0 && strcmp(s->group, group) != 0)
		flush(s);
	s->group = group;
	int n = snprintf(s->text + s->len, sizeof(s->text) - s->len, "%s%s +%llu", s->len > 0 ? " " : "", name,
		(unsigned long long)by);
	if (n > 0 && (size_t)n < sizeof(s->text) - s->len)
		s->len += (size_t)n;
}

static void on_value(void *arg, const char *name, uint64_t v)
{
	struct sampling *s = arg;

	for (size_t i = 0; i < NWATCHED; i++) {
		if (strcmp(watched[i].name, name) != 0)
			continue;
		if (s->state->known[i] && v > s->state->value[i]) {
			const char *dot = strchr(name, '.');
			grew(s, watched[i].group, dot != NULL ? dot + 1 : name, v - s->state->value[i]);
		}
		s->state->known[i] = true;
		s->state->value[i] = v;
	}
}

static void on_dev(void *arg, const char *name, const uint64_t v[NET_SAMPLE_DEV_COLUMNS])
{
	struct sampling *s = arg;
	struct net_sample_state *st = s->state;
	unsigned i = 0;

	while (i < st->ndev && strcmp(st->dev[i].name, name) != 0)
		i++;
	if (i == NET_LINKS_MAX)
		return;
	if (i == st->ndev) {
		snprintf(st->dev[st->ndev++].name, LIMIT_IFNAME, "%s", name);
	} else {
		for (unsigned k = 0; k < NET_SAMPLE_DEV_COLUMNS; k++)
			if (v[k] > st->dev[i].value[k])
				grew(s, st->dev[i].name, dev_columns[k].name, v[k] - st->dev[i].value[k]);
	}
	memcpy(st->dev[i].value, v, sizeof(st->dev[i].value));
}

/* The file's text, up to SAMPLE_MAX bytes, in a buffer of this function's; 0 when it cannot be read. */
static size_t read_file(const char *path, const char **ret)
{
	static char text[SAMPLE_MAX];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t n = 0;

	if (fd < 0)
		return 0;
	for (;;) {
		ssize_t k = read(fd, text + n, sizeof(text) - n);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			break;
		n += (size_t)k;
	}
	close(fd);
	*ret = text;
	return n;
}

void net_sample(struct net *n, net_loss_fn *fn, void *arg)
{
	static const struct {
		const char *path;
		void (*parse)(const char *text, size_t n, net_sample_fn *fn, void *arg);
	} files[] = {
		{"/proc/self/net/snmp", net_sample_parse_pairs}, {"/proc/self/net/netstat", net_sample_parse_pairs},
		{"/proc/self/net/snmp6", net_sample_parse_lines},
		{"/proc/self/net/stat/nf_conntrack", net_sample_parse_conntrack},
	};
	struct sampling s = {.state = n->samples, .fn = fn, .arg = arg};
	const char *text;
	size_t size;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if ((size = read_file(files[i].path, &text)) > 0)
			files[i].parse(text, size, on_value, &s);
	if ((size = read_file("/proc/self/net/dev", &text)) > 0)
		net_sample_parse_dev(text, size, on_dev, &s);
	flush(&s);
}

static bool read_number(const char *path, uint32_t *ret)
{
	const char *text;
	char w[WORD_MAX];
	size_t n = read_file(path, &text);
	uint64_t v;

	if (n == 0 || next_word(text, line_end(text, text + n), w) == NULL || !number(w, 10, &v) || v > UINT32_MAX)
		return false;
	*ret = (uint32_t)v;
	return true;
}

bool net_conntrack(uint32_t *ret_count, uint32_t *ret_max)
{
	return read_number("/proc/sys/net/netfilter/nf_conntrack_count", ret_count) &&
	       read_number("/proc/sys/net/netfilter/nf_conntrack_max", ret_max);
}
