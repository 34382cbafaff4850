/*
 * record.h: the records that people keep, as the console knows them.
 */
#ifndef CONSOLE_RECORD_H
#define CONSOLE_RECORD_H

#include <sekisho/msg.h>

struct console;

/* "incident" of the table of kinds; NULL for an unknown one. And for people, translated. */
const char *record_word(uint32_t kind);
const char *record_title(uint32_t kind);
/* The kind of this word, 0 when there is none. */
uint32_t record_kind(const char *word);

/* Prints the entries of one record (oldest first), as a form or as JSON. */
void record_print(struct console *c, const struct msg_record_row *rows, size_t n);

#endif
