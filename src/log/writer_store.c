/*
 * writer_store.c: the store's life: opened, set aside, opened anew (see writer.h).
 *
 * Failure, by result of the store:
 *   full     the ballast goes, oldest rows go; tried again at once, then each second. A store that cannot even be
 *            opened takes the place of the oldest one that was set aside
 *   busy     tried again; a store that another process holds for BUSY_LIMIT_S is set aside
 *   corrupt  set aside (renamed, kept); a new one is begun, a fault tells, what was in the old one is booked as loss
 *   io       tried again each second; after IO_REOPEN failures the file is opened anew
 * The pending transaction survives all of it: its rows get new numbers where they have to.
 */
#include "writer_private.h"

#include <stdio.h>
#include <string.h>

#include <sekisho/clock.h>

#define BUSY_LIMIT_S 5
#define IO_REOPEN 10

/*
 * The rows of the pending batch cannot go on in the file as it is now: what is counted and not stored becomes rows of
 * its own. Loss that is pending is booked anew by the equation when the account was reset, else it stays.
 */
static void renumber(struct writer *w)
{
	struct pending *p = &w->pending;
	uint64_t next = store_next(w->store);

	for (size_t i = 0; i < p->batch.n; i++) {
		struct agg_item *item = &p->batch.items[i];
		item->fresh = true;
		item->window.count = item->delta;
		item->window.sequence = next++;
	}
	for (unsigned i = 0; i < p->nloss; i++) {
		p->loss_fresh[i] = true;
		p->loss[i].sequence = next++;
	}
	intake_forget(w->intake);
	memset(w->losses, 0, sizeof(w->losses));
	w->open_since_ns = 0;
	/* Windows that were forgotten get new numbers: what is pending ends with this transaction. */
	p->close = p->there;
}

/* A commit that failed may have reached the disk all the same: then it is not done again. */
static void forget_done(struct writer *w, const struct account *stored)
{
	struct pending *p = &w->pending;
	uint64_t delta[REASON_END] = {0};

	for (size_t i = 0; i < p->batch.n; i++)
		delta[p->batch.items[i].window.key.reason] += p->batch.items[i].delta;
	for (unsigned r = 0; r < REASON_END; r++)
		if (stored->stored[r] != w->committed.stored[r] + delta[r])
			return;
	if (p->batch.n == 0)
		return;
	writer_drop_queued(w);
	memcpy(w->account.stored, stored->stored, sizeof(w->account.stored));
	w->committed = *stored;
	p->batch.n = p->nloss = p->nfaults = p->ncommits = p->ndeeds = 0;
}

/* The store's account becomes ours at the start; when the file was opened anew it only tells what was done. */
static void take_account(struct writer *w, bool resumed)
{
	struct account stored;
	char boot[40];

	if (!store_get_account(w->store, &stored, boot))
		return;
	if (resumed) {
		forget_done(w, &stored);
		return;
	}
	w->account = w->committed = stored;
	account_resume(&w->account);
	/* What this process has received already comes on top, by the next receive(). */
	memset(w->totals, 0, sizeof(w->totals));
	if (strcmp(boot, w->boot_id) != 0)
		account_new_boot(&w->account, &w->books);
}

static bool find_last_commit(void *arg, const struct msg_commit_row *row)
{
	*(struct msg_commit_row *)arg = *row;
	return false;
}

static void begin_chain(struct writer *w, const char *why)
{
	store_begin(w->store);
	store_start_at(w->store, w->next, why);
	if (store_commit(w->store) != STORE_OK) {
		store_free(w->store);
		w->store = NULL;
	}
}

/* Opens the store; `why` goes into the first row of a new one. */
static enum store_result open_store(struct writer *w, const char *why, bool resumed)
{
	char text[128];
	enum store_result r = store_open(&w->options.store, &w->store, text, sizeof(text));

	if (r != STORE_OK)
		return r;
	if (text[0] != '\0')
		writer_note(w, strncmp(text, "space", 5) == 0 ? MSG_SEVERITY_NOTICE : MSG_SEVERITY_FAULT,
			"store", text);
	begin_chain(w, why);
	if (w->store == NULL)
		return STORE_FULL;
	take_account(w, resumed);
	if (w->pending.there || w->next != 0)
		renumber(w);
	if (!resumed && w->ncommits == 0)
		store_commits(w->store, 1, store_newest(w->store), true, find_last_commit, &w->last_commit);
	w->busy_since_ns = 0;
	w->io_failures = 0;
	return STORE_OK;
}

static bool set_aside(struct writer *w, const char *why)
{
	char name[96], text[256];
	bool had = w->store != NULL || w->next != 0;

	if (w->store != NULL)
		w->next = store_next(w->store);
	store_free(w->store);
	w->store = NULL;
	if (store_set_aside(w->dir, clock_wall().sec, name, sizeof(name)) != 0)
		return false;
	snprintf(text, sizeof(text), "the store was %s: set aside as %s; its records are counted as lost here", why, name);
	writer_note(w, MSG_SEVERITY_FAULT, "store-set-aside", text);
	if (had)
		account_new_store(&w->account);
	w->committed = (struct account){.epoch = w->account.epoch};
	/* Log-loss that was pending belongs to the old account. */
	w->pending.nloss = 0;
	memset(&w->books, 0, sizeof(w->books));
	return open_store(w, name, had) == STORE_OK;
}

bool writer_recover(struct writer *w, enum store_result r)
{
	int64_t now = clock_mono().ns;
	char text[96];

	w->writable = false;
	if (writer_tell(w, TROUBLE_STORE)) {
		snprintf(text, sizeof(text), "records cannot be stored: %s", store_result_word(r));
		writer_note(w, MSG_SEVERITY_FAULT, "store", text);
	}
	if (r == STORE_CORRUPT)
		return set_aside(w, "damaged");
	if (r == STORE_BUSY) {
		if (w->busy_since_ns == 0)
			w->busy_since_ns = now;
		return now - w->busy_since_ns >= BUSY_LIMIT_S * INT64_C(1000000000) &&
		       set_aside(w, "held by another process");
	}
	if (w->store == NULL)
		return r == STORE_FULL && store_drop_aside(w->dir);
	if (r == STORE_FULL) {
		if (w->pending.there && !w->pending.close) {
			intake_take(w->intake, &w->pending.batch, true);
			w->pending.close = true;
		}
		store_make_room(w->store);
		return true;
	}
	if (++w->io_failures >= IO_REOPEN) {
		w->next = store_next(w->store);
		store_free(w->store);
		w->store = NULL;
	}
	return false;
}

bool writer_ensure_store(struct writer *w)
{
	if (w->store != NULL)
		return true;
	bool resumed = w->next != 0;
	enum store_result r = open_store(w, resumed ? "opened again" : "begun", resumed);
	return r == STORE_OK || (writer_recover(w, r) && w->store != NULL);
}
