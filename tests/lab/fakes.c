#include "fakes.h"

enum { ORDER = MESSAGE_PROTOCOL, COMMIT };

struct fake_state {
	uint64_t last;
};

/* The protocol's ops are given nothing of ours but the node's settings. */
static const struct fake *fake_of(const struct node *node)
{
	return node->settings;
}

static uint32_t quorum(const void *settings, uint32_t n_validators, uint32_t n_faulty)
{
	return 1;
}

static uint32_t quorum_all(const void *settings, uint32_t n_validators, uint32_t n_faulty)
{
	return n_validators;
}

static uint32_t reply_quorum(const void *settings, uint32_t n_faulty)
{
	return 2;
}

static enum protocol_reads reads_ordered(const void *settings)
{
	return READS_ORDERED;
}

static enum protocol_reads reads_leader(const void *settings)
{
	return READS_LEADER;
}

static enum protocol_reads reads_all(const void *settings)
{
	return READS_ALL;
}

static uint32_t quorum_1(const void *settings, uint32_t n_validators, uint32_t n_faulty)
{
	return 1;
}

static uint32_t quorum_3(const void *settings, uint32_t n_validators, uint32_t n_faulty)
{
	return 3;
}

static void start(struct node *node)
{
	if (node->id == 0) {
		node_leads(node, 0, LEAD_FIRST);
	}
}

static void execute(struct node *node, const struct message *message)
{
	const struct fake *fake = fake_of(node);
	const struct batch *batch = message->body;
	if (!fake->tentative) {
		node_committed(node, message->instance, 0, batch);
		node_apply(node, message->instance, 0, batch, true);
		return;
	}
	node_apply_tentative(node, message->instance, 0, batch);
	if (fake->rolls_back) {
		node_rollback(node, message->instance);
		node_apply_tentative(node, message->instance, 0, batch);
	}
	struct message *commit = node_message(node, COMMIT, CLASS_AGREEMENT, 0);
	commit->instance = message->instance;
	commit->body = batch;
	node_later(node, SIM_MS, commit);
}

static void receive(struct node *node, const struct message *message)
{
	const struct fake *fake = fake_of(node);
	struct fake_state *state = node->state;
	transaction_id transaction = (transaction_id)message->instance;
	switch (message->kind) {
	case MESSAGE_REQUEST:
		if (node->id != 0) {
			return;
		}
		if (node_executed(node, transaction) && !fake->forgets) {
			node_reply(node, transaction, 0);
			return;
		}
		struct message *order = node_message(node, ORDER, CLASS_AGREEMENT, 0);
		order->instance = ++state->last;
		order->body = node_batch(node, &transaction, 1);
		node_proposed(node, order->instance, 0, order->body);
		struct message own = *order;
		node_multicast(node, order);
		execute(node, &own);
		break;
	case MESSAGE_READ:
		if (fake->reads_at == 0 || (fake->reads_at >> node->id & 1) != 0) {
			node_read(node, transaction, 0);
		}
		break;
	case ORDER:
		if (fake->floods) {
			if (message->instance <= state->last || node->id == 0) {
				return;
			}
			state->last = message->instance;
			struct message *further = node_message(node, ORDER, CLASS_AGREEMENT, 0);
			further->instance = message->instance;
			further->body = message->body;
			node_multicast(node, further);
		}
		if ((fake->deaf >> node->id & 1) == 0) {
			execute(node, message);
		}
		break;
	case COMMIT:
		node_committed(node, message->instance, 0, message->body);
		node_confirm(node, message->instance);
		break;
	}
}

static void timer(struct node *node, unsigned which)
{
}

static void restart(struct node *node)
{
}

static uint64_t view(const struct node *node)
{
	return 0;
}

static uint32_t leader(const struct node *node)
{
	return 0;
}

struct fake fake_make(enum protocol_reads reads, uint32_t read_quorum)
{
	assert(read_quorum == 1 || read_quorum == 3);
	static const char *const names[] = {"order", "commit", NULL};
	return (struct fake){
		.protocol =
			{
				.plugin = {.name = "fake", .summary = "for the tests"},
				.ordered = true,
				.client = CLIENT_COORDINATOR,
				.state_size = sizeof(struct fake_state),
				.message_names = names,
				.quorum = quorum,
				.reply_quorum = reply_quorum,
				.reads = reads == READS_ALL ? reads_all
					: reads == READS_LEADER ? reads_leader
											: reads_ordered,
				.read_quorum = read_quorum == 1 ? quorum_1 : quorum_3,
				.start = start,
				.receive = receive,
				.timer = timer,
				.restart = restart,
				.view = view,
				.leader = leader,
			},
	};
}

struct outcome *protocol_run(const struct protocol *protocol, void *settings,
	const struct plugin_value *topology, const char *text)
{
	struct study *study = study_open("%s", text);
	struct scenario *scenario = (struct scenario *)(uintptr_t)scenario_point(study->file, 0);
	struct plugin_value before = scenario->protocol, way = scenario->network.topology;
	if (topology != NULL && topology->plugin != NULL) {
		scenario->network.topology = *topology;
	}
	scenario->protocol = (struct plugin_value){&protocol->plugin, settings};
	run_schemas_finish(&study->schemas);
	run_schemas_init(&study->schemas, study->file); /* some columns are the protocol's */
	struct outcome *outcome = study_run(study, 0, 0);
	scenario->protocol = before;
	scenario->network.topology = way;
	return outcome;
}

struct outcome *fake_run(const struct fake *fake, const char *text)
{
	struct fake own = *fake;
	own.protocol.tentative_quorum = own.tentative ? quorum_3 : NULL;
	if (own.floods) {
		own.protocol.relays = true;
		own.protocol.quorum = quorum_all;
	}
	return protocol_run(&own.protocol, &own, &own.topology, text);
}
