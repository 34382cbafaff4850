/*
 * confirm.c: a commit that stays only when somebody confirms it (see confirm.h).
 *
 *	commit    NUMBER.policy and .meta are durable, the record `unconfirmed` is durable; `running` is still the old one
 *	confirm   `running` becomes the new one, then the record goes
 *	time up   the old text is committed as a generation of its own (commit.c), then the record goes
 *	crash     of sekishod: the record is of this boot, so the rest of the time is waited
 *	boot      the record is of another boot: nobody confirmed, and the old one is what runs
 *
 * A power cut between two steps: a record whose `previous` is not what runs is over and removed.
 * Input: our own file, checked by the store; a damaged one counts as none, and then the old one runs.
 */
#include "confirm.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "gate.h"

#define MAGIC_UNCONFIRMED 0x55474b53u /* "SKGU" */
#define FILE_UNCONFIRMED "unconfirmed"
#define NS INT64_C(1000000000)

static void read_boot_id(char ret[40])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, ret, 36) : 0;

	memset(ret + (n > 0 ? n : 0), 0, 40 - (size_t)(n > 0 ? n : 0));
	if (fd >= 0)
		close(fd);
}

static bool is_whole(const struct confirm *c)
{
	return c->number != 0 && c->previous != 0 && c->minutes > 0 && c->minutes <= CONFIRM_MINUTES_MAX &&
	       memchr(c->boot_id, 0, sizeof(c->boot_id)) != NULL && memchr(c->account, 0, sizeof(c->account)) != NULL;
}

void confirm_resume(struct gate *g)
{
	struct confirm c = {0};
	char boot_id[40];
	int r = store_get_record(&g->store, FILE_UNCONFIRMED, MAGIC_UNCONFIRMED, &c, sizeof(c));

	if (r == -ENOENT)
		return;
	read_boot_id(boot_id);
	if (r == 0 && is_whole(&c) && c.previous == g->running && boot_id[0] != '\0' && strcmp(c.boot_id, boot_id) == 0) {
		g->confirm = c;
		g->running = c.number;
		record(g, MSG_SEVERITY_NOTICE, "unconfirmed",
			"generation %u still waits to be confirmed, else %u returns", c.number, c.previous);
		return;
	}
	if (r == 0 && c.previous == g->running)
		record(g, MSG_SEVERITY_NOTICE, "unconfirmed", "generation %u was not confirmed before the machine ended: %u is back",
			c.number, c.previous);
	else if (r != 0)
		record(g, MSG_SEVERITY_NOTICE, "unconfirmed", "what waited to be confirmed cannot be read: %s", strerror(-r));
	store_remove(&g->store, FILE_UNCONFIRMED);
}

int confirm_begin(struct gate *g, uint32_t number, uint32_t minutes)
{
	struct confirm c = {.number = number, .previous = g->running, .minutes = minutes, .uid = g->job.meta.uid,
		.deadline_ns = clock_mono().ns + minutes * 60 * NS, .deadline = clock_wall().sec + minutes * INT64_C(60)};

	read_boot_id(c.boot_id);
	MSG_TEXT(c.account, g->job.meta.account);
	int r = store_put_record(&g->store, FILE_UNCONFIRMED, MAGIC_UNCONFIRMED, &c, sizeof(c));
	if (r == 0)
		g->confirm = c;
	else
		store_remove(&g->store, FILE_UNCONFIRMED);
	return r;
}

void confirm_end(struct gate *g)
{
	if (g->confirm.number == 0)
		return;
	g->confirm = (struct confirm){0};
	/* One that stays for a while is known by its `previous`. */
	store_remove(&g->store, FILE_UNCONFIRMED);
}

int confirm_accept(struct gate *g)
{
	int r = store_set_running(&g->store, g->confirm.number);

	/* Perhaps it reached the disk all the same: nobody confirmed, so the old one must be what runs. */
	if (r != 0)
		store_set_running(&g->store, g->confirm.previous);
	else
		confirm_end(g);
	return r;
}

bool confirm_is_due(const struct gate *g)
{
	return g->confirm.number != 0 && clock_mono().ns >= g->confirm.deadline_ns;
}
