/*
 * The lock is flock on one file for all users of the machine. In a folder where anybody may put files, that takes some
 * care: a symbolic link could point at a file of ours, and where fs.protected_regular is set, opening with O_CREAT
 * fails for a file of another user. So the file is opened as it is or created exclusively, never through a link.
 */
#include "bench/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"

#define MACHINE_LOCK "/tmp/nnmeter-machine.lock"
#define HOLDER_BYTES 512
#define OPEN_ATTEMPTS 8

struct nnm_machine_lock {
    int fd;
};

static int open_once(const char *path)
{
    const int flags = O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    int fd = open(path, O_RDWR | flags);
    if (fd < 0 && errno == EACCES) return open(path, O_RDONLY | flags); /* enough to lock, not to say who holds it */
    if (fd >= 0 || errno != ENOENT) return fd;
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | flags, 0666);
    if (fd >= 0) (void)fchmod(fd, 0666); /* whatever the umask: others must be able to lock it too */
    return fd;
}

static nnm_status open_lock_file(const char *path, int *out, nnm_error *err)
{
    int fd = -1;
    for (int attempt = 0; attempt < OPEN_ATTEMPTS; attempt++) {
        fd = open_once(path);
        if (fd >= 0 || errno != EEXIST) break; /* EEXIST: somebody else created it just now */
    }
    if (fd < 0 && errno == ELOOP)
        return nnm_fail(err, NNM_ERR_IO, "the lock file '%s' is a symbolic link; remove it", path);
    if (fd < 0) {
        (void)nnm_fail_errno(err, "cannot open the lock file '%s'", path);
        if (err) err->code = NNM_ERR_IO;
        return NNM_ERR_IO;
    }
    struct stat info;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || info.st_nlink > 1) {
        close(fd);
        return nnm_fail(err, NNM_ERR_IO, "the lock file '%s' is not a plain file of its own; remove it", path);
    }
    *out = fd;
    return NNM_OK;
}

static nnm_status fail_busy(int fd, nnm_error *err)
{
    char holder[HOLDER_BYTES + 1];
    ssize_t got = pread(fd, holder, HOLDER_BYTES, 0);
    size_t length = got > 0 ? (size_t)got : 0;
    while (length && holder[length - 1] == '\n')
        length--;
    holder[length] = '\0';
    for (size_t i = 0; i < length; i++)
        if (holder[i] < ' ' || holder[i] > '~') holder[i] = '?'; /* anybody may have written it */
    return nnm_fail(err, NNM_ERR_BUSY,
                    "another profiler is measuring on this machine: %s; two at once would spoil both, so try again "
                    "when it has finished",
                    length ? holder : "a program that has not said which it is");
}

/* Who holds the lock is a help for people; a holder that cannot be written down still holds it. */
static void write_holder(int fd, const char *purpose)
{
    char since[32] = "", text[HOLDER_BYTES];
    time_t now = time(NULL);
    struct tm utc;
    if (gmtime_r(&now, &utc)) strftime(since, sizeof since, "%Y-%m-%d %H:%M:%S", &utc);
    int length = snprintf(text, sizeof text, "%.64s, process %ld, %.300s, since %s UTC\n",
                          program_invocation_short_name, (long)getpid(), purpose, since);
    if (length <= 0 || ftruncate(fd, 0) != 0) return;
    ssize_t written = pwrite(fd, text, (size_t)length, 0);
    (void)written;
}

nnm_status nnm_machine_lock_take_at(nnm_machine_lock **out, const char *path, const char *purpose, nnm_error *err)
{
    int fd = -1;
    nnm_status status = open_lock_file(path, &fd, err);
    if (status) return status;
    int result;
    do {
        result = flock(fd, LOCK_EX | LOCK_NB);
    } while (result != 0 && errno == EINTR);
    if (result != 0 && errno == EWOULDBLOCK) {
        status = fail_busy(fd, err);
        goto failed;
    }
    if (result != 0) {
        status = nnm_fail_errno(err, "cannot lock '%s'", path);
        goto failed;
    }
    nnm_machine_lock *lock = nnm_calloc(1, sizeof *lock);
    if (!lock) {
        status = nnm_fail_memory(err);
        goto failed;
    }
    write_holder(fd, purpose);
    lock->fd = fd;
    *out = lock;
    return NNM_OK;
failed:
    close(fd);
    return status;
}

nnm_status nnm_machine_lock_take(nnm_machine_lock **out, const char *purpose, nnm_error *err)
{
    return nnm_machine_lock_take_at(out, MACHINE_LOCK, purpose, err);
}

void nnm_machine_lock_release(nnm_machine_lock *lock)
{
    if (!lock) return;
    int ignored = ftruncate(lock->fd, 0);
    (void)ignored;
    close(lock->fd);
    free(lock);
}
