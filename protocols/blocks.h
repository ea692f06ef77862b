/* Blocks that hang together by their parents' ids: what protocols know that agree on a chain.
 *
 * A block may be known by its id alone, from votes or as somebody's parent, before it comes itself. Those that are
 * not final are in a list, `open`; final ones stay, for others that ask for them. What makes a block one of the
 * chain (`chained`: it and all before it have enough votes), the longest, or final is the protocol's to say. Memory
 * comes from the arena. */
#ifndef PROTOCOLS_BLOCKS_H
#define PROTOCOLS_BLOCKS_H

#include "bits.h"
#include "protocols/protocol.h"
#include "requests.h"

struct block {
	struct block *next_in_bucket, *next_open;
	struct block *parent;      /* NULL: not known yet; genesis has none */
	uint64_t id, parent_id, view;
	uint64_t height;           /* of one that is chained: that of its parent and 1; genesis: 0 */
	const struct batch *batch; /* NULL: only its id is known */
	uint64_t *votes;           /* bits by validator */
	uint32_t n_votes;
	bool chained;
	bool proposed;             /* by whom it was to be proposed, and not only shown by others */
	uint64_t asked_in;         /* the view in which it was last asked for */
};

/* The body of a message about a block: what it says; of an answer to who lacks it, who has voted for it, too. */
struct block_said {
	uint64_t parent_id;
	const struct batch *batch;
	const uint64_t *signers; /* bits by validator; NULL: no votes are shown */
	uint64_t signatures;
};

#define BLOCK_HEADER_BYTES 64 /* kind, view, height, id (32), the sender's signature's share */
#define BLOCK_SIGNATURE_BYTES 64
#define BLOCK_FETCH_MAX 64    /* blocks sent at one asking */

struct blocks {
	struct block **buckets;
	uint32_t n, n_buckets; /* n_buckets: a power of two */
	struct block *genesis; /* view 0, id 0 */
	struct block *open;    /* the latest known first */
	struct block *tip;     /* the end of the longest chain; of several the first */
	struct block *final;   /* the last final one */
	struct growing_bits known; /* requests that have come */
	struct growing_bits held; /* scratch */
};

void blocks_start(struct node *node, struct blocks *blocks);

/* The id of a block: of all that it says and, by its parent's id, of all before it. */
uint64_t block_id(uint64_t parent_id, uint64_t view, const struct batch *batch);

/* The block of that id, or NULL. O(1). */
struct block *blocks_find(const struct blocks *blocks, uint64_t id);
/* The same, made where it is not known yet. */
struct block *blocks_at(struct node *node, struct blocks *blocks, uint64_t id);
/* What the block says has come. */
void blocks_fill(struct node *node, struct blocks *blocks, struct block *block, uint64_t parent_id,
	uint64_t view, const struct batch *batch);

/* Chains what has `quorum` votes and a chained parent, and moves the tip to the longest. O(open blocks), and
 * once more for each that is chained. */
void blocks_chain(struct blocks *blocks, uint32_t quorum);

/* Makes a chained block and all before it final, and has the node execute them. False, and nothing done, where
 * they are no extension of what is final: too many lie. */
bool blocks_finalize(struct node *node, struct blocks *blocks, struct block *block);

/* A request has come: answers again what is executed, else queues it, once. */
void blocks_request(struct node *node, struct blocks *blocks, struct request_queue *queue,
	const struct message *message, uint64_t view);

/* Is anything unsettled that the node knows of: a request that waits, which leaves the queue once it is executed, or
 * a full block that is not final and may come to be? */
bool blocks_have_work(struct node *node, const struct blocks *blocks, struct request_queue *queue);

/* Makes a block after the tip: of what waits the first `max`, the oldest first, without what is executed, which
 * leaves the queue, or in a block before it that is not final. One with transactions is reported as proposed.
 * O(what waits). */
struct block *blocks_propose(
	struct node *node, struct blocks *blocks, struct request_queue *queue, uint64_t view, uint32_t max);

/* A message that says what the block says: view; instance: its height; digest: its id; body: struct block_said. */
struct message *block_message(
	struct node *node, unsigned kind, enum message_class class, const struct block *block, bool shows_votes);

/* The block that such a message speaks of, with what it says taken in and the votes that it shows. NULL: it says
 * nothing of the kind (its id is another, or the votes are not theirs); refused and counted. */
struct block *blocks_hear(struct node *node, struct blocks *blocks, const struct message *message);

/* Who lacks a block asks one who must have it, once a view: instance: the height of the last final one; digest: the
 * block's id. Answered from that block back to what the sender holds, in the order of the chain; digest 0: the tip
 * alone. */
void blocks_fetch(struct node *node, const struct blocks *blocks, unsigned kind, struct block *block, uint32_t from,
	uint64_t view);
void blocks_answer(struct node *node, const struct blocks *blocks, unsigned kind, const struct message *message);

/* Lies about blocks (struct protocol_forgery): another batch in a proposal; votes that nobody gave in an answer. A
 * vote's digest is a block's id. */
bool blocks_forge_proposal(struct node *node, struct message *copy, forgery_choose choose, void *context);
void blocks_forge_vote(struct node *node, const struct blocks *blocks, struct message *copy, const struct batch *batch);
void blocks_forge_answer(struct node *node, struct message *copy);

#endif
