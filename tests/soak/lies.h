/* Lies without bounds, as lines of a scenario: more liars than a protocol bears, every kind of attack that it has
 * a place for, messages that rules replace. Nothing is promised under them but that the run ends with a
 * verdict: no lie stops the program. */
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
};

/* One entry of the list of attacks, or "" where no kind that was drawn fits the protocol. */
void lies_write_attack(const struct lies *lies, char text[LIES_TEXT_MAX]);
/* One entry of the list of faults: a rule that replaces; "" where the protocol has no forgeries. */
void lies_write_rule(const struct lies *lies, char text[LIES_TEXT_MAX]);

#endif
