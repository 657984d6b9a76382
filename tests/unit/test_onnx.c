#include "unit/format_rig.h"
#include "unit/same_graph.h"

#include <inttypes.h>

#include "base/buffer.h"
#include "base/file.h"
#include "formats/wire.h"
#include "graph/shape.h"
#include "nnmeter/kernel.h"
#include "nnmeter/model_file.h"
#include "onnx.pb-c.h"

/* ---- graphs to write ---- */

/* Every kernel is written with these: odd sizes, a single pixel, windows larger than the image, several batches. */
static const struct {
    const char *kernel, *config;
    int64_t batch_size;
} kernel_cases[] = {
    {"conv-bn-relu", "HW=13,CIN=3,COUT=16,KERNEL_SIZE=3,STRIDES=1", 1},
    {"conv-bn-relu", "HW=1,CIN=8,COUT=4,KERNEL_SIZE=1,STRIDES=1", 1},
    {"conv-bn-relu", "HW=1,CIN=8,COUT=4,KERNEL_SIZE=7,STRIDES=4", 3},
    {"conv-bn-relu", "HW=27,CIN=5,COUT=7,KERNEL_SIZE=7,STRIDES=4", 3},
    {"conv-bn-relu", "HW=28,CIN=4,COUT=6,KERNEL_SIZE=5,STRIDES=2", 1},
    {"conv-bn-relu", "HW=9,CIN=4,COUT=6,KERNEL_SIZE=2,STRIDES=3", 2},
    {"dwconv-bn-relu", "HW=13,CIN=6,KERNEL_SIZE=3,STRIDES=2", 1},
    {"dwconv-bn-relu", "HW=1,CIN=1,KERNEL_SIZE=1,STRIDES=1", 1},
    {"dwconv-bn-relu", "HW=27,CIN=10,KERNEL_SIZE=7,STRIDES=4", 3},
    {"fc", "CIN=1,COUT=1", 1},
    {"fc", "CIN=31,COUT=17", 3},
};
#define KERNEL_CASES (sizeof kernel_cases / sizeof *kernel_cases)

static nnm_graph *build_kernel(size_t which)
{
    nnm_error err = NNM_ERROR_INIT;
    const nnm_kernel *kernel = NULL;
    nnm_kernel_config config;
    nnm_graph_options options = {NNM_LAYOUT_NCHW, kernel_cases[which].batch_size, which, false};
    nnm_graph *graph = NULL;
    assert_ok(nnm_kernel_find(&kernel, kernel_cases[which].kernel, &err));
    assert_ok(nnm_kernel_config_parse(&config, kernel, kernel_cases[which].config, &err));
    assert_ok(nnm_kernel_build_graph(&graph, kernel, &config, &options, &err));
    return graph;
}

static nnm_tensor_id add_constant(nnm_graph *graph, const char *name, nnm_shape shape)
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

/* One of every operator, SAME and uneven padding, no bias, two ReLU6, an output in the middle, and a tensor with the
 * name that the writer would like to give to a limit of Clip. */
static nnm_graph *build_network(void)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_graph *graph = NULL;
    nnm_tensor_id x = 0, y = 0, middle = 0;
    assert_ok(nnm_graph_new(&graph, NNM_LAYOUT_NCHW, &err));
    assert_ok(nnm_graph_add_input(graph, "relu6.min", &(nnm_shape){4, {2, 3, 8, 9}}, &x, &err));
    nnm_attributes conv = {
        .kernel_h = 3, .kernel_w = 2, .stride_h = 2, .stride_w = 3, .padding = NNM_PADDING_SAME, .groups = 1};
    nnm_tensor_id w = add_constant(graph, "w", (nnm_shape){4, {4, 3, 3, 2}});
    assert_ok(nnm_graph_add_node(graph, NNM_OP_CONV, "conv", &conv, (nnm_tensor_id[]){x, w}, 2, &y, &err));
    assert_ok(nnm_graph_add_node(graph, NNM_OP_RELU6, "six", NULL, &y, 1, &middle, &err));
    nnm_tensor_id four = add_constant(graph, "four", (nnm_shape){1, {4}});
    assert_ok(nnm_graph_add_node(graph, NNM_OP_BATCH_NORM, "bn", &(nnm_attributes){.epsilon = 0.0078125},
                                 (nnm_tensor_id[]){middle, four, four, four, four}, 5, &y, &err));
    assert_ok(nnm_graph_add_node(graph, NNM_OP_RELU6, "six again", NULL, &y, 1, &y, &err));
    assert_ok(nnm_graph_add_node(graph, NNM_OP_RELU, "relu", NULL, &y, 1, &y, &err));
    nnm_attributes uneven = {.kernel_h = 2,
                             .kernel_w = 2,
                             .stride_h = 1,
                             .stride_w = 1,
                             .pad_top = 1,
                             .pad_left = 0,
                             .pad_bottom = 2,
                             .pad_right = 3,
                             .groups = 2};
    nnm_tensor_id w2 = add_constant(graph, "w2", (nnm_shape){4, {4, 2, 2, 2}});
    assert_ok(nnm_graph_add_node(graph, NNM_OP_CONV, "uneven", &uneven, (nnm_tensor_id[]){y, w2}, 2, &y, &err));
    assert_ok(nnm_graph_add_node(graph, NNM_OP_FLATTEN, "flat", NULL, &y, 1, &y, &err));
    nnm_tensor_id fw = add_constant(graph, "fw", (nnm_shape){2, {5, 120}});
    assert_ok(nnm_graph_add_node(graph, NNM_OP_FULLY_CONNECTED, "fc", NULL, (nnm_tensor_id[]){y, fw}, 2, &y, &err));
    assert_ok(nnm_graph_mark_output(graph, y, &err));
    assert_ok(nnm_graph_mark_output(graph, middle, &err));
    return graph;
}

static const file_format onnx = {"m.onnx", "not an ONNX model, or cut short", nnm_onnx_write, nnm_onnx_read_memory};

/* The bytes of the file that `graph` becomes; the graph is freed. */
static char *bytes_of(nnm_graph *graph, size_t *size)
{
    char *bytes = written_bytes(&onnx, graph, size);
    nnm_graph_free(graph);
    return bytes;
}

static nnm_status read_bytes(const void *bytes, size_t size, nnm_error *err)
{
    return try_to_read(&onnx, bytes, size, err);
}

/* ---- writing ---- */

static void what_is_written_reads_back_the_same(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    char folder[256], path[512];
    make_folder(folder);
    in_folder(path, folder, "model.onnx");
    for (size_t i = 0; i <= KERNEL_CASES; i++) {
        nnm_graph *graph = i < KERNEL_CASES ? build_kernel(i) : build_network(), *back = NULL;
        assert_ok(nnm_onnx_write(graph, path, &err));
        assert_ok(nnm_onnx_read(&back, path, &err));
        assert_equal_graphs(graph, back);
        nnm_graph_free(graph);
        nnm_graph_free(back);
    }
    remove_folder(folder);
}

static void equal_graphs_give_equal_bytes(void **state)
{
    (void)state;
    size_t size_a, size_b;
    char *a = bytes_of(build_network(), &size_a), *b = bytes_of(build_network(), &size_b);
    assert_int_equal(size_a, size_b);
    assert_memory_equal(a, b, size_a);
    Onnx__ModelProto *model = onnx__model_proto__unpack(NULL, size_a, (const uint8_t *)a);
    assert_non_null(model);
    assert_int_equal(model->ir_version, 8);
    assert_int_equal(model->n_opset_import, 1);
    assert_int_equal(model->opset_import[0]->version, 14);
    assert_string_equal(model->producer_name, "nn-meter");
    assert_int_equal(model->graph->n_initializer, 6); /* both ReLU6 share their limits */
    onnx__model_proto__free_unpacked(model, NULL);
    free(a);
    free(b);
}

static void graphs_that_onnx_cannot_hold_are_refused(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    char folder[256], path[512], deep[512];
    make_folder(folder);
    in_folder(path, folder, "model.onnx");
    nnm_graph *graph = NULL;
    assert_ok(nnm_graph_new(&graph, NNM_LAYOUT_NHWC, &err));
    assert_fails(nnm_onnx_write(graph, path, &err), NNM_ERR_UNSUPPORTED, "ONNX needs the layout NCHW");
    nnm_graph_free(graph);
    assert_ok(nnm_graph_new(&graph, NNM_LAYOUT_NCHW, &err));
    assert_fails(nnm_onnx_write(graph, path, &err), NNM_ERR_INVALID_ARGUMENT, "the graph has no output");
    nnm_graph_free(graph);

    graph = build_kernel(0);
    assert_fails(nnm_onnx_write(graph, in_folder(deep, folder, "no/such/folder.onnx"), &err), NNM_ERR_NOT_FOUND,
                 "folder.onnx");
    assert_fails(nnm_onnx_write(graph, "/dev/full/x.onnx", &err), NNM_ERR_IO, "/dev/full/x.onnx");
    assert_false(nnm_file_exists(path));
    nnm_graph_free(graph);
    remove_folder(folder);
}

static void a_write_that_fails_leaves_nothing_behind(void **state)
{
    (void)state;
    nnm_graph *graph = build_kernel(0);
    assert_failed_write_leaves_nothing(&onnx, graph, 1000);
    nnm_graph_free(graph);
}

/* ---- damaged files ---- */

static void a_file_cut_short_anywhere_is_refused(void **state)
{
    (void)state;
    size_t size;
    char *bytes = bytes_of(build_kernel(1), &size);
    assert_cut_files_are_refused(&onnx, bytes, size);
    free(bytes);
}

static void no_changed_byte_brings_the_reader_down(void **state)
{
    (void)state;
    size_t size;
    char *bytes = bytes_of(build_kernel(1), &size);
    assert_changed_files_do_no_harm(&onnx, bytes, size);
    free(bytes);
}

static void append_varint(nnm_buffer *buffer, uint64_t value)
{
    do {
        unsigned char byte = (unsigned char)((value & 0x7F) | (value > 0x7F ? 0x80 : 0));
        nnm_buffer_append(buffer, &byte, 1);
        value >>= 7;
    } while (value);
}

/* A field that holds a message: its tag, its length, its bytes. */
static void wrap(nnm_buffer *message, unsigned field)
{
    nnm_buffer outer = {0};
    append_varint(&outer, field << 3 | 2);
    append_varint(&outer, message->size);
    nnm_buffer_append(&outer, message->data, message->size);
    nnm_buffer_fini(message);
    *message = outer;
}

static void hostile_files_cost_neither_stack_nor_memory(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_buffer bytes = {0};
    for (int i = 0; i < 1000; i++) { /* a graph in an attribute of a node of a graph ... */
        wrap(&bytes, 6);
        wrap(&bytes, 5);
        wrap(&bytes, 1);
    }
    wrap(&bytes, 7);
    assert_fails(read_bytes(bytes.data, bytes.size, &err), NNM_ERR_PARSE, "a message nested too deeply at byte");
    assert_true(err.offset > 0);
    nnm_buffer_fini(&bytes);

    for (int i = 0; i < 100000; i++) /* empty initialisers: two bytes each */
        nnm_buffer_append(&bytes, "\x2A\x00", 2);
    wrap(&bytes, 7);
    assert_fails(read_bytes(bytes.data, bytes.size, &err), NNM_ERR_PARSE, "bytes would take");
    nnm_buffer_fini(&bytes);
}

static void what_is_no_model_is_refused(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    const struct {
        const char *bytes;
        size_t size;
        const char *text;
    } cases[] = {
        {"", 0, "it has no graph"},
        {"\x08\x08", 2, "it has no graph"},
        {"hello, world\n", 13, "a field of an unknown kind at byte 2"},
        {"\x89PNG\r\n\x1a\n", 8, "m.onnx: not an ONNX model, or cut short"},
        {"\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", 12, "a number that is too long at byte 1"},
        {"\x08\xFF", 2, "the number at byte 1 has no end"},
        {"\x00\x01", 2, "a field without a number at byte 0"},
        {"\x0B", 1, "a field of an unknown kind at byte 0"},
        {"\x3A\x05\x00", 3, "the field at byte 0 has no end"},
        {"\x3A\xFF\xFF\xFF\xFF\x0F", 6, "the field at byte 0 has no end"},
        {"\x0A\x00", 2, "a field has a value of the wrong kind"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_fails(read_bytes(cases[i].bytes, cases[i].size, &err), NNM_ERR_PARSE, cases[i].text);

    char folder[256], path[512];
    make_folder(folder);
    nnm_graph *graph = NULL;
    assert_fails(nnm_onnx_read(&graph, in_folder(path, folder, "none.onnx"), &err), NNM_ERR_NOT_FOUND, "none.onnx");
    assert_fails(nnm_onnx_read(&graph, folder, &err), NNM_ERR_IO, folder);
    FILE *huge = fopen(in_folder(path, folder, "huge.onnx"), "wb"); /* a hole takes no space */
    assert_non_null(huge);
    assert_int_equal(ftruncate(fileno(huge), (off_t)3 << 30), 0);
    fclose(huge);
    assert_fails(nnm_onnx_read(&graph, path, &err), NNM_ERR_UNSUPPORTED, "it has 3221225472 bytes; ONNX allows");
    remove_folder(folder);
}

/* ---- models that mean something else: each case changes one thing of a good model ---- */

static void set_text(char **text, const char *value)
{
    free(*text);
    *text = strdup(value);
}

/* Node 0 of kernel 0 is Conv (dilations, group, kernel_shape, pads, strides), 1 BatchNormalization, 2 Relu. */
static Onnx__AttributeProto *conv_attribute(Onnx__ModelProto *m, size_t index)
{
    return m->graph->node[0]->attribute[index];
}

static Onnx__TypeProto__Tensor *input_type(Onnx__ModelProto *m)
{
    return m->graph->input[0]->type->tensor_type;
}

static void make_text_attribute(Onnx__AttributeProto *a, const char *name, const char *value)
{
    set_text(&a->name, name);
    a->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING;
    a->has_s = 1;
    a->s.len = strlen(value);
    a->s.data = (uint8_t *)strdup(value);
}

static void drop_opset(Onnx__ModelProto *m)
{
    onnx__operator_set_id_proto__free_unpacked(m->opset_import[0], NULL);
    m->n_opset_import = 0;
}

#define CHANGE(name, statement)           \
    static void name(Onnx__ModelProto *m) \
    {                                     \
        statement;                        \
    }
CHANGE(old_ir, m->ir_version = 2)
CHANGE(new_ir, m->ir_version = 11)
CHANGE(old_opset, m->opset_import[0]->version = 6)
CHANGE(new_opset, m->opset_import[0]->version = 22)
CHANGE(foreign_opset, set_text(&m->opset_import[0]->domain, "com.example"))
CHANGE(unknown_operator, set_text(&m->graph->node[2]->op_type, "Softmax"))
CHANGE(foreign_operator, set_text(&m->graph->node[2]->domain, "com.example"))
CHANGE(unknown_attribute, set_text(&conv_attribute(m, 1)->name, "grupo"))
CHANGE(twice_the_attribute, set_text(&conv_attribute(m, 4)->name, "pads"); conv_attribute(m, 4)->n_ints = 2)
CHANGE(twice_strides, set_text(&conv_attribute(m, 0)->name, "strides"))
CHANGE(wrong_attribute_type, conv_attribute(m, 1)->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT)
CHANGE(no_attribute_type, conv_attribute(m, 1)->has_type = 0)
CHANGE(function_attribute, set_text(&conv_attribute(m, 1)->ref_attr_name, "outer"))
CHANGE(dilated, conv_attribute(m, 0)->ints[1] = 2)
CHANGE(one_dimensional, conv_attribute(m, 4)->n_ints = 1)
CHANGE(negative_pad, conv_attribute(m, 3)->ints[2] = -1)
CHANGE(wrong_groups, conv_attribute(m, 1)->i = 2)
CHANGE(huge_stride, conv_attribute(m, 4)->ints[0] = INT64_MAX)
CHANGE(same_lower, make_text_attribute(conv_attribute(m, 1), "auto_pad", "SAME_LOWER"))
CHANGE(same_and_pads, make_text_attribute(conv_attribute(m, 1), "auto_pad", "SAME_UPPER"))
CHANGE(symbolic, Onnx__TensorShapeProto__Dimension *d = input_type(m)->shape->dim[0];
       d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM; d->dim_param = strdup("N"))
CHANGE(no_dimension, input_type(m)->shape->dim[1]->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE__NOT_SET)
CHANGE(zero_dimension, input_type(m)->shape->dim[2]->dim_value = 0)
CHANGE(other_input_channels, input_type(m)->shape->dim[1]->dim_value = 4)
CHANGE(half_input, input_type(m)->elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16)
CHANGE(no_shape, onnx__tensor_shape_proto__free_unpacked(input_type(m)->shape, NULL); input_type(m)->shape = NULL)
CHANGE(int_weights, m->graph->initializer[0]->data_type = ONNX__TENSOR_PROTO__DATA_TYPE__INT8)
CHANGE(unknown_weights, m->graph->initializer[0]->data_type = 99)
CHANGE(external, m->graph->initializer[0]->has_data_location = 1;
       m->graph->initializer[0]->data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL)
CHANGE(short_weights, m->graph->initializer[0]->raw_data.len -= 4)
CHANGE(uneven_weights, m->graph->initializer[0]->raw_data.len -= 1)
CHANGE(huge_weights, m->graph->initializer[0]->dims[0] = INT64_MAX)
CHANGE(negative_weights, m->graph->initializer[0]->dims[0] = -16)
CHANGE(nameless_weights, set_text(&m->graph->initializer[0]->name, ""))
CHANGE(same_weights, set_text(&m->graph->initializer[0]->name, "bn.mean"))
CHANGE(missing_weights, set_text(&m->graph->initializer[0]->name, "other"))
CHANGE(computed_weights, set_text(&m->graph->node[1]->input[1], "input"))
CHANGE(left_out_weights, set_text(&m->graph->node[1]->input[2], ""))
CHANGE(nameless_output, set_text(&m->graph->node[0]->output[0], ""))
CHANGE(taken_output, set_text(&m->graph->node[0]->output[0], "input"))
CHANGE(wrong_order, Onnx__NodeProto *n = m->graph->node[0]; m->graph->node[0] = m->graph->node[1];
       m->graph->node[1] = n)
CHANGE(unknown_output, set_text(&m->graph->output[0]->name, "nothing"))
CHANGE(input_as_output, set_text(&m->graph->output[0]->name, "input");
       m->graph->output[0]->type->tensor_type->shape->dim[1]->dim_value = 3)
CHANGE(other_output_shape, m->graph->output[0]->type->tensor_type->shape->dim[1]->dim_value = 17)
CHANGE(no_outputs, onnx__value_info_proto__free_unpacked(m->graph->output[0], NULL); m->graph->n_output = 0)
CHANGE(training, make_text_attribute(m->graph->node[1]->attribute[0], "training_mode", "");
       m->graph->node[1]->attribute[0]->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT;
       m->graph->node[1]->attribute[0]->has_i = 1; m->graph->node[1]->attribute[0]->i = 1)

typedef struct change_case {
    void (*change)(Onnx__ModelProto *model);
    nnm_status code;
    const char *text;
} change_case;

static const change_case refused[] = {
    {old_ir, NNM_ERR_UNSUPPORTED, "m.onnx: IR version 2 is not supported; 3 to 10 are"},
    {new_ir, NNM_ERR_UNSUPPORTED, "IR version 11 is not supported"},
    {old_opset, NNM_ERR_UNSUPPORTED, "operator set 6 is not supported; 7 to 21 are"},
    {new_opset, NNM_ERR_UNSUPPORTED, "operator set 22 is not supported"},
    {drop_opset, NNM_ERR_PARSE, "it names no operator set"},
    {foreign_opset, NNM_ERR_PARSE, "it names no operator set"},
    {unknown_operator, NNM_ERR_UNSUPPORTED, "Softmax 'relu': the operator Softmax is not supported"},
    {foreign_operator, NNM_ERR_UNSUPPORTED, "the operator com.example::Relu is not supported"},
    {unknown_attribute, NNM_ERR_UNSUPPORTED, "Conv 'conv': attribute 'grupo' is not supported"},
    {twice_the_attribute, NNM_ERR_VALUE, "attribute 'pads' is given twice"},
    {twice_strides, NNM_ERR_VALUE, "attribute 'strides' is given twice"},
    {wrong_attribute_type, NNM_ERR_VALUE, "attribute 'group' has FLOAT; it must be INT"},
    {no_attribute_type, NNM_ERR_VALUE, "attribute 'group' has no type; it must be INT"},
    {function_attribute, NNM_ERR_UNSUPPORTED, "attribute 'group' refers to 'outer' of a function"},
    {dilated, NNM_ERR_UNSUPPORTED, "dilations are 1 and 2; only 1 is supported"},
    {one_dimensional, NNM_ERR_UNSUPPORTED, "attribute 'strides' has 1 numbers; only 2 are supported"},
    {negative_pad, NNM_ERR_VALUE, "pad_bottom is -1"},
    {wrong_groups, NNM_ERR_VALUE, "groups is 2; it must be at least 1 and divide both 3"},
    {huge_stride, NNM_ERR_VALUE, "stride_h is 9223372036854775807"},
    {same_lower, NNM_ERR_UNSUPPORTED, "auto_pad 'SAME_LOWER' is not supported"},
    {same_and_pads, NNM_ERR_VALUE, "auto_pad and pads are both given"},
    {symbolic, NNM_ERR_UNSUPPORTED, "input 'input': dimension 0 is 'N'; only fixed shapes are supported"},
    {no_dimension, NNM_ERR_UNSUPPORTED, "dimension 1 is not given"},
    {zero_dimension, NNM_ERR_VALUE, "dimension 2 is 0; it must be at least 1"},
    {other_input_channels, NNM_ERR_VALUE, "weight has 3 input channels a group, but x has 4 channels"},
    {half_input, NNM_ERR_UNSUPPORTED, "its elements are FLOAT16; only FLOAT is supported"},
    {no_shape, NNM_ERR_UNSUPPORTED, "its shape is not given"},
    {int_weights, NNM_ERR_UNSUPPORTED, "initialiser 'conv.weight': its elements are INT8"},
    {unknown_weights, NNM_ERR_UNSUPPORTED, "its elements are an unknown type"},
    {external, NNM_ERR_UNSUPPORTED, "its data lie in another file"},
    {short_weights, NNM_ERR_VALUE, "the shape [16, 3, 3, 3] needs 1728 bytes of data, but it has 1724"},
    {uneven_weights, NNM_ERR_VALUE, "needs 1728 bytes of data, but it has 1727"},
    {huge_weights, NNM_ERR_VALUE, "has too many elements"},
    {negative_weights, NNM_ERR_VALUE, "dimension 0 is -16"},
    {nameless_weights, NNM_ERR_VALUE, "an initialiser has no name"},
    {same_weights, NNM_ERR_VALUE, "two initialisers are called 'bn.mean'"},
    {missing_weights, NNM_ERR_VALUE, "input 'conv.weight' is neither an input of the model nor an initialiser"},
    {computed_weights, NNM_ERR_UNSUPPORTED, "input 'input' is computed or fed; only initialisers are supported"},
    {left_out_weights, NNM_ERR_VALUE, "input 2 is left out, but it is needed"},
    {nameless_output, NNM_ERR_VALUE, "it has no output"},
    {taken_output, NNM_ERR_VALUE, "the name 'input' is taken"},
    {wrong_order, NNM_ERR_VALUE, "no node before computes it"},
    {unknown_output, NNM_ERR_VALUE, "output 'nothing': no node computes it"},
    {input_as_output, NNM_ERR_VALUE, "output 'input': 'input' cannot be an output"},
    {other_output_shape, NNM_ERR_VALUE, "its shape is said to be [1, 17, 13, 13], but it is [1, 16, 13, 13]"},
    {no_outputs, NNM_ERR_VALUE, "the graph has no output"},
    {training, NNM_ERR_UNSUPPORTED, "attribute 'training_mode' is 1; only 0 is supported"},
};

/* Changes the model in `bytes` and packs it again. */
static uint8_t *changed(const char *bytes, size_t size, void (*change)(Onnx__ModelProto *), size_t *changed_size)
{
    Onnx__ModelProto *model = onnx__model_proto__unpack(NULL, size, (const uint8_t *)bytes);
    assert_non_null(model);
    change(model);
    *changed_size = onnx__model_proto__get_packed_size(model);
    uint8_t *packed = malloc(*changed_size);
    assert_non_null(packed);
    onnx__model_proto__pack(model, packed);
    onnx__model_proto__free_unpacked(model, NULL);
    return packed;
}

static void what_is_not_understood_is_refused_by_name(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    size_t size, changed_size;
    char *bytes = bytes_of(build_kernel(0), &size);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        uint8_t *packed = changed(bytes, size, refused[i].change, &changed_size);
        assert_fails(read_bytes(packed, changed_size, &err), refused[i].code, refused[i].text);
        free(packed);
    }
    free(bytes);
}

/* ---- other ways to say the same ---- */

/* Puts the weights into float_data, as older exporters do. */
static void use_float_data(Onnx__ModelProto *m)
{
    for (size_t i = 0; i < m->graph->n_initializer; i++) {
        Onnx__TensorProto *tensor = m->graph->initializer[i];
        tensor->n_float_data = tensor->raw_data.len / sizeof(float);
        tensor->float_data = (float *)tensor->raw_data.data;
        tensor->has_raw_data = 0;
        tensor->raw_data = (ProtobufCBinaryData){0};
    }
}

/* Lists an initialiser among the inputs too, as files before IR version 4 had to. */
static void list_weights_as_inputs(Onnx__ModelProto *m)
{
    m->ir_version = 3;
    Onnx__ValueInfoProto *value = malloc(sizeof *value);
    assert_non_null(value);
    onnx__value_info_proto__init(value);
    value->name = strdup("conv.weight");
    m->graph->input = realloc(m->graph->input, 2 * sizeof *m->graph->input);
    m->graph->input[m->graph->n_input++] = value;
}

static void oldest_opset(Onnx__ModelProto *m)
{
    m->opset_import[0]->version = 7;
}

static void newest_opset(Onnx__ModelProto *m)
{
    m->opset_import[0]->version = 21;
    set_text(&m->opset_import[0]->domain, "ai.onnx");
}

/* Renames kernel_shape to an attribute with the default value, so that the window comes from the weight. */
static void no_kernel_shape(Onnx__ModelProto *m)
{
    set_text(&conv_attribute(m, 2)->name, "dilations");
    set_text(&conv_attribute(m, 0)->name, "strides");
    set_text(&conv_attribute(m, 4)->name, "kernel_shape");
    conv_attribute(m, 2)->ints[0] = conv_attribute(m, 2)->ints[1] = 1;
    conv_attribute(m, 4)->ints[0] = conv_attribute(m, 4)->ints[1] = 0;
}

static void same_models_in_other_words_read_the_same(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    void (*const changes[])(Onnx__ModelProto *) = {use_float_data, list_weights_as_inputs, oldest_opset, newest_opset,
                                                   no_kernel_shape};
    size_t size, changed_size;
    char *bytes = bytes_of(build_kernel(0), &size);
    nnm_graph *expected = build_kernel(0);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        nnm_graph *graph = NULL;
        uint8_t *packed = changed(bytes, size, changes[i], &changed_size);
        assert_ok(nnm_onnx_read_memory(&graph, packed, changed_size, "m.onnx", &err));
        assert_equal_graphs(graph, expected);
        nnm_graph_free(graph);
        free(packed);
    }
    nnm_graph_free(expected);
    free(bytes);
}

CHANGE(no_bias, set_text(&m->graph->node[0]->input[2], ""))
CHANGE(other_limit, float six = 5; memcpy(m->graph->initializer[1]->raw_data.data, &six, sizeof six))

static void optional_parts_may_be_missing(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    size_t size, changed_size;
    nnm_graph *graph = NULL;
    char *bytes = bytes_of(build_kernel(0), &size);
    uint8_t *packed = changed(bytes, size, no_bias, &changed_size);
    assert_ok(nnm_onnx_read_memory(&graph, packed, changed_size, "m.onnx", &err));
    assert_int_equal(nnm_graph_node(graph, 0)->input_count, 2);
    nnm_graph_free(graph);
    free(packed);
    free(bytes);

    bytes = bytes_of(build_network(), &size);
    packed = changed(bytes, size, other_limit, &changed_size);
    assert_fails(read_bytes(packed, changed_size, &err), NNM_ERR_UNSUPPORTED,
                 "Clip 'six': the limits are 0 and 5; only 0 and 6 are supported");
    free(packed);
    free(bytes);
}

/* ---- modes for integration/check_onnx.py ---- */

/* Writes every kernel case into a folder. */
static int write_all(const char *folder)
{
    nnm_error err = NNM_ERROR_INIT;
    for (size_t i = 0; i <= KERNEL_CASES; i++) {
        char name[64], path[512];
        snprintf(name, sizeof name, "%02zu_%s.onnx", i, i < KERNEL_CASES ? kernel_cases[i].kernel : "network");
        nnm_graph *graph = i < KERNEL_CASES ? build_kernel(i) : build_network();
        nnm_status status = nnm_onnx_write(graph, in_folder(path, folder, name), &err);
        nnm_graph_free(graph);
        if (status) {
            fprintf(stderr, "%s\n", err.message);
            return 1;
        }
    }
    return 0;
}

/* Reads a model and prints the shapes of its outputs, one a line; on failure the error. */
static int print_outputs(const char *path)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_graph *graph = NULL;
    nnm_status status = nnm_onnx_read(&graph, path, &err);
    if (status) {
        printf("%s: %s\n", nnm_status_name(status), err.message);
        return 1;
    }
    for (size_t i = 0; i < nnm_graph_output_count(graph); i++) {
        char text[NNM_SHAPE_TEXT_BYTES];
        puts(nnm_shape_format(&nnm_graph_tensor(graph, nnm_graph_output(graph, i))->shape, text));
    }
    nnm_graph_free(graph);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "write") == 0) return write_all(argv[2]);
    if (argc == 3 && strcmp(argv[1], "read") == 0) return print_outputs(argv[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_reads_back_the_same),
        cmocka_unit_test(equal_graphs_give_equal_bytes),
        cmocka_unit_test(graphs_that_onnx_cannot_hold_are_refused),
        cmocka_unit_test(a_write_that_fails_leaves_nothing_behind),
        cmocka_unit_test(a_file_cut_short_anywhere_is_refused),
        cmocka_unit_test(no_changed_byte_brings_the_reader_down),
        cmocka_unit_test(hostile_files_cost_neither_stack_nor_memory),
        cmocka_unit_test(what_is_no_model_is_refused),
        cmocka_unit_test(what_is_not_understood_is_refused_by_name),
        cmocka_unit_test(same_models_in_other_words_read_the_same),
        cmocka_unit_test(optional_parts_may_be_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
