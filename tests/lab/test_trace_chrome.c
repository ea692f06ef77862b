/* A trace as JSON that a viewer opens: whole, with a slice for each message handled. */
#include "json.h"
#include "traced.h"

/* JSON. */

static struct json *parse(const char *text)
{
	size_t at;
	struct json *json = json_parse(text, &at);
	if (json == NULL) {
		fail_msg("no JSON from byte %zu on: %.80s", at, text + at);
	}
	return json;
}

static const char *string_of(const struct json *event, const char *key)
{
	const struct json *member = json_get(event, key);
	return member == NULL || member->text == NULL ? "" : member->text;
}

static double number_of(const struct json *event, const char *key)
{
	const struct json *member = json_get(event, key);
	assert_non_null(member);
	assert_int_equal(member->kind, JSON_NUMBER);
	return member->number;
}

#define TRACKS 16
#define FLOWS 4096

/* Slices of a track stand side by side; an arrow begins and ends inside a slice and not before its
 * beginning. */
static void check_events(const struct json *events, size_t counts[128])
{
	static struct flow {
		char id[24];
		double at;
	} flows[FLOWS];
	size_t n_flows = 0;
	double ends[TRACKS] = {0};
	double bound[TRACKS]; /* arrows of a track that wait for their slice */
	for (int i = 0; i < TRACKS; i++) {
		bound[i] = -1;
	}
	for (const struct json *event = events->first; event != NULL; event = event->next) {
		char phase = string_of(event, "ph")[0];
		size_t track = (size_t)number_of(event, "pid");
		assert_true(phase > 0 && track > 0 && track < TRACKS);
		assert_true(string_of(event, "name")[0] != '\0');
		assert_true(number_of(event, "tid") == number_of(event, "pid"));
		counts[(size_t)phase]++;
		double at = phase == 'M' ? 0 : number_of(event, "ts");
		if (phase == 'X') {
			assert_true(at >= ends[track]);
			ends[track] = at + number_of(event, "dur");
			assert_true(number_of(event, "dur") >= TRACE_SLICE_NS / 1e3);
			assert_true(bound[track] < 0 || (bound[track] > at && bound[track] < ends[track]));
			bound[track] = -1;
		} else if (phase == 's' || phase == 'f') {
			bound[track] = at;
			size_t i = 0;
			while (i < n_flows && strcmp(flows[i].id, string_of(event, "id")) != 0) {
				i++;
			}
			if (phase == 's') {
				assert_int_equal(i, n_flows); /* no id is used twice */
				assert_true(n_flows < FLOWS);
				snprintf(flows[n_flows].id, sizeof(flows[0].id), "%s", string_of(event, "id"));
				flows[n_flows++].at = at;
			} else {
				assert_true(i < n_flows && flows[i].at <= at);
				assert_string_equal(string_of(event, "bp"), "e");
			}
		}
	}
}

static void chrome_events_are_whole(void **state)
{
	struct study *study = study_open("title: \"a \\\"title\\\" \\\\ with\\ttab\"\n%s", crashed);
	char *text = chrome_of(study, &everything);
	struct json *json = parse(text);
	assert_string_equal(
		string_of(json_get(json, "otherData"), "title"), "a \"title\" \\ with\ttab");
	const struct json *events = json_get(json, "traceEvents");
	size_t counts[128] = {0};
	check_events(events, counts);
	assert_int_equal(counts['M'], 3 * 6); /* the run, four validators, one client */
	assert_true(counts['X'] > 50 && counts['i'] > 20 && counts['s'] > 50);
	assert_true(counts['f'] > 30 && counts['f'] < counts['s']); /* validator 0 is down */
	assert_true(counts['C'] >= 4 + 3);
	json_free(json);
	assert_says(text, "{\"ph\":\"M\",\"pid\":1,\"tid\":1,\"name\":\"process_name\",\"args\":{\"name\":"
					  "\"validator 0\"}}");
	assert_says(text, "\"name\":\"client 0\"");
	/* Reasons are arguments of the slice in which they were given. */
	assert_says(text, "\"name\":\"view timeout\",\"ts\":150000.000,\"dur\":1.000,\"args\":{\"reasons\":["
					  "\"timer expired -> change the view\",\"start view change\"]}}");
	assert_says(text, "\"name\":\"committed\",\"s\":\"t\",");
	assert_says(text, "\"name\":\"view\",\"ts\":150000.000,\"args\":{\"view\":1}}");
	assert_says(text, "\"name\":\"request dropped: down\"");
	assert_says(text, "\"name\":\"crash\"");
	/* Three view changes at one instant: one after the other, and when it really was. */
	assert_says(text, "\"at_ms\":160.000000");
	char *again = chrome_of(study, &everything);
	assert_string_equal(again, text);
	free(again);
	free(text);
	study_close(study);
}

/* Each message has a slice of its own, even where several come to a node at one instant. */
static void each_message_is_handled_by_itself(void **state)
{
	struct study *study = study_open("%s", one_request);
	char *text = chrome_of(study, &everything);
	size_t n = 0;
	for (const char *at = text; (at = strstr(at, "{\"ph\":\"X\"")) != NULL; at++) {
		n += strncmp(strstr(at, "\"name\""), "\"name\":\"reply\"", 14) == 0;
	}
	assert_int_equal(n, 2); /* the second of four makes f+1, and the run is over */
	free(text);
	study_close(study);
}

/* A processor that has to sign and send is busy for as long as the slice says. */
static void slices_last_as_long_as_the_processor_works(void **state)
{
	struct study *study = study_open(
		"validators: 4\nprotocol: pbft\nstop: {items: 1}\nworkload: requests\n"
		"network: {latency: {kind: constant, value: 10 ms}}\nnode: {send: 10 us, sign: 100 us}\n");
	char *text = chrome_of(study, &everything);
	/* One signature, three copies. */
	assert_says(text, "\"name\":\"request\",\"ts\":10000.000,\"dur\":130.000,");
	json_free(parse(text));
	free(text);
	study_close(study);
}

static void chrome_events_are_whole_under_any_filter(void **state)
{
	struct study *study = study_open("%s", crashed);
	uint32_t nodes[] = {1, 4};
	struct trace_filter filters[] = {everything, everything, everything};
	filters[0].nodes = nodes;
	filters[0].n_nodes = 2;
	filters[1].with.whats = 1 << TRACE_SEND;
	filters[2].from_ns = SIM_NEVER - 1;
	for (int i = 0; i < 3; i++) {
		char *text = chrome_of(study, &filters[i]);
		json_free(parse(text));
		free(text);
	}
	study_close(study);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chrome_events_are_whole),
		cmocka_unit_test(each_message_is_handled_by_itself),
		cmocka_unit_test(slices_last_as_long_as_the_processor_works),
		cmocka_unit_test(chrome_events_are_whole_under_any_filter),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
