/* Kernel data as JSON: reading and writing the documented files. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>

#include "base/buffer.h"
#include "base/closest.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "kernels/catalogue.h"
#include "nnmeter/config.h"
#include "nnmeter/kernel_data.h"
#include "store/json_text.h"
#include "store/latency_text.h"
#include "store/record.h"

#define LARGEST_EXACT 9007199254740992.0 /* 2^53: reals up to here are exact whole numbers */
#define SHOWN_BYTES 64
#define MAX_FILE_MIB 512 /* reading takes six times as much memory */

/* ---- messages ---- */

/* What a value is, as messages call it. */
static const char *shown(const json_t *value, char text[SHOWN_BYTES])
{
    switch (json_typeof(value)) {
    case JSON_OBJECT: return "an object";
    case JSON_ARRAY: return "a list";
    case JSON_STRING: snprintf(text, SHOWN_BYTES, "\"%.50s\"", json_string_value(value)); return text;
    case JSON_INTEGER: snprintf(text, SHOWN_BYTES, "%" JSON_INTEGER_FORMAT, json_integer_value(value)); return text;
    case JSON_REAL: snprintf(text, SHOWN_BYTES, "%.17g", json_real_value(value)); return text;
    case JSON_TRUE: return "true";
    case JSON_FALSE: return "false";
    case JSON_NULL: return "null";
    }
    return "something else";
}

/* ---- reading ---- */

/* A file, or a text in memory that is called so. */
typedef struct source {
    const char *name;
    const char *text;
    size_t size;
} source;

static nnm_status read_source(source *out, char **text, const char *path, nnm_error *err)
{
    struct stat info;
    if (stat(path, &info) == 0 && S_ISREG(info.st_mode) && info.st_size >> 20 >= MAX_FILE_MIB)
        return nnm_fail(err, NNM_ERR_UNSUPPORTED, "%s has %lld MiB; kernel data files of less than %d MiB are read",
                        path, (long long)(info.st_size >> 20), MAX_FILE_MIB);
    size_t size = 0;
    nnm_status status = nnm_file_read(path, text, &size, err);
    if (status == NNM_OK) *out = (source){path, *text, size};
    return status;
}

static nnm_status parse(json_t **out, const source *from, nnm_error *err)
{
    json_t *root = NULL;
    nnm_status status = nnm_json_parse(&root, from->text, from->size, from->name, err);
    if (status == NNM_OK && !json_is_object(root)) {
        char text[SHOWN_BYTES];
        status = nnm_fail_at(err, NNM_ERR_VALUE, from->name, 0, 0, "found %s, need an object with kernel types as keys",
                             shown(root, text));
        json_decref(root);
    } else if (status == NNM_OK) {
        *out = root;
    }
    return status;
}

static nnm_status parse_file(json_t **out, const char *path, nnm_error *err)
{
    char *text = NULL;
    source from;
    nnm_status status = read_source(&from, &text, path, err);
    if (status == NNM_OK) status = parse(out, &from, err);
    free(text);
    return status;
}

/* The first versions of the published system wrote conv_bn_relu for conv-bn-relu. `name` has room for any. */
static bool underscored(const nnm_kernel *kernel, char name[NNM_KERNEL_NAME_BYTES])
{
    snprintf(name, NNM_KERNEL_NAME_BYTES, "%s", nnm_kernel_name(kernel));
    char *dash = strchr(name, '-');
    if (!dash) return false;
    for (; dash; dash = strchr(dash, '-'))
        *dash = '_';
    return true;
}

/* A path; absent and null are fine. */
static nnm_status read_text(char **out, const json_t *entry, const char *key, nnm_error *err)
{
    const json_t *value = json_object_get(entry, key);
    if (!value || json_is_null(value)) return NNM_OK;
    char text[SHOWN_BYTES];
    if (!json_is_string(value))
        return nnm_fail(err, NNM_ERR_VALUE, "%s: found %s, need a text", key, shown(value, text));
    *out = nnm_strdup(json_string_value(value));
    return *out ? NNM_OK : nnm_fail_memory(err);
}

/* A whole number, also one written as 13.0. */
static bool read_whole(const json_t *value, int64_t *out)
{
    if (json_is_integer(value)) {
        *out = json_integer_value(value);
        return true;
    }
    if (!json_is_real(value)) return false;
    double real = json_real_value(value);
    if (real != floor(real) || fabs(real) > LARGEST_EXACT) return false;
    *out = (int64_t)real;
    return true;
}

static nnm_status fail_parameter(const nnm_kernel *kernel, const char *key, nnm_error *err)
{
    const char *names[NNM_KERNEL_MAX_PARAMS];
    size_t count = nnm_kernel_param_count(kernel);
    nnm_buffer known = {0};
    for (size_t i = 0; i < count; i++) {
        names[i] = nnm_kernel_param_name(kernel, i);
        nnm_buffer_printf(&known, "%s%s", i ? ", " : "", names[i]);
    }
    const char *closest = nnm_closest(key, names, count);
    nnm_status status = nnm_buffer_check(&known, err);
    if (status == NNM_OK && closest)
        status = nnm_fail(err, NNM_ERR_VALUE, "config: unknown parameter '%s'; did you mean '%s'?", key, closest);
    else if (status == NNM_OK)
        status = nnm_fail(err, NNM_ERR_VALUE, "config: unknown parameter '%s'; known: %s", key, known.data);
    nnm_buffer_fini(&known);
    return status;
}

static nnm_status read_config(nnm_kernel_record *record, const nnm_kernel *kernel, json_t *config, nnm_error *err)
{
    bool seen[NNM_KERNEL_MAX_PARAMS] = {false};
    char text[SHOWN_BYTES];
    const char *key = NULL;
    json_t *value = NULL;
    if (!json_is_object(config))
        return nnm_fail(err, NNM_ERR_VALUE, "config: found %s, need an object of parameters", shown(config, text));
    json_object_foreach(config, key, value)
    {
        int index = nnm_kernel_param_index(kernel, key);
        if (index < 0) return fail_parameter(kernel, key, err);
        if (!read_whole(value, &record->config.value[index]))
            return nnm_fail(err, NNM_ERR_VALUE, "config: %s: found %s, need a whole number", key, shown(value, text));
        seen[index] = true;
    }
    nnm_status status = nnm_kernel_config_complete(&record->config, seen, kernel, err);
    if (status) return nnm_context(err, NNM_ERR_VALUE, "config");
    record->has_config = true;
    /* One that is too large for memory stands for itself: it fails when its model is made, and no other with it. */
    return nnm_context(err, nnm_kernel_check_values(kernel, &record->config, err), "config");
}

static nnm_status read_shapes(nnm_kernel_record *record, const json_t *shapes, nnm_error *err)
{
    char text[SHOWN_BYTES];
    if (!json_is_array(shapes))
        return nnm_fail(err, NNM_ERR_VALUE, "shapes: found %s, need a list of lists such as [[64, 56, 56]]",
                        shown(shapes, text));
    if (json_array_size(shapes) > NNM_KERNEL_MAX_INPUTS)
        return nnm_fail(err, NNM_ERR_VALUE, "shapes: found %zu, a kernel has at most %d inputs",
                        json_array_size(shapes), NNM_KERNEL_MAX_INPUTS);
    for (size_t i = 0; i < json_array_size(shapes); i++) {
        const json_t *list = json_array_get(shapes, i);
        nnm_shape *shape = &record->shapes[i];
        shape->rank = json_array_size(list);
        if (!json_is_array(list) || shape->rank == 0 || shape->rank > NNM_MAX_RANK)
            return nnm_fail(err, NNM_ERR_VALUE, "shapes: entry %zu: need a list of 1 to %d numbers", i + 1,
                            NNM_MAX_RANK);
        for (size_t d = 0; d < shape->rank; d++) {
            const json_t *size = json_array_get(list, d);
            if (!read_whole(size, &shape->dim[d]) || shape->dim[d] < 1)
                return nnm_fail(err, NNM_ERR_VALUE, "shapes: entry %zu: found %s, need a whole number from 1", i + 1,
                                shown(size, text));
        }
    }
    record->shape_count = json_array_size(shapes);
    return NNM_OK;
}

static nnm_status read_latency(nnm_kernel_record *record, const json_t *latency, nnm_error *err)
{
    char text[SHOWN_BYTES];
    double value = json_number_value(latency);
    if (json_is_number(latency) && isfinite(value) && value > 0) {
        record->latency_ms = value;
    } else if (!json_is_string(latency) ||
               !nnm_latency_parse(json_string_value(latency), &record->latency_ms, &record->spread_ms)) {
        return nnm_fail(err, NNM_ERR_VALUE,
                        "latency: found %s, need milliseconds above 0 as \"37.53 +- 0.314\" or as a number",
                        shown(latency, text));
    }
    record->has_latency = true;
    return NNM_OK;
}

static nnm_status read_batch_size(nnm_kernel_record *record, const json_t *entry, nnm_error *err)
{
    char text[SHOWN_BYTES];
    const json_t *value = json_object_get(entry, "batch_size");
    if (value && (!read_whole(value, &record->batch_size) || record->batch_size < 1))
        return nnm_fail(err, NNM_ERR_VALUE, "batch_size: found %s, need a whole number from 1", shown(value, text));
    return NNM_OK;
}

static bool is_file_name_part(const char *id)
{
    for (const char *byte = id; *byte; byte++)
        if ((unsigned char)*byte < ' ' || *byte == 0x7f || *byte == '/') return false;
    return true;
}

static nnm_status read_entry(nnm_kernel_record *record, const nnm_kernel *kernel, const char *id, json_t *entry,
                             nnm_error *err)
{
    char text[SHOWN_BYTES];
    size_t length = strlen(id);
    if (length == 0 || length >= sizeof record->id)
        return nnm_fail(err, NNM_ERR_VALUE, "an id has 1 to %d characters", NNM_KERNEL_ID_BYTES - 1);
    if (!is_file_name_part(id))
        return nnm_fail(err, NNM_ERR_VALUE, "an id becomes part of file names: '/' and control characters are refused");
    memcpy(record->id, id, length + 1);
    if (!json_is_object(entry)) return nnm_fail(err, NNM_ERR_VALUE, "found %s, need an object", shown(entry, text));
    json_t *config = json_object_get(entry, "config"), *shapes = json_object_get(entry, "shapes");
    const json_t *latency = json_object_get(entry, "latency");
    nnm_status status = read_text(&record->model, entry, "model", err);
    if (status == NNM_OK) status = read_text(&record->converted_model, entry, "converted_model", err);
    if (status == NNM_OK && shapes) status = read_shapes(record, shapes, err);
    if (status == NNM_OK && config) status = read_config(record, kernel, config, err);
    if (status == NNM_OK && latency) status = read_latency(record, latency, err);
    if (status == NNM_OK) status = read_batch_size(record, entry, err);
    return status;
}

static nnm_status fail_absent(json_t *root, const nnm_kernel *kernel, const char *path, nnm_error *err)
{
    nnm_buffer found = {0};
    for (void *i = json_object_iter(root); i; i = json_object_iter_next(root, i))
        nnm_buffer_printf(&found, "%s%.40s", found.size ? ", " : "", json_object_iter_key(i));
    nnm_status status = nnm_buffer_check(&found, err);
    if (status == NNM_OK)
        status = nnm_fail_at(err, NNM_ERR_NOT_FOUND, path, 0, 0, "no entry for '%s'; the file has: %s",
                             nnm_kernel_name(kernel), found.data ? found.data : "nothing");
    nnm_buffer_fini(&found);
    return status;
}

/* Puts before a message where an entry stands, and whose it is. */
static nnm_status fail_entry(nnm_error *err, nnm_status status, const source *from, const char *type, const char *id)
{
    nnm_text_place place = nnm_json_find(from->text, from->size, type, id);
    char where[48] = "";
    if (place.line) snprintf(where, sizeof where, ":%zu:%zu", place.line, place.column);
    status = nnm_context(err, status, "%s%s: %s '%.40s'", from->name, where, type, id);
    if (err) {
        err->line = place.line;
        err->column = place.column;
    }
    return status;
}

/* `type` is what the file calls the kernel type. */
static nnm_status read_entries(nnm_kernel_data *data, json_t *entries, const char *type, const source *from,
                               nnm_error *err)
{
    const char *id = NULL;
    char text[SHOWN_BYTES];
    json_t *entry = NULL;
    if (!json_is_object(entries))
        return nnm_fail_at(err, NNM_ERR_VALUE, from->name, 0, 0, "%s: found %s, need an object with ids as keys", type,
                           shown(entries, text));
    json_object_foreach(entries, id, entry)
    {
        nnm_kernel_record record = {.id = ""};
        nnm_status status = read_entry(&record, data->kernel, id, entry, err);
        if (status == NNM_OK) status = nnm_kernel_data_add(data, &record, err);
        free(record.model);
        free(record.converted_model);
        if (status) return fail_entry(err, status, from, type, id);
    }
    return NNM_OK;
}

static nnm_status read_data(nnm_kernel_data **out, const nnm_kernel *kernel, const source *from, nnm_error *err)
{
    json_t *root = NULL;
    nnm_kernel_data *data = NULL;
    const char *type = nnm_kernel_name(kernel);
    char old_name[NNM_KERNEL_NAME_BYTES];
    nnm_status status = parse(&root, from, err);
    if (status) return status;
    json_t *entries = json_object_get(root, type);
    json_t *old = underscored(kernel, old_name) ? json_object_get(root, old_name) : NULL;
    if (entries && old) {
        status = nnm_fail_at(err, NNM_ERR_VALUE, from->name, 0, 0, "has both '%s' and '%s', which are the same kernel",
                             type, old_name);
        goto done;
    }
    if (old) {
        entries = old;
        type = old_name;
    }
    status = entries ? nnm_kernel_data_new(&data, kernel, err) : fail_absent(root, kernel, from->name, err);
    if (status == NNM_OK) status = read_entries(data, entries, type, from, err);
    if (status) goto done;
    *out = data;
    data = NULL;
done:
    nnm_kernel_data_free(data);
    json_decref(root);
    return status;
}

nnm_status nnm_kernel_data_parse(nnm_kernel_data **out, const nnm_kernel *kernel, const char *text, size_t size_bytes,
                                 const char *name, nnm_error *err)
{
    source from = {name, text, size_bytes};
    return read_data(out, kernel, &from, err);
}

nnm_status nnm_kernel_data_load(nnm_kernel_data **out, const nnm_kernel *kernel, const char *path, nnm_error *err)
{
    char *text = NULL;
    source from;
    nnm_status status = read_source(&from, &text, path, err);
    if (status == NNM_OK) status = read_data(out, kernel, &from, err);
    free(text);
    return status;
}

nnm_status nnm_kernel_data_types(const char *path, nnm_kernel_type_fn each, void *context, nnm_error *err)
{
    json_t *root = NULL;
    nnm_status status = parse_file(&root, path, err);
    for (void *i = status ? NULL : json_object_iter(root); i; i = json_object_iter_next(root, i)) {
        const char *name = json_object_iter_key(i);
        const nnm_kernel *kernel = NULL;
        char old_name[NNM_KERNEL_NAME_BYTES];
        for (size_t k = 0; k < nnm_kernel_count() && !kernel; k++) {
            bool has_old = underscored(nnm_kernel_at(k), old_name);
            if (strcmp(nnm_kernel_name(nnm_kernel_at(k)), name) == 0 || (has_old && strcmp(old_name, name) == 0))
                kernel = nnm_kernel_at(k);
        }
        each(context, name, kernel);
    }
    json_decref(root);
    return status;
}

/* ---- writing ---- */

/* Sets a key to a new value, which it takes over; NULL stands for memory that ran out. */
static nnm_status put(json_t *object, const char *key, json_t *value, nnm_error *err)
{
    return json_object_set_new(object, key, value) == 0 ? NNM_OK : nnm_fail_memory(err);
}

static nnm_status put_text(json_t *object, const char *key, const char *text, nnm_error *err)
{
    if (!text) return NNM_OK;
    json_t *value = json_string(text);
    if (!value) return nnm_fail(err, NNM_ERR_VALUE, "%s: JSON cannot hold '%s': it is not UTF-8", key, text);
    return put(object, key, value, err);
}

static nnm_status put_shapes(json_t *object, const nnm_kernel_record *record, nnm_error *err)
{
    if (record->shape_count == 0) return NNM_OK;
    json_t *shapes = json_array();
    for (size_t i = 0; shapes && i < record->shape_count; i++) {
        json_t *shape = json_array();
        bool whole = shape != NULL;
        for (size_t d = 0; whole && d < record->shapes[i].rank; d++)
            whole = json_array_append_new(shape, json_integer(record->shapes[i].dim[d])) == 0;
        if (json_array_append_new(shapes, shape) != 0 || !whole) {
            json_decref(shapes);
            shapes = NULL;
        }
    }
    return put(object, "shapes", shapes, err);
}

static nnm_status put_config(json_t *object, const nnm_kernel *kernel, const nnm_kernel_record *record, nnm_error *err)
{
    if (!record->has_config) return NNM_OK;
    json_t *config = json_object();
    nnm_status status = config ? NNM_OK : nnm_fail_memory(err);
    for (size_t i = 0; status == NNM_OK && i < nnm_kernel_param_count(kernel); i++)
        status = put(config, nnm_kernel_param_name(kernel, i), json_integer(record->config.value[i]), err);
    if (status) {
        json_decref(config);
        return status;
    }
    return put(object, "config", config, err);
}

static nnm_status write_entry(json_t *entry, const nnm_kernel *kernel, const nnm_kernel_record *record,
                              nnm_write_parts which, nnm_error *err)
{
    nnm_status status = NNM_OK;
    if (which != NNM_WRITE_LATENCIES) {
        status = put_text(entry, "model", record->model, err);
        if (status == NNM_OK) status = put_text(entry, "converted_model", record->converted_model, err);
        if (status == NNM_OK) status = put_shapes(entry, record, err);
        if (status == NNM_OK) status = put_config(entry, kernel, record, err);
        if (status == NNM_OK && record->batch_size > 1)
            status = put(entry, "batch_size", json_integer(record->batch_size), err);
    }
    if (status == NNM_OK && which != NNM_WRITE_CONFIGS && record->has_latency) {
        char text[NNM_LATENCY_TEXT_BYTES];
        status = put_text(entry, "latency", nnm_latency_format(record->latency_ms, record->spread_ms, text), err);
    }
    return status;
}

static nnm_status write_entries(json_t *entries, const nnm_kernel_data *data, nnm_write_parts which, nnm_error *err)
{
    for (size_t i = 0; i < data->count; i++) {
        const nnm_kernel_record *record = &data->records[i];
        if ((which == NNM_WRITE_LATENCIES || which == NNM_WRITE_EVERYTHING) && !record->has_latency) continue;
        json_t *entry = json_object();
        if (!entry) return nnm_fail_memory(err);
        nnm_status status = write_entry(entry, data->kernel, record, which, err);
        if (status) {
            json_decref(entry);
            return nnm_context(err, status, "%s '%s'", nnm_kernel_name(data->kernel), record->id);
        }
        if (json_object_set_new(entries, record->id, entry) != 0)
            return nnm_fail(err, NNM_ERR_VALUE, "JSON cannot hold the id '%s': it is not UTF-8", record->id);
    }
    return NNM_OK;
}

/* Writes `root` with the entry of this kernel type replaced. */
static nnm_status write_root(json_t *root, const nnm_kernel_data *data, const char *path, nnm_write_parts which,
                             nnm_error *err)
{
    char *text = NULL;
    json_t *entries = json_object();
    if (!root || !entries) {
        json_decref(entries);
        return nnm_fail_memory(err);
    }
    nnm_status status = write_entries(entries, data, which, err);
    if (status == NNM_OK && json_object_set(root, nnm_kernel_name(data->kernel), entries) != 0)
        status = nnm_fail_memory(err);
    if (status) goto done;
    char old_name[NNM_KERNEL_NAME_BYTES];
    if (underscored(data->kernel, old_name)) json_object_del(root, old_name); /* replaced; most files have none */
    text = json_dumps(root, JSON_INDENT(4));
    if (!text) {
        status = nnm_fail_memory(err);
        goto done;
    }
    size_t length = strlen(text);
    text[length] = '\n'; /* in the place of the zero that ends it: the size is given */
    status = nnm_file_write(path, text, length + 1, err);
done:
    free(text);
    json_decref(entries);
    return status;
}

nnm_status nnm_kernel_data_write(const nnm_kernel_data *data, const char *path, nnm_write_parts which, nnm_error *err)
{
    json_t *root = json_object();
    nnm_status status = write_root(root, data, path, which, err);
    json_decref(root);
    return status;
}

static nnm_status save(const nnm_kernel_data *data, const char *path, nnm_write_parts which, nnm_error *err)
{
    if (!nnm_file_exists(path)) return nnm_kernel_data_write(data, path, which, err);
    json_t *root = NULL;
    nnm_status status = nnm_context(err, parse_file(&root, path, err), "cannot add to a file that is not readable");
    if (status == NNM_OK) status = write_root(root, data, path, which, err);
    json_decref(root);
    return status;
}

nnm_status nnm_kernel_data_save_configs(const nnm_kernel_data *data, const char *path, nnm_error *err)
{
    return save(data, path, NNM_WRITE_CONFIGS, err);
}

nnm_status nnm_kernel_data_save(const nnm_kernel_data *data, const char *path, nnm_error *err)
{
    return save(data, path, NNM_WRITE_ALL, err);
}

nnm_status nnm_kernel_data_save_latencies(const nnm_kernel_data *data, const char *path, bool detail, nnm_error *err)
{
    return save(data, path, detail ? NNM_WRITE_EVERYTHING : NNM_WRITE_LATENCIES, err);
}

/* ---- one record ---- */

nnm_status nnm_record_format(const nnm_kernel *kernel, const nnm_kernel_record *record, char **out, nnm_error *err)
{
    json_t *entry = json_object();
    if (!entry) return nnm_fail_memory(err);
    char *text = NULL;
    nnm_status status = write_entry(entry, kernel, record, NNM_WRITE_CONFIGS, err);
    if (status == NNM_OK) {
        text = json_dumps(entry, JSON_COMPACT);
        if (!text) status = nnm_fail_memory(err);
    }
    json_decref(entry);
    if (status == NNM_OK) *out = text;
    return nnm_context(err, status, "%s '%s'", nnm_kernel_name(kernel), record->id);
}

nnm_status nnm_record_add_parsed(nnm_kernel_data *data, const char *id, const char *entry, nnm_error *err)
{
    json_error_t problem;
    nnm_kernel_record record = {.id = ""};
    json_t *object = json_loads(entry, JSON_REJECT_DUPLICATES, &problem);
    nnm_status status = NNM_OK;
    if (!object)
        status = nnm_fail(err, NNM_ERR_PARSE, "%s", problem.text);
    else
        status = read_entry(&record, data->kernel, id, object, err);
    if (status == NNM_OK) status = nnm_kernel_data_add(data, &record, err);
    json_decref(object);
    free(record.model);
    free(record.converted_model);
    return nnm_context(err, status, "%s '%.40s'", nnm_kernel_name(data->kernel), id);
}
