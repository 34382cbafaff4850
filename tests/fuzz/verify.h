/*
 * verify.h: fuzzing a verifier: a conversation out of the input, told whole and in pieces; the answer must be the same.
 *
 * Input: turns of {1 byte: bit 7 the server speaks, bit 6 it closes; 2 bytes: length, big-endian; bytes}. The last turn may
 * be short.
 */
#ifndef SEKISHO_FUZZ_VERIFY_H
#define SEKISHO_FUZZ_VERIFY_H

#include "judge.h"

/* Returns 0; aborts when the pieces change the answer or the pool does not get its memory back. */
int verify_fuzz(enum application app, bool datagrams, const struct verify_policy *policy, const uint8_t *data, size_t n);

#endif
