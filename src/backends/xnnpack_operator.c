/* Layers that the subgraph interface does not have: concat and split as copies with strides, channel shuffle. */
#include "backends/xnnpack_build.h"

#ifdef NNM_HAVE_XNNPACK

static size_t channels_of(const nnm_xnnpack_build *b, nnm_tensor_id id)
{
    size_t dims[NNM_MAX_RANK];
    nnm_xnnpack_dims(b->graph, id, dims);
    return dims[nnm_graph_tensor(b->graph, id)->shape.rank - 1];
}

/* How many channel vectors there are: pixels of all images. */
static size_t vectors_of(const nnm_xnnpack_build *b, nnm_tensor_id id)
{
    return (size_t)nnm_shape_elements(&nnm_graph_tensor(b->graph, id)->shape) / channels_of(b, id);
}

/* Copies `channels` of each vector between vectors that are `in_stride` and `out_stride` apart. */
static nnm_status add_copy(nnm_xnnpack_build *b, size_t channels, size_t vectors, float *in, size_t in_stride,
                           float *out, size_t out_stride)
{
    nnm_xnnpack_step *step = NULL;
    nnm_status status = nnm_xnnpack_add_step(b, &step);
    if (status) return status;
    status = nnm_xnnpack_check(xnn_create_copy_nc_x32(channels, in_stride, out_stride, 0, &step->op), "create a copy",
                               b->err);
    if (status) return status;
    return nnm_xnnpack_check(xnn_setup_copy_nc_x32(step->op, vectors, in, out, b->session->pool), "set up a copy",
                             b->err);
}

static nnm_status add_concat(nnm_xnnpack_build *b, const nnm_layer *layer)
{
    size_t total = channels_of(b, layer->output), vectors = vectors_of(b, layer->output), offset = 0;
    nnm_status status = NNM_OK;
    for (size_t i = 0; i < layer->node->input_count && status == NNM_OK; i++) {
        nnm_tensor_id x = layer->node->inputs[i];
        size_t channels = channels_of(b, x);
        status = add_copy(b, channels, vectors, b->buffer[x], channels, b->buffer[layer->output] + offset, total);
        offset += channels;
    }
    return status;
}

static nnm_status add_split(nnm_xnnpack_build *b, const nnm_layer *layer)
{
    size_t total = channels_of(b, layer->input), vectors = vectors_of(b, layer->input), offset = 0;
    nnm_status status = NNM_OK;
    for (size_t i = 0; i < layer->node->output_count && status == NNM_OK; i++) {
        nnm_tensor_id y = layer->node->outputs[i];
        size_t channels = channels_of(b, y);
        status = add_copy(b, channels, vectors, b->buffer[layer->input] + offset, total, b->buffer[y], channels);
        offset += channels;
    }
    return status;
}

static nnm_status add_channel_shuffle(nnm_xnnpack_build *b, const nnm_layer *layer)
{
    size_t channels = channels_of(b, layer->input), vectors = vectors_of(b, layer->input);
    size_t groups = (size_t)layer->node->attributes.groups;
    float *in = b->buffer[layer->input], *out = b->buffer[layer->output];
    if (groups == channels) return add_copy(b, channels, vectors, in, channels, out, channels); /* nothing moves */
    nnm_xnnpack_step *step = NULL;
    nnm_status status = nnm_xnnpack_add_step(b, &step);
    if (status) return status;
    status = nnm_xnnpack_check(
        xnn_create_channel_shuffle_nc_x32(groups, channels / groups, channels, channels, 0, &step->op),
        "create a channel shuffle", b->err);
    if (status) return status;
    return nnm_xnnpack_check(xnn_setup_channel_shuffle_nc_x32(step->op, vectors, in, out, b->session->pool),
                             "set up a channel shuffle", b->err);
}

nnm_status nnm_xnnpack_add_operator(nnm_xnnpack_build *b, const nnm_layer *layer)
{
    switch (layer->node->op) {
    case NNM_OP_CONCAT: return add_concat(b, layer);
    case NNM_OP_SPLIT: return add_split(b, layer);
    default: return add_channel_shuffle(b, layer);
    }
}

#endif
