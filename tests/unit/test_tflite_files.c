/* Files that are damaged, mean something else, or come from other writers. */
#include "unit/testing.h"

#include "unit/tflite_graphs.h"

/* ---- damaged files ---- */

static nnm_status read_bytes(const void *bytes, size_t size, nnm_error *err)
{
    return try_to_read(&tflite, bytes, size, err);
}

/* A small model with several operators. */
static char *small_model(size_t *size)
{
    draft d = begin(NNM_LAYOUT_NHWC);
    nnm_tensor_id x = input(&d, "x", (nnm_shape){4, {1, 4, 4, 2}});
    nnm_attributes a = {.kernel_h = 2, .kernel_w = 2, .stride_h = 1, .stride_w = 1, .pad_top = 1, .groups = 1};
    x = NODE(&d, NNM_OP_CONV, "conv", &a, x, constant(&d, "w", (nnm_shape){4, {4, 2, 2, 2}}, -1, 1));
    x = NODE(&d, NNM_OP_CHANNEL_SHUFFLE, "shuffle", &(nnm_attributes){.groups = 2}, x);
    x = NODE(&d, NNM_OP_HARD_SIGMOID, "hard", NULL, norm(&d, "bn", x, 4));
    nnm_graph *graph = finish(&d, x);
    char *bytes = bytes_of(graph, size);
    nnm_graph_free(graph);
    return bytes;
}

static void a_file_cut_short_anywhere_is_refused(void **state)
{
    (void)state;
    size_t size;
    char *bytes = small_model(&size);
    assert_cut_files_are_refused(&tflite, bytes, size);
    free(bytes);
}

static void no_changed_byte_brings_the_reader_down(void **state)
{
    (void)state;
    size_t size;
    char *bytes = small_model(&size);
    assert_changed_files_do_no_harm(&tflite, bytes, size);
    free(bytes);
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
        {"", 0, "no file identifier at byte 0"},
        {"\x14\x00\x00\x00TFL2\x00\x00\x00\x00", 12, "no file identifier at byte 4"},
        {"\x00\x00\x00\x00TFL3\x00\x00\x00\x00", 12, "an offset that leads out of the file at byte 0"},
        {"\xFF\xFF\xFF\xFFTFL3\x00\x00\x00\x00", 12, "an offset that leads out of the file at byte 0"},
        {"\x08\x00\x00\x00TFL3\xFF\x00\x00\x00", 12, "a table without a vtable at byte 8"},
        {"\x08\x00\x00\x00TFL3\x00\x00\x00\x00", 12, "a vtable of a wrong size at byte 8"},
        {"\x0C\x00\x00\x00TFL3\x04\x00\x40\x00\x04\x00\x00\x00", 16, "a table that has no end at byte 12"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_fails(read_bytes(cases[i].bytes, cases[i].size, &err), NNM_ERR_PARSE, cases[i].text);

    char folder[256], path[512];
    make_folder(folder);
    nnm_graph *graph = NULL;
    assert_fails(nnm_tflite_read(&graph, in_folder(path, folder, "none.tflite"), &err), NNM_ERR_NOT_FOUND,
                 "none.tflite");
    assert_fails(nnm_tflite_read(&graph, folder, &err), NNM_ERR_IO, folder);
    FILE *huge = fopen(in_folder(path, folder, "huge.tflite"), "wb"); /* a hole takes no space */
    assert_non_null(huge);
    assert_int_equal(ftruncate(fileno(huge), (off_t)3 << 30), 0);
    fclose(huge);
    assert_fails(nnm_tflite_read(&graph, path, &err), NNM_ERR_UNSUPPORTED,
                 "it has 3221225472 bytes; TensorFlow Lite allows");
    remove_folder(folder);
}

/* ---- models that mean something else: each case changes numbers of a good model ---- */

/* Where a field lies; the file must have it. */
static size_t field_at(const opened *f, const nnm_fb_table_view *table, unsigned field)
{
    size_t entry = table->vtable + 4 + (size_t)2 * field;
    size_t offset = (size_t)f->file.bytes[entry] | (size_t)f->file.bytes[entry + 1] << 8;
    assert_true(4 + 2 * (field + 1) <= table->vtable_size && offset > 0);
    return table->at + offset;
}

static void set_int(char *bytes, size_t at, int32_t value)
{
    memcpy(bytes + at, &value, sizeof value);
}

typedef enum place {
    MODEL,
    CODE,      /* `index` counts operator codes */
    TENSOR,    /* tensors */
    SHAPE,     /* tensors; `field` is the dimension */
    INTS,      /* tensors; `field` is the element of their data */
    OPERATOR,  /* operators */
    INPUT,     /* operators; `field` is the input */
    OUTPUT,    /* operators; `field` is the output */
    OPTION,    /* operators */
    BYTE_CODE, /* as above, but the field has one byte */
    BYTE_TENSOR,
    BYTE_OPTION,
    GRAPH_INPUT, /* `index` is the input */
    GRAPH_OUTPUT
} place;

static void change(char *bytes, size_t size, place where, size_t index, unsigned field, int32_t value)
{
    opened f = open_bytes(bytes, size);
    nnm_fb_vector *list = where == CODE || where == BYTE_CODE                                          ? &f.codes
                          : where == TENSOR || where == BYTE_TENSOR || where == SHAPE || where == INTS ? &f.tensors
                                                                                                       : &f.operators;
    nnm_fb_table_view table = nnm_fb_table_at(&f.file, list, where == MODEL ? 0 : index % list->count), buffer;
    nnm_fb_vector numbers = {0};
    if (where == MODEL) table = f.model;
    if (where == OPTION || where == BYTE_OPTION) table = nnm_fb_child(&f.file, &table, NNM_TFL_OPERATOR_OPTIONS);
    if (where == SHAPE) numbers = nnm_fb_elements(&f.file, &table, NNM_TFL_TENSOR_SHAPE, 4);
    if (where == INPUT) numbers = nnm_fb_elements(&f.file, &table, NNM_TFL_OPERATOR_INPUTS, 4);
    if (where == OUTPUT) numbers = nnm_fb_elements(&f.file, &table, NNM_TFL_OPERATOR_OUTPUTS, 4);
    if (where == GRAPH_INPUT) numbers = nnm_fb_elements(&f.file, &f.subgraph, NNM_TFL_SUBGRAPH_INPUTS, 4);
    if (where == GRAPH_OUTPUT) numbers = nnm_fb_elements(&f.file, &f.subgraph, NNM_TFL_SUBGRAPH_OUTPUTS, 4);
    if (where == GRAPH_INPUT || where == GRAPH_OUTPUT) field = (unsigned)index;
    if (where == INTS) {
        buffer = nnm_fb_table_at(&f.file, &f.buffers, (size_t)nnm_fb_int(&f.file, &table, NNM_TFL_TENSOR_BUFFER, 0));
        numbers = nnm_fb_elements(&f.file, &buffer, NNM_TFL_BUFFER_DATA, 1);
        assert_true(numbers.count >= 4 * (field + 1));
    }
    if (numbers.at) {
        set_int(bytes, numbers.at + (size_t)4 * field, value);
    } else if (where == BYTE_CODE || where == BYTE_TENSOR || where == BYTE_OPTION) {
        bytes[field_at(&f, &table, field)] = (char)value;
    } else {
        set_int(bytes, field_at(&f, &table, field), value);
    }
}

/* Index of the tensor of this name, and of the first operator of this code, in a file. */
static size_t tensor_called(const char *bytes, size_t size, const char *name)
{
    opened f = open_bytes(bytes, size);
    for (size_t i = 0; i < f.tensors.count; i++) {
        nnm_fb_table_view tensor = nnm_fb_table_at(&f.file, &f.tensors, i);
        nnm_fb_vector text = nnm_fb_elements(&f.file, &tensor, NNM_TFL_TENSOR_NAME, 1);
        if (strcmp(bytes + text.at, name) == 0) return i;
    }
    fail_msg("no tensor is called '%s'", name);
    return 0;
}

static size_t operator_with(const char *bytes, size_t size, int32_t builtin)
{
    opened f = open_bytes(bytes, size);
    for (size_t i = 0; i < f.operators.count; i++) {
        nnm_fb_table_view op = nnm_fb_table_at(&f.file, &f.operators, i);
        int32_t index = nnm_fb_int(&f.file, &op, NNM_TFL_OPERATOR_CODE, 0);
        nnm_fb_table_view code = nnm_fb_table_at(&f.file, &f.codes, (size_t)index);
        if (nnm_fb_int(&f.file, &code, NNM_TFL_CODE_BUILTIN, 0) == builtin) return i;
    }
    fail_msg("no operator has the code %d", builtin);
    return 0;
}

/* A change of build_others: of the tensor `name`, or of the first operator `builtin`, or else number `index`. */
typedef struct refusal {
    place where;
    const char *name;
    int32_t builtin;
    size_t index;
    unsigned field;
    int32_t value;
    nnm_status status;
    const char *text;
} refusal;

static void assert_refused(const nnm_graph *graph, const refusal *r)
{
    nnm_error err = NNM_ERROR_INIT;
    size_t size;
    char *bytes = bytes_of(graph, &size);
    size_t index = r->name ? tensor_called(bytes, size, r->name) : r->index;
    if (r->builtin >= 0) index = operator_with(bytes, size, r->builtin);
    change(bytes, size, r->where, index, r->field, r->value);
    assert_fails(read_bytes(bytes, size, &err), r->status, r->text);
    free(bytes);
}

#define VALUE NNM_ERR_VALUE
#define UNSUPPORTED NNM_ERR_UNSUPPORTED

static const refusal other_refusals[] = {
    {MODEL, NULL, -1, 0, NNM_TFL_MODEL_VERSION, 2, UNSUPPORTED, "schema version 2 is not supported; 3 is"},
    {CODE, NULL, -1, 0, NNM_TFL_CODE_BUILTIN, 105, UNSUPPORTED, "operator 0 (REVERSE_V2): it is not supported"},
    {CODE, NULL, -1, 0, NNM_TFL_CODE_BUILTIN, 999, UNSUPPORTED, "operator 0 (code 999): it is not supported"},
    {OPERATOR, NULL, NNM_TFL_MEAN, 0, NNM_TFL_OPERATOR_CODE, 99, VALUE, "it has operator code 99, but there are"},
    {INPUT, NULL, NNM_TFL_MEAN, 0, 0, 9999, VALUE, "it names tensor 9999, but there are"},
    {INPUT, NULL, NNM_TFL_MEAN, 0, 0, -2, VALUE, "it names tensor -2, but there are"},
    {INPUT, NULL, NNM_TFL_MEAN, 0, 0, -1, VALUE, "(MEAN): an input is missing"},
    {OUTPUT, NULL, NNM_TFL_MEAN, 0, 0, -1, VALUE, "it names tensor -1, but there are"},
    {OUTPUT, NULL, NNM_TFL_MEAN, 0, 0, 0, VALUE, "its output is an input, a constant or computed already"},
    {GRAPH_INPUT, NULL, -1, 0, 0, 12345, VALUE, "the inputs: it names tensor 12345"},
    {GRAPH_INPUT, NULL, -1, 0, 0, 1, VALUE, "tensor 'rows': it is an input twice"},
    {GRAPH_OUTPUT, NULL, -1, 0, 0, 12345, VALUE, "the outputs: it names tensor 12345"},
    {GRAPH_OUTPUT, NULL, -1, 1, 0, 0, VALUE, "'hard/three' cannot be an output: no node computes it"},
    {TENSOR, "w", -1, 0, NNM_TFL_TENSOR_BUFFER, 1000, VALUE, "its data are in buffer 1000, but there are"},
    {TENSOR, "w", -1, 0, NNM_TFL_TENSOR_BUFFER, 0, UNSUPPORTED, "tensor 'w': it must be a constant, but it is not"},
    {SHAPE, "w", -1, 0, 0, 5, VALUE, "tensor 'w': the shape [5, 144] needs 2880 bytes of data, but it has 2304"},
    {SHAPE, "w", -1, 0, 0, -4, VALUE, "tensor 'w': dimension 0 is -4; it must be at least 1"},
    {BYTE_TENSOR, "w", -1, 0, NNM_TFL_TENSOR_TYPE, 9, UNSUPPORTED, "tensor 'w': its elements are INT8; only FLOAT32"},
    {BYTE_TENSOR, "rows", -1, 0, NNM_TFL_TENSOR_TYPE, 1, UNSUPPORTED, "tensor 'rows': its elements are FLOAT16"},
    {BYTE_TENSOR, "gated", -1, 0, NNM_TFL_TENSOR_TYPE, 1, UNSUPPORTED, "its output is not FLOAT32"},
    {SHAPE, "rows", -1, 0, 1, 0, VALUE, "tensor 'rows': dimension 1 is 0"},
    {SHAPE, "gated", -1, 0, 1, 77, VALUE, "its output's shape is said to be [2, 77, 3, 12], but it is [2, 4, 3, 12]"},
    {INTS, "half/axis", -1, 0, 0, 2, UNSUPPORTED, "(SPLIT): only the channels can be split"},
    {INTS, "squeezed/axes", -1, 0, 0, 3, UNSUPPORTED, "(MEAN): only means over the height and width"},
    {INTS, "largest/pads", -1, 0, 0, 1, UNSUPPORTED, "(PADV2): only padding of rows and columns"},
    {INTS, "largest/lowest", -1, 0, 0, 0, UNSUPPORTED, "(PADV2): it pads with a value that could win"},
    {INTS, "largest/pads", -1, 0, 2, -1, VALUE, "pad_top is -1"},
    {INTS, "shuffled/order", -1, 0, 2, 2, UNSUPPORTED, "(RESHAPE): only flattening"},
    {INTS, "shuffled/groups_shape", -1, 0, 0, 3, VALUE, "(RESHAPE): its shape does not have the 1008 elements"},
    {INTS, "hard/sixth", -1, 0, 0, 0, UNSUPPORTED, "one operand is a constant"},
    {INTS, "hard/three_2", -1, 0, 0, 0, UNSUPPORTED, "one operand is a constant"},
    {INTS, "flat/shape", -1, 0, 1, 143, VALUE, "(RESHAPE): its shape does not have the 288 elements"},
    {OPTION, NULL, NNM_TFL_CONCATENATION, 0, NNM_TFL_CONCAT_AXIS, 1, UNSUPPORTED,
     "it does not join along the channels"},
    {BYTE_OPTION, NULL, NNM_TFL_CONCATENATION, 0, NNM_TFL_CONCAT_ACTIVATION, 4, UNSUPPORTED,
     "its fused activation has the number 4; only NONE, RELU and RELU6"},
    {OPTION, NULL, NNM_TFL_AVERAGE_POOL_2D, 0, NNM_TFL_POOL_STRIDE_W, 0, VALUE, "stride_w is 0"},
    {BYTE_OPTION, NULL, NNM_TFL_AVERAGE_POOL_2D, 0, NNM_TFL_POOL_PADDING, 7, VALUE, "its padding has the number 7"},
    {BYTE_OPTION, NULL, NNM_TFL_FULLY_CONNECTED, 0, NNM_TFL_FC_WEIGHTS_FORMAT, 1, UNSUPPORTED,
     "its weights are shuffled"},
};

static const refusal convolution_refusals[] = {
    {OPTION, NULL, NNM_TFL_CONV_2D, 0, NNM_TFL_CONV_DILATION_W, 2, UNSUPPORTED, "(CONV_2D): it has a dilation"},
    {OPTION, NULL, NNM_TFL_CONV_2D, 0, NNM_TFL_CONV_STRIDE_H, -1, VALUE, "stride_h is -1"},
    {BYTE_OPTION, NULL, NNM_TFL_CONV_2D, 0, NNM_TFL_CONV_PADDING, 2, VALUE, "its padding has the number 2"},
    {OPTION, NULL, NNM_TFL_DEPTHWISE_CONV_2D, 0, NNM_TFL_DWCONV_DILATION_H, 2, UNSUPPORTED, "it has a dilation"},
    {OPTION, NULL, NNM_TFL_DEPTHWISE_CONV_2D, 0, NNM_TFL_DWCONV_MULTIPLIER, 3, VALUE,
     "its multiplier is 3, but 6 channels become 12"},
    {BYTE_OPTION, NULL, NNM_TFL_DEPTHWISE_CONV_2D, 0, NNM_TFL_DWCONV_PADDING, 0, UNSUPPORTED,
     "(PAD): only padding of rows and columns before one convolution"},
    {INPUT, NULL, NNM_TFL_CONV_2D, 0, 1, 0, UNSUPPORTED, "tensor 'image': it must be a constant"},
    {SHAPE, "dw", -1, 0, 0, 2, VALUE, "needs 864 bytes"},
};

static void what_is_not_understood_is_refused_by_name(void **state)
{
    (void)state;
    nnm_graph *graph = build_others();
    for (size_t i = 0; i < sizeof other_refusals / sizeof *other_refusals; i++)
        assert_refused(graph, &other_refusals[i]);
    nnm_graph_free(graph);
    graph = build_convolutions();
    for (size_t i = 0; i < sizeof convolution_refusals / sizeof *convolution_refusals; i++)
        assert_refused(graph, &convolution_refusals[i]);
    nnm_graph_free(graph);
}

/* ---- files in other words ---- */

/* A file from before 2020 says operators in the narrow field only; one of another writer may repeat names. */
static void files_of_other_writers_read_the_same(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    size_t size;
    nnm_graph *graph = build_others(), *back = NULL;
    char *bytes = bytes_of(graph, &size);
    opened f = open_bytes(bytes, size);
    for (size_t i = 0; i < f.codes.count; i++)
        change(bytes, size, CODE, i, NNM_TFL_CODE_BUILTIN, 0);
    nnm_fb_table_view gated = nnm_fb_table_at(&f.file, &f.tensors, tensor_called(bytes, size, "gated"));
    memcpy(bytes + nnm_fb_elements(&f.file, &gated, NNM_TFL_TENSOR_NAME, 1).at, "swish", 5); /* a second one */
    assert_ok(nnm_tflite_read_memory(&back, bytes, size, "m.tflite", &err));
    assert_compute_the_same(graph, back, "old");
    nnm_graph_free(back);
    free(bytes);

    bytes = bytes_of(graph, &size); /* a mean that drops its dimensions is flattened */
    change(bytes, size, BYTE_OPTION, operator_with(bytes, size, NNM_TFL_MEAN), NNM_TFL_REDUCER_KEEP_DIMS, 0);
    assert_fails(read_bytes(bytes, size, &err), NNM_ERR_VALUE, "said to be [2, 1, 1, 12], but it is [2, 12]");
    nnm_graph_free(graph);
    free(bytes);
}

/* Many operators that read one weight must not multiply it in memory. */
static void hostile_files_do_not_take_more_memory_than_they_have(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    draft d = begin(NNM_LAYOUT_NHWC);
    nnm_tensor_id x = input(&d, "x", (nnm_shape){2, {1, 400}});
    for (int i = 0; i < 20; i++) {
        char name[32];
        snprintf(name, sizeof name, "w%d", i);
        x = NODE(&d, NNM_OP_FULLY_CONNECTED, NULL, NULL, x, constant(&d, name, (nnm_shape){2, {400, 400}}, -1, 1));
    }
    nnm_graph *graph = finish(&d, x);
    size_t size;
    char *bytes = bytes_of(graph, &size);
    for (int i = 1; i < 20; i++) { /* all weights share the first one's data, which is all that is left of the file */
        char name[32];
        snprintf(name, sizeof name, "w%d", i);
        change(bytes, size, TENSOR, tensor_called(bytes, size, name), NNM_TFL_TENSOR_BUFFER, 1);
    }
    opened f = open_bytes(bytes, size);
    nnm_fb_table_view buffer = nnm_fb_table_at(&f.file, &f.buffers, 2);
    size_t end = nnm_fb_elements(&f.file, &buffer, NNM_TFL_BUFFER_DATA, 1).at;
    assert_fails(read_bytes(bytes, end, &err), NNM_ERR_VALUE, "would take far more memory than the file has");
    free(bytes);
    nnm_graph_free(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_cut_short_anywhere_is_refused),
        cmocka_unit_test(no_changed_byte_brings_the_reader_down),
        cmocka_unit_test(what_is_no_model_is_refused),
        cmocka_unit_test(what_is_not_understood_is_refused_by_name),
        cmocka_unit_test(files_of_other_writers_read_the_same),
        cmocka_unit_test(hostile_files_do_not_take_more_memory_than_they_have),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
