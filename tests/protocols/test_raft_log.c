/* Raft's log as stories. Raft 5.3, 5.4.2; figure 2, AppendEntries; figure 8.
 *
 * Where a story needs a certain candidate at a certain time, election timeouts are off and the test makes
 * the candidate. */
#include "raft.h"

static void campaign(struct cluster *cluster, uint32_t node)
{
	raft_campaign(cluster_node(cluster, node));
}

static void normal_case(void **state)
{
	struct cluster *cluster = create("raft", 3);
	cluster_submit(cluster, 5 * MS, 0, 7);
	cluster_run(cluster, 500 * MS);
	cluster_assert_story(cluster, "n0 appends 1 in view 1 [7]", "n1 appends 1 in view 1 [7]",
		"n2 appends 1 in view 1 [7]", "n0 commits 1 in view 1 [7]", "n0 executes 1 in view 1 [7]",
		"n1 commits 1 in view 1 [7]", "n2 executes 1 in view 1 [7]");
	assert_int_equal(cluster_committed(cluster, 0, 1)->at_ns, 25 * MS); /* 2d after the proposal */
	assert_int_equal(cluster_replies(cluster, 7), 1);                   /* the leader's alone */
	assert_int_equal(cluster->nodes[0].n_replies, 1);
	assert_int_equal(cluster->world.messages[CLASS_AGREEMENT], 4);
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* A follower, asked, says who leads; and the leader executes a command once, however often it is sent. */
static void once(void **state)
{
	struct cluster *cluster = create("raft", 3);
	cluster_submit(cluster, 0, 1, 7); /* hint */
	cluster_submit(cluster, 10 * MS, 0, 7);
	cluster_submit(cluster, 12 * MS, 0, 7); /* in the log, not yet committed */
	cluster_submit(cluster, 50 * MS, 0, 7); /* executed */
	cluster_run(cluster, 500 * MS);
	cluster_assert_story(cluster, "n1 request at a follower -> answer with the leader",
		"n0 proposes 1 in view 1 [7]", "n0 request already in the log -> ignore",
		"n0 executes 1 in view 1 [7]", "n0 request already executed -> resend reply");
	assert_int_equal(cluster->nodes[0].n_executed, 1);
	assert_int_equal(cluster->nodes[0].n_proposed, 1);
	assert_int_equal(cluster->nodes[0].n_replies, 2);
	cluster_destroy(cluster);
}

/* A command that an old leader has left in the logs is not put there twice by the next. */
static void once_across_leaders(void **state)
{
	struct cluster *cluster = create("raft election_timeout=off", 3);
	cluster_submit(cluster, 0, 0, 7);
	cluster_crash(cluster, 11 * MS, 0); /* the append has arrived; its answers find nobody */
	cluster_run(cluster, 50 * MS);
	campaign(cluster, 1);
	cluster_submit(cluster, 75 * MS, 1, 7);  /* in the new leader's log, not yet committed */
	cluster_submit(cluster, 500 * MS, 1, 7); /* executed */
	cluster_run(cluster, 1000 * MS);
	cluster_assert_story(cluster, "n0 crashes", "n1 leads 2", "n1 request already in the log -> ignore",
		"n1 executes 1 in view 1 [7]", "n1 request already executed -> resend reply");
	assert_int_equal(cluster->nodes[1].n_transactions, 1);
	assert_terms(cluster, 1, "1 2");
	assert_terms(cluster, 2, "1 2");
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* Figure 8. Term by term:
 *  (a) n0 leads term 1; index 1 is everywhere, index 2 at n0 and n1 only; n0 falls
 *  (b) n4 leads term 2, by n2 and n3; its entry at index 2 reaches nobody; n4 falls
 *  (c) n0 leads term 3 and brings index 2, of term 1, to n2: to a majority. It is not committed.
 *  (d) n0 falls; n4 leads term 4, by n2 and n3, and index 2 becomes its own everywhere
 *  (e) but where n0's entry of term 3 reached a majority first, index 2 is committed by it, and n4 is
 *      not elected. */
static void only_old_entries(struct cluster *cluster, uint32_t to, struct message *message, void *context)
{
	/* A leader may send fewer entries at once: those of term 3 stay behind. */
	const struct raft_entries *body = message->body;
	struct raft_entries *fewer =
		cluster_alloc(cluster, sizeof(*fewer) + 8 * sizeof(fewer->entries[0]));
	while (body != NULL && fewer->n < body->n && body->entries[fewer->n].term < 3) {
		fewer->entries[fewer->n] = body->entries[fewer->n];
		fewer->n++;
	}
	message->body = fewer;
}

static struct cluster *figure_8_to_b(void)
{
	struct cluster *cluster = create("raft election_timeout=off", 5);
	cluster_submit(cluster, 0, 0, 1);
	cluster_run(cluster, 100 * MS);
	cluster_rule(cluster, (struct cluster_rule){.kind = RAFT_APPEND, .from = NODE(0),
		.to = NODE(2) | NODE(3) | NODE(4), .until_ns = 200 * MS, .do_drop = true});
	cluster_submit(cluster, 100 * MS, 0, 2);
	cluster_run(cluster, 125 * MS);
	cluster_crash(cluster, 125 * MS, 0);
	cluster_run(cluster, 200 * MS);
	assert_terms(cluster, 0, "1 1");
	assert_terms(cluster, 1, "1 1");
	assert_terms(cluster, 2, "1");
	cluster_rule(cluster, (struct cluster_rule){.kind = RAFT_APPEND, .from = NODE(4),
		.until_ns = 300 * MS, .do_drop = true});
	campaign(cluster, 4);
	cluster_run(cluster, 250 * MS);
	assert_terms(cluster, 4, "1 2");
	assert_int_equal(cluster_told(cluster, 1, "candidate's log is older -> refuse"), 1);
	cluster_crash(cluster, 250 * MS, 4);
	cluster_restart(cluster, 260 * MS, 0);
	cluster_run(cluster, 300 * MS);
	return cluster;
}

static void figure_8(void **state)
{
	struct cluster *cluster = figure_8_to_b();
	size_t fewer = cluster_rule(cluster, (struct cluster_rule){
		.kind = RAFT_APPEND, .from = NODE(0), .replace = only_old_entries});
	cluster_rule(cluster, (struct cluster_rule){
		.kind = RAFT_APPEND, .from = NODE(0), .to = NODE(3), .do_drop = true});
	campaign(cluster, 0); /* term 2: lost, n2 and n3 have voted in it */
	campaign(cluster, 0); /* term 3 */
	cluster_run(cluster, 400 * MS);
	assert_true(cluster_struck(cluster, fewer) > 0);
	assert_int_equal(cluster->nodes[0].n_leads, 2);
	assert_terms(cluster, 0, "1 1 3");
	assert_terms(cluster, 1, "1 1");
	assert_terms(cluster, 2, "1 1");
	assert_terms(cluster, 3, "1");
	/* (c) on three of five, and yet */
	assert_int_equal(raft(cluster, 0)->peers[1].match, 2);
	assert_int_equal(raft(cluster, 0)->peers[2].match, 2);
	assert_int_equal(raft(cluster, 0)->commit, 1);
	assert_null(cluster_committed(cluster, 0, 2));

	cluster_crash(cluster, 400 * MS, 0);
	cluster_restart(cluster, 410 * MS, 4);
	cluster_run(cluster, 420 * MS);
	campaign(cluster, 4); /* term 3: lost */
	campaign(cluster, 4); /* term 4 */
	cluster_run(cluster, 600 * MS);
	cluster_assert_story(cluster, "n4 leads 2", "n4 crashes", "n0 leads 3", "n0 crashes", "n4 leads 4",
		"n1 entry conflicts -> cut the log", "n4 commits 2 in view 2 []");
	assert_terms(cluster, 1, "1 2 4");
	assert_terms(cluster, 2, "1 2 4");
	assert_terms(cluster, 3, "1 2 4");
	cluster_restart(cluster, 600 * MS, 0);
	cluster_run(cluster, 1000 * MS);
	assert_terms(cluster, 0, "1 2 4");
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

static void figure_8_e(void **state)
{
	struct cluster *cluster = figure_8_to_b();
	campaign(cluster, 0);
	campaign(cluster, 0);
	cluster_run(cluster, 400 * MS);
	assert_terms(cluster, 2, "1 1 3");
	/* the entry of its own term commits those before it */
	cluster_assert_story(cluster, "n0 leads 3", "n0 commits 2 in view 1 [2]", "n0 commits 3 in view 3 []");
	assert_int_equal(cluster_committed(cluster, 0, 2)->at_ns, cluster_committed(cluster, 0, 3)->at_ns);
	cluster_crash(cluster, 400 * MS, 0);
	cluster_restart(cluster, 410 * MS, 4);
	cluster_run(cluster, 420 * MS);
	campaign(cluster, 4);
	campaign(cluster, 4);
	cluster_run(cluster, 600 * MS);
	assert_int_equal(cluster->nodes[4].n_leads, 1); /* of term 2 */
	assert_true(cluster_told(cluster, 2, "candidate's log is older -> refuse") >= 1);
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* Figure 2, AppendEntries, receiver, rule by rule: n1 holds entries of terms 1 1 2, as n0 has told it. */
static struct cluster *with_log(void)
{
	struct cluster *cluster = create("raft election_timeout=off heartbeat=off", 3);
	cluster_lies(cluster, 0); /* the entries are the test's making */
	cluster_run(cluster, 50 * MS);
	append(cluster, 0, 1, 2, 0, 0, 0, 3, (uint64_t[]){1, 1, 2});
	assert_terms(cluster, 1, "1 1 2");
	return cluster;
}

static void old_term_refused(void **state)
{
	struct cluster *cluster = with_log();
	append(cluster, 0, 1, 1, 3, 2, 3, 1, (uint64_t[]){1});
	assert_terms(cluster, 1, "1 1 2");
	assert_int_equal(raft(cluster, 1)->commit, 0);
	assert_int_equal(cluster_told(cluster, 1, "append of an old term -> refuse"), 1);
	cluster_run(cluster, 100 * MS);
	/* the answer tells the old leader of the new term */
	cluster_assert_story(
		cluster, "n1 append of an old term -> refuse", "n0 higher term -> follow");
	cluster_destroy(cluster);
}

static void conflicts(void **state)
{
	struct cluster *cluster = with_log();
	/* 2: another term at prevLogIndex, or nothing there: refused, and nothing changes */
	append(cluster, 2, 1, 4, 3, 3, 9, 1, (uint64_t[]){4});
	append(cluster, 2, 1, 4, 5, 3, 9, 1, (uint64_t[]){4});
	assert_int_equal(cluster_told(cluster, 1, "entry at prevLogIndex has another term -> refuse"), 1);
	assert_int_equal(cluster_told(cluster, 1, "log is too short -> refuse"), 1);
	assert_terms(cluster, 1, "1 1 2");
	assert_int_equal(raft(cluster, 1)->commit, 0);
	/* 4, 5: what it holds already is left alone, and with it what comes after; committed is only what
	 * the message vouches for */
	append(cluster, 2, 1, 4, 0, 0, 9, 1, (uint64_t[]){1});
	assert_terms(cluster, 1, "1 1 2");
	assert_int_equal(raft(cluster, 1)->commit, 1);
	/* 3: an entry of another term goes, and all that follow it */
	append(cluster, 2, 1, 4, 1, 1, 1, 1, (uint64_t[]){3});
	assert_terms(cluster, 1, "1 3");
	assert_int_equal(cluster_told(cluster, 1, "entry conflicts -> cut the log"), 1);
	append(cluster, 2, 1, 4, 2, 3, 4, 2, (uint64_t[]){3, 4});
	assert_terms(cluster, 1, "1 3 3 4");
	assert_int_equal(raft(cluster, 1)->commit, 4);
	/* 5.4.3: a committed entry never goes, whoever asks for it */
	append(cluster, 2, 1, 5, 1, 1, 4, 2, (uint64_t[]){5, 5});
	assert_terms(cluster, 1, "1 3 3 4");
	assert_int_equal(
		cluster_told(cluster, 1, "entry conflicts with a committed one -> keep it"), 1);
	assert_int_equal(cluster->nodes[1].n_executed, 4);
	cluster_destroy(cluster);
}

/* Figure 7: the logs that a leader of term 8 may meet; whatever they lack or have too much, they are made
 * like its own. (c) and (d), whose logs are longer or of a later term, don't vote for it. */
static void figure_7(void **state)
{
	static const struct {
		uint32_t n;
		uint64_t terms[12];
	} logs[] = {
		{10, {1, 1, 1, 4, 4, 5, 5, 6, 6, 6}},             /* the leader */
		{9, {1, 1, 1, 4, 4, 5, 5, 6, 6}},                 /* (a) */
		{4, {1, 1, 1, 4}},                                /* (b) */
		{11, {1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6}},          /* (c) */
		{12, {1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7}},       /* (d) */
		{7, {1, 1, 1, 4, 4, 4, 4}},                       /* (e) */
		{11, {1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3}},          /* (f) */
	};
	struct cluster *cluster = create("raft election_timeout=off heartbeat=50ms", 7);
	cluster_run(cluster, 45 * MS);
	for (uint32_t i = 0; i < 7; i++) {
		append(cluster, i == 4 ? 3 : 4, i, 7, 0, 0, 0, logs[i].n, logs[i].terms);
	}
	assert_terms(cluster, 5, "1 1 1 4 4 4 4");
	cluster_run(cluster, 100 * MS);
	campaign(cluster, 0);
	cluster_run(cluster, 2000 * MS);
	assert_int_equal(cluster_told(cluster, NODE_NONE, "candidate's log is older -> refuse"), 2);
	assert_int_equal(cluster_told(cluster, NODE_NONE, "grant vote"), 4);
	cluster_assert_story(cluster, "n3 candidate's log is older -> refuse",
		"n4 candidate's log is older -> refuse", "n0 leads 8", "n2 log is too short -> refuse",
		"n4 entry conflicts -> cut the log", "n5 log is too short -> refuse",
		"n6 entry at prevLogIndex has another term -> refuse", "n5 entry conflicts -> cut the log",
		"n6 entry conflicts -> cut the log");
	for (uint32_t i = 0; i < 7; i++) {
		assert_terms(cluster, i, "1 1 1 4 4 5 5 6 6 6 8");
		assert_int_equal(raft(cluster, i)->applied, 11);
	}
	assert_true(cluster_same_logs(cluster, NODES_ALL));
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* Thesis 6.3, sessions: a client that has no answer asks the next leader, which lacks the entry and appends
 * the command again. The old leader, back with its own copy, has that cut: it runs once everywhere. */
static void asked_again_elsewhere(void **state)
{
	struct cluster *cluster = create("raft election_timeout=off heartbeat=50ms", 3);
	cluster_isolate(cluster, NODE(0), 300 * MS);
	cluster_submit(cluster, 20 * MS, 0, 7);
	cluster_run(cluster, 50 * MS);
	campaign(cluster, 1);
	cluster_submit(cluster, 100 * MS, 1, 7);
	cluster_submit(cluster, 200 * MS, 1, 7); /* and again: executed by now */
	cluster_run(cluster, 1000 * MS);
	cluster_assert_story(cluster, "n0 proposes 1 in view 1 [7]", "n1 leads 2",
		"n1 proposes 2 in view 2 [7]", "n1 executes 2 in view 2 [7]",
		"n1 request already executed -> resend reply", "n0 entry conflicts -> cut the log",
		"n0 executes 2 in view 2 [7]");
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(cluster->nodes[i].n_transactions, 1);
		assert_terms(cluster, i, "2 2");
	}
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* Thesis 6.3: and where a command does stand in the log twice, the second has no effect and no answer. */
static void twice_in_the_log(void **state)
{
	struct cluster *cluster = create("raft election_timeout=off heartbeat=50ms", 3);
	cluster_run(cluster, 45 * MS);
	struct raft_entries *body = cluster_alloc(cluster, sizeof(*body) + 2 * sizeof(body->entries[0]));
	body->n = 2;
	body->entries[0].term = body->entries[1].term = 2;
	body->entries[0].batch = cluster_batch(cluster, (transaction_id[]){7}, 1);
	body->entries[1].batch = cluster_batch(cluster, (transaction_id[]){8, 7}, 2);
	struct message message = {.kind = RAFT_APPEND, .class = CLASS_CONTROL, .view = 2, .body = body};
	for (uint32_t i = 0; i < 3; i++) {
		message.from = i == 2 ? 1 : 2;
		tell_now(cluster, i, message);
	}
	cluster_run(cluster, 100 * MS);
	campaign(cluster, 1);
	cluster_run(cluster, 1000 * MS);
	cluster_assert_story(
		cluster, "n1 executes 1 in view 2 [7]", "n1 executes 2 in view 2 [8 7]");
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(cluster->nodes[i].n_transactions, 2);
	}
	assert_int_equal(cluster->nodes[1].n_replies, 2);
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(normal_case),
		cmocka_unit_test(once),
		cmocka_unit_test(once_across_leaders),
		cmocka_unit_test(figure_8),
		cmocka_unit_test(figure_8_e),
		cmocka_unit_test(figure_7),
		cmocka_unit_test(asked_again_elsewhere),
		cmocka_unit_test(twice_in_the_log),
		cmocka_unit_test(old_term_refused),
		cmocka_unit_test(conflicts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
