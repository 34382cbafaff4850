/*
 * rate.h: how often one client does something in one second, over all its flows.
 */
#ifndef SEKISHO_INSPECT_RATE_H
#define SEKISHO_INSPECT_RATE_H

#include <sekisho/addr.h>

#include <stdint.h>

struct rates;

struct rates *rates_new(const uint8_t secret[16]); /* NULL without memory */
void rates_free(struct rates *r);		    /* NULL is allowed */

/*
 * Counts once more for this client under this policy, at `now` (nanoseconds). Returns how often it was in this second,
 * this time included.
 */
uint32_t rates_count(struct rates *r, const struct addr *client, const void *policy, int64_t now);

#endif
