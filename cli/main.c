/* nn-meter: the command table, and what holds for every command. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"

static const cli_command *const commands[] = {
    &command_create, &command_connect, &command_sample, &command_convert,  &command_profile,
    &command_train,  &command_adapt,   &command_build,  &command_predict,  &command_evaluate,
    &command_export, &command_report,  &command_doctor, &command_register, &command_unregister,
};
#define COMMAND_COUNT (sizeof commands / sizeof *commands)

size_t command_count(void)
{
    return COMMAND_COUNT;
}

const cli_command *command_at(size_t index)
{
    return commands[index];
}

const exit_meaning exit_meanings[] = {
    {EXIT_DONE, "done", "Done."},
    {EXIT_FAILED, "failed", "Failed; the last line on standard error says why."},
    {EXIT_USAGE, "wrong usage",
     "Wrong usage: the command line could not be understood, or asks for what this version does not have."},
    {EXIT_PART, "finished in part",
     "Finished in part: some kernels failed; each is named on standard error and in the workspace's error logs."},
    {EXIT_INTERRUPTED, "interrupted",
     "Interrupted (Ctrl-C or SIGTERM): what was measured is kept; the same command goes on from there. A second Ctrl-C "
     "ends at once."},
    {0, NULL, NULL},
};

/* ---- nn-meter without a command ---- */

typedef struct main_values {
    bool list_kernels, list_backends, json, version, manual;
    const char *completion;
} main_values;

const char *const main_usage[] = {"COMMAND [options]", "--list-kernels | --list-backends [--json]",
                                  "--version | --manual | --completion bash", NULL};

static const cli_option main_options[] = {
    {.name = "list-kernels",
     .kind = OPTION_FLAG,
     .offset = offsetof(main_values, list_kernels),
     .help = "list the kernel types"},
    {.name = "list-backends",
     .kind = OPTION_FLAG,
     .offset = offsetof(main_values, list_backends),
     .help = "list the backends"},
    {.name = "json",
     .kind = OPTION_FLAG,
     .offset = offsetof(main_values, json),
     .help = "with either list: answer with one JSON object"},
    {.name = "version", .kind = OPTION_FLAG, .offset = offsetof(main_values, version), .help = "show the version"},
    {.name = "manual",
     .kind = OPTION_FLAG,
     .offset = offsetof(main_values, manual),
     .help = "print the manual page: nn-meter --manual | man -l -"},
    {.name = "completion",
     .kind = OPTION_CHOICE,
     .offset = offsetof(main_values, completion),
     .value = "bash",
     .choices = "bash",
     .help = "print the script that completes commands and options in a shell"},
};

static int run_main(const cli_command *self, const void *values)
{
    const main_values *v = values;
    if (v->list_kernels + v->list_backends + v->version + v->manual + !!v->completion != 1)
        return usage_error(self, "give a command, --list-kernels, --list-backends or --version");
    if (v->list_kernels) return list_kernels(self, v->json);
    if (v->list_backends) return list_backends(v->json);
    if (v->json) return usage_error(self, "--json goes with --list-kernels or --list-backends");
    if (v->manual) return print_manual();
    if (v->completion) return print_completion();
    printf("nn-meter %s\n", nnm_version());
    return EXIT_DONE;
}

const cli_command command_main = {
    .name = "",
    .run = run_main,
    .values_size = sizeof(main_values),
    OPTIONS(main_options),
    .example = "  nn-meter create --workspace ws --backend xnnpack_cpu\n"
               "  nn-meter build --workspace ws --kernel conv-bn-relu --num 200 --iteration 1\n"
               "  nn-meter predict --predictor ws/predictor_build/results/predictors/conv-bn-relu_prior.nnm \\\n"
               "      --config HW=56,CIN=64,COUT=128,KERNEL_SIZE=3,STRIDES=1\n",
};

static void main_help(void)
{
    for (const char *const *line = main_usage; *line; line++)
        printf("%s nn-meter %s\n", line == main_usage ? "Usage:" : "      ", *line);
    printf("\nBuilds kernel latency predictors for a device from measurements on it.\n\n");
    output_heading("Commands:");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (!commands[i]->later) printf("  %-10s %s\n", commands[i]->name, commands[i]->summary);
    }
    printf("\n'nn-meter COMMAND --help' tells more about one.\n\n");
    options_help(&command_main);
    printf("\nExit codes:");
    for (const exit_meaning *meaning = exit_meanings; meaning->name; meaning++)
        printf("%s %d %s", meaning == exit_meanings ? "" : ",", meaning->code, meaning->name);
    printf(".\n");
}

/* ---- every command ---- */

static int run_command(const cli_command *command, int argc, char **argv)
{
    if (command->later) {
        output_error(command->name, command->later);
        return EXIT_USAGE;
    }
    void *values = calloc(1, command->values_size);
    if (!values) {
        output_error(command->name, "out of memory");
        return EXIT_FAILED;
    }
    int code = EXIT_FAILED;
    if (options_parse(command, argc, argv, values, &code)) code = command->run(command, values);
    options_fini(command, values);
    free(values);
    return code;
}

static int unknown_command(const char *name)
{
    const char *names[COMMAND_COUNT];
    size_t count = 0;
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (!commands[i]->later) names[count++] = commands[i]->name;
    }
    const char *command = closest_name(name, names, count);
    const char *option = options_closest(&command_main, name);
    if (command) return usage_error(&command_main, "unknown command '%s'; did you mean '%s'?", name, command);
    if (option) return usage_error(&command_main, "unknown command '%s'; did you mean '--%s'?", name, option);
    return usage_error(&command_main, "unknown command '%s'", name);
}

static int dispatch(int argc, char **argv)
{
    if (argc < 2) return usage_error(&command_main, "give a command, --list-kernels, --list-backends or --version");
    if (strcmp(argv[1], "--complete") == 0) return complete_words(argc - 2, argv + 2);
    if (argv[1][0] == '-') {
        if (!asks_for_help(argc - 1, argv + 1)) return run_command(&command_main, argc - 1, argv + 1);
        main_help();
        return EXIT_DONE;
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(argv[1], commands[i]->name) == 0) return run_command(commands[i], argc - 2, argv + 2);
    }
    return unknown_command(argv[1]);
}

/* A program started without stdin, stdout or stderr would write its talk into the first file it opens. The places are
 * taken by descriptors on which reading or writing fails, so that a result that goes nowhere is an error. */
static void occupy_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) == -1 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd) _exit(1);
    }
}

int main(int argc, char **argv)
{
    occupy_standard_descriptors();
    signal(SIGPIPE, SIG_DFL); /* "nn-meter ... | head" ends quietly, also where the parent ignored the signal */
    signal(SIGXFSZ, SIG_IGN); /* a limit on the size of files is an error with a message, not the end */
    output_begin();
    int code = dispatch(argc, argv);
    registry_end();
    return output_end(code);
}
