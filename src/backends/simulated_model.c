#include "backends/simulated_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "backends/fusion.h"
#include "base/rng.h"

#define KIB 1024.0
#define MIB (1024.0 * KIB)
#define ELEMENT_BYTES 4.0
#define TWICE 2.0              /* what is copied is written and read */
#define WINOGRAD_SIDE 2.0      /* outputs of a tile, each way */
#define WINOGRAD_PRODUCTS 16.0 /* of a tile */
#define WINOGRAD_GROWTH 4.0    /* of inputs and outputs that are transformed */
#define ELEMENTWISE_SHARE 0.25 /* of flops_per_ns */
#define OUTLIER_MOST 2.0       /* an outlier takes up to three times as long */
#define DEFAULT_NOISE 0.02
#define DEFAULT_ROUND_NOISE 0.01
#define DEFAULT_OUTLIERS 0.01

static const nnm_simulated_device devices[] = {
    {
        .name = "phone",
        .description = "a big core of a telephone",
        .flops_per_ns = 30,
        .cores = 4,
        .parallel_share = 0.9,
        .level_bytes = {64 * KIB, 512 * KIB, 4 * MIB, (double)INFINITY},
        .level_bytes_per_ns = {90, 40, 20, 9},
        .tile_positions = 8,
        .tile_outputs = 8,
        .tile_inputs = 4,
        .vector = 4,
        .tile_ns = 4,
        .operator_ns = 1500,
        .launch_ns = 4000,
        .overlap = 0.8,
        .winograd_channels = 32,
        .depthwise_share = 0.35,
        .generic_window = 6,
        .alias_bytes = 4 * KIB,
        .alias_factor = 1.6,
    },
    {
        .name = "desktop",
        .description = "a core of a desktop computer with wide vectors",
        .flops_per_ns = 110,
        .cores = 8,
        .parallel_share = 0.95,
        .level_bytes = {32 * KIB, 1 * MIB, 16 * MIB, (double)INFINITY},
        .level_bytes_per_ns = {250, 100, 40, 14},
        .tile_positions = 8,
        .tile_outputs = 16,
        .tile_inputs = 1,
        .vector = 8,
        .tile_ns = 2,
        .operator_ns = 400,
        .launch_ns = 600,
        .overlap = 0.85,
        .winograd_channels = 64,
        .depthwise_share = 0.4,
        .generic_window = 4,
        .alias_bytes = 4 * KIB,
        .alias_factor = 1.35,
    },
    {
        .name = "accelerator",
        .description = "a matrix unit with a memory of its own, which is asked through a driver",
        .flops_per_ns = 2000,
        .cores = 1,
        .parallel_share = 0,
        .level_bytes = {128 * KIB, 2 * MIB, 2 * MIB, (double)INFINITY},
        .level_bytes_per_ns = {1000, 200, 200, 25},
        .tile_positions = 32,
        .tile_outputs = 32,
        .tile_inputs = 16,
        .vector = 64,
        .tile_ns = 6,
        .operator_ns = 6000,
        .launch_ns = 40000,
        .overlap = 0.9,
        .winograd_channels = 128,
        .depthwise_share = 0.05,
        .generic_window = 3,
        .alias_bytes = 16 * KIB,
        .alias_factor = 1.8,
    },
};

const nnm_simulated_device *nnm_simulated_device_at(size_t index)
{
    return index < sizeof devices / sizeof *devices ? &devices[index] : NULL;
}

nnm_simulated_settings nnm_simulated_settings_default(void)
{
    return (nnm_simulated_settings){&devices[0], 1, 0, DEFAULT_NOISE, DEFAULT_ROUND_NOISE, DEFAULT_OUTLIERS};
}

/* ---- one layer ---- */

typedef struct work {
    const nnm_graph *graph;
    const nnm_layer *layer;
    const nnm_simulated_device *device;
    double arithmetic_ns, steps_ns;
    double bytes; /* the working set */
} work;

static double up(double value, double tile)
{
    return ceil(value / tile) * tile;
}

static const nnm_shape *shape_of(const work *w, nnm_tensor_id id)
{
    return &nnm_graph_tensor(w->graph, id)->shape;
}

static double elements_of(const work *w, nnm_tensor_id id)
{
    return (double)nnm_shape_elements(shape_of(w, id));
}

/* Channels, height and width of an activation; 1 for what it does not have. */
static void image_of(const work *w, nnm_tensor_id id, double *channels, double *height, double *width)
{
    const nnm_shape *shape = shape_of(w, id);
    bool nchw = nnm_graph_layout(w->graph) == NNM_LAYOUT_NCHW;
    bool image = shape->rank == 4;
    size_t channel_axis = image && nchw ? 1 : shape->rank - 1;
    *channels = shape->rank ? (double)shape->dim[channel_axis] : 1.0;
    *height = image ? (double)shape->dim[nchw ? 2 : 1] : 1.0;
    *width = image ? (double)shape->dim[nchw ? 3 : 2] : 1.0;
}

/* Inputs, constants and outputs, each once. A folded batch norm and a clamp cost nothing. */
static double bytes_touched(const work *w)
{
    const nnm_node *node = w->layer->node;
    double elements = elements_of(w, w->layer->output);
    for (size_t i = 0; i < node->input_count; i++)
        elements += elements_of(w, i == 0 ? w->layer->input : node->inputs[i]);
    for (size_t i = 1; i < node->output_count; i++)
        elements += elements_of(w, node->outputs[i]);
    return ELEMENT_BYTES * elements;
}

static void add_product(work *w, double groups, double m, double n, double k)
{
    const nnm_simulated_device *d = w->device;
    double rows = up(m, d->tile_positions), columns = up(n, d->tile_outputs);
    w->arithmetic_ns += 2 * groups * rows * columns * up(k, d->tile_inputs) / d->flops_per_ns;
    w->steps_ns += groups * rows / d->tile_positions * columns / d->tile_outputs * d->tile_ns;
}

static void add_depthwise(work *w, double positions, double channels, const nnm_attributes *a)
{
    const nnm_simulated_device *d = w->device;
    double taps = (double)(a->kernel_h * a->kernel_w);
    bool has_code = a->kernel_h == a->kernel_w && (a->kernel_h == 3 || a->kernel_h == 5);
    double rate = d->flops_per_ns * d->depthwise_share / (has_code ? 1.0 : d->generic_window);
    w->arithmetic_ns += 2 * positions * up(channels, d->vector) * taps / rate;
}

static bool is_winograd(const work *w, double cin, double cout)
{
    const nnm_attributes *a = &w->layer->node->attributes;
    return a->kernel_h == 3 && a->kernel_w == 3 && a->stride_h == 1 && a->stride_w == 1 && a->groups == 1 &&
           cin >= w->device->winograd_channels && cout >= w->device->winograd_channels;
}

static void add_convolution(work *w)
{
    const nnm_attributes *a = &w->layer->node->attributes;
    nnm_tensor_id output = w->layer->node->outputs[0];
    double cin, cout, hi, wi, ho, wo;
    image_of(w, w->layer->input, &cin, &hi, &wi);
    image_of(w, output, &cout, &ho, &wo);
    double groups = (double)a->groups, batch = (double)shape_of(w, output)->dim[0];
    double m = batch * ho * wo, k = cin / groups * (double)(a->kernel_h * a->kernel_w);
    if (groups > 1 && groups == cin) {
        add_depthwise(w, m, cout, a);
    } else if (is_winograd(w, cin, cout)) {
        double tiles = batch * ceil(ho / WINOGRAD_SIDE) * ceil(wo / WINOGRAD_SIDE);
        add_product(w, WINOGRAD_PRODUCTS, tiles, cout, cin);
        w->bytes += TWICE * WINOGRAD_GROWTH * ELEMENT_BYTES * batch * (cin * hi * wi + cout * ho * wo);
    } else {
        bool pointwise = a->kernel_h == 1 && a->kernel_w == 1 && a->stride_h == 1 && a->stride_w == 1;
        add_product(w, groups, m, cout / groups, k);
        if (!pointwise) w->bytes += TWICE * ELEMENT_BYTES * m * k * groups;
    }
}

static void add_fully_connected(work *w)
{
    const nnm_shape *weight = shape_of(w, w->layer->node->inputs[1]);
    double cout = (double)weight->dim[0], cin = (double)weight->dim[1];
    add_product(w, 1, elements_of(w, w->layer->output) / cout, cout, cin);
}

/* Operations on each element of what a layer gives, or takes where that is more. */
static double operations_of(const nnm_node *node)
{
    const nnm_attributes *a = &node->attributes;
    switch (node->op) {
    case NNM_OP_MAX_POOL:
    case NNM_OP_AVERAGE_POOL: return (double)(a->kernel_h * a->kernel_w);
    case NNM_OP_BATCH_NORM: return 2;
    case NNM_OP_SIGMOID: return 16;
    case NNM_OP_HARD_SIGMOID: return 4;
    case NNM_OP_HARD_SWISH: return 5;
    case NNM_OP_CONCAT:
    case NNM_OP_SPLIT:
    case NNM_OP_CHANNEL_SHUFFLE:
    case NNM_OP_FLATTEN: return 0; /* moved only */
    default: return 1;
    }
}

static void add_elements(work *w)
{
    const nnm_simulated_device *d = w->device;
    const nnm_node *node = w->layer->node;
    double in = elements_of(w, w->layer->input), out = elements_of(w, node->outputs[0]);
    bool pool = node->op == NNM_OP_MAX_POOL || node->op == NNM_OP_AVERAGE_POOL;
    double elements = up(pool || out > in ? out : in, d->vector);
    w->arithmetic_ns += operations_of(node) * elements / (d->flops_per_ns * ELEMENTWISE_SHARE);
}

/* Rows of the input fall into the same sets of a cache. */
static bool is_aliased(const work *w)
{
    const nnm_attributes *a = &w->layer->node->attributes;
    double channels, height, width;
    if (a->kernel_h <= 1) return false;
    image_of(w, w->layer->input, &channels, &height, &width);
    return height > 1 && fmod(ELEMENT_BYTES * channels * width, w->device->alias_bytes) == 0.0;
}

static double memory_ns(const work *w)
{
    const nnm_simulated_device *d = w->device;
    double ns = 0.0, below = 0.0;
    for (size_t i = 0; i < NNM_SIMULATED_LEVELS; i++) {
        double held = fmin(w->bytes, d->level_bytes[i]);
        ns += (held - below) / d->level_bytes_per_ns[i];
        below = held;
    }
    return is_aliased(w) ? ns * d->alias_factor : ns;
}

static double layer_ns(const nnm_graph *graph, const nnm_layer *layer, const nnm_simulated_settings *settings)
{
    const nnm_simulated_device *d = settings->device;
    work w = {.graph = graph, .layer = layer, .device = d};
    w.bytes = bytes_touched(&w);
    if (layer->node->op == NNM_OP_CONV)
        add_convolution(&w);
    else if (layer->node->op == NNM_OP_FULLY_CONNECTED)
        add_fully_connected(&w);
    else
        add_elements(&w);
    double threads = fmin((double)settings->threads, d->cores);
    double compute = (w.arithmetic_ns + w.steps_ns) * ((1.0 - d->parallel_share) + d->parallel_share / threads);
    double memory = memory_ns(&w);
    return d->operator_ns + fmax(compute, memory) + (1.0 - d->overlap) * fmin(compute, memory);
}

/* ---- a model ---- */

nnm_status nnm_simulated_latency_ns(const nnm_graph *graph, const nnm_simulated_settings *settings, double *out,
                                    nnm_error *err)
{
    nnm_layers layers = {0};
    nnm_status status = nnm_layers_find(&layers, graph, err);
    if (status) return status;
    double ns = settings->device->launch_ns;
    for (size_t i = 0; i < layers.count; i++)
        ns += layer_ns(graph, &layers.items[i], settings);
    free(layers.items);
    *out = ns;
    return NNM_OK;
}

/* What a model computes, but for the values of its weights. */
static uint64_t identity_of(const nnm_graph *graph)
{
    uint64_t hash = (uint64_t)nnm_graph_layout(graph);
    for (size_t i = 0; i < nnm_graph_node_count(graph); i++) {
        const nnm_node *node = nnm_graph_node(graph, i);
        const nnm_attributes *a = &node->attributes;
        const int64_t numbers[] = {(int64_t)node->op, a->kernel_h,  a->kernel_w, a->stride_h,
                                   a->stride_w,       a->padding,   a->pad_top,  a->pad_left,
                                   a->pad_bottom,     a->pad_right, a->groups,   (int64_t)node->input_count};
        hash = nnm_hash64(numbers, sizeof numbers, hash);
        for (size_t j = 0; j < node->input_count; j++) {
            const nnm_shape *shape = &nnm_graph_tensor(graph, node->inputs[j])->shape;
            hash = nnm_hash64(shape->dim, shape->rank * sizeof *shape->dim, hash);
        }
    }
    return hash;
}

/* A standard normal number (G. E. P. Box, M. E. Muller, 1958). */
static double normal(nnm_rng *rng)
{
    double radius = sqrt(-2.0 * log(1.0 - nnm_rng_uniform(rng)));
    return radius * cos(2.0 * 3.14159265358979323846 * nnm_rng_uniform(rng));
}

nnm_status nnm_simulated_runs_ns(const nnm_graph *graph, const nnm_simulated_settings *settings, uint64_t repetition,
                                 double *latency_ns, size_t count, nnm_error *err)
{
    double ideal_ns = 0.0;
    nnm_status status = nnm_simulated_latency_ns(graph, settings, &ideal_ns, err);
    if (status) return status;
    nnm_rng rng;
    nnm_rng_init(&rng, nnm_hash64(&settings->seed, sizeof settings->seed, identity_of(graph)), repetition);
    double round = exp(settings->round_noise * normal(&rng));
    for (size_t i = 0; i < count; i++) {
        double factor = exp(settings->noise * normal(&rng));
        bool outlier = nnm_rng_uniform(&rng) < settings->outliers;
        double excess = OUTLIER_MOST * nnm_rng_uniform(&rng); /* drawn in any case: runs keep their numbers */
        latency_ns[i] = ideal_ns * round * factor * (outlier ? 1.0 + excess : 1.0);
    }
    return NNM_OK;
}
