/* Which swept keys a scenario takes side by side, read from its text. */
#ifndef ANALYSIS_ZIPPED_H
#define ANALYSIS_ZIPPED_H

#include <stdbool.h>

/* Is `key` (a dotted path) one of those under the text's top-level `zip:`? False as well where the text can't
 * be read: a result file holds the text that was run. O(length). */
bool zipped_has(const char *scenario, const char *key);

#endif
