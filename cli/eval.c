/* `synod eval`: one registered rule on the rows of a file. */
#include "command.h"
#include "eval_file.h"

#include "attacks/attack.h"
#include "scenarios/scenario.h"

#include <string.h>

static const struct option_spec options[] = {
	{"--faulty", "-f", "F", "how many of the rows may lie; of an attack: how many liars join them"},
	{"--set", NULL, "KEY=VALUE", "sets a parameter of the rule, such as before=nnm"},
	{"--against", NULL, "RULE", "the aggregator that an adaptive attack plays against"},
	{0},
};

enum { OPTION_FAULTY, OPTION_SET, OPTION_AGAINST };

static const struct registry *const registries[] = {&aggregator_registry, &eval_aggregator_registry,
	&scorer_registry, &eval_scorer_registry, &attack_registry};

#define REGISTRIES (sizeof(registries) / sizeof(registries[0]))
#define NAMES_MAX 256

/* The rule of this name; where there is none, says which one is near. */
static const struct plugin *find_rule(const char *name, const struct registry *const *among,
	size_t n_among, const struct registry **found)
{
	const char *names[NAMES_MAX];
	size_t n = 0;
	for (size_t r = 0; r < n_among; r++) {
		for (size_t i = 0; among[r]->plugins[i] != NULL; i++) {
			if (strcmp(among[r]->plugins[i]->name, name) == 0) {
				*found = among[r];
				return among[r]->plugins[i];
			}
			if (n < NAMES_MAX) {
				names[n++] = among[r]->plugins[i]->name;
			}
		}
	}
	const char *nearest = nearest_name(name, names, n);
	if (nearest != NULL) {
		complain("there is no rule '%s'; did you mean '%s'?", name, nearest);
	} else {
		complain(
			"there is no rule '%s'; `synod list aggregators scorers attacks` names them", name);
	}
	return NULL;
}

static bool fill(const struct plugin *plugin, const struct option_values *sets,
	struct plugin_value *rule, struct arena *arena)
{
	struct diagnostics *diagnostics = diagnostics_create();
	bool good = settings_fill(plugin, sets == NULL ? NULL : sets->values,
		sets == NULL ? 0 : sets->n, rule, arena, diagnostics);
	diagnostics_print(diagnostics, stderr);
	diagnostics_destroy(diagnostics);
	return good;
}

static bool complete(const struct plugin_value *rule, uint32_t n, uint32_t n_faulty)
{
	const struct shape shape = {.n_validators = n, .n_faulty = n_faulty};
	const char *param = NULL;
	char error[256] = "";
	/* those within it first */
	for (const struct param *in = rule->plugin->params; in != NULL && in->name != NULL; in++) {
		const void *at = (const char *)rule->settings + in->offset;
		if (in->kind == PARAM_PLUGIN && ((const struct plugin_value *)at)->plugin != NULL &&
			!complete(at, n, n_faulty)) {
			return false;
		}
		const struct plugin_list *list = in->kind == PARAM_PLUGINS ? at : NULL;
		for (size_t i = 0; list != NULL && i < list->n; i++) {
			if (!complete(&list->values[i], n, n_faulty)) {
				return false;
			}
		}
	}
	if (rule->plugin->finish == NULL ||
		rule->plugin->finish(rule->settings, &shape, &param, error)) {
		return true;
	}
	complain("%s%s%s %s", rule->plugin->name, param == NULL ? ":" : ".", param == NULL ? "" : param,
		error);
	return false;
}

static void print_row(const double *row, uint32_t dims)
{
	for (uint32_t k = 0; k < dims; k++) {
		/* never -0 */
		printf("%s%.17g", k == 0 ? "" : ",", row[k] == 0 ? 0 : row[k]);
	}
	printf("\n");
}

/* n_faulty < 0: the rule's own default. */
static int eval_aggregator(const struct plugin_value *rule, const struct rows *rows,
	long long n_faulty, struct arena *arena)
{
	struct aggregator_common *common = rule->settings;
	char error[256];
	if (strcmp(rule->plugin->name, "weighted-mean") == 0 && rows->scores == NULL) {
		complain("weighted-mean needs a header with a column called `score`");
		return EXIT_USAGE;
	}
	if (n_faulty >= 0) {
		common->n_faulty = n_faulty;
	}
	if (!complete(rule, rows->n, 0)) {
		return EXIT_USAGE;
	}
	if (!aggregator_check(rule, rows, (uint32_t)common->n_faulty, error)) {
		complain("%s", error);
		return EXIT_USAGE;
	}
	double *out = arena_array(arena, double, rows->dims);
	aggregator_apply(rule, rows, (uint32_t)common->n_faulty, out, arena);
	print_row(out, rows->dims);
	return EXIT_DONE;
}

static int eval_scorer(
	const struct plugin_value *rule, const struct rows *rows, struct arena *arena)
{
	const struct scorer *scorer = (const void *)rule->plugin;
	if (rows->dims != 1) {
		complain(
			"%s scores one column of numbers, and there are %u", rule->plugin->name, rows->dims);
		return EXIT_USAGE;
	}
	if (!complete(rule, rows->n, 0)) {
		return EXIT_USAGE;
	}
	double *scores = arena_array(arena, double, rows->n);
	double *scratch = arena_array(arena, double, SCORER_SCRATCH(rows->n));
	struct scoring given = {
		.n = rows->n, .predictions = rows->values, .n_participants = rows->n};
	if (scorer->prepare != NULL) {
		given.model = scorer->prepare(rule->settings, rows->n, 1, arena);
	}
	scorer->score(rule->settings, &given, scores, scratch);
	for (uint32_t i = 0; i < rows->n; i++) {
		print_row(&scores[i], 1);
	}
	return EXIT_DONE;
}

/* What an adaptive attack tries its rows on. */
struct defence {
	struct plugin_value rule;
	uint32_t n_faulty;
};

static bool defence_decide(
	const void *context, const double *values, uint32_t n, uint32_t dims, double *out, bool *accepted)
{
	const struct defence *defence = context;
	const struct rows rows = {.n = n, .dims = dims, .values = values};
	char error[256];
	if (!aggregator_check(&defence->rule, &rows, defence->n_faulty, error)) {
		return false;
	}
	struct arena scratch = {0};
	aggregator_apply(&defence->rule, &rows, defence->n_faulty, out, &scratch);
	arena_finish(&scratch);
	memset(accepted, true, n * sizeof(*accepted));
	return true;
}

/* Each liar's own row, and then those under its other names. */
static void print_identities(const struct plugin_value *rule, const struct craft_view *view,
	const double *own, struct arena *arena)
{
	const struct attack *attack = (const void *)rule->plugin;
	uint32_t n = attack->identities(rule->settings);
	double *echo = arena_array(arena, double, view->dims);
	for (uint32_t i = 0; i < view->n_faulty; i++) {
		const double *row = own + (size_t)i * view->dims;
		print_row(row, view->dims);
		for (uint32_t k = 1; k < n; k++) {
			for (uint32_t d = 0; d < view->dims; d++) {
				echo[d] = attack->echo(rule->settings, row[d], view->stream);
			}
			print_row(echo, view->dims);
		}
	}
}

static int eval_attack(const struct plugin_value *rule, const struct rows *rows, long long n_faulty,
	const struct plugin_value *against, struct arena *arena)
{
	struct attack_common *common = rule->settings;
	/* f = floor((n - 1) / 3) of n = rows + f */
	long long n_liars = n_faulty >= 0 ? n_faulty : rows->n < 3 ? 1 : (rows->n - 1) / 2;
	char error[256];
	if (n_liars == 0) {
		complain("%s needs at least one liar, got --faulty 0", rule->plugin->name);
		return EXIT_USAGE;
	}
	uint32_t n = rows->n + (uint32_t)n_liars;
	if (common->fraction < 0 && common->count < 0 && !common->nodes.given) {
		common->count = n_liars;
	}
	if (!complete(rule, n, 0) ||
		(against->plugin != NULL && !complete(against, n, (uint32_t)n_liars))) {
		return EXIT_USAGE;
	}
	const struct defence defence = {*against, (uint32_t)n_liars};
	const struct craft_defence deciding = {defence_decide, &defence};
	struct random_stream stream = random_stream_make(1, RANDOM_ATTACK, 0);
	bool at_reach = false;
	const struct craft_view view = {
		.honest = rows->values,
		.n_honest = rows->n,
		.n_faulty = (uint32_t)n_liars,
		.n = n,
		.dims = rows->dims,
		.defence = against->plugin == NULL ? NULL : &deciding,
		.at_reach = &at_reach,
		.stream = &stream,
	};
	double *out = arena_array(arena, double, (size_t)n_liars * rows->dims);
	if (!attack_rows(rule, &view, out, error)) {
		complain("%s", error);
		return EXIT_USAGE;
	}
	if (at_reach) {
		fprintf(stderr, "synod: note: the decision moves farthest at the reach itself: a larger `reach` may "
						"move it farther\n");
	}
	if (((const struct attack *)(const void *)rule->plugin)->identities != NULL) {
		print_identities(rule, &view, out, arena);
		return EXIT_DONE;
	}
	bool all_alike = true;
	for (long long i = 1; i < n_liars; i++) {
		all_alike &= memcmp(out, out + (size_t)i * rows->dims, rows->dims * sizeof(*out)) == 0;
	}
	for (long long i = 0; i < (all_alike ? 1 : n_liars); i++) {
		print_row(out + (size_t)i * rows->dims, rows->dims);
	}
	return EXIT_DONE;
}

static int eval(
	const struct option_values *values, const char *const *arguments, struct arena *arena)
{
	static const struct registry *const defences[] = {&aggregator_registry};
	const struct registry *sort = NULL;
	struct plugin_value rule, against = {NULL, NULL};
	const struct option_values *faulty = &values[OPTION_FAULTY];
	const struct option_values *opponent = &values[OPTION_AGAINST];
	long long n_faulty = -1;
	struct rows rows;
	int status;
	if (faulty->n > 0 &&
		!option_number("--faulty", faulty->values[faulty->n - 1], 0, SIM_NODES_MAX, &n_faulty)) {
		return EXIT_USAGE;
	}
	const struct plugin *plugin = find_rule(arguments[0], registries, REGISTRIES, &sort);
	if (plugin == NULL || !fill(plugin, &values[OPTION_SET], &rule, arena)) {
		return EXIT_USAGE;
	}
	if (opponent->n > 0) {
		const struct registry *found;
		plugin = find_rule(opponent->values[opponent->n - 1], defences, 1, &found);
		if (plugin == NULL || !fill(plugin, NULL, &against, arena)) {
			return EXIT_USAGE;
		}
		if (sort != &attack_registry) {
			complain("--against is for attacks, and %s is none", arguments[0]);
			return EXIT_USAGE;
		}
	}
	if (!eval_file_read(arguments[1], &rows, arena, &status)) {
		return status;
	}
	if (sort == &attack_registry) {
		return eval_attack(&rule, &rows, n_faulty, &against, arena);
	}
	bool aggregates = sort == &aggregator_registry || sort == &eval_aggregator_registry;
	return aggregates ? eval_aggregator(&rule, &rows, n_faulty, arena)
					  : eval_scorer(&rule, &rows, arena);
}

static int run(const struct option_values *values, const char *const *arguments, int n_arguments)
{
	struct arena arena = {0};
	int status = eval(values, arguments, &arena);
	arena_finish(&arena);
	return status;
}

const struct command command_eval = {
	.name = "eval",
	.summary = "applies one aggregator, scorer or attack to the rows of a CSV file",
	.usage = "RULE FILE.csv [--faulty F] [--set KEY=VALUE]... [--against RULE]",
	.example =
		"  synod eval krum rows.csv --faulty 2 --set before=nnm\n"
		"      prints one line, the value of each column, to 17 significant digits\n"
		"  synod eval mad predictions.csv\n"
		"      prints each row's score\n"
		"  synod eval alie honest.csv --faulty 3\n"
		"      prints what 3 liars would add to the honest rows (one line where all say the\n"
		"      same)\n"
		"\nA row a participant, numbers with commas between; the first line may name the columns\n"
		"(none of the names beginning with a digit), which is said on stderr.\n"
		"A column called `score` holds the weights of weighted-mean, one called `confidence` the\n"
		"standard deviations that inverse-variance goes by. FILE may be - for the standard input.\n"
		"A scorer that remembers (reputation) or is trained (classifier) judges the rows as the\n"
		"first item of a run of seed 1. Without --faulty it is floor((n-1)/3) of the n that speak. The scorer\n"
		"`latency`, 1/(1 + ms/300) from .05 to .99, and the aggregator `fltrust`, which wants\n"
		"--set trusted=ROW (from 0), are here alone.\n",
	.options = options,
	.arguments_min = 2,
	.arguments_max = 2,
	.run = run,
};
