/* What a rule that replaces makes of a message, by what the protocol says can be forged; and steps, handed
 * on. With a protocol made for the purpose. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transactions.h"
#include "faults.h"

#include "engine/fault.h"

/* view: the role; body: a batch. */
static enum message_role role(const struct message *message)
{
	return (enum message_role)message->view;
}

static bool propose(struct node *node, struct message *copy, forgery_choose choose, void *context)
{
	if (copy->body != NULL) {
		copy->body = choose(context, copy->instance, copy->view, copy->body);
	}
	return copy->body != NULL;
}

static void vote(struct node *node, struct message *copy, const struct batch *batch)
{
	copy->digest = batch->digest;
}

static void claim(struct node *node, struct message *copy)
{
	copy->flags |= MESSAGE_FORGED;
}

static const struct protocol_forgery forgery = {
	.role = role, .propose = propose, .vote = vote, .claim = claim};

static enum protocol_step step_taken;
static struct protocol_step_argument argument_taken;

static bool step(struct node *node, enum protocol_step step, const struct protocol_step_argument *argument)
{
	step_taken = step;
	argument_taken = *argument;
	return node->id == 1;
}

static uint32_t transaction_bytes(const struct node *node, transaction_id transaction)
{
	return 10;
}

static const struct host_ops ops = {.transaction_bytes = transaction_bytes};

static struct lab *create(const struct protocol *protocol)
{
	struct lab *lab = calloc(1, sizeof(*lab));
	lab->protocol = protocol;
	struct world_settings settings = {.n_validators = 2, .events_max = 1};
	settings.latency = (const struct latency_model *)latency_extra_registry.plugins[0];
	world_init(&lab->world, &settings, &ops, lab);
	transactions_start(lab);
	return lab;
}

static void destroy(struct lab *lab)
{
	world_finish(&lab->world);
	free(lab);
}

static void test_proposals(void **state)
{
	static const struct protocol protocol = {.forgery = &forgery};
	struct lab *lab = create(&protocol);
	struct node *node = &lab->world.nodes[0];
	const transaction_id several[] = {3, 1, 2};
	struct message copy = {.kind = MESSAGE_PROTOCOL, .view = ROLE_PROPOSAL};
	lab->transactions->n = 4;
	copy.body = node_batch(node, several, 3);
	assert_true(faults_forge(node, 1, &copy));
	const struct batch *batch = copy.body;
	assert_int_equal(batch->n, 3); /* the same in another order */
	assert_int_equal(batch->transactions[0], 2);
	assert_int_equal(batch->transactions[2], 3);
	assert_true(batch->digest != node_batch(node, several, 3)->digest);

	const transaction_id first = 0;
	copy.body = node_batch(node, &first, 1);
	assert_true(faults_forge(node, 1, &copy));
	batch = copy.body;
	assert_int_equal(batch->n, 1); /* another transaction, one that was submitted */
	assert_int_equal(batch->transactions[0], 3);

	lab->transactions->n = 1;
	copy.body = node_batch(node, &first, 1);
	assert_true(faults_forge(node, 1, &copy));
	batch = copy.body;
	assert_int_equal(batch->n, 0); /* there is no other: none */
	assert_true(faults_forge(node, 1, &copy));
	batch = copy.body;
	assert_int_equal(batch->n, 1);
	copy.body = NULL;
	assert_false(faults_forge(node, 1, &copy));
	destroy(lab);
}

static void test_votes_and_claims(void **state)
{
	static const struct protocol protocol = {.forgery = &forgery}, honest = {.forgery = NULL};
	struct lab *lab = create(&protocol);
	struct node *node = &lab->world.nodes[0];
	struct message copy = {.kind = MESSAGE_PROTOCOL, .view = ROLE_VOTE, .digest = 1};
	assert_true(faults_forge(node, 1, &copy));
	assert_int_equal(copy.digest, 3);
	copy.view = ROLE_CERTIFICATE;
	assert_int_equal(copy.flags, 0);
	assert_true(faults_forge(node, 1, &copy));
	assert_int_equal(copy.flags, MESSAGE_FORGED);
	copy.view = ROLE_HEARTBEAT;
	assert_false(faults_forge(node, 1, &copy));
	copy.view = ROLE_VOTE;
	copy.kind = MESSAGE_REPLY; /* the roles are of the protocol's own */
	assert_false(faults_forge(node, 1, &copy));
	copy.kind = MESSAGE_PROTOCOL;
	lab->protocol = &honest;
	assert_false(faults_forge(node, 1, &copy));
	destroy(lab);
}

static void test_steps(void **state)
{
	static const struct protocol protocol = {.step = step}, without = {.step = NULL};
	static const uint32_t members[] = {0, 1};
	struct lab *lab = create(&protocol);
	struct fault_step order = {.action = STEP_CHANGE_MEMBERSHIP, .to = -1,
		.members = {.n = 2, .nodes = members, .given = true}, .joint = true};
	assert_true(faults_step(&lab->world, &lab->world.nodes[1], &order));
	assert_int_equal(step_taken, STEP_CHANGE_MEMBERSHIP);
	assert_int_equal(argument_taken.to, NODE_NONE);
	assert_int_equal(argument_taken.members.n, 2);
	assert_true(argument_taken.joint);
	order.action = STEP_TRANSFER;
	order.to = 1;
	assert_false(faults_step(&lab->world, &lab->world.nodes[0], &order));
	assert_int_equal(step_taken, STEP_TRANSFER);
	assert_int_equal(argument_taken.to, 1);
	order.action = STEP_CAMPAIGN;
	assert_true(faults_step(&lab->world, &lab->world.nodes[1], &order));
	assert_int_equal(step_taken, STEP_CAMPAIGN);
	order.action = STEP_PROPOSE;
	assert_true(faults_step(&lab->world, &lab->world.nodes[1], &order));
	assert_int_equal(step_taken, STEP_PROPOSE);
	lab->protocol = &without;
	assert_false(faults_step(&lab->world, &lab->world.nodes[1], &order));
	destroy(lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_proposals),
		cmocka_unit_test(test_votes_and_claims),
		cmocka_unit_test(test_steps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
