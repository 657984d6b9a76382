/* What of a plan's budget is spent, and what of it a step may have. */
#ifndef NNM_BUILDER_SPENDING_H
#define NNM_BUILDER_SPENDING_H

#include "builder/plan.h"

/* Refuses a budget that leaves too few kernels to learn from. Errors: VALUE. */
NNM_NODISCARD nnm_status nnm_spending_check(const nnm_plan *plan, nnm_error *err);

/* Finds out what earlier calls spent. To be called once, before anything else. */
NNM_NODISCARD nnm_status nnm_spending_begin(nnm_plan *plan, nnm_error *err);

bool nnm_spending_is_limited(const nnm_plan *plan);
size_t nnm_spending_kernels_left(const nnm_plan *plan); /* SIZE_MAX: no limit */
double nnm_spending_seconds_left(const nnm_plan *plan); /* HUGE_VAL: no limit; may be negative */

/* Kernels and seconds for the test sets of a group, and for its first kernels. */
size_t nnm_spending_test_kernels(const nnm_plan *plan, const nnm_group *group);
double nnm_spending_test_seconds(const nnm_plan *plan);
size_t nnm_spending_first_kernels(const nnm_plan *plan, const nnm_group *group);
double nnm_spending_first_seconds(const nnm_plan *plan);

/* Kernels that a group may have in all without a budget: with a target, what it would have had without one. SIZE_MAX:
 * its turns are counted instead. */
size_t nnm_spending_most_kernels(const nnm_plan *plan, const nnm_group *group);

/* Kernels that a group's next turn may measure. */
size_t nnm_spending_turn_kernels(const nnm_plan *plan, const nnm_group *group);

#endif
