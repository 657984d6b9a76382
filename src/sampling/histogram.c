#include "sampling/histogram.h"

void nnm_histogram_init(nnm_histogram *histogram, const int64_t *values, size_t count)
{
    int64_t minimum = values[0], maximum = values[0];
    for (size_t i = 1; i < count; i++) {
        if (values[i] < minimum) minimum = values[i];
        if (values[i] > maximum) maximum = values[i];
    }
    size_t bins[NNM_HISTOGRAM_BINS] = {0};
    for (size_t i = 0; i < count; i++) {
        /* Each bin owns its left edge, the last one its right edge too. */
        int64_t bin = values[i] == maximum ? NNM_HISTOGRAM_BINS - 1
                                           : (values[i] - minimum) * NNM_HISTOGRAM_BINS / (maximum - minimum);
        bins[bin]++;
    }
    histogram->minimum = minimum;
    histogram->maximum = maximum;
    histogram->cumulative[0] = 0;
    size_t below = 0;
    for (size_t i = 0; i < NNM_HISTOGRAM_BINS; i++) {
        below += bins[i];
        histogram->cumulative[i + 1] = (double)below / (double)count;
    }
}

int64_t nnm_histogram_quantile(const nnm_histogram *histogram, double u)
{
    size_t bin = 0;
    while (bin < NNM_HISTOGRAM_BINS - 1 && histogram->cumulative[bin + 1] <= u)
        bin++;
    double left = histogram->cumulative[bin], right = histogram->cumulative[bin + 1];
    double position = (double)bin + (right > left ? (u - left) / (right - left) : 0);
    double width = (double)(histogram->maximum - histogram->minimum) / NNM_HISTOGRAM_BINS;
    int64_t value = (int64_t)((double)histogram->minimum + position * width);
    return value < histogram->maximum ? value : histogram->maximum;
}
