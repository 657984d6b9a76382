/* The commands, and what several of them need. */
#ifndef NNM_CLI_COMMANDS_H
#define NNM_CLI_COMMANDS_H

#include "nnmeter/nnmeter.h"

#include "options.h"
#include "output.h"

/* workspace.c */
extern const cli_command command_create, command_connect;
int list_kernels(const cli_command *self, bool json);
int list_backends(bool json);
json_t *backends_json(void); /* name, availability, version of each; NULL when memory is short */
/* data.c */
extern const cli_command command_sample, command_convert, command_profile, command_export;
/* learn.c */
extern const cli_command command_train, command_predict, command_evaluate;
/* build.c */
extern const cli_command command_adapt, command_build;
/* registry.c */
extern const cli_command command_register, command_unregister;
/* report.c */
extern const cli_command command_report;
/* doctor.c */
extern const cli_command command_doctor;

/* ---- the program ---- */

/* main.c. The commands in the order of --help, also those that are refused (`later`). */
extern const cli_command command_main; /* nn-meter without a command */
size_t command_count(void);
const cli_command *command_at(size_t index);

/* The lines of its usage, without the name; NULL ends them. */
extern const char *const main_usage[];

typedef struct exit_meaning {
    int code;
    const char *name; /* NULL ends the list */
    const char *text; /* a sentence */
} exit_meaning;
extern const exit_meaning exit_meanings[];

/* completion.c */
int print_completion(void);
/* The arguments are the words after the program's name, the last of them the one to complete, "" where it has not
 * begun. Prints what the completion script reads: "words", "folders" or "files SUFFIX", then a line a candidate. */
int complete_words(int argc, char **argv);
/* manual.c */
int print_manual(void);

/* ---- options that several commands have ---- */

#define OPTION_WORKSPACE(type)                                                                         \
    {                                                                                                  \
        .name = "workspace", .kind = OPTION_TEXT, .offset = offsetof(type, workspace), .value = "DIR", \
        .required = true, .help = "the workspace"                                                      \
    }
#define OPTION_BACKEND(type)                                                                        \
    {                                                                                               \
        .name = "backend", .kind = OPTION_TEXT, .offset = offsetof(type, backend), .value = "NAME", \
        .otherwise = "BACKEND of the workspace", .help = "the runtime that is measured"             \
    }
#define OPTION_KERNEL(type)                                                                                      \
    {                                                                                                            \
        .name = "kernel", .kind = OPTION_TEXT, .offset = offsetof(type, kernel), .value = "K", .required = true, \
        .help = "kernel type, see --list-kernels"                                                                \
    }
#define OPTION_JSON(type)                                                                                          \
    {                                                                                                              \
        .name = "json", .kind = OPTION_FLAG, .offset = offsetof(type, json), .help = "answer with one JSON object" \
    }
#define OPTION_QUICK(type)                                                     \
    {                                                                          \
        .name = "quick", .kind = OPTION_FLAG, .offset = offsetof(type, quick), \
        .help = "measure with less care, in a third of the time"               \
    }
#define OPTION_THOROUGH(type)                                                        \
    {                                                                                \
        .name = "thorough", .kind = OPTION_FLAG, .offset = offsetof(type, thorough), \
        .help = "measure with more care, in three times the time"                    \
    }
#define OPTION_FIT_THREADS(type)                                                                                  \
    {                                                                                                             \
        .name = "threads", .kind = OPTION_INTEGER, .offset = offsetof(type, threads), .value = "N", .minimum = 1, \
        .maximum = 1024, .otherwise = "one a CPU", .help = "threads that fit the forest"                          \
    }
#define OPTION_SEED(type, text)                                                                                   \
    {                                                                                                             \
        .name = "seed", .kind = OPTION_INTEGER, .offset = offsetof(type, seed), .value = "S", .fallback = (text), \
        .help = "of everything that is left to chance"                                                            \
    }
#define OPTION_MODEL(type, default_text)                                                                        \
    {                                                                                                           \
        .name = "model", .kind = OPTION_CHOICE, .offset = offsetof(type, model), .value = "random_forest|best", \
        .choices = "random_forest|best", .otherwise = (default_text), .help = "the regression model"            \
    }

/* ---- what goes wrong ---- */

/* Tells on stderr what the library said, and returns the exit code for it. */
int command_fail(const cli_command *command, const nnm_error *err);
/* The same for what the tool itself finds. Returns EXIT_FAILED. */
int command_error(const cli_command *command, const char *format, ...) NNM_PRINTF(2, 3);
/* Refuses to write over a file that holds something else: one that is there, is not empty and does not begin with
 * `begin`, as all files of `kind` do; NULL: one that is no CSV table. */
int check_output(const cli_command *command, const char *path, const char *begin, const char *kind);

/* registry.c. The user-wide registry, opened by the first call and closed by registry_end. Errors are told; an exit
 * code is returned. */
int open_registry(const cli_command *command, nnm_registry **out);
void registry_end(void);
/* Finds a kernel type there. */
int find_kernel(const cli_command *command, const char *name, const nnm_kernel **out);
/* Opens a workspace with that registry. */
int open_builder(const cli_command *command, const char *workspace, const nnm_hooks *hooks, nnm_builder **out);

/* The model that --model names, or `otherwise` where it was not given. */
nnm_model_kind chosen_model(const char *name, nnm_model_kind otherwise);

/* ---- kernel data ---- */

/* Paths, each and the list allocated. Zero-initialise; end with path_list_fini. */
typedef struct path_list {
    char **items;
    size_t count;
} path_list;
int path_list_add(path_list *list, const char *format, ...) NNM_PRINTF(2, 3);
void path_list_fini(path_list *list);

/* results/<kernel>_*.json of a workspace, in the order of their names. Errors are told; an exit code is returned. */
int find_config_files(const cli_command *command, const char *workspace, const char *kernel, path_list *out);

/* The files given, or, where none are, all of the workspace's: of configurations, then of latencies. */
int find_data_files(const cli_command *command, const char *workspace, const char *kernel, const option_list *configs,
                    const option_list *latencies, path_list *out);

/* Configurations with their latencies from the files given, or, where none are, from all of the workspace's.
 * `workspace` may be NULL when files are given. */
int collect_data(const cli_command *command, const char *workspace, const char *kernel, const option_list *configs,
                 const option_list *latencies, nnm_kernel_data **out);

/* The backend to use: the one given, or the workspace's. */
const char *choose_backend(const nnm_builder *builder, const char *given);

/* Takes over --quick and --thorough; usage errors are told and returned. */
int choose_effort(const cli_command *self, bool quick, bool thorough, nnm_effort *out);

/* Tells where the failures of a step ("convert", "profile") are listed. Returns EXIT_PART if there are any. */
int tell_failures(const nnm_builder *builder, size_t failed, const char *step);

/* ---- training ---- */

/* What to learn from, and how: kernel data, or a table where that is NULL. */
typedef struct training_input {
    const char *kernel, *csv;
    const nnm_kernel_data *data;
    nnm_table_options table; /* its `fit` counts for kernel data too */
} training_input;

/* validate.c. Errors are told; an exit code is returned. */
int cross_validate(const cli_command *command, const training_input *input, size_t folds, nnm_cross_validation *out);
/* `sizes` is "50,100,200". */
int learn_curve(const cli_command *command, const training_input *input, const char *sizes, size_t draws,
                nnm_learning_curve *out);
void print_folds(const nnm_cross_validation *result);
void print_curve(const nnm_learning_curve *curve);
json_t *folds_json(const nnm_cross_validation *result); /* NULL when memory is short */
json_t *curve_json(const nnm_learning_curve *curve);

/* ---- results ---- */

/* Adds the keys of `more` to `object` and takes over both. NULL when memory is short. */
json_t *join_json(json_t *object, json_t *more);
/* The keys that train and evaluate have in common, or NULL when memory is short. `test` is NULL without a test. */
json_t *metrics_json(const char *kernel, const char *model, size_t rows, const nnm_metrics *test,
                     const nnm_agreement *labels);
json_t *fit_json(const nnm_fit_result *fit);

/* labels.c: how far labels that were measured twice agree, beside the accuracy that they limit. */
json_t *labels_json(const nnm_agreement *labels);
void print_labels(const nnm_agreement *labels);
/* Where `labels` give no ceiling, that of the labels the predictor was trained on is shown; NaN: unknown, too. */
void print_metrics(const nnm_metrics *test, const nnm_agreement *labels, double training_ceiling10);

#endif
