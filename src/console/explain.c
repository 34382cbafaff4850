/*
 * explain.c: `sekisho explain`: what a policy does with a packet, and why.
 *
 * The JSON form is a contract (rootfs/doc/explain.md). Limits: a line of --batch longer than LINE_MAX_BYTES is
 * answered with an error and skipped. In --batch all answers to what could be read at once are written before
 * the next read, so that a program may ask and wait.
 */
#include "console.h"
#include "explain.h"
#include "policyfile.h"
#include "question.h"
#include "render.h"
#include "words.h"

#include <sekisho/arena.h>
#include <sekisho/json.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 4096
#define READ_BYTES (256 * 1024)

static const char *rule_name(const struct ir *ir, uint32_t rule)
{
	return rule == IR_NONE ? NULL : ir_text(ir, ir->rules[rule].name);
}

static const char *segment_name(const struct ir *ir, uint32_t segment)
{
	return segment == IR_NONE ? NULL : ir_text(ir, ir->segments[segment].name);
}

/* What the rule demands of the application; NULL when it names none. */
static const char *application_text(const struct ir *ir, uint32_t rule)
{
	const char *text = rule == IR_NONE ? "" : ir_text(ir, ir->rules[rule].application_text);

	return text[0] == '\0' ? NULL : text;
}

static void answer_json(struct buf *out, const struct ir *ir, const struct decision *d)
{
	struct json j = json_init(out);

	json_object(&j, NULL);
	json_str(&j, "verdict", verdict_word(d->verdict));
	json_str(&j, "rule", rule_name(ir, d->rule));
	json_str(&j, "reason", d->reason == REASON_NONE ? NULL : reason_word(d->reason));
	json_str(&j, "nearest", rule_name(ir, d->nearest));
	words_differs_json(&j, "differs", d->nearest == IR_NONE ? 0 : d->differs);
	json_str(&j, "from", segment_name(ir, d->from));
	json_str(&j, "to", segment_name(ir, d->to));
	json_str(&j, "application", application_text(ir, d->rule));
	json_bool(&j, "unverified", d->rule != IR_NONE && ir->rules[d->rule].screen_product != SCREEN_NONE);
	json_bool(&j, "turned", d->turned);
	json_str(&j, "enforced", d->enforced_closed ? "closed" : "yes");
	json_object_end(&j);
	buf_addc(out, '\n');
}

/* "10.1.10.5 (jumin-ap 住民記録AP), segment mynumber" */
static const char *end_text(struct arena *a, const struct ir *ir, const struct addr *addr, uint32_t host,
	uint32_t segment)
{
	char text[ADDR_TEXT_MAX];
	const char *name = "", *place = "";

	addr_format(addr, text);
	if (host != IR_NONE)
		name = arena_printf(a, " (%s %s)", ir_text(ir, ir->hosts[host].name), ir_text(ir, ir->hosts[host].label));
	if (segment != IR_NONE) {
		const char *label = ir_text(ir, ir->segments[segment].label);
		place = arena_printf(a, " [%s]", label[0] != '\0' ? label : segment_name(ir, segment));
	} else {
		place = arena_printf(a, " [%s]", _("no segment"));
	}
	return arena_printf(a, "%s%s%s", text, name, place);
}

/* "jumin-file (line 112): jumin-ap -> renkei tcp/22; 住民異動データの夜間連携" */
static const char *rule_text(struct arena *a, const struct ir *ir, uint32_t rule)
{
	if (rule == IR_NONE)
		return NULL;
	const struct ir_rule *r = &ir->rules[rule];
	const char *purpose = ir_text(ir, r->purpose);
	const char *flow = arena_printf(a, _("%s (line %u): %s -> %s %s"), ir_text(ir, r->name), r->line,
		ir_text(ir, r->from), ir_text(ir, r->to), ir_text(ir, r->service));

	return purpose[0] == '\0' ? flow : arena_printf(a, "%s; %s", flow, purpose);
}

static void put_date(struct buf *b, int64_t sec)
{
	struct civil c = clock_civil((struct wall){sec});

	buf_printf(b, " (%04d-%02d-%02d)", c.year, c.month, c.day);
}

/* "tls server-name vdi.example; screen-product ica [UNVERIFIED]" */
static const char *demand_text(struct arena *a, const struct ir *ir, uint32_t rule)
{
	const char *text = application_text(ir, rule);

	if (text == NULL || ir->rules[rule].screen_product == SCREEN_NONE)
		return text;
	return arena_printf(a, "%s; screen-product %s [%s]", text,
		screen_product_word((enum screen_product)ir->rules[rule].screen_product), _("UNVERIFIED"));
}

/* "the approval has expired (2027-03-31)": what differs, with the rule's own times. */
static void put_differs(struct buf *b, const struct ir *ir, const struct decision *d)
{
	if (d->nearest == IR_NONE)
		return;
	const struct ir_rule *r = &ir->rules[d->nearest];
	words_differs(b, d->differs);
	if ((d->differs & DIFFERS_EXPIRED) && r->ends != INT64_MAX)
		put_date(b, r->ends - 1);
	if (d->differs & DIFFERS_NOT_STARTED)
		put_date(b, r->starts);
	if (d->differs & DIFFERS_HOURS)
		buf_printf(b, " (%02u:%02u-%02u:%02u)", r->hours_from / 60, r->hours_from % 60, r->hours_to / 60,
			r->hours_to % 60);
}

static void answer_text(struct buf *out, const struct policy_file *f, const struct matcher *m, const struct asked *k,
	const struct decision *d)
{
	static const struct field fields[] = {{NULL, N_("verdict")}, {NULL, N_("source")}, {NULL, N_("destination")},
		{NULL, N_("packet")}, {NULL, N_("approved flow")}, {NULL, N_("verification")}, {NULL, N_("reason")},
		{NULL, N_("nearest flow")}, {NULL, N_("difference")}, {NULL, N_("what to do")}};
	struct render r = {.ops = &render_card,
		.out = out,
		.fields = fields,
		.nfields = sizeof(fields) / sizeof(fields[0])};
	const struct ir *ir = &f->ir;
	struct buf service = {0}, differs = {0};
	uint32_t src = k->src_host != IR_NONE ? k->src_host : matcher_host(m, &k->q.src);
	uint32_t dst = k->dst_host != IR_NONE ? k->dst_host : matcher_host(m, &k->q.dst);
	bool stopped = d->reason != REASON_NONE;

	words_service(&service, k->q.proto, k->q.dport, k->q.has_port);
	put_differs(&differs, ir, d);
	const char *verdict = d->turned ? _("by the mail gate, which takes it in the server's place (turned)") : words_verdict(d->verdict);
	if (d->enforced_closed)
		verdict = arena_printf(f->arena, _("%s (for now it is blocked)"), verdict);
	const char *reason = !stopped ? NULL : arena_printf(f->arena, "%s [%s]", words_reason(d->reason),
		reason_word(d->reason));
	struct value values[] = {value_text(verdict), value_text(end_text(f->arena, ir, &k->q.src, src, d->from)),
		value_text(end_text(f->arena, ir, &k->q.dst, dst, d->to)), value_text(buf_str(&service)),
		value_text(rule_text(f->arena, ir, d->rule)), value_text(demand_text(f->arena, ir, d->rule)),
		value_text(reason),
		value_text(rule_text(f->arena, ir, d->nearest)), value_name(buf_str(&differs)),
		value_text(stopped ? words_reason_advice(d->reason) : NULL)};
	render_row(&r, values);
	render_end(&r);
	buf_free(&service);
	buf_free(&differs);
}

static void answer_error(struct buf *out, const char *error)
{
	struct json j = json_init(out);

	json_object(&j, NULL);
	json_str(&j, "error", error);
	json_object_end(&j);
	buf_addc(out, '\n');
}

struct batch {
	struct console *c;
	const struct ir *ir;
	const struct matcher *m;
	struct asker asker;
	bool follow_clock; /* no --at: each read asks for its own moment */
};

static void batch_line(struct batch *b, char *line)
{
	char error[QUESTION_ERROR_MAX];
	struct asked k;
	struct decision d;

	if (!question_read_line(&b->asker, line, &k, error)) {
		answer_error(&b->c->out, error);
		return;
	}
	matcher_decide(b->m, &k.q, k.at, &d);
	answer_json(&b->c->out, b->ir, &d);
}

/* Answers the whole lines of the n bytes at p; returns how many bytes they were. */
static size_t batch_lines(struct batch *b, char *p, size_t n)
{
	size_t done = 0;

	for (char *end; done < n && (end = memchr(p + done, '\n', n - done)) != NULL; done = (size_t)(end - p) + 1) {
		size_t len = (size_t)(end - p) - done;
		*end = '\0';
		if (len > LINE_MAX_BYTES || memchr(p + done, '\0', len) != NULL)
			answer_error(&b->c->out, _("the line is too long or holds a NUL"));
		else
			batch_line(b, p + done);
	}
	return done;
}

/* Reads to the end of standard input. A line that does not fit the buffer is answered once and skipped. */
static int batch_run(struct batch *b)
{
	struct arena *a = arena_new();
	char *p = a == NULL ? NULL : arena_alloc(a, READ_BYTES + 1);
	size_t have = 0;
	bool skipping = false;
	ssize_t n = a == NULL ? -1 : 1;

	while (n > 0 || (n < 0 && errno == EINTR)) {
		n = read(b->c->in_fd, p + have, READ_BYTES - have);
		if (n < 0)
			continue;
		have += (size_t)n;
		if (n == 0 && have > 0)
			p[have++] = '\n';
		if (b->follow_clock)
			b->asker.now = clock_wall();
		char *start = skipping ? memchr(p, '\n', have) : p;
		size_t off = start == NULL ? have : (size_t)(start - p) + skipping;
		skipping = skipping && start == NULL;
		off += batch_lines(b, p + off, have - off);
		have -= off;
		memmove(p, p + off, have);
		if (have == READ_BYTES) {
			answer_error(&b->c->out, _("the line is too long or holds a NUL"));
			skipping = true;
			have = 0;
		}
		if (!console_flush(b->c))
			break;
	}
	arena_free(a);
	return n < 0 ? console_fail(CONSOLE_ENV, _("cannot read the questions: %s"), strerror(errno)) : CONSOLE_OK;
}

static int explain_batch(struct console *c, const struct policy_file *f, const struct matcher *m, const struct args *a)
{
	struct batch b = {.c = c, .ir = &f->ir, .m = m, .follow_clock = args_option(a, "--at") == NULL};

	asker_init(&b.asker, &f->ir, f->at);
	int code = batch_run(&b);
	asker_free(&b.asker);
	return code;
}

static int explain_one(struct console *c, const struct policy_file *f, const struct matcher *m, const struct args *a)
{
	char error[QUESTION_ERROR_MAX];
	struct asker asker;
	struct asked k;
	struct decision d;

	asker_init(&asker, &f->ir, f->at);
	bool ok = question_read(&asker, &a->words[1], args_option(a, "--src-mac"), NULL, &k, error);
	asker_free(&asker);
	if (!ok)
		return console_fail(CONSOLE_USAGE, "%s", error);
	matcher_decide(m, &k.q, k.at, &d);
	if (c->json)
		answer_json(&c->out, &f->ir, &d);
	else
		answer_text(&c->out, f, m, &k, &d);
	return CONSOLE_OK;
}

/* The options that only a question about mail has. */
static const char *mail_option(const struct args *a)
{
	static const char *const options[] = {
		"--from", "--to", "--direction", "--server", "--size", "--attachment", "--subject", "--with"};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (args_option(a, options[i]) != NULL)
			return options[i];
	return NULL;
}

/* Do words and options make one question? Else the exit code, with what is wrong said. */
static int check_words(const struct args *a, bool batch, bool mail)
{
	if (mail && args_option(a, "--src-mac") != NULL)
		return console_fail(CONSOLE_USAGE, "%s", _("a mail has no MAC address"));
	if (mail)
		return CONSOLE_OK;
	if (mail_option(a) != NULL)
		return console_fail(CONSOLE_USAGE, _("%s belongs to `sekisho explain POLICY mail`"), mail_option(a));
	if (a->nwords != (batch ? 1 : 4))
		return console_fail(CONSOLE_USAGE, "%s",
			batch ? _("with --batch the questions come on standard input")
			      : _("SRC, DST and PROTO[/PORT] are missing"));
	if (batch && args_option(a, "--src-mac") != NULL)
		return console_fail(CONSOLE_USAGE, "%s", _("with --batch each question has its own --src-mac"));
	return CONSOLE_OK;
}

static int explain_packets(struct console *c, const struct policy_file *f, const struct args *a, bool batch)
{
	struct matcher *m = matcher_new(&f->ir);
	int code = batch ? explain_batch(c, f, m, a) : explain_one(c, f, m, a);

	matcher_free(m);
	return code;
}

int verb_explain(struct console *c, const struct args *a)
{
	bool batch = args_option(a, "--batch") != NULL;
	bool mail = !batch && a->nwords == 2 && strcmp(a->words[1], "mail") == 0;
	struct policy_file f;

	int code = check_words(a, batch, mail);
	if (code != CONSOLE_OK)
		return code;
	code = policy_file_open(&f, a->words[0], a);
	if (code == CONSOLE_OK && !f.usable)
		code = policy_file_refused(&f);
	if (code == CONSOLE_OK)
		code = mail ? explain_mail(c, &f, a) : explain_packets(c, &f, a, batch);
	policy_file_close(&f);
	return code;
}
