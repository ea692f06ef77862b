/* What a run has taken, and the bounds on it: lab/footprint.h. */
#include "clients.h"
#include "replicas.h"
#include "transactions.h"
#include "items.h"
#include "lab.h"
#include "outside.h"
#include "measure/measure.h"
#include "outages.h"
#include "watch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define MIB 1048576.0

/* A number at the start of a file, or 0. */
static uint64_t number_in(const char *path, unsigned place)
{
	FILE *file = fopen(path, "r");
	uint64_t number = 0;
	for (unsigned i = 0; file != NULL && i <= place; i++) {
		if (fscanf(file, "%" SCNu64, &number) != 1) { /* "max" */
			number = 0;
			break;
		}
	}
	if (file != NULL) {
		fclose(file);
	}
	return number;
}

uint64_t memory_of_machine(void)
{
	static const char *const groups[] = {
		"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"};
	long n_pages = sysconf(_SC_PHYS_PAGES);
	uint64_t bytes = n_pages <= 0 ? 0 : (uint64_t)n_pages * (uint64_t)sysconf(_SC_PAGESIZE);
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		uint64_t group = number_in(groups[i], 0);
		bytes = group > 0 && (bytes == 0 || group < bytes) ? group : bytes;
	}
	return bytes / 4 * 3;
}

/* What the program occupies: resident, not only asked for. */
static uint64_t resident(void)
{
	return number_in("/proc/self/statm", 1) * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* The arrays that grow with the run. */
static uint64_t counted(const struct lab *lab)
{
	uint64_t bytes = world_memory(&lab->world);
	bytes += outside_bytes(lab);
	bytes += transactions_bytes(lab) + clients_bytes(lab) + replicas_bytes(lab);
	bytes += lab->items->capacity * sizeof(*lab->items->all);
	bytes += watch_bytes(lab) + outages_bytes(lab->outages);
	bytes += measure_bytes(lab->measure);
	return bytes;
}

/* So rarely that looking costs nothing, so often that little can grow meanwhile: an event sends at most a
 * copy to each node. */
static uint64_t events_between_looks(const struct lab *lab)
{
	uint64_t n = (UINT64_C(1) << 20) / lab->world.n_nodes;
	return n < 16 ? 16 : n > 65536 ? 65536 : n;
}

void memory_look(struct lab *lab)
{
	struct world *world = &lab->world;
	int64_t bound = lab->scenario->stop.memory_bytes;
	uint64_t events_max = (uint64_t)lab->scenario->stop.events;
	uint64_t bytes = counted(lab);
	if (bound >= 0 && bytes > (uint64_t)bound) {
		lab_end(lab, "limit", "memory %.6g MiB", (double)bound / MIB);
		return;
	}
	const struct memory_allowance *all = &lab->allowance;
	if (all->bytes_max > 0 && bound != INT64_MAX && bytes > all->bytes_max / all->n_jobs) {
		uint64_t taken = resident();
		if (taken > all->bytes_max) {
			lab_end(lab, "limit",
				"memory: this run has %.6g MiB, and the program %.6g of the %.6g MiB that it may take here",
				(double)bytes / MIB, (double)taken / MIB, (double)all->bytes_max / MIB);
			return;
		}
	}
	uint64_t next = events_between_looks(lab);
	next = world->events > UINT64_MAX - next ? UINT64_MAX : world->events + next;
	world->settings.events_max = next < events_max ? next : events_max;
}
