/* Reading the columns of a user's CSV file for what they are: numbers, in the unit that is expected.
 *
 * A unit in a column's name ("delay_s", "weight (g)") is the only word that the file has on what its numbers
 * mean. Where it says another unit than is expected, the file is refused, since a factor of a thousand shows in no
 * other way. A name without a unit is taken at the reader's. */
#ifndef SIM_COLUMNS_H
#define SIM_COLUMNS_H

#include "sim/param.h"

/* Does the name say `unit` ("ms", "cm", "kg"), or none? False, with a sentence that names both. Words after the
 * first, or the only one, that are units of time, length or mass count. */
bool column_unit_check(const char *name, const char *unit, char error[256]);

/* Can the column be read as numbers in `unit`? False, with a sentence: the first cell that is none, with its
 * line, or the unit in its name. */
bool column_numbers_check(
	const struct csv_table *table, size_t column, const char *unit, char error[256]);

/* The column called `name`, with or without a unit behind it ("length", "length_cm", "length (cm)").
 * False, with a sentence, where there is none, several, or it can't be read as `unit`. */
bool column_find(const struct csv_table *table, const char *name, const char *unit,
	size_t *column, char error[256]);

#endif
