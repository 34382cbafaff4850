/*
 * ir_open.h: checks of single members that ir_open.c and ir_open_mail.c share.
 */
#ifndef POLICY_IR_OPEN_H
#define POLICY_IR_OPEN_H

#include <sekisho/ir.h>

/* The word for what is wrong, valid until the next one. */
const char *ir_wrong(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

bool ir_text_ok(const struct ir *ir, ir_str s);

/*
 * A name as rules, segments and hosts have: it goes into kernel
 * comments, so no quotes and no control characters.
 */
bool ir_name_ok(const struct ir *ir, ir_str s);

/* A word or name that is compared with what comes from the network: printable, lower case. */
bool ir_verify_name_ok(const struct ir *ir, ir_str s);
/* Such names, at most max, in order and none twice. */
bool ir_names_ok(const struct ir *ir, struct ir_run run, uint32_t max);

bool ir_run_ok(struct ir_run run, uint32_t n);
bool ir_range_ok(uint8_t family, const struct ir_range *r);

/* All sections of the mail gate; the names were checked before. NULL, or what is wrong. */
const char *ir_check_mail(const struct ir *ir);

#endif
