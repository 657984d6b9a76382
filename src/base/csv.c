#include "base/csv.h"

#include <csv.h>
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
    if (size_bytes >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) { /* a byte-order mark, as spreadsheets write */
        text += 3;
        size_bytes -= 3;
    }
    for (size_t at = 0; at < size_bytes && r.status == NNM_OK;) { /* a line a time, so that errors know theirs */
        const char *newline = memchr(text + at, '\n', size_bytes - at);
        size_t chunk = newline ? (size_t)(newline - (text + at)) + 1 : size_bytes - at;
        if (memchr(text + at, '\0', chunk))
            r.status = nnm_fail_at(err, NNM_ERR_PARSE, name, r.line, 0, "a zero byte: this is not text in UTF-8");
        else if (csv_parse(&parser, text + at, chunk, on_cell, on_row_end, &r) != chunk && r.status == NNM_OK)
            r.status = nnm_fail_at(err, NNM_ERR_PARSE, name, r.line, 0, "%s", csv_strerror(csv_error(&parser)));
        at += chunk;
        r.line += newline != NULL;
    }
    if (r.status == NNM_OK && csv_fini(&parser, on_cell, on_row_end, &r) != 0 && r.status == NNM_OK)
        r.status = nnm_fail_at(err, NNM_ERR_PARSE, name, r.line, 0, "a quoted cell does not end");
    status = r.status;
    if (status == NNM_OK) status = nnm_buffer_check(&r.text, err);
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
