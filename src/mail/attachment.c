/*
 * attachment.c: hands the bytes of an attachment to all who know something of it, and says in one report what they found.
 *
 * Whose turn it is say the first eight bytes: ZIP and TNEF have a reader; a file that the name calls text is kept
 * until its charset is settled, if its text is wanted. Kind, size and SHA-256 are always taken. A PDF with /Encrypt
 * in it is encrypted.
 *
 * Input: bytes of strangers, cut anywhere. Memory: struct attachment, taken by the owner. Limits: those of the readers.
 */
#include <sekisho/attachment.h>

#include <string.h>

#include <nettle/sha2.h>

#include <sekisho/i18n.h>

enum reader {
	UNDECIDED,
	NOBODY,
	ZIP,
	TNEF,
	PLAIN,
};

#define START 8u
static const char encrypt[] = "/Encrypt";

struct attachment {
	struct attachment_options options;
	struct attachment_report report;
	struct sniff sniff;
	struct sha256_ctx hash;
	char name[ATTACHMENT_NAME_MAX];
	uint8_t reader;
	uint8_t nstart;
	uint8_t start[START];
	uint8_t ntail;
	uint8_t tail[sizeof(encrypt) - 1]; /* of what was searched */
	bool pdf, encrypted;
	bool any; /* it only looks like text so far */
	size_t nraw;
	bool raw_cut;
	/* Large, and touched only when they are needed. */
	struct zip zip;
	struct tnef tnef;
	struct ooxml ooxml;
	uint8_t raw[ATTACHMENT_RAW_MAX];
};

static const struct {
	const char *word, *text;
} flags[] = {
	{"encrypted", N_("encrypted: the content cannot be checked")},
	{"macros", N_("contains macros (a program)")},
	{"program", N_("is a program, or contains one")},
	{"archive", N_("contains other files")},
	{"nested", N_("contains an archive, which was not opened")},
	{"broken", N_("broken archive")},
	{"bomb", N_("unpacks to more than a hundred times its size")},
	{"unfit", N_("the content is not what the file name says")},
	{"dressed", N_("the file name hides that it is a program")},
	{"path", N_("contains a file name that leads to another folder")},
	{"object", N_("contains an embedded object")},
	{"unread", N_("could not be looked at completely")},
	{"truncated", N_("the text was cut")},
	{"partly", N_("only some of the files in it are encrypted")},
};

const char *attachment_flag_word(unsigned bit)
{
	return bit < sizeof(flags) / sizeof(flags[0]) ? flags[bit].word : NULL;
}

const char *attachment_flag_text(unsigned bit)
{
	return bit < sizeof(flags) / sizeof(flags[0]) ? flags[bit].text : NULL;
}

size_t attachment_size(void)
{
	return sizeof(struct attachment);
}

static void tell(struct attachment *a, const struct attachment_item *item)
{
	a->report.items++;
	if (a->options.item != NULL)
		a->options.item(a->options.arg, item);
}

static bool zip_item_begins(void *arg, const struct zip_entry *e)
{
	struct attachment *a = arg;

	return a->options.text != NULL && ooxml_wants(&a->ooxml, e->name, e->nname);
}

static bool zip_item_data(void *arg, const uint8_t *bytes, size_t n)
{
	struct attachment *a = arg;

	return ooxml_push(&a->ooxml, bytes, n);
}

static void zip_item_ends(void *arg, const struct zip_entry *e, bool whole)
{
	struct attachment *a = arg;

	if (a->options.text != NULL)
		ooxml_part_end(&a->ooxml, whole);
	tell(a, &(struct attachment_item){e->name, e->nname, e->size, e->flags, e->kind});
}

static void tnef_item(void *arg, const struct tnef_item *i)
{
	uint32_t traits = sniff_type(i->kind)->traits, f = i->odd ? ZIP_NAME_ODD : 0;

	if ((traits & SNIFF_IS_PROGRAM) || sniff_name_runs(i->name, i->nname))
		f |= ZIP_PROGRAM;
	if ((traits & SNIFF_IS_ARCHIVE) && !i->embedded)
		f |= ZIP_ARCHIVE;
	if (sniff_name_dressed(i->name, i->nname))
		f |= ZIP_DRESSED;
	if (!i->embedded && !sniff_fits(i->kind, i->name, i->nname))
		f |= ZIP_UNFIT;
	struct attachment *a = arg;
	a->report.flags |= (f & ZIP_PROGRAM ? ATTACHMENT_PROGRAM : 0) | (f & ZIP_ARCHIVE ? ATTACHMENT_NESTED : 0) |
		(f & ZIP_DRESSED ? ATTACHMENT_DRESSED : 0) | (f & ZIP_UNFIT ? ATTACHMENT_UNFIT : 0);
	tell(a, &(struct attachment_item){i->name, i->nname, i->size, f, i->kind});
}

/* Text to the owner, counted. */
static void text(void *arg, const char *utf8, size_t n)
{
	struct attachment *a = arg;

	a->report.text += n;
	a->options.text(a->options.arg, utf8, n);
}

/* Is it called a text file whose text is wanted? */
static bool is_plain(const struct attachment *a)
{
	static const struct {
		const char *name;
		unsigned of;
	} extensions[] = {
		{".txt", ATTACHMENT_TXT}, {".text", ATTACHMENT_TXT}, {".log", ATTACHMENT_TXT}, {".md", ATTACHMENT_TXT},
		{".csv", ATTACHMENT_CSV}, {".tsv", ATTACHMENT_CSV},
	};
	size_t n = a->options.nname;

	for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++) {
		size_t m = strlen(extensions[i].name);
		bool called = n > m && strncasecmp(a->name + n - m, extensions[i].name, m) == 0;
		if (called && (a->options.text_of & extensions[i].of))
			return a->options.text != NULL;
	}
	return false;
}

static void decide(struct attachment *a)
{
	a->pdf = a->nstart >= 5 && memcmp(a->start, "%PDF-", 5) == 0;
	if (sniff_is_zip(a->start, a->nstart)) {
		a->reader = ZIP;
		zip_begin(&a->zip, &(struct zip_handler){.arg = a, .begin = zip_item_begins, .data = zip_item_data,
			.end = zip_item_ends, .allowance = a->options.allowance});
		if (a->options.text != NULL)
			ooxml_begin(&a->ooxml, &(struct ooxml_options){.of = a->options.text_of, .text = text, .arg = a,
				.text_max = a->options.text_max, .private_use = a->options.private_use});
	} else if (a->nstart >= 4 && memcmp(a->start, "\x78\x9f\x3e\x22", 4) == 0) {
		a->reader = TNEF;
		tnef_begin(&a->tnef, &(struct tnef_handler){.arg = a, .item = tnef_item});
	} else {
		a->any = (a->options.text_of & ATTACHMENT_ANY) && a->options.text != NULL &&
			(sniff_type(sniff_head(a->start, a->nstart, false))->traits & SNIFF_IS_TEXT);
		a->reader = a->any || is_plain(a) ? PLAIN : NOBODY;
	}
}

/* Passwords of a PDF: its dictionary names an encryption, and is never packed itself. */
static void search_encrypt(struct attachment *a, const uint8_t *p, size_t n)
{
	uint8_t joint[2 * sizeof(a->tail)];
	size_t word = sizeof(encrypt) - 1, take = n < word ? n : word;

	memcpy(joint, a->tail, a->ntail);
	memcpy(joint + a->ntail, p, take);
	if (memmem(joint, a->ntail + take, encrypt, word) != NULL || memmem(p, n, encrypt, word) != NULL)
		a->encrypted = true;
	size_t all = a->ntail + take, from = n >= word ? 0 : all > word - 1 ? all - (word - 1) : 0;
	if (n >= word)
		memcpy(a->tail, p + n - (word - 1), word - 1);
	else
		memmove(a->tail, joint + from, all - from);
	a->ntail = (uint8_t)(n >= word ? word - 1 : all - from);
}

static void feed(struct attachment *a, const uint8_t *p, size_t n)
{
	if (a->reader == ZIP) {
		zip_push(&a->zip, p, n);
	} else if (a->reader == TNEF) {
		tnef_push(&a->tnef, p, n);
	} else if (a->reader == PLAIN) {
		size_t room = sizeof(a->raw) - a->nraw, keep = n < room ? n : room;
		memcpy(a->raw + a->nraw, p, keep);
		a->nraw += keep;
		a->raw_cut = a->raw_cut || keep < n;
	} else if (a->pdf && !a->encrypted) {
		search_encrypt(a, p, n);
	}
}

static void start(struct attachment *a)
{
	decide(a);
	feed(a, a->start, a->nstart);
}

void attachment_begin(struct attachment *a, const struct attachment_options *options)
{
	memset(a, 0, offsetof(struct attachment, zip));
	a->options = *options;
	size_t n = options->name != NULL ? options->nname : 0, keep = n < sizeof(a->name) ? n : sizeof(a->name);
	if (keep > 0)
		memcpy(a->name, options->name + n - keep, keep);
	a->options.name = a->name;
	a->options.nname = keep;
	a->report.charset = CHARSET_UNKNOWN;
	sniff_begin(&a->sniff);
	sha256_init(&a->hash);
}

void attachment_push(struct attachment *a, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	if (n == 0)
		return;
	sha256_update(&a->hash, n, p);
	sniff_push(&a->sniff, p, n);
	if (a->reader == UNDECIDED) {
		size_t take = START - a->nstart < n ? START - a->nstart : n;
		memcpy(a->start + a->nstart, p, take);
		a->nstart = (uint8_t)(a->nstart + take);
		p += take;
		n -= take;
		if (a->nstart < START)
			return;
		start(a);
	}
	if (n > 0)
		feed(a, p, n);
}

/* As much of the text as is allowed, whole characters. */
struct limited {
	struct attachment *a;
	size_t left;
};

static void text_limited(void *arg, const char *utf8, size_t n)
{
	struct limited *l = arg;

	if (n > l->left) {
		l->a->report.flags |= ATTACHMENT_TRUNCATED;
		for (n = l->left; n > 0 && ((unsigned char)utf8[n] & 0xc0) == 0x80; n--)
			;
		l->left = n;
	}
	l->left -= n;
	if (n > 0)
		text(l->a, utf8, n);
}

static void end_plain(struct attachment *a)
{
	struct limited limited = {a, a->options.text_max};
	char utf8[DECODER_OUT(4096)];
	struct mailtext filter;
	struct decoder d;

	if ((sniff_type(sniff_kind(&a->sniff))->traits & SNIFF_IS_TEXT) == 0) {
		a->report.flags |= a->any ? 0 : ATTACHMENT_UNREAD;
		return;
	}
	enum charset declared = a->options.declared != CHARSET_UNKNOWN ? a->options.declared : CHARSET_UTF_8;
	bool marked = a->nraw >= 2 && (memcmp(a->raw, "\xff\xfe", 2) == 0 || memcmp(a->raw, "\xfe\xff", 2) == 0);
	a->report.charset = charset_settle(marked ? CHARSET_UTF_16 : declared, a->raw, a->nraw);
	mailtext_begin(&filter,
		&(struct mailtext_options){.sink = text_limited, .arg = &limited, .private_use = a->options.private_use});
	decoder_begin(&d, a->report.charset);
	for (size_t i = 0; i < a->nraw; i += 4096)
		mailtext_put(&filter, utf8, decoder_push(&d, a->raw + i, a->nraw - i < 4096 ? a->nraw - i : 4096, utf8));
	if (a->raw_cut) /* in the middle of a character, perhaps */
		a->report.flags |= ATTACHMENT_TRUNCATED;
	else
		mailtext_put(&filter, utf8, decoder_end(&d, utf8));
	mailtext_end(&filter);
}

/* What one bit means as another. */
struct flag_map {
	uint32_t from, flag;
};

static uint32_t mapped(uint32_t bits, const struct flag_map *map, size_t n)
{
	uint32_t found = 0;

	for (size_t i = 0; i < n; i++)
		found |= bits & map[i].from ? map[i].flag : 0;
	return found;
}
#define MAPPED(bits, map) mapped(bits, map, sizeof(map) / sizeof((map)[0]))

static const struct flag_map zip_flags[] = {
	{ZIP_ENCRYPTED, ATTACHMENT_ENCRYPTED},
	{ZIP_MACROS, ATTACHMENT_MACROS},
	{ZIP_PROGRAM, ATTACHMENT_PROGRAM},
	{ZIP_ARCHIVE, ATTACHMENT_NESTED},
	{ZIP_BOMB, ATTACHMENT_BOMB},
	{ZIP_UNFIT, ATTACHMENT_UNFIT},
	{ZIP_DRESSED, ATTACHMENT_DRESSED},
	{ZIP_PARENT | ZIP_ABSOLUTE, ATTACHMENT_PATH},
	{ZIP_OBJECT, ATTACHMENT_OBJECT},
	{ZIP_UNREAD, ATTACHMENT_UNREAD},
	{ZIP_NAME_TWICE, ATTACHMENT_BROKEN},
};

static const struct flag_map kind_flags[] = {
	{SNIFF_IS_ENCRYPTED, ATTACHMENT_ENCRYPTED},
	{SNIFF_IS_MACRO, ATTACHMENT_MACROS},
	{SNIFF_IS_PROGRAM, ATTACHMENT_PROGRAM},
	{SNIFF_IS_ARCHIVE, ATTACHMENT_ARCHIVE},
};

static const struct flag_map compound_flags[] = {
	{SNIFF_CFB_ENCRYPTED, ATTACHMENT_ENCRYPTED},
	{SNIFF_CFB_MACROS, ATTACHMENT_MACROS},
	{SNIFF_CFB_OBJECT, ATTACHMENT_OBJECT},
};

static void end_zip(struct attachment *a)
{
	struct attachment_report *r = &a->report;

	zip_end(&a->zip);
	r->zip = true;
	r->archive = a->zip.report;
	r->kind = r->archive.kind;
	/* The parts of a document have names that only its program reads. */
	bool office = (sniff_type(r->kind)->traits & SNIFF_IS_OFFICE) != 0;
	r->flags |= MAPPED(r->archive.flags & ~(office ? ZIP_UNFIT : 0), zip_flags);
	if (r->archive.broken != ZIP_WELL)
		r->flags |= ATTACHMENT_BROKEN;
	if (r->archive.encrypted > 0 && r->archive.encrypted < r->archive.files)
		r->flags |= ATTACHMENT_PARTLY;
	if (r->archive.spent)
		r->flags |= ATTACHMENT_UNREAD;
	if (a->options.text == NULL)
		return;
	ooxml_end(&a->ooxml);
	if (a->ooxml.report.truncated)
		r->flags |= ATTACHMENT_TRUNCATED;
	if (a->ooxml.report.refused || a->ooxml.report.damaged)
		r->flags |= ATTACHMENT_UNREAD;
}

static void end_tnef(struct attachment *a)
{
	tnef_end(&a->tnef);
	a->report.tnef = true;
	a->report.winmail = a->tnef.report;
	if (a->tnef.report.flags & (TNEF_BROKEN | TNEF_TOO_MANY))
		a->report.flags |= ATTACHMENT_BROKEN;
}

/* What kind and name say, whatever is in it. */
static void judge(struct attachment *a)
{
	struct attachment_report *r = &a->report;

	r->flags |= MAPPED(sniff_type(r->kind)->traits, kind_flags) | MAPPED(sniff_cfb(&a->sniff), compound_flags);
	if (a->encrypted)
		r->flags |= ATTACHMENT_ENCRYPTED;
	if ((r->flags & ATTACHMENT_ARCHIVE) && a->reader != ZIP && a->reader != TNEF)
		r->flags |= ATTACHMENT_UNREAD; /* of another kind of archive nobody here knows the inside */
	if (sniff_name_runs(a->name, a->options.nname))
		r->flags |= ATTACHMENT_PROGRAM;
	if (sniff_name_dressed(a->name, a->options.nname))
		r->flags |= ATTACHMENT_DRESSED;
	if (!sniff_fits(r->kind, a->name, a->options.nname))
		r->flags |= ATTACHMENT_UNFIT;
}

void attachment_end(struct attachment *a, struct attachment_report *ret)
{
	struct attachment_report *r = &a->report;

	if (a->reader == UNDECIDED && a->nstart > 0)
		start(a);
	r->kind = sniff_kind(&a->sniff);
	r->size = a->sniff.size;
	sha256_digest(&a->hash, sizeof(r->sha256), r->sha256);
	if (a->reader == ZIP)
		end_zip(a);
	else if (a->reader == TNEF)
		end_tnef(a);
	else if (a->reader == PLAIN)
		end_plain(a);
	judge(a);
	*ret = *r;
}
