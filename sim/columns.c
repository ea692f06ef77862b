#include "sim/columns.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* As they are written, and what they are; nothing that is also a common word in a name. */
static const struct {
	const char *written, *unit;
} units[] = {
	{"ns", "ns"}, {"us", "us"}, {"\xc2\xb5s", "us"}, {"\xce\xbcs", "us"}, {"ms", "ms"}, {"s", "s"},
	{"min", "min"}, {"h", "h"}, {"nanoseconds", "ns"}, {"microseconds", "us"},
	{"milliseconds", "ms"}, {"msec", "ms"}, {"millis", "ms"}, {"sec", "s"}, {"secs", "s"},
	{"second", "s"}, {"seconds", "s"}, {"minutes", "min"}, {"hours", "h"}, {"mm", "mm"},
	{"cm", "cm"}, {"dm", "dm"}, {"m", "m"}, {"inch", "inch"}, {"inches", "inch"}, {"ft", "ft"},
	{"millimetres", "mm"}, {"millimeters", "mm"}, {"centimetres", "cm"}, {"centimeters", "cm"},
	{"metres", "m"}, {"meters", "m"}, {"mg", "mg"}, {"g", "g"}, {"kg", "kg"}, {"t", "t"},
	{"lb", "lb"}, {"lbs", "lb"}, {"oz", "oz"}, {"grams", "g"}, {"kilograms", "kg"},
	{"pounds", "lb"},
};

static bool is_letter(char c)
{
	return isalnum((unsigned char)c) || (unsigned char)c >= 0x80;
}

/* The unit that these letters are, whatever their case; NULL: none. */
static const char *unit_of(const char *word, size_t n)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		size_t k = 0;
		while (k < n && tolower((unsigned char)word[k]) == (unsigned char)units[i].written[k]) {
			k++;
		}
		if (k == n && units[i].written[n] == '\0') {
			return units[i].unit;
		}
	}
	return NULL;
}

/* The first unit among the words of a name but its first, or that one if it is alone; NULL: none. */
static const char *unit_in(const char *name)
{
	const char *alone = NULL;
	size_t n_words = 0;
	for (const char *at = name; *at != '\0';) {
		size_t n = 0;
		while (is_letter(at[n])) {
			n++;
		}
		const char *unit = n > 0 ? unit_of(at, n) : NULL;
		if (n > 0 && n_words++ > 0 && unit != NULL) {
			return unit;
		}
		alone = n > 0 && n_words == 1 ? unit : alone;
		at += n > 0 ? n : 1;
	}
	return n_words == 1 ? alone : NULL;
}

bool column_unit_check(const char *name, const char *unit, char error[256])
{
	const char *said = unit_in(name);
	if (said != NULL && strcmp(said, unit) != 0) {
		snprintf(error, 256, "says by its column `%.60s` that it is in %s, and %s is expected", name,
			said, unit);
		return false;
	}
	return true;
}

bool column_numbers_check(
	const struct csv_table *table, size_t column, const char *unit, char error[256])
{
	assert(column < table->n_columns);
	if (table->unreadable != NULL && table->unreadable[column] != NULL) {
		snprintf(error, 256, "has a mistake in %.220s", table->unreadable[column]);
		return false;
	}
	return column_unit_check(table->column_names[column], unit, error);
}

/* Is it `name`, or that and a unit? */
static bool is_called(const char *text, const char *name)
{
	size_t n = strlen(name);
	return strncmp(text, name, n) == 0 &&
		(text[n] == '\0' || (!is_letter(text[n]) && unit_in(text) != NULL));
}

bool column_find(const struct csv_table *table, const char *name, const char *unit,
	size_t *column, char error[256])
{
	size_t n = 0;
	for (size_t i = 0; i < table->n_columns; i++) {
		if (is_called(table->column_names[i], name)) {
			if (n++ > 0) {
				snprintf(error, 256, "has both `%.60s` and `%.60s`: which is the %s?",
					table->column_names[*column], table->column_names[i], name);
				return false;
			}
			*column = i;
		}
	}
	if (n == 0) {
		snprintf(error, 256, "has no column `%s` (%s)", name, unit);
		return false;
	}
	return column_numbers_check(table, *column, unit, error);
}
