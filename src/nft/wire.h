/*
 * wire.h: netlink sockets to the kernel: batches with their errors, dumps with their callback.
 */
#ifndef NFT_WIRE_H
#define NFT_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/netlink.h>
#include <sys/uio.h>

#include <sekisho/buf.h>

struct wire {
	int fd;
	uint32_t portid, seq;
	uint8_t *reply; /* of WIRE_REPLY bytes */
	bool stand_in;	/* a test's socket instead of netlink: no addresses */
};
#define WIRE_REPLY ((size_t)64 << 10)

/* 0 or -errno. groups: a mask of multicast groups, 0 = none. */
int wire_open(struct wire *w, uint32_t groups);
void wire_close(struct wire *w);

/* What the kernel said of one message. */
struct wire_error {
	int error;	 /* positive errno; 0 = acknowledged */
	uint32_t seq;	 /* of the message */
	uint32_t offset; /* of the attribute in it; 0 = unknown */
	char text[120];	 /* the kernel's words, or "" */
};
typedef void wire_error_fn(void *arg, const struct wire_error *e);

/* Sends all parts as one datagram. 0 or -errno. */
int wire_send(struct wire *w, struct iovec *parts, size_t n);
/* Hands every answer that is there to fn; does not wait. 0 or -errno (-ENOBUFS: answers were lost). */
int wire_collect(struct wire *w, wire_error_fn *fn, void *arg);

/* Return < 0 to end the dump with that value. */
typedef int wire_message_fn(void *arg, const struct nlmsghdr *h);
/*
 * Sends the request in b (one message; its seq is filled in here) and hands over the messages of the answer until it
 * is done. 0; -EINTR when the kernel says that the dump is inconsistent; other -errno of the kernel or of fn.
 */
int wire_dump(struct wire *w, struct buf *b, wire_message_fn *fn, void *arg);

/* An attribute of a message behind `skip` bytes of fixed header, or NULL. */
const struct nlattr *wire_attr(const struct nlmsghdr *h, size_t skip, uint16_t type);
const struct nlattr *wire_nested(const struct nlattr *outer, uint16_t type);
const char *wire_str(const struct nlattr *a); /* "" when missing or unterminated */
uint32_t wire_be32(const struct nlattr *a, uint32_t otherwise);
uint64_t wire_be64(const struct nlattr *a, uint64_t otherwise);
static inline size_t wire_len(const struct nlattr *a)
{
	return a->nla_len - NLA_HDRLEN;
}
static inline const void *wire_data(const struct nlattr *a)
{
	return (const uint8_t *)a + NLA_HDRLEN;
}

#endif
