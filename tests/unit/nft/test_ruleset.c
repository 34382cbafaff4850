/*
 * test_ruleset: building and printing. With an argument: prints the town's ruleset (for `nft -c -f -`).
 */
#include "hand_ir.h"
#include "test.h"

#include <sekisho/clock.h>
#include <sekisho/ruleset.h>

int main(int argc, char **argv)
{
	struct hand h;
	struct buf out = {0};
	struct ruleset_options opt = {.generation = 5, .capabilities = CAP_ALL};

	clock_set_zone("UTC");
	hand_town(&h);
	struct ruleset *rs = ruleset_build(&h.ir, (struct wall){1795000000}, &opt);
	ruleset_text(rs, &out);
	if (argc > 1) {
		fputs(buf_str(&out), stdout);
		return 0;
	}
	(void)argv;
	CHECK(strstr(buf_str(&out), "chain forward") != NULL);
	ruleset_free(rs);
	hand_free(&h);
	buf_free(&out);
	return test_end();
}
