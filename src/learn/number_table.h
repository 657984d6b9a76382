/* A sorted table of distinct numbers, and its compact form in a file: the steps from one to the next. */
#ifndef NNM_LEARN_NUMBER_TABLE_H
#define NNM_LEARN_NUMBER_TABLE_H

#include "learn/bytes.h"
#include "nnmeter/status.h"

typedef struct nnm_number_table {
    uint64_t *keys; /* of the numbers, in the numbers' order */
    size_t count, capacity;
} nnm_number_table;

/* Adds a finite number, in any order and as often as it comes; then sort once. Errors: NO_MEMORY. */
NNM_NODISCARD nnm_status nnm_number_table_add(nnm_number_table *table, double number, nnm_error *err);
void nnm_number_table_sort(nnm_number_table *table);
/* The place of a number that was added. */
uint32_t nnm_number_table_find(const nnm_number_table *table, double number);
double nnm_number_table_at(const nnm_number_table *table, size_t index);
void nnm_number_table_fini(nnm_number_table *table);

/*
 *   uint32  count; nothing more follows a count of 0
 *   uint8   shift 0..63
 *   varint  key of the smallest number >> shift
 *   varint  count - 1 times: difference to the key before >> shift, > 0
 * A key is the number's bits read as a sign and a magnitude, plus 2^63.
 */
void nnm_number_table_put(const nnm_number_table *table, nnm_buffer *out);
/* Errors: PARSE (cut short, not increasing, not finite), NO_MEMORY. Fills a zeroed table. */
NNM_NODISCARD nnm_status nnm_number_table_get(nnm_number_table *table, nnm_reader *in, nnm_error *err);

#endif
