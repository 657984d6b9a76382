/* Files and folders. A file written here has its final name only once it is whole and on disk. */
#ifndef NNM_BASE_FILE_H
#define NNM_BASE_FILE_H

#include <stdbool.h>
#include <stdio.h>

#include "nnmeter/status.h"

/* Reads a whole file; a zero byte follows the data. The caller frees `*data`. From pipes and devices, which may never
 * end, at most 256 MiB are taken. Errors: NOT_FOUND, IO (also a folder), NO_MEMORY. */
NNM_NODISCARD nnm_status nnm_file_read(const char *path, char **data, size_t *size_bytes, nnm_error *err);

/* Refuses what is no regular file and what is larger than `limit_bytes`, without opening it: a pipe may wait for ever.
 * Errors: NOT_FOUND, IO, UNSUPPORTED (too large: `format_name` allows less). */
NNM_NODISCARD nnm_status nnm_file_check(const char *path, long long limit_bytes, const char *format_name,
                                        nnm_error *err);

/* Writes a whole file: temporary beside it, fsync, rename. Where `path` is a link, what it points to is replaced; a
 * device or a pipe is written to. Errors: IO, NO_SPACE. */
NNM_NODISCARD nnm_status nnm_file_write(const char *path, const void *data, size_t size_bytes, nnm_error *err);

/* The same piece by piece. Write to `stream`; then commit, or discard (allowed after a failed open or commit too). */
typedef struct nnm_atomic_file {
    FILE *stream;
    char *path;
    char *temporary; /* NULL where it is written to directly */
} nnm_atomic_file;

NNM_NODISCARD nnm_status nnm_atomic_file_open(nnm_atomic_file *file, const char *path, nnm_error *err);
NNM_NODISCARD nnm_status nnm_atomic_file_commit(nnm_atomic_file *file, nnm_error *err);
void nnm_atomic_file_discard(nnm_atomic_file *file);

/* Appends one line to a log file, in one write. */
NNM_NODISCARD nnm_status nnm_file_append_line(const char *path, const char *line, nnm_error *err);

bool nnm_file_exists(const char *path);
bool nnm_folder_exists(const char *path);

/* Creates a folder and its parents; one that is there is fine. */
NNM_NODISCARD nnm_status nnm_folder_create(const char *path, nnm_error *err);

#endif
