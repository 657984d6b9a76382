#include "nnmeter/model_file.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "formats/flatbuffer.h"
#include "formats/tflite_schema.h"

nnm_status nnm_model_write(const nnm_graph *graph, const char *path, nnm_error *err)
{
    if (nnm_graph_layout(graph) == NNM_LAYOUT_NHWC) return nnm_tflite_write(graph, path, err);
    return nnm_onnx_write(graph, path, err);
}

const char *nnm_model_suffix(nnm_layout layout)
{
    return layout == NNM_LAYOUT_NHWC ? "tflite" : "onnx";
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);
    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

/* Only TensorFlow Lite's files have a mark. One that lost it is still read as what its name promises, so that the
 * message is about that. */
nnm_status nnm_model_read(nnm_graph **out, const char *path, nnm_error *err)
{
    char head[8];
    nnm_status status = nnm_file_check(path, LLONG_MAX, "none", err); /* the readers know their limits */
    if (status) return status;
    FILE *stream = fopen(path, "rbe");
    if (!stream) return nnm_fail_errno(err, "cannot read '%s'", path);
    size_t size = fread(head, 1, sizeof head, stream);
    fclose(stream);
    bool marked = nnm_fb_has_identifier(head, size, NNM_TFL_IDENTIFIER);
    if (marked || ends_with(path, ".tflite")) return nnm_tflite_read(out, path, err);
    return nnm_onnx_read(out, path, err);
}
