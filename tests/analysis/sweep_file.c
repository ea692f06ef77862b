#include "sweep_file.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define N_ITEMS 5
#define N_WINDOWS 6

static const struct column decision_columns[] = {
	{"run", COLUMN_INT, "", ""},
	{"item", COLUMN_INT, "", ""},
	{"arrived_s", COLUMN_REAL, "s", ""},
	{"decided_s", COLUMN_REAL, "s", ""},
};

static const struct column series_columns[] = {
	{"run", COLUMN_INT, "", ""},
	{"time_s", COLUMN_REAL, "s", ""},
	{"length_s", COLUMN_REAL, "s", ""},
	{"accepted_per_s", COLUMN_REAL, "1/s", "", "accepted", SORT_VALUE},
	{"latency_mean_s", COLUMN_REAL, "s", "", "mean latency", SORT_TIME},
};

static const struct column fault_columns[] = {
	{"run", COLUMN_INT, "", ""},
	{"time_s", COLUMN_REAL, "s", ""},
	{"node", COLUMN_INT, "", ""},
	{"event", COLUMN_STRING, "", ""},
};

static const struct column roc_columns[] = {
	{"run", COLUMN_INT, "", ""},
	{"threshold", COLUMN_REAL, "", ""},
	{"true_positive", COLUMN_REAL, "", ""},
	{"false_positive", COLUMN_REAL, "", ""},
};

double sweep_latency_s(unsigned protocol, unsigned replication)
{
	return 0.1 * (protocol + 1) + 0.01 * (replication * 3 % 4); /* not in order */
}

double sweep_corruption(unsigned scorer, unsigned attack, unsigned replication)
{
	return attack == 0 ? 0 : scorer == 0 ? 0.8 + 0.01 * replication : 0.05;
}

static void append_tables(struct run_blocks *blocks, const struct table_schema *schemas,
	int64_t run, unsigned protocol, unsigned scorer, unsigned replication)
{
	/* A corner, at (10 %, 50 % or 80 % and a little for each replication). */
	double corner = (scorer == 0 ? 0.5 : 0.8) + 0.01 * replication;
	const double roc[3][3] = {{0, 0, 0}, {0.5, corner, 0.1}, {(double)INFINITY, 1, 1}};
	for (int i = 0; i < 3; i++) {
		block_append(&blocks->tables[TABLE_ROC], &schemas[TABLE_ROC],
			(union cell[]){
				{.integer = run}, {.real = roc[i][0]}, {.real = roc[i][1]}, {.real = roc[i][2]}});
	}
	/* Every run has a crash of two nodes; some have a partition besides. */
	static const struct {
		double time_s;
		int64_t node;
		const char *event;
	} faults[] = {{.5, -1, "partition begins"}, {1, -1, "partition ends"}, {2, 0, "crash"}, {2, 1, "crash"},
		{3, 1, "restart"}, {4, 0, "restart"}, {4.5, 2, "step: campaign"}};
	for (size_t i = replication == 0 ? 0 : 2; i < sizeof(faults) / sizeof(faults[0]); i++) {
		block_append(&blocks->tables[TABLE_FAULTS], &schemas[TABLE_FAULTS],
			(union cell[]){{.integer = run}, {.real = faults[i].time_s}, {.integer = faults[i].node},
				{.string = faults[i].event}});
	}
	for (int64_t item = 0; item < N_ITEMS; item++) {
		/* One item has no answer, whatever the scorer and the attack. */
		bool answered = protocol > 0 || replication > 0 || item + 1 < N_ITEMS;
		double arrived_s = 0.25 * (double)item;
		double latency_s = sweep_latency_s(protocol, replication) + 0.001 * (double)item;
		block_append(&blocks->tables[TABLE_DECISIONS], &schemas[TABLE_DECISIONS],
			(union cell[]){{.integer = run}, {.integer = item}, {.real = arrived_s},
				{.real = answered ? arrived_s + latency_s : (double)NAN}});
	}
	for (int64_t window = 0; window < N_WINDOWS; window++) {
		double idle = window == 2 && replication == 0 ? (double)NAN : 0;
		block_append(&blocks->tables[TABLE_SERIES], &schemas[TABLE_SERIES],
			(union cell[]){{.integer = run}, {.real = (double)window}, {.real = 1},
				{.real = 10.0 * (protocol + 1) + replication},
				{.real = sweep_latency_s(protocol, replication) + idle}});
	}
	/* The run ends with an acceptance, 1 ms into a window of its own. */
	block_append(&blocks->tables[TABLE_SERIES], &schemas[TABLE_SERIES],
		(union cell[]){{.integer = run}, {.real = N_WINDOWS}, {.real = .001}, {.real = 1000}, {.real = 1}});
}

static const char *level(const struct sweep *sweep, unsigned protocol)
{
	static const char *const names[] = {"none", "raft", "pbft"};
	return sweep->protocols[protocol] != NULL ? sweep->protocols[protocol] : names[protocol];
}

static void append_run(struct run_blocks *blocks, const struct table_schema *schemas,
	const struct sweep *sweep, int64_t run, unsigned n_replications)
{
	unsigned replication = (unsigned)run % n_replications, point = (unsigned)run / n_replications;
	unsigned attack = point % 2, scorer = point / 2 % 2, protocol = point / 4;
	double undefined = sweep->undefined ? (double)NAN : 0;
	block_append(&blocks->tables[TABLE_RUNS], &schemas[TABLE_RUNS],
		(union cell[]){{.integer = run}, {.integer = point}, {.integer = replication},
			{.integer = 1000 + replication}, {.string = level(sweep, protocol)},
			{.string = scorer == 0 ? "none" : "mad"}, {.real = attack == 0 ? 0 : 0.3},
			{.string = sweep->verdict != NULL && run == 0 ? sweep->verdict : "completed"},
			{.string = ""}, {.real = sweep_latency_s(protocol, replication) + undefined},
			{.real = 9 * pow(2, protocol) + undefined}, {.integer = 100000 * (protocol + 1)},
			{.integer = sweep->undefined ? 0 : N_ITEMS},
			{.integer = protocol == 0 && replication == 0},
			{.real = sweep_corruption(scorer, attack, replication) + undefined},
			{.real = (double)NAN}});
	if (!sweep->no_tables) {
		append_tables(blocks, schemas, run, protocol, scorer, replication);
	}
}

void sweep_write(const char *path, const struct sweep *sweep)
{
	const struct column run_columns[] = {
		{"run", COLUMN_INT, "", ""},
		{"point", COLUMN_INT, "", ""},
		{"replication", COLUMN_INT, "", ""},
		{"seed", COLUMN_INT, "", ""},
		{"protocol", COLUMN_STRING, "", ""},
		{sweep->scorer_key != NULL ? sweep->scorer_key : "scorer", COLUMN_STRING, "", ""},
		{"attacks.0.fraction", COLUMN_REAL, "", ""},
		{"verdict", COLUMN_STRING, "", ""},
		{"verdict_reason", COLUMN_STRING, "", ""},
		{"latency_mean_s", COLUMN_REAL, "s", "", "mean latency", SORT_TIME},
		{"messages_per_instance", COLUMN_REAL, "", "", "messages per instance", SORT_VALUE},
		{"bytes", COLUMN_INT, "bytes", "", "traffic", SORT_COUNT},
		{"items", COLUMN_INT, "", "", "items", SORT_COUNT},
		{"unanswered", COLUMN_INT, "", "", "unanswered", SORT_COUNT},
		{"corruption_rate", COLUMN_REAL, "share", "", "corrupted decisions", SORT_SHARE, "decided"},
		{"mae", COLUMN_REAL, "kg", "", "mean absolute error", SORT_VALUE},
	};
	struct table_schema schemas[TABLES_MAX] = {0};
	schemas[TABLE_RUNS] =
		(struct table_schema){sizeof(run_columns) / sizeof(*run_columns), run_columns};
	if (!sweep->no_tables) {
		schemas[TABLE_DECISIONS] = (struct table_schema){4, decision_columns};
		schemas[TABLE_SERIES] = (struct table_schema){5, series_columns};
		schemas[TABLE_FAULTS] = (struct table_schema){4, fault_columns};
		schemas[TABLE_ROC] = (struct table_schema){4, roc_columns};
	}
	const struct results_header header = {
		.scenario = "title: made up\n", .synod_version = "0", .source = "test", .seed = 1};
	unsigned n_replications = sweep->n_replications > 0 ? sweep->n_replications : 4;
	int64_t n_runs = 12 * n_replications;
	struct results_error error = {0};
	struct journal *journal = journal_open(path, &header, schemas, (uint64_t)n_runs, false, &error);
	assert_non_null(journal);
	for (int64_t run = 0; run < n_runs; run++) {
		struct run_blocks blocks = {0};
		append_run(&blocks, schemas, sweep, run, n_replications);
		assert_true(journal_append(journal, (uint64_t)run, &blocks, &error));
		run_blocks_finish(&blocks);
	}
	assert_true(journal_complete(journal, &error));
}

int sweep_plot(
	const char *path, const char *kind, const char *directory, struct results_error *error)
{
	struct figures_request request = {.path = path,
		.kind = kind,
		.directory = directory,
		.formats = FIGURE_SVG,
		.gnuplot_data = STYLE_FOLDER};
	int status = figures_plot(&request, error);
	if (status != 0) {
		print_message("%s\n", error->text);
	}
	return status;
}

static char *places[32];
static size_t n_places;

int folder_setup(void **state)
{
	char folder[] = "/tmp/synod-figures-XXXXXX";
	*state = mkdtemp(folder) == NULL ? NULL : strdup(folder);
	return *state == NULL ? -1 : 0;
}

static void remove_folder(const char *path)
{
	DIR *folder = opendir(path);
	for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
		char inside[1024];
		snprintf(inside, sizeof(inside), "%s/%s", path, entry->d_name);
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
			unlink(inside) != 0) {
			remove_folder(inside);
		}
	}
	if (folder != NULL) {
		closedir(folder);
	}
	rmdir(path);
}

int folder_teardown(void **state)
{
	remove_folder(*state);
	free(*state);
	while (n_places > 0) {
		free(places[--n_places]);
	}
	return 0;
}

const char *in_folder(void **state, const char *name)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/%s", (const char *)*state, name);
	assert_true(n_places < 32);
	places[n_places] = strdup(path);
	return places[n_places++];
}

char *file_text(const char *directory, const char *name)
{
	char path[1024];
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	FILE *file = fopen(path, "r");
	if (file == NULL) {
		return NULL;
	}
	fseek(file, 0, SEEK_END);
	size_t n = (size_t)ftell(file);
	rewind(file);
	char *text = calloc(n + 1, 1);
	size_t n_read = fread(text, 1, n, file);
	fclose(file);
	text[n_read] = '\0';
	return text;
}
