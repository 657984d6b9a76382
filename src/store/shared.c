#include "store/shared.h"

#include <string.h>

nnm_status nnm_journal_shared_rounds(nnm_journal *journal, const nnm_journal_source *source, const nnm_kernel *kernel,
                                     const char *id, const char *config, nnm_round **rounds, size_t *count,
                                     const nnm_kernel **owner, nnm_error *err)
{
    const char *name = nnm_kernel_name(kernel);
    nnm_status status = nnm_journal_rounds(journal, source, kernel, id, config, false, rounds, count, err);
    if (owner) *owner = kernel;
    if (status || *count || strcmp(nnm_kernel_predictor(kernel), name) != 0) return status;
    for (size_t i = 0; i < nnm_kernel_count() && status == NNM_OK && *count == 0; i++) {
        const nnm_kernel *other = nnm_kernel_at(i);
        if (other == kernel || strcmp(nnm_kernel_predictor(other), name) != 0) continue;
        status = nnm_journal_rounds(journal, source, other, id, config, false, rounds, count, err);
        if (status == NNM_OK && *count && owner) *owner = other;
    }
    return status;
}
