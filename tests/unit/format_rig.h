/* What the tests of every file format share: the bytes of a file, a disk that is full, and files that are damaged. */
#ifndef NNM_TESTS_FORMAT_RIG_H
#define NNM_TESTS_FORMAT_RIG_H

#include "unit/testing.h"

#include <signal.h>
#include <sys/resource.h>

#include "base/file.h"
#include "base/rng.h"
#include "nnmeter/model_file.h"

typedef struct file_format {
    const char *file;    /* what a file is called, in messages too */
    const char *refusal; /* what is said of bytes that are none of this format */
    nnm_status (*write)(const nnm_graph *graph, const char *path, nnm_error *err);
    nnm_status (*read)(nnm_graph **out, const void *bytes, size_t size, const char *name, nnm_error *err);
} file_format;

/* The bytes of the file that `graph` becomes. */
static inline char *written_bytes(const file_format *format, const nnm_graph *graph, size_t *size)
{
    nnm_error err = NNM_ERROR_INIT;
    char folder[256], path[512], *bytes = NULL;
    make_folder(folder);
    assert_ok(format->write(graph, in_folder(path, folder, format->file), &err));
    assert_ok(nnm_file_read(path, &bytes, size, &err));
    remove_folder(folder);
    return bytes;
}

static inline nnm_status try_to_read(const file_format *format, const void *bytes, size_t size, nnm_error *err)
{
    nnm_graph *graph = NULL;
    nnm_status status = format->read(&graph, bytes, size, format->file, err);
    if (status) assert_null(graph);
    nnm_graph_free(graph);
    return status;
}

/* `size` is a limit on the size of files: it stands in for a full disk. */
static inline void assert_failed_write_leaves_nothing(const file_format *format, const nnm_graph *graph, rlim_t size)
{
    nnm_error err = NNM_ERROR_INIT;
    char folder[256], path[512];
    make_folder(folder);
    struct rlimit before, limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = size;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    nnm_status status = format->write(graph, in_folder(path, folder, format->file), &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    assert_int_equal(status, NNM_ERR_IO);
    assert_non_null(strstr(err.message, format->file));
    assert_int_equal(rmdir(folder), 0); /* empty: no temporary file either */
    assert_fails(format->write(graph, path, &err), NNM_ERR_NOT_FOUND, format->file);
}

/* Copies the first bytes into a block of their own, so that a sanitizer sees every access beyond. */
static inline void assert_cut_files_are_refused(const file_format *format, const char *bytes, size_t size)
{
    nnm_error err = NNM_ERROR_INIT;
    char message[128];
    snprintf(message, sizeof message, "%s: %s", format->file, format->refusal);
    for (size_t length = 0; length < size; length++) {
        char *cut = malloc(length ? length : 1);
        assert_non_null(cut);
        memcpy(cut, bytes, length);
        assert_fails(try_to_read(format, cut, length, &err), NNM_ERR_PARSE, message);
        free(cut);
    }
    assert_ok(try_to_read(format, bytes, size, &err));
}

static inline void assert_survives(const file_format *format, const char *bytes, size_t size, size_t place)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_status status = try_to_read(format, bytes, size, &err);
    if (status != NNM_OK && status != NNM_ERR_PARSE && status != NNM_ERR_UNSUPPORTED && status != NNM_ERR_VALUE)
        fail_msg("byte %zu: %s: %s", place, nnm_status_name(status), err.message);
}

/* One byte of the file after the other is changed in several ways, and then several at once. */
static inline void assert_changed_files_do_no_harm(const file_format *format, const char *bytes, size_t size)
{
    static const unsigned char patterns[] = {0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xFF, 0x55};
    char *changed = malloc(size);
    assert_non_null(changed);
    memcpy(changed, bytes, size);
    for (size_t i = 0; i < size; i++) {
        for (size_t p = 0; p < sizeof patterns; p++) {
            changed[i] = (char)((unsigned char)bytes[i] ^ patterns[p]);
            assert_survives(format, changed, size, i);
        }
        changed[i] = bytes[i];
    }
    nnm_rng rng;
    nnm_rng_init(&rng, 3, 0);
    for (size_t round = 0; round < 20000; round++) {
        memcpy(changed, bytes, size);
        for (size_t n = 0; n < 1 + round % 4; n++)
            changed[nnm_rng_below(&rng, size)] = (char)nnm_rng_below(&rng, 256);
        assert_survives(format, changed, size, round);
    }
    free(changed);
}

#endif
