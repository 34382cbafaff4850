/*
 * writer.c: once a second, everything that was counted goes into the store (see writer.h).
 *
 * Order within a transaction: drops that count (open rows), log-loss; when windows close, pruning goes before them, and
 * behind them the closed rows, faults, commits, what people did, the anchor: so the chain is in the order of its numbers.
 * Whatever is no drop therefore closes the windows before it.
 *
 * Failure: see writer_store.c; what is pending waits.
 */
#include "writer_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sekisho/clock.h>
#include <sekisho/i18n.h>

struct writer *writer_new(const struct writer_options *o, struct intake *in, struct names *names)
{
	struct writer *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->options = *o;
	snprintf(w->boot_id, sizeof(w->boot_id), "%s", o->boot_id);
	snprintf(w->dir, sizeof(w->dir), "%s", o->store.dir);
	w->options.store.dir = w->dir;
	w->intake = in;
	w->names = names;
	/* Twice: a batch that could not be written may have to be closed. */
	w->pending.batch.cap = 2 * intake_room(in);
	w->pending.batch.items = calloc(w->pending.batch.cap, sizeof(*w->pending.batch.items));
	if (w->pending.batch.items == NULL) {
		free(w);
		return NULL;
	}
	return w;
}

void writer_free(struct writer *w)
{
	if (w == NULL)
		return;
	store_free(w->store);
	free(w->pending.batch.items);
	free(w);
}

/* -- What is to be recorded ---------------------------------------------------------------------------------- */

static void queue_fault(struct writer *w, const struct msg_fault_row *row)
{
	if (w->nfaults == FAULTS_MAX)
		w->faults_lost++;
	else
		w->faults[w->nfaults++] = *row;
}

void writer_hold(struct writer *w, int64_t since)
{
	w->hold = since;
}

void writer_fault(struct writer *w, const struct msg_fault *m)
{
	struct msg_fault_row row = {.at = m->at, .severity = m->severity};

	MSG_TEXT(row.process, m->process);
	MSG_TEXT(row.code, m->code);
	MSG_TEXT(row.text, m->text);
	queue_fault(w, &row);
}

void writer_note(struct writer *w, uint32_t severity, const char *code, const char *text)
{
	struct msg_fault_row row = {.at = clock_wall().sec, .severity = severity};

	MSG_TEXT(row.process, "sekisho-logd");
	MSG_TEXT(row.code, code);
	MSG_TEXT(row.text, text);
	queue_fault(w, &row);
}

bool writer_tell(struct writer *w, enum trouble t)
{
	int64_t now = clock_mono().ns;

	if (w->told_ns[t] != 0 && now < w->told_ns[t] + TELL_EVERY_S * INT64_C(1000000000))
		return false;
	w->told_ns[t] = now;
	return true;
}

static bool same_commit(const struct msg_commit_row *a, const struct msg_commit_row *b)
{
	return a->generation == b->generation && a->at == b->at && strcmp(a->who, b->who) == 0;
}

void writer_commit(struct writer *w, const struct msg_generation *m)
{
	struct msg_commit_row row = {.at = m->at, .generation = m->number};

	MSG_TEXT(row.who, m->who);
	MSG_TEXT(row.why, m->why);
	MSG_TEXT(row.approval, m->approval);
	MSG_TEXT(row.account, m->account);
	row.uid = m->uid;
	/* A restarted sekishod, or our own restart, tells the running generation again. */
	if (same_commit(&row, &w->last_commit))
		return;
	w->last_commit = row;
	if (w->ncommits < COMMITS_MAX)
		w->commits[w->ncommits++] = row;
	else
		w->faults_lost++;
}

static struct store_deed *new_deed(struct writer *w, enum row_table table)
{
	if (w->ndeeds == DEEDS_MAX) {
		w->faults_lost++;
		return NULL;
	}
	struct store_deed *d = &w->deeds[w->ndeeds++];
	memset(d, 0, sizeof(*d));
	d->table = table;
	return d;
}

void writer_work(struct writer *w, const struct msg_work *m)
{
	struct store_deed *d = new_deed(w, ROW_COMMAND);

	if (d != NULL)
		d->u.command.it = *m;
}

void writer_login(struct writer *w, const struct msg_login *m)
{
	struct store_deed *d = new_deed(w, ROW_LOGIN);

	if (d != NULL)
		d->u.login.it = *m;
}

/* A new record gets a number; a further entry must be of one that is there. NULL, or why not. */
static const char *number_record(struct writer *w, struct msg_record *m)
{
	if (m->what == MSG_RECORD_NEW) {
		uint32_t newest = store_record_newest(w->store);
		w->record = (newest > w->record ? newest : w->record) + 1;
		m->number = w->record;
		return NULL;
	}
	uint32_t kind = store_record_kind(w->store, m->number);
	if (kind == 0)
		return N_("there is no record of this number");
	return kind != m->kind ? N_("the record of this number is of another kind") : NULL;
}

bool writer_record(struct writer *w, const struct msg_client *who, const struct msg_record *m, uint32_t *ret_number,
	uint64_t *ret_sequence, const char **ret_error)
{
	struct msg_record it = *m;

	*ret_error = w->store == NULL || !w->writable ? N_("records cannot be stored now") : number_record(w, &it);
	if (*ret_error != NULL)
		return false;
	struct store_deed *d = new_deed(w, ROW_RECORD);
	if (d == NULL) {
		*ret_error = N_("records cannot be stored now");
		return false;
	}
	d->u.record = (struct msg_record_row){.at = clock_wall().sec, .uid = who->uid, .role = who->role, .it = it};
	MSG_TEXT(d->u.record.account, who->account);
	*ret_number = it.number;
	writer_tick(w);
	/* A transaction that was fixed before holds all but this one. */
	if (w->ndeeds != 0)
		writer_tick(w);
	*ret_sequence = w->record_row;
	*ret_error = w->ndeeds == 0 ? NULL : N_("it is not on the disk yet: it is stored as soon as the disk takes it");
	return *ret_error == NULL;
}

static void receive(struct writer *w)
{
	uint64_t totals[REASON_END];

	intake_received(w->intake, totals);
	for (unsigned r = 0; r < REASON_END; r++)
		account_receive(&w->account, r, totals[r] - w->totals[r]);
	memcpy(w->totals, totals, sizeof(totals));
}

static void tell_counters(struct writer *w, uint64_t went_back)
{
	char text[128];

	if (went_back == 0 || !writer_tell(w, TROUBLE_COUNTER))
		return;
	snprintf(text, sizeof(text), "the kernel's counters fell by %llu packets: somebody reset them",
		(unsigned long long)went_back);
	writer_note(w, MSG_SEVERITY_FAULT, "counter-reset", text);
}

void writer_counters(struct writer *w, const struct msg_counters *m, int64_t arrived_ns)
{
	receive(w);
	w->books.went_back = 0;
	account_snapshot(&w->account, m, arrived_ns, &w->books);
	tell_counters(w, w->books.went_back);
	if (w->books.epoch_moved)
		writer_note(w, MSG_SEVERITY_NOTICE, "counters-new",
			"the kernel's table was made anew: counters begin at zero");
	w->books.epoch_moved = 0;
}

static void settle(struct writer *w)
{
	int64_t empty = intake_empty_ns(w->intake);

	receive(w);
	account_settle(&w->account, clock_mono().ns, empty, &w->books);
}

/* Loss that the limiter in the ruleset does not explain is a fault. */
static void tell_loss(struct writer *w)
{
	const struct account *a = &w->account;
	uint64_t limited = a->limited > a->limited_base ? a->limited - a->limited_base : 0;
	uint64_t lost = a->lost_total > limited ? a->lost_total - limited : 0;
	char text[160];

	/* Another epoch or store: counted anew. */
	if (lost < w->lost_told)
		w->lost_told = 0;
	if (lost <= w->lost_told || !writer_tell(w, TROUBLE_LOSS))
		return;
	snprintf(text, sizeof(text), "%llu drops were counted by the kernel and did not reach the record",
		(unsigned long long)(lost - w->lost_told));
	w->lost_told = lost;
	writer_note(w, MSG_SEVERITY_FAULT, "log-loss", text);
}

static void tell_intake(struct writer *w)
{
	struct intake_troubles now, *old = &w->troubles;
	char text[160];

	intake_troubles(w->intake, &now);
	if ((now.gaps != old->gaps || now.overflows != old->overflows) && writer_tell(w, TROUBLE_GAP)) {
		snprintf(text, sizeof(text), "%llu events were lost between the kernel and the recorder",
			(unsigned long long)(now.gaps - old->gaps));
		writer_note(w, MSG_SEVERITY_FAULT, "nflog-overflow", text);
		old->gaps = now.gaps;
		old->overflows = now.overflows;
	}
	if ((now.malformed != old->malformed || now.strange != old->strange) && writer_tell(w, TROUBLE_MALFORMED)) {
		snprintf(text, sizeof(text), "%llu messages could not be read, %llu carry no known reason",
			(unsigned long long)(now.malformed - old->malformed),
			(unsigned long long)(now.strange - old->strange));
		writer_note(w, MSG_SEVERITY_NOTICE, "nflog-strange", text);
		old->malformed = now.malformed;
		old->strange = now.strange;
	}
}

/* -- A transaction ------------------------------------------------------------------------------------------- */

static void add_loss(struct writer *w, unsigned reason, uint64_t n, enum msg_loss loss)
{
	struct pending *p = &w->pending;
	struct loss_window *open = &w->losses[reason], found = {0};
	struct loss_window *win = loss == MSG_LOSS_LOST ? open : &found;
	bool fresh = win->sequence == 0;
	int64_t now = clock_wall_ns();

	if (n == 0)
		return;
	if (fresh)
		*win = (struct loss_window){p->batch.next_sequence++, 0, now};
	win->count += n;
	struct msg_drop_row *row = &p->loss[p->nloss];
	*row = (struct msg_drop_row){.sequence = win->sequence, .count = win->count, .first_ns = win->first_ns,
		.last_ns = now, .reason = reason, .loss = loss, .open = 1};
	p->loss_fresh[p->nloss++] = fresh;
}

static void take_books(struct writer *w)
{
	w->pending.nloss = 0;
	for (unsigned r = 1; r < REASON_END; r++) {
		add_loss(w, r, w->books.lost[r], MSG_LOSS_LOST);
		add_loss(w, r, w->books.found[r], MSG_LOSS_FOUND);
	}
	memset(&w->books, 0, sizeof(w->books));
}

static bool window_due(const struct writer *w)
{
	/* A tick early, so that no window gets older than its limit. */
	return w->open_since_ns != 0 &&
	       clock_mono().ns - w->open_since_ns >= (int64_t)(w->options.window_s - 1) * 1000000000;
}

/* Fixes what the next transaction holds. */
static void build(struct writer *w)
{
	struct pending *p = &w->pending;

	if (w->faults_lost != 0 && w->nfaults < FAULTS_MAX && writer_tell(w, TROUBLE_QUEUE)) {
		char text[96];
		snprintf(text, sizeof(text), "%llu more faults could not be recorded",
			(unsigned long long)w->faults_lost);
		w->faults_lost = 0;
		writer_note(w, MSG_SEVERITY_FAULT, "faults-lost", text);
	}
	p->close = w->nfaults != 0 || w->ncommits != 0 || w->ndeeds != 0 || window_due(w);
	p->batch.n = 0;
	p->batch.next_sequence = store_next(w->store);
	intake_take(w->intake, &p->batch, p->close);
	if (w->options.seen != NULL)
		w->options.seen(w->options.seen_arg, p->batch.items, p->batch.n);
	take_books(w);
	p->nfaults = w->nfaults;
	p->ncommits = w->ncommits;
	p->ndeeds = w->ndeeds;
	/* A new epoch is stored and told even before anything was dropped in it. */
	p->there = p->batch.n != 0 || p->nloss != 0 || p->close || w->account.epoch != w->committed.epoch;
}

static void put_drops(struct writer *w)
{
	const struct pending *p = &w->pending;
	struct msg_drop_row row = {0};

	for (size_t i = 0; i < p->batch.n; i++) {
		const struct agg_window *win = &p->batch.items[i].window;
		/* The inspector's word may have come after the row was put: with it comes what the rule says. */
		if (p->batch.items[i].fresh || win->why != 0) {
			names_fill(w->names, win, &row);
			MSG_TEXT(row.boot_id, w->boot_id);
		} else {
			row.sequence = win->sequence;
			row.count = win->count;
			row.last_ns = win->last_ns;
			row.why = row.seen = row.expected = 0;
		}
		store_put_open(w->store, &row, p->batch.items[i].fresh);
	}
	for (unsigned i = 0; i < p->nloss; i++) {
		row = p->loss[i];
		MSG_TEXT(row.boot_id, w->boot_id);
		store_put_open(w->store, &row, p->loss_fresh[i]);
	}
}

/* It becomes a record at the next tick. */
static void tell_hold_broken(struct writer *w, int64_t wall)
{
	struct msg_fault m = {.severity = MSG_SEVERITY_FAULT, .at = wall};

	MSG_TEXT(m.process, "sekisho-logd");
	MSG_TEXT(m.code, "evidence-pruned");
	MSG_TEXT(m.text, "records that a freeze holds were removed, as there was no room for new ones; the freeze has its copy");
	writer_fault(w, &m);
}

static void put_closing(struct writer *w)
{
	const struct pending *p = &w->pending;
	int64_t wall = clock_wall().sec;

	store_hold(w->store, w->hold);
	store_prune(w->store, wall);
	put_drops(w);
	store_close_open(w->store);
	for (unsigned i = 0; i < p->nfaults; i++)
		store_put_fault(w->store, &w->faults[i]);
	for (unsigned i = 0; i < p->ncommits; i++)
		store_put_commit(w->store, &w->commits[i]);
	for (unsigned i = 0; i < p->ndeeds; i++) {
		store_put_deed(w->store, &w->deeds[i]);
		if (w->deeds[i].table == ROW_RECORD)
			w->record_row = w->deeds[i].u.record.sequence;
	}
	store_prune_anchor(w->store, wall);
	if (store_hold_broken(w->store))
		tell_hold_broken(w, wall);
}

static enum store_result try_store(struct writer *w)
{
	const struct pending *p = &w->pending;
	struct account after = w->account;

	for (size_t i = 0; i < p->batch.n; i++)
		after.stored[p->batch.items[i].window.key.reason] += p->batch.items[i].delta;
	/* Loss that was booked since this transaction was fixed has its rows in the next one. */
	for (unsigned r = 0; r < REASON_END; r++) {
		uint64_t booked = after.loss[r] + w->books.found[r];
		after.loss[r] = booked > w->books.lost[r] ? booked - w->books.lost[r] : 0;
	}
	store_begin(w->store);
	if (p->close)
		put_closing(w);
	else
		put_drops(w);
	store_put_account(w->store, &after, w->boot_id);
	enum store_result r = store_commit(w->store);
	if (r == STORE_OK) {
		memcpy(w->account.stored, after.stored, sizeof(after.stored));
		w->committed = after;
	}
	return r;
}

void writer_drop_queued(struct writer *w)
{
	struct pending *p = &w->pending;

	w->nfaults -= p->nfaults;
	memmove(w->faults, w->faults + p->nfaults, w->nfaults * sizeof(w->faults[0]));
	w->ncommits -= p->ncommits;
	memmove(w->commits, w->commits + p->ncommits, w->ncommits * sizeof(w->commits[0]));
	w->ndeeds -= p->ndeeds;
	memmove(w->deeds, w->deeds + p->ndeeds, w->ndeeds * sizeof(w->deeds[0]));
}

static void done(struct writer *w)
{
	struct pending *p = &w->pending;

	if (p->close) {
		writer_drop_queued(w);
		memset(w->losses, 0, sizeof(w->losses));
		w->open_since_ns = 0;
		w->closings++;
	} else if (w->open_since_ns == 0 && store_first_open(w->store) < store_next(w->store)) {
		w->open_since_ns = clock_mono().ns;
	}
	w->next = store_next(w->store);
	w->writable = true;
	w->io_failures = 0;
	*p = (struct pending){.batch = p->batch};
	p->batch.n = 0;
	store_sizes(w->store, &w->sizes);
}

bool writer_tick(struct writer *w)
{
	settle(w);
	tell_loss(w);
	tell_intake(w);
	if (!writer_ensure_store(w))
		return false;
	/* The second try is for what recover() could mend at once. */
	for (int i = 0; i < 2 && w->store != NULL; i++) {
		if (!w->pending.there)
			build(w);
		if (!w->pending.there) {
			w->writable = true;
			return false;
		}
		enum store_result r = try_store(w);
		if (r == STORE_OK) {
			done(w);
			return true;
		}
		if (!writer_recover(w, r))
			break;
	}
	return false;
}

void writer_status(struct writer *w, struct msg_log_status *ret)
{
	*ret = (struct msg_log_status){.epoch = w->committed.epoch, .rows = w->sizes.rows,
		.bytes_free = w->sizes.bytes_free,
		.bytes_used = w->sizes.bytes_used, .oldest = w->sizes.oldest, .newest = w->sizes.newest,
		.writable = w->writable};
	memcpy(ret->stored, w->committed.stored, sizeof(ret->stored));
	memcpy(ret->loss, w->committed.loss, sizeof(ret->loss));
}

struct store *writer_store(struct writer *w)
{
	return w->store;
}

uint64_t writer_closings(const struct writer *w)
{
	return w->closings;
}
