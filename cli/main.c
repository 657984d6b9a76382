/* nn-meter: the command table, and what holds for every command. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"

static const cli_command command_register = {
    .name = "register",
    .later = "customised kernels and backends cannot be registered in this version; --list-kernels and "
             "--list-backends show what it has"};
static const cli_command command_unregister = {
    .name = "unregister",
    .later = "customised kernels and backends cannot be registered in this version, so there is none to unregister"};

static const cli_command *const commands[] = {
    &command_create, &command_connect, &command_sample, &command_convert,  &command_profile,
    &command_train,  &command_adapt,   &command_build,  &command_predict,  &command_evaluate,
    &command_export, &command_report,  &command_doctor, &command_register, &command_unregister,
};
#define COMMAND_COUNT (sizeof commands / sizeof *commands)

/* ---- nn-meter without a command ---- */

typedef struct main_values {
    bool list_kernels, list_backends, json, version;
} main_values;

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
};

static int run_main(const cli_command *self, const void *values)
{
    const main_values *v = values;
    if (v->list_kernels + v->list_backends + v->version != 1)
        return usage_error(self, "give a command, --list-kernels, --list-backends or --version");
    if (v->list_kernels) return list_kernels(v->json);
    if (v->list_backends) return list_backends(v->json);
    if (v->json) return usage_error(self, "--json goes with --list-kernels or --list-backends");
    printf("nn-meter %s\n", nnm_version());
    return EXIT_DONE;
}

static const cli_command command_main = {
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
    printf("Usage: nn-meter COMMAND [options]\n"
           "       nn-meter --list-kernels | --list-backends [--json]\n"
           "       nn-meter --version\n\n"
           "Builds kernel latency predictors for a device from measurements on it.\n\n");
    output_heading("Commands:");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (!commands[i]->later) printf("  %-10s %s\n", commands[i]->name, commands[i]->summary);
    }
    printf("\n'nn-meter COMMAND --help' tells more about one.\n\n");
    options_help(&command_main);
    printf("\nExit codes: 0 done, 1 failed, 2 wrong usage, 3 finished in part, 130 interrupted.\n");
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
    return output_end(dispatch(argc, argv));
}
