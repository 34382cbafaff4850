/*
 * fake_kernel.h: stand-ins for nft.h, ruleset.h and net.h, linked instead of the rooms: they remember what was asked
 * and fail when told to.
 */
#ifndef FAKE_KERNEL_H
#define FAKE_KERNEL_H

#include <sekisho/cut.h>
#include <stdbool.h>
#include <stdint.h>

#include <sekisho/net.h>
#include <sekisho/nft.h>

struct fake_kernel {
	/* what the "kernel" holds */
	bool table, lease, forwarding;
	uint32_t generation; /* of the ruleset in force; 0: closed */
	uint32_t net_generation; /* nrules of the IR that the network settings were made of; 0: none */
	enum nft_records records;
	bool clock_untrusted; /* as the ruleset in force was built */
	/* what it shall answer */
	int shut_error, commit_error, renew_error, apply_error, dump_error;
	unsigned commit_errors; /* commit_error counts down; 0 = always */
	uint32_t faults; /* NFT_FAULT_* */
	const char *foreign;
	int64_t next_change; /* wall seconds; 0 = never */
	unsigned events; /* foreign changes to be read */
	const char *missing; /* interface that net_check() finds missing */
	/* what was asked */
	unsigned shuts, commits, renewals, sweeps, applies, checks, dumps, listings;
	/* the inspector */
	bool inspectors;	  /* packets go to the queues */
	int queue_error;	  /* what nft_queue_open() shall say */
	int queue[LIMIT_SEGMENTS]; /* far ends of the "sockets", -1 */
	unsigned queues_opened, presences, abandoned[LIMIT_SEGMENTS];
	struct nft_verdict verdicts[512];
	uint32_t verdict_queue[512];
	unsigned nverdicts, verdict_calls;
	struct nft_pinhole pinhole; /* the last */
	unsigned pinholes;
	struct ruleset_renewal renewal; /* of the last ruleset_build(); `to` is a copy of the first */
	uint16_t renewed_to[16];
	struct cuts cuts;  /* that hold */
	struct cuts built; /* with which the last ruleset was built */
	unsigned cut_calls, cut_sweeps;
	int cut_error;
	int watch[2];
	int net_watch[2];
};
extern struct fake_kernel kernel;

void fake_kernel_reset(void);

#endif
