/*
 * test_account.c: accounts: names, changes that must not be, what is on disk after them, damaged files, passwords.
 */
#include "account.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sekisho/i18n.h>

#include "password.h"
#include "test.h"

static char place[] = "/tmp/sekisho-account-XXXXXX";
static char hash[ACCOUNT_HASH];

static void put(int dir, const char *name, const char *text)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static const char *get(int dir, const char *name)
{
	static char text[8192];
	int fd = openat(dir, name, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

static int fresh(const char *sub)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", place, sub);
	CHECK(mkdir(path, 0700) == 0);
	return open(path, O_RDONLY | O_DIRECTORY);
}

static void test_names(void)
{
	static const char *const bad[] = {"", "a", "Tanaka", "1tanaka", "tanaka:x", "root", "sekisho-log", "tanaka\n", "たなか", "-a", "a/b",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};

	CHECK(account_name_ok("tanaka") && account_name_ok("t-2") && account_name_ok("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(!account_name_ok(bad[i]));
}

static void test_changes(void)
{
	int dir = fresh("changes");
	struct accounts a, b;

	CHECK_INT(accounts_load(dir, &a), 0);
	CHECK_INT(a.n, 0);
	CHECK_INT(account_add(&a, "tanaka", "田中 太郎", MSG_ROLE_ADMINISTRATOR, hash, false, 1000), ACCOUNT_OK);
	CHECK_INT(account_add(&a, "tanaka", "別人", MSG_ROLE_VIEWER, hash, false, 1000), ACCOUNT_NAME_TAKEN);
	CHECK_INT(account_add(&a, "suzuki", "a:b", MSG_ROLE_VIEWER, hash, false, 1000), ACCOUNT_LABEL_BAD);
	CHECK_INT(account_add(&a, "suzuki", "a\nb", MSG_ROLE_VIEWER, hash, false, 1000), ACCOUNT_LABEL_BAD);
	CHECK_INT(account_add(&a, "suzuki", "鈴木", MSG_ROLE_MAINTENANCE, hash, true, 1000), ACCOUNT_OK);
	/* The last administrator can be neither disabled nor made less. */
	CHECK_INT(account_enable(&a, "tanaka", false), ACCOUNT_LAST);
	CHECK_INT(account_role(&a, "tanaka", MSG_ROLE_VIEWER), ACCOUNT_LAST);
	CHECK_INT(accounts_administrators(&a), 1);
	CHECK_INT(account_enable(&a, "satou", false), ACCOUNT_UNKNOWN);
	CHECK_INT(account_enable(&a, "suzuki", false), ACCOUNT_OK);
	/* A name is never used again. */
	CHECK_INT(account_add(&a, "suzuki", "別の鈴木", MSG_ROLE_VIEWER, hash, false, 1000), ACCOUNT_NAME_TAKEN);
	CHECK_INT(accounts_load(dir, &b), 0);
	CHECK_INT(b.n, 2);
	CHECK(memcmp(a.account, b.account, sizeof(a.account)) == 0 || !b.account[1].enabled);
	CHECK_STR(b.account[0].label, "田中 太郎");
	CHECK_INT(b.account[1].uid, ACCOUNT_UID_FIRST + 1);
	CHECK_INT(b.account[1].role, MSG_ROLE_MAINTENANCE);
	close(dir);
}

static void test_published(void)
{
	int dir = fresh("published"), base = fresh("base");
	struct accounts a;

	put(base, "passwd", "root:*:0:0:root:/:/usr/bin/nologin\n");
	put(base, "group", "root:*:0:\n");
	accounts_load(dir, &a);
	account_add(&a, "tanaka", "田中", MSG_ROLE_ADMINISTRATOR, "$y$j9T$abc$def", false, 86400 * 10);
	account_add(&a, "suzuki", "鈴木", MSG_ROLE_OPERATOR, "$y$j9T$ghi$jkl", true, 86400 * 10);
	account_add(&a, "satou", "佐藤", MSG_ROLE_VIEWER, "$y$j9T$mno$pqr", false, 86400 * 10);
	account_enable(&a, "satou", false);
	CHECK_INT(accounts_publish(&a, base), 0);
	CHECK_STR(get(dir, "passwd"), "root:*:0:0:root:/:/usr/bin/nologin\ntanaka:x:2000:983:田中:/:/usr/bin/sekisho\n"
				      "suzuki:x:2001:982:鈴木:/:/usr/bin/sekisho\nsatou:x:2002:980:佐藤:/:/usr/bin/sekisho\n");
	CHECK_STR(get(dir, "shadow"), "tanaka:$y$j9T$abc$def:10::::::\nsuzuki:$y$j9T$ghi$jkl:0::::::\nsatou:!$y$j9T$mno$pqr:10::::::\n");
	CHECK(strstr(get(dir, "group"), "sekisho-control:*:973:tanaka,suzuki\n") != NULL);
	struct stat st;
	CHECK(fstatat(dir, "shadow", &st, 0) == 0 && (st.st_mode & 0777) == 0600);
	CHECK(fstatat(dir, "accounts", &st, 0) == 0 && (st.st_mode & 0777) == 0600);
	/* A shadow that was cut by a power failure is made again. */
	put(dir, "shadow", "tan");
	CHECK_INT(accounts_publish(&a, base), 0);
	CHECK(strncmp(get(dir, "shadow"), "tanaka:$y$", 10) == 0);
	close(dir);
	close(base);
}

/* Whatever was changed in the file: nobody is read from it. */
static void test_damaged(void)
{
	int dir = fresh("damaged");
	struct accounts a;
	char good[4096], bad[4096];

	accounts_load(dir, &a);
	account_add(&a, "tanaka", "田中", MSG_ROLE_ADMINISTRATOR, hash, false, 1000);
	snprintf(good, sizeof(good), "%s", get(dir, "accounts"));
	size_t n = strlen(good), taken = 0;
	for (size_t i = 0; i < n; i++) {
		memcpy(bad, good, n + 1);
		bad[i] ^= 1;
		put(dir, "accounts", bad);
		taken += accounts_load(dir, &a) != -EBADMSG || a.n != 0;
		memcpy(bad, good, i);
		bad[i] = '\0';
		put(dir, "accounts", bad);
		taken += accounts_load(dir, &a) != -EBADMSG || a.n != 0;
	}
	CHECK_INT(taken, 0);
	put(dir, "accounts", good);
	CHECK_INT(accounts_load(dir, &a), 0);
	CHECK_INT(a.n, 1);
	close(dir);
}

/* The directory cannot be written: nothing changed, in memory or on disk. */
static void test_disk(void)
{
	int dir = fresh("disk");
	struct accounts a, b;

	accounts_load(dir, &a);
	account_add(&a, "tanaka", "田中", MSG_ROLE_ADMINISTRATOR, hash, false, 1000);
	CHECK(mkdirat(dir, "accounts.new", 0700) == 0);
	CHECK_INT(account_add(&a, "suzuki", "鈴木", MSG_ROLE_VIEWER, hash, false, 1000), ACCOUNT_DISK);
	CHECK_INT(account_password(&a, "tanaka", "$y$other", true, 2000), ACCOUNT_DISK);
	CHECK_INT(a.n, 1);
	CHECK_STR(a.account[0].hash, hash);
	CHECK_INT(accounts_load(dir, &b), 0);
	CHECK_INT(b.n, 1);
	CHECK_STR(b.account[0].hash, hash);
	close(dir);
}

static void test_passwords(void)
{
	int dir = fresh("passwords");
	struct accounts a;
	char other[ACCOUNT_HASH];

	i18n_init("en");
	CHECK(password_is(hash, "hakodate ringo 77") && !password_is(hash, "hakodate ringo 78") && !password_is("!", "") && !password_is("", ""));
	accounts_load(dir, &a);
	account_add(&a, "tanaka", "田中", MSG_ROLE_ADMINISTRATOR, hash, false, 1000);
	struct account *t = accounts_find(&a, "tanaka");
	CHECK_STR(password_refused(t, "short1"), "it is too short: at least 12 characters");
	CHECK_STR(password_refused(t, "aaaaaaaaaaaaa1"), "it has long rows of the same or of neighbouring characters");
	CHECK_STR(password_refused(t, "tanaka-no-ie-12"), "it contains the account's name");
	CHECK_STR(password_refused(t, "kaikeishitsunomae"), "letters, digits and other characters must be mixed: at least two kinds");
	CHECK_STR(password_refused(t, "hakodate ringo 77"), "it was used before");
	CHECK(password_refused(t, "sapporo mikan 31") == NULL);
	CHECK(password_hash("sapporo mikan 31", other));
	CHECK_INT(account_password(&a, "tanaka", other, false, 2000), ACCOUNT_OK);
	/* Also the one before last. */
	CHECK_STR(password_refused(t, "hakodate ringo 77"), "it was used before");
	CHECK_STR(password_refused(t, "sapporo mikan 31"), "it was used before");
	close(dir);
}

int main(void)
{
	if (mkdtemp(place) == NULL)
		return 1;
	CHECK(password_hash("hakodate ringo 77", hash));
	test_names();
	test_changes();
	test_published();
	test_damaged();
	test_disk();
	test_passwords();
	char command[64];
	snprintf(command, sizeof(command), "rm -rf %s", place);
	if (system(command) != 0)
		printf("%s stays\n", place);
	return test_end();
}
