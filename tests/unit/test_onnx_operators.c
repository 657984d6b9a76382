/* ONNX files of the whole catalogue and of every operator, and what is refused of each operator. */
#include "unit/same_graph.h"

#include <inttypes.h>

#include "base/file.h"
#include "nnmeter/kernel.h"
#include "nnmeter/model_file.h"
#include "onnx.pb-c.h"

/* ---- every kernel ---- */

/* What kernels of a family are written with: odd sizes, single pixels and channels, unused inputs, even windows. */
static const struct {
    const char *family, *config;
    int64_t batch_size;
} kernel_cases[] = {
    {"conv", "HW=13,CIN=3,COUT=16,KERNEL_SIZE=3,STRIDES=1", 1},
    {"conv", "HW=1,CIN=8,COUT=4,KERNEL_SIZE=7,STRIDES=4", 3},
    {"conv", "HW=9,CIN=4,COUT=6,KERNEL_SIZE=2,STRIDES=3", 2},
    {"dwconv", "HW=13,CIN=6,KERNEL_SIZE=3,STRIDES=2", 1},
    {"dwconv", "HW=27,CIN=1,KERNEL_SIZE=7,STRIDES=4", 3},
    {"pooling", "HW=13,CIN=6,KERNEL_SIZE=3,POOL_STRIDES=2", 1},
    {"pooling", "HW=28,CIN=3,KERNEL_SIZE=2,POOL_STRIDES=2", 2},
    {"pooling", "HW=1,CIN=1,KERNEL_SIZE=1,POOL_STRIDES=1", 1},
    {"fc", "CIN=1,COUT=1", 1},
    {"fc", "CIN=31,COUT=17", 3},
    {"concat", "HW=7,CIN1=3,CIN2=5", 1},
    {"concat", "HW=5,CIN1=1,CIN2=2,CIN3=3", 2},
    {"concat", "HW=1,CIN1=4,CIN2=3,CIN3=2,CIN4=1", 1},
    {"even", "HW=7,CIN=6", 1},
    {"even", "HW=1,CIN=2", 3},
    {"even", "HW=5,CIN=64", 2},
    {"global-avgpool", "HW=7,CIN=12", 1},
    {"global-avgpool", "HW=1,CIN=1", 2},
    {"elementwise", "HW=7,CIN=12", 1},
    {"elementwise", "HW=1,CIN=1", 2},
    {"matmul", "B=1,M=1,N=1,K=1", 1},
    {"matmul", "B=2,M=5,N=7,K=3", 1},
    {"matmul", "B=1,M=40,N=33,K=65", 3},
};

static nnm_graph *build_kernel(const nnm_kernel *kernel, size_t which)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_kernel_config config;
    nnm_graph_options options = {NNM_LAYOUT_NCHW, kernel_cases[which].batch_size, which, false};
    nnm_graph *graph = NULL;
    assert_ok(nnm_kernel_config_parse(&config, kernel, kernel_cases[which].config, &err));
    assert_ok(nnm_kernel_build_graph(&graph, kernel, &config, &options, &err));
    return graph;
}

/* Calls `visit` with the graph of every kernel and each configuration of its family. Returns how many there were. */
static size_t for_every_kernel(void (*visit)(const nnm_graph *graph, const char *name, const char *folder),
                               const char *folder)
{
    size_t count = 0;
    for (size_t k = 0; k < nnm_kernel_count(); k++) {
        const nnm_kernel *kernel = nnm_kernel_at(k);
        size_t before = count;
        for (size_t i = 0; i < sizeof kernel_cases / sizeof *kernel_cases; i++) {
            if (strcmp(kernel_cases[i].family, nnm_kernel_family(kernel)) != 0) continue;
            char name[64];
            snprintf(name, sizeof name, "%s_%zu.onnx", nnm_kernel_name(kernel), i);
            nnm_graph *graph = build_kernel(kernel, i);
            visit(graph, name, folder);
            nnm_graph_free(graph);
            count++;
        }
        assert_true(count >= before + 2);
    }
    return count;
}

static void write_graph(const nnm_graph *graph, const char *name, const char *folder)
{
    nnm_error err = NNM_ERROR_INIT;
    char path[512];
    assert_ok(nnm_onnx_write(graph, in_folder(path, folder, name), &err));
}

static void check_round_trip(const nnm_graph *graph, const char *name, const char *folder)
{
    nnm_error err = NNM_ERROR_INIT;
    char path[512];
    nnm_graph *back = NULL;
    write_graph(graph, name, folder);
    assert_ok(nnm_onnx_read(&back, in_folder(path, folder, name), &err));
    assert_equal_graphs(back, graph);
    nnm_graph_free(back);
}

static void every_kernel_reads_back_the_same(void **state)
{
    (void)state;
    char folder[256];
    make_folder(folder);
    assert_true(for_every_kernel(check_round_trip, folder) > 70);
    remove_folder(folder);
}

/* ---- one graph with every operator that kernels of one step have ---- */

static nnm_tensor_id input(nnm_graph *graph, const char *name, nnm_shape shape)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_tensor_id id = 0;
    assert_ok(nnm_graph_add_input(graph, name, &shape, &id, &err));
    return id;
}

static nnm_tensor_id constant(nnm_graph *graph, const char *name, nnm_shape shape)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_tensor_id id = 0;
    size_t count = (size_t)nnm_shape_elements(&shape);
    float *data = malloc(count * sizeof *data);
    assert_non_null(data);
    for (size_t i = 0; i < count; i++)
        data[i] = (float)i * 0.25F - 1;
    assert_ok(nnm_graph_add_constant(graph, name, &shape, data, &id, &err));
    return id;
}

static nnm_tensor_id node(nnm_graph *graph, nnm_op op, const char *name, const nnm_attributes *attributes,
                          nnm_tensor_id a, nnm_tensor_id b)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_tensor_id out[NNM_NODE_MAX_OUTPUTS] = {0};
    size_t count = op == NNM_OP_ADD || op == NNM_OP_MULTIPLY || op == NNM_OP_CONCAT || op == NNM_OP_FULLY_CONNECTED;
    assert_ok(nnm_graph_add_node(graph, op, name, attributes, (nnm_tensor_id[]){a, b}, 1 + count, out, &err));
    return out[0];
}

/* Nodes by their number in the file: 0 max, 1 mean, 2 split, 3 concat, 4 shuffle.grouped, 5 shuffle.swapped, 6 shuffle,
 * 7 again, 8 global, 9 sigmoid, 10 gate, 11 scale, 12 swish, 13 matmul. A name that the writer would like to give to
 * the inside of the shuffle is taken. */
static nnm_graph *build_network(void)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_graph *graph = NULL;
    assert_ok(nnm_graph_new(&graph, NNM_LAYOUT_NCHW, &err));
    nnm_tensor_id x = input(graph, "shuffle.grouped", (nnm_shape){4, {2, 6, 8, 9}});
    nnm_attributes window = {.kernel_h = 3, .kernel_w = 2, .stride_h = 2, .stride_w = 1, .padding = NNM_PADDING_SAME};
    nnm_attributes uneven = {
        .kernel_h = 3, .kernel_w = 3, .stride_h = 1, .stride_w = 2, .pad_top = 1, .pad_bottom = 2, .pad_right = 1};
    nnm_attributes groups = {.groups = 3};
    x = node(graph, NNM_OP_MAX_POOL, "max", &window, x, 0);
    x = node(graph, NNM_OP_AVERAGE_POOL, "mean", &uneven, x, 0);
    x = node(graph, NNM_OP_SPLIT, "split", NULL, x, 0);
    x = node(graph, NNM_OP_CONCAT, "concat", NULL, x + 1, x);
    x = node(graph, NNM_OP_CHANNEL_SHUFFLE, "shuffle", &groups, x, 0);
    x = node(graph, NNM_OP_ADD, "again", NULL, x, x);
    nnm_tensor_id gate = node(graph, NNM_OP_GLOBAL_AVERAGE_POOL, "global", NULL, x, 0);
    gate = node(graph, NNM_OP_SIGMOID, "sigmoid", NULL, gate, 0);
    gate = node(graph, NNM_OP_HARD_SIGMOID, "gate", NULL, gate, 0);
    x = node(graph, NNM_OP_MULTIPLY, "scale", NULL, x, gate);
    x = node(graph, NNM_OP_HARD_SWISH, "swish", NULL, x, 0);
    assert_ok(nnm_graph_mark_output(graph, x, &err));
    nnm_tensor_id rows = input(graph, "rows", (nnm_shape){3, {2, 3, 5}});
    nnm_tensor_id weight = constant(graph, "weight", (nnm_shape){2, {4, 5}});
    assert_ok(nnm_graph_mark_output(graph, node(graph, NNM_OP_FULLY_CONNECTED, "matmul", NULL, rows, weight), &err));
    return graph;
}

static void all_operators_read_back_the_same(void **state)
{
    (void)state;
    char folder[256], path[512];
    nnm_error err = NNM_ERROR_INIT;
    make_folder(folder);
    nnm_graph *graph = build_network(), *back = NULL;
    write_graph(graph, "network.onnx", folder);
    assert_ok(nnm_onnx_read(&back, in_folder(path, folder, "network.onnx"), &err));
    assert_int_equal(nnm_graph_node_count(back), nnm_graph_node_count(graph));
    for (size_t i = 0; i < nnm_graph_node_count(graph); i++) {
        const nnm_node *a = nnm_graph_node(graph, i), *b = nnm_graph_node(back, i);
        assert_int_equal(a->op, b->op);
        assert_equal_attributes(&a->attributes, &b->attributes);
        assert_int_equal(a->output_count, b->output_count);
        for (size_t j = 0; j < a->output_count; j++)
            assert_equal_shapes_and_names(nnm_graph_tensor(graph, a->outputs[j]),
                                          nnm_graph_tensor(back, b->outputs[j]));
        for (size_t j = 0; j < a->input_count; j++)
            assert_string_equal(nnm_graph_tensor(graph, a->inputs[j])->name,
                                nnm_graph_tensor(back, b->inputs[j])->name);
    }
    nnm_graph_free(back);
    nnm_graph_free(graph);
    remove_folder(folder);
}

/* ---- what ONNX cannot hold ---- */

static void weights_that_a_matmul_cannot_share_are_refused(void **state)
{
    (void)state;
    char folder[256], path[512];
    nnm_error err = NNM_ERROR_INIT;
    make_folder(folder);
    in_folder(path, folder, "m.onnx");
    for (size_t with_bias = 0; with_bias < 2; with_bias++) {
        nnm_graph *graph = NULL;
        nnm_tensor_id y = 0;
        assert_ok(nnm_graph_new(&graph, NNM_LAYOUT_NCHW, &err));
        nnm_tensor_id rows = input(graph, "rows", (nnm_shape){3, {2, 3, 5}});
        nnm_tensor_id flat = input(graph, "flat", (nnm_shape){2, {1, 5}});
        nnm_tensor_id weight = constant(graph, "weight", (nnm_shape){2, {4, 5}});
        nnm_tensor_id bias = constant(graph, "bias", (nnm_shape){1, {4}});
        assert_ok(nnm_graph_add_node(graph, NNM_OP_FULLY_CONNECTED, "matmul", NULL,
                                     (nnm_tensor_id[]){rows, weight, bias}, with_bias ? 3 : 2, &y, &err));
        assert_ok(nnm_graph_mark_output(graph, y, &err));
        if (!with_bias) {
            assert_ok(nnm_onnx_write(graph, path, &err));
            node(graph, NNM_OP_FULLY_CONNECTED, "gemm", NULL, flat, weight);
        }
        assert_fails(nnm_onnx_write(graph, path, &err), NNM_ERR_UNSUPPORTED,
                     with_bias ? "'matmul' has a bias and an input of 3 dimensions"
                               : "the weight 'weight' of a MatMul is also used by 'gemm'");
        nnm_graph_free(graph);
    }
    remove_folder(folder);
}

/* ---- models that mean something else: each case changes one thing of the network ---- */

static Onnx__NodeProto *node_of(Onnx__ModelProto *m, size_t index)
{
    return m->graph->node[index];
}

static Onnx__AttributeProto *attribute(Onnx__ModelProto *m, size_t index, const char *name)
{
    Onnx__NodeProto *of = node_of(m, index);
    for (size_t i = 0; i < of->n_attribute; i++)
        if (strcmp(of->attribute[i]->name, name) == 0) return of->attribute[i];
    fail_msg("node %zu has no attribute '%s'", index, name);
    return NULL;
}

static Onnx__TensorProto *initialiser(Onnx__ModelProto *m, const char *name)
{
    for (size_t i = 0; i < m->graph->n_initializer; i++)
        if (strcmp(m->graph->initializer[i]->name, name) == 0) return m->graph->initializer[i];
    fail_msg("there is no initialiser '%s'", name);
    return NULL;
}

static int64_t *numbers(Onnx__ModelProto *m, const char *name)
{
    return (int64_t *)(void *)initialiser(m, name)->raw_data.data;
}

static void set_text(char **text, const char *value)
{
    free(*text);
    *text = strdup(value);
}

static void rename_operator(Onnx__ModelProto *m, size_t index, const char *type)
{
    set_text(&node_of(m, index)->op_type, type);
    for (size_t i = 0; i < node_of(m, index)->n_attribute; i++)
        onnx__attribute_proto__free_unpacked(node_of(m, index)->attribute[i], NULL);
    node_of(m, index)->n_attribute = 0;
}

static void add_input(Onnx__NodeProto *to, const char *name)
{
    to->input = realloc(to->input, (to->n_input + 1) * sizeof *to->input);
    assert_non_null(to->input);
    to->input[to->n_input++] = strdup(name);
}

static void drop_last_output(Onnx__NodeProto *of)
{
    free(of->output[--of->n_output]);
}

#define CHANGE(name, statement)           \
    static void name(Onnx__ModelProto *m) \
    {                                     \
        statement;                        \
    }
CHANGE(rounds_up, attribute(m, 0, "ceil_mode")->i = 1)
CHANGE(column_major, set_text(&attribute(m, 0, "ceil_mode")->name, "storage_order");
       attribute(m, 0, "storage_order")->i = 1)
CHANGE(counts_padding, attribute(m, 1, "count_include_pad")->i = 1)
CHANGE(dilated, set_text(&attribute(m, 1, "strides")->name, "dilations"))
CHANGE(all_padding, attribute(m, 1, "pads")->ints[0] = 3)
CHANGE(no_window, attribute(m, 0, "kernel_shape")->ints[1] = 0)
CHANGE(split_batch, attribute(m, 2, "axis")->i = 0)
CHANGE(one_part, drop_last_output(node_of(m, 2)))
CHANGE(one_nameless_part, set_text(&node_of(m, 2)->output[1], ""))
CHANGE(same_parts, set_text(&node_of(m, 2)->output[1], "split"))
CHANGE(sizes_of_floats, add_input(node_of(m, 2), "weight"))
CHANGE(sizes_unknown, add_input(node_of(m, 2), "rows"))
CHANGE(sizes_of_four, add_input(node_of(m, 2), "shuffle.shape"))
CHANGE(concat_height, attribute(m, 3, "axis")->i = 2)
CHANGE(concat_one, free(node_of(m, 3)->input[1]); node_of(m, 3)->n_input = 1)
CHANGE(other_order, attribute(m, 5, "perm")->ints[3] = 4; attribute(m, 5, "perm")->ints[4] = 3)
CHANGE(short_order, attribute(m, 5, "perm")->n_ints = 4)
CHANGE(no_groups, numbers(m, "shuffle.grouped_shape")[1] = 1; numbers(m, "shuffle.grouped_shape")[2] = 6)
CHANGE(other_groups, numbers(m, "shuffle.grouped_shape")[3] = 1; numbers(m, "shuffle.grouped_shape")[4] = -1)
CHANGE(too_many, numbers(m, "shuffle.grouped_shape")[1] = INT64_MAX)
CHANGE(two_open, numbers(m, "shuffle.grouped_shape")[1] = -1; numbers(m, "shuffle.grouped_shape")[2] = -1)
CHANGE(uneven_open, numbers(m, "shuffle.grouped_shape")[1] = 4; numbers(m, "shuffle.grouped_shape")[2] = -1)
CHANGE(shape_of_floats, initialiser(m, "shuffle.shape")->data_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT)
CHANGE(shape_cut_short, initialiser(m, "shuffle.shape")->raw_data.len -= 1)
CHANGE(shape_elsewhere, initialiser(m, "shuffle.shape")->has_data_location = 1;
       initialiser(m, "shuffle.shape")->data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL)
CHANGE(shape_missing, set_text(&node_of(m, 6)->input[1], "nothing"))
CHANGE(other_end, numbers(m, "shuffle.shape")[1] = 3; numbers(m, "shuffle.shape")[2] *= 2)
CHANGE(reads_inside, set_text(&node_of(m, 6)->output[0], "elsewhere");
       set_text(&node_of(m, 7)->input[0], "shuffle.swapped"))
CHANGE(skips_transpose, set_text(&node_of(m, 6)->input[0], "shuffle.grouped_1"))
CHANGE(begins_twice, set_text(&node_of(m, 6)->input[0], "concat");
       set_text(&node_of(m, 6)->input[1], "shuffle.grouped_shape"))
CHANGE(never_ends, begins_twice(m); set_text(&node_of(m, 7)->input[0], "concat");
       set_text(&node_of(m, 7)->input[1], "concat"))
CHANGE(transposes_else, set_text(&node_of(m, 5)->input[0], "concat"))
CHANGE(taken_inside, set_text(&node_of(m, 5)->output[0], "concat"))
CHANGE(adds_shapes, set_text(&node_of(m, 7)->input[1], "rows"))
CHANGE(steep, attribute(m, 10, "alpha")->f = 0.2F)
CHANGE(shifted, attribute(m, 10, "beta")->f = 0.4F)
CHANGE(three_factors, add_input(node_of(m, 11), "gate"))
CHANGE(odd_factor, set_text(&node_of(m, 11)->input[1], "rows"))
CHANGE(computed_weight, set_text(&node_of(m, 13)->input[1], "swish"))
CHANGE(weight_used_twice, rename_operator(m, 12, "Mul"); add_input(node_of(m, 12), "weight");
       Onnx__NodeProto *n = node_of(m, 12); m->graph->node[12] = node_of(m, 13); m->graph->node[13] = n)
CHANGE(weight_used_before, rename_operator(m, 12, "Add"); set_text(&node_of(m, 12)->input[0], "weight");
       add_input(node_of(m, 12), "weight"))
CHANGE(flat_weight, initialiser(m, "weight")->dims[0] = 20; initialiser(m, "weight")->n_dims = 1)
CHANGE(weight_of_integers, initialiser(m, "weight")->data_type = ONNX__TENSOR_PROTO__DATA_TYPE__INT32)
CHANGE(turned_weight, int64_t *d = initialiser(m, "weight")->dims; d[0] = 4; d[1] = 5)
CHANGE(three_matrices, add_input(node_of(m, 13), "weight"))

typedef struct change_case {
    void (*change)(Onnx__ModelProto *model);
    nnm_status code;
    const char *text;
} change_case;

static const change_case refused[] = {
    {rounds_up, NNM_ERR_UNSUPPORTED, "MaxPool 'max': attribute 'ceil_mode' is 1; only 0 is supported"},
    {column_major, NNM_ERR_UNSUPPORTED, "attribute 'storage_order' is 1"},
    {counts_padding, NNM_ERR_UNSUPPORTED, "AveragePool 'mean': attribute 'count_include_pad' is 1"},
    {dilated, NNM_ERR_UNSUPPORTED, "dilations are 1 and 2"},
    {all_padding, NNM_ERR_VALUE, "pads must be smaller than the window of 3 x 3"},
    {no_window, NNM_ERR_VALUE, "kernel_w is 0"},
    {split_batch, NNM_ERR_UNSUPPORTED, "Split 'split': attribute 'axis' is 0; only 1 is supported"},
    {one_part, NNM_ERR_UNSUPPORTED, "it does not give two equal parts"},
    {one_nameless_part, NNM_ERR_VALUE, "a tensor needs a name"},
    {same_parts, NNM_ERR_VALUE, "two outputs are called 'split'"},
    {sizes_of_floats, NNM_ERR_VALUE, "initialiser 'weight': its elements are FLOAT; they must be INT64"},
    {sizes_unknown, NNM_ERR_UNSUPPORTED, "'rows' is not an initialiser"},
    {sizes_of_four, NNM_ERR_UNSUPPORTED, "it is not a vector of 1 to 2 numbers"},
    {concat_height, NNM_ERR_UNSUPPORTED, "Concat 'concat': attribute 'axis' is 2; only 1 is supported"},
    {concat_one, NNM_ERR_VALUE, "1 inputs are given; it takes 2 to 6"},
    {other_order, NNM_ERR_UNSUPPORTED, "Transpose 'shuffle.swapped': it is not part of a channel shuffle"},
    {short_order, NNM_ERR_UNSUPPORTED, "attribute 'perm' has 4 numbers; only 5 are supported"},
    {no_groups, NNM_ERR_VALUE, "groups is 1; it must be at least 2"},
    {other_groups, NNM_ERR_UNSUPPORTED, "it is not part of a channel shuffle"},
    {too_many, NNM_ERR_VALUE, "it cannot give the shape that 'shuffle.grouped_shape' asks for"},
    {two_open, NNM_ERR_VALUE, "it cannot give the shape"},
    {uneven_open, NNM_ERR_VALUE, "it cannot give the shape"},
    {shape_of_floats, NNM_ERR_VALUE, "initialiser 'shuffle.shape': its elements are FLOAT; they must be INT64"},
    {shape_cut_short, NNM_ERR_VALUE, "4 numbers need 32 bytes of data, but it has 31"},
    {shape_elsewhere, NNM_ERR_UNSUPPORTED, "initialiser 'shuffle.shape': its data lie in another file"},
    {shape_missing, NNM_ERR_UNSUPPORTED, "'nothing' is not an initialiser"},
    {other_end, NNM_ERR_UNSUPPORTED, "it is not part of a channel shuffle"},
    {reads_inside, NNM_ERR_VALUE, "no node before computes it"},
    {skips_transpose, NNM_ERR_VALUE, "neither an input of the model"},
    {begins_twice, NNM_ERR_UNSUPPORTED, "input 'shuffle' is the inside of a channel shuffle"},
    {never_ends, NNM_ERR_UNSUPPORTED,
     "'shuffle.swapped' is the inside of a channel shuffle (Reshape, Transpose, Reshape) that does"},
    {transposes_else, NNM_ERR_UNSUPPORTED, "it is not part of a channel shuffle"},
    {taken_inside, NNM_ERR_VALUE, "the name 'concat' is taken"},
    {adds_shapes, NNM_ERR_VALUE, "Add 'again': a has the shape [2, 6, 5, 4], but 'rows' has [2, 3, 5]"},
    {steep, NNM_ERR_UNSUPPORTED, "attribute 'alpha' is 0.2; only 1/6 is supported"},
    {shifted, NNM_ERR_UNSUPPORTED, "attribute 'beta' is 0.4; only 0.5 is supported"},
    {three_factors, NNM_ERR_VALUE, "it has 3 inputs; it takes 2"},
    {odd_factor, NNM_ERR_VALUE, "height and width 1 for the second of two images"},
    {computed_weight, NNM_ERR_UNSUPPORTED, "its second input 'swish' must be an initialiser that no other operator"},
    {weight_used_twice, NNM_ERR_UNSUPPORTED, "input 'weight' is the weight of a MatMul too"},
    {weight_used_before, NNM_ERR_UNSUPPORTED, "its second input 'weight' must be an initialiser that no other"},
    {flat_weight, NNM_ERR_UNSUPPORTED, "the weight 'weight' has the shape [20]; only matrices are supported"},
    {weight_of_integers, NNM_ERR_UNSUPPORTED, "its elements are INT32; only FLOAT is supported"},
    {turned_weight, NNM_ERR_VALUE, "weight has 4 input channels, but x has 5"},
    {three_matrices, NNM_ERR_VALUE, "it has 3 inputs; it takes 2"},
};

/* The network as a file, after a change. */
static uint8_t *changed_network(void (*change)(Onnx__ModelProto *), size_t *size)
{
    char folder[256], path[512], *bytes = NULL;
    nnm_error err = NNM_ERROR_INIT;
    make_folder(folder);
    nnm_graph *graph = build_network();
    write_graph(graph, "network.onnx", folder);
    nnm_graph_free(graph);
    assert_ok(nnm_file_read(in_folder(path, folder, "network.onnx"), &bytes, size, &err));
    remove_folder(folder);
    Onnx__ModelProto *model = onnx__model_proto__unpack(NULL, *size, (const uint8_t *)bytes);
    assert_non_null(model);
    free(bytes);
    change(model);
    *size = onnx__model_proto__get_packed_size(model);
    uint8_t *packed = malloc(*size);
    assert_non_null(packed);
    onnx__model_proto__pack(model, packed);
    onnx__model_proto__free_unpacked(model, NULL);
    return packed;
}

static void what_is_not_understood_is_refused_by_name(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        size_t size;
        nnm_graph *graph = NULL;
        uint8_t *packed = changed_network(refused[i].change, &size);
        assert_fails(nnm_onnx_read_memory(&graph, packed, size, "m.onnx", &err), refused[i].code, refused[i].text);
        assert_null(graph);
        free(packed);
    }
}

/* ---- other ways to say the same ---- */

CHANGE(mirrored, char **names = node_of(m, 11)->input; char *first = names[0]; names[0] = names[1]; names[1] = first)
CHANGE(open_shape, numbers(m, "shuffle.grouped_shape")[0] = 0; numbers(m, "shuffle.grouped_shape")[2] = -1;
       numbers(m, "shuffle.shape")[0] = 0; numbers(m, "shuffle.shape")[1] = -1)
static void the_same_in_other_words_reads_the_same(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    void (*const changes[])(Onnx__ModelProto *) = {mirrored, open_shape};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        size_t size;
        nnm_graph *graph = NULL;
        uint8_t *packed = changed_network(changes[i], &size);
        assert_ok(nnm_onnx_read_memory(&graph, packed, size, "m.onnx", &err));
        assert_int_equal(nnm_graph_node(graph, 4)->op, NNM_OP_CHANNEL_SHUFFLE);
        assert_int_equal(nnm_graph_node(graph, 4)->attributes.groups, 3);
        const nnm_node *scale = nnm_graph_node(graph, 9);
        assert_string_equal(nnm_graph_tensor(graph, scale->inputs[1])->name, "gate");
        nnm_graph_free(graph);
        free(packed);
    }
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "write") == 0) { /* for integration/check_onnx.py */
        nnm_graph *graph = build_network();
        write_graph(graph, "operators.onnx", argv[2]);
        nnm_graph_free(graph);
        return for_every_kernel(write_graph, argv[2]) == 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kernel_reads_back_the_same),
        cmocka_unit_test(all_operators_read_back_the_same),
        cmocka_unit_test(weights_that_a_matmul_cannot_share_are_refused),
        cmocka_unit_test(what_is_not_understood_is_refused_by_name),
        cmocka_unit_test(the_same_in_other_words_reads_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
