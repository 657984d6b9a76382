#include "store/json_text.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

#define SHOWN_BYTES 48
#define MAX_DEPTH 32 /* brackets that are told apart where the text ends too early */

typedef struct json_text {
    const char *bytes;
    size_t size;
} json_text;

static nnm_text_place place_of(json_text text, size_t offset)
{
    nnm_text_place place = {1, 1};
    for (size_t i = 0; i < offset && i < text.size; i++) {
        unsigned char byte = (unsigned char)text.bytes[i];
        if (byte == '\n')
            place = (nnm_text_place){place.line + 1, 1};
        else if ((byte & 0xc0) != 0x80) /* no later byte of a character */
            place.column++;
    }
    return place;
}

static nnm_status fail_there(json_text text, size_t offset, const char *path, const char *message, nnm_error *err)
{
    nnm_text_place place = place_of(text, offset);
    return nnm_fail_at(err, NNM_ERR_PARSE, path, place.line, place.column, "%s", message);
}

/* ---- strings and blanks ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static size_t skip_blanks(json_text text, size_t at)
{
    while (at < text.size && is_blank(text.bytes[at]))
        at++;
    return at;
}

/* The offset behind the string that begins at `at`, or the end of the text. */
static size_t skip_string(json_text text, size_t at)
{
    for (at++; at < text.size && text.bytes[at] != '"'; at++)
        if (text.bytes[at] == '\\') at++;
    return at < text.size ? at + 1 : text.size;
}

/* Is the byte at `at` the quote that ends a string, not one that is part of it? */
static bool is_quote(json_text text, size_t at)
{
    size_t backslashes = 0;
    if (text.bytes[at] != '"') return false;
    while (backslashes < at && text.bytes[at - 1 - backslashes] == '\\')
        backslashes++;
    return backslashes % 2 == 0;
}

/* Where the token begins that ends before `end`. */
static size_t token_start(json_text text, size_t end)
{
    if (end == 0 || end > text.size) return text.size;
    size_t at = end - 1;
    if (text.bytes[at] == '"') {
        while (at > 0 && !is_quote(text, at - 1))
            at--;
        return at ? at - 1 : 0;
    }
    while (at > 0 && isalnum((unsigned char)text.bytes[at]) &&
           (isalnum((unsigned char)text.bytes[at - 1]) || strchr("+-.", text.bytes[at - 1])))
        at--;
    return at;
}

/* A token as messages show it. */
static void show_token(json_text text, size_t start, size_t end, char shown[SHOWN_BYTES])
{
    size_t length = end - start;
    snprintf(shown, SHOWN_BYTES, "%.*s%s", (int)(length < 40 ? length : 40), text.bytes + start,
             length > 40 ? "..." : "");
}

/* ---- what went wrong ---- */

static bool begins_value(char c)
{
    return c == '"' || c == '{' || c == '[' || c == '-' || isalnum((unsigned char)c);
}

static bool ends_value(char c)
{
    return c == '"' || c == '}' || c == ']' || isalnum((unsigned char)c);
}

/* What people write who take JSON for the language of a program; NULL: nothing of that kind. */
static const char *foreign_word(json_text text, size_t start)
{
    static const struct {
        const char *word, *message;
    } known[] = {
        {"NaN", "JSON has no NaN; leave a latency out that is not known"},
        {"nan", "JSON has no NaN; leave a latency out that is not known"},
        {"Infinity", "JSON has no infinity; leave a latency out that is not known"},
        {"-Infinity", "JSON has no infinity; leave a latency out that is not known"},
        {"inf", "JSON has no infinity; leave a latency out that is not known"},
        {"True", "JSON spells it true"},
        {"TRUE", "JSON spells it true"},
        {"False", "JSON spells it false"},
        {"FALSE", "JSON spells it false"},
        {"None", "JSON spells it null"},
        {"//", "JSON has no comments"},
        {"/*", "JSON has no comments"},
        {"#", "JSON has no comments"},
        {"'", "texts stand in double quotes in JSON"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        size_t length = strlen(known[i].word);
        if (length <= text.size - start && memcmp(text.bytes + start, known[i].word, length) == 0)
            return known[i].message;
    }
    return NULL;
}

/* Where the text ends although a bracket is open: the innermost. */
static nnm_status fail_open(json_text text, const json_error_t *problem, const char *path, nnm_error *err)
{
    size_t open[MAX_DEPTH], depth = 0;
    for (size_t at = 0; at < text.size; at++) {
        char c = text.bytes[at];
        if (c == '"') at = skip_string(text, at) - 1;
        if ((c == '{' || c == '[') && depth++ < MAX_DEPTH) open[depth - 1] = at;
        if ((c == '}' || c == ']') && depth) depth--;
    }
    char message[JSON_ERROR_TEXT_LENGTH + 96];
    snprintf(message, sizeof message, "%s", problem->text);
    if (depth && depth <= MAX_DEPTH) {
        nnm_text_place place = place_of(text, open[depth - 1]);
        snprintf(message, sizeof message, "%s; the '%c' in line %zu, column %zu is not closed", problem->text,
                 text.bytes[open[depth - 1]], place.line, place.column);
    }
    return fail_there(text, text.size, path, message, err);
}

/* Says what jansson found in the words of somebody who looks at the file. */
static nnm_status explain(json_text text, const json_error_t *problem, const char *path, nnm_error *err)
{
    enum json_error_code code = json_error_code(problem);
    size_t end = problem->position > 0 ? (size_t)problem->position : 0;
    if (code == json_error_premature_end_of_input) return fail_open(text, problem, path, err);
    size_t start = token_start(text, end);
    if (start < text.size && (code == json_error_invalid_syntax || code == json_error_numeric_overflow)) {
        size_t before = start;
        while (before > 0 && is_blank(text.bytes[before - 1]))
            before--;
        char last = before ? text.bytes[before - 1] : '\0', first = text.bytes[start];
        char shown[SHOWN_BYTES], message[160];
        const char *foreign = foreign_word(text, start);
        show_token(text, start, end, shown);
        if (foreign) return fail_there(text, start, path, foreign, err);
        if ((first == '}' || first == ']') && last == ',') {
            snprintf(message, sizeof message, "this comma must go: '%c' follows it", first);
            return fail_there(text, before - 1, path, message, err);
        }
        if (strncmp(problem->text + 3, " expected", 9) == 0 && problem->text[1] != ':' && ends_value(last) &&
            begins_value(first)) {
            snprintf(message, sizeof message, "a comma is missing here, before %s", shown);
            return fail_there(text, before, path, message, err);
        }
        return fail_there(text, start, path, problem->text, err);
    }
    return nnm_fail_at(err, NNM_ERR_PARSE, path, problem->line > 0 ? (size_t)problem->line : 0,
                       problem->column > 0 ? (size_t)problem->column : 0, "%s", problem->text);
}

static size_t mark_size(json_text text)
{
    return text.size >= 3 && memcmp(text.bytes, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
}

nnm_status nnm_json_parse(json_t **out, const char *bytes, size_t size_bytes, const char *path, nnm_error *err)
{
    json_text text = {bytes, size_bytes};
    if (size_bytes >= 2 && (memcmp(bytes, "\xFF\xFE", 2) == 0 || memcmp(bytes, "\xFE\xFF", 2) == 0))
        return nnm_fail_at(err, NNM_ERR_PARSE, path, 1, 1, "the text is in UTF-16; save it as UTF-8");
    text.bytes += mark_size(text);
    text.size -= (size_t)(text.bytes - bytes);
    json_error_t problem;
    json_t *root = json_loadb(text.bytes, text.size, JSON_REJECT_DUPLICATES, &problem);
    if (root) {
        *out = root;
        return NNM_OK;
    }
    if (json_error_code(&problem) == json_error_out_of_memory)
        return nnm_context(err, nnm_fail_memory(err), "%s, %zu MiB", path, size_bytes >> 20);
    return explain(text, &problem, path, err);
}

/* ---- places ---- */

static bool is_string(json_text text, size_t start, size_t end, const char *wanted)
{
    size_t length = strlen(wanted);
    return end - start == length + 2 && memcmp(text.bytes + start + 1, wanted, length) == 0;
}

nnm_text_place nnm_json_find(const char *bytes, size_t size_bytes, const char *outer, const char *inner)
{
    json_text text = {bytes, size_bytes};
    size_t skipped = mark_size(text), depth = 0;
    bool inside = false; /* of the value of `outer` */
    text.bytes += skipped;
    text.size -= skipped;
    for (size_t at = 0; at < text.size; at++) {
        char c = text.bytes[at];
        if (c == '{' || c == '[') depth++;
        if ((c == '}' || c == ']') && depth) depth--;
        if (c != '"') continue;
        size_t end = skip_string(text, at), next = skip_blanks(text, end);
        bool is_key = next < text.size && text.bytes[next] == ':';
        if (is_key && depth == 1) inside = is_string(text, at, end, outer);
        if (is_key && depth == 2 && inside && is_string(text, at, end, inner)) return place_of(text, at);
        at = end - 1;
    }
    return (nnm_text_place){0, 0};
}
