/* Reads bytes as kernel data, of two kernel types. What is read must be usable and come back the same from its own
 * text; what is refused must say why, with one of the documented codes and a place that lies in the text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/catalogue.h"
#include "store/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void require(int condition)
{
    if (!condition) abort();
}

static void check_refusal(const nnm_error *err, nnm_status status, const uint8_t *bytes, size_t size)
{
    size_t lines = 1;
    for (size_t i = 0; i < size; i++)
        lines += bytes[i] == '\n';
    require(err->code == status && strncmp(err->message, "fuzz", 4) == 0 && err->line <= lines);
    require(status == NNM_ERR_PARSE || status == NNM_ERR_VALUE || status == NNM_ERR_NOT_FOUND ||
            status == NNM_ERR_EXISTS);
}

static void check_record(const nnm_kernel_data *data, const nnm_kernel_record *record, nnm_kernel_data *again)
{
    nnm_error err = NNM_ERROR_INIT;
    char *text = NULL;
    require(*record->id && nnm_kernel_data_find(data, record->id) == record);
    if (record->has_latency) require(record->latency_ms > 0 && record->spread_ms >= 0);
    if (record->has_config) require(nnm_kernel_check_values(data->kernel, &record->config, &err) == NNM_OK);
    require(nnm_record_format(data->kernel, record, &text, &err) == NNM_OK);
    require(nnm_record_add_parsed(again, record->id, text, &err) == NNM_OK);
    const nnm_kernel_record *copy = nnm_kernel_data_find(again, record->id);
    require(copy->has_config == record->has_config && copy->shape_count == record->shape_count);
    if (copy->has_config) require(nnm_kernel_config_equal(data->kernel, &copy->config, &record->config));
    free(text);
}

static void read_as(const char *kernel_name, const uint8_t *bytes, size_t size)
{
    nnm_error err = NNM_ERROR_INIT;
    const nnm_kernel *kernel = NULL;
    nnm_kernel_data *data = NULL, *again = NULL;
    require(nnm_kernel_find(&kernel, kernel_name, &err) == NNM_OK);
    nnm_status status = nnm_kernel_data_parse(&data, kernel, (const char *)bytes, size, "fuzz", &err);
    if (status) {
        require(!data);
        check_refusal(&err, status, bytes, size);
        return;
    }
    require(nnm_kernel_data_new(&again, kernel, &err) == NNM_OK);
    for (size_t i = 0; i < data->count; i++)
        check_record(data, &data->records[i], again);
    require(nnm_kernel_data_merge(data, again, &err) == NNM_OK && data->count == again->count);
    nnm_kernel_data_free(again);
    nnm_kernel_data_free(data);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    read_as("conv-bn-relu", bytes, size);
    read_as("fc", bytes, size);
    return 0;
}
