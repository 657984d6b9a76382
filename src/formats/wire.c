#include "formats/wire.h"

#include <inttypes.h>
#include <stdint.h>

#include "base/error.h"

#define MAX_DEPTH 48
#define MAX_TAG_BYTES 5
#define MAX_VARINT_BYTES 10

/* What unpacking takes beside the data: an entry of protobuf-c's list of fields, and a block of the allocator. */
#define FIELD_COST 48
#define BLOCK_COST 32

enum wire_type {
    WIRE_VARINT = 0,
    WIRE_64_BITS = 1,
    WIRE_BYTES = 2,
    WIRE_32_BITS = 5
};

typedef struct scan {
    const uint8_t *bytes;
    size_t memory; /* that unpacking will take, at most */
    nnm_error *err;
} scan;

static nnm_status fail_cut(scan *s, size_t offset, const char *what)
{
    nnm_status status =
        nnm_fail(s->err, NNM_ERR_PARSE, "not an ONNX model, or cut short: the %s at byte %zu has no end", what, offset);
    if (s->err) s->err->offset = offset;
    return status;
}

static nnm_status fail_bad(scan *s, size_t offset, const char *what)
{
    nnm_status status =
        nnm_fail(s->err, NNM_ERR_PARSE, "not an ONNX model, or damaged: there is %s at byte %zu", what, offset);
    if (s->err) s->err->offset = offset;
    return status;
}

static nnm_status read_varint(scan *s, size_t *position, size_t end, size_t max_bytes, uint64_t *out)
{
    size_t begin = *position;
    uint64_t value = 0;
    for (size_t i = 0; i < max_bytes; i++) {
        if (begin + i == end) return fail_cut(s, begin, "number");
        uint8_t byte = s->bytes[begin + i];
        value |= (uint64_t)(byte & 0x7F) << (7 * i);
        if (byte & 0x80) continue;
        *position = begin + i + 1;
        *out = value;
        return NNM_OK;
    }
    return fail_bad(s, begin, "a number that is too long");
}

/* Adds up to the memory; sums cannot wrap, because every summand is at most a few times the size of the file. */
static void count_bytes_field(scan *s, const ProtobufCFieldDescriptor *field, size_t length)
{
    switch (field ? field->type : PROTOBUF_C_TYPE_BYTES) {
    case PROTOBUF_C_TYPE_MESSAGE:
        s->memory += ((const ProtobufCMessageDescriptor *)field->descriptor)->sizeof_message + BLOCK_COST;
        break;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES: s->memory += length + BLOCK_COST; break;
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_DOUBLE: s->memory += length; break;
    default: s->memory += 8 * length; break;
    }
}

static nnm_status check_message(scan *s, const ProtobufCMessageDescriptor *descriptor, size_t position, size_t end,
                                unsigned depth);

static nnm_status check_field(scan *s, const ProtobufCMessageDescriptor *descriptor, size_t *position, size_t end,
                              unsigned depth)
{
    size_t begin = *position;
    uint64_t tag = 0, number = 0;
    nnm_status status = read_varint(s, position, end, MAX_TAG_BYTES, &tag);
    if (status) return status;
    if (tag >> 3 == 0 || tag > UINT32_MAX) return fail_bad(s, begin, "a field without a number");
    s->memory += FIELD_COST;

    switch (tag & 7) {
    case WIRE_VARINT: return read_varint(s, position, end, MAX_VARINT_BYTES, &number);
    case WIRE_64_BITS: number = 8; break;
    case WIRE_32_BITS: number = 4; break;
    case WIRE_BYTES:
        if ((status = read_varint(s, position, end, MAX_TAG_BYTES, &number))) return status;
        break;
    default: return fail_bad(s, begin, "a field of an unknown kind");
    }
    if (number > end - *position) return fail_cut(s, begin, "field");
    size_t contents = *position;
    *position += (size_t)number;
    if ((tag & 7) != WIRE_BYTES) return NNM_OK;

    const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(descriptor, (unsigned)(tag >> 3));
    count_bytes_field(s, field, (size_t)number);
    if (!field || field->type != PROTOBUF_C_TYPE_MESSAGE) return NNM_OK;
    if (depth == MAX_DEPTH) return fail_bad(s, begin, "a message nested too deeply");
    return check_message(s, field->descriptor, contents, *position, depth + 1);
}

static nnm_status check_message(scan *s, const ProtobufCMessageDescriptor *descriptor, size_t position, size_t end,
                                unsigned depth)
{
    nnm_status status = NNM_OK;
    while (position < end && !status)
        status = check_field(s, descriptor, &position, end, depth);
    return status;
}

nnm_status nnm_wire_check(const ProtobufCMessageDescriptor *descriptor, const void *bytes, size_t size_bytes,
                          nnm_error *err)
{
    scan s = {bytes, descriptor->sizeof_message, err};
    nnm_status status = check_message(&s, descriptor, 0, size_bytes, 0);
    if (status) return status;
    if (s.memory > NNM_WIRE_MEMORY_FREE && (s.memory - NNM_WIRE_MEMORY_FREE) / NNM_WIRE_MEMORY_FACTOR > size_bytes)
        return nnm_fail(err, NNM_ERR_PARSE, "not an ONNX model: its %zu bytes would take %zu to unpack", size_bytes,
                        s.memory);
    return NNM_OK;
}
