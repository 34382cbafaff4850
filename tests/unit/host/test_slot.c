/*
 * test_slot.c: the boot loader's block: what is read from a good one, a damaged one and none; what is written is read again.
 */
#include "slot.h"

#include "test.h"

static void make(char block[SLOT_BLOCK], const char *lines)
{
	int n = snprintf(block, SLOT_BLOCK, "# GRUB Environment Block\n%s", lines);

	memset(block + n, '#', (size_t)(SLOT_BLOCK - n));
}

static void test_read(void)
{
	char block[SLOT_BLOCK];
	struct slots s;

	make(block, "ORDER=B A\nA_OK=0\nA_TRY=1\nB_OK=1\nB_TRY=0\n");
	CHECK(slots_read(block, &s));
	CHECK_STR(s.order, "B A");
	CHECK(!s.ok[0] && s.tried[0] && s.ok[1] && !s.tried[1]);
	make(block, "ORDER=B A C\nA_OK=maybe\nB_TRY=\nA_TRY=11111111111111111111\nOK=0\n");
	CHECK(slots_read(block, &s));
	CHECK_STR(s.order, "A B");
	CHECK(s.ok[0] && s.ok[1] && !s.tried[0] && !s.tried[1]);
}

static void test_damaged(void)
{
	char block[SLOT_BLOCK] = {0};
	struct slots s;

	CHECK(!slots_read(block, &s)); /* what a power cut leaves of a file that was truncated */
	CHECK(s.ok[0] && s.ok[1] && !s.tried[0] && !s.tried[1]);
	make(block, "A_OK=0\n");
	block[500] = '\0';
	CHECK(!slots_read(block, &s));
	CHECK(s.ok[0]);
	memset(block, 'A', sizeof(block)); /* no line ends at all */
	CHECK(!slots_read(block, &s));
}

static void test_write(void)
{
	char block[SLOT_BLOCK];
	struct slots s = {.order = "A B", .ok = {true, false}, .tried = {true, true}}, again;

	slots_good(&s, 1);
	CHECK_STR(s.order, "B A");
	CHECK(s.ok[0] && s.ok[1] && !s.tried[0] && !s.tried[1]);
	slots_write(&s, block);
	CHECK(slots_read(block, &again));
	CHECK_STR(again.order, "B A");
	CHECK(again.ok[0] && again.ok[1] && !again.tried[0] && !again.tried[1]);
	CHECK_INT(block[SLOT_BLOCK - 1], '#');
}

int main(void)
{
	test_read();
	test_damaged();
	test_write();
	return test_end();
}
