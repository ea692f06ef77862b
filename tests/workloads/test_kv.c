/* Which operations the clients of `kv` ask for. */
#include "settings.h"

#include "kv/kv.h"

static struct kv_settings make(int64_t clients, int64_t keys, double reads, double conflict)
{
	return (struct kv_settings){
		.common = {.clients = clients, .conflict = conflict}, .keys = keys, .reads = reads};
}

static struct kv_choice choose(const struct kv_settings *settings, uint64_t item, uint32_t client)
{
	struct random_stream stream = random_stream_make(3, RANDOM_ITEM, item);
	return kv_choose(settings, &stream, client);
}

/* Apart from the shared one, a key belongs to one client; all of them are used. */
static void own_keys(void **state)
{
	struct kv_settings settings = make(3, 4, .5, .25);
	assert_int_equal(kv_n_keys(&settings), 13);
	int used[13] = {0};
	for (uint32_t i = 0; i < 3000; i++) {
		uint32_t key = choose(&settings, i, i % 3).key;
		assert_in_range(key, 0, 12);
		used[key]++;
		if (key != KV_KEY_SHARED) {
			assert_int_equal((key - 1) / 4, i % 3);
		}
	}
	assert_in_range(used[KV_KEY_SHARED], 750 - 72, 750 + 72); /* 3 sigma */
	for (int i = 1; i < 13; i++) {
		assert_in_range(used[i], 130, 245); /* 187.5, sd 13.3 */
	}
}

static void shares(void **state)
{
	struct kv_settings settings = make(1, 1, 0, 1);
	for (uint64_t i = 0; i < 50; i++) {
		struct kv_choice choice = choose(&settings, i, 0);
		assert_true(choice.put);
		assert_int_equal(choice.key, KV_KEY_SHARED);
	}
	settings = make(1, 1, 1, 0);
	for (uint64_t i = 0; i < 50; i++) {
		struct kv_choice choice = choose(&settings, i, 0);
		assert_false(choice.put);
		assert_int_equal(choice.key, 1);
	}
	settings = make(1, 1, .2, 0);
	int n_gets = 0;
	for (uint64_t i = 0; i < 10000; i++) {
		n_gets += !choose(&settings, i, 0).put;
	}
	assert_in_range(n_gets, 1880, 2120);
}

/* More conflicts leave alone which operations are gets, and keys that stay their clients' own. */
static void draws_apart(void **state)
{
	struct kv_settings none = make(2, 8, .5, 0), some = make(2, 8, .5, .3);
	for (uint64_t i = 0; i < 200; i++) {
		struct kv_choice a = choose(&none, i, 1), b = choose(&some, i, 1);
		assert_true(a.put == b.put);
		assert_true(b.key == KV_KEY_SHARED || b.key == a.key);
	}
}

static void too_many(void **state)
{
	const struct plugin *plugin = plugin_named(&workload_registry, "kv");
	struct shape shape = {.n_validators = 64};
	const char *param = NULL;
	char error[256] = "";
	struct kv_settings settings = make(1000, 4096, .5, 0);
	assert_true(plugin->finish(&settings, &shape, &param, error));
	settings.common.clients = 1024; /* 2^28 entries */
	assert_false(plugin->finish(&settings, &shape, &param, error));
	assert_string_equal(param, "keys");
	assert_non_null(strstr(error, "1024 clients with 4096 keys"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_keys),
		cmocka_unit_test(shares),
		cmocka_unit_test(draws_apart),
		cmocka_unit_test(too_many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
