#include "graph/shape.h"

#include <inttypes.h>
#include <stdio.h>

#define MAX_ELEMENTS (INT64_C(1) << 62)

int64_t nnm_shape_elements(const nnm_shape *shape)
{
    if (shape->rank > NNM_MAX_RANK) return -1;
    int64_t elements = 1;
    for (size_t i = 0; i < NNM_MAX_RANK; i++) {
        int64_t dim = shape->dim[i];
        if (i >= shape->rank) {
            if (dim != 0) return -1;
            continue;
        }
        if (dim < 1 || dim > (MAX_ELEMENTS - 1) / elements) return -1;
        elements *= dim;
    }
    return elements;
}

const char *nnm_shape_format(const nnm_shape *shape, char text[NNM_SHAPE_TEXT_BYTES])
{
    size_t length = 0;
    size_t rank = shape->rank < NNM_MAX_RANK ? shape->rank : NNM_MAX_RANK;
    text[length++] = '[';
    for (size_t i = 0; i < rank; i++)
        length +=
            (size_t)snprintf(text + length, NNM_SHAPE_TEXT_BYTES - length, "%s%" PRId64, i ? ", " : "", shape->dim[i]);
    snprintf(text + length, NNM_SHAPE_TEXT_BYTES - length, "%s]", shape->rank > NNM_MAX_RANK ? ", ..." : "");
    return text;
}

bool nnm_shape_equal(const nnm_shape *a, const nnm_shape *b)
{
    if (a->rank != b->rank || a->rank > NNM_MAX_RANK) return false;
    for (size_t i = 0; i < a->rank; i++)
        if (a->dim[i] != b->dim[i]) return false;
    return true;
}

/* Numbers of pixels up to this size cannot overflow when a few of them are added or multiplied by two. */
static bool is_pixels(int64_t value, int64_t minimum)
{
    return value >= minimum && value <= INT32_MAX;
}

int64_t nnm_window_output(int64_t input, int64_t kernel, int64_t stride, nnm_padding padding, int64_t *pad_before,
                          int64_t *pad_after)
{
    if (input < 1 || input > MAX_ELEMENTS || !is_pixels(kernel, 1) || !is_pixels(stride, 1)) return -1;
    if (padding == NNM_PADDING_SAME) {
        int64_t output = (input - 1) / stride + 1;
        int64_t total = (output - 1) * stride + kernel - input;
        if (total < 0) total = 0;
        if (pad_before) *pad_before = total / 2;
        if (pad_after) *pad_after = total - total / 2;
        return output;
    }
    if (padding != NNM_PADDING_EXPLICIT) return -1;
    int64_t before = pad_before ? *pad_before : 0;
    int64_t after = pad_after ? *pad_after : 0;
    if (!is_pixels(before, 0) || !is_pixels(after, 0)) return -1;
    int64_t room = input + before + after - kernel;
    return room < 0 ? -1 : room / stride + 1;
}
