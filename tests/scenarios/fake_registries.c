/* Small registries with every kind of parameter, so that these tests stand on no plugin's own
 * table. */
#include "attacks/attack.h"
#include "engine/fault.h"
#include "engine/latency.h"
#include "engine/topology.h"
#include "protocols/protocol.h"
#include "workloads/rules.h"
#include "workloads/items.h"
#include "workloads/workload.h"

#include <stdio.h>
#include <string.h>

#include "fakes.h"

#define REGISTRY(name_, sort_, plural_, ...)                                                       \
	static const struct plugin *const name_##_list[] = {__VA_ARGS__, NULL};                        \
	const struct registry name_##_registry = {sort_, plural_, name_##_list}

/* Protocols. */
static const struct param pbft_params[] = {
	{.name = "batch",
		.kind = PARAM_INT,
		.offset = offsetof(struct fake_protocol, batch),
		.min = 1,
		.max = 4096,
		.fallback = "64",
		.help = "transactions"},
	{.name = "view_timeout",
		.kind = PARAM_DURATION,
		.flags = PARAM_AUTO | PARAM_OFF,
		.offset = offsetof(struct fake_protocol, view_timeout_ns),
		.fallback = "auto",
		.auto_delays = {20},
		.auto_min_ns = {SIM_SECOND}},
	{.name = "quorum",
		.kind = PARAM_INT,
		.flags = PARAM_AUTO,
		.offset = offsetof(struct fake_protocol, quorum),
		.fallback = "auto"},
	PARAM_END,
};

static bool pbft_finish(
	void *settings, const struct shape *shape, const char **param, char error[256])
{
	struct fake_protocol *pbft = settings;
	if (pbft->quorum == PARAM_AUTO_VALUE) {
		pbft->quorum = (shape->n_validators + shape->n_faulty + 2) / 2;
	}
	if (pbft->quorum > shape->n_validators) {
		*param = "quorum";
		snprintf(error, 256, "must be at most %u", shape->n_validators);
		return false;
	}
	return true;
}

static const struct param raft_params[] = {
	{.name = "batch",
		.kind = PARAM_INT,
		.offset = offsetof(struct fake_protocol, batch),
		.min = 1,
		.max = 4096,
		.fallback = "64"},
	{.name = "election_timeout",
		.kind = PARAM_DURATION_RANGE,
		.flags = PARAM_AUTO | PARAM_OFF,
		.offset = offsetof(struct fake_protocol, election_timeout_ns),
		.fallback = "auto",
		.auto_delays = {10, 20},
		.auto_min_ns = {150 * SIM_MS, 300 * SIM_MS}},
	{.name = "initial_leader",
		.kind = PARAM_CHOICE,
		.offset = offsetof(struct fake_protocol, initial_leader),
		.choices = "first|none",
		.fallback = "first"},
	{.name = "stake",
		.kind = PARAM_NUMBERS,
		.offset = offsetof(struct fake_protocol, stake)},
	{.name = "prevote",
		.kind = PARAM_BOOL,
		.offset = offsetof(struct fake_protocol, prevote),
		.fallback = "off"},
	{.name = "tentative",
		.kind = PARAM_BOOL,
		.offset = offsetof(struct fake_protocol, tentative),
		.fallback = "off"},
	PARAM_END,
};

static uint32_t tentative_quorum(const void *settings, uint32_t n_validators, uint32_t n_faulty)
{
	return ((const struct fake_protocol *)settings)->tentative ? 3 : 0;
}

static uint32_t half(const void *settings, uint32_t n_validators)
{
	return (n_validators - 1) / 2;
}

static uint32_t third(const void *settings, uint32_t n_validators)
{
	return (n_validators - 1) / 3;
}

static uint32_t all_but_one(const void *settings, uint32_t n_validators)
{
	return n_validators - 1;
}

static struct protocol_patience raft_patience(const void *settings)
{
	const struct fake_protocol *fake = settings;
	return (struct protocol_patience){fake->election_timeout_ns[0], fake->election_timeout_ns[1], false};
}

static struct protocol_patience pbft_patience(const void *settings)
{
	const struct fake_protocol *fake = settings;
	return (struct protocol_patience){fake->view_timeout_ns, fake->view_timeout_ns, true};
}

static const struct protocol none = {.plugin = {"none", "no agreement", NULL, 0},
	.solo = true,
	.faulty_most = all_but_one,
	.faulty_rule = "n > f"};
static const struct protocol raft = {
	.plugin = {"raft", "crashes", raft_params, sizeof(struct fake_protocol)},
	.faulty_most = half,
	.faulty_rule = "n > 2f",
	.patience = raft_patience,
	.tentative_quorum = tentative_quorum};
static const struct protocol pbft = {
	.plugin = {"pbft", "liars", pbft_params, sizeof(struct fake_protocol), pbft_finish},
	.byzantine = true,
	.faulty_most = third,
	.faulty_rule = "n > 3f",
	.patience = pbft_patience};
REGISTRY(protocol, "protocol", "protocols", &none.plugin, &raft.plugin, &pbft.plugin);

/* Latencies. */
struct fake_latency {
	sim_time value_ns;
	double sigma;
};

static sim_time value_p999(const void *settings, uint32_t n_validators)
{
	return ((const struct fake_latency *)settings)->value_ns;
}

static sim_time regions_p999(const void *settings, uint32_t n_validators)
{
	const struct latency_regions *regions = settings;
	return (sim_time)(regions->matrix->cells[1] * 5e5);
}

static const struct param constant_params[] = {
	{.name = "value",
		.kind = PARAM_DURATION,
		.flags = PARAM_REQUIRED | PARAM_EXCLUDE_MIN,
		.offset = offsetof(struct fake_latency, value_ns),
		.help = "the delay"},
	PARAM_END,
};

static const struct param lognormal_params[] = {
	{.name = "median",
		.kind = PARAM_DURATION,
		.flags = PARAM_REQUIRED,
		.offset = offsetof(struct fake_latency, value_ns),
		.help = "the median"},
	{.name = "sigma",
		.kind = PARAM_REAL,
		.flags = PARAM_REQUIRED,
		.offset = offsetof(struct fake_latency, sigma),
		.max = 3,
		.help = "of the logarithm"},
	PARAM_END,
};

static const struct csv_table *builtin(const char *name)
{
	static const char *const names[] = {"a", "b"};
	static const double cells[] = {1, 80, 80, 1};
	static const struct csv_table table = {2, 2, names, names, cells};
	return strcmp(name, "aws") ? NULL : &table;
}

static const struct param regions_params[] = {
	{.name = "matrix",
		.kind = PARAM_MATRIX,
		.offset = offsetof(struct latency_regions, matrix),
		.fallback = "aws",
		.builtin = builtin},
	{.name = "place", .kind = PARAM_NAMES, .offset = offsetof(struct latency_regions, place)},
	{.name = "jitter",
		.kind = PARAM_PLUGIN,
		.offset = offsetof(struct latency_regions, jitter),
		.registry = &latency_registry,
		.fallback = "none"},
	PARAM_END,
};

static const struct latency_model constant = {
	.plugin = {"constant", "", constant_params, sizeof(struct fake_latency)},
	.p999_ns = value_p999};
static const struct latency_model lognormal = {
	.plugin = {"lognormal", "", lognormal_params, sizeof(struct fake_latency)},
	.p999_ns = value_p999};
static const struct latency_model regions = {
	.plugin = {"regions", "", regions_params, sizeof(struct latency_regions)},
	.p999_ns = regions_p999};
REGISTRY(latency, "latency", "latencies", &constant.plugin, &lognormal.plugin, &regions.plugin);

/* Workloads. */
struct fake_arrival {
	double rate;
};

static const struct param poisson_params[] = {
	{.name = "rate",
		.kind = PARAM_RATE,
		.flags = PARAM_EXCLUDE_MIN,
		.offset = offsetof(struct fake_arrival, rate),
		.fallback = "100 /s"},
	PARAM_END,
};

static const struct arrival_process poisson = {
	.plugin = {"poisson", "", poisson_params, sizeof(struct fake_arrival)}};
REGISTRY(arrival, "arrival process", "arrival processes", &poisson.plugin);

#define TIMEOUT                                                                                    \
	{                                                                                              \
		.name = "client_timeout", .kind = PARAM_DURATION, .flags = PARAM_AUTO | PARAM_OFF,         \
		.offset = offsetof(struct workload_common, client_timeout_ns), .fallback = "auto",         \
		.auto_delays = {40}, .auto_min_ns = {                                                      \
			2 * SIM_SECOND                                                                         \
		}                                                                                          \
	}

static const struct param requests_params[] = {
	{.name = "clients",
		.kind = PARAM_INT,
		.offset = offsetof(struct workload_common, clients),
		.min = 1,
		.fallback = "1"},
	{.name = "size",
		.kind = PARAM_BYTES,
		.offset = offsetof(struct workload_common, size_bytes),
		.max = 1 << 30,
		.fallback = "0 B"},
	{.name = "arrivals",
		.kind = PARAM_PLUGIN,
		.offset = offsetof(struct workload_common, arrivals),
		.registry = &arrival_registry},
	TIMEOUT,
	PARAM_END,
};

static const struct param dimweight_params[] = {
	{.name = "arrivals",
		.kind = PARAM_PLUGIN,
		.offset = offsetof(struct workload_common, arrivals),
		.registry = &arrival_registry,
		.fallback = "{kind: poisson, rate: 100 /s}"},
	{.name = "tolerance",
		.kind = PARAM_REAL,
		.offset = offsetof(struct workload_common, tolerance),
		.max = 10,
		.fallback = "0.1"},
	{.name = "quorum",
		.kind = PARAM_INT,
		.flags = PARAM_AUTO | PARAM_N,
		.min = 1,
		.max = 100000,
		.offset = offsetof(struct workload_common, quorum),
		.fallback = "auto"},
	{.name = "deadline",
		.kind = PARAM_DURATION,
		.flags = PARAM_AUTO | PARAM_OFF,
		.offset = offsetof(struct workload_common, deadline_ns),
		.fallback = "auto"},
	TIMEOUT,
	{.name = "data", .kind = PARAM_TABLE, .offset = offsetof(struct fake_dimweight, data)},
	{.name = "note", .kind = PARAM_STRING, .offset = offsetof(struct fake_dimweight, note)},
	PARAM_END,
};

static const struct column parcels_columns[] = {{"run", COLUMN_INT, "", "its number"}, {.name = NULL}};
static const struct table requests_tables[] = {
	{"parcels", "a parcel", parcels_columns}, {.name = "decisions"}, {.name = NULL}};

static const struct app requests = {
	.plugin = {"requests", "", requests_params, sizeof(struct workload_common)},
	.has_clients = true,
	.tables = requests_tables};
static void execute(void *replica, const struct command *command, struct log_place place,
	struct effect *effect, void *undo)
{
}

static const struct app dimweight = {
	.plugin = {"dimweight", "", dimweight_params, sizeof(struct fake_dimweight)},
	.execute = execute};
REGISTRY(workload, "workload", "workloads", &requests.plugin, &dimweight.plugin);

static const struct param linear_params[] = {
	{.name = "train", .kind = PARAM_INT, .offset = 0, .min = 10, .max = 1e6, .fallback = "1000"},
	PARAM_END,
};
static const struct predictor linear = {.plugin = {"linear", "", linear_params, sizeof(int64_t)}};
REGISTRY(predictor, "predictor", "predictors", &linear.plugin);

static const struct param mad_params[] = {
	{.name = "threshold",
		.kind = PARAM_REAL,
		.offset = offsetof(struct scorer_common, threshold),
		.max = 1,
		.fallback = "0.3"},
	PARAM_END,
};
static const struct scorer score_none = {
	.plugin = {"none", "", NULL, sizeof(struct scorer_common)}, .accepts_all = true};
static const struct scorer mad = {.plugin = {"mad", "", mad_params, sizeof(struct scorer_common)}};
REGISTRY(scorer, "scorer", "scorers", &score_none.plugin, &mad.plugin);

static const struct param trimmed_params[] = {
	{.name = "faulty",
		.kind = PARAM_INT,
		.flags = PARAM_AUTO,
		.offset = offsetof(struct aggregator_common, n_faulty),
		.fallback = "auto"},
	PARAM_END,
};

static uint32_t trimmed_n_min(const void *settings, uint32_t n_faulty)
{
	return 2 * n_faulty + 1;
}

static const struct aggregator mean = {
	.plugin = {"mean", "", NULL, sizeof(struct aggregator_common)}};
static const struct aggregator median = {
	.plugin = {"median", "", NULL, sizeof(struct aggregator_common)}};
static const struct aggregator trimmed = {
	.plugin = {"trimmed-mean", "", trimmed_params, sizeof(struct aggregator_common)},
	.uses_faulty = true,
	.n_min = trimmed_n_min};
REGISTRY(aggregator, "aggregator", "aggregators", &mean.plugin, &median.plugin, &trimmed.plugin);

/* Attacks. */
#define WHO_AND_WHEN                                                                               \
	{.name = "fraction",                                                                           \
		.kind = PARAM_REAL,                                                                        \
		.offset = offsetof(struct attack_common, fraction),                                        \
		.min = -1,                                                                                 \
		.max = 1,                                                                                  \
		.fallback = "-1"},                                                                         \
		{.name = "count",                                                                          \
			.kind = PARAM_INT,                                                                     \
			.flags = PARAM_NONE,                                                                   \
			.offset = offsetof(struct attack_common, count),                                       \
			.max = SIM_NODES_MAX,                                                                  \
			.fallback = "none"},                                                                   \
		{.name = "nodes", .kind = PARAM_NODES, .offset = offsetof(struct attack_common, nodes)},   \
		{.name = "from",                                                                           \
			.kind = PARAM_DURATION,                                                                \
			.offset = offsetof(struct attack_common, from_ns),                                     \
			.fallback = "0 s"},                                                                    \
	{                                                                                              \
		.name = "until", .kind = PARAM_DURATION, .flags = PARAM_OFF,                               \
		.offset = offsetof(struct attack_common, until_ns), .fallback = "off"                      \
	}

static const struct param gradient_params[] = {
	WHO_AND_WHEN,
	{.name = "epsilon",
		.kind = PARAM_REAL,
		.flags = PARAM_REQUIRED | PARAM_EXCLUDE_MIN,
		.offset = offsetof(struct fake_gradient, epsilon),
		.max = 10,
		.help = "how far"},
	PARAM_END,
};
static const struct param silent_params[] = {WHO_AND_WHEN, PARAM_END};

static double rewrite(const void *settings, const struct attack_view *view)
{
	return view->value;
}

static const struct attack gradient = {
	.plugin = {"gradient", "", gradient_params, sizeof(struct fake_gradient)}, .rewrite = rewrite};
static const struct attack silent = {
	.plugin = {"silent", "", silent_params, sizeof(struct attack_common)}};
REGISTRY(attack, "attack", "attacks", &gradient.plugin, &silent.plugin);

/* Faults. */
#define WHEN                                                                                       \
	{.name = "from",                                                                               \
		.kind = PARAM_DURATION,                                                                    \
		.offset = offsetof(struct fault_common, from_ns),                                          \
		.fallback = "0 s"},                                                                        \
	{                                                                                              \
		.name = "until", .kind = PARAM_DURATION, .flags = PARAM_OFF,                               \
		.offset = offsetof(struct fault_common, until_ns), .fallback = "off"                       \
	}

static const struct param crash_params[] = {
	{.name = "nodes",
		.kind = PARAM_NODES,
		.flags = PARAM_REQUIRED,
		.offset = offsetof(struct fault_crash, nodes),
		.help = "who"},
	WHEN,
	PARAM_END,
};
static const struct param loss_params[] = {
	{.name = "probability",
		.kind = PARAM_REAL,
		.flags = PARAM_REQUIRED,
		.unit = "probability",
		.offset = offsetof(struct fault_loss, probability),
		.max = 1,
		.help = "how often"},
	{.name = "among",
		.kind = PARAM_CHOICE,
		.offset = offsetof(struct fault_loss, among),
		.choices = "validators|all",
		.fallback = "validators"},
	WHEN,
	PARAM_END,
};
static const struct param partition_params[] = {
	{.name = "groups",
		.kind = PARAM_GROUPS,
		.flags = PARAM_REQUIRED,
		.offset = offsetof(struct fake_partition, groups),
		.help = "who is together"},
	WHEN,
	PARAM_END,
};
static const struct topology full = {.plugin = {"full", ""}};
REGISTRY(topology, "topology", "topologies", &full.plugin);

static const struct fault crash = {
	.plugin = {"crash", "", crash_params, sizeof(struct fault_crash)}};
static const struct fault loss = {.plugin = {"loss", "", loss_params, sizeof(struct fault_loss)}};
static const struct fault partition = {
	.plugin = {"partition", "", partition_params, sizeof(struct fake_partition)}};
REGISTRY(fault, "fault", "faults", &crash.plugin, &loss.plugin, &partition.plugin);

/* attacks/ is not linked. */
uint32_t attack_count(double fraction, uint32_t n_validators)
{
	return (uint32_t)(fraction * n_validators + .5);
}
