/*
 * The model "best": a fitted roofline, and trees on the logarithm of measured / roofline.
 *
 * Half of the trees, more or less, are those of a random forest, the others extremely randomised; how many of each is
 * chosen by cross-validation inside the training rows. The answer is not their mean but the mean of a middle part,
 * the answers from the 20 % to the 70 % quantile: latencies have a mode and a long tail upwards. docs/learning.md has
 * the figures.
 *
 *     latency = exp(roofline(x) + middle(answers of the trees))
 *
 * Trees see some columns of x as they are, then log(roofline), then the share of each group in it as roofline.h has
 * them. Intervals are conformal: the quantiles of out-of-fold log errors over the spread of the answers, times that
 * spread.
 */
#ifndef NNM_LEARN_BEST_H
#define NNM_LEARN_BEST_H

#include "learn/roofline.h"
#include "learn/tree_pool.h"
#include "nnmeter/predictor.h"

#define NNM_BEST_MAX_COLUMNS 1024 /* that trees see of x */
#define NNM_BEST_MIDDLE_FROM 0.3  /* share of the sorted answers left out below */
#define NNM_BEST_MIDDLE_TO 0.6    /* and where the middle ends */

#define NNM_BEST_MAX_LOG_LATENCY 700.0 /* either sign; exp() of it is a finite number */
#define NNM_BEST_MAX_SCORE 1000.0      /* of the ends of the interval, either sign, and of the floor */

typedef struct nnm_best {
    nnm_roofline roofline;
    size_t seen_count;
    uint32_t *seen; /* columns of x that trees see, in their order */
    nnm_tree_pool pool;
    double spread_floor; /* added to the spread of the answers, > 0 */
    double lower, upper; /* interval: latency * exp((spread + floor) * these), lower <= 0 <= upper; NaN: not known */
} nnm_best;

/* `data` is valid: finite, latencies > 0, weights >= 0 and some > 0. `listener` may be NULL. Errors: NO_MEMORY,
 * INVALID_ARGUMENT, INTERRUPTED. */
NNM_NODISCARD nnm_status nnm_best_fit(nnm_best **out, const nnm_dataset *data, uint64_t seed, unsigned threads,
                                      const nnm_fit_listener *listener, nnm_error *err);
void nnm_best_free(nnm_best *best); /* NULL is allowed */

typedef struct nnm_best_answer {
    double log_latency; /* within -700..700 */
    double width;       /* spread of the answers plus its floor */
} nnm_best_answer;

/* Finite for whatever numbers. */
nnm_best_answer nnm_best_predict(const nnm_best *best, const double *x);

/* The middle and the spread of 1..NNM_POOL_MAX_TREES answers, each as nnm_pool_round leaves it. */
double nnm_best_middle(const double *answers, size_t count, double *spread);

/* Which of `count` sorted answers are the middle: from..to-1. */
void nnm_best_middle_range(size_t count, size_t *from, size_t *to);

/* What the trees see of a row: seen_count values, the roofline's logarithm, which is returned, and its shares. */
double nnm_best_see(const nnm_best *best, const double *x, double *seen);
size_t nnm_best_tree_columns(const nnm_best *best);

/*
 *   uint32  terms of the roofline, 1..32; for each: uint8 group, uint32 column (0 for the first), double log cost
 *   double  power
 *   uint32  columns that trees see; for each: uint32 column of x
 *   double  floor of the spread, lower and upper end of the interval
 *   the trees, to the end (tree_pool.h)
 */
NNM_NODISCARD nnm_status nnm_best_put(const nnm_best *best, nnm_buffer *out, nnm_error *err);
/* Errors: PARSE, NO_MEMORY. Whatever the bytes, predictions are finite. */
NNM_NODISCARD nnm_status nnm_best_get(nnm_best **out, nnm_reader *in, size_t columns, nnm_error *err);

#endif
