/*
 * pcap_loop.c: the bare loop over a capture with libpcap: reads each frame, touches its first byte, does nothing. What any
 * reader of captures is measured against.
 */
#include <pcap/pcap.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	char error[PCAP_ERRBUF_SIZE];
	pcap_t *p = argc == 2 ? pcap_open_offline(argv[1], error) : NULL;
	struct pcap_pkthdr *h;
	const u_char *bytes;
	unsigned long long n = 0, sum = 0;

	if (p == NULL)
		return 2;
	while (pcap_next_ex(p, &h, &bytes) == 1) {
		n++;
		sum += h->caplen > 0 ? bytes[0] : 0;
	}
	printf("%llu frames (%llu)\n", n, sum);
	pcap_close(p);
	return 0;
}
