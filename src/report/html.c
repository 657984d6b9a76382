/* The page: its head, the table of all kernels, where the figures come from, and what failed. */
#include "report/html.h"

#include <math.h>
#include <string.h>

#include "report/data.h"
#include "report/text.h"

const char *nnm_html_measured(const nnm_report_page *page)
{
    return page->simulated ? "simulated" : "measured";
}

void nnm_html_anchor(nnm_buffer *out, const char *kernel)
{
    nnm_buffer_text(out, "kernel-");
    for (; *kernel; kernel++) {
        bool plain = (*kernel >= 'a' && *kernel <= 'z') || (*kernel >= 'A' && *kernel <= 'Z') ||
                     (*kernel >= '0' && *kernel <= '9');
        nnm_buffer_append(out, plain ? kernel : "-", 1);
    }
}

bool nnm_report_has_charts(void)
{
    return nnm_report_library.size > 0;
}

/* ---- head ---- */

/* The device: the CPU of the last measurements where one is known. */
static const char *device_of(const nnm_report_page *page)
{
    const char *cpu = page->machine_count ? page->machines[page->machine_count - 1].machine.cpu : "";
    return page->local && *cpu ? cpu : NULL;
}

static void write_title(nnm_buffer *out, const nnm_report_page *page)
{
    nnm_html_text(out, page->backend);
    if (device_of(page)) {
        nnm_buffer_text(out, " on ");
        nnm_html_text(out, device_of(page));
    }
}

static void write_head(nnm_buffer *out, const nnm_report_page *page)
{
    nnm_buffer_text(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                         "<meta name=\"color-scheme\" content=\"light dark\">\n"
                         "<meta name=\"generator\" content=\"nn-meter ");
    nnm_html_text(out, nnm_version());
    /* The page needs nothing from anywhere, and could not get it. */
    nnm_buffer_text(out, "\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                         "style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
                         "form-action 'none'\">\n<title>Latency predictors: ");
    write_title(out, page);
    nnm_buffer_text(out, "</title>\n<style>\n");
    nnm_buffer_append(out, nnm_report_style.bytes, nnm_report_style.size);
    nnm_buffer_text(out, "</style>\n</head>\n<body>\n");
}

static void write_notices(nnm_buffer *out, const nnm_report_page *page)
{
    if (page->simulated)
        nnm_buffer_text(out,
                        "<p class=\"notice strong\"><strong>Simulated.</strong> A model of a device computed these "
                        "latencies. Nothing was measured on hardware.</p>\n");
    if (!nnm_report_has_charts())
        nnm_buffer_text(out,
                        "<p class=\"notice\">This page has no charts: nn-meter was built where Chart.js was not "
                        "installed (on Debian the package libjs-chart.js). Every figure is there as a table.</p>\n");
    for (size_t i = 0; i < page->note_count; i++) {
        nnm_buffer_text(out, "<p class=\"notice\">Left out: ");
        nnm_html_text(out, page->notes[i]);
        nnm_buffer_text(out, "</p>\n");
    }
    nnm_buffer_text(out,
                    "<noscript><p class=\"notice\">The charts and their tables are drawn by a script inside of this "
                    "file, and scripts are switched off.</p></noscript>\n");
}

/* ---- key figures ---- */

static void figure_begin(nnm_buffer *out, const char *name)
{
    nnm_buffer_printf(out, "<div><dt>%s</dt><dd>", name);
}

static void write_key_figures(nnm_buffer *out, const nnm_report_page *page)
{
    size_t predictors = 0, profiled = 0, failed = 0, tests = 0;
    double device_s = 0, within10 = 0;
    bool timed = false;
    for (size_t i = 0; i < page->kernel_count; i++) {
        const nnm_report_row *row = &page->kernels[i].row;
        predictors += row->predictor_path[0] != '\0';
        profiled += row->profiled;
        failed += row->failed;
        tests += row->test.rows;
        within10 += row->test.rows ? row->test.acc10 * (double)row->test.rows : 0;
        timed |= !isnan(row->device_s);
        device_s += isnan(row->device_s) ? 0 : row->device_s;
    }
    nnm_buffer_text(out, "<dl class=\"figures\">\n");
    figure_begin(out, "Kernel types predicted");
    nnm_html_count(out, predictors);
    nnm_buffer_printf(out, "</dd></div>\n<div><dt>Configurations %s</dt><dd>", nnm_html_measured(page));
    nnm_html_count(out, profiled);
    nnm_buffer_text(out, "</dd></div>\n");
    figure_begin(out, "Failed");
    nnm_html_count(out, failed);
    nnm_buffer_text(out, "</dd></div>\n");
    figure_begin(out, "Device time");
    nnm_html_seconds(out, timed ? device_s : (double)NAN);
    nnm_buffer_text(out, "</dd></div>\n");
    figure_begin(out, "Test rows within 10 %");
    nnm_html_share(out, tests ? within10 / (double)tests : (double)NAN);
    nnm_buffer_text(out, "</dd></div>\n</dl>\n");
}

static void write_header(nnm_buffer *out, const nnm_report_page *page)
{
    nnm_buffer_text(out, "<header class=\"page\">\n<p class=\"over\">Kernel latency predictors</p>\n<h1>");
    write_title(out, page);
    nnm_buffer_text(out, "</h1>\n<p class=\"muted\">");
    if (page->last_unix_s > 0) {
        nnm_buffer_printf(out, "%s ", page->simulated ? "Simulated" : "Measured");
        nnm_html_time(out, page->first_unix_s);
        nnm_buffer_text(out, " to ");
        nnm_html_time(out, page->last_unix_s);
        nnm_buffer_text(out, ". ");
    }
    nnm_buffer_text(out, "Report of ");
    nnm_html_time(out, page->generated_unix_s);
    nnm_buffer_text(out, ".</p>\n");
    write_notices(out, page);
    write_key_figures(out, page);
    nnm_buffer_text(out, "</header>\n<main>\n");
}

/* ---- the table of all kernels ---- */

static void cell_share(nnm_buffer *out, double share)
{
    nnm_buffer_text(out, "<td class=\"n\">");
    nnm_html_share(out, share);
    nnm_buffer_text(out, "</td>");
}

/* The share as a bar, with a mark where the labels' noise sets the ceiling. */
static void cell_meter(nnm_buffer *out, double share, double ceiling)
{
    nnm_buffer_text(out, "<td class=\"n\">");
    nnm_html_share(out, share);
    if (isfinite(share)) {
        nnm_buffer_text(out, "<span class=\"meter\" aria-hidden=\"true\"><i style=\"width:");
        nnm_html_fixed(out, share * 100, 1);
        nnm_buffer_text(out, "%\"></i>");
        if (isfinite(ceiling)) {
            nnm_buffer_text(out, "<b style=\"left:");
            nnm_html_fixed(out, ceiling * 100, 1);
            nnm_buffer_text(out, "%\"></b>");
        }
        nnm_buffer_text(out, "</span>");
    }
    nnm_buffer_text(out, "</td>");
}

static void write_row(nnm_buffer *out, const nnm_report_row *row)
{
    bool tested = row->test.rows > 0;
    const char *slash = strrchr(row->predictor_path, '/');
    nnm_buffer_text(out, "<tr><th scope=\"row\"><a href=\"#");
    nnm_html_anchor(out, row->kernel);
    nnm_buffer_text(out, "\">");
    nnm_html_text(out, row->kernel);
    nnm_buffer_text(out, "</a></th><td class=\"n\">");
    nnm_html_count(out, row->profiled);
    nnm_buffer_printf(out, "</td><td class=\"n%s\">", row->failed ? " bad" : "");
    nnm_html_count(out, row->failed);
    nnm_buffer_text(out, "</td><td class=\"n\">");
    nnm_html_seconds(out, row->device_s);
    nnm_buffer_text(out, "</td>");
    cell_share(out, tested ? row->test.acc5 : (double)NAN);
    cell_meter(out, tested ? row->test.acc10 : (double)NAN, row->noise_ceiling10);
    cell_share(out, row->noise_ceiling10);
    cell_share(out, tested ? row->test.acc15 : (double)NAN);
    cell_share(out, tested ? row->test.rmspe : (double)NAN);
    nnm_buffer_text(out, "<td class=\"n\">");
    nnm_html_count(out, row->test.rows);
    nnm_buffer_text(out, "</td><td class=\"file\" title=\"");
    nnm_html_text(out, row->predictor_path);
    nnm_buffer_text(out, "\">");
    nnm_html_text(out, slash ? slash + 1 : "–");
    nnm_buffer_text(out, "</td></tr>\n");
}

static void write_table(nnm_buffer *out, const nnm_report_page *page)
{
    nnm_buffer_text(out, "<section aria-labelledby=\"all\">\n<h2 id=\"all\">All kernels</h2>\n");
    if (page->kernel_count == 0)
        nnm_buffer_text(out, "<p>This workspace holds no configurations, measurements or predictors yet.</p>\n");
    else
        nnm_buffer_printf(out,
                          "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-labelledby=\"all\">\n"
                          "<table class=\"all\">\n<thead><tr>"
                          "<th scope=\"col\">Kernel</th><th scope=\"col\" class=\"n\">%s</th>"
                          "<th scope=\"col\" class=\"n\">Failed</th><th scope=\"col\" class=\"n\">Device time</th>"
                          "<th scope=\"col\" class=\"n\">±5 %%</th><th scope=\"col\" class=\"n\">±10 %%</th>"
                          "<th scope=\"col\" class=\"n\">Ceiling</th><th scope=\"col\" class=\"n\">±15 %%</th>"
                          "<th scope=\"col\" class=\"n\">RMSPE</th><th scope=\"col\" class=\"n\">Test rows</th>"
                          "<th scope=\"col\">Predictor</th></tr></thead>\n<tbody>\n",
                          page->simulated ? "Simulated" : "Measured");
    for (size_t i = 0; i < page->kernel_count; i++)
        write_row(out, &page->kernels[i].row);
    if (page->kernel_count)
        nnm_buffer_text(out,
                        "</tbody></table></div>\n<p class=\"muted\">±p %: share of the test rows whose prediction "
                        "is at most p % off the label. Ceiling: the share within 10 % that a predictor which knows "
                        "the true latencies would reach, given how far labels repeat; a dash where fewer than 20 "
                        "were measured twice. The mark on a bar shows it.</p>\n");
    if (page->not_begun_count) {
        nnm_buffer_text(out, "<p class=\"muted\">Not begun: ");
        for (size_t i = 0; i < page->not_begun_count; i++) {
            nnm_buffer_text(out, i ? ", " : "");
            nnm_html_text(out, page->not_begun[i]);
        }
        nnm_buffer_text(out, ".</p>\n");
    }
    nnm_buffer_text(out, "</section>\n");
}

/* ---- where the figures come from ---- */

static void fact(nnm_buffer *out, const char *name, const char *value)
{
    nnm_buffer_printf(out, "<div><dt>%s</dt><dd>", name);
    nnm_html_text(out, *value ? value : "–");
    nnm_buffer_text(out, "</dd></div>\n");
}

static void fact_number(nnm_buffer *out, const char *name, double value, int decimals, const char *unit)
{
    if (!(value > 0)) return;
    nnm_buffer_printf(out, "<div><dt>%s</dt><dd>", name);
    nnm_html_fixed(out, value, decimals);
    nnm_buffer_printf(out, "%s</dd></div>\n", unit);
}

static void write_machine(nnm_buffer *out, const nnm_report_page *page, const nnm_report_machine *m)
{
    nnm_buffer_text(out, "<dl class=\"facts\">\n");
    fact(out, "Backend", page->backend);
    fact(out, "Runtime version", m->runtime_version);
    fact(out, "nn-meter", m->nnmeter_version);
    fact(out, "Host", m->machine.host);
    fact(out, "Processor", m->machine.cpu);
    fact_number(out, "CPUs", m->machine.cpus, 0, "");
    fact_number(out, "Clock", m->machine.clock_ghz, 2, " GHz");
    fact_number(out, "Memory", m->machine.memory_gib, 1, " GiB");
    fact(out, "Linux", m->machine.kernel_release);
    if (m->machine.governor[0]) fact(out, "Governor", m->machine.governor);
    fact_number(out, "Runs", (double)m->runs, 0, "");
    nnm_buffer_text(out, "<div><dt>Last run</dt><dd>");
    nnm_html_time(out, m->last_unix_s);
    nnm_buffer_text(out, "</dd></div>\n</dl>\n");
}

static void write_settings(nnm_buffer *out, const nnm_report_page *page)
{
    nnm_buffer_printf(out, "<details><summary>Settings%s</summary>\n<dl class=\"facts settings\">\n",
                      page->settings_of_run ? " of the last run" : "");
    const char *line = page->settings.data ? page->settings.data : "";
    while (*line) {
        char text[NNM_REPORT_TEXT_BYTES];
        size_t length = strcspn(line, "\n"), kept = length < sizeof text ? length : sizeof text - 1;
        memcpy(text, line, kept);
        text[kept] = '\0';
        char *colon = strstr(text, ": ");
        if (colon) *colon = '\0';
        if (kept) {
            nnm_buffer_text(out, "<div><dt>");
            nnm_html_text(out, text);
            nnm_buffer_text(out, "</dt><dd>");
            nnm_html_text(out, colon ? colon + 2 : "");
            nnm_buffer_text(out, "</dd></div>\n");
        }
        line += length + (line[length] == '\n');
    }
    nnm_buffer_text(out, "</dl></details>\n");
}

static void write_origin(nnm_buffer *out, const nnm_report_page *page)
{
    nnm_buffer_text(out, "<section aria-labelledby=\"origin\">\n<h2 id=\"origin\">Where this comes from</h2>\n");
    if (page->machine_count == 0)
        nnm_buffer_text(out, "<p>There is no journal of measurements with these settings, so the machine is not "
                             "known.</p>\n");
    if (page->machine_count > 1)
        nnm_buffer_text(out, "<p>Latencies of more than one machine or version are mixed here.</p>\n");
    for (size_t i = 0; i < page->machine_count; i++)
        write_machine(out, page, &page->machines[i]);
    write_settings(out, page);
    nnm_buffer_text(out, "<p class=\"muted\">Workspace <span class=\"path\">");
    nnm_html_text(out, page->workspace);
    nnm_buffer_text(out, "</span></p>\n</section>\n");
}

/* ---- failures ---- */

static void write_failure(nnm_buffer *out, const nnm_report_failure *failure)
{
    const char *const cells[] = {failure->kernel, failure->step, failure->id, failure->config};
    nnm_buffer_text(out, "<tr>");
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
        nnm_buffer_text(out, i == 3 ? "<td class=\"config\">" : "<td>");
        nnm_html_text(out, cells[i]);
        nnm_buffer_text(out, "</td>");
    }
    nnm_buffer_text(out, "<td>");
    nnm_html_text(out, failure->message);
    if (failure->code[0]) {
        nnm_buffer_text(out, " <span class=\"muted\">");
        nnm_html_text(out, failure->code);
        nnm_buffer_text(out, "</span>");
    }
    nnm_buffer_text(out, "</td></tr>\n");
}

static void write_failures(nnm_buffer *out, const nnm_report_page *page)
{
    nnm_buffer_text(out, "<section aria-labelledby=\"failures\">\n<h2 id=\"failures\">Failures</h2>\n");
    if (page->failure_count == 0) {
        nnm_buffer_text(out, "<p>Nothing failed.</p>\n</section>\n");
        return;
    }
    nnm_buffer_text(out, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-labelledby=\"failures\">\n"
                         "<table class=\"failures\">\n<thead><tr><th scope=\"col\">Kernel</th>"
                         "<th scope=\"col\">Step</th><th scope=\"col\">Id</th><th scope=\"col\">Configuration</th>"
                         "<th scope=\"col\">Reason</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < page->failure_count; i++)
        write_failure(out, &page->failures[i]);
    nnm_buffer_text(out, "</tbody></table></div>\n</section>\n");
}

/* ---- the end ---- */

static void write_scripts(nnm_buffer *out, const nnm_report_page *page)
{
    nnm_buffer_text(out, "<script type=\"application/json\" id=\"data\">\n");
    nnm_report_write_data(page, out);
    nnm_buffer_text(out, "\n</script>\n");
    if (nnm_report_has_charts()) {
        nnm_buffer_text(out, "<script>\n");
        nnm_buffer_append(out, nnm_report_library.bytes, nnm_report_library.size);
        nnm_buffer_text(out, "</script>\n");
    }
    nnm_buffer_text(out, "<script>\n");
    nnm_buffer_append(out, nnm_report_script.bytes, nnm_report_script.size);
    nnm_buffer_text(out, "</script>\n");
}

static void write_footer(nnm_buffer *out)
{
    nnm_buffer_text(out, "</main>\n<footer class=\"muted\">\n<p>Written by nn-meter ");
    nnm_html_text(out, nnm_version());
    nnm_buffer_text(out, ". Latencies are milliseconds, times UTC. The numbers behind a chart stand in the table below "
                         "it.</p>\n");
    if (nnm_report_has_charts())
        nnm_buffer_text(out, "<p>Charts by Chart.js, whose licence (MIT) stands with it in the source of this "
                             "page.</p>\n");
    nnm_buffer_text(out, "</footer>\n");
}

nnm_status nnm_report_write_html(const nnm_report_page *page, nnm_buffer *out, nnm_error *err)
{
    write_head(out, page);
    write_header(out, page);
    write_table(out, page);
    for (size_t i = 0; i < page->kernel_count; i++)
        nnm_html_kernel(out, page, i);
    write_failures(out, page);
    write_origin(out, page);
    write_footer(out);
    write_scripts(out, page);
    nnm_buffer_text(out, "</body>\n</html>\n");
    return nnm_buffer_check(out, err);
}
