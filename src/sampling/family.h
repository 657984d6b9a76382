/*
 * How the configurations of each kernel family are drawn, as data: one dimension a parameter. A new family is a new
 * entry of family.c and, where it has one of its own, a table in data/prior.
 */
#ifndef NNM_SAMPLING_FAMILY_H
#define NNM_SAMPLING_FAMILY_H

#include "nnmeter/kernel.h"

#define NNM_FAMILY_MAX_SETTINGS 4
#define NNM_MAX_VALID 16

/* A value and how often it is taken, in percent; a list ends at percent 0, and its percents add up to 100. */
typedef struct nnm_family_setting {
    int64_t value;
    unsigned percent;
} nnm_family_setting;

/* Where the values of one parameter come from. */
typedef struct nnm_dimension {
    const char *param;
    const char *column;  /* of the prior table; NULL for a dimension that has no use for one */
    const char *same_as; /* an earlier dimension whose value this one takes, e.g. COUT of a depthwise convolution */
    bool is_channels;    /* fine-grained sampling varies it */
    int64_t valid[NNM_MAX_VALID]; /* ascending, ended by 0: a drawn value becomes the nearest; none: any value */
    int64_t multiple_of;          /* values are rounded up to a multiple of it; 0: they are left alone */
    unsigned frequent_percent;    /* how often `frequent` is used instead of the column */
    nnm_family_setting frequent[NNM_FAMILY_MAX_SETTINGS];
    int64_t low, high; /* where `high` is set: instead of a column, each octave from `low` to `high` is as likely */
    int64_t input;     /* of kernels with a number of inputs: which one this belongs to, from 1; 0: all of them */
} nnm_dimension;

typedef struct nnm_family {
    const char *name;
    const char *table; /* the prior table, data/prior/<table>.csv; NULL: the family needs none */
    nnm_dimension dimensions[NNM_KERNEL_MAX_PARAMS];    /* ended by a NULL param */
    nnm_family_setting inputs[NNM_FAMILY_MAX_SETTINGS]; /* how many inputs; dimensions of absent ones are 0 */
} nnm_family;

/* The family of that name, or NULL. */
const nnm_family *nnm_family_find(const char *name);

size_t nnm_family_dimension_count(const nnm_family *family);
/* The index of the dimension for a parameter, or -1. */
int nnm_family_dimension(const nnm_family *family, const char *param);

#endif
