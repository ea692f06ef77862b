#include "summary.h"

#include "attacks/attack.h"
#include "engine/fault.h"
#include "protocols/protocol.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define VERDICTS 5

static const char *const verdicts[VERDICTS] = {"completed", "stalled", "unsafe", "limit", "failed"};

/* What the table shows, in this order, where any run has it. */
static const struct shown {
	enum kpi kpi;
	const char *label;
	double scale;
	int decimals;
} shown[] = {
	{KPI_DECIDED, "decided", 1, 1},
	{KPI_THROUGHPUT, "items/s", 1, 1},
	{KPI_LATENCY_MEAN, "latency ms", 1e3, 3},
	{KPI_COMMIT_MEAN, "commit ms", 1e3, 3},
	{KPI_MESSAGES_PER_INSTANCE, "msgs/inst", 1, 2},
	{KPI_MAE, "mae", 1, 4},
	{KPI_CORRUPTION_RATE, "corrupted", 1, 4},
	{KPI_DIVERGENCE, "diverged", 1, 4},
	{KPI_LEADER_CHANGES, "leaders+", 1, 1},
};

#define SHOWN (sizeof(shown) / sizeof(shown[0]))

struct run_values {
	bool present;
	uint8_t verdict;
	double values[SHOWN];
	double simulated_s, at_reach;
	bool read_back; /* from a file, which doesn't say what the rules have met; or it failed */
	uint64_t rules_acted, steps_refused;
	char reason[160];
};

struct summary {
	const struct scenario_file *file;
	size_t n_points, n_replications;
	struct run_values *runs;
};

struct summary *summary_create(const struct scenario_file *file)
{
	struct summary *summary = calloc(1, sizeof(*summary));
	if (summary == NULL) {
		abort();
	}
	summary->file = file;
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

void summary_add(struct summary *summary, const struct run_summary *run)
{
	struct run_values *values =
		&summary->runs[run->point * summary->n_replications + run->replication];
	values->present = true;
	values->verdict = verdict_number(run->verdict);
	snprintf(values->reason, sizeof(values->reason), "%s", run->verdict_reason);
	values->rules_acted = run->rules_acted;
	values->steps_refused = run->steps_refused;
	values->simulated_s = run->kpis[KPI_SIMULATED];
	values->at_reach = run->kpis[KPI_AT_REACH];
	values->read_back = strcmp(run->verdict, "failed") == 0;
	for (size_t i = 0; i < SHOWN; i++) {
		values->values[i] = run->kpis[shown[i].kpi];
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
		for (size_t i = 0; i < KPI_N; i++) {
			union cell cell =
				block_get(runs, schema, row, (size_t)schema_find(schema, kpi_columns[i].name));
			run.kpis[i] = kpi_columns[i].type == COLUMN_REAL ? cell.real
				: failed                                     ? (double)NAN
															 : (double)cell.integer;
		}
		summary_add(summary, &run);
		summary->runs[run.point * summary->n_replications + run.replication].read_back = true;
	}
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
	int decimals = sum_squares == 0 && fmod(mean * shown[at].scale, 1) == 0 ? 0 : shown[at].decimals;
	if (n == 1 || sum_squares == 0) {
		snprintf(text, 48, "%.*f", decimals, mean * shown[at].scale);
		return;
	}
	double half = gsl_cdf_tdist_Pinv(.975, (double)(n - 1)) *
		sqrt(sum_squares / (double)(n - 1) / (double)n);
	snprintf(text, 48, "%.*f \u00b1%.*f", decimals, mean * shown[at].scale, decimals,
		half * shown[at].scale);
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

static void format_swept(const struct summary *summary, size_t point, size_t key, char text[48])
{
	struct swept_value value = scenario_swept_value(summary->file, point, key);
	if (value.is_int) {
		snprintf(text, 48, "%lld", (long long)value.integer);
	} else if (value.is_real) {
		snprintf(text, 48, "%.6g", value.real);
	} else {
		snprintf(text, 48, "%.47s", value.text);
	}
}

static bool is_shown(const struct summary *summary, size_t at)
{
	bool all_zero = shown[at].kpi == KPI_DIVERGENCE || shown[at].kpi == KPI_LEADER_CHANGES;
	for (size_t i = 0; i < summary->n_points * summary->n_replications; i++) {
		double value = summary->runs[i].values[at];
		if (summary->runs[i].present && !isnan(value) && (value != 0 || !all_zero)) {
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
		if (counts[i] > 0) {
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

/* A rule that never met its message is mostly a mistake in what it says. */
static void print_idle_rules(const struct summary *summary, FILE *out)
{
	for (size_t i = 0; i < 64; i++) {
		size_t n = 0, n_idle = 0;
		bool told = true;
		const struct fault_rule *rule = NULL;
		for (size_t r = 0; r < summary->n_points * summary->n_replications; r++) {
			const struct plugin_list *faults =
				&scenario_point(summary->file, r / summary->n_replications)->faults;
			const struct run_values *run = &summary->runs[r];
			if (i >= faults->n || strcmp(faults->values[i].plugin->name, "rule") != 0 ||
				sim_time_to_s(((const struct fault_common *)faults->values[i].settings)->from_ns) >
					longest_s(summary, r / summary->n_replications)) {
				continue;
			}
			rule = faults->values[i].settings;
			n++;
			n_idle += (run->rules_acted >> i & 1) == 0;
			told = told && run->present && !run->read_back;
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
static const char *why_refused(enum step_action action)
{
	static const char *const reasons[] = {
		[STEP_ACTION_CAMPAIGN] = "it was down, led already or has no vote",
		[STEP_ACTION_PROPOSE] = "it was down or did not lead, or its window was full",
		[STEP_ACTION_TRANSFER] = "it was down or did not lead, or there was nobody to hand the lead to",
		[STEP_ACTION_RESTART] = "it was down",
		[STEP_ACTION_CHANGE_MEMBERSHIP] =
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

/* In which of several points. */
static void print_where(const struct summary *summary, size_t point, FILE *out)
{
	if (summary->n_points > 1) {
		fprintf(out, " (point %zu", point);
		for (size_t k = 0; k < scenario_n_swept(summary->file); k++) {
			char text[48];
			format_swept(summary, point, k, text);
			fprintf(out, ", %s %s", scenario_swept_key(summary->file, k), text);
		}
		fputc(')', out);
	}
	fputc('\n', out);
}

/* Says, once for each attack, that its fraction of so few validators is none. */
static void print_empty_attacks(const struct summary *summary, FILE *out)
{
	uint64_t told = 0;
	for (size_t p = 0; p < summary->n_points; p++) {
		const struct scenario *scenario = scenario_point(summary->file, p);
		uint32_t n = (uint32_t)scenario->n_validators;
		for (size_t i = 0; i < scenario->attacks.n && i < 64; i++) {
			const struct attack_common *common = scenario->attacks.values[i].settings;
			if (common->fraction <= 0 || attack_number(common, n) > 0 || told >> i & 1) {
				continue;
			}
			told |= UINT64_C(1) << i;
			fprintf(out, "\nnote: attacks.%zu: no validator attacks: %g of %u rounds to 0", i,
				common->fraction, n);
			print_where(summary, p, out);
		}
	}
}

/* Says where a search for the worst lie ended at its reach: it says less of the rule than of the reach. */
static void print_reach(const struct summary *summary, FILE *out)
{
	double most = 0;
	size_t run = 0;
	for (size_t r = 0; r < summary->n_points * summary->n_replications; r++) {
		if (summary->runs[r].present && summary->runs[r].at_reach > most) {
			most = summary->runs[r].at_reach;
			run = r;
		}
	}
	if (most > 0) {
		fprintf(out, "\nnote: `adaptive` lies as far out as its `reach` lets it on up to %.3g %% of the items", 100 * most);
		print_where(summary, run / summary->n_replications, out);
	}
}

/* Says, once for each fault, that nobody leads whom it could be about. */
static void print_leaderless(const struct summary *summary, FILE *out)
{
	uint64_t told = 0;
	for (size_t p = 0; p < summary->n_points; p++) {
		const struct scenario *scenario = scenario_point(summary->file, p);
		const struct protocol *protocol = (const struct protocol *)scenario->protocol.plugin;
		for (size_t i = 0; i < scenario->faults.n && i < 64 && !protocol->leader_based; i++) {
			const struct plugin_value *fault = &scenario->faults.values[i];
			const struct param *param = fault->plugin->params;
			while (param->name != NULL &&
				(param->kind != PARAM_NODES ||
					!((const struct node_list *)(const void *)((const char *)fault->settings +
						  param->offset))->leader)) {
				param++;
			}
			if (param->name == NULL || (told >> i & 1) != 0) {
				continue;
			}
			told |= UINT64_C(1) << i;
			fprintf(out, "\nnote: faults.%zu (%s) is on `leader`, and `%s` has no leader", i,
				fault->plugin->name, protocol->plugin.name);
			print_where(summary, p, out);
		}
	}
}

void summary_print(const struct summary *summary, FILE *out)
{
	size_t n_swept = scenario_n_swept(summary->file);
	size_t n_columns = n_swept + 1 + SHOWN;
	size_t n_rows = summary->n_points + 1;
	char(*cells)[64] = calloc(n_columns * n_rows, sizeof(*cells));
	if (cells == NULL) {
		abort();
	}
	for (size_t k = 0; k < n_swept; k++) {
		snprintf(cells[k], 64, "%s", scenario_swept_key(summary->file, k));
	}
	snprintf(cells[n_swept], 64, "verdict");
	for (size_t i = 0; i < SHOWN; i++) {
		snprintf(cells[n_swept + 1 + i], 64, "%s", is_shown(summary, i) ? shown[i].label : "");
	}
	for (size_t p = 0; p < summary->n_points; p++) {
		char(*row)[64] = &cells[(p + 1) * n_columns];
		for (size_t k = 0; k < n_swept; k++) {
			format_swept(summary, p, k, row[k]);
		}
		verdict_text(summary, p, row[n_swept]);
		for (size_t i = 0; i < SHOWN; i++) {
			format_cell(summary, p, i, row[n_swept + 1 + i]);
		}
	}
	for (size_t r = 0; r < n_rows; r++) {
		for (size_t c = 0; c < n_columns; c++) {
			if (cells[c][0] == '\0') {
				continue;
			}
			int widest = 0;
			for (size_t i = 0; i < n_rows; i++) {
				int w = width(cells[i * n_columns + c]);
				widest = w > widest ? w : widest;
			}
			const char *text = cells[r * n_columns + c];
			int pad = widest - width(text);
			bool left = c <= n_swept;
			fprintf(out, "%s%*s%s%*s", c == 0 ? "" : "  ", left ? 0 : pad, "", text, left ? pad : 0, "");
		}
		fputc('\n', out);
	}
	if (summary->n_replications > 1) {
		fprintf(out, "\nmeans over %zu replications; \u00b1: half-width of the 95 %% t interval\n",
			summary->n_replications);
	}
	print_reasons(summary, out);
	print_late_windows(summary, out);
	print_idle_rules(summary, out);
	print_refused_steps(summary, out);
	print_empty_attacks(summary, out);
	print_leaderless(summary, out);
	print_reach(summary, out);
	free(cells);
}
