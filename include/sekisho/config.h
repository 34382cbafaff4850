/*
 * config.h: the policy as text: reading it (config_read() is in model.h), printing it, its schema.
 */
#ifndef SEKISHO_CONFIG_H
#define SEKISHO_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

struct arena;
struct buf;
struct diag_list;

/*
 * Loads the schema, which config_read() otherwise does when it is first called: for a process that goes into a
 * jail before it reads. False when libyang refuses, with the reason in *ret_why.
 */
bool config_prepare(const char **ret_why);

/*
 * Reads a policy text and appends it in canonical form: what was understood of it, in the order of the schema,
 * without comments. Findings go to diags as from config_read(); false when the schema cannot be loaded.
 */
bool config_print(struct arena *arena, const char *text, size_t n, struct diag_list *diags, struct buf *out);

/* Appends the reference manual of the policy's words in Markdown, Japanese and English. False as above. */
bool config_reference(struct buf *out);

#endif
