#include "kernels/draft.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "kernels/catalogue.h"
#include "kernels/weights.h"

#define BATCH_NORM_EPSILON 1e-5
#define MAX_ELEMENTS (INT32_MAX / 4) /* of a tensor: model files hold 2 GiB */

int64_t nnm_draft_value(const nnm_draft *draft, const char *param)
{
    return nnm_kernel_value(draft->kernel, draft->config, param);
}

size_t nnm_draft_input_count(const nnm_draft *draft)
{
    return draft->input_count;
}

nnm_tensor_id nnm_draft_input(const nnm_draft *draft, size_t index)
{
    return index < draft->input_count ? draft->inputs[index] : 0;
}

nnm_graph *nnm_draft_graph(nnm_draft *draft)
{
    return draft->graph;
}

void nnm_draft_fail(nnm_draft *draft, const char *message)
{
    if (!draft->status) draft->status = nnm_fail(draft->err, NNM_ERR_VALUE, "%s", message);
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

static nnm_shape with_batch(const nnm_shape *shape, int64_t batch_size, bool has_batch)
{
    nnm_shape whole = *shape;
    if (has_batch) {
        whole.dim[0] *= batch_size;
        return whole;
    }
    whole.rank = shape->rank + 1;
    whole.dim[0] = batch_size;
    for (size_t i = 0; i < shape->rank; i++)
        whole.dim[i + 1] = shape->dim[i];
    return whole;
}

void nnm_draft_inputs(nnm_draft *draft, const nnm_shape *shapes, size_t count, int64_t batch_size)
{
    draft->input_count = count;
    for (size_t i = 0; i < count && !draft->status; i++) {
        nnm_shape shape = with_batch(&shapes[i], batch_size, draft->kernel->kind->has_batch);
        char *name = count == 1 ? nnm_strdup("input") : nnm_format("input%zu", i + 1);
        fail(draft, name ? nnm_graph_add_input(draft->graph, name, &shape, &draft->inputs[i], draft->err)
                         : nnm_fail_memory(draft->err));
        free(name);
    }
}

nnm_tensor_id nnm_draft_weights(nnm_draft *draft, const char *owner, const char *part, const nnm_shape *shape,
                                double centre, double spread)
{
    nnm_tensor_id id = 0;
    float *data = NULL;
    if (draft->status) return id;
    int64_t elements = nnm_shape_elements(shape);
    if (elements < 1 || elements > MAX_ELEMENTS) {
        fail(draft, nnm_fail(draft->err, NNM_ERR_VALUE, "%s.%s has %" PRId64 " elements; allowed are 1 to %d", owner,
                             part, elements, MAX_ELEMENTS));
        return id;
    }
    size_t count = (size_t)elements;
    char *name = nnm_format("%s.%s", owner, part);
    if (name && draft->zero_weights && strcmp(part, "weight") == 0) {
        fail(draft, nnm_graph_add_zeros(draft->graph, name, shape, &id, draft->err));
        goto done;
    }
    data = nnm_reallocarray(NULL, count, sizeof *data);
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

nnm_tensor_id nnm_draft_node(nnm_draft *draft, nnm_op op, const char *name, const nnm_attributes *attributes,
                             const nnm_tensor_id *inputs, size_t count)
{
    nnm_tensor_id ids[NNM_NODE_MAX_OUTPUTS] = {0};
    if (!draft->status)
        fail(draft, nnm_graph_add_node(draft->graph, op, name, attributes, inputs, count, ids, draft->err));
    return ids[0];
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

/* Ids are trusted below: customised kernels may hand over any. */
static bool is_tensor(nnm_draft *draft, const char *name, nnm_tensor_id x)
{
    if (draft->status) return false;
    if (x < nnm_graph_tensor_count(draft->graph) && shape_of(draft, x)->rank >= 1) return true;
    fail(draft, nnm_fail(draft->err, NNM_ERR_VALUE, "%s: its input is no tensor of this graph", name));
    return false;
}

/* Window and padding of the layout; false after a failure. */
static bool set_window(nnm_draft *draft, nnm_attributes *attributes, nnm_tensor_id x, int64_t kernel_size,
                       int64_t stride)
{
    if (draft->status) return false;
    attributes->kernel_h = attributes->kernel_w = kernel_size;
    attributes->stride_h = attributes->stride_w = stride;
    attributes->padding = NNM_PADDING_SAME;
    if (draft->layout != NNM_LAYOUT_NCHW) return true;
    int64_t pad = (kernel_size - 1) / 2;
    attributes->padding = NNM_PADDING_EXPLICIT;
    attributes->pad_top = attributes->pad_left = attributes->pad_bottom = attributes->pad_right = pad;
    return window_fits(draft, shape_of(draft, x)->dim[2], kernel_size, pad);
}

nnm_tensor_id nnm_draft_conv(nnm_draft *draft, const char *name, nnm_tensor_id x, int64_t cout, int64_t kernel_size,
                             int64_t stride, int64_t groups)
{
    nnm_attributes attributes = {.groups = groups};
    if (!is_tensor(draft, name, x)) return 0;
    if (groups < 1)
        fail(draft, nnm_fail(draft->err, NNM_ERR_VALUE, "%s: %" PRId64 " groups; need at least 1", name, groups));
    if (!set_window(draft, &attributes, x, kernel_size, stride)) return 0;
    const nnm_shape *shape = shape_of(draft, x);
    int64_t cin = shape->dim[channel_axis(draft, shape)] / groups;
    double fan_in = (double)cin * (double)kernel_size * (double)kernel_size;
    nnm_shape weight = {4, {cout, cin, kernel_size, kernel_size}};
    nnm_shape bias = {1, {cout}};
    nnm_tensor_id inputs[3] = {x};
    inputs[1] = nnm_draft_weights(draft, name, "weight", &weight, 0, spread_of(2 / fan_in));
    inputs[2] = nnm_draft_weights(draft, name, "bias", &bias, 0, 0.1);
    return nnm_draft_node(draft, NNM_OP_CONV, name, &attributes, inputs, 3);
}

nnm_tensor_id nnm_draft_pool(nnm_draft *draft, nnm_op op, const char *name, nnm_tensor_id x, int64_t kernel_size,
                             int64_t stride)
{
    nnm_attributes attributes = {0};
    if (!is_tensor(draft, name, x)) return 0;
    if (!set_window(draft, &attributes, x, kernel_size, stride)) return 0;
    return nnm_draft_node(draft, op, name, &attributes, &x, 1);
}

nnm_tensor_id nnm_draft_fully_connected(nnm_draft *draft, const char *name, nnm_tensor_id x, int64_t cout,
                                        bool has_bias)
{
    if (!is_tensor(draft, name, x)) return 0;
    const nnm_shape *shape = shape_of(draft, x);
    int64_t cin = shape->dim[shape->rank - 1];
    nnm_shape weight = {2, {cout, cin}};
    nnm_shape bias = {1, {cout}};
    nnm_tensor_id inputs[3] = {x};
    inputs[1] = nnm_draft_weights(draft, name, "weight", &weight, 0, spread_of(1 / (double)cin));
    if (has_bias) inputs[2] = nnm_draft_weights(draft, name, "bias", &bias, 0, 0.1);
    return nnm_draft_node(draft, NNM_OP_FULLY_CONNECTED, name, NULL, inputs, has_bias ? 3 : 2);
}

nnm_tensor_id nnm_draft_batch_norm(nnm_draft *draft, const char *name, nnm_tensor_id x)
{
    if (!is_tensor(draft, name, x)) return 0;
    const nnm_shape *shape = shape_of(draft, x);
    nnm_shape channels = {1, {shape->dim[channel_axis(draft, shape)]}};
    nnm_attributes attributes = {.epsilon = BATCH_NORM_EPSILON};
    nnm_tensor_id inputs[5] = {x};
    inputs[1] = nnm_draft_weights(draft, name, "scale", &channels, 1, 0.1);
    inputs[2] = nnm_draft_weights(draft, name, "bias", &channels, 0, 0.1);
    inputs[3] = nnm_draft_weights(draft, name, "mean", &channels, 0, 0.1);
    inputs[4] = nnm_draft_weights(draft, name, "variance", &channels, 1, 0.1);
    return nnm_draft_node(draft, NNM_OP_BATCH_NORM, name, &attributes, inputs, 5);
}

/* ---- the whole ---- */

/* Tensors that are computed may not be larger than those of other kernels. */
static nnm_status check_sizes(const nnm_graph *graph, nnm_error *err)
{
    for (size_t i = 0; i < nnm_graph_tensor_count(graph); i++) {
        const nnm_tensor *tensor = nnm_graph_tensor(graph, i);
        int64_t elements = nnm_shape_elements(&tensor->shape);
        if (elements < 1 || elements > MAX_ELEMENTS)
            return nnm_fail(err, NNM_ERR_VALUE, "tensor '%.100s' has %" PRId64 " elements; at most %d are allowed",
                            tensor->name, elements, MAX_ELEMENTS);
    }
    return NNM_OK;
}

/* All outputs of the node that computes x are outputs. */
static void mark_outputs(nnm_draft *draft, nnm_tensor_id x)
{
    if (draft->status) return;
    size_t producer =
        x < nnm_graph_tensor_count(draft->graph) ? nnm_graph_tensor(draft->graph, x)->producer : NNM_NO_NODE;
    if (producer == NNM_NO_NODE) {
        nnm_draft_fail(draft, "what the kernel returns as its output is computed by no operator");
        return;
    }
    const nnm_node *last = nnm_graph_node(draft->graph, producer);
    for (size_t i = 0; i < last->output_count; i++)
        fail(draft, nnm_graph_mark_output(draft->graph, last->outputs[i], draft->err));
}

nnm_status nnm_draft_run(nnm_graph **out, const nnm_kernel *kernel, const nnm_kernel_config *config,
                         const nnm_shape *shapes, size_t shape_count, nnm_draft_step *const *steps, size_t step_count,
                         const nnm_graph_options *options, nnm_error *err)
{
    nnm_draft draft = {.kernel = kernel,
                       .config = config,
                       .layout = options->layout,
                       .seed = options->seed,
                       .zero_weights = options->zero_weights,
                       .err = err};
    nnm_status status = nnm_graph_new(&draft.graph, options->layout, err);
    if (status) return status;
    nnm_draft_inputs(&draft, shapes, shape_count, options->batch_size);
    nnm_tensor_id x = draft.inputs[0];
    for (size_t i = 0; i < step_count && steps[i] && !draft.status; i++)
        x = steps[i](&draft, x);
    mark_outputs(&draft, x);
    if (!draft.status) draft.status = check_sizes(draft.graph, err);
    if (draft.status)
        nnm_graph_free(draft.graph);
    else
        *out = draft.graph;
    return draft.status;
}

nnm_status nnm_kernel_build_graph(nnm_graph **out, const nnm_kernel *kernel, const nnm_kernel_config *config,
                                  const nnm_graph_options *options, nnm_error *err)
{
    if (options->batch_size < 1)
        return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "the batch size is %" PRId64 "; it must be at least 1",
                        options->batch_size);
    nnm_status status = nnm_kernel_config_check(kernel, config, err);
    if (status) return status;
    if (kernel->kind->source) {
        status = nnm_kernel_check_layout(kernel, options->layout, err);
        return status ? status : kernel->kind->source->build(kernel->kind->source->context, config, options, out, err);
    }
    if ((status = nnm_kernel_check_sizes(kernel, config, options->batch_size, err)))
        return nnm_context(err, status, "batch size %" PRId64, options->batch_size);

    nnm_shape shapes[NNM_KERNEL_MAX_INPUTS];
    size_t count = kernel->kind->inputs(kernel, config, options->layout, shapes);
    status = nnm_draft_run(out, kernel, config, shapes, count, kernel->steps, NNM_KERNEL_MAX_STEPS, options, err);
    return nnm_context(err, status, "%s", kernel->name);
}
