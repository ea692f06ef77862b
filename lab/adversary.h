/* What attackers make of predictions: lab/adversary.c. */
#ifndef LAB_ADVERSARY_H
#define LAB_ADVERSARY_H

#include <stdint.h>

struct item;
struct item_details;
struct lab;
struct lab_item;

/* Who speaks: the validators and what Sybils among them make up. */
void adversary_identities(struct lab *lab);
void adversary_start(struct lab *lab);
/* What the Sybils' further identities send of an item, once its validators have spoken. */
void adversary_echo(struct lab *lab, uint32_t item, struct item_details *details);
/* Where what validator `node` sees of the item under way is to be written: FEATURES_MAX. */
double *adversary_seen(struct lab *lab, uint32_t node);
/* What the adversary does to an item before validators see it. */
void adversary_stamp(struct lab *lab, uint32_t index, struct item *item);
/* From what the live validators would honestly say of an item to what they send. */
void adversary_speak(struct lab *lab, uint32_t item, struct item_details *details);
/* Of the lies that were looked for, the share that lies at the end of where they were; NaN: none was. */
double adversary_at_reach(const struct lab *lab);
/* An item was accepted: who copies decisions may know its value from now on. */
void adversary_decided(struct lab *lab, const struct lab_item *item);

#endif
