/* The replies to one request where there are several sorts of them: to reads that were not ordered, before
 * the commitment, and after it. What each validator said last counts, since a rollback may change its mind;
 * but a firm word stands against what comes later by another way. */
#include "clients.h"
#include "lab.h"

#include <string.h>

uint32_t reply_set_take(struct lab *lab)
{
	uint32_t n = lab->world.n_validators;
	uint32_t index = lab->clients->set_free;
	if (index != NODE_NONE) {
		lab->clients->set_free = lab->clients->sets[index].next_free;
		memset(lab->clients->sets[index].sorts, 0, n);
		return index;
	}
	index = lab->clients->n_sets++;
	size_t capacity = lab->clients->sets_capacity;
	lab->clients->sets = lab_grow(lab->clients->sets, sizeof(*lab->clients->sets), index + 1, &capacity);
	lab->clients->sets_capacity = (uint32_t)capacity;
	lab->clients->sets[index] = (struct reply_set){
		.results = arena_array(&lab->world.arena, uint64_t, n),
		.views = arena_array(&lab->world.arena, uint64_t, n),
		.sorts = arena_array(&lab->world.arena, uint8_t, n),
	};
	return index;
}

void reply_set_give_back(struct lab *lab, uint32_t set)
{
	lab->clients->sets[set].next_free = lab->clients->set_free;
	lab->clients->set_free = set;
}

/* The thesis's 2f+1 matching tentative replies match in the view, too: of several views they prove less, since
 * each certificate may have been overtaken by a later one. */
static uint32_t count_tentative(const struct reply_set *set, uint32_t n, uint64_t result)
{
	uint32_t most = 0;
	for (uint32_t i = 0; i < n; i++) {
		if (set->sorts[i] != REPLY_SORT_TENTATIVE || set->results[i] != result) {
			continue;
		}
		uint32_t n_equal = 0;
		for (uint32_t k = 0; k < n; k++) {
			n_equal += set->sorts[k] == REPLY_SORT_TENTATIVE && set->results[k] == result &&
				set->views[k] == set->views[i];
		}
		most = n_equal > most ? n_equal : most;
	}
	return most;
}

struct reply_tally reply_set_add(struct lab *lab, uint32_t index, const struct message *message)
{
	struct reply_set *set = &lab->clients->sets[index];
	uint8_t sort = (message->flags & REPLY_READ) != 0 ? REPLY_SORT_READ
		: (message->flags & REPLY_TENTATIVE) != 0     ? REPLY_SORT_TENTATIVE
													  : REPLY_SORT_FIRM;
	if (sort >= set->sorts[message->from]) {
		set->sorts[message->from] = sort;
		set->results[message->from] = message->digest;
		set->views[message->from] = message->view;
	}
	struct reply_tally tally = {0};
	for (uint32_t i = 0; i < lab->world.n_validators; i++) {
		tally.n_heard += set->sorts[i] != REPLY_SORT_NONE;
		if (set->results[i] == message->digest) {
			tally.n_firm += set->sorts[i] == REPLY_SORT_FIRM;
			tally.n_read += set->sorts[i] == REPLY_SORT_READ;
		}
	}
	if (lab->clients->tentative_quorum > 0) {
		tally.n_tentative = count_tentative(set, lab->world.n_validators, message->digest);
	}
	return tally;
}
