/* The test set: kernels from the prior that are set apart before anything else and never learned from. */
#ifndef NNM_BUILDER_TEST_SET_H
#define NNM_BUILDER_TEST_SET_H

#include "builder/group.h"
#include "builder/sitting.h"

/* Draws and measures the test set of a member, in twice the rounds: mark "testset", with the caller's mark behind it.
 */
NNM_NODISCARD nnm_status nnm_test_set_measure(nnm_builder *builder, const nnm_group *group, nnm_member *member,
                                              const nnm_sitting *sitting, nnm_profile_summary *summary, nnm_error *err);

/* Fits the predictor that is kept to all rows of the group's data, tests it on the test set, writes it to `path`, and
 * the test's tables beside those of the description: Data_… and TestResult_<kernel>_testset.csv. It takes the place of
 * result.fit.predictor. Where no kernel of the test set has a latency, nothing changes. */
NNM_NODISCARD nnm_status nnm_test_set_fit(nnm_builder *builder, nnm_group *group, const char *path, nnm_error *err);

#endif
