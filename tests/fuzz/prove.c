/*
 * prove.c (fuzz): the evaluator over arbitrary bytes as the kernel's dump.
 */
#include <sekisho/arena.h>

#include "../../src/prove/eval.h"

#include <netinet/in.h>
#include <linux/netfilter.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void accepted(void *arg, const struct region *r, const struct passing *how)
{
	(void)r;
	*(uint64_t *)arg += how->expires_ms + 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct dump d;

	if (dump_read(&d, a, data, size, "sekisho")) {
		struct eval ev;
		uint64_t n = 0;
		eval_init(&ev, &d, a);
		ev.max_steps = 100000;
		ev.accept = accepted;
		ev.arg = &n;
		for (uint32_t hook = NF_INET_PRE_ROUTING; hook <= NF_INET_POST_ROUTING; hook++) {
			struct scenario sc = {.hook = hook, .family = hook % 2 == 0 ? 4 : 6, .l4proto = IPPROTO_TCP,
				.iif = "eth0", .oif = "eth1", .ct_state = CT_NEW};
			struct region all = region_all(sc.family);
			eval_run(&ev, &sc, &all);
		}
	}
	dump_free(&d);
	arena_free(a);
	return 0;
}
