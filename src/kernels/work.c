#include "kernels/work.h"

#include <math.h>
#include <string.h>

#include "kernels/catalogue.h"

/* Resources, as nnm_dataset.work numbers them. */
enum {
    RATIO = 0,
    ARITHMETIC,
    MEMORY,
    CHAIN, /* multiplications one after the other for one output */
    TILES
};

typedef struct work_feature {
    const char *name;
    unsigned char resource;
} work_feature;

static const work_feature features[NNM_WORK_FEATURES] = {
    {"work.macs", ARITHMETIC},
    {"work.macs16", ARITHMETIC},
    {"work.macs32", ARITHMETIC},
    {"work.macs64", ARITHMETIC},
    {"work.macs128", ARITHMETIC},
    {"work.macs128x32", ARITHMETIC},
    {"work.input", MEMORY},
    {"work.output", MEMORY},
    {"work.weights", MEMORY},
    {"work.columns", MEMORY},
    {"work.k", CHAIN},
    {"work.tiles64", TILES},
    {"work.bytes", RATIO},
    {"work.intensity", RATIO},
    {"work.m", RATIO},
    {"work.n", RATIO},
    {"work.side", RATIO},
    {"work.pixels", RATIO},
    {"work.channels", RATIO},
    {"work.tiles32", RATIO},
    {"work.tiles128", RATIO},
    {"work.output_per_input", RATIO},
    {"work.weights_per_input", RATIO},
    {"work.m_per_n", RATIO},
    {"work.n_times_k", RATIO},
    {"work.input_channels_per_output", RATIO},
    {"work.m_in_8", RATIO},
    {"work.m_in_16", RATIO},
    {"work.m_in_32", RATIO},
    {"work.m_in_64", RATIO},
    {"work.m_in_128", RATIO},
    {"work.n_in_8", RATIO},
    {"work.n_in_16", RATIO},
    {"work.n_in_32", RATIO},
    {"work.n_in_64", RATIO},
    {"work.n_in_128", RATIO},
    {"work.k_in_8", RATIO},
    {"work.k_in_16", RATIO},
    {"work.k_in_32", RATIO},
    {"work.k_in_64", RATIO},
    {"work.k_in_128", RATIO},
};

size_t nnm_work_feature_count(const nnm_kernel *kernel)
{
    return nnm_kernel_is_customized(kernel) ? 0 : NNM_WORK_FEATURES;
}

const char *nnm_work_feature_name(size_t index)
{
    return features[index].name;
}

int nnm_work_feature_index(const char *name)
{
    for (size_t i = 0; i < NNM_WORK_FEATURES; i++)
        if (strcmp(features[i].name, name) == 0) return (int)i;
    return -1;
}

unsigned char nnm_work_feature_resource(size_t index)
{
    return features[index].resource;
}

/* ---- the layer as a matrix product ---- */

typedef struct product {
    double m, n, k, groups;
    double input, output, weights; /* elements */
    double side, channels;         /* of the output; input channels of a group */
    double input_channels, output_channels;
} product;

static double value_of(const nnm_kernel *kernel, const double *params, const char *name, double without)
{
    int index = nnm_kernel_param_index(kernel, name);
    return index < 0 ? without : params[index];
}

static product matrix_product(const nnm_kernel *kernel, const double *params, const nnm_layer_setting *setting)
{
    double b = value_of(kernel, params, "B", 1), m = value_of(kernel, params, "M", 1);
    double n = value_of(kernel, params, "N", 1), k = value_of(kernel, params, "K", 1);
    m *= b * setting->batch;
    return (product){m, n, k, 1, m * k, m * n, n * k, m, k, k, n};
}

/* Channels of all inputs. */
static double input_channels(const nnm_kernel *kernel, const double *params)
{
    static const char *const names[] = {"CIN", "CIN1", "CIN2", "CIN3", "CIN4"};
    double channels = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        channels += value_of(kernel, params, names[i], 0);
    return fmax(channels, 1);
}

static product window_product(const nnm_kernel *kernel, const double *params, const nnm_layer_setting *setting)
{
    nnm_kernel_layer layer = kernel->kind->layer;
    double hw = value_of(kernel, params, "HW", 1), window = value_of(kernel, params, "KERNEL_SIZE", 1);
    double stride = value_of(kernel, params, "STRIDES", value_of(kernel, params, "POOL_STRIDES", 1));
    double cin = input_channels(kernel, params), cout = value_of(kernel, params, "COUT", cin);
    bool mixes = layer == NNM_LAYER_CONV || layer == NNM_LAYER_FC;
    product p = {.groups = mixes ? setting->groups : 1, .input_channels = cin, .output_channels = cout};
    p.side = fmax(nnm_layer_output_size(hw, window, stride, setting), 1);
    p.m = setting->batch * p.side * p.side;
    p.n = cout / p.groups;
    p.channels = mixes ? cin / p.groups : 1;
    p.k = window * window * p.channels;
    p.input = setting->batch * hw * hw * cin;
    p.output = p.m * cout;
    p.weights = layer ? cout * p.k : 1;
    return p;
}

static double padded(double value, double tile)
{
    return ceil(value / tile) * tile;
}

static double tile_macs(const product *p, double m, double n, double k)
{
    return padded(p->m, m) * padded(p->n, n) * padded(p->k, k) * p->groups;
}

static double tiles(const product *p, double size)
{
    return ceil(p->m / size) * ceil(p->n / size) * p->groups;
}

void nnm_work_features(const nnm_kernel *kernel, const double *params, const nnm_layer_setting *setting,
                       double out[NNM_WORK_FEATURES])
{
    product p = kernel->kind->layer == NNM_LAYER_MATMUL ? matrix_product(kernel, params, setting)
                                                        : window_product(kernel, params, setting);
    double macs = p.m * p.n * p.k * p.groups, bytes = 4 * (p.input + p.output + p.weights);
    const double first[] = {
        macs,
        tile_macs(&p, 16, 16, 1),
        tile_macs(&p, 32, 32, 8),
        tile_macs(&p, 64, 64, 8),
        tile_macs(&p, 128, 128, 8),
        tile_macs(&p, 128, 32, 8),
        p.input,
        p.output,
        p.weights,
        p.m * p.k * p.groups,
        p.k,
        tiles(&p, 64),
        bytes,
        2 * macs / bytes,
        p.m,
        p.n,
        p.side,
        p.side * p.side,
        p.channels,
        tiles(&p, 32),
        tiles(&p, 128),
        p.output / p.input,
        p.weights / p.input,
        p.m / p.n,
        p.n * p.k,
        p.input_channels / p.output_channels,
    };
    size_t count = sizeof first / sizeof *first;
    memcpy(out, first, sizeof first);
    const double dimensions[] = {p.m, p.n, p.k};
    for (size_t d = 0; d < 3; d++)
        for (double tile = 8; tile <= 128; tile *= 2)
            out[count++] = padded(dimensions[d], tile) / dimensions[d];
}
