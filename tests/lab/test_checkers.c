/* The invariants, told by hand what no correct protocol would report. Each must be found, by its name, at
 * the nodes that show it, and nothing else must be said. */
#include "study.h"

#include "items.h"
#include "outside.h"
#include "replicas.h"
#include "measure/measure.h"
#include "watch.h"

#include <stdlib.h>
#include <string.h>

#define N 4

/* A world without messages: reports are made by the test. The log that a node claims to hold is `logs`. */
struct stage {
	struct study *study;
	struct scenario scenario;
	struct protocol protocol;
	struct lab *lab;
	uint64_t views[N];
	uint64_t log_last[N];
	struct log_entry logs[N][8];
};

static struct stage stage;

static uint64_t view_of(const struct node *node)
{
	return stage.views[node->id];
}

static uint32_t leader_of(const struct node *node)
{
	return NODE_NONE;
}

static uint64_t last_of(const struct node *node)
{
	return stage.log_last[node->id];
}

static struct log_entry entry_of(const struct node *node, uint64_t index)
{
	assert_in_range(index, 1, stage.log_last[node->id]);
	return stage.logs[node->id][index - 1];
}

static uint32_t bytes_of(const struct node *node, transaction_id transaction)
{
	return 0;
}

static const struct host_ops silent = {.transaction_bytes = bytes_of};

static int set_up(void **state)
{
	memset(&stage, 0, sizeof(stage));
	stage.study = study_open("stop: {items: 1, views: 50}\nvalidators: 4\nprotocol: raft\n"
							 "workload: requests\n");
	stage.scenario = *scenario_point(stage.study->file, 0);
	stage.protocol = *(const struct protocol *)stage.scenario.protocol.plugin;
	stage.protocol.view = view_of;
	stage.protocol.leader = leader_of;
	stage.protocol.log_last = last_of;
	stage.protocol.log_at = entry_of;
	struct lab *lab = calloc(1, sizeof(*lab));
	stage.lab = lab;
	lab->scenario = &stage.scenario;
	lab->protocol = &stage.protocol;
	lab->measure = measure_create(NULL, NULL);
	lab->app = (const struct app *)stage.scenario.workload.plugin;
	lab->common = stage.scenario.workload.settings;
	struct world_settings settings = {
		.n_validators = N,
		.n_faulty = 1,
		.latency = (const struct latency_model *)stage.scenario.network.latency.plugin,
		.latency_settings = stage.scenario.network.latency.settings,
		.events_max = 1000,
	};
	world_init(&lab->world, &settings, &silent, lab);
	items_create(lab);
	watch_start(lab);
	transactions_start(lab);
	outside_start(lab, NULL);
	replicas_start(lab);
	lab->transactions->n = 100; /* submitted */
	return 0;
}

static int tear_down(void **state)
{
	struct lab *lab = stage.lab;
	watch_finish(lab);
	measure_destroy(lab->measure);
	world_finish(&lab->world);
	free(lab);
	study_close(stage.study);
	return 0;
}

static struct node *node(uint32_t i)
{
	return &stage.lab->world.nodes[i];
}

static const struct batch *batch(transaction_id transaction)
{
	return node_batch(node(0), &transaction, 1);
}

static void apply(uint32_t i, uint64_t instance, const struct batch *of)
{
	watch_applied(node(i), instance, of);
	stage.lab->replicas->list[i].applied = instance;
}

/* The n-th violation is this one; there are no more than n so far. */
static void assert_violation(uint64_t n, const char *invariant, uint32_t a, uint32_t b, uint64_t instance)
{
	assert_int_equal(stage.lab->watch->n_violations, n);
	const struct violation *last = &stage.lab->watch->violations[n - 1];
	assert_string_equal(last->invariant, invariant);
	assert_int_equal(last->node_a, a);
	assert_int_equal(last->node_b, b);
	assert_int_equal(last->instance, instance);
}

static void assert_none(void)
{
	assert_int_equal(stage.lab->watch->n_violations, 0);
}

static void commit(uint32_t i, uint64_t instance, uint64_t term, const struct batch *of)
{
	stage.views[i] = term;
	watch_committed(node(i), instance, term, of);
}

static void hold(uint32_t i, uint64_t instance, const struct batch *of)
{
	stage.logs[i][instance - 1].digest = of->digest;
	stage.log_last[i] = instance;
}

static void agreement(void **state)
{
	watch_committed(node(0), 1, 0, batch(7));
	watch_committed(node(1), 1, 0, batch(7)); /* another object, the same transactions */
	assert_none();
	watch_committed(node(2), 1, 3, batch(8));
	assert_violation(1, "agreement", 0, 2, 1);
	assert_true(stage.lab->watch->violations[0].value_a == batch(7)->digest);
	assert_true(stage.lab->watch->violations[0].value_b == batch(8)->digest);
	apply(1, 1, batch(7));
	assert_int_equal(stage.lab->watch->n_violations, 1);
	apply(3, 1, batch(9)); /* executed without having said that it is committed */
	assert_violation(2, "agreement", 0, 3, 1);
}

/* A validator that crashes keeps its promises before and after; one that lies is not asked. */
static void whom_it_binds(void **state)
{
	node(3)->byzantine = true;
	watch_committed(node(3), 1, 0, batch(99));
	watch_committed(node(0), 1, 0, batch(7));
	apply(3, 5, batch(99));
	assert_none();
	node(1)->crashes = true;
	watch_committed(node(1), 1, 0, batch(8));
	assert_violation(1, "agreement", 0, 1, 1);
	hold(0, 1, batch(7));
	hold(2, 1, batch(7));
	watch_leads(node(0), 2, LEAD_CHANGE);
	node(2)->crashes = true;
	watch_leads(node(2), 2, LEAD_CHANGE);
	assert_violation(2, "election-safety", 0, 2, 2);
}

static void validity(void **state)
{
	watch_committed(node(0), 1, 0, batch(99));
	assert_none();
	watch_committed(node(0), 2, 0, batch(100)); /* nobody has submitted so many */
	assert_violation(1, "validity", 0, 0, 2);
}

static void order(void **state)
{
	apply(0, 1, batch(1));
	apply(0, 2, batch(2));
	assert_none();
	apply(0, 2, batch(2));
	assert_violation(1, "integrity", 0, 0, 2);
	apply(0, 4, batch(4));
	assert_violation(2, "total-order", 0, 0, 4);
	apply(1, 1, batch(1));
	assert_int_equal(stage.lab->watch->n_violations, 2);
}

static void election_safety(void **state)
{
	watch_candidate(node(1), 2);
	watch_candidate(node(2), 2);
	watch_leads(node(1), 2, LEAD_CHANGE);
	watch_leads(node(1), 2, LEAD_CHANGE); /* the same one again */
	watch_leads(node(2), 3, LEAD_CHANGE);
	assert_none();
	watch_leads(node(3), 3, LEAD_CHANGE);
	assert_violation(1, "election-safety", 2, 3, 3);
}

static void log_matching(void **state)
{
	watch_appended(node(0), 1, 1, 0, batch(1));
	watch_appended(node(0), 2, 1, 1, batch(2));
	watch_appended(node(1), 1, 1, 0, batch(1));
	watch_appended(node(1), 2, 2, 1, batch(3)); /* another term: an entry to be cut */
	watch_appended(node(1), 2, 1, 1, batch(2)); /* cut, and replaced */
	assert_none();
	watch_appended(node(2), 2, 1, 1, batch(4));
	assert_violation(1, "log-matching", 0, 2, 2);
	watch_appended(node(3), 2, 2, 2, batch(3)); /* the same entry after one of another term */
	assert_violation(2, "log-matching", 1, 3, 2);
}

static void leader_completeness(void **state)
{
	commit(0, 1, 1, batch(1));
	commit(0, 2, 1, batch(2));
	hold(1, 1, batch(1));
	hold(1, 2, batch(2));
	watch_leads(node(1), 2, LEAD_CHANGE);
	assert_none();
	hold(2, 1, batch(1));
	watch_leads(node(2), 3, LEAD_CHANGE); /* too short */
	assert_violation(1, "leader-completeness", 2, 0, 2);
	hold(3, 1, batch(1));
	hold(3, 2, batch(5));
	watch_leads(node(3), 4, LEAD_CHANGE); /* another entry there */
	assert_violation(2, "leader-completeness", 3, 0, 2);
}

/* A candidate of term 2 gets its last vote when the others have long elected a leader of term 3, who has
 * committed: it leads term 2, for a moment, without what term 3 has committed. */
static void late_leader(void **state)
{
	commit(0, 1, 1, batch(1));
	commit(3, 2, 3, batch(2));
	hold(1, 1, batch(1));
	watch_leads(node(1), 2, LEAD_CHANGE);
	assert_none();
	stage.log_last[1] = 0;
	watch_leads(node(1), 4, LEAD_CHANGE);
	assert_violation(1, "leader-completeness", 1, 0, 1);
}

/* A view or a commit index that falls: a crash has lost what it must not. */
static void never_back(void **state)
{
	stage.views[1] = 5;
	watch_candidate(node(1), 5);
	stage.views[1] = 7;
	watch_view(node(1));
	watch_restarted(stage.lab, node(1));
	assert_none();
	stage.views[1] = 6;
	watch_restarted(stage.lab, node(1));
	assert_violation(1, "view-order", 1, 1, 6);
	stage.views[1] = 7;
	watch_leads(node(1), 7, LEAD_CHANGE);
	assert_int_equal(stage.lab->watch->n_violations, 1);
	stage.views[2] = 9;
	node(2)->byzantine = true;
	watch_view(node(2));
	stage.views[2] = 1;
	watch_view(node(2));
	assert_int_equal(stage.lab->watch->n_violations, 1);

	watch_committed(node(0), 1, 1, batch(1));
	watch_committed(node(0), 3, 1, batch(3)); /* a snapshot holds what is between */
	assert_int_equal(stage.lab->watch->n_violations, 1);
	watch_committed(node(0), 2, 1, batch(2));
	assert_violation(2, "commit-order", 0, 0, 2);
	watch_committed(node(0), 2, 1, batch(2)); /* once is enough */
	assert_violation(3, "commit-order", 0, 0, 2);
	stage.protocol.log_last = NULL; /* elsewhere instances commit in any order */
	watch_committed(node(3), 3, 1, batch(3));
	watch_committed(node(3), 2, 1, batch(2));
	assert_int_equal(stage.lab->watch->n_violations, 3);
}

static void views_end_a_run(void **state)
{
	watch_leads(node(0), 0, LEAD_FIRST);
	watch_leads(node(1), UINT64_C(1) << 62, LEAD_CHANGE); /* what a liar has skipped was no view */
	for (uint64_t view = 1; view < 50; view++) {
		watch_leads(node(view % 2), view, LEAD_CHANGE);
	}
	watch_leads(node(1), 49, LEAD_CHANGE);
	assert_false(stage.lab->world.stopped);
	watch_leads(node(1), 50, LEAD_CHANGE);
	assert_true(stage.lab->world.stopped);
	assert_string_equal(stage.lab->ending.verdict, "limit");
	assert_string_equal(stage.lab->ending.verdict_reason, "more than 50 views or terms");
}

/* `checkers: off` says nothing; the statistics go on. */
static void off(void **state)
{
	stage.scenario.checkers = false;
	watch_proposed(node(0), 1, 0, batch(7));
	for (uint32_t i = 0; i < N; i++) {
		watch_committed(node(i), 1, 0, batch(i == 3 ? 8 : 7));
		apply(i, 2, batch(7));
		watch_leads(node(i), 1, LEAD_CHANGE);
	}
	assert_none();
	assert_int_equal(stage.lab->measure->commits.n, 1);
	assert_int_equal(stage.lab->watch->n_committed, 1);
}

/* Times of a commit: from the last proposal before anyone committed, until n - f of those that count have;
 * at the proposer, by itself. */
static void commit_times(void **state)
{
	struct lab *lab = stage.lab;
	lab->world.now = 5;
	watch_proposed(node(0), 1, 0, batch(7));
	lab->world.now = 10;
	watch_proposed(node(1), 1, 1, batch(7)); /* the first leader fell: the second proposes it */
	node(3)->crashes = true;
	lab->world.now = 17;
	watch_committed(node(3), 1, 1, batch(7)); /* counts for the invariants only */
	lab->world.now = 20;
	watch_committed(node(2), 1, 1, batch(7));
	watch_proposed(node(2), 1, 2, batch(7)); /* too late to matter */
	lab->world.now = 25;
	watch_committed(node(1), 1, 1, batch(7));
	assert_int_equal(lab->measure->commits.n, 0);
	lab->world.now = 32;
	watch_committed(node(0), 1, 1, batch(7));
	assert_none();
	assert_int_equal(lab->measure->commits.n, 1);
	assert_int_equal(lab->measure->commits.values[0], 22); /* the third of n - f = 3 */
	assert_int_equal(lab->measure->proposer_commits.n, 1);
	assert_int_equal(lab->measure->proposer_commits.values[0], 15);
	assert_int_equal(lab->watch->n_committed, 1);
	assert_int_equal(lab->replicas->list[3].n_committed, 1);
}

/* A transaction that stands in two instances is executed once. */
static void executed_once(void **state)
{
	struct lab *lab = stage.lab;
	lab->transactions->list = calloc(8, sizeof(*lab->transactions->list));
	for (int i = 0; i < 8; i++) {
		lab->transactions->list[i].command.sender = N;
	}
	const transaction_id both[] = {3, 5};
	replica_apply(node(0), 1, 0, batch(3), false);
	replica_apply(node(0), 2, 0, node_batch(node(0), both, 2), false);
	assert_none();
	assert_int_equal(lab->replicas->list[0].n_applied, 2);
	assert_true(replica_executed(node(0), 5));
	assert_false(replica_executed(node(0), 4));
	assert_false(replica_executed(node(1), 5));
	assert_int_equal(lab->transactions->list[3].instance, 1);
	for (uint32_t i = 0; i < N; i++) {
		free(lab->replicas->list[i].executed);
	}
	free(lab->transactions->list);
}

/* A request at a place of the log against another, or against none, is another decision; each place counts
 * once, and no other place with it. To lag behind is to have decided nothing. */
static void divergence(void **state)
{
	struct lab *lab = stage.lab;
	lab->transactions->list = calloc(10, sizeof(*lab->transactions->list));
	for (int i = 0; i < 10; i++) {
		lab->transactions->list[i].command.sender = N;
	}
	const transaction_id two[] = {3, 5}, other[] = {3, 6};
	const struct batch *null = node_batch(node(0), NULL, 0);
	replica_apply(node(0), 1, 0, batch(1), false);
	replica_apply(node(0), 2, 0, node_batch(node(0), two, 2), false);
	replica_apply(node(0), 3, 0, batch(7), false);
	assert_int_equal(lab->watch->positions.n, 4);
	replica_apply(node(1), 1, 0, null, false);
	assert_int_equal(lab->watch->positions.n_diverged, 1);
	replica_apply(node(1), 2, 0, node_batch(node(0), two, 2), false);
	assert_int_equal(lab->watch->positions.n_diverged, 1); /* the same places as before, though one execution earlier */
	replica_apply(node(1), 3, 0, batch(1), false); /* what it had not executed */
	assert_int_equal(lab->watch->positions.n_diverged, 2);
	replica_apply(node(2), 1, 0, null, false); /* and again: a place diverges once */
	replica_apply(node(2), 2, 0, node_batch(node(0), other, 2), false);
	assert_int_equal(lab->watch->positions.n_diverged, 3);
	replica_apply(node(2), 3, 0, null, false);
	assert_int_equal(lab->watch->positions.n_diverged, 3);
	assert_int_equal(lab->watch->positions.n, 4);
	/* The null batch may come first, too, and then adds the place that it lacks. */
	replica_apply(node(1), 4, 0, null, false);
	assert_int_equal(lab->watch->positions.n, 4);
	replica_apply(node(2), 4, 0, batch(8), false);
	assert_int_equal(lab->watch->positions.n, 5);
	assert_int_equal(lab->watch->positions.n_diverged, 4);
	node(3)->crashes = true;
	replica_apply(node(3), 1, 0, batch(9), false); /* left out */
	assert_int_equal(lab->watch->positions.n_diverged, 4);
	for (uint32_t i = 0; i < N; i++) {
		free(lab->replicas->list[i].executed);
	}
	free(lab->transactions->list);
}

/* What a drain waits for: what the leader has proposed; after a change of leaders, what anyone has executed,
 * and what the new one proposes; and what is executed although an earlier view proposed it. */
static void last_instance(void **state)
{
	struct lab *lab = stage.lab;
	const struct batch *empty = node_batch(node(0), NULL, 0);
	watch_leads(node(0), 1, LEAD_CHANGE);
	watch_proposed(node(0), 1, 1, empty);
	watch_proposed(node(0), 2, 1, empty);
	assert_int_equal(lab->watch->last_proposed, 2);
	replica_apply(node(0), 1, 1, empty, false);
	stage.scenario.checkers = false;
	watch_leads(node(1), 2, LEAD_CHANGE);
	assert_int_equal(lab->watch->last_proposed, 1);
	replica_apply(node(2), 1, 1, empty, false);
	replica_apply(node(2), 2, 1, empty, false);
	assert_int_equal(lab->watch->last_proposed, 2);
	watch_proposed(node(1), 3, 2, empty);
	assert_int_equal(lab->watch->last_proposed, 3);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(agreement),
		TEST(whom_it_binds),
		TEST(validity),
		TEST(order),
		TEST(election_safety),
		TEST(log_matching),
		TEST(leader_completeness),
		TEST(late_leader),
		TEST(never_back),
		TEST(views_end_a_run),
		TEST(off),
		TEST(commit_times),
		TEST(executed_once),
		TEST(divergence),
		TEST(last_instance),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
