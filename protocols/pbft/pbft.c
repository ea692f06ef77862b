/* PBFT in the registry: its settings, its start and its dispatch. */
#include "pbft.h"

#include <stdio.h>

static const struct param params[] = {
	PLANTED_PARAM(struct pbft_settings)
	{.name = "batch", .kind = PARAM_INT, .offset = offsetof(struct pbft_settings, batch), .min = 1,
		.max = PBFT_BATCH_MAX, .fallback = "64", .unit = "transactions",
		.help = "transactions in one instance, at most"},
	{.name = "window", .kind = PARAM_INT, .flags = PARAM_AUTO,
		.offset = offsetof(struct pbft_settings, window), .min = 1, .max = 1e6, .fallback = "auto",
		.unit = "instances",
		.help = "instances in flight, at most; auto: as many as the watermarks let through, and where "
				"processors or cards cost something no faster than they bear"},
	{.name = "batch_delay", .kind = PARAM_DURATION,
		.offset = offsetof(struct pbft_settings, batch_delay_ns), .fallback = "0 s", .unit = "s",
		.when = "batch > 1", .below = "view_timeout",
		.help = "how long a proposal that is not full waits for more transactions"},
	{.name = "view_timeout", .kind = PARAM_DURATION, .flags = PARAM_AUTO | PARAM_OFF, .min = SIM_TIMER_MIN,
		.offset = offsetof(struct pbft_settings, view_timeout_ns), .fallback = "auto",
		.auto_delays = {20}, .auto_min_ns = {SIM_SECOND}, .unit = "s",
		.below = "liveness_bound",
		.help = "how long a backup waits for a known request before it asks for another primary"},
	{.name = "quorum", .kind = PARAM_INT, .flags = PARAM_AUTO,
		.offset = offsetof(struct pbft_settings, quorum), .min = 1, .max = 1e6, .fallback = "auto",
		.unit = "validators",
		.help = "votes that prepare, commit and change a view; auto: ceil((n+f+1)/2). Another number "
				"than that gives up safety or liveness: for studying what breaks"},
	{.name = "reply_quorum", .kind = PARAM_INT, .flags = PARAM_AUTO,
		.offset = offsetof(struct pbft_settings, reply_quorum), .min = 1, .max = 1e6,
		.fallback = "auto", .unit = "validators",
		.when = "workload = requests|kv",
		.help = "equal replies that a client waits for; auto: f+1, with read_only a quorum"},
	{.name = "checkpoint_interval", .kind = PARAM_INT,
		.offset = offsetof(struct pbft_settings, checkpoint_interval), .min = 1, .max = 1e6,
		.fallback = "100", .unit = "instances", .help = "K: a checkpoint after so many instances"},
	{.name = "watermark_window", .kind = PARAM_INT, .flags = PARAM_AUTO,
		.offset = offsetof(struct pbft_settings, watermark_window), .min = 1, .max = 2e6,
		.fallback = "auto", .unit = "instances",
		.help = "L: instances beyond the stable checkpoint, at most; auto: 2 K"},
	{.name = "state_chunk", .kind = PARAM_BYTES, .flags = PARAM_OFF,
		.offset = offsetof(struct pbft_settings, state_chunk), .min = 1, .max = 4e9,
		.fallback = "64 KiB", .unit = "bytes",
		.help = "of a fetched state in one message, at most, and one batch at least; the next part is asked "
				"for when one has come. off: all in one message"},
	{.name = "tentative", .kind = PARAM_CHOICE, .offset = offsetof(struct pbft_settings, tentative),
		.choices = "off|on", .fallback = "off", .unit = "",
		.help = "execute what is prepared before it is committed; a client then needs a quorum of replies"},
	{.name = "read_only", .kind = PARAM_CHOICE, .offset = offsetof(struct pbft_settings, read_only),
		.choices = "off|on", .fallback = "off", .unit = "",
		.when = "workload.reads > 0",
		.help = "answer reads without ordering them; a client then needs a quorum of equal answers, to "
				"reads and writes"},
	{.name = "fast_path", .kind = PARAM_CHOICE, .offset = offsetof(struct pbft_settings, fast_path),
		.choices = "off|on", .fallback = "off", .unit = "",
		.help = "commit in one round what all n vote for: updates of what nobody else touches"},
	{.name = "authentication", .kind = PARAM_CHOICE,
		.offset = offsetof(struct pbft_settings, authentication), .choices = "signatures|macs",
		.fallback = "signatures", .unit = "",
		.help = "macs: 8 bytes and node.mac a receiver; only view changes and new views are signed"},
	{.name = "write_delay", .kind = PARAM_PLUGIN, .registry = &latency_extra_registry,
		.offset = offsetof(struct pbft_settings, write_delay), .fallback = "0 s", .unit = "s",
		.help = "what a write of its log to stable storage takes, a duration or a kind of latency; what binds "
				"a replica is written before it is sent, and a crash loses what is not"},
	PARAM_END,
};

/* A constant delay of 0. */
static bool is_zero(const struct plugin_value *delay)
{
	const struct param *value = delay->plugin->params;
	return strcmp(delay->plugin->name, "constant") == 0 &&
		*(const sim_time *)(const void *)((const char *)delay->settings + value->offset) == 0;
}

static bool finish(void *settings, const struct shape *shape, const char **param, char error[256])
{
	struct pbft_settings *pbft = settings;
	if (pbft->watermark_window == PARAM_AUTO_VALUE) {
		pbft->watermark_window = 2 * pbft->checkpoint_interval;
	}
	if (pbft->watermark_window < pbft->checkpoint_interval) {
		*param = "watermark_window";
		snprintf(error, 256, "must be at least checkpoint_interval (%lld), or no checkpoint is reached",
			(long long)pbft->checkpoint_interval);
		return false;
	}
	pbft->paced = pbft->window == PARAM_AUTO_VALUE && pbft->batch_delay_ns == 0;
	bool all = pbft->window == PARAM_AUTO_VALUE || pbft->window > pbft->watermark_window;
	pbft->n_in_flight = all ? pbft->watermark_window : pbft->window;
	if (pbft->quorum == PARAM_AUTO_VALUE) {
		/* ceil((n + f + 1) / 2) */
		pbft->quorum = ((int64_t)shape->n_validators + shape->n_faulty + 2) / 2;
	}
	if (pbft->reply_quorum == PARAM_AUTO_VALUE) {
		/* OSDI'99 4.1. Where reads are not ordered, those who answered a write must meet those who answer
		 * a read in an honest replica: f+1 replies to the write would let a quorum that has not executed it
		 * yet show a reader the state before it. Berger, Reiser, Bessani: Making Reads in BFT State Machine
		 * Replication Fast, Linearizable, and Live, SRDS 2021. */
		pbft->reply_quorum = pbft->read_only ? pbft->quorum : (int64_t)shape->n_faulty + 1;
	}
	const struct plugin_value *delay = &pbft->write_delay;
	bool writes = delay->plugin != NULL && delay->plugin != latency_extra_registry.plugins[0];
	if (writes && (pbft->tentative || pbft->fast_path) && !is_zero(delay)) {
		*param = "write_delay";
		snprintf(error, 256, "must be 0 s with tentative or fast_path, which tell clients and others before "
							 "anything could be written");
		return false;
	}
	if (pbft->reply_quorum > shape->n_validators) {
		*param = "reply_quorum";
		snprintf(error, 256, "must be at most the number of validators, %u", shape->n_validators);
		return false;
	}
	if (pbft->quorum > shape->n_validators) {
		*param = "quorum";
		snprintf(error, 256, "must be at most the number of validators, %u", shape->n_validators);
		return false;
	}
	return true;
}

/* OSDI'99 2: n of at least 3f + 1. */
static uint32_t faulty_most(const void *settings, uint32_t n_validators)
{
	return (n_validators - 1) / 3;
}

/* OSDI'99 4.5.2: waits for twice as long in each view that comes to nothing. */
static struct protocol_patience patience(const void *settings)
{
	sim_time timeout_ns = ((const struct pbft_settings *)settings)->view_timeout_ns;
	return (struct protocol_patience){timeout_ns, timeout_ns, true};
}

static uint32_t quorum(const void *settings, uint32_t n_validators, uint32_t n_faulty)
{
	return (uint32_t)((const struct pbft_settings *)settings)->quorum;
}

static uint32_t reply_quorum(const void *settings, uint32_t n_faulty)
{
	return (uint32_t)((const struct pbft_settings *)settings)->reply_quorum;
}

static bool macs(const void *settings)
{
	return ((const struct pbft_settings *)settings)->authentication == PBFT_MACS;
}

static enum protocol_reads reads(const void *settings)
{
	return ((const struct pbft_settings *)settings)->read_only ? READS_ALL : READS_ORDERED;
}

/* OSDI'99 4.4, thesis 5.1.3: 2f+1, which meet the 2f+1 that have answered any write that was accepted before
 * in an honest replica. */
static uint32_t read_quorum(const void *settings, uint32_t n_validators, uint32_t n_faulty)
{
	return (uint32_t)((const struct pbft_settings *)settings)->quorum;
}

static uint32_t tentative_quorum(const void *settings, uint32_t n_validators, uint32_t n_faulty)
{
	return ((const struct pbft_settings *)settings)->tentative
		? read_quorum(settings, n_validators, n_faulty)
		: 0;
}

static bool step(
	struct node *node, enum protocol_step step, const struct protocol_step_argument *argument)
{
	switch (step) {
	case STEP_CAMPAIGN:
		node_log(node, "told to -> change the view");
		pbft_start_view_change(node, pbft_of(node)->view + 1);
		return true;
	case STEP_PROPOSE:
		return pbft_propose_now(node);
	default:
		return false;
	}
}

/* What is executed before it is committed, and what all n vote for, is told before it could be written. */
static bool stores(const void *settings)
{
	const struct pbft_settings *pbft = settings;
	return !pbft->tentative && !pbft->fast_path;
}

static void start(struct node *node)
{
	struct pbft *pbft = pbft_of(node);
	struct arena *arena = node_arena(node);
	const struct pbft_settings *settings = pbft_settings_of(node);
	uint32_t words = bits_words(node->n_validators);
	uint64_t window = (uint64_t)settings->watermark_window;
	pbft->quorum = (uint32_t)settings->quorum - PLANTED(settings, QUORUM_ONE_LESS);
	pbft->next_instance = 1;
	if (settings->paced) {
		pace_start(node, &pbft->pace);
	}
	pbft->slots = arena_array(arena, struct pbft_slot, window);
	pbft->slot_bits = arena_array(arena, uint64_t, window * 2 * words);
	for (uint64_t i = 0; i < window; i++) {
		pbft->slots[i].prepares.bits = pbft->slot_bits + i * 2 * words;
		pbft->slots[i].commits.bits = pbft->slot_bits + (i * 2 + 1) * words;
	}
	if (settings->fast_path) {
		pbft->keys = arena_new(arena, struct pbft_keys);
		struct vote_set *fast = arena_array(arena, struct vote_set, window);
		uint64_t *fast_bits = arena_array(arena, uint64_t, window * words);
		for (uint64_t i = 0; i < window; i++) {
			pbft->slots[i].fast = &fast[i];
			fast[i].bits = fast_bits + i * words;
		}
	}
	pbft->n_checkpoints = window / (uint64_t)settings->checkpoint_interval;
	pbft->checkpoints = arena_array(arena, struct pbft_checkpoint, pbft->n_checkpoints);
	uint64_t *checkpoint_bits = arena_array(arena, uint64_t, pbft->n_checkpoints * words);
	for (uint64_t i = 0; i < pbft->n_checkpoints; i++) {
		pbft->checkpoints[i].votes.bits = checkpoint_bits + i * words;
	}
	pbft->n_held = arena_array(arena, uint32_t, node->n_validators);
	pbft->ahead_bits = arena_array(arena, uint64_t, words);
	pbft->view_changes = arena_array(arena, const struct pbft_view_change *, node->n_validators);
	pbft_storage_start(node);
	if (pbft_is_primary(node)) {
		node_leads(node, 0, LEAD_FIRST);
	}
}

static void receive(struct node *node, const struct message *message)
{
	switch (message->kind) {
	case PBFT_PREPARE:
		pbft_on_prepare(node, message);
		break;
	case PBFT_COMMIT:
		pbft_on_commit(node, message);
		break;
	case PBFT_PRE_PREPARE:
		pbft_on_pre_prepare(node, message);
		break;
	case MESSAGE_REQUEST:
		pbft_on_request(node, message);
		break;
	case MESSAGE_READ:
		pbft_on_read(node, message);
		break;
	case PBFT_CHECKPOINT:
		pbft_on_checkpoint(node, message);
		break;
	case PBFT_VIEW_CHANGE:
		pbft_on_view_change(node, message);
		break;
	case PBFT_NEW_VIEW:
		pbft_on_new_view(node, message);
		break;
	case PBFT_FETCH:
		pbft_on_fetch(node, message);
		break;
	case PBFT_STATE:
		pbft_on_state(node, message);
		break;
	case PBFT_STATUS:
		pbft_on_status(node, message);
		break;
	case PBFT_EXECUTED:
		pbft_on_executed(node, message);
		break;
	case PBFT_WRITE:
		pbft_on_write(node);
		break;
	case PBFT_WRITTEN:
		pbft_on_written(node);
		break;
	default:
		assert(!"a kind of message that PBFT does not have");
	}
}

static void timer(struct node *node, unsigned which)
{
	switch (which) {
	case PBFT_TIMER_VIEW:
		/* OSDI'99 4.4: the timer of a backup expires in view v: it starts a view change to v+1. */
		node_log(node, "timer expired -> change the view");
		pbft_start_view_change(node, pbft_of(node)->view + 1);
		break;
	case PBFT_TIMER_BATCH:
		pbft_propose(node);
		break;
	case PBFT_TIMER_FETCH:
		pbft_fetch(node);
		break;
	case PBFT_TIMER_RESEND:
		pbft_resend_view_change(node);
		break;
	case PBFT_TIMER_STATUS:
		pbft_status_timer(node);
		break;
	case PBFT_TIMER_FALL_BACK:
		pbft_fall_back(node, false);
		break;
	default:
		assert(!"a timer that PBFT does not have");
	}
}

/* PBFT's replicas keep all their protocol state on stable storage, but for what they have not written yet
 * where that takes time (storage.c); only the timers are gone.
 * What was missed comes by checkpoints and by the new view: it asks for both at once. */
static void restart(struct node *node)
{
	if (pbft_of(node)->disk != NULL) {
		pbft_storage_restart(node);
	}
	pbft_resend_view_change(node);
	pbft_restart_timer(node);
	pbft_fetch(node);
	pbft_ask(node);
	pbft_of(node)->asks_left = PBFT_ASKS;
	pbft_send_status(node);
	pbft_fall_back(node, true);
	pbft_propose(node);
}

static uint64_t view(const struct node *node)
{
	return pbft_of(node)->view;
}

static uint64_t stored_view(const struct node *node)
{
	return pbft_of(node)->disk == NULL ? pbft_of(node)->view : pbft_stored_view(node);
}

static uint32_t leader(const struct node *node)
{
	return pbft_of(node)->changing ? NODE_NONE : pbft_primary(node, pbft_of(node)->view);
}

static const char *const message_names[] = {"pre-prepare", "prepare", "commit", "checkpoint",
	"view-change", "new-view", "fetch", "state", "status",
	"state-digests", "write", "written", NULL};

const struct protocol protocol_pbft = {
	.plugin =
		{
			.name = "pbft",
			.summary = "Practical Byzantine Fault Tolerance (Castro, Liskov, OSDI 1999)",
			.params = params,
			.settings_size = sizeof(struct pbft_settings),
			.finish = finish,
		},
	.byzantine = true,
	.ordered = true,
	.leader_based = true,
	.validates = true,
	.stores = stores,
	.client = CLIENT_TO_ALL,
	.state_size = sizeof(struct pbft),
	.message_names = message_names,
	.words = &pbft_words,
	.kpis = pbft_kpis,
	.faulty_most = faulty_most,
	.faulty_rule = "n > 3f",
	.patience = patience,
	.quorum = quorum,
	.reply_quorum = reply_quorum,
	.reads = reads,
	.read_quorum = read_quorum,
	.tentative_quorum = tentative_quorum,
	.macs = macs,
	.start = start,
	.receive = receive,
	.timer = timer,
	.restart = restart,
	.step = step,
	.steps = 1 << STEP_CAMPAIGN | 1 << STEP_PROPOSE,
	.forgery = &pbft_forgery,
	.view = view,
	.stored_view = stored_view,
	.leader = leader,
};
