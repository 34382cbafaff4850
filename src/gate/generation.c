/*
 * generation.c: an IR from an unprivileged process becomes something that may be programmed.
 *
 * Input: a memfd of sekisho-compile, untrusted. It must be sealed against writing and shrinking (else it could
 * change or fault while we walk it); then ir_open() checks form and bounds, and guard_check() the laws of the
 * three layers, whatever the compiler said.
 */
#include "gate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW)
#define IR_BYTES_MAX ((off_t)1 << 30)

static const char *map_ir(struct generation *g)
{
	struct stat st;
	int seals = fcntl(g->ir_fd, F_GET_SEALS);

	if (seals < 0 || (seals & SEALS) != SEALS)
		return "the IR is not sealed";
	if (fstat(g->ir_fd, &st) != 0 || st.st_size <= 0 || st.st_size > IR_BYTES_MAX)
		return "the IR has no possible size";
	void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, g->ir_fd, 0);
	if (p == MAP_FAILED)
		return "the IR cannot be mapped";
	g->map = p;
	g->size = (size_t)st.st_size;
	return NULL;
}

static const char *check_ir(struct generation *g)
{
	static char text[160];
	uint32_t rule = IR_NONE;
	const char *bad = ir_open(g->map, g->size, &g->ir);

	if (bad == NULL && (bad = guard_check(&g->ir, &rule)) != NULL && rule < g->ir.nrules) {
		snprintf(text, sizeof(text), "rule %.63s: %s", ir_text(&g->ir, g->ir.rules[rule].name), bad);
		return text;
	}
	return bad;
}

struct generation *generation_new(int ir_fd, const char **ret_error)
{
	struct generation *g = calloc(1, sizeof(*g));

	if (g == NULL) {
		msg_close_fd(ir_fd);
		*ret_error = "no memory";
		return NULL;
	}
	g->ir_fd = ir_fd;
	const char *bad = map_ir(g);
	if (bad == NULL)
		bad = check_ir(g);
	if (bad != NULL) {
		*ret_error = bad;
		generation_free(g);
		return NULL;
	}
	g->matcher = matcher_new(&g->ir);
	return g;
}

void generation_free(struct generation *g)
{
	if (g == NULL)
		return;
	matcher_free(g->matcher);
	if (g->map != NULL)
		munmap(g->map, g->size);
	msg_close_fd(g->ir_fd);
	free(g);
}
