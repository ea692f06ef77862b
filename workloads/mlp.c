/* `mlp`: a small neural network of our own: fully connected layers of equal width with tanh (or
 * rectified) units and a linear output, by mini-batches and Adam on the squared error.
 *
 * In plain C because it must give the same bits everywhere and cost nothing where it isn't used:
 * + - * / and sqrt in a fixed order, tanh from sim/real.h's exp, first weights and the order of the
 * rows from named streams. Features and target are brought to mean 0 and sd 1 first. The gradient
 * is by backpropagation.
 *
 * Sources: Kingma, Ba, Adam: A Method for Stochastic Optimization, ICLR 2015, Algorithm 1; first
 * weights: Glorot, Bengio, Understanding the Difficulty of Training Deep Feedforward Neural
 * Networks, AISTATS 2010, equation 16. */
#include "predictors.h"

#include "sim/real.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define HIDDEN_MAX 256
#define LAYERS_MAX 4

enum activation { ACTIVATION_TANH, ACTIVATION_RELU };

struct mlp_settings {
	struct predictor_common common;
	int64_t hidden, layers, epochs, batch;
	double rate, decay;
	int activation;
};

/* Unit u of a layer with n inputs has its weights at [u * (n + 1)] and its bias behind them. */
struct mlp_model {
	struct standard standard;
	enum activation activation;
	uint32_t layers, hidden;
	double *weights;
	size_t n_weights;
};

/* What one row makes of the network. */
struct pass {
	double in[FEATURES_MAX];
	double unit[LAYERS_MAX][HIDDEN_MAX];
	double delta[HIDDEN_MAX], below[HIDDEN_MAX];
};

static uint32_t inputs_of(const struct mlp_model *mlp, uint32_t layer)
{
	return layer == 0 ? mlp->standard.n_features : mlp->hidden;
}

static size_t weights_at(const struct mlp_model *mlp, uint32_t layer)
{
	size_t first = (size_t)mlp->hidden * (mlp->standard.n_features + 1);
	return layer == 0 ? 0 : first + (size_t)(layer - 1) * mlp->hidden * (mlp->hidden + 1);
}

/* tanh(a) = 1 - 2 / (exp(2a) + 1), which saturates as it should. */
static void activate(const struct mlp_model *mlp, double *unit)
{
	if (mlp->activation == ACTIVATION_RELU) {
		for (uint32_t u = 0; u < mlp->hidden; u++) {
			unit[u] = unit[u] > 0 ? unit[u] : 0;
		}
		return;
	}
	for (uint32_t u = 0; u < mlp->hidden; u++) {
		unit[u] *= 2;
	}
	real_exp_all(unit, mlp->hidden);
	for (uint32_t u = 0; u < mlp->hidden; u++) {
		unit[u] = 1 - 2 / (unit[u] + 1);
	}
}

static double slope_of(const struct mlp_model *mlp, double unit)
{
	return mlp->activation == ACTIVATION_RELU ? unit > 0 : 1 - unit * unit;
}

static double forward(const struct mlp_model *mlp, struct pass *pass)
{
	const double *in = pass->in;
	for (uint32_t layer = 0; layer < mlp->layers; layer++) {
		uint32_t n = inputs_of(mlp, layer);
		const double *weights = mlp->weights + weights_at(mlp, layer);
		for (uint32_t u = 0; u < mlp->hidden; u++, weights += n + 1) {
			double sum = weights[n];
			for (uint32_t i = 0; i < n; i++) {
				sum += weights[i] * in[i];
			}
			pass->unit[layer][u] = sum;
		}
		activate(mlp, pass->unit[layer]);
		in = pass->unit[layer];
	}
	const double *weights = mlp->weights + weights_at(mlp, mlp->layers);
	double output = weights[mlp->hidden];
	for (uint32_t u = 0; u < mlp->hidden; u++) {
		output += weights[u] * in[u];
	}
	return output;
}

/* From the slope of what is wanted by the output back through the layers: adds to `slope` that by
 * every weight, or, where that is NULL, writes that by every input into `in_slope`. */
static void backward(const struct mlp_model *mlp, struct pass *pass, double output_slope,
	double *slope, double *in_slope)
{
	const double *last = mlp->weights + weights_at(mlp, mlp->layers);
	double *last_slope = slope == NULL ? NULL : slope + weights_at(mlp, mlp->layers);
	const double *top = pass->unit[mlp->layers - 1];
	for (uint32_t u = 0; u < mlp->hidden; u++) {
		pass->delta[u] = output_slope * last[u] * slope_of(mlp, top[u]);
		if (slope != NULL) {
			last_slope[u] += output_slope * top[u];
		}
	}
	if (slope != NULL) {
		last_slope[mlp->hidden] += output_slope;
	}
	for (uint32_t layer = mlp->layers; layer-- > 0;) {
		uint32_t n = inputs_of(mlp, layer);
		const double *in = layer == 0 ? pass->in : pass->unit[layer - 1];
		const double *weights = mlp->weights + weights_at(mlp, layer);
		double *own_slope = slope == NULL ? NULL : slope + weights_at(mlp, layer);
		memset(pass->below, 0, n * sizeof(*pass->below));
		for (uint32_t u = 0; u < mlp->hidden; u++) {
			const double *row = weights + (size_t)u * (n + 1);
			for (uint32_t i = 0; i < n; i++) {
				pass->below[i] += pass->delta[u] * row[i];
			}
			if (slope != NULL) {
				double *row_slope = own_slope + (size_t)u * (n + 1);
				for (uint32_t i = 0; i < n; i++) {
					row_slope[i] += pass->delta[u] * in[i];
				}
				row_slope[n] += pass->delta[u];
			}
		}
		for (uint32_t i = 0; layer > 0 && i < n; i++) {
			pass->delta[i] = pass->below[i] * slope_of(mlp, in[i]);
		}
	}
	if (in_slope != NULL) {
		memcpy(in_slope, pass->below, mlp->standard.n_features * sizeof(*in_slope));
	}
}

static void weights_first(struct mlp_model *mlp, uint64_t seed)
{
	struct random_stream stream = random_stream_make(seed, RANDOM_MODEL, 0);
	for (uint32_t layer = 0; layer <= mlp->layers; layer++) {
		uint32_t n = inputs_of(mlp, layer);
		uint32_t n_units = layer == mlp->layers ? 1 : mlp->hidden;
		double *weights = mlp->weights + weights_at(mlp, layer);
		double reach = sqrt(6.0 / (n + n_units));
		for (uint32_t u = 0; u < n_units; u++, weights += n + 1) {
			for (uint32_t i = 0; i < n; i++) {
				weights[i] = random_uniform(&stream, -reach, reach);
			}
			weights[n] = 0;
		}
	}
}

/* Adam's moments, and the powers of their decays so far. */
struct adam {
	double *first, *second, *slope;
	double power_first, power_second;
};

#define ADAM_FIRST 0.9
#define ADAM_SECOND 0.999
#define ADAM_EPSILON 1e-8

static void adam_step(
	struct mlp_model *mlp, struct adam *adam, double rate, double decay, double n_rows)
{
	adam->power_first *= ADAM_FIRST;
	adam->power_second *= ADAM_SECOND;
	for (size_t i = 0; i < mlp->n_weights; i++) {
		double slope = adam->slope[i] / n_rows + decay * mlp->weights[i];
		adam->first[i] = ADAM_FIRST * adam->first[i] + (1 - ADAM_FIRST) * slope;
		adam->second[i] = ADAM_SECOND * adam->second[i] + (1 - ADAM_SECOND) * slope * slope;
		double first = adam->first[i] / (1 - adam->power_first);
		double second = adam->second[i] / (1 - adam->power_second);
		mlp->weights[i] -= rate * first / (sqrt(second) + ADAM_EPSILON);
	}
}

static void epochs(struct mlp_model *mlp, const struct mlp_settings *own,
	const struct dataset *sample, struct arena *scratch)
{
	struct adam adam = {
		.first = arena_array(scratch, double, mlp->n_weights),
		.second = arena_array(scratch, double, mlp->n_weights),
		.slope = arena_array(scratch, double, mlp->n_weights),
		.power_first = 1,
		.power_second = 1,
	};
	struct pass *pass = arena_new(scratch, struct pass);
	uint32_t *order = arena_array(scratch, uint32_t, sample->n);
	struct random_stream stream = random_stream_make(sample->seed, RANDOM_MODEL, 1);
	for (int64_t epoch = 0; epoch < own->epochs; epoch++) {
		/* The steps shorten linearly, so that the last batches don't decide. */
		double rate = own->rate * (1 - (double)epoch / (double)own->epochs);
		random_permutation(&stream, order, (uint32_t)sample->n);
		for (size_t at = 0; at < sample->n;) {
			size_t end = at + (size_t)own->batch;
			end = end < sample->n ? end : sample->n;
			double n_rows = (double)(end - at);
			memset(adam.slope, 0, mlp->n_weights * sizeof(*adam.slope));
			for (; at < end; at++) {
				size_t row = order[at];
				standard_apply(
					&mlp->standard, sample->x + row * sample->n_features, pass->in);
				double target = (sample->target[row] - mlp->standard.target_mean) /
								mlp->standard.target_sd;
				double off = forward(mlp, pass) - target;
				backward(mlp, pass, off, adam.slope, NULL);
			}
			adam_step(mlp, &adam, rate, own->decay, n_rows);
		}
	}
}

static bool mlp_train(const void *settings, void *model, const struct dataset *sample,
	struct arena *arena, char error[256])
{
	const struct mlp_settings *own = settings;
	struct mlp_model *mlp = model;
	if (!sample_check(sample, sample->n_features + 1, "mlp", error)) {
		return false;
	}
	standard_fit(&mlp->standard, sample);
	mlp->activation = (enum activation)own->activation;
	mlp->layers = (uint32_t)own->layers;
	mlp->hidden = (uint32_t)own->hidden;
	mlp->n_weights = weights_at(mlp, mlp->layers) + mlp->hidden + 1;
	mlp->weights = arena_array(arena, double, mlp->n_weights);
	weights_first(mlp, sample->seed);
	struct arena scratch = {0};
	epochs(mlp, own, sample, &scratch);
	arena_finish(&scratch);
	for (size_t i = 0; i < mlp->n_weights; i++) {
		if (!isfinite(mlp->weights[i])) {
			snprintf(error, 256,
				"mlp: training runs away at rate %g; a smaller one would not, such as 0.01",
				own->rate);
			return false;
		}
	}
	return true;
}

static double mlp_output(const void *model, const double *x)
{
	const struct mlp_model *mlp = model;
	struct pass pass;
	standard_apply(&mlp->standard, x, pass.in);
	return mlp->standard.target_mean + mlp->standard.target_sd * forward(mlp, &pass);
}

static void mlp_gradient(const void *model, const double *x, double *gradient)
{
	const struct mlp_model *mlp = model;
	struct pass pass;
	standard_apply(&mlp->standard, x, pass.in);
	forward(mlp, &pass);
	backward(mlp, &pass, mlp->standard.target_sd, NULL, gradient);
	for (uint32_t i = 0; i < mlp->standard.n_features; i++) {
		gradient[i] /= mlp->standard.sd[i];
	}
}

#define OWN_PARAMS                                                                                 \
	{.name = "hidden",                                                                             \
		.kind = PARAM_INT,                                                                         \
		.offset = offsetof(struct mlp_settings, hidden),                                           \
		.min = 1,                                                                                  \
		.max = HIDDEN_MAX,                                                                         \
		.fallback = "16",                                                                          \
		.unit = "",                                                                                \
		.help = "units a layer"},                                                                  \
		{.name = "layers",                                                                         \
			.kind = PARAM_INT,                                                                     \
			.offset = offsetof(struct mlp_settings, layers),                                       \
			.min = 1,                                                                              \
			.max = LAYERS_MAX,                                                                     \
			.fallback = "1",                                                                       \
			.unit = "",                                                                            \
			.help = "hidden layers"},                                                              \
		{.name = "activation",                                                                     \
			.kind = PARAM_CHOICE,                                                                  \
			.offset = offsetof(struct mlp_settings, activation),                                   \
			.choices = "tanh|relu",                                                                \
			.fallback = "tanh",                                                                    \
			.unit = "",                                                                            \
			.help = "what a unit makes of its sum"},                                               \
		{.name = "epochs",                                                                         \
			.kind = PARAM_INT,                                                                     \
			.offset = offsetof(struct mlp_settings, epochs),                                       \
			.min = 1,                                                                              \
			.max = 1e6,                                                                            \
			.fallback = "100",                                                                     \
			.unit = "",                                                                            \
			.help = "how often it goes through the rows"},                                         \
		{.name = "batch",                                                                          \
			.kind = PARAM_INT,                                                                     \
			.offset = offsetof(struct mlp_settings, batch),                                        \
			.min = 1,                                                                              \
			.max = 1e6,                                                                            \
			.fallback = "32",                                                                      \
			.unit = "",                                                                            \
			.help = "rows a step"},                                                                \
		{.name = "rate",                                                                           \
			.kind = PARAM_REAL,                                                                    \
			.flags = PARAM_EXCLUDE_MIN,                                                            \
			.offset = offsetof(struct mlp_settings, rate),                                         \
			.min = 0,                                                                              \
			.max = 1e3,                                                                            \
			.fallback = "0.01",                                                                    \
			.unit = "",                                                                            \
			.help = "length of Adam's first steps, falling linearly to 0"},                        \
	{                                                                                              \
		.name = "decay", .kind = PARAM_REAL, .offset = offsetof(struct mlp_settings, decay),       \
		.min = 0, .max = 1e3, .fallback = "0.0001", .unit = "",                                    \
		.help = "penalty on the squares of weights and biases"                                     \
	}

static const struct param params[] = {
	PREDICTOR_COMMON_PARAMS(struct mlp_settings),
	OWN_PARAMS,
	PARAM_END,
};
static const struct param own_params[] = {OWN_PARAMS, PARAM_END};

#define MLP(PARAMS, FINISH)                                                                        \
	{                                                                                              \
		.plugin = {.name = "mlp",                                                                  \
			.summary = "a small neural network, by Adam; gradient by backpropagation",             \
			.params = PARAMS,                                                                      \
			.settings_size = sizeof(struct mlp_settings),                                          \
			.finish = FINISH},                                                                     \
		.model_size = sizeof(struct mlp_model), .train = mlp_train, .output = mlp_output,          \
		.gradient = mlp_gradient,                                                                  \
	}

const struct predictor predictor_mlp = MLP(params, predictor_finish);
const struct predictor member_mlp = MLP(own_params, NULL);
