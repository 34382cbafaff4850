/*
 * value.h: is this text a value of this leaf? And if not, what would be.
 */
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>

struct diag_list;
struct place;

/* Checks a text against the schema's type and the kind's own rules. NULL = right, else an untranslated msgid.
 */
const char *value_check(const struct place *place, const char *text, size_t n);

/* Reports a text that value_check() refused with `why`: what is wrong and what would be right. */
void value_refuse(
	const struct place *place, const char *text, const char *why, unsigned line, struct diag_list *diags);

/*
 * Text of a policy as part of a message: cut to a length that a line holds, at a character. The result is in
 * one of four static buffers, so up to four fit in one message.
 */
const char *value_show(const char *text);

#endif
