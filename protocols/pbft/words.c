/* What traces call PBFT's timers and messages: the paper's words, in the order of its tuples. */
#include "pbft.h"

#include <stdio.h>

static const char *const timer_names[] = {
	[PBFT_TIMER_VIEW] = "view timeout",
	[PBFT_TIMER_BATCH] = "batch delay over",
	[PBFT_TIMER_FETCH] = "fetch the state",
	[PBFT_TIMER_RESEND] = "resend the view change",
	[PBFT_TIMER_STATUS] = "no progress",
	[PBFT_TIMER_FALL_BACK] = "fall back",
	NULL,
};

static void tell_view_change(const struct pbft_view_change *body, char *out, size_t size)
{
	int n = snprintf(out, size, "to view %llu, stable checkpoint %llu, prepared",
		(unsigned long long)body->view, (unsigned long long)body->stable);
	if (body->n_prepared == 0) {
		snprintf(out + n, size - (size_t)n, " nothing");
		return;
	}
	const struct pbft_prepared *first = &body->prepared[0];
	const struct pbft_prepared *last = &body->prepared[body->n_prepared - 1];
	if (body->n_prepared == 1) {
		snprintf(out + n, size - (size_t)n, " instance %llu in view %llu",
			(unsigned long long)first->instance, (unsigned long long)first->view);
	} else {
		snprintf(out + n, size - (size_t)n, " %u instances, %llu to %llu", body->n_prepared,
			(unsigned long long)first->instance, (unsigned long long)last->instance);
	}
}

static void tell_new_view(const struct pbft_new_view *body, char *out, size_t size)
{
	int n = snprintf(out, size, "view %llu, from the view changes of",
		(unsigned long long)body->view);
	for (uint32_t i = 0; i < body->n_view_changes && n > 0 && (size_t)n + 16 < size; i++) {
		n += snprintf(out + n, size - (size_t)n, " %u", body->view_changes[i]->from);
	}
}

static bool tell(const struct message *message, char *out, size_t size)
{
	unsigned long long view = message->view;
	unsigned long long instance = message->instance;
	unsigned digest = (unsigned)(message->digest >> 48);
	switch (message->kind) {
	case PBFT_PRE_PREPARE: {
		const struct batch *batch = message->body;
		snprintf(out, size, "view %llu, instance %llu, digest %04x, %u request%s", view, instance,
			digest, batch->n, batch->n == 1 ? "" : "s");
		return true;
	}
	case PBFT_PREPARE:
	case PBFT_COMMIT:
		snprintf(out, size, "view %llu, instance %llu, digest %04x", view, instance, digest);
		return true;
	case PBFT_CHECKPOINT:
		snprintf(out, size, "instance %llu, state digest %04x", instance, digest);
		return true;
	case PBFT_VIEW_CHANGE:
		tell_view_change(message->body, out, size);
		return true;
	case PBFT_NEW_VIEW:
		tell_new_view(message->body, out, size);
		return true;
	case PBFT_FETCH:
		if (message->extra == 0) {
			snprintf(out, size, "which view is it, and which checkpoint is stable?");
		} else {
			snprintf(out, size, "instances %llu to %llu", instance, (unsigned long long)message->extra);
		}
		return true;
	case PBFT_STATUS:
		snprintf(out, size, "view %llu, lacks instance %llu, stable checkpoint %llu", view, instance,
			(unsigned long long)message->extra);
		return true;
	default:
		return false;
	}
}

const struct protocol_words pbft_words = {
	.view = "view",
	.timer_names = timer_names,
	.tell = tell,
};
