/* The protocols there are, in the order in which they are listed. */
#include "protocols/protocol.h"

extern const struct protocol protocol_none, protocol_central, protocol_raft, protocol_pbft,
	protocol_streamlet;

static const struct plugin *const protocols[] = {
	&protocol_none.plugin, &protocol_central.plugin, &protocol_raft.plugin, &protocol_pbft.plugin,
	&protocol_streamlet.plugin, NULL};

const struct registry protocol_registry = {
	.sort = "protocol", .plural = "protocols", .plugins = protocols};
