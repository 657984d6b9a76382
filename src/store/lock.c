#include "store/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "store/stale.h"

#define HOLDER_BYTES 256

struct nnm_workspace_lock {
    int fd;
};

/* Says who holds the lock, for others to read; that the lock is held does not depend on it. */
static nnm_status write_holder(int fd, const char *path, const char *purpose, nnm_error *err)
{
    char text[HOLDER_BYTES], since[32];
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(since, sizeof since, "%Y-%m-%d %H:%M:%S UTC", &utc);
    int length = snprintf(text, sizeof text, "%.60s (pid %ld, %.60s) since %s\n", program_invocation_short_name,
                          (long)getpid(), purpose, since);
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)length, 0) != length)
        return nnm_fail_errno(err, "cannot write '%s'", path);
    return NNM_OK;
}

static nnm_status fail_busy(int fd, const nnm_workspace *workspace, nnm_error *err)
{
    char holder[HOLDER_BYTES];
    ssize_t length = pread(fd, holder, sizeof holder - 1, 0);
    holder[length > 0 ? length : 0] = '\0';
    holder[strcspn(holder, "\n")] = '\0';
    return nnm_fail(err, NNM_ERR_BUSY, "workspace '%s' is in use by %s", nnm_workspace_path(workspace),
                    holder[0] ? holder : "another process");
}

nnm_status nnm_workspace_lock_take(nnm_workspace_lock **out, const nnm_workspace *workspace, const char *purpose,
                                   nnm_error *err)
{
    nnm_workspace_lock *lock = nnm_calloc(1, sizeof *lock);
    char *path = nnm_format("%s/.lock", nnm_workspace_path(workspace));
    nnm_status status = NNM_OK;
    if (!lock || !path) {
        status = nnm_fail_memory(err);
        goto done;
    }
    lock->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (lock->fd < 0) {
        status = nnm_fail_errno(err, "cannot write '%s'", path);
        goto done;
    }
    if (flock(lock->fd, LOCK_EX | LOCK_NB) != 0) {
        status =
            errno == EWOULDBLOCK ? fail_busy(lock->fd, workspace, err) : nnm_fail_errno(err, "cannot lock '%s'", path);
        close(lock->fd);
        goto done;
    }
    status = write_holder(lock->fd, path, purpose, err);
    if (status) {
        close(lock->fd);
        goto done;
    }
    nnm_workspace_remove_stale(nnm_workspace_path(workspace));
    *out = lock;
    lock = NULL;
done:
    free(lock);
    free(path);
    return status;
}

void nnm_workspace_lock_release(nnm_workspace_lock *lock)
{
    if (!lock) return;
    int emptied = ftruncate(lock->fd, 0); /* the file stays: removing it would let two processes lock two files */
    (void)emptied;
    flock(lock->fd, LOCK_UN); /* also for a child that was forked meanwhile and shares the lock */
    close(lock->fd);
    free(lock);
}
