/* Pre-vote, check-quorum and leadership transfer as stories. Thesis 9.6, 6.2, 3.10. */
#include "raft.h"

/* Cuts all between two nodes, for ever. */
static void cut(struct cluster *cluster, uint32_t a, uint32_t b)
{
	cluster_rule(cluster, (struct cluster_rule){.from = NODE(a), .to = NODE(b), .do_drop = true});
	cluster_rule(cluster, (struct cluster_rule){.from = NODE(b), .to = NODE(a), .do_drop = true});
}

/* Thesis 9.6: a server that is cut off asks in vain, and when it is back nobody has to follow it into a
 * higher term. */
static void rejoining_server(void **state)
{
	for (int pre_vote = 0; pre_vote < 2; pre_vote++) {
		struct cluster *cluster = create(pre_vote ? "raft pre_vote=on" : "raft", 3);
		cluster_run(cluster, 500 * MS);
		cluster_isolate(cluster, NODE(2), 3000 * MS);
		cluster_run(cluster, 3000 * MS);
		if (pre_vote) {
			assert_int_equal(cluster_view(cluster, 2), 1);
			cluster_run(cluster, 6000 * MS);
			cluster_assert_story(cluster, "n2 election timeout -> ask for pre-votes", "n2 follows n0 in 1");
			assert_int_equal(cluster_told(cluster, NODE_NONE, "campaigns"), 0);
			for (uint32_t i = 0; i < 3; i++) {
				assert_int_equal(cluster_view(cluster, i), 1);
				assert_int_equal(cluster_leader(cluster, i), 0);
			}
		} else { /* without: its terms depose the leader */
			assert_true(cluster_view(cluster, 2) > 5);
			cluster_run(cluster, 6000 * MS);
			assert_true(cluster_view(cluster, 0) > 5);
			assert_true(cluster_told(cluster, 0, "higher term -> follow") > 0);
		}
		cluster_assert_safe(cluster);
		cluster_destroy(cluster);
	}
}

/* Thesis 9.6: who grants a pre-vote. It changes nothing at whoever grants it. */
static void pre_vote_rules(void **state)
{
	struct cluster *cluster = create("raft election_timeout=150ms,300ms pre_vote=on", 3);
	cluster_submit(cluster, 0, 0, 7);
	cluster_run(cluster, 50 * MS);
	struct message ask = {.kind = RAFT_PRE_VOTE, .from = 2, .view = 2,
		.instance = 1, .digest = 1};
	tell_now(cluster, 1, ask); /* it hears the leader */
	cluster_crash(cluster, 50 * MS, 0);
	cluster_run(cluster, 211 * MS); /* the smallest timeout has passed since */
	tell_now(cluster, 1, ask);
	ask.view = 1; /* a term that it is in already */
	tell_now(cluster, 1, ask);
	ask.view = 2;
	ask.instance = ask.digest = 0;
	tell_now(cluster, 1, ask);
	cluster_assert_story(cluster, "n1 leader heard of late -> refuse the pre-vote",
		"n1 it would be elected -> grant pre-vote", "n1 pre-candidate's term is old -> refuse",
		"n1 pre-candidate's log is older -> refuse");
	assert_int_equal(cluster_view(cluster, 1), 1);
	assert_int_equal(raft(cluster, 1)->voted_for, 0);
	/* the real election then goes through all the same */
	cluster_run(cluster, 2000 * MS);
	cluster_assert_story(cluster, "n0 crashes", "n2 election timeout -> ask for pre-votes",
		"n1 it would be elected -> grant pre-vote", "n2 pre-votes from a majority -> candidate",
		"n2 campaigns for 2", "n2 votes from a majority -> lead", "n2 leads 2");
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* Thesis 6.2: a leader that can't reach a quorum steps down within an election timeout, so that its
 * clients find the next one. */
static void leader_without_a_quorum(void **state)
{
	for (int check = 0; check < 2; check++) {
		struct cluster *cluster = create(check ? "raft check_quorum=on" : "raft", 5);
		cluster_run(cluster, 1000 * MS);
		cluster_isolate(cluster, NODE(0) | NODE(1), 0);
		cluster_run(cluster, 1500 * MS);
		assert_int_equal(raft(cluster, 0)->role == RAFT_LEADER, !check);
		if (check) {
			cluster_assert_story(
				cluster, "n0 no majority has answered -> step down", "n0 follows nobody in 1");
			/* heard at 1000 ms at the latest; looked at every 50 ms */
			size_t n = cluster_told(cluster, 0, "no majority has answered -> step down");
			assert_int_equal(n, 1);
			cluster_submit(cluster, 1500 * MS, 0, 7);
			cluster_run(cluster, 1500 * MS);
			assert_int_equal(cluster_told(cluster, 0, "request at a follower"), 1);
		}
		cluster_destroy(cluster);
	}
	/* one of two that are left suffices: three of five */
	struct cluster *cluster = create("raft check_quorum=on", 5);
	cluster_isolate(cluster, NODE(3) | NODE(4), 0);
	cluster_run(cluster, 5000 * MS);
	assert_int_equal(raft(cluster, 0)->role, RAFT_LEADER);
	assert_int_equal(cluster_view(cluster, 0), 1);
	cluster_destroy(cluster);
}

/* A step may force a server past its pre-vote; the others hear the leader and would not have granted it. */
static void forced_campaign(void **state)
{
	for (int force = 0; force < 2; force++) {
		struct cluster *cluster = create("raft pre_vote=on", 3);
		cluster_run(cluster, 100 * MS);
		assert_true(step(cluster, 1, STEP_CAMPAIGN, &(struct protocol_step_argument){.force = force}));
		cluster_run(cluster, 130 * MS);
		assert_int_equal(cluster->received[RAFT_PRE_VOTE], force ? 0 : 2);
		assert_int_equal(cluster->received[RAFT_PRE_VOTE_ANSWER], force ? 0 : 2);
		assert_int_equal(cluster->received[RAFT_VOTE], force ? 2 : 0);
		assert_int_equal(cluster_view(cluster, 1), force ? 2 : 1);
		assert_int_equal(cluster_leader(cluster, 1), force ? 1 : 0);
		cluster_assert_safe(cluster);
		cluster_destroy(cluster);
	}
}

/* A bridge: 1 hears the leader, which reaches nobody else, and two others, with whom it is a majority of five.
 * Who refuses candidates for the leader's sake keeps them out for ever, unless the leader steps down for want
 * of a majority: both or neither (thesis 6.2), whatever makes servers refuse. */
static void bridge(void **state)
{
	static const char *const ways[] = {"raft", "raft", "raft pre_vote=on", "raft check_quorum=on"};
	for (size_t way = 0; way < sizeof(ways) / sizeof(ways[0]); way++) {
		struct cluster *cluster = create(ways[way], way == 1 ? 6 : 5);
		if (way == 1) {
			assert_true(step_change(cluster, 0, 31, 0, false)); /* 5 leaves */
		}
		/* Its clients keep the leader busy, so that those whom it reaches have the longest logs. */
		for (uint32_t i = 0; i < 125; i++) {
			cluster_submit(cluster, 40 * (sim_time)i * MS, 0, 100 + i);
		}
		cluster_run(cluster, 1000 * MS);
		for (uint32_t a = 0; a < cluster->n; a++) {
			for (uint32_t b = 0; b < a; b++) {
				if (!(a == 1 && b == 0) && !(b >= 1 && a <= 3)) {
					cut(cluster, a, b);
				}
			}
		}
		cluster_run(cluster, 5000 * MS);
		uint32_t leaders = 0;
		for (uint32_t i = 0; i < cluster->n; i++) {
			leaders += raft(cluster, i)->role == RAFT_LEADER;
		}
		assert_int_equal(leaders, 1);
		assert_true(raft(cluster, 0)->role != RAFT_LEADER);
		cluster_assert_safe(cluster);
		cluster_destroy(cluster);
	}
	/* Where heartbeats are off no leader looks for its majority, and so nobody refuses for its sake. */
	struct cluster *cluster = create("raft heartbeat=off election_timeout=150ms,300ms", 3);
	assert_true(step_change(cluster, 0, 3, 0, false));
	cluster_run(cluster, 30 * MS);
	tell_now(cluster, 1, (struct message){.kind = RAFT_VOTE, .from = 0, .view = 5, .instance = 9, .digest = 1});
	assert_int_equal(cluster_view(cluster, 1), 5);
	cluster_destroy(cluster);
}

/* Thesis 6.2, 4.2.3: who hears a leader ignores candidates, term and all. */
static void candidate_ignored(void **state)
{
	for (int check = 0; check < 2; check++) {
		struct cluster *cluster = create(
			check ? "raft election_timeout=150ms,300ms check_quorum=on"
				  : "raft election_timeout=150ms,300ms", 3);
		cluster_run(cluster, 100 * MS);
		tell_now(cluster, 1, (struct message){.kind = RAFT_VOTE, .from = 2, .view = 5});
		tell_now(cluster, 0, (struct message){.kind = RAFT_VOTE, .from = 2, .view = 5});
		assert_int_equal(cluster_view(cluster, 1), check ? 1 : 5);
		assert_int_equal(cluster_view(cluster, 0), check ? 1 : 5);
		assert_int_equal(
			cluster_told(cluster, NODE_NONE, "leader heard of late -> ignore the candidate"),
			check ? 2 : 0);
		/* unless it has not for the smallest timeout */
		cluster_crash(cluster, 100 * MS, 0);
		cluster_run(cluster, 269 * MS);
		tell_now(cluster, 1, (struct message){.kind = RAFT_VOTE, .from = 2, .view = 9});
		assert_int_equal(cluster_view(cluster, 1), 9);
		cluster_destroy(cluster);
	}
}

/* Cloudflare, 2 November 2020: a server is cut from the leader but not from the others. Here each of four
 * is cut from one other, whoever leads. Plain Raft elects again and again, each candidate deposing a leader
 * that it can't hear; with pre-vote and check-quorum the one leader stays. */
static void partial_reachability(void **state)
{
	for (int both = 0; both < 2; both++) {
		struct cluster *cluster = create(
			both ? "raft pre_vote=on check_quorum=on" : "raft", 4);
		cut(cluster, 0, 2);
		cut(cluster, 1, 3);
		for (uint32_t i = 0; i < 100; i++) {
			cluster_submit_all(cluster, i * 200 * MS, i);
		}
		cluster_run(cluster, 21000 * MS);
		size_t n_led = cluster_told(cluster, NODE_NONE, " leads ");
		if (both) {
			assert_int_equal(n_led, 1);
			assert_int_equal(cluster_view(cluster, 1), 1);
			assert_int_equal(cluster->nodes[0].n_transactions, 100);
			cluster_assert_story(cluster, "n2 election timeout -> ask for pre-votes",
				"n1 leader heard of late -> refuse the pre-vote");
		} else {
			print_message("plain Raft: %zu leaders in 21 s\n", n_led);
			assert_true(n_led > 20);
			assert_true(cluster_view(cluster, 1) > 20);
		}
		cluster_assert_safe(cluster);
		cluster_destroy(cluster);
	}
}

/* Thesis 3.10: the leader takes no more requests, brings the target up to date and tells it to campaign at
 * once: a new leader after one and a half round trips, without a timeout; and although those who vote hear
 * the old leader, under check-quorum and pre-vote too. */
static void transfer(void **state)
{
	struct cluster *cluster = create("raft check_quorum=on pre_vote=on", 5);
	cluster_submit(cluster, 100 * MS, 0, 1);
	cluster_run(cluster, 1000 * MS);
	assert_true(step_transfer(cluster, 0, 3));
	cluster_submit(cluster, 1001 * MS, 0, 2);
	cluster_run(cluster, 1030 * MS);
	cluster_assert_story(cluster, "n0 leadership transfer -> take no more requests",
		"n0 target's log is up to date -> send TimeoutNow", "n0 leadership under transfer -> wait",
		"n3 told to campaign now -> candidate", "n0 higher term -> follow",
		"n1 candidate's log is up to date -> grant vote", "n3 leads 2");
	assert_int_equal(raft(cluster, 3)->role, RAFT_LEADER);
	assert_int_equal(cluster_told(cluster, NODE_NONE, "ask for pre-votes"), 0);
	cluster_run(cluster, 3000 * MS);
	assert_false(cluster_executed(cluster, 0, 2)); /* its client asks again, the next one */
	for (uint32_t i = 0; i < 5; i++) {
		assert_int_equal(cluster_leader(cluster, i), 3);
		assert_int_equal(cluster_view(cluster, i), 2);
	}
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* Thesis 3.10: a target that lags is brought up to date first. */
static void transfer_to_one_that_lags(void **state)
{
	struct cluster *cluster = create("raft batch=1 heartbeat=50ms", 3);
	size_t lost = cluster_isolate(cluster, NODE(2), 0);
	for (uint32_t i = 0; i < 20; i++) {
		cluster_submit(cluster, 5 * MS * i, 0, i);
	}
	cluster_run(cluster, 140 * MS);
	cluster_rule_end(cluster, lost);
	assert_int_equal(raft(cluster, 2)->last, 0);
	assert_true(step_transfer(cluster, 0, 2));
	assert_int_equal(cluster_told(cluster, 0, "send TimeoutNow"), 0);
	cluster_run(cluster, 1000 * MS);
	cluster_assert_story(cluster, "n0 leadership transfer -> take no more requests",
		"n2 appends 20 in view 1 [19]", "n0 target's log is up to date -> send TimeoutNow",
		"n2 leads 2");
	assert_int_equal(cluster_told(cluster, NODE_NONE, "election timeout -> candidate"), 0);
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* A step that names nobody: to the server whose log is furthest. */
static void transfer_to_whom_it_likes(void **state)
{
	struct cluster *cluster = create("raft", 4);
	cluster_crash(cluster, 50 * MS, 1);
	cluster_submit(cluster, 100 * MS, 0, 1);
	cluster_run(cluster, 1000 * MS);
	assert_true(step_transfer(cluster, 0, NODE_NONE));
	cluster_run(cluster, 1100 * MS);
	assert_int_equal(raft(cluster, 2)->role, RAFT_LEADER);
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);

	cluster = create("raft members=0 learners=1", 2);
	cluster_run(cluster, 100 * MS);
	assert_false(step_transfer(cluster, 0, NODE_NONE)); /* there is nobody */
	cluster_destroy(cluster);
}

/* Thesis 3.10: where the transfer has not come to its end after an election timeout, the leader leads on. */
static void transfer_timeout(void **state)
{
	struct cluster *cluster = create("raft election_timeout=150ms,300ms", 5);
	cluster_crash(cluster, 100 * MS, 3);
	cluster_run(cluster, 1000 * MS);
	assert_true(step_transfer(cluster, 0, 3));
	assert_false(step_transfer(cluster, 0, 4)); /* one at a time */
	cluster_submit(cluster, 1010 * MS, 0, 7);
	cluster_run(cluster, 1149 * MS);
	assert_int_equal(cluster->nodes[0].n_proposed, 0);
	cluster_run(cluster, 2000 * MS);
	cluster_assert_story(cluster, "n0 leadership transfer -> take no more requests",
		"n0 leadership under transfer -> wait", "n0 transfer takes too long -> lead on",
		"n0 proposes 1 in view 1 [7]", "n0 commits 1 in view 1 [7]");
	assert_int_equal(raft(cluster, 0)->role, RAFT_LEADER);
	assert_int_equal(cluster_view(cluster, 1), 1);
	/* who does not lead, oneself, and whoever has no vote: no transfer */
	assert_false(step_transfer(cluster, 1, 2));
	assert_false(step_transfer(cluster, 0, 0));
	cluster_destroy(cluster);
	cluster = create("raft learners=2", 3);
	assert_false(step_transfer(cluster, 0, 2));
	cluster_destroy(cluster);
}

/* TimeoutNow that comes late, in a later term, does nothing. */
static void late_timeout_now(void **state)
{
	struct cluster *cluster = create("raft election_timeout=off", 3);
	cluster_run(cluster, 50 * MS);
	assert_true(step_campaign(cluster, 2));
	cluster_run(cluster, 200 * MS);
	tell_now(cluster, 1, (struct message){.kind = RAFT_TIMEOUT_NOW, .from = 0, .view = 1});
	cluster_assert_story(cluster, "n2 leads 2", "n1 TimeoutNow of another term -> ignore");
	assert_int_equal(cluster_view(cluster, 1), 2);
	cluster_destroy(cluster);
}

/* The steps of a scenario: who leads can't campaign; who leads proposes what waits, or a no-op. */
static void steps(void **state)
{
	struct cluster *cluster = create("raft batch_delay=1s batch=4 election_timeout=off", 3);
	assert_false(step_campaign(cluster, 0));
	assert_false(step(cluster, 1, STEP_PROPOSE, NULL));
	cluster_submit(cluster, 0, 0, 7);
	cluster_run(cluster, 50 * MS);
	assert_int_equal(cluster->nodes[0].n_proposed, 0);
	assert_true(step(cluster, 0, STEP_PROPOSE, NULL));
	assert_true(step(cluster, 0, STEP_PROPOSE, NULL));
	cluster_run(cluster, 100 * MS);
	cluster_assert_story(cluster, "n0 proposes 1 in view 1 [7]", "n0 proposes 2 in view 1 []");
	assert_true(step_campaign(cluster, 2));
	cluster_run(cluster, 200 * MS);
	assert_int_equal(raft(cluster, 2)->role, RAFT_LEADER);
	cluster_destroy(cluster);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rejoining_server),
		cmocka_unit_test(pre_vote_rules),
		cmocka_unit_test(forced_campaign),
		cmocka_unit_test(bridge),
		cmocka_unit_test(leader_without_a_quorum),
		cmocka_unit_test(candidate_ignored),
		cmocka_unit_test(partial_reachability),
		cmocka_unit_test(transfer),
		cmocka_unit_test(transfer_to_one_that_lags),
		cmocka_unit_test(transfer_to_whom_it_likes),
		cmocka_unit_test(transfer_timeout),
		cmocka_unit_test(late_timeout_now),
		cmocka_unit_test(steps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
