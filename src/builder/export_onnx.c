/*
 * Predictors as ONNX models.
 *
 * Input "configuration", float [N, columns]: what a table for the predictor has, in the order of the metadata entry
 * "inputs": the kernel's parameters, then further columns. All other features are computed in the graph. Everything is
 * done in double precision, and the trees keep their own thresholds: a float that our own code is asked takes the same
 * way through every tree. Output "latency_ms", float [N, 1].
 */
#include <stdlib.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "builder/onnx_features.h"
#include "learn/forest_trees.h"
#include "learn/predictor_model.h"

#define INPUT "configuration"
#define OUTPUT "latency_ms"

typedef struct exporter {
    nnm_onnx_model model;
    nnm_onnx_steps steps;
    nnm_onnx_inputs inputs;
    const nnm_predictor *predictor;
} exporter;

/* ---- trees ---- */

/* The nodes of all trees, one behind the other, and one column of what ONNX wants to know of them. */
typedef struct node_table {
    nnm_tree_node *nodes;
    int64_t *tree, *node; /* of each */
    size_t count;
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

static nnm_status node_table_init(node_table *t, size_t count, nnm_error *err)
{
    *t = (node_table){
        .nodes = nnm_calloc(count, sizeof *t->nodes),
        .tree = nnm_calloc(count, sizeof *t->tree),
        .node = nnm_calloc(count, sizeof *t->node),
        .ints = nnm_calloc(count, sizeof *t->ints),
        .doubles = nnm_calloc(count, sizeof *t->doubles),
        .texts = nnm_calloc(count, sizeof *t->texts),
    };
    return t->nodes && t->tree && t->node && t->ints && t->doubles && t->texts ? NNM_OK : nnm_fail_memory(err);
}

static void add_node(node_table *t, size_t tree, size_t node, nnm_tree_node what)
{
    t->nodes[t->count] = what;
    t->tree[t->count] = (int64_t)tree;
    t->node[t->count++] = (int64_t)node;
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

/* Moves what the leaves need to the front of the columns, which no node needs any more. `apart`: every tree has an
 * output of its own. */
static void put_leaves(nnm_onnx_model *m, node_table *t, bool apart)
{
    size_t leaf = 0;
    for (size_t i = 0; i < t->count; i++) {
        if (!is_leaf(&t->nodes[i])) continue;
        t->tree[leaf] = t->tree[i];
        t->node[leaf] = t->node[i];
        t->doubles[leaf] = t->nodes[i].value;
        t->ints[leaf] = apart ? t->tree[leaf] : 0;
        leaf++;
    }
    nnm_onnx_ints(m, "target_treeids", t->tree, leaf);
    nnm_onnx_ints(m, "target_nodeids", t->node, leaf);
    nnm_onnx_ints(m, "target_ids", t->ints, leaf);
    nnm_onnx_doubles(m, "target_weights_as_tensor", t->doubles, leaf);
}

/* The mean of all trees, float [N, 1], or what each says, float [N, outputs]. */
static void put_trees(exporter *e, node_table *table, size_t outputs, nnm_value features, const char *output)
{
    nnm_onnx_model *m = &e->model;
    nnm_onnx_begin_node(m, "TreeEnsembleRegressor", "ai.onnx.ml");
    nnm_onnx_input(m, features.name);
    nnm_onnx_output(m, output);
    nnm_onnx_int(m, "n_targets", (int64_t)outputs);
    nnm_onnx_text(m, "aggregate_function", outputs == 1 ? "AVERAGE" : "SUM");
    nnm_onnx_text(m, "post_transform", "NONE");
    put_nodes(m, table);
    put_leaves(m, table, outputs > 1);
    nnm_onnx_end_node(m);
}

/* ---- the random forest ---- */

static nnm_status put_forest(exporter *e, nnm_value features, nnm_error *err)
{
    const nnm_forest *forest = e->predictor->forest;
    node_table table;
    nnm_status status = node_table_init(&table, nnm_forest_node_count(forest), err);
    if (status == NNM_OK) {
        for (size_t tree = 0; tree < nnm_forest_tree_count(forest); tree++)
            for (size_t node = 0; node < nnm_forest_tree_node_count(forest, tree); node++)
                add_node(&table, tree, node, nnm_forest_tree_node(forest, tree, node));
        put_trees(e, &table, 1, features, OUTPUT);
    }
    node_table_fini(&table);
    return status;
}

/* ---- best ---- */

/* Logarithms of what each term of the roofline but the first takes, [N, terms - 1]: log(cost) + log(amount). */
static nnm_value roofline_terms(exporter *e, nnm_value features)
{
    const nnm_roofline *r = &e->predictor->best->roofline;
    nnm_onnx_steps *s = &e->steps;
    int64_t columns[NNM_ROOFLINE_MAX_TERMS];
    for (size_t i = 1; i < r->terms; i++)
        columns[i - 1] = r->column[i];
    nnm_value amounts = nnm_value_columns(s, features, columns, r->terms - 1);
    amounts =
        nnm_value_2(s, "Min", nnm_value_2(s, "Max", amounts, nnm_value_constant(s, 1)), nnm_value_constant(s, 1e100));
    return nnm_value_2(s, "Add", nnm_value_1(s, "Log", amounts), nnm_value_constants(s, r->log_cost + 1, r->terms - 1));
}

/* nnm_roofline_log_latency: the logarithm, [N, 1], and the shares, [N, groups]. */
static nnm_value roofline(exporter *e, nnm_value features, nnm_value *shares)
{
    static const int64_t first_column = 0;
    const nnm_roofline *r = &e->predictor->best->roofline;
    nnm_onnx_steps *s = &e->steps;
    nnm_value groups[NNM_ROOFLINE_MAX_GROUPS];
    nnm_value zeros = nnm_value_2(s, "Mul", nnm_value_columns(s, features, &first_column, 1), nnm_value_constant(s, 0));
    groups[0] = nnm_value_2(s, "Add", zeros, nnm_value_constant(s, r->log_cost[0]));
    if (r->terms > 1) {
        nnm_value terms = roofline_terms(e, features);
        for (size_t first = 1, g = 1; first < r->terms; g++) {
            int64_t mates[NNM_ROOFLINE_MAX_TERMS];
            size_t count = 0;
            for (; first < r->terms && r->group[first] == g; first++)
                mates[count++] = (int64_t)first - 1;
            groups[g] = nnm_value_columns(s, terms, mates, count);
            if (count > 1) groups[g] = nnm_value_log_sum(s, groups[g]);
        }
    }
    nnm_value all = nnm_value_concat(s, groups, r->groups), power = nnm_value_constant(s, r->power);
    nnm_value log_latency = nnm_value_2(s, "Div", nnm_value_log_sum(s, nnm_value_2(s, "Mul", all, power)), power);
    *shares = nnm_value_2(s, "Sub", all, log_latency);
    return log_latency;
}

/* What the trees of `best` see, as nnm_best_see has it. */
static nnm_status seen_by_trees(exporter *e, nnm_value features, nnm_value *seen, nnm_value *log_latency,
                                nnm_error *err)
{
    const nnm_best *best = e->predictor->best;
    int64_t *columns = nnm_calloc(best->seen_count, sizeof *columns);
    if (!columns) return nnm_fail_memory(err);
    for (size_t i = 0; i < best->seen_count; i++)
        columns[i] = best->seen[i];
    nnm_value parts[3];
    parts[1] = roofline(e, features, &parts[2]);
    if (best->seen_count) {
        parts[0] = nnm_value_columns(&e->steps, features, columns, best->seen_count);
        *seen = nnm_value_concat(&e->steps, parts, 3);
    } else {
        *seen = nnm_value_concat(&e->steps, parts + 1, 2);
    }
    *log_latency = parts[1];
    free(columns);
    return NNM_OK;
}

/* The mean of the sorted answers of each row, float [N, trees], from the one numbered `from` to the one before `to`:
 * double [N, 1]. */
static nnm_value middle(exporter *e, nnm_value answers, size_t from, size_t to)
{
    nnm_onnx_steps *s = &e->steps;
    nnm_value count = nnm_value_new(s), sorted = nnm_value_new(s), places = nnm_value_new(s),
              doubles = nnm_value_new(s);
    const int64_t smallest = (int64_t)to;
    int64_t numbers[NNM_POOL_MAX_TREES];
    for (size_t i = from; i < to; i++)
        numbers[i - from] = (int64_t)i;
    nnm_onnx_constant_ints(&e->model, count.name, &smallest, 1);
    nnm_onnx_begin_node(&e->model, "TopK", "");
    nnm_onnx_input(&e->model, answers.name);
    nnm_onnx_input(&e->model, count.name);
    nnm_onnx_output(&e->model, sorted.name);
    nnm_onnx_output(&e->model, places.name);
    nnm_onnx_int(&e->model, "axis", 1);
    nnm_onnx_int(&e->model, "largest", 0);
    nnm_onnx_int(&e->model, "sorted", 1);
    nnm_onnx_end_node(&e->model);
    nnm_value part = nnm_value_columns(s, sorted, numbers, to - from);
    doubles = nnm_value_cast(s, part.name, doubles.name, NNM_ONNX_DOUBLE);
    return nnm_value_2(s, "Div", nnm_value_sum(s, doubles), nnm_value_constant(s, (double)(to - from)));
}

static nnm_status put_pool(exporter *e, nnm_value seen, nnm_value answers, nnm_error *err)
{
    const nnm_tree_pool *pool = &e->predictor->best->pool;
    size_t nodes = 0;
    for (size_t tree = 0; tree < pool->count; tree++)
        nodes += pool->trees[tree].count;
    node_table table;
    nnm_status status = node_table_init(&table, nodes, err);
    if (status == NNM_OK) {
        for (size_t tree = 0; tree < pool->count; tree++) {
            for (size_t node = 0; node < pool->trees[tree].count; node++) {
                const nnm_pool_node *n = &pool->trees[tree].nodes[node];
                bool leaf = n->column == NNM_POOL_LEAF;
                add_node(&table, tree, node,
                         (nnm_tree_node){n->value, leaf ? NNM_NO_FEATURE : n->column, leaf ? 0 : (uint32_t)node + 1,
                                         n->right});
            }
        }
        put_trees(e, &table, pool->count, seen, answers.name);
    }
    node_table_fini(&table);
    return status;
}

/* nnm_best_predict: exp(roofline + middle of the answers). */
static nnm_status put_best(exporter *e, nnm_value features, nnm_error *err)
{
    nnm_onnx_steps *s = &e->steps;
    nnm_value seen, log_latency, answers = nnm_value_new(s);
    nnm_status status = seen_by_trees(e, features, &seen, &log_latency, err);
    if (status == NNM_OK) status = put_pool(e, seen, answers, err);
    if (status) return status;
    size_t trees = e->predictor->best->pool.count, from, to;
    nnm_best_middle_range(trees, &from, &to);
    nnm_value sum = nnm_value_2(s, "Add", log_latency, middle(e, answers, from, to));
    sum = nnm_value_2(s, "Max", sum, nnm_value_constant(s, -NNM_BEST_MAX_LOG_LATENCY));
    sum = nnm_value_2(s, "Min", sum, nnm_value_constant(s, NNM_BEST_MAX_LOG_LATENCY));
    nnm_value_cast(s, nnm_value_1(s, "Exp", sum).name, OUTPUT, NNM_ONNX_FLOAT);
    return NNM_OK;
}

/* ---- the model ---- */

static nnm_status put_metadata(exporter *e, nnm_error *err)
{
    nnm_buffer names = {0};
    for (size_t i = 0; i < e->inputs.count; i++)
        nnm_buffer_printf(&names, "%s%s", i ? "," : "", nnm_predictor_feature_name(e->predictor, e->inputs.feature[i]));
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
    nnm_value features;
    nnm_status status = nnm_onnx_inputs_find(&e->inputs, e->predictor, err);
    if (status) return status;
    nnm_onnx_model_input(&e->model, INPUT, e->inputs.count);
    nnm_onnx_model_output(&e->model, OUTPUT, 1);
    nnm_value x = nnm_value_cast(&e->steps, INPUT, "inputs", NNM_ONNX_DOUBLE);
    status = nnm_onnx_features(&features, &e->steps, &e->inputs, x, err);
    if (status == NNM_OK) status = e->predictor->forest ? put_forest(e, features, err) : put_best(e, features, err);
    if (status == NNM_OK) status = put_metadata(e, err);
    if (status == NNM_OK) status = nnm_onnx_finish(&e->model, "predictor", file, err);
    return status;
}

nnm_status nnm_export_onnx(const nnm_predictor *predictor, const char *path, nnm_error *err)
{
    exporter e = {.predictor = predictor};
    nnm_buffer file = {0};
    e.steps.model = &e.model;
    nnm_status status = put_model(&e, &file, err);
    if (status == NNM_OK) status = nnm_file_write(path, file.data, file.size, err);
    nnm_buffer_fini(&file);
    nnm_onnx_fini(&e.model);
    nnm_onnx_inputs_fini(&e.inputs);
    return status;
}
