/*
 * test.h: the whole test harness. A test is a function; CHECK says what was expected and goes on.
 */
#ifndef TEST_H
#define TEST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int test_failures, test_checks;

#define CHECK(cond)                                                                                            \
	do {                                                                                                    \
		test_checks++;                                                                                  \
		if (!(cond)) {                                                                                  \
			test_failures++;                                                                        \
			printf("%s:%d: expected %s\n", __FILE__, __LINE__, #cond);                              \
		}                                                                                               \
	} while (0)

#define CHECK_STR(got, want)                                                                                   \
	do {                                                                                                    \
		const char *got_ = (got), *want_ = (want);                                                      \
		test_checks++;                                                                                  \
		if (got_ == NULL || strcmp(got_, want_) != 0) {                                                 \
			test_failures++;                                                                        \
			printf("%s:%d: got \"%s\", expected \"%s\"\n", __FILE__, __LINE__, got_ ? got_ : "(null)", \
				want_);                                                                         \
		}                                                                                               \
	} while (0)

#define CHECK_INT(got, want)                                                                                   \
	do {                                                                                                    \
		long long got_ = (got), want_ = (want);                                                           \
		test_checks++;                                                                                  \
		if (got_ != want_) {                                                                            \
			test_failures++;                                                                        \
			printf("%s:%d: %s is %lld, expected %lld\n", __FILE__, __LINE__, #got, got_, want_);    \
		}                                                                                               \
	} while (0)

static inline int test_end(void)
{
	printf("%d checks, %d failed\n", test_checks, test_failures);
	return test_failures == 0 ? 0 : 1;
}

#endif
