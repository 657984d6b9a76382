#include "plugins/custom.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/closest.h"
#include "base/error.h"
#include "base/memory.h"
#include "kernels/catalogue.h"
#include "plugins/graph_bytes.h"
#include "plugins/host.h"
#include "plugins/kernel_parts.h"
#include "plugins/module.h"
#include "plugins/questions.h"

/* The trees of kernel types for which the published system has no forest of its own. */
static const nnm_kernel_forest forest = {370, 50, 0};

/* ---- questions ---- */

#define DOING_BYTES 256

/* "prior_config_sampling of MySampler (config_sampler.so)" */
static const char *doing(const nnm_custom_kernel *custom, nnm_meta_key module, const char *function,
                         char text[DOING_BYTES])
{
    snprintf(text, DOING_BYTES, "%s%s%.80s (%.80s.so)", function ? function : "", function ? " of " : "",
             custom->meta->value[module + 1], custom->meta->value[module]);
    return text;
}

/* Asks about one configuration; the answer has to have `size` bytes. */
static nnm_status ask(nnm_custom_kernel *custom, nnm_question question, const void *data, size_t data_size,
                      nnm_meta_key module, const char *function, void *answer, size_t size, nnm_error *err)
{
    char text[DOING_BYTES];
    nnm_buffer bytes = {0};
    nnm_status status =
        nnm_host_ask(&custom->host, question, data, data_size, doing(custom, module, function, text), &bytes, err);
    if (status == NNM_OK && bytes.size != size)
        status = nnm_fail(err, NNM_ERR_PARSE, "%s gave an answer that is none", text);
    if (status == NNM_OK && size) memcpy(answer, bytes.data, size);
    nnm_buffer_fini(&bytes);
    return status;
}

static nnm_status inputs(void *context, const nnm_kernel_config *config, nnm_shape shapes[NNM_KERNEL_MAX_INPUTS],
                         size_t *count, nnm_error *err)
{
    nnm_custom_kernel *custom = context;
    nnm_config_question question = {*config, NNM_GRAPH_OPTIONS_INIT};
    nnm_inputs_answer answer;
    nnm_status status = ask(custom, NNM_ASK_INPUTS, &question, sizeof question, NNM_META_CLASS_MODULE,
                            "input_tensor_shape", &answer, sizeof answer, err);
    if (status == NNM_OK && (answer.count < 1 || answer.count > NNM_KERNEL_MAX_INPUTS))
        status = nnm_fail(err, NNM_ERR_PARSE, "input_tensor_shape gave an answer that is none");
    if (status) return status;
    memcpy(shapes, answer.shapes, sizeof answer.shapes);
    *count = answer.count;
    return NNM_OK;
}

static nnm_status build(void *context, const nnm_kernel_config *config, const nnm_graph_options *options,
                        nnm_graph **out, nnm_error *err)
{
    nnm_custom_kernel *custom = context;
    nnm_config_question question = {*config, *options};
    char text[DOING_BYTES], values[256];
    nnm_buffer bytes = {0};
    nnm_status status = nnm_host_ask(&custom->host, NNM_ASK_GRAPH, &question, sizeof question,
                                     doing(custom, NNM_META_CLASS_MODULE, "get_model", text), &bytes, err);
    if (status == NNM_OK) status = nnm_graph_from_bytes(out, bytes.data, bytes.size, err);
    nnm_buffer_fini(&bytes);
    nnm_kernel_config_format(&custom->kernel, config, values, sizeof values);
    return nnm_context(err, status, "%s with %s", custom->kernel.name, values);
}

static nnm_status features(void *context, const nnm_kernel_config *config, double out[NNM_KERNEL_MAX_FEATURES],
                           nnm_error *err)
{
    nnm_custom_kernel *custom = context;
    nnm_config_question question = {*config, NNM_GRAPH_OPTIONS_INIT};
    nnm_status status = ask(custom, NNM_ASK_FEATURES, &question, sizeof question, NNM_META_PARSER_MODULE,
                            "get_feature_by_config", out, NNM_KERNEL_MAX_FEATURES * sizeof *out, err);
    for (size_t i = 0; i < custom->source.feature_count && status == NNM_OK; i++) {
        char values[256];
        if (isfinite(out[i])) continue;
        nnm_kernel_config_format(&custom->kernel, config, values, sizeof values);
        status = nnm_fail(err, NNM_ERR_VALUE, "get_feature_by_config of %s gives no number for feature %s of %s",
                          custom->meta->value[NNM_META_PARSER_NAME], custom->source.feature_names[i], values);
    }
    return status;
}

nnm_status nnm_custom_kernel_config(nnm_custom_kernel *custom, const double x[NNM_KERNEL_MAX_FEATURES],
                                    nnm_kernel_config *out, nnm_error *err)
{
    return ask(custom, NNM_ASK_CONFIG, x, NNM_KERNEL_MAX_FEATURES * sizeof *x, NNM_META_PARSER_MODULE,
               "get_config_by_feature", out, sizeof *out, err);
}

static nnm_status flops(void *context, const nnm_kernel_config *config, double *out, nnm_error *err)
{
    nnm_config_question question = {*config, NNM_GRAPH_OPTIONS_INIT};
    return ask(context, NNM_ASK_FLOPS, &question, sizeof question, NNM_META_CLASS_MODULE, "flops", out, sizeof *out,
               err);
}

static nnm_status sample(void *context, size_t num, const nnm_config_list *around, uint64_t seed, nnm_config_list *out,
                         nnm_error *err)
{
    nnm_custom_kernel *custom = context;
    nnm_sample_question question = {num, seed, around != NULL};
    char text[DOING_BYTES];
    nnm_buffer asked = {0}, bytes = {0};
    const char *function = around ? "finegrained_config_sampling" : "prior_config_sampling";
    nnm_buffer_append(&asked, &question, sizeof question);
    if (around && around->count) nnm_buffer_append(&asked, around->items, around->count * sizeof *around->items);
    nnm_status status = nnm_buffer_check(&asked, err);
    if (status == NNM_OK)
        status = nnm_host_ask(&custom->host, NNM_ASK_SAMPLE, asked.data, asked.size,
                              doing(custom, NNM_META_SAMPLER_MODULE, function, text), &bytes, err);
    for (size_t at = 0; at + sizeof(nnm_kernel_config) <= bytes.size && status == NNM_OK;
         at += sizeof(nnm_kernel_config)) {
        nnm_kernel_config config;
        memcpy(&config, bytes.data + at, sizeof config);
        for (size_t i = nnm_kernel_param_count(&custom->kernel); i < NNM_KERNEL_MAX_PARAMS; i++)
            config.value[i] = 0; /* whatever stands behind the parameters */
        status = nnm_config_list_add(out, &config, err);
    }
    nnm_buffer_fini(&asked);
    nnm_buffer_fini(&bytes);
    return status;
}

/* ---- loading ---- */

static bool is_terminated(const char text[NNM_PLUGIN_NAME_BYTES])
{
    return memchr(text, '\0', NNM_PLUGIN_NAME_BYTES) != NULL;
}

static nnm_status load_kernel(nnm_custom_kernel *custom, nnm_error *err)
{
    nnm_kernel_answer *parts = &custom->kernel_parts;
    nnm_status status = ask(custom, NNM_ASK_KERNEL, NULL, 0, NNM_META_CLASS_MODULE, NULL, parts, sizeof *parts, err);
    if (status) return status;
    if (parts->param_count > NNM_KERNEL_MAX_PARAMS)
        return nnm_fail(err, NNM_ERR_PARSE, "the kernel has more parameters than it can");
    for (size_t i = 0; i < parts->param_count; i++) {
        const nnm_param_answer *param = &parts->params[i];
        if (!is_terminated(param->name)) return nnm_fail(err, NNM_ERR_PARSE, "a parameter's name has no end");
        custom->params[i] = (nnm_kernel_param){param->name, param->minimum, param->maximum, param->multiple_of};
        custom->kind.params[i] = &custom->params[i];
    }
    return NNM_OK;
}

static nnm_status fail_needed(const nnm_custom_kernel *custom, const char *name, nnm_error *err)
{
    const char *names[NNM_KERNEL_MAX_PARAMS];
    size_t count = nnm_kernel_param_count(&custom->kernel);
    for (size_t i = 0; i < count; i++)
        names[i] = nnm_kernel_param_name(&custom->kernel, i);
    const char *closest = nnm_closest(name, names, count);
    return nnm_fail(err, NNM_ERR_VALUE, "needed_config of %s names '%s', which is no parameter of the kernel%s%s%s",
                    custom->meta->value[NNM_META_PARSER_NAME], name, closest ? "; did you mean '" : "",
                    closest ? closest : "", closest ? "'?" : "");
}

static nnm_status load_parser(nnm_custom_kernel *custom, nnm_error *err)
{
    nnm_parser_answer *parts = &custom->parser_parts;
    nnm_status status = ask(custom, NNM_ASK_PARSER, NULL, 0, NNM_META_PARSER_MODULE, NULL, parts, sizeof *parts, err);
    if (status) return status;
    if (parts->needed_count > NNM_KERNEL_MAX_PARAMS || parts->feature_count > NNM_KERNEL_MAX_FEATURES)
        return nnm_fail(err, NNM_ERR_PARSE, "the parser has more features than it can");
    for (size_t i = 0; i < parts->needed_count; i++) {
        if (!is_terminated(parts->needed[i])) return nnm_fail(err, NNM_ERR_PARSE, "a name has no end");
        if (nnm_kernel_param_index(&custom->kernel, parts->needed[i]) < 0)
            return fail_needed(custom, parts->needed[i], err);
    }
    for (size_t i = 0; i < parts->feature_count; i++) {
        if (!is_terminated(parts->features[i])) return nnm_fail(err, NNM_ERR_PARSE, "a feature's name has no end");
        custom->source.feature_names[i] = parts->features[i];
    }
    custom->source.feature_count = parts->feature_count;
    return NNM_OK;
}

/* What can be seen without running anything: all of it, before code of the package runs for the first time. */
static nnm_status check_modules(const nnm_kernel_meta *meta, nnm_error *err)
{
    static const nnm_meta_key modules[] = {NNM_META_CLASS_MODULE, NNM_META_SAMPLER_MODULE, NNM_META_PARSER_MODULE};
    nnm_status status = NNM_OK;
    for (size_t i = 0; i < sizeof modules / sizeof *modules && status == NNM_OK; i++)
        status = nnm_module_check(meta->value[NNM_META_PACKAGE_LOCATION], meta->value[modules[i]], err);
    return status;
}

nnm_status nnm_custom_kernel_load(nnm_custom_kernel **out, const nnm_kernel_meta *meta, const nnm_plugin_limits *limits,
                                  nnm_error *err)
{
    nnm_status status = check_modules(meta, err);
    if (status) return status;
    nnm_custom_kernel *custom = nnm_calloc(1, sizeof *custom);
    if (!custom) return nnm_fail_memory(err);
    custom->meta = meta;
    custom->package.meta = meta;
    custom->host = (nnm_host){.serve = nnm_package_answer, .context = &custom->package, .limits = limits};
    custom->kind = (nnm_kernel_kind){.family = NNM_FAMILY_CUSTOMIZED, .source = &custom->source};
    custom->kernel = (nnm_kernel){.name = meta->value[NNM_META_BUILTIN_NAME], .kind = &custom->kind, .forest = forest};
    custom->source = (nnm_kernel_source){.context = custom,
                                         .layout = meta->layout,
                                         .inputs = inputs,
                                         .build = build,
                                         .features = features,
                                         .flops = flops,
                                         .sample = sample};
    status = load_kernel(custom, err);
    if (status == NNM_OK) status = ask(custom, NNM_ASK_SAMPLER, NULL, 0, NNM_META_SAMPLER_MODULE, NULL, NULL, 0, err);
    if (status == NNM_OK) status = load_parser(custom, err);
    if (status)
        nnm_custom_kernel_free(custom);
    else
        *out = custom;
    return status;
}

void nnm_custom_kernel_free(nnm_custom_kernel *custom)
{
    if (!custom) return;
    nnm_host_stop(&custom->host);
    free(custom);
}

const nnm_kernel *nnm_custom_kernel_entry(const nnm_custom_kernel *custom)
{
    return &custom->kernel;
}
