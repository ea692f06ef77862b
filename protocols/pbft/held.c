/* Messages that came early: of a view that this replica has not entered, or above its high
 * watermark.
 *
 * Departs from OSDI'99 4.2, which refuses them: there replicas send again what others lack.
 * Links keep no order here, so that a vote may overtake the new view or the checkpoint that lets
 * it in; holding it does what sending it again would do. Bounded: a replica holds at most 8 L
 * messages of each other one and forgets what comes beyond, so that a liar crowds out nobody's
 * but its own. */
#include "pbft.h"

/* A message of a later view than this replica's: the new view may be on its way, or lost. When
 * f+1 are ahead, one of them honest, and it has still not come after a while, the replica's status
 * message asks for it. */
static void note_ahead(struct node *node, uint32_t from)
{
	struct pbft *pbft = pbft_of(node);
	pbft->n_ahead += bits_add(pbft->ahead_bits, from);
	if (pbft->n_ahead > node->n_faulty) {
		pbft_stir(node);
	}
}

void pbft_hold(struct node *node, const struct message *message)
{
	struct pbft *pbft = pbft_of(node);
	uint64_t window = (uint64_t)pbft_settings_of(node)->watermark_window;
	if (message->view > pbft->view) {
		note_ahead(node, message->from);
	}
	if (message->instance > pbft_high_watermark(node) + window ||
		pbft->n_held[message->from] >= 8 * window) {
		return;
	}
	pbft_hear_of(node, message->instance);
	struct held_message *held = pbft->held_free;
	if (held != NULL) {
		pbft->held_free = held->next;
	} else {
		held = arena_new(node_arena(node), struct held_message);
	}
	held->message = *message;
	held->next = pbft->held; /* newest first; pbft_release turns them round */
	pbft->held = held;
	pbft->n_held[message->from]++;
}

void pbft_forget_held(struct node *node)
{
	struct pbft *pbft = pbft_of(node);
	while (pbft->held != NULL) {
		struct held_message *held = pbft->held;
		pbft->held = held->next;
		held->next = pbft->held_free;
		pbft->held_free = held;
	}
	memset(pbft->n_held, 0, node->n_validators * sizeof(pbft->n_held[0]));
}

void pbft_release(struct node *node)
{
	struct pbft *pbft = pbft_of(node);
	struct held_message *in_order = NULL;
	for (struct held_message *held = pbft->held, *next; held != NULL; held = next) {
		next = held->next;
		held->next = in_order;
		in_order = held;
	}
	pbft->held = NULL;
	for (struct held_message *held = in_order, *next; held != NULL; held = next) {
		next = held->next;
		struct message message = held->message;
		pbft->n_held[message.from]--;
		held->next = pbft->held_free;
		pbft->held_free = held;
		switch (message.kind) {
		case PBFT_PRE_PREPARE:
			pbft_on_pre_prepare(node, &message);
			break;
		case PBFT_PREPARE:
			pbft_on_prepare(node, &message);
			break;
		default:
			pbft_on_commit(node, &message);
			break;
		}
	}
}
