/* Root may write anywhere: tests of what must not be writable run as somebody else for a while. */
#ifndef NNM_TESTS_PLAIN_USER_H
#define NNM_TESTS_PLAIN_USER_H

#include <sys/stat.h>
#include <unistd.h>

#define SOMEBODY 65534

/* Makes a folder readable by everybody and writable by nobody, and goes on as a user who is not root. */
static inline void begin_without_rights(const char *folder)
{
    assert_int_equal(chmod(folder, 0555), 0);
    if (geteuid() == 0) assert_int_equal(seteuid(SOMEBODY), 0);
}

static inline void end_without_rights(const char *folder)
{
    if (getuid() == 0) assert_int_equal(seteuid(0), 0);
    assert_int_equal(chmod(folder, 0755), 0);
}

#endif
