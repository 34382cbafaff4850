/*
 * console_question.c (fuzz): lines of `sekisho explain --batch`.
 */
#include <sekisho/arena.h>
#include <sekisho/buf.h>
#include <sekisho/diag.h>
#include <sekisho/model.h>

#include "../../src/console/question.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char policy[] =
	"set segment a kind other interface eth0 address 10.0.0.1/24 address 2001:db8::1/64 network 10.0.0.0/24 network "
	"2001:db8::/64\n"
	"set segment b kind other interface eth1 address 10.0.1.1/24 network 10.0.1.0/24\n"
	"set host one segment a address 10.0.0.5 address 2001:db8::5\n"
	"set host net segment b address 10.0.1.0/24\n"
	"set allow r from one to net service tcp/80 purpose p applicant q\n";

/* The asker is made once; its memory stays. */
static const struct asker *asker(void)
{
	static struct asker k;
	static struct ir ir;
	static struct buf block;
	struct diag_list d;
	struct model *m;

	if (k.ir != NULL)
		return &k;
	struct arena *a = arena_new();
	diag_init(&d, a);
	if (!config_read(a, policy, sizeof(policy) - 1, &d, &m) ||
		!policy_compile(m, (struct wall){1795136400}, &d, &block) ||
		ir_open(block.data, block.len, &ir) != NULL) {
		diag_print(&d, "policy", stderr);
		abort();
	}
	arena_free(a);
	asker_init(&k, &ir, (struct wall){1795136400});
	return &k;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char error[QUESTION_ERROR_MAX] = "", *line = malloc(size + 1);
	struct asked q;

	if (line == NULL)
		return 0;
	memcpy(line, data, size);
	line[size] = '\0';
	if (question_read_line(asker(), line, &q, error) ? q.q.src.family != q.q.dst.family : error[0] == '\0')
		abort();
	free(line);
	return 0;
}
