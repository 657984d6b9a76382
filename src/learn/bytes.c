#include "learn/bytes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void put_little_endian(nnm_buffer *out, uint64_t value, size_t size)
{
    unsigned char bytes[8];
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)(value >> (8 * i));
    nnm_buffer_append(out, bytes, size);
}

void nnm_put_u8(nnm_buffer *out, uint8_t value)
{
    put_little_endian(out, value, 1);
}

void nnm_put_u16(nnm_buffer *out, uint16_t value)
{
    put_little_endian(out, value, 2);
}

void nnm_put_u32(nnm_buffer *out, uint32_t value)
{
    put_little_endian(out, value, 4);
}

void nnm_put_u64(nnm_buffer *out, uint64_t value)
{
    put_little_endian(out, value, 8);
}

void nnm_put_f64(nnm_buffer *out, double value)
{
    uint64_t bits = UINT64_C(0x7FF8000000000000);
    if (!isnan(value)) memcpy(&bits, &value, sizeof bits);
    nnm_put_u64(out, bits);
}

void nnm_put_varint(nnm_buffer *out, uint64_t value)
{
    unsigned char bytes[10];
    size_t size = 0;
    do {
        bytes[size++] = (unsigned char)((value & 0x7F) | (value > 0x7F ? 0x80 : 0));
        value >>= 7;
    } while (value);
    nnm_buffer_append(out, bytes, size);
}

void nnm_put_string(nnm_buffer *out, const char *text)
{
    size_t size = strlen(text);
    if (size > UINT16_MAX) size = UINT16_MAX;
    nnm_put_u16(out, (uint16_t)size);
    nnm_buffer_append(out, text, size);
}

size_t nnm_left(const nnm_reader *in)
{
    return in->failed ? 0 : (size_t)(in->end - in->at);
}

static uint64_t get_little_endian(nnm_reader *in, size_t size)
{
    if (nnm_left(in) < size) {
        in->failed = true;
        return 0;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value |= (uint64_t)in->at[i] << (8 * i);
    in->at += size;
    return value;
}

uint8_t nnm_get_u8(nnm_reader *in)
{
    return (uint8_t)get_little_endian(in, 1);
}

uint16_t nnm_get_u16(nnm_reader *in)
{
    return (uint16_t)get_little_endian(in, 2);
}

uint32_t nnm_get_u32(nnm_reader *in)
{
    return (uint32_t)get_little_endian(in, 4);
}

uint64_t nnm_get_u64(nnm_reader *in)
{
    return get_little_endian(in, 8);
}

double nnm_get_f64(nnm_reader *in)
{
    uint64_t bits = nnm_get_u64(in);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

uint64_t nnm_get_varint(nnm_reader *in)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = nnm_get_u8(in);
        if (in->failed) return 0;
        if (shift == 63 && byte > 1) break;
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (!(byte & 0x80)) return value;
    }
    in->failed = true;
    return 0;
}

char *nnm_get_string(nnm_reader *in, size_t longest)
{
    size_t size = nnm_get_u16(in);
    if (in->failed || size > longest || size > nnm_left(in) || (size > 0 && memchr(in->at, 0, size))) {
        in->failed = true;
        return NULL;
    }
    char *text = malloc(size + 1);
    if (!text) return NULL;
    memcpy(text, in->at, size);
    text[size] = 0;
    in->at += size;
    return text;
}

void nnm_put_bits(nnm_bit_writer *writer, uint32_t value, unsigned width)
{
    writer->bits |= (uint64_t)value << writer->count;
    writer->count += width;
    if (writer->count >= 32) {
        nnm_put_u32(writer->out, (uint32_t)writer->bits);
        writer->bits >>= 32;
        writer->count -= 32;
    }
}

void nnm_flush_bits(nnm_bit_writer *writer)
{
    put_little_endian(writer->out, writer->bits, (writer->count + 7) / 8);
    writer->bits = 0;
    writer->count = 0;
}

uint32_t nnm_get_bits(nnm_bit_reader *reader, unsigned width)
{
    while (reader->count < width) {
        if (reader->at == reader->end) {
            reader->failed = true;
            return 0;
        }
        reader->bits |= (uint64_t)*reader->at++ << reader->count;
        reader->count += 8;
    }
    uint32_t value = (uint32_t)(reader->bits & ((UINT64_C(1) << width) - 1));
    reader->bits >>= width;
    reader->count -= width;
    return value;
}

unsigned nnm_bit_width(uint32_t count)
{
    unsigned width = 0;
    while (count > 1 && (count - 1) >> width)
        width++;
    return width;
}
