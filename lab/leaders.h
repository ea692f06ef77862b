/* How clients find the leader and follow it. */
#ifndef LAB_LEADERS_H
#define LAB_LEADERS_H

#include "lab.h"

/* It hears who leads a view. `anew`: it has just begun to, and knows of nothing that it was asked before. */
void client_learns(struct lab *lab, uint32_t id, uint64_t view, uint32_t leader, bool anew);
void client_hinted(struct lab *lab, struct node *node, const struct message *hint);
/* Whom to ask after `asked` gave no answer. */
uint32_t client_next(struct lab *lab, uint32_t id, uint32_t asked);
/* Goes on looking for a leader, if it is time; what the client waits for may have been answered. */
void client_seek_on(struct lab *lab, uint32_t id);
/* The same where leaders follow each other too quickly to be asked at once. */
void client_follow_on(struct lab *lab, uint32_t id);

#endif
