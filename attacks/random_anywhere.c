/* `random`: noise over the range of plausible answers. */
#include "common.h"

struct attack_random {
	struct attack_common common;
};

static double random_rewrite(const void *settings, const struct attack_view *view)
{
	(void)settings;
	return random_uniform(view->stream, view->model->label_min, view->model->label_max);
}

static const struct param params[] = {
	ATTACK_COMMON_PARAMS(struct attack_random),
	PARAM_END,
};

const struct attack attack_random = {
	.plugin = {.name = "random",
		.summary = "sends a number drawn uniformly from the range of the labels",
		.params = params,
		.settings_size = sizeof(struct attack_random),
		.finish = attack_finish},
	.knows =
		"the smallest and the largest label of its own training sample; neither the item nor the "
		"others' predictions. What attacks before it have made is replaced",
	.uses_model = true,
	.rewrite = random_rewrite,
};
