/* How far labels that were measured twice agree, beside the accuracy that they limit. */
#include <math.h>
#include <stdio.h>

#include "commands.h"

json_t *labels_json(const nnm_agreement *labels)
{
    return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o}", "repeated", (json_int_t)labels->pairs, "agree5",
                     output_number(labels->agree5), "agree10", output_number(labels->agree10), "noise_ceiling10",
                     output_number(labels->ceiling10), "noise_ceiling10_low", output_number(labels->ceiling10_low),
                     "noise_ceiling10_high", output_number(labels->ceiling10_high));
}

static void print_share(const char *key, double share, double ceiling, const char *whose)
{
    char text[OUTPUT_CELL_BYTES], limit[OUTPUT_CELL_BYTES];
    output_share(share, text);
    if (isfinite(ceiling))
        output_pair(key, "%s (ceiling %s%s)", text, output_share(ceiling, limit), whose);
    else
        output_pair(key, "%s", text);
}

void print_labels(const nnm_agreement *labels)
{
    char agree5[OUTPUT_CELL_BYTES], agree10[OUTPUT_CELL_BYTES], low[OUTPUT_CELL_BYTES], high[OUTPUT_CELL_BYTES];
    if (labels->pairs)
        output_pair("labels agree", "within 5 %%: %s, within 10 %%: %s, of %zu measured twice",
                    output_share(labels->agree5, agree5), output_share(labels->agree10, agree10), labels->pairs);
    if (isfinite(labels->ceiling10))
        output_pair("", "so the ceiling within 10 %% lies between %s and %s (95 %% interval)",
                    output_share(labels->ceiling10_low, low), output_share(labels->ceiling10_high, high));
}

void print_metrics(const nnm_metrics *test, const nnm_agreement *labels, double training_ceiling10)
{
    char text[OUTPUT_CELL_BYTES];
    bool own = isfinite(labels->ceiling10);
    output_pair("RMSE", "%s", output_ms(test->rmse, text));
    output_pair("RMSPE", "%s", output_share(test->rmspe, text));
    print_share("within 5 %", test->acc5, labels->ceiling5, "");
    print_share("within 10 %", test->acc10, own ? labels->ceiling10 : training_ceiling10,
                own ? "" : " with the labels of the training");
    output_pair("within 15 %", "%s", output_share(test->acc15, text));
    print_labels(labels);
    if (!own && !isfinite(training_ceiling10))
        output_pair("noise ceiling", "unknown: %zu labels were measured twice, %d are needed", labels->pairs,
                    NNM_CEILING_MIN_PAIRS);
}
