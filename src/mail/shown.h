/*
 * shown.h: a name that a stranger wrote, in the form that people see: one line, odd characters visible.
 */
#ifndef SEKISHO_SHOWN_H
#define SEKISHO_SHOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sekisho/charset.h>

#define SHOWN_RAW_MAX 512u /* bytes of a name that are read */

/*
 * Decodes n bytes and writes at most `most` bytes of UTF-8 and a NUL to out; returns how many. A longer one is cut
 * between characters. *ret_odd is set (never cleared) when something was replaced, made visible or cut.
 */
size_t shown_name(enum charset charset, const uint8_t *bytes, size_t n, char *out, size_t most, bool *ret_odd);

/*
 * The charset of a name without a label, as Japanese archives have them: UTF-8 if it is valid and not only half-width
 * kana of Shift_JIS, else Shift_JIS.
 */
enum charset shown_charset(const uint8_t *bytes, size_t n);

#endif
