/* The seal of a result file: the first 512 bytes, in front of what HDF5 knows (its "user block", which every
 * reader of HDF5 passes over). It is text, and says what the file is, how many bytes follow and their
 * XXH3-128, so that a flipped bit or a missing end is seen before HDF5, which dies of some, looks at it.
 *
 * In front, not behind: whether a file has a seal must not hang on bytes that damage may have taken away. The
 * first of the two formats has none and begins with HDF5's own signature; no single byte makes one the other. */
#ifndef RESULTS_SEAL_H
#define RESULTS_SEAL_H

#include "results/results.h"

#define SEAL_BYTES 512 /* the smallest user block */
#define SEAL_MAGIC "synod-results "
#define SEAL_MAGIC_BYTES (sizeof(SEAL_MAGIC) - 1)
#define SEAL_HDF5 "\x89HDF\r\n\x1a\n" /* how an HDF5 file without a user block begins */

/* Marks an empty file as ours before anything else is in it. 0, or an errno. */
int seal_begin(int fd);
/* Seals what now lies behind the first SEAL_BYTES: one sequential pass. 0, or an errno. */
int seal_finish(int fd);

enum seal_found {
	SEAL_GOOD,
	SEAL_ABSENT, /* an HDF5 file: of format 1, or of somebody else */
	SEAL_BAD,    /* `error` says what is wrong with `path` */
};
/* Looks at an open file's every byte, once. */
enum seal_found seal_check(int fd, const char *path, struct results_error *error);

#endif
