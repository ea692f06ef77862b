/* How clients find the leader and follow it, where a protocol has one that they ask. Raft 8; thesis 3.10, 6.2.
 *
 * Who does not lead says so at once, and names the leader if it knows one. A client that hears of a newer leader
 * asks it for all that it waits for, once. Where nobody is known to lead it asks the servers in turn for one of
 * its requests, at first after a short pause, then after ever longer ones. Where leaders follow each other in
 * quick succession it asks for all ever more rarely: what is asked of each of them keeps the next from being
 * elected in peace. So whatever others say, and however
 * often, a request is asked once for each leader, once for each server that knew none, and once each time that
 * its client has waited in vain. */
#include "clients.h"
#include "transactions.h"
#include "leaders.h"

#define PAUSE_NS (50 * SIM_MS)
#define CALM 8 /* pauses without a new leader: it is no quick succession */

static void follow(struct lab *lab, uint32_t id, bool anew)
{
	uint32_t leader = lab->clients->list[id].believed;
	int level = 0;
	uint32_t i = 0;
	transaction_id transaction;
	while ((transaction = client_waits_for(lab, id, &level, &i)) != TRANSACTION_NONE) {
		if (anew || transaction_of(lab, transaction)->asked != leader) {
			client_ask(lab, id, transaction, leader);
		}
	}
}

/* It asks for all at its own time. */
static void call_at(struct lab *lab, uint32_t id, sim_time at)
{
	if (at < lab->world.ports[id].timer_at[NODE_TIMER_CLIENT]) {
		node_timer_set(&lab->world.nodes[id], NODE_TIMER_CLIENT, at);
	}
}

static void follow_in_time(struct lab *lab, uint32_t id, bool anew)
{
	struct client *client = &lab->clients->list[id];
	sim_time now = lab->world.now, since = now - client->followed_at;
	if (client->follow_pause_ns > 0 && since < client->follow_pause_ns) {
		client->follow_at = sim_time_add(client->followed_at, client->follow_pause_ns);
		call_at(lab, id, client->follow_at);
		return;
	}
	sim_time pause = client->follow_pause_ns;
	pause = pause == 0 || since / CALM > pause ? PAUSE_NS : sim_time_add(pause, pause);
	client->follow_pause_ns = pause < lab->clients->wait_max_ns ? pause : lab->clients->wait_max_ns;
	client->followed_at = now;
	client->follow_at = 0;
	follow(lab, id, anew);
}

void client_follow_on(struct lab *lab, uint32_t id)
{
	struct client *client = &lab->clients->list[id];
	if (client->follow_at > 0 && client->follow_at <= lab->world.now) {
		follow_in_time(lab, id, true);
	}
}

void client_learns(struct lab *lab, uint32_t id, uint64_t view, uint32_t leader, bool anew)
{
	struct client *client = &lab->clients->list[id];
	if (lab->protocol->height != NULL || view <= client->view) {
		return; /* of one instance, over before anyone could ask it; or a view has one leader */
	}
	client->view = view;
	client->believed = client->turn = leader;
	client->pause_ns = 0;
	if (lab->protocol->client == CLIENT_HINTED) {
		follow_in_time(lab, id, anew);
	}
}

static void seek(struct lab *lab, uint32_t id)
{
	struct client *client = &lab->clients->list[id];
	if (client->pause_ns > 0) {
		return;
	}
	client->pause_ns = PAUSE_NS;
	client->seek_at = sim_time_add(lab->world.now, PAUSE_NS);
	call_at(lab, id, client->seek_at);
}

uint32_t client_next(struct lab *lab, uint32_t id, uint32_t asked)
{
	struct client *client = &lab->clients->list[id];
	client->turn = (client->turn + 1) % lab->world.n_validators;
	if (client->turn == asked) {
		client->turn = (client->turn + 1) % lab->world.n_validators;
	}
	return client->turn;
}

void client_seek_on(struct lab *lab, uint32_t id)
{
	struct client *client = &lab->clients->list[id];
	if (client->pause_ns == 0 || client->seek_at > lab->world.now) {
		return;
	}
	int level = 0;
	uint32_t i = 0;
	transaction_id transaction = client_waits_for(lab, id, &level, &i);
	if (transaction == TRANSACTION_NONE) {
		client->pause_ns = 0;
		return;
	}
	client_ask(lab, id, transaction, client_next(lab, id, transaction_of(lab, transaction)->asked));
	client->pause_ns = sim_time_add(client->pause_ns, client->pause_ns);
	if (client->pause_ns > lab->clients->wait_max_ns) {
		client->pause_ns = lab->clients->wait_max_ns;
	}
	client->seek_at = sim_time_add(lab->world.now, client->pause_ns);
}

void client_hinted(struct lab *lab, struct node *node, const struct message *hint)
{
	struct client *client = &lab->clients->list[node->id];
	uint32_t leader = (uint32_t)hint->extra;
	if (hint->instance == TRANSACTION_NONE) {
		/* From a server that takes the lead, or gives it up. Only who waits for something listens: others
		 * go on believing what they did, and may ask a leader that has been replaced. */
		int level = 0;
		uint32_t i = 0;
		if (client_waits_for(lab, node->id, &level, &i) == TRANSACTION_NONE) {
			return;
		}
		if (leader != NODE_NONE) {
			client_learns(lab, node->id, hint->view, leader, true);
		} else if (client->believed == hint->from) {
			seek(lab, node->id);
		}
		return;
	}
	transaction_id id = (transaction_id)hint->instance;
	const struct transaction *transaction = transaction_of(lab, id);
	if (transaction->answered || transaction->command.sender != node->id) {
		return;
	}
	if (leader == NODE_NONE) {
		seek(lab, node->id);
		return;
	}
	client_learns(lab, node->id, hint->view, leader, false);
	if (transaction->asked != client->believed) {
		client_ask(lab, node->id, id, client->believed);
	}
}
