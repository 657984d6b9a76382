#include "base/rng.h"

#include <string.h>

static uint64_t splitmix64(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static uint64_t rotate_left(uint64_t x, int bits)
{
    return (x << bits) | (x >> (64 - bits));
}

void nnm_rng_init(nnm_rng *rng, uint64_t seed, uint64_t stream)
{
    uint64_t state = seed;
    uint64_t mixed = splitmix64(&state) ^ (stream * UINT64_C(0xD1B54A32D192ED03));
    for (size_t i = 0; i < 4; i++)
        rng->state[i] = splitmix64(&mixed);
}

uint64_t nnm_rng_next(nnm_rng *rng)
{
    uint64_t *s = rng->state;
    uint64_t result = rotate_left(s[0] + s[3], 23) + s[0];
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

double nnm_rng_uniform(nnm_rng *rng)
{
    return (double)(nnm_rng_next(rng) >> 11) * 0x1p-53;
}

uint64_t nnm_rng_below(nnm_rng *rng, uint64_t bound)
{
    /* Numbers below 2^64 mod bound would make small results too likely: draw again. */
    uint64_t threshold = (0 - bound) % bound;
    for (;;) {
        uint64_t x = nnm_rng_next(rng);
        if (x >= threshold) return x % bound;
    }
}

void nnm_rng_shuffle(nnm_rng *rng, void *array, size_t count, size_t size)
{
    unsigned char *bytes = array;
    unsigned char swap[256];
    for (size_t i = count; i > 1; i--) {
        size_t j = (size_t)nnm_rng_below(rng, i);
        if (j == i - 1) continue;
        memcpy(swap, bytes + j * size, size);
        memcpy(bytes + j * size, bytes + (i - 1) * size, size);
        memcpy(bytes + (i - 1) * size, swap, size);
    }
}

uint64_t nnm_hash64(const void *bytes, size_t size, uint64_t seed)
{
    const unsigned char *p = bytes;
    uint64_t hash = UINT64_C(0xCBF29CE484222325) ^ seed;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ p[i]) * UINT64_C(0x100000001B3);
    return splitmix64(&hash);
}
