/*
 * The sampler. Prior configurations are made of the convolutions of published networks, which nn-meter has a table of:
 * each value is that of some row. Around a configuration, the channels vary.
 */
#include <nnmeter/sampler.h>

#include "mykernel.h"

/* A small generator of random numbers (splitmix64): all chance follows from the seed. */
static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static int64_t between(uint64_t *state, int64_t minimum, int64_t maximum)
{
    return minimum + (int64_t)(next(state) % (uint64_t)(maximum - minimum + 1));
}

static int64_t nearest(int64_t value, const int64_t *valid, size_t count)
{
    int64_t best = valid[0];
    for (size_t i = 1; i < count; i++) {
        int64_t distance = value > valid[i] ? value - valid[i] : valid[i] - value;
        if (distance < (value > best ? value - best : best - value)) best = valid[i];
    }
    return best;
}

static int64_t draw(const nnm_prior *prior, const char *column, uint64_t *state)
{
    return nnm_prior_column(prior, column)[next(state) % nnm_prior_rows(prior)];
}

static nnm_kernel_config draw_config(const nnm_prior *prior, uint64_t *state)
{
    static const int64_t sizes[] = {1, 3, 7, 14, 28, 56, 112, 224}, windows[] = {1, 3, 5, 7}, strides[] = {1, 2, 4};
    nnm_kernel_config config = {{0}};
    config.value[HW] = nearest(draw(prior, "HW", state), sizes, 8);
    config.value[CIN] = draw(prior, "CIN", state);
    config.value[COUT] = draw(prior, "COUT", state);
    config.value[KERNEL_SIZE] = nearest(draw(prior, "KERNEL_SIZE", state), windows, 4);
    config.value[STRIDES] = nearest(draw(prior, "STRIDES", state), strides, 3);
    return config;
}

static nnm_status prior_config_sampling(size_t sample_num, uint64_t seed, nnm_config_list *out, nnm_error *err)
{
    const nnm_kernel *conv = NULL;
    nnm_prior *prior = NULL;
    nnm_status status = nnm_kernel_find(&conv, "conv-bn-relu", err);
    if (status == NNM_OK) status = nnm_prior_builtin(&prior, conv, err);
    for (size_t i = 0; i < sample_num && status == NNM_OK; i++) {
        nnm_kernel_config config = draw_config(prior, &seed);
        status = nnm_config_list_add(out, &config, err);
    }
    nnm_prior_free(prior);
    return status;
}

/* From 0.4 to 1.2 times as many channels. */
static int64_t draw_channels(int64_t channels, uint64_t *state)
{
    int64_t minimum = 2 * channels / 5, maximum = 6 * channels / 5;
    if (minimum < 1) minimum = 1;
    if (maximum > 65536) maximum = 65536;
    return between(state, minimum, maximum < minimum ? minimum : maximum);
}

static nnm_status finegrained_config_sampling(size_t sample_num, const nnm_config_list *configs, uint64_t seed,
                                              nnm_config_list *out, nnm_error *err)
{
    nnm_status status = NNM_OK;
    for (size_t i = 0; i < configs->count; i++) {
        for (size_t j = 0; j < sample_num && status == NNM_OK; j++) {
            nnm_kernel_config config = configs->items[i];
            config.value[CIN] = draw_channels(config.value[CIN], &seed);
            config.value[COUT] = draw_channels(config.value[COUT], &seed);
            status = nnm_config_list_add(out, &config, err);
        }
    }
    return status;
}

NNM_PLUGIN_EXPORT const nnm_plugin_sampler MySampler = {
    NNM_PLUGIN_SAMPLER,
    .prior_config_sampling = prior_config_sampling,
    .finegrained_config_sampling = finegrained_config_sampling,
};
