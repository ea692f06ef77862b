/* What the application's outside half holds of the run, and calls of it: workloads/app.h. */
#ifndef LAB_OUTSIDE_H
#define LAB_OUTSIDE_H

#include "lab.h"
#include "workloads/app.h"

#define APP_TABLES_MAX 16

struct outside {
	struct lab *lab;
	void *state;         /* the application's */
	void *shared;        /* its replicas' */
	struct works *works; /* what validators' processors are to do, by validator; NULL: nothing */
	struct adversary *adversary; /* NULL: nothing is predicted */
	struct model_cache *models;
	enum table_id tables[APP_TABLES_MAX]; /* the application's own, by number */
	char error[256];     /* the run could not be made */
};

/* Before its replicas, which share what this makes. `models`: what runs share; may be NULL. */
void outside_start(struct lab *lab, struct model_cache *models);
/* Its agents. False, with a sentence: the run can't be set up. */
bool outside_open(struct lab *lab, char error[256]);
void outside_close(struct lab *lab);
/* The run is over: the application's last words, before its KPIs. */
void outside_report(struct lab *lab);
/* Bytes that grow with the run. */
uint64_t outside_bytes(const struct lab *lab);
/* `node` is up again or down; NODE_NONE: some may belong now that did not, or the other way round. */
void outside_changed(struct lab *lab, uint32_t node);

#endif
