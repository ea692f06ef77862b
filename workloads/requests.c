/* `requests`: opaque transactions from clients of their own, for studying protocols alone. Nothing
 * is predicted; the decision is which request stands at a log position. */
#include "client_params.h"

static const struct param params[] = {
	CLIENT_PARAMS("protocol.fast_path = on", "share of the requests that touch one shared object; each of the others touches "
				  "one of its own"),
	PARAM_END,
};

/* With probability `conflict` a request touches the object 0, else one of its own. */
static void arrives(struct outside *outside, void *state, uint32_t item)
{
	const struct workload_common *common = outside_settings(outside);
	uint32_t client = outside_client(outside, item);
	struct command command = {
		.sender = client,
		.identity = client,
		.bytes = (uint32_t)common->size_bytes,
		.subject = 1 + (uint64_t)item,
	};
	(void)state;
	if (common->conflict > 0) {
		struct random_stream stream = random_stream_make(outside_seed(outside), RANDOM_ITEM, item);
		if (random_unit(&stream) < common->conflict) {
			command.subject = 0;
		}
	}
	outside_submit(outside, item, &command);
}

static uint64_t key(const void *shared, const struct command *command)
{
	(void)shared;
	return command->subject;
}

/* Far from any true one: no run has so many instances. */
static uint64_t misinform(const void *settings, const struct command *command, uint64_t result)
{
	(void)settings, (void)command;
	return result + UINT64_C(1000000000);
}

static const struct command_kind commands[] = {{"request", 0}, {NULL, 0}};

const struct app app_requests = {
	.plugin = {.name = "requests",
		.summary = "opaque requests of a given size from clients of their own",
		.params = params,
		.settings_size = sizeof(struct workload_common)},
	.value_unit = "",
	.commands = commands,
	.has_clients = true,
	.key = key,
	.misinform = misinform,
	.arrives = arrives,
};
