#include "lies.h"

#include "attacks/attack.h"
#include "protocols/protocol.h"
#include "scenarios/scenario.h"

#include <stdio.h>
#include <string.h>

static uint32_t below(const struct lies *lies, uint32_t n)
{
	return (uint32_t)random_below(lies->stream, n);
}

/* "[3, 0]": so many different validators. Returns the end. */
static size_t write_nodes(const struct lies *lies, char *text, size_t n, uint32_t n_nodes)
{
	uint32_t all[64];
	random_permutation(lies->stream, all, lies->n_validators);
	for (uint32_t i = 0; i < n_nodes; i++) {
		n += (size_t)snprintf(text + n, LIES_TEXT_MAX - n, "%s%u", i == 0 ? "[" : ", ", all[i]);
	}
	return n + (size_t)snprintf(text + n, LIES_TEXT_MAX - n, "]");
}

static void write_window(const struct lies *lies, char *text, size_t n)
{
	uint32_t from_ms = below(lies, lies->span_ms / 10 * 9);
	snprintf(text + n, LIES_TEXT_MAX - n, ", from: %u ms, until: %u ms}\n", from_ms,
		from_ms + 1 + below(lies, lies->span_ms - from_ms));
}

/* Does a scenario with this take it? */
static bool fits(const struct lies *lies, const char *list, const char *entry)
{
	char text[2 * LIES_TEXT_MAX];
	int n = snprintf(text, sizeof(text), "validators: %u\nprotocol: {kind: %s%s}\nworkload: %s\n%s:\n%s",
		lies->n_validators, lies->protocol, lies->macs ? ", authentication: macs" : "",
		lies->predicts ? "dimweight\npredictor: {kind: linear, train: 100}" : "requests", list, entry);
	struct diagnostics *diagnostics = diagnostics_create();
	struct scenario_file *file =
		scenario_parse(text, (size_t)n, "lies.yaml", ".", NULL, 0, diagnostics);
	diagnostics_destroy(diagnostics);
	if (file != NULL) {
		scenario_close(file);
	}
	return file != NULL;
}

static void draw_attack(const struct lies *lies, char text[LIES_TEXT_MAX])
{
	uint32_t n_kinds = 0;
	while (attack_registry.plugins[n_kinds] != NULL) {
		n_kinds++;
	}
	const struct plugin *kind;
	do {
		kind = attack_registry.plugins[below(lies, n_kinds)];
	} while (lies->one && !attack_on_nodes((const void *)kind));
	size_t n = (size_t)snprintf(text, LIES_TEXT_MAX, "  - {kind: %s, nodes: ", kind->name);
	if (lies->one) {
		n += (size_t)snprintf(text + n, LIES_TEXT_MAX - n, "[%u]", lies->liar);
	} else {
		n = write_nodes(lies, text, n, 1 + below(lies, lies->n_validators));
	}
	for (const struct param *param = kind->params; param->name != NULL; param++) {
		bool wanted = (param->flags & PARAM_REQUIRED) != 0;
		if (param->kind == PARAM_NODES && wanted) {
			n += (size_t)snprintf(text + n, LIES_TEXT_MAX - n, ", %s: ", param->name);
			n = write_nodes(lies, text, n, 1 + below(lies, lies->n_validators));
		} else if ((param->flags & PARAM_CLIENTS) != 0) {
			n += (size_t)snprintf(text + n, LIES_TEXT_MAX - n, ", %s: [%s]", param->name,
				lies->predicts ? "0" : "client 0");
		} else if (param->kind == PARAM_BOOL && below(lies, 2) == 0) {
			n += (size_t)snprintf(text + n, LIES_TEXT_MAX - n, ", %s: on", param->name);
		} else if (param->kind == PARAM_CHOICE) {
			uint32_t n_choices = 1;
			for (const char *at = param->choices; *at != '\0'; at++) {
				n_choices += *at == '|';
			}
			const char *choice = param->choices;
			for (uint32_t i = below(lies, n_choices); i > 0; i--) {
				choice = strchr(choice, '|') + 1;
			}
			n += (size_t)snprintf(text + n, LIES_TEXT_MAX - n, ", %s: %.*s", param->name,
				(int)strcspn(choice, "|"), choice);
		} else if (param->kind == PARAM_INT && param->min < param->max && below(lies, 2) == 0) {
			/* By orders of magnitude: a lie may be of any size. */
			double value = param->min + random_unit(lies->stream) * (double)(UINT64_C(1) << below(lies, 32));
			n += (size_t)snprintf(text + n, LIES_TEXT_MAX - n, ", %s: %.0f", param->name,
				value < param->max ? value : param->max);
		}
	}
	write_window(lies, text, n);
}

void lies_write_attack(const struct lies *lies, char text[LIES_TEXT_MAX])
{
	for (int i = 0; i < 8; i++) {
		draw_attack(lies, text);
		if (fits(lies, "attacks", text)) {
			return;
		}
	}
	text[0] = '\0';
}

void lies_write_rule(const struct lies *lies, char text[LIES_TEXT_MAX])
{
	size_t n = (size_t)snprintf(text, LIES_TEXT_MAX, "  - {kind: rule, action: replace, from_nodes: ");
	n = write_nodes(lies, text, n, 1 + below(lies, lies->n_validators));
	if (below(lies, 2) == 0) {
		n += (size_t)snprintf(text + n, LIES_TEXT_MAX - n, ", to_nodes: ");
		n = write_nodes(lies, text, n, 1 + below(lies, lies->n_validators));
	}
	write_window(lies, text, n);
	if (!fits(lies, "faults", text)) {
		text[0] = '\0';
	}
}
