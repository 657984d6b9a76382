#include "sampling/sobol.h"

#include "base/rng.h"

#define BITS 32

/* A primitive polynomial, its inner coefficients as bits, and the first direction numbers. */
typedef struct generator {
    unsigned degree, coefficients;
    uint32_t first[5];
} generator;

/* Of the dimensions after the first. */
static const generator generators[NNM_SOBOL_MAX_DIMENSIONS - 1] = {
    {1, 0, {1}},          {2, 1, {1, 3}},        {3, 1, {1, 3, 1}},        {3, 2, {1, 1, 1}},
    {4, 1, {1, 1, 3, 3}}, {4, 4, {1, 3, 5, 13}}, {5, 2, {1, 1, 5, 5, 17}}, {5, 4, {1, 1, 5, 5, 5}},
};

static void find_directions(uint32_t direction[BITS], size_t dimension)
{
    if (dimension == 0) {
        for (unsigned i = 0; i < BITS; i++)
            direction[i] = UINT32_C(1) << (BITS - 1 - i);
        return;
    }
    const generator *g = &generators[dimension - 1];
    for (unsigned i = 0; i < BITS; i++) {
        if (i < g->degree) {
            direction[i] = g->first[i] << (BITS - 1 - i);
            continue;
        }
        uint32_t before = direction[i - g->degree];
        direction[i] = before ^ (before >> g->degree);
        for (unsigned k = 1; k < g->degree; k++)
            if (g->coefficients >> (g->degree - 1 - k) & 1) direction[i] ^= direction[i - k];
    }
}

/* Flips each bit or not, at random, but alike for all numbers whose higher bits are the same. */
static uint32_t scramble(uint32_t x, uint64_t seed)
{
    uint32_t flips = 0;
    for (unsigned bit = 0; bit < BITS; bit++) {
        const uint32_t above[2] = {bit, bit ? x >> (BITS - bit) : 0};
        flips |= (uint32_t)(nnm_hash64(above, sizeof above, seed) & 1) << (BITS - 1 - bit);
    }
    return x ^ flips;
}

void nnm_sobol_next(nnm_sobol *sobol, size_t dimensions, double *point)
{
    for (size_t d = 0; d < dimensions; d++) {
        uint32_t direction[BITS], x = 0;
        find_directions(direction, d);
        for (unsigned i = 0; i < BITS; i++)
            if (sobol->index >> i & 1) x ^= direction[i];
        uint64_t stream[2] = {sobol->seed, d};
        x = scramble(x, nnm_hash64(stream, sizeof stream, 0));
        point[d] = (double)x * 0x1p-32;
    }
    sobol->index++;
}
