#include "sampling/config_set.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/rng.h"

void nnm_config_set_init(nnm_config_set *set, const nnm_kernel *kernel)
{
    *set = (nnm_config_set){.kernel = kernel};
}

void nnm_config_set_fini(nnm_config_set *set)
{
    nnm_config_list_fini(&set->members);
    free(set->slots);
    *set = (nnm_config_set){0};
}

/* The slot that holds the configuration, or the empty one where it belongs. There is always an empty one. */
static size_t *find_slot(const nnm_config_set *set, const nnm_kernel_config *config)
{
    size_t bytes = nnm_kernel_param_count(set->kernel) * sizeof *config->value;
    size_t at = (size_t)nnm_hash64(config->value, bytes, 0) & (set->slot_count - 1);
    while (set->slots[at] && !nnm_kernel_config_equal(set->kernel, &set->members.items[set->slots[at] - 1], config))
        at = (at + 1) & (set->slot_count - 1);
    return &set->slots[at];
}

/* Keeps at least half of the slots empty; their number is a power of two. */
static nnm_status make_room(nnm_config_set *set, nnm_error *err)
{
    if (2 * (set->members.count + 1) <= set->slot_count) return NNM_OK;
    nnm_config_set larger = *set;
    larger.slot_count = set->slot_count ? 2 * set->slot_count : 64;
    larger.slots = nnm_calloc(larger.slot_count, sizeof *larger.slots);
    if (!larger.slots) return nnm_fail_memory(err);
    for (size_t i = 0; i < set->members.count; i++)
        *find_slot(&larger, &set->members.items[i]) = i + 1;
    free(set->slots);
    *set = larger;
    return NNM_OK;
}

nnm_status nnm_config_set_add(nnm_config_set *set, const nnm_kernel_config *config, bool *added, nnm_error *err)
{
    nnm_status status = make_room(set, err);
    if (status) return status;
    size_t *slot = find_slot(set, config);
    bool is_new = *slot == 0;
    if (is_new) {
        status = nnm_config_list_add(&set->members, config, err);
        if (status) return status;
        *slot = set->members.count;
    }
    *added = is_new;
    return NNM_OK;
}

nnm_status nnm_config_set_add_list(nnm_config_set *set, const nnm_config_list *list, nnm_error *err)
{
    bool added;
    nnm_status status = NNM_OK;
    for (size_t i = 0; list && i < list->count && status == NNM_OK; i++)
        status = nnm_config_set_add(set, &list->items[i], &added, err);
    return status;
}

bool nnm_config_set_has(const nnm_config_set *set, const nnm_kernel_config *config)
{
    return set->slot_count && *find_slot(set, config) != 0;
}
