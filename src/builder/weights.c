#include "builder/weights.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"

/* What a predictor gets wrong even where labels are exact, as a relative error. A label with as much spread counts
 * half; the usual 1 or 2 % hardly matter, and 20 % leave a seventeenth. */
#define MODEL_ERROR 0.05

nnm_status nnm_features_take_spreads(nnm_features *features, const nnm_kernel_data *data, nnm_error *err)
{
    double *spread = nnm_calloc(features->rows, sizeof *spread);
    if (!spread) return nnm_fail_memory(err);
    for (size_t row = 0; row < features->rows; row++) {
        const nnm_kernel_record *record = &data->records[features->source[row]];
        spread[row] = record->spread_ms / record->latency_ms;
    }
    free(features->spread);
    features->spread = spread;
    return NNM_OK;
}

static double weight_of(double spread)
{
    return MODEL_ERROR * MODEL_ERROR / (spread * spread + MODEL_ERROR * MODEL_ERROR);
}

nnm_status nnm_fit_weights(const nnm_features *features, const size_t *rows, size_t count, double **out, nnm_error *err)
{
    bool differ = false;
    for (size_t i = 1; features->spread && i < count; i++)
        differ = differ || features->spread[rows[i]] != features->spread[rows[0]];
    if (!differ) {
        *out = NULL;
        return NNM_OK;
    }
    double *weights = nnm_calloc(count, sizeof *weights);
    if (!weights) return nnm_fail_memory(err);
    for (size_t i = 0; i < count; i++)
        weights[i] = weight_of(features->spread[rows[i]]);
    *out = weights;
    return NNM_OK;
}
