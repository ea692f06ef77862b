#include "schedule.h"

#include "lies.h"

#include "lab/run.h"
#include "sim/random.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_VALIDATORS_MAX 31
#define N_CLIENTS_MAX 40

struct writer {
	struct random_stream stream;
	char *text;
	size_t n;
	uint32_t n_validators, n_faulty;
	const char *protocol;
	bool wide, leases, predicts, validates, macs, stores;
	uint32_t span_ms; /* in which all faults and lies begin and end */
};

static void write_text(struct writer *writer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void write_text(struct writer *writer, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int n = vsnprintf(writer->text + writer->n, SCHEDULE_TEXT_MAX - writer->n, format, arguments);
	va_end(arguments);
	if (n < 0 || (size_t)n >= SCHEDULE_TEXT_MAX - writer->n) {
		fprintf(stderr, "soak: a schedule is longer than %d bytes\n", SCHEDULE_TEXT_MAX);
		exit(3);
	}
	writer->n += (size_t)n;
}

static uint32_t below(struct writer *writer, uint32_t n)
{
	return (uint32_t)random_below(&writer->stream, n);
}

static bool chance(struct writer *writer, double probability)
{
	return random_unit(&writer->stream) < probability;
}

#define PICK(writer, ...) \
	((const char *const[]){__VA_ARGS__})[below(writer, \
		(uint32_t)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)))]

/* "from: 3.250 s, until: 7.125 s": both by the time when all is healed. */
static void write_window(struct writer *writer)
{
	uint32_t from_ms = below(writer, writer->span_ms / 10 * 9);
	uint32_t until_ms = from_ms + 1 + below(writer, writer->span_ms - from_ms);
	write_text(writer, "from: %u ms, until: %u ms", from_ms, until_ms);
}

/* A list of `n` different validators, drawn. */
static void write_nodes(struct writer *writer, uint32_t n)
{
	uint32_t all[N_VALIDATORS_MAX];
	random_permutation(&writer->stream, all, writer->n_validators);
	write_text(writer, "[");
	for (uint32_t i = 0; i < n; i++) {
		write_text(writer, "%s%u", i > 0 ? ", " : "", all[i]);
	}
	write_text(writer, "]");
}

static void write_some_nodes(struct writer *writer)
{
	write_nodes(writer, 1 + below(writer, writer->n_validators - 1));
}

/* Two or three groups, some nodes in several and some in none. */
static void write_groups(struct writer *writer)
{
	uint32_t n_groups = 2 + below(writer, 2);
	write_text(writer, "[");
	for (uint32_t g = 0; g < n_groups; g++) {
		write_text(writer, "%s", g > 0 ? ", " : "");
		write_nodes(writer, 1 + below(writer, writer->n_validators - 1));
	}
	write_text(writer, "]");
}

static void write_network(struct writer *writer)
{
	/* A card that most of what is sent passes at once, and one on which large messages take a while. */
	const char *bandwidth =
		writer->wide ? PICK(writer, "", "", "", ", bandwidth: 100 Mbit/s", ", bandwidth: 10 Mbit/s") : "";
	if (writer->wide && chance(writer, .2)) {
		write_text(writer, "node: {send: %u us, receive: %u us, sign: %u us, verify: %u us}\n",
			below(writer, 30), below(writer, 30), below(writer, 60), below(writer, 60));
	}
	write_text(writer, "network: {latency: %s%s%s}\n",
		PICK(writer, "{kind: constant, value: 10 ms}", "{kind: uniform, min: 1 ms, max: 60 ms}",
			"{kind: lognormal, median: 20 ms, sigma: 0.8}",
			"{kind: exponential, min: 1 ms, mean: 25 ms}", "{kind: normal, mean: 40 ms, sd: 15 ms}"),
		bandwidth, PICK(writer, "", "", "", ", loss: 0.01", ", loss: 0.05"));
}

static bool write_late_fault(struct writer *writer);

static void write_fault(struct writer *writer)
{
	write_text(writer, "  - {");
	if (writer->wide && chance(writer, .6)) {
		if (write_late_fault(writer)) {
			write_window(writer);
			write_text(writer, "}\n");
		}
		return;
	}
	switch (below(writer, 12)) {
	case 0:
		write_text(writer, "kind: crash, nodes: leader, ");
		break;
	case 1:
		write_text(writer, "kind: crash, nodes: ");
		write_some_nodes(writer);
		write_text(writer, ", ");
		break;
	case 2:
		write_text(writer, "kind: partition, groups: ");
		write_groups(writer);
		write_text(writer, ", ");
		break;
	case 3:
		write_text(writer, "kind: cut, from_nodes: ");
		write_some_nodes(writer);
		write_text(writer, ", to_nodes: ");
		write_some_nodes(writer);
		write_text(writer, ", ");
		break;
	case 4:
		write_text(writer, "kind: isolate, nodes: leader, ");
		break;
	case 5:
		write_text(writer, "kind: duplicate, probability: 0.%u, ", 1 + below(writer, 9));
		break;
	case 6:
		write_text(writer, "kind: reorder, probability: 0.%u, delay: %u ms, ", 1 + below(writer, 9),
			10 + below(writer, 500));
		break;
	case 7:
		write_text(writer, "kind: corrupt, probability: 0.%u, ", 1 + below(writer, 4));
		break;
	case 8:
		write_text(writer, "kind: loss, probability: 0.%u, among: %s, ", 1 + below(writer, 6),
			PICK(writer, "validators", "all"));
		break;
	case 9:
		/* Each prediction is many messages, and what has queued up takes as long after the window. */
		write_text(writer, "kind: slow-node, delay: %u ms, nodes: ",
			1 + below(writer, writer->predicts ? 3 : 300));
		write_some_nodes(writer);
		write_text(writer, ", ");
		break;
	case 10:
		write_text(writer, "kind: slow-link, delay: %u ms, from_nodes: ", 1 + below(writer, 800));
		write_some_nodes(writer);
		write_text(writer, ", to_nodes: ");
		write_some_nodes(writer);
		write_text(writer, ", ");
		break;
	default:
		write_text(writer, "kind: crash, nodes: ");
		write_nodes(writer, 1);
		write_text(writer, ", ");
		break;
	}
	write_window(writer);
	write_text(writer, "}\n");
}

/* Of the kinds that came later. None of them outlasts HEALED_S, and none gives up what is promised: clocks
 * drift by less than a lease allows for. */
static void write_rule(struct writer *writer)
{
	static const char *const pbft[] = {"pre-prepare", "prepare", "commit", "checkpoint", "view-change",
		"new-view", "fetch", "state", "status", "state-digests", "[prepare, commit]", "request", "reply", "all"};
	static const char *const raft[] = {"append-entries", "append-answer", "request-vote", "vote-answer",
		"install-snapshot", "timeout-now", "confirm", "confirm-answer", "request", "reply", "hint", "all",
		"[pre-vote, pre-vote-answer]", "snapshot-answer"};
	bool is_pbft = strcmp(writer->protocol, "pbft") == 0, is_raft = strcmp(writer->protocol, "raft") == 0;
	uint32_t kind = below(writer, 14);
	write_text(writer, "kind: rule, message: %s, ", is_pbft ? pbft[kind]
			: is_raft                                       ? raft[kind]
															: PICK(writer, "request", "reply", "all"));
	if (!writer->predicts && chance(writer, .1)) {
		write_text(writer, "from_nodes: [client 0], ");
	} else if (chance(writer, .5)) {
		write_text(writer, "from_nodes: ");
		write_some_nodes(writer);
		write_text(writer, ", ");
	}
	if (chance(writer, .5)) {
		write_text(writer, "to_nodes: ");
		write_some_nodes(writer);
		write_text(writer, ", ");
	}
	if (chance(writer, .3)) {
		write_text(writer, "view: %u, ", below(writer, 4));
	}
	if (chance(writer, .2)) {
		write_text(writer, "instance: %u, ", below(writer, 40));
	}
	if (chance(writer, .2)) {
		write_text(writer, "nth: %u, ", 1 + below(writer, 5));
	}
	switch (below(writer, 4)) {
	case 0:
		write_text(writer, "action: drop, ");
		break;
	case 1:
		write_text(writer, "action: hold, ");
		break;
	case 2:
		write_text(writer, "action: delay, delay: %u ms, ", 1 + below(writer, 2000));
		break;
	default:
		write_text(writer, "action: duplicate, delay: %u ms, copies: %u, ", below(writer, 2000),
			1 + below(writer, 4));
		break;
	}
}

/* A change of members, and what befalls the servers while its entry is still on the way: drawn apart, the
 * two would hardly ever meet. */
static void write_change(struct writer *writer, uint32_t at_ms)
{
	write_text(writer, "  - {kind: step, at: %u ms, action: change-membership, node: leader, joint: %s, members: ",
		at_ms, PICK(writer, "on", "off"));
	write_nodes(writer, 1 + below(writer, writer->n_validators));
	if (chance(writer, .3)) {
		write_text(writer, ", learners: ");
		write_nodes(writer, 1 + below(writer, 2));
	}
	write_text(writer, "}\n");
	uint32_t from_ms = at_ms - (at_ms < 100 ? at_ms : 100) + below(writer, 200);
	uint32_t until_ms = from_ms + 1 + below(writer, writer->span_ms - from_ms);
	switch (below(writer, 4)) {
	case 0:
		write_text(writer, "  - {kind: partition, groups: ");
		write_groups(writer);
		break;
	case 1:
		write_text(writer, "  - {kind: isolate, nodes: leader");
		break;
	case 2:
		write_text(writer, "  - {kind: crash, nodes: leader");
		break;
	default:
		write_text(writer, "  - {kind: crash, nodes: ");
		write_some_nodes(writer);
		break;
	}
	write_text(writer, ", from: %u ms, until: %u ms}\n", from_ms, until_ms);
	if (chance(writer, .7)) {
		write_text(writer, "  - {kind: step, at: %u ms, action: campaign, node: [%u]}\n",
			from_ms + below(writer, 400), below(writer, writer->n_validators));
	}
}

static void write_step(struct writer *writer)
{
	bool is_raft = strcmp(writer->protocol, "raft") == 0;
	/* A gateway whose validator is no member hears of no closing. */
	const char *action = is_raft && writer->predicts ? PICK(writer, "campaign", "transfer", "restart")
		: is_raft ? PICK(writer, "campaign", "propose", "transfer", "restart",
								  "change-membership", "change-membership")
		: strcmp(writer->protocol, "pbft") == 0 ? PICK(writer, "campaign", "propose", "restart")
												: "restart";
	write_text(writer, "kind: step, at: %u ms, action: %s, ", below(writer, writer->span_ms), action);
	if (strcmp(action, "change-membership") == 0) {
		write_text(writer, "node: leader, joint: %s, members: ", PICK(writer, "on", "off"));
		write_nodes(writer, 1 + below(writer, writer->n_validators));
	} else if (strcmp(action, "transfer") == 0) {
		write_text(writer, "node: leader, to: %u", below(writer, writer->n_validators));
	} else if (chance(writer, .5)) {
		write_text(writer, "node: leader");
	} else {
		write_text(writer, "node: [%u]", below(writer, writer->n_validators));
	}
	write_text(writer, "}\n");
}

/* Returns whether a window is still to be written. */
static bool write_late_fault(struct writer *writer)
{
	/* The last two are of disks, which not every protocol has. */
	switch (below(writer, writer->stores ? 11 : 9)) {
	case 7:
		write_text(writer, "kind: pause, nodes: %s, ", PICK(writer, "leader", "[0]", "[0, 1]"));
		return true;
	case 8:
		write_text(writer, "kind: pause, every: %u ms, lasts: %u ms, nodes: ", 200 + below(writer, 8000),
			1 + below(writer, 2000));
		write_some_nodes(writer);
		write_text(writer, ", ");
		return true;
	case 9:
		write_text(writer, "kind: slow-disk, factor: %u, delay: {kind: exponential, mean: %u ms}, nodes: ",
			1 + below(writer, 10), 1 + below(writer, 100));
		write_some_nodes(writer);
		write_text(writer, ", ");
		return true;
	case 10:
		/* No wipe and no cache: a disk that lies of what it holds breaks promises. */
		write_text(writer, "kind: disk, %s, nodes: ", PICK(writer, "stall: on", "unsynced: torn",
			"stall: on, unsynced: torn"));
		write_some_nodes(writer);
		write_text(writer, ", ");
		return true;
	case 0:
		write_text(writer, "kind: flap, nodes: ");
		write_nodes(writer, 1);
		write_text(writer, ", down: %u ms, up: %u ms, ", 1 + below(writer, 2000),
			1 + below(writer, 2000));
		return true;
	case 1:
		write_text(writer, "kind: skew, nodes: ");
		write_some_nodes(writer);
		if (writer->leases) {
			write_text(writer, ", drift: %d, ", (int)below(writer, 8000) - 4000);
		} else {
			write_text(writer, ", drift: %d, offset: %d ms, ", (int)below(writer, 1000000) - 500000,
				(int)below(writer, 10000));
		}
		return true;
	case 2:
		write_text(writer, "kind: stabilise, at: %u ms, delay: {kind: uniform, min: 0 ms, max: %u ms}, "
						   "loss: 0.%u}\n",
			1 + below(writer, writer->span_ms), 1 + below(writer, 5000), below(writer, 8));
		return false;
	case 3:
		write_text(writer, "kind: crash, every: %u ms, lasts: %u ms, nodes: ", 200 + below(writer, 8000),
			1 + below(writer, 3000));
		write_some_nodes(writer);
		write_text(writer, ", ");
		return true;
	case 4:
		write_step(writer);
		return false;
	case 5:
		write_text(writer, "kind: isolate, nodes: leader, follow: on, ");
		return true;
	default:
		write_rule(writer);
		return true;
	}
}

static struct lies lies_of(struct writer *writer)
{
	return (struct lies){
		.stream = &writer->stream,
		.protocol = writer->protocol,
		.n_validators = writer->n_validators,
		.span_ms = writer->span_ms,
		.predicts = writer->predicts,
		.macs = writer->macs,
	};
}

/* Liars: f of them at most, each with one or two ways to lie. */
static void write_attacks(struct writer *writer)
{
	uint32_t n_liars = 1 + below(writer, writer->n_faulty);
	uint32_t liars[N_VALIDATORS_MAX];
	random_permutation(&writer->stream, liars, writer->n_validators);
	for (uint32_t i = 0; i < n_liars; i++) {
		for (uint32_t k = 0; k < 1 + below(writer, 2); k++) {
			if (writer->wide && chance(writer, .5)) {
				char text[LIES_TEXT_MAX];
				struct lies lies = lies_of(writer);
				lies.one = true;
				lies.liar = liars[i];
				lies_write_attack(&lies, text);
				if (text[0] != '\0') {
					write_text(writer, "%s", text);
					continue;
				}
			}
			const char *kind = PICK(writer, "silent", "withhold", "replay", "double-vote",
				"equivocate", "collude", "slow-primary", "selective", "forge-certificate", "twins",
				"crash-prone");
			write_text(writer, "  - {kind: %s, nodes: [%u], ", kind, liars[i]);
			if (strcmp(kind, "selective") == 0) {
				write_text(writer, "to: ");
				write_some_nodes(writer);
				write_text(writer, ", ");
			}
			write_window(writer);
			write_text(writer, "}\n");
		}
	}
}

/* Of a wide schedule one in eight is large: those take the time. */
static uint32_t size(struct writer *writer, uint32_t small)
{
	return writer->wide && chance(writer, .125) ? 11 + below(writer, N_VALIDATORS_MAX - 10) : small;
}

/* How many instances may be in flight; `auto` where nothing is said. */
static void write_window_size(struct writer *writer, uint32_t most)
{
	if (!writer->wide || chance(writer, .7)) {
		write_text(writer, ", window: %u", 1 + below(writer, most));
	}
}

static void write_pbft(struct writer *writer)
{
	static const uint32_t sizes[] = {4, 4, 4, 5, 6, 7, 8, 10};
	writer->n_validators = size(writer, sizes[below(writer, 8)]);
	writer->n_faulty = (writer->n_validators - 1) / 3;
	uint32_t interval = 4u << below(writer, 4);
	write_text(writer,
		"validators: %u\nprotocol: {kind: pbft, batch: %u, checkpoint_interval: %u",
		writer->n_validators, writer->validates ? 1 : 1 + below(writer, 8), interval);
	write_window_size(writer, 2 * interval);
	bool early = false; /* who tells before a quorum has committed has no time to write */
	if (chance(writer, .3)) {
		write_text(writer, ", tentative: on");
		early = true;
	}
	if (chance(writer, .3)) {
		write_text(writer, ", read_only: on");
	}
	if (chance(writer, .3)) {
		write_text(writer, ", fast_path: on");
		early = true;
	}
	if (writer->wide && chance(writer, .3)) {
		write_text(writer, ", authentication: macs");
		writer->macs = true;
	}
	if (writer->wide && chance(writer, .3)) {
		write_text(writer, ", state_chunk: %u B", 64u << below(writer, 8));
	}
	if (writer->wide && !early && chance(writer, .5)) {
		write_text(writer, ", write_delay: %u ms", 1 + below(writer, 10));
		writer->stores = true;
	}
	if (writer->wide && chance(writer, .3)) {
		write_text(writer, ", batch_delay: %u ms", 1 + below(writer, 200));
	}
}

static void write_raft(struct writer *writer)
{
	writer->n_validators = size(writer, 3 + below(writer, 5));
	writer->n_faulty = 0; /* Raft bears no liars */
	writer->stores = true;
	write_text(writer, "validators: %u\nprotocol: {kind: raft, batch: %u",
		writer->n_validators, 1 + below(writer, 8));
	write_window_size(writer, 64);
	if (chance(writer, .3)) {
		write_text(writer, ", pre_vote: on");
	}
	const char *reads = PICK(writer, "log", "log", "log", "index", "lease");
	writer->leases = strcmp(reads, "lease") == 0;
	if (writer->leases || chance(writer, .3)) {
		write_text(writer, ", check_quorum: on");
	}
	if (chance(writer, .3)) {
		write_text(writer, ", snapshot_every: %u", 5 + below(writer, 40));
		if (writer->wide && chance(writer, .5)) {
			write_text(writer, ", snapshot_chunk: %u KiB", 8u << below(writer, 6));
		}
	}
	if (chance(writer, .3)) {
		write_text(writer, ", write_delay: %u ms", 1 + below(writer, 10));
	}
	write_text(writer, ", reads: %s", reads);
	if (chance(writer, .3)) {
		write_text(writer, ", initial_leader: none");
	}
	if (writer->wide && chance(writer, .3)) {
		write_text(writer, ", learners: [%u]", writer->n_validators - 1);
	}
	if (writer->wide && chance(writer, .3)) {
		write_text(writer, ", batch_delay: %u ms", 1 + below(writer, 200));
	}
}

/* Predictions, and those who falsify them. */
static void write_dimweight(struct writer *writer)
{
	write_text(writer, "workload: {kind: dimweight, arrivals: {kind: poisson, rate: %u /s}%s%s}\n",
		2 + below(writer, 20), PICK(writer, "", ", deadline: 300 ms"),
		writer->validates ? ", validation: tolerance" : "");
	write_text(writer, "predictor: {kind: linear, train: 100}\nscorer: %s\naggregator: %s\n",
		PICK(writer, "none", "{kind: mad, threshold: 0.3}"), PICK(writer, "median", "mean"));
}

static void write_bad_predictions(struct writer *writer)
{
	write_text(writer, "  - {kind: %s, nodes: [%u], ",
		PICK(writer, "random", "targeted", "gradient", "sign-flip", "inflation", "alie", "mimic"),
		below(writer, writer->n_validators));
	write_window(writer);
	write_text(writer, "}\n");
}

/* The faults' list is open; then attacks of any number and kind. */
static void write_lies(struct writer *writer)
{
	char text[LIES_TEXT_MAX];
	const struct lies lies = lies_of(writer);
	for (uint32_t i = below(writer, 3); i > 0; i--) {
		lies_write_rule(&lies, text);
		write_text(writer, "%s", text);
	}
	bool any = false;
	for (uint32_t i = 1 + below(writer, 6); i > 0; i--) {
		lies_write_attack(&lies, text);
		if (text[0] != '\0') {
			write_text(writer, "%s%s", any ? "" : "attacks:\n", text);
			any = true;
		}
	}
}

void schedule_write(const struct schedule *schedule, char text[SCHEDULE_TEXT_MAX])
{
	const char *protocol = schedule->protocol;
	uint64_t seed = schedule->seed;
	struct writer writer = {
		.stream = random_stream_make(seed, RANDOM_FAULT, 0),
		.text = text,
		.protocol = protocol,
		.wide = schedule->wide,
	};
	/* Some are over soon, so that what clients in a closed loop ask for falls into them. */
	writer.span_ms = 1000 + below(&writer, HEALED_S * 1000 - 1000);
	write_text(&writer, "title: schedule %llu\nseed: %llu\n", (unsigned long long)seed,
		(unsigned long long)seed);
	/* Under `none` a prediction that is lost is lost: an item may never close. */
	bool may_predict = schedule->lies || strcmp(protocol, "none") != 0;
	bool predicts = schedule->wide && schedule->workload == NULL && may_predict && chance(&writer, .25);
	writer.predicts = predicts;
	writer.validates = schedule->lies && predicts && strcmp(protocol, "pbft") == 0 && chance(&writer, .3);
	if (strcmp(protocol, "pbft") == 0) {
		write_pbft(&writer);
	} else if (strcmp(protocol, "raft") == 0) {
		write_raft(&writer);
	} else {
		writer.n_validators = size(&writer, 2 + below(&writer, 8));
		write_text(&writer, "validators: %u\nprotocol: {kind: %s", writer.n_validators, protocol);
	}
	write_text(&writer, "%s%s}\n", schedule->extra != NULL ? ", " : "",
		schedule->extra != NULL ? schedule->extra : "");
	write_network(&writer);
	uint32_t items = 40 + below(&writer, 160);
	/* A client looks for the one member that is left among those that were, one backed-off wait each. */
	write_text(&writer, "stop: {items: %u%s}\nliveness_bound: %u s\n", items,
		schedule->lies ? ", time: 40 s, events: 1000000" : "", writer.wide ? 3600 : 200);
	const char *workload = PICK(&writer, "requests", "kv", "kv", "ledger");
	/* More clients than validators, often. */
	uint32_t n_clients = 1 + below(&writer, writer.wide && chance(&writer, .5) ? N_CLIENTS_MAX : 4);
	if (predicts) {
		write_dimweight(&writer);
	} else {
		write_text(&writer, "workload: {kind: %s, clients: %u%s",
			schedule->workload != NULL ? schedule->workload : workload, n_clients,
			schedule->wide ? PICK(&writer, "", ", conflict: 0.3", ", conflict: 1") : "");
	}
	if (predicts) {
		/* its arrivals are written */
	} else if (chance(&writer, .5)) {
		write_text(&writer, ", arrivals: {kind: poisson, rate: %u /s}}\n", 2 + below(&writer, 20));
	} else {
		write_text(&writer, ", outstanding: %u}\n", 1 + below(&writer, 4));
	}
	write_text(&writer, "faults:\n");
	for (uint32_t i = 1 + below(&writer, 5); i > 0; i--) {
		write_fault(&writer);
	}
	if (schedule->wide && !predicts && strcmp(protocol, "raft") == 0 && chance(&writer, .5)) {
		uint32_t at_ms = below(&writer, writer.span_ms / 2);
		for (uint32_t i = 1 + below(&writer, 4); i > 0; i--) {
			write_change(&writer, at_ms);
			at_ms += 100 + below(&writer, writer.span_ms / 10);
		}
	}
	write_text(&writer, "%s", schedule->faults != NULL ? schedule->faults : "");
	if (schedule->lies) {
		write_lies(&writer);
		return;
	}
	bool lies = writer.n_faulty > 0 && chance(&writer, .5);
	if (lies || predicts) {
		write_text(&writer, "attacks:\n");
	}
	if (predicts) {
		write_bad_predictions(&writer);
	}
	if (lies) {
		write_attacks(&writer);
	}
}

struct schedule_outcome schedule_run(const char *text)
{
	struct diagnostics *diagnostics = diagnostics_create();
	struct scenario_file *file =
		scenario_parse(text, strlen(text), "schedule.yaml", ".", NULL, 0, diagnostics);
	if (file == NULL) {
		diagnostics_print(diagnostics, stderr);
		fprintf(stderr, "%s", text);
		exit(3);
	}
	diagnostics_destroy(diagnostics);
	struct run_schemas schemas;
	run_schemas_init(&schemas, file);
	struct run_request request = {.file = file, .schemas = &schemas};
	struct run_blocks blocks = {0};
	struct run_summary summary;
	char error[256] = "";
	if (!run_one(&request, &blocks, &summary, error)) {
		fprintf(stderr, "%s\n", error);
		exit(3);
	}
	struct schedule_outcome outcome = {
		.n_violations = (uint64_t)kpi_of(&summary, "safety_violations"),
	};
	snprintf(outcome.verdict, sizeof(outcome.verdict), "%s", summary.verdict);
	snprintf(outcome.reason, sizeof(outcome.reason), "%s", summary.verdict_reason);
	run_blocks_finish(&blocks);
	run_schemas_finish(&schemas);
	scenario_close(file);
	return outcome;
}
