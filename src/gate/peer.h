/*
 * peer.h: who is at the other end of a connection: the kernel's word, and the name that goes with it.
 */
#ifndef GATE_PEER_H
#define GATE_PEER_H

#include <stdint.h>

#include <sekisho/msg.h>

struct peer {
	uint32_t uid, pid;
	uint32_t roles; /* by its groups; set of 1 << enum msg_role */
	char account[MSG_ACCOUNT];
};

/* Asks the kernel. root: the directory below which /etc/passwd lies. 0 or -errno; no role is no error. */
int peer_of(int fd, const char *root, struct peer *ret);

/* The account of a uid in DIR/etc/passwd; "#UID" when there is none. ret: MSG_ACCOUNT bytes. */
void peer_account(const char *root, uint32_t uid, char *ret);

#endif
