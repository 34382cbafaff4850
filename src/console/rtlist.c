/*
 * rtlist.c: dumps neighbours and routes by rtnetlink (see rtlist.h).
 *
 * Input: the kernel's answers, read through the bounded reader. Limits: LIST_MAX entries of each kind; what is beyond is left
 * out. No privilege is needed. Follows: linux/rtnetlink.h, linux/neighbour.h.
 */
#include "rtlist.h"

#include <sekisho/reader.h>

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define LIST_MAX 65536
#define GROWTH 256
#define ANSWER_MAX 65536

static uint8_t family_of(uint8_t af)
{
	return af == AF_INET ? 4 : af == AF_INET6 ? 6 : 0;
}

/* The next attribute; false at the end. */
static bool next_attr(struct reader *r, unsigned *ret_type, struct reader *ret)
{
	if (reader_left(r) < sizeof(struct rtattr))
		return false;
	uint16_t len = reader_u16(r), type = reader_u16(r);
	if (len < sizeof(struct rtattr)) {
		r->bad = true;
		return false;
	}
	*ret = reader_sub(r, len - sizeof(struct rtattr));
	*ret_type = type & NLA_TYPE_MASK;
	size_t pad = NLA_ALIGN(len) - (size_t)len;
	reader_skip(r, pad < reader_left(r) ? pad : reader_left(r));
	return !ret->bad;
}

static void take_addr(struct addr *a, uint8_t family, struct reader *r)
{
	if (reader_left(r) != addr_len(family))
		return;
	*a = (struct addr){.family = family};
	memcpy(a->b, r->p, addr_len(family));
}

/* Room for one more, or NULL. */
static void *grow(void **list, size_t n, size_t size)
{
	if (n >= LIST_MAX)
		return NULL;
	if (n % GROWTH == 0) {
		void *more = realloc(*list, (n + GROWTH) * size);
		if (more == NULL)
			return NULL;
		*list = more;
	}
	return (uint8_t *)*list + n * size;
}

static void take_neighbour(struct rt_list *l, struct reader *r)
{
	struct rt_neighbour e = {0};
	struct reader value;
	unsigned type;
	uint8_t family = family_of(reader_u8(r));

	reader_skip(r, 3);
	e.link = reader_u32(r);
	e.state = reader_u16(r);
	reader_skip(r, 2);
	if (r->bad || family == 0)
		return;
	while (next_attr(r, &type, &value)) {
		if (type == NDA_DST) {
			take_addr(&e.addr, family, &value);
		} else if (type == NDA_LLADDR && reader_left(&value) == sizeof(e.mac.b)) {
			reader_copy(&value, e.mac.b, sizeof(e.mac.b));
			e.has_mac = true;
		}
	}
	void *list = l->neighbours;
	struct rt_neighbour *place = e.addr.family != 0 && (e.state & NUD_NOARP) == 0
					     ? grow(&list, l->nneighbours, sizeof(e))
					     : NULL;
	l->neighbours = list;
	if (place == NULL)
		return;
	*place = e;
	l->nneighbours++;
}

static void take_route(struct rt_list *l, struct reader *r)
{
	struct rt_route e = {0};
	struct reader value;
	unsigned type;
	uint8_t family = family_of(reader_u8(r));
	uint32_t table;

	e.prefix = (struct addr){.family = family};
	e.prefix_len = reader_u8(r);
	reader_skip(r, 2);
	table = reader_u8(r);
	reader_skip(r, 2);
	e.type = reader_u8(r);
	reader_skip(r, 4);
	if (r->bad || family == 0)
		return;
	while (next_attr(r, &type, &value)) {
		if (type == RTA_DST)
			take_addr(&e.prefix, family, &value);
		else if (type == RTA_GATEWAY)
			take_addr(&e.via, family, &value);
		else if (type == RTA_OIF)
			e.link = reader_u32(&value);
		else if (type == RTA_PRIORITY)
			e.metric = reader_u32(&value);
		else if (type == RTA_TABLE)
			table = reader_u32(&value);
	}
	if (table != RT_TABLE_MAIN || e.prefix_len > addr_len(family) * 8)
		return;
	void *list = l->routes;
	struct rt_route *place = grow(&list, l->nroutes, sizeof(e));
	l->routes = list;
	if (place == NULL)
		return;
	*place = e;
	l->nroutes++;
}

int rt_list_take(struct rt_list *l, const void *p, size_t n)
{
	struct reader r = reader_init(p, n);

	while (reader_left(&r) >= sizeof(struct nlmsghdr)) {
		uint32_t len = reader_u32(&r);
		uint16_t type = reader_u16(&r);
		reader_skip(&r, sizeof(struct nlmsghdr) - 6);
		if (len < sizeof(struct nlmsghdr) || len - sizeof(struct nlmsghdr) > reader_left(&r))
			return -EPROTO;
		struct reader body = reader_sub(&r, len - sizeof(struct nlmsghdr));
		size_t pad = NLMSG_ALIGN(len) - (size_t)len;
		reader_skip(&r, pad < reader_left(&r) ? pad : reader_left(&r));
		if (type == NLMSG_DONE)
			return 1;
		if (type == NLMSG_ERROR) {
			int error = (int)reader_u32(&body);
			return body.bad || error >= 0 ? -EPROTO : error;
		}
		if (type == RTM_NEWNEIGH)
			take_neighbour(l, &body);
		else if (type == RTM_NEWROUTE)
			take_route(l, &body);
	}
	return reader_left(&r) == 0 ? 0 : -EPROTO;
}

static int dump(int fd, uint16_t type, struct rt_list *l)
{
	struct {
		struct nlmsghdr h;
		struct rtmsg body; /* as long as struct ndmsg */
	} q = {.h = {.nlmsg_len = sizeof(q), .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP}};
	static uint8_t answer[ANSWER_MAX];
	int r = 0;

	if (send(fd, &q, sizeof(q), 0) < 0)
		return -errno;
	while (r == 0) {
		ssize_t n = recv(fd, answer, sizeof(answer), 0);
		if (n < 0 && errno == EINTR)
			continue;
		r = n < 0 ? -errno : n == 0 ? -EPROTO : rt_list_take(l, answer, (size_t)n);
	}
	return r < 0 ? r : 0;
}

int rt_list_read(struct rt_list *ret)
{
	struct timeval patience = {.tv_sec = 5};

	*ret = (struct rt_list){0};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		return -errno;
	int r = setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ? -errno : dump(fd, RTM_GETNEIGH, ret);
	if (r == 0)
		r = dump(fd, RTM_GETROUTE, ret);
	close(fd);
	return r;
}

void rt_list_free(struct rt_list *l)
{
	free(l->neighbours);
	free(l->routes);
	*l = (struct rt_list){0};
}

const struct rt_route *rt_list_route(const struct rt_list *l, const struct addr *to)
{
	const struct rt_route *best = NULL;

	for (size_t i = 0; i < l->nroutes; i++) {
		const struct rt_route *e = &l->routes[i];
		struct addr_range r = prefix_range(&e->prefix, e->prefix_len);
		if (e->prefix.family != to->family || !range_has(&r, to))
			continue;
		if (best == NULL || e->prefix_len > best->prefix_len ||
			(e->prefix_len == best->prefix_len && e->metric < best->metric))
			best = e;
	}
	return best;
}

const struct rt_neighbour *rt_list_neighbour(const struct rt_list *l, const struct addr *a, uint32_t link)
{
	for (size_t i = 0; i < l->nneighbours; i++)
		if (l->neighbours[i].link == link && addr_cmp(&l->neighbours[i].addr, a) == 0)
			return &l->neighbours[i];
	return NULL;
}
