/* What PBFT's messages say: their kinds, sizes and the bodies of certificates. */
#ifndef PBFT_SAYS_H
#define PBFT_SAYS_H

#include "protocols/protocol.h"

enum pbft_kind {
	PBFT_PRE_PREPARE = MESSAGE_PROTOCOL,
	PBFT_PREPARE,
	PBFT_COMMIT,
	PBFT_CHECKPOINT,
	PBFT_VIEW_CHANGE,
	PBFT_NEW_VIEW,
	PBFT_FETCH, /* instance: the first one that the sender lacks; extra: the last one wanted, or 0: what
	             * view it is and which checkpoint is stable */
	PBFT_STATE,
	PBFT_STATUS, /* instance: the first one that the sender has not executed; flags: which of those from
	              * there on it has not seen committed; extra: its stable checkpoint; digest: 1 where it is
	              * changing the view */
	PBFT_EXECUTED, /* instance: the first one of which the body (struct pbft_executed) tells the digest */
	PBFT_WRITE,    /* to oneself: begin to write what has changed */
	PBFT_WRITTEN,  /* to oneself: it is on stable storage */
};

enum pbft_flag {
	PBFT_FLAG_FORWARDED = 1, /* of a request: a backup has passed it on */
	PBFT_FLAG_FAST = 2,      /* of a pre-prepare or prepare: a fast vote, too */
};

enum pbft_timer {
	PBFT_TIMER_VIEW,   /* waits for a request to be executed, or for the new view */
	PBFT_TIMER_BATCH,  /* batch_delay */
	PBFT_TIMER_FETCH,  /* behind a stable checkpoint */
	PBFT_TIMER_RESEND, /* the view change */
	PBFT_TIMER_STATUS, /* waits without progress */
	PBFT_TIMER_FALL_BACK, /* an instance that not all have voted for */
};

/* Bytes on the wire: kind, view, sequence number, digest (32), replica, authenticator. */
#define PBFT_HEADER_BYTES 64
#define PBFT_MAC_BYTES 8 /* of each receiver's MAC in an authenticator (thesis 5.2.1) */
#define PBFT_FAST_BYTES 48 /* of one entry of F in a view change: view, number, digest */

#define PBFT_BATCH_MAX 4096 /* transactions */

/* No run comes so far: what names a later view is a lie. Leaves room for view + 1. */
#define PBFT_VIEW_MAX (UINT64_C(1) << 62)

/* That so many have signed a statement: the messages that a certificate is made of. */
struct pbft_proof {
	uint32_t n;
	uint64_t signatures; /* added up */
	uint64_t signers[];  /* bits by validator */
};

/* One entry of P in a view-change message: prepared at `instance` in `view` with `batch`. Of F: a fast
 * vote, which is the sender's own word and has no proof. */
struct pbft_prepared {
	uint64_t instance, view;
	const struct batch *batch;
	const struct pbft_proof *proof; /* the pre-prepare and the prepares that match it */
};

/* The body of a view-change message. */
struct pbft_view_change {
	uint32_t n_signatures; /* that it shows */
	uint32_t from;
	uint64_t view;
	uint64_t stable;        /* n: the last stable checkpoint */
	uint64_t stable_digest;
	const struct pbft_proof *stable_proof; /* C: the checkpoint messages; NULL where n is 0 */
	uint64_t signature;     /* its sender's, of all the rest: a new view shows it */
	uint32_t n_prepared, n_fast;
	const struct pbft_prepared *fast; /* F: ascending by instance; see fast.c */
	struct pbft_prepared prepared[];  /* P: ascending by instance */
};

/* The body of a new-view message: V, from which everyone works out O alike. */
struct pbft_new_view {
	uint32_t n_signatures; /* that it shows */
	uint32_t from;
	uint64_t view;
	uint64_t signature; /* its primary's: others send it again to those who have missed it */
	uint32_t n_view_changes;
	uint32_t size_bytes;
	const struct pbft_view_change *view_changes[];
};

#endif
