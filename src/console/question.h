/*
 * question.h: "SRC DST PROTO[/PORT]" into a question for the matcher.
 */
#ifndef CONSOLE_QUESTION_H
#define CONSOLE_QUESTION_H

#include <sekisho/clock.h>
#include <sekisho/ir.h>
#include <sekisho/match.h>

#include <stdbool.h>
#include <stddef.h>

struct strmap;

/* Room for the sentence that says what is wrong with a question. */
#define QUESTION_ERROR_MAX 200

/* What names in a question mean: the hosts of one policy. */
struct asker {
	const struct ir *ir;
	struct strmap *hosts; /* name -> index */
	struct wall now;
};

void asker_init(struct asker *k, const struct ir *ir, struct wall now);
void asker_free(struct asker *k);

struct asked {
	struct question q;
	struct wall at;
	uint32_t src_host, dst_host; /* hosts that were named, or IR_NONE */
};

/*
 * Reads the words of one question (mac, at: options, may be NULL). A host with several addresses stands for
 * its first address of the family that the other end has; a host that is a range, for the first address in it
 * that is not the gateway's. False: `error` holds a translated sentence.
 */
bool question_read(const struct asker *k, const char *const words[3], const char *mac, const char *at,
	struct asked *ret, char error[QUESTION_ERROR_MAX]);

/* The same from one line, which is taken apart in place: SRC DST PROTO[/PORT] [--at TIME] [--src-mac MAC]. */
bool question_read_line(const struct asker *k, char *line, struct asked *ret, char error[QUESTION_ERROR_MAX]);

#endif
