/*
 * drive.h: a small program around the SMTP machines, for real peers: sockets, time and files; nothing else.
 */
#ifndef DRIVE_H
#define DRIVE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int64_t now_ms(void);
void die(const char *what);
/* "127.0.0.1" and a port. */
struct sockaddr_in drive_address(const char *host, const char *port);

/* drive_server.c: until SIGTERM; then prints how many messages came. */
int drive_server(int argc, char **argv);
/* drive_client.c */
int drive_client(int argc, char **argv);

#endif
