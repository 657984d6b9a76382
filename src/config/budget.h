/* Budgets and targets as text. */
#ifndef NNM_CONFIG_BUDGET_H
#define NNM_CONFIG_BUDGET_H

#include "base/buffer.h"
#include "nnmeter/config.h"

#define NNM_BUDGET_ALLOWED "a number of kernels (500) or a time (90s, 20m, 2h)"
#define NNM_TARGET_ALLOWED "acc5, acc10 or acc15 with a share (acc10=0.95), or rmspe with one (rmspe=0.1)"

/* Append what the readers read; nothing where there is no limit and no target. */
void nnm_budget_format(const nnm_budget *budget, nnm_buffer *text);
void nnm_target_format(const nnm_target *target, nnm_buffer *text);

#endif
