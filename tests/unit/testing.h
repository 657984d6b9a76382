/* What every unit test needs: cmocka with its prerequisites, a temporary folder, and checks of statuses. */
#ifndef NNM_TESTS_TESTING_H
#define NNM_TESTS_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "nnmeter/status.h"

/* Somebody else may be measuring on this machine. What was refused for that is tried again, for five minutes. */
static inline bool is_tried_again(nnm_status status, const nnm_error *error, int *tries)
{
    if (status != NNM_ERR_BUSY || !strstr(error->message, "another profiler is measuring") || ++*tries > 3000)
        return false;
    usleep(100000);
    return true;
}

/* The call must succeed; otherwise its message is shown. Needs `nnm_error err` in scope. */
#define assert_ok(call)                                                                    \
    do {                                                                                   \
        nnm_status status_;                                                                \
        int tries_ = 0;                                                                    \
        do                                                                                 \
            status_ = (call);                                                              \
        while (is_tried_again(status_, &err, &tries_));                                    \
        if (status_) fail_msg("%s: %s: %s", #call, nnm_status_name(status_), err.message); \
    } while (0)

/* The call must fail with this code and a message that contains `text`. */
#define assert_fails(call, expected_code, text)                                              \
    do {                                                                                     \
        nnm_status status_;                                                                  \
        int tries_ = 0;                                                                      \
        do {                                                                                 \
            err = (nnm_error)NNM_ERROR_INIT;                                                 \
            status_ = (call);                                                                \
        } while ((expected_code) != NNM_ERR_BUSY && is_tried_again(status_, &err, &tries_)); \
        assert_string_equal(nnm_status_name(status_), nnm_status_name(expected_code));       \
        assert_int_equal(err.code, expected_code);                                           \
        if (!strstr(err.message, (text))) fail_msg("'%s' lacks '%s'", err.message, (text));  \
    } while (0)

/* A new empty folder under $TMPDIR or /tmp. Remove it with remove_folder. */
static inline void make_folder(char path[256])
{
    const char *base = getenv("TMPDIR");
    snprintf(path, 256, "%.200s/nnmeter-test-XXXXXX", base && *base ? base : "/tmp");
    assert_non_null(mkdtemp(path));
}

static inline void remove_folder(const char *path)
{
    char command[512];
    snprintf(command, sizeof command, "rm -rf -- '%.400s'", path);
    assert_int_equal(system(command), 0);
}

/* path = folder/name */
static inline const char *in_folder(char path[512], const char *folder, const char *name)
{
    snprintf(path, 512, "%.250s/%.250s", folder, name);
    return path;
}

#endif
