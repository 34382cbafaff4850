/*
 * sniff_private.h: shared by sniff*.c.
 */
#ifndef SEKISHO_SNIFF_PRIVATE_H
#define SEKISHO_SNIFF_PRIVATE_H

#include <sekisho/sniff.h>

/* Of a compound file: bits of struct sniff's streams. */
#define CFB_MACROS SNIFF_CFB_MACROS
#define CFB_ENCRYPTED SNIFF_CFB_ENCRYPTED
#define CFB_OBJECT SNIFF_CFB_OBJECT
#define CFB_WORD 0x0100u
#define CFB_EXCEL 0x0200u
#define CFB_POWERPOINT 0x0400u
#define CFB_OUTLOOK 0x0800u
#define CFB_ICHITARO 0x1000u
#define CFB_INSTALLER 0x2000u
/* The same, said by the class of the root: that counts most. */
#define CFB_ROOT_WORD 0x010000u
#define CFB_ROOT_EXCEL 0x020000u
#define CFB_ROOT_POWERPOINT 0x040000u

/* What one record of 128 bytes says, if it is one of a directory; else 0. */
uint32_t cfb_record(const uint8_t record[128]);
enum sniff_kind cfb_kind(uint32_t streams);

/* Text or data, and what text. */
enum sniff_kind sniff_text(const uint8_t *p, size_t n);

#endif
