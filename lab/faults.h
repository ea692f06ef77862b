/* What the engine's faults need to know of protocols. */
#ifndef LAB_FAULTS_H
#define LAB_FAULTS_H

#include "lab.h"

/* Who is up, or who reaches whom, has changed: ends the run where no quorum will ever meet again. */
void faults_links(struct world *world);
bool faults_step(struct world *world, struct node *node, const struct fault_step *step);
/* Makes the copy say something else: another batch, a vote for another digest, more than was signed. */
bool faults_forge(struct node *node, uint32_t to, struct message *copy);

#endif
