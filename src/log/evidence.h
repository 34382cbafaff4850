/* evidence.h: what logd gives to a freeze (証拠保全): records with their chain, and the last dropped packets. */
#ifndef LOG_EVIDENCE_H
#define LOG_EVIDENCE_H

#include <stdint.h>

#include <sekisho/msg.h>

struct store;
struct intake;

/* As many rows of each kind, the newest; and as many bytes in all: they are in memory until they are stored. */
#define EVIDENCE_ROWS 50000
#define EVIDENCE_BYTES (48u << 20)

/* Writes to the two descriptors of the request; what became of it is in *ret. s may be NULL: there is no store. */
void evidence_make(struct store *s, struct intake *in, const struct msg_evidence *q, const int fds[2],
	struct msg_evidence_done *ret);

#endif
