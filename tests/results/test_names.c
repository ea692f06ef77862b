/* Names that begin alike stay apart, whatever is cut. */
#include "results/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void expect(const char *const *names, size_t n, size_t i, const char *wanted)
{
	char out[64];
	name_cut(out, sizeof(out), names, n, i, 16);
	assert_string_equal(out, wanted);
}

static void cuts_where_they_differ(void **state)
{
	static const char *const names[] = {"short", "a long name that differs here",
		"the same beginning of two, and then one", "the same beginning of two, and then another tail of it",
		"the same beginning of two, and then (a name of its own) after which comes more"};
	expect(names, 5, 0, "short");
	expect(names, 5, 1, "a long name tha…");
	expect(names, 5, 2, "the s…d then one");
	expect(names, 5, 3, "the s…en anothe…");
	expect(names, 5, 4, "the s…en (a nam…");
	for (size_t i = 0; i < 5; i++) {
		for (size_t k = 0; k < i; k++) {
			char a[64], b[64];
			name_cut(a, sizeof(a), names, 5, i, 16);
			name_cut(b, sizeof(b), names, 5, k, 16);
			assert_string_not_equal(a, b);
		}
	}
}

static void counts_characters(void **state)
{
	static const char *const names[] = {"ääääääääääääääää", "ääääääääääääääääö", "ääääääääääääääääü"};
	expect(names, 3, 0, "ääääääääääääääää");
	expect(names, 3, 1, "äääää…äääääääääö");
	expect(names, 3, 2, "äääää…äääääääääü");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_where_they_differ),
		cmocka_unit_test(counts_characters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
