/* mime_private.h: what the files of the MIME reader share. */
#ifndef MAIL_MIME_PRIVATE_H
#define MAIL_MIME_PRIVATE_H

#include <sekisho/mime.h>

#include <string.h>

/* One of the characters of a set; NUL is in none. */
static inline bool mime_is_of(uint8_t c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

/* -- The automaton: mime.c ------------------------------------------------------------------------------------ */

enum mime_state {
	MIME_HEADER,  /* of the top frame */
	MIME_BODY,    /* bytes of the top frame */
	MIME_OUTSIDE, /* before the first or after the last part of the top frame */
};

enum frame_state {
	FRAME_FRESH,	/* a multipart before its first part; any other */
	FRAME_PARTS,
	FRAME_CLOSED,	/* after its last boundary */
};

/* All flags that make an entity opaque. */
#define X(bit, name, effect, word, text) | (MIME_##effect == MIME_OPAQUE ? UINT64_C(1) << (bit) : 0)
static const mime_flags mime_opaque = 0 MIME_FLAGS(X);
#undef X

static inline struct mime_frame *mime_top(struct mime *m)
{
	return &m->frames[m->depth];
}

static inline bool mime_is_refused(const struct mime *m)
{
	return m->refusal != MIME_FLAG_END;
}

/* Raises a flag that concerns an entity before its entity() event. */
void mime_flag_entity(struct mime *m, struct mime_frame *f, mime_flags flags);
/* Refuses the mail. */
void mime_refuse(struct mime *m, enum mime_flag why);
/* Begins an entity within the top frame (or the top entity): its header comes. False: a limit was passed. */
bool mime_frame_begin(struct mime *m, enum mime_type parent);
/* The top frame ends: tells the handler. */
void mime_frame_end(struct mime *m);
/* The header of the top frame is complete: tells the handler, and what comes next follows from its answer. */
void mime_header_end(struct mime *m);
/* A line that begins with "--" as it comes; what it turned out to be. */
enum mime_candidate {
	MIME_MORE,     /* not known yet: all input was taken */
	MIME_MATCH,    /* a boundary: all is done */
	MIME_NO_MATCH, /* m->line[0 .. nline] is to be given to what reads now: a line's beginning */
};
enum mime_candidate mime_candidate(struct mime *m, const uint8_t **p, const uint8_t *end);

/* -- Lines: mime_line.c ------------------------------------------------------------------------------------------ */

/* How many of n bytes obey the rules of line ends, and which flag the next one breaks. previous is the byte before. */
size_t mime_line_strict(const uint8_t *p, size_t n, uint8_t previous, enum mime_flag *ret_why);
/* What line ends there are, and NULs: added to *ends. */
enum {
	MIME_ENDS_CRLF = 1,
	MIME_ENDS_LF = 2,
	MIME_ENDS_CR = 4,
	MIME_ENDS_NUL = 8,
};
void mime_line_tolerant(const uint8_t *p, size_t n, uint8_t previous, uint8_t *ends);
/* Whether there is any byte of 0x80 and more. */
bool mime_line_8bit(const uint8_t *p, size_t n);
/* Whether all are printable ASCII or blanks. */
bool mime_line_plain(const uint8_t *p, size_t n);

/* -- Header blocks: mime_field.c ---------------------------------------------------------------------------------- */

/* Takes up to one line; returns where it stopped. */
const uint8_t *mime_field_push(struct mime *m, const uint8_t *p, const uint8_t *end);
/* Whether a line ended within n bytes of the field that is being read. */
bool mime_field_folded(const struct mime *m, const uint8_t *p, size_t n);
/* What is pending is the last field. */
void mime_field_end(struct mime *m);

/* -- Fields that describe an entity: mime_entity.c ------------------------------------------------------------ */

/* A field whose name begins with Content-. */
void mime_entity_field(struct mime *m, struct mime_frame *f, enum mime_field_id id, const uint8_t *value, size_t n);
/* A file name as it was written, out of its quotation marks and pieces. */
void mime_entity_name_set(struct mime *m, struct mime_frame *f, enum mime_name_place place, const uint8_t *raw, size_t n);
/* The header is complete: what follows from all of its fields. */
void mime_entity_settle(struct mime *m, struct mime_frame *f);

/* -- Bodies: mime_body.c ---------------------------------------------------------------------------------------- */

void mime_body_begin(struct mime *m);
/* n bytes as they came. */
void mime_body_push(struct mime *m, const uint8_t *p, size_t n);
void mime_body_end(struct mime *m);
/* Decoded bytes to the handler. */
void mime_body_give(struct mime *m, struct mime_frame *f, const uint8_t *p, size_t n);

/* -- Words: mime_words.c ------------------------------------------------------------------------------------------ */

/* As mime_words(); *ret_words is how many encoded words there were. */
mime_flags mime_words_count(struct mailtext *text, const void *value, size_t n, unsigned *ret_words);
/* A mailtext sink that fills a buffer: whole characters, at most `characters` of them. */
struct mime_buffer {
	char *out;
	size_t size, n; /* size with NUL */
	size_t characters;
	bool cut;
};
void mime_buffer_take(void *arg, const char *utf8, size_t n);

#endif
