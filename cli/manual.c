/* The manual page, for man(1): made of the same tables as --help. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"

/* Characters and the beginnings of lines that mean something to roff are taken literally. */
static void put_text(const char *text, size_t length)
{
    bool at_beginning = true;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (at_beginning && (c == '.' || c == '\'')) fputs("\\&", stdout);
        at_beginning = c == '\n';
        if (c == '\\')
            fputs("\\e", stdout);
        else if (c == '-')
            fputs("\\-", stdout);
        else
            putchar(c);
    }
}

static void put(const char *text)
{
    put_text(text, strlen(text));
}

static void put_in(char font, const char *text)
{
    printf("\\f%c", font);
    put(text);
    printf("\\fR");
}

static void section(const char *name)
{
    printf(".SH %s\n", name);
}

/* Lines that stay as they are. */
static void put_example(const char *text)
{
    printf(".PP\n.RS 4\n.nf\n");
    put(text);
    printf(".fi\n.RE\n");
}

/* The variables that the program reads. */
static const char *const environment[][2] = {
    {"NO_COLOR", "Where it is set and not empty, nothing is coloured. Without it colours appear on terminals only."},
    {"TERM", "Where it is dumb or not set, there are neither colours nor a line that shows progress."},
};

/* ---- options ---- */

static void put_number(double value)
{
    char text[32];
    snprintf(text, sizeof text, "%.10g", value);
    put(text);
}

static void put_range(const cli_option *option)
{
    if (option->kind != OPTION_INTEGER && option->kind != OPTION_REAL) return;
    if (option->maximum <= 0 && option->minimum <= 0) return;
    printf(" From ");
    put_number(option->minimum);
    if (option->maximum > 0) {
        printf(" to ");
        put_number(option->maximum);
    }
    printf(".");
}

static void put_option(const cli_option *option)
{
    char text[64];
    printf(".TP\n");
    if (option->letter) {
        snprintf(text, sizeof text, "-%c", option->letter);
        put_in('B', text);
        printf(", ");
    }
    snprintf(text, sizeof text, "--%s", option->name);
    put_in('B', text);
    if (option->value) {
        printf(" ");
        put_in('I', option->value);
        if (option->kind == OPTION_LIST) printf("...");
    }
    printf("\n%c", toupper((unsigned char)*option->help));
    put(option->help + 1);
    printf(".");
    put_range(option);
    if (option->required) printf(" Required.");
    if (option->fallback || option->otherwise) {
        printf(" Default: ");
        put(option->fallback ? option->fallback : option->otherwise);
        printf(".");
    }
    printf("\n");
}

static void put_options(const cli_command *command)
{
    for (size_t i = 0; i < command->option_count; i++)
        if (command->options[i].kind != OPTION_LATER) put_option(&command->options[i]);
}

/* ---- commands ---- */

/* "nn-meter NAME usage"; the usage may have further lines, which name the command themselves. */
static void put_usage(const char *name, const char *usage)
{
    printf(".PP\n");
    put_in('B', "nn-meter ");
    put_in('B', name);
    printf(" ");
    while (*usage) {
        usage += strspn(usage, " ");
        size_t length = strcspn(usage, "\n");
        put_text(usage, length);
        printf("\n");
        usage += length + (usage[length] == '\n');
        if (*usage) printf(".br\n");
    }
}

static void put_command(const cli_command *command)
{
    printf(".SS ");
    put(command->name);
    printf("\n");
    put(command->summary);
    printf(".\n");
    if (command->details) put(command->details);
    put_usage(command->name, command->usage);
    put_options(command);
    put_example(command->example);
}

static void put_definition(const char *term, const char *meaning)
{
    printf(".TP\n");
    put_in('B', term);
    printf("\n");
    put(meaning);
    printf("\n");
}

static void put_head(void)
{
    printf(".\\\" Made by 'nn-meter --manual' of the tables that --help shows.\n"
           ".TH NN\\-METER 1 \"\" \"nn\\-meter %s\" \"User Commands\"\n.nh\n.ad l\n",
           nnm_version());
    section("NAME");
    printf("nn\\-meter \\- build kernel latency predictors for a device from measurements on it\n");
    section("SYNOPSIS");
    for (const char *const *line = main_usage; *line; line++) {
        if (line != main_usage) printf(".br\n");
        put_in('B', "nn-meter");
        printf(" ");
        put(*line);
        printf("\n");
    }
    section("DESCRIPTION");
    put("Configurations of a kernel are sampled from what published networks use, become model files, are timed on a\n"
        "runtime, and become a predictor of the latency of configurations that nobody timed.\n"
        "Standard output holds the answer and nothing else; everything said beside it goes to standard error.\n");
}

int print_manual(void)
{
    put_head();
    section("OPTIONS");
    printf("\\-\\-name value and \\-\\-name=value mean the same. Where several values are allowed they follow one\n"
           "another, or the option is repeated. \\-\\- ends the options. Neither commands nor options can be cut "
           "short.\n");
    put_options(&command_main);
    put_option(&option_help);
    section("COMMANDS");
    for (size_t i = 0; i < command_count(); i++)
        if (!command_at(i)->later) put_command(command_at(i));
    section("EXIT STATUS");
    for (const exit_meaning *meaning = exit_meanings; meaning->name; meaning++) {
        char code[16];
        snprintf(code, sizeof code, "%d", meaning->code);
        put_definition(code, meaning->text);
    }
    section("ENVIRONMENT");
    for (size_t i = 0; i < sizeof environment / sizeof *environment; i++)
        put_definition(environment[i][0], environment[i][1]);
    section("EXAMPLES");
    printf("A workspace, a predictor for one kernel type in it, and a prediction:\n");
    put_example(command_main.example);
    return EXIT_DONE;
}
