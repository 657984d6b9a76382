/* What a predictor is made of, for the files that fit, save and load it. */
#ifndef NNM_LEARN_PREDICTOR_MODEL_H
#define NNM_LEARN_PREDICTOR_MODEL_H

#include "learn/best.h"
#include "nnmeter/predictor.h"

#define NNM_KERNEL_TYPE_BYTES 64
#define NNM_FEATURE_NAME_BYTES 256 /* with the zero byte */

typedef struct nnm_feature {
    char *name;
    double minimum, maximum; /* in the training rows */
} nnm_feature;

struct nnm_predictor {
    char kernel_type[NNM_KERNEL_TYPE_BYTES];
    nnm_feature *features;
    size_t feature_count;
    nnm_training_summary summary;
    nnm_model_kind model;
    nnm_forest *forest;              /* of a random forest, else NULL */
    double lower_ratio, upper_ratio; /* of measured to its prediction; NaN: too few rows to tell */
    nnm_best *best;                  /* of the model best, else NULL */
};

/* The first name that is empty or stands twice, as its index; `count` when all are well. May be short of memory, which
 * sets `*failed`. */
size_t nnm_find_bad_feature_name(const char *const *names, size_t count, bool *failed);

#endif
