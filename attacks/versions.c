/* What liars tell different validators of one batch.
 *
 * A version is a function of the true batch and of what waits at the liar that tells it first, and is kept,
 * so that whoever else lies about the same place says the same. */
#include "attacks/attack.h"

struct lie {
	struct lie *next; /* at the same instance, in an earlier view */
	uint64_t view;
	const struct batch *honest;
	uint32_t n_made;
	const struct batch **made; /* by version; NULL: not yet */
	uint32_t *given;           /* the version, by validator */
};

struct versions {
	struct arena *arena;
	uint32_t n_validators;
	versions_another another;
	struct lie **lies; /* by instance */
	size_t n_lies, lies_capacity;
};

struct versions *versions_create(struct arena *arena, uint32_t n_validators, versions_another another)
{
	struct versions *versions = arena_new(arena, struct versions);
	versions->arena = arena;
	versions->n_validators = n_validators;
	versions->another = another;
	return versions;
}

static struct lie *find(const struct versions *versions, uint64_t instance, uint64_t view)
{
	struct lie *lie = instance < versions->n_lies ? versions->lies[instance] : NULL;
	while (lie != NULL && lie->view != view) {
		lie = lie->next;
	}
	return lie;
}

static struct lie *add(
	struct versions *versions, uint64_t instance, uint64_t view, const struct batch *honest)
{
	versions->lies = arena_grow(versions->arena, versions->lies, sizeof(struct lie *),
		versions->n_lies, instance + 1, &versions->lies_capacity);
	versions->n_lies = instance < versions->n_lies ? versions->n_lies : instance + 1;
	struct lie *lie = arena_new(versions->arena, struct lie);
	lie->next = versions->lies[instance];
	lie->view = view;
	lie->honest = honest;
	lie->n_made = versions->n_validators + 1; /* there are no more groups than validators */
	lie->made = arena_array(versions->arena, const struct batch *, lie->n_made);
	lie->given = arena_array(versions->arena, uint32_t, versions->n_validators);
	versions->lies[instance] = lie;
	return lie;
}

static const struct batch *make(
	const struct versions *versions, struct node *node, const struct batch *honest, uint32_t version)
{
	if (version == 0 || honest->n == 0) {
		return honest; /* of nothing there is one version */
	}
	if (honest->n == 1) {
		transaction_id other = versions->another(node, honest->transactions[0], version - 1);
		return node_batch(node, &other, other == TRANSACTION_NONE ? 0 : 1);
	}
	struct arena scratch = {0};
	transaction_id *rotated = arena_array(&scratch, transaction_id, honest->n);
	for (uint32_t i = 0; i < honest->n; i++) {
		rotated[i] = honest->transactions[(i + version) % honest->n];
	}
	const struct batch *batch = node_batch(node, rotated, honest->n);
	arena_finish(&scratch);
	return batch;
}

static const struct batch *made(
	const struct versions *versions, struct node *node, struct lie *lie, uint32_t version)
{
	version = version < lie->n_made ? version : version % lie->n_made;
	if (lie->made[version] == NULL) {
		lie->made[version] = make(versions, node, lie->honest, version);
	}
	return lie->made[version];
}

const struct batch *versions_give(struct versions *versions, struct node *node, uint64_t instance,
	uint64_t view, const struct batch *honest, uint32_t version, uint32_t to)
{
	assert(to < versions->n_validators);
	struct lie *lie = find(versions, instance, view);
	if (lie == NULL) {
		lie = add(versions, instance, view, honest);
	}
	lie->given[to] = version;
	return made(versions, node, lie, version);
}

const struct batch *versions_find(
	const struct versions *versions, uint64_t instance, uint64_t view, uint32_t version, uint32_t to)
{
	const struct lie *lie = find(versions, instance, view);
	if (lie == NULL) {
		return NULL;
	}
	version = version == VERSION_GIVEN ? lie->given[to] : version;
	return lie->made[version < lie->n_made ? version : version % lie->n_made];
}
