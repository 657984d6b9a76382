#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"

#define MAX_OPTIONS 32
#define MAX_NAME 48

/* ---- what was meant ---- */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Edits and swaps of neighbours that turn `a` into `b`; both are shorter than MAX_NAME. */
static size_t edits(const char *a, const char *b)
{
    size_t table[MAX_NAME][MAX_NAME];
    size_t rows = strlen(a), columns = strlen(b);
    for (size_t i = 0; i <= rows; i++) {
        for (size_t j = 0; j <= columns; j++) {
            if (i == 0 || j == 0) {
                table[i][j] = i + j;
                continue;
            }
            size_t change = table[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            table[i][j] = least(change, least(table[i - 1][j], table[i][j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                table[i][j] = least(table[i][j], table[i - 2][j - 2] + 1);
        }
    }
    return table[rows][columns];
}

const char *closest_name(const char *text, const char *const *names, size_t count)
{
    size_t length = strlen(text);
    if (length == 0 || length >= MAX_NAME) return NULL;
    const char *best = NULL;
    size_t best_edits = length < 6 ? 2 : length / 3 + 1; /* fewer than this */
    for (size_t i = 0; i < count; i++) {
        if (strlen(names[i]) >= MAX_NAME) continue;
        size_t distance = edits(text, names[i]);
        if (distance && length >= 3 && strncmp(text, names[i], length) == 0) distance = 1;
        if (distance < best_edits) {
            best = names[i];
            best_edits = distance;
        }
    }
    return best;
}

const char *options_closest(const cli_command *command, const char *text)
{
    const char *names[MAX_OPTIONS + 1];
    size_t count = 0;
    for (size_t i = 0; i < command->option_count; i++) {
        if (command->options[i].kind != OPTION_LATER) names[count++] = command->options[i].name;
    }
    names[count++] = "help";
    return closest_name(text, names, count);
}

int usage_error(const cli_command *command, const char *format, ...)
{
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    const char *blank = *command->name ? " " : "";
    output_error(command->name, message);
    fprintf(stderr, "Try 'nn-meter%s%s --help'.\n", blank, command->name);
    return EXIT_USAGE;
}

/* ---- --help ---- */

static void option_label(const cli_option *option, char *text, size_t size)
{
    char letter[8] = "";
    if (option->letter) snprintf(letter, sizeof letter, "-%c, ", option->letter);
    snprintf(text, size, "%s--%s%s%s%s", letter, option->name, option->value ? " " : "",
             option->value ? option->value : "", option->kind == OPTION_LIST ? "..." : "");
}

static void option_line(const cli_option *option, int width)
{
    char label[MAX_NAME * 2];
    option_label(option, label, sizeof label);
    printf("  %-*s  %s", width, label, option->help);
    if (option->required) {
        printf(" (required)");
    } else if (option->fallback || option->otherwise) {
        printf(" (default: %s)", option->fallback ? option->fallback : option->otherwise);
    }
    printf("\n");
}

const cli_option option_help = {.name = "help", .letter = 'h', .help = "show this text"};

void options_help(const cli_command *command)
{
    char label[MAX_NAME * 2];
    size_t width = strlen("-h, --help");
    for (size_t i = 0; i < command->option_count; i++) {
        if (command->options[i].kind == OPTION_LATER) continue;
        option_label(&command->options[i], label, sizeof label);
        if (strlen(label) > width) width = strlen(label);
    }
    output_heading("Options:");
    for (size_t i = 0; i < command->option_count; i++) {
        if (command->options[i].kind != OPTION_LATER) option_line(&command->options[i], (int)width);
    }
    option_line(&option_help, (int)width);
    printf("\n");
    output_heading("Example:");
    printf("%s", command->example);
}

static void command_help(const cli_command *command)
{
    printf("Usage: nn-meter %s %s\n\n%s.\n", command->name, command->usage, command->summary);
    if (command->details) printf("%s", command->details);
    printf("\n");
    options_help(command);
}

/* ---- the parser ---- */

/* The arguments being read. */
typedef struct cursor {
    const cli_command *command;
    int argc, next;
    char **argv;
    char *values;
    bool given[MAX_OPTIONS];
} cursor;

static bool wrong_number(const cli_command *command, const cli_option *option, const char *text)
{
    const char *kind = option->kind == OPTION_INTEGER ? "a whole number" : "a number";
    if (option->maximum > 0) {
        usage_error(command, "option '--%s' takes %s from %.10g to %.10g, not '%s'", option->name, kind,
                    option->minimum, option->maximum, text);
    } else {
        usage_error(command, "option '--%s' takes %s from %.10g, not '%s'", option->name, kind, option->minimum, text);
    }
    return false;
}

static bool in_range(const cli_option *option, double value)
{
    return value >= option->minimum && (option->maximum <= 0 || value <= option->maximum);
}

static bool set_integer(const cli_command *command, const cli_option *option, option_integer *out, const char *text)
{
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (!isdigit((unsigned char)*text) || *end || errno || !in_range(option, (double)value))
        return wrong_number(command, option, text);
    *out = (option_integer){true, value};
    return true;
}

static bool set_real(const cli_command *command, const cli_option *option, option_real *out, const char *text)
{
    char *end = NULL;
    double value = strtod(text, &end);
    if (end == text || *end || isspace((unsigned char)*text) || !isfinite(value) || !in_range(option, value))
        return wrong_number(command, option, text);
    *out = (option_real){true, value};
    return true;
}

static bool set_choice(const cli_command *command, const cli_option *option, const char **out, const char *text)
{
    size_t length = strlen(text);
    for (const char *choice = option->choices; length;) {
        size_t span = strcspn(choice, "|");
        if (span == length && strncmp(choice, text, span) == 0) {
            *out = text;
            return true;
        }
        if (choice[span] == '\0') break;
        choice += span + 1;
    }
    usage_error(command, "option '--%s' takes one of %s, not '%s'", option->name, option->choices, text);
    return false;
}

static bool add_to_list(option_list *list, const char *text)
{
    const char **items = realloc(list->items, (list->count + 1) * sizeof *items);
    if (!items) {
        output_error("", "out of memory");
        return false;
    }
    list->items = items;
    list->items[list->count++] = text;
    return true;
}

static bool set_value(const cli_command *command, const cli_option *option, void *value, const char *text)
{
    if (option->kind != OPTION_FLAG && option->kind != OPTION_LIST && *text == '\0') {
        usage_error(command, "the value of option '--%s' is empty", option->name);
        return false;
    }
    switch (option->kind) {
    case OPTION_FLAG: *(bool *)value = true; return true;
    case OPTION_TEXT: *(const char **)value = text; return true;
    case OPTION_CHOICE: return set_choice(command, option, value, text);
    case OPTION_LIST: return add_to_list(value, text);
    case OPTION_INTEGER: return set_integer(command, option, value, text);
    case OPTION_REAL: return set_real(command, option, value, text);
    case OPTION_LATER: break;
    }
    return false;
}

/* "--name" or "-o" looks like an option; "-", "-1" and everything else like a value. */
static bool looks_like_option(const char *text)
{
    return text[0] == '-' && (text[1] == '-' || isalpha((unsigned char)text[1]));
}

/* The values that follow "--name" in arguments of their own. */
static bool read_following(cursor *at, const cli_option *option)
{
    void *value = at->values + option->offset;
    size_t count = 0;
    while (at->next < at->argc && !looks_like_option(at->argv[at->next])) {
        if (!set_value(at->command, option, value, at->argv[at->next])) return false;
        at->next++;
        count++;
        if (option->kind != OPTION_LIST) break;
    }
    if (count == 0) usage_error(at->command, "option '--%s' needs a value: %s", option->name, option->value);
    return count > 0;
}

static const cli_option *find_option(const cli_command *command, const char *name, size_t length, char letter)
{
    for (size_t i = 0; i < command->option_count; i++) {
        const cli_option *option = &command->options[i];
        if (letter ? option->letter == letter : strlen(option->name) == length && !strncmp(option->name, name, length))
            return option;
    }
    return NULL;
}

static bool unknown_option(const cli_command *command, const char *argument)
{
    char name[MAX_NAME];
    size_t length = strcspn(argument, "=");
    const char *bare = argument + strspn(argument, "-");
    snprintf(name, sizeof name, "%.*s", (int)(length - (size_t)(bare - argument)), bare);
    const char *hint = options_closest(command, name);
    if (hint) {
        usage_error(command, "unknown option '%.*s'; did you mean '--%s'?", (int)length, argument, hint);
    } else {
        usage_error(command, "unknown option '%.*s'", (int)length, argument);
    }
    return false;
}

static bool read_option(cursor *at)
{
    const char *argument = at->argv[at->next++];
    bool is_long = argument[1] == '-';
    const char *name = argument + (is_long ? 2 : 1);
    size_t length = strcspn(name, "=");
    if (!is_long && length != 1) return unknown_option(at->command, argument);
    const cli_option *option = find_option(at->command, name, length, is_long ? '\0' : *name);
    if (!option) return unknown_option(at->command, argument);
    if (option->kind == OPTION_LATER) {
        output_error(at->command->name, option->help);
        return false;
    }
    bool *given = &at->given[option - at->command->options];
    if (*given && option->kind != OPTION_LIST) {
        usage_error(at->command, "option '--%s' is given twice", option->name);
        return false;
    }
    *given = true;
    void *value = at->values + option->offset;
    if (name[length] == '=') {
        if (option->kind != OPTION_FLAG) return set_value(at->command, option, value, name + length + 1);
        usage_error(at->command, "option '--%s' takes no value", option->name);
        return false;
    }
    if (option->kind == OPTION_FLAG) return set_value(at->command, option, value, "");
    return read_following(at, option);
}

/* Fills in defaults and asks for what is required. */
static bool complete(cursor *at)
{
    for (size_t i = 0; i < at->command->option_count; i++) {
        const cli_option *option = &at->command->options[i];
        if (at->given[i]) continue;
        if (option->required) {
            usage_error(at->command, "option '--%s %s' is missing", option->name, option->value);
            return false;
        }
        if (option->fallback && !set_value(at->command, option, at->values + option->offset, option->fallback))
            return false;
    }
    return true;
}

bool asks_for_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) return true;
    }
    return false;
}

bool options_parse(const cli_command *command, int argc, char **argv, void *values, int *exit_code)
{
    cursor at = {.command = command, .argc = argc, .argv = argv, .values = values};
    if (asks_for_help(argc, argv)) {
        command_help(command);
        *exit_code = EXIT_DONE;
        return false;
    }
    *exit_code = EXIT_USAGE;
    while (at.next < argc) {
        const char *argument = argv[at.next];
        if (looks_like_option(argument) && strcmp(argument, "--") != 0) {
            if (!read_option(&at)) return false;
            continue;
        }
        if (strcmp(argument, "--") == 0 && ++at.next == argc) break;
        usage_error(command, "unexpected argument '%s'", argv[at.next]);
        return false;
    }
    return complete(&at);
}

void options_fini(const cli_command *command, void *values)
{
    for (size_t i = 0; i < command->option_count; i++) {
        if (command->options[i].kind == OPTION_LIST)
            free(((option_list *)(void *)((char *)values + command->options[i].offset))->items);
    }
}
