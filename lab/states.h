/* What replicas hold, looked at from the outside after each instance: lab/states.c. */
#ifndef LAB_STATES_H
#define LAB_STATES_H

#include "lab.h"

struct states;

/* After the replicas: whether there is anything to look at. */
void states_start(struct lab *lab);
void states_free(struct lab *lab);
/* Bytes that grow with the run. */
uint64_t states_bytes(const struct lab *lab);
/* The replica has executed all of the instance, and nothing after it; where lab->replicas->states is not NULL. */
void states_look(struct lab *lab, struct node *node, uint64_t instance, const struct batch *batch);

#endif
