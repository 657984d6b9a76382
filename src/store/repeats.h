/* Labels that were measured twice: once for the label itself, and again in the separate pass at the end. */
#ifndef NNM_STORE_REPEATS_H
#define NNM_STORE_REPEATS_H

#include "nnmeter/kernel_data.h"
#include "store/journal.h"

/* Pairs of labels of one kernel each, ms. Zero-initialise; end with nnm_repeats_fini. */
typedef struct nnm_repeats {
    double *first, *second;
    size_t count, first_capacity, second_capacity;
} nnm_repeats;
void nnm_repeats_fini(nnm_repeats *repeats);

/* Errors: NO_MEMORY. */
NNM_NODISCARD nnm_status nnm_repeats_add(nnm_repeats *repeats, double first, double second, nnm_error *err);

/* Adds the kernels of `data` of which the journal has rounds of both passes. Errors: those of the journal. */
NNM_NODISCARD nnm_status nnm_repeats_read(nnm_repeats *repeats, nnm_journal *journal, const nnm_journal_source *source,
                                          const nnm_kernel_data *data, nnm_error *err);

#endif
