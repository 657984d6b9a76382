/* Trying a customised kernel before it is registered: what fails here would fail an hour into a run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "nnmeter/model_file.h"
#include "plugins/kernel_parts.h"

#define SAMPLES 16    /* from the prior */
#define AROUND 2      /* configurations to sample around, and */
#define FINEGRAINED 4 /* how many around each */
#define MODELS 4      /* configurations that become model files */
#define SEED 1

/* ---- samplers ---- */

static nnm_status check_values(const nnm_custom_kernel *custom, const nnm_config_list *list, const char *function,
                               nnm_error *err)
{
    for (size_t i = 0; i < list->count; i++) {
        nnm_status status = nnm_kernel_check_values(&custom->kernel, &list->items[i], err);
        if (status)
            return nnm_context(err, status, "configuration %zu of %zu that %s gave", i + 1, list->count, function);
    }
    return NNM_OK;
}

static size_t count_different(const nnm_kernel *kernel, const nnm_config_list *list)
{
    size_t different = 0;
    for (size_t i = 0; i < list->count; i++) {
        bool repeats = false;
        for (size_t j = 0; j < i && !repeats; j++)
            repeats = nnm_kernel_config_equal(kernel, &list->items[i], &list->items[j]);
        different += !repeats;
    }
    return different;
}

/* How many configurations the ranges of the parameters allow, or `limit` if they are more. */
static size_t count_possible(const nnm_kernel *kernel, size_t limit)
{
    size_t possible = 1;
    for (size_t i = 0; i < nnm_kernel_param_count(kernel); i++) {
        const nnm_kernel_param *param = kernel->kind->params[i];
        int64_t step = param->multiple_of ? param->multiple_of : 1;
        int64_t values = param->maximum / step - (param->minimum + step - 1) / step + 1;
        if (values >= (int64_t)limit) return limit;
        possible *= values > 0 ? (size_t)values : 1;
        if (possible >= limit) return limit;
    }
    return possible;
}

static nnm_status check_count(const nnm_custom_kernel *custom, const nnm_config_list *list, size_t asked,
                              const char *function, nnm_error *err)
{
    if (list->count == 0)
        return nnm_fail(err, NNM_ERR_VALUE, "%s was asked for %zu configurations and gave none", function, asked);
    size_t different = count_different(&custom->kernel, list), needed = count_possible(&custom->kernel, asked) / 2;
    if (different >= needed) return NNM_OK;
    return nnm_fail(err, NNM_ERR_VALUE,
                    "%s was asked for %zu configurations and gave %zu, of which only %zu differ; duplicates are left "
                    "out, and nothing would be left to measure",
                    function, asked, list->count, different);
}

static nnm_status check_repeatable(nnm_custom_kernel *custom, const nnm_config_list *first, nnm_error *err)
{
    nnm_config_list again = {0};
    nnm_status status = custom->source.sample(custom, SAMPLES, NULL, SEED, &again, err);
    bool same = status == NNM_OK && again.count == first->count;
    for (size_t i = 0; same && i < first->count; i++)
        same = nnm_kernel_config_equal(&custom->kernel, &again.items[i], &first->items[i]);
    if (status == NNM_OK && !same)
        status = nnm_fail(err, NNM_ERR_VALUE,
                          "prior_config_sampling gives other configurations when it is called again with the same "
                          "seed; all that is left to chance has to follow from it");
    nnm_config_list_fini(&again);
    return status;
}

static nnm_status try_prior(nnm_custom_kernel *custom, nnm_config_list *out, nnm_error *err)
{
    const char *function = "prior_config_sampling";
    nnm_status status = custom->source.sample(custom, SAMPLES, NULL, SEED, out, err);
    if (status == NNM_OK) status = check_count(custom, out, SAMPLES, function, err);
    if (status == NNM_OK) status = check_values(custom, out, function, err);
    return status == NNM_OK ? check_repeatable(custom, out, err) : status;
}

static nnm_status try_finegrained(nnm_custom_kernel *custom, const nnm_config_list *prior, nnm_error *err)
{
    const char *function = "finegrained_config_sampling";
    nnm_config_list around = {prior->items, prior->count < AROUND ? prior->count : AROUND, 0}, found = {0};
    nnm_status status = custom->source.sample(custom, FINEGRAINED, &around, SEED, &found, err);
    if (status == NNM_OK && found.count == 0)
        status = nnm_fail(err, NNM_ERR_VALUE, "%s was asked for %d configurations around each of %zu and gave none",
                          function, FINEGRAINED, around.count);
    if (status == NNM_OK) status = check_values(custom, &found, function, err);
    nnm_config_list_fini(&found);
    return status;
}

/* ---- models ---- */

/* The model takes what the kernel says its inputs are: kernel data list these shapes. */
static nnm_status check_inputs(const nnm_custom_kernel *custom, const nnm_graph *graph, const nnm_shape *shapes,
                               size_t count, nnm_error *err)
{
    bool same = nnm_graph_input_count(graph) == count;
    for (size_t i = 0; i < count && same; i++) {
        const nnm_shape *shape = &nnm_graph_tensor(graph, nnm_graph_input(graph, i))->shape;
        same = shape->rank == shapes[i].rank + 1;
        for (size_t d = 0; same && d < shapes[i].rank; d++)
            same = shape->dim[d + 1] == shapes[i].dim[d];
    }
    if (same) return NNM_OK;
    return nnm_fail(err, NNM_ERR_VALUE, "the model of %s has other inputs than input_tensor_shape says",
                    custom->kernel.name);
}

static nnm_status try_model(nnm_custom_kernel *custom, const nnm_kernel_config *config, const char *path,
                            nnm_error *err)
{
    nnm_shape shapes[NNM_KERNEL_MAX_INPUTS];
    size_t count = 0;
    nnm_graph *graph = NULL, *read = NULL;
    nnm_graph_options options = {.layout = custom->source.layout, .batch_size = 1, .seed = SEED};
    double flops;
    nnm_status status = nnm_kernel_input_shapes(&custom->kernel, config, options.layout, shapes, &count, err);
    if (status == NNM_OK) status = custom->source.flops(custom, config, &flops, err);
    if (status == NNM_OK) status = nnm_kernel_build_graph(&graph, &custom->kernel, config, &options, err);
    if (status == NNM_OK) status = check_inputs(custom, graph, shapes, count, err);
    if (status == NNM_OK) {
        status = nnm_model_write(graph, path, err);
        if (status == NNM_OK) status = nnm_model_read(&read, path, err);
        unlink(path);
    }
    nnm_graph_free(read);
    nnm_graph_free(graph);
    return status;
}

/* ---- features ---- */

static nnm_status try_features(nnm_custom_kernel *custom, const nnm_kernel_config *config, nnm_error *err)
{
    double x[NNM_KERNEL_MAX_FEATURES];
    nnm_kernel_config back;
    nnm_status status = nnm_kernel_features(&custom->kernel, config, x, err);
    if (status == NNM_OK) status = nnm_custom_kernel_config(custom, x, &back, err);
    if (status || nnm_kernel_config_equal(&custom->kernel, config, &back)) return status;
    char before[256], after[256];
    nnm_kernel_config_format(&custom->kernel, config, before, sizeof before);
    nnm_kernel_config_format(&custom->kernel, &back, after, sizeof after);
    return nnm_fail(err, NNM_ERR_VALUE,
                    "features do not lead back to their configuration: get_config_by_feature of %s makes %s of what "
                    "get_feature_by_config makes of %s",
                    custom->meta->value[NNM_META_PARSER_NAME], after, before);
}

nnm_status nnm_custom_kernel_try(nnm_custom_kernel *custom, const char *folder, nnm_error *err)
{
    nnm_config_list prior = {0};
    char *path = nnm_format("%s/.try-%ld.%s", folder, (long)getpid(), nnm_model_suffix(custom->source.layout));
    nnm_status status = path ? try_prior(custom, &prior, err) : nnm_fail_memory(err);
    if (status == NNM_OK) status = try_finegrained(custom, &prior, err);
    for (size_t i = 0; i < prior.count && status == NNM_OK; i++) {
        if (i < MODELS) status = try_model(custom, &prior.items[i], path, err);
        if (status == NNM_OK) status = try_features(custom, &prior.items[i], err);
    }
    nnm_config_list_fini(&prior);
    free(path);
    return status;
}
