#include "fakes.h"
#include "quantity.h"

#include <math.h>

static void expect_duration(const char *text, sim_time ns)
{
	sim_time found = -1;
	assert_int_equal(quantity_duration(text, &found), QUANTITY_FINE);
	assert_int_equal(found, ns);
}

static void test_durations(void **state)
{
	expect_duration("20 ms", 20 * SIM_MS);
	expect_duration("20ms", 20 * SIM_MS);
	expect_duration("1 ns", 1);
	expect_duration("1.5 us", 1500);
	expect_duration("3 \xc2\xb5s", 3000);
	expect_duration("0.1 s", 100 * SIM_MS);
	expect_duration("2 min", 120 * SIM_SECOND);
	expect_duration("1 h", 3600 * SIM_SECOND);
	expect_duration("1e-3 s", SIM_MS);
	expect_duration("1E3 s", 1000 * SIM_SECOND);
	expect_duration("0", 0);
	expect_duration("0.0000000015 s", 2); /* halves go up */
	expect_duration("0.00000000149 s", 1);
	expect_duration("1e-300 s", 0);
	expect_duration("0.3 s", 300 * SIM_MS); /* exact, where 0.3 * 1e9 in doubles might not be */
	expect_duration("-5 ms", -5 * SIM_MS);
}

static void test_problems(void **state)
{
	int64_t integer;
	double real;
	assert_int_equal(quantity_duration("20", &integer), QUANTITY_NO_UNIT);
	assert_int_equal(quantity_duration("20 sec", &integer), QUANTITY_UNKNOWN_UNIT);
	assert_int_equal(quantity_duration("20 MS", &integer), QUANTITY_UNKNOWN_UNIT);
	assert_int_equal(quantity_duration("ms", &integer), QUANTITY_NO_NUMBER);
	assert_int_equal(quantity_duration("1..2 ms", &integer), QUANTITY_NO_NUMBER);
	assert_int_equal(quantity_duration("1e30 s", &integer), QUANTITY_TOO_LARGE);
	assert_int_equal(quantity_duration("1e999999999999 s", &integer), QUANTITY_TOO_LARGE);
	assert_int_equal(quantity_duration("9223372036854775807 ns", &integer), QUANTITY_TOO_LARGE);
	assert_int_equal(quantity_duration("9223372036.854775806 s", &integer), QUANTITY_FINE);
	assert_int_equal(quantity_integer("1.5", &integer), QUANTITY_FRACTION);
	assert_int_equal(quantity_integer("1e-1", &integer), QUANTITY_FRACTION);
	assert_int_equal(quantity_integer("4 nodes", &integer), QUANTITY_HAS_UNIT);
	assert_int_equal(quantity_integer("99999999999999999999", &integer), QUANTITY_NO_NUMBER);
	assert_int_equal(quantity_integer("0x10", &integer), QUANTITY_HAS_UNIT);
	assert_int_equal(quantity_bytes("0.5 B", &integer), QUANTITY_FRACTION);
	assert_int_equal(quantity_real("nan", &real), QUANTITY_NO_NUMBER);
	assert_int_equal(quantity_real("inf", &real), QUANTITY_NO_NUMBER);
	assert_int_equal(quantity_real("", &real), QUANTITY_NO_NUMBER);
	assert_int_equal(quantity_real("5 %", &real), QUANTITY_HAS_UNIT);
	assert_int_equal(quantity_real("1e400", &real), QUANTITY_TOO_LARGE);
}

static void test_others(void **state)
{
	int64_t integer;
	double real;
	assert_int_equal(quantity_integer("1e6", &integer), QUANTITY_FINE);
	assert_int_equal(integer, 1000000);
	assert_int_equal(quantity_integer("2.50e1", &integer), QUANTITY_FINE);
	assert_int_equal(integer, 25);
	assert_int_equal(quantity_real(".1", &real), QUANTITY_FINE);
	assert_true(real == 0.1);
	assert_int_equal(quantity_bytes("64 KiB", &integer), QUANTITY_FINE);
	assert_int_equal(integer, 65536);
	assert_int_equal(quantity_bytes("1.5 MB", &integer), QUANTITY_FINE);
	assert_int_equal(integer, 1500000);
	assert_int_equal(quantity_bandwidth("1 Gbit/s", &real), QUANTITY_FINE);
	assert_true(real == 1e9);
	assert_int_equal(quantity_bandwidth("1 MiB/s", &real), QUANTITY_FINE);
	assert_true(real == 8 * 1048576.0);
	assert_int_equal(quantity_rate("100 /s", &real), QUANTITY_FINE);
	assert_true(real == 100);
	assert_int_equal(quantity_rate("30/min", &real), QUANTITY_FINE);
	assert_true(real == 0.5);
}

static void expect_real_round_trip(double value, const char *text)
{
	char out[48];
	double again;
	real_print(value, out, sizeof(out));
	assert_string_equal(out, text);
	assert_int_equal(quantity_real(out, &again), QUANTITY_FINE);
	assert_true(again == value);
}

static void test_printing(void **state)
{
	char out[48];
	expect_real_round_trip(0.1, "0.1");
	expect_real_round_trip(0.1 + 0.2, "0.30000000000000004");
	expect_real_round_trip(1e6, "1000000");
	expect_real_round_trip(1e-7, "1e-07");
	expect_real_round_trip(1e300, "1e+300");
	expect_real_round_trip(1.0 / 3, "0.3333333333333333");
	duration_print(1500 * SIM_MS, out, sizeof(out));
	assert_string_equal(out, "1.5 s");
	duration_print(20 * SIM_MS, out, sizeof(out));
	assert_string_equal(out, "20 ms");
	duration_print(1234567, out, sizeof(out));
	assert_string_equal(out, "1.234567 ms");
	duration_print(999, out, sizeof(out));
	assert_string_equal(out, "999 ns");
	duration_print(-1500, out, sizeof(out));
	assert_string_equal(out, "-1.5 us");
	duration_print(SIM_NEVER - 1, out, sizeof(out));
	assert_string_equal(out, "9223372036.854775806 s");
	bytes_print(65536, out, sizeof(out));
	assert_string_equal(out, "64 KiB");
	bytes_print(1000, out, sizeof(out));
	assert_string_equal(out, "1000 B");
	bandwidth_print(1e9, out, sizeof(out));
	assert_string_equal(out, "1 Gbit/s");
	bandwidth_print(1.5, out, sizeof(out));
	assert_string_equal(out, "1.5 bit/s");
	decimal_print((struct decimal){-30, -2}, out, sizeof(out));
	assert_string_equal(out, "-0.3");
	decimal_print((struct decimal){5, -2}, out, sizeof(out));
	assert_string_equal(out, "0.05");
	decimal_print((struct decimal){12345, -2}, out, sizeof(out));
	assert_string_equal(out, "123.45");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_problems),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_printing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
