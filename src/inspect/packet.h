/*
 * packet.h: what fragment.c needs of the decoder: the part behind the IP header.
 */
#ifndef SEKISHO_INSPECT_PACKET_H
#define SEKISHO_INSPECT_PACKET_H

#include <sekisho/inspect.h>

/*
 * Decodes the header of transport `protocol` at p: n bytes are there, n_wire were on the wire. ret->src and dst are set;
 * kind, why, ports, TCP fields, payload and segment are set here.
 */
void packet_transport(struct packet *ret, uint8_t protocol, const uint8_t *p, size_t n, size_t n_wire, unsigned flags);

#endif
