/* The tree's C sources as text, to hold them against the tree's own rules. */
#ifndef TESTS_TREE_SOURCES_H
#define TESTS_TREE_SOURCES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>

struct source {
	char *path; /* from the tree's root: sim/queue.c */
	char *text;
	char *code; /* the same with blanks for what comments and literals say; newlines stay */
};

struct sources {
	struct source *all; /* by path */
	size_t n;
};

/* Every .c and .h in the folders of the root that have a meson.build. */
struct sources sources_read(const char *root);
void sources_free(struct sources *sources);

/* The name behind the last slash. */
const char *source_name(const char *path);
/* Does the path lie in the folder ("sim/engine")? */
bool source_in(const char *path, const char *folder);

#endif
