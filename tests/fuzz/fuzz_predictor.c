/* Feeds bytes to the reader of predictor files. Checksums would stop nearly all of them, so they are put right first;
 * what loads must predict. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "learn/predictor_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_u32(unsigned char *at, uint32_t value)
{
    for (size_t i = 0; i < 4; i++)
        at[i] = (unsigned char)(value >> (8 * i));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned char *bytes = malloc(size + 1);
    if (!bytes) return 0;
    if (size) memcpy(bytes, data, size);
    if (size >= 32) {
        put_u32(bytes + 16, (uint32_t)(size - 32));
        put_u32(bytes + 20, 0);
        put_u32(bytes + 24, (uint32_t)crc32_z(0, bytes + 32, size - 32));
        put_u32(bytes + 28, (uint32_t)crc32_z(0, bytes, 28));
    }
    nnm_predictor *predictor;
    nnm_error err = NNM_ERROR_INIT;
    if (nnm_predictor_parse(&predictor, bytes, size, "input", &err) == NNM_OK) {
        size_t columns = nnm_predictor_feature_count(predictor);
        double *x = calloc(columns, sizeof *x);
        nnm_prediction prediction;
        for (double value = -1e6; x && value <= 1e6; value += 5e5) {
            for (size_t i = 0; i < columns; i++)
                x[i] = value;
            nnm_predictor_predict(predictor, x, 1, &prediction);
            if (!(prediction.latency_ms > 0)) abort();
        }
        free(x);
        nnm_predictor_free(predictor);
    }
    free(bytes);
    return 0;
}
