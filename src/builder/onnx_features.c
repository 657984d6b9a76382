/* The same operations in the same order as kernels/cost.c and kernels/work.c, so that every feature has the same bits.
 */
#include "builder/onnx_features.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/memory.h"
#include "kernels/catalogue.h"
#include "kernels/cost.h"
#include "kernels/work.h"

static bool is_computed(const nnm_kernel *kernel, const char *feature)
{
    if (!kernel) return false;
    if (nnm_kernel_has_cost(kernel) && (strcmp(feature, "FLOPS") == 0 || strcmp(feature, "PARAMS") == 0)) return true;
    return nnm_work_feature_index(feature) >= 0;
}

nnm_status nnm_onnx_inputs_find(nnm_onnx_inputs *out, const nnm_predictor *predictor, nnm_error *err)
{
    size_t count = nnm_predictor_feature_count(predictor);
    nnm_onnx_inputs inputs = {.predictor = predictor, .feature = nnm_calloc(count, sizeof *inputs.feature)};
    if (!inputs.feature) return nnm_fail_memory(err);
    if (nnm_kernel_find(&inputs.kernel, nnm_predictor_kernel_type(predictor), NULL) != NNM_OK) inputs.kernel = NULL;
    for (size_t i = 0; i < count; i++)
        if (!is_computed(inputs.kernel, nnm_predictor_feature_name(predictor, i))) inputs.feature[inputs.count++] = i;
    *out = inputs;
    return NNM_OK;
}

void nnm_onnx_inputs_fini(nnm_onnx_inputs *inputs)
{
    free(inputs->feature);
    *inputs = (nnm_onnx_inputs){0};
}

/* ---- a layer ---- */

typedef struct layer_steps {
    nnm_onnx_steps *steps;
    const nnm_onnx_inputs *inputs;
    nnm_value x;
} layer_steps;

static nnm_value number(layer_steps *l, double value)
{
    return nnm_value_constant(l->steps, value);
}

static nnm_value add(layer_steps *l, nnm_value a, nnm_value b)
{
    return nnm_value_2(l->steps, "Add", a, b);
}

static nnm_value times(layer_steps *l, nnm_value a, nnm_value b)
{
    return nnm_value_2(l->steps, "Mul", a, b);
}

static nnm_value over(layer_steps *l, nnm_value a, nnm_value b)
{
    return nnm_value_2(l->steps, "Div", a, b);
}

static nnm_value at_least(layer_steps *l, nnm_value a, double minimum)
{
    return nnm_value_2(l->steps, "Max", a, number(l, minimum));
}

/* Takes the input of that name as a tensor [N, 1]; false if there is none. */
static bool find(layer_steps *l, const char *name, nnm_value *out)
{
    for (size_t i = 0; i < l->inputs->count; i++) {
        int64_t column = (int64_t)i;
        const char *input = nnm_predictor_feature_name(l->inputs->predictor, l->inputs->feature[i]);
        if (strcasecmp(input, name) != 0) continue;
        *out = nnm_value_columns(l->steps, l->x, &column, 1);
        return true;
    }
    return false;
}

/* What a table says beside the kernel's parameters. */
static nnm_value setting(layer_steps *l, const char *name, double otherwise)
{
    nnm_value out;
    return find(l, name, &out) ? out : number(l, otherwise);
}

static bool has_param(const layer_steps *l, const char *name)
{
    return nnm_kernel_param_index(l->inputs->kernel, name) >= 0;
}

static nnm_value param(layer_steps *l, const char *name, double otherwise)
{
    return has_param(l, name) ? setting(l, name, otherwise) : number(l, otherwise);
}

/* nnm_layer_output_size */
static nnm_value output_side(layer_steps *l, nnm_value hw, nnm_value window, nnm_value stride)
{
    nnm_value padding, pad, same = nnm_value_1(l->steps, "Ceil", over(l, hw, stride));
    bool chosen = find(l, "PADDING", &padding), padded = !chosen && find(l, "PAD", &pad);
    if (!chosen && !padded) return same;
    if (chosen) pad = number(l, 0);
    nnm_value room = nnm_value_2(l->steps, "Sub", add(l, hw, times(l, number(l, 2), pad)), window);
    nnm_value fitting = at_least(l, add(l, nnm_value_1(l->steps, "Floor", over(l, room, stride)), number(l, 1)), 0);
    if (!chosen) return fitting;
    return nnm_value_where(l->steps, nnm_value_2(l->steps, "Greater", padding, number(l, 0.5)), same, fitting);
}

/* nnm_kernel_layer_cost */
static void layer_cost(layer_steps *l, nnm_value *flops, nnm_value *params)
{
    nnm_value twice_batch = times(l, number(l, 2), setting(l, "BATCH", 1));
    if (l->inputs->kernel->kind->layer == NNM_LAYER_MATMUL) {
        nnm_value rows = times(l, param(l, "B", 1), param(l, "M", 1));
        *params = times(l, param(l, "N", 1), param(l, "K", 1));
        *flops = times(l, times(l, twice_batch, rows), *params);
        return;
    }
    nnm_value window = param(l, "KERNEL_SIZE", 1), cin = param(l, "CIN", 1);
    nnm_value cout = has_param(l, "COUT") ? param(l, "COUT", 1) : cin;
    nnm_value groups = nnm_kernel_cout_is_cin(l->inputs->kernel) ? cin : setting(l, "GROUPS", 1);
    nnm_value side = output_side(l, param(l, "HW", 1), window, param(l, "STRIDES", 1));
    nnm_value weights = over(l, times(l, times(l, window, window), cin), groups);
    *params = times(l, cout, add(l, weights, number(l, 1)));
    *flops = times(l, times(l, times(l, twice_batch, side), side), *params);
}

/* ---- kernels/work.h ---- */

typedef struct product {
    nnm_value m, n, k, groups, input, output, weights, side, channels, input_channels, output_channels;
} product;

static product matrix_product(layer_steps *l)
{
    nnm_value b = param(l, "B", 1), n = param(l, "N", 1), k = param(l, "K", 1);
    nnm_value m = times(l, param(l, "M", 1), times(l, b, setting(l, "BATCH", 1)));
    return (product){m, n, k, number(l, 1), times(l, m, k), times(l, m, n), times(l, n, k), m, k, k, n};
}

static nnm_value all_input_channels(layer_steps *l)
{
    static const char *const names[] = {"CIN", "CIN1", "CIN2", "CIN3", "CIN4"};
    nnm_value channels = number(l, 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        channels = add(l, channels, param(l, names[i], 0));
    return at_least(l, channels, 1);
}

static product window_product(layer_steps *l)
{
    nnm_kernel_layer layer = l->inputs->kernel->kind->layer;
    bool mixes = layer == NNM_LAYER_CONV || layer == NNM_LAYER_FC;
    nnm_value hw = param(l, "HW", 1), window = param(l, "KERNEL_SIZE", 1);
    nnm_value stride = has_param(l, "STRIDES") ? param(l, "STRIDES", 1) : param(l, "POOL_STRIDES", 1);
    nnm_value cin = all_input_channels(l), cout = has_param(l, "COUT") ? param(l, "COUT", 1) : cin;
    nnm_value batch = setting(l, "BATCH", 1);
    product p = {.input_channels = cin, .output_channels = cout};
    p.groups = mixes ? setting(l, "GROUPS", 1) : number(l, 1);
    p.side = at_least(l, output_side(l, hw, window, stride), 1);
    p.m = times(l, times(l, batch, p.side), p.side);
    p.n = over(l, cout, p.groups);
    p.channels = mixes ? over(l, cin, p.groups) : number(l, 1);
    p.k = times(l, times(l, window, window), p.channels);
    p.input = times(l, times(l, times(l, batch, hw), hw), cin);
    p.output = times(l, p.m, cout);
    p.weights = layer ? times(l, cout, p.k) : number(l, 1);
    return p;
}

static nnm_value in_tiles(layer_steps *l, nnm_value value, double tile)
{
    return nnm_value_1(l->steps, "Ceil", over(l, value, number(l, tile)));
}

static nnm_value padded(layer_steps *l, nnm_value value, double tile)
{
    return times(l, in_tiles(l, value, tile), number(l, tile));
}

static nnm_value tile_macs(layer_steps *l, const product *p, double m, double n, double k)
{
    nnm_value plane = times(l, padded(l, p->m, m), padded(l, p->n, n));
    return times(l, times(l, plane, padded(l, p->k, k)), p->groups);
}

static nnm_value tiles(layer_steps *l, const product *p, double size)
{
    return times(l, times(l, in_tiles(l, p->m, size), in_tiles(l, p->n, size)), p->groups);
}

static void work_features(layer_steps *l, nnm_value out[NNM_WORK_FEATURES])
{
    product p = l->inputs->kernel->kind->layer == NNM_LAYER_MATMUL ? matrix_product(l) : window_product(l);
    nnm_value macs = times(l, times(l, times(l, p.m, p.n), p.k), p.groups);
    nnm_value bytes = times(l, number(l, 4), add(l, add(l, p.input, p.output), p.weights));
    const nnm_value first[] = {
        macs,
        tile_macs(l, &p, 16, 16, 1),
        tile_macs(l, &p, 32, 32, 8),
        tile_macs(l, &p, 64, 64, 8),
        tile_macs(l, &p, 128, 128, 8),
        tile_macs(l, &p, 128, 32, 8),
        p.input,
        p.output,
        p.weights,
        times(l, times(l, p.m, p.k), p.groups),
        p.k,
        tiles(l, &p, 64),
        bytes,
        over(l, times(l, number(l, 2), macs), bytes),
        p.m,
        p.n,
        p.side,
        times(l, p.side, p.side),
        p.channels,
        tiles(l, &p, 32),
        tiles(l, &p, 128),
        over(l, p.output, p.input),
        over(l, p.weights, p.input),
        over(l, p.m, p.n),
        times(l, p.n, p.k),
        over(l, p.input_channels, p.output_channels),
    };
    size_t count = sizeof first / sizeof *first;
    memcpy(out, first, sizeof first);
    const nnm_value dimensions[] = {p.m, p.n, p.k};
    for (size_t d = 0; d < 3; d++)
        for (double tile = 8; tile <= 128; tile *= 2)
            out[count++] = over(l, padded(l, dimensions[d], tile), dimensions[d]);
}

/* ---- all features ---- */

/* A column, also of what is a constant. */
static nnm_value as_column(layer_steps *l, nnm_value t)
{
    static const int64_t first = 0;
    if (!t.constant) return t;
    nnm_value zeros = times(l, nnm_value_columns(l->steps, l->x, &first, 1), number(l, 0));
    return add(l, zeros, t);
}

nnm_status nnm_onnx_features(nnm_value *out, nnm_onnx_steps *steps, const nnm_onnx_inputs *inputs, nnm_value x,
                             nnm_error *err)
{
    size_t count = nnm_predictor_feature_count(inputs->predictor), computed = 0;
    if (inputs->count == count) {
        *out = x;
        return NNM_OK;
    }
    layer_steps l = {steps, inputs, x};
    nnm_value flops = number(&l, 0), params = number(&l, 0), work[NNM_WORK_FEATURES];
    nnm_value *parts = nnm_calloc(count + 1, sizeof *parts);
    int64_t *order = nnm_calloc(count, sizeof *order);
    nnm_status status = parts && order ? NNM_OK : nnm_fail_memory(err);
    if (status) goto done;
    if (nnm_kernel_has_cost(inputs->kernel)) layer_cost(&l, &flops, &params);
    work_features(&l, work);
    parts[0] = x;
    for (size_t i = 0, raw = 0; i < count; i++) {
        const char *name = nnm_predictor_feature_name(inputs->predictor, i);
        int index = nnm_work_feature_index(name);
        if (!is_computed(inputs->kernel, name)) {
            order[i] = (int64_t)raw++;
            continue;
        }
        nnm_value t = index >= 0 ? work[index] : strcmp(name, "FLOPS") == 0 ? flops : params;
        order[i] = (int64_t)(inputs->count + computed++);
        parts[computed] = as_column(&l, t);
    }
    *out = nnm_value_columns(steps, nnm_value_concat(steps, parts, computed + 1), order, count);
done:
    free(parts);
    free(order);
    return status;
}
