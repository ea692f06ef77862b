/* The nearest known spelling. */
#include "scenarios/scenario.h"

#include <ctype.h>
#include <string.h>

#define LENGTH_MAX 48 /* longer words have no near ones */

/* Case and the two ways to join words are no difference. */
static char fold(char c)
{
	return c == '-' ? '_' : (char)tolower((unsigned char)c);
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Insertions, deletions, replacements and swaps of neighbours, each 1 (Damerau 1964, in the
 * restricted form that edits no place twice). Both at most LENGTH_MAX long. */
static unsigned distance(const char *a, size_t n_a, const char *b, size_t n_b)
{
	unsigned rows[3][LENGTH_MAX + 1];
	unsigned *before = rows[0], *last = rows[1], *row = rows[2];
	for (size_t k = 0; k <= n_b; k++) {
		last[k] = (unsigned)k;
		before[k] = 0;
	}
	for (size_t i = 1; i <= n_a; i++) {
		row[0] = (unsigned)i;
		for (size_t k = 1; k <= n_b; k++) {
			bool same = fold(a[i - 1]) == fold(b[k - 1]);
			unsigned d = least(least(last[k] + 1, row[k - 1] + 1), last[k - 1] + !same);
			if (i > 1 && k > 1 && fold(a[i - 1]) == fold(b[k - 2]) &&
				fold(a[i - 2]) == fold(b[k - 1])) {
				d = least(d, before[k - 2] + 1);
			}
			row[k] = d;
		}
		unsigned *free_row = before;
		before = last;
		last = row;
		row = free_row;
	}
	return last[n_b];
}

static bool begins(const char *text, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (!name[i] || fold(text[i]) != fold(name[i])) {
			return false;
		}
	}
	return true;
}

const char *nearest_name(const char *text, const char *const *names, size_t n)
{
	const char *nearest = NULL, *longer = NULL;
	unsigned nearest_distance = 0;
	size_t n_text = strlen(text);
	if (n_text == 0 || n_text > LENGTH_MAX) {
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		size_t n_name = strlen(names[i]);
		if (n_name > LENGTH_MAX) {
			continue;
		}
		/* A third of the word may be wrong, and of a very short one a letter. */
		size_t longest = n_text > n_name ? n_text : n_name;
		unsigned allowed = longest <= 3 ? 1 : (unsigned)(longest + 1) / 3;
		unsigned d = distance(text, n_text, names[i], n_name);
		if (d <= allowed && d < n_name && (!nearest || d < nearest_distance)) {
			nearest = names[i];
			nearest_distance = d;
		}
		if (!longer && n_text >= 3 && begins(text, n_text, names[i])) {
			longer = names[i];
		}
	}
	return nearest ? nearest : longer;
}

void names_join(char *out, size_t size, const char *const *names, size_t n, const char *last)
{
	size_t at = 0;
	out[0] = '\0';
	for (size_t i = 0; i < n && at < size; i++) {
		const char *before = i == 0 ? "" : i + 1 == n ? last : ", ";
		at += (size_t)snprintf(out + at, size - at, "%s%s", before, names[i]);
	}
}
