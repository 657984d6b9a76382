#include "kernels/draft.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "kernels/catalogue.h"
#include "kernels/weights.h"

#define BATCH_NORM_EPSILON 1e-5

int64_t nnm_draft_value(const nnm_draft *draft, const char *param)
{
    return nnm_kernel_value(draft->kernel, draft->config, param);
}

static void fail(nnm_draft *draft, nnm_status status)
{
    if (status && !draft->status) draft->status = status;
}

static const nnm_shape *shape_of(const nnm_draft *draft, nnm_tensor_id id)
{
    return &nnm_graph_tensor(draft->graph, id)->shape;
}

static size_t channel_axis(const nnm_draft *draft, const nnm_shape *shape)
{
    return draft->layout == NNM_LAYOUT_NCHW ? 1 : shape->rank - 1;
}

void nnm_draft_inputs(nnm_draft *draft, int64_t batch_size)
{
    nnm_shape shapes[NNM_KERNEL_MAX_INPUTS];
    size_t count = nnm_kernel_input_shapes(draft->kernel, draft->config, draft->layout, shapes);
    for (size_t i = 0; i < count && !draft->status; i++) {
        nnm_shape shape = {shapes[i].rank + 1, {batch_size}};
        for (size_t j = 0; j < shapes[i].rank; j++)
            shape.dim[j + 1] = shapes[i].dim[j];
        char *name = count == 1 ? nnm_strdup("input") : nnm_format("input%zu", i + 1);
        fail(draft, name ? nnm_graph_add_input(draft->graph, name, &shape, &draft->inputs[i], draft->err)
                         : nnm_fail_memory(draft->err));
        free(name);
    }
}

/* Adds the constant "<owner>.<part>" with values in (centre - spread, centre + spread). */
static nnm_tensor_id add_weights(nnm_draft *draft, const char *owner, const char *part, const nnm_shape *shape,
                                 double centre, double spread)
{
    nnm_tensor_id id = 0;
    if (draft->status) return id;
    size_t count = (size_t)nnm_shape_elements(shape);
    char *name = nnm_format("%s.%s", owner, part);
    float *data = nnm_reallocarray(NULL, count, sizeof *data);
    if (!name || !data) {
        fail(draft, nnm_fail_memory(draft->err));
        goto done;
    }
    nnm_weights_fill(data, count, draft->seed, name, (float)centre, (float)spread);
    nnm_status status = nnm_graph_add_constant(draft->graph, name, shape, data, &id, draft->err);
    fail(draft, status);
    if (status == NNM_OK) data = NULL;
done:
    free(name);
    free(data);
    return id;
}

static nnm_tensor_id add_node(nnm_draft *draft, nnm_op op, const char *name, const nnm_attributes *attributes,
                              const nnm_tensor_id *inputs, size_t count)
{
    nnm_tensor_id id = 0;
    if (!draft->status)
        fail(draft, nnm_graph_add_node(draft->graph, op, name, attributes, inputs, count, &id, draft->err));
    return id;
}

/* Half the width of a uniform distribution with the given variance. */
static double spread_of(double variance)
{
    return sqrt(3 * variance);
}

/* Symmetric padding cannot make an even window fit everywhere: PyTorch refuses HW=1 with KERNEL_SIZE=2. */
static bool window_fits(nnm_draft *draft, int64_t input, int64_t kernel_size, int64_t pad)
{
    if (nnm_window_output(input, kernel_size, 1, NNM_PADDING_EXPLICIT, &(int64_t){pad}, &(int64_t){pad}) > 0)
        return true;
    fail(draft,
         nnm_fail(draft->err, NNM_ERR_VALUE,
                  "KERNEL_SIZE=%" PRId64 " does not fit into HW=%" PRId64 " with a symmetric padding of %" PRId64,
                  kernel_size, input, pad));
    return false;
}

nnm_tensor_id nnm_draft_conv(nnm_draft *draft, const char *name, nnm_tensor_id x, int64_t cout, int64_t kernel_size,
                             int64_t stride, int64_t groups)
{
    if (draft->status) return 0;
    const nnm_shape *shape = shape_of(draft, x);
    int64_t cin = shape->dim[channel_axis(draft, shape)] / groups;
    nnm_attributes attributes = {.kernel_h = kernel_size,
                                 .kernel_w = kernel_size,
                                 .stride_h = stride,
                                 .stride_w = stride,
                                 .padding = NNM_PADDING_SAME,
                                 .groups = groups};
    if (draft->layout == NNM_LAYOUT_NCHW) {
        int64_t pad = (kernel_size - 1) / 2;
        if (!window_fits(draft, shape->dim[2], kernel_size, pad)) return 0;
        attributes.padding = NNM_PADDING_EXPLICIT;
        attributes.pad_top = attributes.pad_left = attributes.pad_bottom = attributes.pad_right = pad;
    }
    double fan_in = (double)cin * (double)kernel_size * (double)kernel_size;
    nnm_shape weight = {4, {cout, cin, kernel_size, kernel_size}};
    nnm_shape bias = {1, {cout}};
    nnm_tensor_id inputs[3] = {x};
    inputs[1] = add_weights(draft, name, "weight", &weight, 0, spread_of(2 / fan_in));
    inputs[2] = add_weights(draft, name, "bias", &bias, 0, 0.1);
    return add_node(draft, NNM_OP_CONV, name, &attributes, inputs, 3);
}

nnm_tensor_id nnm_draft_fully_connected(nnm_draft *draft, const char *name, nnm_tensor_id x, int64_t cout)
{
    if (draft->status) return 0;
    int64_t cin = shape_of(draft, x)->dim[1];
    nnm_shape weight = {2, {cout, cin}};
    nnm_shape bias = {1, {cout}};
    nnm_tensor_id inputs[3] = {x};
    inputs[1] = add_weights(draft, name, "weight", &weight, 0, spread_of(1 / (double)cin));
    inputs[2] = add_weights(draft, name, "bias", &bias, 0, 0.1);
    return add_node(draft, NNM_OP_FULLY_CONNECTED, name, NULL, inputs, 3);
}

nnm_tensor_id nnm_draft_batch_norm(nnm_draft *draft, const char *name, nnm_tensor_id x)
{
    if (draft->status) return 0;
    const nnm_shape *shape = shape_of(draft, x);
    nnm_shape channels = {1, {shape->dim[channel_axis(draft, shape)]}};
    nnm_attributes attributes = {.epsilon = BATCH_NORM_EPSILON};
    nnm_tensor_id inputs[5] = {x};
    inputs[1] = add_weights(draft, name, "scale", &channels, 1, 0.1);
    inputs[2] = add_weights(draft, name, "bias", &channels, 0, 0.1);
    inputs[3] = add_weights(draft, name, "mean", &channels, 0, 0.1);
    inputs[4] = add_weights(draft, name, "variance", &channels, 1, 0.1);
    return add_node(draft, NNM_OP_BATCH_NORM, name, &attributes, inputs, 5);
}

nnm_tensor_id nnm_draft_unary(nnm_draft *draft, nnm_op op, const char *name, nnm_tensor_id x)
{
    return add_node(draft, op, name, NULL, &x, 1);
}

/* ---- the whole ---- */

nnm_status nnm_kernel_build_graph(nnm_graph **out, const nnm_kernel *kernel, const nnm_kernel_config *config,
                                  const nnm_graph_options *options, nnm_error *err)
{
    if (options->batch_size < 1)
        return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "the batch size is %" PRId64 "; it must be at least 1",
                        options->batch_size);
    nnm_status status = nnm_kernel_config_check(kernel, config, err);
    if (status) return status;
    if ((status = nnm_kernel_check_sizes(kernel, config, options->batch_size, err)))
        return nnm_context(err, status, "batch size %" PRId64, options->batch_size);

    nnm_draft draft = {
        .kernel = kernel, .config = config, .layout = options->layout, .seed = options->seed, .err = err};
    if ((status = nnm_graph_new(&draft.graph, options->layout, err))) return status;
    nnm_draft_inputs(&draft, options->batch_size);
    nnm_tensor_id output = kernel->build(&draft);
    status = draft.status;
    if (!status) status = nnm_graph_mark_output(draft.graph, output, err);
    if (status) {
        nnm_graph_free(draft.graph);
        return nnm_context(err, status, "%s", kernel->name);
    }
    *out = draft.graph;
    return NNM_OK;
}
