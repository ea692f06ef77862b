/* Items in general, whatever they are: lab/items.c. */
#ifndef LAB_ITEMS_H
#define LAB_ITEMS_H

#include <stdint.h>

struct lab;

/* The first arrival, or the first requests of a closed loop. */
void items_start(struct lab *lab);
/* The item's client is content. */
void items_accepted(struct lab *lab, uint32_t item);
/* The gateway of that validator, or of the next live honest one that belongs. */
uint32_t items_gateway(const struct lab *lab, uint32_t from);

#endif
