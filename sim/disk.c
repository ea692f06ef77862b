/* Stable storage: a device a node, that writes one record after another; and the faults that make it slow, make
 * it stand still, and let crashes take what it had said was written. Declared in sim/node.h. */
#include "faults.h"

#include "engine/latency.h"

#include <string.h>

/* One of the two faults, of a run; all are kept in a list. */
struct disk_fault {
	struct disk_fault *next;
	const struct fault_common *common;
	const struct fault_slow_disk *slow; /* one of the two */
	const struct fault_disk *disk;
	struct random_key key;
	uint8_t *marks;
	bool open;
};

struct disk {
	struct random_key key;
	uint64_t n_writes;
	/* Records that a crash may take, in the order of writing, and those that one has met. */
	struct disk_record *first, **end;
	struct disk_record *in_flight;
	bool wiped;
};

/* Twins that share an identity are two machines: each has a device of its own. */
static uint32_t place(const struct world *world, uint32_t node, uint32_t twin)
{
	return node + twin * world->n_validators;
}

static struct disk *disk_of(struct node *node)
{
	struct world *world = node->world;
	if (world->disks == NULL) {
		world->disks = arena_array(&world->arena, struct disk *, 2 * (size_t)world->n_validators);
	}
	struct disk **disk = &world->disks[place(world, node->id, node->twin)];
	if (*disk == NULL) {
		*disk = arena_new(&world->arena, struct disk);
		(*disk)->key =
			random_key_make(world->settings.seed, RANDOM_DISK, (uint64_t)node->twin << 31 | node->id);
		(*disk)->end = &(*disk)->first;
	}
	return *disk;
}

bool node_stores(const struct node *node, const struct plugin_value *delay)
{
	const struct latency_model *model = (const struct latency_model *)delay->plugin;
	sim_time delay_ns = 0;
	if (model != NULL && model->constant) {
		model->draw(delay->settings, (struct random_key){{0, 0}}, 0, node->id, &node->id, 1,
			node->n_validators, &delay_ns);
	}
	for (const struct disk_fault *fault = node->world->disk_faults; fault != NULL; fault = fault->next) {
		if (fault->marks[node->id] != 0) {
			return true;
		}
	}
	return model != NULL && !adds_nothing(delay) && (!model->constant || delay_ns > 0);
}

bool node_caches(const struct node *node)
{
	for (const struct disk_fault *fault = node->world->disk_faults; fault != NULL; fault = fault->next) {
		if (fault->marks[node->id] != 0 && fault->disk != NULL && fault->disk->cache_ns > 0) {
			return true;
		}
	}
	return false;
}

static sim_time draw(const struct plugin_value *delay, struct random_key key, uint64_t number,
	const struct node *node)
{
	const struct latency_model *model = (const struct latency_model *)delay->plugin;
	sim_time delay_ns = 0;
	if (model != NULL) {
		model->draw(delay->settings, key, number, node->id, &node->id, 1, node->n_validators, &delay_ns);
	}
	return delay_ns;
}

static bool holds(const struct disk_fault *fault, const struct node *node)
{
	return fault->open && fault->marks[node->id] != 0;
}

void node_write(struct node *node, const struct plugin_value *delay, struct disk_record *record,
	struct message *done)
{
	struct world *world = node->world;
	struct disk *disk = disk_of(node);
	assert(disk->in_flight == NULL); /* one after another */
	record->next = NULL;
	record->n_left = 0;
	record->safe_at = SIM_NEVER;
	*disk->end = record;
	disk->end = &record->next;
	disk->in_flight = record;
	uint64_t number = disk->n_writes++;
	sim_time takes = draw(delay, disk->key, number, node), added = 0;
	for (const struct disk_fault *fault = world->disk_faults; fault != NULL; fault = fault->next) {
		if (fault->slow != NULL && holds(fault, node)) {
			double slow = (double)takes * fault->slow->factor;
			takes = slow < 0x1p63 ? (sim_time)(slow + .5) : SIM_NEVER;
			added = sim_time_add(added,
				draw(&fault->slow->delay, fault->key, (uint64_t)node->id << 32 | (uint32_t)number, node));
		}
	}
	/* Factors multiply, delays add up. */
	node_later_as(node, EVENT_WRITTEN, sim_time_add(takes, added), done);
}

/* The device is done, unless it stands still: then with all that waits, when it goes on. */
void disk_written(struct world *world, uint32_t whom, uint32_t index)
{
	struct node *node = &world->nodes[whom];
	bool gone = !node->alive ||
		(packet_at(world, index)->message.number & INT32_MAX) != world->ports[whom].n_downs;
	sim_time stalls_until = 0, cache_ns = 0;
	for (const struct disk_fault *fault = world->disk_faults; fault != NULL; fault = fault->next) {
		if (fault->disk != NULL && holds(fault, node)) {
			sim_time until = fault->disk->stall ? fault->common->until_ns : 0;
			stalls_until = until > stalls_until ? until : stalls_until;
			cache_ns = fault->disk->cache_ns > cache_ns ? fault->disk->cache_ns : cache_ns;
		}
	}
	if (!gone && stalls_until > world->now) {
		queue_push(&world->queue, stalls_until, handle_make(EVENT_WRITTEN, whom, index));
		return;
	}
	if (world_keeps(world, EVENT_WRITTEN, whom, index)) {
		return;
	}
	if (!gone) {
		uint32_t twin = packet_at(world, index)->message.number >> 31;
		struct disk *disk = world->disks[place(world, whom, twin)];
		disk->in_flight->safe_at = sim_time_add(world->now, cache_ns);
		disk->in_flight = NULL;
	}
	net_later(world, whom, index);
}

static struct disk_record *take_first(struct disk *disk)
{
	struct disk_record *record = disk->first;
	disk->first = record->next;
	if (disk->first == NULL) {
		disk->end = &disk->first;
	}
	return record;
}

struct disk_record *node_settled(struct node *node)
{
	struct disk *disk = disk_of(node);
	return disk->first != NULL && disk->first->safe_at <= node->world->now ? take_first(disk) : NULL;
}

struct disk_record *node_survivor(struct node *node)
{
	struct disk *disk = disk_of(node);
	return disk->first != NULL ? take_first(disk) : NULL;
}

static const struct disk *disk_used(const struct node *node)
{
	const struct world *world = node->world;
	return world->disks == NULL ? NULL : world->disks[place(world, node->id, node->twin)];
}

const struct disk_record *node_unsettled(const struct node *node)
{
	const struct disk *disk = disk_used(node);
	return disk == NULL ? NULL : disk->first;
}

bool node_wiped(const struct node *node)
{
	const struct disk *disk = disk_used(node);
	return disk != NULL && disk->wiped;
}

void node_forget(struct node *node)
{
	if (node->world->ops->forget != NULL) {
		node->world->ops->forget(node);
	}
}

/* What the device had not said is written is lost, and so is what it keeps in a cache. Torn: of the first of
 * these records some parts are there. */
static void crash(struct world *world, uint32_t whom, uint32_t twin)
{
	struct node *node = &world->nodes[whom];
	struct disk *disk = world->disks[place(world, whom, twin)];
	bool torn = false;
	disk->wiped = false;
	for (const struct disk_fault *fault = world->disk_faults; fault != NULL; fault = fault->next) {
		if (fault->disk != NULL && holds(fault, node)) {
			torn |= fault->disk->unsynced == DISK_TORN;
			disk->wiped |= fault->disk->wipe;
		}
	}
	struct random_stream stream = random_stream_make(world->settings.seed, RANDOM_DISK,
		(uint64_t)twin << 63 | (uint64_t)(whom + 1) << 32 | world->ports[whom].n_downs);
	for (struct disk_record *record = disk->first; record != NULL; record = record->next) {
		if (record->safe_at <= world->now) {
			record->n_left = record->n_parts;
			continue;
		}
		record->n_left = torn ? (uint32_t)random_below(&stream, (uint64_t)record->n_parts + 1) : 0;
		torn = false;
	}
	disk->in_flight = NULL;
}

void disk_crash(struct world *world, uint32_t whom)
{
	for (uint32_t twin = 0; world->disks != NULL && twin < 2; twin++) {
		if (world->disks[place(world, whom, twin)] != NULL) {
			crash(world, whom, twin);
		}
	}
}

/* The faults. */

static const struct param slow_params[] = {
	FAULT_NODES(struct fault_slow_disk, nodes, "nodes", PARAM_REQUIRED,
		"the validators whose disks are slow, or leader: whoever it is when it begins"),
	{.name = "factor", .kind = PARAM_REAL, .offset = offsetof(struct fault_slow_disk, factor),
		.min = 0, .max = 1e9, .fallback = "1", .unit = "",
		.help = "multiplies what a write takes (the protocol's write_delay)"},
	{.name = "delay", .kind = PARAM_PLUGIN, .offset = offsetof(struct fault_slow_disk, delay),
		.registry = &latency_extra_registry, .fallback = "none", .unit = "",
		.help = "added to what a write takes: a duration, or a kind of latency"},
	FAULT_WINDOW(struct fault_slow_disk),
	PARAM_END,
};

static const struct param disk_params[] = {
	FAULT_NODES(struct fault_disk, nodes, "nodes", PARAM_REQUIRED,
		"the validators whose disks fail, or leader: whoever it is when it begins"),
	{.name = "stall", .kind = PARAM_BOOL, .offset = offsetof(struct fault_disk, stall),
		.fallback = "off", .unit = "",
		.help = "no write ends within the window; what would have, ends with it"},
	{.name = "cache", .kind = PARAM_DURATION, .offset = offsetof(struct fault_disk, cache_ns),
		.fallback = "0 s", .unit = "s",
		.help = "the disk says that a write has ended so long before it has: a crash meanwhile takes it"},
	{.name = "unsynced", .kind = PARAM_CHOICE, .offset = offsetof(struct fault_disk, unsynced),
		.choices = "lost|torn", .fallback = "lost", .unit = "",
		.help = "what a crash leaves of the first write that had not ended: nothing, or a part, drawn"},
	{.name = "wipe", .kind = PARAM_BOOL, .offset = offsetof(struct fault_disk, wipe),
		.fallback = "off", .unit = "",
		.help = "a crash takes all that was ever written, and what the application has executed"},
	FAULT_WINDOW(struct fault_disk),
	PARAM_END,
};

static bool stores(const struct shape *shape, const char **param, char error[256])
{
	return shape->stores ||
		fault_refuse("nodes", param, error,
			"name validators of a protocol that writes to stable storage, and this one does not: raft does, "
			"and pbft without tentative and fast_path");
}

static bool slow_finish(void *settings, const struct shape *shape, const char **param, char error[256])
{
	const struct fault_slow_disk *slow = settings;
	if (adds_nothing(&slow->delay) && slow->factor == 1) {
		return fault_refuse(
			"delay", param, error, "is none and factor is 1: give one of them, such as delay: 10 ms");
	}
	return stores(shape, param, error) && fault_finish_nodes(&slow->nodes, "nodes", param, error) &&
		fault_finish_window(settings, shape, param, error);
}

static bool disk_finish(void *settings, const struct shape *shape, const char **param, char error[256])
{
	const struct fault_disk *disk = settings;
	if (!disk->stall && disk->cache_ns == 0 && disk->unsynced == DISK_LOST && !disk->wipe) {
		return fault_refuse("nodes", param, error,
			"have disks that do what disks do: give stall: on, cache, unsynced: torn, or wipe: on");
	}
	return stores(shape, param, error) && fault_finish_nodes(&disk->nodes, "nodes", param, error) &&
		fault_finish_window(settings, shape, param, error);
}

static const struct node_list *nodes_of(const struct disk_fault *fault)
{
	return fault->slow != NULL ? &fault->slow->nodes : &fault->disk->nodes;
}

static void change(struct world *world, void *context, bool begins)
{
	struct disk_fault *fault = context;
	if (begins && nodes_of(fault)->leader) {
		memset(fault->marks, 0, world->n_validators);
		fault_mark(world, nodes_of(fault), fault->marks, 1);
	}
	fault->open = begins;
}

static void schedule(struct world *world, struct disk_fault content, uint32_t index, const char *begins,
	const char *ends)
{
	struct disk_fault *fault = arena_new(&world->arena, struct disk_fault);
	*fault = content;
	fault->key = fault_key(world, index, 0);
	fault->marks = arena_array(&world->arena, uint8_t, world->n_nodes);
	const struct node_list *nodes = nodes_of(fault);
	if (nodes->leader) { /* whoever it will be: all may be met */
		memset(fault->marks, 1, world->n_validators);
	} else {
		fault_mark(world, nodes, fault->marks, 1);
	}
	struct disk_fault **last = &world->disk_faults;
	while (*last != NULL) {
		last = &(*last)->next;
	}
	*last = fault;
	fault_window_schedule(world,
		&(struct fault_window){.common = fault->common, .begins = begins, .ends = ends, .nodes = nodes,
			.change = change, .state = fault, .links = fault->disk != NULL && fault->disk->stall,
			.early = !nodes->leader});
}

static void slow_schedule(struct world *world, const void *settings, uint32_t index)
{
	const struct fault_slow_disk *slow = settings;
	schedule(world, (struct disk_fault){.common = &slow->common, .slow = slow}, index,
		"slow-disk begins", "slow-disk ends");
}

static void disk_schedule(struct world *world, const void *settings, uint32_t index)
{
	const struct fault_disk *disk = settings;
	schedule(world, (struct disk_fault){.common = &disk->common, .disk = disk}, index, "disk fails",
		"disk works");
}

const struct fault fault_slow_disk = {
	.plugin = {.name = "slow-disk", .summary = "validators whose writes to stable storage take longer",
		.params = slow_params, .settings_size = sizeof(struct fault_slow_disk), .finish = slow_finish},
	.schedule = slow_schedule,
};

const struct fault fault_disk = {
	.plugin = {.name = "disk",
		.summary = "stable storage that stalls, or that a crash finds short of what it had promised",
		.params = disk_params, .settings_size = sizeof(struct fault_disk), .finish = disk_finish},
	.schedule = disk_schedule,
};
