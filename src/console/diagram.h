/*
 * diagram.h: the network as the policy has it: what the text and the drawing show.
 */
#ifndef CONSOLE_DIAGRAM_H
#define CONSOLE_DIAGRAM_H

#include "policyfile.h"

/* Names of one box, flows of one arrow that are shown; then "and N more". */
#define DIAGRAM_HOSTS 24
#define DIAGRAM_FLOWS 24

/* A line within a segment's box: what it is about, and the rest. */
struct diagram_row {
	const char *heading, *text;
};

struct diagram_segment {
	const char *name, *label;
	struct diagram_row *rows;
	size_t nrows, cap;
};

/* Approved flows from one segment to another; arrows point the way connections are opened. */
struct diagram_way {
	uint32_t from, to; /* segments */
	const char **flows; /* "pittari  申請管理 -> 連携サーバ  tcp/443 tls", first in the file first, at most DIAGRAM_FLOWS */
	const char **names; /* "pittari tcp/443" of the same */
	size_t shown, n;
};

struct diagram {
	const char *gate; /* its name */
	struct diagram_segment *segments;
	size_t nsegments;
	struct diagram_way *ways; /* by (from, to); only those with flows */
	size_t nways, cap;
	const char *mail[2]; /* what the mail gate takes in each direction; NULL */
	const char **never;  /* pairs between which nothing may ever pass: "A - B" */
	size_t nnever;
	char when[64];
};

/* Everything lives in the file's arena; texts are in the language set. */
void diagram_make(const struct policy_file *f, struct diagram *ret);

void diagram_text(const struct diagram *d, struct buf *out);
/* A picture of its own: no script, no reference to anything outside. */
void diagram_svg(const struct diagram *d, struct buf *out);

#endif
