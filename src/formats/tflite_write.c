#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "formats/tflite_plan.h"
#include "formats/tflite_schema.h"
#include "nnmeter/model_file.h"

#define CHUNK_VALUES 4096

/* Floats lie in files, which are little-endian, as they lie in memory. */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "TensorFlow Lite files are written and read on little-endian machines only"
#endif

/* Everything but the contents of buffers is made in memory; the buffers follow it in the file, each at its place. */
typedef struct layout {
    nnm_buffer head;
    size_t *places; /* for each buffer where its vector begins */
    size_t size_bytes;
} layout;

static void put_codes(const nnm_tfl_plan *plan, nnm_buffer *out, size_t link)
{
    size_t first = nnm_fb_links(out, link, plan->code_count);
    for (size_t i = 0; i < plan->code_count; i++) {
        const nnm_tfl_code *code = &plan->codes[i];
        nnm_fb_field fields[] = {{NNM_TFL_CODE_DEPRECATED_BUILTIN, NNM_FB_BYTE, code->builtin, 0},
                                 {NNM_TFL_CODE_VERSION, NNM_FB_INT, code->version, 0},
                                 {NNM_TFL_CODE_BUILTIN, NNM_FB_INT, code->builtin, 0}};
        nnm_fb_table(out, first + 4 * i, fields, sizeof fields / sizeof *fields);
    }
}

static void put_shape(nnm_buffer *out, size_t link, const nnm_shape *shape)
{
    int32_t dims[NNM_MAX_RANK];
    for (size_t i = 0; i < shape->rank; i++)
        dims[i] = (int32_t)shape->dim[i];
    nnm_fb_ints(out, link, dims, shape->rank);
}

static void put_tensors(const nnm_tfl_plan *plan, nnm_buffer *out, size_t link)
{
    size_t first = nnm_fb_links(out, link, plan->tensor_count);
    for (size_t i = 0; i < plan->tensor_count; i++) {
        const nnm_tfl_tensor *tensor = &plan->tensors[i];
        nnm_fb_field fields[] = {{NNM_TFL_TENSOR_SHAPE, NNM_FB_LINK, 0, 0},
                                 {NNM_TFL_TENSOR_TYPE, NNM_FB_BYTE, tensor->type, 0},
                                 {NNM_TFL_TENSOR_BUFFER, NNM_FB_INT, (int32_t)tensor->buffer, 0},
                                 {NNM_TFL_TENSOR_NAME, NNM_FB_LINK, 0, 0}};
        nnm_fb_table(out, first + 4 * i, fields, sizeof fields / sizeof *fields);
        put_shape(out, fields[0].at, &tensor->shape);
        nnm_fb_string(out, fields[3].at, tensor->name);
    }
}

static void put_options(nnm_buffer *out, size_t link, const nnm_tfl_operator *op)
{
    nnm_fb_field fields[NNM_TFL_MAX_FIELDS];
    memcpy(fields, op->options, op->option_count * sizeof *fields);
    if (op->new_shape.rank == 0) {
        nnm_fb_table(out, link, fields, op->option_count);
        return;
    }
    fields[0] = (nnm_fb_field){NNM_TFL_RESHAPE_NEW_SHAPE, NNM_FB_LINK, 0, 0};
    nnm_fb_table(out, link, fields, 1);
    put_shape(out, fields[0].at, &op->new_shape);
}

static void put_operators(const nnm_tfl_plan *plan, nnm_buffer *out, size_t link)
{
    size_t first = nnm_fb_links(out, link, plan->operator_count);
    for (size_t i = 0; i < plan->operator_count; i++) {
        const nnm_tfl_operator *op = &plan->operators[i];
        nnm_fb_field fields[] = {{NNM_TFL_OPERATOR_CODE, NNM_FB_INT, (int32_t)op->code, 0},
                                 {NNM_TFL_OPERATOR_INPUTS, NNM_FB_LINK, 0, 0},
                                 {NNM_TFL_OPERATOR_OUTPUTS, NNM_FB_LINK, 0, 0},
                                 {NNM_TFL_OPERATOR_OPTIONS_TYPE, NNM_FB_BYTE, op->options_type, 0},
                                 {NNM_TFL_OPERATOR_OPTIONS, NNM_FB_LINK, 0, 0}};
        bool has_options = op->options_type != NNM_TFL_NO_OPTIONS;
        nnm_fb_table(out, first + 4 * i, fields, has_options ? 5 : 3);
        nnm_fb_ints(out, fields[1].at, op->inputs, op->input_count);
        nnm_fb_ints(out, fields[2].at, op->outputs, op->output_count);
        if (has_options) put_options(out, fields[4].at, op);
    }
}

/* The graph's inputs or outputs; NO_MEMORY is remembered in `out`. */
static void put_ends(const nnm_tfl_plan *plan, nnm_buffer *out, size_t link, size_t count,
                     nnm_tensor_id (*at)(const nnm_graph *graph, size_t index))
{
    int32_t *ids = nnm_calloc(count, sizeof *ids);
    if (!ids) {
        out->failed = true;
        return;
    }
    for (size_t i = 0; i < count; i++)
        ids[i] = plan->tensor_of[at(plan->graph, i)];
    nnm_fb_ints(out, link, ids, count);
    free(ids);
}

static void put_subgraph(const nnm_tfl_plan *plan, nnm_buffer *out, size_t link)
{
    nnm_fb_field fields[] = {{NNM_TFL_SUBGRAPH_TENSORS, NNM_FB_LINK, 0, 0},
                             {NNM_TFL_SUBGRAPH_INPUTS, NNM_FB_LINK, 0, 0},
                             {NNM_TFL_SUBGRAPH_OUTPUTS, NNM_FB_LINK, 0, 0},
                             {NNM_TFL_SUBGRAPH_OPERATORS, NNM_FB_LINK, 0, 0},
                             {NNM_TFL_SUBGRAPH_NAME, NNM_FB_LINK, 0, 0}};
    nnm_fb_table(out, nnm_fb_links(out, link, 1), fields, sizeof fields / sizeof *fields);
    put_tensors(plan, out, fields[0].at);
    put_ends(plan, out, fields[1].at, nnm_graph_input_count(plan->graph), nnm_graph_input);
    put_ends(plan, out, fields[2].at, nnm_graph_output_count(plan->graph), nnm_graph_output);
    put_operators(plan, out, fields[3].at);
    nnm_fb_string(out, fields[4].at, "main");
}

/* Buffer 0 is the empty one that computed tensors name. Links to contents stay open: `links` gets their places. */
static void put_buffers(const nnm_tfl_plan *plan, nnm_buffer *out, size_t link, size_t *links)
{
    size_t first = nnm_fb_links(out, link, plan->data_count + 1);
    nnm_fb_table(out, first, NULL, 0);
    for (size_t i = 0; i < plan->data_count; i++) {
        nnm_fb_field data = {NNM_TFL_BUFFER_DATA, NNM_FB_LINK, 0, 0};
        nnm_fb_table(out, first + 4 * (i + 1), &data, 1);
        links[i] = data.at;
    }
}

static nnm_status lay_out(layout *file, const nnm_tfl_plan *plan, nnm_error *err)
{
    nnm_buffer *out = &file->head;
    size_t *links = nnm_calloc(plan->data_count, sizeof *links);
    file->places = nnm_calloc(plan->data_count, sizeof *file->places);
    if (!links || !file->places) {
        free(links);
        return nnm_fail_memory(err);
    }
    nnm_fb_field fields[] = {{NNM_TFL_MODEL_VERSION, NNM_FB_INT, NNM_TFL_SCHEMA_VERSION, 0},
                             {NNM_TFL_MODEL_OPERATOR_CODES, NNM_FB_LINK, 0, 0},
                             {NNM_TFL_MODEL_SUBGRAPHS, NNM_FB_LINK, 0, 0},
                             {NNM_TFL_MODEL_DESCRIPTION, NNM_FB_LINK, 0, 0},
                             {NNM_TFL_MODEL_BUFFERS, NNM_FB_LINK, 0, 0}};
    nnm_fb_table(out, nnm_fb_begin(out, NNM_TFL_IDENTIFIER), fields, sizeof fields / sizeof *fields);
    put_codes(plan, out, fields[1].at);
    put_subgraph(plan, out, fields[2].at);
    nnm_fb_string(out, fields[3].at, "nn-meter");
    put_buffers(plan, out, fields[4].at, links);
    size_t end = out->size;
    for (size_t i = 0; i < plan->data_count; i++) {
        file->places[i] = nnm_fb_place(end, NNM_TFL_DATA_ALIGNMENT);
        nnm_fb_close(out, links[i], file->places[i]);
        end = file->places[i] + 4 + plan->data[i].size_bytes;
    }
    file->size_bytes = end;
    free(links);
    return nnm_buffer_check(out, err);
}

/* ---- the file ---- */

/* Writes to `stream`; once that failed, later calls do nothing. `error` is errno of the first failure. */
typedef struct sink {
    FILE *stream;
    size_t at;
    int error;
} sink;

static void put(sink *out, const void *bytes, size_t size)
{
    if (!out->error && size && fwrite(bytes, 1, size, out->stream) != size) out->error = errno ? errno : EIO;
    out->at += size;
}

static void put_values(sink *out, const nnm_tfl_data *data)
{
    float chunk[CHUNK_VALUES];
    size_t filled = 0, index[4];
    const size_t *dim = data->dim, *stride = data->stride;
    for (index[0] = 0; index[0] < dim[0]; index[0]++)
        for (index[1] = 0; index[1] < dim[1]; index[1]++)
            for (index[2] = 0; index[2] < dim[2]; index[2]++)
                for (index[3] = 0; index[3] < dim[3]; index[3]++) {
                    float value = data->values[index[0] * stride[0] + index[1] * stride[1] + index[2] * stride[2] +
                                               index[3] * stride[3]];
                    if (data->factors) value = (float)((double)value * data->factors[index[data->factor_axis]]);
                    chunk[filled++] = value;
                    if (filled < CHUNK_VALUES) continue;
                    put(out, chunk, sizeof chunk);
                    filled = 0;
                }
    put(out, chunk, filled * sizeof *chunk);
}

static void put_file(sink *out, const layout *file, const nnm_tfl_plan *plan)
{
    static const char zeros[NNM_TFL_DATA_ALIGNMENT + 4] = {0};
    put(out, file->head.data, file->head.size);
    for (size_t i = 0; i < plan->data_count && !out->error; i++) {
        const nnm_tfl_data *data = &plan->data[i];
        uint32_t size = (uint32_t)data->size_bytes;
        put(out, zeros, file->places[i] - out->at);
        put(out, &size, sizeof size);
        if (data->owned)
            put(out, data->owned, data->size_bytes);
        else
            put_values(out, data);
    }
}

static nnm_status write_file(const layout *file, const nnm_tfl_plan *plan, const char *path, nnm_error *err)
{
    if (file->size_bytes > NNM_TFL_MAX_FILE_BYTES)
        return nnm_fail(err, NNM_ERR_UNSUPPORTED,
                        "cannot write '%s': it would have %zu bytes; TensorFlow Lite allows %d", path, file->size_bytes,
                        NNM_TFL_MAX_FILE_BYTES);
    nnm_atomic_file atomic;
    nnm_status status = nnm_atomic_file_open(&atomic, path, err);
    if (status) return status;
    sink out = {.stream = atomic.stream};
    put_file(&out, file, plan);
    if (out.error) {
        errno = out.error;
        status = nnm_fail_errno(err, "cannot write '%s'", path);
        nnm_atomic_file_discard(&atomic);
        return status;
    }
    return nnm_atomic_file_commit(&atomic, err);
}

nnm_status nnm_tflite_write(const nnm_graph *graph, const char *path, nnm_error *err)
{
    if (nnm_graph_layout(graph) != NNM_LAYOUT_NHWC)
        return nnm_fail(err, NNM_ERR_UNSUPPORTED,
                        "cannot write '%s': TensorFlow Lite needs the layout NHWC, the graph is NCHW", path);
    if (nnm_graph_output_count(graph) == 0)
        return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "cannot write '%s': the graph has no output", path);
    nnm_tfl_plan plan;
    layout file = {.places = NULL};
    nnm_status status = nnm_tfl_plan_make(&plan, graph, err);
    if (!status) status = lay_out(&file, &plan, err);
    status = status ? nnm_context(err, status, "cannot write '%s'", path) : write_file(&file, &plan, path, err);
    nnm_buffer_fini(&file.head);
    free(file.places);
    nnm_tfl_plan_fini(&plan);
    return status;
}
