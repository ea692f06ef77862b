/* What clients were told, and whether it stays so. Keeps nothing of its own. */
#ifndef LAB_TOLD_H
#define LAB_TOLD_H

#include "watch.h"

void told_start(struct lab *lab);
/* Is what clients are told promised to stay? */
bool told_binds(const struct lab *lab);
/* A client has accepted the answer to a transaction that was executed in `instance`. */
void told_accepted(struct lab *lab, transaction_id transaction, uint64_t instance);
void told_proposed(struct node *, struct lab_instance *record, uint64_t instance, const struct batch *);
/* A replica leaves out a transaction of `instance` because it has executed it before. */
void told_left_out(struct node *, uint64_t instance, transaction_id transaction);
/* An instance that a client was told of is committed with another batch than it was told. */
void told_changed(struct node *, const struct lab_instance *record, uint64_t instance, uint64_t digest);
void told_finish(struct lab *lab);

#endif
