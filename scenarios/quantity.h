/* Numbers with units, as a scenario writes them: exact where storage is exact.
 *
 * A quantity is a decimal number and a unit, with or without a space between: `20 ms`, `64 KiB`,
 * `1 Gbit/s`, `100 /s`, `1e6`. Integers of storage (ns, bytes) are computed in integers; reals are
 * the nearest double to what is written. */
#ifndef QUANTITY_H
#define QUANTITY_H

#include "sim/types.h"

/* A decimal number: mantissa * 10^exponent. */
struct decimal {
	int64_t mantissa;
	int exponent;
};

struct quantity {
	struct decimal number;
	const char
		*unit; /* the rest of the text, from the first character of the unit; "" where none */
};

enum quantity_problem {
	QUANTITY_FINE,
	QUANTITY_NO_NUMBER, /* it doesn't begin with a number, or one of too many digits */
	QUANTITY_NO_UNIT,   /* a unit is missing, and the number isn't 0 */
	QUANTITY_UNKNOWN_UNIT,
	QUANTITY_FRACTION, /* not a whole number of what is stored */
	QUANTITY_TOO_LARGE,
	QUANTITY_HAS_UNIT, /* a plain number is wanted */
};

/* Splits a text. False where it doesn't begin with a number, or with one whose digits are no int64.
 */
bool quantity_split(const char *text, struct quantity *out);

enum quantity_problem quantity_integer(const char *text, int64_t *out);
enum quantity_problem quantity_real(const char *text, double *out);
/* ns, the nearest whole one. */
enum quantity_problem quantity_duration(const char *text, sim_time *out);
enum quantity_problem quantity_bytes(const char *text, int64_t *out);
/* Events per second. */
enum quantity_problem quantity_rate(const char *text, double *out);
/* bit/s. */
enum quantity_problem quantity_bandwidth(const char *text, double *out);

/* The units of each, for messages and for the nearest spelling. */
extern const char *const duration_units[],
	*const bytes_units[], *const rate_units[], *const bandwidth_units[]; /* each ends with NULL */

/* The other way, into at least 40 bytes. What is printed reads as the same value. A duration is in the largest
 * unit of which it is at least one, 1.5 ms; sizes and bandwidths are in the largest in which they are whole. */
void duration_print(sim_time ns, char *out, size_t size);
void bytes_print(int64_t bytes, char *out, size_t size);
void bandwidth_print(double bps, char *out, size_t size);
/* The shortest decimal that reads as the same double. */
void real_print(double value, char *out, size_t size);
/* A decimal as digits: no exponent unless it is far from 0. */
void decimal_print(struct decimal value, char *out, size_t size);

#endif
