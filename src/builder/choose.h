/* What the members of a group sample in a turn. */
#ifndef NNM_BUILDER_CHOOSE_H
#define NNM_BUILDER_CHOOSE_H

#include "builder/group.h"

typedef struct nnm_choice {
    nnm_sampling_mode mode;
    size_t *num;              /* of each member: how many from the prior, or around each of `configs`; 0: none */
    nnm_config_list *configs; /* of each member */
    size_t member_count;
} nnm_choice;

void nnm_choice_fini(nnm_choice *choice);

/* The first kernels: INIT_SAMPLE_NUM of each member, but `most` in all. */
NNM_NODISCARD nnm_status nnm_choose_first(nnm_choice *out, const nnm_builder *builder, const nnm_group *group,
                                          size_t most, nnm_error *err);

/* The next ones, by the group's sampler, at most `most`. `cost_weight`: whether kernels (0) or seconds (1) are scarce.
 * Nothing is chosen where there is nothing to choose. */
NNM_NODISCARD nnm_status nnm_choose_next(nnm_choice *out, const nnm_builder *builder, const nnm_group *group,
                                         size_t most, double cost_weight, nnm_error *err);

/* How many kernels a turn of the samplers prior and auto measures after `known` ones. */
size_t nnm_choose_turn_size(size_t known);

bool nnm_choice_is_empty(const nnm_choice *choice);

#endif
