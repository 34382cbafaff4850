/*
 * toy.c: the table of verifiers of the core's tests. See toy.h.
 */
#include "toy.h"

#include "verifiers.h"

struct toy {
	bool asked, forbidden;
	uint8_t n;
	uint8_t question[64];
};
VERIFY_STATE(struct toy);

/* A message of this letter; NULL when it is not all there or wrong. */
static const uint8_t *message(struct cursor *c, char letter, uint8_t *ret_n)
{
	uint8_t first = cursor_u8(c);

	cursor_must(c, first == (uint8_t)letter, WHY_PROTOCOL);
	*ret_n = cursor_u8(c);
	cursor_must(c, *ret_n <= 64, WHY_LENGTH);
	return cursor_bytes(c, *ret_n);
}

static enum verify_status ask(struct verify *v, struct toy *s)
{
	struct verify_side *side = &v->side[VERIFY_CLIENT];
	struct cursor c = cursor_init(side->p, side->n);
	uint8_t n;

	if (v->side[VERIFY_SERVER].n > 0)
		return verify_refuse(v, WHY_ORDER);
	const uint8_t *p = message(&c, 'Q', &n);
	if (c.why == WHY_NONE && side->n > 0 && v->level < LEVEL_PREFIX)
		v->level = LEVEL_PREFIX;
	if (p == NULL)
		return verify_stopped(v, &c);
	s->asked = true;
	s->n = n;
	memcpy(s->question, p, n);
	side->used = 2u + n;
	return v->level == LEVEL_RELATES ? VERIFY_DECIDED : VERIFY_MORE;
}

static enum verify_status answer(struct verify *v, struct toy *s, bool accepts)
{
	struct verify_side *side = &v->side[VERIFY_SERVER];
	struct cursor c = cursor_init(side->p, side->n);
	uint8_t n;
	const uint8_t *p = message(&c, 'A', &n);

	if (p == NULL) {
		enum verify_status status = verify_stopped(v, &c);
		return status == VERIFY_MORE && v->level == LEVEL_RELATES ? VERIFY_DECIDED : status;
	}
	if (n != s->n || memcmp(p, s->question, n) != 0)
		return verify_refuse(v, WHY_ANSWER_OTHER);
	side->used = 2u + n;
	s->asked = false;
	v->level = LEVEL_RELATES;
	memcpy(v->name, "toy", 3);
	v->name_n = 3;
	return accepts ? VERIFY_ACCEPT : VERIFY_DECIDED;
}

static enum verify_status stream(struct verify *v, bool accepts)
{
	struct toy *s = v->state;

	if (v->policy->server_names.n > 0 && s->asked && !verify_name_allowed(&v->policy->server_names, "toy", 3))
		return verify_refuse(v, WHY_SERVER_NAME);
	enum verify_status status = s->asked ? answer(v, s, accepts) : ask(v, s);
	if (status == VERIFY_MORE && v->level == LEVEL_RELATES)
		status = VERIFY_DECIDED;
	return status;
}

static enum verify_status stream_accepts(struct verify *v)
{
	return stream(v, true);
}

static enum verify_status stream_watches(struct verify *v)
{
	return stream(v, false);
}

static enum verify_status stream_pinholes(struct verify *v)
{
	struct toy *s = v->state;
	bool asked = s->asked;
	enum verify_status status = stream(v, false);

	if (!asked && s->asked && s->n == 1 && (s->question[0] == '!' || s->question[0] == '?')) {
		v->has_pinhole = true;
		v->pinhole = (struct inspect_pinhole){*v->client, *v->server, s->question[0] == '!' ? 2000 : 22, 0};
	}
	return status;
}

/* Uses all but the last byte: what is used must not matter. */
static enum verify_status stream_never(struct verify *v)
{
	for (unsigned i = 0; i < 2; i++)
		v->side[i].used = v->side[i].n > 0 ? v->side[i].n - 1 : 0;
	return VERIFY_MORE;
}

static enum verify_status datagram(struct verify *v)
{
	struct toy *s = v->state;
	struct cursor c = cursor_init(v->side[v->from].p, v->side[v->from].n);
	uint8_t n;
	const uint8_t *p = message(&c, v->from == VERIFY_CLIENT ? 'Q' : 'A', &n);

	if (p == NULL || c.p != c.end)
		return verify_refuse(v, c.why != WHY_NONE ? c.why : WHY_LENGTH);
	if (v->from == VERIFY_CLIENT) {
		s->asked = true;
		s->n = n;
		memcpy(s->question, p, n);
		if (v->level < LEVEL_PREFIX)
			v->level = LEVEL_PREFIX;
	} else if (!s->asked || n != s->n || memcmp(p, s->question, n) != 0) {
		return verify_drop(v, WHY_ANSWER_OTHER);
	} else {
		v->level = LEVEL_RELATES;
	}
	return v->level == LEVEL_RELATES ? VERIFY_DECIDED : VERIFY_MORE;
}

static const struct verifier table[] = {
	{APP_SSH, stream_accepts, NULL, {22}},
	{APP_SMTP, stream_watches, NULL, {25}},
	{APP_FTP, stream_pinholes, NULL, {21}},
	{APP_DNS, NULL, datagram, {53}},
	{APP_POP3, stream_never, NULL, {0}},
};

const struct verifier *verifier_table(size_t *ret_n)
{
	*ret_n = sizeof(table) / sizeof(table[0]);
	return table;
}

const struct verifier *verifier_of(enum application a)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].application == a)
			return &table[i];
	return NULL;
}

bool verify_name_allowed(const struct verify_list *list, const char *name, size_t n)
{
	for (uint32_t i = 0; i < list->n; i++)
		if (strlen(list->v[i]) == n && memcmp(list->v[i], name, n) == 0)
			return true;
	return list->n == 0;
}
