#include "config/backend_settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

static const nnm_option_type types[] = {
    [NNM_SETTING_BOOLEAN] = NNM_OPTION_BOOLEAN, [NNM_SETTING_WHOLE] = NNM_OPTION_INT64,
    [NNM_SETTING_NUMBER] = NNM_OPTION_REAL,     [NNM_SETTING_WORD] = NNM_OPTION_WORD,
    [NNM_SETTING_TEXT] = NNM_OPTION_TEXT,       [NNM_SETTING_FILE] = NNM_OPTION_FILE,
};

static bool is_text(const nnm_setting *setting)
{
    return setting->type == NNM_SETTING_TEXT || setting->type == NNM_SETTING_FILE;
}

nnm_option nnm_setting_option(const nnm_known_backend *backend, size_t index, size_t offset)
{
    const nnm_setting *setting = &backend->settings[index];
    return (nnm_option){.key = setting->key,
                        .type = types[setting->type],
                        .offset = offset,
                        .minimum = setting->minimum,
                        .maximum = setting->maximum,
                        .words = setting->words,
                        .word_count = setting->word_count,
                        .comment = setting->comment};
}

/* The text of one setting, or NULL for none. */
static nnm_status take(const nnm_known_backend *backend, size_t index, nnm_setting_value *value, bool found, char **out,
                       nnm_error *err)
{
    const nnm_setting *setting = &backend->settings[index];
    nnm_buffer text = {0};
    nnm_status status = NNM_OK;
    if (found && is_text(setting)) {
        *out = value->text;
        value->text = NULL;
    } else if (found) {
        nnm_option option = nnm_setting_option(backend, index, 0);
        nnm_option_format(&option, value, &text);
        status = nnm_buffer_check(&text, err);
        if (status == NNM_OK) *out = nnm_strdup(text.data);
        if (status == NNM_OK && !*out) status = nnm_fail_memory(err);
    } else if (setting->initial) {
        *out = nnm_strdup(setting->initial);
        if (!*out) status = nnm_fail_memory(err);
    }
    nnm_buffer_fini(&text);
    return status;
}

nnm_status nnm_settings_take(char *texts[NNM_MAX_SETTINGS], const nnm_known_backend *backend, nnm_setting_value *values,
                             const nnm_yaml_node *const *found, nnm_error *err)
{
    char *taken[NNM_MAX_SETTINGS] = {NULL};
    nnm_status status = NNM_OK;
    for (size_t i = 0; i < backend->setting_count; i++) {
        if (status == NNM_OK) status = take(backend, i, &values[i], found[i] != NULL, &taken[i], err);
        if (is_text(&backend->settings[i])) free(values[i].text);
    }
    if (status == NNM_OK) memcpy(texts, taken, sizeof taken);
    for (size_t i = 0; status && i < backend->setting_count; i++)
        free(taken[i]);
    return status;
}

void nnm_setting_write(const nnm_setting *setting, const char *value, bool with_comment, nnm_buffer *text)
{
    nnm_known_backend of = {.settings = setting, .setting_count = 1};
    nnm_option option = nnm_setting_option(&of, 0, 0);
    if (is_text(setting)) {
        nnm_option_write(&option, &value, 0, with_comment, text);
        return;
    }
    if (with_comment) nnm_option_write_comment(&option, 0, text);
    nnm_buffer_printf(text, "%s: %s\n", setting->key, value ? value : "");
}
