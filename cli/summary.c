#include "summary.h"

#include "attacks/attack.h"
#include "engine/fault.h"
#include "results/names.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define VERDICTS 5
#define ROWS_MAX 200 /* that anyone reads on a screen */
#define NAME_MAX_SHOWN 40

static const char *const verdicts[VERDICTS] = {"completed", "stalled", "unsafe", "limit", "failed"};

#define SHOWN_MAX 32

struct run_values {
	bool present;
	uint8_t verdict;
	double values[SHOWN_MAX];
	double simulated_s, at_reach;
	bool read_back; /* from a file, which doesn't say what the rules have met; or it failed */
	uint64_t rules_acted, steps_refused;
	char reason[160];
	char digest[33];
	XXH64_hash_t kpis; /* of all of them, so that runs can be compared */
};

struct summary {
	const struct scenario_file *file;
	const struct run_schemas *schemas;
	size_t n_points, n_replications;
	struct run_values *runs;
	size_t shown[SHOWN_MAX], n_shown; /* of the KPIs, those that the table shows where any run has them */
};

struct summary *summary_create(const struct scenario_file *file, const struct run_schemas *schemas)
{
	struct summary *summary = calloc(1, sizeof(*summary));
	if (summary == NULL) {
		abort();
	}
	summary->file = file;
	summary->schemas = schemas;
	for (size_t i = 0; i < schemas->kpis.n; i++) {
		if (schemas->kpis.kpis[i]->shown.heading != NULL && summary->n_shown < SHOWN_MAX) {
			summary->shown[summary->n_shown++] = i;
		}
	}
	summary->n_points = scenario_n_points(file);
	summary->n_replications = (size_t)scenario_point(file, 0)->replications;
	summary->runs = calloc(summary->n_points * summary->n_replications, sizeof(*summary->runs));
	if (summary->runs == NULL) {
		abort();
	}
	return summary;
}

void summary_destroy(struct summary *summary)
{
	free(summary->runs);
	free(summary);
}

static uint8_t verdict_number(const char *verdict)
{
	for (uint8_t i = 0; i < VERDICTS; i++) {
		if (strcmp(verdicts[i], verdict) == 0) {
			return i;
		}
	}
	return 0;
}

static XXH64_hash_t hash_of(const double *kpis, size_t n)
{
	double values[KPIS_MAX];
	for (size_t i = 0; i < n; i++) {
		values[i] = isnan(kpis[i]) ? (double)NAN : kpis[i];
	}
	return XXH3_64bits(values, n * sizeof(values[0]));
}

/* What the summary itself looks at, wherever it stands. */
static double value_of(const struct summary *summary, const struct run_summary *run, const char *name)
{
	int at = kpi_find(&summary->schemas->kpis, name);
	return at < 0 ? (double)NAN : run->kpis[at];
}

void summary_add(struct summary *summary, const struct run_summary *run)
{
	struct run_values *values =
		&summary->runs[run->point * summary->n_replications + run->replication];
	values->present = true;
	values->verdict = verdict_number(run->verdict);
	snprintf(values->reason, sizeof(values->reason), "%s", run->verdict_reason);
	memcpy(values->digest, run->digest, sizeof(values->digest));
	values->kpis = hash_of(run->kpis, summary->schemas->kpis.n);
	values->rules_acted = run->rules_acted;
	values->steps_refused = run->steps_refused;
	values->simulated_s = value_of(summary, run, "simulated_s");
	values->at_reach = value_of(summary, run, "at_reach");
	values->read_back = strcmp(run->verdict, "failed") == 0;
	for (size_t i = 0; i < summary->n_shown; i++) {
		values->values[i] = run->kpis[summary->shown[i]];
	}
}

void summary_read(struct summary *summary, const struct table_schema *schema, const struct block *runs)
{
	for (size_t row = 0; row < runs->n_rows; row++) {
		struct run_summary run = {
			.point = (uint64_t)block_get(runs, schema, row, (size_t)schema_find(schema, "point")).integer,
			.replication =
				(uint64_t)block_get(runs, schema, row, (size_t)schema_find(schema, "replication"))
					.integer,
		};
		snprintf(run.verdict, sizeof(run.verdict), "%s",
			block_get(runs, schema, row, (size_t)schema_find(schema, "verdict")).string);
		snprintf(run.verdict_reason, sizeof(run.verdict_reason), "%s",
			block_get(runs, schema, row, (size_t)schema_find(schema, "verdict_reason")).string);
		bool failed = strcmp(run.verdict, "failed") == 0;
		for (size_t i = 0; i < summary->schemas->kpis.n; i++) {
			const struct kpi *kpi = summary->schemas->kpis.kpis[i];
			union cell cell = block_get(runs, schema, row, (size_t)schema_find(schema, kpi->name));
			run.kpis[i] = kpi->sort != SORT_COUNT ? cell.real : failed ? (double)NAN : (double)cell.integer;
		}
		snprintf(run.digest, sizeof(run.digest), "%s",
			block_get(runs, schema, row, (size_t)schema_find(schema, "digest")).string);
		summary_add(summary, &run);
		summary->runs[run.point * summary->n_replications + run.replication].read_back = true;
	}
}

static const struct kpi *shown_kpi(const struct summary *summary, size_t at)
{
	return summary->schemas->kpis.kpis[summary->shown[at]];
}

/* "1.234 ±0.012": the mean over replications and the half-width of its 95 % t interval. */
static void format_cell(const struct summary *summary, size_t point, size_t at, char text[48])
{
	double sum = 0;
	double sum_squares = 0;
	size_t n = 0;
	for (size_t r = 0; r < summary->n_replications; r++) {
		const struct run_values *run = &summary->runs[point * summary->n_replications + r];
		if (run->present && !isnan(run->values[at])) {
			sum += run->values[at];
			n++;
		}
	}
	if (n == 0) {
		snprintf(text, 48, "-");
		return;
	}
	double mean = sum / (double)n;
	for (size_t r = 0; r < summary->n_replications; r++) {
		const struct run_values *run = &summary->runs[point * summary->n_replications + r];
		if (run->present && !isnan(run->values[at])) {
			sum_squares += (run->values[at] - mean) * (run->values[at] - mean);
		}
	}
	const struct kpi *kpi = shown_kpi(summary, at);
	double scale = kpi->shown.scale == 0 ? 1 : kpi->shown.scale;
	int decimals = sum_squares == 0 && fmod(mean * scale, 1) == 0 ? 0 : kpi->shown.decimals;
	if (n == 1 || sum_squares == 0) {
		snprintf(text, 48, "%.*f", decimals, mean * scale);
		return;
	}
	double half = gsl_cdf_tdist_Pinv(.975, (double)(n - 1)) *
		sqrt(sum_squares / (double)(n - 1) / (double)n);
	snprintf(text, 48, "%.*f \u00b1%.*f", decimals, mean * scale, decimals,
		half * scale);
}

/* Columns on the screen, not bytes. */
static int width(const char *text)
{
	int n = 0;
	for (; *text != '\0'; text++) {
		n += ((unsigned char)*text & 0xc0) != 0x80;
	}
	return n;
}

static void format_key(const struct summary *summary, size_t key, char text[64])
{
	size_t n = scenario_n_swept(summary->file);
	const char **names = calloc(n, sizeof(*names));
	if (names == NULL) {
		abort();
	}
	for (size_t i = 0; i < n; i++) {
		names[i] = scenario_swept_key(summary->file, i);
	}
	name_cut(text, 64, names, n, key, NAME_MAX_SHOWN);
	free(names);
}

/* A key's values at the first points, as the scenario spells them, into every n_columns-th cell: rounded, two
 * numbers might look like one. */
static void format_swept(
	const struct summary *summary, size_t n_points, size_t key, char (*cells)[64], size_t n_columns)
{
	const char **names = calloc(n_points, sizeof(*names));
	if (names == NULL) {
		abort();
	}
	for (size_t p = 0; p < n_points; p++) {
		names[p] = scenario_swept_value(summary->file, p, key).text;
	}
	for (size_t p = 0; p < n_points; p++) {
		name_cut(cells[p * n_columns], 64, names, n_points, p, NAME_MAX_SHOWN);
	}
	free(names);
}

static bool is_shown(const struct summary *summary, size_t at)
{
	bool not_zero = shown_kpi(summary, at)->shown.not_zero;
	for (size_t i = 0; i < summary->n_points * summary->n_replications; i++) {
		double value = summary->runs[i].values[at];
		if (summary->runs[i].present && !isnan(value) && (value != 0 || !not_zero)) {
			return true;
		}
	}
	return false;
}

static void verdict_text(const struct summary *summary, size_t point, char text[64])
{
	size_t counts[VERDICTS] = {0};
	for (size_t r = 0; r < summary->n_replications; r++) {
		const struct run_values *run = &summary->runs[point * summary->n_replications + r];
		if (run->present) {
			counts[run->verdict]++;
		}
	}
	size_t n = 0;
	text[0] = '\0';
	for (int i = 0; i < VERDICTS; i++) {
		if (counts[i] == summary->n_replications) {
			snprintf(text, 64, "%s", verdicts[i]);
			return;
		}
		if (counts[i] > 0 && n < 64) {
			n += (size_t)snprintf(
				text + n, 64 - n, "%s%zu %s", n == 0 ? "" : ", ", counts[i], verdicts[i]);
		}
	}
}

static void print_reasons(const struct summary *summary, FILE *out)
{
	size_t n = 0;
	for (size_t i = 0; i < summary->n_points * summary->n_replications && n < 5; i++) {
		const struct run_values *run = &summary->runs[i];
		if (run->present && run->verdict != 0) {
			bool failed = strcmp(verdicts[run->verdict], "failed") == 0;
			fprintf(out, "%srun %zu %s%s: %s\n", n == 0 ? "\n" : "", i, failed ? "" : "is ",
				verdicts[run->verdict], run->reason);
			n++;
		}
	}
	if (n == 5) {
		fprintf(out, "(`synod show` tells of every run)\n");
	}
}

enum summary_alarm summary_alarm(const struct summary *summary, FILE *out)
{
	static const struct {
		const char *verdict, *one, *several;
		enum summary_alarm alarm;
	} alarming[] = {
		{"failed", "failed and is in no figure or mean", "failed and are in no figure or mean", SUMMARY_FAILED},
		{"unsafe", "is unsafe", "are unsafe", SUMMARY_BAD},
		{"stalled", "is stalled", "are stalled", SUMMARY_BAD},
	};
	size_t n_runs = summary->n_points * summary->n_replications;
	enum summary_alarm alarm = SUMMARY_FINE;
	for (size_t k = 0; k < sizeof(alarming) / sizeof(alarming[0]); k++) {
		uint8_t verdict = verdict_number(alarming[k].verdict);
		size_t n = 0;
		size_t first = 0;
		for (size_t i = 0; i < n_runs; i++) {
			const struct run_values *run = &summary->runs[i];
			if (run->present && run->verdict == verdict) {
				first = n++ == 0 ? i : first;
			}
		}
		if (n > 0) {
			fprintf(out, "synod: %zu of %zu run%s %s; the first is run %zu: %s\n", n, n_runs,
				n_runs == 1 ? "" : "s", n == 1 ? alarming[k].one : alarming[k].several, first,
				summary->runs[first].reason);
			alarm = alarm == SUMMARY_FINE ? alarming[k].alarm : alarm;
		}
	}
	return alarm;
}

/* How long the longest run of a point took, in simulated time; of one that failed nobody knows. */
static double longest_s(const struct summary *summary, size_t point)
{
	double longest = 0;
	for (size_t r = 0; r < summary->n_replications; r++) {
		const struct run_values *run = &summary->runs[point * summary->n_replications + r];
		if (run->present && isnan(run->simulated_s)) {
			return INFINITY;
		}
		longest = run->present && run->simulated_s > longest ? run->simulated_s : longest;
	}
	return longest;
}

static bool tell_late(const char *list, size_t at, sim_time from_ns, double end_s, FILE *out)
{
	if (sim_time_to_s(from_ns) <= end_s) { /* equal: the fault itself may have ended the run */
		return false;
	}
	fprintf(out, "\nnote: %s.%zu (from %g s) never took effect: every run of a point had ended by %g s\n",
		list, at, sim_time_to_s(from_ns), end_s);
	return true;
}

/* A window that opens after the end is mostly a mistake: `stop` is too short for what was planned. */
static void print_late_windows(const struct summary *summary, FILE *out)
{
	for (size_t p = 0; p < summary->n_points; p++) {
		const struct scenario *scenario = scenario_point(summary->file, p);
		double end_s = longest_s(summary, p);
		bool told = false;
		for (size_t i = 0; i < scenario->faults.n; i++) {
			const struct fault_common *common = scenario->faults.values[i].settings;
			told = tell_late("faults", i, common->from_ns, end_s, out) || told;
		}
		for (size_t i = 0; i < scenario->attacks.n; i++) {
			const struct attack_common *common = scenario->attacks.values[i].settings;
			told = tell_late("attacks", i, common->from_ns, end_s, out) || told;
		}
		if (told) {
			return; /* once is enough */
		}
	}
}

/* The rule at this place of a scenario's faults, if it could act before the end; NULL else. */
static const struct fault_rule *rule_at(const struct scenario *scenario, size_t i, double end_s)
{
	const struct plugin_list *faults = &scenario->faults;
	if (i >= faults->n || strcmp(faults->values[i].plugin->name, "rule") != 0) {
		return NULL;
	}
	const struct fault_rule *rule = faults->values[i].settings;
	return sim_time_to_s(rule->common.from_ns) > end_s ? NULL : rule;
}

/* A rule that never met its message is mostly a mistake in what it says. */
static void print_idle_rules(const struct summary *summary, FILE *out)
{
	for (size_t i = 0; i < 64; i++) {
		size_t n = 0, n_idle = 0;
		bool told = true;
		const struct fault_rule *rule = NULL;
		for (size_t p = 0; p < summary->n_points; p++) {
			const struct scenario *scenario = scenario_point(summary->file, p);
			const struct fault_rule *here =
				i < scenario->faults.n ? rule_at(scenario, i, longest_s(summary, p)) : NULL;
			rule = here != NULL ? here : rule;
			for (size_t r = 0; here != NULL && r < summary->n_replications; r++) {
				const struct run_values *run = &summary->runs[p * summary->n_replications + r];
				n++;
				n_idle += (run->rules_acted >> i & 1) == 0;
				told = told && run->present && !run->read_back;
			}
		}
		if (n_idle == 0 || !told) {
			continue;
		}
		fprintf(out, "\nnote: faults.%zu (rule) matched no message", i);
		if (rule->nth > 1) {
			fprintf(out, " number %lld", (long long)rule->nth);
		}
		if (n_idle < n) {
			fprintf(out, " in %zu of %zu runs", n_idle, n);
		}
		fputc('\n', out);
	}
}

/* Why a live validator can't take a step, as far as the step itself tells. */
static const char *why_refused(enum protocol_step action)
{
	static const char *const reasons[] = {
		[STEP_CAMPAIGN] = "it was down, led already or has no vote",
		[STEP_PROPOSE] = "it was down or did not lead, or its window was full",
		[STEP_TRANSFER] = "it was down or did not lead, or there was nobody to hand the lead to",
		[STEP_RESTART] = "it was down",
		[STEP_CHANGE_MEMBERSHIP] =
			"it was down or did not lead, was at another change, or the members were these already",
	};
	return reasons[action];
}

/* A step that nobody took leaves the run as if it were not there. Told where its moment had come. */
static void print_refused_steps(const struct summary *summary, FILE *out)
{
	for (size_t i = 0; i < 64; i++) {
		size_t n = 0, n_refused = 0;
		const struct plugin_value *fault = NULL;
		for (size_t r = 0; r < summary->n_points * summary->n_replications; r++) {
			const struct plugin_list *faults =
				&scenario_point(summary->file, r / summary->n_replications)->faults;
			const struct run_values *run = &summary->runs[r];
			if (i < faults->n && strcmp(faults->values[i].plugin->name, "step") == 0 && run->present &&
				!run->read_back) {
				n++;
				n_refused += run->steps_refused >> i & 1;
				fault = run->steps_refused >> i & 1 ? &faults->values[i] : fault;
			}
		}
		if (n_refused == 0) {
			continue;
		}
		const struct fault_step *step = fault->settings;
		const struct param *param = fault->plugin->params;
		while (strcmp(param->name, "action") != 0) {
			param++;
		}
		const char *name = param->choices;
		for (int at = 0; at < step->action; at++) {
			name = strchr(name, '|') + 1;
		}
		char who[24];
		if (!step->node.leader) {
			snprintf(who, sizeof(who), "validator %u", step->node.nodes[0]);
		} else {
			snprintf(who, sizeof(who), "the leader");
		}
		fprintf(out, "\nnote: faults.%zu (step) was not taken: %s could not %.*s at %g s", i, who,
			(int)strcspn(name, "|"), name, sim_time_to_s(step->common.from_ns));
		if (n_refused < n) {
			fprintf(out, " in %zu of %zu runs", n_refused, n);
		}
		fprintf(out, ": %s%s\n", why_refused(step->action),
			step->node.leader ? ", or there was none" : "");
	}
}

/* Says where a search for the worst lie ended at its reach: it says less of the rule than of the reach. */
static void print_reach(const struct summary *summary, FILE *out)
{
	double most = 0;
	for (size_t r = 0; r < summary->n_points * summary->n_replications; r++) {
		if (summary->runs[r].present && summary->runs[r].at_reach > most) {
			most = summary->runs[r].at_reach;
		}
	}
	if (most > 0) {
		fprintf(out,
			"\nnote: `adaptive` lies as far out as its `reach` lets it, on up to %.3g %% of a run's items\n",
			100 * most);
	}
}

/* A table as text: all cells of a column are padded to its widest. */
static void print_cells(char (*cells)[64], size_t n_rows, size_t n_columns, size_t n_left, FILE *out)
{
	int *widest = calloc(n_columns, sizeof(*widest));
	if (widest == NULL) {
		abort();
	}
	for (size_t i = 0; i < n_rows * n_columns; i++) {
		int w = width(cells[i]);
		widest[i % n_columns] = w > widest[i % n_columns] ? w : widest[i % n_columns];
	}
	for (size_t r = 0; r < n_rows; r++) {
		for (size_t c = 0; c < n_columns; c++) {
			const char *text = cells[r * n_columns + c];
			if (text[0] != '\0') {
				int pad = widest[c] - width(text);
				bool left = c < n_left;
				fprintf(out, "%s%*s%s%*s", c == 0 ? "" : "  ", left ? 0 : pad, "", text, left ? pad : 0,
					"");
			}
		}
		fputc('\n', out);
	}
	free(widest);
}

void summary_print(const struct summary *summary, FILE *out)
{
	size_t n_swept = scenario_n_swept(summary->file);
	size_t n_columns = n_swept + 1 + summary->n_shown;
	size_t n_points = summary->n_points < ROWS_MAX ? summary->n_points : ROWS_MAX;
	char(*cells)[64] = calloc(n_columns * (n_points + 1), sizeof(*cells));
	if (cells == NULL) {
		abort();
	}
	for (size_t k = 0; k < n_swept; k++) {
		format_key(summary, k, cells[k]);
		format_swept(summary, n_points, k, &cells[n_columns + k], n_columns);
	}
	snprintf(cells[n_swept], 64, "verdict");
	for (size_t p = 0; p < n_points; p++) {
		verdict_text(summary, p, cells[(p + 1) * n_columns + n_swept]);
	}
	for (size_t i = 0; i < summary->n_shown; i++) {
		if (is_shown(summary, i)) {
			size_t column = n_swept + 1 + i;
			snprintf(cells[column], 64, "%s", shown_kpi(summary, i)->shown.heading);
			for (size_t p = 0; p < n_points; p++) {
				format_cell(summary, p, i, cells[(p + 1) * n_columns + column]);
			}
		}
	}
	print_cells(cells, n_points + 1, n_columns, n_swept + 1, out);
	free(cells);
	if (n_points < summary->n_points) {
		fprintf(out, "... and %zu more points: `synod show FILE.h5` tells of all that a run wrote with -o\n",
			summary->n_points - n_points);
	}
	if (summary->n_replications > 1) {
		fprintf(out, "\nmeans over %zu replications; \u00b1: half-width of the 95 %% t interval\n",
			summary->n_replications);
	}
	print_reasons(summary, out);
	print_late_windows(summary, out);
	print_idle_rules(summary, out);
	print_refused_steps(summary, out);
	print_reach(summary, out);
}

/* The events and decisions are the same, and so is what is made of them: `tolerance` alters KPIs alone. */
static bool same_run(const struct run_values *a, const struct run_values *b)
{
	return a->present && b->present && a->digest[0] != '\0' && strcmp(a->digest, b->digest) == 0 &&
		   a->verdict == b->verdict && a->kpis == b->kpis;
}

/* Does no value of the key make a difference to any run? */
static bool is_idle(const struct summary *summary, size_t key)
{
	bool compared = false;
	for (size_t p = 0; p < summary->n_points; p++) {
		size_t other = scenario_first_like(summary->file, p, key);
		for (size_t r = 0; other != p && r < summary->n_replications; r++) {
			const struct run_values *a = &summary->runs[p * summary->n_replications + r];
			const struct run_values *b = &summary->runs[other * summary->n_replications + r];
			if (!same_run(a, b)) {
				return false;
			}
			compared = true;
		}
	}
	return compared;
}

void summary_remarks(const struct summary *summary, struct diagnostics *diagnostics)
{
	for (size_t k = 0; k < scenario_n_swept(summary->file); k++) {
		if (is_idle(summary, k)) {
			scenario_remark(summary->file, k, diagnostics,
				"all of its values gave the same runs and KPIs: it has no effect here");
		}
	}
}
