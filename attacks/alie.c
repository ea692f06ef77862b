/* `alie`: A Little Is Enough. All colluders send mean + z * sd of the honest rows, by coordinate.
 *
 * z is as large as it can be while enough honest participants (s of them, the supporters that make
 * a majority with the colluders) are expected further out still, were the honest ones normal:
 *
 *     s = floor(n/2 + 1) - f,    z = Phi^-1((n - f - s) / (n - f)).
 *
 * With few liars among many (f = 1 of 10) z is below 0: nothing can be gained by this rule, and the
 * colluders stand on the mean's other side. Where the formula's argument leaves (0, 1), because the
 * colluders are a majority by themselves or everyone would have to support them, it is held half an
 * honest participant away from the end. The paper estimates mean and sd from the colluders' own
 * data; here they have seen the honest rows, which is the stronger adversary.
 *
 * Source: Baruch, Baruch, Goldberg, A Little Is Enough: Circumventing Defenses for Distributed
 * Learning, NeurIPS 2019, section 3. */
#include "common.h"
#include "craft.h"

#include "sim/real.h"

#include <math.h>

enum { DIRECTION_UP, DIRECTION_DOWN };

/* What stands for "from n and f". */
#define Z_UNSET (-1e9)

struct attack_alie {
	struct attack_common common;
	double z;
	int direction;
};

static double alie_z(uint32_t n, uint32_t n_faulty)
{
	double n_honest = n - n_faulty;
	double supporters = floor(n / 2.0 + 1) - n_faulty;
	double share = (n_honest - supporters) / n_honest;
	double end = 0.5 / n_honest;
	return real_normal_quantile(fmin(fmax(share, end), 1 - end));
}

static void alie_craft(const void *settings, const struct craft_view *view, double *out)
{
	const struct attack_alie *attack = settings;
	double z = attack->z != Z_UNSET ? attack->z : alie_z(view->n, view->n_faulty);
	struct arena scratch = {0};
	double *sd = arena_array(&scratch, double, view->dims);
	craft_mean(view, out);
	craft_sd(view, out, sd);
	for (uint32_t k = 0; k < view->dims; k++) {
		out[k] += (attack->direction == DIRECTION_UP ? z : -z) * sd[k];
	}
	craft_same(view, out, out);
	arena_finish(&scratch);
}

static const struct param params[] = {
	ATTACK_COMMON_PARAMS(struct attack_alie),
	{.name = "z",
		.kind = PARAM_REAL,
		.offset = offsetof(struct attack_alie, z),
		.min = Z_UNSET,
		.max = 1e9,
		.fallback = "-1e9",
		.unit = "",
		.help =
			"standard deviations off the honest mean; -1e9: the paper's, from n and the number of "
			"colluders"},
	{.name = "direction",
		.kind = PARAM_CHOICE,
		.offset = offsetof(struct attack_alie, direction),
		.choices = "up|down",
		.fallback = "up",
		.unit = "",
		.help = "which side of the mean: mean + z sd, or mean - z sd"},
	PARAM_END,
};

const struct attack attack_alie = {
	.plugin = {.name = "alie",
		.summary =
			"A Little Is Enough: all colluders send the honest mean and z standard deviations",
		.params = params,
		.settings_size = sizeof(struct attack_alie),
		.finish = attack_finish},
	.knows = "what the honest ones send, before it speaks (rushing), and n and f; colluders agree. "
			 "What attacks before it have made is replaced",
	.craft = alie_craft,
};
