/* What a scenario may say of Raft. */
#include "raft.h"

#include <stdio.h>

const struct param raft_params[] = {
	{.name = "batch", .kind = PARAM_INT, .offset = offsetof(struct raft_settings, batch), .min = 1,
		.max = RAFT_BATCH_MAX, .fallback = "64", .unit = "transactions",
		.help = "transactions in one entry, at most"},
	{.name = "window", .kind = PARAM_INT, .flags = PARAM_AUTO,
		.offset = offsetof(struct raft_settings, window), .min = 1, .max = 1e6, .fallback = "auto",
		.unit = "entries",
		.help = "entries proposed and not yet committed, at most; auto: 256, and where processors or cards "
				"cost something no faster than they bear"},
	{.name = "batch_delay", .kind = PARAM_DURATION,
		.offset = offsetof(struct raft_settings, batch_delay_ns), .fallback = "0 s", .unit = "s",
		.when = "batch > 1", .below = "workload.client_timeout",
		.help = "how long an entry that is not full waits for more transactions"},
	{.name = "election_timeout", .kind = PARAM_DURATION_RANGE,
		.flags = PARAM_AUTO | PARAM_OFF, .min = SIM_TIMER_MIN,
		.offset = offsetof(struct raft_settings, election_timeout_ns), .fallback = "auto",
		.auto_delays = {10, 20}, .auto_min_ns = {150 * SIM_MS, 300 * SIM_MS}, .unit = "s",
		.below = "liveness_bound",
		.help = "a server that hears nothing for a time drawn from this range becomes a candidate"},
	{.name = "heartbeat", .kind = PARAM_DURATION, .flags = PARAM_AUTO | PARAM_OFF, .min = SIM_TIMER_MIN,
		.offset = offsetof(struct raft_settings, heartbeat_ns), .fallback = "auto", .unit = "s",
		.below = "election_timeout",
		.help = "an idle leader's pause between appends; auto: a third of the smallest election timeout"},
	{.name = "initial_leader", .kind = PARAM_CHOICE, .choices = "0|none",
		.offset = offsetof(struct raft_settings, initial_leader), .fallback = "0", .unit = "",
		.help = "0: node 0 leads term 1 from the start; none: all begin as followers with fresh timers"},
	{.name = "write_delay", .kind = PARAM_PLUGIN, .registry = &latency_extra_registry,
		.offset = offsetof(struct raft_settings, write_delay), .fallback = "0 s", .unit = "s",
		.help = "what a write of term, vote and log to stable storage takes, a duration or a kind of latency; "
				"a crash loses what is not written"},
	{.name = "snapshot_every", .kind = PARAM_INT, .flags = PARAM_OFF,
		.offset = offsetof(struct raft_settings, snapshot_every), .min = 1, .max = 1e12,
		.fallback = "off", .unit = "entries",
		.help = "entries from one snapshot to the next; those before the last but one are discarded"},
	{.name = "snapshot_size", .kind = PARAM_BYTES,
		.offset = offsetof(struct raft_settings, snapshot_bytes), .min = 0, .max = 4e9,
		.fallback = "1 MiB", .unit = "bytes", .when = "snapshot_every != off",
		.help = "size of a snapshot on the wire"},
	{.name = "snapshot_chunk", .kind = PARAM_BYTES,
		.offset = offsetof(struct raft_settings, snapshot_chunk_bytes), .min = 1, .max = 4e9,
		.fallback = "64 KiB", .unit = "bytes", .when = "snapshot_every != off",
		.help = "a snapshot is sent in chunks of so many bytes, one at a time"},
	{.name = "pre_vote", .kind = PARAM_BOOL, .offset = offsetof(struct raft_settings, pre_vote),
		.fallback = "off", .unit = "",
		.when = "election_timeout != off",
		.help = "a server asks whether it would be elected before it takes a new term; none would be while a "
				"leader is heard, and a leader without a majority steps down as with check_quorum"},
	{.name = "check_quorum", .kind = PARAM_BOOL,
		.offset = offsetof(struct raft_settings, check_quorum), .fallback = "off", .unit = "",
		.help = "a leader that hears no majority for the smallest election timeout steps down; who has heard "
				"from a leader within it ignores candidates"},
	{.name = "members", .kind = PARAM_NODES, .offset = offsetof(struct raft_settings, members),
		.unit = "", .help = "the voters at the start; all that are no learners unless given"},
	{.name = "learners", .kind = PARAM_NODES, .offset = offsetof(struct raft_settings, learners),
		.unit = "", .help = "servers that receive the log and have no vote at the start"},
	{.name = "reads", .kind = PARAM_CHOICE, .choices = "log|index|lease",
		.offset = offsetof(struct raft_settings, reads), .fallback = "log", .unit = "",
		.when = "workload.reads > 0",
		.help = "how a read is answered: ordered as a request, after a round of heartbeats, or at once while "
				"the leader has a lease"},
	{.name = "lease", .kind = PARAM_REAL, .flags = PARAM_EXCLUDE_MIN,
		.offset = offsetof(struct raft_settings, lease), .min = 0, .max = 10, .fallback = "0.9",
		.unit = "", .when = "reads = lease",
		.help = "length of a lease, as a share of the smallest election timeout; safe up to 1"},
	{.name = "clock_drift", .kind = PARAM_REAL, .offset = offsetof(struct raft_settings, clock_drift),
		.min = 0, .max = 10, .fallback = "0.01", .unit = "",
		.when = "reads = lease",
		.help = "by how much of its own one clock may run faster than another, as a lease allows for"},
	PLANTED_PARAM(struct raft_settings) PARAM_END,
};

static bool has(const struct node_list *list, uint32_t node)
{
	for (size_t i = 0; i < list->n; i++) {
		if (list->nodes[i] == node) {
			return true;
		}
	}
	return false;
}

static bool finish_members(const struct raft_settings *raft, const struct shape *shape,
	const char **param, char error[256])
{
	const struct node_list *lists[] = {&raft->members, &raft->learners};
	static const char *const names[] = {"members", "learners"};
	for (int i = 0; i < 2; i++) {
		*param = names[i];
		if (lists[i]->leader) {
			snprintf(error, 256, "must be validators by number; `leader` is whoever it is at a time");
			return false;
		}
		for (size_t k = 0; k < lists[i]->n; k++) {
			if (lists[i]->nodes[k] >= shape->n_validators) {
				snprintf(error, 256, "must be below the number of validators, %u", shape->n_validators);
				return false;
			}
			if (i == 1 && has(&raft->members, lists[i]->nodes[k])) {
				snprintf(error, 256, "must not name validator %u, which is one of `members`",
					lists[i]->nodes[k]);
				return false;
			}
		}
	}
	if (raft->members.given ? raft->members.n == 0 : raft->learners.n == shape->n_validators) {
		*param = raft->members.given ? "members" : "learners";
		snprintf(error, 256, "must leave at least one voter");
		return false;
	}
	bool votes = raft->members.given ? has(&raft->members, 0) : !has(&raft->learners, 0);
	if (raft->initial_leader == RAFT_LEADER_0 && !votes) {
		*param = raft->members.given ? "members" : "learners";
		snprintf(error, 256, "must leave validator 0 a voter, since it leads at the start; or "
							 "initial_leader must be none");
		return false;
	}
	return true;
}

bool raft_finish(void *settings, const struct shape *shape, const char **param, char error[256])
{
	struct raft_settings *raft = settings;
	raft->paced = raft->window == PARAM_AUTO_VALUE && raft->batch_delay_ns == 0;
	raft->n_in_flight = raft->window == PARAM_AUTO_VALUE ? RAFT_WINDOW : raft->window;
	if (raft->heartbeat_ns == PARAM_AUTO_VALUE) {
		/* Without elections nobody waits for heartbeats, but lost appends are still sent again. */
		sim_time timeout = raft->election_timeout_ns[0];
		raft->heartbeat_ns = timeout == SIM_NEVER ? 50 * SIM_MS : timeout / 3;
		if (raft->heartbeat_ns < SIM_TIMER_MIN) {
			raft->heartbeat_ns = SIM_TIMER_MIN;
		}
	}
	if (raft->election_timeout_ns[1] < raft->election_timeout_ns[0]) {
		*param = "election_timeout";
		snprintf(error, 256, "must be [smallest, largest]");
		return false;
	}
	if (raft->check_quorum &&
		(raft->heartbeat_ns == SIM_NEVER || raft->election_timeout_ns[0] == SIM_NEVER)) {
		*param = "check_quorum";
		snprintf(error, 256, "must be off where election_timeout or heartbeat is");
		return false;
	}
	if (raft->reads != RAFT_READS_LOG && raft->heartbeat_ns == SIM_NEVER) {
		*param = "reads";
		snprintf(error, 256, "must be log where heartbeat is off: a round that is lost would not be repeated");
		return false;
	}
	if (raft->reads == RAFT_READS_LEASE && !raft->check_quorum) {
		*param = "reads";
		snprintf(error, 256,
			"must not be lease unless check_quorum is on: else servers vote while a lease holds");
		return false;
	}
	return finish_members(raft, shape, param, error);
}
