/* The side of a customised kernel on which its code runs: a process of its own (host.h). */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "kernels/catalogue.h"
#include "plugins/graph_bytes.h"
#include "plugins/module.h"
#include "plugins/questions.h"

/* Both members that every part begins with. */
typedef struct part_head {
    uint32_t abi, part;
} part_head;

typedef struct part_kind {
    nnm_meta_key module, name;
    part_head head; /* as the macros of plugin.h have it */
    const char *type, *macro;
} part_kind;

static const part_kind kinds[] = {
    {NNM_META_CLASS_MODULE, NNM_META_CLASS_NAME, {NNM_PLUGIN_KERNEL}, "nnm_plugin_kernel", "NNM_PLUGIN_KERNEL"},
    {NNM_META_SAMPLER_MODULE, NNM_META_SAMPLER_NAME, {NNM_PLUGIN_SAMPLER}, "nnm_plugin_sampler", "NNM_PLUGIN_SAMPLER"},
    {NNM_META_PARSER_MODULE, NNM_META_PARSER_NAME, {NNM_PLUGIN_PARSER}, "nnm_plugin_parser", "NNM_PLUGIN_PARSER"},
};

/* ---- opening ---- */

static nnm_status find_part(const void **out, const nnm_kernel_meta *meta, const part_kind *kind, nnm_error *err)
{
    const void *found = NULL;
    const char *name = meta->value[kind->name];
    nnm_status status =
        nnm_module_find(&found, meta->value[NNM_META_PACKAGE_LOCATION], meta->value[kind->module], name, err);
    if (status) return status;
    part_head head;
    memcpy(&head, found, sizeof head);
    if (head.part != kind->head.part)
        return nnm_fail(err, NNM_ERR_VALUE, "'%s' is not an %s: it has to begin with %s", name, kind->type,
                        kind->macro);
    if (head.abi != kind->head.abi)
        return nnm_fail(err, NNM_ERR_VERSION,
                        "'%s' was compiled for version %u of the plug-in interface, this nn-meter has %u; compile it "
                        "again with this one's nnmeter/plugin.h",
                        name, (unsigned)head.abi, (unsigned)kind->head.abi);
    *out = found;
    return NNM_OK;
}

static nnm_status fail_function(const char *part, const char *function, nnm_error *err)
{
    return nnm_fail(err, NNM_ERR_VALUE, "%s has no function %s", part, function);
}

/* Names become columns of tables and keys of files. */
static nnm_status copy_name(char out[NNM_PLUGIN_NAME_BYTES], const char *name, const char *what, nnm_error *err)
{
    size_t length = strnlen(name, NNM_PLUGIN_NAME_BYTES);
    bool good = length > 0 && length < NNM_PLUGIN_NAME_BYTES && !isdigit((unsigned char)name[0]);
    for (size_t i = 0; i < length && good; i++)
        good = isalnum((unsigned char)name[i]) || name[i] == '_';
    if (!good)
        return nnm_fail(err, NNM_ERR_VALUE, "%s '%.64s': a name has up to %d letters, digits and '_'", what, name,
                        NNM_PLUGIN_NAME_BYTES - 1);
    memcpy(out, name, length + 1);
    return NNM_OK;
}

static nnm_status describe_param(const nnm_plugin_param *param, nnm_param_answer *out, nnm_error *err)
{
    nnm_status status = copy_name(out->name, param->name, "parameter", err);
    if (status) return status;
    bool good = param->minimum >= 0 && param->minimum <= param->maximum && param->maximum <= INT32_MAX &&
                param->multiple_of >= 0;
    if (!good)
        return nnm_fail(err, NNM_ERR_VALUE,
                        "parameter %s: its range is %lld to %lld; need 0 <= minimum <= maximum <= %d", param->name,
                        (long long)param->minimum, (long long)param->maximum, INT32_MAX);
    out->minimum = param->minimum;
    out->maximum = param->maximum;
    out->multiple_of = param->multiple_of;
    return NNM_OK;
}

static nnm_status open_kernel(nnm_package *package, nnm_buffer *answer, nnm_error *err)
{
    const void *found = NULL;
    nnm_status status = package->kernel ? NNM_OK : find_part(&found, package->meta, &kinds[0], err);
    if (status) return status;
    if (found) package->kernel = found;
    const nnm_plugin_kernel *kernel = package->kernel;
    const char *name = package->meta->value[NNM_META_CLASS_NAME];
    if (!kernel->input_tensor_shape) return fail_function(name, "input_tensor_shape", err);
    if (!kernel->get_model) return fail_function(name, "get_model", err);
    nnm_kernel_answer out = {0};
    for (size_t i = 0; i < NNM_KERNEL_MAX_PARAMS && kernel->params[i].name && status == NNM_OK; i++) {
        status = describe_param(&kernel->params[i], &out.params[i], err);
        for (size_t j = 0; j < i && status == NNM_OK; j++)
            if (strcmp(out.params[j].name, out.params[i].name) == 0)
                status = nnm_fail(err, NNM_ERR_VALUE, "parameter %s is there twice", out.params[i].name);
        out.param_count++;
    }
    if (status == NNM_OK && out.param_count == 0)
        status = nnm_fail(err, NNM_ERR_VALUE, "%s has no parameters; at least one is needed", name);
    if (status == NNM_OK) nnm_buffer_append(answer, &out, sizeof out);
    return status;
}

static nnm_status open_sampler(nnm_package *package, nnm_error *err)
{
    const void *found = NULL;
    nnm_status status = package->sampler ? NNM_OK : find_part(&found, package->meta, &kinds[1], err);
    if (status) return status;
    if (found) package->sampler = found;
    const char *name = package->meta->value[NNM_META_SAMPLER_NAME];
    if (!package->sampler->prior_config_sampling) return fail_function(name, "prior_config_sampling", err);
    if (!package->sampler->finegrained_config_sampling) return fail_function(name, "finegrained_config_sampling", err);
    return NNM_OK;
}

static nnm_status open_parser(nnm_package *package, nnm_buffer *answer, nnm_error *err)
{
    const void *found = NULL;
    nnm_status status = package->parser ? NNM_OK : find_part(&found, package->meta, &kinds[2], err);
    if (status) return status;
    if (found) package->parser = found;
    const nnm_plugin_parser *parser = package->parser;
    const char *name = package->meta->value[NNM_META_PARSER_NAME];
    if (!parser->get_feature_by_config) return fail_function(name, "get_feature_by_config", err);
    if (!parser->get_config_by_feature) return fail_function(name, "get_config_by_feature", err);
    nnm_parser_answer out = {0};
    for (size_t i = 0; i < NNM_KERNEL_MAX_PARAMS && parser->needed_config[i] && status == NNM_OK; i++)
        status = copy_name(out.needed[out.needed_count++], parser->needed_config[i], "needed_config", err);
    for (size_t i = 0; i < NNM_KERNEL_MAX_FEATURES && parser->feature_names[i] && status == NNM_OK; i++) {
        status = copy_name(out.features[i], parser->feature_names[i], "feature", err);
        for (size_t j = 0; j < i && status == NNM_OK; j++)
            if (strcmp(out.features[j], out.features[i]) == 0)
                status = nnm_fail(err, NNM_ERR_VALUE, "feature %s is there twice", out.features[i]);
        out.feature_count++;
    }
    if (status == NNM_OK && out.feature_count == 0)
        status = nnm_fail(err, NNM_ERR_VALUE, "%s has no features; at least one is needed", name);
    if (status == NNM_OK) nnm_buffer_append(answer, &out, sizeof out);
    return status;
}

/* A process that replaces one that crashed has opened nothing yet. */
static nnm_status open_all(nnm_package *package, nnm_error *err)
{
    nnm_buffer ignored = {0};
    nnm_status status = package->kernel ? NNM_OK : open_kernel(package, &ignored, err);
    if (status == NNM_OK && !package->sampler) status = open_sampler(package, err);
    if (status == NNM_OK && !package->parser) status = open_parser(package, &ignored, err);
    nnm_buffer_fini(&ignored);
    return status;
}

/* ---- configurations ---- */

static nnm_status find_inputs(const nnm_package *package, const nnm_kernel_config *config, nnm_inputs_answer *out,
                              nnm_error *err)
{
    *out = (nnm_inputs_answer){0};
    out->count = package->kernel->input_tensor_shape(config, out->shapes);
    if (out->count < 1 || out->count > NNM_KERNEL_MAX_INPUTS)
        return nnm_fail(err, NNM_ERR_VALUE, "it gave %zu inputs; allowed are 1 to %d", out->count,
                        NNM_KERNEL_MAX_INPUTS);
    for (size_t i = 0; i < out->count; i++)
        if (out->shapes[i].rank == 0 || out->shapes[i].rank >= NNM_MAX_RANK || nnm_shape_elements(&out->shapes[i]) < 1)
            return nnm_fail(err, NNM_ERR_VALUE,
                            "the shape of input %zu is none: need 1 to %d dimensions, each at least 1", i + 1,
                            NNM_MAX_RANK - 1);
    return NNM_OK;
}

static nnm_status build(const nnm_package *package, const nnm_config_question *asked, nnm_buffer *answer,
                        nnm_error *err)
{
    nnm_inputs_answer inputs;
    nnm_graph *graph = NULL;
    nnm_kernel_param params[NNM_KERNEL_MAX_PARAMS];
    nnm_kernel_kind kind = {.family = NNM_FAMILY_CUSTOMIZED};
    for (size_t i = 0; i < NNM_KERNEL_MAX_PARAMS && package->kernel->params[i].name; i++) {
        const nnm_plugin_param *param = &package->kernel->params[i];
        params[i] = (nnm_kernel_param){param->name, param->minimum, param->maximum, param->multiple_of};
        kind.params[i] = &params[i];
    }
    const nnm_kernel kernel = {.name = package->meta->value[NNM_META_BUILTIN_NAME], .kind = &kind};
    nnm_status status = find_inputs(package, &asked->config, &inputs, err);
    if (status == NNM_OK)
        status = nnm_draft_run(&graph, &kernel, &asked->config, inputs.shapes, inputs.count,
                               &package->kernel->get_model, 1, &asked->options, err);
    if (status == NNM_OK) nnm_graph_to_bytes(graph, answer);
    nnm_graph_free(graph);
    return status;
}

static nnm_status count_flops(const nnm_package *package, const nnm_kernel_config *config, double *flops,
                              nnm_error *err)
{
    *flops = 0;
    if (package->kernel->flops) {
        *flops = package->kernel->flops(config);
        return NNM_OK;
    }
    nnm_inputs_answer inputs;
    nnm_status status = find_inputs(package, config, &inputs, err);
    for (size_t i = 0; i < inputs.count && status == NNM_OK; i++)
        *flops += (double)nnm_shape_elements(&inputs.shapes[i]);
    return status;
}

static nnm_status answer_config(const nnm_package *package, nnm_question question, const nnm_config_question *asked,
                                nnm_buffer *answer, nnm_error *err)
{
    nnm_inputs_answer inputs;
    double features[NNM_KERNEL_MAX_FEATURES] = {0}, flops;
    nnm_status status;
    switch (question) {
    case NNM_ASK_INPUTS:
        status = find_inputs(package, &asked->config, &inputs, err);
        if (status == NNM_OK) nnm_buffer_append(answer, &inputs, sizeof inputs);
        return status;
    case NNM_ASK_FLOPS:
        status = count_flops(package, &asked->config, &flops, err);
        if (status == NNM_OK && !(flops >= 0 && isfinite(flops)))
            status = nnm_fail(err, NNM_ERR_VALUE, "flops gave %g, need a number >= 0", flops);
        if (status == NNM_OK) nnm_buffer_append(answer, &flops, sizeof flops);
        return status;
    case NNM_ASK_FEATURES:
        package->parser->get_feature_by_config(&asked->config, features);
        nnm_buffer_append(answer, features, sizeof features);
        return NNM_OK;
    default: return build(package, asked, answer, err);
    }
}

static nnm_status sample(const nnm_package *package, const void *data, size_t size, nnm_buffer *answer, nnm_error *err)
{
    nnm_sample_question asked;
    nnm_config_list around = {0}, out = {0};
    memcpy(&asked, data, sizeof asked);
    nnm_status status = NNM_OK;
    for (size_t at = sizeof asked; at < size && status == NNM_OK; at += sizeof(nnm_kernel_config)) {
        nnm_kernel_config config;
        memcpy(&config, (const char *)data + at, sizeof config);
        status = nnm_config_list_add(&around, &config, err);
    }
    const nnm_plugin_sampler *sampler = package->sampler;
    if (status == NNM_OK)
        status = asked.around ? sampler->finegrained_config_sampling(asked.num, &around, asked.seed, &out, err)
                              : sampler->prior_config_sampling(asked.num, asked.seed, &out, err);
    if (status == NNM_OK && out.count) nnm_buffer_append(answer, out.items, out.count * sizeof *out.items);
    nnm_config_list_fini(&around);
    nnm_config_list_fini(&out);
    return status;
}

nnm_status nnm_package_answer(void *context, uint32_t question, const void *data, size_t size, nnm_buffer *answer,
                              nnm_error *err)
{
    nnm_package *package = context;
    if (question == NNM_ASK_KERNEL) return open_kernel(package, answer, err);
    if (question == NNM_ASK_SAMPLER) return open_sampler(package, err);
    if (question == NNM_ASK_PARSER) return open_parser(package, answer, err);
    nnm_status status = open_all(package, err);
    if (status) return status;
    if (question == NNM_ASK_SAMPLE) return sample(package, data, size, answer, err);
    if (question == NNM_ASK_CONFIG) {
        double features[NNM_KERNEL_MAX_FEATURES];
        nnm_kernel_config config = {{0}};
        memcpy(features, data, sizeof features);
        package->parser->get_config_by_feature(features, &config);
        nnm_buffer_append(answer, &config, sizeof config);
        return NNM_OK;
    }
    nnm_config_question asked;
    memcpy(&asked, data, sizeof asked);
    return answer_config(package, (nnm_question)question, &asked, answer, err);
}
