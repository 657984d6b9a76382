#include "nnmeter/graph.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "graph/names.h"
#include "graph/operator.h"
#include "graph/shape.h"

typedef struct id_list {
    nnm_tensor_id *items;
    size_t count, capacity;
} id_list;

struct nnm_graph {
    nnm_layout layout;
    nnm_tensor *tensors; /* names and data are owned; data is const only to readers */
    float **data;        /* what tensors[i].data points to */
    size_t tensor_count, tensor_capacity, data_capacity;
    nnm_node *nodes; /* names are those of the first output tensors */
    size_t node_count, node_capacity;
    id_list inputs, outputs;
    nnm_names names;
};

nnm_status nnm_graph_new(nnm_graph **out, nnm_layout layout, nnm_error *err)
{
    if (layout != NNM_LAYOUT_NCHW && layout != NNM_LAYOUT_NHWC)
        return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "layout %d is neither NCHW nor NHWC", (int)layout);
    nnm_graph *graph = nnm_calloc(1, sizeof *graph);
    if (!graph) return nnm_fail_memory(err);
    graph->layout = layout;
    *out = graph;
    return NNM_OK;
}

void nnm_graph_free(nnm_graph *graph)
{
    if (!graph) return;
    for (size_t i = 0; i < graph->tensor_count; i++) {
        char *name = NULL;
        memcpy(&name, &graph->tensors[i].name, sizeof name);
        free(name);
        free(graph->data[i]);
    }
    free(graph->tensors);
    free(graph->data);
    free(graph->nodes);
    free(graph->inputs.items);
    free(graph->outputs.items);
    nnm_names_fini(&graph->names);
    free(graph);
}

bool nnm_graph_find(const nnm_graph *graph, const char *name, nnm_tensor_id *out)
{
    return nnm_names_find(&graph->names, graph->tensors, name, out);
}

static nnm_status reserve_id(id_list *list, nnm_error *err)
{
    void *items = list->items;
    nnm_status status = nnm_grow(&items, &list->capacity, list->count + 1, sizeof *list->items, err);
    list->items = items;
    return status;
}

/* Room for the tensors of one more node, so that nothing can fail once the graph begins to change. */
static nnm_status reserve_tensors(nnm_graph *graph, nnm_error *err)
{
    void *tensors = graph->tensors;
    void *data = graph->data;
    size_t needed = graph->tensor_count + NNM_NODE_MAX_OUTPUTS;
    nnm_status status = nnm_grow(&tensors, &graph->tensor_capacity, needed, sizeof *graph->tensors, err);
    graph->tensors = tensors;
    if (status) return status;
    status = nnm_grow(&data, &graph->data_capacity, needed, sizeof *graph->data, err);
    graph->data = data;
    if (status) return status;
    return nnm_names_reserve(&graph->names, graph->tensors, err);
}

static nnm_status check_name(const nnm_graph *graph, const char *name, nnm_error *err)
{
    if (!name || !*name) return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "a tensor needs a name");
    if (nnm_graph_find(graph, name, &(nnm_tensor_id){0}))
        return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "the name '%s' is taken by another tensor", name);
    return NNM_OK;
}

static nnm_status check_shape(const char *name, const nnm_shape *shape, nnm_error *err)
{
    if (nnm_shape_elements(shape) > 0) return NNM_OK;
    char text[NNM_SHAPE_TEXT_BYTES];
    return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT,
                    "tensor '%s': the shape %s is not valid: at most %d dimensions, each at least 1, fewer than 2^62 "
                    "elements",
                    name, nnm_shape_format(shape, text), NNM_MAX_RANK);
}

/* Appends a tensor; takes `name` and `data`. Needs reserve_tensors before. */
static nnm_tensor_id put_tensor(nnm_graph *graph, char *name, const nnm_shape *shape, float *data, size_t producer)
{
    nnm_tensor_id id = graph->tensor_count++;
    graph->tensors[id] = (nnm_tensor){.name = name, .shape = *shape, .data = data, .producer = producer};
    graph->data[id] = data;
    nnm_names_put(&graph->names, graph->tensors, id);
    return id;
}

/* Adds an input or a constant. */
static nnm_status add_tensor(nnm_graph *graph, const char *name, const nnm_shape *shape, float *data,
                             nnm_tensor_id *out, nnm_error *err)
{
    nnm_status status = check_name(graph, name, err);
    if (status) return status;
    if ((status = check_shape(name, shape, err))) return status;
    if ((status = reserve_tensors(graph, err))) return status;
    char *copy = nnm_strdup(name);
    if (!copy) return nnm_fail_memory(err);
    *out = put_tensor(graph, copy, shape, data, NNM_NO_NODE);
    return NNM_OK;
}

nnm_status nnm_graph_add_input(nnm_graph *graph, const char *name, const nnm_shape *shape, nnm_tensor_id *out,
                               nnm_error *err)
{
    nnm_status status = reserve_id(&graph->inputs, err);
    if (status) return status;
    nnm_tensor_id id = 0;
    if ((status = add_tensor(graph, name, shape, NULL, &id, err))) return status;
    graph->inputs.items[graph->inputs.count++] = id;
    *out = id;
    return NNM_OK;
}

nnm_status nnm_graph_add_constant(nnm_graph *graph, const char *name, const nnm_shape *shape, float *data,
                                  nnm_tensor_id *out, nnm_error *err)
{
    if (!data) return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "constant '%s' has no data", name ? name : "");
    return add_tensor(graph, name, shape, data, out, err);
}

/* The system gives memory that is zero and that nobody writes to without providing it. */
nnm_status nnm_graph_add_zeros(nnm_graph *graph, const char *name, const nnm_shape *shape, nnm_tensor_id *out,
                               nnm_error *err)
{
    nnm_status status = check_shape(name ? name : "", shape, err);
    if (status) return status;
    float *data = nnm_calloc((size_t)nnm_shape_elements(shape), sizeof *data);
    if (!data) return nnm_fail_memory(err);
    status = nnm_graph_add_constant(graph, name, shape, data, out, err);
    if (status)
        free(data);
    else
        graph->tensors[*out].zeros = true;
    return status;
}

/* ---- nodes ---- */

static nnm_status check_unused(const nnm_op_info *info, const nnm_attributes *a, nnm_error *err)
{
    const char *member = NULL;
    bool window = a->kernel_h || a->kernel_w || a->stride_h || a->stride_w || a->padding || a->pad_top || a->pad_left ||
                  a->pad_bottom || a->pad_right;
    if (window && !(info->uses & NNM_USES_WINDOW)) member = "kernel, stride and padding";
    if (a->groups && !(info->uses & NNM_USES_GROUPS)) member = "groups";
    if (!(a->epsilon == 0) && !(info->uses & NNM_USES_EPSILON)) member = "epsilon";
    if (!member) return NNM_OK;
    return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "%s must be zero: the operator does not use it", member);
}

static nnm_status check_inputs(const nnm_graph *graph, const nnm_op_info *info, const nnm_tensor_id *inputs,
                               size_t count, nnm_op_call *call, nnm_error *err)
{
    if (count < info->min_inputs || count > info->max_inputs) {
        if (info->min_inputs == info->max_inputs)
            return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "%zu inputs are given; it takes %zu", count,
                            info->min_inputs);
        return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "%zu inputs are given; it takes %zu to %zu", count,
                        info->min_inputs, info->max_inputs);
    }
    for (size_t i = 0; i < count; i++) {
        if (inputs[i] >= graph->tensor_count)
            return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "%s is tensor %zu, but the graph has %zu",
                            info->input_names[i], inputs[i], graph->tensor_count);
        call->inputs[i] = &graph->tensors[inputs[i]];
        if ((info->constants >> i & 1) && !call->inputs[i]->data)
            return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "%s must be a constant, but '%s' is not",
                            info->input_names[i], call->inputs[i]->name);
    }
    call->input_count = count;
    return NNM_OK;
}

static nnm_status infer(const nnm_graph *graph, const nnm_op_info *info, const nnm_attributes *attributes,
                        const nnm_tensor_id *inputs, size_t input_count, nnm_shape *shape, nnm_error *err)
{
    nnm_op_call call = {.layout = graph->layout, .attributes = attributes};
    nnm_status status = check_inputs(graph, info, inputs, input_count, &call, err);
    if (status) return status;
    if ((status = check_unused(info, attributes, err))) return status;
    if ((status = info->infer(&call, shape, err))) return status;
    if (nnm_shape_elements(shape) < 0) {
        char text[NNM_SHAPE_TEXT_BYTES];
        return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "the output would have the shape %s: too many elements",
                        nnm_shape_format(shape, text));
    }
    return NNM_OK;
}

/* Copies of the names of a node's outputs. */
typedef struct output_names {
    char *name[NNM_NODE_MAX_OUTPUTS];
} output_names;

static void free_names(output_names *names)
{
    for (size_t i = 0; i < NNM_NODE_MAX_OUTPUTS; i++)
        free(names->name[i]);
    *names = (output_names){{NULL}};
}

/* "<first>", "<first>_2", .... Takes `first`. */
static nnm_status number_names(output_names *names, char *first, size_t count, nnm_error *err)
{
    names->name[0] = first;
    for (size_t i = 1; i < count && first; i++)
        names->name[i] = nnm_format("%s_%zu", first, i + 1);
    for (size_t i = 0; i < count; i++)
        if (!names->name[i]) return nnm_fail_memory(err);
    return NNM_OK;
}

/* The names a node gets when the caller gives none: "Conv_3", with a higher number where that is taken. */
static nnm_status automatic_names(output_names *names, const nnm_graph *graph, const nnm_op_info *info, nnm_error *err)
{
    for (size_t number = graph->node_count;; number++) {
        nnm_status status = number_names(names, nnm_format("%s_%zu", info->name, number), info->outputs, err);
        if (status) return status;
        bool taken = false;
        for (size_t i = 0; i < info->outputs; i++)
            taken = taken || nnm_graph_find(graph, names->name[i], &(nnm_tensor_id){0});
        if (!taken) return NNM_OK;
        free_names(names);
    }
}

static nnm_status check_names(const nnm_graph *graph, const output_names *names, size_t count, nnm_error *err)
{
    for (size_t i = 0; i < count; i++) {
        nnm_status status = check_name(graph, names->name[i], err);
        if (status) return status;
        for (size_t j = 0; j < i; j++)
            if (strcmp(names->name[i], names->name[j]) == 0)
                return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "two outputs are called '%s'", names->name[i]);
    }
    return NNM_OK;
}

/* Room for one more node and its tensors. */
static nnm_status reserve_node(nnm_graph *graph, nnm_error *err)
{
    nnm_status status = reserve_tensors(graph, err);
    if (status) return status;
    void *nodes = graph->nodes;
    status = nnm_grow(&nodes, &graph->node_capacity, graph->node_count + 1, sizeof *graph->nodes, err);
    graph->nodes = nodes;
    return status;
}

/* Adds a node whose names are checked; takes them on success. */
static nnm_status add_node(nnm_graph *graph, const nnm_node *node, const output_names *names, nnm_tensor_id *out,
                           nnm_error *err)
{
    nnm_shape shape = {0};
    nnm_status status =
        infer(graph, nnm_op_find(node->op), &node->attributes, node->inputs, node->input_count, &shape, err);
    if (status) return status;
    if ((status = reserve_node(graph, err))) return status;
    nnm_node *added = &graph->nodes[graph->node_count];
    *added = *node;
    added->name = names->name[0];
    for (size_t i = 0; i < node->output_count; i++)
        out[i] = added->outputs[i] = put_tensor(graph, names->name[i], &shape, NULL, graph->node_count);
    graph->node_count++;
    return NNM_OK;
}

/* A node with its inputs; more than fit are left out, which infer refuses by their number. */
static nnm_node make_node(const nnm_op_info *info, nnm_op op, const nnm_attributes *attributes,
                          const nnm_tensor_id *inputs, size_t input_count)
{
    nnm_node node = {.op = op, .input_count = input_count, .output_count = info->outputs};
    if (attributes) node.attributes = *attributes;
    size_t kept = input_count < NNM_NODE_MAX_INPUTS ? input_count : NNM_NODE_MAX_INPUTS;
    memcpy(node.inputs, inputs, kept * sizeof *inputs);
    return node;
}

nnm_status nnm_graph_add_node(nnm_graph *graph, nnm_op op, const char *name, const nnm_attributes *attributes,
                              const nnm_tensor_id *inputs, size_t input_count, nnm_tensor_id *out, nnm_error *err)
{
    const nnm_op_info *info = nnm_op_find(op);
    if (!info) return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "there is no operator %d", (int)op);
    nnm_status status = name ? check_name(graph, name, err) : NNM_OK;
    if (status) return status;
    output_names names = {{NULL}};
    status =
        name ? number_names(&names, nnm_strdup(name), info->outputs, err) : automatic_names(&names, graph, info, err);
    if (!status) status = check_names(graph, &names, info->outputs, err);
    if (status) goto done;
    nnm_node node = make_node(info, op, attributes, inputs, input_count);
    status = add_node(graph, &node, &names, out, err);
    if (!status) names = (output_names){{NULL}};
    if (status && name) nnm_context(err, status, "%s '%s'", info->name, name);
    if (status && !name) nnm_context(err, status, "%s", info->name);
done:
    free_names(&names);
    return status;
}

nnm_status nnm_graph_add_named_node(nnm_graph *graph, nnm_op op, const char *const *names,
                                    const nnm_attributes *attributes, const nnm_tensor_id *inputs, size_t input_count,
                                    nnm_tensor_id *out, nnm_error *err)
{
    const nnm_op_info *info = nnm_op_find(op);
    if (!info) return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "there is no operator %d", (int)op);
    output_names copies = {{NULL}};
    nnm_status status = NNM_OK;
    for (size_t i = 0; i < info->outputs && !status; i++) {
        copies.name[i] = nnm_strdup(names[i]);
        if (!copies.name[i]) status = nnm_fail_memory(err);
    }
    if (!status) status = check_names(graph, &copies, info->outputs, err);
    nnm_node node = make_node(info, op, attributes, inputs, input_count);
    if (!status) status = add_node(graph, &node, &copies, out, err);
    if (!status) copies = (output_names){{NULL}};
    free_names(&copies);
    return status;
}

nnm_status nnm_graph_mark_output(nnm_graph *graph, nnm_tensor_id tensor, nnm_error *err)
{
    if (tensor >= graph->tensor_count)
        return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "tensor %zu cannot be an output: the graph has %zu", tensor,
                        graph->tensor_count);
    const char *name = graph->tensors[tensor].name;
    if (graph->tensors[tensor].producer == NNM_NO_NODE)
        return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "'%s' cannot be an output: no node computes it", name);
    for (size_t i = 0; i < graph->outputs.count; i++)
        if (graph->outputs.items[i] == tensor)
            return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "'%s' is an output already", name);
    nnm_status status = reserve_id(&graph->outputs, err);
    if (status) return status;
    graph->outputs.items[graph->outputs.count++] = tensor;
    return NNM_OK;
}

/* ---- reading ---- */

nnm_layout nnm_graph_layout(const nnm_graph *graph)
{
    return graph->layout;
}

size_t nnm_graph_tensor_count(const nnm_graph *graph)
{
    return graph->tensor_count;
}

const nnm_tensor *nnm_graph_tensor(const nnm_graph *graph, nnm_tensor_id id)
{
    return &graph->tensors[id];
}

size_t nnm_graph_node_count(const nnm_graph *graph)
{
    return graph->node_count;
}

const nnm_node *nnm_graph_node(const nnm_graph *graph, size_t index)
{
    return &graph->nodes[index];
}

size_t nnm_graph_input_count(const nnm_graph *graph)
{
    return graph->inputs.count;
}

nnm_tensor_id nnm_graph_input(const nnm_graph *graph, size_t index)
{
    return graph->inputs.items[index];
}

size_t nnm_graph_output_count(const nnm_graph *graph)
{
    return graph->outputs.count;
}

nnm_tensor_id nnm_graph_output(const nnm_graph *graph, size_t index)
{
    return graph->outputs.items[index];
}
