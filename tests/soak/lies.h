/* Lies, as lines of a scenario: of every kind of attack that the protocol has a place for, drawn from the
 * registry; messages that rules replace. Where more lie than a protocol bears nothing is promised but that the
 * run ends with a verdict: no lie stops the program. */
#ifndef TESTS_SOAK_LIES_H
#define TESTS_SOAK_LIES_H

#include "sim/random.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIES_TEXT_MAX 4096

struct lies {
	struct random_stream *stream;
	const char *protocol;
	uint32_t n_validators;
	uint32_t span_ms; /* in which they begin and end */
	bool predicts;    /* the workload has predictions, to be falsified as well */
	bool macs;        /* messages carry MACs */
	bool one;         /* of one liar, `liar`, who lies on the network alone */
	uint32_t liar;
};

/* One entry of the list of attacks, or "" where no kind that was drawn fits the protocol. */
void lies_write_attack(const struct lies *lies, char text[LIES_TEXT_MAX]);
/* One entry of the list of faults: a rule that replaces; "" where the protocol has no forgeries. */
void lies_write_rule(const struct lies *lies, char text[LIES_TEXT_MAX]);

#endif
