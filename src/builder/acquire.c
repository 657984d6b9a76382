#include "builder/acquire.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/rng.h"
#include "builder/acquire_rows.h"
#include "sampling/config_set.h"
#include "sampling/prior.h"
#include "sampling/sobol.h"

/* After so many points in a row that gave nothing new, what is left of the space is too rare to wait for. */
#define FRUITLESS_POINTS 20000
/* So many candidates for each kernel that is chosen, up to a number that takes a second or two to look at. */
#define CANDIDATES_A_KERNEL 4
#define MOST_CANDIDATES 6000
/* The predictor has to be good for so many of them. */
#define REFERENCE 1500

typedef struct search {
    const nnm_kernel *kernel;
    const nnm_prior *prior;
    nnm_config_set seen;   /* what must not come again */
    nnm_config_list found; /* new configurations, in the order they were found */
    nnm_sobol points;
} search;

static nnm_status begin(search *s, const nnm_kernel *kernel, const nnm_prior *prior, size_t num,
                        const nnm_config_list *out, const nnm_config_list *exclude, uint64_t seed, nnm_error *err)
{
    *s = (search){.kernel = kernel, .prior = prior, .points = {nnm_hash64(&seed, sizeof seed, 0), 0}};
    nnm_config_set_init(&s->seen, kernel);
    const nnm_family *family;
    if (num == 0) return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "0 samples were asked for; at least 1 is needed");
    nnm_status status = nnm_kernel_find_family(&family, kernel, err);
    if (status == NNM_OK && family != prior->family)
        status = nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "the prior is for the kernel family '%s'; %s is of '%s'",
                          prior->family->name, nnm_kernel_name(kernel), family->name);
    if (status == NNM_OK) status = nnm_config_set_add_list(&s->seen, out, err);
    return status ? status : nnm_config_set_add_list(&s->seen, exclude, err);
}

static void end(search *s)
{
    nnm_config_set_fini(&s->seen);
    nnm_config_list_fini(&s->found);
}

static nnm_kernel_config config_at(const search *s, const double *point)
{
    int64_t values[NNM_KERNEL_MAX_PARAMS];
    nnm_kernel_config config = {{0}};
    nnm_prior_at(s->prior, point, values);
    const nnm_family *family = s->prior->family;
    for (size_t i = 0; i < nnm_family_dimension_count(family); i++)
        config.value[nnm_kernel_param_index(s->kernel, family->dimensions[i].param)] = values[i];
    return config;
}

/* Keeps a configuration that is allowed and new; `*added` tells whether it was. */
static nnm_status offer(search *s, const nnm_kernel_config *config, bool *added, nnm_error *err)
{
    *added = false;
    if (nnm_kernel_config_check(s->kernel, config, NULL) != NNM_OK) return NNM_OK;
    nnm_status status = nnm_config_set_add(&s->seen, config, added, err);
    if (status == NNM_OK && *added) status = nnm_config_list_add(&s->found, config, err);
    return status;
}

/* Customised kernels have a sampler of their own, and nobody knows a cube behind it. */
static nnm_status spread_customized(search *s, size_t num, nnm_error *err)
{
    nnm_config_list theirs = {0};
    bool added;
    nnm_status status = nnm_sample_prior(&theirs, s->kernel, s->prior, num, s->points.seed, &s->seen.members, err);
    for (size_t i = 0; i < theirs.count && status == NNM_OK; i++)
        status = offer(s, &theirs.items[i], &added, err);
    nnm_config_list_fini(&theirs);
    return status;
}

/* New configurations, spread over the prior, until there are `num`. */
static nnm_status spread(search *s, size_t num, nnm_error *err)
{
    nnm_status status = NNM_OK;
    if (nnm_kernel_is_customized(s->kernel)) return spread_customized(s, num, err);
    for (size_t fruitless = 0; s->found.count < num && fruitless < FRUITLESS_POINTS && status == NNM_OK;) {
        double point[NNM_PRIOR_COORDINATES];
        bool added;
        nnm_sobol_next(&s->points, NNM_PRIOR_COORDINATES, point);
        nnm_kernel_config config = config_at(s, point);
        status = offer(s, &config, &added, err);
        fruitless = added ? 0 : fruitless + 1;
    }
    return status;
}

/* Appends found configurations: those of `chosen`, or the first ones where it is NULL. A list that cannot take all of
 * them is left as it was. */
static nnm_status hand_over(nnm_config_list *out, const search *s, const size_t *chosen, size_t count, nnm_error *err)
{
    size_t before = out->count;
    nnm_status status = NNM_OK;
    for (size_t i = 0; i < count && status == NNM_OK; i++)
        status = nnm_config_list_add(out, &s->found.items[chosen ? chosen[i] : i], err);
    if (status) out->count = before;
    return status;
}

static size_t count_candidates(size_t num, const nnm_acquire_options *options)
{
    size_t wanted = num < MOST_CANDIDATES / CANDIDATES_A_KERNEL ? num * CANDIDATES_A_KERNEL : MOST_CANDIDATES;
    if (wanted < options->candidates) wanted = options->candidates;
    return wanted < num ? num : wanted;
}

static nnm_status number_rows(size_t **out, size_t count, nnm_error *err)
{
    *out = nnm_calloc(count, sizeof **out);
    if (!*out) return nnm_fail_memory(err);
    for (size_t i = 0; i < count; i++)
        (*out)[i] = i;
    return NNM_OK;
}

/* Chooses the first ones among what was found. Of more candidates than can be compared, all follow as they come. */
static nnm_status choose_first(nnm_config_list *out, const search *s, size_t num, const nnm_acquire_options *options,
                               nnm_error *err)
{
    if (num > MOST_CANDIDATES / CANDIDATES_A_KERNEL || s->found.count <= num)
        return hand_over(out, s, NULL, s->found.count < num ? s->found.count : num, err);
    nnm_features features = {0};
    size_t *rows = NULL, *chosen = nnm_calloc(num, sizeof *chosen), count = 0;
    nnm_status status = chosen ? number_rows(&rows, s->found.count, err) : nnm_fail_memory(err);
    if (status == NNM_OK)
        status = nnm_features_of_configs(&features, s->kernel, s->found.items, NULL, s->found.count, err);
    const nnm_acquire_rows candidates = {&features, rows, s->found.count, NULL};
    if (status == NNM_OK) status = nnm_acquire_spread(chosen, &count, &candidates, num, options, err);
    if (status == NNM_OK) status = hand_over(out, s, chosen, count, err);
    nnm_features_fini(&features);
    free(rows);
    free(chosen);
    return status;
}

nnm_status nnm_acquire_start(nnm_config_list *out, const nnm_kernel *kernel, const nnm_prior *prior, size_t num,
                             const nnm_config_list *exclude, uint64_t seed, nnm_error *err)
{
    nnm_acquire_options options = NNM_ACQUIRE_OPTIONS_INIT;
    options.cost_weight = NNM_ACQUIRE_START_WEIGHT;
    search s;
    nnm_status status = begin(&s, kernel, prior, num, out, exclude, seed, err);
    if (status == NNM_OK) status = spread(&s, count_candidates(num, &options), err);
    if (status == NNM_OK) status = choose_first(out, &s, num, &options, err);
    end(&s);
    return status;
}

/* ---- the next ones ---- */

static nnm_status check_known(const nnm_kernel *kernel, const nnm_known_kernels *known,
                              const nnm_acquire_options *options, nnm_error *err)
{
    if (!(options->cost_weight >= 0 && options->cost_weight <= 1))
        return nnm_fail(err, NNM_ERR_VALUE, "cost weight: found %g, need a number from 0 to 1", options->cost_weight);
    if (options->candidates == 0) return nnm_fail(err, NNM_ERR_VALUE, "candidates: found 0, need 1 or more");
    for (size_t i = 0; i < known->count; i++) {
        char text[256];
        nnm_kernel_config_format(kernel, &known->configs[i], text, sizeof text);
        if (!(known->latency_ms[i] > 0 && isfinite(known->latency_ms[i])))
            return nnm_fail(err, NNM_ERR_VALUE, "%s: found a latency of %g ms, need one above 0", text,
                            known->latency_ms[i]);
        if (known->seconds && !(known->seconds[i] >= 0 && isfinite(known->seconds[i])))
            return nnm_fail(err, NNM_ERR_VALUE, "%s: found %g seconds that measuring took, need 0 or more", text,
                            known->seconds[i]);
    }
    return NNM_OK;
}

/* Chooses among what was found and hands it over. */
static nnm_status choose_next(nnm_config_list *out, const search *s, const nnm_known_kernels *known, size_t num,
                              const nnm_acquire_options *options, uint64_t seed, nnm_acquire_outlook *outlook,
                              nnm_error *err)
{
    nnm_features past = {0}, future = {0};
    size_t *past_rows = NULL, *future_rows = NULL, *chosen = nnm_calloc(num, sizeof *chosen), count = 0;
    nnm_status status = chosen ? NNM_OK : nnm_fail_memory(err);
    if (status == NNM_OK)
        status = nnm_features_of_configs(&past, s->kernel, known->configs, known->latency_ms, known->count, err);
    if (status == NNM_OK)
        status = nnm_features_of_configs(&future, s->kernel, s->found.items, NULL, s->found.count, err);
    if (status == NNM_OK) status = number_rows(&past_rows, known->count, err);
    if (status == NNM_OK) status = number_rows(&future_rows, s->found.count, err);
    if (status == NNM_OK) {
        const nnm_acquire_rows before = {&past, past_rows, known->count, known->seconds};
        const nnm_acquire_rows after = {&future, future_rows, s->found.count, NULL};
        size_t reference = s->found.count < REFERENCE ? s->found.count : REFERENCE;
        status = nnm_acquire_choose(chosen, &count, &before, &after, reference, num, options, seed, outlook, err);
    }
    if (status == NNM_OK) status = hand_over(out, s, chosen, count, err);
    nnm_features_fini(&past);
    nnm_features_fini(&future);
    free(past_rows);
    free(future_rows);
    free(chosen);
    return status;
}

nnm_status nnm_acquire(nnm_config_list *out, const nnm_kernel *kernel, const nnm_prior *prior,
                       const nnm_known_kernels *known, size_t num, const nnm_acquire_options *options,
                       const nnm_config_list *exclude, uint64_t seed, nnm_acquire_outlook *outlook, nnm_error *err)
{
    static const nnm_acquire_options defaults = NNM_ACQUIRE_OPTIONS_INIT;
    if (!options) options = &defaults;
    search s;
    nnm_acquire_outlook view = {(double)NAN, (double)NAN, (double)NAN};
    nnm_status status = begin(&s, kernel, prior, num, out, exclude, seed, err);
    if (status == NNM_OK) status = check_known(kernel, known, options, err);
    for (size_t i = 0; i < known->count && status == NNM_OK; i++) {
        bool added;
        status = nnm_config_set_add(&s.seen, &known->configs[i], &added, err);
    }
    nnm_acquire_options first = *options;
    if (first.cost_weight > NNM_ACQUIRE_START_WEIGHT) first.cost_weight = NNM_ACQUIRE_START_WEIGHT;
    bool enough = known->count >= NNM_ACQUIRE_MIN_KNOWN;
    if (status == NNM_OK) status = spread(&s, count_candidates(num, options), err);
    if (status == NNM_OK && enough && s.found.count)
        status = choose_next(out, &s, known, num, options, seed, &view, err);
    else if (status == NNM_OK)
        status = choose_first(out, &s, num, &first, err);
    if (status == NNM_OK && outlook) *outlook = view;
    end(&s);
    return status;
}
