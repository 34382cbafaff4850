/*
 * deeds.h: verbs about what people did: generations, sessions, commands, records that they keep.
 */
#ifndef CONSOLE_DEEDS_H
#define CONSOLE_DEEDS_H

#include <stddef.h>
#include <stdint.h>

struct args;
struct buf;
struct console;
struct value;

int verb_confirm(struct console *c, const struct args *a);
int verb_rollback(struct console *c, const struct args *a);
int verb_history(struct console *c, const struct args *a);
int verb_show_generation(struct console *c, const struct args *a);
int verb_sessions(struct console *c, const struct args *a);
int verb_log_commands(struct console *c, const struct args *a);
int verb_log_logins(struct console *c, const struct args *a);
int verb_record_new(struct console *c, const struct args *a);
int verb_record_add(struct console *c, const struct args *a);
int verb_record_close(struct console *c, const struct args *a);
int verb_record_list(struct console *c, const struct args *a);
int verb_record_show(struct console *c, const struct args *a);

/* "administrator" for programs; words_role() is for people. */
const char *deeds_role(uint32_t role);

/* A decimal number from 1 on; 0 when it is none. */
uint32_t deeds_number(const char *text);

/*
 * What happened from since to until, a line each, " / " between them, oldest first: commits, faults, sessions, requests, and
 * drops by reason. As much as fits into dst; how many lines did not fit goes to its end. Returns an exit code.
 */
int timeline_fill(struct console *c, int64_t since, int64_t until, char *dst, size_t size);
#define TIMELINE_BREAK " / "

#endif
