/*
 * A shared library with the interface of ONNX Runtime that computes nothing and does what the name of a model file
 * says, for tests of what a runtime may do to its process. LIBRARY_PATH of a workspace leads to it.
 *
 *   ...SEGV...  ...ABORT...  ...LOOP...  ...SLEEP...  ...GREED...  ...GARBAGE...  ...REFUSE...     others: all is well
 *
 * With WILD_LOG in the environment, every session that is opened adds a line to that file.
 */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backends/onnxruntime_api.h"

struct nnm_ort_status {
    const char *message;
};
struct nnm_ort_session {
    char model[PATH_MAX];
};

static int something; /* what handles that nobody looks into point to */

static const char *get_error_message(const nnm_ort_status *status)
{
    return status->message;
}

static nnm_ort_status *create_env(int level, const char *id, nnm_ort_env **out)
{
    (void)level;
    (void)id;
    *out = (nnm_ort_env *)&something;
    return NULL;
}

static void note(const char *model)
{
    const char *log = getenv("WILD_LOG");
    int fd = log ? open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666) : -1;
    if (fd < 0) return;
    char line[PATH_MAX + 2];
    int length = snprintf(line, sizeof line, "%s\n", model);
    ssize_t written = write(fd, line, (size_t)length);
    (void)written;
    close(fd);
}

static nnm_ort_status *create_session(const nnm_ort_env *env, const char *path, const nnm_ort_session_options *options,
                                      nnm_ort_session **out)
{
    (void)env;
    (void)options;
    note(path);
    nnm_ort_session *session = calloc(1, sizeof *session);
    if (!session) abort();
    snprintf(session->model, sizeof session->model, "%s", path);
    *out = session;
    return NULL;
}

static nnm_ort_status *create_session_options(nnm_ort_session_options **out)
{
    *out = (nnm_ort_session_options *)&something;
    return NULL;
}

static nnm_ort_status *set_number(nnm_ort_session_options *options, int number)
{
    (void)options;
    (void)number;
    return NULL;
}

static nnm_ort_status *count_none(const nnm_ort_session *session, size_t *out)
{
    (void)session;
    *out = 0;
    return NULL;
}

static nnm_ort_status *create_memory_info(int allocator, int type, nnm_ort_memory_info **out)
{
    (void)allocator;
    (void)type;
    *out = (nnm_ort_memory_info *)&something;
    return NULL;
}

static nnm_ort_status *default_allocator(nnm_ort_allocator **out)
{
    *out = (nnm_ort_allocator *)&something;
    return NULL;
}

static nnm_ort_status *add_config_entry(nnm_ort_session_options *options, const char *key, const char *value)
{
    (void)options;
    (void)key;
    (void)value;
    return NULL;
}

static nnm_ort_status *create_binding(nnm_ort_session *session, nnm_ort_binding **out)
{
    *out = (nnm_ort_binding *)session;
    return NULL;
}

/* ---- deeds ---- */

static nnm_ort_status *take_all_memory(void)
{
    static nnm_ort_status refused = {"the runtime has no memory left"};
    for (;;) {
        char *block = malloc(16 << 20);
        if (!block) return &refused;
        memset(block, 1, 16 << 20);
    }
}

static void write_garbage(void)
{
    for (int fd = 3; fd < 64; fd++) {
        ssize_t written = write(fd, "garbage garbage garbage", 23);
        (void)written;
    }
}

static void compute(void)
{
    for (volatile int i = 0; i < 2000; i++)
        continue;
}

static nnm_ort_status *run_with_binding(nnm_ort_session *session, const nnm_ort_run_options *options,
                                        const nnm_ort_binding *binding)
{
    static nnm_ort_status refused = {"the runtime refuses"};
    const char *slash = strrchr(session->model, '/');
    const char *name = slash ? slash + 1 : session->model;
    (void)options;
    (void)binding;
    if (strstr(name, "SEGV")) (void)raise(SIGSEGV);
    if (strstr(name, "ABORT")) abort();
    for (volatile unsigned i = 0; strstr(name, "LOOP"); i++)
        continue;
    while (strstr(name, "SLEEP"))
        pause();
    if (strstr(name, "GREED")) return take_all_memory();
    if (strstr(name, "GARBAGE")) write_garbage();
    if (strstr(name, "REFUSE")) return &refused;
    compute();
    return NULL;
}

/* ---- releasing ---- */

static void release_env(nnm_ort_env *env)
{
    (void)env;
}

static void release_status(nnm_ort_status *status)
{
    (void)status;
}

static void release_memory_info(nnm_ort_memory_info *info)
{
    (void)info;
}

static void release_session(nnm_ort_session *session)
{
    free(session);
}

static void release_session_options(nnm_ort_session_options *options)
{
    (void)options;
}

static void release_binding(nnm_ort_binding *binding)
{
    (void)binding;
}

static const nnm_ort_api *get_api(uint32_t version)
{
    static const nnm_ort_api api = {
        .get_error_message = get_error_message,
        .create_env = create_env,
        .create_session = create_session,
        .create_session_options = create_session_options,
        .set_graph_optimization_level = set_number,
        .set_intra_op_threads = set_number,
        .set_inter_op_threads = set_number,
        .session_input_count = count_none,
        .session_output_count = count_none,
        .create_cpu_memory_info = create_memory_info,
        .default_allocator = default_allocator,
        .release_env = release_env,
        .release_status = release_status,
        .release_memory_info = release_memory_info,
        .release_session = release_session,
        .release_session_options = release_session_options,
        .add_session_config_entry = add_config_entry,
        .run_with_binding = run_with_binding,
        .create_binding = create_binding,
        .release_binding = release_binding,
    };
    (void)version;
    return &api;
}

static const char *get_version(void)
{
    return "1.99.0-wild";
}

__attribute__((visibility("default"))) const nnm_ort_api_base *OrtGetApiBase(void);
const nnm_ort_api_base *OrtGetApiBase(void)
{
    static const nnm_ort_api_base base = {get_api, get_version};
    return &base;
}
