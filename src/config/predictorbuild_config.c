#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "config/files.h"

static const char *const implement_words[] = {"tensorflow", "torch"}; /* in the order of nnm_implement */

static const char *const predictor_words[] = {"random_forest", "best"}; /* in the order of nnm_model_kind */

static const char *const sampler_words[] = {"finegrained", "prior", "auto"}; /* in the order of nnm_sampler */

static const char *const test_words[] = {"auto"}; /* -1 - index: NNM_TEST_SAMPLES_AUTO */

enum {
    DETAIL,
    IMPLEMENT,
    BATCH_SIZE,
    PREDICTOR,
    SAMPLER,
    TEST_SAMPLE_NUM,
    BUDGET,
    UNTIL,
    PRIOR_DIR,
    KERNELS,
    OPTION_COUNT
};

static const nnm_option options[OPTION_COUNT] = {
    [DETAIL] = {.key = "DETAIL",
                .type = NNM_OPTION_BOOLEAN,
                .offset = offsetof(nnm_predictorbuild_config, detail),
                .comment = "Whether results of profiling also hold each kernel's model, shapes and configuration."},
    [IMPLEMENT] = {.key = "IMPLEMENT",
                   .type = NNM_OPTION_WORD,
                   .offset = offsetof(nnm_predictorbuild_config, implement),
                   .words = implement_words,
                   .word_count = 2,
                   .comment = "tensorflow: kernels in NHWC with SAME padding, as .tflite files.\n"
                              "torch: NCHW with symmetric padding, as .onnx files."},
    [BATCH_SIZE] = {.key = "BATCH_SIZE",
                    .type = NNM_OPTION_INT64,
                    .offset = offsetof(nnm_predictorbuild_config, batch_size),
                    .minimum = 1,
                    .maximum = 4096,
                    .comment = "Inputs that a kernel takes at once."},
    [PREDICTOR] = {.key = "PREDICTOR",
                   .type = NNM_OPTION_WORD,
                   .offset = offsetof(nnm_predictorbuild_config, predictor),
                   .words = predictor_words,
                   .word_count = 2,
                   .comment = "random_forest: the published recipe.\n"
                              "best: the model that predicts best from few kernels.\n"
                              "A kernel may have a PREDICTOR of its own."},
    [SAMPLER] = {.key = "SAMPLER",
                 .type = NNM_OPTION_WORD,
                 .offset = offsetof(nnm_predictorbuild_config, sampler),
                 .words = sampler_words,
                 .word_count = 3,
                 .comment = "How kernels are chosen after the first ones. finegrained: the published loop.\n"
                            "prior: more of those that networks use. auto: those that teach most for their cost.\n"
                            "A kernel may have a SAMPLER of its own."},
    [TEST_SAMPLE_NUM] = {.key = "TEST_SAMPLE_NUM",
                         .type = NNM_OPTION_CPU,
                         .offset = offsetof(nnm_predictorbuild_config, test_sample_num),
                         .minimum = 0,
                         .maximum = 100000,
                         .words = test_words,
                         .word_count = 1,
                         .comment = "Configurations that are set apart to test predictors on, and never learned from.\n"
                                    "auto: a fifth of INIT_SAMPLE_NUM, but at least 20 and at most 200. 0: none.\n"
                                    "A kernel may have a TEST_SAMPLE_NUM of its own."},
    [BUDGET] = {.key = "BUDGET",
                .type = NNM_OPTION_BUDGET,
                .offset = offsetof(nnm_predictorbuild_config, budget),
                .comment = "How much a build may measure in all: kernels (500), or time (90s, 20m, 2h)."},
    [UNTIL] = {.key = "UNTIL",
               .type = NNM_OPTION_TARGET,
               .offset = offsetof(nnm_predictorbuild_config, until),
               .comment = "A kernel type whose predictor is this good gets no further kernels: acc5, acc10 or acc15\n"
                          "(the share within so many per cent), or rmspe."},
    [PRIOR_DIR] = {.key = "PRIOR_DIR",
                   .type = NNM_OPTION_PATH,
                   .offset = offsetof(nnm_predictorbuild_config, prior_dir),
                   .comment =
                       "A folder with <family>.csv tables of configurations to sample from, instead of the built-in\n"
                       "ones. A relative path begins at the workspace."},
    [KERNELS] = {.key = "KERNELS",
                 .type = NNM_OPTION_SECTION,
                 .comment = "The kernels to build predictors for, and how each is sampled."},
};

static const nnm_option kernel_options[] = {
    {.key = "INIT_SAMPLE_NUM",
     .type = NNM_OPTION_SIZE,
     .offset = offsetof(nnm_kernel_build, init_sample_num),
     .minimum = 1,
     .maximum = 1000000,
     .comment = "Configurations that are drawn from the prior for the first predictor."},
    {.key = "FINEGRAINED_SAMPLE_NUM",
     .type = NNM_OPTION_SIZE,
     .offset = offsetof(nnm_kernel_build, finegrained_sample_num),
     .minimum = 1,
     .maximum = 100000,
     .comment = "Configurations that are then drawn around each one whose error is above ERROR_THRESHOLD."},
    {.key = "ITERATION",
     .type = NNM_OPTION_SIZE,
     .offset = offsetof(nnm_kernel_build, iteration),
     .minimum = 1,
     .maximum = 1000,
     .comment = "Rounds of sampling and training; 1: only the first, from the prior."},
    {.key = "ERROR_THRESHOLD",
     .type = NNM_OPTION_REAL,
     .offset = offsetof(nnm_kernel_build, error_threshold),
     .minimum = 0.1,
     .maximum = 1,
     .comment = "Relative error above which a configuration gets more samples around it."},
    {.key = "PREDICTOR",
     .type = NNM_OPTION_WORD,
     .offset = offsetof(nnm_kernel_build, predictor),
     .words = predictor_words,
     .word_count = 2,
     .comment = "The model of this kernel, where it is another than that of the others."},
    {.key = "SAMPLER",
     .type = NNM_OPTION_WORD,
     .offset = offsetof(nnm_kernel_build, sampler),
     .words = sampler_words,
     .word_count = 3,
     .comment = "Likewise."},
    {.key = "TEST_SAMPLE_NUM",
     .type = NNM_OPTION_CPU,
     .offset = offsetof(nnm_kernel_build, test_sample_num),
     .minimum = 0,
     .maximum = 100000,
     .words = test_words,
     .word_count = 1,
     .comment = "Likewise."},
};
#define KERNEL_OPTION_COUNT (sizeof kernel_options / sizeof *kernel_options)

const nnm_option *nnm_predictorbuild_options(size_t *count)
{
    *count = OPTION_COUNT;
    return options;
}

const nnm_option *nnm_kernel_build_options(size_t *count)
{
    *count = KERNEL_OPTION_COUNT;
    return kernel_options;
}

void nnm_predictorbuild_config_fini(nnm_predictorbuild_config *config)
{
    free(config->prior_dir);
    free(config->kernels);
    *config = (nnm_predictorbuild_config){0};
}

/* ---- defaults ---- */

static nnm_predictorbuild_config defaults(nnm_implement implement)
{
    return (nnm_predictorbuild_config){
        .implement = implement,
        .batch_size = 1,
        .predictor = NNM_MODEL_BEST,
        .sampler = NNM_SAMPLER_FINEGRAINED,
        .test_sample_num = NNM_TEST_SAMPLES_AUTO,
    };
}

static nnm_kernel_build default_kernel(const nnm_predictorbuild_config *config, const nnm_known_kernel *known)
{
    nnm_kernel_build build = {
        .init_sample_num = known->default_samples ? known->default_samples : NNM_FALLBACK_SAMPLES,
        .finegrained_sample_num = 20,
        .iteration = 3,
        .error_threshold = 0.1,
        .predictor = config->predictor,
        .sampler = config->sampler,
        .test_sample_num = config->test_sample_num,
    };
    strncat(build.kernel, known->name, sizeof build.kernel - 1);
    return build;
}

static nnm_status set_default_kernels(nnm_predictorbuild_config *config, const nnm_known_kernel *known, size_t count,
                                      nnm_error *err)
{
    config->kernels = nnm_calloc(count, sizeof *config->kernels);
    if (!config->kernels) return nnm_fail_memory(err);
    for (size_t i = 0; i < count; i++)
        if (known[i].default_samples) config->kernels[config->kernel_count++] = default_kernel(config, &known[i]);
    return NNM_OK;
}

nnm_status nnm_predictorbuild_config_default(nnm_predictorbuild_config *out, nnm_implement implement,
                                             const nnm_known_kernel *known, size_t known_count, nnm_error *err)
{
    nnm_predictorbuild_config config = defaults(implement);
    nnm_status status = set_default_kernels(&config, known, known_count, err);
    if (status == NNM_OK) *out = config;
    return status;
}

/* ---- reading ---- */

static nnm_status fail_kernel(const nnm_yaml_node *key, const char *path, const nnm_known_kernel *known, size_t count,
                              nnm_error *err)
{
    const char **names = nnm_calloc(count, sizeof *names);
    if (!names) return nnm_fail_memory(err);
    for (size_t i = 0; i < count; i++)
        names[i] = known[i].name;
    nnm_status status = nnm_option_unknown(key, path, "kernel type", names, count, err);
    free(names);
    return status;
}

/* Reads one entry of KERNELS; `first` holds for each known kernel the key that named it. */
static nnm_status read_kernel(const nnm_predictorbuild_config *config, const nnm_yaml_node *key,
                              const nnm_yaml_node *value, const char *path, const nnm_known_kernel *known, size_t count,
                              const nnm_yaml_node **first, nnm_kernel_build *out, nnm_error *err)
{
    size_t k = 0;
    while (k < count && strcmp(known[k].name, key->text) != 0)
        k++;
    if (k == count) return fail_kernel(key, path, known, count, err);
    if (first[k])
        return nnm_fail_at(err, NNM_ERR_VALUE, path, key->line, key->column,
                           "%s: the kernel stands here a second time, the first is in line %zu", key->text,
                           first[k]->line);
    first[k] = key;
    *out = default_kernel(config, &known[k]);
    if (nnm_yaml_is_null(value)) return NNM_OK;
    char shown[NNM_YAML_SHOWN_BYTES];
    if (value->kind != NNM_YAML_MAPPING)
        return nnm_fail_at(err, NNM_ERR_VALUE, path, value->line, value->column,
                           "%s: found %s, need lines of 'KEY: value' indented below it", key->text,
                           nnm_yaml_shown(value, shown));
    return nnm_options_read(kernel_options, KERNEL_OPTION_COUNT, value, path, out, NULL, err);
}

static nnm_status read_kernels(nnm_predictorbuild_config *config, const nnm_yaml_node *mapping, const char *path,
                               const nnm_known_kernel *known, size_t count, nnm_error *err)
{
    char shown[NNM_YAML_SHOWN_BYTES];
    if (mapping->kind != NNM_YAML_MAPPING)
        return nnm_fail_at(err, NNM_ERR_VALUE, path, mapping->line, mapping->column,
                           "KERNELS: found %s, need kernel types, each with its settings indented below it",
                           nnm_yaml_shown(mapping, shown));
    const nnm_yaml_node **first = nnm_calloc(count, sizeof *first);
    config->kernels = nnm_calloc(count, sizeof *config->kernels); /* no more, for each may stand there once */
    nnm_status status = first && config->kernels ? NNM_OK : nnm_fail_memory(err);
    for (size_t i = 0; status == NNM_OK && i + 1 < mapping->child_count; i += 2) {
        nnm_kernel_build build;
        status =
            read_kernel(config, mapping->children[i], mapping->children[i + 1], path, known, count, first, &build, err);
        if (status == NNM_OK) config->kernels[config->kernel_count++] = build;
    }
    free(first);
    return status;
}

static nnm_status read_tree(nnm_predictorbuild_config *config, const nnm_yaml_node *root, const char *path,
                            const nnm_known_kernel *known, size_t count, nnm_error *err)
{
    const nnm_yaml_node *found[OPTION_COUNT] = {NULL};
    nnm_status status = nnm_options_read(options, OPTION_COUNT, root, path, config, found, err);
    if (status) return status;
    if (!found[KERNELS]) return set_default_kernels(config, known, count, err);
    return read_kernels(config, found[KERNELS], path, known, count, err);
}

nnm_status nnm_predictorbuild_config_read(nnm_predictorbuild_config *out, const char *path, nnm_implement implement,
                                          const nnm_known_kernel *known, size_t known_count, nnm_error *err)
{
    nnm_yaml_node *root = NULL;
    nnm_status status = nnm_yaml_read(&root, path, err);
    if (status) return status;
    nnm_predictorbuild_config config = defaults(implement);
    status = read_tree(&config, root, path, known, known_count, err);
    if (status)
        nnm_predictorbuild_config_fini(&config);
    else
        *out = config;
    nnm_yaml_free(root);
    return status;
}

/* ---- writing ---- */

static size_t published_samples(const char *kernel, const nnm_known_kernel *known, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(known[i].name, kernel) == 0) return known[i].default_samples * NNM_PUBLISHED_SAMPLES_FACTOR;
    return 0;
}

/* Whether a kernel's setting is that of the whole file, which is not repeated. */
static bool is_inherited(const nnm_predictorbuild_config *config, const nnm_kernel_build *build, size_t offset)
{
    if (offset == offsetof(nnm_kernel_build, predictor)) return build->predictor == config->predictor;
    if (offset == offsetof(nnm_kernel_build, sampler)) return build->sampler == config->sampler;
    if (offset == offsetof(nnm_kernel_build, test_sample_num)) return build->test_sample_num == config->test_sample_num;
    return false;
}

static void write_kernel(const nnm_predictorbuild_config *config, const nnm_kernel_build *build, size_t published,
                         nnm_buffer *text)
{
    nnm_buffer_printf(text, "  %s:\n", build->kernel);
    for (size_t i = 0; i < KERNEL_OPTION_COUNT; i++) {
        if (is_inherited(config, build, kernel_options[i].offset)) continue;
        nnm_option_write(&kernel_options[i], build, 4, false, text);
        if (i == 0 && published && text->size) { /* onto the line just written */
            text->size--;
            nnm_buffer_printf(text, " # the published system: %zu\n", published);
        }
    }
}

nnm_status nnm_predictorbuild_config_write(const nnm_predictorbuild_config *config, const char *path,
                                           const nnm_known_kernel *known, size_t known_count, nnm_error *err)
{
    nnm_buffer text = {0};
    nnm_buffer_text(&text, "# How predictors are built. Keys that are left out have the values of a new workspace.\n");
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        nnm_buffer_text(&text, "\n");
        if (i != KERNELS) nnm_option_write(&options[i], config, 0, true, &text);
    }
    nnm_buffer_printf(&text, "# %s\n", options[KERNELS].comment);
    for (size_t i = 0; i < KERNEL_OPTION_COUNT; i++)
        nnm_buffer_printf(&text, "#   %s: %s\n", kernel_options[i].key, kernel_options[i].comment);
    nnm_buffer_printf(&text, "KERNELS:%s\n", config->kernel_count ? "" : " {}");
    for (size_t i = 0; i < config->kernel_count; i++)
        write_kernel(config, &config->kernels[i], published_samples(config->kernels[i].kernel, known, known_count),
                     &text);
    nnm_status status = nnm_buffer_check(&text, err);
    if (status == NNM_OK) status = nnm_file_write(path, text.data, text.size, err);
    nnm_buffer_fini(&text);
    return status;
}
