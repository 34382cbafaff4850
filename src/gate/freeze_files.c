/*
 * freeze_files.c: the files of one freeze, below evidence/: N.NAME, and N.manifest.json with the SHA-256 of each.
 *
 *	ruleset.dump	the kernel's own messages, as the proof reads them
 *	ruleset.nft	the ruleset that was programmed, in nft's words
 *	counters.json, status.json, connections.json (an object a line), policy.txt
 *	neighbours.txt, interfaces.txt, addresses6.txt, routes.txt, routes6.txt	as the kernel prints them in /proc/net
 *	records.json, packets.pcap	from sekisho-logd
 *
 * Each is made new (never written over), read-only, and on the disk before the manifest names it. Nothing is looked into.
 * What could not be had is named in the manifest with its reason; the rest is kept all the same.
 */
#include "freeze.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nettle/sha2.h>

#include <sekisho/addr.h>
#include <sekisho/buf.h>
#include <sekisho/json.h>
#include <sekisho/watch.h>

#include "gate.h"

#define PROC_BYTES (4u << 20)

struct writing {
	struct gate *g;
	struct freeze *f;
	struct json manifest;
	struct buf text;
	int error;
};

static void hex(const uint8_t digest[SHA256_DIGEST_SIZE], char ret[65])
{
	for (size_t i = 0; i < SHA256_DIGEST_SIZE; i++)
		snprintf(ret + 2 * i, 3, "%02x", digest[i]);
}

static int write_new(struct writing *w, const char *name, const void *p, size_t n, char ret_hash[65])
{
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct sha256_ctx ctx;
	char path[64];
	const uint8_t *b = p;

	snprintf(path, sizeof(path), "%u.%s", w->f->number, name);
	int fd = openat(w->g->freeze.dir, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0400), r = 0;
	if (fd < 0)
		return -errno;
	for (size_t done = 0; done < n && r == 0;) {
		ssize_t k = write(fd, b + done, n - done);
		if (k < 0 && errno != EINTR)
			r = -errno;
		done += k > 0 ? (size_t)k : 0;
	}
	if (r == 0 && fsync(fd) != 0)
		r = -errno;
	close(fd);
	sha256_init(&ctx);
	sha256_update(&ctx, n, b);
	sha256_digest(&ctx, sizeof(digest), digest);
	hex(digest, ret_hash);
	return r;
}

/* error: 0, or why there is nothing. */
static void put(struct writing *w, const char *name, const void *p, size_t n, int error)
{
	char hash[65] = "";

	if (error == 0)
		error = write_new(w, name, p, n, hash);
	json_object(&w->manifest, NULL);
	json_str(&w->manifest, "file", name);
	if (error == 0) {
		json_uint(&w->manifest, "bytes", n);
		json_str(&w->manifest, "sha256", hash);
	} else {
		json_str(&w->manifest, "missing", strerror(-error));
		w->error = error;
	}
	json_object_end(&w->manifest);
	relay_pump(w->g);
}

static void put_buf(struct writing *w, const char *name, struct buf *b, int error)
{
	put(w, name, b->data, b->len, error);
	buf_free(b);
}

/* All of a memfd or a file. Closes nothing. */
static void put_fd(struct writing *w, const char *name, int fd, int error)
{
	struct stat st;
	void *p = NULL;

	if (error == 0 && (fd < 0 || fstat(fd, &st) != 0))
		error = fd < 0 ? -ENOENT : -errno;
	if (error == 0 && st.st_size > 0) {
		p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		error = p == MAP_FAILED ? -errno : 0;
	}
	put(w, name, p, error == 0 ? (size_t)st.st_size : 0, error);
	if (error == 0 && p != NULL)
		munmap(p, (size_t)st.st_size);
}

/* -- what sekishod knows ----------------------------------------------------------------------------------- */

static void put_ruleset(struct writing *w)
{
	struct buf text = {0};
	uint32_t genid;
	int fd = -1, r = nft_dump(w->g->nft, &fd, &genid);

	put_fd(w, "ruleset.dump", fd, r);
	if (fd >= 0)
		close(fd);
	if (nft_current(w->g->nft) != NULL)
		ruleset_text(nft_current(w->g->nft), &text);
	put_buf(w, "ruleset.nft", &text, nft_current(w->g->nft) != NULL ? 0 : -ENOENT);
}

static void put_counters(struct writing *w)
{
	struct nft_counters c;
	struct buf text = {0};
	struct json j = json_init(&text);
	int r = nft_counters(w->g->nft, &c);

	json_object(&j, NULL);
	for (unsigned i = 1; r == 0 && i < REASON_END; i++)
		if (strcmp(reason_word(i), "unknown") != 0)
			json_uint(&j, reason_word(i), c.packets[i]);
	json_object_end(&j);
	put_buf(w, "counters.json", &text, r);
}

static void cuts_json(struct json *j, const struct cuts *cuts)
{
	char text[CUT_TEXT_MAX];

	json_str(j, "level", level_word(cuts->level));
	json_array(j, "cuts");
	for (uint32_t i = 0; i < cuts->n; i++) {
		json_object(j, NULL);
		json_uint(j, "number", cuts->cut[i].number);
		json_str(j, "object", cut_text(&cuts->cut[i], text));
		json_int(j, "at", cuts->cut[i].at);
		json_str(j, "who", cuts->cut[i].who);
		json_str(j, "why", cuts->cut[i].why);
		json_object_end(j);
	}
	json_array_end(j);
}

static void put_status(struct writing *w)
{
	static struct msg_status s;
	struct buf text = {0};
	struct json j = json_init(&text);

	control_status(w->g, &s);
	json_object(&j, NULL);
	json_str(&j, "hostname", s.hostname);
	json_uint(&j, "generation", s.generation);
	json_int(&j, "committed_at", s.committed_at);
	json_bool(&j, "open", s.gate_open != 0);
	json_bool(&j, "clock_trusted", s.clock_trusted != 0);
	json_uint(&j, "health", s.health);
	json_array(&j, "findings");
	for (uint32_t i = 0; i < s.nfindings; i++) {
		json_object(&j, NULL);
		json_str(&j, "code", s.findings[i].code);
		json_str(&j, "text", s.findings[i].text);
		json_object_end(&j);
	}
	json_array_end(&j);
	cuts_json(&j, &w->g->cut.list);
	json_object_end(&j);
	put_buf(w, "status.json", &text, 0);
}

static void put_policy(struct writing *w)
{
	struct store_meta meta;
	int fd = -ENOENT, r = w->g->have_store && w->g->running != 0 ? store_meta(&w->g->store, w->g->running, &meta) : -ENOENT;

	if (r == 0)
		fd = store_policy(&w->g->store, &meta);
	put_fd(w, "policy.txt", fd, r != 0 ? r : fd < 0 ? fd : 0);
	if (fd >= 0)
		close(fd);
}

static void flow_json(struct buf *out, const struct flow_row *f)
{
	struct json j = json_init(out);
	struct addr src = {.family = f->family}, dst = src;
	char text[ADDR_TEXT_MAX];

	memcpy(src.b, f->src, sizeof(src.b));
	memcpy(dst.b, f->dst, sizeof(dst.b));
	json_object(&j, NULL);
	json_str(&j, "src", addr_format(&src, text));
	json_uint(&j, "sport", f->sport);
	json_str(&j, "dst", addr_format(&dst, text));
	json_uint(&j, "dport", f->dport);
	json_uint(&j, "protocol", f->proto);
	json_uint(&j, "mark", f->mark);
	json_uint(&j, "status", f->status);
	json_uint(&j, "tcp_state", f->tcp_state);
	json_uint(&j, "timeout", f->timeout);
	json_uint(&j, "packets", f->packets[0] + f->packets[1]);
	json_uint(&j, "bytes", f->bytes[0] + f->bytes[1]);
	json_object_end(&j);
	buf_addc(out, '\n');
}

static void put_flows(struct writing *w)
{
	struct nft_flows flows = {.fd = -1};
	struct buf text = {0};
	int r = nft_flows(w->g->nft, &flows);
	size_t size = r == 0 ? flows.rows * sizeof(struct flow_row) : 0;
	const struct flow_row *rows = size > 0 ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, flows.fd, 0) : NULL;

	if (size > 0 && rows == MAP_FAILED)
		r = -errno;
	for (uint32_t i = 0; r == 0 && i < flows.rows; i++)
		flow_json(&text, &rows[i]);
	put_buf(w, "connections.json", &text, r);
	if (size > 0 && rows != MAP_FAILED)
		munmap((void *)(uintptr_t)rows, size);
	if (flows.fd >= 0)
		close(flows.fd);
}

/* What the kernel prints has no size before it is read. */
static void put_proc(struct writing *w, const char *name, const char *path)
{
	struct buf text = {0};
	int fd = open(path, O_RDONLY | O_CLOEXEC), r = fd < 0 ? -errno : 0;
	char chunk[4096];
	ssize_t n;

	while (r == 0 && text.len < PROC_BYTES && (n = read(fd, chunk, sizeof(chunk))) > 0)
		buf_add(&text, chunk, (size_t)n);
	if (fd >= 0)
		close(fd);
	put_buf(w, name, &text, r);
}

static void put_network(struct writing *w)
{
	put_flows(w);
	put_proc(w, "neighbours.txt", "/proc/self/net/arp");
	put_proc(w, "interfaces.txt", "/proc/self/net/dev");
	put_proc(w, "addresses6.txt", "/proc/self/net/if_inet6");
	put_proc(w, "routes.txt", "/proc/self/net/route");
	put_proc(w, "routes6.txt", "/proc/self/net/ipv6_route");
}

/* -- the whole ---------------------------------------------------------------------------------------------- */

static void manifest_head(struct json *j, const struct freeze *f)
{
	json_object(j, NULL);
	json_uint(j, "freeze", f->number);
	json_int(j, "at", f->at);
	json_int(j, "records_since", f->since);
	json_str(j, "who", f->who);
	json_str(j, "account", f->account);
	json_uint(j, "uid", f->uid);
	json_str(j, "why", f->why);
	json_array(j, "files");
}

static void manifest_tail(struct json *j, const struct msg_evidence_done *logd)
{
	json_array_end(j);
	json_object(j, "records");
	json_bool(j, "ok", logd != NULL && logd->ok != 0);
	json_uint(j, "rows", logd != NULL ? logd->rows : 0);
	json_uint(j, "first", logd != NULL ? logd->first : 0);
	json_uint(j, "last", logd != NULL ? logd->last : 0);
	json_uint(j, "packets", logd != NULL ? logd->packets : 0);
	json_str(j, "error",
		logd == NULL		 ? "the recorder did not answer in time"
		: logd->error[0] != '\0' ? logd->error
					 : NULL);
	json_object_end(j);
	json_object_end(j);
}

int freeze_write(struct gate *g, struct freeze *f, int records, int packets, const struct msg_evidence_done *logd)
{
	struct writing w = {.g = g, .f = f};

	if (g->freeze.dir < 0)
		return -ENOENT;
	w.manifest = json_init(&w.text);
	daemon_busy(g->d, 10);
	manifest_head(&w.manifest, f);
	put_ruleset(&w);
	put_counters(&w);
	put_status(&w);
	put_policy(&w);
	put_network(&w);
	put_fd(&w, "records.json", records, logd == NULL ? -ETIMEDOUT : 0);
	put_fd(&w, "packets.pcap", packets, logd == NULL ? -ETIMEDOUT : 0);
	manifest_tail(&w.manifest, logd);
	int r = write_new(&w, "manifest.json", w.text.data, w.text.len, f->sha256);
	if (r == 0 && fsync(g->freeze.dir) != 0)
		r = -errno;
	buf_free(&w.text);
	daemon_beat(g->d);
	return r;
}
