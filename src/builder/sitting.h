/* One sitting: kernels of one mark are made and measured, as far as the time goes. */
#ifndef NNM_BUILDER_SITTING_H
#define NNM_BUILDER_SITTING_H

#include "builder/builder.h"

typedef struct nnm_sitting {
    const char *backend;
    bool complete;  /* the kernels that a mark has are taken as they are, for an earlier call made them; otherwise new
                       ones  are added to them */
    bool repeat;    /* some are measured again at the end, to tell how well latencies repeat */
    double seconds; /* it may take, with what earlier sittings of the same kernels took; HUGE_VAL: any time */
} nnm_sitting;

/* Draws configurations as nnm_builder_generate does, and measures them. When the time is over, those that have no round
 * have no latency. `summary` is set also on failure. Errors: those of the two steps. */
NNM_NODISCARD nnm_status nnm_builder_sit(nnm_builder *builder, const nnm_kernel *kernel, size_t num,
                                         const nnm_sample_options *options, const nnm_sitting *sitting,
                                         nnm_kernel_data **out, nnm_profile_summary *summary, nnm_error *err);

/* What the journal knows of how long measuring each record took, all passes and all runs, waiting included: `seconds`,
 * data->count values. Without a journal: 0. */
NNM_NODISCARD nnm_status nnm_builder_recall_seconds(const nnm_builder *builder, const nnm_kernel_data *data,
                                                    double *seconds, nnm_error *err);

/* The same of a whole file of a mark; 0 where there is none. */
NNM_NODISCARD nnm_status nnm_builder_seconds_of_mark(const nnm_builder *builder, const nnm_kernel *kernel,
                                                     const char *mark, double *seconds, nnm_error *err);

#endif
