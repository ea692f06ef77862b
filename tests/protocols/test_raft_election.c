/* Raft's elections as stories. Raft 5.2, 5.4.1; figure 2, RequestVote.
 *
 * Where a story needs a certain candidate at a certain time, election timeouts are off and the test makes
 * the candidate: raft_campaign is what the timeout would have called. */
#include "raft.h"

static void campaign(struct cluster *cluster, uint32_t node)
{
	raft_campaign(cluster_node(cluster, node));
}

/* Asks `to` for its vote, as the candidate `from` would. */
static void ask_for_vote(struct cluster *cluster, uint32_t from, uint32_t to, uint64_t term,
	uint64_t last_index, uint64_t last_term)
{
	struct message message = {
		.kind = RAFT_VOTE,
		.class = CLASS_CONTROL,
		.from = from,
		.view = term,
		.instance = last_index,
		.digest = last_term,
	};
	cluster_inject(cluster, cluster->world.now, to, &message);
	cluster_run(cluster, cluster->world.now);
}

/* Every "leads T" of the trace, by term: at most one a term. */
static void assert_one_leader_a_term(const struct cluster *cluster)
{
	int leaders[1000];
	memset(leaders, -1, sizeof(leaders));
	for (const char *at = cluster->trace; at != NULL && (at = strstr(at, " leads ")) != NULL; at++) {
		const char *line = at;
		while (line > cluster->trace && line[-1] != '\n') {
			line--;
		}
		unsigned long term = strtoul(at + 7, NULL, 10);
		int node = (int)strtoul(strstr(line, " ms  n") + 6, NULL, 10);
		assert_true(term < 1000);
		assert_true(leaders[term] == -1 || leaders[term] == node);
		leaders[term] = node;
	}
}

static void first_election(void **state)
{
	struct cluster *cluster = create("raft initial_leader=none", 5);
	cluster_run(cluster, 150 * MS - 1);
	assert_int_equal(cluster_told(cluster, NODE_NONE, "election timeout -> candidate"), 0);
	cluster_run(cluster, 2000 * MS);
	cluster_assert_story(cluster, "n1 election timeout -> candidate", "n1 campaigns for 1",
		"n0 candidate's log is up to date -> grant vote", "n1 votes from a majority -> lead",
		"n1 leads 1", "n0 follows n1 in 1");
	for (uint32_t i = 0; i < 5; i++) {
		assert_int_equal(cluster_leader(cluster, i), 1);
		assert_int_equal(cluster_view(cluster, i), 1);
	}
	assert_one_leader_a_term(cluster);
	cluster_destroy(cluster);
}

/* Timeouts that are all alike: everyone votes for itself, term after term (Raft, figure 16: 150-150). */
static void split_for_ever(void **state)
{
	struct cluster *cluster =
		create("raft initial_leader=none election_timeout=150ms,150ms", 3);
	cluster_run(cluster, 3100 * MS);
	assert_int_equal(cluster_told(cluster, NODE_NONE, " leads "), 0);
	assert_int_equal(cluster_told(cluster, NODE_NONE, "campaigns for"), 3 * 20);
	assert_int_equal(cluster_told(cluster, NODE_NONE, "voted for another -> refuse"), 2 * 3 * 20);
	assert_int_equal(cluster_view(cluster, 1), 20);
	cluster_destroy(cluster);
}

/* 5.4.1: the server that missed an entry asks first, and again, and is never elected. */
static void older_log_refused(void **state)
{
	struct cluster *cluster = create("raft", 3);
	size_t cut = cluster_isolate(cluster, NODE(2), 0);
	cluster_submit(cluster, 10 * MS, 0, 7);
	cluster_run(cluster, 80 * MS);
	assert_true(cluster_executed(cluster, 0, 7));
	cluster_crash(cluster, 80 * MS, 0);
	cluster_run(cluster, 90 * MS);
	cluster_rule_end(cluster, cut);
	cluster_run(cluster, 20000 * MS);
	cluster_assert_story(cluster, "n0 proposes 1 in view 1 [7]", "n0 crashes",
		"n2 election timeout -> candidate", "n1 candidate's log is older -> refuse", "n1 leads",
		"n2 commits 1 in view 1 [7]");
	assert_int_equal(cluster->nodes[2].n_leads, 0);
	assert_one_leader_a_term(cluster);
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* Figure 2, RequestVote: who may have a vote. Node 1 holds two entries of terms 1 and 3. */
static void who_gets_a_vote(void **state)
{
	static const struct {
		uint64_t last_index, last_term;
		bool granted;
	} logs[] = {
		{2, 3, true},   /* the same */
		{3, 3, true},   /* longer */
		{1, 3, false},  /* shorter, of the same last term */
		{1, 4, true},   /* shorter, of a later term */
		{9, 2, false},  /* longer, of an earlier term */
		{0, 0, false},  /* empty */
	};
	for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++) {
		struct cluster *cluster = create("raft election_timeout=off", 3);
		cluster_submit(cluster, 0, 0, 7);
		cluster_run(cluster, 50 * MS);
		campaign(cluster, 1); /* term 2: refused by nobody, but node 0's log is as good */
		campaign(cluster, 1); /* term 3 */
		cluster_run(cluster, 200 * MS);
		assert_int_equal(raft(cluster, 1)->last, 2);
		assert_int_equal(raft_term_at(raft(cluster, 1), 2), 3);
		ask_for_vote(cluster, 2, 1, 5, logs[i].last_index, logs[i].last_term);
		assert_int_equal(
			cluster_told(cluster, 1, "candidate's log is up to date -> grant vote"), logs[i].granted);
		assert_int_equal(
			cluster_told(cluster, 1, "candidate's log is older -> refuse"), !logs[i].granted);
		/* refused or not, the term is taken over, and the leader is one no more */
		assert_int_equal(cluster_view(cluster, 1), 5);
		assert_int_equal(raft(cluster, 1)->role, RAFT_FOLLOWER);
		assert_int_equal(raft(cluster, 1)->voted_for, logs[i].granted ? 2 : NODE_NONE);
		cluster_destroy(cluster);
	}
}

/* One vote a term; the one who has it gets it again, since the answer may have been lost. */
static void vote_granted_again(void **state)
{
	struct cluster *cluster = create("raft election_timeout=off", 5);
	size_t lost = cluster_rule(cluster,
		(struct cluster_rule){.kind = RAFT_VOTE_ANSWER, .from = NODE(1), .max = 1, .do_drop = true});
	cluster_run(cluster, 50 * MS);
	ask_for_vote(cluster, 2, 1, 2, 0, 0);
	ask_for_vote(cluster, 3, 1, 2, 0, 0);
	ask_for_vote(cluster, 2, 1, 2, 0, 0);
	cluster_run(cluster, 100 * MS);
	cluster_assert_story(cluster, "n1 candidate's log is up to date -> grant vote",
		"n1 voted for another -> refuse", "n1 candidate's log is up to date -> grant vote");
	assert_int_equal(cluster_struck(cluster, lost), 1);
	assert_int_equal(cluster_told(cluster, 1, "grant vote"), 2);
	cluster_destroy(cluster);
}

/* Figure 2: votedFor and currentTerm are on stable storage. */
static void vote_survives_a_crash(void **state)
{
	struct cluster *cluster = create("raft election_timeout=off", 5);
	cluster_run(cluster, 50 * MS);
	ask_for_vote(cluster, 2, 1, 4, 0, 0);
	cluster_crash(cluster, 60 * MS, 1);
	cluster_restart(cluster, 70 * MS, 1);
	cluster_run(cluster, 80 * MS);
	ask_for_vote(cluster, 3, 1, 4, 0, 0);
	cluster_assert_story(cluster, "n1 candidate's log is up to date -> grant vote", "n1 restarts",
		"n1 voted for another -> refuse");
	assert_int_equal(cluster_view(cluster, 1), 4);
	cluster_destroy(cluster);
}

/* A repeated answer is one vote: two of five are no majority, however often one of them says so. */
static void votes_counted_once(void **state)
{
	struct cluster *cluster = create("raft election_timeout=off", 5);
	cluster_rule(cluster,
		(struct cluster_rule){.kind = RAFT_VOTE_ANSWER, .from = NODE(2), .duplicates = 5});
	cluster_rule(cluster, (struct cluster_rule){.kind = RAFT_VOTE,
		.to = NODE(0) | NODE(3) | NODE(4), .do_drop = true});
	cluster_run(cluster, 50 * MS);
	campaign(cluster, 1);
	cluster_run(cluster, 100 * MS);
	assert_int_equal(cluster_told(cluster, 2, "grant vote"), 1);
	assert_int_equal(cluster->received[RAFT_VOTE_ANSWER], 6);
	assert_int_equal(cluster->nodes[1].n_leads, 0);
	cluster_destroy(cluster);
}

/* Votes of an earlier term don't count for a later one. */
static void old_votes_ignored(void **state)
{
	struct cluster *cluster = create("raft election_timeout=off", 3);
	size_t held = cluster_rule(cluster,
		(struct cluster_rule){.kind = RAFT_VOTE_ANSWER, .do_hold = true});
	cluster_run(cluster, 50 * MS);
	campaign(cluster, 1); /* term 2: both grant it, but the answers take long */
	cluster_run(cluster, 100 * MS);
	cluster_rule(cluster, (struct cluster_rule){.kind = RAFT_VOTE, .do_drop = true});
	campaign(cluster, 1); /* term 3: nobody hears of it */
	cluster_rule_end(cluster, held);
	assert_int_equal(cluster_release(cluster), 2);
	cluster_run(cluster, 200 * MS);
	assert_int_equal(cluster->nodes[1].n_leads, 0);
	assert_int_equal(raft(cluster, 1)->role, RAFT_CANDIDATE);
	cluster_destroy(cluster);
}

static void old_candidate_refused(void **state)
{
	struct cluster *cluster = create("raft election_timeout=off", 3);
	cluster_run(cluster, 50 * MS);
	campaign(cluster, 2);
	cluster_run(cluster, 100 * MS);
	assert_int_equal(cluster_view(cluster, 1), 2);
	ask_for_vote(cluster, 0, 1, 1, 9, 9);
	cluster_assert_story(cluster, "n2 leads 2", "n1 candidate's term is old -> refuse");
	cluster_destroy(cluster);
}

/* 5.2: a candidate that hears from the leader of its own term follows it. */
static void candidate_gives_way(void **state)
{
	struct cluster *cluster = create("raft election_timeout=off", 5);
	cluster_run(cluster, 50 * MS);
	campaign(cluster, 1);
	campaign(cluster, 2); /* at the same instant: of equal distance; node 1's arrives first */
	cluster_run(cluster, 120 * MS);
	cluster_assert_story(cluster, "n1 campaigns for 2", "n2 campaigns for 2",
		"n2 voted for another -> refuse", "n1 leads 2", "n2 follows n1 in 2");
	assert_int_equal(raft(cluster, 2)->role, RAFT_FOLLOWER);
	assert_one_leader_a_term(cluster);
	cluster_destroy(cluster);
}

/* An idle leader keeps its followers quiet, and so does one with a request now and then: at no moment has a
 * follower heard nothing for longer than an interval between heartbeats. Timeouts of 100 ms, beats of 50. */
static void heartbeats_keep_the_lead(void **state)
{
	for (unsigned seed = 0; seed < 10; seed++) {
		struct cluster *cluster = cluster_create(&(struct cluster_options){
			.protocol = "raft election_timeout=100ms,101ms heartbeat=50ms",
			.latency = "constant value=10ms",
			.n = 5,
			.seed = seed,
		});
		/* at every distance from the last beat */
		for (unsigned i = 0; i < 100; i++) {
			cluster_submit(cluster, (200 + i * 201 + seed) * MS / 2, 0, i);
		}
		cluster_run(cluster, 20000 * MS);
		assert_int_equal(cluster_told(cluster, NODE_NONE, "campaigns"), 0);
		assert_int_equal(cluster->nodes[4].n_transactions, 100);
		cluster_destroy(cluster);
	}
	/* Heartbeats are for idle periods: with an append every 10 ms there are none after the first. */
	struct cluster *cluster = create("raft heartbeat=50ms", 5);
	for (unsigned i = 0; i < 100; i++) {
		cluster_submit(cluster, i * 10 * MS, 0, i);
	}
	cluster_run(cluster, 999 * MS);
	assert_int_equal(cluster->world.messages[CLASS_HEARTBEAT], 8); /* at the start, and answers */
	cluster_destroy(cluster);
}

/* A leader that goes silent is replaced, within a timeout and the way of the votes. */
static void leader_replaced(void **state)
{
	struct cluster *cluster = create("raft", 5);
	cluster_submit(cluster, 5 * MS, 0, 1);
	cluster_crash(cluster, 1000 * MS, 0);
	cluster_run(cluster, 990 * MS);
	assert_int_equal(cluster_told(cluster, NODE_NONE, "campaigns"), 0);
	cluster_run(cluster, 3000 * MS);
	uint32_t leader = cluster_leader(cluster, 1);
	assert_in_range(leader, 1, 4);
	char leads[24];
	snprintf(leads, sizeof(leads), "n%u leads", leader);
	cluster_assert_story(cluster, "n0 crashes", leads);
	/* 5.4.2, 8: its no-op commits what is before it */
	assert_non_null(cluster_committed(cluster, leader, 2));
	assert_int_equal(cluster_committed(cluster, leader, 2)->batch->n, 0);
	cluster_restart(cluster, 3000 * MS, 0);
	cluster_run(cluster, 4000 * MS);
	assert_int_equal(cluster_leader(cluster, 0), leader);
	assert_true(cluster_same_logs(cluster, NODES_ALL));
	assert_one_leader_a_term(cluster);
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* The old leader is cut off, not down: it goes on as the leader of its term until it hears of a later
 * one. What it was asked meanwhile is committed nowhere. */
static void deposed_leader(void **state)
{
	struct cluster *cluster = create("raft", 3);
	cluster_isolate(cluster, NODE(0), 2000 * MS);
	cluster_submit(cluster, 100 * MS, 0, 7);
	cluster_submit_all(cluster, 1500 * MS, 8);
	cluster_run(cluster, 1999 * MS);
	assert_int_equal(raft(cluster, 0)->role, RAFT_LEADER);
	assert_int_equal(raft(cluster, 0)->commit, 0);
	assert_false(cluster_executed(cluster, 0, 7));
	cluster_run(cluster, 3000 * MS);
	cluster_assert_story(cluster, "n0 proposes 1 in view 1 [7]", "n0 higher term -> follow",
		"n0 entry conflicts -> cut the log");
	for (uint32_t i = 0; i < 3; i++) {
		assert_false(cluster_executed(cluster, i, 7));
		assert_true(cluster_executed(cluster, i, 8));
	}
	assert_true(cluster_same_logs(cluster, NODES_ALL));
	assert_one_leader_a_term(cluster);
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_election),
		cmocka_unit_test(split_for_ever),
		cmocka_unit_test(older_log_refused),
		cmocka_unit_test(who_gets_a_vote),
		cmocka_unit_test(vote_granted_again),
		cmocka_unit_test(vote_survives_a_crash),
		cmocka_unit_test(votes_counted_once),
		cmocka_unit_test(old_votes_ignored),
		cmocka_unit_test(old_candidate_refused),
		cmocka_unit_test(candidate_gives_way),
		cmocka_unit_test(heartbeats_keep_the_lead),
		cmocka_unit_test(leader_replaced),
		cmocka_unit_test(deposed_leader),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
