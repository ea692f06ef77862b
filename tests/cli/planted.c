/* The program with runs that die: linked before the laboratory's run_one (--wrap). PLANT is a list of
 * run=way, such as "3=assert,5=segv". */
#include "lab/run.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool __real_run_one(const struct run_request *request, struct run_blocks *blocks,
	struct run_summary *summary, char error[256]);
bool __wrap_run_one(const struct run_request *request, struct run_blocks *blocks,
	struct run_summary *summary, char error[256]);

static int overrun(volatile int depth)
{
	volatile char room[4096];
	room[0] = (char)depth;
	return depth < 0 ? room[0] : overrun(depth + 1) + room[0];
}

bool __wrap_run_one(const struct run_request *request, struct run_blocks *blocks,
	struct run_summary *summary, char error[256])
{
	const char *plant = getenv("PLANT");
	char key[32];
	snprintf(key, sizeof(key), "%llu=", (unsigned long long)run_index(request));
	for (; plant != NULL && plant[0] != '\0'; plant = strchr(plant, ',') ? strchr(plant, ',') + 1 : NULL) {
		if (strncmp(plant, key, strlen(key)) != 0) {
			continue;
		}
		const char *way = plant + strlen(key);
		size_t n_planted = 0;
		if (way[0] == 'a') {
			assert(n_planted > 0);
		} else if (way[0] == 's') {
			raise(SIGSEGV);
		} else if (way[0] == 'o') {
			return overrun(0) == 1;
		} else if (way[0] == 'e') {
			snprintf(error, 256, "the data are not to be had");
			return false;
		}
	}
	return __real_run_one(request, blocks, summary, error);
}
