/*
 * clean.c: any bytes as a mail: the cleaner ends, what it writes the verifier accepts, and its report is well-formed.
 *
 * The first byte chooses options: bit 0 LF, 1 direction out, 2 English, 3 text of attachments, 4 private use, 5 byte by
 * byte first, 6 and 7 where the original is.
 */
#include <sekisho/clean.h>
#include <sekisho/mailverify.h>

#include <stdlib.h>
#include <string.h>

#define OUT_MAX (4u << 20)

static struct {
	uint8_t bytes[OUT_MAX];
	size_t n;
} outs[2];

static int put(void *arg, const void *bytes, size_t n)
{
	size_t *used = arg == &outs[0] ? &outs[0].n : &outs[1].n;
	uint8_t *to = arg == &outs[0] ? outs[0].bytes : outs[1].bytes;

	if (*used + n > OUT_MAX)
		abort(); /* larger than the form allows */
	memcpy(to + *used, bytes, n);
	*used += n;
	return 0;
}

static void run(const uint8_t *mail, size_t n, uint8_t bits, size_t step, int which)
{
	static const char domains[] = "town.example\nexample.jp\n";
	struct clean_options o = {.sink = put, .arg = &outs[which], .lf = bits & 1,
		.direction = bits & 2 ? CLEAN_OUT : CLEAN_IN, .english = bits & 4,
		.attachment_text = bits & 8 ? 31 : 0, .private_use = bits & 16,
		.original = (enum clean_original)((bits >> 6) % 3), .trace = "gate", .authserv = "mx.example",
		.labels = {"[secret]"}, .domains = domains, .ndomains = sizeof(domains) - 1};
	struct mailreport_view view;
	size_t length;

	outs[which].n = 0;
	struct clean *c = clean_new(&o);
	for (size_t i = 0; i < n; i += step)
		clean_push(c, mail + i, n - i < step ? n - i : step);
	int reason = clean_end(c, &view);
	const void *report = clean_report(c, &length);
	if (mailreport_open(report, length, &view) != 0)
		abort();
	if ((reason != 0 || o.direction == CLEAN_OUT) && outs[which].n != 0)
		abort();
	if (reason == 0 && o.direction == CLEAN_IN && outs[which].n == 0)
		abort();
	clean_free(c);
}

static void verify(bool private_use)
{
	struct mailverify v;

	if (outs[0].n == 0)
		return;
	mailverify_begin(&v, &(struct mailverify_options){.size_max = OUT_MAX, .private_use = private_use});
	size_t done = mailverify_push(&v, outs[0].bytes, outs[0].n);
	if (mailverify_end(&v, outs[0].n - done) != MAILVERIFY_OK)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	run(data + 1, size - 1, data[0], size, 0);
	verify(data[0] & 16);
	if (data[0] & 32) {
		run(data + 1, size - 1, data[0], 1, 1);
		if (outs[0].n != outs[1].n || memcmp(outs[0].bytes, outs[1].bytes, outs[0].n) != 0)
			abort();
	}
	return 0;
}
