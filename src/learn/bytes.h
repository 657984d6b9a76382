/* Little-endian bytes and packed bits: written to a buffer, read back with every bound checked. */
#ifndef NNM_LEARN_BYTES_H
#define NNM_LEARN_BYTES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

void nnm_put_u8(nnm_buffer *out, uint8_t value);
void nnm_put_u16(nnm_buffer *out, uint16_t value);
void nnm_put_u32(nnm_buffer *out, uint32_t value);
void nnm_put_u64(nnm_buffer *out, uint64_t value);
void nnm_put_f64(nnm_buffer *out, double value);        /* every NaN as the same bits */
void nnm_put_varint(nnm_buffer *out, uint64_t value);   /* 7 bits a byte, lowest first, the top bit: more follow */
void nnm_put_string(nnm_buffer *out, const char *text); /* uint16 length, bytes; at most 65,535 */

/* A read beyond the end sets `failed`, takes nothing and gives 0; so does every later one. */
typedef struct nnm_reader {
    const unsigned char *at, *end;
    bool failed;
} nnm_reader;

uint8_t nnm_get_u8(nnm_reader *in);
uint16_t nnm_get_u16(nnm_reader *in);
uint32_t nnm_get_u32(nnm_reader *in);
uint64_t nnm_get_u64(nnm_reader *in);
double nnm_get_f64(nnm_reader *in);
uint64_t nnm_get_varint(nnm_reader *in); /* more than 64 bits fail */
size_t nnm_left(const nnm_reader *in);

/* A new terminated string, at most `longest` bytes and with no zero byte among them. NULL when it is not (then
 * `failed` is set) or memory is short (then it is not). */
char *nnm_get_string(nnm_reader *in, size_t longest);

/* Numbers of 0..32 bits, the first in the lowest bits of the first byte. */
typedef struct nnm_bit_writer {
    nnm_buffer *out;
    uint64_t bits;
    unsigned count;
} nnm_bit_writer;

void nnm_put_bits(nnm_bit_writer *writer, uint32_t value, unsigned width);
void nnm_flush_bits(nnm_bit_writer *writer); /* fills the last byte with zeros */

typedef struct nnm_bit_reader {
    const unsigned char *at, *end;
    uint64_t bits;
    unsigned count;
    bool failed;
} nnm_bit_reader;

uint32_t nnm_get_bits(nnm_bit_reader *reader, unsigned width);

/* Bits that tell 0..count-1 apart. */
unsigned nnm_bit_width(uint32_t count);

#endif
