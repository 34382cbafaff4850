/* test_account.c: kernel counter = stored + log-loss, through losses, delays, new tables, boots and stores. */
#include "test.h"

#include "account.h"

#define S INT64_C(1000000000)
#define R REASON_NO_RULE

static struct account a;
static struct account_books books;
static struct msg_counters m;

static void fresh(void)
{
	a = (struct account){0};
	books = (struct account_books){0};
	m = (struct msg_counters){.epoch = 1};
}

static void store_all(void)
{
	for (unsigned r = 0; r < REASON_END; r++)
		account_store(&a, r, a.received[r] - a.stored[r]);
}

static void equation(uint64_t kernel)
{
	store_all();
	CHECK_INT(a.stored[R] + a.loss[R], kernel);
}

static void test_nothing_lost(void)
{
	fresh();
	account_receive(&a, R, 100);
	m.packets[R] = 100;
	account_snapshot(&a, &m, 10 * S, &books);
	CHECK(account_settle(&a, 12 * S, 12 * S, &books));
	CHECK_INT(books.lost[R], 0);
	equation(100);
	CHECK_INT(account_open(&a), 0);
}

static void test_waits_until_settled(void)
{
	fresh();
	m.packets[R] = 100;
	account_snapshot(&a, &m, 10 * S, &books);
	CHECK(!account_settle(&a, 10 * S + S / 2, 20 * S, &books));
	/* A second later, but a socket was not empty since: events still wait in it. */
	CHECK(!account_settle(&a, 15 * S, 10 * S, &books));
	account_receive(&a, R, 90);
	CHECK(account_settle(&a, 16 * S, 16 * S, &books));
	CHECK_INT(books.lost[R], 10);
	equation(100);
}

static void test_loss_under_load(void)
{
	uint64_t kernel = 0, total_lost = 0;

	fresh();
	/* 1 000 a second, 30 of them lost; events of the current second have come when a snapshot is compared. */
	for (int64_t t = 1; t <= 60; t++) {
		kernel += 1000;
		m.packets[R] = kernel;
		account_receive(&a, R, 970);
		account_snapshot(&a, &m, t * S, &books);
		account_settle(&a, t * S + S / 2, t * S + S / 2, &books);
		/* Never more than there is. */
		CHECK(a.received[R] + a.loss[R] <= kernel);
	}
	account_settle(&a, 62 * S, 62 * S, &books);
	account_snapshot(&a, &m, 63 * S, &books);
	account_settle(&a, 65 * S, 65 * S, &books);
	total_lost = books.lost[R];
	CHECK_INT(total_lost, 60 * 30);
	CHECK_INT(books.found[R], 0);
	equation(60000);
}

static void test_late_events_are_found_again(void)
{
	fresh();
	m.packets[R] = 100;
	account_snapshot(&a, &m, 1 * S, &books);
	account_receive(&a, R, 60);
	account_settle(&a, 3 * S, 3 * S, &books);
	CHECK_INT(books.lost[R], 40);
	/* The kernel held 40 back for longer than anybody thought. */
	account_receive(&a, R, 40);
	account_snapshot(&a, &m, 4 * S, &books);
	account_snapshot(&a, &m, 5 * S, &books);
	CHECK_INT(books.found[R], 40);
	CHECK_INT(books.went_back, 0);
	equation(100);
}

/* What a new process knows: what the store has. */
static void killed(void)
{
	struct account next = {.epoch = a.epoch};

	memcpy(next.stored, a.stored, sizeof(next.stored));
	memcpy(next.loss, a.loss, sizeof(next.loss));
	memcpy(next.kernel, a.kernel, sizeof(next.kernel));
	a = next;
	account_resume(&a);
}

static void test_killed_and_started_again(void)
{
	fresh();
	account_receive(&a, R, 80);
	m.packets[R] = 80;
	account_snapshot(&a, &m, 1 * S, &books);
	store_all();
	/* 20 more were received and not stored when it was killed. */
	killed();
	books = (struct account_books){0};
	account_receive(&a, R, 5);
	m.packets[R] = 105;
	account_snapshot(&a, &m, 10 * S, &books);
	account_settle(&a, 12 * S, 12 * S, &books);
	CHECK_INT(books.lost[R], 20);
	equation(105);
}

static void test_new_table(void)
{
	fresh();
	account_receive(&a, R, 100);
	m.packets[R] = 110;
	account_snapshot(&a, &m, 1 * S, &books);
	store_all();
	/* 4 more of the old table arrive, then the new one has counted 3, of which 3 have come. */
	account_receive(&a, R, 7);
	m.epoch = 2;
	m.packets[R] = 3;
	account_snapshot(&a, &m, 2 * S, &books);
	CHECK_INT(books.epoch_moved, 1);
	/* 110 - 100 are missing there; the 7 go to the old one first. */
	CHECK_INT(books.lost[R], 3);
	CHECK_INT(a.loss[R], 0);
	account_settle(&a, 4 * S, 4 * S, &books);
	equation(3);
}

static void test_reset_counter(void)
{
	fresh();
	account_receive(&a, R, 100);
	m.packets[R] = 100;
	for (int i = 0; i < 5; i++)
		account_snapshot(&a, &m, i * S, &books);
	m.packets[R] = 0;
	account_snapshot(&a, &m, 6 * S, &books);
	CHECK_INT(books.went_back, 100);
	account_receive(&a, R, 10);
	m.packets[R] = 12;
	account_snapshot(&a, &m, 7 * S, &books);
	account_settle(&a, 9 * S, 9 * S, &books);
	account_snapshot(&a, &m, 10 * S, &books);
	account_settle(&a, 12 * S, 12 * S, &books);
	equation(12);
}

static void test_new_boot(void)
{
	fresh();
	a.epoch = 1;
	a.stored[R] = 50;
	a.kernel[R] = 60;
	a.loss[R] = 3;
	account_resume(&a);
	account_new_boot(&a, &books);
	CHECK_INT(books.lost[R], 7);
	/* Events of the new table may come before its first counters. */
	account_receive(&a, R, 5);
	m.epoch = 77;
	m.packets[R] = 6;
	account_snapshot(&a, &m, 1 * S, &books);
	CHECK_INT(books.epoch_moved, 0);
	books = (struct account_books){0};
	account_settle(&a, 3 * S, 3 * S, &books);
	CHECK_INT(books.lost[R], 1);
	equation(6);
}

static void test_new_store(void)
{
	fresh();
	account_receive(&a, R, 100);
	m.packets[R] = 100;
	account_snapshot(&a, &m, 1 * S, &books);
	account_settle(&a, 3 * S, 3 * S, &books);
	account_store(&a, R, 90);
	account_new_store(&a);
	CHECK_INT(a.stored[R], 0);
	CHECK_INT(a.received[R], 10);
	account_snapshot(&a, &m, 4 * S, &books);
	account_settle(&a, 6 * S, 6 * S, &books);
	CHECK_INT(books.lost[R], 90);
	CHECK_INT(books.went_back, 0);
	equation(100);
}

/* Random loss, delay, restarts, tables: after quiet the equation always holds. */
static void test_random(void)
{
	unsigned seed = 20261120;

	for (int run = 0; run < 300; run++) {
		uint64_t kernel = 0, waiting = 0;
		int64_t t = 0;

		fresh();
		for (int i = 0; i < 40; i++, t += S) {
			uint64_t n = (uint64_t)(rand_r(&seed) % 1000), lost = n * (uint64_t)(rand_r(&seed) % 3) / 7;
			kernel += n;
			waiting += n - lost;
			uint64_t come = rand_r(&seed) % 4 == 0 ? waiting / 2 : waiting;
			account_receive(&a, R, come);
			waiting -= come;
			m.packets[R] = kernel;
			account_snapshot(&a, &m, t, &books);
			account_settle(&a, t, waiting == 0 ? t : t - 5 * S, &books);
			if (rand_r(&seed) % 3 == 0)
				store_all();
			if (rand_r(&seed) % 10 == 0) /* kill -9: the kernel's socket keeps what waits */
				killed();
		}
		account_receive(&a, R, waiting);
		for (int i = 0; i < 6; i++, t += S) {
			account_snapshot(&a, &m, t, &books);
			account_settle(&a, t, t, &books);
		}
		equation(kernel);
	}
}

int main(void)
{
	test_nothing_lost();
	test_waits_until_settled();
	test_loss_under_load();
	test_late_events_are_found_again();
	test_killed_and_started_again();
	test_new_table();
	test_reset_counter();
	test_new_boot();
	test_new_store();
	test_random();
	return test_end();
}
