/* What the journal tells: machines, time, measured configurations and their noise, failures. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "report/gather.h"
#include "store/journal_review.h"
#include "store/paths.h"
#include "store/record.h"
#include "store/repeats.h"

/* ---- machines ---- */

static nnm_status take_machines(nnm_gather *g, nnm_error *err)
{
    nnm_journal_machine *machines = NULL;
    size_t count = 0;
    nnm_status status = nnm_journal_machines(g->journal, &g->source, &machines, &count, err);
    if (status) return status;
    nnm_report_page *page = g->page;
    page->machines = nnm_calloc(count, sizeof *page->machines);
    if (!page->machines) status = nnm_fail_memory(err);
    for (size_t i = 0; i < count && status == NNM_OK; i++) {
        nnm_report_machine *machine = &page->machines[page->machine_count++];
        machine->machine = machines[i].machine;
        memcpy(machine->runtime_version, machines[i].runtime_version, sizeof machine->runtime_version);
        memcpy(machine->nnmeter_version, machines[i].nnmeter_version, sizeof machine->nnmeter_version);
        machine->runs = machines[i].runs;
        machine->last_unix_s = machines[i].last_unix_s;
    }
    free(machines);
    return status;
}

nnm_status nnm_gather_machines(nnm_gather *g, nnm_error *err)
{
    if (!g->journal) return NNM_OK;
    nnm_error reason = NNM_ERROR_INIT;
    char *settings = NULL;
    nnm_status status = take_machines(g, &reason);
    if (status == NNM_OK) status = nnm_journal_settings(g->journal, &g->source, &settings, &reason);
    if (settings) nnm_buffer_text(&g->page->settings, settings);
    g->page->settings_of_run = g->page->settings.size > 0;
    free(settings);
    return nnm_gather_note(g, status, &reason, err);
}

/* ---- measured configurations ---- */

/* Rounds of a pass come first; returns how many there are. */
static size_t gather_pass(nnm_round *rounds, size_t count, unsigned pass)
{
    size_t taken = 0;
    for (size_t i = 0; i < count; i++) {
        if (rounds[i].pass != pass) continue;
        nnm_round other = rounds[taken];
        rounds[taken++] = rounds[i];
        rounds[i] = other;
    }
    return taken;
}

static nnm_status add_label(const nnm_gather *g, nnm_report_kernel *k, const nnm_journal_subject *subject,
                            nnm_error *err)
{
    nnm_kernel_record record = {0};
    nnm_round *rounds = NULL;
    size_t count = 0;
    nnm_record_take_description(k->kernel, &record, subject->config);
    if (!record.has_config) return NNM_OK;
    nnm_status status = nnm_journal_rounds(g->journal, &g->source, k->kernel, subject->id, subject->config, false,
                                           &rounds, &count, err);
    if (status) return status;
    double latency_ns = 0, second_ns = 0, spread_ns = 0;
    nnm_report_label label = {.config = record.config, .error = NAN, .second_ms = NAN};
    size_t second = gather_pass(rounds, count, 1);
    if (second) nnm_rounds_combine(rounds, second, &second_ns, &spread_ns);
    size_t first = gather_pass(rounds, count, 0);
    if (first) {
        nnm_rounds_combine(rounds, first, &latency_ns, &spread_ns);
        label.error = first > 1 ? nnm_rounds_error(rounds, first) : (double)NAN;
        label.latency_ms = latency_ns * 1e-6;
        if (second) label.second_ms = second_ns * 1e-6;
        status = nnm_gather_add_label(k, &label, err);
    }
    free(rounds);
    return status;
}

static nnm_status add_labels(const nnm_gather *g, nnm_report_kernel *k, nnm_error *err)
{
    nnm_journal_subject *subjects = NULL;
    size_t count = 0;
    nnm_status status = nnm_journal_measured(g->journal, &g->source, k->kernel, &subjects, &count, err);
    for (size_t i = 0; i < count && status == NNM_OK; i++)
        status = add_label(g, k, &subjects[i], err);
    free(subjects);
    return status;
}

static nnm_status find_agreement(nnm_report_kernel *k, nnm_error *err)
{
    nnm_repeats repeats = {0};
    nnm_status status = NNM_OK;
    for (size_t i = 0; i < k->label_count && status == NNM_OK; i++)
        if (!isnan(k->labels[i].second_ms))
            status = nnm_repeats_add(&repeats, k->labels[i].latency_ms, k->labels[i].second_ms, err);
    if (status == NNM_OK)
        status = nnm_agreement_compute(&k->agreement, repeats.first, repeats.second, repeats.count, err);
    nnm_repeats_fini(&repeats);
    return status;
}

static nnm_status take_effort(const nnm_gather *g, nnm_report_kernel *k, nnm_error *err)
{
    nnm_journal_effort effort;
    nnm_status status = nnm_journal_get_effort(g->journal, &g->source, k->kernel, &effort, err);
    if (status || effort.rounds == 0) return status;
    nnm_report_page *page = g->page;
    k->row.device_s = effort.device_s;
    if (page->first_unix_s <= 0 || effort.first_unix_s < page->first_unix_s) page->first_unix_s = effort.first_unix_s;
    if (effort.last_unix_s > page->last_unix_s) page->last_unix_s = effort.last_unix_s;
    return NNM_OK;
}

/* ---- failures ---- */

static nnm_status add_failure(nnm_report_page *page, const nnm_report_failure *failure, nnm_error *err)
{
    void *failures = page->failures;
    nnm_status status =
        nnm_grow(&failures, &page->failure_capacity, page->failure_count + 1, sizeof *page->failures, err);
    if (status) return status;
    page->failures = failures;
    page->failures[page->failure_count] = *failure;
    page->failures[page->failure_count].order = page->failure_count;
    page->failure_count++;
    return NNM_OK;
}

static nnm_status take_failures(const nnm_gather *g, nnm_report_kernel *k, nnm_error *err)
{
    nnm_journal_failure *failures = NULL;
    size_t count = 0;
    nnm_status status = nnm_journal_failures(g->journal, &g->source, k->kernel, &failures, &count, err);
    for (size_t i = 0; i < count && status == NNM_OK; i++) {
        nnm_report_failure failure = {.step = "profile"};
        snprintf(failure.kernel, sizeof failure.kernel, "%s", k->row.kernel);
        memcpy(failure.id, failures[i].id, sizeof failure.id);
        snprintf(failure.config, sizeof failure.config, "%.*s", (int)sizeof failure.config - 1, failures[i].config);
        memcpy(failure.code, failures[i].code_name, sizeof failure.code);
        memcpy(failure.message, failures[i].message, sizeof failure.message);
        status = add_failure(g->page, &failure, err);
    }
    if (status == NNM_OK) k->row.failed = count;
    free(failures);
    return status;
}

nnm_status nnm_gather_measured(nnm_gather *g, nnm_report_kernel *k, nnm_error *err)
{
    if (!g->journal) return NNM_OK;
    nnm_error reason = NNM_ERROR_INIT;
    nnm_status status = add_labels(g, k, &reason);
    if (status == NNM_OK) status = find_agreement(k, &reason);
    if (status == NNM_OK) status = take_effort(g, k, &reason);
    if (status == NNM_OK) status = take_failures(g, k, &reason);
    return nnm_gather_note(g, status, &reason, err);
}

/* ---- error logs ---- */

/* Splits "<id>: <kernel> <configuration>: <code>: <message>"; false for a line that is none. */
static bool read_line(char *line, nnm_report_failure *out)
{
    char *kernel = strstr(line, ": "), *code = kernel ? strstr(kernel, ": NNM_ERR_") : NULL;
    char *message = code ? strstr(code + 2, ": ") : NULL;
    if (!message) return false;
    *kernel = *code = *message = '\0';
    kernel += 2;
    char *config = strchr(kernel, ' ');
    if (config) *config++ = '\0';
    snprintf(out->id, sizeof out->id, "%s", line);
    snprintf(out->kernel, sizeof out->kernel, "%s", kernel);
    snprintf(out->config, sizeof out->config, "%s", config ? config : "");
    snprintf(out->code, sizeof out->code, "%s", code + 2);
    snprintf(out->message, sizeof out->message, "%s", message + 2);
    return true;
}

static nnm_status read_log(nnm_gather *g, const char *step, nnm_error *err)
{
    nnm_error reason = NNM_ERROR_INIT;
    char *text = NULL, *path = nnm_path_error_log(g->workspace, step);
    size_t size = 0;
    nnm_status status = path ? NNM_OK : nnm_fail_memory(err);
    if (status == NNM_OK && nnm_file_exists(path))
        status = nnm_gather_note(g, nnm_file_read(path, &text, &size, &reason), &reason, err);
    char *rest = NULL;
    for (char *line = text ? strtok_r(text, "\n", &rest) : NULL; line && status == NNM_OK;
         line = strtok_r(NULL, "\n", &rest)) {
        nnm_report_failure failure = {0};
        snprintf(failure.step, sizeof failure.step, "%s", step);
        if (!read_line(line, &failure)) snprintf(failure.message, sizeof failure.message, "%s", line);
        status = add_failure(g->page, &failure, err);
    }
    free(text);
    free(path);
    return status;
}

static int compare_failures(const void *a, const void *b)
{
    const nnm_report_failure *left = a, *right = b;
    int order = strcmp(left->kernel, right->kernel);
    if (order == 0) order = strcmp(left->step, right->step);
    if (order == 0) order = strcmp(left->id, right->id);
    if (order == 0) order = strcmp(left->config, right->config);
    if (order == 0 && !left->id[0]) order = strcmp(left->message, right->message);
    if (order == 0) return left->order < right->order ? -1 : left->order > right->order;
    return order;
}

/* Of what failed again and again the last reason stays. */
static void drop_repeated(nnm_report_page *page)
{
    size_t kept = 0;
    for (size_t i = 0; i < page->failure_count; i++) {
        const nnm_report_failure *f = &page->failures[i], *next = f + 1;
        bool again = i + 1 < page->failure_count && strcmp(f->kernel, next->kernel) == 0 &&
                     strcmp(f->step, next->step) == 0 && strcmp(f->id, next->id) == 0 &&
                     strcmp(f->config, next->config) == 0 && (f->id[0] || strcmp(f->message, next->message) == 0);
        if (!again) page->failures[kept++] = *f;
    }
    page->failure_count = kept;
}

static void count_failed(nnm_report_page *page)
{
    for (size_t i = 0; i < page->failure_count; i++) {
        for (size_t j = 0; j < page->kernel_count; j++)
            if (strcmp(page->failures[i].step, "profile") == 0 &&
                strcmp(page->failures[i].kernel, page->kernels[j].row.kernel) == 0)
                page->kernels[j].row.failed++;
    }
}

nnm_status nnm_gather_failures(nnm_gather *g, nnm_error *err)
{
    nnm_status status = read_log(g, "generate", err);
    if (status == NNM_OK) status = read_log(g, "convert", err);
    if (status == NNM_OK && !g->journal) status = read_log(g, "profile", err); /* else the journal knows it better */
    if (g->page->failure_count)
        qsort(g->page->failures, g->page->failure_count, sizeof *g->page->failures, compare_failures);
    drop_repeated(g->page);
    if (!g->journal) count_failed(g->page);
    return status;
}
