/* Protocols for the tests of the laboratory: small, and wrong in one way each where that is wanted.
 *
 * Node 0 orders: it numbers each request and tells all, who execute it. */
#ifndef TESTS_LAB_FAKES_H
#define TESTS_LAB_FAKES_H

#include "study.h"

#include "protocols/protocol.h"

struct fake {
	struct protocol protocol;
	bool forgets;        /* executes again what comes again */
	bool tentative;      /* executes before it is committed, a millisecond later */
	bool rolls_back;     /* takes each tentative execution back once */
	uint64_t reads_at;   /* bits: the validators that answer reads; 0: all */
	bool floods;         /* passes each order on, once; all must be in reach of each other */
	struct plugin_value topology; /* `network.topology` instead of the scenario's; NULL: that */
	uint64_t deaf;       /* bits: the validators that hear of no order */
};

/* All in order: reads to all, `read_quorum` equal answers. */
struct fake fake_make(enum protocol_reads reads, uint32_t read_quorum);

/* Runs a scenario's text, whose protocol must be `central`, with another one and its settings; and over
 * another topology,
 * unless that is NULL or has no plugin. */
struct outcome *protocol_run(const struct protocol *protocol, void *settings,
	const struct plugin_value *topology, const char *text);

/* Runs a scenario's text (its protocol must be `central`, whose settings the fake does not read) with the
 * fake instead. */
struct outcome *fake_run(const struct fake *fake, const char *text);

#endif
