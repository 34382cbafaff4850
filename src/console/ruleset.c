/*
 * ruleset.c: `sekisho ruleset`: exactly what the kernel would be given, without giving it.
 *
 * The ruleset is that of a kernel with every capability that we use; the running gate says in its findings what
 * its own kernel lacks.
 */
#include "console.h"
#include "findings.h"
#include "policyfile.h"

#include <sekisho/ruleset.h>

int verb_ruleset(struct console *c, const struct args *a)
{
	const struct ruleset_options options = {.generation = 1, .capabilities = CAP_ALL};
	struct policy_file f;
	int code = policy_file_open(&f, a->words[0], a);

	if (code == CONSOLE_OK && !f.usable)
		code = policy_file_refused(&f);
	if (code == CONSOLE_OK) {
		struct ruleset *rs = ruleset_build(&f.ir, f.at, &options);
		if (c->json)
			ruleset_json(rs, &c->out);
		else
			ruleset_text(rs, &c->out);
		if (c->out.len > 0 && c->out.data[c->out.len - 1] != '\n')
			buf_addc(&c->out, '\n');
		ruleset_free(rs);
	}
	policy_file_close(&f);
	return code;
}
