/*
 * zip.c: walks a ZIP front to back (PKWARE APPNOTE 6.3.10): entries, directory, end.
 *
 * A machine of records: a mark of four bytes says which record follows, its fixed part is collected in field[], its
 * name and extra fields in raw[] and extra[]. The data of entries is for zip_data.c, what is told of them for
 * zip_entry.c, the directory for zip_directory.c.
 *
 * Input: bytes of strangers, cut anywhere. Limits: zip.h. Nothing is skipped in search of something better: what stands
 * where no record may stand ends the walk (report.broken).
 */
#include "zip_private.h"

#include <string.h>

#include <sekisho/i18n.h>

static const struct {
	const char *word, *text;
} brokens[ZIP_BROKENS] = {
	[ZIP_WELL] = {"well", N_("well formed")},
	[ZIP_NO_HEADER] = {"no-header", N_("something that is no file stands between the files")},
	[ZIP_CUT] = {"cut", N_("it ends too early")},
	[ZIP_BAD_DATA] = {"bad-data", N_("a file in it is damaged")},
	[ZIP_NO_END] = {"no-end", N_("the end of a file in it was not found")},
	[ZIP_BAD_DIRECTORY] = {"bad-directory", N_("its table of contents is damaged")},
	[ZIP_DISAGREES] = {"disagrees", N_("its table of contents names other files than it holds")},
	[ZIP_BEHIND] = {"behind", N_("something stands behind its end")},
	[ZIP_SPANNED] = {"spanned", N_("it is one of several parts")},
	[ZIP_DIRECTORY_ENCRYPTED] = {"directory-encrypted", N_("its table of contents is encrypted")},
	[ZIP_TOO_MANY] = {"too-many", N_("it holds more files than can be listed")},
};

const char *zip_broken_text(enum zip_broken broken)
{
	return brokens[(unsigned)broken < ZIP_BROKENS ? broken : ZIP_BAD_DIRECTORY].text;
}

const char *zip_broken_word(enum zip_broken broken)
{
	return brokens[(unsigned)broken < ZIP_BROKENS ? broken : ZIP_BAD_DIRECTORY].word;
}

void zip_break(struct zip *z, enum zip_broken why)
{
	if (z->report.broken == ZIP_WELL)
		z->report.broken = why;
}

void zip_lose(struct zip *z, enum zip_broken why)
{
	zip_break(z, why);
	z->state = ZIP_LOST;
}

void zip_await(struct zip *z, enum zip_state state, uint32_t need)
{
	z->state = state;
	z->need = need;
	z->fill = 0;
}

const uint8_t *zip_extra(const struct zip *z, uint16_t id, size_t *ret_n)
{
	size_t n = z->nextra < sizeof(z->extra) ? z->nextra : sizeof(z->extra);

	for (size_t i = 0; i + 4 <= n;) {
		size_t size = zip_u16(z->extra + i + 2);
		if (size > n - i - 4)
			return NULL;
		if (zip_u16(z->extra + i) == id) {
			*ret_n = size;
			return z->extra + i + 4;
		}
		i += 4 + size;
	}
	return NULL;
}

bool zip_wide(struct zip *z, bool place)
{
	uint64_t *fields[] = {&z->now.size, &z->now.packed, &z->now.offset};
	size_t n = 0, at = 0;
	const uint8_t *p = zip_extra(z, 0x0001, &n);

	for (size_t i = 0; i < (place ? 3u : 2u); i++) {
		if (*fields[i] != 0xffffffff)
			continue;
		if (p == NULL || n - at < 8)
			return p == NULL; /* exactly 4 GiB - 1 is allowed, a short field is not */
		*fields[i] = zip_u64(p + at);
		at += 8;
	}
	return true;
}

static void on_mark(struct zip *z)
{
	uint32_t mark = zip_u32(z->field);

	z->record = z->offset - 4;
	/* Entries stand before the directory, the end behind it. */
	if (z->start != 0 && (mark == 0x04034b50 || mark == 0x08064b50))
		zip_lose(z, ZIP_BAD_DIRECTORY);
	else if (mark == 0x04034b50)
		zip_await(z, ZIP_LOCAL, 26);
	else if (mark == 0x02014b50)
		zip_await(z, ZIP_CENTRAL, 42);
	else if (mark == 0x05054b50)
		zip_await(z, ZIP_SIZED, 2);
	else if (mark == 0x06064b50)
		zip_await(z, ZIP_END64, 52);
	else if (mark == 0x07064b50)
		zip_await(z, ZIP_LOCATOR, 16);
	else if (mark == 0x06054b50)
		zip_await(z, ZIP_END, 18);
	else if (mark == 0x08064b50)
		zip_lose(z, ZIP_DIRECTORY_ENCRYPTED);
	else if (z->record == 0 && (mark == 0x08074b50 || mark == 0x30304b50))
		zip_await(z, ZIP_AT_MARK, 4); /* of a split archive that fitted into one part */
	else
		zip_lose(z, z->start != 0 ? ZIP_BAD_DIRECTORY : ZIP_NO_HEADER);
}

/* A record's name and what follows it. */
static void begin_name(struct zip *z, enum zip_state state, uint32_t nname, uint32_t nextra)
{
	z->nextra = nextra;
	z->left = nname;
	z->fill = 0;
	z->state = state;
	sha256_init(&z->hash);
}

static void on_local(struct zip *z)
{
	const uint8_t *f = z->field;

	if (z->nseen == ZIP_ENTRIES_MAX) {
		zip_lose(z, ZIP_TOO_MANY);
		return;
	}
	z->now = (struct zip_seen){.offset = z->record, .flags = zip_u16(f + 2), .method = zip_u16(f + 4),
		.crc = zip_u32(f + 10),
		.packed = zip_u32(f + 14), .size = zip_u32(f + 18)};
	begin_name(z, ZIP_NAME, zip_u16(f + 22), zip_u16(f + 24));
}

/* The name: hashed whole, kept as far as raw[] goes. Then the extra fields. */
static size_t take_name(struct zip *z, const uint8_t *p, size_t n)
{
	size_t take = z->left < n ? (size_t)z->left : n;
	size_t keep = sizeof(z->raw) - z->fill < take ? sizeof(z->raw) - z->fill : take;

	memcpy(z->raw + z->fill, p, keep);
	z->fill += (uint32_t)keep;
	sha256_update(&z->hash, take, p);
	z->left -= take;
	return take;
}

static void name_done(struct zip *z)
{
	uint8_t hash[16];

	sha256_digest(&z->hash, sizeof(hash), hash);
	z->now.name[0] = zip_u64(hash);
	z->now.name[1] = zip_u64(hash + 8);
	z->need = z->fill; /* bytes of raw[] */
	z->left = z->nextra;
	z->fill = 0;
	z->state = z->state == ZIP_NAME ? ZIP_EXTRA : ZIP_CENTRAL_EXTRA;
}

static size_t take_extra(struct zip *z, const uint8_t *p, size_t n)
{
	size_t take = z->left < n ? (size_t)z->left : n;
	size_t keep = sizeof(z->extra) - z->fill < take ? sizeof(z->extra) - z->fill : take;

	memcpy(z->extra + z->fill, p, keep);
	z->fill += (uint32_t)keep;
	z->left -= take;
	return take;
}

/* States without bytes of their own end at once: an empty name, no extra fields, an empty entry. */
static bool settle(struct zip *z)
{
	if ((z->state == ZIP_NAME || z->state == ZIP_CENTRAL_NAME) && z->left == 0)
		name_done(z);
	else if (z->state == ZIP_EXTRA && z->left == 0)
		zip_entry_begin(z);
	else if (z->state == ZIP_CENTRAL_EXTRA && z->left == 0)
		zip_central_done(z);
	else if (z->state == ZIP_SKIP && z->left == 0)
		zip_await(z, ZIP_AT_MARK, 4);
	else if (z->state == ZIP_LAST && z->left == 0)
		z->state = ZIP_OVER;
	else
		return false;
	return true;
}

/* A fixed part came whole. */
static void field_done(struct zip *z)
{
	switch ((enum zip_state)z->state) {
	case ZIP_AT_MARK:
		on_mark(z);
		break;
	case ZIP_LOCAL:
		on_local(z);
		break;
	case ZIP_CENTRAL:
		zip_central(z);
		if (z->state == ZIP_CENTRAL)
			begin_name(z, ZIP_CENTRAL_NAME, zip_u16(z->field + 24), zip_u16(z->field + 26));
		break;
	case ZIP_SIZED:
		z->left = zip_u16(z->field);
		z->state = ZIP_SKIP;
		break;
	case ZIP_END64:
		zip_end64(z);
		break;
	case ZIP_LOCATOR:
		zip_locator(z);
		break;
	default:
		zip_end_record(z);
		break;
	}
}

/* A descriptor comes with or without a mark: the first length at which it is one. */
static void descriptor_grew(struct zip *z)
{
	if (zip_descriptor(z)) {
		zip_entry_end(z);
		zip_await(z, ZIP_AT_MARK, 4);
	} else if (z->fill == 24) {
		zip_break(z, ZIP_BAD_DATA);
		zip_entry_end(z);
		zip_lose(z, ZIP_BAD_DATA);
	} else {
		z->need = z->fill + 4;
	}
}

static size_t collect(struct zip *z, const uint8_t *p, size_t n)
{
	size_t take = z->need - z->fill < n ? z->need - z->fill : n;

	memcpy(z->field + z->fill, p, take);
	z->fill += (uint32_t)take;
	return take;
}

static size_t skip(struct zip *z, size_t n)
{
	size_t take = z->left < n ? (size_t)z->left : n;

	z->left -= take;
	return take;
}

static size_t step(struct zip *z, const uint8_t *p, size_t n)
{
	switch ((enum zip_state)z->state) {
	case ZIP_NAME:
	case ZIP_CENTRAL_NAME:
		return take_name(z, p, n);
	case ZIP_EXTRA:
	case ZIP_CENTRAL_EXTRA:
		return take_extra(z, p, n);
	case ZIP_DATA:
		return zip_data(z, p, n);
	case ZIP_SKIP:
	case ZIP_LAST:
		return skip(z, n);
	case ZIP_OVER:
		zip_lose(z, ZIP_BEHIND);
		return n;
	case ZIP_LOST:
		return n;
	default:
		return collect(z, p, n);
	}
}

static bool collects(const struct zip *z)
{
	return z->state == ZIP_AT_MARK || z->state == ZIP_LOCAL || z->state == ZIP_CENTRAL || z->state == ZIP_SIZED ||
		z->state == ZIP_END64 || z->state == ZIP_LOCATOR || z->state == ZIP_END;
}

void zip_feed(struct zip *z, const uint8_t *p, size_t n)
{
	while (n > 0) {
		size_t took = step(z, p, n);
		p += took;
		n -= took;
		z->offset += took;
		*z->handler.allowance += (uint64_t)took * ZIP_ALLOWANCE_PER_BYTE;
		if (z->state == ZIP_DATA)
			zip_data_judge(z);
		if (z->state == ZIP_DESCRIPTOR && z->fill == z->need)
			descriptor_grew(z);
		else if (collects(z) && z->fill == z->need)
			field_done(z);
		while (settle(z))
			;
	}
}

void zip_begin(struct zip *z, const struct zip_handler *handler)
{
	memset(z, 0, offsetof(struct zip, seen));
	z->handler = *handler;
	z->own = ZIP_ALLOWANCE;
	if (z->handler.allowance == NULL)
		z->handler.allowance = &z->own;
	z->inflate = NULL;
	z->used = 0;
	zip_await(z, ZIP_AT_MARK, 4);
}

void zip_push(struct zip *z, const void *bytes, size_t n)
{
	zip_feed(z, bytes, n);
}

void zip_end(struct zip *z)
{
	if (z->opened) {
		zip_break(z, z->mode == ZIP_SEARCH ? ZIP_NO_END : ZIP_CUT);
		zip_entry_end(z);
	}
	if (z->state != ZIP_OVER && z->state != ZIP_LOST)
		zip_break(z, ZIP_CUT);
	z->report.kind = zip_kind(z);
}
