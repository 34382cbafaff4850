/*
 * stream_words.h: what handshake.c and stream.c say alike: a place after another in the numbers of a stream, and verdicts.
 */
#ifndef SEKISHO_INSPECT_STREAM_WORDS_H
#define SEKISHO_INSPECT_STREAM_WORDS_H

#include <sekisho/inspect.h>

static inline int32_t distance(uint32_t from, uint32_t to)
{
	return (int32_t)(to - from);
}

static inline struct inspect_verdict forward(void)
{
	return (struct inspect_verdict){.code = INSPECT_FORWARD};
}

static inline struct inspect_verdict refuse(enum inspect_why why)
{
	return (struct inspect_verdict){.code = INSPECT_REFUSE, .why = why};
}

static inline struct inspect_verdict drop(enum inspect_why why)
{
	return (struct inspect_verdict){.code = INSPECT_DROP, .why = why};
}

#endif
