/*
 * inspector_corpus.c: writes the kept inputs of the inspector's fuzzer: DIRECTORY.
 */
#include <sekisho/inspect.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "traffic.h"

static const char *directory;

static FILE *create(const char *name, uint8_t mode)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	FILE *f = fopen(path, "wb");
	if (f == NULL) {
		perror(path);
		exit(1);
	}
	fputc(mode, f);
	return f;
}

static void frames(const char *name, uint8_t mode, const struct traffic *t)
{
	FILE *f = create(name, mode);

	for (size_t i = 0; i < t->n; i++) {
		const uint8_t head[] = {1, 0, (uint8_t)(t->v[i].n >> 8), (uint8_t)t->v[i].n};
		fwrite(head, 1, 4, f);
		fwrite(t->v[i].bytes, 1, t->v[i].n, f);
	}
	fclose(f);
}

/* A mail conversation up to its decision; the port stands for SMTP with the fuzzer's policies. */
static void mail(struct traffic *t)
{
	static const char *const lines[] = {"s220 mx ESMTP\r\n", "cEHLO pc\r\n", "s250-mx\r\n250 DSN\r\n",
		"cMAIL FROM:<a@b>\r\n", "s250 ok\r\n", "cQUIT\r\n"};
	struct talk k;

	traffic_init(t);
	talk_init(&k, t, 40000, APP_SMTP - 1 + APP_END - 1);
	talk_open(&k);
	for (size_t i = 0; i < 6; i++)
		talk_say(&k, lines[i][0], lines[i] + 1, strlen(lines[i]) - 1);
	talk_close(&k, 'c');
	talk_close(&k, 's');
}

static void datagrams(struct traffic *t)
{
	static const char question[] = "\x12\x34\x01\0\0\1\0\0\0\0\0\0\1a\2jp\0\0\1\0\1",
			  answer[] = "\x12\x34\x81\x80\0\1\0\0\0\0\0\0\1a\2jp\0\0\1\0\1";
	struct talk k;

	traffic_init(t);
	talk_init(&k, t, 40000, APP_DNS - 1 + APP_END - 1);
	traffic_datagram(t, &k.end[0], &k.end[1], k.port[0], k.port[1], question, sizeof(question) - 1);
	traffic_datagram(t, &k.end[1], &k.end[0], k.port[1], k.port[0], answer, sizeof(answer) - 1);
}

static void segments(void)
{
	/* who, flags, place, acknowledgement, length, bytes; the zone's byte makes the port one of SMTP */
	static const uint8_t open[] = {0, 0, 0, 9, APP_SMTP - 2 + APP_END - 1, 2, PACKET_SYN, 0, 0, 0, 0, 3,
		PACKET_SYN | PACKET_ACK, 0, 0, 0, 0, 2, PACKET_ACK, 0, 0, 0, 0};
	static const uint8_t told[] = {3, PACKET_ACK, 0, 0, 0, 8, '2', '2', '0', ' ', 'm', 'x', '\r', '\n',
		2, PACKET_ACK, 0, 0, 0, 9, 'E', 'H', 'L', 'O', ' ', 'p', 'c', '\r', '\n'};
	static const uint8_t again[] = {0, PACKET_ACK, 0xff, 0xfb, 0, 5, ' ', 'p', 'c', '\r', '\n',
		1, PACKET_ACK, 0, 4, 0, 4, ' ', 'o', 'k', '\r', 1, PACKET_ACK, 0, 0, 0, 4, '2', '5', '0', ' ',
		7, PACKET_ACK, 0, 0, 0, 0, 2, PACKET_RST, 0, 0, 0, 0};
	FILE *f = create("segments", 4);

	fwrite(open, 1, sizeof(open), f);
	fwrite(told, 1, sizeof(told), f);
	fwrite(again, 1, sizeof(again), f);
	fclose(f);
}

int main(int argc, char **argv)
{
	struct traffic t, changed;

	if (argc != 2)
		return 2;
	directory = argv[1];
	mail(&t);
	frames("mail", 0, &t);
	frames("mail-identified", 2, &t);
	traffic_init(&changed);
	traffic_vlan(&changed, &t, 2);
	frames("mail-tagged-lenient", 1, &changed);
	traffic_free(&changed);
	traffic_init(&changed);
	traffic_fragment(&changed, &t, 40);
	frames("mail-fragments", 3, &changed);
	traffic_free(&changed);
	traffic_free(&t);
	datagrams(&t);
	frames("names", 0, &t);
	traffic_free(&t);
	segments();
	return 0;
}
