/*
 * zip_private.h: shared by zip*.c.
 */
#ifndef SEKISHO_ZIP_PRIVATE_H
#define SEKISHO_ZIP_PRIVATE_H

#include <sekisho/zip.h>

/* Flags of a header (APPNOTE 4.4.4). */
#define HEADER_ENCRYPTED 0x0001u
#define HEADER_STREAM 0x0008u /* sizes stand behind the data */
#define HEADER_STRONG 0x0040u
#define HEADER_UTF_8 0x0800u

#define ZIP_METHOD_STORED 0
#define ZIP_METHOD_DEFLATED 8

/* What is being read. */
enum zip_state {
	ZIP_AT_MARK,	 /* four bytes that say what follows */
	ZIP_LOCAL,	 /* header of an entry */
	ZIP_NAME,	 /* its name */
	ZIP_EXTRA,	 /* its extra fields */
	ZIP_DATA,	 /* its data */
	ZIP_DESCRIPTOR,	 /* its sizes, behind the data */
	ZIP_CENTRAL,	 /* record of the directory */
	ZIP_CENTRAL_NAME,
	ZIP_CENTRAL_EXTRA,
	ZIP_SKIP,	 /* a comment, a signature */
	ZIP_SIZED,	 /* the length of a signature */
	ZIP_END64,	 /* ZIP64's end record */
	ZIP_LOCATOR,
	ZIP_END,	 /* the end record */
	ZIP_LAST,	 /* its comment */
	ZIP_OVER,	 /* behind it */
	ZIP_LOST,	 /* nothing can be told any more */
};

/* How the data of an entry is taken. */
enum zip_mode {
	ZIP_PASS,   /* by its length, not looked at */
	ZIP_COPY,   /* stored: looked at, by its length */
	ZIP_UNPACK, /* deflated: inflated, by its length or to its end */
	ZIP_SEARCH, /* length unknown: its end is searched */
};

static inline uint16_t zip_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t zip_u32(const uint8_t *p)
{
	return zip_u16(p) | (uint32_t)zip_u16(p + 2) << 16;
}

static inline uint64_t zip_u64(const uint8_t *p)
{
	return zip_u32(p) | (uint64_t)zip_u32(p + 4) << 32;
}

/* zip.c: the first reason counts; and then also nothing more is told. */
void zip_break(struct zip *z, enum zip_broken why);
void zip_lose(struct zip *z, enum zip_broken why);
/* Expects need bytes in field[] next. */
void zip_await(struct zip *z, enum zip_state state, uint32_t need);
void zip_feed(struct zip *z, const uint8_t *p, size_t n);
/* An extra field of the record that is being read; NULL when it has none. */
const uint8_t *zip_extra(const struct zip *z, uint16_t id, size_t *ret_n);
/* ZIP64's sizes, where the header has -1: size, packed, and in the directory the place. false: they are not there. */
bool zip_wide(struct zip *z, bool place);

/* zip_data.c: the data of an entry. */
void zip_data_begin(struct zip *z);
size_t zip_data(struct zip *z, const uint8_t *p, size_t n);
/* After each piece of it: is it worth what it costs? */
void zip_data_judge(struct zip *z);
/* Bytes of a descriptor so far; true when they are one. */
bool zip_descriptor(struct zip *z);

/* zip_entry.c: what is told of an entry. */
void zip_entry_begin(struct zip *z);
void zip_entry_end(struct zip *z);
enum sniff_kind zip_kind(const struct zip *z);

/* zip_directory.c */
void zip_central(struct zip *z);
void zip_central_done(struct zip *z);
void zip_end64(struct zip *z);
void zip_locator(struct zip *z);
void zip_end_record(struct zip *z);

#endif
