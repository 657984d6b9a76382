#include "nnmeter/kernel_data.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/rng.h"
#include "store/latency_text.h"

/* Kernel data are always made here, with the index that finds ids behind what the header shows. */
typedef struct indexed_data {
    nnm_kernel_data data;
    size_t *slots;     /* open addressing: position of a record + 1, or 0 */
    size_t slot_count; /* a power of two, more than twice `indexed` */
    size_t indexed;    /* records in the index, the first ones */
} indexed_data;

/* ---- the index ---- */

static const indexed_data *index_of(const nnm_kernel_data *data)
{
    return (const indexed_data *)(const void *)data;
}

static void insert(indexed_data *index, size_t position)
{
    const char *id = index->data.records[position].id;
    size_t mask = index->slot_count - 1;
    size_t slot = (size_t)nnm_hash64(id, strlen(id), 0) & mask;
    while (index->slots[slot])
        slot = (slot + 1) & mask;
    index->slots[slot] = position + 1;
}

/* Makes room for `needed` records in array and index, so that adding them cannot fail. */
static nnm_status reserve(indexed_data *index, size_t needed, nnm_error *err)
{
    void *records = index->data.records;
    nnm_status status = nnm_grow(&records, &index->data.capacity, needed, sizeof *index->data.records, err);
    if (status) return status;
    index->data.records = records;
    if (needed * 2 < index->slot_count && index->indexed == index->data.count) return NNM_OK;
    size_t slot_count = 64;
    while (slot_count <= needed * 2)
        slot_count *= 2;
    size_t *slots = nnm_calloc(slot_count, sizeof *slots);
    if (!slots) return nnm_fail_memory(err);
    free(index->slots);
    index->slots = slots;
    index->slot_count = slot_count;
    for (size_t i = 0; i < index->data.count; i++)
        insert(index, i);
    index->indexed = index->data.count;
    return NNM_OK;
}

nnm_kernel_record *nnm_kernel_data_find(const nnm_kernel_data *data, const char *id)
{
    const indexed_data *index = index_of(data);
    if (index->indexed != data->count) { /* the owner took records out: slow, but right */
        for (size_t i = 0; i < data->count; i++)
            if (strcmp(data->records[i].id, id) == 0) return &data->records[i];
        return NULL;
    }
    if (index->slot_count == 0) return NULL;
    size_t mask = index->slot_count - 1;
    for (size_t slot = (size_t)nnm_hash64(id, strlen(id), 0) & mask; index->slots[slot]; slot = (slot + 1) & mask) {
        nnm_kernel_record *record = &data->records[index->slots[slot] - 1];
        if (strcmp(record->id, id) == 0) return record;
    }
    return NULL;
}

/* ---- records ---- */

static void record_fini(nnm_kernel_record *record)
{
    free(record->model);
    free(record->converted_model);
    *record = (nnm_kernel_record){0};
}

static nnm_status record_copy(nnm_kernel_record *out, const nnm_kernel_record *record, nnm_error *err)
{
    nnm_kernel_record copy = *record;
    copy.model = record->model ? nnm_strdup(record->model) : NULL;
    copy.converted_model = record->converted_model ? nnm_strdup(record->converted_model) : NULL;
    if ((record->model && !copy.model) || (record->converted_model && !copy.converted_model)) {
        record_fini(&copy);
        return nnm_fail_memory(err);
    }
    *out = copy;
    return NNM_OK;
}

/* Appends a record, whose paths it takes over; room was reserved. */
static void append(indexed_data *index, nnm_kernel_record *record)
{
    index->data.records[index->data.count] = *record;
    *record = (nnm_kernel_record){0};
    insert(index, index->data.count);
    index->data.count++;
    index->indexed++;
}

nnm_status nnm_kernel_data_new(nnm_kernel_data **out, const nnm_kernel *kernel, nnm_error *err)
{
    indexed_data *index = nnm_calloc(1, sizeof *index);
    if (!index) return nnm_fail_memory(err);
    index->data.kernel = kernel;
    *out = &index->data;
    return NNM_OK;
}

void nnm_kernel_data_free(nnm_kernel_data *data)
{
    if (!data) return;
    for (size_t i = 0; i < data->count; i++)
        record_fini(&data->records[i]);
    free(data->records);
    indexed_data *index = (indexed_data *)(void *)data;
    free(index->slots);
    free(index);
}

nnm_status nnm_kernel_data_add(nnm_kernel_data *data, const nnm_kernel_record *record, nnm_error *err)
{
    size_t length = strnlen(record->id, sizeof record->id);
    if (length == 0 || length == sizeof record->id)
        return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "a kernel id has 1 to %d characters", NNM_KERNEL_ID_BYTES - 1);
    if (nnm_kernel_data_find(data, record->id))
        return nnm_fail(err, NNM_ERR_EXISTS, "%s '%s' is there already", nnm_kernel_name(data->kernel), record->id);
    nnm_kernel_record copy;
    nnm_status status = record_copy(&copy, record, err);
    if (status) return status;
    indexed_data *index = (indexed_data *)(void *)data;
    status = reserve(index, data->count + 1, err);
    if (status)
        record_fini(&copy);
    else
        append(index, &copy);
    return status;
}

/* ---- merging ---- */

/* Latencies are equal when their files say the same. */
static bool same_latency(const nnm_kernel_record *a, const nnm_kernel_record *b)
{
    char a_text[NNM_LATENCY_TEXT_BYTES], b_text[NNM_LATENCY_TEXT_BYTES];
    nnm_latency_format(a->latency_ms, a->spread_ms, a_text);
    nnm_latency_format(b->latency_ms, b->spread_ms, b_text);
    return strcmp(a_text, b_text) == 0;
}

static nnm_status check_agreement(const nnm_kernel *kernel, const nnm_kernel_record *a, const nnm_kernel_record *b,
                                  nnm_error *err)
{
    if (a->has_config && b->has_config && !nnm_kernel_config_equal(kernel, &a->config, &b->config)) {
        char a_text[256], b_text[256];
        nnm_kernel_config_format(kernel, &a->config, a_text, sizeof a_text);
        nnm_kernel_config_format(kernel, &b->config, b_text, sizeof b_text);
        return nnm_fail(err, NNM_ERR_VALUE, "%s '%s' has two configurations: %s and %s", nnm_kernel_name(kernel), a->id,
                        a_text, b_text);
    }
    if (a->has_latency && b->has_latency && !same_latency(a, b)) {
        char a_text[NNM_LATENCY_TEXT_BYTES], b_text[NNM_LATENCY_TEXT_BYTES];
        return nnm_fail(err, NNM_ERR_VALUE, "%s '%s' has two latencies: %s and %s ms", nnm_kernel_name(kernel), a->id,
                        nnm_latency_format(a->latency_ms, a->spread_ms, a_text),
                        nnm_latency_format(b->latency_ms, b->spread_ms, b_text));
    }
    return NNM_OK;
}

/* Moves into `record` what it lacks. */
static void complete(nnm_kernel_record *record, nnm_kernel_record *other)
{
    if (!record->model) {
        record->model = other->model;
        other->model = NULL;
    }
    if (!record->converted_model) {
        record->converted_model = other->converted_model;
        other->converted_model = NULL;
    }
    if (!record->has_config && other->has_config) {
        record->config = other->config;
        record->has_config = true;
    }
    if (record->shape_count == 0) {
        memcpy(record->shapes, other->shapes, sizeof record->shapes);
        record->shape_count = other->shape_count;
    }
    if (!record->has_latency && other->has_latency) {
        record->latency_ms = other->latency_ms;
        record->spread_ms = other->spread_ms;
        record->has_latency = true;
    }
}

nnm_status nnm_kernel_data_merge(nnm_kernel_data *into, const nnm_kernel_data *from, nnm_error *err)
{
    if (into->kernel != from->kernel)
        return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "data of %s cannot be merged into data of %s",
                        nnm_kernel_name(from->kernel), nnm_kernel_name(into->kernel));
    size_t count = from->count, added = 0, copied = 0;
    indexed_data *index = (indexed_data *)(void *)into;
    nnm_status status = NNM_OK;
    nnm_kernel_record *copies = nnm_calloc(count, sizeof *copies);
    if (!copies) return nnm_fail_memory(err);
    for (; copied < count; copied++) {
        const nnm_kernel_record *known = nnm_kernel_data_find(into, from->records[copied].id);
        added += known == NULL;
        if (known) status = check_agreement(into->kernel, known, &from->records[copied], err);
        if (status == NNM_OK) status = record_copy(&copies[copied], &from->records[copied], err);
        if (status) goto done;
    }
    status = reserve(index, into->count + added, err);
    if (status) goto done;
    for (size_t i = 0; i < count; i++) { /* nothing can fail from here on */
        nnm_kernel_record *known = nnm_kernel_data_find(into, copies[i].id);
        if (known)
            complete(known, &copies[i]);
        else
            append(index, &copies[i]);
    }
done:
    for (size_t i = 0; i < copied; i++)
        record_fini(&copies[i]);
    free(copies);
    return status;
}

/* ---- collecting ---- */

/* The first record of `from` that contradicts `into`. */
static const nnm_kernel_record *find_contradiction(const nnm_kernel_data *into, const nnm_kernel_data *from)
{
    for (size_t i = 0; i < from->count; i++) {
        const nnm_kernel_record *known = nnm_kernel_data_find(into, from->records[i].id);
        if (known && check_agreement(into->kernel, known, &from->records[i], NULL)) return &from->records[i];
    }
    return NULL;
}

/* Which of the files that were merged says something else than `record`: each is read once more, which only happens on
 * the way to an error. */
static const char *contradicting_file(const nnm_kernel *kernel, const nnm_kernel_record *record,
                                      const char *const *paths, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        nnm_kernel_data *data = NULL;
        if (nnm_kernel_data_load(&data, kernel, paths[i], NULL)) continue; /* changed since */
        const nnm_kernel_record *known = nnm_kernel_data_find(data, record->id);
        bool contradicts = known && check_agreement(kernel, known, record, NULL);
        nnm_kernel_data_free(data);
        if (contradicts) return paths[i];
    }
    return NULL;
}

static nnm_status merge_file(nnm_kernel_data *into, const char *const *paths, size_t index, nnm_error *err)
{
    nnm_kernel_data *data = NULL;
    nnm_status status = nnm_kernel_data_load(&data, into->kernel, paths[index], err);
    if (status) return status;
    status = nnm_kernel_data_merge(into, data, err);
    if (status) {
        const nnm_kernel_record *record = find_contradiction(into, data);
        const char *other = record ? contradicting_file(into->kernel, record, paths, index) : NULL;
        status = other ? nnm_context(err, status, "%s and %s", other, paths[index])
                       : nnm_context(err, status, "%s", paths[index]);
    }
    nnm_kernel_data_free(data);
    return status;
}

nnm_status nnm_kernel_data_load_all(nnm_kernel_data **out, const nnm_kernel *kernel, const char *const *paths,
                                    size_t count, nnm_error *err)
{
    nnm_kernel_data *all = NULL;
    nnm_status status = nnm_kernel_data_new(&all, kernel, err);
    for (size_t i = 0; status == NNM_OK && i < count; i++)
        status = merge_file(all, paths, i, err);
    if (status == NNM_OK)
        *out = all;
    else
        nnm_kernel_data_free(all);
    return status;
}

/* Those of `all` that have both; `whose` are called so in messages. */
static nnm_status keep_pairs(nnm_kernel_data **out, const nnm_kernel_data *all, const char *whose, nnm_error *err)
{
    nnm_kernel_data *both = NULL;
    size_t configs = 0, latencies = 0;
    nnm_status status = nnm_kernel_data_new(&both, all->kernel, err);
    for (size_t i = 0; status == NNM_OK && i < all->count; i++) {
        const nnm_kernel_record *record = &all->records[i];
        configs += record->has_config;
        latencies += record->has_latency;
        if (record->has_config && record->has_latency) status = nnm_kernel_data_add(both, record, err);
    }
    if (status == NNM_OK && both->count == 0)
        status = nnm_fail(err, NNM_ERR_TOO_FEW_ROWS,
                          "no configuration of %s has a latency: %s %zu configurations and %zu latencies",
                          nnm_kernel_name(all->kernel), whose, configs, latencies);
    if (status == NNM_OK)
        *out = both;
    else
        nnm_kernel_data_free(both);
    return status;
}

nnm_status nnm_kernel_data_pair(nnm_kernel_data **out, const nnm_kernel_data *configs, const nnm_kernel_data *latencies,
                                nnm_error *err)
{
    nnm_kernel_data *all = NULL;
    nnm_status status = nnm_kernel_data_new(&all, configs->kernel, err);
    if (status == NNM_OK) status = nnm_kernel_data_merge(all, configs, err);
    if (status == NNM_OK && latencies) status = nnm_kernel_data_merge(all, latencies, err);
    if (status == NNM_OK) status = keep_pairs(out, all, "there are", err);
    nnm_kernel_data_free(all);
    return status;
}

nnm_status nnm_kernel_data_collect(nnm_kernel_data **out, const nnm_kernel *kernel, const char *const *config_paths,
                                   size_t config_count, const char *const *latency_paths, size_t latency_count,
                                   nnm_error *err)
{
    if (config_count == 0) return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "no configuration file is given");
    nnm_kernel_data *all = NULL;
    const char **paths = nnm_calloc(config_count + latency_count, sizeof *paths);
    if (!paths) return nnm_fail_memory(err);
    memcpy(paths, config_paths, config_count * sizeof *paths);
    if (latency_count) memcpy(paths + config_count, latency_paths, latency_count * sizeof *paths);
    nnm_status status = nnm_kernel_data_load_all(&all, kernel, paths, config_count + latency_count, err);
    if (status == NNM_OK) status = keep_pairs(out, all, "the files have", err);
    nnm_kernel_data_free(all);
    free(paths);
    return status;
}
