/* report: what a workspace holds, as one page. */
#include <stdio.h>

#include "commands.h"

typedef struct report_values {
    const char *workspace, *backend, *out;
    bool json;
} report_values;

static const cli_option report_options[] = {
    OPTION_WORKSPACE(report_values),
    OPTION_BACKEND(report_values),
    {.name = "out",
     .letter = 'o',
     .kind = OPTION_TEXT,
     .offset = offsetof(report_values, out),
     .value = "FILE",
     .otherwise = "results/report.html of the workspace",
     .help = "the HTML file to write"},
    OPTION_JSON(report_values),
};

/* NULL when memory is short. */
static json_t *row_json(const nnm_report_row *row)
{
    bool tested = row->test.rows > 0;
    return json_pack(
        "{s:o, s:I, s:I, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "kernel", output_text(row->kernel), "profiled",
        (json_int_t)row->profiled, "failed", (json_int_t)row->failed, "device_s", output_number(row->device_s),
        "test_rows", (json_int_t)row->test.rows, "rmse_ms", output_number(if_known(tested, row->test.rmse)), "rmspe",
        output_number(if_known(tested, row->test.rmspe)), "acc5", output_number(if_known(tested, row->test.acc5)),
        "acc10", output_number(if_known(tested, row->test.acc10)), "acc15",
        output_number(if_known(tested, row->test.acc15)), "noise_ceiling10", output_number(row->noise_ceiling10),
        "predictor", row->predictor_path[0] ? output_text(row->predictor_path) : json_null());
}

static json_t *report_json(const nnm_report_result *result)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < result->row_count; i++)
        output_append(&rows, row_json(&result->rows[i]));
    return json_pack("{s:o, s:b, s:o}", "report", output_text(result->path), "charts", result->charts, "kernels", rows);
}

static int run_report(const cli_command *self, const void *values)
{
    const report_values *v = values;
    nnm_error err = NNM_ERROR_INIT;
    nnm_builder *builder = NULL;
    nnm_report_result result = {0};
    int code = open_builder(self, v->workspace, output_stoppable_hooks(), &builder);
    if (!code && v->out) code = check_output(self, v->out, "<!doctype html", "a page");
    if (code) goto done;
    if (nnm_write_report(builder, v->backend, v->out, &result, &err))
        code = command_fail(self, &err);
    else if (v->json)
        code = output_json(report_json(&result));
    else
        printf("%s\n", result.path);
done:
    nnm_report_result_fini(&result);
    nnm_builder_free(builder);
    return code;
}

const cli_command command_report = {
    .name = "report",
    .summary = "Write a page with tables and charts of what a workspace holds",
    .run = run_report,
    .values_size = sizeof(report_values),
    OPTIONS(report_options),
    .usage = "--workspace DIR [--out FILE] [options]",
    .details =
        "The page is one HTML file that needs nothing else, and no network. It shows what is there now; what is\n"
        "missing it says. Nothing is measured.\n",
    .example = "  nn-meter report --workspace ws --out report.html\n",
};
