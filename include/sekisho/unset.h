/*
 * unset.h: locals that are large, and written before they are read.
 *
 * The whole tree is built so that a local begins as zero (a forgotten initialiser then discloses nothing). Where a struct of
 * hundreds of bytes is filled for each packet, that costs more than the work: such a local says so by this word, and whoever
 * writes it sees to it that no field is read before it is written (tests run under valgrind's and the sanitizers' eyes).
 */
#ifndef SEKISHO_UNSET_H
#define SEKISHO_UNSET_H

#define UNSET __attribute__((uninitialized))

#endif
