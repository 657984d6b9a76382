/* The report of a workspace, from its files to one HTML file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "report/gather.h"
#include "store/paths.h"

void nnm_report_result_fini(nnm_report_result *result)
{
    free(result->rows);
    *result = (nnm_report_result){0};
}

static nnm_status check_backend(const nnm_builder *builder, const char *name, nnm_error *err)
{
    const char *configured = nnm_workspace_backend(builder->workspace)->backend;
    if (!name || strcmp(name, configured) == 0) return NNM_OK;
    return nnm_fail(err, NNM_ERR_VALUE,
                    "the workspace '%s' is for backend '%s' (BACKEND in configs/backend_config.yaml), not for '%s'",
                    nnm_workspace_path(builder->workspace), configured, name);
}

/* What was given, or results/report.html. The caller frees it. */
static char *choose_path(const nnm_builder *builder, const char *given)
{
    if (given) return nnm_strdup(given);
    char *results = nnm_path_results(nnm_workspace_path(builder->workspace));
    char *path = results ? nnm_format("%s/report.html", results) : NULL;
    free(results);
    return path;
}

static nnm_status fill_result(nnm_report_result *out, const nnm_report_page *page, const char *path, nnm_error *err)
{
    nnm_report_result result = {.charts = nnm_report_has_charts(), .row_count = page->kernel_count};
    result.rows = nnm_calloc(page->kernel_count, sizeof *result.rows);
    if (!result.rows) return nnm_fail_memory(err);
    snprintf(result.path, sizeof result.path, "%s", path);
    for (size_t i = 0; i < page->kernel_count; i++)
        result.rows[i] = page->kernels[i].row;
    *out = result;
    return NNM_OK;
}

nnm_status nnm_write_report(nnm_builder *builder, const char *backend, const char *path, nnm_report_result *out,
                            nnm_error *err)
{
    nnm_status status = check_backend(builder, backend, err);
    if (status) return status;
    nnm_report_page page = {0};
    nnm_report_result result = {0};
    nnm_buffer html = {0};
    char *target = choose_path(builder, path);
    if (!target) status = nnm_fail_memory(err);
    if (status == NNM_OK) status = nnm_report_gather(&page, builder, err);
    if (status == NNM_OK) status = nnm_report_write_html(&page, &html, err);
    if (status == NNM_OK && out) status = fill_result(&result, &page, target, err);
    if (status == NNM_OK) status = nnm_file_write(target, html.data, html.size, err);
    if (status == NNM_OK && out) {
        *out = result;
        result = (nnm_report_result){0};
    }
    if (status == NNM_OK && !nnm_report_has_charts())
        nnm_builder_log(builder, NNM_LOG_WARNING,
                        "the report has tables only: nn-meter was built without Chart.js (Debian's libjs-chart.js)");
    nnm_report_result_fini(&result);
    nnm_report_page_fini(&page);
    nnm_buffer_fini(&html);
    free(target);
    return status;
}
