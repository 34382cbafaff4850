/*
 * digest.c: news and digests for sekisho-alarm (see digest.h).
 *
 *	news      records of faults and notices behind a number, then rows of the mail ledger behind another
 *	digest    questions about the records as a person would ask them (query.h), one after another, added up here
 *
 * Input: MSG_ALARM_ASK of sekisho-alarm, which reads a mail server's replies: numbers and times, all of which are valid.
 * Limits: one question of each kind; one step of a query a turn of the loop; tables of fixed size. Nothing here waits: what the
 * socket does not take is offered again.
 */
#include "digest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sekisho/ir.h>
#include <sekisho/loop.h>
#include <sekisho/mask.h>

#include "mailbook.h"
#include "names.h"
#include "query.h"
#include "writer.h"

#define FULL_MS 200
/* Rows of one question: a day that has more is told as "not all". */
#define ROWS_MAX 100000
/* News of one answer; what is left is asked for again. */
#define NEWS_MAX 32

enum stage { STAGE_NONE, STAGE_BEGIN, STAGE_QUERY, STAGE_MAIL, STAGE_END };

struct job {
	struct digest *d;
	uint32_t tag;
	struct msg_alarm_ask ask;
	enum stage stage;
	unsigned question; /* index into `questions`, of a digest */
	bool open;	   /* query is under way */
	struct query query;
	uint32_t given;	   /* news */
	uint64_t upto;	   /* records that there were when they were asked for */
	struct msg_alarm_done done;
	struct msg_alarm_digest digest;
};

struct digest {
	struct digest_sources from;
	struct loop_timer *work;
	struct job news, numbers;
};

static const enum msg_log_verb questions[] = {MSG_LOG_SUMMARY, MSG_LOG_FAULTS, MSG_LOG_COMMITS, MSG_LOG_LOGINS,
	MSG_LOG_COMMANDS};
#define NQUESTIONS (sizeof(questions) / sizeof(questions[0]))

static void stop(struct job *j)
{
	if (j->open)
		query_clear(&j->query);
	j->open = false;
	j->stage = STAGE_NONE;
}

static int send_answer(const struct job *j, enum msg_type type, const void *body)
{
	int r = msg_send(j->d->from.fd, type, j->tag, body, NULL, 0);

	return r == -ENOBUFS ? -EAGAIN : r;
}

/* -- Words ----------------------------------------------------------------------------------------------- */

static bool is_english(const struct ir *ir)
{
	return strcmp(ir_text(ir, ir->system->language), "en") == 0;
}

static void mask_into(const struct ir *ir, const char *text, char *ret, size_t size)
{
	mask_text(ir, is_english(ir), text, ret, size);
}
#define MASK(ir, text, array) mask_into((ir), (text), (array), sizeof(array))

/* What people call it. */
static void label_of(const struct ir *ir, const char *segment, char *ret, size_t size)
{
	const char *label = segment;

	for (uint32_t i = 0; i < ir->nsegments; i++) {
		const struct ir_segment *s = &ir->segments[i];
		if (strcmp(ir_text(ir, s->name), segment) == 0 && ir_text(ir, s->label)[0] != '\0')
			label = ir_text(ir, s->label);
	}
	msg_text(ret, size, label);
}

/* -- Adding up ------------------------------------------------------------------------------------------- */

static void add_drops(const struct ir *ir, struct msg_alarm_digest *d, const struct msg_summary_row *row)
{
	if (row->loss != MSG_LOSS_NONE) {
		d->losses += row->packets;
		return;
	}
	d->drops += row->packets;
	if (d->ndrops == MSG_ALARM_DROPS_MAX)
		return;
	struct msg_alarm_drops *to = &d->drop[d->ndrops++];
	to->packets = row->packets;
	to->reason = row->reason;
	label_of(ir, row->from, to->from, sizeof(to->from));
	label_of(ir, row->to, to->to, sizeof(to->to));
}

/* Newest first: the first that is seen of a code is its last. */
static void add_fault(struct msg_alarm_digest *d, const struct msg_fault_row *row)
{
	if (row->severity == MSG_SEVERITY_INFO)
		return;
	for (uint32_t i = 0; i < d->nfaults; i++) {
		struct msg_alarm_faults *f = &d->fault[i];
		if (strcmp(f->process, row->process) == 0 && strcmp(f->code, row->code) == 0) {
			f->count++;
			return;
		}
	}
	if (d->nfaults == MSG_ALARM_FAULTS_MAX)
		return;
	struct msg_alarm_faults *f = &d->fault[d->nfaults++];
	*f = (struct msg_alarm_faults){.count = 1, .last = row->at, .severity = row->severity};
	MSG_TEXT(f->process, row->process);
	MSG_TEXT(f->code, row->code);
}

static void add_commit(const struct ir *ir, struct msg_alarm_digest *d, const struct msg_commit_row *row)
{
	d->commits++;
	if (d->ncommits == MSG_ALARM_COMMITS_MAX)
		return;
	struct msg_alarm_commit *c = &d->commit[d->ncommits++];
	c->at = row->at;
	c->generation = row->generation;
	MASK(ir, row->who, c->who);
	MASK(ir, row->why, c->why);
}

static void add_login(struct msg_alarm_digest *d, const struct msg_login_row *row)
{
	d->logins += row->it.event == MSG_LOGIN_BEGIN;
	d->logins_refused += row->it.event == MSG_LOGIN_REFUSED;
}

static bool add_row(void *arg, enum msg_type type, const void *body)
{
	struct job *j = arg;
	const struct ir *ir = names_ir(j->d->from.names);
	const struct msg_end *end = body;

	switch ((int)type) {
	case MSG_SUMMARY_ROW:
		add_drops(ir, &j->digest, body);
		break;
	case MSG_FAULT_ROW:
		add_fault(&j->digest, body);
		break;
	case MSG_COMMIT_ROW:
		add_commit(ir, &j->digest, body);
		break;
	case MSG_LOGIN_ROW:
		add_login(&j->digest, body);
		break;
	case MSG_COMMAND_ROW:
		j->digest.commands++;
		break;
	case MSG_END:
		j->digest.ok = j->digest.ok && end->ok && !end->more;
		break;
	default:
		break;
	}
	return true;
}

/* -- News ------------------------------------------------------------------------------------------------ */

static bool give_record(struct job *j, const struct msg_fault_row *row)
{
	const struct ir *ir = names_ir(j->d->from.names);
	struct msg_alarm_news n = {.sequence = row->sequence, .at = row->at,
		.kind = row->severity == MSG_SEVERITY_FAULT ? MSG_ALARM_FAULT : MSG_ALARM_NOTICE};

	if (row->severity == MSG_SEVERITY_INFO || j->done.more)
		return true;
	if (j->given == NEWS_MAX) {
		j->done.more = 1;
		return true;
	}
	MSG_TEXT(n.code, row->code);
	MASK(ir, row->text, n.text);
	if (send_answer(j, MSG_ALARM_NEWS, &n) != 0)
		return false;
	j->given++;
	j->done.faults = row->sequence;
	return true;
}

static bool give_row(void *arg, enum msg_type type, const void *body)
{
	struct job *j = arg;
	const struct msg_end *end = body;

	if (type == MSG_FAULT_ROW)
		return give_record(j, body);
	if (type != MSG_END)
		return true;
	j->done.ok = j->done.ok && end->ok;
	j->done.more = j->done.more || end->more;
	if (end->ok && !j->done.more)
		j->done.faults = j->upto;
	return true;
}

/* False: the socket is full. */
static bool give_mail(struct job *j)
{
	const struct ir *ir = names_ir(j->d->from.names);
	struct mail_news row;
	uint64_t newest = 0;
	int r = 1;

	while (j->given < NEWS_MAX && (r = mailbook_news(j->d->from.mail, j->done.ledger, &row, &newest)) == 1) {
		struct msg_alarm_news n = {.sequence = row.sequence,
			.at = row.at,
			.kind = row.held ? MSG_ALARM_HELD : MSG_ALARM_WARNED};
		MSG_TEXT(n.receipt, row.receipt);
		MASK(ir, row.sender, n.sender);
		if (send_answer(j, MSG_ALARM_NEWS, &n) != 0)
			return false;
		j->given++;
		j->done.ledger = row.sequence;
	}
	j->done.more = j->done.more || r == 1;
	/* Nothing more up to there; also when the ledger was begun anew. */
	if (r == 0)
		j->done.ledger = newest;
	return true;
}

/* -- One step -------------------------------------------------------------------------------------------- */

static bool begin_query(struct job *j)
{
	struct store *s = writer_store(j->d->from.writer);
	bool news = j == &j->d->news;
	struct msg_query q = {.verb = news ? MSG_LOG_FAULTS : questions[j->question], .limit = ROWS_MAX, .port = MSG_ANY_PORT};

	if (news) {
		j->upto = s != NULL ? store_newest(s) : 0;
		q.after = j->done.faults != 0 ? j->done.faults : 1; /* row 1 is the store's own mark */
	} else {
		q.since = j->ask.since;
		q.until = j->ask.until > j->ask.since ? j->ask.until - 1 : j->ask.since;
	}
	j->open = query_init(&j->query, &q, s) == NULL;
	if (!j->open)
		query_clear(&j->query);
	return j->open;
}

/* Where the numbers stand now: nobody is told of what was before. */
static void begin_news(struct job *j)
{
	struct store *s = writer_store(j->d->from.writer);
	struct mail_news row;

	j->done = (struct msg_alarm_done){.ledger = j->ask.ledger, .faults = j->ask.faults, .ok = s != NULL};
	j->stage = STAGE_QUERY;
	if (j->ask.know_numbers && (s == NULL || store_newest(s) >= j->ask.faults))
		return;
	j->stage = STAGE_END;
	j->done.faults = s != NULL ? store_newest(s) : 0;
	if (!j->ask.know_numbers && mailbook_news(j->d->from.mail, UINT64_MAX >> 1, &row, &j->done.ledger) < 0)
		j->done.ok = 0;
}

static void begin(struct job *j)
{
	j->given = 0;
	j->question = 0;
	/* Without the policy nothing can be masked. */
	if (names_ir(j->d->from.names) == NULL) {
		j->done = (struct msg_alarm_done){.ledger = j->ask.ledger, .faults = j->ask.faults};
		memset(&j->digest, 0, sizeof(j->digest));
		j->stage = STAGE_END;
	} else if (j == &j->d->news) {
		begin_news(j);
	} else {
		j->digest = (struct msg_alarm_digest){.ok = 1};
		j->stage = STAGE_QUERY;
	}
}

static bool step_query(struct job *j)
{
	bool news = j == &j->d->news;

	if (!j->open && !begin_query(j)) {
		j->digest.ok = 0;
		j->done.ok = 0;
		j->stage = STAGE_MAIL;
		return true;
	}
	enum query_state state = query_step(&j->query, writer_store(j->d->from.writer), writer_closings(j->d->from.writer),
		news ? give_row : add_row, j);
	if (state == QUERY_FULL)
		return false;
	if (state != QUERY_DONE)
		return true;
	query_clear(&j->query);
	j->open = false;
	if (news || ++j->question == NQUESTIONS)
		j->stage = STAGE_MAIL;
	return true;
}

static bool step_mail(struct job *j)
{
	if (j == &j->d->news && !give_mail(j))
		return false;
	if (j == &j->d->numbers && mailbook_counts(j->d->from.mail, j->ask.since, j->ask.until, j->digest.mail) != 0)
		j->digest.ok = 0;
	j->stage = STAGE_END;
	return true;
}

static bool step_end(struct job *j)
{
	int r = j == &j->d->news ? send_answer(j, MSG_ALARM_DONE, &j->done) : send_answer(j, MSG_ALARM_DIGEST, &j->digest);

	if (r == -EAGAIN)
		return false;
	stop(j);
	return true;
}

/* False: the socket is full. */
static bool step(struct job *j)
{
	switch (j->stage) {
	case STAGE_BEGIN:
		begin(j);
		return true;
	case STAGE_QUERY:
		return step_query(j);
	case STAGE_MAIL:
		return step_mail(j);
	case STAGE_END:
		return step_end(j);
	default:
		return true;
	}
}

static void on_work(void *arg)
{
	struct digest *d = arg;
	bool room = step(&d->news);

	room = step(&d->numbers) && room;
	if (d->news.stage != STAGE_NONE || d->numbers.stage != STAGE_NONE)
		loop_set_timer(d->work, room ? 0 : FULL_MS, 0);
}

void digest_ask(struct digest *d, uint32_t tag, const struct msg_alarm_ask *q)
{
	struct job *j = q->what == MSG_ALARM_ASK_NEWS ? &d->news : &d->numbers;

	if (d->from.fd < 0)
		return;
	stop(j);
	j->tag = tag;
	j->ask = *q;
	j->stage = STAGE_BEGIN;
	loop_set_timer(d->work, 0, 0);
}

struct digest *digest_new(const struct digest_sources *s)
{
	struct digest *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	d->from = *s;
	d->news.d = d->numbers.d = d;
	d->work = loop_add_timer(s->loop, -1, 0, on_work, d);
	if (d->work != NULL)
		return d;
	free(d);
	return NULL;
}

void digest_free(struct digest *d)
{
	if (d == NULL)
		return;
	stop(&d->news);
	stop(&d->numbers);
	loop_del_timer(d->work);
	free(d);
}
