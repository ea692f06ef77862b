/* A small JSON reader (RFC 8259), strict, for the tests of what writes JSON. */
#ifndef TESTS_LAB_JSON_H
#define TESTS_LAB_JSON_H

#include <stdbool.h>
#include <stddef.h>

enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
	enum json_kind kind;
	char *key;  /* within an object */
	char *text; /* a string's, unescaped; a number's, as written */
	double number;
	struct json *first, *next;
};

/* NULL, with the place of the first byte that is wrong in *error_at. */
struct json *json_parse(const char *text, size_t *error_at);
void json_free(struct json *json);
/* A member by its key, or NULL. */
const struct json *json_get(const struct json *object, const char *key);

#endif
