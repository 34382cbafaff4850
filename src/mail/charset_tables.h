/*
 * charset_tables.h: the mappings that tables/generate.py makes from tables/ *.map while building.
 */
#include <stdint.h>

#define JIS_CELLS (94 * 94)
#define JIS0208_CELLS (100 * 94)
/* Rows 95 to 114 of Windows' Shift_JIS are the user's own characters: not stored, U+E000 on. */
#define JIS_USER_CELLS (20 * 94)
/* Values from here up to 0xefff in the 16-bit tables are an index into charset_sequences. */
#define JIS_SEQUENCE 0xe000

/* A character above U+FFFF, or two that one cell stands for (the second is 0 when there is one). */
struct charset_sequence {
	uint32_t code[2];
};

/* (row - 1) * 94 + cell - 1 of rows 1 to 94, then 115 to 120; UTF-8 in the low bytes, its length in the
 * highest; 0: no character. */
extern const uint32_t charset_jis0208[JIS0208_CELLS];
/* The same index, rows 1 to 94; code points; 0: no character. */
extern const uint16_t charset_jis0212[JIS_CELLS];
extern const uint16_t charset_jis0213_1[JIS_CELLS];
extern const uint16_t charset_jis0213_2[JIS_CELLS];
extern const struct charset_sequence charset_sequences[];
/* Bytes 80 to FF of windows-1250 to 1258, then ISO-8859-15; code points; 0: no character. */
extern const uint16_t charset_single[][128];
