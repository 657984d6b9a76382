/* Kernel types whose predictor is one, while it is being built; most often a single kernel type. */
#ifndef NNM_BUILDER_GROUP_H
#define NNM_BUILDER_GROUP_H

#include "builder/builder.h"

typedef struct nnm_member {
    const nnm_kernel *kernel;
    size_t init_sample_num, finegrained_sample_num, test_sample_num;
    nnm_kernel_data *data;     /* sampled and profiled, for training */
    nnm_kernel_data *test_set; /* NULL: none */
    size_t first_count;        /* so many records of `data` are the first ones, drawn without knowing any latency */
    bool failed;
    nnm_error error; /* why */
} nnm_member;

typedef struct nnm_group {
    const nnm_kernel *kernel; /* whose name the predictor bears */
    nnm_build_options options;
    nnm_member *members;
    size_t member_count;
    nnm_build_result result; /* its data are those of all members */
    bool *is_first;          /* of result.data: whether each record is among its member's first ones */
    size_t turns;            /* done or taken over from an earlier call */
    double mean_seconds;     /* that measuring one of its kernels takes; 0: not known */
    bool started, ended;
    bool reported;
} nnm_group;

/* Zero-initialise the group; end with nnm_group_fini. A group of one: its predictor bears the name of `kernel`. */
NNM_NODISCARD nnm_status nnm_group_add(nnm_group *group, const nnm_kernel *kernel, const nnm_build_options *options,
                                       nnm_error *err);
void nnm_group_fini(nnm_group *group);

/* TEST_SAMPLE_NUM with `auto` worked out. */
size_t nnm_group_test_samples(int test_sample_num, size_t init_sample_num);

/* Members that have not failed; kernels that count for a budget of kernels. */
size_t nnm_group_alive(const nnm_group *group);
size_t nnm_group_kernels(const nnm_group *group);

/* Adds what a member sampled and profiled to its data or its test set, and takes over `fresh`. */
NNM_NODISCARD nnm_status nnm_group_take(nnm_kernel_data **into, nnm_kernel_data *fresh, nnm_error *err);

/* Puts the data of all members together: result.data, result.test_set and is_first. */
NNM_NODISCARD nnm_status nnm_group_put_together(nnm_group *group, nnm_error *err);

/* Adds the configurations that no member may sample: those of every member's data and test set. */
NNM_NODISCARD nnm_status nnm_group_list_taken(const nnm_builder *builder, const nnm_group *group, nnm_config_list *out,
                                              nnm_error *err);

/* The member that has a configuration; NULL: none has. */
nnm_member *nnm_group_owner(const nnm_group *group, const nnm_kernel_config *config);

#endif
