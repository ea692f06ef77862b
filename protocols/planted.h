/* Bugs that a test build can switch on, to see whether the checkers find them. In the ordinary build this
 * is nothing: PLANTED is false and no setting exists.
 *
 * The test build (-DSYNOD_PLANTED) gives every protocol one more parameter, `planted`, with the bug's name.
 * A protocol's settings begin with PLANTED_MEMBER and its table with PLANTED_PARAM(struct its_settings). */
#ifndef PROTOCOLS_PLANTED_H
#define PROTOCOLS_PLANTED_H

enum planted {
	PLANTED_NONE,
	PLANTED_QUORUM_ONE_LESS,        /* a quorum one too small */
	PLANTED_VOTE_FORGOTTEN,         /* a vote forgotten at a restart */
	PLANTED_OLD_TERM_COUNTED,       /* an entry of an old term committed by counting (Raft fig. 8) */
	PLANTED_PREPARED_IGNORED,       /* a prepared certificate ignored in the view change */
	PLANTED_NULL_SKIPPED,           /* a gap in a new view left out, not filled by a null request */
	PLANTED_WATERMARK_OFF,          /* the low watermark one too high: an instance is thrown away too early */
	PLANTED_REPLY_CACHE_DROPPED,    /* a request that comes again is executed again */
	PLANTED_LOCK_DROPPED,           /* the lock on the log: a vote for whoever asks, however old its log */
	PLANTED_CHECKPOINT_F,           /* a checkpoint taken as stable with f votes */
	PLANTED_LEASE_SKEW,             /* a lease that allows for no drift of the clocks */
	PLANTED_LEASE_RECEIPT,          /* a lease counted from the answer's coming, not from the round's sending */
	PLANTED_OLD_ANSWER_COUNTED,     /* an append's answer of an older term counted */
	PLANTED_JOINT_ONE_MAJORITY,     /* joint consensus by a majority of the new voters alone */
	PLANTED_LEARNERS_COUNTED,       /* what a learner holds counts towards a commitment */
	PLANTED_CONFIG_KEPT,            /* a configuration that is cut from the log stays in force */
	PLANTED_STATE_ON_F,             /* a state taken on the word of f replicas */
	PLANTED_CERTIFICATE_FIRST,      /* a certificate preferred to fast votes of a later view (Zyzzyva) */
};

#define PLANTED_NAMES \
	"none|quorum-one-less|vote-forgotten|old-term-counted|prepared-ignored|null-skipped|watermark-off|" \
	"reply-cache-dropped|lock-dropped|checkpoint-f|lease-skew|lease-receipt|old-answer-counted|" \
	"joint-one-majority|learners-counted|config-kept|state-on-f|certificate-first"

#ifdef SYNOD_PLANTED
#define PLANTED_MEMBER int planted;
#define PLANTED_PARAM(type) \
	{.name = "planted", .kind = PARAM_CHOICE, .offset = offsetof(type, planted), .choices = PLANTED_NAMES, \
		.fallback = "none", .unit = "", .help = "a bug, to see whether it is found"},
#define PLANTED(settings, bug) ((settings)->planted == PLANTED_##bug)
#else
#define PLANTED_MEMBER
#define PLANTED_PARAM(type)
#define PLANTED(settings, bug) false
#endif

#endif
