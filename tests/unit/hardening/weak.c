/* weak.c: built without any hardening, to see that hardening.py says so. */
#include <stdio.h>
#include <string.h>

/* A section that is writable and executable makes such a segment. */
__asm__(".section .weak,\"awx\",@progbits\n.byte 0\n.previous");

int main(int argc, char **argv)
{
	char buf[64];

	strncpy(buf, argv[argc - 1], sizeof(buf) - 1);
	buf[63] = 0;
	return puts(buf) < 0;
}
