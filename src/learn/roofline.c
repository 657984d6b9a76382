#include "learn/roofline.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

#define MAX_PARAMETERS (NNM_ROOFLINE_MAX_TERMS + 1) /* costs, then the power */
#define MAX_ROWS 4000                               /* more tell nothing new about so few parameters */
#define HUBER 0.2                                   /* log errors beyond this count in proportion, not squared */
#define PRIOR 1e-4                                  /* pull towards where the fit starts */
#define MAX_STEPS 100

static double log_amount(double amount)
{
    if (!(amount > 1)) return 0;
    return log(amount < 1e100 ? amount : 1e100);
}

/* log(sum exp) without overflow. */
static double log_sum(const double *terms, size_t count)
{
    double top = terms[0], sum = 0;
    for (size_t i = 1; i < count; i++)
        if (terms[i] > top) top = terms[i];
    for (size_t i = 0; i < count; i++)
        sum += exp(terms[i] - top);
    return top + log(sum);
}

/* What each group would take alone, and all together, from the logarithms of the amounts. */
static double evaluate(const nnm_roofline *r, const double *amounts, double groups[NNM_ROOFLINE_MAX_GROUPS])
{
    double terms[NNM_ROOFLINE_MAX_TERMS], powers[NNM_ROOFLINE_MAX_GROUPS];
    for (size_t i = 0; i < r->terms; i++)
        terms[i] = r->log_cost[i] + amounts[i];
    for (size_t first = 0, g = 0; first < r->terms; g++) {
        size_t end = first + 1;
        while (end < r->terms && r->group[end] == r->group[first])
            end++;
        groups[g] = end == first + 1 ? terms[first] : log_sum(terms + first, end - first);
        powers[g] = groups[g] * r->power;
        first = end;
    }
    return log_sum(powers, r->groups) / r->power;
}

double nnm_roofline_log_latency(const nnm_roofline *r, const double *x, double shares[NNM_ROOFLINE_MAX_GROUPS])
{
    double amounts[NNM_ROOFLINE_MAX_TERMS] = {0};
    for (size_t i = 1; i < r->terms; i++)
        amounts[i] = log_amount(x[r->column[i]]);
    double log_latency = evaluate(r, amounts, shares);
    for (size_t g = 0; g < r->groups; g++)
        shares[g] -= log_latency;
    return log_latency;
}

/* ---- fitting ---- */

typedef struct fit_rows {
    size_t rows, terms;
    double *amounts; /* rows * terms, logarithms */
    double *y, *weight;
    double weight_sum;
    double start[MAX_PARAMETERS];
} fit_rows;

static nnm_status collect_terms(nnm_roofline *r, const uint8_t *work, size_t columns, nnm_error *err)
{
    *r = (nnm_roofline){.terms = 1, .groups = 1, .power = 1.35};
    for (unsigned group = 1; work && group <= UINT8_MAX; group++) {
        size_t before = r->terms;
        for (size_t i = 0; i < columns; i++) {
            if (work[i] != group) continue;
            if (r->terms == NNM_ROOFLINE_MAX_TERMS || r->groups == NNM_ROOFLINE_MAX_GROUPS)
                return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT,
                                "more than %d columns or %d groups of columns count work", NNM_ROOFLINE_MAX_TERMS - 1,
                                NNM_ROOFLINE_MAX_GROUPS - 1);
            r->column[r->terms] = (uint32_t)i;
            r->group[r->terms++] = (uint8_t)r->groups;
        }
        r->groups += r->terms > before;
    }
    return NNM_OK;
}

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double clamp(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

/* A term starts at a cost that would make it the whole latency of the quicker rows, shared with its group. */
static nnm_status start_costs(nnm_roofline *r, fit_rows *f, nnm_error *err)
{
    double *rates = nnm_calloc(f->rows, sizeof *rates);
    if (!rates) return nnm_fail_memory(err);
    for (size_t i = 0; i < r->terms; i++) {
        size_t mates = 0;
        for (size_t j = 0; j < r->terms; j++)
            mates += r->group[j] == r->group[i];
        for (size_t row = 0; row < f->rows; row++)
            rates[row] = f->y[row] - f->amounts[row * r->terms + i];
        qsort(rates, f->rows, sizeof *rates, compare_doubles);
        r->log_cost[i] = f->start[i] = rates[(f->rows - 1) * 3 / 10] - log((double)mates);
    }
    f->start[r->terms] = log(r->power);
    free(rates);
    return NNM_OK;
}

static nnm_status collect_rows(fit_rows *f, const nnm_roofline *r, const double *x, const double *log_latency,
                               const double *weight, size_t rows, size_t columns, nnm_error *err)
{
    f->rows = rows < MAX_ROWS ? rows : MAX_ROWS;
    f->terms = r->terms;
    f->amounts = nnm_calloc(f->rows, r->terms * sizeof *f->amounts);
    f->y = nnm_calloc(f->rows, sizeof *f->y);
    f->weight = nnm_calloc(f->rows, sizeof *f->weight);
    if (!f->amounts || !f->y || !f->weight) return nnm_fail_memory(err);
    for (size_t i = 0; i < f->rows; i++) {
        size_t row = (size_t)((double)i / (double)f->rows * (double)rows);
        for (size_t t = 1; t < r->terms; t++)
            f->amounts[i * r->terms + t] = log_amount(x[row * columns + r->column[t]]);
        f->y[i] = log_latency[row];
        f->weight[i] = weight ? weight[row] : 1;
        f->weight_sum += f->weight[i];
    }
    if (f->weight_sum > 0) return NNM_OK;
    for (size_t i = 0; i < f->rows; i++) /* only rows without weight were taken */
        f->weight[i] = 1;
    f->weight_sum = (double)f->rows;
    return NNM_OK;
}

static double loss(const nnm_roofline *r, const fit_rows *f)
{
    double sum = 0, prior = 0, groups[NNM_ROOFLINE_MAX_GROUPS];
    for (size_t row = 0; row < f->rows; row++) {
        double error = evaluate(r, f->amounts + row * f->terms, groups) - f->y[row];
        sum += f->weight[row] * HUBER * HUBER * (sqrt(1 + error / HUBER * (error / HUBER)) - 1);
    }
    for (size_t i = 0; i <= r->terms; i++) {
        double away = (i < r->terms ? r->log_cost[i] : log(r->power)) - f->start[i];
        prior += away * away;
    }
    return sum / f->weight_sum + PRIOR * prior / (double)(r->terms + 1);
}

/* How the log latency of one row changes with each log cost and the log of the power; returns it. */
static double gradient(const nnm_roofline *r, const double *amounts, double *slope)
{
    double groups[NNM_ROOFLINE_MAX_GROUPS], total = evaluate(r, amounts, groups), mean = 0;
    for (size_t g = 0; g < r->groups; g++)
        mean += exp(r->power * (groups[g] - total)) * groups[g];
    for (size_t i = 0; i < r->terms; i++) {
        double group = groups[r->group[i]];
        slope[i] = exp(r->power * (group - total)) * exp(r->log_cost[i] + amounts[i] - group);
    }
    slope[r->terms] = mean - total;
    return total;
}

/* The normal equations of one Gauss-Newton step, with the weights that the loss gives each row. */
static void normal_equations(const nnm_roofline *r, const fit_rows *f, double matrix[][MAX_PARAMETERS], double *right)
{
    size_t count = r->terms + 1;
    double slope[MAX_PARAMETERS];
    for (size_t i = 0; i < count; i++) {
        right[i] = 0;
        memset(matrix[i], 0, sizeof matrix[i]);
    }
    for (size_t row = 0; row < f->rows; row++) {
        double error = gradient(r, f->amounts + row * f->terms, slope) - f->y[row];
        double weight = f->weight[row] / f->weight_sum / sqrt(1 + error / HUBER * (error / HUBER));
        for (size_t i = 0; i < count; i++) {
            right[i] -= weight * error * slope[i];
            for (size_t j = 0; j <= i; j++)
                matrix[i][j] += weight * slope[i] * slope[j];
        }
    }
    double pull = 2 * PRIOR / (double)count;
    for (size_t i = 0; i < count; i++) {
        right[i] -= pull * ((i < r->terms ? r->log_cost[i] : log(r->power)) - f->start[i]);
        matrix[i][i] += pull;
    }
}

/* Solves (matrix + damping) step = right by Cholesky's method; the matrix is positive definite. */
static void solve(double matrix[][MAX_PARAMETERS], const double *right, double damping, size_t count, double *step)
{
    double lower[MAX_PARAMETERS][MAX_PARAMETERS];
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j <= i; j++) {
            double sum = matrix[i][j] + (i == j ? damping : 0);
            for (size_t k = 0; k < j; k++)
                sum -= lower[i][k] * lower[j][k];
            lower[i][j] = i == j ? sqrt(fmax(sum, 1e-12)) : sum / lower[j][j];
        }
        double sum = right[i];
        for (size_t k = 0; k < i; k++)
            sum -= lower[i][k] * step[k];
        step[i] = sum / lower[i][i];
    }
    for (size_t i = count; i-- > 0;) {
        for (size_t k = i + 1; k < count; k++)
            step[i] -= lower[k][i] * step[k];
        step[i] /= lower[i][i];
    }
}

static nnm_roofline stepped(const nnm_roofline *r, const double *step)
{
    nnm_roofline next = *r;
    for (size_t i = 0; i < r->terms; i++)
        next.log_cost[i] = clamp(r->log_cost[i] + clamp(step[i], -4, 4), -NNM_ROOFLINE_MAX_LOG, NNM_ROOFLINE_MAX_LOG);
    next.power =
        clamp(r->power * exp(clamp(step[r->terms], -0.5, 0.5)), NNM_ROOFLINE_LOWEST_POWER, NNM_ROOFLINE_HIGHEST_POWER);
    return next;
}

/* Levenberg's and Marquardt's method: steps are damped until they help. */
static void descend(nnm_roofline *r, const fit_rows *f)
{
    double matrix[MAX_PARAMETERS][MAX_PARAMETERS], right[MAX_PARAMETERS], step[MAX_PARAMETERS];
    double damping = 1e-3, now = loss(r, f);
    for (size_t i = 0; i < MAX_STEPS && damping < 1e6; i++) {
        normal_equations(r, f, matrix, right);
        bool helped = false;
        while (!helped && damping < 1e6) {
            solve(matrix, right, damping, r->terms + 1, step);
            nnm_roofline next = stepped(r, step);
            double then = loss(&next, f);
            helped = then < now;
            damping = helped ? fmax(damping / 4, 1e-9) : damping * 4;
            if (!helped) continue;
            bool settled = now - then < 1e-7 * now;
            *r = next;
            now = then;
            if (settled) return;
        }
    }
}

nnm_status nnm_roofline_fit(nnm_roofline *out, const double *x, const double *log_latency, const double *weight,
                            const uint8_t *work, size_t rows, size_t columns, nnm_error *err)
{
    nnm_roofline r;
    fit_rows f = {0};
    nnm_status status = collect_terms(&r, work, columns, err);
    if (!status) status = collect_rows(&f, &r, x, log_latency, weight, rows, columns, err);
    if (!status) status = start_costs(&r, &f, err);
    if (!status) {
        descend(&r, &f);
        *out = r;
    }
    free(f.amounts);
    free(f.y);
    free(f.weight);
    return status;
}
