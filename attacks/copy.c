/* `mimic` and `free-rider`: nothing is made up, so no value is out of place.
 *
 * `mimic`: all colluders copy one honest participant, always the same, whose peculiarities then
 * weigh as if it were many. No rule that looks at values finds it.
 *
 * Source: Karimireddy, He, Jaggi, Byzantine-Robust Learning on Heterogeneous Datasets via
 * Bucketing, ICLR 2022, section 3.2. There the victim is the one along the data's main direction,
 * learnt in a warm-up; here it is named, or the farthest one of each item.
 *
 * `free-rider`: doesn't do its work. Each copies another participant's prediction, or the decision
 * before.
 *
 * Source: the problem, for federated learning: Lin, Du, Liu, Free-riders in Federated Learning:
 * Attacks and Defenses, arXiv:1911.12560 (2019). */
#include "common.h"
#include "craft.h"

#include <math.h>
#include <string.h>

enum { PICK_FIXED, PICK_FARTHEST };

struct attack_mimic {
	struct attack_common common;
	int64_t row;
	int pick;
};

static uint32_t farthest_row(const struct craft_view *view)
{
	struct arena scratch = {0};
	double *mean = arena_array(&scratch, double, view->dims);
	double most = -1;
	uint32_t at = 0;
	craft_mean(view, mean);
	for (uint32_t i = 0; i < view->n_honest; i++) {
		double distance2 =
			craft_distance2(craft_row(view->honest, i, view->dims), mean, view->dims);
		if (distance2 > most) {
			most = distance2;
			at = i;
		}
	}
	arena_finish(&scratch);
	return at;
}

static void mimic_craft(const void *settings, const struct craft_view *view, double *out)
{
	const struct attack_mimic *attack = settings;
	uint32_t at = attack->pick == PICK_FARTHEST ? farthest_row(view)
												: (uint32_t)(attack->row % view->n_honest);
	craft_same(view, craft_row(view->honest, at, view->dims), out);
}

static const struct param mimic_params[] = {
	ATTACK_COMMON_PARAMS(struct attack_mimic),
	{.name = "row",
		.kind = PARAM_INT,
		.offset = offsetof(struct attack_mimic, row),
		.min = 0,
		.max = SIM_NODES_MAX,
		.fallback = "0",
		.unit = "",
		.when = "pick = fixed",
		.help = "whom they copy: the honest ones counted from 0, modulo their number"},
	{.name = "pick",
		.kind = PARAM_CHOICE,
		.offset = offsetof(struct attack_mimic, pick),
		.choices = "fixed|farthest",
		.fallback = "fixed",
		.unit = "",
		.help = "always that one, or for each item the honest one farthest from the honest mean"},
	PARAM_END,
};

const struct attack attack_mimic = {
	.plugin = {.name = "mimic",
		.summary = "all colluders copy one honest participant",
		.params = mimic_params,
		.settings_size = sizeof(struct attack_mimic),
		.finish = attack_finish},
	.knows = "what the honest ones send, before it speaks (rushing); colluders agree. What attacks "
			 "before it have made is replaced",
	.craft = mimic_craft,
};

enum { COPIES_PARTICIPANT, COPIES_DECISION };

struct attack_free_rider {
	struct attack_common common;
	int copies;
};

static void free_rider_craft(const void *settings, const struct craft_view *view, double *out)
{
	const struct attack_free_rider *attack = settings;
	if (attack->copies == COPIES_DECISION) {
		if (view->decision != NULL) {
			craft_same(view, view->decision, out);
		} else {
			craft_own(view, out);
		}
		return;
	}
	for (uint32_t i = 0; i < view->n_faulty; i++) {
		memcpy(out + (size_t)i * view->dims,
			craft_row(view->honest, i % view->n_honest, view->dims), view->dims * sizeof(*out));
	}
}

static const struct param free_rider_params[] = {
	ATTACK_COMMON_PARAMS(struct attack_free_rider),
	{.name = "copies",
		.kind = PARAM_CHOICE,
		.offset = offsetof(struct attack_free_rider, copies),
		.choices = "participant|decision",
		.fallback = "participant",
		.unit = "",
		.help = "the k-th copies the k-th honest participant, or all the latest accepted decision "
				"(before the first: its own prediction)"},
	PARAM_END,
};

const struct attack attack_free_rider = {
	.plugin = {.name = "free-rider",
		.summary = "copies another participant's prediction, or the latest decision",
		.params = free_rider_params,
		.settings_size = sizeof(struct attack_free_rider),
		.finish = attack_finish},
	.knows =
		"what one honest participant sends, before it speaks (rushing), or the latest decision; "
		"needs no predictor. What attacks before it have made is replaced",
	.craft = free_rider_craft,
};
