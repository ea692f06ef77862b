#include "fixture.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <dirent.h>
#include <math.h>

const struct results_header fixture_header = {
	.scenario = "# a scenario\ntitle: 'Largo al factotum'\nseed: 7\nvalidators: 4\n",
	.synod_version = "0.1.0",
	.source = "v0.1-3-gabcdef",
	.seed = UINT64_C(0xfedcba9876543210),
};

static const struct column run_columns[] = {
	{"run", COLUMN_INT, "", "number of the run"},
	{"point", COLUMN_INT, "", "setting of the swept keys"},
	{"replication", COLUMN_INT, "", "number within the point"},
	{"seed", COLUMN_INT, "", "the run's own seed"},
	{"attacks.0.fraction", COLUMN_REAL, "", "a swept key"},
	{"protocol", COLUMN_STRING, "", "a swept key"},
	{"verdict", COLUMN_STRING, "", "how it ended"},
	{"verdict_reason", COLUMN_STRING, "", "and why"},
	{"latency_mean_s", COLUMN_REAL, "s", "mean latency", "mean latency", SORT_TIME},
	{"mae", COLUMN_REAL, "kg", "mean absolute error"},
	{"recovery_s", COLUMN_REAL, "s", "never defined here", "so much of it", SORT_SHARE, "run", true},
};

static const struct column decision_columns[] = {
	{"run", COLUMN_INT, "", "number of the run"},
	{"item", COLUMN_INT, "", "number of the item"},
	{"value", COLUMN_REAL, "kg", "what was decided"},
	{"kind", COLUMN_STRING, "", "kind of thing"},
};

#define SCHEMA(columns)                                                                            \
	{                                                                                              \
		sizeof(columns) / sizeof(*(columns)), columns                                              \
	}

const struct table_schema fixture_schemas[TABLES_MAX] = {
	[TABLE_RUNS] = SCHEMA(run_columns),
	[TABLE_DECISIONS] = SCHEMA(decision_columns),
};

struct run_blocks fixture_run(uint64_t run)
{
	static const char *const protocols[] = {"none", "raft", "pbft"};
	struct run_blocks blocks = {0};
	char reason[64] = "";
	if (run == 5) {
		snprintf(reason, sizeof(reason), "no quorum of live validators, \"really\" \xc3\xa9");
	}
	block_append(&blocks.tables[TABLE_RUNS], &fixture_schemas[TABLE_RUNS],
		(union cell[]){
			{.integer = (int64_t)run},
			{.integer = (int64_t)run / 4},
			{.integer = (int64_t)run % 4},
			{.integer = INT64_MIN + (int64_t)run},
			{.real = 0.1 * (double)(run / 4)},
			{.string = protocols[run % 3]},
			{.string = run == 5 ? "stalled" : "completed"},
			{.string = run == 6 ? NULL : reason},
			{.real = 1.0 / (double)(run + 3)},
			{.real = run == 2   ? -0.0
					 : run == 3 ? (double)INFINITY
								: (double)run},
			{.real = run % 2 ? (double)NAN : -(double)NAN},
		});
	/* Run 4 has decided nothing; run 9 fills more than a page. */
	uint64_t n_items = run == 4 ? 0 : run == 9 ? 700 : 3 + run;
	for (uint64_t item = 0; item < n_items; item++) {
		block_append(&blocks.tables[TABLE_DECISIONS], &fixture_schemas[TABLE_DECISIONS],
			(union cell[]){
				{.integer = (int64_t)run},
				{.integer = (int64_t)item},
				{.real = (double)(item * item) / 7 + (double)run},
				{.string = item % 3 ? "predict" : "close, at last"},
			});
	}
	return blocks;
}

struct folder {
	char path[64];
	char *names[64];
	size_t n_names;
};

int folder_setup(void **state)
{
	struct folder *folder = calloc(1, sizeof(*folder));
	strcpy(folder->path, "/tmp/synod-results-XXXXXX");
	*state = folder;
	return mkdtemp(folder->path) ? 0 : -1;
}

int folder_teardown(void **state)
{
	struct folder *folder = *state;
	DIR *directory = opendir(folder->path);
	for (struct dirent *entry; directory && (entry = readdir(directory));) {
		char path[512];
		snprintf(path, sizeof(path), "%s/%s", folder->path, entry->d_name);
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
			remove(path);
		}
	}
	closedir(directory);
	rmdir(folder->path);
	for (size_t i = 0; i < folder->n_names; i++) {
		free(folder->names[i]);
	}
	free(folder);
	return 0;
}

const char *in_folder(void **state, const char *name)
{
	struct folder *folder = *state;
	assert_true(folder->n_names < 64);
	char *path = malloc(strlen(folder->path) + strlen(name) + 2);
	sprintf(path, "%s/%s", folder->path, name);
	folder->names[folder->n_names++] = path;
	return path;
}

struct journal *must_open(const char *path, bool resume)
{
	struct results_error error;
	struct journal *journal =
		journal_open(path, &fixture_header, fixture_schemas, FIXTURE_RUNS, resume, &error);
	if (!journal) {
		fail_msg("%s", error.text);
	}
	return journal;
}

void must_append(struct journal *journal, uint64_t run)
{
	struct results_error error;
	struct run_blocks blocks = fixture_run(run);
	if (!journal_append(journal, run, &blocks, &error)) {
		fail_msg("%s", error.text);
	}
	run_blocks_finish(&blocks);
}

void must_complete(struct journal *journal)
{
	struct results_error error;
	if (!journal_complete(journal, &error)) {
		fail_msg("%s", error.text);
	}
}

void must_write(const char *path)
{
	struct journal *journal = must_open(path, false);
	for (uint64_t run = 0; run < FIXTURE_RUNS; run++) {
		must_append(journal, run);
	}
	must_complete(journal);
}

unsigned char *read_bytes(const char *path, size_t *n_bytes)
{
	FILE *in = fopen(path, "rb");
	assert_non_null(in);
	fseek(in, 0, SEEK_END);
	*n_bytes = (size_t)ftell(in);
	rewind(in);
	unsigned char *bytes = malloc(*n_bytes + 1);
	assert_int_equal(fread(bytes, 1, *n_bytes, in), *n_bytes);
	bytes[*n_bytes] = '\0';
	fclose(in);
	return bytes;
}

void write_bytes(const char *path, const void *bytes, size_t n_bytes)
{
	FILE *out = fopen(path, "wb");
	assert_non_null(out);
	assert_int_equal(fwrite(bytes, 1, n_bytes, out), n_bytes);
	fclose(out);
}

void assert_same_bytes(const char *path_a, const char *path_b)
{
	size_t n_a, n_b;
	unsigned char *a = read_bytes(path_a, &n_a), *b = read_bytes(path_b, &n_b);
	assert_int_equal(n_a, n_b);
	assert_memory_equal(a, b, n_a);
	free(a);
	free(b);
}

bool exists(const char *path)
{
	struct stat status;
	return lstat(path, &status) == 0;
}
