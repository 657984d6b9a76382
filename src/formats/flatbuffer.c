#include "formats/flatbuffer.h"

#include <string.h>

#include "base/error.h"

#define LINK_BYTES 4
#define TABLE_ALIGNMENT 4
#define MAX_FIELDS 16

/* ---- writing ---- */

static void append_number(nnm_buffer *out, uint32_t value, size_t size)
{
    unsigned char bytes[4];
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)(value >> 8 * i);
    nnm_buffer_append(out, bytes, size);
}

static void pad_to(nnm_buffer *out, size_t alignment)
{
    static const char zeros[16] = {0};
    if (out->size % alignment) nnm_buffer_append(out, zeros, alignment - out->size % alignment);
}

size_t nnm_fb_begin(nnm_buffer *out, const char identifier[4])
{
    append_number(out, 0, LINK_BYTES);
    nnm_buffer_append(out, identifier, 4);
    return 0;
}

void nnm_fb_close(nnm_buffer *out, size_t link, size_t target)
{
    if (out->failed) return;
    uint32_t distance = (uint32_t)(target - link);
    for (size_t i = 0; i < LINK_BYTES; i++)
        out->data[link + i] = (char)(unsigned char)(distance >> 8 * i);
}

/* Gives each field its place, the wide ones first; returns the size of the table. */
static unsigned arrange(const nnm_fb_field *fields, size_t count, uint16_t *offsets, unsigned *field_count)
{
    unsigned size = 4; /* the link to the vtable */
    *field_count = 0;
    for (int wide = 1; wide >= 0; wide--) {
        for (size_t i = 0; i < count; i++) {
            if ((fields[i].kind != NNM_FB_BYTE) != wide) continue;
            offsets[fields[i].number] = (uint16_t)size;
            size += wide ? 4 : 1;
            if (fields[i].number + 1 > *field_count) *field_count = fields[i].number + 1;
        }
    }
    return size;
}

void nnm_fb_table(nnm_buffer *out, size_t link, nnm_fb_field *fields, size_t count)
{
    uint16_t offsets[MAX_FIELDS] = {0};
    unsigned field_count;
    unsigned size = arrange(fields, count, offsets, &field_count);
    unsigned vtable_size = 4 + 2 * field_count;

    pad_to(out, TABLE_ALIGNMENT);
    if (vtable_size % TABLE_ALIGNMENT) append_number(out, 0, 2); /* the table follows its vtable without a gap */
    append_number(out, vtable_size, 2);
    append_number(out, size, 2);
    for (unsigned i = 0; i < field_count; i++)
        append_number(out, offsets[i], 2);

    size_t at = out->size;
    nnm_fb_close(out, link, at);
    append_number(out, vtable_size, 4);
    for (int wide = 1; wide >= 0; wide--) {
        for (size_t i = 0; i < count; i++) {
            if ((fields[i].kind != NNM_FB_BYTE) != wide) continue;
            fields[i].at = at + offsets[fields[i].number];
            append_number(out, fields[i].kind == NNM_FB_LINK ? 0 : (uint32_t)fields[i].value, wide ? 4 : 1);
        }
    }
}

static void begin_vector(nnm_buffer *out, size_t link, size_t count)
{
    pad_to(out, LINK_BYTES);
    nnm_fb_close(out, link, out->size);
    append_number(out, (uint32_t)count, 4);
}

size_t nnm_fb_links(nnm_buffer *out, size_t link, size_t count)
{
    begin_vector(out, link, count);
    size_t first = out->size;
    for (size_t i = 0; i < count; i++)
        append_number(out, 0, LINK_BYTES);
    return first;
}

void nnm_fb_ints(nnm_buffer *out, size_t link, const int32_t *values, size_t count)
{
    begin_vector(out, link, count);
    for (size_t i = 0; i < count; i++)
        append_number(out, (uint32_t)values[i], 4);
}

void nnm_fb_string(nnm_buffer *out, size_t link, const char *text)
{
    size_t length = strlen(text);
    begin_vector(out, link, length);
    nnm_buffer_append(out, text, length + 1); /* strings end in a zero that their length does not count */
}

size_t nnm_fb_place(size_t end, size_t alignment)
{
    size_t data = (end + 4 + alignment - 1) / alignment * alignment;
    return data - 4;
}

/* ---- reading ---- */

static void found_wrong(nnm_fb_file *file, size_t at, const char *what)
{
    if (file->wrong) return;
    file->wrong = what;
    file->wrong_at = at;
}

nnm_status nnm_fb_status(const nnm_fb_file *file, nnm_error *err)
{
    if (!file->wrong) return NNM_OK;
    nnm_fail(err, NNM_ERR_PARSE, "not a %s model, or cut short: %s at byte %zu", file->format, file->wrong,
             file->wrong_at);
    if (err) err->offset = file->wrong_at;
    return NNM_ERR_PARSE;
}

static bool inside(const nnm_fb_file *file, size_t at, size_t size)
{
    return at <= file->size && size <= file->size - at;
}

static uint64_t number_at(const nnm_fb_file *file, size_t at, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value |= (uint64_t)file->bytes[at + i] << 8 * i;
    return value;
}

bool nnm_fb_has_identifier(const void *bytes, size_t size, const char identifier[4])
{
    return size >= 8 && memcmp((const char *)bytes + 4, identifier, 4) == 0;
}

/* The place that the link at `at` leads to, which has at least four bytes; 0 when there is none. */
static size_t follow(nnm_fb_file *file, size_t at)
{
    if (file->wrong || !inside(file, at, LINK_BYTES)) {
        found_wrong(file, at, "an offset outside the file");
        return 0;
    }
    size_t distance = (size_t)number_at(file, at, LINK_BYTES);
    if (distance == 0 || !inside(file, at, distance) || !inside(file, at + distance, 4)) {
        found_wrong(file, at, "an offset that leads out of the file");
        return 0;
    }
    return at + distance;
}

/* The table that the link at `link` leads to. */
static nnm_fb_table_view open_table(nnm_fb_file *file, size_t link)
{
    nnm_fb_table_view none = {0}, table = {0};
    table.at = follow(file, link);
    if (!table.at) return none;
    /* signed: the vtable may lie before the table or behind it */
    int64_t vtable = (int64_t)table.at - (int32_t)(uint32_t)number_at(file, table.at, 4);
    if (vtable < 0 || !inside(file, (size_t)vtable, 4)) {
        found_wrong(file, table.at, "a table without a vtable");
        return none;
    }
    table.vtable = (size_t)vtable;
    table.vtable_size = (unsigned)number_at(file, table.vtable, 2);
    table.size = (unsigned)number_at(file, table.vtable + 2, 2);
    if (table.vtable_size < 4 || table.vtable_size % 2 || !inside(file, table.vtable, table.vtable_size)) {
        found_wrong(file, table.vtable, "a vtable of a wrong size");
        return none;
    }
    if (table.size < 4 || !inside(file, table.at, table.size)) {
        found_wrong(file, table.at, "a table that has no end");
        return none;
    }
    return table;
}

nnm_fb_table_view nnm_fb_root(nnm_fb_file *file, const char identifier[4])
{
    if (!nnm_fb_has_identifier(file->bytes, file->size, identifier)) {
        found_wrong(file, file->size < 8 ? file->size : 4, "no file identifier");
        return (nnm_fb_table_view){0};
    }
    return open_table(file, 0);
}

/* Where a field of `size` bytes lies; 0 when the table does not have it. */
static size_t find_field(nnm_fb_file *file, const nnm_fb_table_view *table, unsigned field, size_t size)
{
    unsigned entry = 4 + 2 * field;
    if (file->wrong || table->size == 0 || entry + 2 > table->vtable_size) return 0;
    size_t offset = (size_t)number_at(file, table->vtable + entry, 2);
    if (offset == 0) return 0;
    if (offset < 4 || offset + size > table->size) {
        found_wrong(file, table->vtable + entry, "a field outside its table");
        return 0;
    }
    return table->at + offset;
}

bool nnm_fb_has(nnm_fb_file *file, const nnm_fb_table_view *table, unsigned field)
{
    return find_field(file, table, field, 1) != 0;
}

int32_t nnm_fb_int(nnm_fb_file *file, const nnm_fb_table_view *table, unsigned field, int32_t otherwise)
{
    size_t at = find_field(file, table, field, 4);
    return at ? (int32_t)(uint32_t)number_at(file, at, 4) : otherwise;
}

uint64_t nnm_fb_ulong(nnm_fb_file *file, const nnm_fb_table_view *table, unsigned field)
{
    size_t at = find_field(file, table, field, 8);
    return at ? number_at(file, at, 8) : 0;
}

unsigned nnm_fb_byte(nnm_fb_file *file, const nnm_fb_table_view *table, unsigned field)
{
    size_t at = find_field(file, table, field, 1);
    return at ? file->bytes[at] : 0;
}

nnm_fb_table_view nnm_fb_child(nnm_fb_file *file, const nnm_fb_table_view *table, unsigned field)
{
    size_t at = find_field(file, table, field, LINK_BYTES);
    return at ? open_table(file, at) : (nnm_fb_table_view){0};
}

nnm_fb_vector nnm_fb_elements(nnm_fb_file *file, const nnm_fb_table_view *table, unsigned field, size_t element_size)
{
    nnm_fb_vector none = {0};
    size_t link = find_field(file, table, field, LINK_BYTES);
    size_t at = link ? follow(file, link) : 0;
    if (!at) return none;
    nnm_fb_vector vector = {at + 4, (size_t)number_at(file, at, 4)};
    if (vector.count > (file->size - vector.at) / element_size) {
        found_wrong(file, at, "a vector that has no end");
        return none;
    }
    return vector;
}

nnm_fb_table_view nnm_fb_table_at(nnm_fb_file *file, const nnm_fb_vector *vector, size_t index)
{
    return open_table(file, vector->at + index * LINK_BYTES);
}

int32_t nnm_fb_int_at(const nnm_fb_file *file, const nnm_fb_vector *vector, size_t index)
{
    return (int32_t)(uint32_t)number_at(file, vector->at + index * 4, 4);
}
