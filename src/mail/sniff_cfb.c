/*
 * sniff_cfb.c: what the directory of a compound file says (MS-CFB 2.6): each record of 128 bytes names a stream or a
 * storage.
 *
 * The file passes by once, and the chain of the directory's sectors may stand anywhere, so every aligned record that
 * looks like one of a directory is taken for one: what an embedded document has is seen too, and no chain can lead
 * around it.
 */
#include "sniff_private.h"

#include <string.h>

static const struct stream {
	const char *name;
	uint32_t bits;
} streams[] = {
	{"WordDocument", CFB_WORD},
	{"Workbook", CFB_EXCEL},
	{"Book", CFB_EXCEL},
	{"PowerPoint Document", CFB_POWERPOINT},
	{"__properties_version1.0", CFB_OUTLOOK},
	{"DocumentText", CFB_ICHITARO},
	{"EncryptedPackage", CFB_ENCRYPTED},
	{"\006DataSpaces", CFB_ENCRYPTED},
	{"_VBA_PROJECT", CFB_MACROS},
	{"_VBA_PROJECT_CUR", CFB_MACROS},
	{"VBA", CFB_MACROS},
	{"Macros", CFB_MACROS},
	{"\001Ole10Native", CFB_OBJECT},
	{"Package", CFB_OBJECT},
	{"EmbeddedOdf", CFB_OBJECT},
};

/* Classes that a root may have, as their bytes stand there. */
static const struct class {
	uint8_t id[16];
	uint32_t bits;
} classes[] = {
	{{0x06, 0x09, 0x02, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46}, CFB_ROOT_WORD},
	{{0x00, 0x09, 0x02, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46}, CFB_ROOT_WORD},
	{{0x10, 0x08, 0x02, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46}, CFB_ROOT_EXCEL},
	{{0x20, 0x08, 0x02, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46}, CFB_ROOT_EXCEL},
	{{0x10, 0x8d, 0x81, 0x64, 0x9b, 0x4f, 0xcf, 0x11, 0x86, 0xea, 0, 0xaa, 0, 0xb9, 0x29, 0xe8}, CFB_ROOT_POWERPOINT},
	{{0x84, 0x10, 0x0c, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46}, CFB_INSTALLER},
	{{0x86, 0x10, 0x0c, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46}, CFB_INSTALLER},
	{{0x82, 0x10, 0x0c, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46}, CFB_INSTALLER},
};

static bool is_name(const uint8_t *utf16, size_t units, const char *name)
{
	for (size_t i = 0; i < units; i++)
		if (utf16[2 * i] != (uint8_t)name[i] || utf16[2 * i + 1] != 0 || name[i] == '\0')
			return false;
	return name[units] == '\0';
}

uint32_t cfb_record(const uint8_t record[128])
{
	unsigned bytes = record[64] | (unsigned)record[65] << 8, type = record[66];

	/* Length of the name with its NUL, type, colour; no record of another kind is all three. */
	if (bytes < 4 || bytes > 64 || bytes % 2 != 0 || (type != 1 && type != 2 && type != 5) || record[67] > 1 ||
		record[bytes - 1] != 0 || record[bytes - 2] != 0)
		return 0;
	if (type == 5) {
		for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
			if (memcmp(record + 80, classes[i].id, 16) == 0)
				return classes[i].bits;
		return 0;
	}
	for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++)
		if (is_name(record, bytes / 2 - 1, streams[i].name))
			return streams[i].bits;
	return 0;
}

enum sniff_kind cfb_kind(uint32_t s)
{
	static const struct {
		uint32_t bit;
		enum sniff_kind kind;
	} order[] = {
		{CFB_INSTALLER, SNIFF_MSI},	   {CFB_ROOT_WORD, SNIFF_DOC}, {CFB_ROOT_EXCEL, SNIFF_XLS},
		{CFB_ROOT_POWERPOINT, SNIFF_PPT},  {CFB_OUTLOOK, SNIFF_OUTLOOK}, {CFB_ENCRYPTED, SNIFF_OFFICE_ENCRYPTED},
		{CFB_WORD, SNIFF_DOC},		   {CFB_POWERPOINT, SNIFF_PPT}, {CFB_EXCEL, SNIFF_XLS},
		{CFB_ICHITARO, SNIFF_ICHITARO},
	};
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (s & order[i].bit)
			return order[i].kind;
	return SNIFF_COMPOUND;
}
