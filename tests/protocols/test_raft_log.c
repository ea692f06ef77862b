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

/* Tells `to` what a leader of a term would. */
static void append(struct cluster *cluster, uint32_t from, uint32_t to, uint64_t term, uint64_t prev,
	uint64_t prev_term, uint64_t commit, uint32_t n, const uint64_t entry_terms[])
{
	struct raft_entries *body = cluster_alloc(cluster, sizeof(*body) + n * sizeof(body->entries[0]));
	body->n = n;
	for (uint32_t i = 0; i < n; i++) {
		transaction_id transaction = (transaction_id)(100 * entry_terms[i] + prev + 1 + i);
		body->entries[i].term = entry_terms[i];
		body->entries[i].batch = cluster_batch(cluster, &transaction, 1);
	}
	struct message message = {
		.kind = RAFT_APPEND,
		.class = CLASS_CONTROL,
		.flags = RAFT_FLAG_PROBE,
		.from = from,
		.view = term,
		.instance = prev,
		.digest = prev_term,
		.extra = commit,
		.body = n > 0 ? body : NULL,
	};
	cluster_inject(cluster, cluster->world.now, to, &message);
	cluster_run(cluster, cluster->world.now);
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

/* Messages that come twice, and in any order. */
static void duplicated_and_reordered(void **state)
{
	struct cluster *cluster = cluster_create(&(struct cluster_options){
		.protocol = "raft batch=1 election_timeout=off heartbeat=50ms",
		.latency = "exponential mean=20ms",
		.n = 5,
		.seed = 3,
	});
	cluster_rule(cluster, (struct cluster_rule){.kind = RAFT_APPEND, .duplicates = 2});
	cluster_rule(cluster, (struct cluster_rule){.kind = RAFT_APPEND_ANSWER, .duplicates = 2});
	for (uint32_t i = 0; i < 200; i++) {
		cluster_submit(cluster, i * 3 * MS, 0, i);
	}
	cluster_run(cluster, 5000 * MS);
	assert_true(cluster_told(cluster, NODE_NONE, "append overtook another -> hold") > 50);
	for (uint32_t i = 0; i < 5; i++) {
		assert_int_equal(cluster->nodes[i].n_executed, 200);
		assert_int_equal(cluster->nodes[i].n_transactions, 200);
		assert_int_equal(raft(cluster, i)->last, 200);
		assert_int_equal(raft(cluster, i)->n_held, 0);
	}
	assert_true(cluster_same_logs(cluster, NODES_ALL));
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* Links keep no order. An append that overtakes another waits for it: nothing has to be sent again. */
static void reordered(void **state)
{
	struct cluster *cluster = cluster_create(&(struct cluster_options){
		.protocol = "raft batch=1 election_timeout=off heartbeat=off", /* nothing would be */
		.latency = "exponential mean=20ms",
		.n = 5,
		.seed = 3,
	});
	for (uint32_t i = 0; i < 200; i++) {
		cluster_submit(cluster, i * 3 * MS, 0, i);
	}
	cluster_run(cluster, 5000 * MS);
	assert_int_equal(cluster->nodes[0].n_executed, 200);
	assert_int_equal(cluster->world.messages[CLASS_AGREEMENT], 200 * 8);
	for (uint32_t i = 1; i < 5; i++) {
		assert_true(cluster_told(cluster, i, "append overtook another -> hold") > 10);
		assert_int_equal(raft(cluster, i)->last, 200);
	}
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* What is lost is sent again, and what overtook it waits meanwhile. */
static void lost_append(void **state)
{
	struct cluster *cluster = create("raft election_timeout=off heartbeat=50ms", 3);
	cluster_rule(cluster, (struct cluster_rule){.kind = RAFT_APPEND, .to = NODE(2), .max = 2,
		.from_ns = 5 * MS + 10 * MS, .do_drop = true});
	cluster_submit(cluster, 5 * MS, 0, 1);
	cluster_submit(cluster, 6 * MS, 0, 2);
	cluster_submit(cluster, 7 * MS, 0, 3);
	cluster_run(cluster, 300 * MS);
	cluster_assert_story(cluster, "n2 (dropped) append-entries 0 of view 1 from n0",
		"n2 (dropped) append-entries 1 of view 1 from n0", "n2 append overtook another -> hold",
		"n0 commits 3 in view 1 [3]", "n0 no progress since the last heartbeat -> send again",
		"n2 appends 1 in view 1 [1]", "n2 appends 2 in view 1 [2]", "n2 appends 3 in view 1 [3]");
	assert_true(cluster_same_logs(cluster, NODES_ALL));
	assert_int_equal(raft(cluster, 0)->n_out_of_step, 0);
	cluster_destroy(cluster);
}

/* A server that was away for long comes back: one refusal, then the whole rest in messages of 256. */
static void rejoins(void **state)
{
	struct cluster *cluster = create("raft batch=1 election_timeout=off heartbeat=50ms", 3);
	cluster_crash(cluster, 1 * MS, 2);
	cluster_restart(cluster, 5000 * MS, 2);
	for (uint32_t i = 0; i < 1000; i++) {
		cluster_submit(cluster, (2 + i) * MS, 0, i);
	}
	cluster_run(cluster, 3000 * MS);
	assert_int_equal(cluster->nodes[1].n_executed, 1000);
	/* As long as it does not answer it is only asked at each beat, without entries. */
	uint64_t bytes = cluster->world.bytes[CLASS_CONTROL];
	uint64_t asked = cluster->world.messages[CLASS_CONTROL];
	cluster_run(cluster, 4990 * MS);
	asked = cluster->world.messages[CLASS_CONTROL] - asked;
	assert_in_range(asked, 38, 41);
	assert_int_equal(cluster->world.bytes[CLASS_CONTROL] - bytes, asked * RAFT_HEADER_BYTES);
	uint64_t appends = cluster->received[RAFT_APPEND];
	cluster_run(cluster, 6000 * MS);
	assert_int_equal(cluster->nodes[2].n_executed, 1000);
	assert_true(cluster_same_logs(cluster, NODES_ALL));
	/* four messages with entries, and heartbeats to two servers for a second */
	assert_in_range(cluster->received[RAFT_APPEND] - appends, 4, 4 + 2 * 21);
	assert_int_equal(raft(cluster, 0)->n_out_of_step, 0);
	cluster_destroy(cluster);
}

static bool many_bytes(struct cluster *cluster, uint32_t to, const struct message *message, void *context)
{
	uint32_t *max = context;
	*max = message->size_bytes > *max ? message->size_bytes : *max;
	return false;
}

/* What a server that lags is sent at once is bounded by bytes too: more each time, but one entry at least. */
static void resend_bytes(uint32_t transaction_bytes, uint32_t max_bytes, uint64_t max_messages)
{
	struct cluster *cluster = cluster_create(&(struct cluster_options){
		.protocol = "raft batch=1 election_timeout=off heartbeat=50ms", .n = 3, .seed = 1,
		.transaction_bytes = transaction_bytes});
	uint32_t max = 0;
	cluster_rule(cluster, (struct cluster_rule){
		.kind = RAFT_APPEND, .to = NODE(2), .when = many_bytes, .context = &max});
	cluster_crash(cluster, 1 * MS, 2);
	cluster_restart(cluster, 1000 * MS, 2);
	for (uint32_t i = 0; i < 400; i++) {
		cluster_submit(cluster, (2 + i) * MS, 0, i);
	}
	cluster_run(cluster, 990 * MS);
	uint64_t messages = cluster->world.messages[CLASS_CONTROL];
	cluster_run(cluster, 12000 * MS);
	messages = cluster->world.messages[CLASS_CONTROL] - messages;
	assert_int_equal(cluster->nodes[2].n_executed, 400);
	assert_true(cluster_same_logs(cluster, NODES_ALL));
	assert_int_equal(max, max_bytes);
	assert_in_range(messages, 2, max_messages);
	cluster_destroy(cluster);
}

static void resend_bounded(void **state)
{
	resend_bytes(100, RAFT_HEADER_BYTES + RAFT_RESEND_MAX * (RAFT_ENTRY_BYTES + 100), 2 * 4);
	uint32_t entry_bytes = RAFT_ENTRY_BYTES + 20000;
	resend_bytes(20000,
		RAFT_HEADER_BYTES + RAFT_RESEND_BYTES_MAX / entry_bytes * entry_bytes, 2 * 15);
	resend_bytes(3000000, RAFT_HEADER_BYTES + RAFT_ENTRY_BYTES + 3000000, 2 * 401);
}

/* An answer to an earlier probe is no reason to send more: where answers take longer than the leader's
 * pause, each message is sent once all the same; but for the last, for whose answer the leader, with the
 * server in step, does not wait. */
static void late_answers(void **state)
{
	struct cluster *cluster = create("raft batch=1 election_timeout=off heartbeat=5ms", 3);
	cluster_crash(cluster, 1 * MS, 2);
	cluster_restart(cluster, 3000 * MS, 2);
	for (uint32_t i = 0; i < 1000; i++) {
		cluster_submit(cluster, (2 + i) * MS, 0, i);
	}
	cluster_run(cluster, 2990 * MS);
	uint64_t bytes = cluster->world.bytes[CLASS_CONTROL];
	uint64_t messages = cluster->world.messages[CLASS_CONTROL];
	cluster_run(cluster, 6000 * MS);
	assert_int_equal(cluster->nodes[2].n_executed, 1000);
	assert_int_equal(raft(cluster, 0)->n_out_of_step, 0);
	bytes = cluster->world.bytes[CLASS_CONTROL] - bytes;
	messages = cluster->world.messages[CLASS_CONTROL] - messages;
	uint64_t entry_bytes = RAFT_ENTRY_BYTES + raft(cluster, 0)->log[0].batch->size_bytes;
	assert_in_range(bytes - messages * RAFT_HEADER_BYTES, 1000 * entry_bytes, 1256 * entry_bytes);
	cluster_destroy(cluster);
}

/* 5.3: a refusal names the conflicting term and its first index, so that a whole term is passed in one step:
 * 40 entries of the old leader's and 30 of the next cost no more refusals than there are terms. */
static void fast_backtracking(void **state)
{
	struct cluster *cluster = create("raft batch=1 election_timeout=off heartbeat=50ms", 5);
	cluster_submit(cluster, 0, 0, 0);
	cluster_run(cluster, 100 * MS);
	cluster_isolate(cluster, NODE(0) | NODE(1), 1000 * MS);
	for (uint32_t i = 1; i <= 40; i++) {
		cluster_submit(cluster, 100 * MS + i * MS, 0, i); /* reach n1 and are never committed */
	}
	cluster_run(cluster, 200 * MS);
	campaign(cluster, 2);
	for (uint32_t i = 101; i <= 130; i++) {
		cluster_submit(cluster, 200 * MS + i * MS, 2, i);
	}
	cluster_run(cluster, 600 * MS);
	assert_int_equal(raft(cluster, 2)->last, 32); /* one, a no-op and thirty */
	campaign(cluster, 3); /* which begins at its own end: index 32, of term 2; there of term 1 */
	cluster_run(cluster, 1500 * MS);
	assert_true(cluster_same_logs(cluster, NODES_ALL));
	assert_int_equal(raft(cluster, 0)->last, 33);
	assert_in_range(cluster_told(cluster, 0, "-> refuse"), 1, 2);
	assert_in_range(cluster_told(cluster, 1, "-> refuse"), 1, 2);
	assert_int_equal(cluster_told(cluster, 1, "entry conflicts -> cut the log"), 1);
	assert_false(cluster_executed(cluster, 1, 5));
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* A busy leader, newly elected, has its followers in step after a round trip, and its appends are those of
 * the normal case again: it doesn't stay a round trip behind for as long as requests come. */
static void in_step_under_load(void **state)
{
	struct cluster *cluster = create("raft batch=1 election_timeout=off", 5);
	cluster_run(cluster, 10 * MS);
	campaign(cluster, 3);
	for (uint32_t i = 0; i < 500; i++) {
		cluster_submit(cluster, 31 * MS + i * 2 * MS, 3, i);
	}
	cluster_run(cluster, 200 * MS);
	assert_int_equal(raft(cluster, 3)->n_out_of_step, 0);
	uint64_t control = cluster->world.messages[CLASS_CONTROL];
	cluster_run(cluster, 900 * MS);
	assert_int_equal(cluster->world.messages[CLASS_CONTROL], control);
	/* each answered within a round trip of its proposal */
	const struct cluster_node *leader = &cluster->nodes[3];
	const struct cluster_entry *last = &leader->committed[leader->n_committed - 1];
	assert_true(last->at_ns > 895 * MS);
	assert_in_range(leader->max_proposed - last->instance, 0, 11);
	cluster_destroy(cluster);
}

/* No more than `window` entries are proposed and not committed; `batch` transactions share one; with
 * `batch_delay` one that is not full waits for more. */
static void batches(void **state)
{
	struct cluster *cluster = create("raft batch=4 window=2 election_timeout=off", 3);
	for (uint32_t i = 0; i < 10; i++) {
		cluster_submit(cluster, 0, 0, i);
	}
	cluster_run(cluster, 100 * MS);
	cluster_assert_story(cluster, "n0 proposes 1 in view 1 [0]", "n0 proposes 2 in view 1 [1]",
		"n0 window full -> wait", "n0 commits 1 in view 1 [0]",
		"n0 proposes 3 in view 1 [2 3 4 5]", "n0 proposes 4 in view 1 [6 7 8 9]");
	cluster_destroy(cluster);

	cluster = create("raft batch=4 batch_delay=5ms election_timeout=off", 3);
	for (uint32_t i = 0; i < 6; i++) {
		cluster_submit(cluster, i * MS, 0, i);
	}
	cluster_run(cluster, 100 * MS);
	assert_int_equal(cluster->nodes[0].n_proposed, 2);
	assert_int_equal(cluster_committed(cluster, 0, 1)->at_ns, 23 * MS); /* full at 3 ms */
	assert_int_equal(cluster_committed(cluster, 0, 1)->batch->n, 4);
	assert_int_equal(cluster_committed(cluster, 0, 2)->batch->n, 2);
	cluster_destroy(cluster);
}

/* The largest batch of the largest requests still has its size in 32 bits. */
static void largest_batch(void **state)
{
	const uint32_t transaction_bytes = 1000000 + 40;
	struct cluster *cluster = cluster_create(&(struct cluster_options){
		.protocol = "raft batch=4096 batch_delay=5ms election_timeout=off heartbeat=off",
		.n = 3, .seed = 1, .transaction_bytes = transaction_bytes});
	for (uint32_t i = 0; i < RAFT_BATCH_MAX; i++) {
		cluster_submit(cluster, 0, 0, i);
	}
	cluster_run(cluster, 100 * MS);
	const struct batch *batch = cluster_committed(cluster, 0, 1)->batch;
	assert_int_equal(batch->n, RAFT_BATCH_MAX);
	assert_int_equal(batch->size_bytes, (uint64_t)RAFT_BATCH_MAX * transaction_bytes);
	assert_in_range(cluster->world.bytes[CLASS_AGREEMENT], 2 * (uint64_t)batch->size_bytes,
		2 * (uint64_t)batch->size_bytes + 1000);
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
		cmocka_unit_test(duplicated_and_reordered),
		cmocka_unit_test(reordered),
		cmocka_unit_test(lost_append),
		cmocka_unit_test(rejoins),
		cmocka_unit_test(resend_bounded),
		cmocka_unit_test(late_answers),
		cmocka_unit_test(fast_backtracking),
		cmocka_unit_test(in_step_under_load),
		cmocka_unit_test(batches),
		cmocka_unit_test(largest_batch),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
