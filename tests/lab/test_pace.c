/* The default of `window` where processors and cards cost something (protocols/pace.h): no fixed window and no
 * batch_delay is much better, and where nothing costs anything it is none of the run's business. */
#include "study.h"

#include <string.h>

static const char *const busy[] = {
	/* Requests, at a quarter and at three quarters of what the primary bears. */
	"validators: 10\nprotocol: pbft\nnetwork: {latency: {kind: uniform, min: 3 ms, max: 9 ms}}\n"
	"node: {send: 5 us, receive: 15 us, sign: 40 us, verify: 80 us}\nstop: {items: 400}\n"
	"workload: {kind: requests, clients: 9, arrivals: {kind: poisson, rate: 1500 /s}}\n",
	"validators: 10\nprotocol: pbft\nnetwork: {latency: {kind: uniform, min: 3 ms, max: 9 ms}}\n"
	"node: {send: 5 us, receive: 15 us, sign: 40 us, verify: 80 us}\nstop: {items: 1000}\n"
	"workload: {kind: requests, clients: 9, arrivals: {kind: poisson, rate: 4500 /s}}\n",
	/* Predictions, that come in bursts. */
	"validators: 7\nprotocol: pbft\nnetwork: {latency: {kind: lognormal, median: 12 ms, sigma: 0.3}}\n"
	"node: {send: 20 us, receive: 20 us, sign: 200 us, verify: 150 us}\nstop: {items: 100}\n"
	"workload: {kind: dimweight, quorum: n, arrivals: {kind: poisson, rate: 60 /s}}\n"
	"predictor: {kind: linear, cost: 1 ms}\n",
	/* A thin link, not the processor. */
	"validators: 13\nprotocol: {kind: pbft, authentication: macs}\n"
	"network: {latency: {kind: uniform, min: 3 ms, max: 9 ms}, bandwidth: 10 Mbit/s}\nstop: {items: 300}\n"
	"workload: {kind: requests, clients: 9, arrivals: {kind: poisson, rate: 450 /s}}\n",
	/* Raft's leader is busy with appends and answers. */
	"validators: 9\nprotocol: raft\nnetwork: {latency: {kind: uniform, min: 3 ms, max: 9 ms}}\n"
	"node: {send: 40 us, receive: 40 us, sign: 150 us, verify: 150 us}\nstop: {items: 400}\n"
	"workload: {kind: requests, clients: 9, arrivals: {kind: poisson, rate: 900 /s}}\n",
	/* The primary is idle, and a quorum's processors are not. */
	"validators: 4\nprotocol: pbft\nnetwork: {latency: {kind: uniform, min: 3 ms, max: 9 ms}}\n"
	"node: {send: 5 us, receive: 15 us, sign: 40 us, verify: 80 us}\nstop: {items: 300}\n"
	"workload: {kind: requests, clients: 9, arrivals: {kind: poisson, rate: 300 /s}}\n"
	"faults: [{kind: slow-node, nodes: [1, 3], factor: 12}]\n",
	"validators: 5\nprotocol: raft\nnetwork: {latency: {kind: uniform, min: 3 ms, max: 9 ms}}\n"
	"node: {send: 5 us, receive: 15 us, sign: 40 us, verify: 80 us}\nstop: {items: 300}\n"
	"workload: {kind: requests, clients: 9, arrivals: {kind: poisson, rate: 900 /s}}\n"
	"faults: [{kind: slow-node, nodes: [1, 2, 4], factor: 12}]\n",
};

static void auto_is_near_the_best(void **state)
{
	for (size_t i = 0; i < sizeof(busy) / sizeof(busy[0]); i++) {
		/* Point 1 is what was the default before: as many as fit, at once. */
		struct study *study = study_open("seed: 3\n%szip: {protocol.window: [auto, 200, 1, 2, 4, 8, 16, "
										 "64, 200, 200, 200, 200], protocol.batch_delay: [0 s, 0 s, 0 s, 0 s, 0 s, "
										 "0 s, 0 s, 0 s, 1 ms, 3 ms, 10 ms, 30 ms]}\n",
			busy[i]);
		double latency[12], best = 1e9;
		for (size_t point = 0; point < study->n_points; point++) {
			struct outcome *outcome = study_run(study, point, 0);
			assert_verdict(outcome, "completed");
			latency[point] = kpi(outcome, "latency_mean_s");
			best = point > 0 && latency[point] < best ? latency[point] : best;
			outcome_destroy(outcome);
		}
		if (latency[0] > 1.3 * best || latency[1] < 1.5 * best) {
			fail_msg("scenario %zu: auto %g s, at once %g s, the best of the others %g s", i, latency[0],
				latency[1], best);
		}
		study_close(study);
	}
}

/* Not one event is another where processors and cards are free. */
static void nothing_changes_where_nothing_costs(void **state)
{
	static const char *const free[] = {
		"protocol: pbft\nworkload: {kind: requests, clients: 9, arrivals: {kind: poisson, rate: 900 /s}}\n"
		"sweep: {protocol.window: [auto, 200]}\n",
		"protocol: {kind: pbft, fast_path: on}\nworkload: {kind: dimweight, arrivals: {kind: poisson, rate: 60 /s}}\n"
		"predictor: linear\nsweep: {protocol.window: [auto, 200]}\n",
		"protocol: raft\nworkload: {kind: requests, clients: 9, arrivals: {kind: poisson, rate: 900 /s}}\n"
		"sweep: {protocol.window: [auto, 256]}\n",
	};
	for (size_t i = 0; i < sizeof(free) / sizeof(free[0]); i++) {
		struct study *study = study_open(
			"validators: 7\nstop: {items: 200}\nnetwork: {latency: {kind: uniform, min: 3 ms, max: 9 ms}}\n%s",
			free[i]);
		struct outcome *chosen = study_run(study, 0, 0), *fixed = study_run(study, 1, 0);
		assert_string_equal(chosen->summary.digest, fixed->summary.digest);
		outcome_destroy(chosen);
		outcome_destroy(fixed);
		study_close(study);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(auto_is_near_the_best),
		cmocka_unit_test(nothing_changes_where_nothing_costs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
