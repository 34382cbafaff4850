/*
 * drive.c: smtp_drive server ADDRESS PORT DIRECTORY|-     takes mail; each into a file of DIRECTORY, or only counted
 *          smtp_drive client ADDRESS PORT [OPTION...]     sends mail to a next hop; see drive_client.c
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "drive.h"

int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void die(const char *what)
{
	perror(what);
	exit(2);
}

struct sockaddr_in drive_address(const char *host, const char *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};

	if (inet_pton(AF_INET, host, &a.sin_addr) != 1)
		die(host);
	return a;
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	if (argc >= 5 && strcmp(argv[1], "server") == 0)
		return drive_server(argc - 2, argv + 2);
	if (argc >= 4 && strcmp(argv[1], "client") == 0)
		return drive_client(argc - 2, argv + 2);
	fprintf(stderr, "usage: smtp_drive server ADDRESS PORT DIRECTORY|- | client ADDRESS PORT [OPTION...]\n");
	return 2;
}
