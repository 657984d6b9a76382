#include "report/gather.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "builder/notes.h"
#include "config/files.h"
#include "store/journal_review.h"
#include "store/known.h"

nnm_status nnm_gather_note(nnm_gather *g, nnm_status status, const nnm_error *reason, nnm_error *err)
{
    if (status == NNM_OK) return NNM_OK;
    if (status == NNM_ERR_NO_MEMORY || status == NNM_ERR_INTERRUPTED) {
        if (err) *err = *reason;
        return status;
    }
    nnm_report_page *page = g->page;
    for (size_t i = 0; i < page->note_count; i++)
        if (strcmp(page->notes[i], reason->message) == 0) return NNM_OK; /* several kernel types asked for it */
    nnm_builder_log(g->builder, NNM_LOG_WARNING, "%s", reason->message);
    return nnm_report_add_text(&page->notes, &page->note_count, &page->note_capacity, reason->message, err);
}

/* ---- files of a folder ---- */

static int by_time(const void *a, const void *b)
{
    const nnm_found_file *left = a, *right = b;
    if (left->written_s != right->written_s) return left->written_s < right->written_s ? -1 : 1;
    return strcmp(left->path, right->path);
}

static nnm_status add_file(nnm_found_files *out, const char *folder, const char *name, size_t prefix, size_t length,
                           nnm_error *err)
{
    struct stat info;
    char *path = nnm_format("%s/%s", folder, name);
    if (!path) return nnm_fail_memory(err);
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode)) { /* gone meanwhile, or none of ours */
        free(path);
        return NNM_OK;
    }
    void *items = out->items;
    nnm_status status = nnm_grow(&items, &out->capacity, out->count + 1, sizeof *out->items, err);
    if (status) {
        free(path);
        return status;
    }
    out->items = items;
    nnm_found_file *file = &out->items[out->count++];
    *file =
        (nnm_found_file){.path = path, .written_s = (double)info.st_mtim.tv_sec + 1e-9 * (double)info.st_mtim.tv_nsec};
    snprintf(file->mark, sizeof file->mark, "%.*s", (int)length, name + prefix);
    return NNM_OK;
}

nnm_status nnm_find_files(nnm_found_files *out, const char *folder, const char *prefix, const char *suffix,
                          nnm_error *err)
{
    size_t before = strlen(prefix), after = strlen(suffix);
    nnm_status status = NNM_OK;
    DIR *files = opendir(folder);
    if (!files) return NNM_OK;
    for (const struct dirent *file; status == NNM_OK && (file = readdir(files)) != NULL;) {
        size_t length = strlen(file->d_name);
        if (length <= before + after || strncmp(file->d_name, prefix, before) != 0 ||
            strcmp(file->d_name + length - after, suffix) != 0)
            continue;
        status = add_file(out, folder, file->d_name, before, length - before - after, err);
    }
    closedir(files);
    if (out->count) qsort(out->items, out->count, sizeof *out->items, by_time);
    return status;
}

void nnm_found_files_fini(nnm_found_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        free(files->items[i].path);
    free(files->items);
    *files = (nnm_found_files){0};
}

/* ---- the page ---- */

static nnm_status open_journal(nnm_gather *g, nnm_error *err)
{
    nnm_error reason = NNM_ERROR_INIT;
    nnm_status status = nnm_builder_find_journal(g->builder, &reason);
    if (status == NNM_ERR_NOT_FOUND) return NNM_OK; /* the page says so where figures are missing for it */
    if (status == NNM_OK) status = nnm_builder_open_journal(g->builder, &g->journal, &reason);
    if (status == NNM_OK) status = nnm_journal_verify(g->journal, &reason);
    if (status) { /* figures of which some are missing would be wrong */
        nnm_journal_close(g->journal);
        g->journal = NULL;
    }
    return nnm_gather_note(g, status, &reason, err);
}

/* Whether anything of the kernel was found. */
static bool is_begun(const nnm_report_kernel *k)
{
    bool own = k->row.predictor_path[0] && !k->shared[0];
    return k->mark_count || k->label_count || k->row.failed || own;
}

static nnm_status add_kernel(nnm_gather *g, const nnm_kernel *kernel, nnm_error *err)
{
    nnm_report_page *page = g->page;
    const char *name = nnm_kernel_name(kernel);
    void *kernels = page->kernels;
    nnm_status status = nnm_grow(&kernels, &page->kernel_capacity, page->kernel_count + 1, sizeof *page->kernels, err);
    if (status) return status;
    page->kernels = kernels;
    nnm_report_kernel *k = &page->kernels[page->kernel_count++];
    *k = (nnm_report_kernel){.kernel = kernel, .row = {.device_s = (double)NAN, .noise_ceiling10 = (double)NAN}};
    snprintf(k->row.kernel, sizeof k->row.kernel, "%s", name);
    for (size_t i = 0; i < nnm_kernel_feature_count(kernel); i++)
        k->has_flops |= strcmp(nnm_kernel_feature_name(kernel, i), "FLOPS") == 0;
    status = nnm_gather_kernel(g, k, err);
    if (status || is_begun(k)) return status;
    page->kernel_count--; /* it holds nothing that would have to be freed */
    if (!nnm_workspace_kernel(g->builder->workspace, name)) return NNM_OK;
    return nnm_report_add_text(&page->not_begun, &page->not_begun_count, &page->not_begun_capacity, name, err);
}

/* A customised kernel that cannot be loaded leaves a note. */
static nnm_status find_and_add(nnm_gather *g, const char *name, nnm_error *err)
{
    const nnm_kernel *kernel = NULL;
    nnm_error reason = NNM_ERROR_INIT;
    nnm_status status = nnm_builder_kernel(g->builder, name, &kernel, &reason);
    return status ? nnm_gather_note(g, status, &reason, err) : add_kernel(g, kernel, err);
}

/* Settings of the last measurements; without any, those that hold now. */
static nnm_status add_settings(nnm_gather *g, nnm_error *err)
{
    const nnm_predictorbuild_config *build = nnm_workspace_predictorbuild(g->builder->workspace);
    nnm_report_page *page = g->page;
    page->target_error = nnm_workspace_backend(g->builder->workspace)->protocol.target_error;
    const nnm_known_backend known = nnm_workspace_known_backend(g->backend);
    if (!page->settings.size)
        nnm_backend_config_describe(nnm_workspace_backend(g->builder->workspace), &known, &page->settings);
    if (page->settings.size && page->settings.data[page->settings.size - 1] != '\n')
        nnm_buffer_text(&page->settings, "\n");
    nnm_buffer_printf(&page->settings, "IMPLEMENT: %s\nBATCH_SIZE: %lld\nPREDICTOR: %s\n", g->source.implement,
                      (long long)build->batch_size, nnm_model_kind_name(build->predictor));
    return nnm_buffer_check(&page->settings, err);
}

nnm_status nnm_report_gather(nnm_report_page *page, const nnm_builder *builder, nnm_error *err)
{
    nnm_gather g = {
        .builder = builder,
        .workspace = nnm_workspace_path(builder->workspace),
        .page = page,
        .source = nnm_builder_source(builder),
    };
    page->workspace = nnm_strdup(g.workspace);
    if (!page->workspace) return nnm_fail_memory(err);
    snprintf(page->backend, sizeof page->backend, "%s", g.source.backend);
    page->generated_unix_s = nnm_unix_time_s();
    nnm_status status = nnm_backend_find(&g.backend, page->backend, err);
    if (status) return status;
    page->simulated = g.backend->device == NNM_DEVICE_SIMULATED;
    page->local = g.backend->device == NNM_DEVICE_LOCAL;
    status = open_journal(&g, err);
    if (status == NNM_OK) status = nnm_gather_machines(&g, err);
    if (status == NNM_OK) status = add_settings(&g, err);
    const nnm_registry *registry = nnm_workspace_registry(builder->workspace);
    for (size_t i = 0; i < nnm_registry_kernel_count(registry) && status == NNM_OK; i++) {
        status = nnm_builder_check_interrupted(builder, err);
        if (status == NNM_OK) status = find_and_add(&g, nnm_registry_kernel_name(registry, i), err);
    }
    if (status == NNM_OK) status = nnm_gather_failures(&g, err);
    nnm_journal_close(g.journal);
    return status;
}
