/*
 * Latency predictors: a fitted model with the names and ranges of its features, and the file it lives in.
 *
 * A predictor knows tables of numbers only; builder.h has the calls that start from kernel configurations.
 * It is constant once made: any number of threads may predict with it.
 *
 * File layout (version 2, little-endian, no padding but where said):
 *   offset size  what
 *        0    8  magic "NNMPRED" and a zero byte
 *        8    4  uint32 format version
 *       12    4  uint32 reserved, 0
 *       16    8  uint64 size of the payload in bytes
 *       24    4  uint32 CRC-32 (polynomial 0xEDB88320, as in zlib) of the payload
 *       28    4  uint32 CRC-32 of the 28 bytes before
 *       32    -  payload; its layout stands in src/learn/predictor_file.h
 * A reader refuses a version it does not know (NNM_ERR_VERSION) and any byte that changed (NNM_ERR_CHECKSUM). Files of
 * version 1, which had random forests only, are read too.
 */
#ifndef NNMETER_PREDICTOR_H
#define NNMETER_PREDICTOR_H

#include "nnmeter/forest.h"
#include "nnmeter/metrics.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nnm_predictor nnm_predictor;

/* Training data: x row-major, rows * columns; y latencies, ms, > 0; weight NULL or rows values. Only read. */
typedef struct nnm_dataset {
    const double *x;
    const double *y;
    const double *weight;
    size_t rows, columns;
    const char *const *feature_names; /* `columns` names, unique, not empty */
    /* Which columns count work that takes time in proportion, e.g. operations or bytes, for the model `best`: columns
     * values, 0: it does not; 1, 2, ... (at most 7): the resource that does it. NULL: none does. */
    const uint8_t *work;
} nnm_dataset;

/* What the file tells about how it was made. Shares and RMSPE are fractions. */
typedef struct nnm_training_summary {
    size_t rows;            /* all rows, before the split */
    size_t test_rows;       /* of these, never trained on; 0: no test */
    nnm_metrics test;       /* on the test rows; zero where test_rows is 0 */
    double oob_score;       /* R^2 out of bag; NaN: none */
    double noise_ceiling10; /* highest acc10 that the labels allow (metrics.h); NaN: too few were repeated */
    double latency_min_ms, latency_max_ms;
} nnm_training_summary;

/* What a predictor consists of. */
typedef enum nnm_model_kind {
    NNM_MODEL_RANDOM_FOREST, /* "random_forest": the published recipe, a forest of latencies */
    NNM_MODEL_BEST           /* "best": what predicts best from few rows; docs/learning.md */
} nnm_model_kind;

/* The name of a model kind, as files, `--model` and PREDICTOR spell it. */
NNM_API const char *nnm_model_kind_name(nnm_model_kind kind);
/* The kind of that name. Errors: VALUE; the message names what is allowed. */
NNM_NODISCARD NNM_API nnm_status nnm_model_kind_find(nnm_model_kind *out, const char *name, nnm_error *err);

typedef struct nnm_predictor_options {
    nnm_model_kind model;
    nnm_forest_options forest; /* of a random forest; its seed, threads and listener are not used, those below are */
    uint64_t seed;
    unsigned threads;                 /* 0: one a CPU this process may use */
    const nnm_fit_listener *listener; /* NULL: nobody hears */
} nnm_predictor_options;
#define NNM_PREDICTOR_OPTIONS_INIT                           \
    {                                                        \
        NNM_MODEL_BEST, NNM_FOREST_OPTIONS_INIT, 10, 0, NULL \
    }

/* `best` learns from so many rows at most; where there are more, the seed draws them. Ranges are those of all rows. */
#define NNM_BEST_MAX_ROWS ((size_t)200000)

/* Fits a predictor of latencies. `kernel_type` is kept as text (at most 63 bytes). `options` NULL:
 * NNM_PREDICTOR_OPTIONS_INIT. Equal inputs, options and seed give the same predictor, bit for bit, whatever the number
 * of threads. Errors: as nnm_forest_fit; VALUE also for a latency that is not > 0. */
NNM_NODISCARD NNM_API nnm_status nnm_predictor_fit(nnm_predictor **out, const char *kernel_type,
                                                   const nnm_dataset *data, const nnm_predictor_options *options,
                                                   nnm_error *err);
NNM_API void nnm_predictor_free(nnm_predictor *predictor); /* NULL is allowed */

/* Stores what is known about the predictor's quality; rows and latency range are set by nnm_predictor_fit. */
NNM_API void nnm_predictor_set_summary(nnm_predictor *predictor, const nnm_training_summary *summary);
NNM_API const nnm_training_summary *nnm_predictor_summary(const nnm_predictor *predictor);

/* lower..upper is a 90 % interval. Random forest: from the 5 % and 95 % quantiles of measured / predicted among
 * out-of-bag rows. Best: from out-of-fold errors, as wide as its trees disagree on the row, and wider with each
 * doubling beyond the training range. Where fewer than 20 rows tell, both are NaN. Latencies of `best` are > 0 for any
 * row. */
typedef struct nnm_prediction {
    double latency_ms;
    double lower_ms, upper_ms;
    bool extrapolated; /* a feature lies far outside its training range: below half its minimum, above twice its maximum
                        */
    uint32_t extrapolated_feature; /* the first such feature */
    double extrapolated_value;     /* and its value */
} nnm_prediction;

/* Writes what is far outside, "HW is 500, trained on 7 to 56", and returns `text`; "" where nothing is. */
NNM_API char *nnm_prediction_explain(const nnm_predictor *predictor, const nnm_prediction *prediction, char *text,
                                     size_t bytes);

/* Predicts `rows` rows of nnm_predictor_feature_count values each. Cannot fail. */
NNM_API void nnm_predictor_predict(const nnm_predictor *predictor, const double *x, size_t rows, nnm_prediction *out);

NNM_API const char *nnm_predictor_kernel_type(const nnm_predictor *predictor);
NNM_API const char *nnm_predictor_model(const nnm_predictor *predictor); /* "random_forest", "best" */
NNM_API size_t nnm_predictor_feature_count(const nnm_predictor *predictor);
NNM_API const char *nnm_predictor_feature_name(const nnm_predictor *predictor, size_t index);
/* The range of a feature in the training rows. */
NNM_API void nnm_predictor_feature_range(const nnm_predictor *predictor, size_t index, double *minimum,
                                         double *maximum);

/* Writes the file (whole or not at all). Equal predictors give equal bytes. Errors: IO, NO_SPACE, NO_MEMORY. */
NNM_NODISCARD NNM_API nnm_status nnm_predictor_save(const nnm_predictor *predictor, const char *path, nnm_error *err);

/* Errors: NOT_FOUND, IO, PARSE (not a predictor file, or cut short), VERSION, CHECKSUM, NO_MEMORY. */
NNM_NODISCARD NNM_API nnm_status nnm_predictor_load(nnm_predictor **out, const char *path, nnm_error *err);

#ifdef __cplusplus
}
#endif

#endif
