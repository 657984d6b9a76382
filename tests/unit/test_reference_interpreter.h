/* Computes a graph in double precision, in either layout, one loop a dimension: slow, and plain enough to be checked by
 * reading. Nothing here is shared with what it checks, apart from the sizes of windows. */
#ifndef NNM_TESTS_REFERENCE_INTERPRETER_H
#define NNM_TESTS_REFERENCE_INTERPRETER_H

#include <math.h>

#include "nnmeter/graph.h"
#include "unit/testing.h"

static inline size_t interpreter_count(const nnm_graph *graph, nnm_tensor_id id)
{
    return (size_t)nnm_shape_elements(&nnm_graph_tensor(graph, id)->shape);
}

/* ---- images ---- */

typedef struct interpreter_image {
    nnm_layout layout;
    int64_t batch, channels, height, width;
    double *data;
} interpreter_image;

static inline interpreter_image interpreter_image_of(const nnm_graph *graph, nnm_tensor_id id, double **value)
{
    const nnm_shape *shape = &nnm_graph_tensor(graph, id)->shape;
    assert_int_equal(shape->rank, 4);
    const int64_t *dim = shape->dim;
    if (nnm_graph_layout(graph) == NNM_LAYOUT_NCHW)
        return (interpreter_image){NNM_LAYOUT_NCHW, dim[0], dim[1], dim[2], dim[3], value[id]};
    return (interpreter_image){NNM_LAYOUT_NHWC, dim[0], dim[3], dim[1], dim[2], value[id]};
}

static inline double *interpreter_pixel(const interpreter_image *image, int64_t n, int64_t c, int64_t h, int64_t w)
{
    if (image->layout == NNM_LAYOUT_NCHW)
        return &image->data[((n * image->channels + c) * image->height + h) * image->width + w];
    return &image->data[((n * image->height + h) * image->width + w) * image->channels + c];
}

static inline bool interpreter_is_inside(const interpreter_image *image, int64_t h, int64_t w)
{
    return h >= 0 && h < image->height && w >= 0 && w < image->width;
}

/* Where the window of an output pixel begins in the input; may be negative. */
static inline void interpreter_window(const nnm_attributes *a, const interpreter_image *x, int64_t row, int64_t column,
                                      int64_t *h, int64_t *w)
{
    int64_t top = a->pad_top, left = a->pad_left, bottom = a->pad_bottom, right = a->pad_right;
    nnm_window_output(x->height, a->kernel_h, a->stride_h, a->padding, &top, &bottom);
    nnm_window_output(x->width, a->kernel_w, a->stride_w, a->padding, &left, &right);
    *h = row * a->stride_h - top;
    *w = column * a->stride_w - left;
}

/* One output value of a convolution, without bias. `w` holds the weights [COUT, CIN / groups, KH, KW]. */
static inline double interpreter_conv_pixel(const nnm_attributes *a, const interpreter_image *x, const double *w,
                                            int64_t group_inputs, int64_t first_channel, int64_t n, int64_t o,
                                            int64_t row, int64_t column)
{
    int64_t h0, w0;
    double sum = 0.0;
    interpreter_window(a, x, row, column, &h0, &w0);
    for (int64_t i = 0; i < group_inputs; i++)
        for (int64_t kh = 0; kh < a->kernel_h; kh++)
            for (int64_t kw = 0; kw < a->kernel_w; kw++)
                if (interpreter_is_inside(x, h0 + kh, w0 + kw))
                    sum += *interpreter_pixel(x, n, first_channel + i, h0 + kh, w0 + kw) *
                           w[((o * group_inputs + i) * a->kernel_h + kh) * a->kernel_w + kw];
    return sum;
}

static inline void interpret_conv(const nnm_graph *graph, const nnm_node *node, double **value)
{
    const nnm_attributes *a = &node->attributes;
    interpreter_image x = interpreter_image_of(graph, node->inputs[0], value);
    interpreter_image y = interpreter_image_of(graph, node->outputs[0], value);
    const double *bias = node->input_count > 2 ? value[node->inputs[2]] : NULL;
    int64_t group_inputs = x.channels / a->groups, group_outputs = y.channels / a->groups;
    for (int64_t n = 0; n < y.batch; n++)
        for (int64_t o = 0; o < y.channels; o++)
            for (int64_t row = 0; row < y.height; row++)
                for (int64_t column = 0; column < y.width; column++)
                    *interpreter_pixel(&y, n, o, row, column) =
                        interpreter_conv_pixel(a, &x, value[node->inputs[1]], group_inputs,
                                               o / group_outputs * group_inputs, n, o, row, column) +
                        (bias ? bias[o] : 0.0);
}

/* The largest value, or the mean, of those pixels of a window that are inside of the image. */
static inline double interpreter_pool_pixel(const nnm_node *node, const interpreter_image *x, int64_t n, int64_t c,
                                            int64_t row, int64_t column)
{
    const nnm_attributes *a = &node->attributes;
    int64_t h0, w0, count = 0;
    double sum = 0.0, largest = -(double)INFINITY;
    interpreter_window(a, x, row, column, &h0, &w0);
    for (int64_t kh = 0; kh < a->kernel_h; kh++)
        for (int64_t kw = 0; kw < a->kernel_w; kw++) {
            if (!interpreter_is_inside(x, h0 + kh, w0 + kw)) continue;
            double pixel = *interpreter_pixel(x, n, c, h0 + kh, w0 + kw);
            count++;
            sum += pixel;
            largest = fmax(largest, pixel);
        }
    return node->op == NNM_OP_MAX_POOL ? largest : sum / (double)count;
}

static inline void interpret_pool(const nnm_graph *graph, const nnm_node *node, double **value)
{
    interpreter_image x = interpreter_image_of(graph, node->inputs[0], value);
    interpreter_image y = interpreter_image_of(graph, node->outputs[0], value);
    for (int64_t n = 0; n < y.batch; n++)
        for (int64_t c = 0; c < y.channels; c++)
            for (int64_t row = 0; row < y.height; row++)
                for (int64_t column = 0; column < y.width; column++)
                    *interpreter_pixel(&y, n, c, row, column) = interpreter_pool_pixel(node, &x, n, c, row, column);
}

static inline void interpret_global_average_pool(const nnm_graph *graph, const nnm_node *node, double **value)
{
    interpreter_image x = interpreter_image_of(graph, node->inputs[0], value);
    interpreter_image y = interpreter_image_of(graph, node->outputs[0], value);
    for (int64_t n = 0; n < x.batch; n++)
        for (int64_t c = 0; c < x.channels; c++) {
            double sum = 0.0;
            for (int64_t h = 0; h < x.height; h++)
                for (int64_t w = 0; w < x.width; w++)
                    sum += *interpreter_pixel(&x, n, c, h, w);
            *interpreter_pixel(&y, n, c, 0, 0) = sum / (double)(x.height * x.width);
        }
}

static inline void interpret_channel_shuffle(const nnm_graph *graph, const nnm_node *node, double **value)
{
    interpreter_image x = interpreter_image_of(graph, node->inputs[0], value);
    interpreter_image y = interpreter_image_of(graph, node->outputs[0], value);
    int64_t groups = node->attributes.groups, members = x.channels / groups;
    for (int64_t n = 0; n < x.batch; n++)
        for (int64_t g = 0; g < groups; g++)
            for (int64_t i = 0; i < members; i++)
                for (int64_t h = 0; h < x.height; h++)
                    for (int64_t w = 0; w < x.width; w++)
                        *interpreter_pixel(&y, n, i * groups + g, h, w) =
                            *interpreter_pixel(&x, n, g * members + i, h, w);
}

static inline void interpret_multiply(const nnm_graph *graph, const nnm_node *node, double **value)
{
    size_t count = interpreter_count(graph, node->outputs[0]);
    if (interpreter_count(graph, node->inputs[1]) == count) {
        for (size_t i = 0; i < count; i++)
            value[node->outputs[0]][i] = value[node->inputs[0]][i] * value[node->inputs[1]][i];
        return;
    }
    interpreter_image a = interpreter_image_of(graph, node->inputs[0], value);
    interpreter_image b = interpreter_image_of(graph, node->inputs[1], value);
    interpreter_image y = interpreter_image_of(graph, node->outputs[0], value);
    for (int64_t n = 0; n < y.batch; n++)
        for (int64_t c = 0; c < y.channels; c++)
            for (int64_t h = 0; h < y.height; h++)
                for (int64_t w = 0; w < y.width; w++)
                    *interpreter_pixel(&y, n, c, h, w) =
                        *interpreter_pixel(&a, n, c, h, w) * *interpreter_pixel(&b, n, c, 0, 0);
}

/* ---- tensors of any rank ---- */

/* A tensor as [before, channels, after]. */
typedef struct interpreter_channels {
    size_t before, channels, after;
} interpreter_channels;

static inline interpreter_channels interpreter_channels_of(const nnm_graph *graph, nnm_tensor_id id)
{
    const nnm_shape *shape = &nnm_graph_tensor(graph, id)->shape;
    size_t axis = nnm_graph_layout(graph) == NNM_LAYOUT_NCHW ? 1 : shape->rank - 1;
    interpreter_channels result = {1, (size_t)shape->dim[axis], 1};
    for (size_t i = 0; i < axis; i++)
        result.before *= (size_t)shape->dim[i];
    for (size_t i = axis + 1; i < shape->rank; i++)
        result.after *= (size_t)shape->dim[i];
    return result;
}

static inline void interpret_batch_norm(const nnm_graph *graph, const nnm_node *node, double **value)
{
    const double *x = value[node->inputs[0]], *scale = value[node->inputs[1]], *bias = value[node->inputs[2]];
    const double *mean = value[node->inputs[3]], *variance = value[node->inputs[4]];
    interpreter_channels shape = interpreter_channels_of(graph, node->outputs[0]);
    for (size_t i = 0; i < interpreter_count(graph, node->outputs[0]); i++) {
        size_t c = i / shape.after % shape.channels;
        value[node->outputs[0]][i] =
            (x[i] - mean[c]) / sqrt(variance[c] + node->attributes.epsilon) * scale[c] + bias[c];
    }
}

/* Copies `part` to or from the channels of `whole` from `first` on. */
static inline void interpreter_copy_channels(const nnm_graph *graph, nnm_tensor_id part, nnm_tensor_id whole,
                                             size_t first, bool from_whole, double **value)
{
    interpreter_channels p = interpreter_channels_of(graph, part), all = interpreter_channels_of(graph, whole);
    for (size_t before = 0; before < p.before; before++)
        for (size_t c = 0; c < p.channels; c++)
            for (size_t after = 0; after < p.after; after++) {
                double *in_part = &value[part][(before * p.channels + c) * p.after + after];
                double *in_whole = &value[whole][(before * all.channels + first + c) * all.after + after];
                if (from_whole) {
                    *in_part = *in_whole;
                } else {
                    *in_whole = *in_part;
                }
            }
}

static inline void interpret_concat(const nnm_graph *graph, const nnm_node *node, double **value)
{
    size_t first = 0;
    for (size_t i = 0; i < node->input_count; i++) {
        interpreter_copy_channels(graph, node->inputs[i], node->outputs[0], first, false, value);
        first += interpreter_channels_of(graph, node->inputs[i]).channels;
    }
}

static inline void interpret_split(const nnm_graph *graph, const nnm_node *node, double **value)
{
    size_t half = interpreter_channels_of(graph, node->outputs[0]).channels;
    interpreter_copy_channels(graph, node->outputs[0], node->inputs[0], 0, true, value);
    interpreter_copy_channels(graph, node->outputs[1], node->inputs[0], half, true, value);
}

/* x is rows of CIN values, whatever dimensions they stand in. */
static inline void interpret_fully_connected(const nnm_graph *graph, const nnm_node *node, double **value)
{
    const int64_t *w_dim = nnm_graph_tensor(graph, node->inputs[1])->shape.dim;
    int64_t rows = (int64_t)interpreter_count(graph, node->outputs[0]) / w_dim[0];
    const double *x = value[node->inputs[0]], *w = value[node->inputs[1]];
    const double *bias = node->input_count > 2 ? value[node->inputs[2]] : NULL;
    for (int64_t n = 0; n < rows; n++)
        for (int64_t o = 0; o < w_dim[0]; o++) {
            double sum = bias ? bias[o] : 0.0;
            for (int64_t i = 0; i < w_dim[1]; i++)
                sum += x[n * w_dim[1] + i] * w[o * w_dim[1] + i];
            value[node->outputs[0]][n * w_dim[0] + o] = sum;
        }
}

static inline double interpreter_hard_sigmoid(double x)
{
    return fmin(fmax(x / 6.0 + 0.5, 0.0), 1.0);
}

/* Operators that compute each value from one value. */
static inline double interpret_value(nnm_op op, double x)
{
    switch (op) {
    case NNM_OP_FLATTEN: return x;
    case NNM_OP_RELU: return fmax(x, 0.0);
    case NNM_OP_RELU6: return fmin(fmax(x, 0.0), 6.0);
    case NNM_OP_SIGMOID: return 1.0 / (1.0 + exp(-x));
    case NNM_OP_HARD_SIGMOID: return interpreter_hard_sigmoid(x);
    case NNM_OP_HARD_SWISH: return x * interpreter_hard_sigmoid(x);
    default: fail_msg("the interpreter does not know operator %d", (int)op); return (double)NAN;
    }
}

/* ---- graphs ---- */

static inline void interpret_node(const nnm_graph *graph, const nnm_node *node, double **value)
{
    size_t count = interpreter_count(graph, node->outputs[0]);
    const double *x = value[node->inputs[0]];
    double *y = value[node->outputs[0]];
    switch (node->op) {
    case NNM_OP_CONV: interpret_conv(graph, node, value); return;
    case NNM_OP_BATCH_NORM: interpret_batch_norm(graph, node, value); return;
    case NNM_OP_FULLY_CONNECTED: interpret_fully_connected(graph, node, value); return;
    case NNM_OP_MAX_POOL:
    case NNM_OP_AVERAGE_POOL: interpret_pool(graph, node, value); return;
    case NNM_OP_GLOBAL_AVERAGE_POOL: interpret_global_average_pool(graph, node, value); return;
    case NNM_OP_ADD:
        for (size_t i = 0; i < count; i++)
            y[i] = x[i] + value[node->inputs[1]][i];
        return;
    case NNM_OP_MULTIPLY: interpret_multiply(graph, node, value); return;
    case NNM_OP_CONCAT: interpret_concat(graph, node, value); return;
    case NNM_OP_SPLIT: interpret_split(graph, node, value); return;
    case NNM_OP_CHANNEL_SHUFFLE: interpret_channel_shuffle(graph, node, value); return;
    default:
        for (size_t i = 0; i < count; i++)
            y[i] = interpret_value(node->op, x[i]);
    }
}

/* What output `index` of `graph` is for these inputs. The caller frees it. */
static inline double *interpret(const nnm_graph *graph, const float *const *inputs, size_t index)
{
    size_t tensors = nnm_graph_tensor_count(graph);
    double **value = calloc(tensors, sizeof *value);
    assert_non_null(value);
    for (nnm_tensor_id id = 0; id < tensors; id++) {
        size_t count = interpreter_count(graph, id);
        const float *known = nnm_graph_tensor(graph, id)->data;
        for (size_t i = 0; i < nnm_graph_input_count(graph); i++)
            if (nnm_graph_input(graph, i) == id) known = inputs[i];
        value[id] = calloc(count, sizeof *value[id]);
        assert_non_null(value[id]);
        for (size_t i = 0; known && i < count; i++)
            value[id][i] = (double)known[i];
    }
    for (size_t i = 0; i < nnm_graph_node_count(graph); i++)
        interpret_node(graph, nnm_graph_node(graph, i), value);
    nnm_tensor_id output = nnm_graph_output(graph, index);
    double *result = value[output];
    for (nnm_tensor_id id = 0; id < tensors; id++)
        if (id != output) free(value[id]);
    free(value);
    return result;
}

#endif
