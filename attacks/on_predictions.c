/* What attackers make of predictions.
 *
 * All live validators' honest predictions of an item are made first. Then the attacks are applied
 * in the order in which the scenario lists them. A lone attacker knows itself only; colluders see
 * what those send that no attack on predictions has in its hands at that time, and so speak last
 * whatever the order of the network is: the rushing adversary. An item on which nobody is honest,
 * or all honest ones are down, leaves colluders nothing to go by, and they send what they have.
 *
 * Everything is a function of the item, the seed and who is live, so that every protocol meets the
 * same lies; but for `free-rider` on decisions and `adaptive` against a scorer that remembers, since
 * protocols decide at different times. */
#include "attacks/on_predictions.h"

#include "attacks/attack.h"
#include "sim/real.h"
#include "workloads/plugin_key.h"

#include <string.h>

struct predictions_adversary {
	struct adversary adversary;
	struct predictions_settings settings;
	uint32_t *by;           /* of each further identity, the attack that makes it up */
	bool **attackers;       /* by attack, by validator: at full strength */
	bool **attacking;       /* the same at the time of the item under way */
	double *honest, *own, *crafted; /* a row a validator */
	uint32_t *colluders;
	/* Whose rows the defence is asked about, the honest ones, then the colluders, and what sd each claims. */
	uint32_t *speakers;
	double *claimed;
	uint32_t n_speakers;
	const struct speech *speech; /* under way */
	uint64_t n_searched, n_at_reach; /* of the searches, whose best lay at the end of where they looked */
	double *decision; /* the latest accepted */
	bool has_decision;
};

static const struct plugin_value *value_at(const struct predictions_adversary *all, size_t a)
{
	return &all->settings.attacks->values[a];
}

static const struct attack *attack_at(const struct predictions_adversary *all, size_t a)
{
	return (const struct attack *)value_at(all, a)->plugin;
}

static const struct predictions_adversary *all_of(const struct adversary *adversary)
{
	return (const struct predictions_adversary *)adversary; /* its first member */
}

/* Who speaks: the validators and what Sybils among them make up, by owner. */
static void make_identities(struct predictions_adversary *all, struct arena *arena)
{
	uint32_t n = all->settings.n_validators;
	uint32_t *owners = NULL;
	size_t owners_capacity = 0, by_capacity = 0;
	for (uint32_t owner = 0; owner < n; owner++) {
		for (size_t a = 0; a < all->settings.attacks->n; a++) {
			const struct attack *attack = attack_at(all, a);
			if (attack->identities == NULL || !all->attackers[a][owner]) {
				continue;
			}
			uint32_t n_more = attack->identities(value_at(all, a)->settings) - 1;
			for (uint32_t k = 0; k < n_more; k++) {
				size_t at = all->adversary.n_more++;
				owners = arena_grow(arena, owners, sizeof(*owners), at, at + 1, &owners_capacity);
				all->by = arena_grow(arena, all->by, sizeof(*all->by), at, at + 1, &by_capacity);
				owners[at] = owner;
				all->by[at] = (uint32_t)a;
			}
		}
	}
	all->adversary.owners = owners;
}

/* Who attacks now, and live: without a ramp as marked at the start. */
static void attacking_now(struct predictions_adversary *all, size_t a)
{
	const struct attack_common *common = value_at(all, a)->settings;
	bool *attacking = all->attacking[a];
	uint32_t n = all->settings.n_validators;
	if (common->ramp_ns > 0) {
		attack_nodes_at(common, all->settings.seed, n, all->speech->now, attacking);
	} else {
		bool on = all->speech->now >= common->from_ns && all->speech->now < common->until_ns;
		for (uint32_t i = 0; i < n; i++) {
			attacking[i] = on && all->attackers[a][i];
		}
	}
	for (uint32_t i = 0; i < n; i++) {
		attacking[i] = attacking[i] && all->speech->alive[i];
	}
}

/* What those in an attack's hands claim of their certainty grows. */
static void claim(const struct predictions_adversary *all, size_t a)
{
	const struct attack_common *common = value_at(all, a)->settings;
	for (uint32_t i = 0; i < all->settings.n_validators; i++) {
		if (all->attacking[a][i]) {
			all->speech->claimed[i] /= common->confidence;
		}
	}
}

static struct random_stream attack_stream(const struct predictions_adversary *all, size_t a, uint32_t node)
{
	return random_stream_make(all->settings.seed, RANDOM_ATTACK,
		((uint64_t)a << 56) + ((uint64_t)node << 36) + all->speech->item);
}

/* Of a row, each number is rewritten by itself. */
static void attack_alone(const struct predictions_adversary *all, size_t a)
{
	const struct speech *speech = all->speech;
	for (uint32_t i = 0; i < all->settings.n_validators; i++) {
		if (!all->attacking[a][i]) {
			continue;
		}
		struct random_stream stream = attack_stream(all, a, i);
		for (size_t j = (size_t)i * speech->dims; j < (size_t)(i + 1) * speech->dims; j++) {
			const struct attack_view view = {
				.model = speech->models == NULL ? NULL : &speech->models[i],
				.seen = speech->seen + (size_t)i * FEATURES_MAX,
				.honest = speech->honest[j],
				.value = speech->sent[j],
				.stream = &stream,
			};
			speech->sent[j] = attack_at(all, a)->rewrite(value_at(all, a)->settings, &view);
		}
	}
}

/* The replicated application's decision on these rows, were they all it heard. */
static bool decide(const void *context, const double *rows, uint32_t n, uint32_t dims, double *out,
	bool *accepted)
{
	const struct predictions_adversary *all = context;
	const struct speech *speech = all->speech;
	assert(dims == speech->dims && n == all->n_speakers);
	return speech->decide(
		speech->context, all->colluders[0], all->speakers, all->claimed, rows, n, out, accepted);
}

/* Sorts out who is honest and who colludes in attack `a`: fills the view's rows. */
static void sort_out(struct predictions_adversary *all, size_t a, struct craft_view *view)
{
	const struct speech *speech = all->speech;
	size_t bytes = speech->dims * sizeof(double);
	for (uint32_t i = 0; i < all->settings.n_validators; i++) {
		const double *sent = speech->sent + (size_t)i * speech->dims;
		bool honest = speech->alive[i];
		for (size_t b = 0; b < all->settings.attacks->n; b++) {
			honest = honest && !all->attacking[b][i];
		}
		view->n += speech->alive[i];
		if (honest) {
			all->speakers[view->n_honest] = i;
			memcpy(all->honest + (size_t)view->n_honest++ * speech->dims, sent, bytes);
		} else if (all->attacking[a][i]) {
			all->colluders[view->n_faulty] = i;
			memcpy(all->own + (size_t)view->n_faulty++ * speech->dims, sent, bytes);
		}
	}
}

static void attack_together(struct predictions_adversary *all, size_t a)
{
	const struct speech *speech = all->speech;
	struct random_stream stream = attack_stream(all, a, 0);
	struct craft_defence defence = {.decide = decide, .context = all};
	bool at_reach = false;
	struct craft_view view = {
		.honest = all->honest,
		.own = all->own,
		.dims = speech->dims,
		.decision = all->has_decision ? all->decision : NULL,
		.defence = &defence,
		.at_reach = &at_reach,
		.stream = &stream,
	};
	sort_out(all, a, &view);
	if (view.n_honest == 0 || view.n_faulty == 0) {
		return;
	}
	all->n_speakers = view.n_honest + view.n_faulty;
	memcpy(all->speakers + view.n_honest, all->colluders, view.n_faulty * sizeof(*all->speakers));
	for (uint32_t i = 0; i < all->n_speakers; i++) {
		all->claimed[i] = speech->claimed[all->speakers[i]];
	}
	attack_at(all, a)->craft(value_at(all, a)->settings, &view, all->crafted);
	all->n_searched += attack_at(all, a)->uses_defence;
	all->n_at_reach += at_reach;
	for (uint32_t i = 0; i < view.n_faulty; i++) {
		memcpy(speech->sent + (size_t)all->colluders[i] * speech->dims,
			all->crafted + (size_t)i * speech->dims, speech->dims * sizeof(double));
	}
}

/* What the Sybils' further identities send, once their owners have spoken. */
static void echo(const struct predictions_adversary *all)
{
	const struct speech *speech = all->speech;
	uint32_t n = all->settings.n_validators, dims = speech->dims;
	for (uint32_t k = 0; k < all->adversary.n_more; k++) {
		uint32_t owner = all->adversary.owners[k], a = all->by[k];
		if (!all->attacking[a][owner]) {
			continue;
		}
		struct random_stream stream = attack_stream(all, a, n + k);
		for (uint32_t j = 0; j < dims; j++) {
			speech->sent[(size_t)(n + k) * dims + j] = attack_at(all, a)->echo(
				value_at(all, a)->settings, speech->sent[(size_t)owner * dims + j], &stream);
		}
		speech->attacked[n + k] = true;
	}
}

static void speak(struct adversary *adversary, const struct speech *speech)
{
	struct predictions_adversary *all = (struct predictions_adversary *)adversary;
	all->speech = speech;
	memcpy(speech->sent, speech->honest,
		(size_t)all->settings.n_validators * speech->dims * sizeof(*speech->sent));
	for (size_t a = 0; a < all->settings.attacks->n; a++) {
		if (attack_on_predictions(attack_at(all, a))) {
			attacking_now(all, a);
			claim(all, a);
		}
	}
	for (size_t a = 0; a < all->settings.attacks->n; a++) {
		if (attack_at(all, a)->craft != NULL) {
			attack_together(all, a);
		} else if (attack_at(all, a)->rewrite != NULL) {
			attack_alone(all, a);
		}
	}
	echo(all);
}

static void stamp(const struct adversary *adversary, sim_time now, uint64_t index, struct item *item)
{
	const struct predictions_adversary *all = all_of(adversary);
	for (size_t a = 0; a < all->settings.attacks->n; a++) {
		const struct attack *attack = attack_at(all, a);
		const struct attack_common *common = value_at(all, a)->settings;
		if (attack->stamp != NULL && now >= common->from_ns && now < common->until_ns) {
			struct random_stream stream = random_stream_make(all->settings.seed, RANDOM_POISON,
				((uint64_t)a << 56) + (UINT64_C(1) << 55) + index);
			attack->stamp(common, all->settings.workload, all->settings.workload_settings, &stream, item);
		}
	}
}

static void decided(struct adversary *adversary, const double *row, uint32_t dims)
{
	struct predictions_adversary *all = (struct predictions_adversary *)adversary;
	assert(dims == all->settings.dims);
	memcpy(all->decision, row, dims * sizeof(*row));
	all->has_decision = true;
}

static double at_reach(const struct adversary *adversary)
{
	const struct predictions_adversary *all = all_of(adversary);
	return all->n_searched == 0 ? real_nan() : (double)all->n_at_reach / (double)all->n_searched;
}

/* One training: who poisons it. */
struct poisoning {
	const struct predictions_adversary *all;
	uint32_t version;
	bool **by; /* by attack, by validator; NULL: that attack poisons nothing */
};

static const struct poisoning *training(
	const struct adversary *adversary, sim_time at_ns, uint32_t version, struct arena *arena)
{
	const struct predictions_adversary *all = all_of(adversary);
	uint32_t n = all->settings.n_validators;
	struct poisoning *poisoning = arena_new(arena, struct poisoning);
	poisoning->all = all;
	poisoning->version = version;
	poisoning->by = arena_array(arena, bool *, all->settings.attacks->n + 1);
	for (size_t a = 0; a < all->settings.attacks->n; a++) {
		if (attack_at(all, a)->poison != NULL) {
			poisoning->by[a] = arena_array(arena, bool, n);
			attack_nodes_at(
				value_at(all, a)->settings, all->settings.seed, n, at_ns, poisoning->by[a]);
		}
	}
	return poisoning;
}

/* Who attacks, and when, is asked of the training at hand. */
static bool attack_counts(const struct param *param)
{
	return param->offset >= sizeof(struct attack_common);
}

static void poison_key(const struct poisoning *poisoning, uint32_t node, uint64_t key[2])
{
	const struct predictions_adversary *all = poisoning->all;
	uint32_t n = all->settings.n_validators;
	bool pooled = node == NODE_NONE;
	for (size_t a = 0; a < all->settings.attacks->n; a++) {
		const bool *by = poisoning->by[a];
		bool any = false;
		for (uint32_t i = 0; by != NULL && i < n; i++) {
			any = any || (by[i] && (pooled || i == node));
		}
		if (any) {
			key_add(key, &a, sizeof(a)); /* its streams are numbered by its place */
			key_add_plugin(key, value_at(all, a), attack_counts);
			key_add(key, pooled ? by : by + node, pooled ? n : 1);
		}
	}
}

static bool poison(const struct poisoning *poisoning, uint32_t contributor, struct training_rows *rows)
{
	const struct predictions_adversary *all = poisoning->all;
	bool changed = false;
	for (size_t a = 0; a < all->settings.attacks->n; a++) {
		if (poisoning->by[a] == NULL || !poisoning->by[a][contributor]) {
			continue;
		}
		struct random_stream stream = random_stream_make(all->settings.seed, RANDOM_POISON,
			((uint64_t)a << 56) + ((uint64_t)poisoning->version << 32) + contributor);
		const struct poison_view view = {
			.workload = all->settings.workload,
			.workload_settings = all->settings.workload_settings,
			.rows = rows,
			.stream = &stream,
		};
		changed |= attack_at(all, a)->poison(value_at(all, a)->settings, &view);
	}
	return changed;
}

struct adversary *predictions_adversary(const struct predictions_settings *settings, struct arena *arena)
{
	struct predictions_adversary *all = arena_new(arena, struct predictions_adversary);
	uint32_t n = settings->n_validators;
	size_t n_attacks = settings->attacks->n;
	all->settings = *settings;
	all->attackers = arena_array(arena, bool *, n_attacks + 1);
	all->attacking = arena_array(arena, bool *, n_attacks + 1);
	for (size_t a = 0; a < n_attacks; a++) {
		all->attackers[a] = arena_array(arena, bool, n);
		all->attacking[a] = arena_array(arena, bool, n);
		attack_nodes(value_at(all, a)->settings, settings->seed, n, all->attackers[a]);
	}
	double **rows[] = {&all->honest, &all->own, &all->crafted};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		*rows[i] = arena_array(arena, double, (size_t)n * settings->dims);
	}
	all->claimed = arena_array(arena, double, n);
	all->decision = arena_array(arena, double, settings->dims);
	all->colluders = arena_array(arena, uint32_t, n);
	all->speakers = arena_array(arena, uint32_t, n);
	make_identities(all, arena);
	all->adversary.stamp = stamp;
	all->adversary.speak = speak;
	all->adversary.decided = decided;
	all->adversary.at_reach = at_reach;
	all->adversary.training = training;
	all->adversary.poison_key = poison_key;
	all->adversary.poison = poison;
	return &all->adversary;
}
