/*
 * open.h: the sockets that need root to open. sekisho-init opens and keeps them; a daemon without an init
 * opens its own. Who is handed one can receive on it, and not configure it: that needs the capability again.
 */
#ifndef SEKISHO_OPEN_H
#define SEKISHO_OPEN_H

#include <stdint.h>

/*
 * A non-blocking NFLOG socket bound to this group: 128 bytes of each packet, 64 events a batch, flush after
 * 100 ms, a 64 KiB kernel buffer, sequence numbers, 32 MiB of receive queue. Descriptor, or -errno (-EPERM:
 * without CAP_NET_ADMIN, or another socket holds the group).
 */
int nflog_open(uint16_t group);

/*
 * A non-blocking ctnetlink socket with the kernel's events of connections that ended, 8 MiB of receive queue. Descriptor, or
 * -errno. Receiving is all that who is handed it can do.
 */
int ct_events_open(void);

/*
 * The kernel's list of packet queues (who waits, what was dropped), to be read from its beginning each time. Only root may
 * open it. A kernel without queues: an empty file. Descriptor, or -errno.
 */
int queue_list_open(void);

/*
 * The listening, non-blocking SOCK_SEQPACKET socket ROOT/run/sekisho/control, mode 0660 of group
 * JAIL_GID_CONTROL; an old one is replaced. The directory must exist. Descriptor, or -errno.
 */
int control_open(const char *root);

/* Creates what of DAEMON_PATH_* is missing, with owner and mode. 0 or -errno. Root only. */
int paths_make(const char *root);

#endif
