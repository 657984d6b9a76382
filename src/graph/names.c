#include "graph/names.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/rng.h"

/* The slot that holds `name`, or the free one where it belongs. */
static size_t find_slot(const nnm_names *names, const nnm_tensor *tensors, const char *name)
{
    size_t mask = names->capacity - 1;
    size_t slot = (size_t)nnm_hash64(name, strlen(name), 0) & mask;
    while (names->slots[slot] && strcmp(tensors[names->slots[slot] - 1].name, name) != 0)
        slot = (slot + 1) & mask;
    return slot;
}

nnm_status nnm_names_reserve(nnm_names *names, const nnm_tensor *tensors, nnm_error *err)
{
    if ((names->count + NNM_NODE_MAX_OUTPUTS) * 2 <= names->capacity) return NNM_OK;
    nnm_names grown = {NULL, names->capacity ? names->capacity * 2 : 32, 0};
    grown.slots = nnm_calloc(grown.capacity, sizeof *grown.slots);
    if (!grown.slots) return nnm_fail_memory(err);
    for (size_t i = 0; i < names->capacity; i++)
        if (names->slots[i]) nnm_names_put(&grown, tensors, names->slots[i] - 1);
    free(names->slots);
    *names = grown;
    return NNM_OK;
}

void nnm_names_put(nnm_names *names, const nnm_tensor *tensors, nnm_tensor_id id)
{
    names->slots[find_slot(names, tensors, tensors[id].name)] = id + 1;
    names->count++;
}

bool nnm_names_find(const nnm_names *names, const nnm_tensor *tensors, const char *name, nnm_tensor_id *out)
{
    size_t slot = names->capacity ? names->slots[find_slot(names, tensors, name)] : 0;
    if (slot) *out = slot - 1;
    return slot != 0;
}

void nnm_names_fini(nnm_names *names)
{
    free(names->slots);
    *names = (nnm_names){0};
}
