/* Who belongs to the cluster, where validators come and go. */
#ifndef LAB_MEMBERS_H
#define LAB_MEMBERS_H

#include "lab.h"

void members_start(struct lab *lab);

/* The others once members_start has found that there is membership: lab->members. */
/* Is it a voter or a learner now, as the latest leader knows it? O(n validators) while that one is down. */
bool members_belongs(const struct lab *lab, uint32_t validator);
/* Whose state the validator's gateway knows: its own where it belongs, else the latest leader's. */
uint32_t members_informant(const struct lab *lab, uint32_t validator);
/* How many voters must have committed an instance, as the node knows them: all but f. */
uint32_t members_commits(const struct node *node);
bool members_change_to_come(const struct lab *lab);

/* Up, and no spare or removed one. */
static inline bool lab_serves(const struct lab *lab, uint32_t validator)
{
	return lab->world.nodes[validator].alive &&
		(!lab->members || members_belongs(lab, validator));
}

#endif
