/* The runs table as figures see it: swept keys are factors with levels, KPIs are columns of
 * numbers.
 *
 * Swept keys are the columns between `seed` and `verdict`. A factor's levels are numbered upwards
 * where all are numbers, otherwise in the order in which the file names them. */
#ifndef ANALYSIS_FRAME_H
#define ANALYSIS_FRAME_H

#include "labels.h"
#include "results/results.h"

#define FACTORS_MAX 32
#define CELL_TEXT_MAX 4096 /* bytes of a level, at most */

struct factor {
	const char *key;
	const char *unit;
	char label[LABEL_MAX]; /* with the unit in which numbers are shown along an axis */
	char bare[LABEL_MAX];  /* without it */
	double scale;          /* shown = level * scale */
	bool mixed;            /* levels as names have prefixes of their own: 64 bytes, 64 KiB */
	size_t n_levels;
	char **levels;  /* as text */
	size_t *of_row; /* the level of each row */
	bool zipped;    /* swept side by side with the others that are */
};

struct frame {
	struct results_file *file;
	const struct table_schema *schema;
	const struct block *runs;
	size_t n_rows;
	size_t n_factors;
	struct factor factors[FACTORS_MAX];
	int64_t *run;         /* of each row */
	int64_t *replication; /* of each row */
	size_t *row_at;       /* the table's row of each */
	size_t *by_run;       /* rows in ascending order of run */
	bool wrong_where;
};

/* Reads the runs table, those of its rows that n_where conditions leave (results/where.h). The frame owns the
 * file from then on. False: error says why; frame->wrong_where where it is a condition. O(rows log rows) a
 * key. */
bool frame_open(struct frame *frame, const char *path, const char *const *where, size_t n_where,
	struct results_error *error);
void frame_close(struct frame *frame);

/* A KPI's values, one a row, NaN where undefined; false where there is no such KPI.
 * `bytes_per_item` is made from `bytes` and `items`. */
bool frame_values(const struct frame *frame, const char *kpi, double *values);
/* What the file says of a KPI that it has. */
const struct column *frame_column(const struct frame *frame, const char *kpi);
/* Names of all KPIs; at most `max`, answers how many. */
size_t frame_kpis(const struct frame *frame, const char **names, size_t max);
/* The factor of a swept key, or -1. */
int frame_factor(const struct frame *frame, const char *key);
/* The row of a run, or SIZE_MAX. O(log n). */
size_t frame_row(const struct frame *frame, int64_t run);
/* Says in words how many of the rows did not complete; empty where all did. */
void frame_verdicts(const struct frame *frame, const bool *used, char *out, size_t size);
/* Says which share of the items was never answered, for each of n arms (`of_row`; SIZE_MAX: none) where it is
 * not 0; empty where all were, or the file does not say. `used` may be NULL: all rows. */
void frame_unanswered(const struct frame *frame, const bool *used, const size_t *of_row, char *const *names,
	size_t n, char *out, size_t size);

#endif
