#include "bench/memory.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "nnmeter/measure.h"

#define SHARE 0.9

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* What the control group allows, in bytes; 0: it sets no limit, or there is none. */
static double group_limit(void)
{
    char text[64] = {0};
    int fd = open("/sys/fs/cgroup/memory.max", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    ssize_t got = read(fd, text, sizeof text - 1);
    close(fd);
    return got > 0 ? (double)strtoull(text, NULL, 10) : 0; /* "max" is no number */
}

bool nnm_memory_is_watched(void)
{
    return SANITIZED;
}

unsigned nnm_memory_limit(unsigned memory_limit_mib)
{
    if (memory_limit_mib != NNM_MEMORY_LIMIT_AUTO) return memory_limit_mib;
    if (SANITIZED) return 0;
    double bytes = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE), group = group_limit();
    if (group > 0 && group < bytes) bytes = group;
    double limit_mib = SHARE * bytes / 1048576.0;
    return limit_mib > 0 && limit_mib < (double)UINT32_MAX ? (unsigned)limit_mib : 0;
}
