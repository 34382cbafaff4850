/*
 * settings.c: the network settings of the generation in force: made in a commit, looked after from then on.
 */
#include "gate.h"

#include <stdio.h>
#include <string.h>

static enum health_source source_of(enum finding f)
{
	if (finding_is_event(f))
		return SOURCE_EVENT;
	return f == FINDING_SYSCTL ? SOURCE_SYSCTL : SOURCE_NET;
}

void settings_on_finding(void *arg, enum finding f, const char *detail)
{
	gate_finding(arg, source_of(f), f, detail);
}

static void tell_links(struct gate *g)
{
	struct msg_links links;

	if (net_link_table(g->net, &links)) {
		g->rec.links = links;
		g->rec.links_due = true;
		relay_links(g);
	}
}

static void look_at_kernel_settings(struct gate *g, bool check)
{
	bool open = g->current != NULL || g->job.kernel_done;

	health_begin(&g->health, SOURCE_SYSCTL);
	net_settings(g->net, open && g->state != GATE_SHUT ? NET_FORWARDING_ON : NET_FORWARDING_OFF, check);
	gate_health_end(g, SOURCE_SYSCTL);
}

int settings_apply(struct gate *g, const struct generation *gen, char *err)
{
	struct net_error e = {0};
	int r = net_apply(g->net, gen != NULL ? &gen->ir : NULL, &e);

	daemon_beat(g->d);
	if (r != 0) {
		snprintf(err, 256, "%s", e.text);
		return r;
	}
	look_at_kernel_settings(g, false);
	tell_links(g);
	return 0;
}

void settings_check(struct gate *g)
{
	/* What runs since before our own start is left alone until its policy is known again. */
	if (g->adopted)
		return;
	if (g->current != NULL) {
		health_begin(&g->health, SOURCE_NET);
		net_check(g->net);
		gate_health_end(g, SOURCE_NET);
		tell_links(g);
	}
	look_at_kernel_settings(g, true);
}
