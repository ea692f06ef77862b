/* Scenarios: from YAML text to checked, typed settings, point by point.
 *
 * Reading goes in three steps: text to a tree with places (tree.h; libyaml's events), the tree with the
 * --set overrides and one point's swept values laid over it, and that checked against the plugins'
 * parameter tables into a `struct scenario`. All errors of a file are collected, placed and worded. */
#ifndef SCENARIOS_SCENARIO_H
#define SCENARIOS_SCENARIO_H

#include "results/tables.h"
#include "sim/arena.h"
#include "sim/node.h"
#include "sim/param.h"

#include <stdio.h>

/* What is wrong with a scenario, or (`note`) worth a look although it is none; printed sorted by place as
 *   FILE:LINE:COLUMN: error: text
 *      14 |   loss: 5
 *         |         ^
 *   note: ... */
struct diagnostics;

struct diagnostics *diagnostics_create(void);
void diagnostics_destroy(struct diagnostics *diagnostics);
size_t diagnostics_count(const struct diagnostics *diagnostics); /* errors */
void diagnostics_print(const struct diagnostics *diagnostics, FILE *out);
/* Adds a remark on a swept key's place, `KEY: text`; see diagnostics_remark. */
struct scenario_file;
void scenario_remark(const struct scenario_file *file, size_t key, struct diagnostics *diagnostics,
	const char *text);

struct stop_settings {
	int64_t items;    /* INT64_MAX: unbounded */
	sim_time time_ns; /* SIM_NEVER: unbounded */
	int64_t events, views;
	int64_t memory_bytes; /* -1: the machine's bound alone; INT64_MAX: not even that */
};

struct network_settings {
	struct plugin_value latency, topology;
	double bandwidth_bps; /* 0: unlimited */
	double loss;
};

/* A run that records its series ends, as a `limit`, at so many windows. */
#define SERIES_WINDOWS_MAX 1000000

/* One point, checked and complete: every `auto` is a number. */
struct scenario {
	const char *title;
	uint64_t seed;
	int64_t replications;
	struct stop_settings stop;
	int64_t n_validators;
	int64_t n_faulty;
	sim_time liveness_bound_ns;
	bool checkers, skip_unfit;
	sim_time liveness_after_ns; /* SIM_NEVER: not checked */
	struct plugin_value protocol; /* a struct protocol */
	struct network_settings network;
	struct node_costs node;
	struct plugin_value workload, predictor, scorer, aggregator;
	struct plugin_list attacks, faults;
	struct name_list record; /* words, in the order of tables, each once */
	sim_time window_ns; /* of /series and of availability */
	struct shape shape;
};

/* A value of a swept key at a point, as the result file holds it. */
struct swept_value {
	bool is_int, is_real; /* else text */
	int64_t integer;
	double real; /* SI units where the value carries a unit */
	const char *text; /* as the scenario spells it; lists and maps go by their kinds where these tell them apart */
};

/* A scenario file, read, with its --set overrides and its sweep expanded. */
struct scenario_file;

/* Reads and checks a file, every point of it. `sets` are "dotted.path=value". Returns NULL, with the
 * reasons in `diagnostics`, when anything is wrong. */
struct scenario_file *scenario_read(const char *path, const char *const *sets, size_t n_sets,
	struct diagnostics *diagnostics);
/* The same from text; `name` stands for the file's name in messages; relative paths are taken from
 * `directory`. */
struct scenario_file *scenario_parse(const char *text, size_t n_bytes, const char *name,
	const char *directory, const char *const *sets, size_t n_sets, struct diagnostics *diagnostics);
void scenario_close(struct scenario_file *file);

/* The text that reproduces it: the file's own, or, with --set, the tree written out with them applied. */
const char *scenario_text(const struct scenario_file *file);

size_t scenario_n_points(const struct scenario_file *file);
size_t scenario_n_swept(const struct scenario_file *file);
const char *scenario_swept_key(const struct scenario_file *file, size_t key); /* its dotted path */
/* Are all values of this key integers / numbers? Decides the column's type. */
bool scenario_swept_is_int(const struct scenario_file *file, size_t key);
bool scenario_swept_is_real(const struct scenario_file *file, size_t key);
const char *scenario_swept_unit(const struct scenario_file *file, size_t key); /* "s", "" */
struct swept_value scenario_swept_value(const struct scenario_file *file, size_t point, size_t key);
/* The first of the points that differ from this one in the key, and in what is zipped with it, alone: the point
 * itself where it has the key's first value. */
size_t scenario_first_like(const struct scenario_file *file, size_t point, size_t key);
/* The point's settings; they live as long as the file. Read-only: threads may share them. */
const struct scenario *scenario_point(const struct scenario_file *file, size_t point);

/* Prints a point as a scenario, with every key and what `auto` came to. */
void scenario_print(const struct scenario_file *file, size_t point, FILE *out);

/* Fills a plugin's settings from its table: the defaults, and what `sets`, "key=value" as in a
 * scenario, change. What `auto` leaves open stays so, and `finish` is the caller's to call. All memory
 * is the arena's. False, with the reasons in `diagnostics`, when anything is wrong. */
bool settings_fill(const struct plugin *plugin, const char *const *sets, size_t n_sets,
	struct plugin_value *out, struct arena *arena, struct diagnostics *diagnostics);

/* The nearest of `names` to a misspelt `text`, or NULL where none is near. Also for commands. */
const char *nearest_name(const char *text, const char *const *names, size_t n);
/* "a, b, c", with `last` between the last two; cut where there is no more room. */
void names_join(char *out, size_t size, const char *const *names, size_t n, const char *last);

/* The top-level keys and those of the fixed sections, for `synod list keys`. */
extern const struct param scenario_params[];

/* Every registry that a scenario can name anywhere, in the order of its keys; each once (by its plural: some take
 * part of another's plugins). At most `max`; how many. */
size_t scenario_registries(const struct registry **out, size_t max);
#define REGISTRIES_MAX 64

/* Every table that a result file can have: result_tables, then those that applications bring, in the order of their
 * registry, each name once. At most `max`; how many. */
size_t scenario_tables(const struct table **out, size_t max);
#define SCENARIO_TABLES_MAX 128
/* The applications that bring it, `max` at most; how many. */
size_t scenario_table_bringers(const struct table *table, const struct plugin **out, size_t max);
/* The words of `record`: number i, or NULL behind the last. */
const char *scenario_record_word(size_t i);
/* Does the scenario ask for the table? */
bool scenario_records(const struct scenario *scenario, const struct table *table);

#endif
