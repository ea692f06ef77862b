/* What a column of a result's tables is: plain types, for whoever brings columns of their own. */
#ifndef RESULTS_COLUMN_H
#define RESULTS_COLUMN_H

#include <stdbool.h>
#include <stdint.h>

enum column_type {
	COLUMN_REAL,   /* double; undefined is NaN */
	COLUMN_INT,    /* int64_t */
	COLUMN_STRING, /* UTF-8; NULL is written as "" */
};

/* What kind of quantity it is, for figures and statistics. */
enum column_sort {
	SORT_NONE,  /* a key, a name, a place: nothing that has a mean */
	SORT_COUNT, /* so many */
	SORT_SHARE, /* in [0, 1]; shown in percent */
	SORT_TIME,
	SORT_VALUE, /* any other */
	SORT_N
};

/* As files spell it: "", "count", "share", "time", "value". */
extern const char *const column_sorts[SORT_N];

struct column {
	const char *name;
	enum column_type type;
	const char *unit; /* "s", "kg", "share", "" */
	const char *help;
	const char *label; /* on axes: "mean latency"; NULL or "": its name */
	enum column_sort sort;
	const char *share_of; /* the column that says of how many it is a share; NULL or "": none says */
	bool more_is_better;
};

/* Stands for the unit of the workload's values ("kg"). */
#define UNIT_OF_VALUES "@"

/* One cell, as its column's type says. */
union cell {
	double real;
	int64_t integer;
	const char *string;
};

#endif
