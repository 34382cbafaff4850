/*
 * script.c: runs conversations. See script.h.
 */
#include "script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t unhex(const char *digits, uint8_t *out, size_t max)
{
	size_t n = 0;
	int high = -1;

	for (; *digits != '\0'; digits++) {
		int v = *digits >= '0' && *digits <= '9'   ? *digits - '0'
			: *digits >= 'a' && *digits <= 'f' ? *digits - 'a' + 10
			: *digits >= 'A' && *digits <= 'F' ? *digits - 'A' + 10
							   : -1;
		if (v < 0)
			continue;
		if (high < 0) {
			high = v;
			continue;
		}
		if (n == max)
			abort();
		out[n++] = (uint8_t)(high << 4 | v);
		high = -1;
	}
	return n;
}

size_t script_load(const char *name, struct line *lines, size_t max)
{
	static uint8_t bytes[1 << 18];
	static size_t used;
	char path[4096];
	size_t n = 0;

	snprintf(path, sizeof(path), "%s/%s", SEKISHO_CORPUS, name);
	FILE *f = fopen(path, "rb");
	if (f == NULL) {
		printf("cannot read %s\n", path);
		exit(1);
	}
	struct reader r = reader_init(bytes + used, fread(bytes + used, 1, sizeof(bytes) - used, f));
	fclose(f);
	used += reader_left(&r);
	if (used == sizeof(bytes)) {
		printf("too many conversations: %s\n", path);
		exit(1);
	}
	while (reader_left(&r) > 3 && n < max) {
		uint8_t head = reader_u8(&r);
		size_t len = reader_be16(&r);
		lines[n++] = (struct line){(head & 0x80) != 0 ? 's' : 'c', (const char *)reader_bytes(&r, len), len};
	}
	return n;
}

static unsigned side_of(char who)
{
	return who == 's' || who == 'S' ? VERIFY_SERVER : VERIFY_CLIENT;
}

struct run {
	struct judge j;
	struct judge_context x;
	struct outcome o;
	size_t said;
};

static void start(struct run *r, enum application app, const struct verify_policy *policy)
{
	static struct addr client, server;

	addr_parse("10.1.0.5", &client);
	addr_parse("10.2.0.8", &server);
	*r = (struct run){.x = {.pool = pool_new(1 << 20), .client = &client, .server = &server}};
	const struct verifier *v = verifier_of(app);
	r->x.server_port = v != NULL ? v->ports[0] : 0;
	judge_init(&r->j, v, policy);
}

static bool note(struct run *r, enum verify_status s, size_t line)
{
	if (r->x.name_n > 0) {
		memcpy(r->o.name, r->x.name, r->x.name_n);
		r->o.name[r->x.name_n] = '\0';
	}
	if (r->x.has_pinhole) {
		r->o.has_pinhole = true;
		r->o.pinhole = r->x.pinhole;
	}
	r->o.status = s;
	r->o.level = r->j.level;
	r->o.why = r->j.why;
	r->o.line = line;
	r->o.bytes = r->said;
	return s != VERIFY_ACCEPT && s != VERIFY_REFUSE;
}

static struct outcome run(enum application app, const struct verify_policy *policy, const struct line *lines, size_t n,
	size_t piece)
{
	static uint8_t bytes[1 << 17];
	struct run r;
	bool on = true;

	start(&r, app, policy);
	for (size_t i = 0; i < n && on; i++) {
		size_t len = lines[i].n;
		if (len == 0)
			len = unhex(lines[i].text, bytes, sizeof(bytes));
		else
			memcpy(bytes, lines[i].text, len);
		bool ends = lines[i].who < 'a';
		for (size_t at = 0; on && (at < len || (ends && len == 0)); at += piece) {
			size_t k = len - at < piece ? len - at : piece;
			r.said += k;
			on = note(&r, judge_stream(&r.j, &r.x, side_of(lines[i].who), bytes + at, k, ends && at + k == len), i);
			if (len == 0)
				break;
		}
	}
	judge_release(&r.j, r.x.pool);
	if (pool_used(r.x.pool) != 0) {
		printf("memory of the pool was not given back\n");
		exit(1);
	}
	pool_free(r.x.pool);
	return r.o;
}

static void tell(const char *what, const struct outcome *o)
{
	printf("  %s: status %u level %u %s line %zu \"%s\"\n", what, o->status, o->level, inspect_why_word(o->why), o->line, o->name);
}

struct outcome script_run(enum application app, const struct verify_policy *policy, const struct line *lines, size_t n)
{
	struct outcome whole = run(app, policy, lines, n, SIZE_MAX);

	for (size_t piece = 1; piece <= 7; piece += 6) {
		struct outcome o = run(app, policy, lines, n, piece);
		if (o.status != whole.status || o.level != whole.level || o.why != whole.why || o.line != whole.line ||
			strcmp(o.name, whole.name) != 0 || o.has_pinhole != whole.has_pinhole) {
			printf("%s: the pieces of %zu bytes change the answer\n", application_word(app), piece);
			tell("whole", &whole);
			tell("pieces", &o);
			exit(1);
		}
	}
	return whole;
}

struct outcome script_datagrams(enum application app, const struct verify_policy *policy, const struct line *lines, size_t n,
	unsigned gap_ms)
{
	static uint8_t bytes[65536];
	struct run r;
	bool on = true;

	start(&r, app, policy);
	for (size_t i = 0; i < n && on; i++) {
		size_t len = lines[i].n;
		if (len == 0)
			len = unhex(lines[i].text, bytes, sizeof(bytes));
		else
			memcpy(bytes, lines[i].text, len);
		r.said += len;
		on = note(&r, judge_datagram(&r.j, &r.x, side_of(lines[i].who), bytes, len), i);
		r.x.now += (int64_t)gap_ms * 1000000;
	}
	pool_free(r.x.pool);
	return r.o;
}

void script_no_prefix_refused(enum application app, const struct verify_policy *policy, const struct line *lines, size_t n)
{
	struct outcome o = run(app, policy, lines, n, 1);

	if (o.status == VERIFY_REFUSE) {
		printf("%s: refused (%s) in line %zu after %zu bytes\n", application_word(app), inspect_why_word(o.why), o.line, o.bytes);
		exit(1);
	}
}

static size_t plain(const struct line *l, uint8_t *out, size_t max)
{
	if (l->n == 0)
		return unhex(l->text, out, max);
	memcpy(out, l->text, l->n);
	return l->n;
}

size_t script_edits(enum application app, const struct verify_policy *policy, const struct line *lines, size_t n,
	const struct edit *edits, size_t nedits, bool datagrams)
{
	static uint8_t bytes[1 << 16];
	struct line edited[64];
	size_t wrong = 0;

	for (size_t i = 0; i < nedits; i++) {
		const struct edit *e = &edits[i];
		memcpy(edited, lines, n * sizeof(*lines));
		size_t len = plain(&lines[e->line], bytes, sizeof(bytes) / 2);
		size_t end = e->at + unhex(e->hex, bytes + e->at, sizeof(bytes) / 2);
		edited[e->line].text = (const char *)bytes;
		edited[e->line].n = end > len ? end : len;
		struct outcome o = datagrams ? script_datagrams(app, policy, edited, n, 1) : script_run(app, policy, edited, n);
		if (o.why == e->why && (o.status == VERIFY_REFUSE || o.status == VERIFY_DROP) == (e->why != WHY_NONE))
			continue;
		printf("edit %zu (line %zu at %zu): expected %s\n", i, e->line, e->at, inspect_why_word(e->why));
		tell("got", &o);
		wrong++;
	}
	return wrong;
}

static bool as_wanted(const struct outcome *o, bool as, const char *what)
{
	if (!as)
		tell(what, o);
	return as;
}

bool script_refuses(enum application app, const struct verify_policy *policy, const struct line *lines, size_t n,
	enum inspect_why why)
{
	struct outcome o = script_run(app, policy, lines, n);

	return as_wanted(&o, o.status == VERIFY_REFUSE && o.why == why && o.line == n - 1, "not refused as it should be");
}

bool script_decides(enum application app, const struct verify_policy *policy, const struct line *lines, size_t n,
	enum verify_status status)
{
	script_no_prefix_refused(app, policy, lines, n);
	struct outcome before = script_run(app, policy, lines, n - 1), o = script_run(app, policy, lines, n);

	return as_wanted(&before, before.status == VERIFY_MORE, "decided too early") &&
	       as_wanted(&o, o.status == status && o.level == LEVEL_RELATES && o.line == n - 1, "not decided as it should be");
}

struct ends {
	uint8_t bytes[2][16384];
	struct verify v;
	_Alignas(8) uint8_t state[VERIFY_STATE_BYTES];
};

/* Calls the verifier until it uses nothing more. */
static enum verify_status let_read(const struct verifier *verifier, struct ends *e)
{
	uint32_t used;

	do {
		e->v.side[0].used = e->v.side[1].used = 0;
		enum verify_status status = verifier->stream(&e->v);
		if (status != VERIFY_MORE && status != VERIFY_DECIDED && status != VERIFY_HANDOVER)
			return status;
		for (int i = 0; i < 2; i++) {
			struct verify_side *s = &e->v.side[i];
			s->n -= s->used;
			memmove(e->bytes[i], e->bytes[i] + s->used, s->n);
		}
		used = e->v.side[0].used + e->v.side[1].used;
		if (status == VERIFY_HANDOVER)
			return status;
	} while (used > 0);
	return VERIFY_MORE;
}

bool script_hands_over(enum application app, const struct verify_policy *policy, const struct line *lines, size_t n)
{
	static struct ends e;
	static uint8_t bytes[16384];
	struct addr client, server;

	addr_parse("10.1.0.5", &client);
	addr_parse("10.2.0.8", &server);
	memset(&e, 0, sizeof(e));
	e.v = (struct verify){.policy = policy, .client = &client, .server = &server, .state = e.state};
	for (size_t i = 0; i < n; i++) {
		size_t len = lines[i].n;
		if (len == 0)
			len = unhex(lines[i].text, bytes, sizeof(bytes));
		else
			memcpy(bytes, lines[i].text, len);
		unsigned from = side_of(lines[i].who);
		e.v.from = (uint8_t)from;
		for (size_t k = 0; k < len; k++) {
			struct verify_side *s = &e.v.side[from];
			s->p = e.bytes[from];
			e.bytes[from][s->n++] = bytes[k];
			enum verify_status status = let_read(verifier_of(app), &e);
			if (status != VERIFY_MORE)
				return status == VERIFY_HANDOVER && e.v.next == APP_TLS && i == n - 1 && k == len - 1 &&
				       e.v.side[0].n + e.v.side[1].n == 0;
		}
	}
	return false;
}
