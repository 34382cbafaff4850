/* test_evidence.c: what logd gives to a freeze: rows with every column and their chain, rings of packets as a capture file. */
#include "test.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <sekisho/buf.h>

#include "evidence.h"
#include "heads.h"
#include "intake.h"
#include "store.h"
#include "temp.h"

static char note[128];

static struct store *store_with(const char *dir, unsigned n)
{
	const struct store_options o = {.dir = dir, .space = 16 << 20};
	struct msg_fault_row f = {.at = 5000, .severity = 2};
	struct store *s = NULL;

	CHECK_INT(store_open(&o, &s, note, sizeof(note)), STORE_OK);
	store_begin(s);
	store_start_at(s, 0, "begun");
	uint64_t first = store_next(s);
	for (unsigned i = 0; i < n; i++) {
		struct msg_drop_row r = {.sequence = first + i, .count = 1, .first_ns = (int64_t)(1000 + i) * 1000000000,
			.last_ns = (int64_t)(1000 + i) * 1000000000, .family = 4, .proto = 6, .src = {10, 1, 0, 5},
			.dst = {10, 2, 0, 8}, .src_len = 32, .dst_len = 32, .dport = 443, .reason = 34, .why = 7, .open = 1};
		MSG_TEXT(r.from, "mynumber");
		store_put_open(s, &r, true);
	}
	store_close_open(s);
	MSG_TEXT(f.process, "sekishod");
	MSG_TEXT(f.text, "\"quoted\"");
	store_put_fault(s, &f);
	CHECK_INT(store_commit(s), STORE_OK);
	return s;
}

static char *text_of(int fd)
{
	static char text[1 << 16];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static unsigned count(const char *text, const char *word)
{
	unsigned n = 0;

	for (const char *p = text; (p = strstr(p, word)) != NULL; p++)
		n++;
	return n;
}

static void test_rows(void)
{
	const char *dir = temp_begin();
	struct store *s = store_with(dir, 20);
	struct intake *in = intake_new(NULL, 0);
	int fds[2] = {memfd_create("r", 0), memfd_create("p", 0)};
	struct msg_evidence_done done;
	struct msg_evidence q = {.since = 1010};

	evidence_make(s, in, &q, fds, &done);
	const char *text = text_of(fds[0]);
	CHECK(done.ok && done.error[0] == '\0');
	CHECK_INT(count(text, "\"table\":\"drops\""), 10); /* those since then */
	CHECK_INT(count(text, "\"table\":\"faults\""), 1);
	CHECK(done.rows >= 11 && done.last > done.first && done.first > 0);
	CHECK(strstr(text, "\"seg_from\":\"mynumber\"") != NULL && strstr(text, "\"src\":\"0a010005\"") != NULL);
	CHECK(strstr(text, "\"text\":\"\\\"quoted\\\"\"") != NULL);
	CHECK(count(text, "\"hash\":\"") >= 11); /* the chain is in it */
	CHECK(lseek(fds[1], 0, SEEK_END) == 24); /* a capture file without packets */
	close(fds[0]);
	fds[0] = memfd_create("r", 0);
	evidence_make(NULL, in, &q, fds, &done);
	CHECK(!done.ok && done.error[0] != '\0' && done.rows == 0);
	intake_free(in);
	store_free(s);
	close(fds[0]);
	close(fds[1]);
	temp_end();
}

/* The ring keeps the newest, oldest first, and no more of each than it says. */
static void test_heads(void)
{
	static struct heads h;
	static uint8_t packet[300] = {0x45};
	struct buf out = {0};
	uint32_t word;

	heads_add(&h, 1, NULL, 0, 10);
	CHECK_INT(h.n, 0);
	for (unsigned i = 0; i < HEADS_MAX + 5; i++) {
		packet[1] = (uint8_t)i;
		heads_add(&h, (int64_t)i * 1000000000 + 7, packet, i % 2 == 0 ? sizeof(packet) : 20, 1500);
	}
	heads_pcap_begin(&out);
	CHECK_INT(out.len, 24);
	CHECK_INT(heads_pcap(&h, &out), HEADS_MAX);
	CHECK_INT(out.len, 24 + HEADS_MAX * 16 + HEADS_MAX / 2 * (HEADS_BYTES + 20));
	memcpy(&word, out.data + 24, 4);
	CHECK_INT(word, 5); /* the fifth is the oldest that is left */
	memcpy(&word, out.data + 28, 4);
	CHECK_INT(word, 7);
	memcpy(&word, out.data + 36, 4);
	CHECK_INT(word, 1500);
	CHECK(out.data[40] == 0x45 && out.data[41] == 5);
	buf_free(&out);
}

int main(void)
{
	test_rows();
	test_heads();
	return test_end();
}
