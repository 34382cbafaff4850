/*
 * crc.h: CRC-32C (Castagnoli, RFC 3720 appendix B.4): finds accidents in our own files, not forgeries.
 */
#ifndef SEKISHO_CRC_H
#define SEKISHO_CRC_H

#include <stddef.h>
#include <stdint.h>

/* crc = 0 to start; the result continues a former call. */
uint32_t crc32c(uint32_t crc, const void *p, size_t n);

#endif
