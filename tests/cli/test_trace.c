/* synod trace as its users meet it: formats, choices, errors; the documents' figures, drawn again; and
 * what synod show tells of one transaction and of what broke. */
#include "program.h"

#define VIEW_CHANGE "trace-view-change.yaml"
#define SPLIT_VOTE "trace-split-vote.yaml"
#define KINDS "--kind request,pre-prepare,prepare,commit,reply,view-change,new-view"

static bool no_gnuplot(void)
{
	return system("gnuplot --version > /dev/null 2>&1") != 0;
}

static void the_ending_says_the_format(void **state)
{
	expect("$SYNOD trace " VIEW_CHANGE, 0, "  reason     view changes from a quorum -> new view\n");
	expect("$SYNOD trace " VIEW_CHANGE " -o t.txt && head -n 1 t.txt", 0, "# PBFT: a view change around");
	expect("$SYNOD trace " VIEW_CHANGE " -o t.json && tail -n 1 t.json", 0, "]}");
	expect("$SYNOD trace " VIEW_CHANGE " --format chrome | cmp - t.json", 0, NULL);
	expect("$SYNOD trace " VIEW_CHANGE " -f text -o t.log && cmp t.log t.txt", 0, NULL);
}

/* The same run, the same bytes; another replication or point, others. */
static void a_run_is_named_in_two_ways(void **state)
{
	write_file("sweep.yaml",
		"validators: 4\nprotocol: pbft\nstop: {items: 5}\nworkload: requests\nreplications: 3\n"
		"network: {latency: {kind: normal, mean: 10 ms, sd: 2 ms}}\n"
		"sweep: {protocol: [raft, pbft]}\n");
	expect("$SYNOD trace sweep.yaml --run 5 -o 5.txt && head -n 1 5.txt", 0,
		"# pbft, 4 validators (v0 ...), 1 client (c0 ...); run 5: point 1, replication 2, seed ");
	expect("$SYNOD trace sweep.yaml --point 1 --replication 2 | cmp - 5.txt", 0, NULL);
	expect("$SYNOD trace sweep.yaml --set sweep=none --replication 2 | grep -v '^#' > a; "
		   "grep -v '^#' 5.txt | cmp - a", 0, NULL);
	expect("$SYNOD trace sweep.yaml --run 4 | cmp -s - 5.txt", 1, NULL);
	/* What the result file says of the run is what the trace ends with. */
	expect("$SYNOD trace sweep.yaml --run 5 --kind verdict", 0, "  verdict    completed: all 5 items");
}

static void choices_narrow_it(void **state)
{
	expect("$SYNOD trace " VIEW_CHANGE " --node v1,c0 --until '40 ms' | grep -v '^#' | grep -c ' v[023] '", 1,
		"0");
	expect("$SYNOD trace " VIEW_CHANGE " --kind new-view,leads | grep -v '^#' | "
		   "awk '$4 != \"leads\" && $5 != \"new-view\"' | grep -c .", 1, "0");
	expect("$SYNOD trace " VIEW_CHANGE " --from '180 ms' --kind leads | tail -n 1", 0, "  leads      view 1");
}

static void phases_can_be_left_out(void **state)
{
	expect("$SYNOD trace " SPLIT_VOTE " --kind heartbeat | grep -v '^#' | grep -vc 'a heartbeat'", 1, "0\n");
	expect("$SYNOD trace " SPLIT_VOTE " --without heartbeat,receive | grep -c 'a heartbeat\\|  receive  '", 1,
		"0\n");
	expect("$SYNOD trace " SPLIT_VOTE " --without heartbea", 2, "--without: raft knows no 'heartbea'; did you mean");
	expect("$SYNOD trace " VIEW_CHANGE " --kind xyzzy", 2, "lie, shaped, attack,");
}

static void mistakes_are_told(void **state)
{
	expect("$SYNOD trace", 2, "usage: synod trace SCENARIO");
	expect("$SYNOD trace " VIEW_CHANGE " -o x", 2, "x: the ending says no format");
	expect("$SYNOD trace " VIEW_CHANGE " -o a.b/x", 2, "a.b/x: the ending says no format");
	expect("$SYNOD trace " VIEW_CHANGE " -f gif", 2, "--format takes text, chrome, svg, png or pdf, got 'gif'");
	expect("$SYNOD trace " VIEW_CHANGE " -f svg", 2, "a figure wants a file: -o FILE.svg");
	expect("$SYNOD trace " VIEW_CHANGE " -f pdf -o x.svg", 2, "--format pdf wants a file that ends in .pdf");
	expect("$SYNOD trace " VIEW_CHANGE " --run 1", 2, "--run takes a whole number from 0 to 0, got '1'");
	expect("$SYNOD trace " VIEW_CHANGE " --run 0 --point 0", 2, "give it or those, not both");
	expect("$SYNOD trace " VIEW_CHANGE " --from 5", 2, "--from=5: error: ");
	expect("$SYNOD trace " VIEW_CHANGE " --from '5 s' --until '5 s'", 2, "--until must be later than --from");
	expect("$SYNOD trace " VIEW_CHANGE " --node v4", 2,
		"--node takes validators v0 to v3 and clients c0 to c0, got 'v4'");
	expect("$SYNOD trace " VIEW_CHANGE " --node c1", 2, "got 'c1'");
	expect("$SYNOD trace " VIEW_CHANGE " --node ''", 2, "got ''");
	expect("$SYNOD trace " VIEW_CHANGE " --kind view-chang", 2, "did you mean 'view-change'?");
	expect("$SYNOD trace " VIEW_CHANGE " --kind xyzzy", 2, "pbft knows no 'xyzzy'; there are send, receive,");
	expect("$SYNOD trace nothing.yaml", 2, "nothing.yaml");
	expect("$SYNOD trace " VIEW_CHANGE " -o missing/x.txt", 3, "missing/x.txt: can't be written");
	expect("$SYNOD trace " VIEW_CHANGE " -o /dev/full -f text", 3, "/dev/full: can't be written whole");
	expect("$SYNOD trace " VIEW_CHANGE " > /dev/full", 3, "standard output");
	expect("$SYNOD trace textbook-pbft.yaml -o x.svg", 2,
		"messages don't fit into a figure (at most 2000): choose by --from, --until, --node and --kind");
	expect("$SYNOD trace textbook-pbft.yaml -o x.svg --set validators=60 --set sweep=none --until '20 ms'", 2,
		"61 lifelines don't fit into a figure");
	expect("$SYNOD trace " VIEW_CHANGE " --from '100 s' -o x.svg", 2, "nothing to show");
	assert_false(exists("x.svg"));
}

static void the_documents_figures_are_drawn_again(void **state)
{
	if (no_gnuplot()) {
		skip();
	}
	expect("$SYNOD trace " VIEW_CHANGE " " KINDS " -o view-change.svg && "
		   "cmp view-change.svg $SOURCE/docs/figures/view-change.svg", 0, NULL);
	expect("$SYNOD trace " SPLIT_VOTE " --node 0,1,2,3 --until '103 ms' -o f/split-vote.svg && "
		   "cmp f/split-vote.svg $SOURCE/docs/figures/split-vote.svg", 0, NULL);
	/* Script and data beside it draw it once more, elsewhere. */
	expect("cp f/split-vote.svg first.svg && mv f g && cd g && rm split-vote.svg && gnuplot split-vote.gp && "
		   "cmp split-vote.svg ../first.svg", 0, NULL);
	expect("$SYNOD trace " VIEW_CHANGE " " KINDS " -o v.png --narrow && head -c 4 v.png", 0, "PNG");
	expect("$SYNOD trace " VIEW_CHANGE " " KINDS " -o v.pdf && head -c 5 v.pdf", 0, "%PDF-");
}

/* Every line of a trace that docs/trace.md shows is one of the run's. */
static void the_document_shows_real_lines(void **state)
{
	static const char strip[] = "sed -n 's/^ *\\([0-9]*\\.[0-9]\\{6\\}  .*\\)$/\\1/p'";
	char command[512];
	snprintf(command, sizeof(command),
		"($SYNOD trace " VIEW_CHANGE "; $SYNOD trace " SPLIT_VOTE ") | %s > real.txt; %s $SOURCE/docs/trace.md "
		"> shown.txt; grep -cvxFf real.txt shown.txt; wc -l < shown.txt",
		strip, strip);
	struct output output = finish(start(command));
	char *rest;
	assert_int_equal(strtol(output.out, &rest, 10), 0); /* lines that are not real */
	assert_true(strtol(rest, NULL, 10) > 25);           /* of so many */
	output_free(&output);
}

/* What a figure holds: a mark a commit, three crosses for what the dead primary misses of a view change. */
static void a_figure_shows_what_happened(void **state)
{
	if (no_gnuplot()) {
		skip();
	}
	expect("$SYNOD trace " VIEW_CHANGE " " KINDS " -o v.svg", 0, NULL);
	expect("awk '/^# committed/ {on = 1; next} /^$/ {on = 0} on' v.dat | wc -l", 0, "3\n");
	expect("awk '/^# view-change, lost/ {on = 1; next} /^$/ {on = 0} on' v.dat | wc -l", 0, "3\n");
	expect("awk '/^# view-change:/ {on = 1; next} /^$/ {on = 0} on' v.dat | wc -l", 0, "6\n");
	expect("awk '/^# timeout/ {on = 1; next} /^$/ {on = 0} on' v.dat | wc -l", 0, "5\n");
	expect("awk '/^# down/ {on = 1; next} /^$/ {on = 0} on' v.dat", 0, "0 3 ");
	expect("awk '/^# leads/ {on = 1; next} /^$/ {on = 0} on' v.dat", 0, "185.656833 2 ");
	expect("grep -c \"set label 'view 1'\" v.gp", 0, "3\n");
	expect("grep -c \"set label 'leads view 1'\" v.gp", 0, "1\n");
	expect("grep -c status v.gp", 1, "0\n");
	/* Of two nodes: what passes between them. */
	expect("$SYNOD trace " VIEW_CHANGE " " KINDS " --node 1,3 -o w.svg", 0, NULL);
	expect("awk '/^# view-change:/ {on = 1; next} /^$/ {on = 0} on {print $4 * $4}' w.dat", 0, "1\n1\n");
	expect("grep -c 'validator [13]' w.gp && grep -c 'validator [02]' w.gp", 1, "1\n0\n");
}

/* Leaders that don't say so are deposed: what is thick on their lifelines ends there. */
static void a_deposed_leader_leads_no_more(void **state)
{
	if (no_gnuplot()) {
		skip();
	}
	write_file("deposed.yaml",
		"validators: 3\nprotocol: {kind: raft, election_timeout: [30 ms, 60 ms], heartbeat: 200 ms}\n"
		"network: {latency: {kind: constant, value: 1 ms}}\nstop: {time: 300 ms}\n"
		"workload: {kind: requests, arrivals: {kind: regular, rate: 5 /s}}\n");
	expect("$SYNOD trace deposed.yaml -o d.svg", 0, NULL);
	expect("awk '/^# leads/ {on = 1; next} /^$/ {on = 0} on {n++; end = $1 + $3; at[n] = end; last = end > last ? end "
		   ": last} END {for (i in at) open += at[i] > last - 1e-6; print (n > 3) \" \" open}' d.dat", 0, "1 1\n");
}

static void liars_are_marked(void **state)
{
	if (no_gnuplot()) {
		skip();
	}
	write_file("lies.yaml",
		"validators: 4\nprotocol: pbft\nnetwork: {latency: {kind: constant, value: 10 ms}}\n"
		"stop: {items: 1}\nworkload: {kind: requests, clients: 3}\n"
		"attacks: [{kind: equivocate, nodes: [0]}]\n");
	expect("$SYNOD trace lies.yaml -o l.svg", 0, NULL);
	expect("grep -c 'validator 0 (lies)' l.gp", 0, "1\n");
	expect("grep -c 'validator [123] (lies)' l.gp", 1, "0\n");
	expect("awk '/^# pre-prepare, a lie:/ {on = 1; next} /^$/ {on = 0} on' l.dat | wc -l", 0, "2\n");
	/* Of three clients two ask for nothing that is shown: unless they are asked for. */
	expect("$SYNOD trace lies.yaml --without request,reply -o l.svg", 0, NULL);
	expect("grep -c 'client [012]' l.gp", 1, "0\n");
	expect("$SYNOD trace lies.yaml --without request,reply --node c0,v0,v1 -o l.svg", 0, NULL);
	expect("grep -c 'client 0' l.gp", 0, "1\n");
	expect("$SYNOD trace lies.yaml --kind lie,attack | grep -v '^#' | head -n 1", 0,
		"  attack     equivocate begins (attacks.0)");
}

static void a_transactions_life_is_told(void **state)
{
	expect("$SYNOD run textbook-pbft.yaml --set stop.items=3 --set sweep=none --set record='[transactions]' "
		   "-q -o t.h5 && $SYNOD show t.h5 --transaction 1", 0,
		"a request for item 1, was submitted by client 0 at 0.05 s.\n"
		"It was ordered in instance 2 of view 0: the first honest validator executed it at 0.09 s, "
		"0.04 s after its submission.\n"
		"It counted.\n"
		"Its client had its answer at 0.1 s: a latency of 0.05 s.\n");
	expect("$SYNOD show t.h5 --transaction 9", 2, "run 0 has no transaction 9: it has 0 to 2");
	expect("$SYNOD show t.h5 --transaction 0 --run 7", 2, "holds no transactions of a run 7");
	expect("$SYNOD show t.h5 --run 7", 2, "--run goes with --transaction");
	expect("$SYNOD show t.h5 --csv --table transactions | head -n 2", 0,
		"run,transaction,client,item,kind,submitted_s,ordered_s,answered_s,instance,view,reject,"
		"answered_by\n"
		"0,0,0,0,request,0,0.040000000000000001,0.050000000000000003,1,0,,1\n");
	expect("$SYNOD run textbook-pbft.yaml --set stop.items=3 --set sweep=none -q -o n.h5 && "
		   "$SYNOD show n.h5 --transaction 1", 2, "add `record: [transactions]` to the scenario");
}

/* Of the store: a get that no log has seen, and a put that came too late. */
static void a_gets_and_an_aborted_puts_life_are_told(void **state)
{
	write_file("kv.yaml",
		"seed: 1\nvalidators: 3\nprotocol:\n  kind: raft\n  reads: index\nstop: {items: 60}\n"
		"network: {latency: {kind: constant, value: 10 ms}}\nrecord: [transactions]\n"
		"workload: {kind: kv, clients: 4, reads: 0.5, conflict: 1, concurrency: optimistic}\n");
	expect("$SYNOD run kv.yaml -q -o kv.h5 && $SYNOD show kv.h5 --csv --table transactions > kv.csv", 0,
		"completed");
	expect("N=$(awk -F, '$5 == \"get\" && $7 == \"NaN\" && $16 > 0 {print $2; exit}' kv.csv); "
		   "$SYNOD show kv.h5 --transaction $N > get.txt; cat get.txt", 0,
		"), a get of key 0 for item ");
	expect("cat get.txt", 0, "\nIt was answered without being ordered: the answer of validator 0 was the last");
	expect("cat get.txt", 0, "\nIts client was told of version ");
	expect("cat get.txt", 0, " of key 0, written by transaction ");
	expect("N=$(awk -F, '$11 == \"aborted\" && $17 > 0 {print $2; exit}' kv.csv); "
		   "$SYNOD show kv.h5 --transaction $N > put.txt; cat put.txt", 0, "), a put of key 0 for item ");
	expect("cat put.txt", 0, " of term 1: the first honest validator executed it at ");
	expect("cat put.txt", 0, "\nIt wrote nothing: it was aborted, since the version that its client knew, ");
	expect("grep -c ', was no longer the key.s. Its client tried again as transaction [0-9]*\\.$' put.txt", 0,
		"1\n");
	/* The next try is of the same key and item. */
	expect("awk -F, '$17 > 0 {item[$17] = $4} $2 in item {n += item[$2] == $4; m++} END {print (n > 0 && n == m)}' "
		   "kv.csv", 0, "1\n");
}

/* A quorum of one lets validators differ: the file says so, and how to see it again. */
static void what_broke_is_told_and_seen_again(void **state)
{
	write_file("broken.yaml",
		"validators: 4\nprotocol: {kind: pbft, quorum: 1, view_timeout: 30 ms}\nstop: {items: 200}\n"
		"network: {latency: {kind: exponential, mean: 20 ms, min: 1 ms}}\nreplications: 2\n"
		"workload: {kind: requests, clients: 4, client_timeout: 60 ms}\n"
		"sweep: {protocol.quorum: [3, 1]}\n");
	expect("$SYNOD run broken.yaml -q -o b.h5; $SYNOD show b.h5 > b.txt; grep -m 1 '^In run' b.txt", 0,
		"(protocol.quorum 1, seed ");
	expect("grep -m 1 '^In run' b.txt", 0,
		": committed different batches in one instance; the first holds digest ");
	/* The commands that it gives lead to the same violation. */
	expect("grep '^  synod' b.txt | sed 's/^  synod/$SYNOD/' > again.sh; sh again.sh > again.txt; "
		   "time=$(sed -n 's/^In run.* is broken at \\([0-9.]*\\) s .*/\\1/p;' b.txt | head -n 1); "
		   "awk -v t=$time '$4 == \"violated\" {d = $1 - 1000 * t; print d * d < 1e-12 ? \"same\" : \"other\"; exit}' "
		   "again.txt", 0, "same");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_ending_says_the_format),
		cmocka_unit_test(a_run_is_named_in_two_ways),
		cmocka_unit_test(choices_narrow_it),
		cmocka_unit_test(phases_can_be_left_out),
		cmocka_unit_test(mistakes_are_told),
		cmocka_unit_test(the_documents_figures_are_drawn_again),
		cmocka_unit_test(the_document_shows_real_lines),
		cmocka_unit_test(a_figure_shows_what_happened),
		cmocka_unit_test(a_deposed_leader_leads_no_more),
		cmocka_unit_test(liars_are_marked),
		cmocka_unit_test(a_transactions_life_is_told),
		cmocka_unit_test(a_gets_and_an_aborted_puts_life_are_told),
		cmocka_unit_test(what_broke_is_told_and_seen_again),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
