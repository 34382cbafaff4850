/*
 * watch.c: `sekisho watch`: the inspector beside the line: a mirror port, or an interface of the gateway.
 *
 * The parent opens the interface (that needs CAP_NET_RAW), the child reads it in a jail. Nothing is stopped here: it says
 * what the gate would say. With --learn it keeps a table of who talks to whom and prints drafts of allow rules at the end.
 * Packets that the kernel had no room for are counted and told, never passed over.
 */
#include "capture.h"
#include "console.h"
#include "draft.h"
#include "flows.h"
#include "learn.h"
#include "policyfile.h"
#include "reader.h"

#include <sekisho/arena.h>
#include <sekisho/json.h>

#include <errno.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SNAPLEN 65535
#define BUFFER_BYTES (16 << 20)
#define FLOWS 262144u
#define TELL_SECONDS 10
#define SAVE_SECONDS 60
#define DAYS_MAX 400

struct watch {
	struct judges judges;
	pcap_t *pcap;
	const char *interface;
	bool learn;
	int64_t until; /* wall seconds; 0 = until it is interrupted */
	int save; /* descriptor of --save, or -1 */
	int64_t since;
	int days;
	struct flows flows;
	uint64_t lost;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int signo)
{
	(void)signo;
	interrupted = 1;
}

/* -- the child -------------------------------------------------------------------------------------------------------- */

static void on_packet(u_char *arg, const struct pcap_pkthdr *h, const u_char *p)
{
	struct watch *w = (void *)arg;
	struct frame f = {(int64_t)h->ts.tv_sec * 1000000000 + h->ts.tv_usec, pcap_datalink(w->pcap), p, h->caplen, h->len};

	flows_frames(&w->flows, &f, 1);
}

/* Counters and alarms: one line each TELL_SECONDS, and what the kernel lost. */
static void tell(struct console *c, struct watch *w)
{
	const struct inspect_counters *n = inspector_counters(w->flows.inspector);
	struct pcap_stat s;
	uint64_t lost = pcap_stats(w->pcap, &s) == 0 ? (uint64_t)s.ps_drop + s.ps_ifdrop : w->lost;

	if (lost > w->lost)
		console_fail(CONSOLE_OK, _("%llu packets were lost before they could be read"),
			(unsigned long long)(lost - w->lost));
	w->lost = lost;
	if (n->why[WHY_FULL] > 0)
		console_fail(CONSOLE_OK, _("the table of connections is full: %llu are not judged"),
			(unsigned long long)n->why[WHY_FULL]);
	if (c->json) {
		struct json j = json_init(&c->out);
		json_object(&j, NULL);
		json_str(&j, "event", "counters");
		json_uint(&j, "packets", n->packets);
		json_uint(&j, "flows", n->flows);
		json_uint(&j, "flows_now", n->flows_now);
		json_uint(&j, "undecided_now", n->undecided_now);
		json_uint(&j, "passed", n->passed);
		json_uint(&j, "refused", n->refused);
		json_uint(&j, "lost", lost);
		json_object_end(&j);
		buf_addc(&c->out, '\n');
	} else if (isatty(STDERR_FILENO) == 1) {
		char line[160];
		int len = snprintf(line, sizeof(line), "\r\033[K%llu packets, %u flows now, %llu verified, %llu refused",
			(unsigned long long)n->packets, n->flows_now, (unsigned long long)n->passed,
			(unsigned long long)n->refused);
		if (len > 0 && write(STDERR_FILENO, line, (size_t)len) < 0)
			interrupted = 1;
	}
	if (!console_flush(c))
		interrupted = 1;
}

static void save(struct watch *w)
{
	int r = w->save < 0 ? 0 : learn_save(w->save, w->flows.traffic, w->since);

	if (r < 0)
		console_fail(CONSOLE_ENV, _("the table cannot be saved: %s"), strerror(-r));
}

static bool over(const struct watch *w)
{
	return interrupted || (w->until != 0 && clock_wall().sec >= w->until);
}

static int watch_packets(struct console *c, struct watch *w)
{
	struct pollfd wait = {.fd = pcap_get_selectable_fd(w->pcap), .events = POLLIN};
	struct mono last_tick = clock_mono(), last_tell = last_tick, last_save = last_tick;

	while (!over(w)) {
		int got = pcap_dispatch(w->pcap, 1024, on_packet, (u_char *)w);
		if (got < 0)
			return console_fail(CONSOLE_ENV, "%s: %s", w->interface, pcap_geterr(w->pcap));
		if (got == 0)
			poll(&wait, 1, 200);
		if (mono_since_ms(last_tick) >= 1000) {
			inspector_tick(w->flows.inspector, clock_wall_ns());
			last_tick = clock_mono();
		}
		if (mono_since_ms(last_tell) >= TELL_SECONDS * 1000) {
			tell(c, w);
			last_tell = clock_mono();
		}
		if (mono_since_ms(last_save) >= SAVE_SECONDS * 1000) {
			save(w);
			last_save = clock_mono();
		}
	}
	return CONSOLE_OK;
}

static int load(struct watch *w)
{
	w->since = clock_wall().sec;
	w->flows.traffic = traffic_new(TRAFFIC_ENTRIES);
	int r = w->save < 0 ? 0 : learn_load(w->save, w->flows.traffic, &w->since);
	if (r > 0)
		return console_fail(CONSOLE_ENV, _("the saved table is damaged in line %d; nothing was changed"), r);
	if (r < 0)
		return console_fail(CONSOLE_ENV, _("the saved table cannot be read: %s"), strerror(-r));
	w->until = w->since + (int64_t)w->days * 86400;
	return CONSOLE_OK;
}

static int watch_in_jail(struct console *c, struct reader_files *files, void *arg)
{
	struct watch *w = arg;
	int code = w->learn ? load(w) : CONSOLE_OK;

	(void)files;
	w->flows.c = c;
	w->flows.judges = &w->judges;
	w->flows.rows = !w->learn;
	w->flows.identify = w->learn;
	/* What this machine sends gets its checksums in the card, behind where we read. */
	w->flows.decode = PACKET_SKIP_CHECKSUM;
	if (code == CONSOLE_OK && !flows_begin(&w->flows, FLOWS, w->judges.ir == NULL || w->learn))
		code = console_fail(CONSOLE_ENV, "%s", strerror(ENOMEM));
	if (code != CONSOLE_OK)
		return code;
	code = watch_packets(c, w);
	tell(c, w);
	flows_end(&w->flows);
	if (w->learn) {
		save(w);
		draft_print(&c->out, w->flows.traffic, w->judges.ir, w->judges.matcher);
	} else {
		flows_totals(&w->flows, &c->out, c->json, 0);
	}
	traffic_free(w->flows.traffic);
	return code;
}

/* -- the parent --------------------------------------------------------------------------------------------------------- */

static int open_interface(struct watch *w)
{
	char error[PCAP_ERRBUF_SIZE] = "";
	pcap_t *p = pcap_create(w->interface, error);
	int r = p == NULL ? PCAP_ERROR : 0;

	if (p != NULL) {
		pcap_set_snaplen(p, SNAPLEN);
		pcap_set_promisc(p, 1);
		pcap_set_timeout(p, 100);
		pcap_set_buffer_size(p, BUFFER_BYTES);
		pcap_set_tstamp_precision(p, PCAP_TSTAMP_PRECISION_NANO);
		r = pcap_activate(p);
	}
	if (r == PCAP_ERROR_PERM_DENIED)
		return console_fail(CONSOLE_ENV, _("%s: only root may read an interface"), w->interface);
	if (r < 0 || pcap_setnonblock(p, 1, error) < 0)
		return console_fail(CONSOLE_ENV, "%s: %s", w->interface, p == NULL || error[0] != '\0' ? error : pcap_geterr(p));
	w->pcap = p;
	if (!packet_link_known(pcap_datalink(p)))
		return console_fail(CONSOLE_ENV, _("%s: a link type that is not decoded"), w->interface);
	return CONSOLE_OK;
}

static int take_learn(struct watch *w, const struct args *a)
{
	const char *days = args_option(a, "--learn"), *path = args_option(a, "--save");
	char *end;

	w->save = -1;
	if (days == NULL)
		return path == NULL ? CONSOLE_OK : console_fail(CONSOLE_USAGE, "%s", _("--save goes with --learn"));
	long n = strtol(days, &end, 10);
	if (n < 1 || n > DAYS_MAX || *end != '\0')
		return console_fail(CONSOLE_USAGE, _("--learn takes a number of days from 1 to %d"), DAYS_MAX);
	w->learn = true;
	w->days = (int)n;
	if (path != NULL)
		w->save = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
	return path == NULL || w->save >= 0 ? CONSOLE_OK : console_fail(CONSOLE_ENV, "%s: %s", path, strerror(errno));
}

int verb_watch(struct console *c, const struct args *a)
{
	struct watch w = {.interface = a->words[0]};
	struct policy_file f = {.arena = NULL};
	struct sigaction sa = {.sa_handler = on_signal};
	int code = take_learn(&w, a);

	if (code == CONSOLE_OK && a->nwords > 1) {
		code = policy_file_open(&f, a->words[1], a);
		if (code == CONSOLE_OK && !f.usable)
			code = policy_file_refused(&f);
	}
	if (code == CONSOLE_OK && !judges_init(&w.judges, f.arena, a->nwords > 1 ? &f.ir : NULL, clock_wall()))
		code = console_fail(CONSOLE_ENV, "%s", strerror(ENOMEM));
	if (code == CONSOLE_OK)
		code = open_interface(&w);
	/* Both get the interrupt: the child ends in order, the parent waits for it. */
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	if (code == CONSOLE_OK)
		code = reader_run(c, NULL, 0, watch_in_jail, &w);
	if (w.pcap != NULL)
		pcap_close(w.pcap);
	if (w.save >= 0)
		close(w.save);
	judges_free(&w.judges);
	policy_file_close(&f);
	return code;
}
