#include "sweep_file.h"

#include "labels.h"

#include <stdlib.h>
#include <string.h>

static void test_quantities(void **state)
{
	static const struct column latency = {"latency_mean_s", COLUMN_REAL, "s", "", "mean latency", SORT_TIME},
							   corruption = {"corruption_rate", COLUMN_REAL, "share", "", "corrupted decisions",
								   SORT_SHARE, "decided"},
							   bytes = {"bytes", COLUMN_INT, "bytes", "", "traffic", SORT_COUNT},
							   mae = {"mae", COLUMN_REAL, "kg", "", "mean absolute error", SORT_VALUE},
							   old = {"corruption_rate", COLUMN_REAL, "", ""},
							   old_time = {"gossip_delay_s", COLUMN_REAL, "s", "", ""};
	assert_string_equal(quantity_describe(&latency, 0.3).axis, "mean latency (ms)");
	assert_near(quantity_describe(&latency, 0.3).scale, 1000, 0);
	assert_string_equal(quantity_describe(&latency, 3).axis, "mean latency (s)");
	assert_string_equal(quantity_describe(&corruption, 0.3).axis, "corrupted decisions (%)");
	assert_string_equal(quantity_describe(&corruption, 0.3).of, "decided");
	assert_string_equal(quantity_describe(&bytes, 3e6).axis, "traffic (kB)");
	assert_string_equal(quantity_describe(&bytes, 3e7).axis, "traffic (MB)");
	assert_string_equal(quantity_describe(&mae, 1).axis, "mean absolute error (kg)");
	/* A file of before says no label and no sort: nothing is guessed. */
	assert_string_equal(quantity_describe(&old, 0.3).axis, "corruption_rate");
	assert_false(quantity_describe(&old, 0.3).share);
	assert_string_equal(quantity_describe(&old_time, 2).axis, "gossip_delay_s (s)");
}

static void assert_key(const char *key, const char *unit, const char *expected)
{
	char label[LABEL_MAX];
	key_label(label, key, unit);
	assert_string_equal(label, expected);
}

static void assert_level(const char *key, const char *unit, const char *level, const char *expected)
{
	char label[LABEL_MAX];
	level_label(label, key, unit, level);
	assert_string_equal(label, expected);
}

static void test_keys(void **state)
{
	assert_key("attacks.0.fraction", "", "attackers (share)");
	assert_key("attacks.12.fraction", "", "attackers (share)");
	assert_key("protocol.kind", "", "protocol");
	assert_key("workload.client_timeout", "s", "client timeout (s)");
	assert_key("validators", "nodes", "validators");
	assert_level("attacks.0.fraction", "", "0", "no attackers");
	assert_level("attacks.0.fraction", "", "0.3", "30 % attackers");
	assert_level("protocol", "", "none", "none");
	assert_level("scorer", "", "none", "no scorer");
	assert_level("validators", "nodes", "7", "7 validators");
	assert_level("protocol.view_timeout", "s", "2", "view timeout 2 s");
}

static void assert_number(double number, const char *unit, const char *expected)
{
	char words[LABEL_MAX];
	number_words(words, number, unit);
	assert_string_equal(words, expected);
}

static void test_units(void **state)
{
	assert_number(5e7, "bit/s", "50 Mbit/s");
	assert_number(2.5e9, "bit/s", "2.5 Gbit/s");
	assert_number(500, "bit/s", "500 bit/s");
	assert_number(.02, "s", "20 ms");
	assert_number(2e-6, "s", "2 µs");
	assert_number(90, "s", "90 s");
	assert_number(0, "s", "0 s");
	assert_number(65536, "bytes", "64 KiB");
	assert_number(100000, "bytes", "100 kB");
	assert_number(64, "bytes", "64 bytes");
	assert_number(.3, "", "0.3");
	assert_level("network.bandwidth", "bit/s", "50000000", "bandwidth 50 Mbit/s");
	assert_level("network.latency.mean", "s", "0.02", "mean delay 20 ms");
}

static void assert_words(char *const *levels, size_t n, size_t level, const char *expected)
{
	char words[64];
	level_words(words, sizeof(words), levels, n, level);
	assert_string_equal(words, expected);
}

/* Of a map its kind, and what tells it from others of that kind. */
static void test_maps(void **state)
{
	char *levels[] = {"mean", "{kind: krum, faulty: 3}", "{kind: trimmed-mean, faulty: 3}",
		"{kind: trimmed-mean, faulty: 3, before: nnm}", "{kind: combined, of: [mad, {kind: iqr}]}",
		"{kind: combined, of: [mad, z-score]}", "{kind: mean, before: nnm}", "{kind"};
	size_t n = sizeof(levels) / sizeof(levels[0]);
	assert_words(levels, n, 0, "mean");
	assert_words(levels, n, 1, "krum");
	assert_words(levels, n, 2, "trimmed-mean");
	assert_words(levels, n, 3, "trimmed-mean, before nnm");
	assert_words(levels, n, 4, "combined, of [mad, {kind: iqr}]");
	assert_words(levels, n, 5, "combined, of [mad, z-score]");
	assert_words(levels, n, 6, "mean, before nnm");
	assert_words(levels, n, 7, "{kind");
	char *alone[] = {"{kind: krum, faulty: 3}"};
	assert_words(alone, 1, 0, "krum");
	char small[6];
	level_words(small, sizeof(small), levels, n, 3);
	assert_string_equal(small, "trimm");
}

/* A list counts as its length. */
static void test_numbers(void **state)
{
	double number;
	assert_true(level_number("0.25", &number) && number == 0.25);
	assert_true(level_number("[0, 1, 7]", &number) && number == 3);
	assert_true(level_number("[[0, 1], [2]]", &number) && number == 2);
	assert_true(level_number("[]", &number) && number == 0);
	assert_false(level_number("", &number));
	assert_false(level_number("3 s", &number));
	assert_false(level_number("inf", &number));
	assert_false(level_number("{kind: mad}", &number));
}

static void test_clean(void **state)
{
	char out[256];
	text_clean(out, sizeof(out),
		"a\nb\x07"
		"c\x7f",
		40);
	assert_string_equal(out, "a b c ");
	text_clean(out, sizeof(out), "\xc3\xa9 \xff\xc0\x80", 40); /* é, then what is no UTF-8 */
	assert_string_equal(out, "\xc3\xa9 ???");
	text_clean(out, sizeof(out), "\xef\xbf\xbe", 40); /* no character of XML */
	assert_string_equal(out, "???");
	text_clean(out, sizeof(out), "0123456789", 5);
	assert_string_equal(out, "0123…");
	char small[16];
	text_clean(small, sizeof(small), "0123456789abcdefghij", 40);
	assert_true(strlen(small) < sizeof(small));
}

static void test_nearest(void **state)
{
	const char *const known[] = {"latency-cdf", "box", "series"};
	assert_string_equal(label_nearest("sereis", known, 3), "series");
	assert_string_equal(label_nearest("cdf", known, 3), "latency-cdf");
	assert_null(label_nearest("qqqqqq", known, 3));
	char longest[300];
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_null(label_nearest(longest, known, 3));
}

/* Five groups that begin alike are five names. */
static void test_levels_that_begin_alike(void **state)
{
	char *levels[] = {"{kind: partition, groups: [[0, 1, 2, 3], [4, 5, 6]], from: 10 s}",
		"{kind: partition, groups: [[0, 1, 2, 3], [4, 5]], from: 10 s}",
		"{kind: partition, groups: [[0, 1, 2, 3], [4, 6]], from: 10 s}",
		"{kind: partition, groups: [[0, 1, 2, 3, 4], [5]], from: 10 s}", "none"};
	char shown[5][200];
	for (size_t i = 0; i < 5; i++) {
		level_short(shown[i], sizeof(shown[i]), levels, 5, i, 24);
		assert_true(text_length(shown[i]) <= 24);
		for (size_t k = 0; k < i; k++) {
			assert_string_not_equal(shown[i], shown[k]);
		}
	}
	assert_string_equal(shown[4], "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quantities),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_units),
		cmocka_unit_test(test_maps),
		cmocka_unit_test(test_levels_that_begin_alike),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_nearest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
