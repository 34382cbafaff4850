/*
 * tiny_silent.c: stands in for a daemon that says nothing: ROW is that of its program.
 */
#include <sekisho/daemon.h>

int main(int argc, char **argv)
{
	static const struct daemon_spec spec = {.row = ROW};

	return daemon_run(&spec, NULL, argc, argv);
}
