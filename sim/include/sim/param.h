/* Parameter tables: the only description of what a scenario may say to a plugin.
 *
 * Every protocol, latency, workload, attack, fault, aggregator, scorer, predictor and so on is one
 * `const` struct whose first member is a `struct plugin`. Its table of parameters says name, kind,
 * range, default and help; reading and checking a scenario, `synod list`, `synod check` and the manual
 * are all made from it. A plugin's settings are a plain struct, filled in at the tables' offsets.
 *
 * This header describes only; the code that reads YAML into the settings is in scenarios/. */
#ifndef SIM_PARAM_H
#define SIM_PARAM_H

#include "sim/types.h"

enum param_kind {
	PARAM_INT,            /* int64_t */
	PARAM_REAL,           /* double */
	PARAM_BOOL,           /* bool: true/false, on/off, yes/no */
	PARAM_DURATION,       /* sim_time: "20 ms" */
	PARAM_DURATION_RANGE, /* sim_time[2]: "[150 ms, 300 ms]" */
	PARAM_DURATIONS,      /* struct time_list: a list of durations, each longer than the one before */
	PARAM_NUMBERS,        /* struct number_list: a list of numbers, each in the range; one by validator, say */
	PARAM_RATE,           /* double, events per second: "100 /s" */
	PARAM_BYTES,          /* int64_t: "64 KiB" */
	PARAM_BANDWIDTH,      /* double, bit/s: "1 Gbit/s" */
	PARAM_CHOICE,         /* int: the index in `choices` ("a|b|c") */
	PARAM_STRING,         /* const char * */
	PARAM_PATH,           /* const char *: a file, relative to the scenario file; resolved when read */
	PARAM_NODES,          /* struct node_list: validator numbers, or `leader` */
	PARAM_NAMES,          /* struct name_list: a list of strings */
	PARAM_GROUPS,         /* struct node_groups: a list of lists of validator numbers */
	PARAM_TABLE,          /* const struct csv_table *: a CSV file of numbers with a header row */
	PARAM_MATRIX,         /* const struct csv_table *: a built-in's name, or a square CSV file with a
	                       * header row and a column of names */
	PARAM_PLUGIN,         /* struct plugin_value: `kind` or `{kind: ..., ...}` out of `registry` */
	PARAM_PLUGINS,        /* struct plugin_list: a list of these */
};

/* What may be written instead of a value, besides what the kind allows. */
enum param_flags {
	PARAM_REQUIRED = 1 << 0, /* there is no default */
	PARAM_AUTO = 1 << 1,     /* `auto`: stored as PARAM_AUTO_VALUE (both ends of a range) */
	PARAM_OFF = 1 << 2,      /* `off`: stored as SIM_NEVER (both ends of a range) */
	PARAM_N = 1 << 3,        /* `n`: the number of validators (PARAM_INT); stored as that number */
	PARAM_NONE = 1 << 4,     /* `none`: PARAM_STRING, PARAM_PATH: NULL; PARAM_INT: -1; */
	PARAM_EXCLUDE_MIN = 1 << 5, /* the range is open at its lower end */
	PARAM_CLIENTS = 1 << 7,     /* `client 0` among the nodes of a PARAM_NODES */
	PARAM_UNLIMITED = 1 << 6,   /* `unlimited`: PARAM_BANDWIDTH: stored as 0; PARAM_INT: INT64_MAX */
};

#define PARAM_AUTO_VALUE INT64_MIN

struct registry;

/* Numbers read from a CSV file (or built in). */
struct csv_table {
	size_t n_rows, n_columns;
	const char *const *column_names;
	const char *const *row_names; /* NULL unless a matrix */
	const double *cells;          /* row by row; NaN where a cell is no number */
	const char *corner;           /* of a matrix: what stands above the row names; NULL: nothing */
	/* By column: why it is no column of numbers, with the line (sim/columns.h); NULL: all are. */
	const char *const *unreadable;
};

struct param {
	const char *name;
	enum param_kind kind;
	unsigned flags;
	size_t offset; /* in the settings struct */
	double min, max; /* the range in the unit of storage (ns, bytes, bit/s, ...); both 0: any value >= 0 */
	const char *fallback; /* the default as a scenario would spell it; NULL: required or unset */
	const char *choices;  /* PARAM_CHOICE */
	const char *(*words)(size_t i); /* PARAM_NAMES: those there are, NULL behind the last; NULL: any */
	const struct registry *registry; /* PARAM_PLUGIN, PARAM_PLUGINS */
	const struct csv_table *(*builtin)(const char *name); /* PARAM_MATRIX: NULL where unknown */
	/* PARAM_AUTO of durations: `auto` becomes auto_delays[k] times the scenario's largest 99.9 % one-way
	 * delay and what a round costs processors and cards, and k + 1 times what the largest message takes of
	 * cards; at least auto_min_ns[k]; k = 1 is the upper end of a range. Both 0: the plugin's `finish`
	 * decides. */
	double auto_delays[2];
	sim_time auto_min_ns[2];
	/* Where the parameter is looked at, as "KEY = VALUE|VALUE", "KEY != VALUE" or "KEY > NUMBER"; NULL:
	 * always. KEY is another parameter of the table or else a path from the scenario's top (`protocol.reads`);
	 * one that is not there holds nothing. `check` and `run` say where such a one is set in vain. */
	const char *when;
	/* Another duration that this one should stay below, named like `when`'s KEY, for the same notes. */
	const char *below;
	/* PARAM_PLUGIN, PARAM_PLUGINS: parameters "A|B" of the plugins in it that nothing looks at there, since the
	 * outer one's hold for all. */
	const char *idle;
	const char *unit; /* for people: "s", "bytes", "" */
	const char *help; /* one line, lower case, without a full stop */
};

/* What the plugins may need to know of the scenario to complete or refuse their settings. */
struct shape {
	uint32_t n_validators;
	uint32_t n_faulty;           /* f: what the protocol is set to tolerate */
	uint32_t n_clients;          /* of their own; set once the workload is finished */
	sim_time delay_p999_ns;      /* the largest 99.9 % one-way delay of the network */
	sim_time round_ns;           /* what a round of small messages among all costs one node's processor and card */
	sim_time bulk_ns;            /* how long the largest message and its like keep two cards busy */
	sim_time client_timeout_ns;  /* the workload's; set once that is finished */
	bool stores;                 /* the protocol writes to stable storage */
	bool costs;                  /* some of the nodes' costs is above 0 */
	/* Of the protocol; set for attacks and faults, that are finished last. */
	unsigned steps;                   /* bits by enum protocol_step: those it can ever take */
	bool lies;                        /* it says what can be forged (`protocol->forgery`) */
	const char *const *message_names; /* its messages, ends with NULL; NULL: unknown */
	/* The nearest known spelling, or NULL. */
	const char *(*nearest)(const char *text, const char *const *names, size_t n);
};

struct plugin {
	const char *name;    /* as spelled in a scenario */
	const char *summary; /* one line, lower case, without a full stop */
	const struct param *params; /* ends with a NULL name; may be NULL */
	size_t settings_size;
	/* Fills what `auto` left open and checks what a range alone can't say. Returns true, or false with
	 * the name of the parameter at fault in *param and a sentence of at most 200 bytes in `error`:
	 * what is wrong and what would be right. May be NULL. */
	bool (*finish)(void *settings, const struct shape *shape, const char **param, char error[256]);
	const char *when; /* as a parameter's: where the plugin has any effect; NULL: everywhere */
	const char *idle; /* parameters "A|B" of its table that it has no use for: those that all of its sort have */
};

/* Kinds of delays besides the network's own, such as a disk's or the jitter of regions: `none`, the first, constant,
 * lognormal and so on. A bare duration is a constant one. */
extern const struct registry latency_extra_registry;

/* A list of plugins of one sort, each the first member of a larger struct; ends with NULL. */
struct registry {
	const char *sort;   /* singular, for messages: "protocol" */
	const char *plural; /* "protocols" */
	const struct plugin *const *plugins;
};

struct plugin_value {
	const struct plugin *plugin; /* NULL: not given */
	void *settings;
};

struct plugin_list {
	size_t n;
	struct plugin_value *values;
};

struct time_list {
	size_t n; /* 0: not given */
	const sim_time *times; /* ascending, no doubles */
};

struct number_list {
	size_t n; /* 0: not given */
	const double *numbers; /* finite */
};

struct node_list {
	size_t n;
	const uint32_t *nodes; /* ascending, no doubles; client k is NODE_CLIENT + k */
	bool leader;           /* `leader`: whoever it is then; n is 0 */
	bool given;
};

#define NODE_CLIENT (UINT32_C(1) << 31) /* in a node_list, where PARAM_CLIENTS lets clients in */

struct name_list {
	size_t n;
	const char *const *names;
};

struct node_groups {
	size_t n;
	const struct node_list *groups;
};

/* The end of a table. */
#define PARAM_END \
	{ \
		.name = NULL \
	}

#endif
