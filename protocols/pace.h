/* When a leader proposes what is waiting, where processors or cards cost something: the default of `window`.
 *
 * An instance costs its votes whatever is in it, so that proposals of one transaction each, made as fast as
 * transactions come, keep every processor busy with votes and nobody with transactions. So a leader keeps
 * its proposals apart, by G = 2 C / (1 - s), where C is what an instance costs and s the share of time that
 * goes into all else (transactions: requests, replies, bytes; predictions). Instances then take half of what
 * the rest leaves. (Least wait where an instance's votes come at once, as a batch to an M/G/1 queue: one each
 * 1.7 C / (1 - s).) While nothing is in flight half of G is enough; a full batch goes at once.
 *
 * Transactions that come in bursts (an item's predictions) belong in one batch: what is in the inbox when the
 * first one comes is looked at before it is proposed; and where others have followed the first ones at once,
 * an eighth of G is waited for them to arrive.
 *
 * C is worked out from what messages cost; s is measured, of processor and card. Each replica does so for
 * itself, and tells its gap in its votes. The leader goes by the quorum-th smallest: it does not choke a
 * quorum that is slower than itself, and waits neither for those who are slow beyond a quorum nor for
 * up to f who lie. Where nothing costs anything all of this is off, and nothing is told. */
#ifndef PROTOCOLS_PACE_H
#define PROTOCOLS_PACE_H

#include "sim/node.h"

/* What an instance costs this node, but for the transactions in it. */
struct pace_cost {
	sim_time work_ns; /* of its processor */
	uint64_t bytes;   /* that it sends */
};

struct pace {
	bool on;
	sim_time proposed_at;  /* the last one; 0: none that matters */
	sim_time ready_at;     /* before that the burst that is coming in is not complete */
	bool looked;           /* the inbox has been looked at after the wait for a burst */
	sim_time gap_ns;       /* its own */
	sim_time *gaps_ns;     /* of each other, as it told last; 0: it has not yet */
	/* Since s was last measured. */
	sim_time measured_at, busy_ns;
	uint64_t bytes, instances;
	uint32_t work_share, wire_share; /* s, of PACE_WHOLE */
	/* How many follow the first one within an eighth of G: now, and on average, of PACE_WHOLE. */
	sim_time burst_at;
	uint32_t burst_n, burst;
};

#define PACE_WHOLE 1024u

void pace_start(struct node *node, struct pace *pace);
/* The node's own gap, given how many instances it has executed so far. Measures s anew now and then. O(1). */
sim_time pace_gap_ns(
	struct node *node, struct pace *pace, const struct pace_cost *cost, uint64_t n_executed);
/* A transaction has come, to an empty queue or not. */
void pace_arrived(struct node *node, struct pace *pace, bool is_first);
/* A voter has told its gap. */
void pace_told(struct pace *pace, uint32_t from, uint64_t gap_ns);
/* When what waits may be proposed: now or later. `quorum`: itself among them. O(n). */
sim_time pace_due(struct node *node, struct pace *pace, bool in_flight, uint32_t quorum);

/* What waits may go now, whatever was proposed before. */
static inline void pace_let(struct pace *pace)
{
	pace->proposed_at = pace->ready_at = 0;
	pace->burst_at = 0;
	pace->looked = true;
}

#endif
