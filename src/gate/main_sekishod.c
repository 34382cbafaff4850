/*
 * main_sekishod.c: sekishod [--close] [--root=DIR]: see gate.c.
 */
#include "gate.h"

int main(int argc, char **argv)
{
	return gate_main(argc, argv);
}
