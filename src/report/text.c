#include "report/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/number.h"

#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */
#define NO_BREAK "\xC2\xA0"        /* a blank that does not break, U+00A0 */
#define NARROW "\xE2\x80\xAF"      /* the same, narrow: U+202F */

/* ---- characters ---- */

/* Bytes of the well-formed UTF-8 character at `s`, or 0. Surrogates, overlong forms and noncharacters are none. */
static size_t character(const unsigned char *s)
{
    static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = s[0] < 0x80 ? 1 : s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2;
    if (length == 1) return 1;
    if (s[0] < 0xC2 || s[0] > 0xF4) return 0;
    unsigned code = s[0] & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((s[i] & 0xC0) != 0x80) return 0;
        code = code << 6 | (s[i] & 0x3Fu);
    }
    if (code < least[length] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return 0;
    return (code >= 0x80 && code < 0xA0) || (code & 0xFFFE) == 0xFFFE ? 0 : length;
}

static bool is_control(unsigned char c)
{
    return (c < 0x20 && c != '\n' && c != '\t') || c == 0x7F;
}

/* Appends the character at `*at` as it is, or what stands for one that is none, and moves on. */
static void append_character(nnm_buffer *out, const char **at)
{
    size_t length = is_control((unsigned char)**at) ? 0 : character((const unsigned char *)*at);
    if (length)
        nnm_buffer_append(out, *at, length);
    else
        nnm_buffer_text(out, REPLACEMENT);
    *at += length ? length : 1;
}

void nnm_html_text(nnm_buffer *out, const char *text)
{
    while (*text) {
        const char *entity = *text == '&'    ? "&amp;"
                             : *text == '<'  ? "&lt;"
                             : *text == '>'  ? "&gt;"
                             : *text == '"'  ? "&quot;"
                             : *text == '\'' ? "&#39;"
                                             : NULL;
        if (entity) {
            nnm_buffer_text(out, entity);
            text++;
        } else {
            append_character(out, &text);
        }
    }
}

void nnm_json_text(nnm_buffer *out, const char *text)
{
    nnm_buffer_text(out, "\"");
    while (*text) {
        unsigned char c = (unsigned char)*text;
        /* A script element ends at "</script", whatever stands around it; so no '<' may be left. */
        if (c < 0x20 || strchr("\"\\<>&", c)) {
            nnm_buffer_printf(out, "\\u%04x", c);
            text++;
        } else {
            append_character(out, &text);
        }
    }
    nnm_buffer_text(out, "\"");
}

/* ---- numbers ---- */

void nnm_json_number(nnm_buffer *out, double value)
{
    char text[32];
    if (!isfinite(value)) {
        nnm_buffer_text(out, "null");
        return;
    }
    if (value != 0) {
        int decimals = 5 - (int)floor(log10(fabs(value)));
        double scale = pow(10, decimals > 0 ? decimals : -decimals);
        double rounded = decimals > 0 ? round(value * scale) / scale : round(value / scale) * scale;
        if (isfinite(rounded)) value = rounded;
    }
    nnm_buffer_text(out, nnm_format_double(value, text, sizeof text));
}

void nnm_html_fixed(nnm_buffer *out, double value, int decimals)
{
    static const double scales[] = {1, 10, 100, 1000, 10000, 100000, 1000000};
    if (!isfinite(value) || fabs(value) > 1e12) {
        nnm_buffer_text(out, "–");
        return;
    }
    unsigned long long whole = (unsigned long long)round(fabs(value) * scales[decimals]);
    unsigned long long scale = (unsigned long long)scales[decimals];
    if (value < 0 && whole) nnm_buffer_text(out, "−");
    nnm_buffer_printf(out, "%llu", whole / scale);
    if (decimals) nnm_buffer_printf(out, ".%0*llu", decimals, whole % scale);
}

void nnm_html_share(nnm_buffer *out, double share)
{
    nnm_html_fixed(out, share * 100, share < 1.5 ? 1 : 0);
    if (isfinite(share)) nnm_buffer_text(out, NO_BREAK "%");
}

void nnm_html_ms(nnm_buffer *out, double milliseconds)
{
    int before = milliseconds > 0 && isfinite(milliseconds) ? (int)floor(log10(milliseconds)) : 0;
    int decimals = 2 - before;
    nnm_html_fixed(out, milliseconds, decimals < 0 ? 0 : decimals > 6 ? 6 : decimals);
    if (isfinite(milliseconds)) nnm_buffer_text(out, NO_BREAK "ms");
}

void nnm_html_seconds(nnm_buffer *out, double seconds)
{
    if (!(seconds >= 0 && seconds < 1e9)) {
        nnm_buffer_text(out, "–");
    } else if (seconds < 60) {
        nnm_html_fixed(out, seconds, 1);
        nnm_buffer_text(out, " s");
    } else {
        unsigned long whole = (unsigned long)round(seconds);
        if (whole < 3600)
            nnm_buffer_printf(out, "%lu min %02lu s", whole / 60, whole % 60);
        else
            nnm_buffer_printf(out, "%lu h %02lu min", whole / 3600, whole % 3600 / 60);
    }
}

void nnm_html_time(nnm_buffer *out, double unix_time_s)
{
    time_t seconds = (time_t)unix_time_s;
    struct tm parts;
    char text[64];
    if (unix_time_s > 0 && gmtime_r(&seconds, &parts) && strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &parts))
        nnm_buffer_text(out, text);
    else
        nnm_buffer_text(out, "–");
}

void nnm_html_count(nnm_buffer *out, size_t count)
{
    if (count >= 1000) {
        nnm_html_count(out, count / 1000);
        nnm_buffer_printf(out, NARROW "%03zu", count % 1000);
    } else {
        nnm_buffer_printf(out, "%zu", count);
    }
}
