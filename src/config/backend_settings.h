/* Keys of backend_config.yaml that one backend alone has (nnm_setting): as options, and as the texts it is given. */
#ifndef NNM_CONFIG_BACKEND_SETTINGS_H
#define NNM_CONFIG_BACKEND_SETTINGS_H

#include "config/files.h"

/* What an option reads a setting into. */
typedef union nnm_setting_value {
    bool flag;
    int64_t whole;
    double number;
    unsigned word;
    char *text; /* on the heap; NULL: not given */
} nnm_setting_value;

/* The option that reads setting `index` into the value at `offset`. */
nnm_option nnm_setting_option(const nnm_known_backend *backend, size_t index, size_t offset);

/* Makes texts, on the heap, of what was read; where `found` has no node, of the initial value. Takes the texts of
 * `values` in any case. On failure `texts` is as it was. Errors: NO_MEMORY, INTERNAL. */
NNM_NODISCARD nnm_status nnm_settings_take(char *texts[NNM_MAX_SETTINGS], const nnm_known_backend *backend,
                                           nnm_setting_value *values, const nnm_yaml_node *const *found,
                                           nnm_error *err);

/* Appends "KEY: value" as YAML has it; with a comment above, also for what is not given. */
void nnm_setting_write(const nnm_setting *setting, const char *value, bool with_comment, nnm_buffer *text);

#endif
