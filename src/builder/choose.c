#include "builder/choose.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "builder/acquire.h"
#include "builder/sitting.h"
#include "builder/turn.h"

/* A turn measures a quarter of what is known: enough to learn from between two fits, and few enough to learn what to
 * measure next. */
#define TURN_ONE_IN 4
#define TURN_LEAST 10

size_t nnm_choose_turn_size(size_t known)
{
    return known / TURN_ONE_IN > TURN_LEAST ? known / TURN_ONE_IN : TURN_LEAST;
}

void nnm_choice_fini(nnm_choice *choice)
{
    for (size_t i = 0; choice->configs && i < choice->member_count; i++)
        nnm_config_list_fini(&choice->configs[i]);
    free(choice->configs);
    free(choice->num);
    *choice = (nnm_choice){0};
}

bool nnm_choice_is_empty(const nnm_choice *choice)
{
    for (size_t i = 0; i < choice->member_count; i++)
        if (choice->num[i]) return false;
    return true;
}

static nnm_status begin(nnm_choice *choice, const nnm_group *group, nnm_sampling_mode mode, nnm_error *err)
{
    *choice = (nnm_choice){.mode = mode, .member_count = group->member_count};
    choice->num = nnm_calloc(group->member_count, sizeof *choice->num);
    choice->configs = nnm_calloc(group->member_count, sizeof *choice->configs);
    return choice->num && choice->configs ? NNM_OK : nnm_fail_memory(err);
}

/* ---- shares ---- */

static size_t sum_of_init(const nnm_group *group)
{
    size_t sum = 0;
    for (size_t i = 0; i < group->member_count; i++)
        if (!group->members[i].failed) sum += group->members[i].init_sample_num;
    return sum;
}

/* The member that lacks most of its share of what was dealt out: shares are as INIT_SAMPLE_NUM are. */
static size_t next_member(const nnm_group *group, const size_t *dealt)
{
    size_t best = SIZE_MAX;
    double best_lack = 0;
    for (size_t i = 0; i < group->member_count; i++) {
        if (group->members[i].failed) continue;
        double lack = ((double)dealt[i] + 0.5) / (double)group->members[i].init_sample_num;
        if (best != SIZE_MAX && lack >= best_lack) continue;
        best = i;
        best_lack = lack;
    }
    return best;
}

static void deal_numbers(nnm_choice *choice, const nnm_group *group, size_t total)
{
    for (size_t i = 0; i < total && nnm_group_alive(group); i++)
        choice->num[next_member(group, choice->num)]++;
}

static nnm_status deal_configs(nnm_choice *choice, const nnm_group *group, const nnm_config_list *chosen,
                               nnm_error *err)
{
    nnm_status status = NNM_OK;
    for (size_t i = 0; i < chosen->count && status == NNM_OK; i++) {
        size_t member = next_member(group, choice->num);
        status = nnm_config_list_add(&choice->configs[member], &chosen->items[i], err);
        choice->num[member]++;
    }
    return status;
}

/* ---- auto ---- */

/* Numbers of the group's records that have a latency, as the sampler wants them. */
typedef struct knowledge {
    nnm_kernel_config *configs;
    double *latency_ms, *seconds;
    nnm_known_kernels kernels;
} knowledge;

static void knowledge_fini(knowledge *k)
{
    free(k->configs);
    free(k->latency_ms);
    free(k->seconds);
}

static nnm_status gather(knowledge *k, const nnm_builder *builder, const nnm_group *group, nnm_error *err)
{
    const nnm_kernel_data *data = group->result.data;
    size_t count = 0, begin_of_member = 0;
    k->configs = nnm_calloc(data->count, sizeof *k->configs);
    k->latency_ms = nnm_calloc(data->count, sizeof *k->latency_ms);
    k->seconds = nnm_calloc(data->count, sizeof *k->seconds);
    nnm_status status = k->configs && k->latency_ms && k->seconds ? NNM_OK : nnm_fail_memory(err);
    for (size_t i = 0; i < group->member_count && status == NNM_OK; i++) { /* result.data has them in this order */
        if (!group->members[i].data) continue;
        status = nnm_builder_recall_seconds(builder, group->members[i].data, k->seconds + begin_of_member, err);
        begin_of_member += group->members[i].data->count;
    }
    for (size_t i = 0; i < data->count && status == NNM_OK; i++) {
        const nnm_kernel_record *record = &data->records[i];
        if (!record->has_config || !record->has_latency) continue;
        k->configs[count] = record->config;
        k->latency_ms[count] = record->latency_ms;
        k->seconds[count++] = k->seconds[i];
    }
    k->kernels = (nnm_known_kernels){k->configs, k->latency_ms, k->seconds, count};
    return status;
}

static nnm_status acquire(nnm_config_list *out, const nnm_builder *builder, const nnm_group *group,
                          const nnm_config_list *taken, size_t num, double cost_weight, nnm_error *err)
{
    knowledge known = {0};
    nnm_prior *prior = NULL;
    nnm_acquire_options options = NNM_ACQUIRE_OPTIONS_INIT;
    options.cost_weight = cost_weight;
    options.threads = group->options.threads;
    uint64_t seed = group->options.seed + group->turns;
    nnm_status status = nnm_builder_open_prior(builder, group->kernel, &prior, err);
    if (status == NNM_OK && group->turns) status = gather(&known, builder, group, err);
    if (status == NNM_OK && group->turns)
        status = nnm_acquire(out, group->kernel, prior, &known.kernels, num, &options, taken, seed, NULL, err);
    else if (status == NNM_OK)
        status = nnm_acquire_start(out, group->kernel, prior, num, taken, seed, err);
    nnm_prior_free(prior);
    knowledge_fini(&known);
    return status;
}

static nnm_status choose_auto(nnm_choice *choice, const nnm_builder *builder, const nnm_group *group, size_t num,
                              double cost_weight, nnm_error *err)
{
    nnm_config_list taken = {0}, chosen = {0};
    nnm_status status = nnm_group_list_taken(builder, group, &taken, err);
    if (status == NNM_OK) status = acquire(&chosen, builder, group, &taken, num, cost_weight, err);
    if (status == NNM_OK) status = deal_configs(choice, group, &chosen, err);
    nnm_config_list_fini(&taken);
    nnm_config_list_fini(&chosen);
    return status;
}

/* ---- finegrained ---- */

/* Around test rows with large errors, each for the kernel type it is of; the last ones are left out where they would be
 * too many. */
static nnm_status choose_finegrained(nnm_choice *choice, const nnm_group *group, size_t most, nnm_error *err)
{
    const nnm_config_list *errors = &group->result.fit.error_configs;
    nnm_status status = NNM_OK;
    for (size_t i = 0; i < errors->count && most && status == NNM_OK; i++) {
        nnm_member *owner = nnm_group_owner(group, &errors->items[i]);
        if (!owner || owner->failed) continue;
        size_t member = (size_t)(owner - group->members), around = owner->finegrained_sample_num;
        if (around > most && choice->num[member]) break;
        choice->num[member] = around < most ? around : most;
        most -= choice->num[member];
        status = nnm_config_list_add(&choice->configs[member], &errors->items[i], err);
    }
    return status;
}

/* ---- all ---- */

/* Members whose first kernels an earlier call has chosen keep them. */
static nnm_status keep_chosen(nnm_choice *choice, const nnm_builder *builder, const nnm_group *group, bool *all,
                              nnm_error *err)
{
    char *mark = nnm_turn_samples_mark(group, 0);
    nnm_status status = mark ? NNM_OK : nnm_fail_memory(err);
    *all = true;
    for (size_t i = 0; i < group->member_count && status == NNM_OK; i++) {
        nnm_kernel_data *saved = NULL;
        if (group->members[i].failed) continue;
        status = nnm_builder_load_configs(builder, group->members[i].kernel, mark, &saved, err);
        bool chosen = status == NNM_OK && saved->count;
        nnm_kernel_data_free(saved);
        *all = *all && chosen;
        if (!chosen) continue;
        nnm_config_list_fini(&choice->configs[i]);
        choice->num[i] = 1; /* the file tells which, and how many */
    }
    free(mark);
    return status;
}

static nnm_status choose_first_auto(nnm_choice *choice, const nnm_builder *builder, const nnm_group *group,
                                    size_t total, nnm_error *err)
{
    bool all = false;
    nnm_status status = keep_chosen(choice, builder, group, &all, err);
    if (status || all) return status;
    for (size_t i = 0; i < group->member_count; i++)
        choice->num[i] = 0;
    status = choose_auto(choice, builder, group, total, 0, err);
    return status ? status : keep_chosen(choice, builder, group, &all, err);
}

nnm_status nnm_choose_first(nnm_choice *out, const nnm_builder *builder, const nnm_group *group, size_t most,
                            nnm_error *err)
{
    bool automatic = group->options.sampler == NNM_SAMPLER_AUTO;
    size_t total = sum_of_init(group) < most ? sum_of_init(group) : most;
    nnm_choice choice;
    nnm_status status = begin(&choice, group, automatic ? NNM_SAMPLING_GIVEN : NNM_SAMPLING_PRIOR, err);
    if (status == NNM_OK && automatic)
        status = choose_first_auto(&choice, builder, group, total, err);
    else if (status == NNM_OK)
        deal_numbers(&choice, group, total);
    if (status)
        nnm_choice_fini(&choice);
    else
        *out = choice;
    return status;
}

nnm_status nnm_choose_next(nnm_choice *out, const nnm_builder *builder, const nnm_group *group, size_t most,
                           double cost_weight, nnm_error *err)
{
    static const nnm_sampling_mode modes[] = {NNM_SAMPLING_FINEGRAINED, NNM_SAMPLING_PRIOR, NNM_SAMPLING_GIVEN};
    nnm_choice choice;
    size_t num = nnm_choose_turn_size(group->result.data->count);
    if (num > most) num = most;
    nnm_status status = begin(&choice, group, modes[group->options.sampler], err);
    if (status == NNM_OK && group->options.sampler == NNM_SAMPLER_FINEGRAINED)
        status = choose_finegrained(&choice, group, most, err);
    else if (status == NNM_OK && group->options.sampler == NNM_SAMPLER_PRIOR)
        deal_numbers(&choice, group, num);
    else if (status == NNM_OK && num)
        status = choose_auto(&choice, builder, group, num, cost_weight, err);
    if (status)
        nnm_choice_fini(&choice);
    else
        *out = choice;
    return status;
}
