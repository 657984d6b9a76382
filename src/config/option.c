#include "config/option.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/closest.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/number.h"
#include "config/budget.h"

#define MAX_OPTIONS 48
#define FEW_NAMES 12

/* ---- what is allowed ---- */

static void append_words(const nnm_option *option, const char *last_separator, nnm_buffer *text)
{
    for (size_t i = 0; i < option->word_count; i++) {
        const char *separator = i == 0 ? "" : i + 1 == option->word_count ? last_separator : ", ";
        nnm_buffer_printf(text, "%s%s", separator, option->words[i]);
    }
}

void nnm_option_allowed(const nnm_option *option, nnm_buffer *text)
{
    char minimum[32], maximum[32];
    nnm_format_double(option->minimum, minimum, sizeof minimum);
    nnm_format_double(option->maximum, maximum, sizeof maximum);
    switch (option->type) {
    case NNM_OPTION_BOOLEAN: nnm_buffer_text(text, "TRUE or FALSE"); break;
    case NNM_OPTION_SIZE:
    case NNM_OPTION_INT64:
    case NNM_OPTION_UNSIGNED: nnm_buffer_printf(text, "a whole number from %s to %s", minimum, maximum); break;
    case NNM_OPTION_REAL: nnm_buffer_printf(text, "a number from %s to %s", minimum, maximum); break;
    case NNM_OPTION_WORD: append_words(option, " or ", text); break;
    case NNM_OPTION_CPU:
        append_words(option, ", ", text);
        nnm_buffer_printf(text, " or a whole number from %s to %s", minimum, maximum);
        break;
    case NNM_OPTION_BUDGET: nnm_buffer_text(text, NNM_BUDGET_ALLOWED); break;
    case NNM_OPTION_TARGET: nnm_buffer_text(text, NNM_TARGET_ALLOWED); break;
    case NNM_OPTION_NAME: nnm_buffer_text(text, "a name"); break;
    case NNM_OPTION_PATH: nnm_buffer_text(text, "the path of a folder"); break;
    case NNM_OPTION_FILE: nnm_buffer_text(text, "the path of a file"); break;
    case NNM_OPTION_TEXT: nnm_buffer_text(text, "a text"); break;
    case NNM_OPTION_SECTION: nnm_buffer_text(text, "a mapping"); break;
    }
}

static nnm_status fail_value(const nnm_option *option, const nnm_yaml_node *node, const char *path, nnm_error *err)
{
    char shown[NNM_YAML_SHOWN_BYTES];
    nnm_buffer allowed = {0};
    nnm_option_allowed(option, &allowed);
    nnm_status status = nnm_buffer_check(&allowed, err);
    const char *closest = NULL;
    if (node->kind == NNM_YAML_SCALAR) closest = nnm_closest(node->text, option->words, option->word_count);
    bool number = node->kind == NNM_YAML_SCALAR && !node->plain && option->type != NNM_OPTION_WORD;
    if (status == NNM_OK)
        status = nnm_fail_at(err, NNM_ERR_VALUE, path, node->line, node->column, "%s: found %s, need %s%s%s%s%s",
                             option->key, nnm_yaml_shown(node, shown), allowed.data, number ? ", without quotes" : "",
                             closest ? "; did you mean '" : "", closest ? closest : "", closest ? "'?" : "");
    nnm_buffer_fini(&allowed);
    return status;
}

nnm_status nnm_option_unknown(const nnm_yaml_node *node, const char *path, const char *what, const char *const *names,
                              size_t count, nnm_error *err)
{
    char shown[NNM_YAML_SHOWN_BYTES];
    const char *found = nnm_yaml_shown(node, shown);
    const char *closest = nnm_closest(node->text, names, count);
    if (closest)
        return nnm_fail_at(err, NNM_ERR_VALUE, path, node->line, node->column, "unknown %s %s; did you mean '%s'?",
                           what, found, closest);
    if (count > FEW_NAMES)
        return nnm_fail_at(err, NNM_ERR_VALUE, path, node->line, node->column, "unknown %s %s", what, found);
    nnm_buffer known = {0};
    for (size_t i = 0; i < count; i++)
        nnm_buffer_printf(&known, "%s%s", i ? ", " : "", names[i]);
    nnm_status status = nnm_buffer_check(&known, err);
    if (status == NNM_OK)
        status = nnm_fail_at(err, NNM_ERR_VALUE, path, node->line, node->column, "unknown %s %s; known: %s", what,
                             found, known.data ? known.data : "none");
    nnm_buffer_fini(&known);
    return status;
}

/* ---- reading ---- */

static bool read_boolean(const char *text, bool *out)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcasecmp(text, words[i]) == 0) {
            *out = i % 2 == 1;
            return true;
        }
    }
    return false;
}

/* Decimal digits with a sign before them. "010" is refused: YAML 1.1 reads it as 8, people as 10. */
static bool read_whole(const char *text, double minimum, double maximum, int64_t *out)
{
    const char *digits = text + (*text == '-' || *text == '+');
    if (digits[strspn(digits, "0123456789")] != '\0' || (digits[0] == '0' && digits[1] != '\0')) return false;
    return nnm_parse_int64(text, out) && (double)*out >= minimum && (double)*out <= maximum;
}

static bool read_real(const char *text, double minimum, double maximum, double *out)
{
    if (text[strspn(text, "0123456789+-.eE")] != '\0') return false; /* neither "nan" nor "0x10" */
    return nnm_parse_double(text, out) && *out >= minimum && *out <= maximum;
}

static bool read_word(const nnm_option *option, const char *text, size_t *index)
{
    for (*index = 0; *index < option->word_count; ++*index)
        if (strcmp(text, option->words[*index]) == 0) return true;
    return false;
}

static bool set_whole(const nnm_option *option, const char *text, void *member)
{
    int64_t value = 0;
    if (!read_whole(text, option->minimum, option->maximum, &value)) return false;
    switch (option->type) {
    case NNM_OPTION_SIZE: *(size_t *)member = (size_t)value; break;
    case NNM_OPTION_INT64: *(int64_t *)member = value; break;
    case NNM_OPTION_UNSIGNED: *(unsigned *)member = (unsigned)value; break;
    case NNM_OPTION_CPU: *(int *)member = (int)value; break;
    default: return false;
    }
    return true;
}

/* Stores a scalar; false when it is none that the option accepts. */
static bool set_scalar(const nnm_option *option, const nnm_yaml_node *node, void *member)
{
    size_t word = 0;
    switch (option->type) {
    case NNM_OPTION_BOOLEAN: return node->plain && read_boolean(node->text, member);
    case NNM_OPTION_SIZE:
    case NNM_OPTION_INT64:
    case NNM_OPTION_UNSIGNED: return node->plain && set_whole(option, node->text, member);
    case NNM_OPTION_REAL: return node->plain && read_real(node->text, option->minimum, option->maximum, member);
    case NNM_OPTION_WORD:
        if (!read_word(option, node->text, &word)) return false;
        *(unsigned *)member = (unsigned)word;
        return true;
    case NNM_OPTION_CPU:
        if (!read_word(option, node->text, &word)) return node->plain && set_whole(option, node->text, member);
        *(int *)member = -1 - (int)word;
        return true;
    case NNM_OPTION_BUDGET: return nnm_budget_parse(member, node->text, NULL) == NNM_OK;
    case NNM_OPTION_TARGET: return nnm_target_parse(member, node->text, NULL) == NNM_OK;
    case NNM_OPTION_NAME:
        if (strlen(node->text) >= NNM_KERNEL_NAME_BYTES || node->text[0] == '\0') return false;
        strcpy(member, node->text);
        return true;
    case NNM_OPTION_PATH:
    case NNM_OPTION_FILE:
    case NNM_OPTION_TEXT:
    case NNM_OPTION_SECTION: return false;
    }
    return false;
}

/* Lies on the heap, or is not given. */
static bool is_text(const nnm_option *option)
{
    return option->type == NNM_OPTION_PATH || option->type == NNM_OPTION_FILE || option->type == NNM_OPTION_TEXT;
}

static nnm_status set_text(const nnm_yaml_node *node, char **member, nnm_error *err)
{
    char *copy = NULL;
    if (!nnm_yaml_is_null(node) && node->text[0] != '\0') {
        copy = nnm_strdup(node->text);
        if (!copy) return nnm_fail_memory(err);
    }
    free(*member);
    *member = copy;
    return NNM_OK;
}

static nnm_status read_option(const nnm_option *option, const nnm_yaml_node *node, const char *path, void *config,
                              nnm_error *err)
{
    void *member = (char *)config + option->offset;
    if (option->type == NNM_OPTION_SECTION) return NNM_OK;
    if (node->kind == NNM_YAML_SCALAR) {
        if (is_text(option)) return set_text(node, member, err);
        if (!nnm_yaml_is_null(node) && set_scalar(option, node, member)) return NNM_OK;
    }
    return fail_value(option, node, path, err);
}

nnm_status nnm_options_read(const nnm_option *options, size_t count, const nnm_yaml_node *mapping, const char *path,
                            void *config, const nnm_yaml_node **found, nnm_error *err)
{
    const char *names[MAX_OPTIONS];
    const nnm_yaml_node *keys[MAX_OPTIONS] = {NULL}, *values[MAX_OPTIONS] = {NULL};
    if (count > MAX_OPTIONS) return nnm_fail(err, NNM_ERR_INTERNAL, "a table of %zu options", count);
    for (size_t i = 0; i < count; i++)
        names[i] = options[i].key;
    char shown[NNM_YAML_SHOWN_BYTES];
    if (mapping->kind != NNM_YAML_MAPPING)
        return nnm_fail_at(err, NNM_ERR_VALUE, path, mapping->line, mapping->column,
                           "found %s, need lines of 'KEY: value'", nnm_yaml_shown(mapping, shown));
    for (size_t i = 0; i + 1 < mapping->child_count; i += 2) {
        const nnm_yaml_node *key = mapping->children[i];
        size_t k = 0;
        while (k < count && strcmp(names[k], key->text) != 0)
            k++;
        if (k == count) return nnm_option_unknown(key, path, "key", names, count, err);
        if (keys[k])
            return nnm_fail_at(err, NNM_ERR_VALUE, path, key->line, key->column,
                               "%s: the key stands here a second time, the first is in line %zu", key->text,
                               keys[k]->line);
        keys[k] = key;
        values[k] = mapping->children[i + 1];
        nnm_status status = read_option(&options[k], values[k], path, config, err);
        if (status) return status;
    }
    if (found) memcpy(found, values, count * sizeof *found);
    return NNM_OK;
}

/* ---- writing ---- */

/* Quoted as YAML and JSON do, for texts that could be read as something else. */
static void append_quoted(const char *value, nnm_buffer *text)
{
    nnm_buffer_text(text, "\"");
    for (const char *p = value; *p; p++) {
        unsigned char c = (unsigned char)*p;
        if (c == '"' || c == '\\')
            nnm_buffer_printf(text, "\\%c", c);
        else if (c < 0x20 || c == 0x7F)
            nnm_buffer_printf(text, "\\x%02X", c);
        else
            nnm_buffer_append(text, p, 1);
    }
    nnm_buffer_text(text, "\"");
}

void nnm_option_format(const nnm_option *option, const void *config, nnm_buffer *text)
{
    const void *member = (const char *)config + option->offset;
    char number[32];
    switch (option->type) {
    case NNM_OPTION_BOOLEAN: nnm_buffer_text(text, *(const bool *)member ? "TRUE" : "FALSE"); break;
    case NNM_OPTION_SIZE: nnm_buffer_printf(text, "%zu", *(const size_t *)member); break;
    case NNM_OPTION_INT64: nnm_buffer_printf(text, "%lld", (long long)*(const int64_t *)member); break;
    case NNM_OPTION_UNSIGNED: nnm_buffer_printf(text, "%u", *(const unsigned *)member); break;
    case NNM_OPTION_REAL:
        nnm_buffer_text(text, nnm_format_double(*(const double *)member, number, sizeof number));
        break;
    case NNM_OPTION_WORD: nnm_buffer_text(text, option->words[*(const unsigned *)member]); break;
    case NNM_OPTION_CPU: {
        int cpu = *(const int *)member;
        if (cpu < 0)
            nnm_buffer_text(text, option->words[-1 - cpu]);
        else
            nnm_buffer_printf(text, "%d", cpu);
        break;
    }
    case NNM_OPTION_BUDGET: nnm_budget_format(member, text); break;
    case NNM_OPTION_TARGET: nnm_target_format(member, text); break;
    case NNM_OPTION_NAME: nnm_buffer_text(text, member); break;
    case NNM_OPTION_PATH:
    case NNM_OPTION_FILE:
    case NNM_OPTION_TEXT:
        if (*(char *const *)member) append_quoted(*(char *const *)member, text);
        break;
    case NNM_OPTION_SECTION: break;
    }
}

static void append_comment(const char *comment, size_t indent, nnm_buffer *text)
{
    for (const char *line = comment; *line;) {
        size_t length = strcspn(line, "\n");
        nnm_buffer_printf(text, "%*s# %.*s\n", (int)indent, "", (int)length, line);
        line += length + (line[length] == '\n');
    }
}

/* What a key that is not given would look like; NULL for one that is. */
static const char *example_of_absent(const nnm_option *option, const void *config)
{
    const void *member = (const char *)config + option->offset;
    const nnm_budget *budget = member;
    if (is_text(option) && *(char *const *)member) return NULL;
    switch (option->type) {
    case NNM_OPTION_PATH: return "path/to/folder";
    case NNM_OPTION_FILE: return "path/to/file";
    case NNM_OPTION_BUDGET: return budget->kernels || budget->seconds > 0 ? NULL : "20m";
    case NNM_OPTION_TARGET: return ((const nnm_target *)member)->figure ? NULL : "acc10=0.95";
    default: return is_text(option) ? "text" : NULL;
    }
}

void nnm_option_write_comment(const nnm_option *option, size_t indent, nnm_buffer *text)
{
    append_comment(option->comment, indent, text);
}

void nnm_option_write(const nnm_option *option, const void *config, size_t indent, bool with_comment, nnm_buffer *text)
{
    if (with_comment) append_comment(option->comment, indent, text);
    const char *example = example_of_absent(option, config);
    nnm_buffer_printf(text, "%*s%s%s: ", (int)indent, "", example ? "# " : "", option->key);
    if (example)
        nnm_buffer_text(text, example);
    else
        nnm_option_format(option, config, text);
    nnm_buffer_text(text, "\n");
}
