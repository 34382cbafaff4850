/*
 * hearing.c: asks one verifier about a conversation, turn by turn.
 *
 * Input: bytes of the network, bounded by who brings them. The policy is the widest: every option that allows something,
 * no name demanded.
 */
#include "hearing.h"

#include <string.h>

/* Those of VERIFY_OPTIONS that allow more; the others (no-data, starttls-required) demand. */
#define WIDEST (VERIFY_ECH | VERIFY_CONNECT | VERIFY_UPGRADE | VERIFY_SMB1_NEGOTIATE | VERIFY_ACTIVE_DATA | VERIFY_FAST_OPEN | \
		VERIFY_STANDARD_SECURITY | VERIFY_TRAPS | VERIFY_UPDATES)

/* Who speaks is not the question here. */
static const struct addr somebody = {.family = 4, .b = {192, 0, 2, 1}}, another = {.family = 4, .b = {192, 0, 2, 2}};

void heard_begin(struct heard *m, const struct verifier *verifier)
{
	*m = (struct heard){.named = (uint8_t)verifier->application, .reader = (uint8_t)verifier->application, .alive = true};
}

void hearing_begin(struct hearing *h, const uint8_t *const p[2], bool datagrams, uint16_t server_port)
{
	for (unsigned i = 0; i < 2; i++) {
		h->p[i] = p[i];
		h->at[i] = h->n[i] = 0;
		h->ended[i] = false;
	}
	h->datagrams = datagrams;
	h->server_port = server_port;
	h->name_n = 0;
	h->policy = (struct verify_policy){.options = WIDEST};
}

void hearing_resume(struct hearing *h, const uint32_t told[2])
{
	h->n[0] = told[0];
	h->n[1] = told[1];
}

static void question(struct hearing *h, struct heard *m, unsigned from)
{
	struct verify *v = &h->v;

	h->policy.application = m->named;
	v->policy = &h->policy;
	v->from = (uint8_t)from;
	v->client = &somebody;
	v->server = &another;
	v->server_port = h->server_port;
	v->now = 0;
	v->rates = NULL;
	v->state = m->state;
	v->level = m->level;
	v->why = WHY_NONE;
	v->content = false;
	v->next = APP_NONE;
	v->name_n = 0;
	v->has_pinhole = false;
}

/* The application goes on inside of another (TLS), which has yet to be heard; that far both sides agreed. */
static void hand_over(struct hearing *h, struct heard *m)
{
	const struct verifier *next = verifier_of(h->v.next);

	m->reader = (uint8_t)h->v.next;
	memset(m->state, 0, sizeof(m->state));
	m->level = LEVEL_NONE;
	m->alive = next != NULL && next->stream != NULL;
}

static void answer(struct hearing *h, struct heard *m, enum verify_status status)
{
	m->level = (uint8_t)h->v.level;
	h->dropped = status == VERIFY_DROP;
	if (h->v.name_n > 0) {
		memcpy(h->name, h->v.name, h->v.name_n);
		h->name_n = h->v.name_n;
	}
	if (status == VERIFY_REFUSE || (status == VERIFY_DROP && m->level == LEVEL_NONE))
		m->alive = false;
	if (status == VERIFY_HANDOVER)
		hand_over(h, m);
	else if (m->alive && m->level == LEVEL_RELATES)
		m->final = true;
}

/* The verifier is asked while it uses what it is shown. */
static void ask_stream(struct hearing *h, struct heard *m, unsigned from)
{
	uint8_t reader;
	uint32_t used;

	do {
		reader = m->reader;
		question(h, m, from);
		for (unsigned i = 0; i < 2; i++)
			h->v.side[i] = (struct verify_side){h->p[i] + h->at[i], h->n[i] - h->at[i], 0, h->ended[i]};
		answer(h, m, verifier_of(reader)->stream(&h->v));
		used = h->v.side[0].used + h->v.side[1].used;
		for (unsigned i = 0; i < 2; i++)
			h->at[i] += h->v.side[i].used;
	} while (m->alive && !m->final && (used > 0 || reader != m->reader) && h->at[0] + h->at[1] < h->n[0] + h->n[1]);
}

static void ask_datagram(struct hearing *h, struct heard *m, unsigned from, uint32_t n)
{
	question(h, m, from);
	h->v.side[from] = (struct verify_side){h->p[from] + h->n[from], n, 0, true};
	h->v.side[!from] = (struct verify_side){0};
	answer(h, m, verifier_of(m->reader)->datagram(&h->v));
	h->n[from] += n;
	h->at[from] = h->n[from];
}

void hearing_turn(struct hearing *h, struct heard *m, unsigned from, uint32_t n)
{
	if (!m->alive || m->final)
		return;
	if (h->datagrams) {
		ask_datagram(h, m, from, n);
		return;
	}
	h->n[from] += n;
	ask_stream(h, m, from);
}

void hearing_ended(struct hearing *h, struct heard *m, const bool ended[2])
{
	for (unsigned side = 0; side < 2 && !h->datagrams; side++) {
		if (!ended[side] || !m->alive || m->final)
			continue;
		h->ended[side] = true;
		ask_stream(h, m, side);
	}
}
