/*
 * explain_mail.c: `sekisho explain POLICY mail`: what the mail gate would do with a mail, and why.
 *
 * The same functions judge as in the gate (judge.h); nothing is sent and nobody is asked. What the gate finds out while it
 * runs (floods, next hops, what the cleaner sees in the real mail) is not in it. The JSON form is a contract
 * (rootfs/doc/explain.md).
 */
#include "console.h"
#include "explain.h"
#include "mailquestion.h"
#include "policyfile.h"
#include "render.h"

#include <sekisho/arena.h>
#include <sekisho/ir.h>
#include <sekisho/json.h>
#include <sekisho/judge.h>

#include <string.h>

#define SUPERIORS_SHOWN 5u

/* Where it was decided. */
enum stage { STAGE_SERVER, STAGE_SENDER, STAGE_RECIPIENT, STAGE_MESSAGE };

struct answer {
	enum stage stage;
	struct judgement j;	 /* of the mail; of a recipient when none is left */
	struct judgement *each; /* of recipients */
};

static const char *stage_word(enum stage s)
{
	static const char *const words[] = {"server", "sender", "recipient", "message"};

	return words[s];
}

/* Recipients one after the other, as the gate is told them; how many are left. */
static uint32_t judge_recipients(
	const struct ir *ir, const struct mailquestion *q, struct judge_envelope *env, struct answer *ret)
{
	uint32_t left = 0;

	for (uint32_t i = 0; i < q->nto; i++) {
		judge_rcpt(ir, q->direction, env, &q->to[i], &ret->each[i]);
		if (ret->each[i].verdict != JUDGE_PASS)
			continue;
		judge_rcpt_taken(ir, q->direction, env, &q->to[i]);
		left++;
	}
	return left;
}

static void judge_all(const struct ir *ir, const struct mailquestion *q, struct answer *ret)
{
	struct mailreport_view view = {&q->head, q->parts};
	struct judge_envelope env;

	ret->stage = STAGE_SERVER;
	if (q->server.family != 0)
		judge_client(ir, q->direction, &q->server, &ret->j);
	if (ret->j.verdict != JUDGE_PASS)
		return;
	ret->stage = STAGE_SENDER;
	judge_sender(ir, q->direction, &q->from, q->head.size_in, &env, &ret->j);
	if (ret->j.verdict != JUDGE_PASS)
		return;
	ret->stage = STAGE_RECIPIENT;
	if (judge_recipients(ir, q, &env, ret) == 0) {
		ret->j = ret->each[0];
		return;
	}
	ret->stage = STAGE_MESSAGE;
	judge_message(ir, q->direction, &env, &view, q->approved, &ret->j);
}

/* -- JSON ---------------------------------------------------------------------------------------------------- */

static void put_judgement(struct json *j, const struct judgement *x)
{
	json_str(j, "verdict", judge_verdict_word(x->verdict));
	json_str(j, "reason", x->reason == MAIL_REASON_NONE ? NULL : mail_reason_word(x->reason));
	json_str(j, "detail", x->detail[0] == '\0' ? NULL : x->detail);
}

static void put_notes(struct json *j, uint32_t notes)
{
	json_array(j, "notes");
	for (uint32_t bit = 1; bit != 0; bit <<= 1)
		if ((notes & bit) != 0)
			json_str(j, NULL, judge_note_word((enum judge_note)bit));
	json_array_end(j);
}

static void answer_json(struct buf *out, const struct mailquestion *q, const struct answer *a)
{
	struct json j = json_init(out);

	json_object(&j, NULL);
	put_judgement(&j, &a->j);
	json_str(&j, "stage", stage_word(a->stage));
	json_str(&j, "direction", q->direction == MAIL_IN ? "in" : "out");
	json_uint(&j, "smtp", mail_reason_smtp(a->j.reason));
	json_str(&j, "enhanced", mail_reason_enhanced(a->j.reason));
	put_notes(&j, a->j.notes);
	json_array(&j, "recipients");
	for (uint32_t i = 0; i < q->nto && a->stage >= STAGE_RECIPIENT; i++) {
		json_object(&j, NULL);
		json_str(&j, "address", q->to[i].text);
		put_judgement(&j, &a->each[i]);
		json_object_end(&j);
	}
	json_array_end(&j);
	json_object_end(&j);
	buf_addc(out, '\n');
}

/* -- for people ---------------------------------------------------------------------------------------------- */

static const char *verdict_text(const struct mailquestion *q, const struct judgement *j)
{
	static const char *const texts[] = {N_("it leaves"), N_("it is refused; the sender gets it back"),
		N_("it waits for approval"), N_("not now; the sender's server tries again by itself")};

	return j->verdict == JUDGE_PASS && q->direction == MAIL_IN ? _("it comes in as text") : _(texts[j->verdict]);
}

static const char *reason_text(struct arena *a, const struct judgement *j)
{
	if (j->reason == MAIL_REASON_NONE)
		return NULL;
	if (j->detail[0] == '\0')
		return arena_printf(a, "%s [%s]", _(mail_reason_text(j->reason)), mail_reason_word(j->reason));
	return arena_printf(a, "%s (%s) [%s]", _(mail_reason_text(j->reason)), j->detail, mail_reason_word(j->reason));
}

/* "550 5.7.1" */
static const char *reply_text(struct arena *a, const struct judgement *j)
{
	return arena_printf(a, "%u %s", mail_reason_smtp(j->reason), mail_reason_enhanced(j->reason));
}

/* Recipients that are not in this mail, and why. */
static const char *left_out(struct arena *arena, const struct mailquestion *q, const struct answer *a)
{
	struct buf b = {0};

	for (uint32_t i = 0; i < q->nto && a->stage == STAGE_MESSAGE; i++)
		if (a->each[i].verdict != JUDGE_PASS)
			buf_printf(&b, "%s%s: %s [%s]", b.len > 0 ? "; " : "", q->to[i].text,
				_(mail_reason_text(a->each[i].reason)), mail_reason_word(a->each[i].reason));
	const char *s = b.len == 0 ? NULL : arena_strdup(arena, buf_str(&b));
	buf_free(&b);
	return s;
}

static const char *notes_text(struct arena *arena, uint32_t notes)
{
	struct buf b = {0};

	for (uint32_t bit = 1; bit != 0; bit <<= 1)
		if ((notes & bit) != 0)
			buf_printf(&b, "%s%s", b.len > 0 ? "; " : "", _(judge_note_text((enum judge_note)bit)));
	const char *s = b.len == 0 ? NULL : arena_strdup(arena, buf_str(&b));
	buf_free(&b);
	return s;
}

static bool has_role(const struct ir *ir, const struct ir_mail *m, const struct ir_superior *s)
{
	for (uint32_t i = 0; i < m->roles.n; i++)
		if (strcmp(ir_text(ir, ir->names[m->roles.first + i].name), ir_text(ir, s->role)) == 0)
			return true;
	return m->roles.n == 0;
}

/* Who could be put into Cc: the first few. */
static const char *superiors_text(struct arena *arena, const struct ir *ir, const struct judgement *j)
{
	struct buf b = {0};
	uint32_t n = 0;

	for (uint32_t i = 0; j->reason == MAIL_REASON_NEEDS_CC && i < ir->nsuperiors; i++) {
		const struct ir_superior *s = &ir->superiors[i];
		if (!has_role(ir, ir_mail(ir, MAIL_OUT), s) || n++ >= SUPERIORS_SHOWN)
			continue;
		buf_printf(&b, "%s%s (%s)", b.len > 0 ? ", " : "", ir_text(ir, s->address), ir_text(ir, s->role));
	}
	if (n > SUPERIORS_SHOWN)
		buf_printf(&b, _(" and %u more"), n - SUPERIORS_SHOWN);
	const char *s = b.len == 0 ? NULL : arena_strdup(arena, buf_str(&b));
	buf_free(&b);
	return s;
}

static void answer_text(struct buf *out, const struct policy_file *f, const struct mailquestion *q, const struct answer *a)
{
	static const struct field fields[] = {{NULL, N_("verdict")}, {NULL, N_("mail")}, {NULL, N_("reason")},
		{NULL, N_("reply")}, {NULL, N_("superiors")}, {NULL, N_("left out")}, {NULL, N_("noted")}};
	struct render r = {.ops = &render_card,
		.out = out,
		.fields = fields,
		.nfields = sizeof(fields) / sizeof(fields[0])};
	const char *mail = arena_printf(f->arena, q->direction == MAIL_IN ? _("from the internet, <%s>, recipients: %u")
									     : _("to the internet, <%s>, recipients: %u"),
		q->from.text, q->nto);
	struct value values[] = {value_text(verdict_text(q, &a->j)), value_text(mail), value_text(reason_text(f->arena, &a->j)),
		value_text(a->j.reason == MAIL_REASON_NONE ? NULL : reply_text(f->arena, &a->j)),
		value_text(superiors_text(f->arena, &f->ir, &a->j)), value_text(left_out(f->arena, q, a)),
		value_text(notes_text(f->arena, a->j.notes))};

	render_row(&r, values);
	render_end(&r);
}

int explain_mail(struct console *c, const struct policy_file *f, const struct args *args)
{
	struct mailquestion *q = ARENA_NEW(f->arena, struct mailquestion);
	char error[MAILQUESTION_ERROR];

	if (!mailquestion_read(&f->ir, args, q, error))
		return console_fail(CONSOLE_USAGE, "%s", error);
	if (ir_mail(&f->ir, q->direction) == NULL)
		return console_fail(CONSOLE_REFUSED, _("the policy takes no mail there: it has no `set mail %s`"),
			q->direction == MAIL_IN ? "inbound" : "outbound");
	struct answer a = {.each = ARENA_ARRAY(f->arena, q->nto, struct judgement)};
	judge_all(&f->ir, q, &a);
	if (c->json)
		answer_json(&c->out, q, &a);
	else
		answer_text(&c->out, f, q, &a);
	return CONSOLE_OK;
}
