/*
 * Option tables: one table a configuration file says what its keys are called, what they may hold and what they mean.
 * The reader, the writer, the hints in messages and the documentation's test all follow the same table.
 */
#ifndef NNM_CONFIG_OPTION_H
#define NNM_CONFIG_OPTION_H

#include "base/buffer.h"
#include "config/yaml.h"

/* What a key holds, and the C type of the member it fills. */
typedef enum nnm_option_type {
    NNM_OPTION_BOOLEAN = 0, /* bool */
    NNM_OPTION_SIZE,        /* size_t */
    NNM_OPTION_INT64,       /* int64_t */
    NNM_OPTION_UNSIGNED,    /* unsigned */
    NNM_OPTION_REAL,        /* double */
    NNM_OPTION_WORD,        /* an enum: the index of the word */
    NNM_OPTION_CPU,         /* int: a number, or -1 - the index of the word */
    NNM_OPTION_BUDGET,      /* nnm_budget */
    NNM_OPTION_TARGET,      /* nnm_target */
    NNM_OPTION_NAME,        /* char[NNM_KERNEL_NAME_BYTES]: a name that the reader checks */
    NNM_OPTION_PATH,        /* char *, of a folder, on the heap; NULL: not given */
    NNM_OPTION_FILE,        /* the same of a file */
    NNM_OPTION_TEXT,        /* the same of any text */
    NNM_OPTION_SECTION      /* a mapping with a table of its own, for which the reader has code */
} nnm_option_type;

typedef struct nnm_option {
    const char *key;
    nnm_option_type type;
    size_t offset;           /* of the member */
    double minimum, maximum; /* of numbers, both ends included */
    const char *const *words;
    size_t word_count;
    const char *comment; /* what it means: lines without "# ", each ended by a newline but for the last */
} nnm_option;

/* Appends what an option accepts, e.g. "a whole number from 1 to 64". */
void nnm_option_allowed(const nnm_option *option, nnm_buffer *text);

/* Appends the value that `config` has for an option, as YAML; nothing for what is not given: a path, a budget, a
 * target. */
void nnm_option_format(const nnm_option *option, const void *config, nnm_buffer *text);

/* Appends "KEY: value" indented by `indent` blanks, its comment above it when `with_comment`. */
void nnm_option_write(const nnm_option *option, const void *config, size_t indent, bool with_comment, nnm_buffer *text);

/* Appends its comment alone. */
void nnm_option_write_comment(const nnm_option *option, size_t indent, nnm_buffer *text);

/* Sets the members that `mapping` has keys for; others keep what they hold. `found`, unless NULL, receives for each
 * option its value's node or NULL: sections are for the caller to read. Errors: VALUE with place, key, what was found
 * and what is allowed. `config` may be changed in part by a call that fails. */
NNM_NODISCARD nnm_status nnm_options_read(const nnm_option *options, size_t count, const nnm_yaml_node *mapping,
                                          const char *path, void *config, const nnm_yaml_node **found, nnm_error *err);

/* Fails for a key or name that is none of `names`, with the closest one or, when few, all. */
nnm_status nnm_option_unknown(const nnm_yaml_node *node, const char *path, const char *what, const char *const *names,
                              size_t count, nnm_error *err);

#endif
