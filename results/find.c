/* What a new sweep finds under the name of its result. */
#include "h5.h"
#include "memory.h"
#include "place.h"
#include "reader.h"
#include "seal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool results_begun(const char *path)
{
	struct stat status;
	char *path_journal = place_beside(path, ".journal");
	bool begun = lstat(path_journal, &status) == 0;
	free(path_journal);
	return begun;
}

/* Is there something that was never a result? What is damaged may be one; format 1 shows only when opened. */
static bool is_foreign(const char *path)
{
	char start[SEAL_MAGIC_BYTES] = {0};
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, start, sizeof(start));
	if (fd >= 0) {
		close(fd);
	}
	if (n <= 0 || memcmp(start, SEAL_MAGIC, (size_t)n) == 0) {
		return false;
	}
	struct results_error error;
	struct results_file *file = results_open(path, &error);
	results_close(file);
	return file == NULL;
}

static bool same_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

static enum results_found compare(
	const char *path, const struct results_header *header, struct results_error *error)
{
	struct results_file *file = results_open(path, error);
	if (!file) {
		return FOUND_UNREADABLE;
	}
	const struct results_header *found = results_header(file);
	enum results_found what = FOUND_FINISHED;
	if (!same_text(found->synod_version, header->synod_version) ||
		!same_text(found->source, header->source)) {
		what = FOUND_OTHER_VERSION;
	} else if (!same_text(found->scenario, header->scenario) || found->seed != header->seed) {
		what = FOUND_OTHER_SCENARIO;
	}
	if (what != FOUND_FINISHED) {
		error->other = true;
		results_fail(error,
			"cannot write %s: it is the finished result of %s; name another file, or replace it with --force",
			path,
			what == FOUND_OTHER_VERSION ? "another version of synod"
										: "another scenario, or other settings of it");
	}
	results_close(file);
	return what;
}

enum results_found results_find(
	const char *path, const struct results_header *header, bool force, struct results_error *error)
{
	error->text[0] = '\0';
	error->other = false;
	struct stat status;
	if (lstat(path, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size == 0) {
		return FOUND_NOTHING;
	}
	if (is_foreign(path)) {
		error->other = true;
		results_fail(
			error, "cannot write %s: it is there and is not a result file; it is not replaced", path);
		return FOUND_FOREIGN;
	}
	return force ? FOUND_NOTHING : compare(path, header, error);
}
