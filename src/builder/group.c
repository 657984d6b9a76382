#include "builder/group.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

#define TEST_LEAST 20
#define TEST_MOST 200
#define TEST_ONE_IN 5

size_t nnm_group_test_samples(int test_sample_num, size_t init_sample_num)
{
    if (test_sample_num >= 0) return (size_t)test_sample_num;
    size_t share = init_sample_num / TEST_ONE_IN;
    return share < TEST_LEAST ? TEST_LEAST : share > TEST_MOST ? TEST_MOST : share;
}

nnm_status nnm_group_add(nnm_group *group, const nnm_kernel *kernel, const nnm_build_options *options, nnm_error *err)
{
    nnm_member *members = nnm_reallocarray(group->members, group->member_count + 1, sizeof *members);
    if (!members) return nnm_fail_memory(err);
    group->members = members;
    members[group->member_count++] = (nnm_member){
        .kernel = kernel,
        .init_sample_num = options->init_sample_num,
        .finegrained_sample_num = options->finegrained_sample_num,
        .test_sample_num = nnm_group_test_samples(options->test_sample_num, options->init_sample_num),
    };
    if (group->member_count == 1) {
        group->kernel = kernel;
        group->options = *options;
    } else if (options->iteration > group->options.iteration) {
        group->options.iteration = options->iteration;
    }
    return NNM_OK;
}

void nnm_group_fini(nnm_group *group)
{
    for (size_t i = 0; i < group->member_count; i++) {
        nnm_kernel_data_free(group->members[i].data);
        nnm_kernel_data_free(group->members[i].test_set);
    }
    free(group->members);
    free(group->is_first);
    nnm_build_result_fini(&group->result);
    *group = (nnm_group){0};
}

size_t nnm_group_alive(const nnm_group *group)
{
    size_t alive = 0;
    for (size_t i = 0; i < group->member_count; i++)
        alive += !group->members[i].failed;
    return alive;
}

size_t nnm_group_kernels(const nnm_group *group)
{
    size_t kernels = 0;
    for (size_t i = 0; i < group->member_count; i++) {
        const nnm_member *member = &group->members[i];
        kernels += member->data ? member->data->count : 0;
        kernels += member->test_set ? member->test_set->count : 0;
    }
    return kernels;
}

nnm_status nnm_group_take(nnm_kernel_data **into, nnm_kernel_data *fresh, nnm_error *err)
{
    nnm_status status = NNM_OK;
    if (*into) {
        status = nnm_kernel_data_merge(*into, fresh, err);
        nnm_kernel_data_free(fresh);
    } else {
        *into = fresh;
    }
    return status;
}

/* Ids are drawn for each kernel type apart, so that two of a million may be equal. */
static nnm_status add_record(nnm_kernel_data *into, const nnm_kernel_record *record, nnm_error *err)
{
    nnm_kernel_record copy = *record;
    for (unsigned i = 2; nnm_kernel_data_find(into, copy.id); i++)
        snprintf(copy.id, sizeof copy.id, "%.16s-%u", record->id, i);
    return nnm_kernel_data_add(into, &copy, err);
}

static nnm_status add_all(nnm_kernel_data *into, const nnm_kernel_data *from, nnm_error *err)
{
    nnm_status status = NNM_OK;
    for (size_t i = 0; from && i < from->count && status == NNM_OK; i++)
        status = add_record(into, &from->records[i], err);
    return status;
}

nnm_status nnm_group_put_together(nnm_group *group, nnm_error *err)
{
    nnm_kernel_data *data = NULL, *test_set = NULL;
    bool *is_first = NULL;
    size_t tests = 0;
    nnm_status status = nnm_kernel_data_new(&data, group->kernel, err);
    if (status == NNM_OK) status = nnm_kernel_data_new(&test_set, group->kernel, err);
    for (size_t i = 0; i < group->member_count && status == NNM_OK; i++) {
        status = add_all(data, group->members[i].data, err);
        if (status == NNM_OK) status = add_all(test_set, group->members[i].test_set, err);
        tests += group->members[i].test_set != NULL;
    }
    if (status == NNM_OK) is_first = nnm_calloc(data->count, sizeof *is_first);
    if (status == NNM_OK && !is_first) status = nnm_fail_memory(err);
    if (status) {
        nnm_kernel_data_free(data);
        nnm_kernel_data_free(test_set);
        return status;
    }
    for (size_t i = 0, row = 0; i < group->member_count; i++) {
        const nnm_member *member = &group->members[i];
        for (size_t j = 0; member->data && j < member->data->count; j++)
            is_first[row++] = j < member->first_count;
    }
    if (!tests) {
        nnm_kernel_data_free(test_set);
        test_set = NULL;
    }
    nnm_kernel_data_free(group->result.data);
    nnm_kernel_data_free(group->result.test_set);
    free(group->is_first);
    group->result.data = data;
    group->result.test_set = test_set;
    group->is_first = is_first;
    return NNM_OK;
}

nnm_status nnm_group_list_taken(const nnm_builder *builder, const nnm_group *group, nnm_config_list *out,
                                nnm_error *err)
{
    nnm_status status = NNM_OK;
    for (size_t i = 0; i < group->member_count && status == NNM_OK; i++) {
        const nnm_member *member = &group->members[i];
        status = nnm_builder_list_known(builder, member->kernel, out, err);
        if (status == NNM_OK && member->data) status = nnm_builder_list_configs(out, member->data, err);
        if (status == NNM_OK && member->test_set) status = nnm_builder_list_configs(out, member->test_set, err);
    }
    return status;
}

nnm_member *nnm_group_owner(const nnm_group *group, const nnm_kernel_config *config)
{
    for (size_t i = 0; i < group->member_count; i++) {
        nnm_member *member = &group->members[i];
        for (size_t j = 0; member->data && j < member->data->count; j++)
            if (nnm_kernel_config_equal(group->kernel, &member->data->records[j].config, config)) return member;
    }
    return NULL;
}
