/* What the process of a customised kernel is asked: questions and answers are these structs as they are in memory. */
#ifndef NNM_PLUGINS_QUESTIONS_H
#define NNM_PLUGINS_QUESTIONS_H

#include "nnmeter/plugin.h"
#include "plugins/custom.h"

typedef enum nnm_question {
    NNM_ASK_KERNEL = 1, /* opens the module; answer: nnm_kernel_answer */
    NNM_ASK_SAMPLER,    /* opens the module; no answer */
    NNM_ASK_PARSER,     /* opens the module; answer: nnm_parser_answer */
    NNM_ASK_INPUTS,     /* nnm_config_question; answer: nnm_inputs_answer */
    NNM_ASK_GRAPH,      /* nnm_config_question; answer: graph_bytes.h */
    NNM_ASK_FLOPS,      /* nnm_config_question; answer: double */
    NNM_ASK_FEATURES,   /* nnm_config_question; answer: NNM_KERNEL_MAX_FEATURES doubles */
    NNM_ASK_CONFIG,     /* NNM_KERNEL_MAX_FEATURES doubles; answer: nnm_kernel_config */
    NNM_ASK_SAMPLE      /* nnm_sample_question, then configurations to sample around; answer: configurations */
} nnm_question;

#define NNM_PLUGIN_NAME_BYTES 64 /* of parameters and features, with the end */

typedef struct nnm_param_answer {
    char name[NNM_PLUGIN_NAME_BYTES];
    int64_t minimum, maximum, multiple_of;
} nnm_param_answer;

typedef struct nnm_kernel_answer {
    size_t param_count;
    nnm_param_answer params[NNM_KERNEL_MAX_PARAMS];
} nnm_kernel_answer;

typedef struct nnm_parser_answer {
    size_t needed_count, feature_count;
    char needed[NNM_KERNEL_MAX_PARAMS][NNM_PLUGIN_NAME_BYTES];
    char features[NNM_KERNEL_MAX_FEATURES][NNM_PLUGIN_NAME_BYTES];
} nnm_parser_answer;

typedef struct nnm_config_question {
    nnm_kernel_config config;
    nnm_graph_options options;
} nnm_config_question;

typedef struct nnm_inputs_answer {
    size_t count;
    nnm_shape shapes[NNM_KERNEL_MAX_INPUTS];
} nnm_inputs_answer;

typedef struct nnm_sample_question {
    size_t num;
    uint64_t seed;
    bool around;
} nnm_sample_question;

/* What the process knows; zero-initialise but for the meta. */
typedef struct nnm_package {
    const nnm_kernel_meta *meta;
    const nnm_plugin_kernel *kernel;
    const nnm_plugin_sampler *sampler;
    const nnm_plugin_parser *parser;
} nnm_package;

/* An nnm_host_serve; `context` is an nnm_package. */
nnm_status nnm_package_answer(void *context, uint32_t question, const void *data, size_t size, nnm_buffer *answer,
                              nnm_error *err);

#endif
