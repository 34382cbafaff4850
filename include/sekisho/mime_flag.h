/*
 * mime_flag.h: what is wrong, or doubtful, in a mail's structure. Nothing is guessed in silence: each doubt has a row here.
 *
 * A set of them is a mime_flags, one bit each; one bit of the 64 stays free. To add one: a row, its Japanese, its mail in
 * tests/golden/mail/attack, its row in rootfs/doc/mail-report.md (a test looks).
 */
#ifndef SEKISHO_MIME_FLAG_H
#define SEKISHO_MIME_FLAG_H

#include <stdint.h>

#ifndef N_
#define N_(s) s /* marks a msgid for xgettext */
#endif

/* What follows from a flag. */
enum mime_effect {
	MIME_SAID,    /* nothing but that it is said */
	MIME_OPAQUE,  /* the entity is not looked into: it is a thing of bytes, whatever its type says */
	MIME_REFUSED, /* the mail is not taken */
};

/*   bit NAME          effect   word                    what people read                                              */
#define MIME_FLAGS(X)                                                                                          \
	X(0, BARE_CR, REFUSED, "bare-cr", N_("a carriage return without a line feed"))                         \
	X(1, BARE_LF, REFUSED, "bare-lf", N_("a line feed without a carriage return"))                         \
	X(2, NUL, REFUSED, "nul", N_("a NUL byte"))                                                            \
	X(3, DEPTH, REFUSED, "depth", N_("parts are nested too deeply"))                                       \
	X(4, PARTS, REFUSED, "parts", N_("too many parts"))                                                    \
	X(5, FIELDS, REFUSED, "fields", N_("too many header fields"))                                          \
	X(6, HEADER_BYTES, REFUSED, "header-bytes", N_("the header is too long"))                              \
	X(7, FIELD_BYTES, REFUSED, "field-bytes", N_("a header field is too long"))                            \
	X(8, PARAMETERS, REFUSED, "parameters", N_("a header field has too many parameters"))                  \
	X(9, SEGMENTS, REFUSED, "segments", N_("a parameter has too many pieces"))                             \
	X(10, ADDRESSES, REFUSED, "addresses", N_("too many addresses"))                                       \
	X(11, HEADER_LINE, OPAQUE, "header-line", N_("a line of the header is no field"))                      \
	X(12, HEADER_NAME, OPAQUE, "header-name", N_("the name of a header field is not well-formed"))         \
	X(13, HEADER_CONTROL, OPAQUE, "header-control", N_("a control character in a field that says how to read the mail")) \
	X(14, TYPE_TWICE, OPAQUE, "type-twice", N_("Content-Type occurs twice"))                               \
	X(15, TYPE_BROKEN, OPAQUE, "type-broken", N_("Content-Type is not well-formed"))                       \
	X(16, ENCODING_TWICE, OPAQUE, "encoding-twice", N_("Content-Transfer-Encoding occurs twice"))          \
	X(17, ENCODING_UNKNOWN, OPAQUE, "encoding-unknown", N_("an unknown transfer encoding"))                \
	X(18, ENCODING_CONTAINER, OPAQUE, "encoding-container", N_("a multipart or message in a transfer encoding")) \
	X(19, BOUNDARY_MISSING, OPAQUE, "boundary-missing", N_("a multipart without a boundary"))              \
	X(20, BOUNDARY_TWICE, OPAQUE, "boundary-twice", N_("a multipart with two boundaries"))                 \
	X(21, BOUNDARY_BROKEN, OPAQUE, "boundary-broken", N_("the boundary is not well-formed"))               \
	X(22, BOUNDARY_SAME, OPAQUE, "boundary-same", N_("the boundary is that of an enclosing part"))         \
	X(23, BOUNDARY_ODD, SAID, "boundary-odd", N_("the boundary is too long, folded or not quoted"))        \
	X(24, FOLD_BLANK, SAID, "fold-blank", N_("a header field goes on after a line of blanks"))             \
	X(25, BOUNDARY_PREFIX, SAID, "boundary-prefix", N_("one boundary begins with another"))                \
	X(26, BOUNDARY_NEAR, SAID, "boundary-near", N_("a line that is almost a boundary"))                    \
	X(27, UNCLOSED, SAID, "unclosed", N_("a multipart without its end"))                                   \
	X(28, AFTER_CLOSE, SAID, "after-close", N_("a part after the end of its multipart"))                   \
	X(29, NO_PARTS, SAID, "no-parts", N_("a multipart without parts"))                                     \
	X(30, HEADER_UNFINISHED, SAID, "header-unfinished", N_("a header without its end"))                    \
	X(31, NO_VERSION, SAID, "no-version", N_("MIME without MIME-Version"))                                 \
	X(32, MBOX_LINE, SAID, "mbox-line", N_("begins with the line of a mailbox file"))                      \
	X(33, FIELD_TWICE, SAID, "field-twice", N_("a header field that may occur once occurs twice"))         \
	X(34, FIELD_8BIT, SAID, "field-8bit", N_("a header field with unencoded characters"))                  \
	X(35, FIELD_CONTROL, SAID, "field-control", N_("a header field with control characters"))              \
	X(36, DISPOSITION_TWICE, SAID, "disposition-twice", N_("Content-Disposition occurs twice"))            \
	X(37, DISPOSITION_BROKEN, SAID, "disposition-broken", N_("Content-Disposition is not well-formed"))    \
	X(38, CHARSET_TWICE, SAID, "charset-twice", N_("two charsets for one text"))                           \
	X(39, PARAMETER_TWICE, SAID, "parameter-twice", N_("a parameter occurs twice"))                        \
	X(40, PARAMETER_BROKEN, SAID, "parameter-broken", N_("a parameter is not well-formed"))                \
	X(41, PARAMETER_GAP, SAID, "parameter-gap", N_("a parameter lacks some of its pieces"))                \
	X(42, NAME_DIFFERS, SAID, "name-differs", N_("several file names that differ"))                        \
	X(43, NAME_WORD, SAID, "name-word", N_("a file name in the encoding of header text"))                  \
	X(44, BODY_8BIT, SAID, "body-8bit", N_("8-bit text that is declared 7-bit"))                           \
	X(45, BASE64_BROKEN, SAID, "base64-broken", N_("base64 breaks off at a character that is none of it")) \
	X(46, BASE64_CUT, SAID, "base64-cut", N_("base64 ends in the middle"))                                 \
	X(47, BASE64_TAIL, SAID, "base64-tail", N_("base64 goes on after its end"))                            \
	X(48, BASE64_BLANK, SAID, "base64-blank", N_("blanks in base64"))                                      \
	X(49, QP_BROKEN, SAID, "qp-broken", N_("quoted-printable with a stray equals sign"))                   \
	X(50, QP_CONTROL, SAID, "qp-control", N_("quoted-printable hides control characters"))                 \
	X(51, UU_BROKEN, SAID, "uu-broken", N_("a file inside the text has no end"))                           \
	X(52, WORD_BROKEN, SAID, "word-broken", N_("encoded header text that is not well-formed"))             \
	X(53, WORD_CHARSET, SAID, "word-charset", N_("header text in an unknown charset"))                     \
	X(54, WORD_NESTED, SAID, "word-nested", N_("header text that is encoded twice"))                       \
	X(55, CHARSET_LIES, SAID, "charset-lies", N_("header text is not in the charset that it names"))       \
	X(56, ADDRESS_BROKEN, SAID, "address-broken", N_("an address that is not well-formed"))                \
	X(57, ADDRESS_NAME, SAID, "address-name", N_("a name that looks like another address"))                \
	X(58, ADDRESS_ROUTE, SAID, "address-route", N_("an address with a route"))                             \
	X(59, DATE_BROKEN, SAID, "date-broken", N_("a date that is not well-formed"))                          \
	X(60, ID_BROKEN, SAID, "id-broken", N_("a message id that is not well-formed"))                        \
	X(61, CUT, SAID, "cut", N_("header text that was too long and was cut"))                               \
	X(62, FIELD_NAME, SAID, "field-name", N_("a header field whose name is not well-formed"))

enum mime_flag {
#define X(bit, name, effect, word, text) MIME_BIT_##name = bit,
	MIME_FLAGS(X)
#undef X
	MIME_FLAG_END, /* one past the last */
};

/* A set of flags: MIME_FLAG(NUL) | MIME_FLAG(BARE_CR). */
typedef uint64_t mime_flags;
#define MIME_FLAG(name) (UINT64_C(1) << MIME_BIT_##name)

/* The stable word ("bare-cr"), "unknown" for what is none. Never NULL. */
const char *mime_flag_word(unsigned bit);
/* The sentence, untranslated (a gettext msgid). Never NULL. */
const char *mime_flag_text(unsigned bit);
/* What follows from it; MIME_SAID for what is none. */
enum mime_effect mime_flag_effect(unsigned bit);
/* All flags of one effect. */
mime_flags mime_flags_of(enum mime_effect effect);

#endif
