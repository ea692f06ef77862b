#include "quantity.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__extension__ typedef __int128 wide;

/* A unit is factor * 2^binary * 10^decimal of what is stored. */
struct unit {
	const char *name;
	int64_t factor;
	int decimal, binary;
};

static const struct unit durations[] = {
	{"ns", 1, 0, 0},
	{"us", 1, 3, 0},
	{"ms", 1, 6, 0},
	{"s", 1, 9, 0},
	{"min", 60, 9, 0},
	{"h", 3600, 9, 0},
	{"\xc2\xb5s", 1, 3, 0}, /* the micro sign, and the Greek letter */
	{"\xce\xbcs", 1, 3, 0},
	{NULL},
};

static const struct unit sizes[] = {
	{"B", 1, 0, 0},
	{"KB", 1, 3, 0},
	{"MB", 1, 6, 0},
	{"GB", 1, 9, 0},
	{"KiB", 1, 0, 10},
	{"MiB", 1, 0, 20},
	{"GiB", 1, 0, 30},
	{"kB", 1, 3, 0},
	{NULL},
};

static const struct unit bandwidths[] = {
	{"bit/s", 1, 0, 0},
	{"kbit/s", 1, 3, 0},
	{"Mbit/s", 1, 6, 0},
	{"Gbit/s", 1, 9, 0},
	{"B/s", 1, 0, 3},
	{"KB/s", 1, 3, 3},
	{"MB/s", 1, 6, 3},
	{"GB/s", 1, 9, 3},
	{"KiB/s", 1, 0, 13},
	{"MiB/s", 1, 0, 23},
	{"GiB/s", 1, 0, 33},
	{"kB/s", 1, 3, 3},
	{NULL},
};

/* Rates are divided by the unit's time: the factor is below the line. */
static const struct unit rates[] = {
	{"/s", 1, 0, 0},
	{"/ms", 1, 3, 0},
	{"/min", 60, 0, 0},
	{"/h", 3600, 0, 0},
	{NULL},
};

const char *const duration_units[] = {"ns", "us", "ms", "s", "min", "h", NULL};
const char *const bytes_units[] = {"B", "KB", "MB", "GB", "KiB", "MiB", "GiB", NULL};
const char *const rate_units[] = {"/s", "/ms", "/min", "/h", NULL};
const char *const bandwidth_units[] = {"bit/s", "kbit/s", "Mbit/s", "Gbit/s", "B/s", "KB/s", "MB/s",
	"GB/s", "KiB/s", "MiB/s", "GiB/s", NULL};

bool quantity_split(const char *text, struct quantity *out)
{
	const char *at = text;
	bool negative = *at == '-', any = false, point = false;
	int64_t mantissa = 0;
	int exponent = 0;
	at += *at == '-' || *at == '+';
	for (;; at++) {
		if (*at == '.' && !point) {
			point = true;
		} else if (isdigit((unsigned char)*at)) {
			any = true;
			if (mantissa > (INT64_MAX - (*at - '0')) / 10) {
				return false;
			}
			mantissa = mantissa * 10 + (*at - '0');
			exponent -= point;
		} else {
			break;
		}
	}
	if (!any) {
		return false;
	}
	/* An `e` belongs to the number only where an exponent follows. */
	const char *power = at + 1;
	power += (*at == 'e' || *at == 'E') && (*power == '-' || *power == '+');
	if ((*at == 'e' || *at == 'E') && isdigit((unsigned char)*power)) {
		int value = 0;
		const char *sign = power - 1;
		for (; isdigit((unsigned char)*power); power++) {
			value = value > 9999 ? value : value * 10 + (*power - '0');
		}
		exponent += *sign == '-' ? -value : value;
		at = power;
	}
	if (*at != ' ' && *at != '\0' && (*at == '.' || *at == '_' || *at == ',')) {
		return false;
	}
	at += strspn(at, " ");
	out->number = (struct decimal){negative ? -mantissa : mantissa, exponent};
	out->unit = at;
	return true;
}

/* number * factor * 2^binary * 10^decimal as an integer; `exact` refuses fractions, else the
 * nearest. */
static enum quantity_problem scale(
	struct decimal number, const struct unit *unit, bool exact, int64_t *out)
{
	int exponent = number.exponent + unit->decimal;
	wide value = (wide)number.mantissa * unit->factor;
	/* 2^63 * 2^12 * 2^30 stays below 2^127. */
	value *= (wide)1 << unit->binary;
	if (value == 0) {
		*out = 0;
		return QUANTITY_FINE;
	}
	const wide limit = (wide)1 << 120;
	for (; exponent > 0; exponent--) {
		if (value > limit / 10 || value < -limit / 10) {
			return QUANTITY_TOO_LARGE;
		}
		value *= 10;
	}
	bool fraction = false;
	int last = 0;
	for (; exponent < 0 && (value != 0 || last != 0); exponent++) {
		last = (int)(value % 10);
		fraction |= last != 0;
		value /= 10;
	}
	if (exact && fraction) {
		return QUANTITY_FRACTION;
	}
	/* The last digit dropped decides; where nothing is left of the number it is far below a half.
	 */
	if (exponent == 0) {
		value += last >= 5 ? 1 : last <= -5 ? -1 : 0;
	}
	/* The largest integer means `never` and `unlimited`, the smallest `auto`. */
	if (value >= INT64_MAX || value <= INT64_MIN) {
		return QUANTITY_TOO_LARGE;
	}
	*out = (int64_t)value;
	return QUANTITY_FINE;
}

/* The nearest double to number * 10^decimal: one rounding, by strtod. */
static double real_of(struct decimal number, int decimal)
{
	char text[48];
	snprintf(text, sizeof(text), "%lldE%d", (long long)number.mantissa, number.exponent + decimal);
	return strtod(text, NULL);
}

static enum quantity_problem with_unit(
	const char *text, const struct unit *units, struct quantity *quantity, const struct unit **unit)
{
	if (!quantity_split(text, quantity)) {
		return QUANTITY_NO_NUMBER;
	}
	if (!*quantity->unit) {
		*unit = units;
		return quantity->number.mantissa == 0 ? QUANTITY_FINE : QUANTITY_NO_UNIT;
	}
	for (*unit = units; (*unit)->name; (*unit)++) {
		if (!strcmp((*unit)->name, quantity->unit)) {
			return QUANTITY_FINE;
		}
	}
	return QUANTITY_UNKNOWN_UNIT;
}

enum quantity_problem quantity_integer(const char *text, int64_t *out)
{
	struct quantity quantity;
	if (!quantity_split(text, &quantity)) {
		return QUANTITY_NO_NUMBER;
	}
	if (*quantity.unit) {
		return QUANTITY_HAS_UNIT;
	}
	static const struct unit one = {"", 1, 0, 0};
	return scale(quantity.number, &one, true, out);
}

enum quantity_problem quantity_real(const char *text, double *out)
{
	struct quantity quantity;
	if (!quantity_split(text, &quantity)) {
		return QUANTITY_NO_NUMBER;
	}
	if (*quantity.unit) {
		return QUANTITY_HAS_UNIT;
	}
	*out = real_of(quantity.number, 0);
	return isfinite(*out) ? QUANTITY_FINE : QUANTITY_TOO_LARGE;
}

enum quantity_problem quantity_duration(const char *text, sim_time *out)
{
	struct quantity quantity;
	const struct unit *unit;
	enum quantity_problem problem = with_unit(text, durations, &quantity, &unit);
	return problem ? problem : scale(quantity.number, unit, false, out);
}

enum quantity_problem quantity_bytes(const char *text, int64_t *out)
{
	struct quantity quantity;
	const struct unit *unit;
	enum quantity_problem problem = with_unit(text, sizes, &quantity, &unit);
	return problem ? problem : scale(quantity.number, unit, true, out);
}

enum quantity_problem quantity_rate(const char *text, double *out)
{
	struct quantity quantity;
	const struct unit *unit;
	enum quantity_problem problem = with_unit(text, rates, &quantity, &unit);
	if (problem) {
		return problem;
	}
	*out = real_of(quantity.number, unit->decimal) / (double)unit->factor;
	return isfinite(*out) ? QUANTITY_FINE : QUANTITY_TOO_LARGE;
}

enum quantity_problem quantity_bandwidth(const char *text, double *out)
{
	struct quantity quantity;
	const struct unit *unit;
	enum quantity_problem problem = with_unit(text, bandwidths, &quantity, &unit);
	if (problem) {
		return problem;
	}
	*out = real_of(quantity.number, unit->decimal) * (double)(INT64_C(1) << unit->binary);
	return isfinite(*out) ? QUANTITY_FINE : QUANTITY_TOO_LARGE;
}

void duration_print(sim_time ns, char *out, size_t size)
{
	static const struct {
		sim_time size;
		int digits;
		const char *name;
	} units[] = {{SIM_SECOND, 9, "s"}, {SIM_MS, 6, "ms"}, {SIM_US, 3, "us"}, {1, 0, "ns"}};
	size_t i = 0;
	while (ns != 0 && i < 3 && ns < units[i].size && ns > -units[i].size) {
		i++;
	}
	char number[32];
	decimal_print((struct decimal){ns, -units[i].digits}, number, sizeof(number));
	snprintf(out, size, "%s %s", number, units[i].name);
}

void bytes_print(int64_t bytes, char *out, size_t size)
{
	static const char *const names[] = {"B", "KiB", "MiB", "GiB"};
	size_t i = 0;
	while (bytes && i < 3 && bytes % 1024 == 0) {
		bytes /= 1024;
		i++;
	}
	snprintf(out, size, "%lld %s", (long long)bytes, names[i]);
}

void bandwidth_print(double bps, char *out, size_t size)
{
	static const char *const names[] = {"bit/s", "kbit/s", "Mbit/s", "Gbit/s"};
	size_t i = 0;
	double value = bps;
	while (bps != 0 && bps < 9e15 && i < 3 && fmod(value, 1000) == 0) {
		value /= 1000;
		i++;
	}
	char number[40];
	real_print(value, number, sizeof(number));
	snprintf(out, size, "%s %s", number, names[i]);
}

void real_print(double value, char *out, size_t size)
{
	for (int digits = 1; digits <= 17; digits++) {
		snprintf(out, size, "%.*g", digits, value);
		if (strtod(out, NULL) == value) {
			break;
		}
	}
	/* %g turns to an exponent early; whole numbers of a usual size are better read without. */
	if (strchr(out, 'e') && fabs(value) >= 1 && fabs(value) < 1e15 && floor(value) == value) {
		snprintf(out, size, "%.0f", value);
	}
}

void decimal_print(struct decimal value, char *out, size_t size)
{
	while (value.mantissa != 0 && value.exponent < 0 && value.mantissa % 10 == 0) {
		value.mantissa /= 10;
		value.exponent++;
	}
	if (value.mantissa == 0) {
		snprintf(out, size, "0");
	} else if (value.exponent > 0 || value.exponent < -18) {
		snprintf(out, size, "%llde%d", (long long)value.mantissa, value.exponent);
	} else if (value.exponent == 0) {
		snprintf(out, size, "%lld", (long long)value.mantissa);
	} else {
		int64_t power = 1;
		for (int i = value.exponent; i < 0; i++) {
			power *= 10;
		}
		uint64_t size_of = value.mantissa < 0 ? -(uint64_t)value.mantissa : (uint64_t)value.mantissa;
		snprintf(out, size, "%s%llu.%0*llu", value.mantissa < 0 ? "-" : "",
			(unsigned long long)(size_of / (uint64_t)power), -value.exponent,
			(unsigned long long)(size_of % (uint64_t)power));
	}
}
