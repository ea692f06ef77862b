/* What a new view proposes again: O, worked out from V by its primary and, anew, by every backup, so that
 * a primary can't put into it what V does not bear out. OSDI'99 4.4; F is the fast path's (fast.c, 4). */
#include "pbft.h"

/* A fast vote that more than half of V report alike, if any; then how many do. */
struct fast_count {
	uint64_t view;
	const struct batch *batch;
	uint32_t n;
};

static bool is_same(const struct fast_count *count, const struct pbft_prepared *vote)
{
	return count->batch != NULL && count->view == vote->view &&
		count->batch->digest == vote->batch->digest;
}

/* Of each instance after min-s, what may have been committed by n fast votes: what all of V but f report
 * with the same view. NULL batches where nothing qualifies. O(|V| L). (Majority: Boyer, Moore, 1981.) */
static struct fast_count *count_fast(
	struct node *node, const struct pbft_new_view *new_view, uint64_t min_s)
{
	uint64_t window = (uint64_t)pbft_settings_of(node)->watermark_window;
	struct fast_count *counts = arena_array(node_arena(node), struct fast_count, window);
	for (int pass = 0; pass < 2; pass++) {
		for (uint32_t i = 0; i < new_view->n_view_changes; i++) {
			const struct pbft_view_change *vc = new_view->view_changes[i];
			for (uint32_t k = 0; k < vc->n_fast; k++) {
				const struct pbft_prepared *vote = &vc->fast[k];
				if (vote->instance <= min_s) {
					continue;
				}
				/* No stable checkpoint in V is above min-s, so that this is within L. */
				struct fast_count *count = &counts[vote->instance - min_s - 1];
				if (is_same(count, vote)) {
					count->n++;
				} else if (pass == 0 && count->n == 0) {
					*count = (struct fast_count){vote->view, vote->batch, 1};
				} else if (pass == 0) {
					count->n--;
				}
			}
		}
		for (uint64_t i = 0; i < window && pass == 0; i++) {
			counts[i].n = 0; /* the candidates are known: now count them */
		}
	}
	uint32_t n_needed = new_view->n_view_changes - node->n_faulty;
	if (new_view->n_view_changes < node->n_faulty || n_needed <= new_view->n_view_changes / 2) {
		n_needed = new_view->n_view_changes / 2 + 1; /* with a quorum that the scenario forces */
	}
	for (uint64_t i = 0; i < window; i++) {
		if (counts[i].n < n_needed) {
			counts[i].batch = NULL;
		}
	}
	return counts;
}

struct pbft_plan pbft_plan_new_view(struct node *node, const struct pbft_new_view *new_view)
{
	const struct pbft_settings *settings = pbft_settings_of(node);
	struct pbft_plan plan = {0};
	const struct batch *null_batch = node_batch(node, NULL, 0);
	for (uint32_t i = 0; i < new_view->n_view_changes; i++) {
		const struct pbft_view_change *vc = new_view->view_changes[i];
		if (vc->stable > plan.min_s) {
			plan.min_s = vc->stable;
			plan.min_digest = vc->stable_digest;
			plan.min_proof = vc->stable_proof;
			plan.min_from = vc->from;
		}
		if (vc->n_prepared > 0 && vc->prepared[vc->n_prepared - 1].instance > plan.max_s) {
			plan.max_s = vc->prepared[vc->n_prepared - 1].instance;
		}
	}
	if (plan.max_s < plan.min_s) {
		plan.max_s = plan.min_s;
	}
	const struct fast_count *fast = NULL;
	if (settings->fast_path) {
		fast = count_fast(node, new_view, plan.min_s);
		for (uint64_t i = 0; i < (uint64_t)settings->watermark_window; i++) {
			if (fast[i].batch != NULL && plan.min_s + 1 + i > plan.max_s) {
				plan.max_s = plan.min_s + 1 + i;
			}
		}
	}
	uint64_t n = plan.max_s - plan.min_s;
	plan.batches = arena_array(node_arena(node), const struct batch *, n + 1);
	uint64_t *views = arena_array(node_arena(node), uint64_t, n + 1);
	for (uint32_t i = 0; i < new_view->n_view_changes; i++) {
		const struct pbft_view_change *vc = new_view->view_changes[i];
		for (uint32_t p = 0; p < vc->n_prepared && !PLANTED(settings, PREPARED_IGNORED); p++) {
			const struct pbft_prepared *prepared = &vc->prepared[p];
			if (prepared->instance <= plan.min_s) {
				continue;
			}
			uint64_t at = prepared->instance - plan.min_s - 1;
			if (plan.batches[at] == NULL || prepared->view > views[at]) {
				plan.batches[at] = prepared->batch;
				views[at] = prepared->view;
			}
		}
	}
	for (uint64_t i = 0; i < n && fast != NULL; i++) {
		/* A later view decides; in the same view the certificate proves that nothing else was committed. */
		if (fast[i].batch != NULL &&
			(plan.batches[i] == NULL ||
				(fast[i].view > views[i] && !PLANTED(settings, CERTIFICATE_FIRST)))) {
			node_log(node, "fast votes of all but f in the latest view -> propose it again");
			plan.batches[i] = fast[i].batch;
		}
	}
	uint64_t n_kept = 0;
	for (uint64_t i = 0; i < n; i++) {
		if (plan.batches[i] == NULL) {
			/* OSDI'99 4.4: a number between min-s and max-s for which P holds nothing. */
			node_log(node, "gap in the prepared requests -> null request");
			plan.batches[i] = null_batch;
			if (PLANTED(settings, NULL_SKIPPED)) {
				continue;
			}
		}
		plan.batches[n_kept++] = plan.batches[i];
	}
	plan.max_s = plan.min_s + n_kept;
	plan.next = plan.min_s + 1;
	return plan;
}
