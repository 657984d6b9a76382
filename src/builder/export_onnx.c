/*
 * Predictors as ONNX models.
 *
 * Input "configuration", float [N, columns]: what a table for the predictor has, in the order of the metadata entry
 * "inputs": the kernel's parameters, then further columns. FLOPS and PARAMS are computed in the graph. Everything is
 * done in double precision, and the trees keep their own thresholds: a float that is what our own code was asked takes
 * the same way through every tree. Output "latency_ms", float [N, 1].
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "builder/builder.h"
#include "formats/onnx_build.h"
#include "kernels/catalogue.h"
#include "kernels/cost.h"
#include "learn/forest_trees.h"
#include "learn/predictor_model.h"

#define INPUT "configuration"
#define OUTPUT "latency_ms"
#define NAME_BYTES 32

typedef struct exporter {
    nnm_onnx_model model;
    const nnm_predictor *predictor;
    const nnm_kernel *kernel; /* NULL: one that this version does not know; all features are inputs */
    size_t *raw;              /* the features that are inputs */
    size_t raw_count;
    unsigned names; /* tensors named so far */
} exporter;

/* ---- elementary operators ---- */

typedef struct tensor {
    char name[NAME_BYTES];
} tensor;

static tensor new_tensor(exporter *e)
{
    tensor t;
    snprintf(t.name, sizeof t.name, "t%u", ++e->names);
    return t;
}

static tensor apply(exporter *e, const char *op, const tensor *inputs, size_t count)
{
    tensor out = new_tensor(e);
    nnm_onnx_begin_node(&e->model, op, "");
    for (size_t i = 0; i < count; i++)
        nnm_onnx_input(&e->model, inputs[i].name);
    nnm_onnx_output(&e->model, out.name);
    nnm_onnx_end_node(&e->model);
    return out;
}

static tensor unary(exporter *e, const char *op, tensor a)
{
    return apply(e, op, &a, 1);
}

static tensor binary(exporter *e, const char *op, tensor a, tensor b)
{
    const tensor inputs[] = {a, b};
    return apply(e, op, inputs, 2);
}

static tensor constant(exporter *e, double value)
{
    tensor out = new_tensor(e);
    nnm_onnx_constant_doubles(&e->model, out.name, &value, 0);
    return out;
}

static tensor cast(exporter *e, const char *from, const char *to, int type)
{
    tensor out;
    snprintf(out.name, sizeof out.name, "%s", to);
    nnm_onnx_begin_node(&e->model, "Cast", "");
    nnm_onnx_input(&e->model, from);
    nnm_onnx_output(&e->model, to);
    nnm_onnx_int(&e->model, "to", type);
    nnm_onnx_end_node(&e->model);
    return out;
}

/* Columns of a tensor [N, any] in another order. */
static tensor gather(exporter *e, tensor from, const int64_t *indices, size_t count)
{
    tensor which = new_tensor(e), out = new_tensor(e);
    nnm_onnx_constant_ints(&e->model, which.name, indices, count);
    nnm_onnx_begin_node(&e->model, "Gather", "");
    nnm_onnx_input(&e->model, from.name);
    nnm_onnx_input(&e->model, which.name);
    nnm_onnx_output(&e->model, out.name);
    nnm_onnx_int(&e->model, "axis", 1);
    nnm_onnx_end_node(&e->model);
    return out;
}

/* ---- features ---- */

static bool is_computed(const exporter *e, const char *name)
{
    return e->kernel && nnm_kernel_has_cost(e->kernel) && (strcmp(name, "FLOPS") == 0 || strcmp(name, "PARAMS") == 0);
}

static nnm_status find_inputs(exporter *e, nnm_error *err)
{
    size_t count = nnm_predictor_feature_count(e->predictor);
    e->raw = nnm_calloc(count, sizeof *e->raw);
    if (!e->raw) return nnm_fail_memory(err);
    for (size_t i = 0; i < count; i++)
        if (!is_computed(e, nnm_predictor_feature_name(e->predictor, i))) e->raw[e->raw_count++] = i;
    return NNM_OK;
}

/* Takes the input of that name out of `x` as a tensor [N, 1]; false if there is none. */
static bool input_column(exporter *e, tensor x, const char *name, tensor *out)
{
    for (size_t i = 0; i < e->raw_count; i++) {
        if (strcasecmp(nnm_predictor_feature_name(e->predictor, e->raw[i]), name) != 0) continue;
        int64_t index = (int64_t)i;
        *out = gather(e, x, &index, 1);
        return true;
    }
    return false;
}

static tensor column_or(exporter *e, tensor x, const char *name, double otherwise)
{
    tensor out;
    return input_column(e, x, name, &out) ? out : constant(e, otherwise);
}

/* Height and width of the output, by the rules of nnm_kernel_layer_cost. */
static tensor output_side(exporter *e, tensor x)
{
    tensor hw = column_or(e, x, "HW", 1), stride = column_or(e, x, "STRIDES", 1);
    tensor same = unary(e, "Ceil", binary(e, "Div", hw, stride)), padding, pad;
    bool chosen = input_column(e, x, "PADDING", &padding), padded = input_column(e, x, "PAD", &pad);
    if (!chosen && !padded) return same;
    if (chosen || !padded) pad = constant(e, 0);
    tensor window = column_or(e, x, "KERNEL_SIZE", 1);
    tensor room = binary(e, "Sub", binary(e, "Add", hw, binary(e, "Mul", constant(e, 2), pad)), window);
    tensor steps = binary(e, "Add", unary(e, "Floor", binary(e, "Div", room, stride)), constant(e, 1));
    tensor explicit_side = binary(e, "Max", steps, constant(e, 0));
    if (!chosen) return explicit_side;
    const tensor choice[] = {binary(e, "Greater", padding, constant(e, 0.5)), same, explicit_side};
    return apply(e, "Where", choice, 3);
}

/* FLOPS and PARAMS, in the same order of operations as nnm_kernel_layer_cost. */
static void layer_cost(exporter *e, tensor x, tensor *flops, tensor *params)
{
    tensor twice_batch = binary(e, "Mul", constant(e, 2), column_or(e, x, "BATCH", 1));
    if (e->kernel->kind->layer == NNM_LAYER_MATMUL) {
        tensor rows = binary(e, "Mul", column_or(e, x, "B", 1), column_or(e, x, "M", 1));
        *params = binary(e, "Mul", column_or(e, x, "N", 1), column_or(e, x, "K", 1));
        *flops = binary(e, "Mul", binary(e, "Mul", twice_batch, rows), *params);
        return;
    }
    tensor window = column_or(e, x, "KERNEL_SIZE", 1), cin = column_or(e, x, "CIN", 1), cout, side = output_side(e, x);
    if (!input_column(e, x, "COUT", &cout)) cout = cin;
    tensor groups = nnm_kernel_cout_is_cin(e->kernel) ? cin : column_or(e, x, "GROUPS", 1);
    tensor weights = binary(e, "Div", binary(e, "Mul", binary(e, "Mul", window, window), cin), groups);
    *params = binary(e, "Mul", cout, binary(e, "Add", weights, constant(e, 1)));
    *flops = binary(e, "Mul", binary(e, "Mul", binary(e, "Mul", twice_batch, side), side), *params);
}

/* The predictor's features, double [N, features], from its inputs. */
static nnm_status make_features(exporter *e, tensor x, tensor *out, nnm_error *err)
{
    size_t count = nnm_predictor_feature_count(e->predictor);
    if (e->raw_count == count) {
        *out = x;
        return NNM_OK;
    }
    int64_t *order = nnm_calloc(count, sizeof *order);
    if (!order) return nnm_fail_memory(err);
    bool sorted = true;
    for (size_t i = 0, raw = 0; i < count; i++) {
        const char *name = nnm_predictor_feature_name(e->predictor, i);
        bool computed = is_computed(e, name);
        order[i] = (int64_t)(!computed ? raw : e->raw_count + (*name == 'P'));
        raw += !computed;
        sorted &= order[i] == (int64_t)i;
    }
    tensor flops, params;
    layer_cost(e, x, &flops, &params);
    *out = new_tensor(e);
    nnm_onnx_begin_node(&e->model, "Concat", "");
    nnm_onnx_input(&e->model, x.name);
    nnm_onnx_input(&e->model, flops.name);
    nnm_onnx_input(&e->model, params.name);
    nnm_onnx_output(&e->model, out->name);
    nnm_onnx_int(&e->model, "axis", 1);
    nnm_onnx_end_node(&e->model);
    if (!sorted) *out = gather(e, *out, order, count);
    free(order);
    return NNM_OK;
}

/* ---- trees ---- */

/* The nodes of all trees, one behind the other, and one column of what ONNX wants to know of them. */
typedef struct node_table {
    nnm_tree_node *nodes;
    int64_t *tree, *node; /* of each */
    size_t count, leaves;
    int64_t *ints;
    double *doubles;
    const char **texts;
} node_table;

static void node_table_fini(node_table *t)
{
    free(t->nodes);
    free(t->tree);
    free(t->node);
    free(t->ints);
    free(t->doubles);
    free(t->texts);
}

static nnm_status list_nodes(node_table *t, const nnm_forest *forest, nnm_error *err)
{
    size_t count = nnm_forest_node_count(forest);
    *t = (node_table){
        .nodes = nnm_calloc(count, sizeof *t->nodes),
        .tree = nnm_calloc(count, sizeof *t->tree),
        .node = nnm_calloc(count, sizeof *t->node),
        .ints = nnm_calloc(count, sizeof *t->ints),
        .doubles = nnm_calloc(count, sizeof *t->doubles),
        .texts = nnm_calloc(count, sizeof *t->texts),
    };
    if (!t->nodes || !t->tree || !t->node || !t->ints || !t->doubles || !t->texts) return nnm_fail_memory(err);
    for (size_t tree = 0; tree < nnm_forest_tree_count(forest); tree++) {
        for (size_t node = 0; node < nnm_forest_tree_node_count(forest, tree); node++) {
            t->nodes[t->count] = nnm_forest_tree_node(forest, tree, node);
            t->tree[t->count] = (int64_t)tree;
            t->node[t->count] = (int64_t)node;
            t->leaves += t->nodes[t->count].feature == NNM_NO_FEATURE;
            t->count++;
        }
    }
    return NNM_OK;
}

static bool is_leaf(const nnm_tree_node *node)
{
    return node->feature == NNM_NO_FEATURE;
}

static void put_nodes(nnm_onnx_model *m, node_table *t)
{
    nnm_onnx_ints(m, "nodes_treeids", t->tree, t->count);
    nnm_onnx_ints(m, "nodes_nodeids", t->node, t->count);
    for (size_t i = 0; i < t->count; i++) {
        t->texts[i] = is_leaf(&t->nodes[i]) ? "LEAF" : "BRANCH_LEQ";
        t->ints[i] = is_leaf(&t->nodes[i]) ? 0 : (int64_t)t->nodes[i].feature;
        t->doubles[i] = is_leaf(&t->nodes[i]) ? 0 : t->nodes[i].value;
    }
    nnm_onnx_texts(m, "nodes_modes", t->texts, t->count);
    nnm_onnx_ints(m, "nodes_featureids", t->ints, t->count);
    nnm_onnx_doubles(m, "nodes_values_as_tensor", t->doubles, t->count);
    for (size_t i = 0; i < t->count; i++)
        t->ints[i] = t->nodes[i].left;
    nnm_onnx_ints(m, "nodes_truenodeids", t->ints, t->count);
    for (size_t i = 0; i < t->count; i++)
        t->ints[i] = t->nodes[i].right;
    nnm_onnx_ints(m, "nodes_falsenodeids", t->ints, t->count);
}

/* Moves what the leaves need to the front of the columns, which no node needs any more. */
static void put_leaves(nnm_onnx_model *m, node_table *t)
{
    size_t leaf = 0;
    for (size_t i = 0; i < t->count; i++) {
        if (!is_leaf(&t->nodes[i])) continue;
        t->tree[leaf] = t->tree[i];
        t->node[leaf] = t->node[i];
        t->doubles[leaf] = t->nodes[i].value;
        t->ints[leaf++] = 0;
    }
    nnm_onnx_ints(m, "target_treeids", t->tree, leaf);
    nnm_onnx_ints(m, "target_nodeids", t->node, leaf);
    nnm_onnx_ints(m, "target_ids", t->ints, leaf);
    nnm_onnx_doubles(m, "target_weights_as_tensor", t->doubles, leaf);
}

/* The mean of the trees, float [N, 1]. */
static nnm_status put_forest(exporter *e, const nnm_forest *forest, tensor features, const char *output, nnm_error *err)
{
    node_table table;
    nnm_onnx_model *m = &e->model;
    nnm_status status = list_nodes(&table, forest, err);
    if (status == NNM_OK) {
        nnm_onnx_begin_node(m, "TreeEnsembleRegressor", "ai.onnx.ml");
        nnm_onnx_input(m, features.name);
        nnm_onnx_output(m, output);
        nnm_onnx_int(m, "n_targets", 1);
        nnm_onnx_text(m, "aggregate_function", "AVERAGE");
        nnm_onnx_text(m, "post_transform", "NONE");
        put_nodes(m, &table);
        put_leaves(m, &table);
        nnm_onnx_end_node(m);
    }
    node_table_fini(&table);
    return status;
}

/* ---- the model ---- */

static nnm_status put_metadata(exporter *e, nnm_error *err)
{
    nnm_buffer names = {0};
    for (size_t i = 0; i < e->raw_count; i++)
        nnm_buffer_printf(&names, "%s%s", i ? "," : "", nnm_predictor_feature_name(e->predictor, e->raw[i]));
    nnm_status status = nnm_buffer_check(&names, err);
    if (status == NNM_OK) {
        nnm_onnx_metadata(&e->model, "kernel", nnm_predictor_kernel_type(e->predictor));
        nnm_onnx_metadata(&e->model, "model", nnm_predictor_model(e->predictor));
        nnm_onnx_metadata(&e->model, "inputs", names.data ? names.data : "");
        nnm_onnx_metadata(&e->model, "output", "latency in milliseconds");
        nnm_onnx_metadata(&e->model, "nn_meter_version", nnm_version());
    }
    nnm_buffer_fini(&names);
    return status;
}

static nnm_status put_model(exporter *e, nnm_buffer *file, nnm_error *err)
{
    nnm_onnx_model *m = &e->model;
    tensor features;
    nnm_status status = find_inputs(e, err);
    if (status) return status;
    nnm_onnx_model_input(m, INPUT, e->raw_count);
    nnm_onnx_model_output(m, OUTPUT, 1);
    tensor x = cast(e, INPUT, "inputs", NNM_ONNX_DOUBLE);
    status = make_features(e, x, &features, err);
    if (status == NNM_OK) status = put_forest(e, e->predictor->forest, features, OUTPUT, err);
    if (status == NNM_OK) status = put_metadata(e, err);
    if (status == NNM_OK) status = nnm_onnx_finish(m, "predictor", file, err);
    return status;
}

nnm_status nnm_export_onnx(const nnm_predictor *predictor, const char *path, nnm_error *err)
{
    exporter e = {.predictor = predictor};
    nnm_buffer file = {0};
    if (nnm_kernel_find(&e.kernel, nnm_predictor_kernel_type(predictor), NULL) != NNM_OK) e.kernel = NULL;
    nnm_status status = put_model(&e, &file, err);
    if (status == NNM_OK) status = nnm_file_write(path, file.data, file.size, err);
    nnm_buffer_fini(&file);
    nnm_onnx_fini(&e.model);
    free(e.raw);
    return status;
}
