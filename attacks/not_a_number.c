/* `not-a-number`: what is no prediction at all. Whoever averages without looking has nothing left. */
#include "common.h"

#include "sim/real.h"

#include <math.h>

struct attack_not_a_number {
	struct attack_common common;
	int value; /* index in the choices */
};

static double not_a_number_rewrite(const void *settings, const struct attack_view *view)
{
	switch (((const struct attack_not_a_number *)settings)->value) {
	case 0:
		return real_nan();
	case 1:
		return INFINITY;
	default:
		return -INFINITY;
	}
}

static const struct param params[] = {
	ATTACK_COMMON_PARAMS(struct attack_not_a_number),
	{.name = "value",
		.kind = PARAM_CHOICE,
		.offset = offsetof(struct attack_not_a_number, value),
		.choices = "nan|inf|-inf",
		.fallback = "nan",
		.unit = "",
		.help = "what is sent instead of a number"},
	PARAM_END,
};

const struct attack attack_not_a_number = {
	.plugin = {.name = "not-a-number",
		.summary = "sends NaN, or an infinity, as its prediction",
		.params = params,
		.settings_size = sizeof(struct attack_not_a_number),
		.finish = attack_finish},
	.knows = "nothing. The replicated application refuses such a transaction (`not-finite`): from there on it is as "
			 "if nothing had been said",
	.rewrite = not_a_number_rewrite,
};
