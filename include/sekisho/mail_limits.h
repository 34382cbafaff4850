/*
 * mail_limits.h: every bound on mail, with the reason for its value. Where a limit is passed the mail is refused, unless
 * its line says what happens instead.
 */
#ifndef SEKISHO_MAIL_LIMITS_H
#define SEKISHO_MAIL_LIMITS_H

/* -- Structure ---------------------------------------------------------------------------------------------- */

/* Entities in entities. Real mail: mixed > related > alternative > text makes 4, three forwards of it 12. It also
 * bounds the work on each line that could be a boundary. */
#define MAIL_DEPTH 20u
/* Entities of a mail. Digests of mailing lists reach some hundreds. */
#define MAIL_PARTS 1000u
/* Fields of one header: a mail of 50 hops with signatures at each has about 300. */
#define MAIL_FIELDS 1000u
/* Bytes of one header. Postfix keeps 100 KiB and cuts off the rest. */
#define MAIL_HEADER_BYTES (256u << 10)
/* Bytes of one field: To with a thousand recipients. It is the largest thing that is kept of a mail's structure. */
#define MAIL_FIELD_BYTES (64u << 10)
/* A boundary has 70 characters at most (RFC 2046); some programs write more, and all read such. Longer: opaque. */
#define MAIL_BOUNDARY 70u
#define MAIL_BOUNDARY_MAX 200u
/* Parameters of one field; more than four is unusual, 64 is the space of sixteen. */
#define MAIL_PARAMETERS 64u
/* Pieces of one parameter (RFC 2231): a name of 255 characters in 12 pieces is what programs write. */
#define MAIL_SEGMENTS 32u
/* The name of a type, "a/b", and the label of a charset: the longest that are registered have 80 and 45 characters.
 * Longer: the entity is opaque; the charset unknown. */
#define MAIL_TYPE 127u
#define MAIL_LABEL 63u
/* The name of a file: 255 characters, as many bytes as they need in UTF-8; what is beyond is left out. */
#define MAIL_NAME_CHARACTERS 255u
#define MAIL_NAME_BYTES (MAIL_NAME_CHARACTERS * 4 + 1)
/* Blanks that may stand at the end of a quoted-printable line before they count as text: a line's length. */
#define MAIL_QP_BLANKS 256u
/* What follows the end of base64 is text only if all of it is base64: so much waits for that decision. More: kept. */
#define MAIL_BASE64_TAIL 1024u
/* A line of a file inside text: as long as SMTP allows. Longer: text. */
#define MAIL_UU_LINE 1000u
/* Received fields: 100 is a loop (RFC 5321 6.3). */
#define MAIL_HOPS 100u

/* -- Header fields ------------------------------------------------------------------------------------------- */

/* Words, quoted strings and addresses in one list: 3 000 recipients with names. */
#define MAIL_ADDRESS_TOKENS 10000u
/* RFC 5321 4.5.3.1; a domain has 253 characters as text (RFC 1035). A longer address is left out and flagged. */
#define MAIL_LOCAL_PART 64u
#define MAIL_DOMAIN 253u
/* The name beside an address, before and after decoding; what is beyond is left out. */
#define MAIL_DISPLAY_RAW 2000u
#define MAIL_DISPLAY 1000u
/* A message id between its brackets (a line of 998 bytes is the standard's only bound). Longer: left out and flagged. */
#define MAIL_ID 250u

/* -- Text ------------------------------------------------------------------------------------------------------ */

/* Text of one part before its charset is decoded: so much of it is looked at to find what charset it is in. What is
 * beyond is decoded as this beginning was. A letter has some KB, a book 1 MB. */
#define MAIL_TEXT_RAW (256u << 10)
/* Text of the whole output, what is beyond is left out, and said. */
#define MAIL_TEXT_OUT (1u << 20)
/* Messages in messages whose text is shown; deeper ones are removed and listed. A forward of a forward of a forward. */
#define MAIL_QUOTE_DEPTH 3u

/* -- Attachments: what is beyond is not looked at, and the report says so ---------------------------------------- */

/* Entries of a ZIP, attachments of a winmail.dat: nobody reads a longer list, and the table of them is fixed memory. */
#define ZIP_ENTRIES_MAX 1000u
#define TNEF_ITEMS_MAX 1000u
/* Bytes of their names: longer ones cannot be files on Windows, Linux or macOS. As they are shown: 170 Chinese characters. */
#define ZIP_NAME_MAX 255u
#define ZIP_SHOWN_MAX 512u
#define TNEF_NAME_MAX 255u
#define TNEF_SHOWN_MAX 512u
/* Bytes of an attachment's own name; its end is what counts. */
#define ATTACHMENT_NAME_MAX 512u
/* Inflated : deflated. Text has 3 to 20, sheets of numbers reach 60, bombs 1029. It counts from so many bytes on: a page of
 * blanks is no bomb. */
#define ZIP_RATIO_MAX 100u
#define ZIP_RATIO_FREE (1u << 20)
/* What a mail may have inflated in all, and how much each byte of its archives adds: at some 400 MB/s a large mail then
 * costs no more than 100 MB/s of mail would, and a small one 20 ms. Content that is wanted counts twice, because it is read
 * too; a look at an entry counts ZIP_LOOK. */
#define ZIP_ALLOWANCE (8u << 20)
#define ZIP_ALLOWANCE_PER_BYTE 4u
#define ZIP_LOOK 2048u
/* Bytes of sheets that are held back until their texts come (about 60 000 cells), of these texts, and their number. */
#define OOXML_CELLS_MAX (512u << 10)
#define OOXML_STRINGS_MAX (384u << 10)
#define OOXML_NSTRINGS_MAX 32768u
/* Of an element or attribute: the longest that matters is "noBreakHyphen"; of a value: a sheet's name, 31 characters. */
#define OOXML_NAME_MAX 32u
#define OOXML_VALUE_MAX 128u
/* Empty cells in a row that become tabs. */
#define OOXML_TABS_MAX 16u
/* Text of a plain file that is kept until its charset is settled: as much as the whole text of a mail. */
#define ATTACHMENT_RAW_MAX (1u << 20)
/* Properties of one list: Outlook writes some 100; values of one property. More: the list is left alone. */
#define TNEF_PROPERTIES_MAX 4096u
#define TNEF_VALUES_MAX 65536u

#endif
