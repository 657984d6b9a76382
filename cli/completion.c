/* Completion of command lines: what may stand where the cursor is, from the option tables. */
#include <stdio.h>
#include <string.h>

#include "commands.h"

/* The script holds no names: it asks the program, which is the one that is being called, at every TAB. */
static const char bash_script[] =
    "# bash completion for nn-meter, made by 'nn-meter --completion bash'. What may follow is asked of the program.\n"
    "_nn_meter()\n"
    "{\n"
    "    local current=${COMP_WORDS[COMP_CWORD]} program=${1/#\\~/$HOME} kind suffix answer\n"
    "    COMPREPLY=()\n"
    "    mapfile -t answer < <(\"$program\" --complete \"${COMP_WORDS[@]:1:COMP_CWORD}\" 2>/dev/null)\n"
    "    read -r kind suffix <<<\"${answer[0]}\"\n"
    "    [[ $current == = ]] && current= # bash takes --name=value apart\n"
    "    case $kind in\n"
    "    files) # where none has the suffix, and where there is no suffix, readline completes names of files\n"
    "        [[ $suffix ]] || return\n"
    "        mapfile -t COMPREPLY < <(compgen -f -X \"!*.$suffix\" -- \"$current\")\n"
    "        [[ ${COMPREPLY[0]} ]] || return\n"
    "        mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -d -- \"$current\")\n"
    "        compopt -o filenames ;;\n"
    "    folders) compopt +o default -o dirnames ;;\n"
    "    *)\n"
    "        compopt +o default\n"
    "        COMPREPLY=(\"${answer[@]:1}\") ;;\n"
    "    esac\n"
    "}\n"
    "complete -o default -F _nn_meter nn-meter\n";

int print_completion(void)
{
    fputs(bash_script, stdout);
    return EXIT_DONE;
}

/* ---- what a value is ---- */

typedef enum value_kind {
    VALUE_FREE = 0, /* a number, a name of the user's own */
    VALUE_CHOICE,
    VALUE_KERNEL,
    VALUE_BACKEND,
    VALUE_FOLDER,
    VALUE_FILE
} value_kind;

static bool is_one_of(const char *text, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(text, *names) == 0) return true;
    return false;
}

/* The tables say it by what stands for the value in --help; options.h lists these words. */
static value_kind kind_of_value(const cli_option *option)
{
    static const char *const files[] = {"F", "FILE", "OUT", "P", "PREDICTOR", NULL};
    static const char *const folders[] = {"DIR", "FOLDER", NULL};
    static const char *const kernels[] = {"K", "KERNEL", NULL};
    static const char *const backends[] = {"BACKEND", NULL};
    const char *value = option->value ? option->value : "";
    if (option->kind == OPTION_CHOICE) return VALUE_CHOICE;
    if (option->kind != OPTION_TEXT && option->kind != OPTION_LIST) return VALUE_FREE;
    if (is_one_of(value, folders)) return VALUE_FOLDER;
    if (is_one_of(value, kernels)) return VALUE_KERNEL;
    if (is_one_of(value, backends)) return VALUE_BACKEND;
    if (strcmp(value, "NAME") == 0 && strcmp(option->name, "backend") == 0) return VALUE_BACKEND;
    const char *point = strchr(value, '.');
    return is_one_of(value, files) || (point && point[1] && point[1] != '.') ? VALUE_FILE : VALUE_FREE;
}

/* The suffix that files for an option have, "" where they may have any. */
static const char *suffix_of(const cli_option *option)
{
    static const char *const suffixes[][2] = {{"configs", "json"}, {"latencies", "json"}, {"predictor", "nnm"},
                                              {"output", "nnm"},   {"csv", "csv"},        {"onnx", "onnx"}};
    const char *point = option->value ? strrchr(option->value, '.') : NULL;
    if (point) return point + 1;
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
        if (strcmp(option->name, suffixes[i][0]) == 0) return suffixes[i][1];
    return "";
}

/* ---- candidates ---- */

/* Prints a candidate if it begins with what is typed already; `before` is put in front of it. */
static void offer(const char *typed, const char *before, const char *candidate, size_t length)
{
    size_t typed_length = strlen(typed);
    if (typed_length <= length && strncmp(typed, candidate, typed_length) == 0)
        printf("%s%.*s\n", before, (int)length, candidate);
}

static void offer_choices(const char *choices, const char *typed, const char *before)
{
    for (;;) {
        size_t length = strcspn(choices, "|");
        offer(typed, before, choices, length);
        if (choices[length] == '\0') return;
        choices += length + 1;
    }
}

/* `before` is "--name=" where that and the value are one word. */
static void offer_values(const cli_option *option, const char *typed, const char *before)
{
    value_kind kind = kind_of_value(option);
    switch (kind) {
    case VALUE_FOLDER: printf("folders\n"); return;
    case VALUE_FILE: printf("files %s\n", suffix_of(option)); return;
    default: printf("words\n"); break;
    }
    if (kind == VALUE_CHOICE) offer_choices(option->choices, typed, before);
    for (size_t i = 0; kind == VALUE_KERNEL && i < nnm_kernel_count(); i++) {
        const char *name = nnm_kernel_name(nnm_kernel_at(i));
        offer(typed, before, name, strlen(name));
    }
    for (size_t i = 0; kind == VALUE_BACKEND && i < nnm_backend_count(); i++)
        offer(typed, before, nnm_backend_at(i)->name, strlen(nnm_backend_at(i)->name));
}

static void offer_commands(const char *typed)
{
    printf("words\n");
    for (size_t i = 0; i < command_count(); i++) {
        const cli_command *command = command_at(i);
        if (!command->later) offer(typed, "", command->name, strlen(command->name));
    }
}

static const cli_option *option_of_word(const cli_command *command, const char *word)
{
    for (size_t i = 0; i < command->option_count; i++) {
        const cli_option *option = &command->options[i];
        bool is_letter = option->letter && word[0] == '-' && word[1] == option->letter && word[2] == '\0';
        bool is_name = strncmp(word, "--", 2) == 0 && strlen(option->name) == strcspn(word + 2, "=") &&
                       strncmp(word + 2, option->name, strlen(option->name)) == 0;
        if ((is_letter || is_name) && option->kind != OPTION_LATER) return option;
    }
    return NULL;
}

/* Options that may still be given. */
static void offer_options(const cli_command *command, char **words, int count, const char *typed)
{
    printf("words\n");
    for (size_t i = 0; i < command->option_count; i++) {
        const cli_option *option = &command->options[i];
        bool given = option->kind == OPTION_LATER;
        for (int w = 0; w < count && option->kind != OPTION_LIST && !given; w++)
            given = option_of_word(command, words[w]) == option;
        char name[64];
        int length = snprintf(name, sizeof name, "--%s", option->name);
        if (!given && length > 0) offer(typed, "", name, (size_t)length);
    }
    offer(typed, "", "--help", strlen("--help"));
}

/* ---- where the cursor is ---- */

/* The option whose value the word after `words` is, or NULL. */
static const cli_option *option_awaiting(const cli_command *command, char **words, int count)
{
    const cli_option *option = NULL;
    size_t values = 0;
    for (int i = 0; i < count; i++) {
        const cli_option *named = words[i][0] == '-' ? option_of_word(command, words[i]) : NULL;
        if (words[i][0] == '-') {
            option = named && named->kind != OPTION_FLAG && !strchr(words[i], '=') ? named : NULL;
            values = 0;
        } else if (strcmp(words[i], "=") != 0) {
            values++;
        }
    }
    return option && (values == 0 || option->kind == OPTION_LIST) ? option : NULL;
}

/* Completes `typed`, which follows `words`. */
static void complete_after(const cli_command *command, char **words, int count, const char *typed)
{
    const char *equals = strchr(typed, '=');
    bool is_equals = strcmp(typed, "=") == 0; /* "--name=" taken apart by the shell */
    const cli_option *option = option_awaiting(command, words, count);
    for (int i = 0; i < count; i++) {
        if (strcmp(words[i], "--") != 0) continue;
        printf("words\n");
        return;
    }
    if (typed[0] == '-' && equals) {
        option = option_of_word(command, typed);
        char before[64];
        snprintf(before, sizeof before, "%.*s", (int)(equals + 1 - typed), typed);
        if (option && option->kind != OPTION_FLAG)
            offer_values(option, equals + 1, before);
        else
            printf("words\n");
    } else if (option && typed[0] != '-') {
        offer_values(option, is_equals ? "" : typed, "");
    } else {
        offer_options(command, words, count, typed);
    }
}

int complete_words(int argc, char **argv)
{
    const char *typed = argc > 0 ? argv[argc - 1] : "";
    const cli_command *command = &command_main;
    for (size_t i = 0; argc > 1 && i < command_count(); i++)
        if (strcmp(argv[0], command_at(i)->name) == 0) command = command_at(i);
    if (command != &command_main) {
        complete_after(command, argv + 1, argc - 2, typed);
    } else if (argc <= 1 && typed[0] != '-') {
        offer_commands(typed);
    } else if (argc <= 1 || argv[0][0] == '-') {
        complete_after(command, argv, argc > 0 ? argc - 1 : 0, typed);
    } else {
        printf("words\n"); /* after a command that does not exist */
    }
    return EXIT_DONE;
}
