/*
 * The latency model of a simulated device. It measures nothing and stands for no product: it has, in a few equations,
 * what makes latencies of real devices hard to predict, so that samplers and learners can be compared in seconds.
 *
 * A model is a list of layers (fusion.h). The time of a layer, in ns:
 *
 *     layer    = operator + max(compute, memory) + (1 - overlap) * min(compute, memory)          the roofline
 *     compute  = arithmetic / threads + steps
 *     model    = launch + sum of its layers
 *
 * threads is Amdahl's 1 / ((1 - p) + p / n) for n threads, at most the device's cores, of which a share p is parallel.
 *
 * Arithmetic. A convolution or fully connected layer is G matrix products of M = N * HO * WO positions, N = COUT / G
 * outputs and K = CIN / G * KH * KW multiplications each. Dimensions are rounded up to the device's tiles, the
 * staircase: up(x, t) = t * ceil(x / t).
 *
 *     product   2 * G * up(M, tile_positions) * up(N, tile_outputs) * up(K, tile_inputs) / flops_per_ns
 *     steps     G * ceil(M / tile_positions) * ceil(N / tile_outputs) * tile_ns
 *
 * There are four algorithms, and where one takes over from another is a cliff:
 *   - pointwise: 1x1 with stride 1; the product as it is;
 *   - winograd: 3x3 with stride 1, one group, CIN and COUT at least winograd_channels: F(2x2, 3x3) (A. Lavin, S. Gray,
 *     "Fast Algorithms for Convolutional Neural Networks", 2015) has 16 products of ceil(HO / 2) * ceil(WO / 2)
 *     positions with K = CIN, and moves 16 / 4 of the inputs and outputs twice;
 *   - depthwise: G = CIN: 2 * M * up(COUT, vector) * KH * KW / (flops_per_ns * depthwise_share); windows other than 3x3
 *     and 5x5 have no code of their own and are slower by generic_window;
 *   - direct: everything else; each input is copied to every place where it is needed (4 * M * K * G bytes, twice).
 * Other layers have a few operations an element, elements rounded up to a multiple of `vector`, at a quarter of the
 * rate of products.
 *
 * Memory. Inputs, outputs, weights, and copies of an algorithm, W bytes in all, are the working set; of it, what lies
 * in a cache comes from there, so that bandwidth falls as it grows:
 *
 *     memory = sum over levels i of W * share_i / bandwidth_i,   share_i = (min(W, size_i) - min(W, size_(i-1))) / W
 *
 * Rows of the input of a layer with a window that lie a multiple of alias_bytes apart fall into the same sets of a
 * cache: the time of the memory is then longer by alias_factor. That is so for many sizes with a power of two in them.
 *
 * Noise. A run of a model has the latency  model * exp(noise * z1 + round_noise * z2), z1 a standard normal number of
 * the run and z2 one that all runs of a round share; with probability `outliers` a run takes longer by a factor
 * 1 + OUTLIER_MOST * u, u uniform in 0..1. All are drawn from a generator that is seeded by the seed, by what the model
 * computes, and by how often it was measured before: equal questions have equal answers.
 */
#ifndef NNM_BACKENDS_SIMULATED_MODEL_H
#define NNM_BACKENDS_SIMULATED_MODEL_H

#include "nnmeter/graph.h"

#define NNM_SIMULATED_LEVELS 4

/* A simulated device: its constants are invented, in the range of what such devices have. */
typedef struct nnm_simulated_device {
    const char *name, *description;
    double flops_per_ns; /* of one core */
    double cores, parallel_share;
    double level_bytes[NNM_SIMULATED_LEVELS]; /* growing; the last is the memory: INFINITY */
    double level_bytes_per_ns[NNM_SIMULATED_LEVELS];
    double tile_positions, tile_outputs, tile_inputs;
    double vector; /* elements */
    double tile_ns;
    double operator_ns, launch_ns;
    double overlap; /* share of the shorter of compute and memory that hides behind the longer */
    double winograd_channels;
    double depthwise_share, generic_window;
    double alias_bytes, alias_factor;
} nnm_simulated_device;

/* The devices; NULL for an index that is too large. */
const nnm_simulated_device *nnm_simulated_device_at(size_t index);

typedef struct nnm_simulated_settings {
    const nnm_simulated_device *device;
    unsigned threads; /* >= 1 */
    uint64_t seed;
    double noise, round_noise; /* standard deviations of the logarithm, >= 0 */
    double outliers;           /* probability, 0..1 */
} nnm_simulated_settings;

/* What a new workspace has: the first device, one thread. */
nnm_simulated_settings nnm_simulated_settings_default(void);

/* The latency of a model without noise, ns. Its weights are not looked at. Errors: UNSUPPORTED (see nnm_layers_find),
 * NO_MEMORY. */
NNM_NODISCARD nnm_status nnm_simulated_latency_ns(const nnm_graph *graph, const nnm_simulated_settings *settings,
                                                  double *out, nnm_error *err);

/* The latencies of `count` runs of one round with noise, the model having been measured `repetition` times before. */
NNM_NODISCARD nnm_status nnm_simulated_runs_ns(const nnm_graph *graph, const nnm_simulated_settings *settings,
                                               uint64_t repetition, double *latency_ns, size_t count, nnm_error *err);

#endif
