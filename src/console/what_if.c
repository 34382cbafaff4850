/*
 * what_if.c: `sekisho what-if FILE`: which recorded drops a new policy would let pass, or block for another reason.
 *
 * Input: a policy file; the policy in force and the records of the running gate, or files in their place (--running, --drops),
 * so that it can be asked elsewhere too. Nothing is put in force.
 */
#include "console.h"
#include "policyfile.h"
#include "whatif.h"

#include <sekisho/json.h>

#include <string.h>

#define DAYS_DEFAULT 7
#define DAYS_MOST 3660

struct asking {
	struct policy_file running, candidate;
	struct buf drops;
	unsigned days;
};

/* 1..DAYS_MOST; 0 when it is not. */
static unsigned days_arg(const struct args *a)
{
	const char *text = args_option(a, "--days");
	unsigned n = 0;

	if (text == NULL)
		return DAYS_DEFAULT;
	if (text[0] == '\0' || strlen(text) > 4 || text[strspn(text, "0123456789")] != '\0')
		return 0;
	for (; *text != '\0'; text++)
		n = n * 10 + (unsigned)(*text - '0');
	return n <= DAYS_MOST ? n : 0;
}

static int read_all(struct asking *q, struct console *c, const struct args *a)
{
	const char *running = args_option(a, "--running"), *drops = args_option(a, "--drops");
	int code = running == NULL ? policy_file_running(&q->running, c, a) : policy_file_open(&q->running, running, a);

	if (code == CONSOLE_OK)
		code = policy_file_open(&q->candidate, a->words[0], a);
	if (code == CONSOLE_OK && !q->running.usable)
		code = policy_file_refused(&q->running);
	if (code == CONSOLE_OK && !q->candidate.usable)
		code = policy_file_refused(&q->candidate);
	if (code != CONSOLE_OK || drops == NULL)
		return code;
	int r = policy_file_read(drops, &q->drops);
	return r < 0 ? console_fail(CONSOLE_ENV, "%s: %s", drops, strerror(-r)) : CONSOLE_OK;
}

static int ask(struct asking *q, struct console *c, const struct args *a)
{
	struct whatif *w = whatif_new(&q->running.ir, &q->candidate.ir, q->candidate.at);
	struct json j = json_init(&c->out);
	int code = CONSOLE_OK;

	if (args_option(a, "--drops") != NULL)
		whatif_read(w, (const char *)q->drops.data, q->drops.len);
	else
		code = whatif_query(w, c, q->days);
	if (code == CONSOLE_OK && c->json) {
		json_object(&j, NULL);
		json_str(&j, "policy", q->candidate.path);
		whatif_json(w, &j);
		json_object_end(&j);
		buf_addc(&c->out, '\n');
	} else if (code == CONSOLE_OK) {
		whatif_text(w, &c->out);
	}
	whatif_free(w);
	return code;
}

int verb_what_if(struct console *c, const struct args *a)
{
	struct asking q = {.days = days_arg(a)};
	int code = q.days > 0 ? read_all(&q, c, a)
			      : console_fail(CONSOLE_USAGE, _("--days takes a number from 1 to %d"), DAYS_MOST);

	if (code == CONSOLE_OK)
		code = ask(&q, c, a);
	policy_file_close(&q.running);
	policy_file_close(&q.candidate);
	buf_free(&q.drops);
	return code;
}
