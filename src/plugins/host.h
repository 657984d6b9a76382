/*
 * A process in which somebody else's code answers questions, one after the other. What crashes or hangs there is an
 * error of the question asked; the next question starts a new process.
 */
#ifndef NNM_PLUGINS_HOST_H
#define NNM_PLUGINS_HOST_H

#include <sys/types.h>

#include "base/buffer.h"
#include "plugins/custom.h"

/* Answers one question in the process of its own, which keeps what `context` points to between questions. */
typedef nnm_status nnm_host_serve(void *context, uint32_t question, const void *data, size_t size, nnm_buffer *answer,
                                  nnm_error *err);

/* Zero-initialise but for what the caller gives; end with nnm_host_stop. */
typedef struct nnm_host {
    nnm_host_serve *serve;
    void *context;
    const nnm_plugin_limits *limits;
    pid_t pid; /* 0: no process */
    int fd;
} nnm_host;

/* Asks one question. `doing` says in messages what was asked, e.g. "prior_config_sampling of MySampler". `answer` is
 * appended to. Errors: those of serve; CRASHED, TIMEOUT, IO, PARSE (an answer that is none), NO_MEMORY. */
NNM_NODISCARD nnm_status nnm_host_ask(nnm_host *host, uint32_t question, const void *data, size_t size,
                                      const char *doing, nnm_buffer *answer, nnm_error *err);
void nnm_host_stop(nnm_host *host);

#endif
