/*
 * shell_draft.c: a candidate: begun from the policy in force, kept by the gate, taken up again.
 *
 * The gate keeps the text for this user while he edits, so that a lost line loses nothing, and the number of
 * the generation that he began from: whoever commits first wins, and the other is told (shell_commit.c). A
 * gate that cannot keep it is no reason not to edit; it is said once.
 */
#include "shell_draft.h"

#include "control.h"
#include "findings.h"
#include "running.h"
#include "shell.h"

#include <sekisho/arena.h>
#include <sekisho/clock.h>
#include <sekisho/limits.h>

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ANSWER_SECONDS 5

/* A candidate of a text; findings of its lines are shown. NULL with the message printed. */
static struct candidate *read_candidate(const struct buf *text)
{
	struct arena *arena = arena_new();
	struct buf said = {0};
	struct diag_list diags;

	if (arena == NULL)
		abort();
	diag_init(&diags, arena);
	struct candidate *c = candidate_new((const char *)text->data, text->len, &diags);
	findings_text(&said, _("candidate"), &diags);
	console_error_text(&said);
	buf_free(&said);
	arena_free(arena);
	return c;
}

/* The same text in canonical order. */
static bool canonical(const struct buf *text, struct buf *ret)
{
	struct candidate *c = read_candidate(text);

	if (c == NULL)
		return false;
	candidate_print(c, NULL, ret);
	candidate_free(c);
	return true;
}

/* 0 when nothing is in force. */
static uint32_t generation_now(struct shell *sh)
{
	struct msg_request q = {.verb = MSG_VERB_STATUS};
	struct msg m;
	uint32_t generation = 0;

	if (control_try(&sh->console, &q, -1, ANSWER_SECONDS, MSG_STATUS, &m)) {
		generation = m.u.msg_status.generation;
		msg_close_fds(&m);
	}
	return generation;
}

bool draft_running(struct shell *sh, uint32_t *ret_generation, struct buf *ret_text)
{
	struct buf text = {0};
	uint32_t generation = generation_now(sh);
	bool ok = generation == 0 ||
		  (running_read(&sh->console, &text) == CONSOLE_OK && canonical(&text, ret_text));

	if (ok)
		*ret_generation = generation;
	buf_free(&text);
	return ok;
}

/* What the gate keeps for this user. */
static bool kept_text(struct shell *sh, struct buf *text, uint32_t *ret_base)
{
	struct msg_request q = {.verb = MSG_VERB_CANDIDATE_GET};
	struct msg m;
	bool ok;

	if (!control_try(&sh->console, &q, -1, ANSWER_SECONDS, MSG_CANDIDATE, &m))
		return false;
	ok = m.u.msg_candidate.there && m.nfds == 1 && control_read_fd(m.fds[0], LIMIT_POLICY_BYTES, text);
	*ret_base = m.u.msg_candidate.it.base;
	msg_close_fds(&m);
	return ok;
}

/* The text of an older generation, in canonical order. */
static bool base_text(struct shell *sh, uint32_t number, struct buf *ret)
{
	struct msg_request q = {.verb = MSG_VERB_GENERATION, .argument = number};
	struct buf text = {0};
	struct msg m;
	bool ok = false;

	if (control_try(&sh->console, &q, -1, ANSWER_SECONDS, MSG_OPENED, &m)) {
		ok = m.nfds == 1 && control_read_fd(m.fds[0], LIMIT_POLICY_BYTES, &text) &&
		     canonical(&text, ret);
		msg_close_fds(&m);
	}
	buf_free(&text);
	return ok;
}

bool draft_restart(struct draft *d, const struct buf *text, const struct buf *base, uint32_t generation)
{
	struct candidate *c = read_candidate(text);

	if (c == NULL)
		return false;
	candidate_free(d->c);
	d->c = c;
	d->base = generation;
	buf_clear(&d->base_text);
	buf_add(&d->base_text, base->data, base->len);
	buf_clear(&d->level);
	d->kept = candidate_changes(c);
	return true;
}

/* Takes up what was kept; false when there is nothing. */
static bool take_up(struct shell *sh, struct draft *d, uint32_t running, const struct buf *now)
{
	struct buf text = {0}, base = {0};
	uint32_t generation = 0;
	bool ok = kept_text(sh, &text, &generation);

	if (ok && generation != running && !base_text(sh, generation, &base))
		generation = running;
	if (ok && generation == running)
		buf_add(&base, now->data, now->len);
	ok = ok && draft_restart(d, &text, &base, generation);
	if (ok)
		buf_adds(&sh->console.out, _("your candidate was kept; it goes on as you left it (`compare` "
					     "shows it, `discard` drops it)\n"));
	buf_free(&text);
	buf_free(&base);
	return ok;
}

struct draft *draft_begin(struct shell *sh)
{
	struct draft *d = calloc(1, sizeof(*d));
	struct buf now = {0};
	uint32_t running = 0;

	if (d == NULL)
		abort();
	if (!draft_running(sh, &running, &now) ||
		(!take_up(sh, d, running, &now) && !draft_restart(d, &now, &now, running))) {
		draft_free(d);
		d = NULL;
	}
	buf_free(&now);
	return d;
}

void draft_free(struct draft *d)
{
	if (d == NULL)
		return;
	candidate_free(d->c);
	buf_free(&d->level);
	buf_free(&d->base_text);
	free(d);
}

void draft_text(const struct draft *d, struct buf *out)
{
	candidate_print(d->c, NULL, out);
}

void draft_changes(const struct draft *d, struct buf *out)
{
	struct buf text = {0};

	draft_text(d, &text);
	candidate_compare(
		(const char *)d->base_text.data, d->base_text.len, (const char *)text.data, text.len, out);
	buf_free(&text);
}

static int memfd_of(const struct buf *text)
{
	int fd = memfd_create("candidate", MFD_CLOEXEC);
	size_t done = 0;

	while (fd >= 0 && done < text->len) {
		ssize_t n = write(fd, text->data + done, text->len - done);
		if (n <= 0) {
			close(fd);
			return -1;
		}
		done += (size_t)n;
	}
	return fd;
}

bool draft_keep(struct shell *sh, struct draft *d)
{
	struct msg_request q = {.verb = MSG_VERB_CANDIDATE_PUT, .base = d->base};
	struct buf text = {0};
	struct msg m;
	bool ok = false;

	if (candidate_changes(d->c) == d->kept)
		return true;
	draft_text(d, &text);
	int fd = memfd_of(&text);
	if (fd >= 0 && control_try(&sh->console, &q, fd, ANSWER_SECONDS, MSG_CANDIDATE, &m)) {
		ok = m.u.msg_candidate.error[0] == '\0';
		msg_close_fds(&m);
	}
	if (fd >= 0)
		close(fd);
	if (ok)
		d->kept = candidate_changes(d->c);
	buf_free(&text);
	return ok;
}

void draft_forget(struct shell *sh)
{
	struct msg_request q = {.verb = MSG_VERB_CANDIDATE_DISCARD};
	struct msg m;

	if (control_try(&sh->console, &q, -1, ANSWER_SECONDS, MSG_OPENED, &m))
		msg_close_fds(&m);
}
