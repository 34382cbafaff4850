/*
 * drops_fill.c: fills a store of records with drops by the recorder's own code, and writes the same as lines of text: what
 * `tools/bench console` asks questions of.
 *
 * usage: drops_fill DIR ROWS TEXT
 */
#include "store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sekisho/addr.h>

#define ROWS_A_TRANSACTION 4096
#define SECOND INT64_C(1000000000)

/* A town of some thousand sources; one of a million rows is of the address that is asked for. */
static struct msg_drop_row row(uint64_t i, uint64_t sequence)
{
	struct msg_drop_row r = {.sequence = sequence, .count = 1 + i % 7, .first_ns = (1790000000 + (int64_t)(i / 4)) * SECOND,
		.reason = REASON_NO_RULE, .family = 4, .proto = i % 3 == 0 ? 17 : 6, .src_len = 32, .dst_len = 32, .length = 60,
		.sport = (uint16_t)(1024 + i * 7919 % 60000), .dport = (uint16_t)(i * 31 % 2000), .generation = 7, .open = 1,
		.src = {10, (uint8_t)(1 + i % 3), (uint8_t)(i * 17 % 16), (uint8_t)(1 + i * 13 % 250)}, .dst = {10, 2, 0, (uint8_t)(i % 200)}};

	if (i % 1000000 == 500000)
		memcpy(r.src, (uint8_t[4]){10, 77, 7, 7}, 4);
	r.last_ns = r.first_ns + 30 * SECOND;
	MSG_TEXT(r.from, "mynumber");
	MSG_TEXT(r.to, "lgwan");
	MSG_TEXT(r.iface, "eth0");
	MSG_TEXT(r.out_iface, "eth1");
	MSG_TEXT(r.boot_id, "6f2d4a52-3c3e-4f0e-8d7e-000000000000");
	return r;
}

static void print(FILE *f, const struct msg_drop_row *r)
{
	fprintf(f, "%" PRId64 " %" PRIu64 " no-rule mynumber lgwan %u.%u.%u.%u %u.%u.%u.%u %u %u\n", r->first_ns / SECOND, r->count, r->src[0],
		r->src[1], r->src[2], r->src[3], r->dst[0], r->dst[1], r->dst[2], r->dst[3], r->proto, r->dport);
}

int main(int argc, char **argv)
{
	uint64_t rows = argc == 4 ? strtoull(argv[2], NULL, 10) : 0;
	struct store_options o = {.dir = argc == 4 ? argv[1] : "", .space = rows * 512 + (64u << 20)};
	FILE *text = argc == 4 ? fopen(argv[3], "we") : NULL;
	struct store *s;
	char note[128];

	if (rows == 0 || text == NULL || store_open(&o, &s, note, sizeof(note)) != STORE_OK) {
		fprintf(stderr, "usage: drops_fill DIR ROWS TEXT\n");
		return 2;
	}
	store_begin(s);
	store_start_at(s, 0, "begun");
	bool good = store_commit(s) == STORE_OK;
	for (uint64_t i = 0; i < rows && good;) {
		store_begin(s);
		for (unsigned k = 0; k < ROWS_A_TRANSACTION && i < rows; k++, i++) {
			struct msg_drop_row r = row(i, store_next(s));
			store_put_open(s, &r, true);
			print(text, &r);
		}
		store_close_open(s);
		good = store_commit(s) == STORE_OK;
	}
	store_free(s);
	return fclose(text) == 0 && good ? 0 : 1;
}
