/*
 * verify.c: the driver of the verifiers' fuzzers. See verify.h.
 */
#include "verify.h"

#include <stdlib.h>
#include <string.h>

struct answer {
	enum verify_status status;
	enum inspect_level level;
	enum inspect_why why;
};

static struct answer tell(enum application app, bool datagrams, const struct verify_policy *policy, const uint8_t *data,
	size_t n, size_t piece)
{
	struct pool *pool = pool_new(1 << 18);
	struct addr client, server;
	struct judge j;
	struct judge_context x = {.pool = pool, .client = &client, .server = &server};
	struct reader r = reader_init(data, n);

	addr_parse("10.1.0.5", &client);
	addr_parse("10.2.0.8", &server);
	judge_init(&j, verifier_of(app), policy);
	while (reader_left(&r) > 3 && j.status != VERIFY_ACCEPT && j.status != VERIFY_REFUSE) {
		uint8_t head = reader_u8(&r);
		size_t len = reader_be16(&r);
		if (len > reader_left(&r))
			len = reader_left(&r);
		const uint8_t *p = reader_bytes(&r, len);
		unsigned from = head >> 7;
		if (datagrams) {
			judge_datagram(&j, &x, from, p, len);
		} else {
			for (size_t at = 0; at < len; at += piece) {
				size_t k = len - at < piece ? len - at : piece;
				judge_stream(&j, &x, from, p + at, k, at + k == len && (head & 0x40) != 0);
			}
		}
		x.now += 1000000;
	}
	judge_release(&j, pool);
	if (pool_used(pool) != 0)
		abort();
	pool_free(pool);
	return (struct answer){j.status, j.level, j.why};
}

int verify_fuzz(enum application app, bool datagrams, const struct verify_policy *policy, const uint8_t *data, size_t n)
{
	struct answer whole = tell(app, datagrams, policy, data, n, SIZE_MAX / 2);

	if (datagrams)
		return 0;
	static const size_t pieces[] = {1, 7, 536};
	for (size_t i = 0; i < 3; i++) {
		struct answer a = tell(app, datagrams, policy, data, n, pieces[i]);
		if (a.status != whole.status || a.level != whole.level || a.why != whole.why)
			abort();
	}
	return 0;
}
