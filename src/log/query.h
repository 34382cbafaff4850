/*
 * query.h: questions about records, answered in bounded steps.
 *
 * A query has no socket: what it finds goes to a sink, and when the sink is full it stops and goes on later from the
 * same place. Each step looks at no more than one span of rows, so that writing is never held up.
 */
#ifndef LOG_QUERY_H
#define LOG_QUERY_H

#include <sekisho/addr.h>
#include <sekisho/msg.h>

#include "store.h"

/* False: full, this was not taken; offer it again later. */
typedef bool query_sink_fn(void *arg, enum msg_type type, const void *body);

struct query_summary;

struct query {
	struct msg_query ask;
	struct addr_range src, dst; /* family 0: not asked, or a host's name */
	bool done;
	bool scanned; /* summary, verify: the rows are read, the answer is being sent */
	uint64_t cursor, end; /* sequences still to look at: [cursor, end], from the end when backwards */
	uint32_t sent;
	uint64_t last_sequence;
	struct msg_end answer;
	struct query_summary *summary;
	size_t at; /* of the summary's rows */
	struct store_verify verify;
	/* follow: the oldest row that was sent while it was open, and closings seen */
	uint64_t open_from, closings;
};

/* Takes a question. Returns NULL, or a sentence (English msgid) for what is wrong with it. */
const char *query_init(struct query *q, const struct msg_query *ask, struct store *s);
void query_clear(struct query *q);

enum query_state {
	QUERY_MORE, /* step again soon */
	QUERY_FULL, /* the sink is full: step again when it is not */
	QUERY_WAIT, /* follow: nothing new; step again after the next commit */
	QUERY_DONE, /* msg_end is sent */
};

/*
 * Looks on. closings: writer_closings(), so that a follower gets the final count of rows that it was sent open.
 * s NULL: there is no store now; the query ends with an error.
 */
enum query_state query_step(struct query *q, struct store *s, uint64_t closings, query_sink_fn *sink, void *arg);

#endif
