/* What the application's outside half holds of the run, and calls of it: workloads/app.h. */
#ifndef LAB_OUTSIDE_H
#define LAB_OUTSIDE_H

#include "lab.h"
#include "workloads/app.h"

struct outside {
	struct lab *lab;
	void *state;         /* the application's */
	struct works *works; /* what validators' processors are to do, by validator; NULL: nothing */
};


/* The application's shared half, before its replicas. */
void outside_start(struct lab *lab);
/* Its agents. False, with a sentence: the run can't be set up. */
bool outside_open(struct lab *lab, char error[256]);
void outside_close(struct lab *lab);
/* `node` is up again or down; NODE_NONE: some may belong now that did not, or the other way round. */
void outside_changed(struct lab *lab, uint32_t node);

#endif
