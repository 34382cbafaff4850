/*
 * gate.h: an inspector with one policy for everything, that remembers what it said.
 */
#ifndef SEKISHO_TEST_GATE_H
#define SEKISHO_TEST_GATE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "traffic.h"

#define GATE_VERDICTS 70000u

struct gate {
	struct inspector *in;
	const struct verify_policy *policy;
	struct inspect_verdict last;
	unsigned code[8];	 /* how many packets got which code */
	unsigned passed, refused, ended, pinholes;
	struct inspect_flow flow; /* the last that was decided, with its name below */
	struct inspect_flow over; /* the last that ended */
	char name[256], over_name[256];
	struct inspect_pinhole pinhole;
};

static inline const struct verify_policy *gate_policy(void *arg, const struct packet *p, uint32_t *ret_tag)
{
	struct gate *g = arg;

	*ret_tag = p->dport;
	return g->policy;
}

static inline void gate_decided(void *arg, const struct inspect_flow *f)
{
	struct gate *g = arg;

	g->flow = *f;
	snprintf(g->name, sizeof(g->name), "%s", f->server_name);
	g->flow.server_name = g->name;
	if (f->code == INSPECT_REFUSE)
		g->refused++;
	else
		g->passed++;
}

static inline void gate_ended(void *arg, const struct inspect_flow *f)
{
	struct gate *g = arg;

	g->over = *f;
	snprintf(g->over_name, sizeof(g->over_name), "%s", f->server_name);
	g->over.server_name = g->over_name;
	g->ended++;
}

static inline void gate_pinhole(void *arg, const struct inspect_pinhole *h)
{
	struct gate *g = arg;

	g->pinhole = *h;
	g->pinholes++;
}

static inline void gate_open_with(struct gate *g, const struct verify_policy *policy, const struct inspect_options *o,
	bool identify)
{
	struct inspect_hooks h = {g, identify ? NULL : gate_policy, gate_decided, gate_ended, gate_pinhole};

	memset(g, 0, sizeof(*g));
	g->policy = policy;
	g->flow.server_name = g->over.server_name = "";
	g->in = inspector_new(o, &h);
	if (g->in == NULL)
		abort();
}

static inline void gate_open(struct gate *g, const struct verify_policy *policy, bool lenient)
{
	struct inspect_options o = {.flows = 1024, .secret = "0123456789abcde", .lenient = lenient, .keep_passed = true};

	gate_open_with(g, policy, &o, false);
}

static inline struct inspect_verdict gate_frame(struct gate *g, const struct frame *f)
{
	struct packet p = {.at = f->at};

	packet_decode(&p, 1, f->bytes, f->n, f->wire, 0);
	p.zone = 0;
	g->last = inspector_packet(g->in, &p);
	g->code[g->last.code]++;
	return g->last;
}

static inline void gate_run(struct gate *g, const struct traffic *t)
{
	for (size_t i = 0; i < t->n; i++)
		gate_frame(g, &t->v[i]);
}

static inline void gate_close(struct gate *g)
{
	inspector_free(g->in);
	g->in = NULL;
}

#endif
