#include "base/number.h"

#include <ctype.h>
#include <errno.h>
#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* The "C" locale, made once and never changed: a constant that cannot be written as one. */
static pthread_once_t c_locale_once = PTHREAD_ONCE_INIT;
static locale_t c_locale;

static void make_c_locale(void)
{
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static bool only_blanks(const char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    return *text == '\0';
}

bool nnm_parse_double(const char *text, double *out)
{
    pthread_once(&c_locale_once, make_c_locale);
    char *end = NULL;
    double value = c_locale ? strtod_l(text, &end, c_locale) : strtod(text, &end);
    if (end == text || !only_blanks(end)) return false;
    *out = value;
    return true;
}

bool nnm_parse_int64(const char *text, int64_t *out)
{
    char *end = NULL;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (end == text || errno == ERANGE || !only_blanks(end)) return false;
    *out = value;
    return true;
}

bool nnm_parse_uint64(const char *text, uint64_t *out)
{
    while (isspace((unsigned char)*text))
        text++;
    if (*text == '-') return false;
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (end == text || errno == ERANGE || !only_blanks(end)) return false;
    *out = value;
    return true;
}

char *nnm_format_double(double value, char *text, size_t size)
{
    pthread_once(&c_locale_once, make_c_locale);
    locale_t callers = uselocale(c_locale); /* of this thread only */
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, size, "%.*g", digits, value);
        double back = 0;
        if (nnm_parse_double(text, &back) && back == value) break;
    }
    uselocale(callers);
    return text;
}
