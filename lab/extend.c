#include "lab/extend.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define NO_POINT UINT64_MAX
#define PORTION 65536 /* rows of a table in memory */

/* A point's settings, all of them, as a number. Equal numbers are taken for equal settings (128 bits). */
struct point_key {
	XXH128_hash_t hash;
	uint64_t point;
};

/* Rows of one table, portion by portion. */
struct cursor {
	uint64_t next, n_rows; /* of the table: not read yet, all */
	size_t at;             /* in the portion */
	struct block block;
	const struct table_schema *schema;
	enum table_id in_old;
	int *columns; /* of the new table's columns, their place here; -1: known otherwise */
};

struct extension {
	struct results_file *old;
	const struct scenario_file *file;
	const struct run_schemas *schemas;
	uint64_t *points; /* of the old sweep's points, the new sweep's */
	struct cursor cursors[TABLES_MAX];
};

/* --- Equal settings --- */

/* Every key as `synod check` prints it, but for what is of the whole sweep. */
static XXH128_hash_t settings_hash(const struct scenario_file *file, size_t point)
{
	static const char *const skipped[] = {"#", "title:", "replications:"};
	char *text = NULL;
	size_t bytes = 0;
	FILE *out = open_memstream(&text, &bytes);
	XXH3_state_t *state = XXH3_createState();
	if (out == NULL || state == NULL) {
		abort();
	}
	scenario_print(file, point, out);
	fclose(out);
	XXH3_128bits_reset(state);
	for (const char *line = text; *line != '\0';) {
		size_t n = strcspn(line, "\n");
		n += line[n] == '\n';
		bool skip = false;
		for (size_t i = 0; i < sizeof(skipped) / sizeof(skipped[0]); i++) {
			skip = skip || strncmp(line, skipped[i], strlen(skipped[i])) == 0;
		}
		if (!skip) {
			XXH3_128bits_update(state, line, n);
		}
		line += n;
	}
	XXH128_hash_t hash = XXH3_128bits_digest(state);
	XXH3_freeState(state);
	free(text);
	return hash;
}

static int compare_keys(const void *a, const void *b)
{
	return XXH128_cmp(&((const struct point_key *)a)->hash, &((const struct point_key *)b)->hash);
}

/* Where each point of the old sweep is in the new one; NULL where one is nowhere. */
static uint64_t *map_points(const struct scenario_file *old, const struct scenario_file *new)
{
	size_t n_old = scenario_n_points(old), n_new = scenario_n_points(new);
	uint64_t *points = calloc(n_old, sizeof(*points));
	struct point_key *keys = calloc(n_new, sizeof(*keys));
	if (points == NULL || keys == NULL) {
		abort();
	}
	for (size_t i = 0; i < n_new; i++) {
		keys[i] = (struct point_key){settings_hash(new, i), i};
	}
	qsort(keys, n_new, sizeof(*keys), compare_keys);
	bool all = true;
	for (size_t i = 0; i < n_old && all; i++) {
		struct point_key wanted = {settings_hash(old, i), i};
		const struct point_key *found = bsearch(&wanted, keys, n_new, sizeof(*keys), compare_keys);
		all = found != NULL;
		points[i] = all ? found->point : NO_POINT;
	}
	free(keys);
	if (!all) {
		free(points);
		return NULL;
	}
	return points;
}

/* --- Opening --- */

/* Where a table's columns are in the old one. False where one is nowhere that nothing else tells. */
static bool map_columns(struct extension *it, enum table_id table)
{
	const struct table_schema *new = &it->schemas->tables[table];
	struct cursor *cursor = &it->cursors[table];
	cursor->in_old = table < TABLE_N || new->name == NULL ? table : results_find_table(it->old, new->name);
	cursor->schema = cursor->in_old < TABLES_MAX ? results_schema(it->old, cursor->in_old) : NULL;
	if (new->n_columns == 0 || cursor->schema == NULL) {
		return new->n_columns == 0 && cursor->schema == NULL;
	}
	cursor->n_rows = results_n_rows(it->old, cursor->in_old);
	cursor->columns = calloc(new->n_columns, sizeof(*cursor->columns));
	if (cursor->columns == NULL) {
		abort();
	}
	for (size_t i = 0; i < new->n_columns; i++) {
		int at = schema_find(cursor->schema, new->columns[i].name);
		bool fits = at >= 0 && cursor->schema->columns[at].type == new->columns[i].type;
		bool swept = table == TABLE_RUNS && i >= 4 && i < 4 + it->schemas->n_swept;
		if (!fits && !swept) {
			return false;
		}
		cursor->columns[i] = fits ? at : -1;
	}
	return true;
}

struct extension *extension_open(const char *path, const char *directory, const struct scenario_file *file,
	const struct run_schemas *schemas)
{
	struct results_error error = {0};
	struct results_file *old = results_open(path, &error);
	if (old == NULL) {
		return NULL;
	}
	struct extension *it = calloc(1, sizeof(*it));
	if (it == NULL) {
		abort();
	}
	*it = (struct extension){.old = old, .file = file, .schemas = schemas};
	const char *text = results_header(old)->scenario;
	struct diagnostics *diagnostics = diagnostics_create();
	struct scenario_file *old_file =
		scenario_parse(text, strlen(text), path, directory, NULL, 0, diagnostics);
	diagnostics_destroy(diagnostics);
	bool holds = old_file != NULL &&
		scenario_point(old_file, 0)->replications <= scenario_point(file, 0)->replications &&
		scenario_n_points(old_file) <= scenario_n_points(file);
	if (holds) {
		it->points = map_points(old_file, file);
		holds = it->points != NULL;
	}
	for (int i = 0; i < TABLES_MAX && holds; i++) {
		holds = map_columns(it, i);
	}
	scenario_close(old_file);
	if (!holds) {
		extension_close(it);
		return NULL;
	}
	return it;
}

void extension_close(struct extension *it)
{
	if (it == NULL) {
		return;
	}
	for (int i = 0; i < TABLES_MAX; i++) {
		block_finish(&it->cursors[i].block);
		free(it->cursors[i].columns);
	}
	free(it->points);
	results_close(it->old);
	free(it);
}

/* --- Copying --- */

/* Is there another row, in memory from now on? */
static bool row_is_there(struct extension *it, enum table_id table, struct results_error *error)
{
	struct cursor *cursor = &it->cursors[table];
	if (cursor->at < cursor->block.n_rows) {
		return true;
	}
	uint64_t left = cursor->n_rows - cursor->next;
	if (left == 0) {
		return false;
	}
	size_t n = left < PORTION ? (size_t)left : PORTION;
	cursor->at = 0;
	if (!results_read(it->old, cursor->in_old, cursor->next, n, &cursor->block, error)) {
		return false;
	}
	cursor->next += n;
	return true;
}

static union cell cell_of(const struct cursor *cursor, int column)
{
	return block_get(&cursor->block, cursor->schema, cursor->at, (size_t)column);
}

static const char *verdict_of(const struct cursor *cursor)
{
	return cell_of(cursor, schema_find(cursor->schema, "verdict")).string;
}

/* Takes the rows of one old run from a table, under its new number. */
static bool copy_table(struct extension *it, enum table_id table, int64_t old_run,
	const struct run_request *request, struct block *into, struct results_error *error)
{
	struct cursor *cursor = &it->cursors[table];
	const struct table_schema *schema = &it->schemas->tables[table];
	union cell *cells = calloc(schema->n_columns, sizeof(*cells));
	if (cells == NULL) {
		abort();
	}
	int run = cursor->schema == NULL ? -1 : schema_find(cursor->schema, "run");
	while (run >= 0 && row_is_there(it, table, error) && cell_of(cursor, run).integer == old_run) {
		for (size_t i = 0; i < schema->n_columns; i++) {
			if (cursor->columns[i] >= 0) {
				cells[i] = cell_of(cursor, cursor->columns[i]);
			}
			if (strcmp(schema->columns[i].name, "run") == 0) {
				cells[i].integer = (int64_t)run_index(request);
			}
		}
		if (table == TABLE_RUNS) {
			run_row_begin(request, cells);
		}
		block_append(into, schema, cells);
		cursor->at++;
	}
	free(cells);
	return error->text[0] == '\0';
}

int64_t extension_copy(struct extension *it, struct journal *journal, struct results_error *error)
{
	error->text[0] = '\0';
	int64_t n_copied = 0;
	struct cursor *runs = &it->cursors[TABLE_RUNS];
	int run = schema_find(runs->schema, "run"), point = schema_find(runs->schema, "point"),
		replication = schema_find(runs->schema, "replication");
	while (row_is_there(it, TABLE_RUNS, error)) {
		struct run_request request = {
			.file = it->file,
			.schemas = it->schemas,
			.point = it->points[cell_of(runs, point).integer],
			.replication = (uint64_t)cell_of(runs, replication).integer,
		};
		int64_t old_run = cell_of(runs, run).integer;
		bool failed = strcmp(verdict_of(runs), "failed") == 0;
		struct run_blocks blocks = {0};
		bool good = true;
		for (int i = 0; i < TABLES_MAX && good; i++) {
			good = copy_table(it, i, old_run, &request, &blocks.tables[i], error);
		}
		if (good && !failed && !journal_holds(journal, run_index(&request))) {
			good = journal_append(journal, run_index(&request), &blocks, error);
			n_copied++;
		}
		run_blocks_finish(&blocks);
		if (!good) {
			break;
		}
	}
	return error->text[0] == '\0' ? n_copied : -1;
}
