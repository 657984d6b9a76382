#include "backends/onednn_plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

typedef struct planner {
    const nnm_graph *graph;
    nnm_plan plan;
    size_t *reads;  /* how many node inputs read a tensor; an output of the graph is one more */
    bool *absorbed; /* whether a node became part of an earlier node's step */
    nnm_error *err;
} planner;

static nnm_status refuse(const planner *p, const nnm_node *node, const char *why)
{
    return nnm_fail(p->err, NNM_ERR_UNSUPPORTED, "%s '%s' %s", nnm_op_name(node->op), node->name, why);
}

static const nnm_shape *shape_of(const planner *p, nnm_tensor_id id)
{
    return &nnm_graph_tensor(p->graph, id)->shape;
}

static nnm_activation activation_of(nnm_op op)
{
    switch (op) {
    case NNM_OP_RELU: return NNM_ACTIVATION_RELU;
    case NNM_OP_RELU6: return NNM_ACTIVATION_RELU6;
    case NNM_OP_SIGMOID: return NNM_ACTIVATION_SIGMOID;
    case NNM_OP_HARD_SIGMOID: return NNM_ACTIVATION_HARD_SIGMOID;
    case NNM_OP_HARD_SWISH: return NNM_ACTIVATION_HARD_SWISH;
    default: return NNM_ACTIVATION_NONE;
    }
}

bool nnm_is_activation(const nnm_node *node)
{
    return activation_of(node->op) != NNM_ACTIVATION_NONE;
}

static nnm_step *step_that_gives(planner *p, nnm_tensor_id tensor)
{
    for (size_t i = 0; i < p->plan.count; i++)
        for (size_t j = 0; j < p->plan.steps[i].output_count; j++)
            if (p->plan.steps[i].outputs[j] == tensor) return &p->plan.steps[i];
    return NULL;
}

/* ---- what may stand in a graph ---- */

static bool has_parameters(nnm_op op)
{
    return op == NNM_OP_CONV || op == NNM_OP_BATCH_NORM || op == NNM_OP_FULLY_CONNECTED;
}

static nnm_status check_inputs(const planner *p, const nnm_node *node)
{
    for (size_t i = 0; i < node->input_count; i++) {
        bool is_constant = nnm_graph_tensor(p->graph, node->inputs[i])->data != NULL;
        bool is_parameter = i > 0 && has_parameters(node->op);
        if (is_constant && !is_parameter) return refuse(p, node, "has a constant input");
        if (!is_constant && is_parameter) return refuse(p, node, "has parameters that are not constant");
    }
    return NNM_OK;
}

/* oneDNN wants channels to be the second axis. With channels last that is arranged for images only. */
static nnm_status check_shape(const planner *p, const nnm_node *node)
{
    const nnm_shape *x = shape_of(p, node->inputs[0]);
    bool by_channel = node->op == NNM_OP_BATCH_NORM || node->op == NNM_OP_CONCAT || node->op == NNM_OP_SPLIT ||
                      node->op == NNM_OP_CHANNEL_SHUFFLE;
    if (by_channel && x->rank != 2 && x->rank != 4) return refuse(p, node, "is supported only with 2 or 4 dimensions");
    if (x->rank < 1 || x->rank > 5) return refuse(p, node, "is supported only with 1 to 5 dimensions");
    return NNM_OK;
}

/* ---- steps ---- */

static nnm_status begin_step(planner *p, const nnm_node *node)
{
    nnm_step step = {.node = node, .activation = activation_of(node->op), .output_count = node->output_count};
    step.input_count = has_parameters(node->op) ? 1 : node->input_count;
    memcpy(step.inputs, node->inputs, step.input_count * sizeof *step.inputs);
    memcpy(step.outputs, node->outputs, step.output_count * sizeof *step.outputs);
    p->plan.steps[p->plan.count++] = step;
    return NNM_OK;
}

/* A fully connected node reads an image as it is, in any layout; its weights are ordered for it. */
static void take_flatten(planner *p, nnm_step *step)
{
    nnm_tensor_id x = step->inputs[0];
    nnm_step *before = step_that_gives(p, x);
    if (!before || before->node->op != NNM_OP_FLATTEN || p->reads[x] > 1) return;
    if (shape_of(p, before->inputs[0])->rank != 4) return;
    nnm_step joined = *step;
    joined.flattens = true;
    joined.inputs[0] = before->inputs[0];
    *before = joined;
    p->plan.count--; /* `step` was the last */
}

static bool can_fold(planner *p, const nnm_node *node)
{
    nnm_step *before = step_that_gives(p, node->inputs[0]);
    return before && (before->node->op == NNM_OP_CONV || before->node->op == NNM_OP_FULLY_CONNECTED) &&
           !before->batch_norm && before->activation == NNM_ACTIVATION_NONE && p->reads[node->inputs[0]] == 1;
}

/* Which activations a primitive applies to its own result. */
static bool takes_activation(const nnm_step *step, nnm_activation activation)
{
    if (step->activation != NNM_ACTIVATION_NONE) return false;
    switch (step->node->op) {
    case NNM_OP_CONV:
    case NNM_OP_FULLY_CONNECTED:
    case NNM_OP_ADD:
    case NNM_OP_MULTIPLY: return true;
    case NNM_OP_BATCH_NORM: return activation == NNM_ACTIVATION_RELU;
    default: return false;
    }
}

/* The Multiply node that makes `sigmoid` a swish, and its index: nobody else reads the sigmoid. */
static const nnm_node *find_swish(const planner *p, const nnm_node *sigmoid, size_t *index)
{
    if (sigmoid->op != NNM_OP_SIGMOID || p->reads[sigmoid->outputs[0]] != 1) return NULL;
    for (size_t i = 0; i < nnm_graph_node_count(p->graph); i++) {
        const nnm_node *node = nnm_graph_node(p->graph, i);
        if (node->op != NNM_OP_MULTIPLY) continue;
        nnm_tensor_id a = node->inputs[0], b = node->inputs[1];
        bool is_swish = (a == sigmoid->outputs[0] && b == sigmoid->inputs[0]) ||
                        (b == sigmoid->outputs[0] && a == sigmoid->inputs[0]);
        if (!is_swish) continue;
        *index = i;
        return node;
    }
    return NULL;
}

static nnm_status add_activation(planner *p, const nnm_node *node)
{
    size_t index = 0;
    nnm_tensor_id x = node->inputs[0], y = node->outputs[0];
    nnm_activation activation = activation_of(node->op);
    const nnm_node *multiply = find_swish(p, node, &index);
    if (multiply) {
        activation = NNM_ACTIVATION_SWISH;
        y = multiply->outputs[0];
        p->absorbed[index] = true;
    }
    nnm_step *before = step_that_gives(p, x);
    if (before && takes_activation(before, activation) && p->reads[x] == (multiply ? 2 : 1)) {
        before->activation = activation;
        before->outputs[0] = y;
        return NNM_OK;
    }
    nnm_status status = begin_step(p, node);
    p->plan.steps[p->plan.count - 1].activation = activation;
    p->plan.steps[p->plan.count - 1].outputs[0] = y;
    return status;
}

static nnm_status add_node(planner *p, const nnm_node *node)
{
    nnm_status status = check_inputs(p, node);
    if (status == NNM_OK) status = check_shape(p, node);
    if (status) return status;
    if (nnm_is_activation(node)) return add_activation(p, node);
    if (node->op == NNM_OP_BATCH_NORM && can_fold(p, node)) {
        nnm_step *before = step_that_gives(p, node->inputs[0]);
        before->batch_norm = node;
        before->outputs[0] = node->outputs[0];
        return NNM_OK;
    }
    if (node->op >= NNM_OP_COUNT) return refuse(p, node, "is not supported");
    status = begin_step(p, node);
    if (node->op == NNM_OP_FULLY_CONNECTED) take_flatten(p, &p->plan.steps[p->plan.count - 1]);
    return status;
}

/* ---- outputs ---- */

/* Every output is what some step gives, and stands once. */
static nnm_status check_outputs(planner *p)
{
    size_t count = nnm_graph_output_count(p->graph);
    if (count == 0 || p->plan.count == 0) return nnm_fail(p->err, NNM_ERR_UNSUPPORTED, "the graph computes nothing");
    for (size_t i = 0; i < count; i++) {
        nnm_tensor_id output = nnm_graph_output(p->graph, i);
        const char *name = nnm_graph_tensor(p->graph, output)->name;
        if (!step_that_gives(p, output))
            return nnm_fail(p->err, NNM_ERR_UNSUPPORTED, "output '%s' is not computed by the graph", name);
        for (size_t j = 0; j < i; j++)
            if (nnm_graph_output(p->graph, j) == output)
                return nnm_fail(p->err, NNM_ERR_UNSUPPORTED, "'%s' is an output twice", name);
    }
    return NNM_OK;
}

static void count_reads(planner *p)
{
    for (size_t i = 0; i < nnm_graph_node_count(p->graph); i++) {
        const nnm_node *node = nnm_graph_node(p->graph, i);
        for (size_t j = 0; j < node->input_count; j++)
            p->reads[node->inputs[j]]++;
    }
    for (size_t i = 0; i < nnm_graph_output_count(p->graph); i++)
        p->reads[nnm_graph_output(p->graph, i)]++;
}

nnm_status nnm_plan_make(nnm_plan *out, const nnm_graph *graph, nnm_error *err)
{
    size_t nodes = nnm_graph_node_count(graph);
    planner p = {.graph = graph, .err = err};
    p.plan.steps = nnm_calloc(nodes, sizeof *p.plan.steps);
    p.reads = nnm_calloc(nnm_graph_tensor_count(graph), sizeof *p.reads);
    p.absorbed = nnm_calloc(nodes, sizeof *p.absorbed);
    nnm_status status = p.plan.steps && p.reads && p.absorbed ? NNM_OK : nnm_fail_memory(err);
    if (status) goto done;
    count_reads(&p);
    for (size_t i = 0; i < nodes && status == NNM_OK; i++)
        if (!p.absorbed[i]) status = add_node(&p, nnm_graph_node(graph, i));
    if (status == NNM_OK) status = check_outputs(&p);
    if (status) goto done;
    *out = p.plan;
    p.plan.steps = NULL;
done:
    free(p.plan.steps);
    free(p.reads);
    free(p.absorbed);
    return status;
}
