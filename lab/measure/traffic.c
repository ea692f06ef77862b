/* Messages and bytes, and what became of them on their way. */
#include "measure/kpis.h"
#include "watch.h"

static double between_validators(const uint64_t by_class[CLASS_N])
{
	return (double)(by_class[CLASS_AGREEMENT] + by_class[CLASS_HEARTBEAT] + by_class[CLASS_CONTROL]);
}

static double messages_per_instance(const struct measured *run)
{
	return ratio(
		(double)run->lab->world.messages[CLASS_AGREEMENT], (double)run->lab->watch->n_committed);
}

static double bytes_per_instance(const struct measured *run)
{
	return ratio((double)run->lab->world.bytes[CLASS_AGREEMENT], (double)run->lab->watch->n_committed);
}

static double messages(const struct measured *run)
{
	return between_validators(run->lab->world.messages);
}

static double bytes(const struct measured *run)
{
	return between_validators(run->lab->world.bytes);
}

static double heartbeats(const struct measured *run)
{
	return (double)run->lab->world.messages[CLASS_HEARTBEAT];
}

static double client_messages(const struct measured *run)
{
	return (double)run->lab->world.messages[CLASS_CLIENT];
}

static double refused(const struct measured *run)
{
	return (double)run->lab->world.refused;
}

static double lost(const struct measured *run)
{
	return (double)run->lab->world.lost;
}

static double cut(const struct measured *run)
{
	return (double)run->lab->world.cut;
}

static double corrupted(const struct measured *run)
{
	return (double)run->lab->world.corrupted;
}

static double duplicated(const struct measured *run)
{
	return (double)run->lab->world.duplicated;
}

const struct kpi_table traffic_kpis = {
	.kpis = (const struct kpi[]){
		{.name = "messages_per_instance",
			.label = "messages per instance",
			.sort = SORT_VALUE,
			.shown = {.heading = "msgs/inst", .decimals = 2},
			.value = messages_per_instance,
			.help = "messages of the normal case of agreement / instances; none to oneself"},
		{.name = "bytes_per_instance",
			.label = "traffic per instance",
			.unit = "bytes",
			.sort = SORT_VALUE,
			.value = bytes_per_instance,
			.help = "bytes of the normal case of agreement / instances"},
		{.name = "messages",
			.label = "messages",
			.sort = SORT_COUNT,
			.value = messages,
			.help = "all messages between validators"},
		{.name = "bytes",
			.label = "traffic",
			.unit = "bytes",
			.sort = SORT_COUNT,
			.value = bytes,
			.help = "all bytes between validators"},
		{.name = "heartbeats",
			.label = "heartbeats",
			.sort = SORT_COUNT,
			.value = heartbeats,
			.help = "Raft's empty appends and the answers to them, within `messages`"},
		{.name = "client_messages",
			.label = "messages with clients",
			.sort = SORT_COUNT,
			.value = client_messages,
			.help = "messages between clients or gateways and validators, forwarding included"},
		{0}},
};

const struct kpi_table loss_kpis = {
	.kpis = (const struct kpi[]){
		{.name = "refused",
			.label = "messages refused",
			.sort = SORT_COUNT,
			.value = refused,
			.help = "messages refused because they claimed what their senders could not show"},
		{.name = "messages_lost",
			.label = "messages lost",
			.sort = SORT_COUNT,
			.value = lost,
			.help = "copies of messages, clients' too, that the network lost or a rule dropped"},
		{.name = "messages_cut",
			.label = "messages cut",
			.sort = SORT_COUNT,
			.value = cut,
			.help = "copies that a partition, cut, flap or isolation stopped"},
		{.name = "messages_corrupted",
			.label = "messages corrupted",
			.sort = SORT_COUNT,
			.value = corrupted,
			.help = "copies that came garbled and were thrown away"},
		{.name = "messages_duplicated",
			.label = "messages duplicated",
			.sort = SORT_COUNT,
			.value = duplicated,
			.help = "further copies that the network made: within no other count of messages"},
		{0}},
};
