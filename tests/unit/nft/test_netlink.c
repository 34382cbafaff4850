/*
 * test_netlink: the messages of a ruleset are well-formed netlink, and an error of the kernel finds its object.
 */
#include "../../../src/nft/batch.h"
#include "../../../src/nft/nl.h"
#include "hand_ir.h"
#include "test.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static struct hand town;
static struct ruleset *rs;

/* Attributes end exactly where their container does; nests recurse. */
static bool attributes_fit(const uint8_t *p, size_t left, unsigned depth)
{
	while (left > 0) {
		struct nlattr a;
		if (left < sizeof(a) || depth > 12)
			return false;
		memcpy(&a, p, sizeof(a));
		size_t step = NLA_ALIGN((size_t)a.nla_len);
		if (a.nla_len < sizeof(a) || step > left)
			return false;
		if ((a.nla_type & NLA_F_NESTED) != 0 && !attributes_fit(p + NLA_HDRLEN, a.nla_len - NLA_HDRLEN, depth + 1))
			return false;
		p += step;
		left -= step;
	}
	return true;
}

static void put_all(struct batch *b)
{
	batch_init(b, 100);
	put_table(b, 0, "epoch 1");
	for (size_t i = 0; i < rs->ncounters; i++)
		put_counter(b, rs->counters[i]);
	for (size_t i = 0; i < rs->nchains; i++)
		put_chain(b, rs->chains[i]);
	for (size_t i = 0; i < rs->nsets; i++) {
		put_set(b, rs, rs->sets[i]);
		put_elems(b, rs, rs->sets[i], NULL, rs->sets[i]->n, false);
	}
	for (size_t i = 0; i < rs->nchains; i++)
		put_rules(b, rs, rs->chains[i]);
}

static void test_well_formed(void)
{
	struct batch b;
	uint32_t messages = 0, bad = 0;

	put_all(&b);
	for (size_t at = 0; at < b.b.len;) {
		struct nlmsghdr h;
		memcpy(&h, b.b.data + at, sizeof(h));
		CHECK(h.nlmsg_len % 4 == 0 && at + h.nlmsg_len <= b.b.len);
		bad += h.nlmsg_seq != 101 + messages || h.nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES;
		bad += !attributes_fit(b.b.data + at + NLMSG_HDRLEN + sizeof(struct nfgenmsg),
			h.nlmsg_len - NLMSG_HDRLEN - sizeof(struct nfgenmsg), 0);
		at += h.nlmsg_len;
		messages++;
	}
	CHECK_INT(bad, 0);
	CHECK_INT(messages, b.n);
	CHECK(messages > 300);
	batch_free(&b);
}

/* A kernel that answers one message of the batch with an error at an offset, as extended ACK. */
static void answer(int fd, uint32_t seq, int error, uint32_t offset)
{
	struct buf m = {0};
	struct nlmsghdr h = {.nlmsg_type = NLMSG_ERROR, .nlmsg_flags = NLM_F_CAPPED | NLM_F_ACK_TLVS, .nlmsg_seq = seq};
	struct nlmsgerr e = {.error = -error, .msg = {.nlmsg_seq = seq}};

	buf_add(&m, &h, sizeof(h));
	buf_add(&m, &e, sizeof(e));
	nl_put_str(&m, NLMSGERR_ATTR_MSG, "words of the kernel");
	nl_put(&m, NLMSGERR_ATTR_OFFS, &offset, sizeof(offset));
	nl_msg_end(&m, 0);
	CHECK(write(fd, m.data, m.len) == (ssize_t)m.len);
	buf_free(&m);
}

static const struct set *set_of(const char *name)
{
	for (size_t i = 0; i < rs->nsets; i++)
		if (strcmp(rs->sets[i]->name, name) == 0)
			return rs->sets[i];
	return NULL;
}

/* Where the second element of the list lies in the message. */
static uint32_t second_element(const struct batch *b)
{
	const struct nlmsghdr *h = (const void *)b->b.data;
	const struct nlattr *list = wire_attr(h, sizeof(struct nfgenmsg), NFTA_SET_ELEM_LIST_ELEMENTS);
	const struct nlattr *first = wire_data(list);

	return (uint32_t)((const uint8_t *)first + NLA_ALIGN(first->nla_len) - b->b.data) + 8;
}

/* A pair of datagram sockets stands in for netlink; the sender's address is none, like the kernel's. */
static void run_refused(struct batch *b, uint32_t seq, uint32_t offset, struct nft_error *err)
{
	int fd[2];
	static uint8_t reply[WIRE_REPLY];
	struct wire w = {.reply = reply};

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, fd) == 0);
	w.fd = fd[0];
	w.stand_in = true;
	answer(fd[1], seq, EEXIST, offset);
	CHECK_INT(batch_run(b, &w, 0, err, NULL), -EEXIST);
	close(fd[0]);
	close(fd[1]);
}

static void test_errors_are_named(void)
{
	struct nft_error err = {0};
	struct batch b;

	batch_init(&b, 500);
	put_elems(&b, rs, set_of("flow_1_0_udp4_r"), NULL, 1, false);
	run_refused(&b, 501, 100, &err);
	CHECK_STR(err.object, "map flow_1_0_udp4_r_g5 element 10.2.0.16/28 . 10.1.0.7 . 5000-5015");
	CHECK_STR(err.rule, "files");
	CHECK_STR(err.text, "words of the kernel");
	batch_free(&b);
	batch_init(&b, 600);
	put_elems(&b, rs, set_of("own4"), NULL, 3, false);
	run_refused(&b, 601, second_element(&b), &err);
	CHECK_STR(err.object, "map own4_g5 element 10.2.0.1");
	CHECK_STR(err.rule, "");
	batch_free(&b);
	batch_init(&b, 700);
	for (size_t i = 0; i < rs->nchains; i++)
		if (strcmp(rs->chains[i]->name, "forward") == 0)
			put_rules(&b, rs, rs->chains[i]);
	run_refused(&b, 702, 0, &err);
	CHECK_STR(err.object, "chain forward rule 2");
	run_refused(&b, 700, 0, &err);
	CHECK_STR(err.object, "transaction");
	batch_free(&b);
}

/* Silence is no success. */
static void test_no_answer(void)
{
	int fd[2];
	static uint8_t reply[WIRE_REPLY];
	struct wire w = {.reply = reply, .stand_in = true};
	struct nft_error err = {0};
	struct batch b;

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, fd) == 0);
	w.fd = fd[0];
	batch_init(&b, 1);
	put_counter(&b, "x");
	CHECK_INT(batch_run(&b, &w, 0, &err, NULL), -EPROTO);
	batch_free(&b);
	close(fd[0]);
	close(fd[1]);
}

/* An element that has ended already is not put; a message of none is no message. */
static void test_ended_elements(void)
{
	struct hand h;
	struct ruleset_options opt = {.generation = 5, .capabilities = CAP_ALL};
	struct batch b;

	hand_init(&h);
	hand_segment(&h, "a", KIND_LGWAN, "eth0", "10.1.0.1/16");
	hand_segment(&h, "b", KIND_OTHER, "eth1", "10.2.0.1/16");
	hand_rule(&h, "gone", 0, 1, IR_ALLOW, 0);
	hand_box(&h, 0, IPPROTO_TCP, "10.1.0.5", "10.2.0.5", 80, 80);
	hand_rule_at(&h, 0)->ends = 1000;
	hand_finish(&h);
	struct ruleset *old = ruleset_build(&h.ir, (struct wall){999}, &opt);
	for (size_t i = 0; i < old->nsets; i++) {
		if (strcmp(old->sets[i]->name, "flow_0_1_tcp4") != 0)
			continue;
		CHECK_INT(old->sets[i]->n, 1);
		CHECK_INT(set_elem(old->sets[i], 0)->mark, CLASS_TIMED);
		batch_init(&b, 1);
		put_elems(&b, old, old->sets[i], NULL, 1, false);
		CHECK(batch_empty(&b) && b.b.len == 0);
		batch_free(&b);
	}
	CHECK_INT(ruleset_next_change(old).sec, 1000);
	ruleset_free(old);
	hand_free(&h);
}

int main(void)
{
	struct ruleset_options opt = {.generation = 5, .capabilities = CAP_ALL};

	clock_set_zone("UTC");
	hand_town(&town);
	rs = ruleset_build(&town.ir, (struct wall){1795000000}, &opt);
	test_well_formed();
	test_errors_are_named();
	test_no_answer();
	test_ended_elements();
	ruleset_free(rs);
	hand_free(&town);
	return test_end();
}
