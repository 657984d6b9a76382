#include "builder/model_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "nnmeter/model_file.h"

#define TEXT_BYTES 128

typedef struct comparison {
    const char *path;
    const char *kernel;
    const nnm_graph *found, *needed;
} comparison;

/* ---- inputs and outputs ---- */

/* The tensors at one end of a graph. */
typedef struct graph_end {
    const char *name;
    size_t (*count)(const nnm_graph *graph);
    nnm_tensor_id (*at)(const nnm_graph *graph, size_t index);
} graph_end;

static const graph_end ends[] = {{"input", nnm_graph_input_count, nnm_graph_input},
                                 {"output", nnm_graph_output_count, nnm_graph_output}};

static const char *format_shape(const nnm_shape *shape, char text[TEXT_BYTES])
{
    size_t length = 0;
    snprintf(text, TEXT_BYTES, "a single number");
    for (size_t d = 0; d < shape->rank && length < TEXT_BYTES; d++)
        length += (size_t)snprintf(text + length, TEXT_BYTES - length, "%s%" PRId64, d ? " x " : "", shape->dim[d]);
    return text;
}

static bool is_same_shape(const nnm_shape *a, const nnm_shape *b)
{
    return a->rank == b->rank && memcmp(a->dim, b->dim, a->rank * sizeof *a->dim) == 0;
}

static nnm_status compare_end(const comparison *c, const graph_end *end, nnm_error *err)
{
    size_t found = end->count(c->found), needed = end->count(c->needed);
    if (found != needed)
        return nnm_fail(err, NNM_ERR_VALUE, "%s: it has %zu %ss, but this %s has %zu", c->path, found, end->name,
                        c->kernel, needed);
    for (size_t i = 0; i < needed; i++) {
        const nnm_shape *has = &nnm_graph_tensor(c->found, end->at(c->found, i))->shape;
        const nnm_shape *needs = &nnm_graph_tensor(c->needed, end->at(c->needed, i))->shape;
        char has_text[TEXT_BYTES], needs_text[TEXT_BYTES];
        if (is_same_shape(has, needs)) continue;
        return nnm_fail(err, NNM_ERR_VALUE, "%s: %s %zu is %s, but that of %s with this configuration is %s", c->path,
                        end->name, i + 1, format_shape(has, has_text), c->kernel, format_shape(needs, needs_text));
    }
    return NNM_OK;
}

/* ---- windows ---- */

static bool has_window(const nnm_node *node)
{
    return node->op == NNM_OP_CONV || node->op == NNM_OP_MAX_POOL || node->op == NNM_OP_AVERAGE_POOL;
}

/* The next node with a window from `*index` on, or NULL. */
static const nnm_node *next_window(const nnm_graph *graph, size_t *index)
{
    while (*index < nnm_graph_node_count(graph)) {
        const nnm_node *node = nnm_graph_node(graph, (*index)++);
        if (has_window(node)) return node;
    }
    return NULL;
}

static const char *format_window(const nnm_node *node, char text[TEXT_BYTES])
{
    if (!node) return "missing";
    const nnm_attributes *a = &node->attributes;
    int length = snprintf(text, TEXT_BYTES, "%s of %" PRId64 " x %" PRId64 " with stride %" PRId64 " x %" PRId64,
                          nnm_op_name(node->op), a->kernel_h, a->kernel_w, a->stride_h, a->stride_w);
    if (node->op == NNM_OP_CONV && length > 0 && length < TEXT_BYTES)
        snprintf(text + length, TEXT_BYTES - (size_t)length, " in %" PRId64 " groups", a->groups);
    return text;
}

static bool is_same_window(const nnm_node *a, const nnm_node *b)
{
    if (!a || !b) return a == b;
    const nnm_attributes *x = &a->attributes, *y = &b->attributes;
    return a->op == b->op && x->kernel_h == y->kernel_h && x->kernel_w == y->kernel_w && x->stride_h == y->stride_h &&
           x->stride_w == y->stride_w && x->groups == y->groups;
}

static nnm_status compare_windows(const comparison *c, nnm_error *err)
{
    size_t found_at = 0, needed_at = 0;
    for (size_t i = 1;; i++) {
        const nnm_node *found = next_window(c->found, &found_at), *needed = next_window(c->needed, &needed_at);
        if (!found && !needed) return NNM_OK;
        char has[TEXT_BYTES], needs[TEXT_BYTES];
        if (!is_same_window(found, needed))
            return nnm_fail(err, NNM_ERR_VALUE,
                            "%s: window %zu (convolutions and pools are counted) is %s, but that of %s with this "
                            "configuration is %s",
                            c->path, i, format_window(found, has), c->kernel, format_window(needed, needs));
    }
}

/* ---- the whole ---- */

static nnm_status compare(const nnm_graph *graph, const char *path, const nnm_kernel *kernel,
                          const nnm_kernel_record *record, nnm_error *err)
{
    nnm_graph *needed = NULL;
    nnm_graph_options options = {.layout = nnm_graph_layout(graph),
                                 .batch_size = record->batch_size ? record->batch_size : 1,
                                 .zero_weights = true};
    nnm_status status = nnm_kernel_build_graph(&needed, kernel, &record->config, &options, err);
    if (status) return status;
    comparison c = {path, nnm_kernel_name(kernel), graph, needed};
    for (size_t i = 0; i < sizeof ends / sizeof *ends && status == NNM_OK; i++)
        status = compare_end(&c, &ends[i], err);
    if (status == NNM_OK) status = compare_windows(&c, err);
    nnm_graph_free(needed);
    return status;
}

nnm_status nnm_builder_check_model(const nnm_builder *builder, const nnm_kernel *kernel, nnm_kernel_record *record,
                                   nnm_graph **out, nnm_error *err)
{
    nnm_graph *graph = NULL;
    nnm_status status = NNM_OK;
    if (!record->model && record->has_config) status = nnm_builder_give_model(builder, kernel, record, err);
    const char *path = record->converted_model ? record->converted_model : record->model;
    if (status == NNM_OK && !path) status = nnm_fail(err, NNM_ERR_NOT_FOUND, "no model file is given");
    if (status == NNM_OK && !nnm_file_exists(path))
        status = nnm_fail(err, NNM_ERR_NOT_FOUND, "model file '%s' does not exist", path);
    if (status == NNM_OK) status = nnm_model_read(&graph, path, err);
    if (status == NNM_OK && record->has_config) status = compare(graph, path, kernel, record, err);
    if (status == NNM_OK && out) {
        *out = graph;
        graph = NULL;
    }
    nnm_graph_free(graph);
    return status;
}
