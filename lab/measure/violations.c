/* A row a broken invariant: /violations. */
#include "lab.h"
#include "measure/measure.h"
#include "watch.h"

/* The transaction that wrote what was read: a decimal number; of the initial value there is none. */
static void transaction_value(uint64_t value, char text[24])
{
	if (value == UINT64_MAX) { /* LINEAR_INITIAL - 1 */
		text[0] = '\0';
	} else {
		snprintf(text, 24, "%llu", (unsigned long long)value);
	}
}

void violations_table(struct lab *lab)
{
	for (uint64_t i = 0; i < lab->watch->n_violations && i < VIOLATIONS_MAX; i++) {
		const struct violation *violation = &lab->watch->violations[i];
		char nodes[32];
		char value_a[24];
		char value_b[24];
		if (violation->transaction) {
			uint32_t n = lab->world.n_validators;
			snprintf(nodes, sizeof(nodes), "c%u c%u", violation->node_a - n, violation->node_b - n);
			transaction_value(violation->value_a, value_a);
			transaction_value(violation->value_b, value_b);
		} else {
			snprintf(nodes, sizeof(nodes), "%u %u", violation->node_a, violation->node_b);
			snprintf(value_a, sizeof(value_a), "%016llx", (unsigned long long)violation->value_a);
			snprintf(value_b, sizeof(value_b), "%016llx", (unsigned long long)violation->value_b);
		}
		union cell cells[] = {
			{.integer = (int64_t)lab->number.run},
			{.real = sim_time_to_s(violation->at)},
			{.string = violation->invariant},
			{.string = nodes},
			{.integer = (int64_t)violation->instance},
			{.string = value_a},
			{.string = value_b},
			{.string = violation->detail},
			{.integer = (int64_t)lab->seed},
		};
		measure_row(lab, TABLE_VIOLATIONS, cells);
	}
}
