/* train --folds and --curve: how good predictors of some data are. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"

#define MAX_SIZES 256

int cross_validate(const cli_command *self, const training_input *input, size_t folds, nnm_cross_validation *out)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_status status = input->data
                            ? nnm_cross_validate_data(input->data, &input->table.fit, folds, out, &err)
                            : nnm_cross_validate_csv(input->kernel, input->csv, &input->table, folds, out, &err);
    return status ? command_fail(self, &err) : EXIT_DONE;
}

/* Reads "50,100,200". */
static int read_sizes(const cli_command *self, const char *text, size_t sizes[MAX_SIZES], size_t *count)
{
    for (const char *at = text;; at++) {
        char *end = NULL;
        errno = 0;
        unsigned long long value = strtoull(at, &end, 10);
        if (*at < '0' || *at > '9' || errno || value < 2 || value > 1000000000 || (*end != ',' && *end != '\0'))
            return usage_error(self,
                               "option '--curve' takes numbers of rows from 2 to 1000000000, such as "
                               "50,100,200, not '%s'",
                               text);
        if (*count == MAX_SIZES) return usage_error(self, "option '--curve' takes at most %d numbers", MAX_SIZES);
        sizes[(*count)++] = (size_t)value;
        if (*end == '\0') return EXIT_DONE;
        at = end;
    }
}

int learn_curve(const cli_command *self, const training_input *input, const char *text, size_t draws,
                nnm_learning_curve *out)
{
    nnm_error err = NNM_ERROR_INIT;
    size_t sizes[MAX_SIZES], count = 0;
    int code = read_sizes(self, text, sizes, &count);
    if (code) return code;
    nnm_status status =
        input->data ? nnm_learning_curve_data(input->data, &input->table.fit, sizes, count, draws, out, &err)
                    : nnm_learning_curve_csv(input->kernel, input->csv, &input->table, sizes, count, draws, out, &err);
    return status ? command_fail(self, &err) : EXIT_DONE;
}

/* ---- as tables ---- */

static void print_row(const char *name, const nnm_metrics *m)
{
    char rmspe[OUTPUT_CELL_BYTES], acc5[OUTPUT_CELL_BYTES], acc10[OUTPUT_CELL_BYTES], acc15[OUTPUT_CELL_BYTES];
    printf("%-10s %8zu %8s %8s %8s %8s\n", name, m->rows, output_share(m->acc5, acc5), output_share(m->acc10, acc10),
           output_share(m->acc15, acc15), output_share(m->rmspe, rmspe));
}

void print_folds(const nnm_cross_validation *result)
{
    output_heading("fold           rows     ±5 %    ±10 %    ±15 %    RMSPE");
    for (size_t i = 0; i < result->folds; i++) {
        char name[OUTPUT_CELL_BYTES];
        snprintf(name, sizeof name, "%zu", i + 1);
        print_row(name, &result->fold[i]);
    }
    print_row("all", &result->all);
    char acc5[OUTPUT_CELL_BYTES], acc10[OUTPUT_CELL_BYTES], acc15[OUTPUT_CELL_BYTES], rmspe[OUTPUT_CELL_BYTES];
    const nnm_metrics *d = &result->spread.deviation;
    printf("%-19s %8s %8s %8s %8s\n", "deviation", output_share(d->acc5, acc5), output_share(d->acc10, acc10),
           output_share(d->acc15, acc15), output_share(d->rmspe, rmspe));
}

/* "57.3 ± 1.2" in percent. */
static const char *with_deviation(double mean, double deviation, char text[OUTPUT_CELL_BYTES])
{
    snprintf(text, OUTPUT_CELL_BYTES, "%5.1f ± %4.1f", 100 * mean, 100 * deviation);
    return text;
}

void print_curve(const nnm_learning_curve *curve)
{
    output_heading("    rows   within 5 %  within 10 %  within 15 %        RMSPE");
    for (size_t i = 0; i < curve->count; i++) {
        char acc5[OUTPUT_CELL_BYTES], acc10[OUTPUT_CELL_BYTES], acc15[OUTPUT_CELL_BYTES], rmspe[OUTPUT_CELL_BYTES];
        const nnm_metrics *m = &curve->points[i].test.mean, *d = &curve->points[i].test.deviation;
        printf("%8zu %s %s %s %s\n", curve->points[i].rows, with_deviation(m->acc5, d->acc5, acc5),
               with_deviation(m->acc10, d->acc10, acc10), with_deviation(m->acc15, d->acc15, acc15),
               with_deviation(m->rmspe, d->rmspe, rmspe));
    }
    printf("in percent, mean and deviation of %zu draws, all tested on the same %zu rows\n", curve->draws,
           curve->test_rows);
}

/* ---- as JSON ---- */

static json_t *figures_json(const nnm_metrics *m)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "rmse_ms", output_number(m->rmse), "rmspe", output_number(m->rmspe),
                     "acc5", output_number(m->acc5), "acc10", output_number(m->acc10), "acc15",
                     output_number(m->acc15));
}

/* Puts one object into another, which it takes over; NULL when either is. */
static json_t *with(json_t *object, json_t *more)
{
    if (!object || !more || json_object_update(object, more)) {
        json_decref(object);
        object = NULL;
    }
    json_decref(more);
    return object;
}

json_t *folds_json(const nnm_cross_validation *result)
{
    json_t *each = json_array();
    for (size_t i = 0; i < result->folds; i++)
        output_append(
            &each, with(json_pack("{s:I}", "rows", (json_int_t)result->fold[i].rows), figures_json(&result->fold[i])));
    json_t *object = with(json_pack("{s:I}", "folds", (json_int_t)result->folds), figures_json(&result->all));
    return with(object, json_pack("{s:o, s:o}", "deviation", figures_json(&result->spread.deviation), "each", each));
}

json_t *curve_json(const nnm_learning_curve *curve)
{
    json_t *points = json_array();
    for (size_t i = 0; i < curve->count; i++) {
        const nnm_curve_point *point = &curve->points[i];
        json_t *object = with(json_pack("{s:I}", "rows", (json_int_t)point->rows), figures_json(&point->test.mean));
        output_append(&points, with(object, json_pack("{s:o}", "deviation", figures_json(&point->test.deviation))));
    }
    return json_pack("{s:I, s:I, s:o}", "test_rows", (json_int_t)curve->test_rows, "draws", (json_int_t)curve->draws,
                     "points", points);
}
