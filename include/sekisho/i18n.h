/*
 * i18n.h: messages in the language of the reader.
 *
 * The msgids in the source are English; the Japanese catalogue (src/console/po/ja.po, gettext's format, domain
 * "sekisho") is compiled into every program, so that a jailed process needs no file and no installed locale.
 * To add a message: write _("…") (or N_("…") in a table), then `meson compile -C BUILD po-update` and translate.
 */
#ifndef SEKISHO_I18N_H
#define SEKISHO_I18N_H

#include <stdbool.h>
#include <stddef.h>

#define _(s) i18n_text(s)
#ifndef N_
#define N_(s) s /* marks a msgid for xgettext; the reader of the table calls _() */
#endif

/*
 * Chooses the language: "ja" or "en"; NULL or another word = by the environment (LANGUAGE, LC_ALL, LC_MESSAGES,
 * LANG, the first that names one of the two), else English. Never fails.
 */
void i18n_init(const char *language);

/* "ja" or "en". */
const char *i18n_language(void);

/* The translation of msgid, or msgid itself. The result lives as long as the program. */
const char *i18n_text(const char *msgid) __attribute__((format_arg(1)));

/*
 * Looks msgid up in a catalogue in gettext's binary form (.mo). NULL when it is not there or the catalogue is
 * malformed. For tests and the fuzzer; i18n_text() is what programs call.
 */
const char *i18n_lookup(const void *catalogue, size_t n, const char *msgid);

#endif
