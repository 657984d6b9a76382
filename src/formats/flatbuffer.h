/*
 * FlatBuffers, the wire format of TensorFlow Lite: tables whose fields are found through a vtable, vectors and strings,
 * all reached by relative offsets.
 *
 * Writing goes front to back: a table is appended with its links open, and whatever is appended for a link closes it.
 * So large data can follow at the end of a file without ever having been in memory.
 *
 * Reading trusts nothing: every offset, vtable and length is checked against the file before it is used. What is wrong
 * is remembered in the file; from then on tables are empty, vectors have no elements and numbers have their defaults,
 * so read freely and check once a step, with nnm_fb_status.
 */
#ifndef NNM_FORMATS_FLATBUFFER_H
#define NNM_FORMATS_FLATBUFFER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

/* ---- writing ---- */

typedef enum nnm_fb_kind {
    NNM_FB_INT = 0, /* 32 bits */
    NNM_FB_BYTE,
    NNM_FB_LINK /* to a table, vector or string */
} nnm_fb_kind;

typedef struct nnm_fb_field {
    unsigned number;
    nnm_fb_kind kind;
    int32_t value; /* LINK: not used */
    size_t at;     /* set by nnm_fb_table: where the field lies; for a LINK what to close */
} nnm_fb_field;

/* Begins a file: an open link to the root table, which is returned, and the four letters that identify the format. */
size_t nnm_fb_begin(nnm_buffer *out, const char identifier[4]);

/* Appends a table and closes `link` with it. */
void nnm_fb_table(nnm_buffer *out, size_t link, nnm_fb_field *fields, size_t count);

/* Appends a vector of `count` open links and closes `link` with it. Returns where the first lies; the others follow,
 * four bytes each. */
size_t nnm_fb_links(nnm_buffer *out, size_t link, size_t count);

void nnm_fb_ints(nnm_buffer *out, size_t link, const int32_t *values, size_t count);
void nnm_fb_string(nnm_buffer *out, size_t link, const char *text);

/* Closes `link` with something that is going to lie at `target`. */
void nnm_fb_close(nnm_buffer *out, size_t link, size_t target);

/* The lowest place from `end` on for a vector of bytes whose data must lie at a multiple of `alignment`. */
size_t nnm_fb_place(size_t end, size_t alignment);

/* ---- reading ---- */

typedef struct nnm_fb_file {
    const unsigned char *bytes;
    size_t size;
    const char *format; /* for messages: "TensorFlow Lite" */
    const char *wrong;  /* the first thing found wrong; NULL so far */
    size_t wrong_at;
} nnm_fb_file;

typedef struct nnm_fb_table_view {
    size_t at, vtable;
    unsigned vtable_size, size; /* bytes; 0: no table */
} nnm_fb_table_view;

typedef struct nnm_fb_vector {
    size_t at; /* first element */
    size_t count;
} nnm_fb_vector;

/* PARSE, with place and reason, if anything read so far was wrong. */
NNM_NODISCARD nnm_status nnm_fb_status(const nnm_fb_file *file, nnm_error *err);

bool nnm_fb_has_identifier(const void *bytes, size_t size, const char identifier[4]);
nnm_fb_table_view nnm_fb_root(nnm_fb_file *file, const char identifier[4]);

bool nnm_fb_has(nnm_fb_file *file, const nnm_fb_table_view *table, unsigned field);
int32_t nnm_fb_int(nnm_fb_file *file, const nnm_fb_table_view *table, unsigned field, int32_t otherwise);
uint64_t nnm_fb_ulong(nnm_fb_file *file, const nnm_fb_table_view *table, unsigned field);
unsigned nnm_fb_byte(nnm_fb_file *file, const nnm_fb_table_view *table, unsigned field);
nnm_fb_table_view nnm_fb_child(nnm_fb_file *file, const nnm_fb_table_view *table, unsigned field);

/* Empty where the table has no such field. All elements lie inside the file. */
nnm_fb_vector nnm_fb_elements(nnm_fb_file *file, const nnm_fb_table_view *table, unsigned field, size_t element_size);

/* Element `index` of a vector of links to tables, and of a vector of 32-bit numbers; the index is trusted. */
nnm_fb_table_view nnm_fb_table_at(nnm_fb_file *file, const nnm_fb_vector *vector, size_t index);
int32_t nnm_fb_int_at(const nnm_fb_file *file, const nnm_fb_vector *vector, size_t index);

#endif
