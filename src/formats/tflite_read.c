#include "formats/tflite_read.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "formats/tflite_schema.h"
#include "graph/names.h"
#include "graph/shape.h"
#include "nnmeter/model_file.h"

#define FORMAT_NAME "TensorFlow Lite"

/* Constants are copied out of the file, some in two forms; names and batch norms come on top. */
#define BUDGET_FACTOR 4
#define BUDGET_EXTRA ((size_t)1 << 20)

nnm_status nnm_tfl_as_value(nnm_status status, nnm_error *err)
{
    if (status != NNM_ERR_INVALID_ARGUMENT) return status;
    if (err) err->code = NNM_ERR_VALUE;
    return NNM_ERR_VALUE;
}

int64_t nnm_tfl_input(const nnm_tfl_reader *reader, const nnm_tfl_step *step, size_t index)
{
    return index < step->inputs.count ? nnm_fb_int_at(&reader->file, &step->inputs, index) : -1;
}

int64_t nnm_tfl_output(const nnm_tfl_reader *reader, const nnm_tfl_step *step, size_t index)
{
    return index < step->outputs.count ? nnm_fb_int_at(&reader->file, &step->outputs, index) : -1;
}

/* ---- names ---- */

static nnm_status spend(nnm_tfl_reader *reader, size_t bytes)
{
    if (bytes > reader->budget)
        return nnm_fail(reader->err, NNM_ERR_VALUE,
                        "constants and names that many tensors share would take far more memory than the file has");
    reader->budget -= bytes;
    return NNM_OK;
}

/* The value's own name, for messages and as a stem; texts end at a zero byte. */
static char *own_name(const nnm_tfl_reader *reader, size_t value)
{
    const nnm_fb_vector *name = &reader->values[value].name;
    if (name->count == 0) return nnm_format("tensor_%zu", value);
    char *text = nnm_calloc(name->count + 1, 1);
    if (text) memcpy(text, reader->file.bytes + name->at, name->count);
    if (!text || *text) return text;
    free(text);
    return nnm_format("tensor_%zu", value);
}

static bool taken(const nnm_graph *graph, const char *name, bool pair)
{
    nnm_tensor_id id;
    if (nnm_graph_find(graph, name, &id)) return true;
    char *second = pair ? nnm_format("%s_2", name) : NULL;
    bool found = second && nnm_graph_find(graph, second, &id);
    free(second);
    return found;
}

nnm_status nnm_tfl_name(nnm_tfl_reader *reader, size_t value, const char *suffix, bool pair, char **out)
{
    nnm_status status = spend(reader, reader->values[value].name.count + 16);
    if (status) return status;
    char *stem = own_name(reader, value);
    char *name = !stem ? NULL : suffix ? nnm_format("%s/%s", stem, suffix) : nnm_strdup(stem);
    while (name && taken(reader->graph, name, pair)) {
        free(name);
        name = nnm_format("%s_%zu", stem, ++reader->name_number);
    }
    free(stem);
    if (!name) return nnm_fail_memory(reader->err);
    *out = name;
    return NNM_OK;
}

/* Puts "tensor 'name'" before an error. */
static nnm_status in_value(const nnm_tfl_reader *reader, size_t value, nnm_status status)
{
    if (!status) return NNM_OK;
    char *name = own_name(reader, value);
    nnm_context(reader->err, status, "tensor '%s'", name ? name : "");
    free(name);
    return status;
}

/* ---- values ---- */

nnm_status nnm_tfl_shape(const nnm_tfl_reader *reader, size_t value, nnm_shape *shape)
{
    const nnm_fb_vector *dims = &reader->values[value].shape;
    nnm_shape found = {dims->count, {0}};
    if (dims->count > NNM_MAX_RANK)
        return nnm_fail(reader->err, NNM_ERR_UNSUPPORTED, "it has %zu dimensions; at most %d are supported",
                        dims->count, NNM_MAX_RANK);
    for (size_t i = 0; i < dims->count; i++) {
        found.dim[i] = nnm_fb_int_at(&reader->file, dims, i);
        if (found.dim[i] < 1)
            return nnm_fail(reader->err, NNM_ERR_VALUE, "dimension %zu is %" PRId64 "; it must be at least 1", i,
                            found.dim[i]);
    }
    if (nnm_shape_elements(&found) < 0) return nnm_fail(reader->err, NNM_ERR_VALUE, "its shape has too many elements");
    *shape = found;
    return NNM_OK;
}

static const char *type_name(unsigned type)
{
    static const char *const names[] = {"FLOAT32", "FLOAT16", "INT32",     "UINT8", "INT64",   "STRING",
                                        "BOOL",    "INT16",   "COMPLEX64", "INT8",  "FLOAT64", "COMPLEX128"};
    return type < sizeof names / sizeof *names ? names[type] : "an unknown type";
}

static nnm_status check_type(const nnm_tfl_reader *reader, const nnm_tfl_value *value, unsigned type)
{
    if (value->type != type)
        return nnm_fail(reader->err, NNM_ERR_UNSUPPORTED, "its elements are %s; only %s is supported here",
                        type_name(value->type), type_name(type));
    if (value->odd)
        return nnm_fail(reader->err, NNM_ERR_UNSUPPORTED, "it is a variable or sparse; that is not supported");
    return NNM_OK;
}

nnm_status nnm_tfl_computed(nnm_tfl_reader *reader, int64_t value, nnm_tensor_id *id)
{
    if (value < 0) return nnm_fail(reader->err, NNM_ERR_VALUE, "an input is missing");
    const nnm_tfl_value *found = &reader->values[value];
    if (found->data.count) {
        return in_value(reader, (size_t)value,
                        nnm_fail(reader->err, NNM_ERR_UNSUPPORTED, "it is a constant; that is not supported here"));
    }
    if (!found->known)
        return in_value(reader, (size_t)value,
                        nnm_fail(reader->err, NNM_ERR_VALUE, "it is read before an operator computes it"));
    *id = found->id;
    return NNM_OK;
}

bool nnm_tfl_is_constant(const nnm_tfl_reader *reader, int64_t value)
{
    return value >= 0 && reader->values[value].data.count > 0;
}

/* Checks that a constant has elements of `type`, four bytes each, as many as its shape says. */
static nnm_status check_constant(const nnm_tfl_reader *reader, int64_t value, unsigned type, nnm_shape *shape)
{
    if (value < 0) return nnm_fail(reader->err, NNM_ERR_VALUE, "an input is missing");
    const nnm_tfl_value *found = &reader->values[value];
    nnm_status status = NNM_OK;
    if (!found->data.count) status = nnm_fail(reader->err, NNM_ERR_UNSUPPORTED, "it must be a constant, but it is not");
    if (!status) status = check_type(reader, found, type);
    if (!status) status = nnm_tfl_shape(reader, (size_t)value, shape);
    if (!status && (uint64_t)nnm_shape_elements(shape) * 4 != found->data.count) {
        char text[NNM_SHAPE_TEXT_BYTES];
        status = nnm_fail(reader->err, NNM_ERR_VALUE, "the shape %s needs %" PRIu64 " bytes of data, but it has %zu",
                          nnm_shape_format(shape, text), (uint64_t)nnm_shape_elements(shape) * 4, found->data.count);
    }
    return in_value(reader, (size_t)value, status);
}

nnm_status nnm_tfl_check_floats(const nnm_tfl_reader *reader, int64_t value, nnm_shape *shape)
{
    return check_constant(reader, value, NNM_TFL_FLOAT32, shape);
}

float nnm_tfl_float_at(const nnm_tfl_reader *reader, int64_t value, size_t index)
{
    float number;
    memcpy(&number, reader->file.bytes + reader->values[value].data.at + index * sizeof number, sizeof number);
    return number;
}

nnm_status nnm_tfl_ints(const nnm_tfl_reader *reader, int64_t value, int32_t *out, size_t capacity, size_t *count)
{
    nnm_shape shape;
    nnm_status status = check_constant(reader, value, NNM_TFL_INT32, &shape);
    if (status) return status;
    *count = (size_t)nnm_shape_elements(&shape);
    nnm_fb_vector numbers = {reader->values[value].data.at, *count};
    for (size_t i = 0; i < *count && i < capacity; i++)
        out[i] = nnm_fb_int_at(&reader->file, &numbers, i);
    return NNM_OK;
}

nnm_status nnm_tfl_new_floats(nnm_tfl_reader *reader, size_t count, float **out)
{
    nnm_status status = spend(reader, count * sizeof **out);
    if (status) return status;
    float *block = nnm_calloc(count, sizeof *block);
    if (!block) return nnm_fail_memory(reader->err);
    *out = block;
    return NNM_OK;
}

nnm_status nnm_tfl_add_constant(nnm_tfl_reader *reader, size_t value, const char *suffix, const nnm_shape *shape,
                                float *data, nnm_tensor_id *id)
{
    char *name = NULL;
    nnm_status status = nnm_tfl_name(reader, value, suffix, false, &name);
    if (!status)
        status =
            nnm_tfl_as_value(nnm_graph_add_constant(reader->graph, name, shape, data, id, reader->err), reader->err);
    free(name);
    if (status) free(data);
    return status;
}

nnm_status nnm_tfl_constant(nnm_tfl_reader *reader, int64_t value, nnm_tensor_id *id)
{
    nnm_shape shape;
    nnm_status status = nnm_tfl_check_floats(reader, value, &shape);
    if (status) return status;
    nnm_tfl_value *found = &reader->values[value];
    if (!found->known) {
        float *data = NULL;
        size_t count = (size_t)nnm_shape_elements(&shape);
        if ((status = nnm_tfl_new_floats(reader, count, &data))) return status;
        memcpy(data, reader->file.bytes + found->data.at, count * sizeof *data);
        if ((status = nnm_tfl_add_constant(reader, (size_t)value, NULL, &shape, data, &found->id))) return status;
        found->known = true;
    }
    *id = found->id;
    return NNM_OK;
}

/* ---- what the file holds ---- */

/* Where a tensor's data lie; `*external` when they are not in the flatbuffer. */
static nnm_fb_vector buffer_data(nnm_tfl_reader *reader, uint32_t index, bool *external)
{
    nnm_fb_table_view buffer = nnm_fb_table_at(&reader->file, &reader->buffers, index);
    *external = nnm_fb_ulong(&reader->file, &buffer, NNM_TFL_BUFFER_OFFSET) > 1 ||
                nnm_fb_ulong(&reader->file, &buffer, NNM_TFL_BUFFER_SIZE) > 1;
    return nnm_fb_elements(&reader->file, &buffer, NNM_TFL_BUFFER_DATA, 1);
}

static nnm_status read_value(nnm_tfl_reader *reader, nnm_tfl_value *value, const nnm_fb_table_view *tensor)
{
    nnm_fb_file *file = &reader->file;
    bool external = false;
    value->shape = nnm_fb_elements(file, tensor, NNM_TFL_TENSOR_SHAPE, 4);
    value->type = nnm_fb_byte(file, tensor, NNM_TFL_TENSOR_TYPE);
    value->name = nnm_fb_elements(file, tensor, NNM_TFL_TENSOR_NAME, 1);
    value->odd =
        nnm_fb_byte(file, tensor, NNM_TFL_TENSOR_IS_VARIABLE) || nnm_fb_has(file, tensor, NNM_TFL_TENSOR_SPARSITY);
    value->user = NNM_TFL_NO_OPERATOR;
    uint32_t buffer = (uint32_t)nnm_fb_int(file, tensor, NNM_TFL_TENSOR_BUFFER, 0);
    if (buffer && buffer >= reader->buffers.count)
        return nnm_fail(reader->err, NNM_ERR_VALUE, "its data are in buffer %" PRIu32 ", but there are %zu", buffer,
                        reader->buffers.count);
    if (buffer) value->data = buffer_data(reader, buffer, &external);
    if (external)
        return nnm_fail(reader->err, NNM_ERR_UNSUPPORTED, "its data lie behind the flatbuffer; that is not supported");
    return NNM_OK;
}

static nnm_status read_values(nnm_tfl_reader *reader, const nnm_fb_table_view *subgraph)
{
    nnm_fb_vector tensors = nnm_fb_elements(&reader->file, subgraph, NNM_TFL_SUBGRAPH_TENSORS, 4);
    nnm_status status = nnm_fb_status(&reader->file, reader->err);
    if (status) return status;
    reader->values = nnm_calloc(tensors.count, sizeof *reader->values);
    if (!reader->values) return nnm_fail_memory(reader->err);
    reader->value_count = tensors.count;
    for (size_t i = 0; i < tensors.count && !status; i++) {
        nnm_fb_table_view tensor = nnm_fb_table_at(&reader->file, &tensors, i);
        status = read_value(reader, &reader->values[i], &tensor);
        if (!status)
            status = nnm_fb_status(&reader->file, reader->err);
        else
            status = in_value(reader, i, status);
    }
    return status;
}

static nnm_status check_indices(const nnm_tfl_reader *reader, const nnm_fb_vector *list, int32_t lowest)
{
    for (size_t i = 0; i < list->count; i++) {
        int32_t index = nnm_fb_int_at(&reader->file, list, i);
        if (index < lowest || (index >= 0 && (size_t)index >= reader->value_count))
            return nnm_fail(reader->err, NNM_ERR_VALUE, "it names tensor %" PRId32 ", but there are %zu", index,
                            reader->value_count);
    }
    return NNM_OK;
}

static nnm_status read_code(nnm_tfl_reader *reader, nnm_tfl_step *step, const nnm_fb_table_view *operator_table)
{
    nnm_fb_file *file = &reader->file;
    uint32_t index = (uint32_t)nnm_fb_int(file, operator_table, NNM_TFL_OPERATOR_CODE, 0);
    if (index >= reader->codes.count)
        return nnm_fail(reader->err, NNM_ERR_VALUE, "it has operator code %" PRIu32 ", but there are %zu", index,
                        reader->codes.count);
    nnm_fb_table_view code = nnm_fb_table_at(file, &reader->codes, index);
    int32_t old = (int32_t)nnm_fb_byte(file, &code, NNM_TFL_CODE_DEPRECATED_BUILTIN);
    int32_t extended = nnm_fb_int(file, &code, NNM_TFL_CODE_BUILTIN, 0);
    step->code = extended > old ? extended : old; /* files from before 2020 have only the old field */
    step->custom_name = nnm_fb_elements(file, &code, NNM_TFL_CODE_CUSTOM, 1);
    return nnm_fb_status(file, reader->err);
}

static nnm_status read_step(nnm_tfl_reader *reader, nnm_tfl_step *step, const nnm_fb_table_view *operator_table)
{
    nnm_fb_file *file = &reader->file;
    nnm_status status = read_code(reader, step, operator_table);
    if (status) return status;
    step->inputs = nnm_fb_elements(file, operator_table, NNM_TFL_OPERATOR_INPUTS, 4);
    step->outputs = nnm_fb_elements(file, operator_table, NNM_TFL_OPERATOR_OUTPUTS, 4);
    step->options = nnm_fb_child(file, operator_table, NNM_TFL_OPERATOR_OPTIONS);
    if ((status = nnm_fb_status(file, reader->err))) return status;
    if ((status = check_indices(reader, &step->inputs, -1))) return status;
    return check_indices(reader, &step->outputs, 0);
}

static nnm_status read_steps(nnm_tfl_reader *reader, const nnm_fb_table_view *subgraph)
{
    nnm_fb_vector operators = nnm_fb_elements(&reader->file, subgraph, NNM_TFL_SUBGRAPH_OPERATORS, 4);
    nnm_status status = nnm_fb_status(&reader->file, reader->err);
    if (status) return status;
    reader->steps = nnm_calloc(operators.count, sizeof *reader->steps);
    if (!reader->steps) return nnm_fail_memory(reader->err);
    reader->step_count = operators.count;
    for (size_t i = 0; i < operators.count && !status; i++) {
        nnm_fb_table_view table = nnm_fb_table_at(&reader->file, &operators, i);
        status = read_step(reader, &reader->steps[i], &table);
        if (status && status != NNM_ERR_PARSE) nnm_context(reader->err, status, "operator %zu", i);
    }
    return status;
}

static void find_users(nnm_tfl_reader *reader)
{
    const size_t several = NNM_TFL_NO_OPERATOR - 1;
    for (size_t i = 0; i < reader->outputs.count; i++)
        reader->values[nnm_fb_int_at(&reader->file, &reader->outputs, i)].user = several;
    for (size_t s = 0; s < reader->step_count; s++) {
        for (size_t i = 0; i < reader->steps[s].inputs.count; i++) {
            int64_t value = nnm_tfl_input(reader, &reader->steps[s], i);
            if (value < 0) continue;
            size_t *user = &reader->values[value].user;
            *user = *user == NNM_TFL_NO_OPERATOR ? s : several;
        }
    }
    for (size_t i = 0; i < reader->value_count; i++)
        if (reader->values[i].user == several) reader->values[i].user = NNM_TFL_NO_OPERATOR;
}

static nnm_status open_file(nnm_tfl_reader *reader)
{
    nnm_fb_file *file = &reader->file;
    nnm_fb_table_view model = nnm_fb_root(file, NNM_TFL_IDENTIFIER);
    int32_t version = nnm_fb_int(file, &model, NNM_TFL_MODEL_VERSION, 0);
    reader->codes = nnm_fb_elements(file, &model, NNM_TFL_MODEL_OPERATOR_CODES, 4);
    reader->buffers = nnm_fb_elements(file, &model, NNM_TFL_MODEL_BUFFERS, 4);
    nnm_fb_vector subgraphs = nnm_fb_elements(file, &model, NNM_TFL_MODEL_SUBGRAPHS, 4);
    nnm_status status = nnm_fb_status(file, reader->err);
    if (status) return status;
    if (version != NNM_TFL_SCHEMA_VERSION)
        return nnm_fail(reader->err, NNM_ERR_UNSUPPORTED, "schema version %" PRId32 " is not supported; %d is", version,
                        NNM_TFL_SCHEMA_VERSION);
    if (subgraphs.count != 1)
        return nnm_fail(reader->err, NNM_ERR_UNSUPPORTED, "it has %zu subgraphs; only models with one are supported",
                        subgraphs.count);
    nnm_fb_table_view subgraph = nnm_fb_table_at(file, &subgraphs, 0);
    reader->inputs = nnm_fb_elements(file, &subgraph, NNM_TFL_SUBGRAPH_INPUTS, 4);
    reader->outputs = nnm_fb_elements(file, &subgraph, NNM_TFL_SUBGRAPH_OUTPUTS, 4);
    if ((status = read_values(reader, &subgraph))) return status;
    if ((status = check_indices(reader, &reader->inputs, 0))) return nnm_context(reader->err, status, "the inputs");
    if ((status = check_indices(reader, &reader->outputs, 0))) return nnm_context(reader->err, status, "the outputs");
    if ((status = read_steps(reader, &subgraph))) return status;
    find_users(reader);
    return NNM_OK;
}

/* ---- the graph ---- */

static nnm_status read_input(nnm_tfl_reader *reader, size_t index)
{
    nnm_tfl_value *value = &reader->values[index];
    nnm_shape shape;
    char *name = NULL;
    if (value->known || value->data.count)
        return nnm_fail(reader->err, NNM_ERR_VALUE, "it is an input twice, or a constant");
    nnm_status status = check_type(reader, value, NNM_TFL_FLOAT32);
    if (!status) status = nnm_tfl_shape(reader, index, &shape);
    if (!status) status = nnm_tfl_name(reader, index, NULL, false, &name);
    if (!status)
        status =
            nnm_tfl_as_value(nnm_graph_add_input(reader->graph, name, &shape, &value->id, reader->err), reader->err);
    free(name);
    value->known = status == NNM_OK;
    return status;
}

static nnm_status read_output(nnm_tfl_reader *reader, size_t index)
{
    nnm_tensor_id id;
    nnm_status status = nnm_tfl_computed(reader, (int64_t)index, &id);
    if (status) return status;
    return nnm_tfl_as_value(nnm_graph_mark_output(reader->graph, id, reader->err), reader->err);
}

static nnm_status build_graph(nnm_tfl_reader *reader)
{
    nnm_status status = nnm_graph_new(&reader->graph, NNM_LAYOUT_NHWC, reader->err);
    for (size_t i = 0; i < reader->inputs.count && !status; i++) {
        size_t index = (size_t)nnm_fb_int_at(&reader->file, &reader->inputs, i);
        status = in_value(reader, index, read_input(reader, index));
    }
    for (size_t i = 0; i < reader->step_count && !status; i++)
        if (!reader->steps[i].done) status = nnm_tfl_read_step(reader, i);
    if (!status && reader->outputs.count == 0) status = nnm_fail(reader->err, NNM_ERR_VALUE, "the graph has no output");
    for (size_t i = 0; i < reader->outputs.count && !status; i++) {
        status = read_output(reader, (size_t)nnm_fb_int_at(&reader->file, &reader->outputs, i));
        if (status) nnm_context(reader->err, status, "output %zu", i);
    }
    return status;
}

nnm_status nnm_tflite_read_memory(nnm_graph **out, const void *bytes, size_t size_bytes, const char *name,
                                  nnm_error *err)
{
    nnm_tfl_reader reader = {.file = {bytes, size_bytes, FORMAT_NAME, NULL, 0}, .err = err};
    reader.budget = size_bytes * BUDGET_FACTOR + BUDGET_EXTRA;
    reader.zeros_left = INT32_MAX;
    nnm_status status = NNM_OK;
    if (size_bytes > NNM_TFL_MAX_FILE_BYTES)
        status = nnm_fail(err, NNM_ERR_UNSUPPORTED, "it has %zu bytes; TensorFlow Lite allows %d", size_bytes,
                          NNM_TFL_MAX_FILE_BYTES);
    if (!status) status = open_file(&reader);
    if (!status) status = build_graph(&reader);
    free(reader.values);
    free(reader.steps);
    if (status) {
        nnm_graph_free(reader.graph);
        return nnm_context(err, status, "%s", name);
    }
    *out = reader.graph;
    return NNM_OK;
}

nnm_status nnm_tflite_read(nnm_graph **out, const char *path, nnm_error *err)
{
    char *bytes = NULL;
    size_t size = 0;
    nnm_status status = nnm_file_check(path, NNM_TFL_MAX_FILE_BYTES, "TensorFlow Lite", err);
    if (!status) status = nnm_file_read(path, &bytes, &size, err);
    if (!status) status = nnm_tflite_read_memory(out, bytes, size, path, err);
    free(bytes);
    return status;
}
