#include "config/budget.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/number.h"

#define MOST_KERNELS 100000000
#define MOST_SECONDS (366.0 * 86400)

static const char *const sampler_names[] = {"finegrained", "prior", "auto"}; /* in the order of nnm_sampler */

const char *nnm_sampler_name(nnm_sampler sampler)
{
    return sampler_names[sampler];
}

nnm_status nnm_sampler_find(nnm_sampler *out, const char *name, nnm_error *err)
{
    for (unsigned i = 0; i < sizeof sampler_names / sizeof *sampler_names; i++) {
        if (strcmp(name, sampler_names[i]) != 0) continue;
        *out = (nnm_sampler)i;
        return NNM_OK;
    }
    return nnm_fail(err, NNM_ERR_VALUE, "sampler: found '%.64s', need finegrained, prior or auto", name);
}

/* ---- budgets ---- */

/* Seconds of the unit that `letter` stands for; 0: it stands for none. */
static double unit_seconds(char letter)
{
    return letter == 's' ? 1 : letter == 'm' ? 60 : letter == 'h' ? 3600 : 0;
}

/* Decimal digits, with a point or without. */
static bool is_decimal(const char *text, size_t length, bool whole)
{
    return length > 0 && length < 16 && strspn(text, whole ? "0123456789" : "0123456789.") >= length;
}

nnm_status nnm_budget_parse(nnm_budget *out, const char *text, nnm_error *err)
{
    size_t length = strlen(text);
    double unit = length ? unit_seconds(text[length - 1]) : 0, value = 0;
    char number[16] = "";
    if (unit > 0) length--;
    if (is_decimal(text, length, unit <= 0)) {
        memcpy(number, text, length);
        if (nnm_parse_double(number, &value) && value > 0 && value <= (unit > 0 ? MOST_SECONDS / unit : MOST_KERNELS)) {
            *out = unit > 0 ? (nnm_budget){0, value * unit} : (nnm_budget){(size_t)value, 0};
            return NNM_OK;
        }
    }
    return nnm_fail(err, NNM_ERR_VALUE, "budget: found '%.64s', need " NNM_BUDGET_ALLOWED, text);
}

void nnm_budget_format(const nnm_budget *budget, nnm_buffer *text)
{
    char number[32];
    if (budget->kernels) {
        nnm_buffer_printf(text, "%zu", budget->kernels);
    } else if (budget->seconds > 0) {
        char unit = fmod(budget->seconds, 3600) <= 0 ? 'h' : fmod(budget->seconds, 60) <= 0 ? 'm' : 's';
        nnm_buffer_printf(text, "%s%c", nnm_format_double(budget->seconds / unit_seconds(unit), number, sizeof number),
                          unit);
    }
}

/* ---- targets ---- */

static const char *const figure_names[] = {"", "acc5", "acc10", "acc15", "rmspe"}; /* in the order of the enum */

const char *nnm_target_figure_name(nnm_target_figure figure)
{
    return figure_names[figure];
}

nnm_status nnm_target_parse(nnm_target *out, const char *text, nnm_error *err)
{
    const char *equals = strchr(text, '=');
    double value = 0;
    for (unsigned i = 1; equals && i < sizeof figure_names / sizeof *figure_names; i++) {
        size_t length = strlen(figure_names[i]);
        if ((size_t)(equals - text) != length || strncmp(text, figure_names[i], length) != 0) continue;
        if (!is_decimal(equals + 1, strlen(equals + 1), false) || !nnm_parse_double(equals + 1, &value)) break;
        if (!(value > 0 && value <= 1)) break;
        *out = (nnm_target){(nnm_target_figure)i, value};
        return NNM_OK;
    }
    return nnm_fail(err, NNM_ERR_VALUE,
                    "target: found '%.64s', need " NNM_TARGET_ALLOWED ", a number above 0 and at "
                    "most 1",
                    text);
}

void nnm_target_format(const nnm_target *target, nnm_buffer *text)
{
    char number[32];
    if (target->figure == NNM_TARGET_NONE) return;
    nnm_buffer_printf(text, "%s=%s", figure_names[target->figure],
                      nnm_format_double(target->value, number, sizeof number));
}
