/* Kernel types that share a predictor: their data are put together under the name of one of them. */
#ifndef NNM_STORE_SHARED_H
#define NNM_STORE_SHARED_H

#include "store/journal.h"

/* The rounds of a kernel, without raw samples, as nnm_journal_rounds; where `kernel` has none and gives its name to a
 * predictor that others share, those of the kernel type that has. `owner` (may be NULL) is the one they are of. */
NNM_NODISCARD nnm_status nnm_journal_shared_rounds(nnm_journal *journal, const nnm_journal_source *source,
                                                   const nnm_kernel *kernel, const char *id, const char *config,
                                                   nnm_round **rounds, size_t *count, const nnm_kernel **owner,
                                                   nnm_error *err);

#endif
