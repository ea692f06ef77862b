/* Where validators come and go (Raft's members, learners and changes): who belongs to the cluster, as the
 * laboratory sees it. Elsewhere all do for ever, and none of this is asked. */
#include "clients.h"
#include "replicas.h"
#include "members.h"
#include "items.h"
#include "watch.h"

#include "engine/fault.h"

#include <string.h>

static bool is_change(const struct plugin_value *fault)
{
	const struct fault_step *step = fault->settings;
	return strcmp(fault->plugin->name, "step") == 0 && step->action == STEP_CHANGE_MEMBERSHIP;
}

void members_start(struct lab *lab)
{
	struct world *world = &lab->world;
	const struct plugin_list *faults = &lab->scenario->faults;
	if (lab->protocol->part == NULL) {
		return;
	}
	bool membership = false;
	for (size_t i = 0; i < faults->n; i++) {
		membership |= is_change(&faults->values[i]);
	}
	for (uint32_t i = 0; i < world->n_validators; i++) {
		membership |= lab->protocol->part(&world->nodes[0], i) != PART_VOTER;
	}
	if (membership) {
		lab->items->clients_move = true;
		lab->members = true;
	}
}

/* Whose word it is that counts: the latest leader's, though it has left, or, where it is down, that of
 * the live validator that has come furthest. */
static const struct node *spokesman(const struct lab *lab)
{
	const struct world *world = &lab->world;
	if (lab->watch->leader < world->n_validators && world->nodes[lab->watch->leader].alive) {
		return &world->nodes[lab->watch->leader];
	}
	const struct node *best = NULL;
	for (uint32_t i = 0; i < world->n_validators; i++) {
		if (world->nodes[i].alive &&
			(best == NULL || replica_of(lab, i)->applied > replica_of(lab, best->id)->applied)) {
			best = &world->nodes[i];
		}
	}
	return best != NULL ? best : &world->nodes[0];
}

bool members_belongs(const struct lab *lab, uint32_t validator)
{
	return lab->protocol->part(spokesman(lab), validator) != PART_NONE;
}

uint32_t members_informant(const struct lab *lab, uint32_t validator)
{
	const struct node *node = spokesman(lab);
	return lab->protocol->part(node, validator) != PART_NONE ? validator : node->id;
}

uint32_t members_commits(const struct node *node)
{
	const struct lab *lab = lab_of(node);
	uint32_t n = 0, n_faulty = (uint32_t)lab->scenario->n_faulty;
	for (uint32_t i = 0; i < node->n_validators; i++) {
		n += lab->protocol->part(node, i) == PART_VOTER;
	}
	uint32_t most = n == 0 ? 0 : lab->protocol->faulty_most(lab->scenario->protocol.settings, n);
	return n - (n_faulty < most ? n_faulty : most);
}

bool members_change_to_come(const struct lab *lab)
{
	const struct plugin_list *faults = &lab->scenario->faults;
	for (size_t i = 0; i < faults->n; i++) {
		const struct fault_common *common = faults->values[i].settings;
		if (is_change(&faults->values[i]) && common->from_ns >= lab->world.now) {
			return true;
		}
	}
	return false;
}
