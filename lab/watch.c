/* The invariants, checked while the run goes, from what the replicas report and hold; never from a
 * protocol's own counts of votes.
 *
 *   agreement           no two honest validators commit or execute different batches in one instance
 *                       (Raft 5.4.3: state machine safety)
 *   validity            what is committed was submitted by a client
 *   integrity           an instance is executed once at a validator, and a transaction once
 *   total-order         instances are executed in order, without gaps
 *   finality            what was executed for good is never taken back (probable finality promises no such thing)
 *   view-order          the view or term that a validator is in never falls (within an instance, where views
 *                       begin anew at each); across crashes, what is stored
 *   commit-order        a Raft-like log's commit index never falls
 *   election-safety     a term has at most one leader (Raft 5.2)
 *   log-matching        logs that hold an entry of the same index and term are alike up to it (Raft 5.3)
 *   leader-completeness a leader's log holds every committed entry (Raft 5.4)
 *
 * Those about what clients were told are in told.c (exactly-once, durability, liveness) and kv.c
 * (linearizability).
 *
 * Where finality is probable, agreement is looked at in the end, of what has not been revoked by then.
 *
 * Costs a record look-up a commit. Validators that attack the protocol are not looked at; those that crash
 * are: a protocol keeps its promises across crashes, and a vote or an entry that a restart forgot shows
 * here. What the statistics leave out is another matter (lab_counts). */
#include "clients.h"
#include "enough.h"
#include "replicas.h"
#include "transactions.h"
#include "measure/measure.h"
#include "members.h"
#include "told.h"
#include "watch.h"

#include <stdlib.h>
#include <string.h>

void watch_start(struct lab *lab)
{
	lab->watch = lab_new(sizeof(*lab->watch));
	lab->watch->leader_failed = SIM_NEVER;
	lab->watch->seen = arena_array(&lab->world.arena, struct seen, lab->world.n_validators);
}

void watch_started(struct lab *lab)
{
	if (lab->protocol->leader_based && lab->watch->terms.n_led == 0) {
		lab->watch->leader_failed = 0; /* no initial leader: the first election counts from time 0 */
		lab->watch->leader = NODE_NONE;
	}
}

uint64_t watch_bytes(const struct lab *lab)
{
	const struct watch *watch = lab->watch;
	const struct positions *positions = &watch->positions;
	return watch->instances_capacity * sizeof(*watch->instances) +
		positions->capacity * (sizeof(*positions->transactions) + sizeof(*positions->diverged)) +
		watch->terms.capacity * sizeof(*watch->terms.latest) +
		watch->log_nodes_capacity * sizeof(*watch->log_nodes) +
		watch->committed_by_capacity * enough_words(lab) * sizeof(*watch->committed_by);
}

void watch_finish(struct lab *lab)
{
	struct watch *watch = lab->watch;
	free(watch->instances);
	free(watch->positions.transactions);
	free(watch->positions.diverged);
	terms_finish(&watch->terms);
	free(watch->log_nodes);
	free(watch->committed_by);
	free(watch);
}

void watch_violated(struct lab *lab, const char *invariant, uint32_t a, uint32_t b, uint64_t instance,
	uint64_t value_a, uint64_t value_b, const char *detail)
{
	/* What a node committed wrongly it also executes: told once. */
	for (uint64_t i = 0; i < lab->watch->n_violations && i < VIOLATIONS_MAX; i++) {
		const struct violation *told = &lab->watch->violations[i];
		if (strcmp(told->invariant, invariant) == 0 && told->node_b == b && told->instance == instance &&
			told->value_a == value_a && told->value_b == value_b) {
			return;
		}
	}
	if (lab->watch->n_violations < VIOLATIONS_MAX) {
		lab->watch->violations[lab->watch->n_violations] = (struct violation){
			invariant, lab->world.now, a, b, instance, value_a, value_b, detail, 0,
			strcmp(invariant, "liveness") == 0, false};
	}
	lab->watch->n_violations++;
}

struct lab_instance *watch_instance_new(struct lab *lab, uint64_t instance)
{
	struct watch *watch = lab->watch;
	assert(instance < UINT32_MAX);
	watch->instances =
		lab_grow(watch->instances, sizeof(*watch->instances), instance + 1, &watch->instances_capacity);
	for (uint64_t i = watch->n_instances; i <= instance; i++) {
		watch->instances[i] = (struct lab_instance){.proposed_at = SIM_NEVER, .proposer = NODE_NONE};
	}
	watch->n_instances = instance + 1;
	return &watch->instances[instance];
}

void watch_proposed(struct node *node, uint64_t instance, uint64_t view, const struct batch *batch)
{
	struct lab *lab = lab_of(node);
	struct lab_instance *record = watch_instance(lab, instance);
	lab->watch->n_proposed++;
	told_proposed(node, record, instance, batch);
	if (instance > lab->watch->last_proposed) {
		lab->watch->last_proposed = instance;
	}
	if (!record->committed) {
		/* A proposal that came to nothing (a leader fell) gives way to the one that replaces it. */
		record->proposed_at = lab->world.now;
		record->proposer = node->id;
		record->view = view;
	}
}

static void check_validity(struct lab *lab, struct node *node, uint64_t instance,
	const struct batch *batch)
{
	for (uint32_t i = 0; i < batch->n; i++) {
		if (batch->transactions[i] >= lab->transactions->n) {
			watch_violated(lab, "validity", node->id, node->id, instance, batch->transactions[i],
				lab->transactions->n, "committed a transaction (first value) that nobody has submitted");
		}
	}
}

/* Raft fig. 2: commitIndex increases monotonically. */
static void check_commit_order(struct lab *lab, struct node *node, uint64_t instance)
{
	struct seen *seen = &lab->watch->seen[node->id];
	if (lab->protocol->log_last != NULL && lab->scenario->checkers &&
		instance <= seen->committed) {
		watch_violated(lab, "commit-order", node->id, node->id, instance, seen->committed, instance,
			"committed an instance (second value) when it had committed a later one (first value)");
	}
	seen->committed = instance;
}

/* By weight: have enough committed it, this one now? */
static bool enough_committed(struct node *node, uint64_t instance)
{
	struct lab *lab = lab_of(node);
	struct watch *watch = lab->watch;
	size_t n_words = enough_words(lab);
	watch->committed_by = lab_grow(watch->committed_by, n_words * sizeof(uint64_t), instance + 1,
		&watch->committed_by_capacity);
	uint64_t *set = &watch->committed_by[instance * n_words];
	set[node->id >> 6] |= UINT64_C(1) << (node->id & 63);
	return enough(lab, node, set);
}

/* Has the instance with this one been committed at all but f, or at enough? Where there are members voters alone
 * count, and how many are needed may change meanwhile. */
static bool commits_suffice(struct node *node, struct lab_instance *record, uint64_t instance)
{
	const struct lab *lab = lab_of(node);
	if (lab->members) {
		return lab->protocol->part(node, node->id) == PART_VOTER && ++record->n_committed >= members_commits(node);
	}
	return enough_by_weight(lab)
		? enough_committed(node, instance)
		: ++record->n_committed == lab->world.n_validators - (uint32_t)lab->scenario->n_faulty;
}

void watch_committed(struct node *node, uint64_t instance, uint64_t view, const struct batch *batch)
{
	struct lab *lab = lab_of(node);
	digest_add(&lab->world.digest, batch->digest, (uint64_t)node->id << 44 | instance);
	replica_of(lab, node->id)->n_committed++;
	if (node->byzantine) {
		return;
	}
	struct lab_instance *record = watch_instance(lab, instance);
	if (!record->committed) {
		record->committed = true;
		record->committed_view = lab->protocol->view(node);
		record->batch = batch;
		record->first_node = node->id;
		lab->watch->n_committed++;
		if (lab->scenario->checkers) {
			check_validity(lab, node, instance, batch);
		}
	} else if (record->batch->digest != batch->digest && lab->scenario->checkers && !lab->replicas->revocable) {
		watch_violated(lab, "agreement", record->first_node, node->id, instance,
			record->batch->digest, batch->digest, "committed different batches in one instance");
		told_changed(node, record, instance, batch->digest);
	}
	check_commit_order(lab, node, instance);
	if (!lab_counts(node) || record->proposed_at == SIM_NEVER) {
		return;
	}
	if (node->id == record->proposer) {
		samples_add(&lab->measure->proposer_commits, lab->world.now - record->proposed_at);
	}
	if (!record->commit_counted && commits_suffice(node, record, instance)) {
		record->commit_counted = true;
		samples_add(&lab->measure->commits, lab->world.now - record->proposed_at);
	}
}

void watch_applied(struct node *node, uint64_t instance, const struct batch *batch)
{
	struct lab *lab = lab_of(node);
	const struct replica *replica = replica_of(lab, node->id);
	if (!lab->scenario->checkers || node->byzantine || !lab->protocol->ordered) {
		return;
	}
	if (instance <= replica->applied) {
		watch_violated(lab, "integrity", node->id, node->id, instance, replica->applied, instance,
			"executed an instance (second value) after it had come further (first value)");
	} else if (instance != replica->applied + 1) {
		watch_violated(lab, "total-order", node->id, node->id, instance, replica->applied, instance,
			"executed an instance (second value) right after another (first value): a gap");
	}
	const struct lab_instance *record = watch_instance(lab, instance);
	if (record->committed && record->batch->digest != batch->digest && !lab->replicas->revocable) {
		watch_violated(lab, "agreement", record->first_node, node->id, instance,
			record->batch->digest, batch->digest,
			"one executed another batch than the first committed in the instance");
	}
}

/* The node's word for this instance no longer counts. */
static void uncommit(const struct node *node, uint64_t instance)
{
	const struct lab *lab = lab_of(node);
	struct watch *watch = lab->watch;
	watch->instances[instance].n_committed -= watch->instances[instance].n_committed > 0;
	if (instance < watch->committed_by_capacity) {
		watch->committed_by[instance * enough_words(lab) + (node->id >> 6)] &= ~(UINT64_C(1) << (node->id & 63));
	}
}

bool watch_revoked(struct node *node, uint64_t instance)
{
	struct lab *lab = lab_of(node);
	struct watch *watch = lab->watch;
	uint64_t applied = replica_of(lab, node->id)->applied, depth = applied - instance + 1;
	digest_add(&lab->world.digest, UINT64_C(0xed) << 56 | node->id, instance);
	if (!lab->replicas->revocable) {
		if (lab->scenario->checkers && !node->byzantine) {
			watch_violated(lab, "finality", node->id, node->id, instance, applied, instance,
				"took back what it had executed for good, up to the last instance (first value) from one "
				"(second value)");
		}
		return false;
	}
	if (!node->byzantine) {
		watch->n_reorganisations++;
		watch->depth_max = depth > watch->depth_max ? depth : watch->depth_max;
	}
	for (uint64_t i = instance; i <= applied && lab_counts(node); i++) {
		uncommit(node, i);
	}
	watch->seen[node->id].committed = instance - 1;
	return true;
}

void watch_settle(struct lab *lab)
{
	const struct watch *watch = lab->watch;
	for (uint64_t i = 0; i < watch->n_instances; i++) {
		watch->instances[i].committed = false;
	}
	for (uint32_t n = 0; n < lab->world.n_validators; n++) {
		const struct tentative_log *past = replica_of(lab, n)->past;
		for (size_t k = 0; past != NULL && k < past->n && !lab->world.nodes[n].byzantine; k++) {
			const struct tentative *executed = &past->batches[k];
			struct lab_instance *record = watch_instance(lab, executed->instance);
			if (!record->committed) {
				record->committed = true;
				record->batch = executed->batch;
				record->first_node = n;
			} else if (record->batch->digest != executed->batch->digest && lab->scenario->checkers) {
				watch_violated(lab, "agreement", record->first_node, n, executed->instance, record->batch->digest,
					executed->batch->digest, "by the run's end hold different batches in one instance");
			}
		}
	}
}

/* Before it is committed: in order all the same. That it is another batch than what others commit is no
 * fault yet. */
void watch_tentative(struct node *node, uint64_t instance, const struct batch *batch)
{
	struct lab *lab = lab_of(node);
	const struct replica *replica = replica_of(lab, node->id);
	if (!lab->scenario->checkers || node->byzantine) {
		return;
	}
	const struct tentative_log *log = replica->tentative;
	uint64_t last =
		log->n > 0 ? log->batches[log->first + log->n - 1].instance : replica->applied;
	if (instance != last + 1) {
		watch_violated(lab, instance <= last ? "integrity" : "total-order", node->id, node->id,
			instance, last, instance,
			"executed an instance (second value) tentatively when it had come to another (first value)");
	}
}

static uint64_t height_of(const struct node *node)
{
	const struct protocol *protocol = lab_of(node)->protocol;
	return protocol->height == NULL ? 0 : protocol->height(node);
}

/* Raft fig. 2: terms increase monotonically, but for one that a server was still writing when it went down. Where
 * views begin anew at each instance they do within it; what a node still does at an older one is not looked at. */
void watch_view(struct node *node)
{
	struct lab *lab = lab_of(node);
	struct seen *seen = &lab->watch->seen[node->id];
	uint64_t height = height_of(node), view = lab->protocol->view(node);
	if (height > seen->height) {
		*seen = (struct seen){height, view, seen->committed};
	} else if (height == seen->height && view >= seen->view) {
		seen->view = view;
	} else if (height == seen->height && lab->scenario->checkers && !node->byzantine) {
		watch_violated(lab, "view-order", node->id, node->id, view, seen->view, view,
			"went back from a view or term (first value) to an older one (second value)");
	}
}

/* Ends the run where more have been called for than it is to have. */
static void bound_terms(struct lab *lab)
{
	if (lab->watch->terms.n_called <= (uint64_t)lab->scenario->stop.views) {
		return;
	}
	if (lab->ending.phase == PHASE_DRAINING) { /* a straggler that is cut off stands again and again */
		lab_done(lab);
	} else {
		lab_end(lab, "limit", "more than %lld views or terms", (long long)lab->scenario->stop.views);
	}
}

/* Raft 5.4: what was committed in a term is in the logs of the leaders of all higher terms. A candidate
 * whose votes come late may become the leader of a term that the others have left behind, and owes
 * nothing of what they have committed since. */
static void check_leader_completeness(struct lab *lab, struct node *node, uint64_t view)
{
	uint64_t last = lab->protocol->log_last(node);
	for (uint64_t instance = 1; instance < lab->watch->n_instances; instance++) {
		const struct lab_instance *record = &lab->watch->instances[instance];
		if (!record->committed || record->committed_view >= view) {
			continue;
		}
		uint64_t digest = instance > last ? 0 : lab->protocol->log_at(node, instance).digest;
		if (instance > last || digest != record->batch->digest) {
			watch_violated(lab, "leader-completeness", node->id, record->first_node, instance, digest,
				record->batch->digest,
				"leads without what the second had committed (second value) in an earlier term");
			return;
		}
	}
}

/* The latest view is led by another. What leaders before it have proposed may come to nothing. */
static void change_leader(struct lab *lab, const struct node *node, uint64_t height, uint64_t view, bool left)
{
	struct watch *watch = lab->watch;
	watch->leader_height = height;
	watch->leader_view = view;
	watch->leader = node->id;
	if (left) {
		watch->last_proposed = 0;
		for (uint32_t i = 0; i < lab->world.n_validators; i++) {
			uint64_t applied = replica_of(lab, i)->applied;
			watch->last_proposed = applied > watch->last_proposed ? applied : watch->last_proposed;
		}
	}
	if (watch->leader_failed != SIM_NEVER) {
		samples_add(&lab->measure->elections, lab->world.now - watch->leader_failed);
		watch->leader_failed = SIM_NEVER;
	}
}

static void count_led(struct terms *terms, struct term *term, enum lead_cause cause)
{
	terms->n_changes += cause == LEAD_CHANGE && terms->n_led > 0;
	terms->n_led++;
	if (cause == LEAD_CHANGE) {
		terms_call(terms, term);
	}
}

void watch_leads(struct node *node, uint64_t view, enum lead_cause cause)
{
	struct lab *lab = lab_of(node);
	struct watch *watch = lab->watch;
	uint64_t height = height_of(node);
	struct term *term = terms_at(&watch->terms, height, view);
	watch_view(node);
	digest_add(&lab->world.digest, UINT64_C(0xee) << 56 | node->id, view + (height << 32));
	if (term == NULL || term->leader == node->id) {
		return;
	}
	if (term->leader != NODE_NONE && lab->scenario->checkers && !node->byzantine) {
		watch_violated(lab, "election-safety", term->leader, node->id, view, term->leader, node->id,
			"both led the same view or term");
	}
	if (term->leader == NODE_NONE) {
		count_led(&watch->terms, term, cause);
	}
	term->leader = node->id;
	if (lab->scenario->checkers && lab->protocol->log_last != NULL && !node->byzantine) {
		check_leader_completeness(lab, node, view);
	}
	if (height > watch->leader_height || (height == watch->leader_height && view >= watch->leader_view)) {
		change_leader(lab, node, height, view, cause != LEAD_TURN);
	}
	bound_terms(lab);
}

void watch_candidate(struct node *node, uint64_t view)
{
	struct lab *lab = lab_of(node);
	struct terms *terms = &lab->watch->terms;
	struct term *term = terms_at(terms, height_of(node), view);
	watch_view(node);
	if (term == NULL) {
		return;
	}
	terms->n_elections += !term->candidate;
	term->candidate = true;
	terms_call(terms, term);
	bound_terms(lab);
}

void watch_forgot(struct node *node)
{
	lab_of(node)->watch->seen[node->id].committed = 0;
}

void watch_failed(struct lab *lab, struct node *node)
{
	if (lab->protocol->stored_view != NULL) {
		lab->watch->seen[node->id].view = lab->protocol->stored_view(node);
	}
	if (lab->protocol->leader_based && node->id == lab->watch->leader && lab->watch->leader_failed == SIM_NEVER) {
		lab->watch->leader_failed = lab->world.now;
	}
}

/* PBFT's primary that comes back before anyone has left its view goes on as the primary. */
void watch_restarted(struct lab *lab, struct node *node)
{
	watch_view(node);
	if (lab->protocol->leader_based && node->id == lab->watch->leader &&
		lab->protocol->leader(node) == node->id) {
		lab->watch->leader_failed = SIM_NEVER;
	}
}

/* Log matching by induction: wherever two logs hold an entry with the same index and term, it must be
 * the same batch after an entry of the same term. */
void watch_appended(struct node *node, uint64_t index, uint64_t term, uint64_t prev_term,
	const struct batch *batch)
{
	struct lab *lab = lab_of(node);
	if (!lab->scenario->checkers || node->byzantine) {
		return;
	}
	lab->watch->log_nodes =
		lab_grow(lab->watch->log_nodes, sizeof(*lab->watch->log_nodes), index + 1, &lab->watch->log_nodes_capacity);
	struct log_node **at = &lab->watch->log_nodes[index];
	for (; *at != NULL; at = &(*at)->next) {
		if ((*at)->term != term) {
			continue;
		}
		if ((*at)->digest != batch->digest || (*at)->prev_term != prev_term) {
			watch_violated(lab, "log-matching", (*at)->node, node->id, index, (*at)->digest,
				batch->digest, "entries of the same index and term, or those before them, differ");
		}
		return;
	}
	*at = arena_new(&lab->world.arena, struct log_node);
	**at = (struct log_node){NULL, term, prev_term, batch->digest, node->id};
}
