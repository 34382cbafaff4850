/*
 * mail_set.h: a set of mails that is measured round by round: mail_clean and its peer.
 * A set: mails one after another, each with its length before it (4 bytes, little endian).
 */
#include <stddef.h>
#include <stdint.h>

/*
 * `name SET ROUNDS`: gives every mail of the set to one(), ROUNDS times; before each round begin(). *ret_bytes: of the set.
 * Returns the CPU seconds of the median round; without a set it says how the program is used and ends it.
 */
double mail_set_run(int argc, char **argv, void (*begin)(void), void (*one)(const uint8_t *mail, size_t n), size_t *ret_bytes);
