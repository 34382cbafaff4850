/* mime_parameter.h: parameters of Content-Type and Content-Disposition (RFC 2045 5.1, RFC 2231). */
#ifndef MAIL_MIME_PARAMETER_H
#define MAIL_MIME_PARAMETER_H

#include <sekisho/mime.h>

struct parameter {
	const uint8_t *name, *value; /* in the field; the value without its quotation marks */
	uint16_t nname;		     /* without the stars */
	uint32_t nvalue;
	int16_t index;  /* of a piece, name*3=; -1: none */
	bool extended;  /* name*=, name*3*= */
	bool quoted;
	bool broken;    /* not well-formed: a blank in it, no quotation mark at its end, ... */
};

struct parameters {
	unsigned n;
	bool open;   /* a quotation mark or a comment has no end */
	bool broken; /* something between parameters, or in one */
	bool many;   /* more than MAIL_PARAMETERS */
	struct parameter list[MAIL_PARAMETERS];
};

/* Blanks and comments; *open is set when a comment has no end. */
const uint8_t *mime_blanks(const uint8_t *p, const uint8_t *end, bool *open);
/* A token (RFC 2045); returns its end. */
const uint8_t *mime_token(const uint8_t *p, const uint8_t *end);

/* All that follows a type: *( ";" name "=" value ). */
void parameters_read(struct parameters *list, const uint8_t *p, const uint8_t *end);
/* The first plain one of that name (lower case), or NULL; *ret_again: the last one, if there are several, else NULL. */
const struct parameter *parameter_find(const struct parameters *list, const char *name, const struct parameter **ret_again);
/* Its bytes, quoted pairs undone; at most size. Returns how many. */
size_t parameter_value(const struct parameter *p, uint8_t *out, size_t size);

/* What RFC 2231 made of one. */
struct parameter_pieces {
	bool there;
	bool many;	  /* more than MAIL_SEGMENTS */
	mime_flags flags; /* PARAMETER_GAP, PARAMETER_TWICE, PARAMETER_BROKEN, CUT */
	char charset[MAIL_LABEL + 1];
	size_t nraw, n;
	uint8_t raw[MAIL_NAME_BYTES], bytes[MAIL_NAME_BYTES]; /* as written; decoded, in charset */
};
void parameter_join(const struct parameters *list, const char *name, struct parameter_pieces *ret);

#endif
