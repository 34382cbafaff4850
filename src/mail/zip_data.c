/*
 * zip_data.c: the data of an entry of a ZIP: passed over by its length, copied, inflated (zlib), or searched for its end.
 *
 * Where the length stands before the data, it is believed, and only as much is inflated as somebody wants to see.
 * Where it stands behind (data descriptor), a deflated entry ends where its stream ends. What else has its length
 * behind it (stored, encrypted, a bomb that is inflated no further) ends at the first descriptor that gives exactly
 * the number of bytes that came, and, of a stored entry, their check sum. All of it must agree with the directory
 * later.
 *
 * Cost: what is inflated is taken from the mail's allowance; without allowance nothing is. zlib has its memory in
 * struct zip. Decisions that cost or doubt leads to (allowance, ratio, damage) are made where BLOCK bytes of the data
 * are full, so that they are the same however the bytes come in pieces.
 */
#include "zip_private.h"

#include <string.h>

#include <zlib.h>

#define OUT 16384u   /* bytes inflated in a go: what a stack bears */
#define BLOCK 1024u  /* at most 1 MiB inflated between two decisions */
#define FOLLOWED 26u /* the longest descriptor, and the two bytes that begin every record */

static void *take_memory(void *arg, unsigned items, unsigned size)
{
	struct zip *z = arg;
	uint64_t need = ((uint64_t)items * size + 15) / 16 * 16;

	if (need > sizeof(z->memory) - z->used)
		return NULL;
	void *p = (uint8_t *)z->memory + z->used;
	z->used += (uint32_t)need;
	return p;
}

static void leave_memory(void *arg, void *p)
{
	(void)arg;
	(void)p;
}

/* zlib ready for a new stream. */
static bool inflate_ready(struct zip *z)
{
	z_stream *s = z->inflate;

	if (s != NULL)
		return inflateReset(s) == Z_OK;
	s = take_memory(z, 1, sizeof(*s));
	*s = (z_stream){.zalloc = take_memory, .zfree = leave_memory, .opaque = z};
	z->inflate = s;
	return inflateInit2(s, -MAX_WBITS) == Z_OK;
}

static bool spend(struct zip *z, uint64_t n)
{
	bool enough = *z->handler.allowance >= n;

	*z->handler.allowance -= enough ? n : *z->handler.allowance;
	z->report.spent = z->report.spent || !enough;
	return enough;
}

/* Content as it was before it was packed. */
static void deliver(struct zip *z, const uint8_t *p, size_t n)
{
	size_t keep = sizeof(z->head) - z->nhead < n ? sizeof(z->head) - z->nhead : n;

	memcpy(z->head + z->nhead, p, keep);
	z->nhead = (uint16_t)(z->nhead + keep);
	z->crc = (uint32_t)crc32(z->crc, p, (uInt)n);
	z->out += n;
	if (z->wanted && n > 0 && z->handler.data != NULL && !z->handler.data(z->handler.arg, p, n))
		z->wanted = false;
}

/* Nothing more of this entry is looked at: its end is what matters. */
static void look_away(struct zip *z)
{
	z->whole = false;
	z->wanted = false;
	z->mode = z->known ? ZIP_PASS : ZIP_SEARCH;
	z->nheld = 0;
}

/* The data is over, and its length was known before. */
static void data_done(struct zip *z)
{
	spend(z, z->due < *z->handler.allowance ? z->due : *z->handler.allowance);
	z->due = 0;
	if (z->poor) {
		z->report.spent = true;
		z->entry.flags |= z->nhead < sizeof(z->head) ? ZIP_UNREAD : 0;
	} else if (z->mode == ZIP_UNPACK) {
		z->bad = true; /* its stream is not */
	}
	if (z->mode == ZIP_COPY)
		z->whole = true;
	if (z->whole && (z->crc != z->now.crc || z->out != z->now.size))
		z->bad = true;
	if (z->bad) {
		z->whole = false;
		zip_break(z, ZIP_BAD_DATA);
	}
	zip_entry_end(z);
	zip_await(z, ZIP_AT_MARK, 4);
}

static enum zip_mode mode_of(struct zip *z)
{
	bool closed = (z->entry.flags & ZIP_ENCRYPTED) != 0;

	if (!closed && z->now.method == ZIP_METHOD_STORED)
		return z->known ? ZIP_COPY : ZIP_SEARCH;
	if (closed || z->now.method != ZIP_METHOD_DEFLATED || !spend(z, ZIP_LOOK) || !inflate_ready(z)) {
		z->entry.flags |= ZIP_UNREAD;
		return z->known ? ZIP_PASS : ZIP_SEARCH;
	}
	return ZIP_UNPACK;
}

void zip_data_begin(struct zip *z)
{
	size_t n = 0;

	/* With the lengths behind the data, those before it are guesses of the writer at best. */
	z->known = (z->now.flags & HEADER_STREAM) == 0;
	z->wide = zip_extra(z, 0x0001, &n) != NULL;
	z->left = z->now.packed;
	z->count = z->out = z->due = 0;
	z->crc = 0;
	z->nhead = z->nheld = 0;
	z->whole = z->bad = z->failed = z->poor = false;
	z->state = ZIP_DATA;
	z->mode = mode_of(z);
	z->asked = z->handler.begin != NULL && z->handler.begin(z->handler.arg, &z->entry) &&
		(z->entry.flags & ZIP_UNREAD) == 0;
	z->wanted = z->asked;
	if (z->known && z->left == 0) {
		if (z->mode == ZIP_UNPACK && z->now.size == 0)
			z->mode = ZIP_COPY; /* some write an empty file as deflated, without a stream */
		data_done(z);
	}
}

/* Of a byte inflated: content that is wanted is read, too. */
static unsigned price(const struct zip *z)
{
	return z->asked ? 2 : 1;
}

/* What zlib gave. */
static void unpacked(struct zip *z, int result, const uint8_t *out, size_t n)
{
	z->due += n * price(z);
	deliver(z, out, n);
	if (result == Z_STREAM_END) {
		z->whole = true;
		z->mode = ZIP_COPY; /* the end of its data must come now */
	} else if (result != Z_OK && result != Z_BUF_ERROR) {
		z->failed = true;
	} else if (z->known && !z->asked && z->nhead == sizeof(z->head)) {
		look_away(z);
	}
}

/* How much to inflate in a go: within the allowance as it was when the block began; of an entry that nobody wants, its
 * beginning. */
static size_t room(const struct zip *z)
{
	uint64_t most = z->due < z->budget ? (z->budget - z->due) / price(z) : 0;
	size_t space = z->known && !z->asked ? sizeof(z->head) - z->nhead : OUT;

	return space < most ? space : (size_t)most;
}

static size_t inflate_some(struct zip *z, const uint8_t *p, size_t n)
{
	z_stream *s = z->inflate;
	uint8_t out[OUT];

	s->next_in = (uint8_t *)(uintptr_t)p;
	s->avail_in = (uInt)n;
	while (z->mode == ZIP_UNPACK && !z->failed && !z->poor) {
		size_t space = room(z);
		z->poor = space == 0;
		if (z->poor)
			break;
		s->next_out = out;
		s->avail_out = (uInt)space;
		int result = inflate(s, Z_NO_FLUSH);
		unpacked(z, result, out, space - s->avail_out);
		if (s->avail_in == 0 && s->avail_out != 0)
			break;
	}
	return z->failed || z->poor ? n : n - s->avail_in;
}

static size_t unpack(struct zip *z, const uint8_t *p, size_t n)
{
	size_t most = z->known && z->left < n ? (size_t)z->left : n, block = BLOCK - z->count % BLOCK;

	most = most < block ? most : block;
	if (block == BLOCK)
		z->budget = *z->handler.allowance;
	size_t taken = z->failed || z->poor ? most : inflate_some(z, p, most);
	z->count += taken;
	if (z->known) {
		z->left -= taken;
	} else if (z->whole) {
		z->entry.packed = z->count;
		zip_await(z, ZIP_DESCRIPTOR, 12);
	}
	return taken;
}

void zip_data_judge(struct zip *z)
{
	if (z->mode != ZIP_UNPACK || z->count % BLOCK != 0 || z->count == 0)
		return;
	bool enough = spend(z, z->due) && !z->poor;
	z->report.spent = z->report.spent || z->poor;
	z->due = 0;
	z->bad = z->bad || z->failed || (z->known && z->out > z->now.size);
	if (z->bad) {
		zip_break(z, ZIP_BAD_DATA);
		look_away(z);
	} else if (z->out > ZIP_RATIO_FREE && z->out / ZIP_RATIO_MAX > z->count) {
		z->entry.flags |= ZIP_BOMB;
		look_away(z);
	} else if (!enough) {
		z->entry.flags |= z->nhead < sizeof(z->head) ? ZIP_UNREAD : 0;
		look_away(z);
	} else if (z->known && !z->wanted) {
		look_away(z);
	}
}

/* By the length: to the end of the data. */
static size_t pass(struct zip *z, const uint8_t *p, size_t n)
{
	size_t take = z->left < n ? (size_t)z->left : n;

	if (z->mode == ZIP_COPY && !z->whole)
		deliver(z, p, take);
	else if (z->mode == ZIP_COPY && take > 0)
		z->bad = true; /* something stands behind its stream */
	z->count += take;
	z->left -= take;
	return take;
}

/* A descriptor without its mark: of 12 bytes, or 20 with ZIP64. */
static bool descriptor_at(struct zip *z, const uint8_t *p)
{
	uint32_t crc = zip_u32(p);
	uint64_t packed = z->wide ? zip_u64(p + 4) : zip_u32(p + 4), size = z->wide ? zip_u64(p + 12) : zip_u32(p + 8);

	if (packed != z->count || (z->whole && (crc != z->crc || size != z->out)))
		return false;
	z->entry.crc = crc;
	z->entry.packed = packed;
	z->entry.size = size;
	return true;
}

bool zip_descriptor(struct zip *z)
{
	uint32_t bare = z->wide ? 20 : 12;

	if (z->fill == bare)
		return descriptor_at(z, z->field);
	return z->fill == bare + 4 && memcmp(z->field, "PK\x07\x08", 4) == 0 && descriptor_at(z, z->field + 4);
}

/* Data that was searched. Of a stored entry it is the content. */
static void searched(struct zip *z, const uint8_t *p, size_t n)
{
	z->count += n;
	if (z->now.method != ZIP_METHOD_STORED || (z->entry.flags & ZIP_ENCRYPTED) || n == 0)
		return;
	deliver(z, p, n);
}

/* Does a descriptor begin at p + i? Its length; 0 no; -1 more bytes are needed. What is before it is data. */
static int ends_at(struct zip *z, const uint8_t *p, size_t i, size_t n, size_t *from)
{
	const uint8_t *q = p + i;
	size_t have = n - i;
	uint64_t count = z->count + (i - *from), said;
	int length = z->wide ? 24 : 16;

	if (memcmp(q, "PK\x07\x08", have < 4 ? have : 4) != 0)
		return 0;
	if (have < FOLLOWED)
		return -1;
	said = z->wide ? zip_u64(q + 8) : zip_u32(q + 8);
	if (said != count || q[length] != 'P' || q[length + 1] != 'K')
		return 0;
	searched(z, p + *from, i - *from);
	*from = i;
	z->whole = z->now.method == ZIP_METHOD_STORED && (z->entry.flags & ZIP_ENCRYPTED) == 0;
	if (descriptor_at(z, q + 4))
		return length;
	z->whole = false;
	return 0;
}

/* Ends that begin before `limit`. Returns where one is, or may be (*ret as of ends_at), else limit. */
static size_t scan(struct zip *z, const uint8_t *p, size_t n, size_t limit, int *ret)
{
	size_t i = 0, from = 0;

	*ret = 0;
	while (i < limit && *ret == 0) {
		const uint8_t *q = memchr(p + i, 'P', limit - i);
		if (q == NULL) {
			i = limit;
			break;
		}
		i = (size_t)(q - p);
		*ret = ends_at(z, p, i, n, &from);
		i += *ret == 0;
	}
	searched(z, p + from, i - from);
	return i;
}

static void found(struct zip *z)
{
	z->nheld = 0;
	zip_entry_end(z);
	zip_await(z, ZIP_AT_MARK, 4);
}

/* First what is held back, with what follows it. */
static size_t search_held(struct zip *z, const uint8_t *p, size_t n)
{
	size_t old = z->nheld, add = n < sizeof(z->held) - old ? n : sizeof(z->held) - old;
	int length = 0;
	uint8_t rest[sizeof(z->held)];

	memcpy(z->held + old, p, add);
	size_t i = scan(z, z->held, old + add, old, &length);
	z->nheld = 0;
	if (length == 0)
		return 0;
	if (length < 0) {
		z->nheld = (uint16_t)(old + add - i);
		memmove(z->held, z->held + i, z->nheld);
		return add;
	}
	size_t end = i + (size_t)length;
	if (end < old)
		memcpy(rest, z->held + end, old - end);
	found(z);
	if (end >= old)
		return end - old;
	/* Read once more, as what they are. */
	z->offset -= old - end;
	*z->handler.allowance -= (old - end) * ZIP_ALLOWANCE_PER_BYTE;
	zip_feed(z, rest, old - end);
	return 0;
}

static size_t search(struct zip *z, const uint8_t *p, size_t n)
{
	int length = 0;

	if (z->nheld > 0)
		return search_held(z, p, n);
	size_t i = scan(z, p, n, n, &length);
	if (length == 0)
		return n;
	if (length > 0) {
		found(z);
		return i + (size_t)length;
	}
	z->nheld = (uint16_t)(n - i);
	memcpy(z->held, p + i, z->nheld);
	return n;
}

size_t zip_data(struct zip *z, const uint8_t *p, size_t n)
{
	size_t took = z->mode == ZIP_SEARCH ? search(z, p, n) : z->mode == ZIP_UNPACK ? unpack(z, p, n) : pass(z, p, n);

	if (z->state == ZIP_DATA && z->known && z->left == 0)
		data_done(z);
	return took;
}
