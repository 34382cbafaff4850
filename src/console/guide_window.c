/*
 * guide_window.c: `guide window HOST`: a maintenance window: once, from and to a time, and cut at its end.
 */
#include "guide.h"

#include <sekisho/i18n.h>

bool guide_window(struct guide *g, const char *host)
{
	struct buf name = {0};

	if (guide_find_host(g, host) == NULL) {
		dialogue_tell(g->d, _("there is no host \"%s\"; `guide window ?` lists them"), host);
		return false;
	}
	buf_printf(&name, "maint-%s", host);
	struct guide_flow flow = {.name = buf_str(&name), .to = host, .service = "tcp/22", .application = "ssh",
		.windowed = true};
	bool ok = guide_form(g, &flow);
	buf_free(&name);
	return ok;
}
