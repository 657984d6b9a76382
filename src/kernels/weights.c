#include "kernels/weights.h"

#include <string.h>

#include "base/rng.h"

/* The finaliser of splitmix64, applied to a counter: any number of the sequence can be had without those before. */
static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* 24 bits to (-1, 1), exactly and symmetrically about 0, which is left out. */
static float symmetric_unit(uint64_t bits)
{
    return ((float)((int32_t)(bits & 0xFFFFFF) - 0x800000) + 0.5F) * 0x1p-23F;
}

static float value(uint64_t bits, float centre, float spread)
{
    /* Two statements, so that no compiler joins them into a fused multiply-add, which rounds differently. */
    float offset = spread * symmetric_unit(bits);
    return centre + offset;
}

void nnm_weights_fill(float *data, size_t count, uint64_t seed, const char *name, float centre, float spread)
{
    const uint64_t step = UINT64_C(0x9E3779B97F4A7C15);
    uint64_t counter = nnm_hash64(name, strlen(name), mix(seed + step));
    size_t i = 0;
    for (; i + 1 < count; i += 2) {
        uint64_t bits = mix(counter += step);
        data[i] = value(bits >> 40, centre, spread);
        data[i + 1] = value(bits >> 8, centre, spread);
    }
    if (i < count) data[i] = value(mix(counter + step) >> 40, centre, spread);
}
