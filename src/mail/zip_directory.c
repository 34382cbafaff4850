/*
 * zip_directory.c: the directory of a ZIP and its end records, which must tell what was seen before them.
 *
 * Ours: each record of the directory must name, by its place, one entry that was seen and not named yet, with the
 * same name, method, sizes, check sum and marks (encrypted, UTF-8); the end must count and measure the directory as
 * it is. The standard allows more (gaps, comments that say otherwise, entries that are not listed); writers do not do
 * it, attackers do.
 */
#include "zip_private.h"

void zip_central(struct zip *z)
{
	const uint8_t *f = z->field;

	if (z->nlisted == 0)
		z->start = z->record;
	if (zip_u16(f + 30) != 0 && zip_u16(f + 30) != 0xffff) {
		zip_lose(z, ZIP_SPANNED);
		return;
	}
	z->now = (struct zip_seen){.flags = zip_u16(f + 4), .method = zip_u16(f + 6), .crc = zip_u32(f + 12),
		.packed = zip_u32(f + 16),
		.size = zip_u32(f + 20), .offset = zip_u32(f + 38)};
	z->ncomment = zip_u16(f + 28);
}

/* The entry that begins there. They were seen in the order of their places. */
static struct zip_seen *find(struct zip *z, uint64_t offset)
{
	uint32_t low = 0, high = z->nseen;

	while (low < high) {
		uint32_t i = (low + high) / 2;
		if (z->seen[i].offset == offset)
			return &z->seen[i];
		if (z->seen[i].offset < offset)
			low = i + 1;
		else
			high = i;
	}
	return NULL;
}

static bool agree(const struct zip_seen *a, const struct zip_seen *b)
{
	unsigned same = HEADER_ENCRYPTED | HEADER_UTF_8;

	return a->name[0] == b->name[0] && a->name[1] == b->name[1] && a->method == b->method && a->crc == b->crc &&
		a->packed == b->packed && a->size == b->size && (a->flags & same) == (b->flags & same);
}

void zip_central_done(struct zip *z)
{
	bool wide = zip_wide(z, true);
	struct zip_seen *seen = find(z, z->now.offset);

	if (!wide)
		zip_break(z, ZIP_BAD_DIRECTORY);
	else if (seen == NULL || seen->listed || !agree(seen, &z->now))
		zip_break(z, ZIP_DISAGREES);
	else
		seen->listed = true;
	z->nlisted++;
	z->left = z->ncomment;
	z->state = ZIP_SKIP;
}

/* The end of the directory says: how many, how long, where. */
static void judge(struct zip *z, uint64_t count, uint64_t size, uint64_t place)
{
	uint64_t start = z->start != 0 ? z->start : z->behind;

	if (count != z->nlisted || z->nlisted != z->nseen || size != z->behind - start || place != start)
		zip_break(z, ZIP_DISAGREES);
}

void zip_end64(struct zip *z)
{
	const uint8_t *f = z->field;
	uint64_t size = zip_u64(f);

	if (z->zip64 != 0 || size < 44 || size > 65536) {
		zip_lose(z, ZIP_BAD_DIRECTORY);
		return;
	}
	if (zip_u32(f + 12) != 0 || zip_u32(f + 16) != 0) {
		zip_lose(z, ZIP_SPANNED);
		return;
	}
	z->behind = z->zip64 = z->record;
	judge(z, zip_u64(f + 28), zip_u64(f + 36), zip_u64(f + 44));
	if (zip_u64(f + 20) != zip_u64(f + 28))
		zip_break(z, ZIP_DISAGREES);
	z->left = size - 44;
	z->state = ZIP_SKIP;
}

void zip_locator(struct zip *z)
{
	if (z->zip64 == 0 || zip_u64(z->field + 4) != z->zip64)
		zip_break(z, ZIP_BAD_DIRECTORY);
	if (zip_u32(z->field) != 0 || zip_u32(z->field + 12) > 1) {
		zip_lose(z, ZIP_SPANNED);
		return;
	}
	zip_await(z, ZIP_AT_MARK, 4);
}

void zip_end_record(struct zip *z)
{
	const uint8_t *f = z->field;
	uint32_t disk = zip_u16(f), first = zip_u16(f + 2), here = zip_u16(f + 4), count = zip_u16(f + 6);
	uint32_t size = zip_u32(f + 8), place = zip_u32(f + 12);

	if ((disk != 0 && disk != 0xffff) || (first != 0 && first != 0xffff)) {
		zip_lose(z, ZIP_SPANNED);
		return;
	}
	if (z->zip64 == 0)
		z->behind = z->record;
	uint64_t start = z->start != 0 ? z->start : z->behind;
	/* With a ZIP64 record before it, a field may say -1 instead; then that record was judged. */
	bool deferred = z->zip64 != 0;
	judge(z, deferred && count == 0xffff ? z->nlisted : count,
		deferred && size == 0xffffffff ? z->behind - start : size,
		deferred && place == 0xffffffff ? start : place);
	if (here != count)
		zip_break(z, ZIP_DISAGREES);
	z->left = zip_u16(f + 16);
	z->state = ZIP_LAST;
}
