/* Raft on stable storage that takes its time. Raft fig. 2: persistent state is updated on stable storage
 * before a server responds; thesis 10.2.1. Writes take 5 ms here, a message 10 ms. */
#include "raft.h"

/* Thesis 10.2.1: the leader writes the entry while it sends it: W hides behind the way of the appends, and
 * only the followers' W is waited for. */
static void leader_writes_in_parallel(void **state)
{
	struct cluster *cluster = create("raft election_timeout=off heartbeat=off write_delay=5ms", 3);
	cluster_submit(cluster, 100 * MS, 0, 7);
	cluster_run(cluster, 500 * MS);
	cluster_assert_story(cluster, "n0 proposes 1 in view 1 [7]",
		"n0 written to stable storage -> answer", "n1 appends 1 in view 1 [7]",
		"n1 written to stable storage -> answer", "n0 commits 1 in view 1 [7]");
	assert_int_equal(cluster_committed(cluster, 0, 1)->at_ns, (100 + 10 + 5 + 10) * MS);
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* Thesis 10.2.1: the leader may commit before its own write is done, where a majority of others has the
 * entry; it executes it when it has written it. */
static void commits_before_its_own_write(void **state)
{
	struct cluster *cluster = create("raft election_timeout=off heartbeat=off write_delay=50ms", 5);
	for (uint32_t i = 1; i < 5; i++) { /* theirs take no time: as if they had done it long ago */
		raft(cluster, i)->disk = NULL;
	}
	cluster_submit(cluster, 100 * MS, 0, 7);
	cluster_run(cluster, 120 * MS);
	assert_int_equal(raft(cluster, 0)->commit, 1);
	assert_int_equal(raft(cluster, 0)->applied, 0);
	cluster_run(cluster, 150 * MS);
	assert_int_equal(cluster_committed(cluster, 0, 1)->at_ns, 150 * MS);
	cluster_destroy(cluster);
}

/* A leader that has not written an entry does not count itself. */
static void own_write_counts_late(void **state)
{
	struct cluster *cluster = create("raft election_timeout=off heartbeat=off write_delay=50ms", 3);
	cluster_rule(cluster, (struct cluster_rule){.kind = RAFT_APPEND, .to = NODE(2), .do_drop = true});
	raft(cluster, 1)->disk = NULL;
	cluster_submit(cluster, 100 * MS, 0, 7);
	cluster_run(cluster, 149 * MS);
	assert_int_equal(raft(cluster, 0)->peers[1].match, 1); /* since 120 ms: two of three, but one is itself */
	assert_int_equal(raft(cluster, 0)->commit, 0);
	cluster_run(cluster, 150 * MS);
	assert_int_equal(raft(cluster, 0)->commit, 1);
	cluster_destroy(cluster);
}

/* What comes up during a write goes into the next one together. */
static void writes_are_grouped(void **state)
{
	struct cluster *cluster = create("raft batch=1 election_timeout=off heartbeat=off write_delay=5ms", 3);
	for (uint32_t i = 0; i < 5; i++) {
		cluster_submit(cluster, (100 + i) * MS, 0, i);
	}
	cluster_run(cluster, 500 * MS);
	assert_int_equal(cluster_told(cluster, 1, "written to stable storage -> answer"), 2);
	/* the first at 110, written by 115; the other four, from 111 on, with the write from 115 to 120 */
	assert_int_equal(cluster_committed(cluster, 0, 1)->at_ns, 125 * MS);
	assert_int_equal(cluster_committed(cluster, 0, 2)->at_ns, 130 * MS);
	assert_int_equal(cluster_committed(cluster, 0, 5)->at_ns, 130 * MS);
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* A crash loses what was not written; and since nothing of it was promised, nothing is lost that counts. */
static void crash_loses_what_is_not_written(void **state)
{
	struct cluster *cluster = create("raft election_timeout=off heartbeat=50ms write_delay=5ms", 3);
	cluster_submit(cluster, 100 * MS, 0, 7);
	cluster_crash(cluster, 113 * MS, 1); /* it has appended the entry and not answered */
	cluster_crash(cluster, 113 * MS, 2);
	cluster_restart(cluster, 125 * MS, 1);
	cluster_run(cluster, 125 * MS);
	assert_int_equal(raft(cluster, 1)->last, 0);
	assert_int_equal(raft(cluster, 0)->commit, 0);
	cluster_run(cluster, 1000 * MS);
	cluster_assert_story(cluster, "n1 appends 1 in view 1 [7]", "n1 crashes",
		"n1 restarts", "n1 what was not written is lost", "n1 appends 1 in view 1 [7]",
		"n0 commits 1 in view 1 [7]");
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* A conflicting suffix is cut and written over; a crash before that brings the old one back. */
static void crash_brings_back_what_was_cut(void **state)
{
	struct cluster *cluster = create("raft election_timeout=off heartbeat=off write_delay=5ms", 3);
	cluster_lies(cluster, 0); /* the entries are the test's making */
	struct raft_entries *body = cluster_alloc(cluster, sizeof(*body) + 2 * sizeof(body->entries[0]));
	body->n = 2;
	for (uint32_t i = 0; i < 2; i++) {
		body->entries[i].term = 1;
		body->entries[i].batch = cluster_batch(cluster, &(transaction_id){10 + i}, 1);
	}
	tell_now(cluster, 1, (struct message){.kind = RAFT_APPEND, .from = 0, .view = 1, .body = body});
	cluster_run(cluster, 100 * MS);
	assert_terms(cluster, 1, "1 1");
	struct raft_entries *other =
		cluster_alloc(cluster, sizeof(*other) + 2 * sizeof(other->entries[0]));
	other->n = 2;
	for (uint32_t i = 0; i < 2; i++) {
		other->entries[i].term = 2;
		other->entries[i].batch = cluster_batch(cluster, &(transaction_id){20 + i}, 1);
	}
	struct message cut = {.kind = RAFT_APPEND, .from = 2, .view = 2, .instance = 1, .digest = 1,
		.flags = RAFT_FLAG_PROBE, .body = other};
	tell_now(cluster, 1, cut);
	assert_terms(cluster, 1, "1 2 2");
	cluster_crash(cluster, 103 * MS, 1);
	cluster_restart(cluster, 200 * MS, 1);
	cluster_run(cluster, 210 * MS);
	assert_terms(cluster, 1, "1 1");
	assert_int_equal(cluster_view(cluster, 1), 1); /* and so the term */
	tell_now(cluster, 1, cut);
	cluster_crash(cluster, 216 * MS, 1); /* now it was written */
	cluster_restart(cluster, 300 * MS, 1);
	cluster_run(cluster, 300 * MS);
	assert_terms(cluster, 1, "1 2 2");
	assert_int_equal(cluster_view(cluster, 1), 2);
	cluster_destroy(cluster);
}

/* A vote is written before it is given: whoever crashes in between has not voted. */
static void vote_written_first(void **state)
{
	struct cluster *cluster = create("raft election_timeout=off heartbeat=off write_delay=5ms", 5);
	cluster_run(cluster, 100 * MS);
	struct message ask = {.kind = RAFT_VOTE, .from = 2, .view = 2};
	tell_now(cluster, 1, ask);
	assert_int_equal(raft(cluster, 1)->voted_for, 2);
	cluster_run(cluster, 104 * MS);
	assert_int_equal(cluster->world.messages[CLASS_CONTROL], 0);
	cluster_crash(cluster, 104 * MS, 1);
	cluster_restart(cluster, 110 * MS, 1);
	cluster_run(cluster, 110 * MS);
	assert_int_equal(raft(cluster, 1)->voted_for, 0);
	assert_int_equal(cluster_view(cluster, 1), 1);
	tell_now(cluster, 1, ask);
	cluster_run(cluster, 115 * MS);
	assert_int_equal(cluster->world.messages[CLASS_CONTROL], 1);
	cluster_crash(cluster, 116 * MS, 1);
	cluster_restart(cluster, 120 * MS, 1);
	cluster_run(cluster, 120 * MS);
	ask.from = 3;
	tell_now(cluster, 1, ask);
	cluster_assert_story(cluster, "n1 candidate's log is up to date -> grant vote", "n1 crashes",
		"n1 what was not written is lost", "n1 candidate's log is up to date -> grant vote",
		"n1 written to stable storage -> answer", "n1 restarts", "n1 voted for another -> refuse");
	cluster_destroy(cluster);
}

/* A candidate asks while its own vote is written, and leads when it is, whoever else has voted for it. */
static void candidate_writes_in_parallel(void **state)
{
	struct cluster *cluster = create("raft election_timeout=off heartbeat=off write_delay=30ms", 5);
	for (uint32_t i = 2; i < 5; i++) {
		raft(cluster, i)->disk = NULL;
	}
	cluster_run(cluster, 100 * MS);
	assert_true(step_campaign(cluster, 1));
	cluster_run(cluster, 129 * MS);
	assert_int_equal(raft(cluster, 1)->role, RAFT_CANDIDATE); /* with votes from three of five */
	assert_true(raft_is_quorum(cluster_node(cluster, 1), raft(cluster, 1)->votes));
	cluster_run(cluster, 130 * MS);
	assert_int_equal(raft(cluster, 1)->role, RAFT_LEADER);
	cluster_destroy(cluster);
}

/* A candidate claims no more than a crash would leave it: were it to claim the entry that it has not
 * written, then crash and ask again in the same term, a vote that was given to the longer log and comes
 * late would elect the shorter one. */
static void claims_what_is_written(void **state)
{
	struct cluster *cluster = create("raft election_timeout=off heartbeat=off write_delay=5ms", 3);
	cluster_submit(cluster, 0, 0, 1);
	cluster_run(cluster, 100 * MS);
	cluster_submit(cluster, 100 * MS, 0, 2);
	cluster_run(cluster, 112 * MS); /* n1 has it and is writing it */
	uint64_t term;
	assert_int_equal(raft(cluster, 1)->last, 2);
	assert_int_equal(raft_claim(raft(cluster, 1), &term), 1);
	assert_int_equal(term, 1);
	cluster_run(cluster, 115 * MS);
	assert_int_equal(raft_claim(raft(cluster, 1), &term), 2);
	cluster_destroy(cluster);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leader_writes_in_parallel),
		cmocka_unit_test(commits_before_its_own_write),
		cmocka_unit_test(own_write_counts_late),
		cmocka_unit_test(writes_are_grouped),
		cmocka_unit_test(crash_loses_what_is_not_written),
		cmocka_unit_test(crash_brings_back_what_was_cut),
		cmocka_unit_test(vote_written_first),
		cmocka_unit_test(candidate_writes_in_parallel),
		cmocka_unit_test(claims_what_is_written),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
