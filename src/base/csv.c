#include "base/csv.h"

#include <csv.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"

/* libcsv hands over cells and row ends; cells are copied one behind the other and found by offset, for the text may
 * still move. */
typedef struct reader {
    nnm_csv *csv;
    nnm_buffer text;
    size_t *offsets;
    size_t offset_count, offset_capacity;
    size_t row_start; /* index into offsets of the row being read */
    size_t *lines;
    size_t line_count, line_capacity;
    size_t line; /* of the byte being read */
    size_t columns;
    nnm_status status;
    nnm_error *err;
} reader;

static void on_cell(void *bytes, size_t size, void *context)
{
    reader *r = context;
    if (r->status) return;
    void *offsets = r->offsets;
    r->status = nnm_grow(&offsets, &r->offset_capacity, r->offset_count + 1, sizeof *r->offsets, r->err);
    if (r->status) return;
    r->offsets = offsets;
    r->offsets[r->offset_count++] = r->text.size;
    nnm_buffer_append(&r->text, bytes, size);
    nnm_buffer_append(&r->text, "", 1);
}

static void on_row_end(int end, void *context)
{
    (void)end;
    reader *r = context;
    if (r->status) return;
    size_t cells = r->offset_count - r->row_start;
    if (r->columns == 0) {
        r->columns = cells;
    } else if (cells != r->columns) {
        r->status = nnm_fail_at(r->err, NNM_ERR_PARSE, r->csv->name, r->line, 0,
                                "found %zu cells where the header has %zu columns", cells, r->columns);
        return;
    }
    r->row_start = r->offset_count;
    void *lines = r->lines;
    r->status = nnm_grow(&lines, &r->line_capacity, r->line_count + 1, sizeof *r->lines, r->err);
    if (r->status) return;
    r->lines = lines;
    r->lines[r->line_count++] = r->line;
}

static nnm_status check_header(const nnm_csv *csv, size_t line, nnm_error *err)
{
    for (size_t i = 0; i < csv->columns; i++) {
        if (csv->header[i][0] == '\0')
            return nnm_fail_at(err, NNM_ERR_PARSE, csv->name, line, 0, "column %zu has no name", i + 1);
        for (size_t j = 0; j < i; j++)
            if (strcasecmp(csv->header[i], csv->header[j]) == 0)
                return nnm_fail_at(err, NNM_ERR_PARSE, csv->name, line, 0, "columns %zu and %zu are both called '%s'",
                                   j + 1, i + 1, csv->header[i]);
    }
    return NNM_OK;
}

/* Turns offsets into the pointers of the finished table. */
static nnm_status finish(reader *r, nnm_error *err)
{
    nnm_csv *csv = r->csv;
    if (r->line_count == 0)
        return nnm_fail_at(err, NNM_ERR_PARSE, csv->name, 0, 0, "the file is empty: a line of column names is needed");
    csv->columns = r->columns;
    csv->rows = r->line_count - 1;
    csv->header = nnm_calloc(r->offset_count, sizeof *csv->header);
    csv->line = nnm_calloc(csv->rows, sizeof *csv->line);
    if (!csv->header || !csv->line) return nnm_fail_memory(err);
    csv->text = r->text.data;
    r->text = (nnm_buffer){0};
    for (size_t i = 0; i < r->offset_count; i++)
        csv->header[i] = csv->text + r->offsets[i];
    csv->cells = csv->header + csv->columns;
    if (csv->rows) memcpy(csv->line, r->lines + 1, csv->rows * sizeof *csv->line);
    return check_header(csv, r->lines[0], err);
}

/* Takes one line, so that errors know theirs. */
static void take_line(reader *r, struct csv_parser *parser, const char *text, size_t size)
{
    if (r->line == 1 && size >= 3 &&
        memcmp(text, "\xEF\xBB\xBF", 3) == 0) { /* a byte-order mark, as spreadsheets write */
        text += 3;
        size -= 3;
    }
    if (memchr(text, '\0', size))
        r->status =
            nnm_fail_at(r->err, NNM_ERR_PARSE, r->csv->name, r->line, 0, "a zero byte: this is not text in UTF-8");
    else if (csv_parse(parser, text, size, on_cell, on_row_end, r) != size && r->status == NNM_OK)
        r->status = nnm_fail_at(r->err, NNM_ERR_PARSE, r->csv->name, r->line, 0, "%s", csv_strerror(csv_error(parser)));
    r->line += size && text[size - 1] == '\n';
}

static void take_end(reader *r, struct csv_parser *parser)
{
    if (r->status == NNM_OK && csv_fini(parser, on_cell, on_row_end, r) != 0 && r->status == NNM_OK)
        r->status = nnm_fail_at(r->err, NNM_ERR_PARSE, r->csv->name, r->line, 0, "a quoted cell does not end");
    if (r->status == NNM_OK) r->status = nnm_buffer_check(&r->text, r->err);
}

nnm_status nnm_csv_parse(nnm_csv *out, const char *text, size_t size_bytes, const char *name, nnm_error *err)
{
    nnm_csv csv = {.name = nnm_strdup(name)};
    reader r = {.csv = &csv, .line = 1, .err = err};
    struct csv_parser parser;
    nnm_status status = NNM_OK;
    bool parsing = csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) == 0;
    if (!csv.name || !parsing) {
        status = nnm_fail_memory(err);
        goto done;
    }
    for (size_t at = 0; at < size_bytes && r.status == NNM_OK;) {
        const char *newline = memchr(text + at, '\n', size_bytes - at);
        size_t size = newline ? (size_t)(newline - (text + at)) + 1 : size_bytes - at;
        take_line(&r, &parser, text + at, size);
        at += size;
    }
    take_end(&r, &parser);
    status = r.status;
    if (status == NNM_OK) status = finish(&r, err);
    if (status == NNM_OK) {
        *out = csv;
        csv = (nnm_csv){0};
    }
done:
    if (parsing) csv_free(&parser);
    nnm_buffer_fini(&r.text);
    free(r.offsets);
    free(r.lines);
    nnm_csv_fini(&csv);
    return status;
}

nnm_status nnm_csv_read(nnm_csv *out, const char *path, nnm_error *err)
{
    char *text = NULL;
    size_t size = 0;
    nnm_status status = nnm_file_read(path, &text, &size, err);
    if (status) return status;
    status = nnm_csv_parse(out, text, size, path, err);
    free(text);
    return status;
}

void nnm_csv_fini(nnm_csv *csv)
{
    free(csv->name);
    free(csv->header);
    free(csv->line);
    free(csv->text);
    *csv = (nnm_csv){0};
}

/* ---- a few rows at a time ---- */

struct nnm_csv_stream {
    FILE *file;
    struct csv_parser parser;
    bool parsing, ended;
    char *line; /* getline's */
    size_t line_capacity;
    reader reader;
    nnm_csv table;
    char **header; /* of its own: the table's text is written over */
    char **cells;
    size_t cell_capacity;
};

/* Reads lines until `rows` rows are complete or the file ends. */
static nnm_status read_rows(nnm_csv_stream *s, size_t rows, nnm_error *err)
{
    reader *r = &s->reader;
    r->err = err;
    r->text.size = r->offset_count = r->row_start = r->line_count = 0;
    while (r->status == NNM_OK && !s->ended && (r->line_count < rows || r->offset_count != r->row_start)) {
        errno = 0;
        ssize_t size = getline(&s->line, &s->line_capacity, s->file);
        if (size >= 0) {
            take_line(r, &s->parser, s->line, (size_t)size);
        } else if (ferror(s->file)) {
            r->status = nnm_fail_errno(err, "cannot read '%s'", s->table.name);
        } else if (!feof(s->file)) {
            r->status = nnm_fail_memory(err);
        } else {
            s->ended = true;
            take_end(r, &s->parser);
        }
    }
    if (r->status == NNM_OK) r->status = nnm_buffer_check(&r->text, err);
    return r->status;
}

static nnm_status keep_header(nnm_csv_stream *s, nnm_error *err)
{
    reader *r = &s->reader;
    if (r->line_count == 0)
        return nnm_fail_at(err, NNM_ERR_PARSE, s->table.name, 0, 0,
                           "the file is empty: a line of column names is needed");
    s->header = nnm_calloc(r->columns, sizeof *s->header);
    if (!s->header) return nnm_fail_memory(err);
    s->table.header = s->header;
    s->table.columns = r->columns;
    for (size_t i = 0; i < r->columns; i++) {
        s->header[i] = nnm_strdup(r->text.data + r->offsets[i]);
        if (!s->header[i]) return nnm_fail_memory(err);
    }
    return check_header(&s->table, r->lines[0], err);
}

nnm_status nnm_csv_stream_open(nnm_csv_stream **out, const char *path, nnm_error *err)
{
    nnm_csv_stream *s = nnm_calloc(1, sizeof *s);
    if (!s) return nnm_fail_memory(err);
    nnm_status status = NNM_OK;
    s->reader = (reader){.csv = &s->table, .line = 1};
    s->table.name = nnm_strdup(path);
    s->parsing = csv_init(&s->parser, CSV_STRICT | CSV_STRICT_FINI) == 0;
    if (!s->table.name || !s->parsing) status = nnm_fail_memory(err);
    if (status == NNM_OK) s->file = fopen(path, "rbe");
    if (status == NNM_OK && !s->file) status = nnm_fail_errno(err, "cannot read '%s'", path);
    if (status == NNM_OK) status = read_rows(s, 1, err);
    if (status == NNM_OK) status = keep_header(s, err);
    if (status)
        nnm_csv_stream_close(s);
    else
        *out = s;
    return status;
}

const nnm_csv *nnm_csv_stream_table(const nnm_csv_stream *s)
{
    return &s->table;
}

nnm_status nnm_csv_stream_next(nnm_csv_stream *s, size_t rows, nnm_error *err)
{
    reader *r = &s->reader;
    nnm_csv *table = &s->table;
    table->rows = 0;
    nnm_status status = read_rows(s, rows, err);
    void *cells = s->cells;
    if (status == NNM_OK) status = nnm_grow(&cells, &s->cell_capacity, r->offset_count, sizeof *s->cells, err);
    s->cells = cells;
    if (status) return status;
    for (size_t i = 0; i < r->offset_count; i++)
        s->cells[i] = r->text.data + r->offsets[i];
    table->cells = s->cells;
    table->line = r->lines;
    table->rows = r->line_count;
    return NNM_OK;
}

void nnm_csv_stream_close(nnm_csv_stream *s)
{
    if (!s) return;
    if (s->file) fclose(s->file);
    if (s->parsing) csv_free(&s->parser);
    for (size_t i = 0; s->header && i < s->table.columns; i++)
        free(s->header[i]);
    free(s->header);
    free(s->cells);
    free(s->line);
    free(s->table.name);
    free(s->reader.offsets);
    free(s->reader.lines);
    nnm_buffer_fini(&s->reader.text);
    free(s);
}

/* ---- cells ---- */

long nnm_csv_column(const nnm_csv *csv, const char *name)
{
    for (size_t i = 0; i < csv->columns; i++)
        if (strcasecmp(csv->header[i], name) == 0) return (long)i;
    return -1;
}

const char *nnm_csv_cell(const nnm_csv *csv, size_t row, size_t column)
{
    return csv->cells[row * csv->columns + column];
}

void nnm_csv_write_cell(FILE *stream, const char *cell)
{
    size_t size = strlen(cell);
    bool blank_end = size && (strchr(" \t", cell[0]) || strchr(" \t", cell[size - 1])); /* readers drop those */
    if (blank_end || strpbrk(cell, ",\"\r\n"))
        csv_fwrite(stream, cell, size);
    else
        fputs(cell, stream);
}
