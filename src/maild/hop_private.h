/* hop_private.h: what hop.c and hop_tls.c share. */
#ifndef MAILD_HOP_PRIVATE_H
#define MAILD_HOP_PRIVATE_H

#include "maild.h"

/* How many the policy has of a group. */
uint32_t hop_servers(const struct maild *m, enum hop_group group);
/* The policy's words about a server of a group: its address, and what is demanded of it. */
const struct ir_mail_host *hop_server(const struct maild *m, enum hop_group group, uint32_t i);
/* Closes the connection; its user, if any, is not told. */
void hop_close(struct hop *h);
/* The connection ended: its user is told, or its server is left alone for a while. */
void hop_lost(struct hop *h, const struct smtp_client_event *e);
/* Calls for those that wait, or tells them that there is no server. */
void hop_serve(struct maild *m, enum hop_group group);
/* Something happened on the descriptor of a connection. */
void hop_on_bytes(void *arg, int fd, uint32_t events);

/* hop_tls.c: how to speak to the server of a new connection. */
struct smtp_client_options hop_options(const struct hop *h);
/* Why no server of the group can be had: one that could be reached, were it not for TLS, is what can be mended. */
enum mail_reason hop_why_none(const struct maild *m, enum hop_group group);
/* Hands the connection to sekisho-tls. Nothing came behind the server's yes to STARTTLS: what comes now is the handshake's. */
void hop_secure(struct hop *h);

#endif
