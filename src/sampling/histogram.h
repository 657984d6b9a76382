/* Drawing values that are spread like those of a column: inverse transform on a histogram of 40 bins of equal width. */
#ifndef NNM_SAMPLING_HISTOGRAM_H
#define NNM_SAMPLING_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define NNM_HISTOGRAM_BINS 40

typedef struct nnm_histogram {
    int64_t minimum, maximum;
    /* Share of the values below the left edge of each bin, and 1 at the end. */
    double cumulative[NNM_HISTOGRAM_BINS + 1];
} nnm_histogram;

/* `count` >= 1 values, none negative and none above 2^32. */
void nnm_histogram_init(nnm_histogram *histogram, const int64_t *values, size_t count);

/* The value below which a share `u`, in [0, 1), of the values lies, rounded down. Inside a bin values count as spread
 * evenly: the cumulative distribution is joined by straight lines between the bins' edges. */
int64_t nnm_histogram_quantile(const nnm_histogram *histogram, double u);

#endif
