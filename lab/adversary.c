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
#include "adversary.h"
#include "items.h"
#include "lab.h"
#include "replicas.h"
#include "models.h"
#include "predictions.h"

#include <string.h>

struct adversary {
	double *seen;                   /* FEATURES_MAX a validator, of the item under way */
	bool **attacking;               /* by attack, by validator: at the time of the item under way */
	double *honest, *own, *crafted; /* a row a validator */
	uint32_t *colluders;
	/* The defence, for those who know it: room to work in. */
	struct closing_room room;
	/* Whose rows the defence is asked about, the honest ones, then the colluders, and what sd each claims. */
	uint32_t *speakers;
	double *claimed;
	uint32_t n_speakers;
	uint64_t n_searched, n_at_reach; /* of the searches, whose best lay at the end of where they looked */
	struct scoring knows; /* what the scorer remembers, at the first colluder's replica */
	double decision; /* the latest accepted */
	bool has_decision;
};

void adversary_start(struct lab *lab)
{
	struct arena *arena = &lab->world.arena;
	struct adversary *adversary = arena_new(arena, struct adversary);
	uint32_t n = lab->world.n_validators;
	adversary->seen = arena_array(arena, double, (size_t)n *FEATURES_MAX);
	adversary->attacking = arena_array(arena, bool *, lab->scenario->attacks.n + 1);
	for (size_t a = 0; a < lab->scenario->attacks.n; a++) {
		adversary->attacking[a] = arena_array(arena, bool, n);
	}
	double **rows[] = {
		&adversary->honest, &adversary->own, &adversary->crafted, &adversary->claimed};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		*rows[i] = arena_array(arena, double, n);
	}
	adversary->room = closing_room_make(n, 1, arena);
	adversary->colluders = arena_array(arena, uint32_t, n);
	adversary->speakers = arena_array(arena, uint32_t, n);
	lab->adversary = adversary;
}

void adversary_identities(struct lab *lab)
{
	uint32_t n = lab->world.n_validators;
	size_t capacity = 0;
	lab->predictions->n_identities = n;
	for (uint32_t owner = 0; owner < n; owner++) {
		for (size_t a = 0; a < lab->scenario->attacks.n; a++) {
			const struct plugin_value *value = &lab->scenario->attacks.values[a];
			const struct attack *attack = (const struct attack *)value->plugin;
			if (attack->identities == NULL) {
				continue;
			}
			struct arena scratch = {0};
			bool *attackers = arena_array(&scratch, bool, n);
			attack_nodes(value->settings, lab->seed, n, attackers);
			uint32_t n_more = attackers[owner] ? attack->identities(value->settings) - 1 : 0;
			arena_finish(&scratch);
			for (uint32_t k = 0; k < n_more; k++) {
				size_t at = lab->predictions->n_identities++ - n;
				lab->predictions->identities = arena_grow(&lab->world.arena, lab->predictions->identities,
					sizeof(*lab->predictions->identities), at, at + 1, &capacity);
				lab->predictions->identities[at] = (struct identity){owner, (uint32_t)a};
			}
		}
	}
}

double *adversary_seen(struct lab *lab, uint32_t node)
{
	return lab->adversary->seen + (size_t)node * FEATURES_MAX;
}

static const struct attack *attack_at(const struct lab *lab, size_t a)
{
	return (const struct attack *)lab->scenario->attacks.values[a].plugin;
}

/* Who attacks now, and live: without a ramp as marked at the start. */
static void attacking_now(struct lab *lab, size_t a)
{
	const struct attack_common *common = lab->scenario->attacks.values[a].settings;
	bool *attacking = lab->adversary->attacking[a];
	uint32_t n = lab->world.n_validators;
	if (common->ramp_ns > 0) {
		attack_nodes_at(common, lab->seed, n, lab->world.now, attacking);
	} else {
		bool on = lab->world.now >= common->from_ns && lab->world.now < common->until_ns;
		for (uint32_t i = 0; i < n; i++) {
			attacking[i] = on && lab->attackers[a][i];
		}
	}
	for (uint32_t i = 0; i < n; i++) {
		attacking[i] = attacking[i] && lab->world.nodes[i].alive;
	}
}

/* What those in an attack's hands claim of their certainty grows. */
static void claim(struct lab *lab, size_t a, struct item_details *details)
{
	const struct attack_common *common = lab->scenario->attacks.values[a].settings;
	for (uint32_t i = 0; i < lab->world.n_validators; i++) {
		if (lab->adversary->attacking[a][i]) {
			details->claimed[i] /= common->confidence;
		}
	}
}

static struct random_stream attack_stream(
	const struct lab *lab, size_t a, uint32_t node, uint32_t item)
{
	return random_stream_make(
		lab->seed, RANDOM_ATTACK, ((uint64_t)a << 56) + ((uint64_t)node << 36) + item);
}

static void attack_alone(struct lab *lab, size_t a, uint32_t item, struct item_details *details)
{
	for (uint32_t i = 0; i < lab->world.n_validators; i++) {
		if (!lab->adversary->attacking[a][i]) {
			continue;
		}
		struct random_stream stream = attack_stream(lab, a, i, item);
		struct attack_view view = {
			.model = &lab->models->by_validator[i],
			.seen = adversary_seen(lab, i),
			.honest = details->honest[i],
			.value = details->sent[i],
			.stream = &stream,
		};
		details->sent[i] =
			attack_at(lab, a)->rewrite(lab->scenario->attacks.values[a].settings, &view);
	}
}

/* The replicated application's decision on these predictions, were they all it heard. */
static bool decide(const void *context, const double *values, uint32_t n, uint32_t dims, double *out,
	bool *accepted)
{
	const struct lab *lab = context;
	struct adversary *adversary = lab->adversary;
	struct scoring given = adversary->knows;
	assert(dims == 1 && n == adversary->n_speakers);
	given.n = n;
	given.predictions = values;
	given.nodes = adversary->speakers;
	struct item_outcome outcome =
		closing_decide(lab->application, &given, adversary->claimed, &adversary->room);
	memcpy(accepted, adversary->room.accepted, n * sizeof(*accepted));
	*out = outcome.value;
	return outcome.decided;
}

static void attack_together(struct lab *lab, size_t a, uint32_t item, struct item_details *details)
{
	struct adversary *adversary = lab->adversary;
	struct random_stream stream = attack_stream(lab, a, 0, item);
	struct craft_defence defence = {.decide = decide, .context = lab};
	bool at_reach = false;
	struct craft_view view = {
		.honest = adversary->honest,
		.own = adversary->own,
		.dims = 1,
		.decision = adversary->has_decision ? &adversary->decision : NULL,
		.defence = &defence,
		.at_reach = &at_reach,
		.stream = &stream,
	};
	for (uint32_t i = 0; i < lab->world.n_validators; i++) {
		bool honest = lab->world.nodes[i].alive;
		for (size_t b = 0; b < lab->scenario->attacks.n; b++) {
			honest = honest && !adversary->attacking[b][i];
		}
		view.n += lab->world.nodes[i].alive;
		if (honest) {
			adversary->speakers[view.n_honest] = i;
			adversary->honest[view.n_honest++] = details->sent[i];
		} else if (adversary->attacking[a][i]) {
			adversary->colluders[view.n_faulty] = i;
			adversary->own[view.n_faulty++] = details->sent[i];
		}
	}
	if (view.n_honest == 0 || view.n_faulty == 0) {
		return;
	}
	adversary->n_speakers = view.n_honest + view.n_faulty;
	memcpy(adversary->speakers + view.n_honest, adversary->colluders,
		view.n_faulty * sizeof(*adversary->speakers));
	for (uint32_t i = 0; i < adversary->n_speakers; i++) {
		adversary->claimed[i] = details->claimed[adversary->speakers[i]];
	}
	adversary->knows =
		application_scoring(replica_of(lab, adversary->colluders[0])->application, item);
	attack_at(lab, a)->craft(lab->scenario->attacks.values[a].settings, &view, adversary->crafted);
	adversary->n_searched += attack_at(lab, a)->uses_defence;
	adversary->n_at_reach += at_reach;
	for (uint32_t i = 0; i < view.n_faulty; i++) {
		details->sent[adversary->colluders[i]] = adversary->crafted[i];
	}
}

void adversary_stamp(struct lab *lab, uint32_t index, struct item *item)
{
	for (size_t a = 0; a < lab->scenario->attacks.n; a++) {
		const struct plugin_value *value = &lab->scenario->attacks.values[a];
		const struct attack *attack = attack_at(lab, a);
		const struct attack_common *common = value->settings;
		if (attack->stamp != NULL && lab->world.now >= common->from_ns &&
			lab->world.now < common->until_ns) {
			struct random_stream stream = random_stream_make(
				lab->seed, RANDOM_POISON, ((uint64_t)a << 56) + (UINT64_C(1) << 55) + index);
			attack->stamp(value->settings, lab->workload, lab->scenario->workload.settings, &stream,
				item);
		}
	}
}

void adversary_speak(struct lab *lab, uint32_t item, struct item_details *details)
{
	memcpy(details->sent, details->honest, lab->world.n_validators * sizeof(*details->sent));
	for (size_t a = 0; a < lab->scenario->attacks.n; a++) {
		if (attack_on_predictions(attack_at(lab, a))) {
			attacking_now(lab, a);
			claim(lab, a, details);
		}
	}
	for (size_t a = 0; a < lab->scenario->attacks.n; a++) {
		if (attack_at(lab, a)->craft != NULL) {
			attack_together(lab, a, item, details);
		} else if (attack_at(lab, a)->rewrite != NULL) {
			attack_alone(lab, a, item, details);
		}
	}
}

void adversary_echo(struct lab *lab, uint32_t item, struct item_details *details)
{
	uint32_t n = lab->world.n_validators;
	for (uint32_t id = n; id < lab->predictions->n_identities; id++) {
		const struct identity *identity = &lab->predictions->identities[id - n];
		const struct plugin_value *attack = &lab->scenario->attacks.values[identity->attack];
		if (lab->adversary->attacking[identity->attack][identity->owner]) {
			struct random_stream stream = attack_stream(lab, identity->attack, id, item);
			details->sent[id] = attack_at(lab, identity->attack)
									->echo(attack->settings, details->sent[identity->owner], &stream);
			details->attacked[id] = true;
		}
	}
}

void adversary_decided(struct lab *lab, const struct lab_item *item)
{
	if (lab->adversary != NULL && item->decided_value) {
		lab->adversary->decision = item->value;
		lab->adversary->has_decision = true;
	}
}

double adversary_at_reach(const struct lab *lab)
{
	const struct adversary *adversary = lab->adversary;
	if (adversary == NULL || adversary->n_searched == 0) {
		return real_nan();
	}
	return (double)adversary->n_at_reach / (double)adversary->n_searched;
}
