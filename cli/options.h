/* The command line: one table of options a command feeds the parser, --help and the hints at what was meant. */
#ifndef NNM_CLI_OPTIONS_H
#define NNM_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nnmeter/status.h"

typedef enum option_kind {
    OPTION_FLAG,    /* a bool */
    OPTION_TEXT,    /* a const char *, NULL where not given */
    OPTION_CHOICE,  /* the same, one of `choices` */
    OPTION_LIST,    /* an option_list: "--configs A B C" */
    OPTION_INTEGER, /* an option_integer */
    OPTION_REAL,    /* an option_real */
    OPTION_LATER    /* not in this version: `help` is the sentence that refuses it, and --help keeps silent about it */
} option_kind;

typedef struct option_list {
    const char **items;
    size_t count;
} option_list;

typedef struct option_integer {
    bool given;
    uint64_t value;
} option_integer;

typedef struct option_real {
    bool given;
    double value;
} option_real;

typedef struct cli_option {
    const char *name; /* without the dashes */
    option_kind kind;
    size_t offset; /* of its value in the command's values */
    /* What stands for the value in --help. Completion goes by it: "DIR" or "FOLDER": a folder; "F", "FILE", "OUT", "P",
     * "PREDICTOR" or a name with a suffix such as "META.yaml": a file; "K" or "KERNEL": a kernel type; "BACKEND", and
     * "NAME" for --backend: a backend. */
    const char *value;
    const char *help; /* one line */
    char letter;      /* 'o' for -o; 0: none */
    bool required;
    double minimum, maximum; /* of a number; maximum 0: none */
    const char *choices;     /* "prior|finegrained" */
    const char *fallback;    /* the value where none is given, read like one that is */
    const char *otherwise;   /* what happens where none is given and there is no such text; shown as the default */
} cli_option;

typedef struct cli_command cli_command;

struct cli_command {
    const char *name;                                        /* "" for nn-meter itself */
    const char *summary;                                     /* one line */
    int (*run)(const cli_command *self, const void *values); /* returns the exit code */
    size_t values_size;
    const cli_option *options;
    size_t option_count;
    const char *usage;   /* what follows the name in the usage line */
    const char *details; /* further lines of --help; may be NULL */
    const char *example; /* lines, each with two blanks before it */
    const char *later;   /* not in this version: the sentence that refuses it */
};

#define OPTIONS(table) .options = (table), .option_count = sizeof(table) / sizeof *(table)

enum {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_PART = 3,
    EXIT_INTERRUPTED = 130
};

/* Reads the arguments that follow the command's name into zeroed `values`, which options_fini ends. Returns true when
 * the command is to be run; else `exit_code` is set: help was shown, or a usage error told. */
bool options_parse(const cli_command *command, int argc, char **argv, void *values, int *exit_code);
void options_fini(const cli_command *command, void *values);

/* Tells on stderr what is wrong with the command line and where to find help. Returns EXIT_USAGE. */
int usage_error(const cli_command *command, const char *format, ...) NNM_PRINTF(2, 3);

/* --help wins wherever it stands before "--". */
bool asks_for_help(int argc, char **argv);

extern const cli_option option_help; /* of every command */

/* Everything of --help but the usage line. */
void options_help(const cli_command *command);

/* The option of `command` that is most like `text` (no dashes), or NULL. */
const char *options_closest(const cli_command *command, const char *text);
/* The name most like `text`: it begins so, or at most a third of the letters differ. NULL: none is. */
const char *closest_name(const char *text, const char *const *names, size_t count);

#endif
