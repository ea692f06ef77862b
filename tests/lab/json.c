#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 32

struct reader {
	const char *start, *at;
	int depth;
};

static void skip(struct reader *reader)
{
	reader->at += strspn(reader->at, " \t\r\n");
}

static bool take(struct reader *reader, const char *word)
{
	if (strncmp(reader->at, word, strlen(word)) != 0) {
		return false;
	}
	reader->at += strlen(word);
	return true;
}

static char *parse_string(struct reader *reader)
{
	static const char escapes[] = "\"\\/bfnrt";
	static const char meant[] = "\"\\/\b\f\n\r\t";
	if (!take(reader, "\"")) {
		return NULL;
	}
	char *text = malloc(strlen(reader->at) + 1);
	size_t n = 0;
	while ((unsigned char)*reader->at >= 0x20 && *reader->at != '"') {
		if (*reader->at != '\\') {
			text[n++] = *reader->at++;
			continue;
		}
		reader->at++;
		unsigned code;
		int read = 0;
		const char *escape = *reader->at == '\0' ? NULL : strchr(escapes, *reader->at);
		if (escape != NULL) {
			text[n++] = meant[escape - escapes];
			reader->at++;
		} else if (sscanf(reader->at, "u%4x%n", &code, &read) == 1 && read == 5 && code < 0x80) {
			text[n++] = (char)code; /* what needs more is written as it is */
			reader->at += read;
		} else {
			free(text);
			return NULL;
		}
	}
	text[n] = '\0';
	if (!take(reader, "\"")) {
		free(text);
		return NULL;
	}
	return text;
}

static struct json *parse_value(struct reader *reader);

/* What stands between brackets or braces. */
static bool parse_members(struct reader *reader, struct json *json, const char *close)
{
	struct json **last = &json->first;
	skip(reader);
	if (take(reader, close)) {
		return true;
	}
	for (;;) {
		char *key = NULL;
		skip(reader);
		if (json->kind == JSON_OBJECT) {
			key = parse_string(reader);
			skip(reader);
			if (key == NULL || !take(reader, ":")) {
				free(key);
				return false;
			}
		}
		struct json *member = parse_value(reader);
		if (member == NULL) {
			free(key);
			return false;
		}
		member->key = key;
		*last = member;
		last = &member->next;
		skip(reader);
		if (take(reader, close)) {
			return true;
		}
		if (!take(reader, ",")) {
			return false;
		}
	}
}

static bool parse_number(struct reader *reader, struct json *json)
{
	const char *start = reader->at;
	reader->at += *reader->at == '-';
	size_t n = strspn(reader->at, "0123456789");
	if (n == 0 || (n > 1 && *reader->at == '0')) {
		return false;
	}
	reader->at += n;
	if (take(reader, ".")) {
		n = strspn(reader->at, "0123456789");
		reader->at += n;
		if (n == 0) {
			return false;
		}
	}
	if (*reader->at == 'e' || *reader->at == 'E') {
		reader->at++;
		reader->at += *reader->at == '-' || *reader->at == '+';
		n = strspn(reader->at, "0123456789");
		reader->at += n;
		if (n == 0) {
			return false;
		}
	}
	json->text = strndup(start, (size_t)(reader->at - start));
	json->number = strtod(json->text, NULL);
	return true;
}

static bool parse_into(struct reader *reader, struct json *json)
{
	skip(reader);
	switch (*reader->at) {
	case '{':
		json->kind = JSON_OBJECT;
		reader->at++;
		return parse_members(reader, json, "}");
	case '[':
		json->kind = JSON_ARRAY;
		reader->at++;
		return parse_members(reader, json, "]");
	case '"':
		json->kind = JSON_STRING;
		json->text = parse_string(reader);
		return json->text != NULL;
	case 't':
	case 'f':
		json->kind = JSON_BOOL;
		return take(reader, "true") || take(reader, "false");
	case 'n':
		return take(reader, "null");
	default:
		json->kind = JSON_NUMBER;
		return parse_number(reader, json);
	}
}

static struct json *parse_value(struct reader *reader)
{
	struct json *json = calloc(1, sizeof(*json));
	bool good = reader->depth++ < DEPTH_MAX && parse_into(reader, json);
	reader->depth--;
	if (!good) {
		json_free(json);
		return NULL;
	}
	return json;
}

struct json *json_parse(const char *text, size_t *error_at)
{
	struct reader reader = {text, text, 0};
	struct json *json = parse_value(&reader);
	skip(&reader);
	if (json != NULL && *reader.at != '\0') {
		json_free(json);
		json = NULL;
	}
	*error_at = (size_t)(reader.at - text);
	return json;
}

void json_free(struct json *json)
{
	while (json != NULL) {
		struct json *next = json->next;
		json_free(json->first);
		free(json->key);
		free(json->text);
		free(json);
		json = next;
	}
}

const struct json *json_get(const struct json *object, const char *key)
{
	const struct json *member = object->first;
	while (member != NULL && strcmp(member->key, key) != 0) {
		member = member->next;
	}
	return member;
}
