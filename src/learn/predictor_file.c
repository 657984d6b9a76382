#include "learn/predictor_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "learn/forest_file.h"
#include "learn/forest_model.h"
#include "learn/predictor_model.h"

#define HEADER_BYTES 32
#define MAGIC "NNMPRED" /* and the zero byte behind it */

static uint32_t checksum(const void *bytes, size_t size)
{
    return (uint32_t)crc32_z(crc32_z(0, NULL, 0), bytes, size);
}

static void put_summary(nnm_buffer *out, const nnm_training_summary *s)
{
    nnm_put_u64(out, s->rows);
    nnm_put_u64(out, s->test_rows);
    nnm_put_u64(out, s->test.rows);
    const double numbers[] = {
        s->test.rmse,  s->test.rmspe, s->test.mean_relative_error, s->test.acc5,      s->test.acc10,
        s->test.acc15, s->oob_score,  s->noise_ceiling10,          s->latency_min_ms, s->latency_max_ms};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        nnm_put_f64(out, numbers[i]);
}

static void get_summary(nnm_reader *in, nnm_training_summary *s)
{
    s->rows = (size_t)nnm_get_u64(in);
    s->test_rows = (size_t)nnm_get_u64(in);
    s->test.rows = (size_t)nnm_get_u64(in);
    double *const numbers[] = {
        &s->test.rmse,  &s->test.rmspe, &s->test.mean_relative_error, &s->test.acc5,      &s->test.acc10,
        &s->test.acc15, &s->oob_score,  &s->noise_ceiling10,          &s->latency_min_ms, &s->latency_max_ms};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        *numbers[i] = nnm_get_f64(in);
}

static nnm_status put_payload(const nnm_predictor *p, nnm_buffer *out, nnm_error *err)
{
    nnm_put_string(out, nnm_predictor_model(p));
    nnm_put_string(out, p->kernel_type);
    put_summary(out, &p->summary);
    nnm_put_f64(out, p->forest ? p->lower_ratio : (double)NAN);
    nnm_put_f64(out, p->forest ? p->upper_ratio : (double)NAN);
    nnm_put_u32(out, (uint32_t)p->feature_count);
    for (size_t i = 0; i < p->feature_count; i++) {
        nnm_put_string(out, p->features[i].name);
        nnm_put_f64(out, p->features[i].minimum);
        nnm_put_f64(out, p->features[i].maximum);
    }
    nnm_status status =
        p->model == NNM_MODEL_BEST ? nnm_best_put(p->best, out, err) : nnm_forest_put(p->forest, out, err);
    return status ? status : nnm_buffer_check(out, err);
}

static void write_u32(char *at, uint32_t value)
{
    for (size_t i = 0; i < 4; i++)
        at[i] = (char)(unsigned char)(value >> (8 * i));
}

nnm_status nnm_predictor_put(const nnm_predictor *p, nnm_buffer *out, nnm_error *err)
{
    const char unknown[16] = {0}; /* size and checksums, until the payload is known */
    nnm_buffer_append(out, MAGIC, 8);
    nnm_put_u32(out, NNM_PREDICTOR_VERSION);
    nnm_put_u32(out, 0);
    nnm_buffer_append(out, unknown, sizeof unknown);
    nnm_status status = put_payload(p, out, err);
    if (status) return status;
    uint64_t payload_size = out->size - HEADER_BYTES;
    write_u32(out->data + 16, (uint32_t)payload_size);
    write_u32(out->data + 20, (uint32_t)(payload_size >> 32));
    write_u32(out->data + 24, checksum(out->data + HEADER_BYTES, out->size - HEADER_BYTES));
    write_u32(out->data + 28, checksum(out->data, HEADER_BYTES - 4));
    return NNM_OK;
}

nnm_status nnm_predictor_save(const nnm_predictor *p, const char *path, nnm_error *err)
{
    nnm_buffer file = {0};
    nnm_status status = nnm_predictor_put(p, &file, err);
    if (!status) status = nnm_file_write(path, file.data, file.size, err);
    nnm_buffer_fini(&file);
    return status;
}

/* Checks everything before the payload, and the payload's size and checksum. */
static nnm_status check_envelope(const unsigned char *bytes, size_t size, nnm_error *err)
{
    size_t compared = size < 8 ? size : 8;
    if (memcmp(bytes, MAGIC, compared) != 0)
        return nnm_fail(err, NNM_ERR_PARSE, "this is not a predictor file: it does not begin with \"" MAGIC "\"");
    if (size < HEADER_BYTES)
        return nnm_fail(err, NNM_ERR_PARSE, "the file was cut short: it has %zu bytes, expected at least %d", size,
                        HEADER_BYTES);
    nnm_reader in = {.at = bytes + 8, .end = bytes + HEADER_BYTES};
    uint32_t version = nnm_get_u32(&in), reserved = nnm_get_u32(&in);
    uint64_t payload_size = nnm_get_u64(&in);
    uint32_t payload_checksum = nnm_get_u32(&in), header_checksum = nnm_get_u32(&in);
    if (checksum(bytes, HEADER_BYTES - 4) != header_checksum)
        return nnm_fail(err, NNM_ERR_CHECKSUM, "the file is damaged: the checksum of its first %d bytes is wrong",
                        HEADER_BYTES);
    if (version < NNM_PREDICTOR_OLDEST_VERSION || version > NNM_PREDICTOR_VERSION)
        return nnm_fail(err, NNM_ERR_VERSION, "the file has format version %lu, this program reads versions %d to %d",
                        (unsigned long)version, NNM_PREDICTOR_OLDEST_VERSION, NNM_PREDICTOR_VERSION);
    if (size - HEADER_BYTES < payload_size)
        return nnm_fail(err, NNM_ERR_PARSE, "the file was cut short: it has %zu bytes, expected %d + %llu", size,
                        HEADER_BYTES, (unsigned long long)payload_size);
    if (size - HEADER_BYTES > payload_size)
        return nnm_fail(err, NNM_ERR_PARSE, "the file is too long: it has %zu bytes, expected %d + %llu", size,
                        HEADER_BYTES, (unsigned long long)payload_size);
    if (checksum(bytes + HEADER_BYTES, size - HEADER_BYTES) != payload_checksum)
        return nnm_fail(err, NNM_ERR_CHECKSUM, "the file is damaged: the checksum of its payload is wrong");
    if (reserved != 0) return nnm_fail(err, NNM_ERR_PARSE, "the reserved bytes at offset 12 are not zero");
    return NNM_OK;
}

static nnm_status get_text(nnm_reader *in, size_t longest, const char *what, char **out, nnm_error *err)
{
    *out = nnm_get_string(in, longest);
    if (*out) return NNM_OK;
    if (!in->failed) return nnm_fail_memory(err);
    return nnm_fail(err, NNM_ERR_PARSE, "%s is not a text of at most %zu bytes", what, longest);
}

static nnm_status get_features(nnm_predictor *p, nnm_reader *in, nnm_error *err)
{
    size_t count = nnm_get_u32(in);
    /* Each takes at least 19 bytes. */
    if (in->failed || count < 1 || count > NNM_MAX_COLUMNS || count > nnm_left(in) / 19)
        return nnm_fail(err, NNM_ERR_PARSE, "%zu features do not fit the file", count);
    p->features = nnm_calloc(count, sizeof *p->features);
    const char **names = nnm_calloc(count, sizeof *names);
    nnm_status status = p->features && names ? NNM_OK : nnm_fail_memory(err);
    if (p->features) p->feature_count = count;
    for (size_t i = 0; i < count && !status; i++) {
        nnm_feature *feature = &p->features[i];
        status = get_text(in, NNM_FEATURE_NAME_BYTES - 1, "the name of a feature", &feature->name, err);
        if (status) break;
        names[i] = feature->name;
        feature->minimum = nnm_get_f64(in);
        feature->maximum = nnm_get_f64(in);
        if (in->failed || !isfinite(feature->minimum) || !isfinite(feature->maximum) ||
            feature->minimum > feature->maximum)
            status = nnm_fail(err, NNM_ERR_PARSE, "feature %zu has no valid range", i + 1);
    }
    bool failed = false;
    if (!status && nnm_find_bad_feature_name(names, count, &failed) != count)
        status = nnm_fail(err, NNM_ERR_PARSE, "the names of the features are not all different");
    if (!status && failed) status = nnm_fail_memory(err);
    free(names);
    return status;
}

/* A forest of latencies must answer with one, and its interval must hold it in some order. */
static nnm_status check_forest(const nnm_predictor *p, nnm_error *err)
{
    bool unknown = isnan(p->lower_ratio) && isnan(p->upper_ratio);
    if (!unknown && !(p->lower_ratio > 0 && p->lower_ratio <= p->upper_ratio && isfinite(p->upper_ratio)))
        return nnm_fail(err, NNM_ERR_PARSE, "the quantiles of measured / predicted latency are not valid");
    for (size_t t = 0; t < nnm_forest_tree_count(p->forest); t++) {
        for (size_t i = 0; i < nnm_forest_tree_node_count(p->forest, t); i++) {
            nnm_tree_node node = nnm_forest_tree_node(p->forest, t, i);
            if (node.feature == NNM_NO_FEATURE && !(node.value > 0))
                return nnm_fail(err, NNM_ERR_PARSE, "tree %zu has the latency %g", t + 1, node.value);
        }
    }
    return NNM_OK;
}

static nnm_status get_payload(nnm_predictor *p, nnm_reader *in, nnm_error *err)
{
    char *model = NULL, *kernel_type = NULL;
    nnm_status status = get_text(in, 63, "the name of the model", &model, err);
    if (!status && nnm_model_kind_find(&p->model, model, NULL))
        status = nnm_fail(err, NNM_ERR_UNSUPPORTED, "the model is '%s', this program knows '%s' and '%s'", model,
                          nnm_model_kind_name(NNM_MODEL_RANDOM_FOREST), nnm_model_kind_name(NNM_MODEL_BEST));
    if (!status) status = get_text(in, NNM_KERNEL_TYPE_BYTES - 1, "the kernel type", &kernel_type, err);
    if (status) goto done;
    memcpy(p->kernel_type, kernel_type, strlen(kernel_type) + 1);
    get_summary(in, &p->summary);
    p->lower_ratio = nnm_get_f64(in);
    p->upper_ratio = nnm_get_f64(in);
    status = get_features(p, in, err);
    if (!status)
        status = p->model == NNM_MODEL_BEST ? nnm_best_get(&p->best, in, p->feature_count, err)
                                            : nnm_forest_get(&p->forest, in, p->feature_count, err);
    if (!status && p->forest) status = check_forest(p, err);

done:
    free(model);
    free(kernel_type);
    return status;
}

nnm_status nnm_predictor_parse(nnm_predictor **out, const void *bytes, size_t size_bytes, const char *name,
                               nnm_error *err)
{
    nnm_status status = check_envelope(bytes, size_bytes, err);
    nnm_predictor *p = NULL;
    if (!status) {
        p = nnm_calloc(1, sizeof *p);
        const unsigned char *begin = bytes;
        nnm_reader in = {.at = begin + HEADER_BYTES, .end = begin + size_bytes};
        status = p ? get_payload(p, &in, err) : nnm_fail_memory(err);
    }
    if (status) {
        nnm_predictor_free(p);
        return nnm_context(err, status, "cannot load the predictor '%s'", name);
    }
    *out = p;
    return NNM_OK;
}

nnm_status nnm_predictor_load(nnm_predictor **out, const char *path, nnm_error *err)
{
    char *bytes;
    size_t size;
    nnm_status status = nnm_file_read(path, &bytes, &size, err);
    if (status) return status;
    status = nnm_predictor_parse(out, bytes, size, path, err);
    free(bytes);
    return status;
}
