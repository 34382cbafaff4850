/*
 * judge.c (fuzz): a mail's envelope and the report on it, under a policy with every word that the mail gate knows.
 *
 * Input: lines (sender, then recipients) up to an empty one; then steps that fill a report: a byte says which, bytes behind it
 * what. Only a report that mailreport_open() takes is judged. Whatever it is: a recipient that passes inward is a plain mailbox
 * of a listed domain; the verdict fits the reason; the same mail is judged the same again; an approval or a superior never
 * turns a yes into a no; nothing but too-big, the cleaner and its failure speaks inward.
 */
#include <sekisho/arena.h>
#include <sekisho/attachment.h>
#include <sekisho/buf.h>
#include <sekisho/diag.h>
#include <sekisho/ir.h>
#include <sekisho/judge.h>
#include <sekisho/mailreport.h>
#include <sekisho/model.h>
#include <sekisho/reader.h>
#include <sekisho/smtp_address.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char policy[] =
	"set segment l kind lgwan interface eth1 address 10.2.0.1/24 network 10.2.0.0/16\n"
	"set segment i kind internet interface eth2 address 192.0.2.1/24 network other\n"
	"set host lmta segment l address 10.2.0.5\n"
	"set host imta segment i address 192.0.2.5\n"
	"set mail inbound listen 192.0.2.1 domain town.example domain sub.town.example next-hop lmta max-size 4K\n"
	"set mail outbound listen 10.2.0.1 server lmta next-hop imta max-size 2K automatic-forward refuse\n"
	"set mail outbound attachments require-cc kacho list pdf,zip,txt,csv max-files 3 max-file-size 1K encrypted hold\n"
	"set mail outbound attachments type docx action hold\n"
	"set mail outbound attachments type program action refuse\n"
	"set mail outbound attachments type macro action hold\n"
	"set mail superior k address k@town.example role kacho\n"
	"set mail partner p domain p.example label A demands encrypted-attachment\n"
	"set mail partner q domain q.example label B demands encrypted-attachment\n"
	"set mail partner o domain other label A label B demands encrypted-attachment\n";

static struct ir ir;

static void compile(void)
{
	static struct buf block;
	struct arena *a = arena_new();
	struct diag_list d;
	struct model *m;

	diag_init(&d, a);
	if (!config_read(a, policy, sizeof(policy) - 1, &d, &m) ||
		!policy_compile(m, (struct wall){1795136400}, &d, &block) || ir_open(block.data, block.len, &ir) != NULL)
		abort();
	arena_free(a);
}

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check(const struct judgement *j)
{
	must((j->verdict == JUDGE_PASS) == (j->reason == MAIL_REASON_NONE));
	must(j->reason == MAIL_REASON_NONE || mail_reason_known(j->reason));
	must((j->verdict == JUDGE_HOLD) == (j->reason == MAIL_REASON_HELD));
	must((j->verdict == JUDGE_REFUSE) == (mail_reason_smtp(j->reason) >= 500));
	must(memchr(j->detail, '\0', sizeof(j->detail)) != NULL);
	must(j->notes == 0 || j->verdict == JUDGE_PASS);
}

/* -- the envelope -------------------------------------------------------------------------------------------- */

/* Takes a line: a path. False at the empty line, or where nothing is left. */
static bool next_address(struct reader *r, struct smtp_address *ret, bool *ret_ok)
{
	const char *p = (const char *)r->p;
	size_t left = reader_left(r), taken;
	const char *end = left == 0 ? NULL : memchr(p, '\n', left);
	size_t n = end == NULL ? left : (size_t)(end - p);

	reader_skip(r, end == NULL ? left : n + 1);
	*ret = (struct smtp_address){.flags = 0};
	*ret_ok = n > 0 && smtp_address_parse(p, n, ret, &taken) == SMTP_ADDRESS_OK;
	return n > 0;
}

/* By another way than the judge's: is that a mailbox of ours and nothing else? */
static void check_inward(const struct smtp_address *to)
{
	const char *at = strrchr(to->text, '@');

	if ((to->flags & SMTP_ADDRESS_POSTMASTER) != 0)
		return;
	must(at != NULL && (strcasecmp(at + 1, "town.example") == 0 || strcasecmp(at + 1, "sub.town.example") == 0));
	must(strchr(to->local, '@') == NULL && strpbrk(to->local, "%!\"\\ ()<>,;:[]") == NULL);
	must((to->flags & SMTP_ADDRESS_ROUTED) == 0);
}

static void envelope(struct reader *r, enum mail_direction direction, struct judge_envelope *env)
{
	struct smtp_address a;
	struct judgement j;
	bool ok;

	next_address(r, &a, &ok);
	judge_sender(&ir, direction, &a, 0, env, &j);
	check(&j);
	while (next_address(r, &a, &ok)) {
		if (!ok)
			continue;
		judge_rcpt(&ir, direction, env, &a, &j);
		check(&j);
		if (j.verdict != JUDGE_PASS)
			continue;
		if (direction == MAIL_IN)
			check_inward(&a);
		judge_rcpt_taken(&ir, direction, env, &a);
	}
	must(env->recipients <= JUDGE_RECIPIENTS);
}

/* -- the report ---------------------------------------------------------------------------------------------- */

static struct {
	struct mailreport head;
	struct mailreport_part parts[MAILREPORT_PARTS];
} report;

static void text(struct reader *r, char *ret, size_t max)
{
	size_t n = reader_u8(r) % max;

	for (size_t i = 0; i < n; i++)
		ret[i] = (char)reader_u8(r);
	ret[strnlen(ret, n)] = '\0';
}

static void part(struct reader *r)
{
	if (report.head.shown == MAILREPORT_PARTS)
		return;
	struct mailreport_part *p = &report.parts[report.head.shown++];
	text(r, p->name, 200);
	text(r, p->other, 200);
	p->kind = reader_u8(r);
	p->flags = reader_u16(r);
	p->marks = reader_u8(r) % 4 != 0 ? MAILREPORT_ATTACHED : 0;
	p->size = reader_u16(r);
	report.head.parts_total++;
	report.head.attachments += p->marks != 0;
	report.head.attachments_encrypted += p->marks != 0 && (p->flags & ATTACHMENT_ENCRYPTED) != 0;
}

static void step(struct reader *r)
{
	struct mailreport *h = &report.head;

	switch (reader_u8(r) % 8) {
	case 0:
		h->size_in = reader_u16(r);
		break;
	case 1:
		h->reason = reader_u8(r);
		break;
	case 2:
		h->labels = reader_u8(r);
		break;
	case 3:
		h->forward = reader_u8(r) & MAILREPORT_FORWARD_ALL;
		break;
	case 4:
		h->mynumber_hits = reader_u8(r) % 3;
		h->mynumber_score = reader_u16(r);
		break;
	case 5:
		h->recipients_external = reader_u8(r);
		h->recipients = h->recipients_external;
		break;
	case 6:
		h->flags = reader_u32(r);
		break;
	default:
		part(r);
	}
}

static bool fill(struct reader *r, enum mail_direction direction, struct mailreport_view *ret)
{
	memset(&report, 0, sizeof(report));
	report.head.magic = MAILREPORT_MAGIC;
	report.head.version = MAILREPORT_VERSION;
	report.head.direction = (uint8_t)direction;
	strcpy(report.head.receipt, "R-1");
	while (!r->bad && reader_left(r) > 0)
		step(r);
	return mailreport_open(&report, sizeof(report.head) + report.head.shown * sizeof(report.parts[0]), ret) == 0;
}

static void message(enum mail_direction direction, struct judge_envelope *env, const struct mailreport_view *view)
{
	struct judgement j, again;

	judge_message(&ir, direction, env, view, false, &j);
	check(&j);
	judge_message(&ir, direction, env, view, false, &again);
	must(memcmp(&j, &again, sizeof(j)) == 0);
	must(direction == MAIL_OUT || j.reason == MAIL_REASON_NONE || j.reason == MAIL_REASON_TOO_BIG ||
		j.reason == view->head->reason || j.reason == MAIL_REASON_WORKER_FAILED);
	judge_message(&ir, direction, env, view, true, &again);
	check(&again);
	must(j.reason == MAIL_REASON_HELD ? again.verdict == JUDGE_PASS : again.reason == j.reason);
	env->superior = env->superior_role = true;
	judge_message(&ir, direction, env, view, false, &again);
	check(&again);
	must(again.reason == j.reason || j.reason == MAIL_REASON_NEEDS_CC);
	must(again.reason != MAIL_REASON_NEEDS_CC);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mailreport_view view;
	struct judge_envelope env;

	if (ir.base == NULL)
		compile();
	for (unsigned d = 0; d < MAIL_DIRECTIONS; d++) {
		struct reader r = reader_init(data, size);
		envelope(&r, (enum mail_direction)d, &env);
		if (fill(&r, (enum mail_direction)d, &view))
			message((enum mail_direction)d, &env, &view);
	}
	return 0;
}
