/* What a trace tells of a run: all of it, in order, in the protocol's words.
 * And /transactions, which tells of each transaction what the trace shows of its life. */
#include "traced.h"

/* OSDI'99 4.2, figure 1: request, pre-prepare, prepare, commit, reply. */
static void pbft_tells_its_normal_case(void **state)
{
	struct trace_filter filter = everything;
	filter.with.whats = 1 << TRACE_SEND | 1 << TRACE_COMMITTED | 1 << TRACE_ACCEPTED | 1 << TRACE_VERDICT |
		1 << TRACE_SUBMITTED;
	char *text = text_of(one_request, &filter);
	const char *first = strchr(strchr(strchr(text, '\n') + 1, '\n') + 1, '\n') + 1;
	static const char head[] = "# one\n# pbft, 4 validators (v0 ...), 1 client (c0 ...); run 0: point 0, "
							   "replication 0, seed ";
	assert_int_equal(strncmp(text, head, strlen(head)), 0);
	assert_string_equal(first,
		"      0.000000  c0        -  submitted  transaction 0 for item 0\n"
		"      0.000000  c0        -  send       request to v0: transaction 0\n"
		"     10.000000  v0        0  send       pre-prepare to all: view 0, instance 1, digest 48b2, 1 request\n"
		"     20.000000  v1        0  send       prepare to all: view 0, instance 1, digest 48b2\n"
		"     20.000000  v2        0  send       prepare to all: view 0, instance 1, digest 48b2\n"
		"     20.000000  v3        0  send       prepare to all: view 0, instance 1, digest 48b2\n"
		"     30.000000  v2        0  send       commit to all: view 0, instance 1, digest 48b2\n"
		"     30.000000  v3        0  send       commit to all: view 0, instance 1, digest 48b2\n"
		"     30.000000  v0        0  send       commit to all: view 0, instance 1, digest 48b2\n"
		"     30.000000  v1        0  send       commit to all: view 0, instance 1, digest 48b2\n"
		"     40.000000  v0        0  committed  instance 1, view 0: 1 transaction, digest 48b2\n"
		"     40.000000  v0        0  send       reply to c0: transaction 0, view 0, result 1\n"
		"     40.000000  v1        0  committed  instance 1, view 0: 1 transaction, digest 48b2\n"
		"     40.000000  v1        0  send       reply to c0: transaction 0, view 0, result 1\n"
		"     40.000000  v2        0  committed  instance 1, view 0: 1 transaction, digest 48b2\n"
		"     40.000000  v2        0  send       reply to c0: transaction 0, view 0, result 1\n"
		"     40.000000  v3        0  committed  instance 1, view 0: 1 transaction, digest 48b2\n"
		"     40.000000  v3        0  send       reply to c0: transaction 0, view 0, result 1\n"
		"     50.000000  c0        -  accepted   item 0\n"
		"     50.000000  -         -  verdict    completed: all 1 items accepted\n");
	free(text);
}

/* Reasons, timers by name, crashes, what never comes and why, bodies in words. */
static void a_view_change_is_told_with_its_reasons(void **state)
{
	char *text = text_of(crashed, &everything);
	assert_says(text, "      0.000000  v0        0  fault      crash\n");
	assert_says(text, "     10.000000  v0        0  drop       request from c0, down: transaction 0\n");
	assert_says(text, "     40.000000  c0        -  timer      client timeout\n"
					  "     40.000000  c0        -  send       request to all: transaction 0\n");
	assert_says(text, "     50.000000  v1        0  receive    request from c0: transaction 0\n"
					  "     50.000000  v1        0  reason     request at a backup -> relay to the primary\n"
					  "     50.000000  v1        0  send       request to v0: transaction 0\n");
	assert_says(text, "    150.000000  v1        0  timer      view timeout\n"
					  "    150.000000  v1        0  reason     timer expired -> change the view\n");
	assert_says(text, "    150.000000  v1        1  follows    view 1, led by nobody yet\n");
	assert_says(text, "v1        1  send       view-change to all: to view 1, stable checkpoint 0, prepared "
					  "nothing\n");
	assert_says(text, "v1        1  send       new-view to all: view 1, from the view changes of 1 2 3\n");
	assert_says(text, "v1        1  leads      view 1\n");
	assert_says(text, "v2        1  follows    view 1, led by v1\n");
	assert_says(text, "    190.000000  v0        0  fault      restart\n");
	free(text);
}

/* A multicast that comes everywhere at one instant tells of those who are down, too. */
static void losses_are_told_copy_by_copy(void **state)
{
	char *text = text_of(crashed, &everything);
	assert_says(text, "    160.000000  v0        0  drop       view-change from v1, down: ");
	free(text);
	struct trace_filter filter = everything;
	filter.with.whats = 1 << TRACE_DROP;
	text = text_of("validators: 4\nprotocol: raft\nstop: {items: 20}\nworkload: requests\n"
				   "network: {latency: {kind: constant, value: 10 ms}, loss: 0.2}\n",
		&filter);
	assert_says(text, "  drop       append-entries from v0, lost: term 1, prevLogIndex ");
	assert_says(text, "  drop       append-answer from ");
	assert_silent(text, "down");
	free(text);
}

struct copies {
	uint32_t n_validators;
	size_t n_sent, n_received, n_lost, n_down;
	bool is_over;
};

static void count_begin(void *context, const struct trace_run *run)
{
	((struct copies *)context)->n_validators = run->n_validators;
}

static void count_event(void *context, const struct trace_event *event)
{
	struct copies *copies = context;
	bool own = event->peer == event->node;
	switch (event->what) {
	case TRACE_SEND:
		copies->n_sent += event->peer != NODE_NONE ? 1
			: event->node < copies->n_validators ? copies->n_validators - 1
												 : copies->n_validators;
		break;
	case TRACE_RECEIVE:
		copies->n_received += !own;
		break;
	case TRACE_DROP:
		copies->n_lost += strcmp(event->text, "lost") == 0;
		copies->n_down += strcmp(event->text, "down") == 0;
		break;
	case TRACE_VERDICT:
		copies->is_over = strstr(event->text, "time 90 s") != NULL;
		break;
	default:
		break;
	}
}

/* What is sent either comes or is told to be lost: also what a crash finds in the card, before the
 * processor and in its hands. */
static void no_copy_is_forgotten(void **state)
{
	static const char *const networks[] = {"", "node: {receive: 3 ms, send: 50 us}\n",
		"node: {receive: 1 ms}\nnetwork: {bandwidth: 200 kbit/s, loss: 0.03}\n"};
	for (size_t i = 0; i < 3; i++) {
		struct study *study = study_open(
			"validators: 4\nprotocol: {kind: pbft, view_timeout: off, window: 200}\n"
			"stop: {items: 300, time: 90 s}\n%s"
			"workload: {kind: requests, client_timeout: off, arrivals: {kind: regular, rate: 200 /s}}\n"
			"faults: [{kind: crash, nodes: [1, 2], from: 500 ms, until: 100 s}]\nliveness_bound: off\n",
			networks[i]);
		struct copies copies = {0};
		struct trace_sink sink = {&copies, count_begin, count_event};
		run_with(study, &sink, 0, NULL);
		assert_true(copies.n_sent > 1000 && copies.n_down > 10);
		assert_int_equal(copies.n_lost > 0, i == 2);
		assert_true(copies.is_over); /* long after everything has come */
		assert_int_equal(copies.n_received + copies.n_lost + copies.n_down, copies.n_sent);
		study_close(study);
	}
}

/* Raft 5.2; the words are figure 2's. */
static void raft_tells_an_election(void **state)
{
	char *text = text_of("validators: 3\n"
						 "protocol: {kind: raft, initial_leader: none, election_timeout: [100 ms, 200 ms]}\n"
						 "network: {latency: {kind: constant, value: 1 ms}}\n"
						 "stop: {items: 1}\nworkload: {kind: requests, client_timeout: 300 ms}\n",
		&everything);
	assert_says(text, "  timer      election timeout\n");
	assert_says(text, "  reason     election timeout -> candidate\n");
	assert_says(text, "  candidate  term 1\n");
	assert_says(text, "  send       request-vote to all: term 1, lastLogIndex 0, lastLogTerm 0\n");
	assert_says(text, ": term 1, vote granted\n");
	assert_says(text, "  leads      term 1\n");
	assert_says(text, "leaderCommit 0, 1 entry\n");
	assert_says(text, ", no entries: a heartbeat\n");
	assert_says(text, ": term 1, success, matches up to index 2\n");
	assert_says(text, "  send       hint to c0: transaction 0: the leader is not known\n");
	free(text);
}

static void filters_choose_by_node_time_and_kind(void **state)
{
	uint32_t one[] = {1};
	struct trace_filter filter = everything;
	filter.nodes = one;
	filter.n_nodes = 1;
	char *text = text_of(one_request, &filter);
	assert_says(text, "  v1  ");
	assert_says(text, "prepare from v2");
	assert_silent(text, "  v0     ");
	assert_silent(text, "  c0     ");
	assert_says(text, "verdict"); /* what happens nowhere in particular */
	free(text);

	filter = (struct trace_filter){.from_ns = 20 * SIM_MS, .until_ns = 30 * SIM_MS};
	text = text_of(one_request, &filter);
	assert_says(text, "\n     20.000000  ");
	assert_silent(text, "\n     10.000000  ");
	assert_silent(text, "\n     30.000000  ");
	free(text);

	/* One kind of message and one of event: they add up. */
	filter = everything;
	filter.with.whats = 1 << TRACE_COMMITTED;
	filter.with.kinds[0] = UINT64_C(1) << (MESSAGE_PROTOCOL + 1);
	text = text_of(one_request, &filter);
	assert_says(text, "  send       prepare to all");
	assert_says(text, "  receive    prepare from v1");
	assert_says(text, "  committed  ");
	assert_silent(text, "pre-prepare");
	assert_silent(text, "commit from");
	assert_silent(text, "executed");
	free(text);
}

/* An invariant that breaks is told when it breaks. A quorum of one lets any two validators differ. */
static void violations_are_told(void **state)
{
	struct trace_filter filter = everything;
	filter.with.whats = 1 << TRACE_VIOLATED | 1 << TRACE_VERDICT;
	char *text = text_of("validators: 4\nprotocol: {kind: pbft, quorum: 1, view_timeout: 30 ms}\n"
						 "stop: {items: 200}\n"
						 "network: {latency: {kind: exponential, mean: 20 ms, min: 1 ms}}\n"
						 "workload: {kind: requests, clients: 4, client_timeout: 60 ms}\n",
		&filter);
	assert_says(text, "  violated   agreement, with v");
	assert_says(text, "  verdict    unsafe: agreement broken at ");
	free(text);
}

/* What only the run's end shows is told there, with its own time: a lease that allows for no drift. */
static void violations_found_at_the_end_are_told(void **state)
{
	struct trace_filter filter = everything;
	filter.with.whats = 1 << TRACE_VIOLATED | 1 << TRACE_VERDICT;
	char *text = text_of("seed: 1\nvalidators: 3\nstop: {items: 1000}\n"
						 "protocol: {kind: raft, election_timeout: [4 s, 8 s], heartbeat: 100 ms, "
						 "check_quorum: on, reads: lease, clock_drift: 0}\n"
						 "network: {latency: {kind: constant, value: 10 ms}}\n"
						 "workload: {kind: kv, keys: 1, conflict: 1, reads: 0.97, clients: 50, "
						 "client_timeout: 500 ms, arrivals: {kind: poisson, rate: 100 /s}}\n"
						 "faults:\n"
						 "  - {kind: skew, nodes: [0], drift: -300000}\n"
						 "  - {kind: isolate, nodes: [0], from: 3 s, until: 12 s}\n"
						 "  - {kind: step, at: 7100 ms, node: 1, action: campaign}\n",
		&filter);
	assert_says(text, "  violated   linearizability, with c");
	assert_says(text, ", which had been overwritten: transaction ");
	assert_says(text, " ms; found later)\n");
	assert_says(text, "  verdict    unsafe: linearizability broken at ");
	assert_silent(text, " against ");
	free(text);
}

/* Listening changes nothing: the same events, the same decisions. */
static void tracing_changes_nothing(void **state)
{
	struct study *study = study_open(
		"validators: 7\nstop: {items: 40}\nprotocol: pbft\n"
		"network: {latency: {kind: lognormal, median: 10 ms, sigma: .5}, loss: 0.02, bandwidth: 10 Mbit/s}\n"
		"node: {receive: 10 us, send: 5 us, sign: 20 us, verify: 30 us}\n"
		"workload: {kind: dimweight, client_timeout: 500 ms}\n"
		"faults: [{kind: crash, nodes: leader, from: 100 ms, until: 2 s}]\n"
		"sweep: {protocol: [none, raft, pbft]}\n");
	for (size_t point = 0; point < 3; point++) {
		char silent[33];
		char traced[33];
		char *text = NULL;
		size_t n;
		struct trace_text sink = {.out = open_memstream(&text, &n), .filter = &everything};
		struct trace_sink hears = trace_text_sink(&sink);
		run_with(study, NULL, point, silent);
		run_with(study, &hears, point, traced);
		fclose(sink.out);
		assert_string_equal(traced, silent);
		assert_true(n > 10000);
		free(text);
	}
	study_close(study);
}

/* /transactions. */

static void transactions_are_recorded(void **state)
{
	struct outcome *outcome = run_text("%srecord: [transactions]\n", one_request);
	assert_int_equal(n_rows(outcome, TABLE_TRANSACTIONS), 1);
	assert_int_equal(int_at(outcome, TABLE_TRANSACTIONS, 0, "client"), 0);
	assert_string_equal(string_at(outcome, TABLE_TRANSACTIONS, 0, "kind"), "request");
	assert_true(real_at(outcome, TABLE_TRANSACTIONS, 0, "submitted_s") == 0);
	assert_true(real_at(outcome, TABLE_TRANSACTIONS, 0, "ordered_s") == .04);
	assert_true(real_at(outcome, TABLE_TRANSACTIONS, 0, "answered_s") == .05);
	assert_int_equal(int_at(outcome, TABLE_TRANSACTIONS, 0, "instance"), 1);
	assert_int_equal(int_at(outcome, TABLE_TRANSACTIONS, 0, "view"), 0);
	assert_string_equal(string_at(outcome, TABLE_TRANSACTIONS, 0, "reject"), "");
	outcome_close(outcome);
	outcome = run_text("%s", one_request);
	assert_int_equal(n_rows(outcome, TABLE_TRANSACTIONS), 0);
	outcome_close(outcome);
}

/* Three of four predictions close an item: the fourth comes late. A client that never hears has no answer. */
static void rejects_and_silence_are_recorded(void **state)
{
	struct outcome *outcome = run_text(
		"validators: 4\nprotocol: pbft\nstop: {items: 10}\nrecord: [transactions]\n"
		"network: {latency: {kind: constant, value: 10 ms}}\n"
		"workload: {kind: dimweight, arrivals: {kind: regular, rate: 1 /s}, quorum: 3}\n");
	size_t n_late = 0;
	assert_int_equal(n_rows(outcome, TABLE_TRANSACTIONS), 40);
	for (size_t i = 0; i < 40; i++) {
		assert_string_equal(string_at(outcome, TABLE_TRANSACTIONS, i, "kind"), "prediction");
		assert_int_equal(int_at(outcome, TABLE_TRANSACTIONS, i, "client"), i % 4);
		assert_int_equal(int_at(outcome, TABLE_TRANSACTIONS, i, "item"), i / 4);
		n_late += strcmp(string_at(outcome, TABLE_TRANSACTIONS, i, "reject"), "late") == 0;
	}
	assert_int_equal(n_late, 10);
	outcome_close(outcome);

	outcome = run_text("validators: 4\nprotocol: pbft\nstop: {items: 1}\nrecord: [transactions]\n"
					   "workload: requests\nfaults: [{kind: crash, nodes: [0, 1, 2, 3]}]\n");
	assert_true(real_at(outcome, TABLE_TRANSACTIONS, 0, "ordered_s") != 0); /* NaN is not 0 */
	assert_true(real_at(outcome, TABLE_TRANSACTIONS, 0, "ordered_s") !=
		real_at(outcome, TABLE_TRANSACTIONS, 0, "ordered_s"));
	assert_true(real_at(outcome, TABLE_TRANSACTIONS, 0, "answered_s") !=
		real_at(outcome, TABLE_TRANSACTIONS, 0, "answered_s"));
	assert_int_equal(int_at(outcome, TABLE_TRANSACTIONS, 0, "instance"), -1);
	outcome_close(outcome);
}

static const char lied[] =
	"validators: 4\nprotocol: {kind: pbft, view_timeout: 200 ms}\nstop: {items: 2}\n"
	"network: {latency: {kind: constant, value: 10 ms}}\n"
	"workload: {kind: requests, client_timeout: 300 ms}\n"
	"attacks: [{kind: equivocate, nodes: [0], until: 40 ms}]\n"
	"faults: [{kind: rule, message: [prepare], from_nodes: [2], to_nodes: [3], action: hold, release: 100 ms},\n"
	"  {kind: rule, message: [commit], from_nodes: [2], to_nodes: [1], action: drop},\n"
	"  {kind: rule, message: [commit], from_nodes: [3], to_nodes: [0], action: delay, delay: 3 ms},\n"
	"  {kind: rule, message: [commit], from_nodes: [3], to_nodes: [1], action: duplicate}]\n";

/* Who lies, from when until when, which copies say something else, and what rules do to others. */
static void lies_and_rules_are_told(void **state)
{
	char *text = text_of(lied, &everything);
	assert_says(text, "\n# byzantine: v0\n#");
	assert_says(text, "      0.000000  v0        0  attack     equivocate begins (attacks.0)\n");
	assert_says(text, "     40.000000  v0        0  attack     equivocate ends (attacks.0)\n");
	assert_says(text,
		"     10.000000  v0        0  send       pre-prepare to all: view 0, instance 1, digest 48b2, 1 request\n"
		"     10.000000  v0        0  lie        pre-prepare to v3: view 0, instance 1, digest 0000, 0 requests "
		"instead of digest 48b2, 1 request\n");
	assert_says(text, "     20.000000  v2        0  shaped     prepare to v3, held until 100.000000 ms by rule 0 "
					  "(faults.0): view 0, instance 1, digest 48b2\n");
	assert_says(text, "  drop       commit from v2, by rule 1 (faults.1): view 0, ");
	assert_says(text, "  v3        0  shaped     commit to v0, delayed by 3.000000 ms by rule 2 (faults.2): ");
	assert_says(text, "  v3        0  shaped     commit to v1, duplicated, 1 more by rule 3 (faults.3): ");
	assert_silent(text, "  v1        0  lie");
	assert_silent(text, "  v1        0  shaped");
	assert_silent(text, "prepare to v3, by rule"); /* after its release nothing is held */
	free(text);
	/* Nothing is scheduled for it: the same run. */
	struct study *study = study_open("%s", lied);
	char heard[64], alone[64];
	size_t n;
	struct trace_text sink = {.out = open_memstream(&text, &n), .filter = &everything};
	struct trace_sink hears = trace_text_sink(&sink);
	run_with(study, &hears, 0, heard);
	run_with(study, NULL, 0, alone);
	fclose(sink.out);
	free(text);
	study_close(study);
	assert_string_equal(heard, alone);
}

/* Nothing timed out: the step is the reason. */
static void a_step_is_the_reason_for_an_election(void **state)
{
	for (int pre_vote = 0; pre_vote < 2; pre_vote++) {
		char scenario[600];
		snprintf(scenario, sizeof(scenario),
			"validators: 3\nprotocol: {kind: raft, election_timeout: off, pre_vote: %s}\nstop: {items: 1}\n"
			"network: {latency: {kind: constant, value: 1 ms}}\n"
			"workload: {kind: requests, client_timeout: 300 ms}\n"
			"faults: [{kind: step, node: 1, at: 10 ms, action: campaign}]\n", pre_vote ? "true" : "false");
		char *text = text_of(scenario, &everything);
		assert_says(text, pre_vote ? "  reason     step -> ask for pre-votes\n" : "  reason     step -> candidate\n");
		assert_silent(text, pre_vote ? "step -> candidate" : "election timeout");
		free(text);
	}
}

/* Pre-votes are told apart from votes, by rules as by traces. Without pre-votes nobody becomes a candidate; a
 * step can force one. */
static void pre_votes_are_no_votes(void **state)
{
	static const char base[] = "seed: 1\nvalidators: 3\nstop: {items: 1, time: 3 s}\n"
		"protocol: {kind: raft, pre_vote: on, initial_leader: none}\n"
		"network: {latency: {kind: constant, value: 10 ms}}\nworkload: requests\n"
		"faults: [{kind: rule, message: %s, action: drop}%s]\n";
	char scenario[600];
	snprintf(scenario, sizeof(scenario), base, "pre-vote", "");
	char *text = text_of(scenario, &everything);
	assert_says(text, "pre-vote to all: term 1, lastLogIndex 0, lastLogTerm 0");
	assert_silent(text, "request-vote");
	free(text);
	snprintf(scenario, sizeof(scenario), base, "request-vote", "");
	text = text_of(scenario, &everything);
	assert_says(text, "term 0, pre-vote for term 1 granted");
	assert_says(text, "pre-votes from a majority -> candidate");
	assert_silent(text, "vote granted");
	free(text);
	snprintf(scenario, sizeof(scenario), base, "[pre-vote, pre-vote-answer]",
		", {kind: step, at: 100 ms, node: 1, action: campaign, force: on}");
	text = text_of(scenario, &everything);
	assert_says(text, "step -> candidate");
	assert_says(text, "completed: all 1 items accepted");
	free(text);
}

static void what_is_withheld_late_or_said_twice_is_told(void **state)
{
	static const char base[] = "validators: 4\nprotocol: {kind: pbft, view_timeout: 200 ms}\nstop: {items: 2}\n"
							   "network: {latency: {kind: constant, value: 10 ms}}\n"
							   "workload: {kind: requests, client_timeout: 300 ms}\n";
	static const struct {
		const char *attack, *says;
	} cases[] = {
		{"silent, nodes: [1]", ", withheld: view 0, instance 1, digest 48b2"},
		{"double-vote, nodes: [1]", ", sent besides: view 0, instance 1, digest "},
		{"slow-primary, nodes: [0]", "  v0        0  lie        pre-prepare to v1, delayed by "},
	};
	for (size_t i = 0; i < 3; i++) {
		char scenario[600];
		snprintf(scenario, sizeof(scenario), "%sattacks: [{kind: %s}]\n", base, cases[i].attack);
		char *text = text_of(scenario, &everything);
		assert_says(text, cases[i].says);
		free(text);
	}
}

static void a_stores_operations_are_told(void **state)
{
	char *text = text_of("validators: 4\nprotocol: pbft\nstop: {items: 6}\n"
						 "network: {latency: {kind: constant, value: 10 ms}}\n"
						 "workload: {kind: kv, clients: 2, reads: 0}\n",
		&everything);
	assert_says(text, "  send       request to v0: transaction 1, put key ");
	assert_says(text, "  send       reply to c1: transaction 1, put key ");
	assert_says(text, ", view 0, version 1, value 1\n");
	assert_silent(text, "result");
	free(text);
}

static void names_of_messages_and_events_differ(void **state)
{
	for (size_t p = 0; protocol_registry.plugins[p] != NULL; p++) {
		const struct protocol *protocol = (const struct protocol *)protocol_registry.plugins[p];
		for (size_t i = 0; protocol->message_names[i] != NULL; i++) {
			for (unsigned what = 0; what < TRACE_N; what++) {
				assert_true(trace_words[what] == NULL ||
					strcmp(trace_words[what], protocol->message_names[i]) != 0);
			}
		}
	}
}

static const struct protocol *protocol_named(const char *name)
{
	size_t p = 0;
	while (strcmp(protocol_registry.plugins[p]->name, name) != 0) {
		p++;
	}
	return (const struct protocol *)protocol_registry.plugins[p];
}

static void phases_and_kinds_can_be_left_out(void **state)
{
	static const char raft[] = "validators: 3\nprotocol: raft\nstop: {items: 3}\n"
							   "network: {latency: {kind: constant, value: 10 ms}}\n"
							   "workload: {kind: requests, arrivals: {kind: regular, rate: 5 /s}}\n";
	struct trace_filter filter = everything;
	filter.protocol = protocol_named("raft");
	char *text = text_of(raft, &filter);
	assert_says(text, "a heartbeat");
	free(text);
	const char *const *names = filter.protocol->words->phase_names;
	for (unsigned i = 0; names[i] != NULL; i++) {
		filter.without.phases |= strcmp(names[i], "heartbeat") == 0 ? UINT64_C(1) << i : 0;
	}
	filter.without.whats = 1 << TRACE_RECEIVE;
	text = text_of(raft, &filter);
	assert_silent(text, "a heartbeat");
	assert_silent(text, "  receive  ");
	assert_says(text, "  send       append-entries to all: ");
	free(text);
	filter = (struct trace_filter){.until_ns = SIM_NEVER, .protocol = filter.protocol};
	filter.with.phases = 1 << 0; /* appends */
	text = text_of(raft, &filter);
	assert_says(text, "  send       append-entries to all: ");
	assert_silent(text, "a heartbeat");
	assert_silent(text, "committed");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pbft_tells_its_normal_case),
		cmocka_unit_test(lies_and_rules_are_told),
		cmocka_unit_test(pre_votes_are_no_votes),
		cmocka_unit_test(a_step_is_the_reason_for_an_election),
		cmocka_unit_test(what_is_withheld_late_or_said_twice_is_told),
		cmocka_unit_test(a_stores_operations_are_told),
		cmocka_unit_test(names_of_messages_and_events_differ),
		cmocka_unit_test(phases_and_kinds_can_be_left_out),
		cmocka_unit_test(a_view_change_is_told_with_its_reasons),
		cmocka_unit_test(losses_are_told_copy_by_copy),
		cmocka_unit_test(no_copy_is_forgotten),
		cmocka_unit_test(raft_tells_an_election),
		cmocka_unit_test(filters_choose_by_node_time_and_kind),
		cmocka_unit_test(violations_are_told),
		cmocka_unit_test(violations_found_at_the_end_are_told),
		cmocka_unit_test(tracing_changes_nothing),
		cmocka_unit_test(transactions_are_recorded),
		cmocka_unit_test(rejects_and_silence_are_recorded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
