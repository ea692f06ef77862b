/* What the tree says of its own sources, held against them: who may include whom, how long files and
 * functions get, names, and form. docs/architecture.md says why. */
#include "sources.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_LINES_MAX 600
#define FUNCTION_LINES_MAX 80
#define LAB_LINES_MAX 180
#define LAB_MEMBERS_MAX 25
#define WIDTH_MAX 120 /* the aim is 100 */
#define TAB_WIDTH 4

/* Whose public headers each folder may include beside its own; the node API and the engine are two. */
static const struct {
	const char *folder, *may;
} layers[] = {
	{"sim", ""},
	{"protocols", "sim plain"},
	{"workloads", "sim plain"},
	{"attacks", "sim workloads"},
	{"scenarios", "sim engine protocols workloads attacks plain"},
	{"results", ""},
	{"lab", "sim engine protocols workloads attacks scenarios results plain"},
	{"analysis", "results plain"},
	{"cli", "sim engine protocols workloads attacks scenarios lab results plain analysis"},
};

/* Where public headers lie. */
static const struct {
	const char *folder, *part;
} publics[] = {
	{"sim/include", "sim"},
	{"sim/engine", "engine"},
	{"protocols/include", "protocols"},
	{"workloads/include", "workloads"},
	{"attacks/include", "attacks"},
	{"scenarios/include", "scenarios"},
	{"lab/include", "lab"},
	{"results/include", "results"},
	{"results/plain", "plain"},
	{"analysis/include", "analysis"},
};

/* What breaks a rule and is known to. */
static struct {
	const char *rule, *where;
	bool needed;
} known[] = {
	{"name", "results/memory.c"},
	{"name", "results/memory.h"},
	{"name", "sim/faults.h"},
	{"name", "workloads/include/workloads/items.h"},
	{"name", "workloads/samples.c"},
	{"name", "scenarios/settings.c"},
	{"form", "scenarios/finish.c:wide"},
	{"file", "cli/trace_figure.c"},
	{"file", "lab/trace.c"},
	{"file", "tests/protocols/cluster.c"},
	{"file", "tests/soak/schedule.c"},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct sources tree;
static size_t n_complaints;

static void complain(const char *rule, const char *where, const char *what)
{
	for (size_t i = 0; i < COUNT(known); i++) {
		if (strcmp(known[i].rule, rule) == 0 && strcmp(known[i].where, where) == 0) {
			known[i].needed = true;
			return;
		}
	}
	fprintf(stderr, "{\"%s\", \"%s\"}: %s\n", rule, where, what);
	n_complaints++;
}

static void expect_none(void)
{
	size_t n = n_complaints;
	n_complaints = 0;
	assert_int_equal(n, 0);
}

static bool is_header(const char *path)
{
	return path[strlen(path) - 1] == 'h';
}

static bool has_word(const char *words, const char *word)
{
	size_t n = strlen(word);
	for (const char *at = words; (at = strstr(at, word)) != NULL; at++) {
		if ((at == words || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0')) {
			return true;
		}
	}
	return false;
}

/* The public part that the path belongs to, or NULL. */
static const char *part_of(const char *path)
{
	for (size_t i = 0; i < COUNT(publics); i++) {
		if (source_in(path, publics[i].folder)) {
			return publics[i].part;
		}
	}
	return NULL;
}

static void check_include(const char *path, const char *folder, const char *may, const char *name)
{
	char what[600];
	bool own = false, allowed = false;
	const char *found = NULL;
	for (size_t i = 0; i < tree.n; i++) {
		const char *other = tree.all[i].path;
		size_t n = strlen(other), m = strlen(name);
		if (source_in(other, "tests") || n <= m || other[n - m - 1] != '/' || strcmp(other + n - m, name) != 0) {
			continue;
		}
		const char *part = part_of(other);
		own = own || source_in(other, folder);
		allowed = allowed || (part != NULL && has_word(may, part));
		found = other;
	}
	if (found != NULL && !own && !allowed) {
		snprintf(what, sizeof(what), "may not include %s (%s)", name, found);
		complain("layer", path, what);
	}
}

static void includes_go_the_right_way(void **state)
{
	(void)state;
	for (size_t i = 0; i < tree.n; i++) {
		const struct source *source = &tree.all[i];
		for (const char *at = source->text; (at = strstr(at, "#include \"")) != NULL;) {
			char name[200];
			at += strlen("#include \"");
			snprintf(name, sizeof(name), "%.*s", (int)strcspn(at, "\"\n"), at);
			if (strstr(name, "..") != NULL) {
				complain("relative", source->path, name);
			}
			for (size_t k = 0; k < COUNT(layers); k++) {
				if (source_in(source->path, layers[k].folder)) {
					check_include(source->path, layers[k].folder, layers[k].may, name);
				}
			}
		}
	}
	expect_none();
}

/* Every folder with sources has its line above. */
static void every_folder_has_a_layer(void **state)
{
	(void)state;
	for (size_t i = 0; i < tree.n; i++) {
		bool has = source_in(tree.all[i].path, "tests");
		for (size_t k = 0; k < COUNT(layers); k++) {
			has = has || source_in(tree.all[i].path, layers[k].folder);
		}
		if (!has) {
			complain("layer", tree.all[i].path, "its folder has no line in `layers`");
		}
	}
	expect_none();
}

/* A command's file is called as the command, the parts of a protocol as those of another, a table of
 * plugins registry.c, and a test as what it tests; all else has a name of its own. */
static void names_say_one_thing(void **state)
{
	(void)state;
	for (size_t i = 0; i < tree.n; i++) {
		for (size_t k = i + 1; k < tree.n; k++) {
			const char *a = tree.all[i].path, *b = tree.all[k].path, *name = source_name(a);
			bool one_protocol = source_in(a, "protocols") && source_in(b, "protocols");
			if (strcmp(name, source_name(b)) == 0 && strcmp(name, "registry.c") != 0 && !one_protocol &&
				!source_in(a, "cli") && !source_in(b, "cli") && !source_in(b, "tests")) {
				complain("name", b, a);
			}
		}
	}
	expect_none();
}

/* The function's name: what stands before the first parenthesis of the lines above its brace. */
static void name_function(const char *code, const char *brace, char name[100])
{
	const char *start = brace;
	while (start > code && !(start[-1] == '\n' && start < brace && (isalpha((unsigned char)*start) != 0))) {
		start--;
	}
	const char *end = start + strcspn(start, "(\n");
	const char *begin = end;
	while (begin > start && (isalnum((unsigned char)begin[-1]) != 0 || begin[-1] == '_')) {
		begin--;
	}
	snprintf(name, 100, "%.*s", (int)(end - begin), begin);
}

static void check_functions(const struct source *source)
{
	char name[100], where[1200], what[100];
	const char *brace = NULL;
	unsigned line = 0, begins = 0;
	for (const char *at = source->code; *at != '\0'; at += strcspn(at, "\n"), at += *at == '\n') {
		line++;
		if (strncmp(at, "{\n", 2) == 0) {
			brace = at;
			begins = line;
		} else if (at[0] == '}' && brace != NULL) {
			name_function(source->code, brace, name);
			snprintf(where, sizeof(where), "%s:%s", source->path, name);
			snprintf(what, sizeof(what), "%u lines, at most %d", line - begins + 1, FUNCTION_LINES_MAX);
			if (line - begins + 1 > FUNCTION_LINES_MAX) {
				complain("function", where, what);
			}
			brace = NULL;
		}
	}
	snprintf(what, sizeof(what), "%u lines, at most %d", line, FILE_LINES_MAX);
	if (line > FILE_LINES_MAX) {
		complain("file", source->path, what);
	}
	if (strcmp(source->path, "lab/lab.h") == 0 && line > LAB_LINES_MAX) {
		snprintf(what, sizeof(what), "%u lines, at most %d", line, LAB_LINES_MAX);
		complain("file", "lab/lab.h: short", what);
	}
}

static void files_and_functions_fit(void **state)
{
	(void)state;
	for (size_t i = 0; i < tree.n; i++) {
		check_functions(&tree.all[i]);
	}
	expect_none();
}

/* Members of the struct whose brace is at `at`; those of a struct within it are its own. */
static unsigned count_members(const char *at)
{
	unsigned n = 0, braces = 0, others = 0;
	bool any = false;
	for (; *at != '\0'; at++) {
		braces += *at == '{';
		braces -= *at == '}';
		others += *at == '(' || *at == '[';
		others -= *at == ')' || *at == ']';
		if (braces == 0) {
			break;
		}
		if (braces == 1 && others == 0) {
			any = any || isalpha((unsigned char)*at) != 0;
			n += (*at == ',' || *at == ';') && any;
			any = any && *at != ';';
		}
	}
	return n;
}

static void structs_of_the_lab_are_small(void **state)
{
	(void)state;
	for (size_t i = 0; i < tree.n; i++) {
		const struct source *source = &tree.all[i];
		if (!source_in(source->path, "lab")) {
			continue;
		}
		for (const char *at = source->code; (at = strstr(at, "struct ")) != NULL;) {
			at += strlen("struct ");
			size_t n = strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789_");
			const char *brace = at + n + (n > 0 && at[n] == ' ');
			if (*brace == '{' && count_members(brace) > LAB_MEMBERS_MAX) {
				char where[1200], what[100];
				snprintf(where, sizeof(where), "%s:%.*s", source->path, (int)n, at);
				snprintf(what, sizeof(what), "%u members, at most %d", count_members(brace), LAB_MEMBERS_MAX);
				complain("struct", where, what);
			}
		}
	}
	expect_none();
}

/* Behind the parenthesis that matches the one at `at`. */
static const char *behind_condition(const char *at)
{
	unsigned depth = 0;
	for (; *at != '\0'; at++) {
		depth += *at == '(';
		depth -= *at == ')';
		if (depth == 0) {
			return at + 1;
		}
	}
	return at;
}

/* Braces always: what begins at `at`, the start of a statement, has them. */
static bool has_braces(const char *at)
{
	static const char *const words[] = {"if (", "for (", "while ("};
	bool after_brace = strncmp(at, "} ", 2) == 0;
	at += after_brace ? 2 : 0;
	if (strncmp(at, "else", 4) == 0 && (at[4] == ' ' || at[4] == '\n')) {
		at += 4;
		at += *at == ' ';
		if (strncmp(at, "if (", 4) != 0) {
			return *at == '{';
		}
	}
	for (size_t i = 0; i < COUNT(words); i++) {
		if (strncmp(at, words[i], strlen(words[i])) == 0) {
			const char *body = behind_condition(at + strlen(words[i]) - 1);
			return (after_brace && *at == 'w') || body[strspn(body, " \n\t\\")] == '{';
		}
	}
	return true;
}

static void check_form(const struct source *source)
{
	unsigned number = 0;
	for (const char *at = source->text; *at != '\0';) {
		size_t n = strcspn(at, "\n"), blanks = strspn(at, " "), column = 0;
		const char *code = source->code + (at - source->text);
		char where[1200];
		snprintf(where, sizeof(where), "%s:%u", source->path, ++number);
		for (size_t i = 0; i < n; i++) {
			bool continues = ((unsigned char)at[i] & 0xc0) == 0x80; /* of a character in UTF-8 */
			column += at[i] == '\t' ? TAB_WIDTH - column % TAB_WIDTH : !continues;
		}
		if (column > WIDTH_MAX && memchr(at, '"', n) == NULL) { /* what is said stays on one line */
			char wide[1200];
			snprintf(wide, sizeof(wide), "%s:wide", source->path);
			complain("form", wide, where);
		}
		if (n > 0 && (at[n - 1] == ' ' || at[n - 1] == '\t' || at[n - 1] == '\r')) {
			complain("form", where, "ends with a blank");
		}
		if (blanks > 0 && !(blanks == 1 && at[1] == '*')) {
			complain("form", where, "is indented with blanks: tabs indent");
		}
		if (!has_braces(code + strspn(code, "\t"))) {
			complain("form", where, "has no braces");
		}
		at += n;
		if (*at != '\n') {
			complain("form", where, "ends without a newline");
		}
		at += *at == '\n';
	}
}

static void lines_have_one_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < tree.n; i++) {
		check_form(&tree.all[i]);
		if (is_header(tree.all[i].path) && strstr(tree.all[i].code, "#ifndef") == NULL) {
			complain("form", tree.all[i].path, "has no guard");
		}
	}
	expect_none();
}

static void known_exceptions_are_needed(void **state)
{
	(void)state;
	size_t n_stale = 0;
	for (size_t i = 0; i < COUNT(known); i++) {
		if (!known[i].needed) {
			fprintf(stderr, "{\"%s\", \"%s\"} is known and no longer needed: take it out\n", known[i].rule, known[i].where);
			n_stale++;
		}
	}
	assert_int_equal(n_stale, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(includes_go_the_right_way),
		cmocka_unit_test(every_folder_has_a_layer),
		cmocka_unit_test(names_say_one_thing),
		cmocka_unit_test(files_and_functions_fit),
		cmocka_unit_test(structs_of_the_lab_are_small),
		cmocka_unit_test(lines_have_one_form),
		cmocka_unit_test(known_exceptions_are_needed),
	};
	tree = sources_read(getenv("SOURCE"));
	int n_failed = cmocka_run_group_tests(tests, NULL, NULL);
	sources_free(&tree);
	return n_failed;
}
