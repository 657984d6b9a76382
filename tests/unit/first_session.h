/* ONNX Runtime 1.30 allocates 14 bytes when the first session of a process is opened, and keeps no pointer to them.
 * This opens and closes such a session without the leak sanitizer looking, so that it can watch all the others. */
#ifndef NNM_TESTS_FIRST_SESSION_H
#define NNM_TESTS_FIRST_SESSION_H

#include "nnmeter/backend.h"
#include "unit/testing.h"

/* They are there when the sanitizer is. */
__attribute__((weak)) void __lsan_disable(void);
__attribute__((weak)) void __lsan_enable(void);

static inline void open_first_session(const nnm_backend *backend, const char *model_path)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_session *session = NULL;
    nnm_session_options options = {.threads = 1};
    if (__lsan_disable) __lsan_disable();
    assert_ok(backend->open(backend, &session, model_path, &options, &err));
    assert_ok(backend->run(session, &err));
    backend->close(session);
    if (__lsan_enable) __lsan_enable();
}

#endif
