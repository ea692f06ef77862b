/* Linearizability by zones, beside a search through all orders (Wing, Gong, 1993). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kv/linearizable.h"

#include "sim/random.h"

#define PENDING LINEAR_PENDING

/* What was told of a key, the last one. */
static struct linear_violation last;
static size_t n_told;

static void keep(void *context, const struct linear_violation *violation)
{
	assert_ptr_equal(context, &last);
	last = *violation;
	n_told++;
}

static size_t check(const struct linear_operation *history, size_t n)
{
	struct linear_operation own[64];
	memcpy(own, history, n * sizeof(*own));
	n_told = 0;
	size_t n_bad = linear_check(own, n, keep, &last);
	assert_int_equal(n_bad, n_told);
	return n_bad;
}

#define W(value_, start_, end_) {.value = (value_), .start = (start_), .end = (end_), .id = (start_), .write = true}
#define R(value_, start_, end_) {.value = (value_), .start = (start_), .end = (end_), .id = (start_)}
#define CHECK(...) \
	check((const struct linear_operation[]){__VA_ARGS__}, \
		sizeof((const struct linear_operation[]){__VA_ARGS__}) / sizeof(struct linear_operation))

static void assert_last(enum linear_fault fault, uint32_t read, uint32_t other)
{
	assert_int_equal(last.fault, fault);
	assert_int_equal(last.read.id, read);
	assert_int_equal(last.other.id, other);
}

static void right_ones(void **state)
{
	assert_int_equal(CHECK(W(1, 1, 2), R(1, 3, 4), W(2, 5, 6), R(2, 7, 8)), 0);
	assert_int_equal(CHECK(R(0, 1, 2), W(1, 3, 6), R(0, 4, 5)), 0); /* while it is being written */
	assert_int_equal(CHECK(W(1, 1, 4), W(2, 2, 3), R(1, 5, 6)), 0); /* side by side, in either order */
	assert_int_equal(CHECK(W(1, 1, 4), W(2, 2, 3), R(2, 5, 6)), 0);
	assert_int_equal(CHECK(W(1, 1, PENDING), R(0, 2, 3), R(0, 4, 5)), 0); /* never had effect */
	assert_int_equal(CHECK(W(1, 1, PENDING), R(0, 2, 3), R(1, 4, 5)), 0); /* had, late */
}

static void stale(void **state)
{
	assert_int_equal(CHECK(W(1, 1, 2), W(2, 3, 4), R(1, 5, 6)), 1);
	assert_last(LINEAR_STALE, 5, 3);
	/* Also where later reads are right again, and of what was there at first. */
	assert_int_equal(CHECK(W(1, 1, 2), W(2, 3, 4), R(1, 5, 6), R(2, 7, 8)), 1);
	assert_last(LINEAR_STALE, 5, 3);
	assert_int_equal(CHECK(W(1, 1, 2), R(0, 3, 4), R(1, 5, 6)), 1);
	assert_last(LINEAR_STALE, 3, 1);
	/* A new value that one has seen is not taken back from another. */
	assert_int_equal(CHECK(W(1, 1, 9), R(1, 2, 3), R(0, 4, 5)), 1);
	assert_last(LINEAR_STALE, 4, 2);
	/* Two writes side by side: the readers disagree on their order. */
	assert_int_equal(CHECK(W(1, 1, 4), W(2, 2, 3), R(1, 5, 6), R(2, 7, 8), R(1, 9, 10)), 1);
	assert_last(LINEAR_STALE, 9, 2);
	/* A pending one that was seen has had its effect. */
	assert_int_equal(CHECK(W(1, 1, PENDING), R(1, 2, 3), R(0, 4, 5)), 1);
}

static void from_nowhere(void **state)
{
	assert_int_equal(CHECK(W(1, 1, 2), R(7, 3, 4)), 1);
	assert_last(LINEAR_UNWRITTEN, 3, 3);
	assert_int_equal(CHECK(R(1, 1, 2), W(1, 3, 4)), 1);
	assert_last(LINEAR_EARLY, 1, 3);
}

/* Each key by itself, and each told once. */
static void keys(void **state)
{
	struct linear_operation history[] = {
		W(1, 1, 2), W(2, 3, 4), R(1, 5, 6), R(1, 7, 8), W(3, 9, 10), R(3, 11, 12), R(1, 13, 14)};
	for (int i = 4; i < 6; i++) {
		history[i].key = 5;
	}
	history[6].key = 9;
	assert_int_equal(check(history, 7), 2);
	assert_int_equal(last.read.key, 9);
	assert_int_equal(last.fault, LINEAR_UNWRITTEN);
	history[6].key = 5; /* which nothing has written with it either */
	assert_int_equal(check(history, 7), 2);
	assert_int_equal(check(history, 6), 1);
	assert_int_equal(last.read.key, 0);
	assert_int_equal(check(history, 0), 0);
}

/* Is there an order of what is left, from a register that holds `value`? */
static bool search(const struct linear_operation *history, size_t n, unsigned done, uint64_t value)
{
	bool complete = true;
	uint64_t first_end = PENDING;
	for (size_t i = 0; i < n; i++) {
		if ((done >> i & 1) == 0) {
			complete = complete && history[i].end == PENDING;
			first_end = history[i].end < first_end ? history[i].end : first_end;
		}
	}
	if (complete) {
		return true;
	}
	for (size_t i = 0; i < n; i++) {
		const struct linear_operation *next = &history[i];
		if ((done >> i & 1) == 0 && next->start <= first_end && (next->write || next->value == value) &&
			search(history, n, done | 1u << i, next->write ? next->value : value)) {
			return true;
		}
	}
	return false;
}

/* Random small histories: the zones say what the search says. */
static void all_orders(void **state)
{
	struct random_stream stream = random_stream_make(5, RANDOM_ANALYSIS, 0);
	size_t n_right = 0, n_wrong = 0;
	for (int round = 0; round < 60000; round++) {
		struct linear_operation history[7] = {0};
		size_t n = 2 + random_below(&stream, 6);
		uint32_t places[14];
		random_permutation(&stream, places, 2 * (uint32_t)n);
		for (size_t i = 0; i < n; i++) {
			/* Short ones are more often wrong: half of them start and end side by side. */
			uint64_t a = places[2 * i] + 1, b = places[2 * i + 1] + 1;
			history[i].start = a < b ? a : b;
			history[i].end = a < b ? b : a;
			history[i].id = (uint32_t)i;
			history[i].write = i < 2 || random_below(&stream, 3) == 0;
			history[i].value = history[i].write ? i + 1 : random_below(&stream, 4);
			if (history[i].write && random_below(&stream, 6) == 0) {
				history[i].end = PENDING;
			}
		}
		for (size_t i = 0; i < n; i++) {
			if (!history[i].write && history[i].value > 2) {
				history[i].value = 0;
			}
		}
		bool right = search(history, n, 0, LINEAR_INITIAL);
		n_right += right;
		n_wrong += !right;
		if ((check(history, n) == 0) != right) {
			for (size_t i = 0; i < n; i++) {
				print_error("%s %d [%d, %d]\n", history[i].write ? "write" : "read",
					(int)history[i].value, (int)history[i].start, (int)history[i].end);
			}
			fail_msg("the search says %s", right ? "right" : "wrong");
		}
	}
	assert_true(n_right > 6000 && n_wrong > 6000);
}

/* A long history with a single stale read in it. */
static void long_one(void **state)
{
	size_t n = 200000;
	struct linear_operation *history = calloc(n, sizeof(*history));
	for (size_t i = 0; i < n; i++) {
		history[i] = (struct linear_operation){.key = i / 2 % 3, .value = i / 6 * 3 + i / 2 % 3 + 1,
			.start = 2 * i + 1, .end = 2 * i + 2, .id = (uint32_t)i, .write = i % 2 == 0};
	}
	struct linear_operation *sorted = calloc(n, sizeof(*history));
	memcpy(sorted, history, n * sizeof(*history));
	n_told = 0;
	assert_int_equal(linear_check(sorted, n, keep, &last), 0);
	memcpy(sorted, history, n * sizeof(*history));
	sorted[100003].value = history[99991].value;
	assert_int_equal(sorted[100003].key, history[99991].key);
	assert_int_equal(linear_check(sorted, n, keep, &last), 1);
	assert_int_equal(last.read.id, 100003);
	free(sorted);
	free(history);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(right_ones),
		cmocka_unit_test(stale),
		cmocka_unit_test(from_nowhere),
		cmocka_unit_test(keys),
		cmocka_unit_test(all_orders),
		cmocka_unit_test(long_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
