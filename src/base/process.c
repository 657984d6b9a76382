#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

pid_t nnm_process_fork(void)
{
    sigset_t all, before;
    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0) return 0;
    int number = errno;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = number;
    return pid;
}

/* When this code takes all memory of the machine, the system shall end this process and no other. */
static void be_first_victim(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0) return;
    ssize_t written = write(fd, "1000", 4); /* where it is not permitted, things stay as they are */
    (void)written;
    close(fd);
}

void nnm_process_leave_parent(pid_t parent)
{
    for (int number = 1; number < NSIG; number++)
        (void)signal(number, SIG_DFL);
    (void)setpgid(0, 0); /* Ctrl-C in the terminal is the parent's business */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) _exit(1);
    struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none);
    be_first_victim();
    sigset_t empty;
    sigemptyset(&empty);
    (void)pthread_sigmask(SIG_SETMASK, &empty, NULL);
}

void nnm_process_keep_descriptor(int fd, int as)
{
    int null = open("/dev/null", O_RDWR);
    int channel = fcntl(fd, F_DUPFD, as + 1);
    if (channel < 0 || null < 0) _exit(1);
    for (int standard = 0; standard <= 2; standard++)
        if (dup2(null, standard) < 0) _exit(1);
    if (dup2(channel, as) < 0) _exit(1);
    if (close_range(as + 1, ~0u, 0) == 0) return;
    long limit = sysconf(_SC_OPEN_MAX); /* kernels before 5.9 */
    for (int other = as + 1; other < (limit > 0 && limit < 65536 ? limit : 65536); other++)
        (void)close(other);
}

/* Address space in use, from the first number of /proc/self/statm. */
static rlim_t address_space(void)
{
    char text[64] = {0};
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    ssize_t got = read(fd, text, sizeof text - 1);
    close(fd);
    long page = sysconf(_SC_PAGESIZE);
    return got > 0 && page > 0 ? (rlim_t)strtoull(text, NULL, 10) * (rlim_t)page : 0;
}

void nnm_process_limit_memory(unsigned mib)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) != 0) return;
    rlim_t used = address_space();
    if (used == 0) return;
    limit.rlim_cur = used + (rlim_t)mib * 1024 * 1024;
    if (limit.rlim_max != RLIM_INFINITY && limit.rlim_cur > limit.rlim_max) limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_AS, &limit);
}

void nnm_process_unlimit_memory(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_AS, &limit);
}

void nnm_process_limit_cpu(double seconds)
{
    struct rlimit limit;
    struct rusage used;
    if (getrusage(RUSAGE_SELF, &used) != 0 || getrlimit(RLIMIT_CPU, &limit) != 0) return;
    double so_far_s = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec);
    limit.rlim_cur = (rlim_t)(so_far_s + seconds) + 3;
    if (limit.rlim_max != RLIM_INFINITY && limit.rlim_cur > limit.rlim_max) limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_CPU, &limit);
}
