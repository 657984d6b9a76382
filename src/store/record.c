#include "store/record.h"

#include <stdio.h>
#include <string.h>

#include "base/number.h"

#define BATCH "BATCH="

char *nnm_record_describe(const nnm_kernel *kernel, const nnm_kernel_record *record, char *text, size_t size)
{
    text[0] = '\0';
    if (record->has_config) nnm_kernel_config_format(kernel, &record->config, text, size);
    size_t length = strlen(text);
    if (record->batch_size > 1)
        snprintf(text + length, size - length, "%s" BATCH "%lld", length ? "," : "", (long long)record->batch_size);
    return text;
}

void nnm_record_take_description(const nnm_kernel *kernel, nnm_kernel_record *record, const char *text)
{
    char config[NNM_SUBJECT_BYTES];
    int64_t batch_size = 1;
    if (snprintf(config, sizeof config, "%s", text) >= (int)sizeof config) return;
    char *batch = strncmp(config, BATCH, strlen(BATCH)) == 0 ? config : strstr(config, "," BATCH);
    if (batch) {
        const char *number = strchr(batch, '=') + 1;
        if (!nnm_parse_int64(number, &batch_size) || batch_size < 1) return;
        *batch = '\0';
    }
    if (nnm_kernel_config_parse(&record->config, kernel, config, NULL) == NNM_OK) record->has_config = true;
    record->batch_size = batch_size;
}
