/* The section of one kernel type. Each chart is a figure that says in words what it shows; the script draws it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/html.h"
#include "report/text.h"

/* ---- figures ---- */

typedef struct figure {
    nnm_buffer *out;
    const nnm_report_page *page;
    const nnm_report_kernel *kernel;
    size_t index;
} figure;

/* Begins the caption; what follows is its sentence. */
static void caption(const figure *f, const char *chart, bool wide, bool empty, const char *title)
{
    nnm_buffer_printf(f->out, "<figure class=\"chart%s%s\"", wide ? " wide" : "", empty ? " empty" : "");
    if (!empty) nnm_buffer_printf(f->out, " data-chart=\"%s\" data-kernel=\"%zu\"", chart, f->index);
    nnm_buffer_printf(f->out, ">\n<figcaption><h4>%s</h4><p>", title);
}

/* Ends the caption and leaves room for the chart, which `label` describes to those who do not see it. `height_px` 0: as
 * usual. */
static void canvas(const figure *f, const char *label, size_t height_px)
{
    nnm_buffer_text(f->out, "</p></figcaption>\n<div class=\"canvas\"");
    if (height_px) nnm_buffer_printf(f->out, " style=\"height:%zupx\"", height_px);
    nnm_buffer_printf(f->out, "><canvas role=\"img\" aria-label=\"%s of ", label);
    nnm_html_text(f->out, f->kernel->row.kernel);
    nnm_buffer_text(f->out, ". The numbers stand in the table that follows.\"></canvas></div>\n"
                            "<details class=\"rows\"><summary>Table</summary></details>\n</figure>\n");
}

/* A figure of which nothing can be drawn. */
static void empty(const figure *f, bool wide, const char *title, const char *why)
{
    caption(f, "", wide, true, title);
    nnm_html_text(f->out, why);
    nnm_buffer_text(f->out, "</p></figcaption>\n</figure>\n");
}

/* ---- accuracy ---- */

static void accuracy(const figure *f)
{
    const nnm_report_kernel *k = f->kernel;
    const char *title = f->page->simulated ? "Predicted against simulated" : "Predicted against measured";
    if (k->test_count == 0) {
        empty(f, false, title, "There are no test rows yet.");
        return;
    }
    const nnm_metrics *test = &k->tested;
    caption(f, "accuracy", false, false, title);
    nnm_html_share(f->out, test->acc10);
    nnm_buffer_text(f->out, " of ");
    nnm_html_count(f->out, k->test_count);
    nnm_buffer_text(f->out, " test rows (");
    nnm_html_text(f->out, k->test);
    nnm_buffer_text(f->out, ") lie within 10 %, the shaded band");
    if (isfinite(k->row.noise_ceiling10)) {
        nnm_buffer_text(f->out, "; the labels allow ");
        nnm_html_share(f->out, k->row.noise_ceiling10);
    }
    nnm_buffer_text(f->out, ".");
    canvas(f, "Predicted latency against the true one, on logarithmic axes, for the test rows", 0);
}

static int by_size(const void *a, const void *b)
{
    const nnm_report_test *left = a, *right = b;
    return left->size < right->size ? -1 : left->size > right->size;
}

/* Share within 10 % among rows first..last. */
static double share_within(const nnm_report_test *tests, size_t first, size_t last)
{
    size_t within = 0;
    for (size_t i = first; i < last; i++)
        within += fabs(tests[i].predicted_ms - tests[i].measured_ms) <= 0.1 * tests[i].measured_ms;
    return (double)within / (double)(last - first);
}

static void sizes(const figure *f)
{
    const nnm_report_kernel *k = f->kernel;
    static const char title[] = "Error by size";
    nnm_report_test *known = nnm_calloc(k->test_count, sizeof *known);
    size_t count = 0, far = 0;
    if (!known) f->out->failed = true;
    for (size_t i = 0; known && i < k->test_count; i++)
        if (isfinite(k->tests[i].size)) known[count++] = k->tests[i];
    if (count == 0) {
        empty(f, false, title,
              k->test_count ? "The test rows do not tell their configurations." : "There are no test rows yet.");
        free(known);
        return;
    }
    qsort(known, count, sizeof *known, by_size);
    caption(f, "sizes", false, false, title);
    if (count >= 4) {
        nnm_buffer_text(f->out, "Within 10 %: ");
        nnm_html_share(f->out, share_within(known, 0, count / 2));
        nnm_buffer_text(f->out, " of the smaller half, ");
        nnm_html_share(f->out, share_within(known, count / 2, count));
        nnm_buffer_text(f->out, " of the larger. ");
    }
    nnm_buffer_text(f->out, "Above zero is predicted too slow.");
    for (size_t i = 0; i < count; i++)
        far += known[i].predicted_ms > 2 * known[i].measured_ms;
    if (far) nnm_buffer_printf(f->out, " Triangles at the edge: %zu rows with more than 100 %%.", far);
    free(known);
    canvas(f, "Relative error of the predictions by size of the kernel", 0);
}

/* ---- the staircase ---- */

static void staircase(const figure *f)
{
    const nnm_report_sweep *sweep = &f->kernel->sweep;
    static const char title[] = "Staircase";
    size_t exact = 0;
    if (sweep->step_count == 0) {
        empty(f, true, title, f->kernel->no_sweep[0] ? f->kernel->no_sweep : "No configuration of the line is valid.");
        return;
    }
    for (size_t i = 0; i < sweep->near_count; i++)
        exact += sweep->near[i].exact;
    caption(f, "staircase", true, false, title);
    nnm_buffer_text(f->out, "The predictor over ");
    nnm_html_text(f->out, sweep->param);
    if (sweep->fixed[0]) {
        nnm_buffer_text(f->out, " at ");
        nnm_html_text(f->out, sweep->fixed);
    }
    nnm_buffer_printf(f->out,
                      ", with its 90 %% interval. %zu %s %s on the line, %zu next to it, with other channels at "
                      "most 15 %% away.",
                      exact, nnm_html_measured(f->page), exact == 1 ? "configuration lies" : "configurations lie",
                      sweep->near_count - exact);
    canvas(f, "Predicted latency over one parameter, with its interval and the configurations beside it", 0);
}

/* ---- noise ---- */

static int by_value(const void *a, const void *b)
{
    const double *left = a, *right = b;
    return *left < *right ? -1 : *left > *right;
}

static void spread(const figure *f)
{
    const nnm_report_kernel *k = f->kernel;
    static const char title[] = "Noise of the labels";
    double *errors = nnm_calloc(k->label_count, sizeof *errors);
    size_t count = 0, above = 0;
    if (!errors) f->out->failed = true;
    for (size_t i = 0; errors && i < k->label_count; i++)
        if (isfinite(k->labels[i].error)) errors[count++] = k->labels[i].error;
    if (count == 0) {
        empty(f, false, title,
              "How far rounds of a measurement differ is not known: none has two of them in a journal.");
        free(errors);
        return;
    }
    qsort(errors, count, sizeof *errors, by_value);
    for (size_t i = 0; i < count; i++)
        above += errors[i] > f->page->target_error;
    caption(f, "spread", false, false, title);
    nnm_buffer_text(f->out, "Median standard error ");
    nnm_html_fixed(f->out, errors[count / 2] * 100, 2);
    nnm_buffer_printf(f->out, " %%; %zu of %zu are above the target of ", above, count);
    nnm_html_fixed(f->out, f->page->target_error * 100, 1);
    nnm_buffer_text(f->out, " %.");
    free(errors);
    canvas(f, "Standard error of the labels by latency", 0);
}

static void passes(const figure *f)
{
    const nnm_agreement *agreement = &f->kernel->agreement;
    static const char title[] = "Two passes";
    if (agreement->pairs == 0) {
        empty(f, false, title, "No configuration was measured again in a separate pass.");
        return;
    }
    caption(f, "passes", false, false, title);
    nnm_buffer_printf(f->out, "%zu %s measured again later: ", agreement->pairs,
                      agreement->pairs == 1 ? "configuration was" : "configurations were");
    nnm_html_share(f->out, agreement->agree5);
    nnm_buffer_text(f->out, " agree within 5 %, ");
    nnm_html_share(f->out, agreement->agree10);
    nnm_buffer_text(f->out, " within 10 %.");
    canvas(f, "Difference of two measurements of the same configuration by latency", 0);
}

/* ---- sampling ---- */

static void sampling(const figure *f)
{
    const nnm_report_kernel *k = f->kernel;
    static const char title[] = "Configurations by mark";
    size_t sampled = 0, measured = 0, files = 0;
    for (size_t i = 0; i < k->mark_count; i++) {
        files += k->marks[i].sampled > 0;
        sampled += k->marks[i].sampled;
        measured += k->marks[i].measured;
    }
    if (sampled == 0) {
        empty(f, false, title, "There are no configuration files of this kernel type.");
        return;
    }
    caption(f, "marks", false, false, title);
    nnm_html_count(f->out, sampled);
    nnm_buffer_text(f->out, " sampled, ");
    nnm_html_count(f->out, measured);
    nnm_buffer_printf(f->out, " %s.", nnm_html_measured(f->page));
    canvas(f, "Number of configurations by mark", files < 6 ? 90 + 40 * files : 320);
}

static void iterations(const figure *f)
{
    const nnm_report_kernel *k = f->kernel;
    static const char title[] = "Accuracy by mark";
    size_t tested = 0;
    for (size_t i = 0; i < k->mark_count; i++)
        tested += k->marks[i].test.rows > 0 && !k->marks[i].set_apart;
    if (tested < 2) {
        empty(f, false, title,
              tested ? "One predictor was tested so far; a second one makes a course."
                     : "No predictor was tested yet.");
        return;
    }
    caption(f, "iterations", false, false, title);
    nnm_buffer_printf(f->out, "%zu predictors in the order they were made, each on its own test rows.", tested);
    canvas(f, "Share of test rows within 10 % and RMSPE by mark", 0);
}

/* ---- the section ---- */

static void lead(const figure *f)
{
    const nnm_report_row *row = &f->kernel->row;
    nnm_buffer *out = f->out;
    nnm_html_count(out, row->profiled);
    nnm_buffer_printf(out, " configurations %s", nnm_html_measured(f->page));
    if (!isnan(row->device_s)) {
        nnm_buffer_text(out, " in ");
        nnm_html_seconds(out, row->device_s);
        nnm_buffer_text(out, " of device time");
    }
    if (row->failed) nnm_buffer_printf(out, ", <a href=\"#failures\">%zu failed</a>", row->failed);
    nnm_buffer_text(out, ". ");
    if (!row->predictor_path[0]) {
        nnm_buffer_text(out, "There is no predictor yet.");
        return;
    }
    nnm_buffer_text(out, "Predictor ");
    nnm_html_text(out, f->kernel->mark);
    if (f->kernel->shared[0]) {
        nnm_buffer_text(out, " of ");
        nnm_html_text(out, f->kernel->shared);
        nnm_buffer_text(out, ", which it shares");
    }
    nnm_buffer_text(out, ", model ");
    nnm_html_text(out, f->kernel->model);
    if (f->kernel->shared[0]) {
        nnm_buffer_text(out, ", tested there");
    } else if (row->test.rows) {
        nnm_buffer_text(out, ". Test rows within 5, 10, 15 %: ");
        nnm_html_fixed(out, row->test.acc5 * 100, 1);
        nnm_buffer_text(out, ", ");
        nnm_html_fixed(out, row->test.acc10 * 100, 1);
        nnm_buffer_text(out, ", ");
        nnm_html_share(out, row->test.acc15);
        nnm_buffer_text(out, "; RMSPE ");
        nnm_html_share(out, row->test.rmspe);
    } else {
        nnm_buffer_text(out, ", not tested");
    }
    nnm_buffer_text(out, ".");
}

void nnm_html_kernel(nnm_buffer *out, const nnm_report_page *page, size_t index)
{
    const figure f = {out, page, &page->kernels[index], index};
    nnm_buffer_text(out, "<section class=\"kernel\" id=\"");
    nnm_html_anchor(out, f.kernel->row.kernel);
    nnm_buffer_text(out, "\">\n<h2>");
    nnm_html_text(out, f.kernel->row.kernel);
    nnm_buffer_text(out, "</h2>\n<p class=\"lead\">");
    lead(&f);
    nnm_buffer_text(out, "</p>\n<div class=\"charts\">\n");
    accuracy(&f);
    sizes(&f);
    staircase(&f);
    spread(&f);
    passes(&f);
    sampling(&f);
    iterations(&f);
    nnm_buffer_text(out, "</div>\n<p class=\"back\"><a href=\"#all\">All kernels</a></p>\n</section>\n");
}
