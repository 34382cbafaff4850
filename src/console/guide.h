/*
 * guide.h: what the guides share: a policy that is asked about, and the lines that come of the answers.
 */
#ifndef CONSOLE_GUIDE_H
#define CONSOLE_GUIDE_H

#include "dialogue.h"
#include "policyfile.h"

#include <sekisho/model.h>

struct candidate;
struct catalogue_flow;

struct guide {
	struct dialogue *d;
	struct policy_file file; /* the policy as it stood; ->file.model is there */
	struct candidate *c;	 /* the same with the lines so far */
	struct buf lines;	 /* "set …" and "delete …", a line each */
};

/* Begins with a policy text. False with the message printed; guide_end() follows in each case. */
bool guide_begin(struct guide *g, struct dialogue *d, const struct buf *text);
void guide_end(struct guide *g);

/* Adds a line ("set allow a from b"). False when the candidate does not take it, which is told. */
bool guide_line(struct guide *g, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "set PATH" with the value behind it, quoted; an empty value adds nothing. */
bool guide_value(struct guide *g, const char *path, struct buf *value);

/* Asks for a value of a leaf: the schema says what is good. With `many` several words, each a value. */
struct guide_leaf {
	struct dialogue_question q; /* check and arg are filled in */
	const char *path;	    /* "allow x service" */
	bool many;
};
bool guide_ask(struct guide *g, struct guide_leaf *leaf, struct buf *ret);
/* The same, and its line (a line for each word of `many`). */
bool guide_ask_set(struct guide *g, struct guide_leaf *leaf, struct buf *ret);

/* What a name of an end stands for. */
struct guide_end_of {
	const struct model_host *host;	     /* NULL: it is a group or segment */
	const struct model_segment *segment; /* of a group: that of its first member; NULL: not known */
};
bool guide_find_end(const struct guide *g, const char *name, struct guide_end_of *ret);
/* Asks for a host, group or segment by name, or a host by address. `other`: the end that is chosen already, or NULL. */
bool guide_ask_end(struct guide *g, struct dialogue_question *q, const char *other, struct buf *ret);
/* All their names. */
void guide_end_names(void *g, dialogue_name *fn, void *to);
const struct model_host *guide_find_host(const struct guide *g, const char *name);
const struct model_allow *guide_find_allow(const struct guide *g, const char *name);

/* Roles whose approval a flow between these ends needs, a line each; `any`: one, whosever. */
void guide_roles(const struct guide *g, const char *from, const char *to, struct buf *ret, bool *ret_any);
/* Asks for name, date and number of each of these approvals (a line each), and of any role when `any`. */
bool guide_ask_approvals(struct guide *g, const char *allow, struct buf *roles, bool any);

/* "2026-11-20" of today; the last day of the fiscal year that it is in (31 March), `years` later. buf: 16 bytes. */
const char *guide_today(char buf[16]);
const char *guide_year_end(int years, char buf[16]);

/* "word", or "word-2" … when it is taken among the allow rules. */
void guide_free_name(const struct guide *g, const char *word, struct buf *ret);

/* Appends what `check` finds in the policy with the lines that it did not find before. True when nothing is an error. */
bool guide_findings(struct guide *g, struct buf *out);

/* A flow that a guide begins from. */
struct guide_flow {
	const char *name, *from, *to, *service, *application; /* NULL or "" = to be asked without a default */
	const char *sanitised_by;
	bool windowed; /* once, from and to a time, instead of a validity */
	bool fixed;    /* ends, service and name are not asked */
};

/*
 * The guides. True: the lines are whole; false: it ended, and they are of no use. allow: `number` of the catalogue, NULL
 * lists it and asks.
 */
bool guide_allow(struct guide *g, const char *number);
/* The form of one flow: what `guide allow` asks behind the catalogue. */
bool guide_form(struct guide *g, const struct guide_flow *flow);
bool guide_setup(struct guide *g);
bool guide_swap(struct guide *g, const char *host);
bool guide_window(struct guide *g, const char *host);
bool guide_renew(struct guide *g);

#endif
