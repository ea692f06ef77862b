/* Rules on messages, steps at a time, and crashes by rate. */
#include "faults.h"

#define ANY (-1)

static const char *const message_names[] = {"propose", "vote", NULL};

static const char *nearest(const char *text, const char *const *names, size_t n)
{
	return names[1];
}

static const struct shape shape = {.n_validators = 4,
	.n_faulty = 1,
	.n_clients = 1,
	.steps = 0x1f,
	.lies = true,
	.message_names = message_names,
	.nearest = nearest};

static struct host *create(const struct host_latency *latency)
{
	struct world_settings settings = host_settings(4, latency);
	settings.n_clients = 1;
	return host_create(&settings);
}

/* What the scenario leaves open, in a rule that matches everything. */
static struct fault_rule rule_make(enum rule_action action)
{
	return (struct fault_rule){.common = {0, SIM_NEVER},
		.view = ANY,
		.term = ANY,
		.instance = ANY,
		.nth = ANY,
		.action = (int)action,
		.release_ns = PARAM_AUTO_VALUE,
		.copies = 1};
}

static void rule_finish(struct fault_rule *rule)
{
	const char *param = NULL;
	char error[256] = "";
	if (!fault_find("rule")->plugin.finish(rule, &shape, &param, error)) {
		fail_msg("%s: %s", param, error);
	}
}

/* Runs a world in which each validator sends `propose` and `vote` of instances and views 1 and 2 to all, and
 * the client a request to each; says how many came. */
static size_t came(struct host *host)
{
	for (uint32_t from = 0; from < 4; from++) {
		for (unsigned i = 0; i < 8; i++) {
			struct node *node = &host->world.nodes[from];
			struct message *message = node_message(node, KIND + i % 2, CLASS_AGREEMENT, 1);
			message->instance = 1 + i / 2 % 2;
			message->view = 1 + i / 4;
			node_multicast(node, message);
		}
		host_send(host, 4, from, MESSAGE_REQUEST, 1, 0);
	}
	world_run(&host->world);
	return host->n;
}

/* Of 96 copies and 4 requests, which are dropped. */
static void test_what_matches(void **state)
{
	static const char *const vote[] = {"vote"}, *const both[] = {"vote", "request"}, *const all[] = {"all"};
	struct fault_rule rules[15];
	const size_t wanted[15] = {100, 48, 52, 100, 50, 24, 8, 48, 48, 48, 1, 24, 4, 9, 12};
	for (int i = 0; i < 15; i++) {
		rules[i] = rule_make(RULE_DROP);
	}
	rules[1].message = (struct name_list){1, vote};
	rules[2].message = (struct name_list){2, both};
	rules[3].message = (struct name_list){1, all};
	rules[4].to = (struct node_list)NODES(1, 3); /* 2 of 4 receivers: 48 and 2 requests */
	rules[5].from = (struct node_list)NODES(2); /* not the client's */
	rules[6].from = (struct node_list)NODES(0, 2);
	rules[6].to = (struct node_list)NODES(3);
	rules[6].view = 2;
	rules[7].view = 1;
	rules[8].term = 2;
	rules[9].instance = 1;
	rules[10].nth = 100;
	rules[11].from = (struct node_list)LEADER;
	rules[12].from = (struct node_list)NODES(NODE_CLIENT);
	rules[13].from = (struct node_list)NODES(0, 1, NODE_CLIENT); /* 4 votes from each, and the request, to 2 */
	rules[13].to = (struct node_list)NODES(2);
	rules[13].message = (struct name_list){2, both};
	rules[14].to = (struct node_list)NODES(1, NODE_CLIENT); /* nobody sends to the client */
	rules[14].message = (struct name_list){1, vote};
	for (int i = 0; i < 15; i++) {
		struct host_latency latency = host_constant(5);
		struct host *host = create(&latency);
		host->leader = 3;
		rule_finish(&rules[i]);
		fault_add(host, "rule", &rules[i]);
		size_t n = came(host);
		if (n != 100 - wanted[i] || host->world.lost != wanted[i]) {
			fail_msg("rule %d: %zu came", i, n);
		}
		host_destroy(host);
	}
}

/* The so-many-th copy that matches, in order of receivers; told with the rule's place in the list. */
static void test_nth(void **state)
{
	struct fault_rule first = rule_make(RULE_DROP), second = rule_make(RULE_DROP);
	second.nth = 5;
	first.from = (struct node_list)NODES(3);
	rule_finish(&first);
	rule_finish(&second);
	struct host_latency latency = host_constant(5);
	struct host *host = create(&latency);
	struct told told;
	told_listen(&told, host);
	const struct fault_entry entries[] = {{"rule", &first}, {"rule", &second}};
	faults_add(host, entries, 2);
	host_send_at(host, 1, 0, NODE_NONE, KIND, 1, 1);
	host_send_at(host, 2, 3, 0, KIND, 1, 2); /* dropped by the first: not shown to the second */
	host_send_at(host, 3, 1, NODE_NONE, KIND, 1, 3);
	world_run(&host->world);
	host_assert_traced(host, {6, TRACE_MESSAGE, 1, 0, KIND, 1}, {6, TRACE_MESSAGE, 2, 0, KIND, 1},
		{6, TRACE_MESSAGE, 3, 0, KIND, 1}, {8, TRACE_MESSAGE, 0, 1, KIND, 3},
		{8, TRACE_MESSAGE, 3, 1, KIND, 3});
	assert_string_equal(told.text,
		"0 -1 rule 0 begins; 0 -1 rule 1 begins; 2 3>0 by rule 0 (faults.0); 3 1>2 by rule 1 (faults.1); ");
	host_destroy(host);
}

static void test_hold_delay_duplicate(void **state)
{
	struct fault_rule hold = rule_make(RULE_HOLD), delay = rule_make(RULE_DELAY),
					  duplicate = rule_make(RULE_DUPLICATE);
	hold.common = (struct fault_common){10, 20};
	hold.release_ns = 50;
	delay.common = (struct fault_common){20, 30};
	delay.delay_ns = 100;
	duplicate.common = (struct fault_common){30, 40};
	duplicate.copies = 2;
	duplicate.delay_ns = 3;
	rule_finish(&hold);
	rule_finish(&delay);
	rule_finish(&duplicate);
	struct host_latency latency = host_constant(5);
	struct host *host = create(&latency);
	const struct fault_entry entries[] = {{"rule", &hold}, {"rule", &delay}, {"rule", &duplicate}};
	faults_add(host, entries, 3);
	const sim_time sent[] = {9, 10, 19, 20, 29, 30, 40};
	for (int i = 0; i < 7; i++) {
		host_send_at(host, sent[i], 0, 1, KIND, 1, (uint64_t)sent[i]);
	}
	world_run(&host->world);
	host_assert_traced(host, {14, TRACE_MESSAGE, 1, 0, KIND, 9}, {35, TRACE_MESSAGE, 1, 0, KIND, 30},
		{38, TRACE_MESSAGE, 1, 0, KIND, 30}, {41, TRACE_MESSAGE, 1, 0, KIND, 30},
		{45, TRACE_MESSAGE, 1, 0, KIND, 40}, {50, TRACE_MESSAGE, 1, 0, KIND, 10},
		{50, TRACE_MESSAGE, 1, 0, KIND, 19}, {125, TRACE_MESSAGE, 1, 0, KIND, 20},
		{134, TRACE_MESSAGE, 1, 0, KIND, 29});
	host_destroy(host);
	hold.release_ns = PARAM_AUTO_VALUE;
	rule_finish(&hold);
	assert_int_equal(hold.release_ns, 20);
}

static bool forge(struct node *node, uint32_t to, struct message *copy)
{
	assert_true(node->byzantine);
	copy->instance += 100 * to;
	return true;
}

static void test_replace(void **state)
{
	struct fault_rule rule = rule_make(RULE_REPLACE);
	rule.from = (struct node_list)NODES(1);
	rule.to = (struct node_list)NODES(2, 3);
	rule_finish(&rule);
	struct host_latency latency = host_constant(5);
	struct host *host = create(&latency);
	host->ops.forge = forge;
	fault_add(host, "rule", &rule);
	assert_true(host->world.nodes[1].byzantine);
	assert_false(host->world.nodes[0].byzantine);
	host_send(host, 1, NODE_NONE, KIND, 1, 7);
	host_send(host, 0, 2, KIND, 1, 7);
	world_run(&host->world);
	host_assert_traced(host, {5, TRACE_MESSAGE, 0, 1, KIND, 7}, {5, TRACE_MESSAGE, 2, 1, KIND, 207},
		{5, TRACE_MESSAGE, 3, 1, KIND, 307}, {5, TRACE_MESSAGE, 2, 0, KIND, 7});
	host_destroy(host);
}

static void test_rules_refused(void **state)
{
	static const char *const wrong[] = {"vote", "propse"};
	struct fault_rule rule = rule_make(RULE_DROP);
	rule.message = (struct name_list){2, wrong};
	fault_assert_refused("rule", &rule, &shape, "message");
	const char *param = NULL;
	char error[256] = "";
	fault_find("rule")->plugin.finish(&rule, &shape, &param, error);
	assert_string_equal(error, "\"propse\" is no message of the protocol: did you mean \"vote\"?");
	rule.message.n = 1;
	fault_assert_refused("rule", &rule, &shape, NULL);
	rule.view = rule.term = 1;
	fault_assert_refused("rule", &rule, &shape, "term");
	rule = rule_make(RULE_DROP);
	rule.nth = 0;
	fault_assert_refused("rule", &rule, &shape, "nth");
	rule = rule_make(RULE_DROP);
	rule.release_ns = 100;
	fault_assert_refused("rule", &rule, &shape, "release");
	rule = rule_make(RULE_HOLD);
	rule.delay_ns = 100;
	fault_assert_refused("rule", &rule, &shape, "delay");
	rule = rule_make(RULE_DELAY);
	rule.delay_ns = 100;
	rule.copies = 2;
	fault_assert_refused("rule", &rule, &shape, "copies");
	rule.action = RULE_DUPLICATE;
	fault_assert_refused("rule", &rule, &shape, NULL);
	rule = rule_make(RULE_HOLD);
	fault_assert_refused("rule", &rule, &shape, "release");
	rule = rule_make(RULE_DELAY);
	fault_assert_refused("rule", &rule, &shape, "delay");
	rule = rule_make(RULE_REPLACE);
	fault_assert_refused("rule", &rule, &shape, "from_nodes");
	rule.from = (struct node_list)NODES(1);
	fault_assert_refused("rule", &rule, &shape, NULL);
	struct shape honest = shape;
	honest.lies = false;
	fault_assert_refused("rule", &rule, &honest, "action");
}

static char steps[256];

static bool step(struct world *world, struct node *node, const struct fault_step *step)
{
	size_t n = strlen(steps);
	snprintf(steps + n, sizeof(steps) - n, "%lld %u %d %lld; ", (long long)world->now, node->id,
		step->action, (long long)step->to);
	return node->id != 2;
}

static void test_steps(void **state)
{
	const struct fault_step list[] = {
		{{10, 0}, LEADER, STEP_TRANSFER, 3, {.n = 0}, {.n = 0}, true},
		{{20, 0}, NODES(2), STEP_CAMPAIGN, ANY, {.n = 0}, {.n = 0}, true},
		{{30, 0}, NODES(1), STEP_RESTART, ANY, {.n = 0}, {.n = 0}, true},
	};
	struct host_latency latency = host_constant(15);
	struct host *host = create(&latency);
	host->ops.step = step;
	host->leader = 1;
	steps[0] = '\0';
	struct told told;
	told_listen(&told, host);
	const struct fault_entry entries[] = {{"step", &list[0]}, {"step", &list[1]}, {"step", &list[2]}};
	faults_add(host, entries, 3);
	assert_true(host->world.may_crash && host->world.nodes[1].crashes);
	node_timer_set(&host->world.nodes[1], 0, 40); /* is off after a restart */
	host_send_at(host, 20, 0, 1, KIND, 1, 5);     /* on its way meanwhile: comes */
	world_run(&host->world);
	assert_string_equal(steps, "10 1 2 3; 20 2 0 -1; ");
	host_assert_traced(host, {30, TRACE_RESTART, 1, 0, 0, 0}, {35, TRACE_MESSAGE, 1, 0, KIND, 5});
	assert_int_equal(host->world.n_steps, 2);
	assert_int_equal(host->world.n_steps_refused, 1);
	assert_int_equal(host->world.steps_refused, 1 << 1);
	assert_int_equal(host->n_fault_ends, 1);
	assert_string_equal(told.text,
		"10 1 step: transfer; 20 2 step: campaign; 20 2 can't campaign now; 30 1 step: restart; "
		"30 1 crash; 30 1 restart; ");
	host_destroy(host);
}

/* A node that is down takes no step, and nobody does where nobody leads. */
static void test_steps_of_nobody(void **state)
{
	const struct fault_crash crash = {{0, SIM_NEVER}, NODES(1), SIM_NEVER, 0, 1};
	const struct fault_step list[] = {
		{{10, 0}, NODES(1), STEP_RESTART, ANY, {.n = 0}, {.n = 0}, true},
		{{20, 0}, NODES(1), STEP_PROPOSE, ANY, {.n = 0}, {.n = 0}, true},
		{{30, 0}, LEADER, STEP_PROPOSE, ANY, {.n = 0}, {.n = 0}, true},
	};
	struct host_latency latency = host_constant(15);
	struct host *host = create(&latency);
	host->ops.step = step;
	steps[0] = '\0';
	const struct fault_entry entries[] = {
		{"crash", &crash}, {"step", &list[0]}, {"step", &list[1]}, {"step", &list[2]}};
	faults_add(host, entries, 4);
	world_run(&host->world);
	assert_string_equal(steps, "");
	assert_int_equal(host->world.n_steps_refused, 3);
	assert_int_equal(host->world.steps_refused, 1 << 1 | 1 << 2 | 1 << 3);
	assert_false(host->world.nodes[1].alive);
	host_destroy(host);
}

static void test_steps_refused(void **state)
{
	struct fault_step one = {{10, 0}, NODES(1), STEP_PROPOSE, ANY, {.n = 0}, {.n = 0}, true};
	fault_assert_refused("step", &one, &shape, NULL);
	struct shape without = shape;
	without.steps = 1u << STEP_RESTART;
	fault_assert_refused("step", &one, &without, "action");
	one.action = STEP_RESTART;
	fault_assert_refused("step", &one, &without, NULL);
	one.to = 2;
	fault_assert_refused("step", &one, &shape, "to");
	one.action = STEP_TRANSFER;
	fault_assert_refused("step", &one, &shape, NULL);
	one.to = 4;
	fault_assert_refused("step", &one, &shape, "to");
	one.to = ANY;
	one.node = (struct node_list)NODES(1, 2);
	fault_assert_refused("step", &one, &shape, "node");
	one.node.n = 1;
	one.members = (struct node_list)NODES(1, 2);
	fault_assert_refused("step", &one, &shape, "members");
	one.action = STEP_CHANGE_MEMBERSHIP;
	fault_assert_refused("step", &one, &shape, NULL);
	one.learners = (struct node_list)LEADER;
	fault_assert_refused("step", &one, &shape, "learners");
	one.members = (struct node_list){.n = 0};
	fault_assert_refused("step", &one, &shape, "members");
}

struct downs {
	size_t n, n_downs;
	uint32_t n_now, n_most, pending;
	sim_time last[4], up_sum, down_sum;
	size_t n_ups;
};

static void note_down(struct host *host, struct node *node)
{
	struct downs *downs = host->user;
	sim_time span = host->world.now - downs->last[node->id];
	downs->last[node->id] = host->world.now;
	if (node->alive) {
		downs->n_now--;
		downs->down_sum += span;
		downs->n_ups++;
	} else {
		downs->n_now++;
		downs->n_downs++;
		downs->up_sum += span;
		assert_true(host->world.n_changes_pending >= downs->n_now); /* their ends are to come */
	}
	downs->n_most = downs->n_now > downs->n_most ? downs->n_now : downs->n_most;
}

/* Up and down for exponential times; as many at once as allowed; all up when the window closes. */
static void test_crashes_by_rate(void **state)
{
	for (int64_t at_once = 1; at_once <= 4; at_once += 3) {
		const struct fault_crash crash = {{0, 4000000}, NODES(0, 1, 2, 3), 1000, 500, at_once};
		struct host_latency latency = host_constant(5);
		struct host *host = create(&latency);
		struct downs downs = {.n = 0};
		host->user = &downs;
		host->on_changed = note_down;
		host->silent = true;
		fault_add(host, "crash", &crash);
		assert_false(host->world.nodes[0].crashes); /* it may not happen */
		assert_true(host->world.may_crash);
		world_run(&host->world);
		assert_int_equal(downs.n_now, 0);
		assert_int_equal(downs.n_most, at_once);
		assert_int_equal(host->world.n_changes_pending, 0);
		assert_int_equal(host->n_fault_beginnings, downs.n_downs);
		assert_int_equal(host->n_fault_ends, downs.n_downs);
		assert_true(host->world.now <= 4000000);
		double n = (double)downs.n_ups;
		host_assert_near((double)downs.down_sum / n, 500.5, 500 / sqrt(n)); /* rounded up */
		if (at_once == 4) {
			host_assert_near((double)downs.up_sum / n, 1000.5, 1000 / sqrt(n));
			host_assert_near(n, 4 * 4000000 / 1500., sqrt(n));
		} else {
			/* One of four at once, blocked ones draw anew: a turn takes 1000 / 4 + 500. */
			host_assert_near(n, 4000000 / 750., sqrt(n));
		}
		host_destroy(host);
	}
}

/* The leader, again and again, whoever it is; a node of its own stream. */
static void test_crashes_of_leaders_by_rate(void **state)
{
	const struct fault_crash crash = {{0, 100000}, LEADER, 1000, 10, 1};
	struct host_latency latency = host_constant(5);
	struct host *host = create(&latency);
	struct downs downs = {.n = 0};
	host->user = &downs;
	host->on_changed = note_down;
	host->leader = 2;
	fault_add(host, "crash", &crash);
	world_run(&host->world);
	host_assert_near((double)downs.n_downs, 100000 / 1010., sqrt(100));
	for (size_t i = 0; i < host->n; i++) {
		assert_int_equal(host->trace[i].node, 2);
	}
	host_destroy(host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_matches),
		cmocka_unit_test(test_nth),
		cmocka_unit_test(test_hold_delay_duplicate),
		cmocka_unit_test(test_replace),
		cmocka_unit_test(test_rules_refused),
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_steps_of_nobody),
		cmocka_unit_test(test_steps_refused),
		cmocka_unit_test(test_crashes_by_rate),
		cmocka_unit_test(test_crashes_of_leaders_by_rate),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
