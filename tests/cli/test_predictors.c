/* Results of every predictor are the same bytes again, with one thread and with two, and on a
 * processor without fused multiply-add; and trees' library is there for trees alone. */
#include "program.h"

#include <math.h>

static const char scenario[] =
	"cat > s.yaml <<'END'\n"
	"seed: 8\nreplications: 2\nvalidators: 4\nprotocol: none\nstop: {items: 60}\n"
	"network: {latency: {kind: constant, value: 10 ms}}\nworkload: dimweight\n"
	"record: [predictions, models]\n"
	"predictor: {kind: linear, train: 200, label_noise: 0.1, retrain: 300 ms, shards: {kind: skewed}}\n"
	"attacks: [{kind: pgd, nodes: [0]}, {kind: poisoning, nodes: [1]}, {kind: label-flip, nodes: [2]},\n"
	"  {kind: backdoor, nodes: [1], feature: ln_density, trigger: 1.5}]\n"
	"END\n";

#define MASK "GLIBC_TUNABLES=glibc.cpu.hwcaps=-FMA,-AVX2,-FMA4"

/* What libm's exp and expf say of some numbers, as one number. */
static void print_exp(void)
{
	uint64_t sum = 0;
	for (int i = 0; i < 100000; i++) {
		double y = exp(i * 1e-4 + 1e-7);
		uint64_t bits;
		memcpy(&bits, &y, sizeof(bits));
		sum = sum * 31 + bits;
	}
	printf("%llu\n", (unsigned long long)sum);
}

static bool has_trees(void)
{
	struct output output = finish(start("$SYNOD run s.yaml -q --set predictor=trees"));
	bool has = output.status == 0;
	if (!has) { /* then it says what to install */
		assert_non_null(strstr(output.err, "libxgboost"));
	}
	output_free(&output);
	return has;
}

/* A whole result file, with predictions and models: again, with one thread and two, and masked. */
static void expect_same_bytes(const char *const *predictors, size_t n)
{
	struct output with = finish(start("$SELF --exp"));
	struct output without = finish(start(MASK " $SELF --exp"));
	bool masks = strcmp(with.out, without.out) != 0;
	output_free(&with);
	output_free(&without);
	if (!masks) {
		print_message("no FMA to mask here: a second run alone is compared\n");
	}
	expect(scenario, 0, NULL);
	for (size_t i = 0; i < n; i++) {
		char command[1024];
		snprintf(command, sizeof(command),
			"$SYNOD run s.yaml -q -j 1 --force -o a.h5 --set predictor.kind=%s && "
			"$SYNOD run s.yaml -q -j 2 --force -o b.h5 --set predictor.kind=%s && cmp a.h5 b.h5 && " MASK
			" $SYNOD run s.yaml -q -j 2 --force -o c.h5 --set predictor.kind=%s && cmp a.h5 c.h5",
			predictors[i], predictors[i], predictors[i]);
		expect(command, 0, NULL);
	}
}

static void results_are_the_same_bytes(void **state)
{
	static const char *const predictors[] = {"linear", "ridge", "mlp", "gp", "ensemble", "oracle"};
	expect_same_bytes(predictors, sizeof(predictors) / sizeof(predictors[0]));
}

static void results_of_trees_are_the_same_bytes(void **state)
{
	static const char *const predictors[] = {"trees", "forest"};
	expect(scenario, 0, NULL);
	if (!has_trees()) {
		print_message("XGBoost is not here (Debian: libxgboost-dev)\n");
		skip();
	}
	expect_same_bytes(predictors, sizeof(predictors) / sizeof(predictors[0]));
	/* And with 256 thresholds a feature. */
	expect("$SYNOD run s.yaml -q -j 1 --force -o a.h5 --set 'predictor={kind: trees, method: hist}' && "
		   "$SYNOD run s.yaml -q -j 2 --force -o b.h5 --set 'predictor={kind: trees, method: hist}' && cmp a.h5 b.h5 && "
		   MASK " $SYNOD run s.yaml -q -j 2 --force -o c.h5 --set 'predictor={kind: trees, method: hist}' && "
		   "cmp a.h5 c.h5",
		0, NULL);
}

/* As the loader tells it. */
static void the_trees_library_is_loaded_for_trees_alone(void **state)
{
	expect(scenario, 0, NULL);
	expect("! LD_DEBUG=files $SYNOD run s.yaml -q 2>&1 | grep -q 'xgboost\\|libgomp'", 0, NULL);
	if (!has_trees()) {
		skip();
	}
	expect("LD_DEBUG=files $SYNOD run s.yaml -q --set predictor=trees 2>&1 | grep -q xgboost", 0, NULL);
	/* It says nothing of its own. */
	expect("test \"$($SYNOD run s.yaml -q --set predictor=trees 2>&1 >/dev/null)\" = ''", 0, NULL);
}

static void verbose_tells_of_models(void **state)
{
	expect(scenario, 0, NULL);
	expect("$SYNOD run s.yaml -q --verbose -j 1 2>&1 | grep -q 'validator 3: predictor linear: on "
		   "held-out data mean absolute error .*; root mean squared error with a feature shuffled: "
		   "ln_length .*; gradient analytic'",
		0, NULL);
}

static void impossible_settings(void **state)
{
	static const struct {
		const char *set, *says;
	} cases[] = {
		{"predictor.shards=disjoint", "at least"},
		{"predictor={kind: ensemble, of: []}", "must name 1 to"},
		{"predictor={kind: ensemble, of: [oracle]}", "oracle"},
		{"predictor={kind: ridge, lambda: 0}", "lambda"},
		{"predictor={kind: gp, noise: 1e-12}", "noise"},
		{"predictor.drift={kind: jump, feature: colour}", "no feature `colour`"},
		{"attacks.3.feature=colour", "no feature `colour`"},
		{"attacks.1.confidence=0", "confidence"},
		{"predictor={kind: linear, retrain_at: [2 s, 1 s]}", "1 s does not come after"},
		{"predictor={kind: linear, retrain_at: [2 s, 2 s]}", "2 s does not come after"},
		{"predictor={kind: linear, retrain_at: []}", "must be a list of durations"},
		{"predictor={kind: linear, retrain_at: [5]}", "needs a unit"},
		{"predictor.retrain_at=[2 s]", "beside `retrain`"},
	};
	expect(scenario, 0, NULL);
	/* Known before anything runs, and told where it stands. */
	expect("$SYNOD check s.yaml --set attacks.3.feature=density", 1,
		"attacks.3.feature: dimweight has no feature `density`, but `ln_length`, `ln_width`, "
		"`ln_height`, `ln_density`\n");
	expect("$SYNOD check s.yaml --set 'predictor.drift={kind: jump, feature: colour}'", 1,
		"predictor.drift.feature: dimweight has no feature `colour`; its first is `ln_length`\n");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char command[256];
		snprintf(command, sizeof(command), "$SYNOD run s.yaml -q --set predictor.train=%d --set '%s'",
			strstr(cases[i].set, "disjoint") != NULL ? 60 : 200, cases[i].set);
		struct output output = finish(start(command));
		assert_true(output.status == 2 || output.status == 1 || output.status == 3);
		if (strstr(output.err, cases[i].says) == NULL) {
			fail_msg("%s: %s", cases[i].set, output.err);
		}
		output_free(&output);
	}
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		print_exp();
		return 0;
	}
	static char self[4096];
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0) {
		return 1;
	}
	setenv("SELF", self, 1);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(results_are_the_same_bytes),
		cmocka_unit_test(results_of_trees_are_the_same_bytes),
		cmocka_unit_test(the_trees_library_is_loaded_for_trees_alone),
		cmocka_unit_test(verbose_tells_of_models),
		cmocka_unit_test(impossible_settings),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
