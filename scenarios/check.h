/* Checks a tree against parameter tables and fills in settings.
 *
 * Knows kinds of parameters and nothing of any one plugin. What is filled in refers to the file's
 * memory (names, lists, tables: pooled) and, for plugins' settings, to the point's scratch memory
 * until finish.c has completed and pooled them. */
#ifndef CHECK_H
#define CHECK_H

#include "diagnostics.h"
#include "pool.h"
#include "quantity.h"
#include "tree.h"

#include "sim/param.h"

/* What is known of a swept value once it has met its parameter. */
struct swept_cell {
	const struct tree *tree;
	const char *text; /* its label */
	bool typed;       /* the rest is filled in */
	bool is_int, is_real;
	int64_t integer;
	double real;
	const char *unit;
};

struct csv_file; /* one that was read, or failed to be */
struct fallback_tree;

/* What outlives the check of one point. */
struct checker {
	struct diagnostics *diagnostics;
	struct arena *arena;   /* lives as long as the scenario file */
	struct arena *scratch; /* of the point, or of a few */
	struct pool pool;
	const char *directory; /* relative paths start here; NULL: the working directory */
	struct csv_file *csv_files;
	struct fallback_tree *fallbacks;
	size_t n_fallbacks, fallbacks_capacity;
	/* Of this point: */
	uint32_t n_validators; /* 0: not known, so that nothing is said of node numbers */
	struct swept_cell **watched;
	size_t n_watched;
};

void checker_finish(struct checker *checker);

/* Where in the scenario a value stands, as people write it: a list of words, last first. */
struct path {
	const struct path *up;
	const char *word; /* NULL: `index` */
	size_t index;
};

struct path_text {
	char text[200];
};
struct path_text path_text(const struct path *path);

/* Fills `settings` from a map (or a plugin written as its kind alone) by the table. Parameters that
 * are not there take their fallback. `kind` is the plugin's name where the map is a plugin's, else
 * NULL. False where anything is wrong; as much as possible is checked even so. */
bool check_params(struct checker *checker, const struct tree *map, const struct param *table,
	const char *kind, void *settings, const struct path *path);

/* One value by its parameter, into `at`. */
bool check_value(struct checker *checker, const struct tree *value, const struct param *param,
	void *at, const struct path *path);

/* `auto`, `off` and what else the flags allow in a value's stead. */
bool check_word(
	struct checker *checker, const struct tree *value, const struct param *param, void *at);
bool check_scalar(struct checker *checker, const struct tree *value, const struct param *param,
	void *at, const struct path *path);
bool check_list(struct checker *checker, const struct tree *value, const struct param *param,
	void *at, const struct path *path);
/* Where the plugin is known but its settings are wrong, they are left NULL. */
bool check_plugin(struct checker *checker, const struct tree *value, const struct param *param,
	struct plugin_value *out, const struct path *path);

/* A list of words for a message, `a, b, c`; shortened where it is very long. */
struct words {
	char text[600];
	size_t n;
};
void words_add(struct words *words, const char *word);

/* Is it in the parameter's range? */
bool param_holds(const struct param *param, double value);
/* Adds `PATH must be WHAT, got VALUE`. Always false. */
bool refuse(struct checker *checker, const struct tree *value, const struct param *param,
	const struct path *path);

/* The same where a number has no unit, a wrong one, or is none. */
bool refuse_quantity(struct checker *checker, const struct tree *value, const struct param *param,
	const struct path *path, enum quantity_problem problem);
/* Adds a note that several values are swept, where the value is a list and the path may be swept. */
void note_sweep(struct checker *checker, const struct tree *value, const struct path *path);
/* Where else a key of that name is known, in words: "protocol (raft, pbft)"; empty where nowhere. */
struct words words_home(const char *key);

/* What a value that isn't there stands for, or NULL. At the place of what it belongs to. */
const struct tree *fallback_tree(
	struct checker *checker, const struct param *param, struct place place);
/* The value at the parameter's name, which may have one dot (`stop.items`); NULL where there is
 * none. */
const struct tree *param_tree(const struct tree *map, const struct param *param);
/* The table's parameter of that name, or NULL. */
const struct param *param_find(const struct param *table, const char *name);
/* `path` below the scenario's directory. */
const char *path_resolve(struct checker *checker, const char *path);

/* Adds a value on one line as a scenario spells it; nothing for one that isn't set, nor for plugins. Files go
 * by the names that the scenario gives them in `tree`, since settings hold what was read. */
void value_print(
	struct text *out, const struct param *param, const struct tree *tree, const void *at);


#endif
