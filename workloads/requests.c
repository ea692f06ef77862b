/* `requests`: opaque transactions from clients of their own, for studying protocols alone. Nothing
 * is predicted; the decision is which request stands at a log position. */
#include "client_params.h"

static const struct param params[] = {
	CLIENT_PARAMS("protocol.fast_path = on", "share of the requests that touch one shared object; each of the others touches "
				  "one of its own"),
	PARAM_END,
};

const struct app app_requests = {
	.plugin = {.name = "requests",
		.summary = "opaque requests of a given size from clients of their own",
		.params = params,
		.settings_size = sizeof(struct workload_common)},
	.has_clients = true,
	.value_unit = "",
};
