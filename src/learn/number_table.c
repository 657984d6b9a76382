#include "learn/number_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

#define SIGN (UINT64_C(1) << 63)

/* Both zeros have the same key. */
static uint64_t key_of(double number)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    return bits & SIGN ? SIGN - (bits & ~SIGN) : SIGN + bits;
}

static double number_of(uint64_t key)
{
    uint64_t bits = key >= SIGN ? key - SIGN : SIGN | (SIGN - key);
    double number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

nnm_status nnm_number_table_add(nnm_number_table *table, double number, nnm_error *err)
{
    void *keys = table->keys;
    nnm_status status = nnm_grow(&keys, &table->capacity, table->count + 1, sizeof *table->keys, err);
    if (status) return status;
    table->keys = keys;
    table->keys[table->count++] = key_of(number);
    return NNM_OK;
}

static int compare_keys(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

void nnm_number_table_sort(nnm_number_table *table)
{
    if (table->count == 0) return;
    qsort(table->keys, table->count, sizeof *table->keys, compare_keys);
    size_t distinct = 1;
    for (size_t i = 1; i < table->count; i++) {
        if (table->keys[i] != table->keys[distinct - 1]) table->keys[distinct++] = table->keys[i];
    }
    table->count = distinct;
}

uint32_t nnm_number_table_find(const nnm_number_table *table, double number)
{
    uint64_t key = key_of(number);
    const uint64_t *first = table->keys;
    for (size_t count = table->count; count > 1;) {
        size_t half = count / 2;
        first += first[half] <= key ? half : 0;
        count -= half;
    }
    return (uint32_t)(first - table->keys);
}

double nnm_number_table_at(const nnm_number_table *table, size_t index)
{
    return number_of(table->keys[index]);
}

void nnm_number_table_fini(nnm_number_table *table)
{
    free(table->keys);
    *table = (nnm_number_table){0};
}

void nnm_number_table_put(const nnm_number_table *table, nnm_buffer *out)
{
    nnm_put_u32(out, (uint32_t)table->count);
    if (table->count == 0) return;
    uint64_t all = 1; /* keeps the shift below 64 for a table of one key 0 */
    all <<= 63;
    for (size_t i = 0; i < table->count; i++)
        all |= table->keys[i];
    unsigned shift = 0;
    while (!(all >> shift & 1))
        shift++;
    nnm_put_u8(out, (uint8_t)shift);
    uint64_t before = 0;
    for (size_t i = 0; i < table->count; i++) {
        nnm_put_varint(out, (table->keys[i] - before) >> shift);
        before = table->keys[i];
    }
}

nnm_status nnm_number_table_get(nnm_number_table *table, nnm_reader *in, nnm_error *err)
{
    size_t count = nnm_get_u32(in);
    if (in->failed || count > nnm_left(in))
        return nnm_fail(err, NNM_ERR_PARSE, "a table of %zu numbers does not fit the file", count);
    if (count == 0) return NNM_OK;
    unsigned shift = nnm_get_u8(in);
    if (in->failed || shift > 63) return nnm_fail(err, NNM_ERR_PARSE, "a table of numbers has the shift %u", shift);

    uint64_t *keys = nnm_calloc(count, sizeof *keys);
    if (!keys) return nnm_fail_memory(err);
    uint64_t key = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t step = nnm_get_varint(in);
        bool fits = !in->failed && step <= (UINT64_MAX - key) >> shift && (step > 0 || i == 0);
        if (fits) key += step << shift;
        if (!fits || key == 0 || !isfinite(number_of(key))) {
            free(keys);
            return nnm_fail(err, NNM_ERR_PARSE, "number %zu of a table of %zu is not valid", i + 1, count);
        }
        keys[i] = key;
    }
    *table = (nnm_number_table){.keys = keys, .count = count, .capacity = count};
    return NNM_OK;
}
