/* One turn of a build: kernels are sampled and measured, then a predictor is fitted to all there are. */
#ifndef NNM_BUILDER_TURN_H
#define NNM_BUILDER_TURN_H

#include "builder/choose.h"
#include "builder/group.h"

/* "<name>", "<name><number>" where that is not 0, followed by "_<mark>" where the caller gave one. The caller frees. */
char *nnm_turn_mark(const char *name, size_t number, const char *mark);

/* The mark of a turn's configuration files, and that of its tables and predictor. The caller frees. */
char *nnm_turn_samples_mark(const nnm_group *group, size_t turn);
char *nnm_turn_predictor_mark(const nnm_group *group);

/* How the group's predictors are fitted; `mark` names the files that nnm_build_predictor_by_data writes, or is NULL. */
nnm_fit_options nnm_turn_fit_options(const nnm_builder *builder, const nnm_group *group, const char *mark);

/* Whether a failure ends a build, rather than to be that of one kernel type. */
bool nnm_turn_is_fatal(nnm_status status);

typedef struct nnm_turn_limits {
    const char *backend;
    bool repeat;    /* tell how well latencies repeat */
    double seconds; /* of measuring, for each member; with what earlier calls took on the same kernels */
} nnm_turn_limits;

/* Samples and measures what was chosen, under the mark of the group's next turn. A member that fails is marked so and
 * the others go on. Errors: that of the first where none is left; those that end a build. */
NNM_NODISCARD nnm_status nnm_turn_measure(nnm_builder *builder, nnm_group *group, const nnm_choice *choice,
                                          const nnm_turn_limits *limits, nnm_error *err);

/* Takes over the turns whose configuration files an earlier call has written, and measures what it has not: no more
 * than `seconds` in all. */
NNM_NODISCARD nnm_status nnm_turn_take_over(nnm_builder *builder, nnm_group *group, const char *backend, double seconds,
                                            nnm_error *err);

/* Fits to the group's data: the description's 8:2 split, whose files bear `mark`, then the predictor that is kept;
 * with `estimate`, how good it is by cross-validation, too. `name` is how the log calls the turn. */
NNM_NODISCARD nnm_status nnm_turn_fit(nnm_builder *builder, nnm_group *group, const char *mark, const char *name,
                                      bool estimate, nnm_error *err);

void nnm_turn_add_summary(nnm_profile_summary *sum, const nnm_profile_summary *more);

#endif
