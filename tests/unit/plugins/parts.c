/* Parts of customised kernels for test_plugins.c: good ones, and one for each thing that can be wrong. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "nnmeter/plugin.h"

enum {
    HW,
    CIN
};

/* ---- kernels ---- */

static size_t inputs(const nnm_kernel_config *config, nnm_shape shapes[NNM_KERNEL_MAX_INPUTS])
{
    shapes[0] = (nnm_shape){3, {config->value[HW], config->value[HW], config->value[CIN]}};
    return 1;
}

static nnm_tensor_id relu(nnm_draft *draft, nnm_tensor_id x)
{
    return nnm_draft_node(draft, NNM_OP_RELU, "relu", NULL, &x, 1);
}

#define PARAMS .params = {[HW] = {"HW", 1, 64, 0}, [CIN] = {"CIN", 2, 64, 2}}

NNM_PLUGIN_EXPORT const nnm_plugin_kernel Kernel = {NNM_PLUGIN_KERNEL, PARAMS, .input_tensor_shape = inputs,
                                                    .get_model = relu};

NNM_PLUGIN_EXPORT const nnm_plugin_kernel OldKernel = {0, 0x4B4E4E4Du, PARAMS, .input_tensor_shape = inputs,
                                                       .get_model = relu};

NNM_PLUGIN_EXPORT const nnm_plugin_kernel NoModelKernel = {NNM_PLUGIN_KERNEL, PARAMS, .input_tensor_shape = inputs};

NNM_PLUGIN_EXPORT const nnm_plugin_kernel BackwardsKernel = {NNM_PLUGIN_KERNEL, .params = {{"HW", 9, 1, 0}},
                                                             .input_tensor_shape = inputs, .get_model = relu};

NNM_PLUGIN_EXPORT const nnm_plugin_kernel TwiceKernel = {
    NNM_PLUGIN_KERNEL, .params = {{"HW", 1, 9, 0}, {"HW", 1, 9, 0}}, .input_tensor_shape = inputs, .get_model = relu};

NNM_PLUGIN_EXPORT const nnm_plugin_kernel NamelessKernel = {NNM_PLUGIN_KERNEL, .params = {{"H W", 1, 9, 0}},
                                                            .input_tensor_shape = inputs, .get_model = relu};

static nnm_tensor_id crash(nnm_draft *draft, nnm_tensor_id x)
{
    (void)draft;
    raise(SIGSEGV);
    return x;
}

NNM_PLUGIN_EXPORT const nnm_plugin_kernel CrashingKernel = {NNM_PLUGIN_KERNEL, PARAMS, .input_tensor_shape = inputs,
                                                            .get_model = crash};

/* Fine wherever the sampler goes, and fatal at HW=13. */
static nnm_tensor_id crash_at_13(nnm_draft *draft, nnm_tensor_id x)
{
    return nnm_draft_value(draft, "HW") == 13 ? crash(draft, x) : relu(draft, x);
}

NNM_PLUGIN_EXPORT const nnm_plugin_kernel SometimesKernel = {NNM_PLUGIN_KERNEL, PARAMS, .input_tensor_shape = inputs,
                                                             .get_model = crash_at_13};

static nnm_tensor_id wrong_groups(nnm_draft *draft, nnm_tensor_id x)
{
    return nnm_draft_conv(draft, "conv", x, 8, 3, 1, 0);
}

NNM_PLUGIN_EXPORT const nnm_plugin_kernel GroupsKernel = {NNM_PLUGIN_KERNEL, PARAMS, .input_tensor_shape = inputs,
                                                          .get_model = wrong_groups};

static nnm_tensor_id nothing(nnm_draft *draft, nnm_tensor_id x)
{
    (void)draft;
    return x;
}

NNM_PLUGIN_EXPORT const nnm_plugin_kernel IdleKernel = {NNM_PLUGIN_KERNEL, PARAMS, .input_tensor_shape = inputs,
                                                        .get_model = nothing};

static size_t no_inputs(const nnm_kernel_config *config, nnm_shape shapes[NNM_KERNEL_MAX_INPUTS])
{
    (void)config;
    (void)shapes;
    return 0;
}

NNM_PLUGIN_EXPORT const nnm_plugin_kernel InputlessKernel = {NNM_PLUGIN_KERNEL, PARAMS, .input_tensor_shape = no_inputs,
                                                             .get_model = relu};

static nnm_tensor_id second_input(nnm_draft *draft, nnm_tensor_id x)
{
    nnm_tensor_id y = 0;
    nnm_error err = NNM_ERROR_INIT;
    nnm_shape shape = nnm_graph_tensor(nnm_draft_graph(draft), x)->shape;
    if (nnm_graph_add_input(nnm_draft_graph(draft), "other", &shape, &y, &err)) nnm_draft_fail(draft, err.message);
    return nnm_draft_node(draft, NNM_OP_ADD, "add", NULL, (nnm_tensor_id[]){x, y}, 2);
}

NNM_PLUGIN_EXPORT const nnm_plugin_kernel SecretiveKernel = {NNM_PLUGIN_KERNEL, PARAMS, .input_tensor_shape = inputs,
                                                             .get_model = second_input};

static nnm_tensor_id refuse(nnm_draft *draft, nnm_tensor_id x)
{
    nnm_draft_fail(draft, "this kernel wants to be alone");
    return x;
}

NNM_PLUGIN_EXPORT const nnm_plugin_kernel RefusingKernel = {NNM_PLUGIN_KERNEL, PARAMS, .input_tensor_shape = inputs,
                                                            .get_model = refuse};

/* ---- samplers ---- */

static nnm_status add(nnm_config_list *out, int64_t hw, int64_t cin, nnm_error *err)
{
    nnm_kernel_config config = {{hw, cin}};
    return nnm_config_list_add(out, &config, err);
}

static nnm_status prior(size_t num, uint64_t seed, nnm_config_list *out, nnm_error *err)
{
    nnm_status status = NNM_OK;
    for (size_t i = 0; i < num && status == NNM_OK; i++)
        status = add(out, 14 + (int64_t)((seed + i) % 49), 2 * (int64_t)(1 + (seed + i) % 31), err);
    return status;
}

static nnm_status around(size_t num, const nnm_config_list *configs, uint64_t seed, nnm_config_list *out,
                         nnm_error *err)
{
    nnm_status status = NNM_OK;
    (void)seed;
    for (size_t i = 0; i < configs->count; i++)
        for (size_t j = 0; j < num && status == NNM_OK; j++)
            status = add(out, configs->items[i].value[HW], 2 * (int64_t)(1 + j), err);
    return status;
}

NNM_PLUGIN_EXPORT const nnm_plugin_sampler Sampler = {NNM_PLUGIN_SAMPLER, prior, around};

static nnm_status none(size_t num, uint64_t seed, nnm_config_list *out, nnm_error *err)
{
    (void)num;
    (void)seed;
    (void)out;
    (void)err;
    return NNM_OK;
}

NNM_PLUGIN_EXPORT const nnm_plugin_sampler EmptySampler = {NNM_PLUGIN_SAMPLER, none, around};

static nnm_status none_around(size_t num, const nnm_config_list *configs, uint64_t seed, nnm_config_list *out,
                              nnm_error *err)
{
    (void)configs;
    return none(num, seed, out, err);
}

NNM_PLUGIN_EXPORT const nnm_plugin_sampler LonelySampler = {NNM_PLUGIN_SAMPLER, prior, none_around};
NNM_PLUGIN_EXPORT const nnm_plugin_sampler HalfSampler = {NNM_PLUGIN_SAMPLER, prior, NULL};

static nnm_status same(size_t num, uint64_t seed, nnm_config_list *out, nnm_error *err)
{
    nnm_status status = NNM_OK;
    (void)seed;
    for (size_t i = 0; i < num && status == NNM_OK; i++)
        status = add(out, 14 + (int64_t)(i % 3), 2, err);
    return status;
}

NNM_PLUGIN_EXPORT const nnm_plugin_sampler RepeatingSampler = {NNM_PLUGIN_SAMPLER, same, around};

static nnm_status too_large(size_t num, uint64_t seed, nnm_config_list *out, nnm_error *err)
{
    nnm_status status = prior(num - 1, seed, out, err);
    return status ? status : add(out, 65, 2, err);
}

NNM_PLUGIN_EXPORT const nnm_plugin_sampler WideSampler = {NNM_PLUGIN_SAMPLER, too_large, around};

static nnm_status odd_around(size_t num, const nnm_config_list *configs, uint64_t seed, nnm_config_list *out,
                             nnm_error *err)
{
    (void)num;
    (void)seed;
    return add(out, configs->items[0].value[HW], 3, err);
}

NNM_PLUGIN_EXPORT const nnm_plugin_sampler OddSampler = {NNM_PLUGIN_SAMPLER, prior, odd_around};

static nnm_status restless(size_t num, uint64_t seed, nnm_config_list *out, nnm_error *err)
{
    static uint64_t calls;
    return prior(num, seed + ++calls, out, err);
}

NNM_PLUGIN_EXPORT const nnm_plugin_sampler RestlessSampler = {NNM_PLUGIN_SAMPLER, restless, around};

static nnm_status crash_prior(size_t num, uint64_t seed, nnm_config_list *out, nnm_error *err)
{
    raise(SIGSEGV);
    return prior(num, seed, out, err);
}

NNM_PLUGIN_EXPORT const nnm_plugin_sampler CrashingSampler = {NNM_PLUGIN_SAMPLER, crash_prior, around};

static nnm_status leave(size_t num, uint64_t seed, nnm_config_list *out, nnm_error *err)
{
    _exit(7);
    return prior(num, seed, out, err);
}

NNM_PLUGIN_EXPORT const nnm_plugin_sampler LeavingSampler = {NNM_PLUGIN_SAMPLER, leave, around};

static nnm_status hang_up(size_t num, uint64_t seed, nnm_config_list *out, nnm_error *err)
{
    close(3);
    pause();
    return prior(num, seed, out, err);
}

NNM_PLUGIN_EXPORT const nnm_plugin_sampler UnsociableSampler = {NNM_PLUGIN_SAMPLER, hang_up, around};

static nnm_status hang(size_t num, uint64_t seed, nnm_config_list *out, nnm_error *err)
{
    pause();
    return prior(num, seed, out, err);
}

NNM_PLUGIN_EXPORT const nnm_plugin_sampler HangingSampler = {NNM_PLUGIN_SAMPLER, hang, around};

static nnm_status silent(size_t num, uint64_t seed, nnm_config_list *out, nnm_error *err)
{
    (void)num;
    (void)seed;
    (void)out;
    (void)err;
    return (nnm_status)-77;
}

NNM_PLUGIN_EXPORT const nnm_plugin_sampler SilentSampler = {NNM_PLUGIN_SAMPLER, silent, around};

/* ---- parsers ---- */

static void features(const nnm_kernel_config *config, double out[NNM_KERNEL_MAX_FEATURES])
{
    out[0] = (double)config->value[HW];
    out[1] = (double)config->value[CIN];
    out[2] = out[0] * out[0] * out[1];
}

static void config_of(const double x[NNM_KERNEL_MAX_FEATURES], nnm_kernel_config *config)
{
    config->value[HW] = (int64_t)x[0];
    config->value[CIN] = (int64_t)x[1];
}

#define NAMES .needed_config = {"HW", "CIN"}, .feature_names = {"HW", "CIN", "PIXELS"}

NNM_PLUGIN_EXPORT const nnm_plugin_parser Parser = {NNM_PLUGIN_PARSER, NAMES, features, config_of};

static void forget(const double x[NNM_KERNEL_MAX_FEATURES], nnm_kernel_config *config)
{
    config->value[HW] = (int64_t)x[0];
}

NNM_PLUGIN_EXPORT const nnm_plugin_parser ForgetfulParser = {NNM_PLUGIN_PARSER, NAMES, features, forget};
NNM_PLUGIN_EXPORT const nnm_plugin_parser OneWayParser = {NNM_PLUGIN_PARSER, NAMES, features, NULL};
NNM_PLUGIN_EXPORT const nnm_plugin_parser StrangerParser = {NNM_PLUGIN_PARSER, .needed_config = {"HW", "CINN"},
                                                            .feature_names = {"HW"}, features, config_of};
NNM_PLUGIN_EXPORT const nnm_plugin_parser BareParser = {
    NNM_PLUGIN_PARSER, .needed_config = {"HW"}, .get_feature_by_config = features, .get_config_by_feature = config_of};

static void not_a_number(const nnm_kernel_config *config, double out[NNM_KERNEL_MAX_FEATURES])
{
    features(config, out);
    out[2] /= out[0] - out[0];
}

NNM_PLUGIN_EXPORT const nnm_plugin_parser InfiniteParser = {NNM_PLUGIN_PARSER, NAMES, not_a_number, config_of};
