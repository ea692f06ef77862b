/* Where what the program needs at run time lies: found from where the program itself is. */
#include "command.h"

#include "scenarios/scenario.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* root/folder where that can be read; NULL otherwise. The caller frees. */
static char *readable(const char *root, const char *folder)
{
	char *path;
	if (asprintf(&path, "%s/%s", root, folder) < 0) {
		return NULL;
	}
	if (access(path, R_OK) == 0) {
		return path;
	}
	free(path);
	return NULL;
}

/* Installed: PROGRAM/../share/synod/NAME. Not installed: the source tree's folder, beside the build
 * folder or wherever it was built from. */
char *data_folder(const char *name)
{
	char program[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);
	program[n < 0 ? 0 : n] = '\0';
	char *slash = strrchr(program, '/');
	if (slash != NULL) {
		*slash = '\0';
	}
	const char *source = strcmp(name, "gnuplot") == 0 ? "analysis/gnuplot" : name;
	char *installed;
	char *beside;
	if (asprintf(&installed, "../share/synod/%s", name) < 0) {
		return NULL;
	}
	if (asprintf(&beside, "../%s", source) < 0) {
		free(installed);
		return NULL;
	}
	char *path = readable(program, installed);
	path = path != NULL ? path : readable(program, beside);
	path = path != NULL ? path : readable(SYNOD_SOURCE_ROOT, source);
	free(installed);
	free(beside);
	return path;
}

char *scenario_path(const char *path)
{
	char *shipped = NULL;
	if (access(path, F_OK) != 0 && strchr(path, '/') == NULL) {
		char *folder = data_folder("scenarios");
		shipped = folder == NULL ? NULL : readable(folder, path);
		char *name;
		if (folder != NULL && shipped == NULL && asprintf(&name, "%s.yaml", path) >= 0) {
			shipped = readable(folder, name);
			free(name);
		}
		free(folder);
	}
	return shipped != NULL ? shipped : strdup(path);
}

struct scenario_file *scenario_given(const char *path, const struct option_values *sets, bool skip_unfit,
	struct diagnostics *diagnostics)
{
	const char *all[OPTION_VALUES_MAX + 1];
	memcpy(all, sets->values, sets->n * sizeof(*all));
	all[sets->n] = "skip_unfit=on";
	return scenario_read(path, all, sets->n + skip_unfit, diagnostics);
}
