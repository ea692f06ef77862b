#include "seal.h"

#include "h5.h"
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#define PORTION ((size_t)1 << 20)

/* How many bytes came, fewer only at the end; -1 with errno. */
static ssize_t read_whole(int fd, void *into, size_t bytes, uint64_t offset)
{
	size_t n = 0;
	while (n < bytes) {
		ssize_t got = pread(fd, (char *)into + n, bytes - n, (off_t)(offset + n));
		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			return -1;
		}
		if (got == 0) {
			break;
		}
		n += (size_t)got;
	}
	return (ssize_t)n;
}

static int write_seal(int fd, const char seal[SEAL_BYTES])
{
	for (size_t n = 0; n < SEAL_BYTES;) {
		ssize_t put = pwrite(fd, seal + n, SEAL_BYTES - n, (off_t)n);
		if (put <= 0) {
			if (put < 0 && errno == EINTR) {
				continue;
			}
			return put < 0 ? errno : ENOSPC;
		}
		n += (size_t)put;
	}
	return 0;
}

static void seal_head(char seal[SEAL_BYTES], const char *rest)
{
	memset(seal, 0, SEAL_BYTES);
	snprintf(seal, SEAL_BYTES,
		SEAL_MAGIC "%d\n"
				   "An HDF5 file lies behind these %d bytes; h5py, pandas, R, Julia and h5dump pass over them.\n%s",
		RESULTS_FORMAT_VERSION, SEAL_BYTES, rest);
}

/* The seal over what lies behind it now. */
static int seal_make(int fd, char seal[SEAL_BYTES])
{
	char *portion = memory_resize(NULL, PORTION);
	XXH3_state_t *state = XXH3_createState();
	XXH3_128bits_reset(state);
	uint64_t bytes = 0;
	ssize_t n;
	while ((n = read_whole(fd, portion, PORTION, SEAL_BYTES + bytes)) > 0) {
		XXH3_128bits_update(state, portion, (size_t)n);
		bytes += (uint64_t)n;
	}
	int failed = n < 0 ? errno : 0;
	XXH128_canonical_t digest;
	XXH128_canonicalFromHash(&digest, XXH3_128bits_digest(state));
	char hex[2 * sizeof(digest.digest) + 1], rest[160];
	for (size_t i = 0; i < sizeof(digest.digest); i++) {
		snprintf(hex + 2 * i, 3, "%02x", digest.digest[i]);
	}
	snprintf(rest, sizeof(rest), "bytes %llu\nxxh3-128 %s\n", (unsigned long long)bytes, hex);
	seal_head(seal, rest);
	XXH3_freeState(state);
	free(portion);
	return failed;
}

int seal_begin(int fd)
{
	char seal[SEAL_BYTES];
	seal_head(seal, "unfinished\n");
	return write_seal(fd, seal);
}

int seal_finish(int fd)
{
	char seal[SEAL_BYTES];
	int failed = seal_make(fd, seal);
	return failed ? failed : write_seal(fd, seal);
}

static enum seal_found bad(struct results_error *error, const char *path, const char *what)
{
	results_fail(error, "cannot read %s: %s", path, what);
	return SEAL_BAD;
}

enum seal_found seal_check(int fd, const char *path, struct results_error *error)
{
	char found[SEAL_BYTES] = {0}, expected[SEAL_BYTES];
	ssize_t n = read_whole(fd, found, sizeof(found), 0);
	if (n < 0) {
		return bad(error, path, strerror(errno));
	}
	if (memcmp(found, SEAL_HDF5, strlen(SEAL_HDF5)) == 0) {
		return SEAL_ABSENT;
	}
	if (memcmp(found, SEAL_MAGIC, SEAL_MAGIC_BYTES) != 0) {
		return bad(error, path, "it is not a synod result, or its beginning is damaged");
	}
	char *after;
	long version = strtol(found + SEAL_MAGIC_BYTES, &after, 10);
	if (*after == '\n' && version != RESULTS_FORMAT_VERSION) {
		results_fail(error,
			"cannot read %s: it has version %ld of the format; this synod reads versions 1 and %d", path,
			version, RESULTS_FORMAT_VERSION);
		return SEAL_BAD;
	}
	/* The whole block is compared: no bit of it is free to change. */
	if (seal_make(fd, expected) != 0) {
		return bad(error, path, strerror(errno));
	}
	if (n < SEAL_BYTES || memcmp(found, expected, SEAL_BYTES) != 0) {
		return bad(error, path,
			"it is damaged or cut short: its content is not what its digest was taken of; run the scenario "
			"again, or take a copy");
	}
	return SEAL_GOOD;
}
