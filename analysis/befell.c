#include "befell.h"

#include "memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_MAX 6 /* that a caption names */

/* Which event opens a window and which closes it; the others' words say it themselves. */
static bool opens(const char *event, char what[40])
{
	static const char *const pairs[] = {"crash", "pause"};
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		if (strcmp(event, pairs[i]) == 0) {
			snprintf(what, 40, "%s", event);
			return true;
		}
	}
	const char *begins = strstr(event, " begins");
	if (begins != NULL && begins[strlen(" begins")] == '\0') {
		snprintf(what, 40, "%.*s", (int)(begins - event), event);
		return true;
	}
	return false;
}

static bool closes(const char *event, char what[40])
{
	if (strcmp(event, "restart") == 0 || strcmp(event, "resume") == 0) {
		snprintf(what, 40, "%s", strcmp(event, "restart") == 0 ? "crash" : "pause");
		return true;
	}
	const char *ends = strstr(event, " ends");
	if (ends != NULL && ends[strlen(" ends")] == '\0') {
		snprintf(what, 40, "%.*s", (int)(ends - event), event);
		return true;
	}
	return false;
}

void befell_take(struct befell *befell, int64_t *nodes, size_t row, double time_s, int64_t node,
	const char *event)
{
	char what[40];
	bool step = strncmp(event, "step: ", 6) == 0;
	if (step || opens(event, what)) {
		struct befallen *window = &befell->windows[befell->n];
		*window = (struct befallen){.row = row, .from_s = time_s, .until_s = step ? time_s : INFINITY};
		snprintf(window->what, sizeof(window->what), "%s", step ? event + 6 : what);
		nodes[befell->n++] = node;
	} else if (closes(event, what)) {
		for (size_t i = befell->n; i-- > 0 && befell->windows[i].row == row;) {
			struct befallen *window = &befell->windows[i];
			if (isinf(window->until_s) && nodes[i] == node && strcmp(window->what, what) == 0) {
				window->until_s = time_s;
				break;
			}
		}
	}
}

bool befell_read(struct befell *befell, const struct frame *frame, struct results_error *error)
{
	*befell = (struct befell){0};
	const struct table_schema *schema;
	error->text[0] = '\0';
	const struct block *block = results_table(frame->file, TABLE_FAULTS, &schema, error);
	if (block == NULL) {
		return error->text[0] == '\0';
	}
	int run = schema_find(schema, "run"), time = schema_find(schema, "time_s");
	int node = schema_find(schema, "node"), event = schema_find(schema, "event");
	if (run < 0 || time < 0 || node < 0 || event < 0) {
		return true;
	}
	befell->windows = figure_take(block->n_rows, sizeof(*befell->windows));
	int64_t *nodes = figure_take(block->n_rows, sizeof(*nodes));
	for (size_t i = 0; i < block->n_rows; i++) {
		size_t row = frame_row(frame, block_get(block, schema, i, (size_t)run).integer);
		const char *text = block_get(block, schema, i, (size_t)event).string;
		if (row != SIZE_MAX && text != NULL) {
			befell_take(befell, nodes, row, block_get(block, schema, i, (size_t)time).real,
				block_get(block, schema, i, (size_t)node).integer, text);
		}
	}
	free(nodes);
	return true;
}

void befell_free(struct befell *befell)
{
	free(befell->windows);
	*befell = (struct befell){0};
}

static int compare_windows(const void *a, const void *b)
{
	const struct befallen *x = a, *y = b;
	if (x->from_s != y->from_s) {
		return x->from_s < y->from_s ? -1 : 1;
	}
	if (x->until_s != y->until_s) {
		return x->until_s < y->until_s ? -1 : 1;
	}
	int what = strcmp(x->what, y->what);
	return what != 0 ? what : (x->row > y->row) - (x->row < y->row);
}

static bool same_window(const struct befallen *x, const struct befallen *y)
{
	return x->from_s == y->from_s && x->until_s == y->until_s && strcmp(x->what, y->what) == 0;
}

struct befell befell_shared(const struct befell *befell, const struct layout *layout, size_t panel)
{
	const size_t *panels = layout->axes[AXIS_PANEL].of_row;
	size_t n_runs = 0, n = 0;
	for (size_t row = 0; row < layout->frame->n_rows; row++) {
		n_runs += layout->used[row] && panels[row] == panel;
	}
	struct befell shared = {.windows = figure_take(befell->n, sizeof(*shared.windows))};
	for (size_t i = 0; i < befell->n; i++) {
		size_t row = befell->windows[i].row;
		if (layout->used[row] && panels[row] == panel) {
			shared.windows[n++] = befell->windows[i];
		}
	}
	qsort(shared.windows, n, sizeof(*shared.windows), compare_windows);
	for (size_t i = 0, first, n_own; i < n;) {
		for (first = i, n_own = 0; i < n && same_window(&shared.windows[i], &shared.windows[first]); i++) {
			n_own += i == first || shared.windows[i].row != shared.windows[i - 1].row;
		}
		if (2 * n_own >= n_runs) {
			shared.windows[shared.n++] = shared.windows[first];
		}
	}
	return shared;
}

void befell_draw(const struct befell *shared, FILE *script, double end_s)
{
	for (size_t i = 0; i < shared->n; i++) {
		const struct befallen *window = &shared->windows[i];
		double until_s = fmin(window->until_s, end_s);
		if (window->from_s > end_s) {
			continue;
		}
		if (until_s > window->from_s) {
			fprintf(script,
				"set object rectangle from first %.10g, graph 0 to first %.10g, graph 1 back "
				"fc rgb grey_dark fs transparent solid 0.12 noborder\n",
				window->from_s, until_s);
		} else {
			fprintf(script,
				"set arrow from first %.10g, graph 0 to first %.10g, graph 1 nohead back lw 0.8 dt 3 "
				"lc rgb grey_note\n",
				window->from_s, window->from_s);
		}
	}
}

void befell_describe(const struct befell *shared, char *out, size_t size)
{
	size_t length = strlen(out);
	for (size_t i = 0; i < shared->n && i < SHOWN_MAX && length < size; i++) {
		const struct befallen *window = &shared->windows[i];
		length += (size_t)snprintf(out + length, size - length, "%s %s", i == 0 ? " Grey:" : ",", window->what);
		if (length < size && window->until_s == window->from_s) {
			length += (size_t)snprintf(out + length, size - length, " at %.6g s", window->from_s);
		} else if (length < size && isinf(window->until_s)) {
			length += (size_t)snprintf(out + length, size - length, " from %.6g s on", window->from_s);
		} else if (length < size) {
			length += (size_t)snprintf(
				out + length, size - length, " from %.6g to %.6g s", window->from_s, window->until_s);
		}
	}
	if (shared->n > 0 && length < size) {
		if (shared->n > SHOWN_MAX) {
			snprintf(out + length, size - length, " and %zu more.", shared->n - SHOWN_MAX);
		} else {
			snprintf(out + length, size - length, ".");
		}
	}
}
