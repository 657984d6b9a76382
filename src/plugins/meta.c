#include "plugins/meta.h"

#include <stdlib.h>
#include <string.h>

#include "base/closest.h"
#include "base/error.h"
#include "base/memory.h"
#include "config/option.h"

static const char *const keys[NNM_META_KEYS] = {
    "builtin_name",   "implement",    "package_location", "class_module", "class_name",
    "sampler_module", "sampler_name", "parser_module",    "parser_name",
};

#define ALL_KEYS                                                                                          \
    "builtin_name, implement, package_location, class_module, class_name, sampler_module, sampler_name, " \
    "parser_module, parser_name"

/* ---- checks of one value ---- */

bool nnm_kernel_name_is_allowed(const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t length = strlen(name);
    return length > 0 && length < NNM_KERNEL_NAME_BYTES && strspn(name, allowed) == length && name[0] != '.' &&
           name[0] != '-';
}

/* A place in the file that a message is about. */
typedef struct place {
    const char *path;
    const nnm_yaml_node *node;
    const char *key;
} place;

static nnm_status fail(const place *at, const char *needed, nnm_error *err)
{
    char shown[NNM_YAML_SHOWN_BYTES];
    return nnm_fail_at(err, NNM_ERR_VALUE, at->path, at->node->line, at->node->column, "%s: found %s, need %s", at->key,
                       nnm_yaml_shown(at->node, shown), needed);
}

static nnm_status check_implement(const place *at, nnm_layout *layout, nnm_error *err)
{
    bool tensorflow = strcmp(at->node->text, "tensorflow") == 0;
    if (!tensorflow && strcmp(at->node->text, "torch") != 0) return fail(at, "tensorflow or torch", err);
    *layout = tensorflow ? NNM_LAYOUT_NHWC : NNM_LAYOUT_NCHW;
    return NNM_OK;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);
    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

static nnm_status check_value(nnm_kernel_meta *meta, nnm_meta_key key, const place *at, nnm_error *err)
{
    const nnm_yaml_node *node = at->node;
    if (node->kind != NNM_YAML_SCALAR || nnm_yaml_is_null(node) || *node->text == '\0') return fail(at, "a text", err);
    for (const char *c = node->text; *c; c++)
        if ((unsigned char)*c < 0x20) return fail(at, "a text of one line", err);
    switch (key) {
    case NNM_META_BUILTIN_NAME:
        if (nnm_kernel_name_is_allowed(node->text)) return NNM_OK;
        return fail(at, "a name of 1 to 63 letters, digits, '.', '_' and '-', for it becomes part of file names", err);
    case NNM_META_IMPLEMENT: return check_implement(at, &meta->layout, err);
    case NNM_META_PACKAGE_LOCATION:
        if (node->text[0] == '/') return NNM_OK;
        return fail(at, "the absolute path of the package folder: later commands start elsewhere", err);
    case NNM_META_CLASS_MODULE:
    case NNM_META_SAMPLER_MODULE:
    case NNM_META_PARSER_MODULE:
        if (!strchr(node->text, '/') && !ends_with(node->text, ".so")) return NNM_OK;
        return fail(at, "the name of a module, without folder and without '.so'", err);
    default: return NNM_OK;
    }
}

/* ---- reading ---- */

static nnm_status take(nnm_kernel_meta *meta, const nnm_yaml_node *mapping, size_t index, const char *path,
                       const char *name, nnm_error *err)
{
    const nnm_yaml_node *key = mapping->children[index], *value = mapping->children[index + 1];
    for (size_t k = name ? 1 : 0; k < NNM_META_KEYS; k++) {
        if (strcmp(key->text, keys[k]) != 0) continue;
        if (meta->value[k])
            return nnm_fail_at(err, NNM_ERR_VALUE, path, key->line, key->column, "%s stands here a second time",
                               key->text);
        nnm_status status = check_value(meta, (nnm_meta_key)k, &(place){path, value, keys[k]}, err);
        if (status) return status;
        meta->value[k] = nnm_strdup(value->text);
        return meta->value[k] ? NNM_OK : nnm_fail_memory(err);
    }
    size_t first = name ? 1 : 0;
    return nnm_option_unknown(key, path, "key", keys + first, NNM_META_KEYS - first, err);
}

nnm_status nnm_kernel_meta_of(nnm_kernel_meta *out, const nnm_yaml_node *mapping, const char *path, const char *name,
                              nnm_error *err)
{
    nnm_kernel_meta meta = {0};
    nnm_status status = NNM_OK;
    char shown[NNM_YAML_SHOWN_BYTES];
    if (mapping->kind != NNM_YAML_MAPPING)
        return nnm_fail_at(err, NNM_ERR_VALUE, path, mapping->line, mapping->column,
                           "found %s, need a mapping with the keys %s", nnm_yaml_shown(mapping, shown), ALL_KEYS);
    if (name && !(meta.value[NNM_META_BUILTIN_NAME] = nnm_strdup(name))) status = nnm_fail_memory(err);
    for (size_t i = 0; i < mapping->child_count && status == NNM_OK; i += 2)
        status = take(&meta, mapping, i, path, name, err);
    for (size_t k = 0; k < NNM_META_KEYS && status == NNM_OK; k++)
        if (!meta.value[k])
            status =
                nnm_fail_at(err, NNM_ERR_VALUE, path, mapping->line, 0, "%s%sthe key '%s' is missing; needed are %s",
                            name ? name : "", name ? ": " : "", keys[k], ALL_KEYS);
    if (status)
        nnm_kernel_meta_fini(&meta);
    else
        *out = meta;
    return status;
}

nnm_status nnm_kernel_meta_read(nnm_kernel_meta *out, const char *path, nnm_error *err)
{
    nnm_yaml_node *root = NULL;
    nnm_status status = nnm_yaml_read(&root, path, err);
    if (status == NNM_OK) status = nnm_kernel_meta_of(out, root, path, NULL, err);
    nnm_yaml_free(root);
    return status;
}

void nnm_kernel_meta_fini(nnm_kernel_meta *meta)
{
    for (size_t k = 0; k < NNM_META_KEYS; k++)
        free(meta->value[k]);
    *meta = (nnm_kernel_meta){0};
}

/* ---- writing ---- */

static void append_quoted(const char *value, nnm_buffer *text)
{
    nnm_buffer_text(text, "\"");
    for (; *value; value++) {
        if (*value == '"' || *value == '\\') nnm_buffer_text(text, "\\");
        nnm_buffer_append(text, value, 1);
    }
    nnm_buffer_text(text, "\"");
}

void nnm_kernel_meta_write(const nnm_kernel_meta *meta, nnm_buffer *text)
{
    nnm_buffer_text(text, "  ");
    append_quoted(meta->value[NNM_META_BUILTIN_NAME], text);
    nnm_buffer_text(text, ":\n");
    for (size_t k = 1; k < NNM_META_KEYS; k++) {
        nnm_buffer_printf(text, "    %s: ", keys[k]);
        append_quoted(meta->value[k], text);
        nnm_buffer_text(text, "\n");
    }
}
