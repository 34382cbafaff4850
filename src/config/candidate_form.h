/*
 * candidate_form.h: what a place of the schema means and how its value looks, for people who type.
 */
#ifndef CONFIG_CANDIDATE_FORM_H
#define CONFIG_CANDIDATE_FORM_H

struct buf;
struct place;

/* "<ADDRESS>", "<1..4094>": what stands for a value of this leaf. */
void form_word(const struct place *place, struct buf *out);
/* What the place means, in the language set, in one line. */
void form_meaning(const struct place *place, struct buf *out);
/* The same with units, range of values and an example. */
void form_help(const struct place *place, struct buf *out);
/* The meaning's first words, as the name of a field: "有効期限". */
void form_label(const struct place *place, struct buf *out);
/* Text of the schema as one line. */
void form_line(const char *text, struct buf *out);

#endif
