/* Items: what their settings must be, whatever is predicted. */
#include "item_params.h"

#include <inttypes.h>
#include <stdio.h>

bool item_finish(struct workload_common *common, const struct shape *shape, const char **param,
	char error[256])
{
	int64_t n = shape->n_validators;
	assert(common->client_timeout_ns != PARAM_AUTO_VALUE);
	if (common->quorum == PARAM_AUTO_VALUE) {
		common->quorum = n - (n - 1) / 3;
	}
	if (common->quorum < 1 || common->quorum > n) {
		*param = "quorum";
		snprintf(error, 256,
			"must be a number of predictions from 1 to the %" PRId64 " validators, got %" PRId64, n,
			common->quorum);
		return false;
	}
	if (common->deadline_ns == PARAM_AUTO_VALUE) {
		common->deadline_ns = common->client_timeout_ns;
	}
	return true;
}
