#include "builder/labels.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/rng.h"
#include "builder/notes.h"

/* A configuration by its hash: 128 bits, so that two that differ are never taken for one. */
struct nnm_label_slot {
    uint64_t key[2]; /* both 0: free */
    double waiting;  /* a label without a partner; 0: none */
};

void nnm_label_table_fini(nnm_label_table *table)
{
    free(table->slots);
    nnm_repeats_fini(&table->repeats);
    *table = (nnm_label_table){0};
}

/* The slot that holds the key, or the free one where it belongs. */
static nnm_label_slot *find_slot(nnm_label_slot *slots, size_t count, const uint64_t key[2])
{
    size_t place = (size_t)key[0] & (count - 1);
    while ((slots[place].key[0] || slots[place].key[1]) &&
           (slots[place].key[0] != key[0] || slots[place].key[1] != key[1]))
        place = (place + 1) & (count - 1);
    return &slots[place];
}

static nnm_status make_room(nnm_label_table *table, nnm_error *err)
{
    if (table->used * 2 < table->slot_count) return NNM_OK;
    size_t count = table->slot_count ? table->slot_count * 2 : 64;
    nnm_label_slot *slots = nnm_calloc(count, sizeof *slots);
    if (!slots) return nnm_fail_memory(err);
    for (size_t i = 0; i < table->slot_count; i++)
        if (table->slots[i].key[0] || table->slots[i].key[1])
            *find_slot(slots, count, table->slots[i].key) = table->slots[i];
    free(table->slots);
    table->slots = slots;
    table->slot_count = count;
    return NNM_OK;
}

nnm_status nnm_label_table_add(nnm_label_table *table, const double *x, size_t columns, double label, nnm_error *err)
{
    nnm_status status = make_room(table, err);
    if (status) return status;
    size_t bytes = columns * sizeof *x;
    const uint64_t key[2] = {nnm_hash64(x, bytes, 1) | 1, nnm_hash64(x, bytes, 2)};
    nnm_label_slot *slot = find_slot(table->slots, table->slot_count, key);
    if (slot->key[0] == 0) {
        *slot = (nnm_label_slot){{key[0], key[1]}, label};
        table->used++;
    } else if (slot->waiting <= 0) {
        slot->waiting = label;
    } else if (slot->waiting != label) {
        status = nnm_repeats_add(&table->repeats, slot->waiting, label, err);
        slot->waiting = 0;
    }
    return status;
}

nnm_status nnm_builder_read_repeats(const nnm_builder *builder, const nnm_kernel_data *data, nnm_repeats *repeats,
                                    nnm_error *err)
{
    nnm_error reason = NNM_ERROR_INIT;
    nnm_status status = nnm_builder_find_journal(builder, &reason);
    if (status == NNM_ERR_NOT_FOUND) return NNM_OK; /* nothing was measured here */
    if (status) return nnm_fail(err, status, "%s", reason.message);
    nnm_journal *journal = NULL;
    nnm_journal_source source = nnm_builder_source(builder);
    status = nnm_builder_open_journal(builder, &journal, err);
    if (status == NNM_OK) status = nnm_repeats_read(repeats, journal, &source, data, err);
    nnm_journal_close(journal);
    return status;
}

nnm_status nnm_check_labels(const nnm_builder *builder, const nnm_kernel_data *data, nnm_agreement *out, nnm_error *err)
{
    nnm_repeats repeats = {0};
    nnm_status status = nnm_builder_read_repeats(builder, data, &repeats, err);
    if (status == NNM_OK) status = nnm_agreement_compute(out, repeats.first, repeats.second, repeats.count, err);
    nnm_repeats_fini(&repeats);
    return status;
}
