/* fake_kernel.c: see fake_kernel.h. */
#include "fake_kernel.h"

#include <sekisho/buf.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sekisho/ir.h>
#include <sekisho/msg.h>
#include <sekisho/watch.h>

struct fake_kernel kernel;

struct nft {
	struct ruleset *current;
};
struct ruleset {
	uint32_t generation;
	bool clock_untrusted;
};
struct net {
	net_finding_fn *fn;
	void *arg;
};

/* Away from the numbers on which a daemon finds what it is handed. */
static void high_pipe(int ret[2])
{
	int p[2];

	if (pipe2(p, O_NONBLOCK | O_CLOEXEC) != 0)
		abort();
	for (int i = 0; i < 2; i++) {
		ret[i] = fcntl(p[i], F_DUPFD_CLOEXEC, 60);
		close(p[i]);
	}
}

void fake_kernel_reset(void)
{
	for (int i = 0; i < 2; i++) {
		if (kernel.watch[i] > 2)
			close(kernel.watch[i]);
		if (kernel.net_watch[i] > 2)
			close(kernel.net_watch[i]);
	}
	for (unsigned i = 0; i < LIMIT_SEGMENTS; i++)
		if (kernel.queue[i] > 2)
			close(kernel.queue[i]);
	memset(&kernel, 0, sizeof(kernel));
	high_pipe(kernel.watch);
	high_pipe(kernel.net_watch);
}

/* -- ruleset.h ------------------------------------------------------------------------------------------- */

const char *capability_word(enum capability one)
{
	return one == CAP_FIB ? "fib" : "other";
}

struct ruleset *ruleset_build(const struct ir *ir, struct wall now, const struct ruleset_options *opt)
{
	struct ruleset *rs = calloc(1, sizeof(*rs));

	(void)ir;
	(void)now;
	rs->generation = opt->generation;
	rs->clock_untrusted = opt->clock_untrusted;
	kernel.built = opt->cuts != NULL ? *opt->cuts : (struct cuts){0};
	kernel.renewal = opt->renewal;
	kernel.renewal.to = kernel.renewed_to;
	for (uint32_t i = 0; i < opt->renewal.n && i < 16; i++)
		kernel.renewed_to[i] = opt->renewal.to[i];
	return rs;
}

void ruleset_free(struct ruleset *rs)
{
	free(rs);
}

struct wall ruleset_next_change(const struct ruleset *rs)
{
	(void)rs;
	return kernel.next_change != 0 ? (struct wall){kernel.next_change} : WALL_NEVER;
}

void ruleset_text(const struct ruleset *rs, struct buf *out)
{
	(void)rs;
	buf_adds(out, "table inet sekisho\n");
}

void ruleset_count(const struct ruleset *rs, struct ruleset_counts *ret)
{
	(void)rs;
	*ret = (struct ruleset_counts){.boxes_open = 7, .boxes_timed_closed = 2};
}

/* -- nft.h ----------------------------------------------------------------------------------------------- */

int nft_open(struct nft **ret, struct nft_error *err)
{
	(void)err;
	*ret = calloc(1, sizeof(**ret));
	return 0;
}

void nft_close(struct nft *n)
{
	if (n != NULL)
		ruleset_free(n->current);
	free(n);
}

uint32_t nft_capabilities(const struct nft *n)
{
	(void)n;
	return CAP_ALL;
}

static int refuse(struct nft_error *err, int error, const char *object, const char *rule)
{
	*err = (struct nft_error){.error = -error};
	snprintf(err->object, sizeof(err->object), "%s", object);
	snprintf(err->rule, sizeof(err->rule), "%s", rule);
	return error;
}

int nft_shut(struct nft *n, struct nft_error *err)
{
	kernel.shuts++;
	if (kernel.shut_error != 0)
		return refuse(err, kernel.shut_error, "table", "");
	ruleset_free(n->current);
	n->current = NULL;
	kernel.table = true;
	kernel.lease = false;
	kernel.generation = 0;
	kernel.faults &= ~(uint32_t)(NFT_FAULT_TABLE_MISSING | NFT_FAULT_CHAIN_MISSING);
	return 0;
}

int nft_commit(struct nft *n, struct ruleset **rs, struct nft_commit *ret, struct nft_error *err)
{
	kernel.commits++;
	if (kernel.commit_error != 0) {
		int e = kernel.commit_error;
		if (kernel.commit_errors > 0 && --kernel.commit_errors == 0)
			kernel.commit_error = 0;
		return refuse(err, e, "map pair_0_1", "pittari");
	}
	ruleset_free(n->current);
	n->current = *rs;
	*rs = NULL;
	kernel.generation = n->current->generation;
	kernel.clock_untrusted = n->current->clock_untrusted;
	kernel.lease = true;
	ret->kernel_us = 1234;
	return 0;
}

const struct ruleset *nft_current(const struct nft *n)
{
	return n->current;
}

int nft_lease_renew(struct nft *n)
{
	(void)n;
	kernel.renewals++;
	if (kernel.renew_error == 0)
		kernel.lease = true;
	return kernel.renew_error;
}

int nft_lease_drop(struct nft *n)
{
	(void)n;
	kernel.lease = false;
	return 0;
}

int nft_records(struct nft *n, enum nft_records mode)
{
	(void)n;
	kernel.records = mode;
	if (mode == NFT_RECORDS_CLOSE_ALL)
		kernel.lease = false;
	return 0;
}

int nft_counters(struct nft *n, struct nft_counters *ret)
{
	(void)n;
	*ret = (struct nft_counters){.epoch = 5};
	ret->packets[REASON_NO_RULE] = 42;
	return 0;
}

int nft_cut(struct nft *n, const struct cuts *cuts)
{
	kernel.cut_calls++;
	nft_cuts_keep(n, cuts);
	return kernel.cut_error;
}

void nft_cuts_keep(struct nft *n, const struct cuts *cuts)
{
	(void)n;
	kernel.cuts = *cuts;
}

const struct cuts *nft_cuts(const struct nft *n)
{
	(void)n;
	return &kernel.cuts;
}

int nft_cut_flows(struct nft *n, const struct ir *ir, const struct matcher *m, uint32_t *ret_deleted)
{
	(void)n;
	(void)ir;
	(void)m;
	kernel.cut_sweeps++;
	*ret_deleted = 3;
	return 0;
}

int nft_sweep(struct nft *n, const struct ir *ir, const struct matcher *m, struct wall now, struct nft_sweep *ret)
{
	(void)n;
	(void)ir;
	(void)m;
	(void)now;
	kernel.sweeps++;
	*ret = (struct nft_sweep){0};
	return 0;
}

int nft_flows(struct nft *n, struct nft_flows *ret)
{
	const struct flow_row row = {.src = {10, 1, 10, 5}, .dst = {10, 2, 0, 8}, .dport = 443, .family = 4, .proto = 6};

	(void)n;
	kernel.listings++;
	*ret = (struct nft_flows){.fd = memfd_create("flows", MFD_CLOEXEC), .rows = 1};
	return write(ret->fd, &row, sizeof(row)) == sizeof(row) ? 0 : -EIO;
}

int nft_half_open(struct nft *n, const struct ir *ir, struct nft_sweep *ret)
{
	(void)n;
	(void)ir;
	*ret = (struct nft_sweep){0};
	return 0;
}

int nft_watch_fd(const struct nft *n)
{
	(void)n;
	return kernel.watch[0];
}

int nft_watch_read(struct nft *n, struct nft_event *ret)
{
	char c;

	(void)n;
	if (read(kernel.watch[0], &c, 1) < 0 || kernel.events == 0)
		return 0;
	kernel.events--;
	*ret = (struct nft_event){.kind = NFT_EVENT_FOREIGN, .pid = 99, .name = "nft"};
	return 1;
}

int nft_check(struct nft *n, struct nft_check *ret)
{
	(void)n;
	kernel.checks++;
	*ret = (struct nft_check){.faults = kernel.faults | (kernel.table ? 0u : (uint32_t)NFT_FAULT_TABLE_MISSING)};
	if (kernel.foreign != NULL) {
		ret->faults |= NFT_FAULT_FOREIGN_HOOK;
		snprintf(ret->foreign, sizeof(ret->foreign), "%s", kernel.foreign);
	}
	return 0;
}

int nft_dump(struct nft *n, int *ret_memfd, uint32_t *ret_genid)
{
	(void)n;
	kernel.dumps++;
	if (kernel.dump_error != 0)
		return kernel.dump_error;
	*ret_memfd = memfd_create("dump", MFD_CLOEXEC);
	*ret_genid = 1;
	return 0;
}

/* A socket whose far end the test reads: closed with the last copy. */
int nft_queue_open(uint32_t segment)
{
	int p[2];

	if (kernel.queue_error != 0)
		return kernel.queue_error;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, p) != 0)
		abort();
	if (kernel.queue[segment] > 2)
		close(kernel.queue[segment]);
	kernel.queue[segment] = fcntl(p[1], F_DUPFD_CLOEXEC, 80);
	int fd = fcntl(p[0], F_DUPFD_CLOEXEC, 80);
	close(p[0]);
	close(p[1]);
	kernel.queues_opened++;
	return fd;
}

int nft_queue_verdicts(int fd, uint32_t segment, const struct nft_verdict *v, size_t n)
{
	if (fd < 0)
		return -EBADF;
	kernel.verdict_calls++;
	for (size_t i = 0; i < n && kernel.nverdicts < 512; i++, kernel.nverdicts++) {
		kernel.verdicts[kernel.nverdicts] = v[i];
		kernel.verdict_queue[kernel.nverdicts] = segment;
	}
	return 0;
}

int nft_queue_abandon(int fd, uint32_t segment)
{
	if (fd < 0 || kernel.inspectors)
		abort(); /* nothing may be queued any more */
	kernel.abandoned[segment]++;
	return 0;
}

int nft_inspectors_renew(struct nft *n)
{
	if (n->current == NULL)
		return -ENOENT;
	kernel.inspectors = true;
	kernel.presences++;
	return 0;
}

int nft_inspectors_drop(struct nft *n)
{
	(void)n;
	kernel.inspectors = false;
	return 0;
}

int nft_pinhole(struct nft *n, const struct nft_pinhole *h)
{
	if (n->current == NULL)
		return -ENOENT;
	kernel.pinhole = *h;
	kernel.pinholes++;
	return 0;
}

/* -- net.h ----------------------------------------------------------------------------------------------- */

struct net *net_open(net_finding_fn *fn, void *arg)
{
	struct net *n = calloc(1, sizeof(*n));

	*n = (struct net){fn, arg};
	return n;
}

void net_close(struct net *n)
{
	free(n);
}

int net_apply(struct net *n, const struct ir *ir, struct net_error *ret)
{
	(void)n;
	kernel.applies++;
	if (kernel.apply_error != 0) {
		int e = kernel.apply_error;
		kernel.apply_error = 0;
		snprintf(ret->text, sizeof(ret->text), "route 10.1.10.0/24: refused");
		kernel.net_generation = UINT32_MAX; /* somewhere between */
		return e;
	}
	kernel.net_generation = ir != NULL ? ir->nsegments : 0;
	return 0;
}

int net_check(struct net *n)
{
	if (kernel.missing != NULL)
		n->fn(n->arg, FINDING_INTERFACE_MISSING, kernel.missing);
	return 0;
}

int net_watch_fd(const struct net *n)
{
	(void)n;
	return kernel.net_watch[0];
}

bool net_watch(struct net *n)
{
	char c;

	(void)n;
	return read(kernel.net_watch[0], &c, 1) == 1;
}

bool net_link_table(struct net *n, struct msg_links *ret)
{
	(void)n;
	*ret = (struct msg_links){0};
	return false;
}

int net_settings(struct net *n, enum net_forwarding forwarding, bool check)
{
	(void)n;
	(void)check;
	kernel.forwarding = forwarding == NET_FORWARDING_ON;
	return 0;
}

void net_forwarding_stop(struct net *n)
{
	(void)n;
	kernel.forwarding = false;
}

void net_sample(struct net *n, net_loss_fn *fn, void *arg)
{
	(void)n;
	(void)fn;
	(void)arg;
}

bool net_conntrack(uint32_t *ret_count, uint32_t *ret_max)
{
	*ret_count = 5;
	*ret_max = 100;
	return true;
}
