/* Membership changes as stories. Raft 6; thesis 4. */
#include "raft.h"

static uint64_t voters(struct cluster *cluster, uint32_t node)
{
	return raft(cluster, node)->config->voters[0];
}

static void submit_some(struct cluster *cluster, sim_time from_ns, uint32_t first, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		cluster_submit_all(cluster, from_ns + i * 10 * MS, first + i);
	}
}

/* An append that brings a configuration. */
static bool has_config(
	struct cluster *cluster, uint32_t to, const struct message *message, void *context)
{
	const struct raft_entries *body = message->body;
	for (uint32_t i = 0; body != NULL && i < body->n; i++) {
		if (raft_config_of(body->entries[i].batch) != NULL) {
			return true;
		}
	}
	return false;
}

/* Thesis 4.1, 4.2.1: servers are added one at a time, each when it has caught up. The new server begins
 * with an empty log. */
static void servers_added(void **state)
{
	struct cluster *cluster = create("raft members=0,1,2 batch=1", 5);
	submit_some(cluster, 0, 0, 20);
	cluster_run(cluster, 1000 * MS);
	assert_int_equal(raft(cluster, 3)->last, 0);
	assert_int_equal(cluster_told(cluster, 3, "no voter -> no election"), 1);
	assert_true(step_change(cluster, 0, 0x1f, 0, false));
	cluster_run(cluster, 3000 * MS);
	cluster_assert_story(cluster, "n3 no voter -> no election",
		"n0 round within an election timeout -> caught up", "n0 add a voter -> append C_new",
		"n0 configuration appended -> use it", "n3 configuration appended -> use it",
		"n0 commits 21 in view 1 []", "n0 round within an election timeout -> caught up",
		"n0 add a voter -> append C_new", "n0 commits 22 in view 1 []",
		"n0 membership is as wanted -> done");
	for (uint32_t i = 0; i < 5; i++) {
		assert_int_equal(voters(cluster, i), 0x1f);
		assert_int_equal(raft(cluster, i)->commit, 22);
	}
	assert_true(cluster_same_logs(cluster, NODES_ALL));
	/* and now a majority is three of five */
	cluster_crash(cluster, 3000 * MS, 1);
	cluster_crash(cluster, 3000 * MS, 2);
	cluster_submit(cluster, 3100 * MS, 0, 50);
	cluster_run(cluster, 4000 * MS);
	assert_true(cluster_executed(cluster, 3, 50));
	cluster_crash(cluster, 4000 * MS, 3);
	cluster_submit(cluster, 4100 * MS, 0, 51);
	cluster_run(cluster, 6000 * MS);
	assert_false(cluster_executed(cluster, 0, 51));
	assert_true(cluster->received[RAFT_VOTE] == 0 || cluster_view(cluster, 0) > 1);
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* What a change must not: a server that did not come up is not added. Thesis 4.2.1. */
static void unavailable_server(void **state)
{
	struct cluster *cluster = create("raft members=0,1,2 election_timeout=150ms,300ms", 4);
	cluster_crash(cluster, 10 * MS, 3);
	cluster_run(cluster, 100 * MS);
	assert_true(step_change(cluster, 0, 0xf, 0, false));
	assert_false(step_change(cluster, 0, 0xf, 0, false)); /* one at a time */
	cluster_run(cluster, 3000 * MS);
	cluster_assert_story(cluster, "n0 new server does not catch up -> give up the change");
	assert_int_equal(voters(cluster, 0), 7);
	assert_int_equal(raft(cluster, 0)->last, 0);
	assert_int_equal(cluster_view(cluster, 0), 1);
	/* it may be tried again */
	cluster_restart(cluster, 3000 * MS, 3);
	cluster_run(cluster, 3100 * MS);
	assert_true(step_change(cluster, 0, 0xf, 0, false));
	cluster_run(cluster, 4000 * MS);
	assert_int_equal(voters(cluster, 3), 0xf);
	assert_false(step_change(cluster, 0, 0xf, 0, false)); /* nothing to change */
	assert_false(step_change(cluster, 1, 7, 0, false));   /* does not lead */
	cluster_destroy(cluster);
}

/* Thesis 4.2.2: a leader that removes itself replicates C_new without counting itself, and steps down
 * when it is committed. */
static void leader_removes_itself(void **state)
{
	struct cluster *cluster = create("raft batch=1 election_timeout=150ms,300ms", 3);
	submit_some(cluster, 0, 0, 5);
	cluster_run(cluster, 500 * MS);
	size_t lost = cluster_rule(cluster, (struct cluster_rule){
		.kind = RAFT_APPEND_ANSWER, .from = NODE(2), .do_drop = true});
	assert_true(step_change(cluster, 0, 6, 0, false));
	cluster_run(cluster, 560 * MS);
	/* it and n1 hold C_new: two of three, but one of two */
	assert_int_equal(raft(cluster, 0)->peers[1].match, 6);
	assert_int_equal(raft(cluster, 0)->commit, 5);
	cluster_rule_end(cluster, lost);
	cluster_run(cluster, 3000 * MS);
	cluster_assert_story(cluster, "n0 remove a server -> append C_new", "n0 commits 6 in view 1 []",
		"n0 C_new without the leader committed -> step down", "n0 follows nobody in 1");
	assert_int_equal(cluster->nodes[0].n_leads, 1);
	uint32_t leader = cluster_leader(cluster, 1);
	assert_in_range(leader, 1, 2);
	assert_int_equal(cluster_told(cluster, 0, "campaigns"), 0);
	assert_true(cluster_told(cluster, 0, "no voter -> no election") >= 1);
	cluster_submit_all(cluster, 3000 * MS, 50);
	cluster_run(cluster, 4000 * MS);
	assert_true(cluster_executed(cluster, leader, 50));
	assert_false(cluster_executed(cluster, 0, 50));
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* Raft 6: joint consensus. C_old,new needs both majorities; when it is committed the leader appends C_new,
 * and where it is not in that, it steps down once it is committed. */
static void joint_without_the_leader(void **state)
{
	struct cluster *cluster = create("raft members=0,1,2 batch=1 election_timeout=150ms,300ms", 6);
	submit_some(cluster, 0, 0, 5);
	cluster_run(cluster, 500 * MS);
	/* from 0,1,2 to 3,4,5; C_old,new does not reach the new ones at first */
	size_t lost = cluster_rule(cluster, (struct cluster_rule){
		.kind = RAFT_APPEND, .to = NODE(4) | NODE(5), .when = has_config, .do_drop = true});
	assert_true(step_change(cluster, 0, 0x38, 0, true));
	cluster_run(cluster, 800 * MS);
	assert_int_equal(voters(cluster, 0), 0x38);
	assert_int_equal(raft(cluster, 0)->config->old[0], 7);
	assert_int_equal(raft(cluster, 1)->config->old[0], 7);
	assert_int_equal(raft(cluster, 0)->peers[1].match, 6); /* all of C_old have it, and one of C_new */
	assert_int_equal(raft(cluster, 0)->peers[2].match, 6);
	assert_int_equal(raft(cluster, 0)->peers[3].match, 6);
	assert_int_equal(raft(cluster, 0)->commit, 5);
	cluster_rule_end(cluster, lost);
	cluster_run(cluster, 3000 * MS);
	cluster_assert_story(cluster, "n0 change by joint consensus -> append C_old,new",
		"n0 commits 6 in view 1 []", "n0 C_old,new committed -> append C_new",
		"n0 commits 7 in view 1 []", "n0 C_new without the leader committed -> step down");
	uint32_t leader = cluster_leader(cluster, 3);
	assert_in_range(leader, 3, 5);
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(cluster_told(cluster, i, "campaigns"), 0);
	}
	cluster_submit_all(cluster, 3000 * MS, 50);
	cluster_run(cluster, 4000 * MS);
	for (uint32_t i = 3; i < 6; i++) {
		assert_true(cluster_executed(cluster, i, 50));
		assert_null(raft(cluster, i)->config->old);
	}
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* Raft 6: and a majority of C_new alone, which has all servers but two of C_old, commits nothing and elects
 * nobody. */
static void joint_needs_the_old_too(void **state)
{
	struct cluster *cluster =
		create("raft members=0,1,2 election_timeout=1s,1000s heartbeat=50ms", 6);
	cluster_run(cluster, 100 * MS);
	cluster_rule(cluster, (struct cluster_rule){
		.kind = RAFT_APPEND, .to = NODE(1) | NODE(2), .when = has_config, .do_drop = true});
	assert_true(step_change(cluster, 0, 0x39, 0, true)); /* to 0, 3, 4, 5 */
	cluster_run(cluster, 1000 * MS);
	for (uint32_t i = 3; i < 6; i++) {
		assert_int_equal(raft(cluster, 0)->peers[i].match, 1);
	}
	assert_int_equal(raft(cluster, 0)->commit, 0);
	cluster_crash(cluster, 1000 * MS, 0);
	size_t no = cluster_rule(cluster, (struct cluster_rule){
		.kind = RAFT_VOTE, .to = NODE(1) | NODE(2), .do_drop = true});
	cluster_run(cluster, 2500 * MS);
	assert_true(step_campaign(cluster, 3)); /* n4 and n5 vote: three of four, none of C_old */
	cluster_run(cluster, 2600 * MS);
	assert_int_equal(cluster_told(cluster, 4, "grant vote") + cluster_told(cluster, 5, "grant vote"), 2);
	assert_int_equal(raft(cluster, 3)->role, RAFT_CANDIDATE);
	cluster_rule_end(cluster, no);
	assert_true(step_campaign(cluster, 3));
	cluster_run(cluster, 2700 * MS);
	assert_int_equal(raft(cluster, 3)->role, RAFT_LEADER);
	cluster_destroy(cluster);
}

/* Raft 6: in joint consensus an election needs both majorities too. */
static void joint_election(void **state)
{
	struct cluster *cluster = create("raft members=0,1,2 election_timeout=1s,1000s heartbeat=50ms", 6);
	cluster_run(cluster, 100 * MS);
	cluster_rule(cluster, (struct cluster_rule){
		.kind = RAFT_APPEND, .to = NODE(4) | NODE(5), .when = has_config, .do_drop = true});
	assert_true(step_change(cluster, 0, 0x38, 0, true));
	cluster_run(cluster, 1000 * MS);
	assert_int_equal(raft(cluster, 0)->commit, 0);
	cluster_crash(cluster, 1000 * MS, 0);
	size_t no = cluster_rule(cluster, (struct cluster_rule){
		.kind = RAFT_VOTE_ANSWER, .from = NODE(4) | NODE(5), .do_drop = true});
	cluster_run(cluster, 2500 * MS);
	assert_true(step_campaign(cluster, 1)); /* n2 and n3 vote: three of C_old,new, but one of C_new */
	cluster_run(cluster, 2600 * MS);
	assert_int_equal(raft(cluster, 1)->role, RAFT_CANDIDATE);
	cluster_rule_end(cluster, no);
	assert_true(step_campaign(cluster, 1));
	cluster_run(cluster, 2700 * MS);
	assert_int_equal(raft(cluster, 1)->role, RAFT_LEADER);
	cluster_destroy(cluster);
}

/* A leader falls in joint consensus: the next one, whose log holds C_old,new, brings the change to its
 * end. */
static void joint_change_taken_over(void **state)
{
	struct cluster *cluster = create("raft members=0,1,2 election_timeout=150ms,300ms", 5);
	cluster_run(cluster, 100 * MS);
	cluster_rule(cluster, (struct cluster_rule){
		.kind = RAFT_APPEND_ANSWER, .to = NODE(0), .instance = 1, .do_drop = true});
	assert_true(step_change(cluster, 0, 0x1c, 0, true));
	cluster_run(cluster, 300 * MS);
	assert_int_equal(raft(cluster, 2)->last, 1);
	cluster_crash(cluster, 300 * MS, 0);
	cluster_run(cluster, 5000 * MS);
	cluster_assert_story(cluster, "n0 change by joint consensus -> append C_old,new", "n0 crashes");
	assert_int_equal(cluster_told(cluster, NODE_NONE, "C_old,new committed -> append C_new"), 1);
	for (uint32_t i = 2; i < 5; i++) {
		assert_int_equal(voters(cluster, i), 0x1c);
		assert_null(raft(cluster, i)->config->old);
	}
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* Thesis 4.1: a configuration holds from the moment that it is appended, and goes with its entry. */
static void configuration_cut(void **state)
{
	struct cluster *cluster = create("raft batch=1 election_timeout=off heartbeat=50ms", 5);
	cluster_run(cluster, 100 * MS);
	cluster_isolate(cluster, NODE(0) | NODE(1), 500 * MS);
	assert_true(step_change(cluster, 0, 0xf, 0, false)); /* without n4; reaches n1 alone */
	cluster_run(cluster, 200 * MS);
	assert_int_equal(voters(cluster, 0), 0xf);
	assert_int_equal(voters(cluster, 1), 0xf);
	assert_true(step_campaign(cluster, 3));
	cluster_run(cluster, 2000 * MS);
	cluster_assert_story(cluster, "n1 configuration appended -> use it", "n3 leads 2",
		"n0 higher term -> follow", "n0 entry conflicts -> cut the log",
		"n0 configuration cut -> back to the one before");
	for (uint32_t i = 0; i < 5; i++) {
		assert_int_equal(voters(cluster, i), 0x1f);
	}
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* Raft-dev, 10 July 2015, "bug in single-server membership changes": a leader must have committed an entry
 * of its own term before it changes the membership. Four servers; n0 of term 1 adds n4, and its C_new
 * reaches nobody; n1 of term 2 then removes n0: were it not to wait for its no-op, {n1, n2} of three and
 * {n0, n3, n4} of five would be majorities that don't overlap. */
static void own_entry_first(void **state)
{
	struct cluster *cluster = create("raft members=0,1,2,3 election_timeout=off heartbeat=50ms", 5);
	cluster_run(cluster, 100 * MS);
	cluster_rule(cluster, (struct cluster_rule){.kind = RAFT_APPEND, .from = NODE(0),
		.to = NODE(1) | NODE(2) | NODE(3), .from_ns = 110 * MS, .until_ns = 1000 * MS, .do_drop = true});
	assert_true(step_change(cluster, 0, 0x1f, 0, false));
	cluster_run(cluster, 300 * MS);
	assert_int_equal(voters(cluster, 0), 0x1f);
	assert_int_equal(voters(cluster, 4), 0x1f);
	/* n1 leads term 2 by n2 and n3; its no-op reaches n2 alone: two of four */
	cluster_isolate(cluster, NODE(0) | NODE(4), 1000 * MS);
	cluster_rule(cluster, (struct cluster_rule){.kind = RAFT_APPEND, .from = NODE(1),
		.to = NODE(3), .until_ns = 600 * MS, .do_drop = true});
	assert_true(step_campaign(cluster, 1));
	cluster_run(cluster, 400 * MS);
	assert_int_equal(raft(cluster, 1)->role, RAFT_LEADER);
	assert_true(step_change(cluster, 1, 0xe, 0, false)); /* taken, but not begun */
	cluster_run(cluster, 590 * MS);
	assert_int_equal(voters(cluster, 1), 0xf);
	assert_int_equal(raft(cluster, 1)->last, 1);
	assert_true(raft(cluster, 1)->commit == 0);
	/* meanwhile n0, n3 and n4 can lead: safely, since nothing was committed */
	cluster_run(cluster, 900 * MS);
	cluster_assert_story(cluster, "n1 leads 2", "n1 commits 1 in view 2 []",
		"n1 remove a server -> append C_new", "n1 commits 2 in view 2 []");
	cluster_run(cluster, 2000 * MS);
	assert_int_equal(voters(cluster, 1), 0xe);
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* Raft 6, thesis 4.2.3: a server that was removed and has not heard of it disturbs nobody. */
static void removed_server(void **state)
{
	struct cluster *cluster = create("raft election_timeout=150ms,300ms", 4);
	cluster_run(cluster, 100 * MS);
	cluster_isolate(cluster, NODE(3), 1000 * MS);
	assert_true(step_change(cluster, 0, 7, 0, false));
	cluster_run(cluster, 1000 * MS);
	assert_int_equal(voters(cluster, 0), 7);
	assert_int_equal(voters(cluster, 3), 0xf);
	cluster_run(cluster, 5000 * MS);
	assert_true(cluster_told(cluster, 3, "campaigns") > 10);
	assert_true(cluster_told(cluster, 1, "leader heard of late -> ignore the candidate") > 5);
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(cluster_view(cluster, i), 1);
		assert_int_equal(cluster_leader(cluster, i), 0);
	}
	cluster_destroy(cluster);
}

/* Thesis 4.2.1: a learner receives the log; it never votes, never campaigns and is never counted. */
static void learner(void **state)
{
	struct cluster *cluster = create("raft learners=2,3 batch=1 election_timeout=150ms,300ms", 4);
	submit_some(cluster, 0, 0, 5);
	cluster_run(cluster, 500 * MS);
	assert_true(cluster_same_logs(cluster, NODES_ALL));
	tell_now(cluster, 2, (struct message){.kind = RAFT_VOTE, .from = 1, .view = 5, .instance = 5,
		.digest = 1});
	assert_int_equal(cluster_told(cluster, 2, "a learner does not vote -> refuse"), 1);
	assert_int_equal(raft(cluster, 2)->voted_for, NODE_NONE);
	assert_false(step_campaign(cluster, 2));
	cluster_run(cluster, 2000 * MS);
	uint64_t asked = cluster->received[RAFT_VOTE];
	/* one of two voters is down: nothing is committed, with both learners alive, and nobody elected */
	uint32_t leader = cluster_leader(cluster, 0);
	assert_in_range(leader, 0, 1);
	uint64_t commit = raft(cluster, leader)->commit;
	cluster_crash(cluster, 2000 * MS, 1 - leader);
	cluster_submit(cluster, 2010 * MS, leader, 50);
	cluster_run(cluster, 4000 * MS);
	assert_int_equal(raft(cluster, leader)->peers[2].match, raft(cluster, leader)->last);
	assert_int_equal(raft(cluster, leader)->commit, commit);
	cluster_crash(cluster, 4000 * MS, leader);
	cluster_run(cluster, 8000 * MS);
	assert_int_equal(cluster_told(cluster, 2, "campaigns"), 0);
	assert_int_equal(cluster_told(cluster, 3, "campaigns"), 0);
	assert_true(cluster_told(cluster, 2, "no voter -> no election") > 0);
	assert_int_equal(cluster_leader(cluster, 2), NODE_NONE); /* it sends no client to one it no longer hears */
	assert_int_equal(cluster->received[RAFT_VOTE], asked); /* nor are learners asked */
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* Nor is a learner's vote counted, were it to give one: one of two voters and two learners elect nobody. */
static void learner_not_counted(void **state)
{
	struct cluster *cluster = create("raft learners=2,3 election_timeout=off", 4);
	cluster_run(cluster, 50 * MS);
	cluster_crash(cluster, 50 * MS, 0);
	cluster_run(cluster, 60 * MS);
	assert_true(step_campaign(cluster, 1));
	struct message vote = {.kind = RAFT_VOTE_ANSWER, .from = 2, .view = 2, .flags = RAFT_FLAG_YES};
	tell_now(cluster, 1, vote);
	vote.from = 3;
	tell_now(cluster, 1, vote);
	assert_int_equal(raft(cluster, 1)->role, RAFT_CANDIDATE);
	vote.from = 0;
	tell_now(cluster, 1, vote);
	assert_int_equal(raft(cluster, 1)->role, RAFT_LEADER);
	cluster_destroy(cluster);
}

/* Thesis 4.1: a server votes whatever its own configuration says, since the candidate's may be newer: n2, a
 * learner as far as it knows, was made a voter by an entry that only n0 has. Were it to refuse, n0, which
 * needs two votes of two, could never be elected, and n2 does not try. */
static void promoted_without_knowing(void **state)
{
	struct cluster *cluster = create("raft members=0 learners=2 election_timeout=150ms,300ms", 3);
	cluster_run(cluster, 100 * MS);
	cluster_rule(cluster, (struct cluster_rule){
		.kind = RAFT_APPEND, .when = has_config, .until_ns = 500 * MS, .do_drop = true});
	assert_true(step_change(cluster, 0, 5, 0, false));
	cluster_run(cluster, 300 * MS);
	assert_int_equal(voters(cluster, 0), 5);
	assert_int_equal(voters(cluster, 2), 1);
	cluster_crash(cluster, 300 * MS, 0);
	cluster_restart(cluster, 310 * MS, 0);
	cluster_run(cluster, 2000 * MS);
	cluster_assert_story(cluster, "n0 restarts", "n0 election timeout -> candidate",
		"n2 candidate's log is up to date -> grant vote", "n0 leads 2",
		"n2 configuration appended -> use it", "n0 commits 1 in view 1 []");
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* A learner becomes a voter, a voter a learner. */
static void promotion(void **state)
{
	struct cluster *cluster = create("raft learners=3 election_timeout=150ms,300ms", 4);
	cluster_run(cluster, 100 * MS);
	assert_true(step_change(cluster, 0, 0xb, 4, false)); /* 3 for 2 */
	cluster_run(cluster, 1000 * MS);
	cluster_assert_story(cluster, "n0 round within an election timeout -> caught up",
		"n0 add a voter -> append C_new", "n0 commits 1 in view 1 []",
		"n0 make a learner -> append C_new", "n0 membership is as wanted -> done");
	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(voters(cluster, i), 0xb);
		assert_int_equal(raft(cluster, i)->config->learners[0], 4);
	}
	cluster_destroy(cluster);
}

/* Raft 7: the configuration is part of a snapshot. */
static void configuration_in_a_snapshot(void **state)
{
	struct cluster *cluster = create(
		"raft members=0,1,2 batch=1 snapshot_every=5 snapshot_size=5000 election_timeout=150ms,300ms", 5);
	cluster_run(cluster, 100 * MS);
	assert_true(step_change(cluster, 0, 0xf, 0, false));
	cluster_run(cluster, 500 * MS);
	cluster_crash(cluster, 500 * MS, 2);
	submit_some(cluster, 600 * MS, 0, 20);
	cluster_run(cluster, 1000 * MS);
	assert_true(raft(cluster, 0)->base > 5);
	/* n4 has nothing: it gets all by the snapshot, members among it */
	assert_true(step_change(cluster, 0, 0x1f, 0, false));
	cluster_rule(cluster, (struct cluster_rule){.kind = RAFT_APPEND, .to = NODE(4),
		.until_ns = 1400 * MS, .when = has_config, .do_drop = true});
	cluster_run(cluster, 1300 * MS);
	cluster_assert_story(cluster, "n4 snapshot goes further -> install it");
	assert_int_equal(voters(cluster, 4), 0xf);
	cluster_restart(cluster, 1300 * MS, 2);
	cluster_run(cluster, 3000 * MS);
	for (uint32_t i = 0; i < 5; i++) {
		assert_int_equal(voters(cluster, i), 0x1f);
	}
	assert_true(cluster_same_logs(cluster, NODES_ALL));
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* Stable storage: a crash takes a configuration back that was not written. */
static void configuration_not_written(void **state)
{
	struct cluster *cluster = create("raft write_delay=5ms election_timeout=off heartbeat=off", 4);
	cluster_run(cluster, 100 * MS);
	assert_true(step_change(cluster, 0, 7, 0, false));
	cluster_run(cluster, 112 * MS);
	assert_int_equal(voters(cluster, 1), 7);
	cluster_crash(cluster, 112 * MS, 1);
	cluster_restart(cluster, 120 * MS, 1);
	cluster_run(cluster, 120 * MS);
	assert_int_equal(voters(cluster, 1), 0xf);
	cluster_run(cluster, 200 * MS);
	cluster_crash(cluster, 200 * MS, 2);
	cluster_restart(cluster, 210 * MS, 2);
	cluster_run(cluster, 210 * MS);
	assert_int_equal(voters(cluster, 2), 7);
	cluster_destroy(cluster);
}

/* What a scenario may not say. */
static void settings_refused(void **state)
{
	uint32_t nodes[] = {0, 1, 2, 5};
	const struct raft_settings good = {.election_timeout_ns = {150 * MS, 300 * MS},
		.heartbeat_ns = 50 * MS, .members = {.n = 3, .nodes = nodes, .given = true},
		.learners = {.n = 0}};
	struct raft_settings bad[8];
	const char *const params[8] = {"members", "learners", "members", "members", "reads", "reads",
		"check_quorum", "learners"};
	for (int i = 0; i < 8; i++) {
		bad[i] = good;
	}
	bad[0].members.n = 4; /* there is no validator 5 */
	bad[1].learners = (struct node_list){.n = 1, .nodes = nodes + 1, .given = true};
	bad[2].members.nodes = nodes + 1; /* 1, 2, 5 */
	bad[2].members.n = 2;             /* without 0, which leads */
	bad[3].members.leader = true;
	bad[4].reads = RAFT_READS_LEASE; /* without check_quorum */
	bad[5].reads = RAFT_READS_INDEX;
	bad[5].heartbeat_ns = SIM_NEVER;
	bad[6].check_quorum = true;
	bad[6].election_timeout_ns[0] = bad[6].election_timeout_ns[1] = SIM_NEVER;
	bad[7].members = (struct node_list){0};
	bad[7].learners = (struct node_list){.n = 3, .nodes = nodes, .given = true}; /* nobody is left */
	const struct shape shape = {.n_validators = 3};
	const char *param = NULL;
	char error[256];
	struct raft_settings fine = good;
	assert_true(raft_finish(&fine, &shape, &param, error));
	for (int i = 0; i < 8; i++) {
		assert_false(raft_finish(&bad[i], &shape, &param, error));
		assert_string_equal(param, params[i]);
	}
	bad[2].initial_leader = RAFT_LEADER_NONE;
	assert_true(raft_finish(&bad[2], &shape, &param, error));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(servers_added),
		cmocka_unit_test(unavailable_server),
		cmocka_unit_test(leader_removes_itself),
		cmocka_unit_test(joint_without_the_leader),
		cmocka_unit_test(joint_needs_the_old_too),
		cmocka_unit_test(joint_election),
		cmocka_unit_test(joint_change_taken_over),
		cmocka_unit_test(configuration_cut),
		cmocka_unit_test(own_entry_first),
		cmocka_unit_test(removed_server),
		cmocka_unit_test(learner),
		cmocka_unit_test(learner_not_counted),
		cmocka_unit_test(promoted_without_knowing),
		cmocka_unit_test(promotion),
		cmocka_unit_test(configuration_in_a_snapshot),
		cmocka_unit_test(configuration_not_written),
		cmocka_unit_test(settings_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
