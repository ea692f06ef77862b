/* A small, complete protocol whose finality is probable, for the tests of what a protocol may be: chains of blocks, of
 * which the longest wins.
 *
 * A validator puts a request of its client's into a block on its longest chain at once, and tells all. Who hears of a
 * longer chain changes over to it; of two equally long ones to that with the smaller digest. What is taken back and
 * was its own it puts into a new block. A block is everything before it, too: nothing is ever fetched. */
#ifndef TESTS_LAB_CHAIN_H
#define TESTS_LAB_CHAIN_H

#include "study.h"

#include "protocols/protocol.h"

struct chain {
	struct protocol protocol;
	bool stubborn; /* planted: it takes back nothing, and executes on top of what it has */
	bool certain;  /* planted: it claims that nothing is ever taken back */
};

/* Runs a scenario's text (its protocol must be `central`, whose settings the chain does not read) with it. */
struct outcome *chain_run(struct chain chain, const char *text);

#endif
