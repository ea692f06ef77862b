/* The invariants about what clients were told.
 *
 *   exactly-once  a validator does not propose again what it has executed itself. That a transaction stands
 *                 in two instances can be right: a new leader does not know yet what the old one had
 *                 proposed, a liar repeats what it likes; replicas then leave it out the second time. But
 *                 who has executed it has the reply, and proposes it again only where the reply cache is lost
 *   durability    what a client was told stays: the instance never holds another batch, and by the run's end
 *                 every honest live validator that has come so far has executed it, in that instance
 *   liveness      once all faults and attacks have ended, work never waits longer for the next acceptance
 *                 than the scenario's `liveness_after`
 *
 * The first two bind ordered protocols, durability those whose finality is certain; a record look-up a transaction,
 * and one pass at the end. */
#include "clients.h"
#include "replicas.h"
#include "transactions.h"
#include "told.h"
#include "items.h"

#include <stdlib.h>
#include <string.h>

bool told_binds(const struct lab *lab)
{
	return lab->scenario->checkers && lab->protocol->ordered && !lab->replicas->revocable;
}

void told_proposed(struct node *node, struct lab_instance *record, uint64_t instance,
	const struct batch *batch)
{
	struct lab *lab = lab_of(node);
	/* What another has proposed there before is proposed again in its place, whatever it is. */
	if (!lab->scenario->checkers || !lab->protocol->ordered || node->byzantine ||
		record->proposer != NODE_NONE || instance <= replica_of(lab, node->id)->applied) {
		return;
	}
	for (uint32_t i = 0; i < batch->n && !record->proposed_again; i++) {
		record->proposed_again = replica_executed(node, batch->transactions[i]);
	}
}

void told_left_out(struct node *node, uint64_t instance, transaction_id transaction)
{
	struct lab *lab = lab_of(node);
	if (!lab->scenario->checkers || !lab->protocol->ordered || node->byzantine) {
		return;
	}
	struct lab_instance *record = watch_instance(lab, instance);
	if (!record->proposed_again) {
		return;
	}
	record->proposed_again = false; /* told once */
	uint64_t first = lab->replicas->keeps_replies ? replica_reply_of(lab, node->id, transaction).instance
												  : transaction_of(lab, transaction)->instance;
	watch_violated(lab, "exactly-once", record->proposer, node->id, instance, first, transaction,
		"the first proposed a transaction (second value) again that it had executed in an earlier "
		"instance (first value)");
}

void told_changed(struct node *node, const struct lab_instance *record, uint64_t instance,
	uint64_t digest)
{
	struct lab *lab = lab_of(node);
	if (told_binds(lab) && record->told_digest != 0 &&
		record->told_digest != digest) {
		watch_violated(lab, "durability", node->id, node->id, instance, record->told_digest, digest,
			"a client was told of a batch in this instance, and another was committed there");
	}
}

void told_accepted(struct lab *lab, transaction_id id, uint64_t instance)
{
	if (!told_binds(lab)) {
		return;
	}
	struct transaction *transaction = transaction_of(lab, id);
	if (instance == 0 && lab->clients->tentative_quorum != 0) {
		transaction->instance = 0; /* rolled back meanwhile, in a view change, to be executed again */
		return;
	}
	if (instance == 0 || instance >= lab->watch->n_instances) {
		watch_violated(lab, "durability", transaction->asked, transaction->asked, instance, id, 0,
			"a client accepted an answer that no honest validator has come to");
		transaction->instance = 0;
		return;
	}
	transaction->instance = instance; /* and so it stays: see replica.c */
	struct lab_instance *record = watch_instance(lab, instance);
	if (record->committed) { /* else (tentative replies) what is committed there is looked at in the end */
		record->told_digest = record->batch->digest;
	}
}

/* Which transactions clients were told of, as bits like the replicas'. */
struct told {
	uint64_t *bits;
	size_t n_words;
};

static bool is_told(const struct transaction *transaction)
{
	return transaction->answered &&
		transaction->instance != 0;
}

static struct told find_told(struct lab *lab)
{
	struct told told = {.n_words = lab->transactions->n / 64 + 1};
	told.bits = arena_array(&lab->world.arena, uint64_t, told.n_words);
	for (size_t i = 0; i < lab->transactions->n; i++) {
		if (is_told(transaction_of(lab, i))) {
			told.bits[i >> 6] |= UINT64_C(1) << (i & 63);
		}
	}
	return told;
}

/* The first of them that the validator, which has come so far, has not executed; TRANSACTION_NONE: none. */
static transaction_id find_vanished(const struct lab *lab, const struct told *told, uint32_t node)
{
	const struct replica *replica = replica_of(lab, node);
	for (size_t w = 0; w < told->n_words; w++) {
		uint64_t missing = told->bits[w] & ~(w < replica->executed_words ? replica->executed[w] : 0);
		for (; missing != 0; missing &= missing - 1) {
			size_t i = w * 64 + (size_t)__builtin_ctzll(missing);
			if (transaction_of(lab, i)->instance <= replica->applied) {
				return (transaction_id)i;
			}
		}
	}
	return TRANSACTION_NONE;
}

/* Where the committed batch of a told instance does not hold what the client was told: the told ones of each
 * instance are counted, once by what clients know and once by what the batches hold. */
static void check_places(struct lab *lab)
{
	uint32_t *missing = calloc(lab->watch->n_instances + 1, sizeof(*missing));
	if (missing == NULL) {
		fprintf(stderr, "synod: out of memory\n");
		exit(3);
	}
	for (size_t i = 0; i < lab->transactions->n; i++) {
		if (is_told(transaction_of(lab, i))) {
			missing[transaction_of(lab, i)->instance]++;
		}
	}
	for (uint64_t instance = 1; instance < lab->watch->n_instances; instance++) {
		const struct lab_instance *record = &lab->watch->instances[instance];
		if (missing[instance] == 0 || !record->committed) {
			continue;
		}
		for (uint32_t i = 0; i < record->batch->n; i++) {
			transaction_id id = record->batch->transactions[i];
			missing[instance] -= id < lab->transactions->n && is_told(transaction_of(lab, id)) &&
				transaction_of(lab, id)->instance == instance && missing[instance] > 0;
		}
		if (missing[instance] > 0) {
			watch_violated(lab, "durability", record->first_node, record->first_node, instance,
				missing[instance], record->batch->digest,
				"clients were told of transactions (first value: how many) in this instance that its "
				"committed batch (second value) does not hold");
		}
	}
	free(missing);
}

void told_finish(struct lab *lab)
{
	if (!told_binds(lab) || !lab->app->has_clients) {
		return;
	}
	check_places(lab);
	struct told told = find_told(lab);
	for (uint32_t i = 0; i < lab->world.n_validators; i++) {
		const struct node *node = &lab->world.nodes[i];
		transaction_id vanished =
			node->byzantine || !node->alive ? TRANSACTION_NONE : find_vanished(lab, &told, i);
		if (vanished != TRANSACTION_NONE) {
			uint64_t instance = transaction_of(lab, vanished)->instance;
			watch_violated(lab, "durability", i, i, instance, vanished, replica_of(lab, i)->applied,
				"a client was told of a transaction (first value) that the validator has not executed, "
				"though it has come further (second value)");
		}
	}
}

/* Liveness. */

static void look(struct world *world, void *context, uint64_t changed_at)
{
	struct lab *lab = context;
	sim_time after = lab->scenario->liveness_after_ns;
	sim_time changed = (sim_time)changed_at;
	if (lab->items->n_accepted == lab->items->n) {
		if (!lab->items->arrivals_over) {
			world_call_at(world, sim_time_add(world->now, after), look, lab, changed_at);
		}
		return;
	}
	sim_time since = lab->items->waiting_since > changed ? lab->items->waiting_since : changed;
	sim_time due = sim_time_add(since, after);
	if (due > world->now) {
		world_call_at(world, due, look, lab, changed_at);
		return;
	}
	uint32_t leader = lab->watch->leader < world->n_validators ? lab->watch->leader : 0;
	watch_violated(lab, "liveness", leader, leader, 0, lab->items->n - lab->items->n_accepted, lab->items->n,
		"nothing was accepted for `liveness_after` though all faults and attacks had ended and items "
		"(first value of second) were waiting");
	lab_end(lab, "stalled", "liveness broken: nothing accepted from %g s to %g s; %llu of %llu items wait",
		sim_time_to_s(since), sim_time_to_s(world->now),
		(unsigned long long)(lab->items->n - lab->items->n_accepted), (unsigned long long)lab->items->n);
}

void told_start(struct lab *lab)
{
	if (lab->scenario->checkers && lab->scenario->liveness_after_ns != SIM_NEVER) {
		sim_time changed = lab_last_change(lab->scenario);
		world_call_at(&lab->world, sim_time_add(changed, lab->scenario->liveness_after_ns), look, lab,
			(uint64_t)changed);
	}
}
