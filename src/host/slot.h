/*
 * slot.h: which of the two systems the boot loader takes next: its file grubenv, edited in place.
 *
 * The file is one block of 1024 bytes: a header line, lines "NAME=value", and '#' up to its end. GRUB overwrites its sectors
 * without the file system's knowledge, so it must never grow, shrink or move: it is written over, not replaced. What is
 * read may be anything (a power cut, a rotten sector): then the boot loader's own defaults count, and the block is made anew.
 * Names as in rootfs/boot/grub.cfg: ORDER, A_OK, A_TRY, B_OK, B_TRY.
 */
#ifndef HOST_SLOT_H
#define HOST_SLOT_H

#include <stdbool.h>
#include <stddef.h>

#define SLOT_BLOCK 1024
#define SLOT_VALUE 16

struct slots {
	char order[4]; /* "A B": the first is preferred */
	bool ok[2];    /* may be tried */
	bool tried[2]; /* was tried, and has not said that it is well */
};

/* From a block; what is not there or not understood has the boot loader's default. False when the block was no block at all. */
bool slots_read(const char block[SLOT_BLOCK], struct slots *ret);
void slots_write(const struct slots *s, char ret[SLOT_BLOCK]);

/* Slot 0 or 1 is well: it is preferred from now on, and the other one may be tried again after it. */
void slots_good(struct slots *s, unsigned slot);

#endif
