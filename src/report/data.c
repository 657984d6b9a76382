#include "report/data.h"

#include <math.h>

#include "report/text.h"

/* Writes "value" or ",value". */
static void item(nnm_buffer *out, bool *first, double value)
{
    if (!*first) nnm_buffer_text(out, ",");
    *first = false;
    nnm_json_number(out, value);
}

/* The parameters of a configuration, as further values of a row. */
static void config_items(nnm_buffer *out, const nnm_report_kernel *k, const nnm_kernel_config *config)
{
    for (size_t i = 0; i < nnm_kernel_param_count(k->kernel); i++)
        nnm_buffer_printf(out, ",%lld", (long long)config->value[i]);
}

static void row_begin(nnm_buffer *out, size_t index)
{
    nnm_buffer_text(out, index ? ",[" : "[");
}

/* [measured, predicted, size, parameters...] */
static void write_tests(nnm_buffer *out, const nnm_report_kernel *k)
{
    nnm_buffer_text(out, ",\"tests\":[");
    for (size_t i = 0; i < k->test_count; i++) {
        const nnm_report_test *test = &k->tests[i];
        bool first = true;
        row_begin(out, i);
        item(out, &first, test->measured_ms);
        item(out, &first, test->predicted_ms);
        item(out, &first, test->size);
        if (!isnan(test->size)) config_items(out, k, &test->config);
        nnm_buffer_text(out, "]");
    }
    nnm_buffer_text(out, "]");
}

/* [latency, standard error, second latency, parameters...] */
static void write_labels(nnm_buffer *out, const nnm_report_kernel *k)
{
    nnm_buffer_text(out, ",\"labels\":[");
    for (size_t i = 0; i < k->label_count; i++) {
        const nnm_report_label *label = &k->labels[i];
        bool first = true;
        row_begin(out, i);
        item(out, &first, label->latency_ms);
        item(out, &first, label->error);
        item(out, &first, label->second_ms);
        config_items(out, k, &label->config);
        nnm_buffer_text(out, "]");
    }
    nnm_buffer_text(out, "]");
}

/* [name, sampled, measured, test rows, acc10, rmspe]; rows that were set apart are no step of a course. */
static void write_marks(nnm_buffer *out, const nnm_report_kernel *k)
{
    nnm_buffer_text(out, ",\"marks\":[");
    for (size_t i = 0; i < k->mark_count; i++) {
        const nnm_report_mark *mark = &k->marks[i];
        row_begin(out, i);
        nnm_json_text(out, mark->name);
        bool course = mark->test.rows && !mark->set_apart;
        nnm_buffer_printf(out, ",%zu,%zu,%zu,", mark->sampled, mark->measured, course ? mark->test.rows : 0);
        nnm_json_number(out, course ? mark->test.acc10 : (double)NAN);
        nnm_buffer_text(out, ",");
        nnm_json_number(out, course ? mark->test.rmspe : (double)NAN);
        nnm_buffer_text(out, "]");
    }
    nnm_buffer_text(out, "]");
}

/* steps: [value, latency, lower, upper]; near: [value, latency, on the line, parameters...] */
static void write_sweep(nnm_buffer *out, const nnm_report_kernel *k)
{
    const nnm_report_sweep *sweep = &k->sweep;
    nnm_buffer_text(out, ",\"sweep\":{\"param\":");
    nnm_json_text(out, sweep->param);
    nnm_buffer_text(out, ",\"fixed\":");
    nnm_json_text(out, sweep->fixed);
    nnm_buffer_text(out, ",\"steps\":[");
    for (size_t i = 0; i < sweep->step_count; i++) {
        const nnm_report_step *step = &sweep->steps[i];
        bool first = true;
        row_begin(out, i);
        item(out, &first, step->value);
        item(out, &first, step->latency_ms);
        item(out, &first, step->lower_ms);
        item(out, &first, step->upper_ms);
        nnm_buffer_text(out, "]");
    }
    nnm_buffer_text(out, "],\"near\":[");
    for (size_t i = 0; i < sweep->near_count; i++) {
        const nnm_report_neighbour *near = &sweep->near[i];
        bool first = true;
        row_begin(out, i);
        item(out, &first, near->value);
        item(out, &first, near->latency_ms);
        item(out, &first, near->exact);
        config_items(out, k, &near->config);
        nnm_buffer_text(out, "]");
    }
    nnm_buffer_text(out, "]}");
}

static void write_kernel(nnm_buffer *out, const nnm_report_kernel *k)
{
    nnm_buffer_text(out, "{\"name\":");
    nnm_json_text(out, k->row.kernel);
    nnm_buffer_printf(out, ",\"flops\":%s,\"ceiling10\":", k->has_flops ? "true" : "false");
    nnm_json_number(out, k->row.noise_ceiling10);
    nnm_buffer_text(out, ",\"params\":[");
    for (size_t i = 0; i < nnm_kernel_param_count(k->kernel); i++) {
        if (i) nnm_buffer_text(out, ",");
        nnm_json_text(out, nnm_kernel_param_name(k->kernel, i));
    }
    nnm_buffer_text(out, "]");
    write_tests(out, k);
    write_labels(out, k);
    write_marks(out, k);
    write_sweep(out, k);
    nnm_buffer_text(out, "}");
}

void nnm_report_write_data(const nnm_report_page *page, nnm_buffer *out)
{
    nnm_buffer_printf(out, "{\"simulated\":%s,\"targetError\":", page->simulated ? "true" : "false");
    nnm_json_number(out, page->target_error);
    nnm_buffer_text(out, ",\"kernels\":[");
    for (size_t i = 0; i < page->kernel_count; i++) {
        nnm_buffer_text(out, i ? ",\n" : "\n");
        write_kernel(out, &page->kernels[i]);
    }
    nnm_buffer_text(out, "\n]}");
}
