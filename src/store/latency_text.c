#include "store/latency_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"

bool nnm_latency_parse(const char *text, double *latency_ms, double *spread_ms)
{
    char mean[NNM_LATENCY_TEXT_BYTES];
    const char *separator = strstr(text, "+-");
    size_t length = separator ? (size_t)(separator - text) : strlen(text);
    if (length >= sizeof mean) return false;
    memcpy(mean, text, length);
    mean[length] = '\0';
    double latency = 0, spread = 0;
    if (!nnm_parse_double(mean, &latency) || (separator && !nnm_parse_double(separator + 2, &spread))) return false;
    if (!isfinite(latency) || !isfinite(spread) || latency <= 0 || spread < 0) return false;
    *latency_ms = latency;
    *spread_ms = spread;
    return true;
}

char *nnm_latency_format(double latency_ms, double spread_ms, char text[NNM_LATENCY_TEXT_BYTES])
{
    snprintf(text, NNM_LATENCY_TEXT_BYTES, "%.6g +- %.6g", latency_ms, spread_ms);
    for (char *comma = text; (comma = strchr(comma, ',')) != NULL;) /* the decimal point of some locales */
        *comma = '.';
    return text;
}
