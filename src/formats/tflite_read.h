/* What the two halves of the TensorFlow Lite reader share: tflite_read.c reads the file, tflite_nodes.c operators. */
#ifndef NNM_FORMATS_TFLITE_READ_H
#define NNM_FORMATS_TFLITE_READ_H

#include "formats/flatbuffer.h"
#include "nnmeter/graph.h"

#define NNM_TFL_NO_OPERATOR ((size_t)-1)

typedef struct nnm_tfl_value {
    nnm_fb_vector shape; /* 32-bit numbers, unchecked */
    nnm_fb_vector data;  /* bytes; none: computed, or an input */
    nnm_fb_vector name;
    unsigned type;
    bool odd;          /* variable or sparse */
    bool known;        /* `id` is its tensor in the graph */
    nnm_tensor_id id;  /* of a constant: as it lies in the file */
    bool weight_known; /* `weight_id` is its tensor in the graph in the order that convolutions have there */
    bool weight_is_depthwise;
    nnm_tensor_id weight_id;
    bool zeros;  /* what FILL makes; `shape` says its size */
    size_t user; /* the only operator that reads it; NNM_TFL_NO_OPERATOR: none, several, or an output */
} nnm_tfl_value;

typedef struct nnm_tfl_step {
    int32_t code;
    nnm_fb_vector custom_name;     /* of code CUSTOM */
    nnm_fb_vector inputs, outputs; /* checked: indices of values; -1 for an input that is left out */
    nnm_fb_table_view options;
    bool done; /* it is part of a node that was read with an earlier one */
} nnm_tfl_step;

typedef struct nnm_tfl_reader {
    nnm_fb_file file;
    nnm_error *err;
    nnm_graph *graph;
    nnm_tfl_value *values;
    size_t value_count;
    nnm_tfl_step *steps;
    size_t step_count;
    nnm_fb_vector codes, buffers, inputs, outputs;
    size_t budget;      /* bytes that constants and names may still take */
    size_t zeros_left;  /* bytes that constants of zeros may still take, which are not in the file */
    size_t name_number; /* for names that are taken */
} nnm_tfl_reader;

/* What no graph could hold is what the file says wrong. */
nnm_status nnm_tfl_as_value(nnm_status status, nnm_error *err);

/* Index of an input or output of a step, or -1: left out, or there are fewer. */
int64_t nnm_tfl_input(const nnm_tfl_reader *reader, const nnm_tfl_step *step, size_t index);
int64_t nnm_tfl_output(const nnm_tfl_reader *reader, const nnm_tfl_step *step, size_t index);

/* The shape of a value as the file has it. Errors: VALUE, UNSUPPORTED. */
NNM_NODISCARD nnm_status nnm_tfl_shape(const nnm_tfl_reader *reader, size_t value, nnm_shape *shape);

/* The graph's tensor for a value of floats that is an input or was computed. Errors: VALUE, UNSUPPORTED. */
NNM_NODISCARD nnm_status nnm_tfl_computed(nnm_tfl_reader *reader, int64_t value, nnm_tensor_id *id);

bool nnm_tfl_is_constant(const nnm_tfl_reader *reader, int64_t value);

/* Checks that a constant holds floats, as many as its shape says. */
NNM_NODISCARD nnm_status nnm_tfl_check_floats(const nnm_tfl_reader *reader, int64_t value, nnm_shape *shape);
float nnm_tfl_float_at(const nnm_tfl_reader *reader, int64_t value, size_t index);

/* The graph's tensor for a constant of floats as it lies in the file. */
NNM_NODISCARD nnm_status nnm_tfl_constant(nnm_tfl_reader *reader, int64_t value, nnm_tensor_id *id);

/* Reads a constant of at most `capacity` 32-bit integers; more: `*count` is what there are. */
NNM_NODISCARD nnm_status nnm_tfl_ints(const nnm_tfl_reader *reader, int64_t value, int32_t *out, size_t capacity,
                                      size_t *count);

/* Room for floats of a constant that the reader makes; the file's size limits what all of them may take. */
NNM_NODISCARD nnm_status nnm_tfl_new_floats(nnm_tfl_reader *reader, size_t count, float **out);

/* A name that no tensor of the graph has: that of the value, or `<that>/<suffix>`. The caller frees it. */
NNM_NODISCARD nnm_status nnm_tfl_name(nnm_tfl_reader *reader, size_t value, const char *suffix, bool pair, char **out);

/* Adds a constant called `<name of value>/<suffix>`, or like the value; takes `data` in any case. */
NNM_NODISCARD nnm_status nnm_tfl_add_constant(nnm_tfl_reader *reader, size_t value, const char *suffix,
                                              const nnm_shape *shape, float *data, nnm_tensor_id *id);

/* A weight that FILL makes, which has been seen (tflite_zeros.c). */
bool nnm_tfl_is_zeros(const nnm_tfl_reader *reader, int64_t value);
NNM_NODISCARD nnm_status nnm_tfl_add_zeros(nnm_tfl_reader *reader, size_t value, const nnm_shape *shape,
                                           nnm_tensor_id *id);
NNM_NODISCARD nnm_status nnm_tfl_read_fill(nnm_tfl_reader *reader, const nnm_tfl_step *step);

/* The schema's name of an operator's code; NULL for one that is newer than the table. */
const char *nnm_tfl_operator_name(int32_t code);

/* Reads the operator at `index`, and those that make one node with it. */
NNM_NODISCARD nnm_status nnm_tfl_read_step(nnm_tfl_reader *reader, size_t index);

#endif
