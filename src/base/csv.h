/*
 * Comma-separated tables (RFC 4180) as text: a header line of column names, then rows with as many cells.
 */
#ifndef NNM_BASE_CSV_H
#define NNM_BASE_CSV_H

#include <stdio.h>

#include "nnmeter/status.h"

typedef struct nnm_csv {
    char *name; /* for messages: the path it was read from */
    char **header;
    size_t columns;
    char **cells; /* row-major, rows * columns; never NULL */
    size_t *line; /* of each row, where it ends, 1-based */
    size_t rows;
    char *text; /* what header and cells point into */
} nnm_csv;

/* Reads a table. Blank lines are skipped. Errors: NOT_FOUND, IO, NO_MEMORY, PARSE with the line: no header, a row of
 * another length than the header, two columns of one name, a quote that does not end. */
NNM_NODISCARD nnm_status nnm_csv_read(nnm_csv *out, const char *path, nnm_error *err);
NNM_NODISCARD nnm_status nnm_csv_parse(nnm_csv *out, const char *text, size_t size_bytes, const char *name,
                                       nnm_error *err);
void nnm_csv_fini(nnm_csv *csv); /* a zeroed struct is fine */

/* A table read a few rows at a time, in memory that does not grow with the file. */
typedef struct nnm_csv_stream nnm_csv_stream;

/* Opens a file or a pipe and reads its header. Errors: as nnm_csv_read, for the header. */
NNM_NODISCARD nnm_status nnm_csv_stream_open(nnm_csv_stream **out, const char *path, nnm_error *err);
/* The rows read last, owned by the stream and valid until the next call: at first none, only the header. */
const nnm_csv *nnm_csv_stream_table(const nnm_csv_stream *stream);
/* Reads at most `rows` further rows; none are left at the end of the file. Errors: as nnm_csv_read. */
NNM_NODISCARD nnm_status nnm_csv_stream_next(nnm_csv_stream *stream, size_t rows, nnm_error *err);
void nnm_csv_stream_close(nnm_csv_stream *stream); /* NULL is allowed */

/* Index of a column, letter case free, or -1. */
long nnm_csv_column(const nnm_csv *csv, const char *name);
const char *nnm_csv_cell(const nnm_csv *csv, size_t row, size_t column);

/* Writes one cell, quoted where it must be. I/O errors stay in the stream's error flag. */
void nnm_csv_write_cell(FILE *stream, const char *cell);

#endif
