#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/closest.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/number.h"
#include "kernels/catalogue.h"

#define MAX_TENSOR_BYTES INT32_MAX

/* ---- lists ---- */

nnm_status nnm_config_list_add(nnm_config_list *list, const nnm_kernel_config *config, nnm_error *err)
{
    void *items = list->items;
    nnm_status status = nnm_grow(&items, &list->capacity, list->count + 1, sizeof *list->items, err);
    list->items = items;
    if (status == NNM_OK) list->items[list->count++] = *config;
    return status;
}

void nnm_config_list_fini(nnm_config_list *list)
{
    free(list->items);
    *list = (nnm_config_list){0};
}

/* ---- checking ---- */

static nnm_status check_bytes(const nnm_kernel *kernel, const nnm_kernel_config *config, const char *what,
                              double elements, nnm_error *err)
{
    if (4 * elements <= MAX_TENSOR_BYTES) return NNM_OK;
    char text[256];
    nnm_kernel_config_format(kernel, config, text, sizeof text);
    return nnm_fail(err, NNM_ERR_VALUE, "%s with %s: the %s would take %.0f bytes; at most %d are allowed",
                    kernel->name, text, what, 4 * elements, MAX_TENSOR_BYTES);
}

nnm_status nnm_kernel_check_sizes(const nnm_kernel *kernel, const nnm_kernel_config *config, int64_t batch_size,
                                  nnm_error *err)
{
    if (kernel->kind->source) return NNM_OK; /* known when its graph is built: nnm_draft_weights, nnm_draft_run */
    nnm_shape shapes[NNM_KERNEL_MAX_INPUTS];
    size_t count = kernel->kind->inputs(kernel, config, NNM_LAYOUT_NCHW, shapes);
    nnm_status status = NNM_OK;
    for (size_t i = 0; i < count && !status; i++)
        status = check_bytes(kernel, config, "input", (double)batch_size * (double)nnm_shape_elements(&shapes[i]), err);
    nnm_kernel_size size = kernel->kind->size(kernel, config);
    if (!status) status = check_bytes(kernel, config, "output", (double)batch_size * size.outputs, err);
    if (!status) status = check_bytes(kernel, config, "weight", size.weights, err);
    return status;
}

static nnm_status check_value(const nnm_kernel *kernel, const nnm_kernel_config *config, size_t index, nnm_error *err)
{
    const nnm_kernel_param *param = kernel->kind->params[index];
    int64_t value = config->value[index];
    if (value < param->minimum || value > param->maximum)
        return nnm_fail(err, NNM_ERR_VALUE, "%s: %s=%" PRId64 " is out of range; allowed are %" PRId64 " to %" PRId64,
                        kernel->name, param->name, value, param->minimum, param->maximum);
    if (param->multiple_of && value % param->multiple_of)
        return nnm_fail(err, NNM_ERR_VALUE, "%s: %s=%" PRId64 " is not allowed; it must be a multiple of %" PRId64,
                        kernel->name, param->name, value, param->multiple_of);
    const nnm_kernel_param *before = index ? kernel->kind->params[index - 1] : NULL;
    if (value && before && before->minimum == 0 && config->value[index - 1] == 0)
        return nnm_fail(err, NNM_ERR_VALUE, "%s: %s=%" PRId64 ", but %s is 0; those that are not used come last",
                        kernel->name, param->name, value, before->name);
    return NNM_OK;
}

nnm_status nnm_kernel_check_values(const nnm_kernel *kernel, const nnm_kernel_config *config, nnm_error *err)
{
    for (size_t i = 0; i < nnm_kernel_param_count(kernel); i++) {
        nnm_status status = check_value(kernel, config, i, err);
        if (status) return status;
    }
    if (kernel->kind->cout_is_cin) {
        int64_t cin = nnm_kernel_value(kernel, config, "CIN");
        int64_t cout = nnm_kernel_value(kernel, config, "COUT");
        if (cin != cout)
            return nnm_fail(err, NNM_ERR_VALUE, "%s: COUT=%" PRId64 " must equal CIN=%" PRId64, kernel->name, cout,
                            cin);
    }
    return NNM_OK;
}

nnm_status nnm_kernel_config_check(const nnm_kernel *kernel, const nnm_kernel_config *config, nnm_error *err)
{
    nnm_status status = nnm_kernel_check_values(kernel, config, err);
    return status ? status : nnm_kernel_check_sizes(kernel, config, 1, err);
}

/* ---- text ---- */

static nnm_status fail_unknown(const nnm_kernel *kernel, const char *name, nnm_error *err)
{
    const char *names[NNM_KERNEL_MAX_PARAMS];
    size_t count = nnm_kernel_param_count(kernel);
    char list[256] = "";
    size_t length = 0;
    for (size_t i = 0; i < count; i++) {
        names[i] = nnm_kernel_param_name(kernel, i);
        int written = snprintf(list + length, sizeof list - length, "%s%s", i ? ", " : "", names[i]);
        if (written > 0 && (size_t)written < sizeof list - length) length += (size_t)written;
    }
    const char *closest = nnm_closest(name, names, count);
    if (closest)
        return nnm_fail(err, NNM_ERR_PARSE, "%s has no parameter '%s'; did you mean '%s'?", kernel->name, name,
                        closest);
    return nnm_fail(err, NNM_ERR_PARSE, "%s has no parameter '%s'; it has %s", kernel->name, name, list);
}

static char *trim(char *text)
{
    while (*text == ' ' || *text == '\t')
        text++;
    size_t length = strlen(text);
    while (length && (text[length - 1] == ' ' || text[length - 1] == '\t'))
        text[--length] = '\0';
    return text;
}

/* Reads one "NAME=VALUE". */
static nnm_status parse_item(nnm_kernel_config *config, bool seen[NNM_KERNEL_MAX_PARAMS], const nnm_kernel *kernel,
                             char *item, nnm_error *err)
{
    char *equals = strchr(item, '=');
    if (!equals)
        return nnm_fail(err, NNM_ERR_PARSE, "'%s' is not NAME=VALUE; a configuration reads like HW=56,CIN=64",
                        trim(item));
    *equals = '\0';
    const char *name = trim(item);
    const char *value = trim(equals + 1);
    int index = nnm_kernel_param_index(kernel, name);
    if (index < 0) return fail_unknown(kernel, name, err);
    if (seen[index]) return nnm_fail(err, NNM_ERR_PARSE, "%s is given twice", name);
    if (!nnm_parse_int64(value, &config->value[index]))
        return nnm_fail(err, NNM_ERR_VALUE, "%s: '%s' is not a whole number", name, value);
    seen[index] = true;
    return NNM_OK;
}

nnm_status nnm_kernel_config_complete(nnm_kernel_config *config, const bool seen[NNM_KERNEL_MAX_PARAMS],
                                      const nnm_kernel *kernel, nnm_error *err)
{
    for (size_t i = 0; i < nnm_kernel_param_count(kernel); i++) {
        if (seen[i] || kernel->kind->params[i]->minimum == 0) continue;
        if (!kernel->kind->cout_is_cin || strcmp(kernel->kind->params[i]->name, "COUT") != 0)
            return nnm_fail(err, NNM_ERR_PARSE, "%s is missing; %s needs it", kernel->kind->params[i]->name,
                            kernel->name);
        config->value[i] = nnm_kernel_value(kernel, config, "CIN");
    }
    return NNM_OK;
}

nnm_status nnm_kernel_config_parse(nnm_kernel_config *out, const nnm_kernel *kernel, const char *text, nnm_error *err)
{
    nnm_kernel_config config = {{0}};
    bool seen[NNM_KERNEL_MAX_PARAMS] = {false};
    char *copy = nnm_strdup(text);
    if (!copy) return nnm_fail_memory(err);
    nnm_status status = NNM_OK;
    for (char *item = copy; item && !status;) {
        char *comma = strchr(item, ',');
        if (comma) *comma = '\0';
        status = parse_item(&config, seen, kernel, item, err);
        item = comma ? comma + 1 : NULL;
    }
    if (!status) status = nnm_kernel_config_complete(&config, seen, kernel, err);
    if (!status) status = nnm_kernel_config_check(kernel, &config, err);
    if (!status) *out = config;
    free(copy);
    return status;
}

void nnm_kernel_config_format(const nnm_kernel *kernel, const nnm_kernel_config *config, char *text, size_t size)
{
    if (size == 0) return;
    text[0] = '\0';
    size_t length = 0;
    for (size_t i = 0; i < nnm_kernel_param_count(kernel) && length < size; i++) {
        int written = snprintf(text + length, size - length, "%s%s=%" PRId64, i ? "," : "",
                               kernel->kind->params[i]->name, config->value[i]);
        if (written < 0) return;
        length += (size_t)written;
    }
}

bool nnm_kernel_config_equal(const nnm_kernel *kernel, const nnm_kernel_config *a, const nnm_kernel_config *b)
{
    for (size_t i = 0; i < nnm_kernel_param_count(kernel); i++)
        if (a->value[i] != b->value[i]) return false;
    return true;
}
