/*
 * show_device.c: `sekisho show clock|hardware`: the time and whether it can be believed; the machine and how it wears.
 *
 * Read from the kernel by this command itself. What a machine does not have, or its kernel does not tell, is said.
 */
#include "console.h"
#include "control.h"
#include "figures.h"
#include "render.h"
#include "seen.h"
#include "sysread.h"
#include "text.h"

#include <sekisho/clock.h>
#include <sekisho/json.h>
#include <sekisho/msg.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/timex.h>

/* -- Clock ------------------------------------------------------------------------------------------------------ */

struct clock_view {
	char now[CLOCK_TEXT_MAX], zone[64], servers[256];
	bool trusted, disciplined;
	int64_t error_us; /* as the kernel estimates it */
};

/* Where the policy lets the gate ask for the time. */
static void time_servers(const struct seen *s, char *ret, size_t size)
{
	struct buf b = {0};
	char text[ADDR_TEXT_MAX * 2];

	for (uint32_t i = 0; s->matcher != NULL && i < s->ir.nowns; i++) {
		const struct ir_own *o = &s->ir.owns[i];
		if (strcmp(ir_text(&s->ir, o->what), "time") != 0 || !o->out)
			continue;
		struct addr_range r = ir_addr_range(o->family, &o->remote);
		buf_printf(&b, "%s%s", b.len > 0 ? ", " : "", range_format(&r, text));
		const char *host = seen_host(s, &r.lo);
		if (host != NULL)
			buf_printf(&b, " (%s)", host);
	}
	snprintf(ret, size, "%s", buf_str(&b));
	buf_free(&b);
}

static void print_clock(struct console *c, const struct clock_view *v)
{
	static const struct field fields[] = {{NULL, N_("time")}, {NULL, N_("time zone")},
		{NULL, N_("clock")}, {NULL, N_("kept by")}, {NULL, N_("time servers")}};
	struct render r = {.ops = &render_card, .out = &c->out, .fields = fields, .nfields = 5};
	char kept[128];

	if (v->disciplined)
		snprintf(kept, sizeof(kept), _("a time program; the kernel estimates an error of %.1f ms"),
			(double)v->error_us / 1000);
	else
		snprintf(kept, sizeof(kept), "%s", _("nobody: it runs on by itself, as it was set"));
	struct value values[] = {value_text(v->now), value_text(v->zone),
		value_text(
			v->trusted ? _("trusted") : _("NOT trusted: flows with hours or an end are closed")),
		value_text(kept),
		value_text(v->servers[0] != '\0' ? v->servers : _("the policy names none"))};
	render_row(&r, values);
	render_end(&r);
}

int verb_show_clock(struct console *c, const struct args *a)
{
	struct msg_request q = {.verb = MSG_VERB_STATUS};
	struct timex t = {0};
	struct clock_view v = {0};
	struct seen s;
	struct msg m;
	int code = control_ask(c, &q, -1, MSG_STATUS, &m);

	(void)a;
	if (code != CONSOLE_OK)
		return code;
	clock_set_zone(m.u.msg_status.timezone);
	v.trusted = m.u.msg_status.clock_trusted != 0;
	snprintf(v.zone, sizeof(v.zone), "%s", m.u.msg_status.timezone[0] != '\0' ? m.u.msg_status.timezone : "UTC");
	bool policy = m.u.msg_status.generation != 0;
	msg_close_fds(&m);
	if (policy && seen_open(c, MSG_VERB_POLICY, &s) == CONSOLE_OK)
		time_servers(&s, v.servers, sizeof(v.servers));
	if (policy)
		seen_close(&s);
	clock_format(clock_wall(), v.now);
	v.disciplined = adjtimex(&t) >= 0 && (t.status & STA_UNSYNC) == 0;
	v.error_us = t.esterror;
	if (!c->json) {
		print_clock(c, &v);
		return CONSOLE_OK;
	}
	struct json j = json_init(&c->out);
	json_object(&j, NULL);
	json_str(&j, "time", v.now);
	json_str(&j, "timezone", v.zone);
	json_bool(&j, "trusted", v.trusted);
	json_bool(&j, "synchronised", v.disciplined);
	json_int(&j, "estimated_error_us", v.error_us);
	json_str(&j, "time_servers", v.servers[0] != '\0' ? v.servers : NULL);
	json_object_end(&j);
	buf_addc(&c->out, '\n');
	return CONSOLE_OK;
}

/* -- Hardware --------------------------------------------------------------------------------------------------- */

/* One line of the answer: what, how much, and what a person should think of it. */
static const struct field hardware_fields[] = {
	{"kind"}, {"name", N_("WHAT"), 26, false}, {"value"}, {"unit"}, {"text", N_("STATE"), 0, false}, {"health"},
};
#define HARDWARE_FIELDS (sizeof(hardware_fields) / sizeof(hardware_fields[0]))

struct hardware {
	struct render r;
	unsigned temperatures, wears;
	const char *entry; /* the directory under way */
};

static void put(struct hardware *h, const char *kind, const char *name, int64_t value, const char *unit, const char *text,
	const char *health)
{
	struct value v[HARDWARE_FIELDS] = {value_text(kind), value_text(name),
		value < 0 ? value_text(NULL) : value_number((uint64_t)value), value_text(unit),
		value_text(text), value_text(health)};

	render_row(&h->r, v);
}

static void on_temperature(void *arg, const char *name)
{
	struct hardware *h = arg;
	char device[64], label[64], title[140], text[64];
	int64_t now, high;
	size_t len = strlen(name);

	if (strncmp(name, "temp", 4) != 0 || len < 11 || len > 24 || strcmp(name + len - 6, "_input") != 0)
		return;
	int stem = (int)(len - 6);
	if (!sys_number(&now, "%s/%s", h->entry, name))
		return;
	if (!sys_line(device, sizeof(device), "%s/name", h->entry))
		snprintf(device, sizeof(device), "?");
	if (!sys_line(label, sizeof(label), "%s/%.*s_label", h->entry, stem, name))
		snprintf(label, sizeof(label), "%.*s", stem, name);
	if (!sys_number(&high, "%s/%.*s_crit", h->entry, stem, name) && !sys_number(&high, "%s/%.*s_max", h->entry, stem, name))
		high = 0;
	snprintf(title, sizeof(title), "%s %s", device, label);
	bool hot = high > 0 && now >= high - 5000;
	if (high > 0)
		snprintf(text, sizeof(text), _("%.1f C (its limit is %.0f C)%s"), (double)now / 1000, (double)high / 1000,
			hot ? _(": TOO HOT: look at the fan and the room") : "");
	else
		snprintf(text, sizeof(text), "%.1f C", (double)now / 1000);
	put(h, "temperature", title, now / 1000, "C", text, hot ? "abnormal" : "ok");
	h->temperatures++;
}

static void on_hwmon(void *arg, const char *name)
{
	struct hardware *h = arg;
	char dir[128];

	if (strlen(name) > 32)
		return;
	snprintf(dir, sizeof(dir), "/sys/class/hwmon/%s", name);
	h->entry = dir;
	sys_entries(dir, on_temperature, h);
}

/* eMMC: two estimates in tenths of its life, as JEDEC has them: 1 = up to 10 % used … 11 = past its life. */
static void on_disk(void *arg, const char *name)
{
	struct hardware *h = arg;
	char life[32], text[96];
	unsigned a, b;

	if (strlen(name) > 32 || !sys_line(life, sizeof(life), "/sys/block/%s/device/life_time", name) ||
		sscanf(life, "%x %x", &a, &b) != 2)
		return;
	unsigned worst = a > b ? a : b;
	if (worst == 0)
		return;
	bool bad = worst >= 10;
	snprintf(text, sizeof(text), _("up to %u %% of its life is used%s"), worst > 10 ? 100 : worst * 10,
		bad ? _(": REPLACE IT") : "");
	put(h, "wear", name, worst > 10 ? 100 : worst * 10, "%", text, bad ? "abnormal" : worst >= 8 ? "caution" : "ok");
	h->wears++;
}

static void put_space(struct hardware *h, const char *root, const char *path, const char *title)
{
	char full[512], text[96], size[FIGURES_MAX], left[FIGURES_MAX];
	struct statvfs fs;

	snprintf(full, sizeof(full), "%s%s", root, path);
	if (statvfs(full, &fs) != 0 || fs.f_blocks == 0)
		return;
	uint64_t total = (uint64_t)fs.f_blocks * fs.f_frsize, avail = (uint64_t)fs.f_bavail * fs.f_frsize;
	uint64_t used = (uint64_t)(fs.f_blocks - fs.f_bfree) * fs.f_frsize;
	/* What is kept for root alone is no one's. */
	uint64_t percent = used + avail == 0 ? 0 : used * 100 / (used + avail);
	snprintf(text, sizeof(text), _("%llu %% used, %s of %s free"), (unsigned long long)percent, figures_bytes(avail, left),
		figures_bytes(total, size));
	put(h, "disk", title, (int64_t)percent, "%", text, percent >= 95 ? "abnormal" : percent >= 80 ? "caution" : "ok");
}

/* "MemAvailable:   123 kB" of /proc/meminfo, in bytes; 0 when it is not there. */
static uint64_t meminfo(const char *key)
{
	char line[128];
	uint64_t v = 0;
	FILE *f = fopen("/proc/meminfo", "re");

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, key, strlen(key)) == 0 && sscanf(line + strlen(key), ": %" SCNu64, &v) == 1)
			break;
	if (f != NULL)
		fclose(f);
	return v * 1024;
}

static void put_memory(struct hardware *h)
{
	uint64_t total = meminfo("MemTotal"), avail = meminfo("MemAvailable");
	char text[96], size[FIGURES_MAX], left[FIGURES_MAX];

	if (total == 0)
		return;
	snprintf(text, sizeof(text), _("%s of %s free"), figures_bytes(avail, left), figures_bytes(total, size));
	put(h, "memory", _("memory"), (int64_t)((total - avail) * 100 / total), "%", text,
		avail < total / 20 ? "caution" : "ok");
}

static void put_machine(struct hardware *h)
{
	char model[128], uptime[64], load[64], text[96], age[FIGURES_MAX];

	if (!sys_line(model, sizeof(model), "/proc/device-tree/model") &&
		!sys_line(model, sizeof(model), "/sys/class/dmi/id/product_name"))
		snprintf(model, sizeof(model), "%s", _("the kernel does not tell"));
	put(h, "model", _("model"), -1, NULL, model, "ok");
	if (sys_line(uptime, sizeof(uptime), "/proc/uptime")) {
		double seconds = strtod(uptime, NULL);
		snprintf(text, sizeof(text), _("running for %s"), figures_age((int64_t)seconds, age));
		put(h, "uptime", _("uptime"), (int64_t)seconds, "s", text, "ok");
	}
	if (sys_line(load, sizeof(load), "/proc/loadavg")) {
		double now = strtod(load, NULL);
		snprintf(text, sizeof(text), "%.2f", now);
		put(h, "load", _("load"), (int64_t)now, NULL, text, "ok");
	}
}

int verb_show_hardware(struct console *c, const struct args *a)
{
	struct hardware h = {.r = {.ops = c->json ? &render_json : &render_table, .out = &c->out, .fields = hardware_fields,
				     .nfields = HARDWARE_FIELDS}};

	(void)a;
	put_machine(&h);
	put_memory(&h);
	put_space(&h, c->root, "/", _("disk: system"));
	put_space(&h, c->root, "/var/lib/sekisho", _("disk: data and records"));
	sys_entries("/sys/class/hwmon", on_hwmon, &h);
	if (h.temperatures == 0)
		put(&h, "temperature", _("temperature"), -1, NULL, _("no sensor that the kernel knows"), NULL);
	sys_entries("/sys/block", on_disk, &h);
	if (h.wears == 0)
		put(&h, "wear", _("disk: wear"), -1, NULL, _("no disk that tells (eMMC does)"), NULL);
	render_end(&h.r);
	return CONSOLE_OK;
}
