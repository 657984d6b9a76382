#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/memory.h"

#define MAX_STREAM_BYTES ((size_t)256 << 20)

nnm_status nnm_file_check(const char *path, long long limit_bytes, const char *format_name, nnm_error *err)
{
    struct stat info;
    if (stat(path, &info) != 0) return nnm_fail_errno(err, "cannot read '%s'", path);
    if (S_ISDIR(info.st_mode)) {
        errno = EISDIR;
        return nnm_fail_errno(err, "cannot read '%s'", path);
    }
    if (!S_ISREG(info.st_mode)) return nnm_fail(err, NNM_ERR_IO, "cannot read '%s': it is not a regular file", path);
    if (info.st_size > limit_bytes)
        return nnm_fail(err, NNM_ERR_UNSUPPORTED, "%s: it has %lld bytes; %s allows %lld", path,
                        (long long)info.st_size, format_name, limit_bytes);
    return NNM_OK;
}

nnm_status nnm_file_read(const char *path, char **data, size_t *size_bytes, nnm_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return nnm_fail_errno(err, "cannot read '%s'", path);

    nnm_status status = NNM_OK;
    char *block = NULL;
    size_t size = 0, capacity = 0;
    struct stat info;
    bool regular = fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
    if (regular && info.st_size > 0) capacity = (size_t)info.st_size + 1;
    if (capacity < 4096) capacity = 4096;
    block = malloc(capacity);
    if (!block) {
        status = nnm_context(err, nnm_fail_memory(err), "cannot read '%s'", path);
        goto done;
    }
    for (;;) {
        ssize_t n = read(fd, block + size, capacity - size - 1);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            status = nnm_fail_errno(err, "cannot read '%s'", path);
            goto done;
        }
        if (n == 0) break;
        size += (size_t)n;
        if (!regular && size > MAX_STREAM_BYTES) {
            status = nnm_fail(err, NNM_ERR_IO, "cannot read '%s': it is not a regular file and gives more than %zu MiB",
                              path, MAX_STREAM_BYTES >> 20);
            goto done;
        }
        if (size + 1 == capacity) {
            void *grown = block;
            status = nnm_grow(&grown, &capacity, capacity + 1, 1, err);
            status = nnm_context(err, status, "cannot read '%s'", path);
            if (status) goto done;
            block = grown;
        }
    }
    block[size] = '\0';
    *data = block;
    *size_bytes = size;
    block = NULL;
done:
    free(block);
    close(fd);
    return status;
}

/* The file that is to be replaced: where a link leads, else `path` itself. NULL when memory is short. */
static char *target_of(const char *path)
{
    char *target = realpath(path, NULL);
    return target ? target : nnm_strdup(path);
}

nnm_status nnm_atomic_file_open(nnm_atomic_file *file, const char *path, nnm_error *err)
{
    *file = (nnm_atomic_file){0};
    nnm_status status = NNM_OK;
    struct stat info;
    bool direct = stat(path, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode);
    file->path = direct ? nnm_strdup(path) : target_of(path);
    if (file->path && !direct) file->temporary = nnm_format("%s.%ld.tmp", file->path, (long)getpid());
    if (!file->path || (!file->temporary && !direct)) {
        status = nnm_fail_memory(err);
        goto done;
    }
    file->stream = fopen(direct ? file->path : file->temporary, "wbe");
    if (!file->stream) status = nnm_fail_errno(err, "cannot write '%s'", path);
done:
    if (status) {
        free(file->path);
        free(file->temporary);
        *file = (nnm_atomic_file){0};
    }
    return status;
}

void nnm_atomic_file_discard(nnm_atomic_file *file)
{
    if (file->stream) fclose(file->stream);
    if (file->temporary) unlink(file->temporary);
    free(file->path);
    free(file->temporary);
    *file = (nnm_atomic_file){0};
}

/* Makes a rename survive a power cut. What cannot be synced (some file systems) is left to the system. */
static void sync_folder_of(const char *path)
{
    char *folder = nnm_strdup(path);
    if (!folder) return;
    char *slash = strrchr(folder, '/');
    if (slash) *slash = '\0';
    int fd = open(slash ? (*folder ? folder : "/") : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
    free(folder);
}

/* Whether everything written so far is on disk; errno says why not. */
static bool sync_stream(FILE *stream)
{
    bool failed_before = ferror(stream) != 0;
    if (fflush(stream) != 0) return false;
    if (failed_before) { /* its errno is gone: one more byte tells whether the disk is still full */
        errno = EIO;
        if (fputc('\n', stream) != EOF && fflush(stream) == 0) errno = EIO;
        return false;
    }
    return fsync(fileno(stream)) == 0;
}

nnm_status nnm_atomic_file_commit(nnm_atomic_file *file, nnm_error *err)
{
    nnm_status status = NNM_OK;
    FILE *stream = file->stream;
    bool direct = !file->temporary;
    if (direct ? fflush(stream) != 0 || ferror(stream) : !sync_stream(stream))
        status = nnm_fail_errno(err, "cannot write '%s'", file->path);
    file->stream = NULL;
    if (fclose(stream) != 0 && status == NNM_OK) status = nnm_fail_errno(err, "cannot write '%s'", file->path);
    if (status == NNM_OK && !direct && rename(file->temporary, file->path) != 0)
        status = nnm_fail_errno(err, "cannot write '%s'", file->path);
    if (status == NNM_OK && !direct) {
        sync_folder_of(file->path);
        free(file->temporary);
        file->temporary = NULL;
    }
    nnm_atomic_file_discard(file);
    return status;
}

nnm_status nnm_file_write(const char *path, const void *data, size_t size_bytes, nnm_error *err)
{
    nnm_atomic_file file;
    nnm_status status = nnm_atomic_file_open(&file, path, err);
    if (status) return status;
    if (size_bytes && fwrite(data, 1, size_bytes, file.stream) != size_bytes) {
        status = nnm_fail_errno(err, "cannot write '%s'", path);
        nnm_atomic_file_discard(&file);
        return status;
    }
    return nnm_atomic_file_commit(&file, err);
}

nnm_status nnm_file_append_line(const char *path, const char *line, nnm_error *err)
{
    nnm_buffer text = {0};
    nnm_buffer_text(&text, line);
    nnm_buffer_text(&text, "\n");
    nnm_status status = nnm_buffer_check(&text, err);
    int fd = -1;
    if (status) goto done;
    for (char *p = text.data; p < text.data + text.size - 1; p++)
        if (*p == '\n' || *p == '\r') *p = ' ';
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    errno = fd < 0 ? errno : ENOSPC; /* a write that stops half-way sets none */
    if (fd < 0 || write(fd, text.data, text.size) != (ssize_t)text.size)
        status = nnm_fail_errno(err, "cannot write '%s'", path);
done:
    if (fd >= 0) close(fd);
    nnm_buffer_fini(&text);
    return status;
}

bool nnm_file_exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

bool nnm_folder_exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

nnm_status nnm_folder_create(const char *path, nnm_error *err)
{
    nnm_status status = NNM_OK;
    char *copy = nnm_strdup(path);
    if (!copy) return nnm_fail_memory(err);
    for (char *p = *copy ? copy + 1 : copy;; p++) {
        if (*p != '/' && *p != '\0') continue;
        char end = *p;
        *p = '\0';
        if (mkdir(copy, 0777) != 0 && !(errno == EEXIST && nnm_folder_exists(copy))) {
            status = nnm_fail_errno(err, "cannot create folder '%s'", copy);
            break;
        }
        *p = end;
        if (end == '\0') break;
    }
    free(copy);
    return status;
}
