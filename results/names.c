#include "results/names.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool continues_character(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

static size_t count(const char *text)
{
	size_t n = 0;
	for (; *text != '\0'; text++) {
		n += !continues_character(*text);
	}
	return n;
}

/* Where the k-th character begins, or the end. */
static const char *character(const char *text, size_t k)
{
	while (*text != '\0' && (k > 0 || continues_character(*text))) {
		text++;
		k -= !continues_character(*text);
	}
	return text;
}

/* How many characters both begin with. */
static size_t alike(const char *a, const char *b)
{
	size_t bytes = 0, n = 0;
	while (a[bytes] != '\0' && a[bytes] == b[bytes]) {
		bytes++;
		n += !continues_character(a[bytes]);
	}
	return n;
}

void name_cut(char *out, size_t size, const char *const *names, size_t n, size_t i,
	size_t max_characters)
{
	assert(max_characters >= 8);
	const char *name = names[i];
	size_t length = count(name);
	if (length <= max_characters) {
		snprintf(out, size, "%s", name);
		return;
	}
	size_t differs = 0;
	for (size_t k = 0; k < n; k++) {
		size_t common = strcmp(names[k], name) == 0 ? 0 : alike(names[k], name);
		differs = common > differs ? common : differs;
	}
	if (differs < max_characters - 1) {
		snprintf(out, size, "%.*s…", (int)(character(name, max_characters - 1) - name), name);
		return;
	}
	size_t n_head = max_characters / 3, n_tail = max_characters - n_head - 1;
	size_t start = differs - n_tail / 3;
	bool to_end = length - start <= n_tail;
	start = to_end ? length - n_tail : start;
	const char *head = character(name, n_head), *tail = character(name, start);
	const char *end = character(name, to_end ? length : start + n_tail - 1);
	snprintf(out, size, "%.*s…%.*s%s", (int)(head - name), name, (int)(end - tail), tail,
		to_end ? "" : "…");
}
