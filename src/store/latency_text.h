/* Latencies as kernel data files give them: "37.53 +- 0.314", milliseconds, mean and spread. */
#ifndef NNM_STORE_LATENCY_TEXT_H
#define NNM_STORE_LATENCY_TEXT_H

#include <stdbool.h>

#define NNM_LATENCY_TEXT_BYTES 64

/* Reads "MEAN +- SPREAD" or "MEAN" alone, whose spread is then 0. False when it is neither, or when not finite with
 * MEAN > 0 and SPREAD >= 0; the outputs are then untouched. */
bool nnm_latency_parse(const char *text, double *latency_ms, double *spread_ms);

/* Writes 6 significant digits of each. Returns `text`. */
char *nnm_latency_format(double latency_ms, double spread_ms, char text[NNM_LATENCY_TEXT_BYTES]);

#endif
