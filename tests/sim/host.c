#include "host.h"

static struct host *host_of(const struct node *node)
{
	return node->world->host;
}

static void add(struct host *host, struct trace trace)
{
	if (host->silent) {
		return;
	}
	if (host->n == host->capacity) {
		host->capacity = host->capacity == 0 ? 64 : host->capacity * 2;
		host->trace = realloc(host->trace, host->capacity * sizeof(*host->trace));
		assert(host->trace != NULL);
	}
	host->trace[host->n++] = trace;
}

static void message(struct node *node, const struct message *got, enum trace_what what)
{
	struct host *host = host_of(node);
	add(host, (struct trace){node_now(node), what, node->id, got->from, got->kind, got->instance});
	if (host->on_message != NULL) {
		host->on_message(host, node, got);
	}
}

static void receive(struct node *node, const struct message *got)
{
	message(node, got, TRACE_MESSAGE);
}

static void client_receive(struct node *node, const struct message *got)
{
	message(node, got, TRACE_CLIENT);
}

static void timer(struct node *node, unsigned which)
{
	struct host *host = host_of(node);
	add(host, (struct trace){node_now(node), TRACE_TIMER, node->id, 0, which, 0});
	if (host->on_timer != NULL) {
		host->on_timer(host, node, which);
	}
}

static void client_timer(struct node *node)
{
	struct host *host = host_of(node);
	add(host,
		(struct trace){node_now(node), TRACE_CLIENT_TIMER, node->id, 0, NODE_TIMER_CLIENT, 0});
	if (host->on_timer != NULL) {
		host->on_timer(host, node, NODE_TIMER_CLIENT);
	}
}

static void restart(struct node *node)
{
	struct host *host = host_of(node);
	add(host, (struct trace){node_now(node), TRACE_RESTART, node->id, 0, 0, 0});
	if (host->on_restart != NULL) {
		host->on_restart(host, node);
	}
}

static void overdue(struct world *world, sim_time next_ns)
{
	struct host *host = world->host;
	host->n_overdue++;
	host->overdue_next = next_ns;
	if (host->on_overdue != NULL) {
		host->on_overdue(host, next_ns);
	} else {
		world->stopped = true;
	}
}

static void changed(struct world *world, struct node *node)
{
	struct host *host = world->host;
	host->n_changes++;
	if (host->on_changed != NULL) {
		host->on_changed(host, node);
	}
}

static void fault_began(struct world *world)
{
	struct host *host = world->host;
	host->n_fault_beginnings++;
}

static void fault_ended(struct world *world)
{
	struct host *host = world->host;
	host->n_fault_ends++;
}

static uint32_t leader(struct world *world)
{
	const struct host *host = world->host;
	return host->leader;
}

static void set_time(struct host_latency *latency, const char *name, sim_time value_ns)
{
	if (name == NULL) {
		return;
	}
	const struct param *param = latency->model->plugin.params;
	while (strcmp(param->name, name) != 0) {
		param++;
		assert(param->name != NULL);
	}
	assert(param->kind == PARAM_DURATION);
	memcpy(latency->settings + param->offset, &value_ns, sizeof(value_ns));
}

struct host_latency host_latency(
	const char *kind, const char *name_1, sim_time value_1, const char *name_2, sim_time value_2)
{
	struct host_latency latency = {.model = NULL};
	for (size_t i = 0; latency_registry.plugins[i] != NULL; i++) {
		if (strcmp(latency_registry.plugins[i]->name, kind) == 0) {
			latency.model = (const struct latency_model *)latency_registry.plugins[i];
		}
	}
	assert(latency.model != NULL);
	assert(latency.model->plugin.settings_size <= sizeof(latency.settings));
	set_time(&latency, name_1, value_1);
	set_time(&latency, name_2, value_2);
	return latency;
}

struct host_latency host_constant(sim_time delay_ns)
{
	return host_latency("constant", "value", delay_ns, NULL, 0);
}

struct host_latency host_equal(sim_time delay_ns)
{
	return host_latency("uniform", "min", delay_ns, "max", delay_ns);
}

struct world_settings host_settings(uint32_t n_validators, const struct host_latency *latency)
{
	return (struct world_settings){
		.seed = 42,
		.n_validators = n_validators,
		.latency = latency->model,
		.latency_settings = latency->settings,
	};
}

struct host *host_create(const struct world_settings *settings)
{
	struct host *host = calloc(1, sizeof(*host));
	assert(host != NULL);
	host->ops = (struct host_ops){
		.receive = receive,
		.timer = timer,
		.restart = restart,
		.client_receive = client_receive,
		.client_timer = client_timer,
		.overdue = overdue,
		.changed = changed,
		.fault_began = fault_began,
		.fault_ended = fault_ended,
		.leader = leader,
	};
	host->leader = NODE_NONE;
	struct world_settings bounded = *settings;
	if (bounded.events_max == 0) {
		bounded.events_max = UINT64_MAX;
	}
	world_init(&host->world, &bounded, &host->ops, host);
	return host;
}

struct host *host_with_delay(uint32_t n, sim_time delay_ns, uint64_t events_max)
{
	struct host_latency latency = host_constant(delay_ns);
	struct world_settings settings = host_settings(n, &latency);
	settings.events_max = events_max;
	struct host *host = host_create(&settings);
	host->world.settings.latency_settings = NULL; /* a constant one is never asked again */
	return host;
}

void host_destroy(struct host *host)
{
	world_finish(&host->world);
	free(host->trace);
	free(host);
}

void host_send(struct host *host, uint32_t from, uint32_t to, unsigned kind, uint32_t size_bytes,
	uint64_t instance)
{
	struct node *node = &host->world.nodes[from];
	struct message *out = node_message(node, kind, CLASS_AGREEMENT, size_bytes);
	out->instance = instance;
	if (to == NODE_NONE) {
		node_multicast(node, out);
	} else {
		node_send(node, to, out);
	}
}

struct planned {
	uint32_t from, to, size_bytes;
	unsigned kind;
};

static void send_planned(struct world *world, void *context, uint64_t instance)
{
	const struct planned *planned = context;
	host_send(
		world->host, planned->from, planned->to, planned->kind, planned->size_bytes, instance);
}

void host_send_at(struct host *host, sim_time at_ns, uint32_t from, uint32_t to, unsigned kind,
	uint32_t size_bytes, uint64_t instance)
{
	struct planned *planned = arena_new(&host->world.arena, struct planned);
	*planned = (struct planned){from, to, size_bytes, kind};
	world_call_at(&host->world, at_ns, send_planned, planned, instance);
}

void host_assert_trace(const struct host *host, const struct trace *expected, size_t n)
{
	for (size_t i = 0; i < host->n && i < n; i++) {
		const struct trace *a = &host->trace[i];
		const struct trace *b = &expected[i];
		if (a->at != b->at || a->what != b->what || a->node != b->node || a->from != b->from ||
			a->which != b->which || a->instance != b->instance) {
			fail_msg("event %zu: got at %lld what %d node %u from %u which %u instance %llu, "
					 "expected at %lld what %d node %u from %u which %u instance %llu",
				i, (long long)a->at, a->what, a->node, a->from, a->which,
				(unsigned long long)a->instance, (long long)b->at, b->what, b->node, b->from,
				b->which, (unsigned long long)b->instance);
		}
	}
	assert_int_equal(host->n, n);
}

void host_assert_same(const struct host *a, const struct host *b)
{
	host_assert_trace(a, b->trace, b->n);
}

void host_assert_digests(struct host *a, struct host *b, bool equal)
{
	char text_a[DIGEST_TEXT], text_b[DIGEST_TEXT];
	digest_text(&a->world.digest, text_a);
	digest_text(&b->world.digest, text_b);
	if (equal) {
		assert_string_equal(text_a, text_b);
	} else {
		assert_string_not_equal(text_a, text_b);
	}
}

void host_assert_near(double got, double expected, double standard_error)
{
	if (!(fabs(got - expected) <= 3 * standard_error)) {
		fail_msg("got %.17g, expected %.17g +- 3 * %g", got, expected, standard_error);
	}
}
