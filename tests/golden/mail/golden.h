/* golden.h: what the golden tests of a directory share: each NAME.ending of it against its NAME.txt. */
#include <sekisho/buf.h>

#include <stdbool.h>

/* The whole file is added to *ret. One that is not there ends the program, or is empty if it is not needed. */
void golden_read(const char *path, bool needed, struct buf *ret);

bool golden_same(const struct buf *a, const struct buf *b);

/* got against dir/STEM.txt, STEM being name without ending; what differs is printed. Or writes that file. Returns failures. */
int golden_compare(const char *dir, const char *name, const char *ending, const struct buf *got, bool regenerate);

/*
 * `program [--regenerate] DIR`: check() for each file of DIR with that ending, in order. Returns the failures, and in *ret_n
 * how many files there were; none: says so and ends the program.
 */
int golden_each(int argc, char **argv, const char *ending, int (*check)(const char *dir, const char *name, bool regenerate),
	int *ret_n);
