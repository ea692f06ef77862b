#include "sources.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_BYTES 1024

const char *source_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash != NULL ? slash + 1 : path;
}

bool source_in(const char *path, const char *folder)
{
	size_t n = strlen(folder);
	return strncmp(path, folder, n) == 0 && path[n] == '/';
}

static char *text_read(const char *path)
{
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	struct stat is;
	assert_int_equal(fstat(fileno(file), &is), 0);
	char *text = malloc((size_t)is.st_size + 1);
	assert_non_null(text);
	size_t n = fread(text, 1, (size_t)is.st_size, file);
	fclose(file);
	text[n] = '\0';
	return text;
}

/* Behind the literal or comment that begins at `at`; itself where none does. */
static const char *behind(const char *at)
{
	if (at[0] == '/' && at[1] == '*') {
		const char *end = strstr(at + 2, "*/");
		return end != NULL ? end + 2 : at + strlen(at);
	}
	if (at[0] == '/' && at[1] == '/') {
		return at + strcspn(at, "\n");
	}
	if (at[0] == '"' || at[0] == '\'') {
		char quote = at[0];
		for (at++; *at != '\0' && *at != '\n' && *at != quote; at++) {
			at += at[0] == '\\' && at[1] != '\0';
		}
		return *at == quote ? at + 1 : at;
	}
	return at;
}

static char *code_of(const char *text)
{
	char *code = strdup(text);
	assert_non_null(code);
	for (const char *at = text; *at != '\0';) {
		const char *end = behind(at);
		if (end == at) {
			at++;
			continue;
		}
		bool literal = *at == '"' || *at == '\''; /* whose quotes stay: "" is an operand */
		for (const char *k = at + literal; k < end - literal; k++) {
			if (*k != '\n') {
				code[k - text] = ' ';
			}
		}
		at = end;
	}
	return code;
}

static void add(struct sources *sources, const char *root, const char *path)
{
	char whole[2 * PATH_BYTES];
	snprintf(whole, sizeof(whole), "%s/%s", root, path);
	sources->all = realloc(sources->all, (sources->n + 1) * sizeof(*sources->all));
	assert_non_null(sources->all);
	struct source *source = &sources->all[sources->n++];
	source->path = strdup(path);
	source->text = text_read(whole);
	source->code = code_of(source->text);
}

static void walk(struct sources *sources, const char *root, const char *path)
{
	char whole[2 * PATH_BYTES], below[PATH_BYTES];
	snprintf(whole, sizeof(whole), "%s/%s", root, path);
	DIR *folder = opendir(whole);
	assert_non_null(folder);
	for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
		const char *name = entry->d_name, *dot = strrchr(name, '.');
		struct stat is;
		snprintf(below, sizeof(below), "%s%s%s", path, *path ? "/" : "", name);
		snprintf(whole, sizeof(whole), "%s/%s", root, below);
		if (name[0] == '.' || stat(whole, &is) != 0) {
			continue;
		}
		bool top = *path == '\0';
		if (S_ISDIR(is.st_mode)) {
			snprintf(whole, sizeof(whole), "%s/%s/meson.build", root, below);
			if (!top || stat(whole, &is) == 0) {
				walk(sources, root, below);
			}
		} else if (!top && dot != NULL && (strcmp(dot, ".c") == 0 || strcmp(dot, ".h") == 0)) {
			add(sources, root, below);
		}
	}
	closedir(folder);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct source *)a)->path, ((const struct source *)b)->path);
}

struct sources sources_read(const char *root)
{
	struct sources sources = {0};
	walk(&sources, root, "");
	qsort(sources.all, sources.n, sizeof(*sources.all), by_path);
	return sources;
}

void sources_free(struct sources *sources)
{
	for (size_t i = 0; i < sources->n; i++) {
		free(sources->all[i].path);
		free(sources->all[i].text);
		free(sources->all[i].code);
	}
	free(sources->all);
	*sources = (struct sources){0};
}
