/*
 * slot.c: the boot loader's environment block: reading and making it. No file is touched here.
 */
#include "slot.h"

#include <stdio.h>
#include <string.h>

#define HEADER "# GRUB Environment Block\n"

static const struct slots defaults = {.order = "A B", .ok = {true, true}};

/* The value of a name among the block's lines, "" when it is not there or too long. */
static void value_of(const char *text, const char *end, const char *name, char ret[SLOT_VALUE])
{
	size_t n = strlen(name);

	ret[0] = '\0';
	while (text < end) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		if (stop == NULL)
			return;
		size_t len = (size_t)(stop - text);
		if (len > n && text[n] == '=' && memcmp(text, name, n) == 0 && len - n - 1 < SLOT_VALUE) {
			memcpy(ret, text + n + 1, len - n - 1);
			ret[len - n - 1] = '\0';
		}
		text = stop + 1;
	}
}

static void take_flag(const char *text, const char *end, const char *name, bool *flag)
{
	char value[SLOT_VALUE];

	value_of(text, end, name, value);
	if (strcmp(value, "0") == 0 || strcmp(value, "1") == 0)
		*flag = value[0] == '1';
}

bool slots_read(const char block[SLOT_BLOCK], struct slots *ret)
{
	const char *text = block + strlen(HEADER), *end = block + SLOT_BLOCK;
	char order[SLOT_VALUE];

	*ret = defaults;
	if (memcmp(block, HEADER, strlen(HEADER)) != 0 || memchr(block, '\0', SLOT_BLOCK) != NULL)
		return false;
	value_of(text, end, "ORDER", order);
	if (strcmp(order, "A B") == 0 || strcmp(order, "B A") == 0)
		memcpy(ret->order, order, sizeof(ret->order));
	take_flag(text, end, "A_OK", &ret->ok[0]);
	take_flag(text, end, "B_OK", &ret->ok[1]);
	take_flag(text, end, "A_TRY", &ret->tried[0]);
	take_flag(text, end, "B_TRY", &ret->tried[1]);
	return true;
}

void slots_write(const struct slots *s, char ret[SLOT_BLOCK])
{
	memset(ret, '#', SLOT_BLOCK);
	int n = snprintf(ret, SLOT_BLOCK, HEADER "ORDER=%s\nA_OK=%d\nA_TRY=%d\nB_OK=%d\nB_TRY=%d\n", s->order,
		s->ok[0], s->tried[0], s->ok[1], s->tried[1]);
	ret[n] = '#';
}

void slots_good(struct slots *s, unsigned slot)
{
	memcpy(s->order, slot == 0 ? "A B" : "B A", sizeof(s->order));
	s->ok[slot] = true;
	s->tried[slot] = false;
	s->tried[1 - slot] = false;
}
