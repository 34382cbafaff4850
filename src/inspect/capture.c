/*
 * capture.c: frames out of a capture file.
 *
 * Classic pcap is read by our own bounded loop (several times cheaper than libpcap's copies); pcapng and the rarer
 * variants of pcap by libpcap, through the same source of bytes, so that they may be packed too.
 *
 * Input: a file that anybody may have made. Limits: CAPTURE_FRAME_MAX a frame. A file that is cut off gives its whole
 * frames first and then the error.
 */
#include "capture.h"

#include "source.h"

#include <sekisho/reader.h>

#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC_MICRO 0xa1b2c3d4u
#define MAGIC_NANO 0xa1b23c4du
#define FILE_HEADER 24
#define RECORD_HEADER 16

struct capture {
	struct source *source;
	const char *error;
	bool begun, swapped, nano;
	int linktype;
	size_t skip;  /* of the source: the frame that was handed out last */
	pcap_t *pcap; /* of the kinds that libpcap reads */
	char pcap_error[PCAP_ERRBUF_SIZE];
};

static uint32_t number(const struct capture *c, const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return c->swapped ? __builtin_bswap32(v) : v;
}

static uint32_t magic_of(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

bool capture_looks_like(const uint8_t *p, size_t n)
{
	static const uint32_t magics[] = {MAGIC_MICRO, MAGIC_NANO, 0xa1b2cd34, 0x0a0d0d0a};

	if (n >= 2 && p[0] == 0x1f && p[1] == 0x8b)
		return true;
	for (size_t i = 0; n >= 4 && i < sizeof(magics) / sizeof(magics[0]); i++)
		if (magic_of(p) == magics[i] || magic_of(p) == __builtin_bswap32(magics[i]))
			return true;
	return false;
}

struct capture *capture_open(int fd)
{
	struct capture *c = calloc(1, sizeof(*c));
	struct source *s = source_new(fd);

	if (c == NULL || s == NULL) {
		free(c);
		source_free(s);
		return NULL;
	}
	c->source = s;
	return c;
}

void capture_close(struct capture *c)
{
	if (c == NULL)
		return;
	if (c->pcap != NULL)
		pcap_close(c->pcap);
	source_free(c->source);
	free(c);
}

/* -- by libpcap -------------------------------------------------------------------------------------------- */

static ssize_t read_for_libpcap(void *cookie, char *buf, size_t size)
{
	struct capture *c = cookie;
	size_t n, want = size < SOURCE_VIEW ? size : SOURCE_VIEW;
	const uint8_t *p = source_view(c->source, want, &n);

	if (n > want)
		n = want;
	memcpy(buf, p, n);
	source_skip(c->source, n);
	return (ssize_t)n;
}

static bool begin_libpcap(struct capture *c)
{
	FILE *f = fopencookie(c, "r", (cookie_io_functions_t){.read = read_for_libpcap});

	if (f != NULL)
		c->pcap = pcap_fopen_offline_with_tstamp_precision(f, PCAP_TSTAMP_PRECISION_NANO, c->pcap_error);
	if (c->pcap == NULL) {
		if (f != NULL)
			fclose(f);
		c->error = c->pcap_error;
		return false;
	}
	c->linktype = pcap_datalink(c->pcap);
	return true;
}

static int next_of_libpcap(struct capture *c, struct frame *ret)
{
	struct pcap_pkthdr *h;
	const uint8_t *p;

	switch (pcap_next_ex(c->pcap, &h, &p)) {
	case 1:
		*ret = (struct frame){(int64_t)h->ts.tv_sec * 1000000000 + h->ts.tv_usec, c->linktype, p, h->caplen, h->len};
		return 1;
	case PCAP_ERROR_BREAK:
		c->error = source_error(c->source);
		return c->error == NULL ? 0 : -1;
	default:
		c->error = source_error(c->source);
		if (c->error == NULL)
			c->error = pcap_geterr(c->pcap);
		return -1;
	}
}

/* -- pcap ---------------------------------------------------------------------------------------------------- */

static bool fail(struct capture *c, const char *error)
{
	c->error = source_error(c->source);
	if (c->error == NULL)
		c->error = error;
	return false;
}

static bool begin(struct capture *c)
{
	size_t n;
	const uint8_t *p = source_view(c->source, FILE_HEADER, &n);

	c->begun = true;
	if (n < 4)
		return fail(c, n == 0 ? "the file is empty" : "the file is no capture");
	uint32_t magic = magic_of(p);
	c->swapped = magic == __builtin_bswap32(MAGIC_MICRO) || magic == __builtin_bswap32(MAGIC_NANO);
	magic = number(c, p);
	c->nano = magic == MAGIC_NANO;
	if (magic != MAGIC_MICRO && magic != MAGIC_NANO) {
		if (!capture_looks_like(p, n))
			return fail(c, "the file is no capture");
		return begin_libpcap(c);
	}
	if (n < FILE_HEADER)
		return fail(c, "the capture is cut off in its header");
	/* The upper bits tell of a frame check sequence, which hosts do not capture. */
	uint32_t network = number(c, p + 20) & 0x03ffffff;
	/* The number in a file is LINKTYPE_*; it differs from DLT_* here in raw IP. */
	c->linktype = network == 101 ? DLT_RAW : (int)network;
	source_skip(c->source, FILE_HEADER);
	return true;
}

static struct frame frame_of(const struct capture *c, const uint8_t *p)
{
	uint32_t sec = number(c, p), part = number(c, p + 4), captured = number(c, p + 8), wire = number(c, p + 12);

	return (struct frame){(int64_t)sec * 1000000000 + (int64_t)part * (c->nano ? 1 : 1000), c->linktype, p + RECORD_HEADER,
		captured, wire < captured ? captured : wire};
}

static int next_of_pcap(struct capture *c, struct frame *ret)
{
	size_t n;

	source_skip(c->source, c->skip);
	c->skip = 0;
	const uint8_t *p = source_view(c->source, RECORD_HEADER, &n);
	if (n == 0 && source_error(c->source) == NULL)
		return 0;
	if (n < RECORD_HEADER) {
		fail(c, "the capture is cut off inside a record");
		return -1;
	}
	uint32_t captured = number(c, p + 8);
	if (captured > CAPTURE_FRAME_MAX) {
		fail(c, "a record is longer than any frame");
		return -1;
	}
	size_t whole = RECORD_HEADER + (size_t)captured;
	if (n < whole) /* mostly it is in the buffer already */
		p = source_view(c->source, whole, &n);
	if (n < whole) {
		fail(c, "the capture is cut off inside a record");
		return -1;
	}
	c->skip = whole;
	*ret = frame_of(c, p);
	return 1;
}

int capture_next(struct capture *c, struct frame *ret)
{
	if (c->error != NULL || (!c->begun && !begin(c)))
		return -1;
	return c->pcap != NULL ? next_of_libpcap(c, ret) : next_of_pcap(c, ret);
}

/* What lies whole behind the first frame, nothing being read for it; what is wrong there the next call says. */
int capture_some(struct capture *c, struct frame *ret, int max)
{
	int n, got = capture_next(c, ret);
	size_t have;

	if (got != 1 || c->pcap != NULL)
		return got;
	const uint8_t *p = source_view(c->source, 0, &have);
	for (n = 1; n < max && have - c->skip >= RECORD_HEADER; n++) {
		uint32_t captured = number(c, p + c->skip + 8);
		if (captured > CAPTURE_FRAME_MAX || have - c->skip - RECORD_HEADER < captured)
			break;
		ret[n] = frame_of(c, p + c->skip);
		c->skip += RECORD_HEADER + (size_t)captured;
	}
	return n;
}

const char *capture_error(const struct capture *c)
{
	return c->error == NULL ? "" : c->error;
}

int capture_progress(const struct capture *c)
{
	uint64_t size = source_size(c->source);

	return size == 0 ? -1 : (int)(source_position(c->source) * 1000 / size);
}
