/* What is no error and yet worth a word: keys that nothing looks at, timers that the network or another timer
 * makes useless, attackers against whom nothing is promised.
 *
 * Where a key is looked at and what a timer should stay below is said by its table (`when`, `below` in
 * sim/param.h); this file knows how to ask, and the few rules that involve several plugins. A remark is made
 * once a scenario: of a key in vain only where it is so at every point, of anything else at the first. */
#ifndef REMARKS_H
#define REMARKS_H

#include "check.h"

struct remarks;

struct remarks *remarks_create(void);
void remarks_destroy(struct remarks *remarks);
/* Looks at one good point: its tree, and what it came to, before or after pooling. */
void remarks_point(struct remarks *remarks, const struct tree *root, const struct scenario *scenario,
	size_t point);

/* What has to be known of the points to tell of them. */
struct remarks_teller {
	/* Does the point come to something else with `fallback` at the dotted path? A key in vain is none where
	 * the default would do the same. */
	bool (*differs)(void *context, size_t point, const char *path, const char *fallback);
	/* Adds ` (point 3, protocol raft)` where there are several. */
	void (*name_point)(void *context, size_t point, struct text *out);
	void *context;
};

/* Adds all remarks. */
void remarks_add(const struct remarks *remarks, const struct remarks_teller *teller,
	struct diagnostics *diagnostics);

#endif
