/*
 * tnef.c: names and sizes of what is in a winmail.dat (MS-OXTNEF 2.1; properties: 2.1.3.4 and 2.1.3.5).
 *
 * A file is a row of attributes: level, number, length, data, check sum. An attachment begins with its rendering
 * data; its title, data and a list of properties follow. Of properties the names and the data count, everything else
 * is passed over by its length. A list that does not add up is left alone from there, and the file goes on behind it.
 *
 * Input: bytes of strangers, cut anywhere. Memory: struct tnef. Limits: tnef.h.
 */
#include <sekisho/tnef.h>

#include <string.h>

#include "shown.h"

#define SIGNATURE 0x223e9f78u
#define ATTRIBUTE_TITLE 0x00018010u
#define ATTRIBUTE_DATA 0x0006800fu
#define ATTRIBUTE_RENDERING 0x00069002u
#define ATTRIBUTE_PROPERTIES 0x00069003u
#define ATTRIBUTE_ATTACHMENT 0x00069005u
#define ATTRIBUTE_CODEPAGE 0x00069007u
#define ATTRIBUTE_BODY 0x0002800cu

enum state {
	SIGN,	/* signature and key */
	HEADER, /* of an attribute */
	DATA,
	SUM,
	LOST,
};

/* What of an attribute's data is read. */
enum sub {
	PASS,  /* nothing */
	FIELD, /* `need` bytes into field[]; then `next` says what they are */
	VALUE, /* `length` bytes to their target */
	SKIP,  /* `skip` bytes; then `next` */
};

enum next {
	COUNT,	 /* of properties */
	PROPERTY,
	GUID,	 /* of a named one */
	NAME_ID,
	NAME_LENGTH,
	BEGIN_VALUE,
	NVALUES,
	LENGTH,	 /* of a value */
	NEXT_VALUE,
	NEXT_PROPERTY,
	CODEPAGE,
	RENDERING,
	NOTHING,
};

/* Where a value goes. */
enum target { NOWHERE, TO_NAME, TO_DATA, TO_OBJECT };

static uint16_t u16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t u32(const uint8_t *p)
{
	return u16(p) | (uint32_t)u16(p + 2) << 16;
}

static void want(struct tnef *t, enum next next, uint8_t need)
{
	t->sub = FIELD;
	t->next = (uint8_t)next;
	t->need = need;
	t->fill = 0;
}

static void broken(struct tnef *t)
{
	t->report.flags |= TNEF_BROKEN;
	t->sub = PASS;
}

static void lose(struct tnef *t, uint32_t flag)
{
	t->report.flags |= flag;
	t->state = LOST;
}

/* Japanese programs that name no code page write Shift_JIS. */
static enum charset charset_of(uint32_t codepage)
{
	switch (codepage) {
	case 932:
		return CHARSET_SHIFT_JIS;
	case 20932:
	case 51932:
		return CHARSET_EUC_JP;
	case 50220:
	case 50221:
	case 50222:
		return CHARSET_ISO_2022_JP;
	case 65001:
		return CHARSET_UTF_8;
	case 20127:
		return CHARSET_ASCII;
	case 28591:
		return CHARSET_WINDOWS_1252;
	case 28605:
		return CHARSET_ISO_8859_15;
	default:
		break;
	}
	if (codepage >= 1250 && codepage <= 1258)
		return (enum charset)(CHARSET_WINDOWS_1250 + (codepage - 1250));
	return CHARSET_UNKNOWN;
}

/* What a name says is over at its NUL. */
static size_t name_length(const struct tnef *t)
{
	size_t unit = t->wide ? 2 : 1, n = 0;

	while (n + unit <= t->nname && (t->name[n] != 0 || (t->wide && t->name[n + 1] != 0)))
		n += unit;
	return n;
}

/* The item that is open is told. */
static void flush(struct tnef *t)
{
	struct tnef_item item = {.name = t->shown, .size = t->size, .embedded = t->embedded};
	size_t n = name_length(t);
	enum charset charset = t->report.charset;

	if (!t->open)
		return;
	t->open = false;
	if (t->report.items == TNEF_ITEMS_MAX) {
		lose(t, TNEF_TOO_MANY);
		return;
	}
	if (t->wide)
		charset = CHARSET_UTF_16LE;
	else if (charset == CHARSET_UNKNOWN)
		charset = shown_charset(t->name, n);
	t->shown[0] = '\0';
	if (n > 0)
		item.nname = shown_name(charset, t->name, n, t->shown, TNEF_SHOWN_MAX, &item.odd);
	item.kind = sniff_head(t->head, t->nhead, t->size == t->nhead);
	t->report.items++;
	if (t->handler.item != NULL)
		t->handler.item(t->handler.arg, &item);
}

static void open_item(struct tnef *t)
{
	flush(t);
	t->open = t->state != LOST;
	t->embedded = t->wide = false;
	t->best = 0;
	t->nname = t->nhead = 0;
	t->size = 0;
}

/* A name of this quality begins: 1 short, 2 for display, 3 long. The best one counts. */
static void begin_name(struct tnef *t, uint8_t quality, bool wide)
{
	t->target = TO_NAME;
	t->now = quality;
	t->now_wide = wide;
	t->nraw = 0;
}

static void value_done(struct tnef *t)
{
	if (t->target == TO_NAME && t->now > t->best && t->nraw > 0) {
		t->best = t->now;
		t->wide = t->now_wide;
		t->nname = t->nraw;
		memcpy(t->name, t->raw, t->nraw);
	}
	t->target = NOWHERE;
}

static void take_value(struct tnef *t, const uint8_t *p, size_t n)
{
	size_t keep = 0;

	if (t->target == TO_NAME) {
		keep = n < sizeof(t->raw) - t->nraw ? n : sizeof(t->raw) - t->nraw;
		memcpy(t->raw + t->nraw, p, keep);
		t->nraw = (uint16_t)(t->nraw + keep);
	} else if (t->target == TO_DATA) {
		keep = n < sizeof(t->head) - t->nhead ? n : sizeof(t->head) - t->nhead;
		memcpy(t->head + t->nhead, p, keep);
		t->nhead = (uint16_t)(t->nhead + keep);
	}
}

/* Bodies of the mail, by the number of their property. */
static uint32_t body_of(unsigned id)
{
	return id == 0x1009 ? TNEF_RTF : id == 0x1013 ? TNEF_HTML : id == 0x1000 ? TNEF_TEXT : 0;
}

/* What of a property's value matters. */
static void aim(struct tnef *t)
{
	bool wide = (t->type & 0xfff) == 0x1f;

	t->target = NOWHERE;
	if (t->attribute == ATTRIBUTE_PROPERTIES) {
		t->report.flags |= body_of(t->id);
		return;
	}
	if (t->id == 0x3707)
		begin_name(t, 3, wide);
	else if (t->id == 0x3001)
		begin_name(t, 2, wide);
	else if (t->id == 0x3704)
		begin_name(t, 1, wide);
	else if (t->id == 0x3701)
		t->target = (t->type & 0xfff) == 0x0d ? TO_OBJECT : TO_DATA;
}

/* Bytes of a value of this type; 0 when each value says it itself; -1 for an unknown type. */
static int size_of(unsigned type)
{
	switch (type & 0xfff) {
	case 0x02:
	case 0x03:
	case 0x04:
	case 0x0a:
	case 0x0b:
		return 4;
	case 0x05:
	case 0x06:
	case 0x07:
	case 0x14:
	case 0x40:
		return 8;
	case 0x48:
		return 16;
	case 0x0d:
	case 0x1e:
	case 0x1f:
	case 0x102:
		return 0;
	default:
		return -1;
	}
}

static void pass(struct tnef *t, uint64_t n, enum next next)
{
	t->sub = SKIP;
	t->skip = n;
	t->next = (uint8_t)next;
}

static void begin_value(struct tnef *t)
{
	int size = size_of(t->type);

	if (size < 0)
		broken(t);
	else if (size == 0 || (t->type & 0x1000))
		want(t, NVALUES, 4);
	else
		pass(t, (uint64_t)size, NEXT_PROPERTY);
}

static void on_length(struct tnef *t)
{
	t->length = u32(t->field);
	t->pad = (uint8_t)((4 - t->length % 4) % 4);
	aim(t);
	if (t->target == TO_OBJECT && t->length >= 16) {
		/* The class of the object stands before it. */
		t->embedded = true;
		t->target = TO_DATA;
		t->size = t->length - 16;
		t->nhead = 0;
		t->length -= 16;
		pass(t, 16, LENGTH);
		return;
	}
	if (t->target == TO_DATA) {
		t->size = t->length;
		t->nhead = 0;
	}
	t->sub = VALUE;
}

static void on_values(struct tnef *t)
{
	int size = size_of(t->type);

	t->values = u32(t->field);
	if (t->values > TNEF_VALUES_MAX)
		broken(t);
	else if (size > 0)
		pass(t, (uint64_t)size * t->values, NEXT_PROPERTY);
	else if (t->values == 0)
		pass(t, 0, NEXT_PROPERTY);
	else
		want(t, LENGTH, 4);
}

static void on_property(struct tnef *t)
{
	t->type = u16(t->field);
	t->id = u16(t->field + 2);
	if (t->id >= 0x8000)
		want(t, GUID, 20);
	else
		begin_value(t);
}

static void on_guid(struct tnef *t)
{
	uint32_t kind = u32(t->field + 16);

	if (kind > 1)
		broken(t);
	else
		want(t, kind == 0 ? NAME_ID : NAME_LENGTH, 4);
}

/* Bytes were collected, or passed over: what comes now. */
static void proceed(struct tnef *t)
{
	switch ((enum next)t->next) {
	case COUNT:
		t->properties = u32(t->field);
		if (t->properties > TNEF_PROPERTIES_MAX)
			broken(t);
		else
			pass(t, 0, NEXT_PROPERTY);
		break;
	case NEXT_PROPERTY:
		t->sub = PASS;
		if (t->properties > 0)
			want(t, PROPERTY, 4);
		t->properties -= t->properties > 0;
		break;
	case PROPERTY:
		on_property(t);
		break;
	case GUID:
		on_guid(t);
		break;
	case NAME_LENGTH:
		pass(t, ((uint64_t)u32(t->field) + 3) / 4 * 4, BEGIN_VALUE);
		break;
	case NAME_ID:
	case BEGIN_VALUE:
		begin_value(t);
		break;
	case NVALUES:
		on_values(t);
		break;
	case LENGTH:
		if (t->sub == FIELD)
			on_length(t);
		else
			t->sub = VALUE; /* behind an object's class */
		break;
	case NEXT_VALUE:
		t->values -= t->values > 0;
		if (t->values > 0)
			want(t, LENGTH, 4);
		else
			pass(t, 0, NEXT_PROPERTY);
		break;
	case CODEPAGE:
		t->report.codepage = (uint16_t)(u32(t->field) < 65536 ? u32(t->field) : 0);
		t->report.charset = charset_of(u32(t->field));
		t->sub = PASS;
		break;
	case RENDERING:
		t->embedded = u16(t->field) == 2;
		t->sub = PASS;
		break;
	case NOTHING:
		t->sub = PASS;
		break;
	}
}

/* States that need no byte end at once. */
static void settle(struct tnef *t)
{
	while (t->state == DATA) {
		if (t->sub == FIELD && t->fill == t->need) {
			proceed(t);
		} else if (t->sub == SKIP && t->skip == 0) {
			proceed(t);
		} else if (t->sub == VALUE && t->length == 0) {
			value_done(t);
			pass(t, t->pad, NEXT_VALUE);
		} else {
			break;
		}
	}
}

/* An attribute begins. */
static void begin_attribute(struct tnef *t)
{
	t->sub = PASS;
	t->target = NOWHERE;
	switch (t->attribute) {
	case ATTRIBUTE_RENDERING:
		open_item(t);
		want(t, RENDERING, 2);
		break;
	case ATTRIBUTE_TITLE:
	case ATTRIBUTE_DATA:
	case ATTRIBUTE_ATTACHMENT:
		if (!t->open)
			open_item(t);
		break;
	case ATTRIBUTE_PROPERTIES:
		want(t, COUNT, 4);
		break;
	case ATTRIBUTE_CODEPAGE:
		want(t, CODEPAGE, 4);
		break;
	case ATTRIBUTE_BODY:
		t->report.flags |= TNEF_TEXT;
		break;
	default:
		break;
	}
	t->length = (uint32_t)t->left;
	t->pad = 0;
	t->values = 0;
	t->properties = 0;
	if (t->attribute == ATTRIBUTE_ATTACHMENT) {
		want(t, COUNT, 4);
	} else if (t->attribute == ATTRIBUTE_TITLE) {
		begin_name(t, 1, false);
		t->sub = VALUE;
	} else if (t->attribute == ATTRIBUTE_DATA) {
		t->target = TO_DATA;
		t->size = t->left;
		t->nhead = 0;
		t->sub = VALUE;
	}
}

static void on_header(struct tnef *t)
{
	t->attribute = u32(t->field + 1);
	t->left = u32(t->field + 5);
	if (t->field[0] != 1 && t->field[0] != 2) {
		lose(t, TNEF_BEHIND);
		return;
	}
	t->state = DATA;
	begin_attribute(t);
}

/* The attribute's data is over. */
static void end_attribute(struct tnef *t)
{
	bool list = t->attribute == ATTRIBUTE_PROPERTIES || t->attribute == ATTRIBUTE_ATTACHMENT;

	if (t->sub == VALUE && !list)
		value_done(t);
	else if (t->sub != PASS && list)
		t->report.flags |= TNEF_BROKEN;
	t->state = t->state == LOST ? LOST : SUM;
	t->fill = 0;
	t->need = 2;
}

static size_t data(struct tnef *t, const uint8_t *p, size_t n)
{
	size_t take = t->left < n ? (size_t)t->left : n;

	if (t->sub == FIELD) {
		size_t room = (size_t)(t->need - t->fill);
		take = take < room ? take : room;
		memcpy(t->field + t->fill, p, take);
		t->fill = (uint8_t)(t->fill + take);
	} else if (t->sub == SKIP) {
		take = take < t->skip ? take : (size_t)t->skip;
		t->skip -= take;
	} else if (t->sub == VALUE) {
		take = take < t->length ? take : t->length;
		take_value(t, p, take);
		t->length -= (uint32_t)take;
	}
	t->left -= take;
	return take;
}

static size_t collect(struct tnef *t, const uint8_t *p, size_t n)
{
	size_t room = (size_t)(t->need - t->fill), take = n < room ? n : room;

	memcpy(t->field + t->fill, p, take);
	t->fill = (uint8_t)(t->fill + take);
	if (t->fill < t->need)
		return take;
	t->fill = 0;
	if (t->state == HEADER) {
		on_header(t);
		return take;
	}
	if (t->state == SIGN && u32(t->field) != SIGNATURE)
		lose(t, TNEF_BROKEN);
	else
		t->state = HEADER;
	t->need = 9;
	return take;
}

void tnef_begin(struct tnef *t, const struct tnef_handler *handler)
{
	memset(t, 0, sizeof(*t));
	t->handler = *handler;
	t->state = SIGN;
	t->need = 6;
}

void tnef_push(struct tnef *t, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	while (n > 0 && t->state != LOST) {
		size_t took = t->state == DATA ? data(t, p, n) : collect(t, p, n);
		p += took;
		n -= took;
		settle(t);
		if (t->state == DATA && t->left == 0)
			end_attribute(t);
	}
}

void tnef_end(struct tnef *t)
{
	bool cut = t->state == SIGN || t->state == DATA || t->state == SUM;

	if (cut)
		t->report.flags |= TNEF_BROKEN;
	else if (t->state == HEADER && t->fill > 0)
		t->report.flags |= TNEF_BEHIND;
	flush(t);
}
