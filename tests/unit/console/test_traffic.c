/* test_traffic.c: the table of traffic: it adds, it is bounded, it is saved and read again, it becomes drafts. */
#include "draft.h"
#include "learn.h"
#include "traffic.h"

#include <sekisho/buf.h>
#include <sekisho/i18n.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test.h"

static struct talk talk(const char *client, const char *server, uint8_t l4, uint16_t port, enum application app)
{
	struct talk t = {.l4 = l4, .port = port, .application = (uint8_t)app, .flows = 1, .packets = 10, .bytes = 1000,
		.first = 1792000000, .last = 1792000060};

	CHECK(addr_parse(client, &t.client) && addr_parse(server, &t.server));
	return t;
}

static void add(struct traffic *t, const char *client, const char *server, uint8_t l4, uint16_t port, enum application app,
	const char *name)
{
	struct talk e = talk(client, server, l4, port, app);

	traffic_add(t, &e, name);
}

static struct traffic *some(void)
{
	struct traffic *t = traffic_new(100);

	add(t, "10.2.0.9", "192.0.2.80", IPPROTO_TCP, 443, APP_TLS, "www.example.jp");
	add(t, "10.2.0.9", "192.0.2.80", IPPROTO_TCP, 443, APP_TLS, "api.example.jp");
	add(t, "10.2.0.9", "192.0.2.80", IPPROTO_TCP, 443, APP_TLS, "www.example.jp");
	add(t, "10.2.0.9", "192.0.2.80", IPPROTO_TCP, 443, APP_SSH, "");
	add(t, "2001:db8::9", "2001:db8::53", IPPROTO_UDP, 53, APP_DNS, "");
	add(t, "10.2.0.9", "192.0.2.81", IPPROTO_TCP, 9999, APP_NONE, "");
	return t;
}

static void adds_up(void)
{
	struct traffic *t = some();

	CHECK_INT(traffic_count(t), 4);
	const struct talk *e = traffic_at(t, 0);
	CHECK_INT(e->flows, 3);
	CHECK_INT(e->packets, 30);
	CHECK_INT(e->nnames, 2);
	CHECK_STR(e->names[1], "api.example.jp");
	struct talk later = talk("10.2.0.9", "192.0.2.80", IPPROTO_TCP, 443, APP_TLS);
	later.first = 1791999999;
	later.last = 1792009999;
	traffic_add(t, &later, "");
	CHECK_INT(e->first, 1791999999);
	CHECK_INT(e->last, 1792009999);
	for (int i = 0; i < 20; i++) {
		char name[32];
		snprintf(name, sizeof(name), "n%d.example.jp", i);
		traffic_add(t, &later, name);
	}
	CHECK_INT(e->nnames, TRAFFIC_NAMES);
	CHECK(e->many_names);
	traffic_free(t);
}

static void is_bounded(void)
{
	struct traffic *t = traffic_new(1000);

	for (unsigned i = 0; i < 5000; i++) {
		char client[32];
		snprintf(client, sizeof(client), "10.9.%u.%u", i >> 8, i & 255);
		add(t, client, "10.1.0.1", IPPROTO_TCP, 443, APP_TLS, "");
	}
	CHECK_INT(traffic_count(t), 1000);
	CHECK_INT(traffic_left_out(t), 4000);
	/* What is there goes on being counted. */
	add(t, "10.9.0.5", "10.1.0.1", IPPROTO_TCP, 443, APP_TLS, "");
	CHECK_INT(traffic_at(t, 5)->flows, 2);
	traffic_free(t);
}

static int file_of(const char *text)
{
	int fd = memfd_create("learn", MFD_CLOEXEC);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

static void saved_and_read_again(void)
{
	struct traffic *t = some(), *again = traffic_new(100);
	struct buf a = {0}, b = {0};
	int fd = file_of("what was there before, and much longer than the table\n");
	int64_t since = 0;

	CHECK_INT(learn_save(fd, t, 1791990000), 0);
	CHECK_INT(lseek(fd, 0, SEEK_SET), 0);
	CHECK_INT(learn_load(fd, again, &since), 0);
	CHECK_INT(since, 1791990000);
	draft_print(&a, t, NULL, NULL);
	draft_print(&b, again, NULL, NULL);
	CHECK_STR(buf_str(&b), buf_str(&a));
	buf_free(&a);
	buf_free(&b);
	traffic_free(t);
	traffic_free(again);
	close(fd);
}

static void damage_is_told_by_line(void)
{
#define HEAD "sekisho-learn 1 100\n"
#define GOOD "10.2.0.9 192.0.2.80 tcp 443 tls 1 2 3 4 5 www.example.jp\n"
	static const struct {
		const char *text;
		int line;
	} cases[] = {{"", 0}, {HEAD, 0}, {HEAD GOOD, 0}, {"sekisho-learn 2 100\n", 1}, {GOOD, 1}, {HEAD GOOD "x\n", 3},
		{HEAD "10.2.0.9 192.0.2.80 tcp 443 tls 1 2 3 4\n", 2}, {HEAD "10.2.0.9 ::1 tcp 443 tls 1 2 3 4 5\n", 2},
		{HEAD "10.2.0.9 192.0.2.80 tcp 65536 tls 1 2 3 4 5\n", 2},
		{HEAD "10.2.0.9 192.0.2.80 tcp 443 quic 1 2 3 4 5\n", 2},
		{HEAD "10.2.0.9 192.0.2.80 tcp 443 tls -1 2 3 4 5\n", 2},
		{HEAD "10.2.0.9 192.0.2.80 tcp 443 tls 1 2 3 4 5", 2}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct traffic *t = traffic_new(10);
		int64_t since = 0;
		int fd = file_of(cases[i].text);
		CHECK_INT(learn_load(fd, t, &since), cases[i].line);
		close(fd);
		traffic_free(t);
	}
}

static void drafts(void)
{
	struct traffic *t = some();
	struct buf b = {0};

	/* A name that no schema takes is not written into a rule. */
	add(t, "10.2.0.9", "192.0.2.80", IPPROTO_TCP, 443, APP_TLS, "x\ny purpose \"z\".example");
	draft_print(&b, t, NULL, NULL);
	const char *s = buf_str(&b);
	CHECK(strstr(s, "set host host-10-2-0-9 segment \"\" address 10.2.0.9\n") != NULL);
	CHECK(strstr(s, "from host-10-2-0-9 to host-192-0-2-80 service tcp/443 application tls server-name www.example.jp "
			"server-name api.example.jp\n") != NULL);
	CHECK(strstr(s, "from host-2001-db8--9 to host-2001-db8--53 service udp/53 application dns\n") != NULL);
	CHECK(strstr(s, "purpose \"\" applicant \"\"\n") != NULL);
	CHECK(strstr(s, "Not one of the applications that can be verified") != NULL);
	CHECK(strstr(s, "service tcp/9999\n") != NULL);
	CHECK(strstr(s, "\ny purpose") == NULL);
	buf_free(&b);
	traffic_free(t);
}

int main(void)
{
	i18n_init("en");
	adds_up();
	is_bounded();
	saved_and_read_again();
	damage_is_told_by_line();
	drafts();
	return test_end();
}
