/*
 * net_sample.h: readers of /proc/net's text forms, apart from the sampling so that they can be tested and fuzzed.
 */
#ifndef NET_SAMPLE_H
#define NET_SAMPLE_H

#include "net_private.h"

#define NET_SAMPLE_DEV_COLUMNS 5

typedef void net_sample_fn(void *arg, const char *name, uint64_t value);
typedef void net_sample_dev_fn(void *arg, const char *name, const uint64_t value[NET_SAMPLE_DEV_COLUMNS]);

/* Two lines each: "Ip: NAME NAME\nIp: 1 2\n" gives "Ip.NAME". (snmp, netstat) */
void net_sample_parse_pairs(const char *text, size_t n, net_sample_fn *fn, void *arg);
/* One "NAME value" a line. (snmp6) */
void net_sample_parse_lines(const char *text, size_t n, net_sample_fn *fn, void *arg);
/* A line of names, then a line of hexadecimal values for each CPU; gives the sums as "ct.NAME". */
void net_sample_parse_conntrack(const char *text, size_t n, net_sample_fn *fn, void *arg);
/* /proc/net/dev: "  eth0: 1 2 …". */
void net_sample_parse_dev(const char *text, size_t n, net_sample_dev_fn *fn, void *arg);

#endif
