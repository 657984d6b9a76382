/*
 * What a caller may want to hear while long work goes on, and how it asks for a stop.
 *
 * The library never prints. It hands every line that the command-line tool would show to `log`, and the state of long
 * work to `progress`, both called on the thread that called the library. Every member may be NULL. `context` is passed
 * back unchanged and belongs to the caller. One nnm_hooks must outlive every object it was given to.
 */
#ifndef NNMETER_HOOKS_H
#define NNMETER_HOOKS_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum nnm_log_level {
    NNM_LOG_DEBUG = 0,
    NNM_LOG_INFO = 1,
    NNM_LOG_KEYINFO = 2, /* the lines of the description, e.g. "Iteration 0: acc10 ..." */
    NNM_LOG_WARNING = 3
} nnm_log_level;

typedef struct nnm_progress {
    const char *activity; /* what is being done, e.g. "profile conv-bn-relu" */
    size_t done;          /* units finished, 0..total */
    size_t total;
    size_t failed;      /* of those done */
    double elapsed_s;   /* since the activity began */
    double remaining_s; /* estimate; negative while nothing can be said */
} nnm_progress;

typedef struct nnm_hooks {
    void *context;
    void (*log)(void *context, nnm_log_level level, const char *line); /* one line, without a newline */
    void (*progress)(void *context, const nnm_progress *progress);     /* done == total is always reported once */
    bool (*interrupted)(void *context); /* true asks the work to stop soon: it returns NNM_ERR_INTERRUPTED */
} nnm_hooks;

#ifdef __cplusplus
}
#endif

#endif
