#include "backends/onednn_memory.h"

#ifdef NNM_HAVE_ONEDNN

#include <string.h>

#include "base/error.h"
#include "base/memory.h"

nnm_status nnm_onednn_check(dnnl_status_t status, const char *doing, nnm_error *err)
{
    switch (status) {
    case dnnl_success: return NNM_OK;
    case dnnl_out_of_memory: return nnm_fail(err, NNM_ERR_NO_MEMORY, "oneDNN cannot %s: out of memory", doing);
    case dnnl_invalid_arguments: return nnm_fail(err, NNM_ERR_BACKEND, "oneDNN cannot %s: invalid arguments", doing);
    case dnnl_unimplemented: return nnm_fail(err, NNM_ERR_BACKEND, "oneDNN cannot %s: not implemented there", doing);
    default: return nnm_fail(err, NNM_ERR_BACKEND, "oneDNN cannot %s: status %d", doing, (int)status);
    }
}

/* ---- descriptions; the calls cannot fail for shapes that a graph has ---- */

static bool has_channels_last(const nnm_graph *graph, const nnm_shape *shape)
{
    return nnm_graph_layout(graph) == NNM_LAYOUT_NHWC && shape->rank == 4;
}

int nnm_onednn_dims(const nnm_graph *graph, nnm_tensor_id id, dnnl_dims_t dims)
{
    const nnm_shape *shape = &nnm_graph_tensor(graph, id)->shape;
    for (size_t i = 0; i < shape->rank; i++)
        dims[i] = shape->dim[i];
    if (has_channels_last(graph, shape)) {
        dims[1] = shape->dim[3];
        dims[2] = shape->dim[1];
        dims[3] = shape->dim[2];
    }
    return (int)shape->rank;
}

int nnm_onednn_channel_axis(const nnm_graph *graph, nnm_tensor_id id)
{
    size_t rank = nnm_graph_tensor(graph, id)->shape.rank;
    return nnm_graph_layout(graph) == NNM_LAYOUT_NHWC && rank != 4 ? (int)rank - 1 : 1;
}

void nnm_onednn_dense_desc(int rank, const dnnl_dims_t dims, dnnl_memory_desc_t *out)
{
    dnnl_dims_t strides = {0};
    int64_t stride = 1;
    for (int i = rank; i-- > 0;) {
        strides[i] = stride;
        stride *= dims[i];
    }
    (void)dnnl_memory_desc_init_by_strides(out, rank, dims, dnnl_f32, strides);
}

void nnm_onednn_file_desc(const nnm_graph *graph, nnm_tensor_id id, dnnl_memory_desc_t *out)
{
    dnnl_dims_t dims;
    int rank = nnm_onednn_dims(graph, id, dims);
    if (has_channels_last(graph, &nnm_graph_tensor(graph, id)->shape)) {
        (void)dnnl_memory_desc_init_by_tag(out, rank, dims, dnnl_f32, dnnl_nhwc);
    } else {
        nnm_onednn_dense_desc(rank, dims, out);
    }
}

void nnm_onednn_any_desc(const nnm_graph *graph, nnm_tensor_id id, dnnl_memory_desc_t *out)
{
    dnnl_dims_t dims;
    int rank = nnm_onednn_dims(graph, id, dims);
    (void)dnnl_memory_desc_init_by_tag(out, rank, dims, dnnl_f32, dnnl_format_tag_any);
}

void nnm_onednn_usual_desc(const nnm_onednn_builder *b, int rank, const dnnl_dims_t dims, dnnl_memory_desc_t *out)
{
    nnm_onednn_dense_desc(rank, dims, out);
    if (rank != 4) return;
    const dnnl_dims_t kernel = {dims[1], dims[1], 1, 1}, one = {1, 1}, zero = {0, 0};
    dnnl_memory_desc_t data, weights;
    dnnl_convolution_desc_t convolution;
    dnnl_primitive_desc_t found = NULL;
    (void)dnnl_memory_desc_init_by_tag(&data, rank, dims, dnnl_f32, dnnl_format_tag_any);
    (void)dnnl_memory_desc_init_by_tag(&weights, rank, kernel, dnnl_f32, dnnl_format_tag_any);
    if (dnnl_convolution_forward_desc_init(&convolution, dnnl_forward_inference, dnnl_convolution_direct, &data,
                                           &weights, NULL, &data, one, zero, zero) != dnnl_success)
        return;
    if (dnnl_primitive_desc_create(&found, &convolution, NULL, b->session->engine, NULL) != dnnl_success) return;
    *out = *dnnl_primitive_desc_query_md(found, dnnl_query_src_md, 0);
    (void)dnnl_primitive_desc_destroy(found);
}

void nnm_onednn_tensor_desc(const nnm_onednn_builder *b, nnm_tensor_id id, dnnl_memory_desc_t *out)
{
    const dnnl_memory_desc_t *desc = NULL;
    if (b->tensors[id] && dnnl_memory_get_memory_desc(b->tensors[id], &desc) == dnnl_success) {
        *out = *desc;
        return;
    }
    dnnl_dims_t dims;
    int rank = nnm_onednn_dims(b->graph, id, dims);
    nnm_onednn_usual_desc(b, rank, dims, out);
}

/* ---- memories ---- */

nnm_status nnm_onednn_new_memory(const nnm_onednn_builder *b, const dnnl_memory_desc_t *desc, void *data,
                                 dnnl_memory_t *out)
{
    nnm_session *s = b->session;
    void *grown = s->memories;
    nnm_status status = nnm_grow(&grown, &s->memory_capacity, s->memory_count + 1, sizeof *s->memories, b->err);
    s->memories = grown;
    if (status) return status;
    dnnl_memory_t memory = NULL;
    status = nnm_onednn_check(dnnl_memory_create(&memory, desc, s->engine, data ? data : DNNL_MEMORY_ALLOCATE),
                              "allocate a tensor", b->err);
    if (status) return status;
    s->memories[s->memory_count++] = memory;
    *out = memory;
    return NNM_OK;
}

nnm_status nnm_onednn_view(const nnm_onednn_builder *b, dnnl_memory_t memory, const dnnl_memory_desc_t *desc,
                           dnnl_memory_t *out)
{
    void *data = NULL;
    nnm_status status = nnm_onednn_check(dnnl_memory_get_data_handle(memory, &data), "look at a tensor", b->err);
    return status ? status : nnm_onednn_new_memory(b, desc, data, out);
}

nnm_status nnm_onednn_read(nnm_onednn_builder *b, nnm_tensor_id id, const dnnl_memory_desc_t *desc, dnnl_memory_t *out)
{
    if (!b->tensors[id]) {
        nnm_status status = nnm_onednn_new_memory(b, desc, NULL, &b->tensors[id]);
        if (status) return status;
    }
    dnnl_memory_desc_t present;
    nnm_onednn_tensor_desc(b, id, &present);
    if (dnnl_memory_desc_equal(&present, desc)) {
        *out = b->tensors[id];
        return NNM_OK;
    }
    dnnl_memory_t copy = NULL;
    nnm_status status = nnm_onednn_new_memory(b, desc, NULL, &copy);
    if (status == NNM_OK) status = nnm_onednn_add_copy(b, copy, desc, b->tensors[id], &present);
    if (status == NNM_OK) *out = copy;
    return status;
}

/* ---- calls ---- */

nnm_status nnm_onednn_add_call(const nnm_onednn_builder *b, const_dnnl_primitive_desc_t desc,
                               const dnnl_exec_arg_t *arguments, int argument_count, const char *doing)
{
    nnm_session *s = b->session;
    void *grown = s->calls;
    nnm_status status = nnm_grow(&grown, &s->call_capacity, s->call_count + 1, sizeof *s->calls, b->err);
    s->calls = grown;
    if (status) return status;
    nnm_onednn_call call = {.argument_count = argument_count};
    memcpy(call.arguments, arguments, (size_t)argument_count * sizeof *arguments);
    status = nnm_onednn_check(dnnl_primitive_create(&call.primitive, desc), doing, b->err);
    if (status == NNM_OK) s->calls[s->call_count++] = call;
    return status;
}

nnm_status nnm_onednn_add_copy(const nnm_onednn_builder *b, dnnl_memory_t to, const dnnl_memory_desc_t *to_desc,
                               dnnl_memory_t from, const dnnl_memory_desc_t *from_desc)
{
    dnnl_primitive_desc_t desc = NULL;
    dnnl_engine_t engine = b->session->engine;
    nnm_status status =
        nnm_onednn_check(dnnl_reorder_primitive_desc_create(&desc, from_desc, engine, to_desc, engine, NULL),
                         "copy a tensor to another layout", b->err);
    if (status) return status;
    const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
    status = nnm_onednn_add_call(b, desc, arguments, 2, "copy a tensor to another layout");
    (void)dnnl_primitive_desc_destroy(desc);
    return status;
}

/* ---- copies at once ---- */

nnm_status nnm_onednn_copy(nnm_session *session, dnnl_memory_t to, dnnl_memory_t from, nnm_error *err)
{
    static const char doing[] = "copy a tensor";
    const dnnl_memory_desc_t *to_desc = NULL, *from_desc = NULL;
    dnnl_primitive_desc_t desc = NULL;
    dnnl_primitive_t primitive = NULL;
    dnnl_engine_t engine = session->engine;
    nnm_status status = nnm_onednn_check(dnnl_memory_get_memory_desc(to, &to_desc), doing, err);
    if (status == NNM_OK) status = nnm_onednn_check(dnnl_memory_get_memory_desc(from, &from_desc), doing, err);
    if (status == NNM_OK)
        status = nnm_onednn_check(dnnl_reorder_primitive_desc_create(&desc, from_desc, engine, to_desc, engine, NULL),
                                  doing, err);
    if (status == NNM_OK) status = nnm_onednn_check(dnnl_primitive_create(&primitive, desc), doing, err);
    const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
    if (status == NNM_OK)
        status = nnm_onednn_check(dnnl_primitive_execute(primitive, session->stream, 2, arguments), doing, err);
    if (status == NNM_OK) status = nnm_onednn_check(dnnl_stream_wait(session->stream), doing, err);
    if (primitive) (void)dnnl_primitive_destroy(primitive);
    if (desc) (void)dnnl_primitive_desc_destroy(desc);
    return status;
}

nnm_status nnm_onednn_copy_out(nnm_session *session, float *data, const dnnl_memory_desc_t *desc, dnnl_memory_t from,
                               nnm_error *err)
{
    dnnl_memory_t buffer = NULL;
    nnm_status status =
        nnm_onednn_check(dnnl_memory_create(&buffer, desc, session->engine, data), "describe a buffer", err);
    if (status) return status;
    status = nnm_onednn_copy(session, buffer, from, err);
    (void)dnnl_memory_destroy(buffer);
    return status;
}

nnm_status nnm_onednn_copy_in(nnm_session *session, dnnl_memory_t to, const dnnl_memory_desc_t *desc, const float *data,
                              nnm_error *err)
{
    dnnl_memory_t buffer = NULL;
    void *unwritten; /* oneDNN has one type of memory, also for what is only read */
    memcpy(&unwritten, &data, sizeof unwritten);
    nnm_status status =
        nnm_onednn_check(dnnl_memory_create(&buffer, desc, session->engine, unwritten), "describe a buffer", err);
    if (status) return status;
    status = nnm_onednn_copy(session, to, buffer, err);
    (void)dnnl_memory_destroy(buffer);
    return status;
}

#endif
