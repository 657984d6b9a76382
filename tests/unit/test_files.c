/* Of base: files, comma-separated tables, numbers and names as text. */
#include "unit/testing.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <math.h>

#include "base/closest.h"
#include "base/csv.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/rng.h"

/* ---- files ---- */

static char folder[256];

static int make_sandbox(void **state)
{
    (void)state;
    make_folder(folder);
    return 0;
}

static int remove_sandbox(void **state)
{
    (void)state;
    remove_folder(folder);
    return 0;
}

static void assert_file_holds(const char *path, const char *text)
{
    nnm_error err = NNM_ERROR_INIT;
    char *data = NULL;
    size_t size = 0;
    assert_ok(nnm_file_read(path, &data, &size, &err));
    assert_int_equal(size, strlen(text));
    assert_string_equal(data, text);
    free(data);
}

/* Nothing but the files themselves: no temporary was left. */
static void assert_entries(const char *path, int expected)
{
    char command[512], answer[32] = "";
    snprintf(command, sizeof command, "ls -A '%.400s' | wc -l", path);
    FILE *pipe = popen(command, "r");
    assert_non_null(fgets(answer, sizeof answer, pipe));
    pclose(pipe);
    assert_int_equal(atoi(answer), expected);
}

static void files_are_written_whole(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    char path[512];
    in_folder(path, folder, "a");
    assert_ok(nnm_file_write(path, "one", 3, &err));
    assert_file_holds(path, "one");
    assert_ok(nnm_file_write(path, "", 0, &err));
    assert_file_holds(path, "");
    char *big = nnm_calloc(100001, 1);
    memset(big, 'x', 100000);
    assert_ok(nnm_file_write(path, big, 100000, &err));
    assert_file_holds(path, big);
    free(big);
    assert_true(nnm_file_exists(path));
    assert_false(nnm_folder_exists(path));
    assert_entries(folder, 1);
}

/* Makes every further write to the file fail as on a full disk. */
static void fill_disk_of(nnm_atomic_file *file)
{
    int full = open("/dev/full", O_WRONLY);
    assert_true(full >= 0);
    assert_true(dup2(full, fileno(file->stream)) >= 0);
    close(full);
}

static void full_disk_leaves_the_old_file(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    char path[512];
    in_folder(path, folder, "a");
    assert_ok(nnm_file_write(path, "old", 3, &err));
    /* A little text fails when it is flushed, much text before, and large blocks go past the stream's buffer. */
    const size_t sizes[] = {3, 20000, 1000000};
    for (size_t i = 0; i < 3; i++) {
        nnm_atomic_file file;
        assert_ok(nnm_atomic_file_open(&file, path, &err));
        fill_disk_of(&file);
        char *block = nnm_calloc(sizes[i], 1);
        (void)fwrite(block, 1, sizes[i], file.stream);
        free(block);
        errno = 0;
        assert_fails(nnm_atomic_file_commit(&file, &err), NNM_ERR_NO_SPACE, "cannot write '");
        assert_file_holds(path, "old");
        assert_entries(folder, 1);
        nnm_atomic_file_discard(&file);
    }
    assert_fails(nnm_file_append_line("/dev/full", "line", &err), NNM_ERR_NO_SPACE, "cannot write '/dev/full'");
}

static void discarding_leaves_the_old_file(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    char path[512];
    in_folder(path, folder, "a");
    assert_ok(nnm_file_write(path, "old", 3, &err));
    nnm_atomic_file file;
    assert_ok(nnm_atomic_file_open(&file, path, &err));
    fputs("new", file.stream);
    assert_entries(folder, 2);
    nnm_atomic_file_discard(&file);
    nnm_atomic_file_discard(&file);
    assert_file_holds(path, "old");
    assert_entries(folder, 1);
}

static void files_in_impossible_places_fail(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    char path[512], *data = NULL;
    size_t size = 0;
    in_folder(path, folder, "none");
    assert_fails(nnm_file_read(path, &data, &size, &err), NNM_ERR_NOT_FOUND, "No such file or directory");
    assert_fails(nnm_file_read(folder, &data, &size, &err), NNM_ERR_IO, "Is a directory");
    assert_fails(nnm_file_read("/dev/zero", &data, &size, &err), NNM_ERR_IO, "gives more than 256 MiB");
    assert_null(data);
    assert_fails(nnm_file_check(path, 1, "X", &err), NNM_ERR_NOT_FOUND, "No such file or directory");
    assert_fails(nnm_file_check(folder, 1, "X", &err), NNM_ERR_IO, "Is a directory");
    assert_fails(nnm_file_check("/dev/zero", 1, "X", &err), NNM_ERR_IO, "it is not a regular file");
    assert_fails(nnm_file_write(in_folder(path, folder, "none/a"), "x", 1, &err), NNM_ERR_NOT_FOUND, "none/a'");
    assert_ok(nnm_file_write(in_folder(path, folder, "a"), "x", 1, &err));
    /* A path below a file stands for a folder that may not be written: root may write anywhere else. */
    assert_fails(nnm_file_write(in_folder(path, folder, "a/b"), "x", 1, &err), NNM_ERR_IO, "Not a directory");
    assert_fails(nnm_file_append_line(path, "x", &err), NNM_ERR_IO, "Not a directory");
    assert_fails(nnm_file_write(folder, "x", 1, &err), NNM_ERR_IO, "cannot write '");
    nnm_atomic_file file;
    assert_fails(nnm_atomic_file_open(&file, path, &err), NNM_ERR_IO, "a/b'");
    nnm_atomic_file_discard(&file);
    assert_entries(folder, 1);
}

static void log_lines_stay_lines(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    char path[512];
    in_folder(path, folder, "log");
    assert_ok(nnm_file_append_line(path, "first", &err));
    assert_ok(nnm_file_append_line(path, "second\r\nof two", &err));
    assert_ok(nnm_file_append_line(path, "", &err));
    assert_file_holds(path, "first\nsecond  of two\n\n");
}

static void folders_come_with_their_parents(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    char path[512];
    assert_ok(nnm_folder_create(in_folder(path, folder, "x//y/z/"), &err));
    assert_true(nnm_folder_exists(path));
    assert_false(nnm_file_exists(path));
    assert_ok(nnm_folder_create(path, &err));
    assert_ok(nnm_folder_create("/", &err));
    assert_fails(nnm_folder_create("", &err), NNM_ERR_NOT_FOUND, "cannot create folder ''");
    assert_ok(nnm_file_write(in_folder(path, folder, "file"), "x", 1, &err));
    assert_fails(nnm_folder_create(path, &err), NNM_ERR_EXISTS, "file'");
    assert_fails(nnm_folder_create(in_folder(path, folder, "file/below"), &err), NNM_ERR_EXISTS, "file'");
}

/* ---- comma-separated tables ---- */

static nnm_status parse(nnm_csv *csv, const char *text, nnm_error *err)
{
    return nnm_csv_parse(csv, text, strlen(text), "t.csv", err);
}

static void tables_have_a_header_and_rows(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_csv csv = {0};
    assert_ok(parse(&csv, "HW,CIN,latency\n56,64,1.5\n28,128,2.5\n", &err));
    assert_int_equal(csv.columns, 3);
    assert_int_equal(csv.rows, 2);
    assert_int_equal(nnm_csv_column(&csv, "Latency"), 2);
    assert_int_equal(nnm_csv_column(&csv, "COUT"), -1);
    assert_string_equal(nnm_csv_cell(&csv, 1, 1), "128");
    assert_int_equal(csv.line[0], 2);
    assert_int_equal(csv.line[1], 3);
    assert_string_equal(csv.name, "t.csv");
    nnm_csv_fini(&csv);
    nnm_csv_fini(&csv);
}

static void tables_as_spreadsheets_write_them(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_csv csv = {0};
    assert_ok(parse(&csv, "\xEF\xBB\xBF\r\n\"name\",x\r\n\r\n\"a, \"\"b\"\"\",\"two\r\nlines\"\r\n,last", &err));
    assert_string_equal(csv.header[0], "name");
    assert_int_equal(csv.rows, 2);
    assert_string_equal(nnm_csv_cell(&csv, 0, 0), "a, \"b\"");
    assert_string_equal(nnm_csv_cell(&csv, 0, 1), "two\r\nlines");
    assert_int_equal(csv.line[0], 5);
    assert_string_equal(nnm_csv_cell(&csv, 1, 0), "");
    assert_string_equal(nnm_csv_cell(&csv, 1, 1), "last");
    assert_int_equal(csv.line[1], 6);
    nnm_csv_fini(&csv);
    assert_ok(parse(&csv, "only,a,header", &err));
    assert_int_equal(csv.rows, 0);
    assert_int_equal(csv.columns, 3);
    nnm_csv_fini(&csv);
}

static void broken_tables_are_refused_with_their_line(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_csv csv = {0};
    assert_fails(parse(&csv, "", &err), NNM_ERR_PARSE, "t.csv: the file is empty");
    assert_fails(parse(&csv, "\n \r\n\n", &err), NNM_ERR_PARSE, "the file is empty");
    assert_fails(parse(&csv, "a,b\n1,2\n\n3\n4,5\n", &err), NNM_ERR_PARSE,
                 "t.csv:4: found 1 cells where the header has 2 columns");
    assert_int_equal(err.line, 4);
    assert_fails(parse(&csv, "a,b\n1,2\n3,4,5", &err), NNM_ERR_PARSE, "t.csv:3: found 3 cells");
    assert_fails(parse(&csv, "a,b,A\n", &err), NNM_ERR_PARSE, "t.csv:1: columns 1 and 3 are both called 'A'");
    assert_fails(parse(&csv, "\n\na,,c\n", &err), NNM_ERR_PARSE, "t.csv:3: column 2 has no name");
    assert_fails(parse(&csv, "a,b\n1,\"2\n", &err), NNM_ERR_PARSE, "a quoted cell does not end");
    assert_fails(parse(&csv, "a,b\n\"1\"x,2\n", &err), NNM_ERR_PARSE, "t.csv:2: ");
    assert_fails(nnm_csv_parse(&csv, "a,b\n1,2\n3\0,4\n", 14, "t.csv", &err), NNM_ERR_PARSE, "t.csv:3: a zero byte");
    assert_null(csv.text);
    assert_fails(nnm_csv_read(&csv, "/nowhere/t.csv", &err), NNM_ERR_NOT_FOUND, "/nowhere/t.csv");
}

/* The same rows with the same lines as a table that is read in one. */
static void tables_are_read_in_pieces(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    char path[512];
    const char *text = "\xEF\xBB\xBF\"name\",x\r\n\n\"two\nlines\",1\nb,2\n\nc,3\n\"d,\",4";
    assert_ok(nnm_file_write(in_folder(path, folder, "pieces.csv"), text, strlen(text), &err));
    nnm_csv whole = {0};
    assert_ok(nnm_csv_read(&whole, path, &err));
    for (size_t piece = 1; piece < 6; piece++) {
        nnm_csv_stream *stream = NULL;
        assert_ok(nnm_csv_stream_open(&stream, path, &err));
        const nnm_csv *part = nnm_csv_stream_table(stream);
        assert_string_equal(part->header[0], "name");
        size_t rows = 0;
        do {
            assert_ok(nnm_csv_stream_next(stream, piece, &err));
            assert_true(part->rows <= piece);
            for (size_t i = 0; i < part->rows; i++, rows++) {
                assert_string_equal(nnm_csv_cell(part, i, 0), nnm_csv_cell(&whole, rows, 0));
                assert_string_equal(nnm_csv_cell(part, i, 1), nnm_csv_cell(&whole, rows, 1));
                assert_int_equal(part->line[i], whole.line[rows]);
            }
        } while (part->rows);
        assert_int_equal(rows, 4);
        nnm_csv_stream_close(stream);
    }
    nnm_csv_fini(&whole);

    nnm_csv_stream *stream = NULL;
    text = "a,b\n1,2\n3\n";
    assert_ok(nnm_file_write(path, text, strlen(text), &err));
    assert_ok(nnm_csv_stream_open(&stream, path, &err));
    assert_ok(nnm_csv_stream_next(stream, 1, &err));
    assert_fails(nnm_csv_stream_next(stream, 1, &err), NNM_ERR_PARSE, "pieces.csv:3: found 1 cells");
    nnm_csv_stream_close(stream);
    assert_ok(nnm_file_write(path, "", 0, &err));
    assert_fails(nnm_csv_stream_open(&stream, path, &err), NNM_ERR_PARSE, "the file is empty");
    assert_fails(nnm_csv_stream_open(&stream, folder, &err), NNM_ERR_IO, folder);
    assert_fails(nnm_csv_stream_open(&stream, "/nowhere/t.csv", &err), NNM_ERR_NOT_FOUND, "/nowhere/t.csv");
}

static void cells_come_back_as_they_were_written(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    const char *const cells[] = {"plain", "", "a,b", "say \"hi\"", "two\nlines", " blanks around\t", "cr\r"};
    enum {
        N = sizeof cells / sizeof *cells
    };
    char path[512];
    FILE *stream = fopen(in_folder(path, folder, "t.csv"), "w");
    fputs("c0,c1,c2,c3,c4,c5,c6\n", stream);
    for (size_t i = 0; i < N; i++) {
        if (i) fputc(',', stream);
        nnm_csv_write_cell(stream, cells[i]);
    }
    fclose(stream);
    nnm_csv csv = {0};
    assert_ok(nnm_csv_read(&csv, path, &err));
    for (size_t i = 0; i < N; i++)
        assert_string_equal(nnm_csv_cell(&csv, 0, i), cells[i]);
    nnm_csv_fini(&csv);
}

/* ---- numbers ---- */

static void assert_double(const char *text, double expected)
{
    double value = 0;
    if (!nnm_parse_double(text, &value)) fail_msg("'%s' was refused", text);
    assert_true(value == expected);
}

static void doubles_round_trip(void **state)
{
    (void)state;
    const double values[] = {0,   0.1,     1.0 / 3, 5e-324,    1.7976931348623157e308,
                             1e6, 123.456, -2.5,    0x1p-1022, 9007199254740993.0};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char text[32];
        assert_double(nnm_format_double(values[i], text, sizeof text), values[i]);
    }
    nnm_rng rng;
    nnm_rng_init(&rng, 4, 0);
    for (size_t i = 0; i < 10000; i++) {
        uint64_t bits = nnm_rng_next(&rng);
        double value;
        memcpy(&value, &bits, sizeof value);
        char text[32];
        if (isfinite(value)) assert_double(nnm_format_double(value, text, sizeof text), value);
    }
}

static void doubles_are_written_short(void **state)
{
    (void)state;
    char text[32];
    assert_string_equal(nnm_format_double(0.1, text, sizeof text), "0.1");
    assert_string_equal(nnm_format_double(56, text, sizeof text), "56");
    assert_string_equal(nnm_format_double(1e300, text, sizeof text), "1e+300");
    assert_string_equal(nnm_format_double(0.1 + 0.2, text, sizeof text), "0.30000000000000004");
    double value = 0;
    assert_true(nnm_parse_double(nnm_format_double((double)NAN, text, sizeof text), &value) && isnan(value));
    assert_double(nnm_format_double((double)-INFINITY, text, sizeof text), (double)-INFINITY);
}

static void texts_that_are_no_numbers_are_refused(void **state)
{
    (void)state;
    double d = 1;
    int64_t i = 2;
    uint64_t u = 3;
    const char *const bad[] = {"", "  ", "abc", "1x", "1 2", "--1", "1,5", "."};
    for (size_t n = 0; n < sizeof bad / sizeof *bad; n++) {
        assert_false(nnm_parse_double(bad[n], &d));
        assert_false(nnm_parse_int64(bad[n], &i));
        assert_false(nnm_parse_uint64(bad[n], &u));
    }
    assert_false(nnm_parse_int64("1.5", &i));
    assert_false(nnm_parse_int64("9223372036854775808", &i));
    assert_false(nnm_parse_uint64("18446744073709551616", &u));
    assert_false(nnm_parse_uint64(" -1", &u));
    assert_true(d == 1 && i == 2 && u == 3);
}

static void whole_numbers_are_read_over_their_range(void **state)
{
    (void)state;
    int64_t i = 0;
    uint64_t u = 0;
    assert_true(nnm_parse_int64(" -9223372036854775808 ", &i) && i == INT64_MIN);
    assert_true(nnm_parse_int64("+7\n", &i) && i == 7);
    assert_true(nnm_parse_int64("010", &i) && i == 10);
    assert_true(nnm_parse_uint64("18446744073709551615", &u) && u == UINT64_MAX);
}

/* Debian compiles locales only on demand; this makes one for this process. */
static bool use_locale(const char *name)
{
    char command[512];
    snprintf(command, sizeof command, "localedef -c -i %s -f UTF-8 '%.300s/%s' >/dev/null 2>&1", name, folder, name);
    if (system(command) != 0) return false;
    setenv("LOCPATH", folder, 1);
    return setlocale(LC_ALL, name) != NULL;
}

static void numbers_are_the_same_in_every_locale(void **state)
{
    (void)state;
    const char *const locales[] = {"de_DE", "ps_AF"}; /* a comma; a decimal point of two bytes */
    for (size_t n = 0; n < 2; n++) {
        if (!use_locale(locales[n])) skip(); /* the package "locales" is not here */
        char text[32], foreign[32];
        snprintf(foreign, sizeof foreign, "%.1f", 1.5);
        nnm_format_double(-1234567.25, text, sizeof text);
        double back = 0;
        bool same = nnm_parse_double("-1234567.25", &back) && back == -1234567.25;
        bool comma = nnm_parse_double("1,5", &back);
        setlocale(LC_ALL, "C");
        assert_string_not_equal(foreign, "1.5");
        assert_string_equal(text, "-1234567.25");
        assert_true(same);
        assert_false(comma);
    }
}

/* ---- suggestions ---- */

static void close_names_are_suggested(void **state)
{
    (void)state;
    const char *const names[] = {"conv-bn-relu", "conv-bn-relu6", "dwconv-bn-relu", "fc", "add"};
    assert_string_equal(nnm_closest("conv-bn-rleu", names, 5), "conv-bn-relu");
    assert_string_equal(nnm_closest("CONV-BN-RELU6", names, 5), "conv-bn-relu6");
    assert_string_equal(nnm_closest("conv_bn_relu", names, 5), "conv-bn-relu");
    assert_string_equal(nnm_closest("dconv-bn-relu", names, 5), "conv-bn-relu"); /* the first of equally close ones */
    assert_string_equal(nnm_closest("fd", names, 5), "fc");
    assert_null(nnm_closest("transformer", names, 5));
    assert_null(nnm_closest("", names, 5));
    assert_null(nnm_closest("fc", names, 0));
    char longer[200];
    memset(longer, 'c', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    assert_null(nnm_closest(longer, names, 5));
    const char *const long_names[] = {longer, "cc"};
    assert_string_equal(nnm_closest("c", long_names, 2), "cc");
}

#define IN_SANDBOX(test) cmocka_unit_test_setup_teardown(test, make_sandbox, remove_sandbox)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SANDBOX(files_are_written_whole),
        IN_SANDBOX(full_disk_leaves_the_old_file),
        IN_SANDBOX(discarding_leaves_the_old_file),
        IN_SANDBOX(files_in_impossible_places_fail),
        IN_SANDBOX(log_lines_stay_lines),
        IN_SANDBOX(folders_come_with_their_parents),
        cmocka_unit_test(tables_have_a_header_and_rows),
        cmocka_unit_test(tables_as_spreadsheets_write_them),
        cmocka_unit_test(broken_tables_are_refused_with_their_line),
        IN_SANDBOX(tables_are_read_in_pieces),
        IN_SANDBOX(cells_come_back_as_they_were_written),
        cmocka_unit_test(doubles_round_trip),
        cmocka_unit_test(doubles_are_written_short),
        cmocka_unit_test(texts_that_are_no_numbers_are_refused),
        cmocka_unit_test(whole_numbers_are_read_over_their_range),
        IN_SANDBOX(numbers_are_the_same_in_every_locale),
        cmocka_unit_test(close_names_are_suggested),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
