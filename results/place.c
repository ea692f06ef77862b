#include "place.h"

#include "h5.h"
#include "memory.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *place_beside(const char *path, const char *ending)
{
	size_t bytes = strlen(path) + strlen(ending) + 1;
	char *beside = memory_resize(NULL, bytes);
	snprintf(beside, bytes, "%s%s", path, ending);
	return beside;
}

static char *folder_of(const char *path)
{
	if (!strchr(path, '/')) {
		return memory_copy_text(".");
	}
	char *folder = memory_copy_text(path);
	char *slash = strrchr(folder, '/');
	slash[slash == folder] = '\0'; /* the folder of "/x" is "/" */
	return folder;
}

static bool cannot(const char *path, const char *why, struct results_error *error)
{
	return results_fail(error, "cannot write %s: %s", path, why);
}

/* What stands in the way of writing over what is there; NULL: nothing. */
static const char *obstacle(const struct stat *status)
{
	return S_ISREG(status->st_mode) ? NULL
		 : S_ISDIR(status->st_mode) ? "it is a folder"
		 : S_ISLNK(status->st_mode) ? "it is a symbolic link, which is not followed: name the file itself"
		 : S_ISFIFO(status->st_mode) ? "it is a pipe, not a plain file"
									 : "it is not a plain file";
}

bool place_check(const char *path, struct results_error *error)
{
	struct stat status;
	if (lstat(path, &status) == 0) {
		const char *why = obstacle(&status);
		/* The bits count for root as well, who may do all. */
		if (!why && ((status.st_mode & 0222) == 0 || access(path, W_OK) != 0)) {
			why = "it is read-only, and so is not replaced";
		}
		return why ? cannot(path, why, error) : true;
	}
	if (!path[0] || path[strlen(path) - 1] == '/') {
		return results_fail(error, "cannot write \"%s\": it is not the name of a file", path);
	}
	char *folder = folder_of(path);
	bool found = stat(folder, &status) == 0;
	if (!found) {
		results_fail(error, "cannot write %s: the folder %s: %s", path, folder, strerror(errno));
	}
	free(folder);
	return found;
}

/* Is what is open as `fd` a file of ours, by how it begins? */
static const char *not_ours(int fd, const void *magic, size_t magic_bytes)
{
	struct stat status;
	if (fstat(fd, &status) != 0) {
		return strerror(errno);
	}
	const char *why = obstacle(&status);
	if (why) {
		return why;
	}
	char start[16] = {0};
	assert(magic_bytes <= sizeof(start));
	ssize_t n = pread(fd, start, magic_bytes, 0);
	if (n < 0) {
		return strerror(errno);
	}
	return memcmp(start, magic, (size_t)n) == 0
			 ? NULL
			 : "it is there and was not written by synod; it is not overwritten: move it away";
}

/* O_NONBLOCK: opening a pipe must not wait for its other end. */
#define OPEN_OURS (O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)

int place_open(const char *path, const void *magic, size_t magic_bytes, struct results_error *error)
{
	for (;;) {
		int fd = open(path, OPEN_OURS | O_CREAT | O_EXCL, 0666);
		if (fd >= 0) {
			return fd;
		}
		if (errno == EEXIST) {
			fd = open(path, OPEN_OURS);
			if (fd < 0 && errno == ENOENT) {
				continue; /* it was removed meanwhile */
			}
		}
		if (fd < 0) {
			results_fail(error, "cannot create %s: %s", path,
				errno == ELOOP ? "it is a symbolic link, which is not followed" : results_cause(errno));
			return -1;
		}
		const char *why = not_ours(fd, magic, magic_bytes);
		if (!why) {
			return fd;
		}
		close(fd);
		cannot(path, why, error);
		return -1;
	}
}

int place_create(const char *path, const void *magic, size_t magic_bytes, struct results_error *error)
{
	int fd = place_open(path, magic, magic_bytes, error);
	if (fd >= 0 && ftruncate(fd, 0) != 0) {
		cannot(path, results_cause(errno), error);
		close(fd);
		return -1;
	}
	return fd;
}

/* Makes the names in a folder last. */
static bool sync_folder(const char *folder, struct results_error *error)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		return results_fail(error, "cannot open %s: %s", folder, strerror(errno));
	}
	/* Some file systems can't sync a folder (EINVAL); they have nothing to sync then. */
	bool synced = fsync(fd) == 0 || errno == EINVAL;
	if (!synced) {
		results_fail(error, "cannot write %s: %s", folder, strerror(errno));
	}
	close(fd);
	return synced;
}

bool place_rename(const char *from, const char *to, struct results_error *error)
{
	if (rename(from, to) != 0) {
		return results_fail(error, "cannot rename %s to %s: %s", from, to, strerror(errno));
	}
	char *folder = folder_of(to);
	bool synced = sync_folder(folder, error);
	free(folder);
	return synced;
}
