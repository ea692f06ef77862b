/* Attacks made and asked for rows. */
#ifndef TESTS_ATTACKS_CRAFT_H
#define TESTS_ATTACKS_CRAFT_H

#include "settings.h"

#include "attacks/attack.h"

/* The oracle's ten: seven honest. */
static const double seven[] = {.61, .58, .64, .60, .585, .63, .62};
/* Five honest rows of three. */
static const double rows[] = {
	1, -2, .5, 1.2, -1.8, .4, .9, -2.1, .65, 1.1, -1.9, .55, .95, -2.25, .45};

struct fixture {
	struct arena arena;
	struct random_stream stream;
	double out[64];
};

static inline struct plugin_value attack_make(struct fixture *f, const char *name)
{
	if (f->stream.counter == 0) {
		f->stream = random_stream_make(1, RANDOM_ATTACK, 0);
	}
	return plugin_make(&f->arena, &attack_registry, name);
}

static inline struct craft_view view_make(
	struct fixture *f, const double *honest, uint32_t n_honest, uint32_t n_faulty, uint32_t dims)
{
	assert(n_faulty * dims <= 64);
	return (struct craft_view){.honest = honest,
		.n_honest = n_honest,
		.n_faulty = n_faulty,
		.n = n_honest + n_faulty,
		.dims = dims,
		.stream = &f->stream};
}

static const double *craft(struct fixture *f, struct plugin_value attack, struct craft_view view)
{
	char error[256] = "";
	if (!attack_rows(&attack, &view, f->out, error)) {
		fail_msg("%s", error);
	}
	return f->out;
}

static inline void set_choice(struct plugin_value attack, const char *name, int choice)
{
	*(int *)setting(attack, name, PARAM_CHOICE) = choice;
}

static inline double distance2(const double *a, const double *b, uint32_t dims)
{
	double sum = 0;
	for (uint32_t k = 0; k < dims; k++) {
		sum += (a[k] - b[k]) * (a[k] - b[k]);
	}
	return sum;
}

#endif
