/* What the tests of the builder share: a workspace with a protocol small enough for a test, and what it hears. */
#ifndef NNM_TESTS_BUILDER_RIG_H
#define NNM_TESTS_BUILDER_RIG_H

#include "unit/testing.h"

#include <ctype.h>
#include <dirent.h>
#include <signal.h>
#include <unistd.h>

#include "base/file.h"
#include "builder/builder.h"

#ifndef BACKEND
#define BACKEND "xnnpack_cpu"
#endif
#define KERNEL                                                                                             \
    "global-avgpool" /* without weights, and with few parameters: of all kernel types the quickest to time \
                      */

typedef struct fixture {
    char folder[256];
    char workspace[512];
    nnm_builder *builder;
    nnm_hooks hooks;
    size_t interrupt_after; /* progress reports until the work is asked to stop; 0: never */
    size_t kill_worker_at;  /* progress report at which the worker is killed; 0: never */
    size_t reports;
    char log[8192];
} fixture;

static inline void on_log(void *context, nnm_log_level level, const char *line)
{
    fixture *f = context;
    (void)level;
    size_t used = strlen(f->log);
    snprintf(f->log + used, sizeof f->log - used, "%s\n", line);
}

/* Ends every child of this process, as the kernel of the system does when memory is short. */
static inline void kill_children(void)
{
    DIR *processes = opendir("/proc");
    assert_non_null(processes);
    for (struct dirent *entry; (entry = readdir(processes));) {
        if (!isdigit((unsigned char)entry->d_name[0])) continue;
        char path[300], stat[512] = {0};
        snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
        FILE *file = fopen(path, "r");
        if (!file) continue;
        size_t size = fread(stat, 1, sizeof stat - 1, file);
        fclose(file);
        const char *after_name = size ? strrchr(stat, ')') : NULL;
        long parent = 0;
        if (after_name && sscanf(after_name, ") %*c %ld", &parent) == 1 && parent == (long)getpid())
            kill((pid_t)atol(entry->d_name), SIGKILL);
    }
    closedir(processes);
}

static inline void on_progress(void *context, const nnm_progress *progress)
{
    fixture *f = context;
    if (strncmp(progress->activity, "profile", 7) != 0) return;
    f->reports++;
    if (f->reports == f->kill_worker_at) kill_children();
}

static inline bool is_interrupted(void *context)
{
    fixture *f = context;
    return f->interrupt_after && f->reports >= f->interrupt_after;
}

static inline void write_text(const char *path, const char *text)
{
    nnm_error err = NNM_ERROR_INIT;
    assert_ok(nnm_file_write(path, text, strlen(text), &err));
}

static inline int set_up(void **state)
{
    nnm_error err = NNM_ERROR_INIT;
    fixture *f = calloc(1, sizeof *f);
    make_folder(f->folder);
    in_folder(f->workspace, f->folder, "workspace");
    assert_ok(nnm_workspace_create(f->workspace, BACKEND, &err));
    char path[1024];
    snprintf(path, sizeof path, "%s/configs/backend_config.yaml", f->workspace);
    write_text(path,
               "BACKEND: " BACKEND "\nROUNDS: 2\nMAX_ROUNDS: 2\nWARMUP_MS: 0.2\nSAMPLE_US: 50\nROUND_MS: 1\nGATE: 0\n");
    f->hooks = (nnm_hooks){f, on_log, on_progress, is_interrupted};
    assert_ok(nnm_builder_config_init(&f->builder, f->workspace, NULL, &f->hooks, &err));
    *state = f;
    return 0;
}

static inline int tear_down(void **state)
{
    fixture *f = *state;
    nnm_builder_free(f->builder);
    remove_folder(f->folder);
    free(f);
    return 0;
}

static inline bool exists(const fixture *f, const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/predictor_build/%s", f->workspace, name);
    return nnm_file_exists(path);
}

static inline char *read_result(const fixture *f, const char *name)
{
    nnm_error err = NNM_ERROR_INIT;
    char path[1024], *text = NULL;
    size_t size = 0;
    snprintf(path, sizeof path, "%s/predictor_build/results/%s", f->workspace, name);
    assert_ok(nnm_file_read(path, &text, &size, &err));
    return text;
}

static inline size_t count_lines(const char *text)
{
    size_t lines = 0;
    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

static inline nnm_kernel_data *sample_kernels(fixture *f, size_t num)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_kernel_data *data = NULL;
    nnm_sample_options options = NNM_SAMPLE_OPTIONS_INIT;
    options.mark = "test";
    assert_ok(nnm_generate_config_sample(f->builder, KERNEL, num, &options, &data, &err));
    return data;
}

static inline void assert_in_log(const fixture *f, const char *name, const char *const *texts, size_t count)
{
    char *log = read_result(f, name);
    for (size_t i = 0; i < count; i++)
        if (!strstr(log, texts[i])) fail_msg("'%s' is not in %s:\n%s", texts[i], name, log);
    free(log);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

#endif
