#include "nnmeter/sampler.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/rng.h"
#include "kernels/catalogue.h"
#include "sampling/config_set.h"
#include "sampling/prior.h"

/* After so many draws in a row that gave nothing new, what is left of a prior's space is too rare to wait for. */
#define FRUITLESS_PRIOR_DRAWS 100000
/* After so many, what is left around a configuration is listed rather than drawn. */
#define FRUITLESS_FINEGRAINED_DRAWS 100

/* How often a customised sampler is asked for what is missing still. */
#define CUSTOMIZED_CALLS 8

/* Numbers of the random streams that one seed gives. */
enum {
    STREAM_PRIOR = 1,
    STREAM_FINEGRAINED = 2
};

typedef struct sampling {
    const nnm_kernel *kernel;
    const nnm_family *family;
    size_t params[NNM_KERNEL_MAX_PARAMS]; /* of each dimension, the index of its parameter */
    nnm_rng rng;
    nnm_config_set seen;   /* what must not come again */
    nnm_config_list found; /* in the order of drawing */
} sampling;

static nnm_status begin(sampling *s, const nnm_kernel *kernel, uint64_t seed, uint64_t stream,
                        const nnm_config_list *out, const nnm_config_list *exclude, nnm_error *err)
{
    s->kernel = kernel;
    nnm_status status = nnm_kernel_find_family(&s->family, kernel, err);
    if (status) return status;
    for (size_t i = 0; i < nnm_family_dimension_count(s->family); i++)
        s->params[i] = (size_t)nnm_kernel_param_index(kernel, s->family->dimensions[i].param);
    nnm_rng_init(&s->rng, seed, stream);
    nnm_config_set_init(&s->seen, kernel);
    status = nnm_config_set_add_list(&s->seen, out, err);
    return status ? status : nnm_config_set_add_list(&s->seen, exclude, err);
}

static void end(sampling *s)
{
    nnm_config_set_fini(&s->seen);
    nnm_config_list_fini(&s->found);
}

/* Keeps a configuration that is allowed and new; `*added` tells whether it was. */
static nnm_status offer(sampling *s, const nnm_kernel_config *config, bool *added, nnm_error *err)
{
    *added = false;
    if (nnm_kernel_config_check(s->kernel, config, NULL) != NNM_OK) return NNM_OK;
    nnm_status status = nnm_config_set_add(&s->seen, config, added, err);
    if (status == NNM_OK && *added) status = nnm_config_list_add(&s->found, config, err);
    return status;
}

/* ---- handing over ---- */

typedef struct ranked {
    double flops;
    nnm_kernel_config config;
} ranked;

/* Equal FLOPs are ordered by the values, so that the order depends on the configurations only. */
static int compare_ranked(const void *left, const void *right)
{
    const ranked *a = left, *b = right;
    if (a->flops != b->flops) return a->flops < b->flops ? -1 : 1;
    for (size_t i = 0; i < NNM_KERNEL_MAX_PARAMS; i++)
        if (a->config.value[i] != b->config.value[i]) return a->config.value[i] < b->config.value[i] ? -1 : 1;
    return 0;
}

/* Appends what was found in order of FLOPs. A list that cannot take all of it is left as it was. */
static nnm_status hand_over(nnm_config_list *out, const sampling *s, nnm_error *err)
{
    const size_t count = s->found.count, before = out->count;
    ranked *order = nnm_calloc(count, sizeof *order);
    if (!order) return nnm_fail_memory(err);
    for (size_t i = 0; i < count; i++)
        order[i] = (ranked){nnm_kernel_flops(s->kernel, &s->found.items[i]), s->found.items[i]};
    qsort(order, count, sizeof *order, compare_ranked);
    nnm_status status = NNM_OK;
    for (size_t i = 0; i < count && status == NNM_OK; i++)
        status = nnm_config_list_add(out, &order[i].config, err);
    if (status) out->count = before;
    free(order);
    return status;
}

/* ---- customised samplers ---- */

/* What they give may repeat, but it must be allowed: a kernel that cannot be built shall not be passed over silently.
 */
static nnm_status offer_theirs(sampling *s, const nnm_config_list *theirs, size_t wanted, const char *function,
                               bool *any, nnm_error *err)
{
    *any = false;
    for (size_t i = 0; i < theirs->count && s->found.count < wanted; i++) {
        bool added;
        nnm_status status = nnm_kernel_config_check(s->kernel, &theirs->items[i], err);
        if (status) return nnm_context(err, status, "configuration %zu that %s gave", i + 1, function);
        status = offer(s, &theirs->items[i], &added, err);
        if (status) return status;
        *any |= added;
    }
    return NNM_OK;
}

/* A sampler that repeats itself is asked again, with another seed, for what is missing; once around configurations,
 * for nobody knows around which of them something is missing. */
static nnm_status draw_theirs(sampling *s, size_t num, const nnm_config_list *around, nnm_error *err)
{
    const nnm_kernel_source *source = s->kernel->kind->source;
    const char *function = around ? "finegrained_config_sampling" : "prior_config_sampling";
    size_t wanted = around ? num * around->count : num;
    nnm_status status = NNM_OK;
    bool any = true;
    for (int call = 0; call < (around ? 1 : CUSTOMIZED_CALLS) && any && s->found.count < wanted && !status; call++) {
        nnm_config_list theirs = {0};
        size_t missing = around ? num : wanted - s->found.count;
        status = source->sample(source->context, missing, around, nnm_rng_next(&s->rng), &theirs, err);
        if (status == NNM_OK) status = offer_theirs(s, &theirs, wanted, function, &any, err);
        nnm_config_list_fini(&theirs);
    }
    return status;
}

/* ---- from the prior ---- */

static nnm_status draw_prior(sampling *s, const nnm_prior *prior, size_t num, nnm_error *err)
{
    for (size_t fruitless = 0; s->found.count < num && fruitless < FRUITLESS_PRIOR_DRAWS;) {
        int64_t values[NNM_KERNEL_MAX_PARAMS];
        nnm_prior_draw(prior, &s->rng, values);
        nnm_kernel_config config = {{0}};
        for (size_t i = 0; i < nnm_family_dimension_count(s->family); i++)
            config.value[s->params[i]] = values[i];
        bool added;
        nnm_status status = offer(s, &config, &added, err);
        if (status) return status;
        fruitless = added ? 0 : fruitless + 1;
    }
    return NNM_OK;
}

nnm_status nnm_sample_prior(nnm_config_list *out, const nnm_kernel *kernel, const nnm_prior *prior, size_t num,
                            uint64_t seed, const nnm_config_list *exclude, nnm_error *err)
{
    if (num == 0) return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "0 samples were asked for; at least 1 is needed");
    sampling s = {0};
    nnm_status status = begin(&s, kernel, seed, STREAM_PRIOR, out, exclude, err);
    if (status == NNM_OK && prior->family != s.family)
        status = nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "the prior is for the kernel family '%s'; %s is of '%s'",
                          prior->family->name, nnm_kernel_name(kernel), s.family->name);
    if (status == NNM_OK)
        status = kernel->kind->source ? draw_theirs(&s, num, NULL, err) : draw_prior(&s, prior, num, err);
    if (status == NNM_OK) status = hand_over(out, &s, err);
    end(&s);
    return status;
}

/* ---- around configurations ---- */

/* All configurations around one: every dimension takes `count` values from `first` on, `step` apart. */
typedef struct neighbourhood {
    nnm_kernel_config centre;
    int64_t first[NNM_KERNEL_MAX_PARAMS], step[NNM_KERNEL_MAX_PARAMS];
    uint64_t count[NNM_KERNEL_MAX_PARAMS];
    uint64_t size;
} neighbourhood;

/* Channel counts run over [0.4 c, 1.2 c), the other dimensions stay. An absent input (0 channels) stays absent. */
static void find_neighbourhood(neighbourhood *space, const sampling *s, const nnm_kernel_config *centre)
{
    *space = (neighbourhood){.centre = *centre, .size = 1};
    for (size_t i = 0; i < nnm_family_dimension_count(s->family); i++) {
        const nnm_dimension *dimension = &s->family->dimensions[i];
        int64_t value = centre->value[s->params[i]], minimum, maximum;
        if (!dimension->is_channels || value == 0) continue;
        nnm_kernel_param_range(s->kernel, s->params[i], &minimum, &maximum);
        int64_t step = dimension->multiple_of ? dimension->multiple_of : 1;
        int64_t first = 2 * value / 5, last = 6 * value / 5 - 1;
        if (first < 1) first = 1;
        if (first < minimum) first = minimum;
        first = (first + step - 1) / step * step;
        if (last < first) last = first;
        if (last > maximum) last = maximum;
        space->first[i] = first;
        space->step[i] = step;
        space->count[i] = (uint64_t)((last - first) / step + 1);
        space->size *= space->count[i];
    }
}

/* Number `index` of the neighbourhood. */
static nnm_kernel_config neighbour(const neighbourhood *space, const sampling *s, uint64_t index)
{
    nnm_kernel_config config = space->centre;
    for (size_t i = 0; i < nnm_family_dimension_count(s->family); i++) {
        const char *same_as = s->family->dimensions[i].same_as;
        if (same_as) {
            config.value[s->params[i]] = config.value[nnm_kernel_param_index(s->kernel, same_as)];
        } else if (space->count[i]) {
            config.value[s->params[i]] = space->first[i] + (int64_t)(index % space->count[i]) * space->step[i];
            index /= space->count[i];
        }
    }
    return config;
}

/* Lists what is left of a neighbourhood that is nearly used up, and takes up to `wanted` of it at random. */
static nnm_status take_rest(sampling *s, const neighbourhood *space, size_t wanted, nnm_error *err)
{
    nnm_config_list rest = {0};
    nnm_status status = NNM_OK;
    for (uint64_t i = 0; i < space->size && status == NNM_OK; i++) {
        nnm_kernel_config config = neighbour(space, s, i);
        if (!nnm_config_set_has(&s->seen, &config)) status = nnm_config_list_add(&rest, &config, err);
    }
    if (status == NNM_OK && rest.count) nnm_rng_shuffle(&s->rng, rest.items, rest.count, sizeof *rest.items);
    for (size_t i = 0; i < rest.count && wanted && status == NNM_OK; i++) {
        bool added;
        status = offer(s, &rest.items[i], &added, err);
        wanted -= added;
    }
    nnm_config_list_fini(&rest);
    return status;
}

static nnm_status draw_around(sampling *s, const nnm_kernel_config *centre, size_t num, nnm_error *err)
{
    neighbourhood space;
    find_neighbourhood(&space, s, centre);
    size_t wanted = num;
    for (size_t fruitless = 0; wanted && fruitless < space.size && fruitless < FRUITLESS_FINEGRAINED_DRAWS;) {
        nnm_kernel_config config = neighbour(&space, s, nnm_rng_below(&s->rng, space.size));
        bool added;
        nnm_status status = offer(s, &config, &added, err);
        if (status) return status;
        wanted -= added;
        fruitless = added ? 0 : fruitless + 1;
    }
    return wanted ? take_rest(s, &space, wanted, err) : NNM_OK;
}

static nnm_status check_centres(const nnm_kernel *kernel, const nnm_config_list *around, nnm_error *err)
{
    for (size_t i = 0; i < around->count; i++) {
        if (nnm_kernel_config_check(kernel, &around->items[i], err) == NNM_OK) continue;
        if (err) err->code = NNM_ERR_INVALID_ARGUMENT;
        return nnm_context(err, NNM_ERR_INVALID_ARGUMENT, "configuration %zu to sample around", i + 1);
    }
    return NNM_OK;
}

nnm_status nnm_sample_finegrained(nnm_config_list *out, const nnm_kernel *kernel, const nnm_config_list *around,
                                  size_t num, uint64_t seed, const nnm_config_list *exclude, nnm_error *err)
{
    if (num == 0) return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "0 samples were asked for; at least 1 is needed");
    nnm_status status = check_centres(kernel, around, err);
    if (status) return status;
    sampling s = {0};
    status = begin(&s, kernel, seed, STREAM_FINEGRAINED, out, exclude, err);
    if (status == NNM_OK && kernel->kind->source) status = draw_theirs(&s, num, around, err);
    for (size_t i = 0; !kernel->kind->source && i < around->count && status == NNM_OK; i++)
        status = draw_around(&s, &around->items[i], num, err);
    if (status == NNM_OK) status = hand_over(out, &s, err);
    end(&s);
    return status;
}
