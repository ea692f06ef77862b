/* Attacks on nodes, one copy at a time: what each withholds, puts off, changes or adds, and that it leaves
 * everything else alone. */
#include "attacks/attack.h"
#include "engine/world.h"
#include "settings.h"

#define N 7

/* Notes what the hands are asked to do. */
struct asked {
	int n_proposed, n_voted, n_twice, n_claimed, n_sent;
	int n_bent, n_campaigns, n_acknowledged, n_inflated, n_misinformed;
	enum certificate_bend how; /* it was last asked to bend */
	uint32_t version;     /* of the last proposal or vote */
	bool cant_say;        /* what a proposal is to say */
	uint32_t sent_to;
	struct message sent;
};

static bool propose(struct attack_copy *copy, uint32_t version)
{
	struct asked *asked = copy->context;
	asked->n_proposed++;
	asked->version = version;
	return !asked->cant_say;
}

static void vote(struct attack_copy *copy, uint32_t version)
{
	struct asked *asked = copy->context;
	asked->n_voted++;
	asked->version = version;
}

static void vote_twice(struct attack_copy *copy)
{
	((struct asked *)copy->context)->n_twice++;
}

static void claim(struct attack_copy *copy)
{
	((struct asked *)copy->context)->n_claimed++;
}

static void send_more(struct attack_copy *copy, uint32_t to, const struct message *content)
{
	struct asked *asked = copy->context;
	asked->n_sent++;
	asked->sent_to = to;
	asked->sent = *content;
}

static void bend(struct attack_copy *copy, enum certificate_bend how)
{
	struct asked *asked = copy->context;
	asked->n_bent++;
	asked->how = how;
}

static bool campaign(struct attack_copy *copy, struct message *call, uint64_t after, uint64_t ahead)
{
	((struct asked *)copy->context)->n_campaigns++;
	call->view = after + ahead;
	return true;
}

static void acknowledge(struct attack_copy *copy, uint64_t ahead)
{
	((struct asked *)copy->context)->n_acknowledged++;
}

static void inflate(struct attack_copy *copy, uint64_t by)
{
	((struct asked *)copy->context)->n_inflated++;
}

static void misinform(struct attack_copy *copy)
{
	((struct asked *)copy->context)->n_misinformed++;
}

static const struct attack_hands hands = {
	.propose = propose,
	.vote = vote,
	.vote_twice = vote_twice,
	.claim = claim,
	.bend = bend,
	.campaign = campaign,
	.acknowledge = acknowledge,
	.inflate = inflate,
	.misinform = misinform,
	.send = send_more,
};

struct fixture {
	struct arena arena;
	struct plugin_value attack;
	struct node node;
	struct message message;
	struct random_stream stream;
	struct asked asked;
	sim_time now;
	void *memory;
};

static struct fixture *open_attack(const char *name)
{
	struct fixture *f = calloc(1, sizeof(*f));
	f->attack = plugin_make(&f->arena, &attack_registry, name);
	const struct attack *attack = (const void *)f->attack.plugin;
	f->node = (struct node){.id = 0, .n_validators = N};
	f->stream = random_stream_make(1, RANDOM_ATTACK, 0);
	f->memory = arena_alloc(&f->arena, attack->memory_size + 1);
	return f;
}

static void close_attack(struct fixture *f)
{
	arena_finish(&f->arena);
	free(f);
}

static struct attack_copy tamper(struct fixture *f, enum message_role role, uint32_t to, uint32_t group)
{
	struct attack_copy copy = {
		.node = &f->node,
		.message = &f->message,
		.to = to,
		.role = role,
		.group = group,
		.now = f->now,
		.auto_delay_ns = 77,
		.memory = f->memory,
		.stream = &f->stream,
		.hands = &hands,
		.context = &f->asked,
	};
	((const struct attack *)(const void *)f->attack.plugin)->tamper(f->attack.settings, &copy);
	return copy;
}

static int n_asked(const struct fixture *f)
{
	const struct asked *asked = &f->asked;
	return asked->n_proposed + asked->n_voted + asked->n_twice + asked->n_claimed + asked->n_sent +
		asked->n_bent + asked->n_campaigns + asked->n_acknowledged + asked->n_inflated + asked->n_misinformed;
}

#define EVERY_ROLE(role) (int role = ROLE_OTHER; role <= ROLE_CLIENT; role++)

static void test_omissions(void **state)
{
	(void)state;
	struct fixture *silent = open_attack("silent"), *withhold = open_attack("withhold");
	struct fixture *slow = open_attack("slow-primary"), *selective = open_attack("selective");
	static const uint32_t some[] = {2, 5};
	*(struct node_list *)setting(selective->attack, "to", PARAM_NODES) =
		(struct node_list){.n = 2, .nodes = some, .given = true};
	sim_time *delay = setting(slow->attack, "delay", PARAM_DURATION);
	for EVERY_ROLE (role) {
		assert_true(tamper(silent, role, 3, 0).withheld);
		assert_true(tamper(silent, role, N, 0).withheld); /* a client */
		assert_true(tamper(withhold, role, 3, 0).withheld == (role == ROLE_VOTE));
		assert_false(tamper(selective, role, 2, 0).withheld);
		assert_true(tamper(selective, role, 3, 0).withheld);
		assert_false(tamper(selective, role, 5, 0).withheld);
		assert_false(tamper(selective, role, N, 0).withheld);
		*delay = PARAM_AUTO_VALUE;
		assert_int_equal(tamper(slow, role, 3, 0).delay_ns, role == ROLE_PROPOSAL ? 77 : 0);
		*delay = 5;
		assert_int_equal(tamper(slow, role, 3, 0).delay_ns, role == ROLE_PROPOSAL ? 5 : 0);
		assert_false(tamper(slow, role, 3, 0).withheld);
	}
	assert_int_equal(n_asked(silent) + n_asked(withhold) + n_asked(slow) + n_asked(selective), 0);
	const struct attack *attack = (const void *)slow->attack.plugin;
	assert_false(attack->needs(slow->attack.settings) & NEEDS_PATIENCE);
	*delay = PARAM_AUTO_VALUE;
	assert_true(attack->needs(slow->attack.settings) & NEEDS_PATIENCE);
	close_attack(silent);
	close_attack(withhold);
	close_attack(slow);
	close_attack(selective);
}

static void test_equivocation(void **state)
{
	(void)state;
	static const char *const names[] = {"equivocate", "lying-leader"};
	for (int i = 0; i < 2; i++) {
		struct fixture *f = open_attack(names[i]);
		for EVERY_ROLE (role) {
			f->asked = (struct asked){0};
			assert_false(tamper(f, role, 3, 1).withheld);
			assert_int_equal(f->asked.n_proposed, role == ROLE_PROPOSAL);
			assert_int_equal(f->asked.n_voted, role == ROLE_VOTE);
			assert_int_equal(
				f->asked.version, role == ROLE_PROPOSAL || role == ROLE_VOTE ? 1 : 0);
			assert_int_equal(n_asked(f), role == ROLE_PROPOSAL || role == ROLE_VOTE);
		}
		/* In no group: the true batch; and a vote for what went there. */
		f->asked.version = 9;
		tamper(f, ROLE_PROPOSAL, 3, VERSION_GIVEN);
		assert_int_equal(f->asked.version, 0);
		tamper(f, ROLE_VOTE, 3, VERSION_GIVEN);
		assert_int_equal(f->asked.version, VERSION_GIVEN);
		f->asked.cant_say = true;
		assert_true(tamper(f, ROLE_PROPOSAL, 3, 1).withheld);
		close_attack(f);
	}
}

static void test_votes(void **state)
{
	(void)state;
	struct fixture *collude = open_attack("collude"), *twice = open_attack("double-vote");
	for EVERY_ROLE (role) {
		collude->asked = twice->asked = (struct asked){0};
		assert_false(tamper(collude, role, 3, 2).withheld);
		assert_false(tamper(twice, role, 3, 2).withheld);
		assert_int_equal(n_asked(collude), role == ROLE_VOTE);
		assert_int_equal(collude->asked.n_voted, role == ROLE_VOTE);
		assert_int_equal(collude->asked.version, role == ROLE_VOTE ? 2 : 0);
		assert_int_equal(n_asked(twice), role == ROLE_VOTE);
		assert_int_equal(twice->asked.n_twice, role == ROLE_VOTE);
	}
	close_attack(collude);
	close_attack(twice);
}

static void test_certificates(void **state)
{
	(void)state;
	struct fixture *f = open_attack("forge-certificate");
	for EVERY_ROLE (role) {
		f->asked = (struct asked){0};
		assert_false(tamper(f, role, 3, 0).withheld);
		assert_int_equal(f->asked.n_claimed, role == ROLE_CERTIFICATE);
		assert_int_equal(n_asked(f), role == ROLE_CERTIFICATE);
	}
	/* Stale: with the second one the first goes out again, to the same node; never another's. */
	*(bool *)setting(f->attack, "stale", PARAM_BOOL) = true;
	f->asked = (struct asked){0};
	for (uint32_t number = 10; number < 12; number++) {
		f->message = (struct message){.number = number, .view = number};
		for (uint32_t to = 1; to < N; to++) {
			assert_false(tamper(f, ROLE_CERTIFICATE, to, 0).withheld);
			assert_int_equal(n_asked(f), number == 10 ? 0 : to);
			assert_int_equal(f->asked.sent_to, number == 10 ? 0 : to);
			assert_int_equal(f->asked.sent.view, number == 10 ? 0 : 10);
		}
	}
	close_attack(f);
}

/* What is left out of which certificates, for whom; and each of the others to the words that it is about. */
static void test_certificates_bent(void **state)
{
	(void)state;
	struct fixture *f = open_attack("bend-certificate");
	int *how = setting(f->attack, "how", PARAM_CHOICE);
	for (*how = 0; *how < 3; ++*how) {
		for EVERY_ROLE (role) {
			for (uint32_t group = 0; group < 4; group++) {
				f->asked = (struct asked){0};
				assert_false(tamper(f, role, 3, group).withheld);
				bool bent = role == ROLE_CERTIFICATE && (*how < 2 || group > 0);
				assert_int_equal(n_asked(f), bent);
				assert_int_equal(f->asked.n_bent, bent);
				enum certificate_bend wanted = *how == 1 || (*how == 2 && group == 2) ? BEND_OLDER
																				  : BEND_OMIT;
				assert_int_equal(f->asked.how, bent ? wanted : BEND_OMIT);
			}
		}
	}
	close_attack(f);
}

/* All the others are called upon, once in `every`, each time for a later view. */
static void test_campaigns(void **state)
{
	(void)state;
	struct fixture *f = open_attack("campaign");
	*(sim_time *)setting(f->attack, "every", PARAM_DURATION) = 10;
	*(int64_t *)setting(f->attack, "ahead", PARAM_INT) = 3;
	for (f->now = 0; f->now < 100; f->now++) {
		tamper(f, ROLE_OTHER, 1, 0);
		assert_int_equal(f->asked.n_campaigns, f->now / 10 + 1);
		assert_int_equal(f->asked.n_sent, (N - 1) * f->asked.n_campaigns);
		assert_int_equal(f->asked.sent.view, 3 * f->asked.n_campaigns);
	}
	close_attack(f);
}

static void test_overstatements(void **state)
{
	(void)state;
	struct fixture *ack = open_attack("false-ack"), *inflate = open_attack("inflate-term");
	struct fixture *reply = open_attack("false-reply");
	for EVERY_ROLE (role) {
		ack->asked = inflate->asked = reply->asked = (struct asked){0};
		tamper(ack, role, 3, 0);
		tamper(inflate, role, 3, 0);
		tamper(reply, role, role == ROLE_CLIENT ? N : 3, 0);
		assert_int_equal(ack->asked.n_acknowledged, role == ROLE_VOTE);
		assert_int_equal(n_asked(ack), role == ROLE_VOTE);
		assert_int_equal(inflate->asked.n_inflated, role != ROLE_CLIENT);
		assert_int_equal(n_asked(inflate), role != ROLE_CLIENT);
		assert_int_equal(reply->asked.n_misinformed, role == ROLE_CLIENT);
		assert_int_equal(n_asked(reply), role == ROLE_CLIENT);
	}
	close_attack(ack);
	close_attack(inflate);
	close_attack(reply);
}

/* Bad for those named, and only where there is a MAC to be bad. */
static void test_bad_macs(void **state)
{
	(void)state;
	struct fixture *f = open_attack("bad-macs");
	static const uint32_t named[] = {2, 4};
	struct node_list *to = setting(f->attack, "to", PARAM_NODES);
	*to = (struct node_list){.n = 2, .nodes = named, .given = true};
	for (uint32_t i = 1; i < N; i++) {
		for (int mac = 0; mac < 2; mac++) {
			f->message = (struct message){.flags = mac ? MESSAGE_MACS : 0};
			assert_false(tamper(f, ROLE_VOTE, i, 0).withheld);
			assert_int_equal((f->message.flags & MESSAGE_FORGED) != 0, mac && (i == 2 || i == 4));
		}
	}
	close_attack(f);
}

static void test_censor(void **state)
{
	(void)state;
	struct fixture *f = open_attack("censor");
	const struct attack *attack = (const void *)f->attack.plugin;
	static const uint32_t named[] = {3, NODE_CLIENT + 1};
	struct node_list *of = setting(f->attack, "of", PARAM_NODES);
	*of = (struct node_list){.n = 2, .nodes = named, .given = true};
	*(int64_t *)setting(f->attack, "item", PARAM_INT) = 9;
	for (uint32_t i = 0; i < 5; i++) {
		for (uint64_t item = 0; item < 12; item++) {
			struct attack_request validator = {i, item}, client = {NODE_CLIENT + i, item};
			assert_int_equal(attack->ignores(f->attack.settings, &validator), i == 3 || item == 9);
			assert_int_equal(attack->ignores(f->attack.settings, &client), i == 1 || item == 9);
		}
	}
	close_attack(f);
}

static void test_replay(void **state)
{
	(void)state;
	struct fixture *f = open_attack("replay");
	double *probability = setting(f->attack, "probability", PARAM_REAL);
	*probability = 1;
	for (uint64_t i = 0; i < 2000; i++) {
		uint32_t to = 1 + (uint32_t)(i % 6);
		f->message = (struct message){.view = i, .instance = to};
		assert_false(tamper(f, ROLE_VOTE, to, 0).withheld);
		assert_int_equal(f->asked.n_sent, i); /* there is nothing old at first */
		if (i > 0) {
			/* What went there, unchanged, of the last 256. */
			assert_int_equal(f->asked.sent.instance, f->asked.sent_to);
			assert_true(f->asked.sent.view < i && f->asked.sent.view + 256 >= i);
		}
	}
	*probability = .25;
	f->asked = (struct asked){0};
	for (int i = 0; i < 10000; i++) {
		tamper(f, ROLE_OTHER, 1, 0);
		tamper(f, ROLE_CLIENT, N, 0); /* never to clients, nor of what went to them */
		assert_true(f->asked.sent_to < N);
	}
	assert_near(f->asked.n_sent / 10000., .25, 3 * sqrt(.25 * .75 / 10000));
	close_attack(f);
}

static void test_nobody_has_lied(void **state)
{
	(void)state;
	struct arena arena = {0};
	struct versions *versions = versions_create(&arena, N, NULL);
	assert_null(versions_find(versions, 0, 0, 0, 1));
	assert_null(versions_find(versions, 99, 3, VERSION_GIVEN, 1));
	/* The true batch needs nothing made. */
	struct batch batch = {.digest = 5};
	struct node node = {.n_validators = N};
	assert_ptr_equal(versions_give(versions, &node, 9, 2, &batch, 0, 4), &batch);
	assert_ptr_equal(versions_find(versions, 9, 2, VERSION_GIVEN, 4), &batch);
	assert_ptr_equal(versions_find(versions, 9, 2, 0, 1), &batch);
	assert_null(versions_find(versions, 9, 2, 1, 4)); /* not made */
	assert_null(versions_find(versions, 9, 3, 0, 4)); /* another view */
	assert_null(versions_find(versions, 8, 2, 0, 4));
	/* Of nothing there is one version. */
	assert_ptr_equal(versions_give(versions, &node, 9, 2, &batch, 3, 5), &batch);
	arena_finish(&arena);
}

static uint32_t bytes(const struct node *node, transaction_id transaction)
{
	return 10 + transaction;
}

/* Transactions 7 and 9 wait. */
static transaction_id another(const struct node *node, transaction_id than, uint32_t skip)
{
	static const transaction_id waiting[] = {7, 9};
	for (int i = 0; i < 2; i++) {
		if (waiting[i] != than && skip-- == 0) {
			return waiting[i];
		}
	}
	return TRANSACTION_NONE;
}

static void test_versions(void **state)
{
	(void)state;
	static const struct host_ops ops = {.transaction_bytes = bytes};
	struct arena arena = {0};
	struct world world = {.ops = &ops};
	struct node one = {.world = &world, .id = 1, .n_validators = N};
	struct node two = {.world = &world, .id = 2, .n_validators = N};
	struct versions *versions = versions_create(&arena, N, another);
	static const transaction_id three[] = {4, 5, 6}, single[] = {7};
	const struct batch *honest = node_batch(&one, three, 3);
	for (uint32_t version = 0; version < 5; version++) {
		const struct batch *batch = versions_give(versions, &one, 3, 0, honest, version, version);
		assert_int_equal(batch->n, 3);
		assert_int_equal(batch->size_bytes, honest->size_bytes);
		assert_true((batch->digest == honest->digest) == (version % 3 == 0));
		for (uint32_t i = 0; i < 3; i++) {
			assert_int_equal(batch->transactions[i], three[(i + version) % 3]);
		}
		/* Once: whoever tells it, whatever it believes. */
		assert_ptr_equal(versions_give(versions, &two, 3, 0, NULL, version, 5), batch);
		assert_ptr_equal(versions_find(versions, 3, 0, version, 6), batch);
		assert_ptr_equal(versions_find(versions, 3, 0, VERSION_GIVEN, version), batch);
		assert_ptr_equal(versions_find(versions, 3, 0, VERSION_GIVEN, 5), batch);
	}
	/* Of one: others that wait, then nothing. */
	honest = node_batch(&one, single, 1);
	const struct batch *batch = versions_give(versions, &one, 4, 2, honest, 1, 1);
	assert_int_equal(batch->n, 1);
	assert_int_equal(batch->transactions[0], 9);
	batch = versions_give(versions, &one, 4, 2, honest, 2, 1);
	assert_int_equal(batch->n, 0);
	assert_int_equal(batch->digest, 0);
	/* In another view the same again, anew. */
	assert_null(versions_find(versions, 4, 3, 1, 1));
	batch = versions_give(versions, &one, 4, 3, honest, 1, 1);
	assert_int_equal(batch->transactions[0], 9);
	assert_ptr_not_equal(batch, versions_find(versions, 4, 2, 1, 1));
	arena_finish(&world.arena);
	arena_finish(&arena);
}

static void test_groups(void **state)
{
	(void)state;
	static const char *const names[] = {"equivocate", "collude", "lying-leader", "twins"};
	static const uint32_t one[] = {1}, two[] = {2}, three[] = {3};
	const struct node_list lists[] = {{1, one, false, true}, {1, two, false, true},
		{1, three, false, true}, {0, NULL, false, true}};
	const struct shape shape = {.n_validators = N};
	for (int i = 0; i < 4; i++) {
		struct fixture *f = open_attack(names[i]);
		struct attack_common *common = f->attack.settings;
		*common = (struct attack_common){.fraction = .3, .count = -1, .until_ns = SIM_NEVER};
		struct node_groups *groups = setting(f->attack, "groups", PARAM_GROUPS);
		const char *param = NULL;
		char error[256];
		for (size_t n = 0; n <= 4; n++) {
			*groups = (struct node_groups){n, lists};
			bool good = n == 0 || n == 2 || (n == 3 && i != 3);
			assert_true(f->attack.plugin->finish(common, &shape, &param, error) == good);
			if (!good) {
				assert_string_equal(param, "groups");
			}
		}
		/* Whoever leads may attack; but nobody becomes twins half-way. */
		*groups = (struct node_groups){0};
		common->fraction = common->count = -1;
		common->nodes = (struct node_list){.leader = true, .given = true};
		assert_true(f->attack.plugin->finish(common, &shape, &param, error) == (i != 3));
		close_attack(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_omissions),
		cmocka_unit_test(test_equivocation),
		cmocka_unit_test(test_votes),
		cmocka_unit_test(test_certificates),
		cmocka_unit_test(test_certificates_bent),
		cmocka_unit_test(test_campaigns),
		cmocka_unit_test(test_overstatements),
		cmocka_unit_test(test_bad_macs),
		cmocka_unit_test(test_censor),
		cmocka_unit_test(test_replay),
		cmocka_unit_test(test_nobody_has_lied),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_groups),
	};
	return cmocka_run_group_tests_name("nodes", tests, NULL, NULL);
}
