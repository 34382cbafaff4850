/*
 * guide_swap.c: `guide swap HOST`: a machine was replaced: its new MAC address and IP addresses.
 *
 * Its name stays, and with it every flow that names it.
 */
#include "guide.h"

#include <sekisho/i18n.h>

#include <stdio.h>
#include <string.h>

static bool ask_mac(struct guide *g, const struct model_host *h)
{
	struct buf path = {0}, value = {0};
	char old[MAC_TEXT_MAX] = "";

	if (h->mac.line != 0)
		mac_format(&h->mac.mac, old);
	buf_printf(&path, "host %s mac", h->name.text);
	struct guide_leaf leaf = {.path = buf_str(&path),
		.q = {.title = N_("MAC address"), .otherwise = old, .optional = true,
			.about = N_("That of the new machine, such as 02:00:00:11:00:20; it is on its label or in `show neighbours`."),
			.more = N_("With a MAC address the gate lets no other machine use the host's address; - takes it away.")}};
	bool ok = guide_ask(g, &leaf, &value);
	if (ok && value.len == 0 && old[0] != '\0')
		ok = guide_line(g, "delete %s", buf_str(&path));
	else if (ok && strcmp(buf_str(&value), old) != 0)
		ok = guide_value(g, buf_str(&path), &value);
	buf_free(&path);
	buf_free(&value);
	return ok;
}

static bool ask_address(struct guide *g, const struct model_host *h, const struct prefix *p)
{
	struct buf path = {0}, value = {0};
	char address[ADDR_TEXT_MAX], old[ADDR_TEXT_MAX + 8];

	addr_format(&p->addr, address);
	snprintf(old, sizeof(old), p->has_len ? "%s/%u" : "%s", address, (unsigned)p->len);
	buf_printf(&path, "host %s address", h->name.text);
	struct guide_leaf leaf = {.path = buf_str(&path),
		.q = {.title = N_("address"), .otherwise = old,
			.about = N_("Enter keeps the address of before, which is simplest.")}};
	bool ok = guide_ask(g, &leaf, &value);
	if (ok && strcmp(buf_str(&value), old) != 0)
		ok = guide_line(g, "delete %s %s", buf_str(&path), old) && guide_value(g, buf_str(&path), &value);
	buf_free(&path);
	buf_free(&value);
	return ok;
}

bool guide_swap(struct guide *g, const char *name)
{
	const struct model_host *h = guide_find_host(g, name);
	bool ok = h != NULL;

	if (!ok) {
		dialogue_tell(g->d, _("there is no host \"%s\"; `guide swap ?` lists them"), name);
		return false;
	}
	dialogue_tell(g->d, "%s %s", h->name.text, h->label != NULL ? h->label : "");
	ok = ask_mac(g, h);
	for (size_t i = 0; ok && i < h->addresses.n; i++)
		ok = ask_address(g, h, &h->addresses.v[i]);
	if (ok && g->lines.len == 0)
		dialogue_tell(g->d, "%s", _("Everything is as it was."));
	return ok;
}
