/*
 * dump.c: our table as the kernel holds it, raw, for the evaluator (which shares no code with what made it).
 *
 * A dump of elements never says that it was interrupted; but every message carries the low half of the tables'
 * generation, and when that differs, or the generation moved while we read, all is read again.
 */
#include "kernel.h"
#include "nl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define TRIES 20

struct copy {
	struct buf *out;
	uint16_t table_attr, genid;
	struct arena *names;
	const char **sets;
	size_t nsets, sets_cap;
	bool collect;
};

static int on_message(void *arg, const struct nlmsghdr *h)
{
	struct copy *c = arg;
	size_t skip = sizeof(struct nfgenmsg);

	if (h->nlmsg_len < NLMSG_LENGTH(skip))
		return -EPROTO;
	if (ntohs(((const struct nfgenmsg *)NLMSG_DATA(h))->res_id) != c->genid)
		return -EINTR;
	if (strcmp(wire_str(wire_attr(h, skip, c->table_attr)), RULESET_TABLE) != 0)
		return 0;
	memcpy(buf_reserve(c->out, NLMSG_ALIGN(h->nlmsg_len)), h, h->nlmsg_len);
	if (c->collect) {
		const char **slot = arena_push(c->names, (void **)&c->sets, &c->nsets, &c->sets_cap, sizeof(*slot));
		*slot = arena_strdup(c->names, wire_str(wire_attr(h, skip, NFTA_SET_NAME)));
	}
	return 0;
}

static int copy_kind(struct nft *n, struct copy *c, uint16_t type, uint16_t table_attr)
{
	struct buf b = {0};

	c->table_attr = table_attr;
	c->collect = type == NFT_MSG_GETSET;
	size_t msg = nl_msg(&b, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), NLM_F_DUMP, 0);
	if (type != NFT_MSG_GETTABLE && type != NFT_MSG_GETCHAIN)
		nl_put_str(&b, table_attr, RULESET_TABLE);
	nl_msg_end(&b, msg);
	int r = wire_dump(&n->query, &b, on_message, c);
	buf_free(&b);
	return r;
}

static int copy_elements(struct nft *n, struct copy *c, const char *set)
{
	struct buf b = {0};

	c->table_attr = NFTA_SET_ELEM_LIST_TABLE;
	c->collect = false;
	size_t msg = nl_msg(&b, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETSETELEM, NLM_F_DUMP, 0);
	nl_put_str(&b, NFTA_SET_ELEM_LIST_TABLE, RULESET_TABLE);
	nl_put_str(&b, NFTA_SET_ELEM_LIST_SET, set);
	nl_msg_end(&b, msg);
	int r = wire_dump(&n->query, &b, on_message, c);
	buf_free(&b);
	return r;
}

static int copy_all(struct nft *n, struct copy *c)
{
	static const struct {
		uint16_t type, table_attr;
	} kinds[] = {
		{NFT_MSG_GETTABLE, NFTA_TABLE_NAME},
		{NFT_MSG_GETOBJ, NFTA_OBJ_TABLE},
		{NFT_MSG_GETCHAIN, NFTA_CHAIN_TABLE},
		{NFT_MSG_GETSET, NFTA_SET_TABLE},
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		r = copy_kind(n, c, kinds[i].type, kinds[i].table_attr);
	for (size_t i = 0; r == 0 && i < c->nsets; i++)
		r = copy_elements(n, c, c->sets[i]);
	return r != 0 ? r : copy_kind(n, c, NFT_MSG_GETRULE, NFTA_RULE_TABLE);
}

static int copy_once(struct nft *n, struct buf *out, uint32_t *genid)
{
	struct copy c = {.out = out, .names = arena_new()};
	uint32_t after;
	int r = c.names == NULL ? -ENOMEM : read_genid(n, genid);

	buf_clear(out);
	c.genid = (uint16_t)*genid;
	if (r == 0)
		r = copy_all(n, &c);
	if (r == 0)
		r = read_genid(n, &after);
	if (r == 0 && after != *genid)
		r = -EINTR;
	arena_free(c.names);
	return r;
}

/* Not the kernel's: what the verified policies of before were, so that the evaluator can compare them too. */
static void put_note(const struct nft *n, struct buf *out)
{
	const struct ruleset *rs = n->current;
	struct nlmsghdr h = {.nlmsg_type = NFT_DUMP_NOTE};
	size_t at = out->len;

	if (rs == NULL)
		return;
	buf_add(out, &h, sizeof(h));
	buf_add(out, &rs->opt.renewal.generation, sizeof(rs->opt.renewal.generation));
	for (uint32_t i = 1; i < rs->opt.renewal.n; i++)
		buf_add(out, rs->before[i], strlen(rs->before[i]) + 1);
	h.nlmsg_len = (uint32_t)(out->len - at);
	memcpy(out->data + at, &h, sizeof(h));
	while (out->len % NLMSG_ALIGNTO != 0)
		buf_addc(out, '\0');
}

/* Ours too: what shall be cut, so that the evaluator can look whether it is. */
static void put_cut_note(const struct nft *n, struct buf *out)
{
	struct nlmsghdr h = {.nlmsg_type = NFT_DUMP_CUTS};
	size_t size = n->cuts != NULL ? offsetof(struct cuts, cut) + n->cuts->n * sizeof(struct cut) : 0;

	if (n->cuts == NULL)
		return;
	h.nlmsg_len = (uint32_t)(sizeof(h) + size);
	buf_add(out, &h, sizeof(h));
	buf_add(out, n->cuts, size);
	while (out->len % NLMSG_ALIGNTO != 0)
		buf_addc(out, '\0');
}

static int seal(const struct buf *b, int *ret_fd)
{
	int fd = memfd_create("nft-dump", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	size_t done = 0;

	if (fd < 0)
		return -errno;
	while (done < b->len) {
		ssize_t n = write(fd, b->data + done, b->len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	if (done < b->len || fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0) {
		int r = errno != 0 ? -errno : -EIO;
		close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

int nft_dump(struct nft *n, int *ret_memfd, uint32_t *ret_genid)
{
	struct buf out = {0};
	int r = -EINTR;

	for (int i = 0; r == -EINTR && i < TRIES; i++)
		r = copy_once(n, &out, ret_genid);
	if (r == 0) {
		put_note(n, &out);
		put_cut_note(n, &out);
		r = seal(&out, ret_memfd);
	}
	buf_free(&out);
	return r;
}
