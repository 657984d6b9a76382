/* A hash set of configurations of one kernel type, which finds duplicates among many. */
#ifndef NNM_SAMPLING_CONFIG_SET_H
#define NNM_SAMPLING_CONFIG_SET_H

#include "nnmeter/kernel.h"

typedef struct nnm_config_set {
    const nnm_kernel *kernel;
    nnm_config_list members;
    size_t *slots; /* 1 + index of a member, or 0; open addressing */
    size_t slot_count;
} nnm_config_set;

/* End with nnm_config_set_fini, which a zeroed set allows too. */
void nnm_config_set_init(nnm_config_set *set, const nnm_kernel *kernel);
void nnm_config_set_fini(nnm_config_set *set);

/* Adds a configuration; `*added` tells whether it is new. Errors: NO_MEMORY. */
NNM_NODISCARD nnm_status nnm_config_set_add(nnm_config_set *set, const nnm_kernel_config *config, bool *added,
                                            nnm_error *err);
/* Adds a whole list; NULL is an empty one. Errors: NO_MEMORY. */
NNM_NODISCARD nnm_status nnm_config_set_add_list(nnm_config_set *set, const nnm_config_list *list, nnm_error *err);

bool nnm_config_set_has(const nnm_config_set *set, const nnm_kernel_config *config);

#endif
