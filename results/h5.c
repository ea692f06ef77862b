#include "h5.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

bool results_fail(struct results_error *error, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(error->text, sizeof(error->text), format, arguments);
	va_end(arguments);
	return false;
}

const char *results_cause(int number)
{
	switch (number) {
	case EFBIG:
		return "File too large: the limit on the size of files (`ulimit -f`), or of the file system, is reached";
	case EMFILE:
		return "Too many open files: the limit on open files (`ulimit -n`) is too low";
	default:
		return strerror(number);
	}
}

void h5_quiet(void)
{
	H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

struct cause {
	char text[256];
};

/* HDF5's file drivers put "errno = 28, error message = ..." among much else; the system's own words
 * for that number are all that a user needs. Where no number is given, the innermost description
 * stands. */
static herr_t find_cause(unsigned n, const H5E_error2_t *entry, void *into)
{
	struct cause *cause = into;
	const char *description = entry->desc ? entry->desc : "";
	const char *number = strstr(description, "errno = ");
	if (number) {
		snprintf(
			cause->text, sizeof(cause->text), "%s", results_cause(atoi(number + strlen("errno = "))));
		return 1;
	}
	if (!cause->text[0]) {
		snprintf(cause->text, sizeof(cause->text), "HDF5 says: %s", description);
	}
	return 0;
}

bool h5_fail(struct results_error *error, const char *action, const char *path)
{
	struct cause cause = {""};
	H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, find_cause, &cause);
	return results_fail(error, "cannot %s %s: %s", action, path,
		cause.text[0] ? cause.text : "HDF5 gives no cause");
}
