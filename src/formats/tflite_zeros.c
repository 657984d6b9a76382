/* Weights of zeros, which a file need not hold: FILL makes them of a shape. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/error.h"
#include "formats/tflite_read.h"
#include "formats/tflite_schema.h"
#include "graph/shape.h"

bool nnm_tfl_is_zeros(const nnm_tfl_reader *reader, int64_t value)
{
    return value >= 0 && reader->values[value].zeros;
}

/* They cost nothing here, but their readers may look at each of them: all together they are limited. */
nnm_status nnm_tfl_add_zeros(nnm_tfl_reader *reader, size_t value, const nnm_shape *shape, nnm_tensor_id *id)
{
    int64_t count = nnm_shape_elements(shape);
    if (count < 0 || (uint64_t)count > reader->zeros_left / sizeof(float))
        return nnm_fail(reader->err, NNM_ERR_VALUE, "weights of zeros take more than %d bytes in all", INT32_MAX);
    char *name = NULL;
    nnm_status status = nnm_tfl_name(reader, value, NULL, false, &name);
    if (!status)
        status = nnm_tfl_as_value(nnm_graph_add_zeros(reader->graph, name, shape, id, reader->err), reader->err);
    if (!status) reader->zeros_left -= (size_t)count * sizeof(float);
    free(name);
    return status;
}

/* Whether the sizes that FILL is given are those that the file says its output has. */
static nnm_status check_sizes(nnm_tfl_reader *reader, const nnm_tfl_step *step, size_t output)
{
    int32_t sizes[NNM_MAX_RANK];
    size_t count = 0;
    nnm_shape said, is = {0};
    nnm_status status = nnm_tfl_ints(reader, nnm_tfl_input(reader, step, 0), sizes, NNM_MAX_RANK, &count);
    if (!status) status = nnm_tfl_shape(reader, output, &said);
    if (status) return status;
    is.rank = count < NNM_MAX_RANK ? count : NNM_MAX_RANK;
    for (size_t i = 0; i < is.rank; i++)
        is.dim[i] = sizes[i];
    if (count == is.rank && nnm_shape_equal(&said, &is)) return NNM_OK;
    char text[NNM_SHAPE_TEXT_BYTES], other[NNM_SHAPE_TEXT_BYTES];
    return nnm_fail(reader->err, NNM_ERR_VALUE, "its output's shape is said to be %s, but it is %s",
                    nnm_shape_format(&said, text), nnm_shape_format(&is, other));
}

nnm_status nnm_tfl_read_fill(nnm_tfl_reader *reader, const nnm_tfl_step *step)
{
    nnm_shape scalar;
    int64_t output = nnm_tfl_output(reader, step, 0), value = nnm_tfl_input(reader, step, 1);
    if (step->inputs.count != 2 || step->outputs.count != 1 || output < 0)
        return nnm_fail(reader->err, NNM_ERR_VALUE, "it has %zu inputs and %zu outputs; it takes 2 and 1",
                        step->inputs.count, step->outputs.count);
    nnm_tfl_value *out = &reader->values[output];
    if (out->known || out->zeros || out->data.count)
        return nnm_fail(reader->err, NNM_ERR_VALUE, "its output is an input, a constant or computed already");
    if (out->type != NNM_TFL_FLOAT32)
        return nnm_fail(reader->err, NNM_ERR_UNSUPPORTED, "its output is not FLOAT32; nothing else is supported");
    nnm_status status = nnm_tfl_check_floats(reader, value, &scalar);
    if (status) return status;
    if (nnm_shape_elements(&scalar) != 1 || nnm_tfl_float_at(reader, value, 0) != 0.0F)
        return nnm_fail(reader->err, NNM_ERR_UNSUPPORTED, "it fills with something else than 0; that is not supported");
    status = check_sizes(reader, step, (size_t)output);
    if (!status) out->zeros = true;
    return status;
}
