/* test_inspector.c: flows from their first packet to their last, with verifiers that are simple (toy.h). */
#include "gate.h"
#include "test.h"
#include "toy.h"

static const struct verify_policy accepts = {.application = TOY_ACCEPTS}, watches = {.application = TOY_WATCHES},
				  pinholes = {.application = TOY_PINHOLES}, datagrams = {.application = TOY_DATAGRAMS},
				  never = {.application = TOY_NEVER};

#define ASKS "Q\003abc", 5
#define ANSWERS "A\003abc", 5

/* A gate, a wire and a connection that is open. */
struct scene {
	struct gate g;
	struct traffic t;
	struct talk k;
	size_t told; /* frames that the gate has seen */
};

static void scene_new(struct scene *s, const struct verify_policy *policy)
{
	memset(s, 0, sizeof(*s));
	traffic_init(&s->t);
	talk_init(&s->k, &s->t, 40000, 22);
	gate_open(&s->g, policy, false);
}

/* Tells the gate what is new on the wire; the verdict of the last frame. */
static struct inspect_verdict tell(struct scene *s)
{
	for (; s->told < s->t.n; s->told++)
		gate_frame(&s->g, &s->t.v[s->told]);
	return s->g.last;
}

static void open_scene(struct scene *s, const struct verify_policy *policy)
{
	scene_new(s, policy);
	talk_open(&s->k);
	CHECK_INT(tell(s).code, INSPECT_FORWARD);
	CHECK_INT(s->g.code[INSPECT_FORWARD], 3);
}

static void close_scene(struct scene *s)
{
	CHECK_INT(inspector_counters(s->g.in)->packets, s->t.n);
	gate_close(&s->g);
	traffic_free(&s->t);
}

static struct inspect_verdict say(struct scene *s, char who, const void *p, size_t n)
{
	talk_say(&s->k, who, p, n);
	return tell(s);
}

/* One segment that is not what the connection would send next; its place in the stream stays. */
static struct inspect_verdict slip(struct scene *s, const struct segment *g, const void *p, size_t n)
{
	traffic_segment(&s->t, g, p, n);
	return tell(s);
}

static void expect(struct scene *s, struct inspect_verdict v, enum inspect_code code, enum inspect_why why)
{
	CHECK_INT(v.code, code);
	CHECK_STR(inspect_why_word(v.why), inspect_why_word(why));
	close_scene(s);
}

static void finish_passing(struct scene *s)
{
	say(s, 'c', ASKS);
	CHECK_INT(s->g.passed, 0);
	expect(s, say(s, 's', ANSWERS), INSPECT_PASS, WHY_NONE);
	CHECK_INT(s->g.refused, 0);
}

/* -- What is right ------------------------------------------------------------------------------------------- */

static void a_plain_conversation_passes(void)
{
	struct scene s;

	open_scene(&s, &accepts);
	say(&s, 'c', ASKS);
	say(&s, 's', ANSWERS);
	CHECK_INT(say(&s, 'c', "anything", 8).code, INSPECT_PASS);
	CHECK_INT(s.g.passed, 1);
	CHECK_INT(s.g.refused, 0);
	CHECK_STR(s.g.flow.server_name, "toy");
	CHECK_INT(s.g.flow.level, LEVEL_RELATES);
	CHECK_INT(s.g.flow.payload_packets[0], 1);
	CHECK_INT(s.g.flow.payload_packets[1], 1);
	CHECK_INT(s.g.flow.client_port, 40000);
	CHECK_INT(s.g.flow.tag, 22);
	CHECK_INT(s.g.ended, 0);
	close_scene(&s);
	CHECK_INT(s.g.ended, 1);
	CHECK_INT(s.g.over.bytes[0], 13);
	CHECK_INT(s.g.over.bytes[1], 5);
	CHECK_INT(s.g.over.packets[0], 5);
	CHECK_STR(s.g.over.server_name, "toy");
}

static void nothing_passes_before_the_acknowledgement(void)
{
	struct scene s;

	open_scene(&s, &accepts);
	say(&s, 'c', ASKS);
	s.k.quiet = true;
	CHECK_INT(say(&s, 's', ANSWERS).code, INSPECT_FORWARD);
	CHECK_INT(s.g.passed, 0);
	talk_ack(&s.k, 'c');
	CHECK_INT(tell(&s).code, INSPECT_PASS);
	close_scene(&s);
}

static void one_byte_a_segment(void)
{
	struct scene s;

	open_scene(&s, &accepts);
	s.k.mss = 1;
	finish_passing(&s);
}

static void numbers_that_wrap(void)
{
	for (uint32_t before = 0; before < 12; before++) {
		struct scene s;
		scene_new(&s, &accepts);
		s.k.seq[0] = 0u - before;
		s.k.seq[1] = 3u - before;
		s.k.clock = 0xfffffffe;
		s.k.mss = 2;
		talk_open(&s.k);
		finish_passing(&s);
	}
}

static void out_of_order(void)
{
	struct scene s;

	open_scene(&s, &accepts);
	struct segment first = talk_segment(&s.k, 'c'), second = first;
	second.seq += 2;
	CHECK_INT(slip(&s, &second, "abc", 3).code, INSPECT_FORWARD);
	CHECK_INT(slip(&s, &second, "abc", 3).code, INSPECT_FORWARD);
	CHECK_INT(slip(&s, &first, "Q\003", 2).code, INSPECT_FORWARD);
	s.k.seq[0] += 5;
	talk_ack(&s.k, 's');
	expect(&s, say(&s, 's', ANSWERS), INSPECT_PASS, WHY_NONE);
}

static void equal_repetitions_pass(void)
{
	struct scene s;

	open_scene(&s, &accepts);
	struct segment again = talk_segment(&s.k, 'c');
	s.k.quiet = true;
	say(&s, 'c', ASKS);
	CHECK_INT(slip(&s, &again, "Q\003abc", 5).code, INSPECT_FORWARD);
	again.seq += 1;
	CHECK_INT(slip(&s, &again, "\003ab", 3).code, INSPECT_FORWARD);
	talk_ack(&s.k, 's');
	s.k.quiet = false;
	expect(&s, say(&s, 's', ANSWERS), INSPECT_PASS, WHY_NONE);
}

/* RFC 1122 4.2.3.6: one byte of rubbish before the next one, or none. */
static void keep_alive(void)
{
	struct scene s;

	open_scene(&s, &accepts);
	say(&s, 'c', ASKS);
	struct segment alive = talk_segment(&s.k, 'c');
	alive.seq--;
	CHECK_INT(slip(&s, &alive, "\0", 1).code, INSPECT_FORWARD);
	CHECK_INT(slip(&s, &alive, NULL, 0).code, INSPECT_FORWARD);
	expect(&s, say(&s, 's', ANSWERS), INSPECT_PASS, WHY_NONE);
}

/* A card's large segment: the answer and 60 000 bytes behind it, which nobody needs to see. */
static void a_large_segment(void)
{
	static uint8_t large[60000] = "A\003abc";
	struct scene s;

	open_scene(&s, &accepts);
	say(&s, 'c', ASKS);
	s.k.mss = sizeof(large);
	CHECK_INT(say(&s, 's', large, sizeof(large)).code, INSPECT_PASS);
	CHECK_INT(inspector_counters(s.g.in)->prefix_bytes_now, 64); /* the name */
	close_scene(&s);
}

static void repeated_opening(void)
{
	struct scene s;

	scene_new(&s, &accepts);
	struct segment syn = talk_segment(&s.k, 'c'), answer;
	syn.flags = PACKET_SYN;
	syn.wscale = 7;
	for (int i = 0; i < 3; i++)
		CHECK_INT(slip(&s, &syn, NULL, 0).code, INSPECT_FORWARD);
	s.k.seq[0]++;
	answer = talk_segment(&s.k, 's');
	answer.flags = PACKET_SYN | PACKET_ACK;
	answer.wscale = 7;
	CHECK_INT(slip(&s, &answer, NULL, 0).code, INSPECT_FORWARD);
	CHECK_INT(slip(&s, &answer, NULL, 0).code, INSPECT_FORWARD);
	s.k.seq[1]++;
	talk_ack(&s.k, 'c');
	CHECK_INT(slip(&s, &answer, NULL, 0).code, INSPECT_FORWARD);
	finish_passing(&s);
}

/* RFC 5961 4: the server still knows an old connection, and says where it is. */
static void challenge(void)
{
	struct scene s;

	scene_new(&s, &accepts);
	struct segment syn = talk_segment(&s.k, 'c'), old = talk_segment(&s.k, 's'), reset;
	syn.flags = PACKET_SYN;
	CHECK_INT(slip(&s, &syn, NULL, 0).code, INSPECT_FORWARD);
	old.ack = 77777;
	CHECK_INT(slip(&s, &old, NULL, 0).code, INSPECT_FORWARD);
	reset = syn;
	reset.flags = PACKET_RST;
	reset.seq = 77777;
	CHECK_INT(slip(&s, &reset, NULL, 0).code, INSPECT_FORWARD);
	reset.seq = 77778;
	CHECK_INT(slip(&s, &reset, NULL, 0).code, INSPECT_DROP);
	talk_open(&s.k);
	finish_passing(&s);
}

static void a_closed_connection_begins_anew(void)
{
	struct scene s;

	open_scene(&s, &accepts);
	say(&s, 'c', ASKS);
	say(&s, 's', ANSWERS);
	talk_close(&s.k, 'c');
	talk_close(&s.k, 's');
	CHECK_INT(tell(&s).code, INSPECT_PASS);
	s.k.seq[0] = 900000;
	talk_open(&s.k);
	CHECK_INT(tell(&s).code, INSPECT_FORWARD);
	CHECK_INT(s.g.ended, 1);
	CHECK_INT(say(&s, 'c', "GET / HTTP/1.1\r\n", 16).code, INSPECT_REFUSE);
	close_scene(&s);
}

static void closing_decides_nothing(void)
{
	struct scene s;

	open_scene(&s, &accepts);
	say(&s, 'c', ASKS);
	talk_close(&s.k, 'c');
	talk_close(&s.k, 's');
	CHECK_INT(tell(&s).code, INSPECT_FORWARD);
	close_scene(&s);
	CHECK_INT(s.g.passed + s.g.refused, 0);
	CHECK_INT(s.g.over.code, INSPECT_FORWARD);
	CHECK_INT(s.g.over.why, WHY_ENDED);
	CHECK_INT(s.g.over.level, LEVEL_PREFIX);
}

static void the_answer_may_come_with_the_end(void)
{
	struct scene s;

	open_scene(&s, &accepts);
	say(&s, 'c', ASKS);
	struct segment last = talk_segment(&s.k, 's');
	last.flags |= PACKET_FIN;
	CHECK_INT(slip(&s, &last, "A\003abc", 5).code, INSPECT_FORWARD);
	s.k.seq[1] += 6;
	talk_close(&s.k, 'c');
	CHECK_INT(tell(&s).code, INSPECT_PASS);
	close_scene(&s);
}

/* -- What deceives -------------------------------------------------------------------------------------------- */

static void the_first_wrong_byte_refuses(void)
{
	struct scene s;

	open_scene(&s, &accepts);
	struct inspect_verdict v = say(&s, 'c', "GET / HTTP/1.1\r\n", 16);
	CHECK_INT(s.g.refused, 1);
	CHECK_INT(s.g.flow.why, WHY_PROTOCOL);
	expect(&s, v, INSPECT_REFUSE, WHY_PROTOCOL);
}

static void a_refused_flow_stays_refused(void)
{
	struct scene s;

	open_scene(&s, &accepts);
	say(&s, 'c', "x", 1);
	CHECK_INT(say(&s, 'c', ASKS).code, INSPECT_REFUSE);
	CHECK_INT(s.g.refused, 1);
	CHECK_INT(inspector_counters(s.g.in)->why[WHY_PROTOCOL], 1);
	close_scene(&s);
}

/* The decoy dies on the way (TTL), or the other end ignores it (MD5 option): then other bytes take its place. */
static void a_decoy_then_other_bytes(void)
{
	for (unsigned md5 = 0; md5 < 2; md5++) {
		struct scene s;
		open_scene(&s, &accepts);
		struct segment decoy = talk_segment(&s.k, 'c');
		decoy.ttl = 2;
		decoy.md5 = md5 != 0;
		CHECK_INT(slip(&s, &decoy, "Q\003abc", 5).code, INSPECT_FORWARD);
		expect(&s, say(&s, 'c', "EVIL!", 5), INSPECT_REFUSE, WHY_OVERLAP);
	}
}

static void a_decoy_that_nobody_acknowledges(void)
{
	struct scene s;

	open_scene(&s, &accepts);
	struct segment question = talk_segment(&s.k, 'c'), answer = talk_segment(&s.k, 's');
	slip(&s, &question, "Q\003abc", 5);
	CHECK_INT(slip(&s, &answer, "A\003abc", 5).code, INSPECT_FORWARD);
	question.ack += 5;
	question.seq += 5;
	CHECK_INT(slip(&s, &question, NULL, 0).code, INSPECT_FORWARD);
	CHECK_INT(s.g.passed, 0);
	inspector_tick(s.g.in, s.t.now + INT64_C(16000000000));
	CHECK_INT(s.g.refused, 1);
	expect(&s, slip(&s, &question, "and now", 7), INSPECT_REFUSE, WHY_SLOW);
}

static void decoys_that_are_dropped(void)
{
	struct scene s;

	open_scene(&s, &accepts);
	s.k.clock += 10;
	struct segment d = talk_segment(&s.k, 'c');
	talk_ack(&s.k, 'c');
	tell(&s);
	d.bad_checksum = true;
	CHECK_INT(slip(&s, &d, "EVIL!", 5).why, WHY_CHECKSUM);
	d = talk_segment(&s.k, 'c');
	d.ts_val -= 5;
	CHECK_INT(slip(&s, &d, "EVIL!", 5).why, WHY_TIMESTAMP);
	d.has_ts = false;
	CHECK_INT(slip(&s, &d, "EVIL!", 5).why, WHY_TIMESTAMP);
	d = talk_segment(&s.k, 'c');
	d.flags = PACKET_PSH | PACKET_FIN;
	CHECK_INT(slip(&s, &d, "EVIL!", 5).why, WHY_HANDSHAKE);
	d = talk_segment(&s.k, 'c');
	d.ack += 1;
	CHECK_INT(slip(&s, &d, "EVIL!", 5).why, WHY_WINDOW);
	d = talk_segment(&s.k, 'c');
	d.seq += 64000u << 7;
	CHECK_INT(slip(&s, &d, "EVIL!", 5).why, WHY_WINDOW);
	CHECK_INT(s.g.code[INSPECT_DROP], 6);
	finish_passing(&s);
	CHECK_INT(s.g.flow.code, INSPECT_PASS);
}

static void the_window_is_scaled_as_agreed(void)
{
	struct scene s;

	scene_new(&s, &accepts);
	s.k.wscale[1] = -1; /* the server does not scale, so nobody does */
	talk_open(&s.k);
	struct segment d = talk_segment(&s.k, 'c');
	d.seq += 64000;
	CHECK_INT(slip(&s, &d, "xyz", 3).why, WHY_WINDOW);
	d.seq -= 10;
	CHECK_INT(slip(&s, &d, "xyz", 3).code, INSPECT_FORWARD);
	close_scene(&s);
	/* A scale above 14 counts as 14 (RFC 7323 2.3). */
	scene_new(&s, &accepts);
	s.k.wscale[0] = 15;
	s.k.window[0] = 2;
	talk_open(&s.k);
	say(&s, 'c', ASKS);
	d = talk_segment(&s.k, 's');
	d.seq += 2u << 14;
	CHECK_INT(slip(&s, &d, "xyz", 3).why, WHY_WINDOW);
	d.seq -= 3;
	CHECK_INT(slip(&s, &d, "xyz", 3).code, INSPECT_FORWARD);
	close_scene(&s);
}

static void overlaps(void)
{
	struct scene s;

	/* Behind the next byte: differing copies out of order. */
	open_scene(&s, &accepts);
	struct segment d = talk_segment(&s.k, 'c');
	d.seq += 2;
	slip(&s, &d, "abc", 3);
	d.seq += 1;
	expect(&s, slip(&s, &d, "XYZ", 3), INSPECT_REFUSE, WHY_OVERLAP);
	/* A segment in order that reaches into what is held. */
	open_scene(&s, &accepts);
	d = talk_segment(&s.k, 'c');
	d.seq += 3;
	slip(&s, &d, "bc", 2);
	expect(&s, say(&s, 'c', "Q\003aXc", 5), INSPECT_REFUSE, WHY_OVERLAP);
	/* A repetition that grows. */
	open_scene(&s, &accepts);
	d = talk_segment(&s.k, 'c');
	slip(&s, &d, "Q\003a", 3);
	expect(&s, slip(&s, &d, "Q\003Xbc", 5), INSPECT_REFUSE, WHY_OVERLAP);
	/* One that is acknowledged: what the other end has is settled. */
	open_scene(&s, &accepts);
	d = talk_segment(&s.k, 'c');
	say(&s, 'c', ASKS);
	CHECK_INT(slip(&s, &d, "EVIL!", 5).code, INSPECT_FORWARD);
	expect(&s, say(&s, 's', ANSWERS), INSPECT_PASS, WHY_NONE);
}

static void urgent_data(void)
{
	struct scene s;

	open_scene(&s, &accepts);
	struct segment d = talk_segment(&s.k, 'c');
	d.flags |= PACKET_URG;
	d.urgent = 1;
	expect(&s, slip(&s, &d, "XQ\003abc", 6), INSPECT_REFUSE, WHY_URGENT);
}

static void data_in_the_syn(void)
{
	struct verify_policy fast = accepts;
	struct scene s;

	fast.options = VERIFY_FAST_OPEN;
	for (unsigned allowed = 0; allowed < 2; allowed++) {
		scene_new(&s, allowed != 0 ? &fast : &accepts);
		struct segment d = talk_segment(&s.k, 'c');
		d.flags = PACKET_SYN;
		d.wscale = 7;
		struct inspect_verdict v = slip(&s, &d, "Q\003abc", 5);
		if (allowed == 0) {
			expect(&s, v, INSPECT_REFUSE, WHY_SYN_DATA);
			continue;
		}
		CHECK_INT(v.code, INSPECT_FORWARD);
		s.k.seq[0] += 6;
		d = talk_segment(&s.k, 's');
		d.flags |= PACKET_SYN;
		d.wscale = 7;
		slip(&s, &d, NULL, 0);
		s.k.seq[1]++;
		expect(&s, say(&s, 's', ANSWERS), INSPECT_PASS, WHY_NONE);
	}
	/* The server did not take the data: it comes again, and must be the same. */
	scene_new(&s, &fast);
	struct segment d = talk_segment(&s.k, 'c');
	d.flags = PACKET_SYN;
	slip(&s, &d, "Q\003abc", 5);
	s.k.seq[0]++;
	d = talk_segment(&s.k, 's');
	d.flags |= PACKET_SYN;
	slip(&s, &d, NULL, 0);
	s.k.seq[1]++;
	talk_ack(&s.k, 'c');
	expect(&s, say(&s, 'c', "EVIL!", 5), INSPECT_REFUSE, WHY_OVERLAP);
}

static void openings_that_are_none(void)
{
	struct scene s;

	/* SYN against SYN: simultaneous, or the split opening. */
	scene_new(&s, &accepts);
	struct segment d = talk_segment(&s.k, 'c');
	d.flags = PACKET_SYN;
	slip(&s, &d, NULL, 0);
	d = talk_segment(&s.k, 's');
	d.flags = PACKET_SYN;
	expect(&s, slip(&s, &d, NULL, 0), INSPECT_REFUSE, WHY_HANDSHAKE);
	/* An answer to another SYN; data before the third step; the third step with a wrong number. */
	scene_new(&s, &accepts);
	d = talk_segment(&s.k, 'c');
	d.flags = PACKET_SYN;
	slip(&s, &d, NULL, 0);
	s.k.seq[0]++;
	d = talk_segment(&s.k, 's');
	d.flags = PACKET_SYN | PACKET_ACK;
	d.ack += 3;
	CHECK_INT(slip(&s, &d, NULL, 0).why, WHY_HANDSHAKE);
	CHECK_INT(say(&s, 'c', ASKS).why, WHY_NONE);
	s.k.seq[0] -= 5;
	d.ack -= 3;
	CHECK_INT(slip(&s, &d, NULL, 0).code, INSPECT_FORWARD);
	s.k.seq[1]++;
	d = talk_segment(&s.k, 's');
	CHECK_INT(slip(&s, &d, "A\003abc", 5).why, WHY_HANDSHAKE);
	d = talk_segment(&s.k, 'c');
	d.ack++;
	CHECK_INT(slip(&s, &d, NULL, 0).why, WHY_HANDSHAKE);
	talk_ack(&s.k, 'c');
	finish_passing(&s);
}

static void resets(void)
{
	struct scene s;

	open_scene(&s, &accepts);
	struct segment d = talk_segment(&s.k, 's');
	d.flags = PACKET_RST;
	d.seq += 100;
	CHECK_INT(slip(&s, &d, NULL, 0).why, WHY_RESET);
	d.seq -= 101;
	CHECK_INT(slip(&s, &d, NULL, 0).why, WHY_RESET);
	say(&s, 'c', ASKS);
	say(&s, 's', ANSWERS);
	CHECK_INT(s.g.passed, 1);
	close_scene(&s);
	open_scene(&s, &accepts);
	say(&s, 'c', ASKS);
	d = talk_segment(&s.k, 's');
	d.flags = PACKET_RST;
	CHECK_INT(slip(&s, &d, NULL, 0).code, INSPECT_FORWARD);
	/* The place is free again: another connection is verified from its beginning. */
	s.k.seq[0] += 1000000;
	talk_open(&s.k);
	expect(&s, say(&s, 'c', "EVIL!", 5), INSPECT_REFUSE, WHY_PROTOCOL);
}

static void ends_that_contradict(void)
{
	struct scene s;

	open_scene(&s, &accepts);
	talk_close(&s.k, 'c');
	tell(&s);
	expect(&s, say(&s, 'c', ASKS), INSPECT_REFUSE, WHY_OVERLAP);
	open_scene(&s, &accepts);
	struct segment d = talk_segment(&s.k, 'c');
	d.flags |= PACKET_FIN;
	d.seq += 5;
	CHECK_INT(slip(&s, &d, NULL, 0).code, INSPECT_FORWARD);
	d.seq -= 2;
	expect(&s, slip(&s, &d, NULL, 0), INSPECT_REFUSE, WHY_OVERLAP);
	/* The end out of order, and then what comes before it. */
	open_scene(&s, &accepts);
	d.seq += 2;
	slip(&s, &d, NULL, 0);
	say(&s, 'c', ASKS);
	CHECK_INT(say(&s, 's', ANSWERS).code, INSPECT_PASS);
	close_scene(&s);
}

static void midstream(void)
{
	struct scene s;

	scene_new(&s, &accepts);
	expect(&s, say(&s, 'c', ASKS), INSPECT_REFUSE, WHY_MIDSTREAM);
}

static void no_policy(void)
{
	struct scene s;

	scene_new(&s, NULL);
	talk_open(&s.k);
	tell(&s);
	CHECK_INT(s.g.refused, 1); /* once, however often it asks */
	CHECK_INT(s.g.code[INSPECT_REFUSE], 3);
	CHECK_INT(s.g.flow.why, WHY_NO_POLICY);
	close_scene(&s);
}

static void another_name(void)
{
	static const char *const names[] = {"other"};
	struct verify_policy policy = accepts;
	struct scene s;

	policy.server_names = (struct verify_list){names, 1};
	open_scene(&s, &policy);
	say(&s, 'c', ASKS);
	s.k.quiet = true;
	struct inspect_verdict v = say(&s, 's', ANSWERS);
	CHECK_INT(v.seen, TOY_ACCEPTS);
	expect(&s, v, INSPECT_REFUSE, WHY_SERVER_NAME);
}

/* What it rather was: here the protocol of another rule. */
static void what_was_seen(void)
{
	static const struct verify_policy other = {.application = APP_TLS};
	struct scene s;

	open_scene(&s, &other); /* no verifier for it: refused with the first byte */
	struct inspect_verdict v = say(&s, 'c', ASKS);
	expect(&s, v, INSPECT_REFUSE, WHY_NO_POLICY);
	open_scene(&s, &datagrams);
	expect(&s, say(&s, 'c', ASKS), INSPECT_REFUSE, WHY_NO_POLICY);
}

/* -- Limits --------------------------------------------------------------------------------------------------- */

static void too_many_turns(void)
{
	struct scene s;

	open_scene(&s, &never);
	for (int i = 0; i < 8; i++) {
		CHECK_INT(say(&s, 'c', "x", 1).code, INSPECT_FORWARD);
		CHECK_INT(say(&s, 'c', "x", 1).code, INSPECT_FORWARD);
		CHECK_INT(say(&s, 's', "yy", 2).code, INSPECT_FORWARD);
	}
	s.k.quiet = true;
	expect(&s, say(&s, 'c', "x", 1), INSPECT_REFUSE, WHY_MANY_PACKETS);
}

static void too_many_bytes(void)
{
	static const size_t sizes[] = {1, 7, 536, 1448, 20000};
	static uint8_t bytes[16385];

	for (size_t i = 0; i < 5; i++) {
		struct scene s;
		open_scene(&s, &never);
		s.k.mss = sizes[i];
		s.t.gap = 1000;
		if (sizes[i] < 16384) {
			CHECK_INT(say(&s, 'c', bytes, 16384).code, INSPECT_FORWARD);
			expect(&s, (s.k.quiet = true, say(&s, 'c', bytes, 1)), INSPECT_REFUSE, WHY_MANY_BYTES);
		} else {
			s.k.quiet = true;
			expect(&s, say(&s, 'c', bytes, 16385), INSPECT_REFUSE, WHY_MANY_BYTES);
		}
	}
}

static void too_much_out_of_order(void)
{
	static uint8_t bytes[1448];
	struct scene s;
	unsigned dropped = 0;

	open_scene(&s, &accepts);
	struct segment d = talk_segment(&s.k, 'c');
	d.seq += 5;
	for (int i = 0; i < 20; i++, d.seq += 1448)
		dropped += slip(&s, &d, bytes, 1448).code == INSPECT_DROP;
	CHECK_INT(dropped, 20 - 16384 / 1448);
	CHECK(inspector_counters(s.g.in)->prefix_bytes_now < 48 * 1024);
	finish_passing(&s);
}

static void too_slow(void)
{
	struct scene s;

	open_scene(&s, &accepts);
	s.t.now += INT64_C(60000000000); /* a quiet connection may wait before its first byte */
	say(&s, 'c', "Q", 1);
	s.t.now += INT64_C(14000000000);
	CHECK_INT(say(&s, 'c', "\003", 1).code, INSPECT_FORWARD);
	s.t.now += INT64_C(1000000000);
	expect(&s, say(&s, 'c', "abc", 3), INSPECT_REFUSE, WHY_SLOW);
}

/* -- Decided, and looked at for ever ---------------------------------------------------------------------------- */

static void watched_for_ever(void)
{
	struct scene s;

	open_scene(&s, &watches);
	for (int i = 0; i < 40; i++) {
		CHECK_INT(say(&s, 'c', ASKS).code, INSPECT_FORWARD);
		CHECK_INT(say(&s, 's', ANSWERS).code, INSPECT_FORWARD);
		s.t.now += INT64_C(5000000000);
	}
	CHECK_INT(s.g.passed, 1);
	CHECK_INT(s.g.flow.code, INSPECT_FORWARD);
	CHECK_INT(s.g.flow.level, LEVEL_RELATES);
	s.k.quiet = true;
	struct inspect_verdict v = say(&s, 'c', "EVIL!", 5);
	CHECK_INT(s.g.passed, 1);
	expect(&s, v, INSPECT_REFUSE, WHY_PROTOCOL);
	CHECK_INT(s.g.over.code, INSPECT_REFUSE);
}

/* Much in flight of a watched flow: all of it can be compared, and what can not be kept is sent again. */
static void watched_in_bulk(void)
{
	static uint8_t bulk[50 * 1024];
	struct scene s;
	unsigned dropped = 0;

	for (size_t i = 0; i + 5 <= sizeof(bulk); i += 5)
		memcpy(bulk + i, "Q\003abc", 5);
	open_scene(&s, &watches);
	say(&s, 'c', ASKS);
	say(&s, 's', ANSWERS);
	/* Questions without answers are out of order for the toy, so the bulk is one side's only as far as it is held. */
	struct segment d = talk_segment(&s.k, 'c');
	for (int i = 0; i < 6; i++, d.seq += sizeof(bulk)) {
		d.seq += i == 0;
		dropped += slip(&s, &d, bulk, sizeof(bulk)).code == INSPECT_DROP;
	}
	CHECK_INT(dropped, 1);
	d = talk_segment(&s.k, 'c');
	d.seq += 1 + 3 * 50 * 1024;
	CHECK_INT(slip(&s, &d, bulk, 1000).code, INSPECT_FORWARD);
	bulk[999] ^= 1;
	expect(&s, slip(&s, &d, bulk, 1000), INSPECT_REFUSE, WHY_OVERLAP);
}

static void pinhole(void)
{
	struct scene s;

	open_scene(&s, &pinholes);
	say(&s, 'c', ASKS);
	say(&s, 's', ANSWERS);
	CHECK_INT(say(&s, 'c', "Q\001!", 3).code, INSPECT_FORWARD);
	CHECK_INT(s.g.pinholes, 1);
	CHECK_INT(s.g.pinhole.port, 2000);
	CHECK_INT(s.g.pinhole.tag, 22);
	CHECK_INT(s.g.pinhole.server.b[1], 2);
	say(&s, 's', "A\001!", 3);
	s.k.quiet = true;
	expect(&s, say(&s, 'c', "Q\001?", 3), INSPECT_REFUSE, WHY_DATA_CHANNEL);
}

/* -- Datagrams ------------------------------------------------------------------------------------------------- */

static struct inspect_verdict datagram(struct scene *s, char who, const void *p, size_t n)
{
	unsigned me = who == 's';

	traffic_datagram(&s->t, &s->k.end[me], &s->k.end[!me], s->k.port[me], s->k.port[!me], p, n);
	return tell(s);
}

static void datagrams_are_looked_at_for_ever(void)
{
	struct scene s;

	scene_new(&s, &datagrams);
	for (int i = 0; i < 20; i++) {
		CHECK_INT(datagram(&s, 'c', ASKS).code, INSPECT_FORWARD);
		CHECK_INT(datagram(&s, 's', ANSWERS).code, INSPECT_FORWARD);
	}
	CHECK_INT(s.g.passed, 1);
	CHECK_INT(datagram(&s, 's', "A\003abd", 5).code, INSPECT_DROP);
	CHECK_INT(datagram(&s, 's', ANSWERS).code, INSPECT_FORWARD);
	expect(&s, datagram(&s, 'c', "Q\003abcd", 6), INSPECT_REFUSE, WHY_LENGTH);
}

static void one_way(void)
{
	struct verify_policy policy = datagrams;
	struct scene s;

	policy.one_way = true;
	scene_new(&s, &policy);
	CHECK_INT(datagram(&s, 'c', ASKS).code, INSPECT_FORWARD);
	expect(&s, datagram(&s, 's', ANSWERS), INSPECT_REFUSE, WHY_ONE_WAY_ANSWER);
}

/* -- Without rules, and with captures ----------------------------------------------------------------------------- */

static void identification(void)
{
	struct inspect_options o = {.flows = 64, .secret = "x"};
	struct scene s;

	scene_new(&s, NULL);
	gate_close(&s.g);
	gate_open_with(&s.g, NULL, &o, true);
	talk_open(&s.k);
	say(&s, 'c', ASKS);
	CHECK_INT(say(&s, 's', ANSWERS).code, INSPECT_PASS);
	CHECK_INT(s.g.flow.application, TOY_ACCEPTS);
	CHECK_INT(s.g.flow.level, LEVEL_RELATES);
	CHECK_STR(s.g.flow.server_name, "toy");
	/* The same words on another's port: equal levels, so the port tells. */
	talk_init(&s.k, &s.t, 40001, 25);
	talk_open(&s.k);
	say(&s, 'c', ASKS);
	say(&s, 's', ANSWERS);
	CHECK_INT(s.g.flow.application, TOY_WATCHES);
	/* Bytes of nobody; never refused. */
	talk_init(&s.k, &s.t, 40002, 4444);
	datagram(&s, 'c', "zzz", 3);
	CHECK_INT(s.g.last.code, INSPECT_PASS);
	CHECK_INT(s.g.flow.application, APP_NONE);
	CHECK_INT(s.g.refused, 0);
	close_scene(&s);
	CHECK_INT(s.g.ended, 3);
}

static void lenient_captures(void)
{
	struct scene s;

	scene_new(&s, NULL);
	gate_close(&s.g);
	gate_open(&s.g, &accepts, true);
	s.k.quiet = true;
	struct segment d = talk_segment(&s.k, 'c');
	d.bad_checksum = true;
	CHECK_INT(slip(&s, &d, "Q\003abc", 5).code, INSPECT_FORWARD);
	CHECK_INT(say(&s, 's', ANSWERS).code, INSPECT_PASS);
	CHECK_INT(s.g.flow.client_port, 40000);
	/* The server is seen first: its port says who it is. */
	talk_init(&s.k, &s.t, 40001, 22);
	talk_ack(&s.k, 's');
	say(&s, 'c', ASKS);
	CHECK_INT(say(&s, 's', ANSWERS).code, INSPECT_PASS);
	CHECK_INT(s.g.flow.client_port, 40001);
	close_scene(&s);
}

/* -- New policies --------------------------------------------------------------------------------------------------- */

static const struct verify_policy *renewed;

static const struct verify_policy *renew(void *arg, const struct inspect_flow *f, uint32_t *ret_tag)
{
	(void)arg;
	*ret_tag = f->tag + 1;
	return renewed;
}

static void new_policies(void)
{
	static const struct verify_policy same = {.application = TOY_ACCEPTS};
	static const struct verify_policy *const cases[] = {&same, NULL, &watches};

	for (unsigned when = 0; when < 2; when++) {
		for (size_t i = 0; i < 3; i++) {
			struct scene s;
			renewed = cases[i];
			open_scene(&s, &accepts);
			if (when == 1)
				say(&s, 'c', "Q", 1);
			inspector_policies(s.g.in, renew, NULL);
			say(&s, 'c', when == 1 ? "\003abc" : "Q\003abc", when == 1 ? 4 : 5);
			struct inspect_verdict v = say(&s, 's', ANSWERS);
			CHECK_INT(s.g.flow.tag, i == 0 ? 23 : 22);
			expect(&s, v, i == 0 ? INSPECT_PASS : INSPECT_REFUSE, i == 0 ? WHY_NONE : WHY_NO_POLICY);
		}
	}
}

/* Few places and fewer ports: flows end, begin anew and give way within one batch, whose look-ahead is then wrong. */
static void batches_are_as_one_by_one(void)
{
	static const uint8_t flags[] = {PACKET_SYN, PACKET_SYN, PACKET_SYN | PACKET_ACK, PACKET_ACK, PACKET_RST,
		PACKET_FIN | PACKET_ACK, PACKET_ACK | PACKET_PSH};
	struct inspect_options o = {.flows = 16, .secret = "0123456789abcde", .keep_passed = true};
	struct gate one, many;
	struct packet p[50];
	uint32_t random = 1;

	gate_open_with(&one, &accepts, &o, false);
	gate_open_with(&many, &accepts, &o, false);
	for (unsigned batch = 0; batch < 400; batch++) {
		for (unsigned i = 0; i < 50; i++) {
			random = random * 1664525 + 1013904223;
			bool back = (random >> 8 & 3) == 0;
			uint16_t port = (uint16_t)(1024 + (random >> 10) % (batch % 2 ? 3 : 40));
			p[i] = (struct packet){.at = (int64_t)(batch * 50 + i) * 10000000, .kind = PACKET_TCP, .l4 = 6,
				.seq = random >> 16 & 1, .ack = 1, .wscale = 0xff, .window = 1000,
				.flags = flags[(random >> 20) % sizeof(flags)],
				.sport = back ? 80 : port, .dport = back ? port : 80};
			addr_parse(back ? "10.0.0.2" : "10.0.0.1", &p[i].src);
			addr_parse(back ? "10.0.0.1" : "10.0.0.2", &p[i].dst);
			inspector_packet(one.in, &p[i]);
		}
		inspector_packets(many.in, p, 50);
	}
	CHECK(memcmp(inspector_counters(one.in), inspector_counters(many.in), sizeof(struct inspect_counters)) == 0);
	CHECK(inspector_counters(one.in)->flows > 1000 && inspector_counters(one.in)->evicted > 100);
	gate_close(&one);
	gate_close(&many);
	CHECK_INT(one.ended, many.ended);
}

int main(void)
{
	a_plain_conversation_passes();
	nothing_passes_before_the_acknowledgement();
	one_byte_a_segment();
	numbers_that_wrap();
	out_of_order();
	equal_repetitions_pass();
	keep_alive();
	a_large_segment();
	repeated_opening();
	challenge();
	a_closed_connection_begins_anew();
	closing_decides_nothing();
	the_answer_may_come_with_the_end();
	the_first_wrong_byte_refuses();
	a_refused_flow_stays_refused();
	a_decoy_then_other_bytes();
	a_decoy_that_nobody_acknowledges();
	decoys_that_are_dropped();
	the_window_is_scaled_as_agreed();
	overlaps();
	urgent_data();
	data_in_the_syn();
	openings_that_are_none();
	resets();
	ends_that_contradict();
	midstream();
	no_policy();
	another_name();
	what_was_seen();
	too_many_turns();
	too_many_bytes();
	too_much_out_of_order();
	too_slow();
	watched_for_ever();
	watched_in_bulk();
	pinhole();
	datagrams_are_looked_at_for_ever();
	one_way();
	identification();
	lenient_captures();
	new_policies();
	batches_are_as_one_by_one();
	return test_end();
}
