/* Labels that were measured twice: in a table, or in the journal of a workspace. */
#ifndef NNM_BUILDER_LABELS_H
#define NNM_BUILDER_LABELS_H

#include "nnmeter/builder.h"
#include "store/repeats.h"

/* Finds rows of a table that have the same features and different labels. Rows are paired as they come, the first with
 * the second, the third with the fourth, so that the pairs know nothing of each other. Equal labels are taken for a
 * copied row. Zero-initialise; end with nnm_label_table_fini. */
typedef struct nnm_label_slot nnm_label_slot;
typedef struct nnm_label_table {
    nnm_label_slot *slots;
    size_t slot_count, used;
    nnm_repeats repeats;
} nnm_label_table;
void nnm_label_table_fini(nnm_label_table *table);

/* Errors: NO_MEMORY. */
NNM_NODISCARD nnm_status nnm_label_table_add(nnm_label_table *table, const double *x, size_t columns, double label,
                                             nnm_error *err);

/* Adds what the workspace's journal has for the kernels of `data`; nothing where there is no journal. */
NNM_NODISCARD nnm_status nnm_builder_read_repeats(const nnm_builder *builder, const nnm_kernel_data *data,
                                                  nnm_repeats *repeats, nnm_error *err);

#endif
