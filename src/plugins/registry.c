#include "nnmeter/registry.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/closest.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "config/option.h"
#include "plugins/custom.h"

#define HEADING "# Customised kernels of this user, as nn-meter register and unregister keep them.\n"

typedef struct entry {
    nnm_kernel_meta meta;
    nnm_custom_kernel *kernel; /* NULL: not loaded yet */
} entry;

struct nnm_registry {
    char *path;
    nnm_plugin_limits limits;
    entry **entries; /* each allocated: kernels point to their meta */
    size_t count, capacity;
};

/* ---- entries ---- */

static void entry_free(entry *e)
{
    if (!e) return;
    nnm_custom_kernel_free(e->kernel);
    nnm_kernel_meta_fini(&e->meta);
    free(e);
}

static const char *name_of(const entry *e)
{
    return e->meta.value[NNM_META_BUILTIN_NAME];
}

static entry *find_entry(const nnm_registry *registry, const char *name)
{
    for (size_t i = 0; registry && i < registry->count; i++)
        if (strcmp(name_of(registry->entries[i]), name) == 0) return registry->entries[i];
    return NULL;
}

/* Takes over `meta` on success. */
static nnm_status add_entry(nnm_registry *registry, nnm_kernel_meta *meta, nnm_error *err)
{
    void *entries = registry->entries;
    nnm_status status = nnm_grow(&entries, &registry->capacity, registry->count + 1, sizeof *registry->entries, err);
    registry->entries = entries;
    entry *e = status == NNM_OK ? nnm_calloc(1, sizeof *e) : NULL;
    if (status) return status;
    if (!e) return nnm_fail_memory(err);
    e->meta = *meta;
    *meta = (nnm_kernel_meta){0};
    registry->entries[registry->count++] = e;
    return NNM_OK;
}

static bool is_built_in(const char *name)
{
    for (size_t i = 0; i < nnm_kernel_count(); i++)
        if (strcmp(nnm_kernel_name(nnm_kernel_at(i)), name) == 0) return true;
    return false;
}

/* ---- the file ---- */

static nnm_status read_entry(nnm_registry *registry, const nnm_yaml_node *key, const nnm_yaml_node *value,
                             nnm_error *err)
{
    nnm_kernel_meta meta = {0};
    const char *wrong = NULL;
    if (!nnm_kernel_name_is_allowed(key->text)) wrong = "is no name that a kernel can have";
    if (is_built_in(key->text)) wrong = "is the name of a built-in kernel";
    if (find_entry(registry, key->text)) wrong = "stands here a second time";
    if (wrong)
        return nnm_fail_at(err, NNM_ERR_VALUE, registry->path, key->line, key->column, "kernels: '%.64s' %s", key->text,
                           wrong);
    nnm_status status = nnm_kernel_meta_of(&meta, value, registry->path, key->text, err);
    if (status == NNM_OK) status = add_entry(registry, &meta, err);
    nnm_kernel_meta_fini(&meta);
    return status;
}

static nnm_status read_root(nnm_registry *registry, const nnm_yaml_node *root, nnm_error *err)
{
    static const char *const sections[] = {"kernels"};
    char shown[NNM_YAML_SHOWN_BYTES];
    if (root->kind != NNM_YAML_MAPPING)
        return nnm_fail_at(err, NNM_ERR_VALUE, registry->path, root->line, root->column,
                           "found %s, need the key 'kernels' with a mapping", nnm_yaml_shown(root, shown));
    nnm_status status = NNM_OK;
    for (size_t i = 0; i < root->child_count && status == NNM_OK; i += 2) {
        const nnm_yaml_node *key = root->children[i], *value = root->children[i + 1];
        if (strcmp(key->text, sections[0]) != 0)
            return nnm_option_unknown(key, registry->path, "key", sections, 1, err);
        if (nnm_yaml_is_null(value)) continue;
        if (value->kind != NNM_YAML_MAPPING)
            return nnm_fail_at(err, NNM_ERR_VALUE, registry->path, value->line, value->column,
                               "kernels: found %s, need a mapping of names", nnm_yaml_shown(value, shown));
        for (size_t j = 0; j < value->child_count && status == NNM_OK; j += 2)
            status = read_entry(registry, value->children[j], value->children[j + 1], err);
    }
    return status;
}

/* Reads the file into a registry without entries. */
static nnm_status read_file(nnm_registry *registry, nnm_error *err)
{
    nnm_yaml_node *root = NULL;
    if (access(registry->path, F_OK) != 0 && errno == ENOENT) return NNM_OK;
    nnm_status status = nnm_yaml_read(&root, registry->path, err);
    if (status == NNM_OK) status = read_root(registry, root, err);
    nnm_yaml_free(root);
    return nnm_context(err, status,
                       "the registry of customised kernels is damaged; mend the file, or remove it and "
                       "register the kernels again");
}

static nnm_status write_file(const nnm_registry *registry, nnm_error *err)
{
    nnm_buffer text = {0};
    nnm_buffer_text(&text, HEADING "kernels:\n");
    for (size_t i = 0; i < registry->count; i++)
        nnm_kernel_meta_write(&registry->entries[i]->meta, &text);
    nnm_status status = nnm_buffer_check(&text, err);
    if (status == NNM_OK) status = nnm_file_write(registry->path, text.data, text.size, err);
    nnm_buffer_fini(&text);
    return status;
}

static char *folder_of(const nnm_registry *registry)
{
    const char *slash = strrchr(registry->path, '/');
    if (!slash) return nnm_strdup(".");
    return nnm_format("%.*s", slash == registry->path ? 1 : (int)(slash - registry->path), registry->path);
}

/* ---- changing the file, one process at a time ---- */

static void drop_entries(nnm_registry *registry)
{
    for (size_t i = 0; i < registry->count; i++)
        entry_free(registry->entries[i]);
    registry->count = 0;
}

/* Locks the folder of the file and reads the file again: another process may have changed it. `*fd` is to be closed. */
static nnm_status begin_change(nnm_registry *registry, int *fd, nnm_error *err)
{
    nnm_registry now = {.path = registry->path, .limits = registry->limits};
    char *folder = folder_of(registry);
    *fd = -1;
    nnm_status status = folder ? nnm_folder_create(folder, err) : nnm_fail_memory(err);
    if (status == NNM_OK) {
        *fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (*fd < 0 || flock(*fd, LOCK_EX) != 0) status = nnm_fail_errno(err, "cannot lock folder '%s'", folder);
    }
    if (status == NNM_OK) status = read_file(&now, err);
    if (status == NNM_OK) {
        nnm_registry before = *registry;
        *registry = now;
        now = before;
    }
    drop_entries(&now);
    free(now.entries);
    free(folder);
    return status;
}

static void end_change(int fd)
{
    if (fd >= 0) close(fd);
}

/* Tries a package whose description was read, and takes over `meta`. */
static nnm_status try_and_add(nnm_registry *registry, nnm_kernel_meta *meta, nnm_error *err)
{
    nnm_custom_kernel *kernel = NULL;
    char *folder = folder_of(registry);
    nnm_status status = folder ? NNM_OK : nnm_fail_memory(err);
    if (status == NNM_OK) status = nnm_custom_kernel_load(&kernel, meta, &registry->limits, err);
    if (status == NNM_OK) status = nnm_custom_kernel_try(kernel, folder, err);
    nnm_custom_kernel_free(kernel);
    if (status == NNM_OK) status = add_entry(registry, meta, err);
    if (status == NNM_OK && (status = write_file(registry, err))) entry_free(registry->entries[--registry->count]);
    free(folder);
    return status;
}

static nnm_status check_free(const nnm_registry *registry, const char *name, nnm_error *err)
{
    if (is_built_in(name))
        return nnm_fail(err, NNM_ERR_EXISTS, "'%s' is the name of a built-in kernel; choose another builtin_name",
                        name);
    const entry *e = find_entry(registry, name);
    if (!e) return NNM_OK;
    return nnm_fail(err, NNM_ERR_EXISTS,
                    "a kernel '%s' is registered already, of package '%s'; choose another builtin_name, or unregister "
                    "that one: nn-meter unregister --kernel %s",
                    name, e->meta.value[NNM_META_PACKAGE_LOCATION], name);
}

nnm_status nnm_registry_register_kernel(nnm_registry *registry, const char *meta_path, char name[NNM_KERNEL_NAME_BYTES],
                                        nnm_error *err)
{
    nnm_kernel_meta meta = {0};
    int lock = -1;
    nnm_status status = nnm_kernel_meta_read(&meta, meta_path, err);
    if (status) return status;
    status = begin_change(registry, &lock, err);
    if (status == NNM_OK) {
        char found[NNM_KERNEL_NAME_BYTES] = "";
        strncat(found, meta.value[NNM_META_BUILTIN_NAME], sizeof found - 1);
        status = check_free(registry, found, err);
        if (status == NNM_OK) status = try_and_add(registry, &meta, err);
        if (status == NNM_OK) memcpy(name, found, sizeof found);
    }
    end_change(lock);
    nnm_kernel_meta_fini(&meta);
    return status;
}

static nnm_status fail_not_registered(const nnm_registry *registry, const char *name, nnm_error *err)
{
    if (is_built_in(name))
        return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "'%s' is a built-in kernel: it cannot be unregistered", name);
    const char **names = nnm_calloc(registry->count, sizeof *names);
    if (!names) return nnm_fail_memory(err);
    for (size_t i = 0; i < registry->count; i++)
        names[i] = name_of(registry->entries[i]);
    const char *closest = nnm_closest(name, names, registry->count);
    nnm_status status = nnm_fail(err, NNM_ERR_NOT_FOUND, "no kernel '%.100s' is registered%s%s%s", name,
                                 closest ? "; did you mean '" : "", closest ? closest : "", closest ? "'?" : "");
    free(names);
    return status;
}

nnm_status nnm_registry_unregister_kernel(nnm_registry *registry, const char *name, nnm_error *err)
{
    int lock = -1;
    nnm_status status = begin_change(registry, &lock, err);
    if (status == NNM_OK && !find_entry(registry, name)) status = fail_not_registered(registry, name, err);
    size_t at = 0;
    while (status == NNM_OK && strcmp(name_of(registry->entries[at]), name) != 0)
        at++;
    if (status == NNM_OK) {
        entry *removed = registry->entries[at];
        size_t after = (--registry->count - at) * sizeof *registry->entries;
        memmove(registry->entries + at, registry->entries + at + 1, after);
        status = write_file(registry, err);
        if (status) { /* as before */
            memmove(registry->entries + at + 1, registry->entries + at, after);
            registry->entries[at] = removed;
            registry->count++;
        } else {
            entry_free(removed);
        }
    }
    end_change(lock);
    return status;
}

/* ---- opening and finding ---- */

nnm_status nnm_registry_open(nnm_registry **out, const char *path, nnm_error *err)
{
    nnm_registry *registry = nnm_calloc(1, sizeof *registry);
    if (!registry) return nnm_fail_memory(err);
    registry->limits = (nnm_plugin_limits)NNM_PLUGIN_LIMITS_INIT;
    registry->path = nnm_strdup(path);
    nnm_status status = registry->path ? read_file(registry, err) : nnm_fail_memory(err);
    if (status)
        nnm_registry_close(registry);
    else
        *out = registry;
    return status;
}

void nnm_registry_close(nnm_registry *registry)
{
    if (!registry) return;
    drop_entries(registry);
    free(registry->entries);
    free(registry->path);
    free(registry);
}

void nnm_registry_set_limits(nnm_registry *registry, double seconds, unsigned memory_mib)
{
    registry->limits = (nnm_plugin_limits){seconds, memory_mib};
}

size_t nnm_registry_kernel_count(const nnm_registry *registry)
{
    return nnm_kernel_count() + (registry ? registry->count : 0);
}

const char *nnm_registry_kernel_name(const nnm_registry *registry, size_t index)
{
    if (index < nnm_kernel_count()) return nnm_kernel_name(nnm_kernel_at(index));
    return name_of(registry->entries[index - nnm_kernel_count()]);
}

/* The closest of all names: what nnm_kernel_find would suggest knows the built-in ones only. */
static nnm_status fail_unknown(const nnm_registry *registry, const char *name, nnm_error *err)
{
    const nnm_kernel *kernel = NULL;
    size_t count = nnm_registry_kernel_count(registry);
    const char **names = nnm_calloc(count, sizeof *names);
    if (!names) return nnm_fail_memory(err);
    for (size_t i = 0; i < count; i++)
        names[i] = nnm_registry_kernel_name(registry, i);
    const char *closest = nnm_closest(name, names, count);
    nnm_status status = nnm_kernel_find(&kernel, name, err);
    if (closest && find_entry(registry, closest))
        status = nnm_fail(err, NNM_ERR_NOT_FOUND, "there is no kernel type '%s'; did you mean '%s'?", name, closest);
    free(names);
    return status;
}

nnm_status nnm_registry_find_kernel(nnm_registry *registry, const char *name, const nnm_kernel **out, nnm_error *err)
{
    if (!registry || is_built_in(name)) return nnm_kernel_find(out, name, err);
    entry *e = find_entry(registry, name);
    if (!e) return fail_unknown(registry, name, err);
    if (!e->kernel) {
        nnm_status status = nnm_custom_kernel_load(&e->kernel, &e->meta, &registry->limits, err);
        if (status)
            return nnm_context(err, status,
                               "customised kernel '%s' cannot be loaded (put its package back, or take it out of the "
                               "registry: nn-meter unregister --kernel %s)",
                               name, name);
    }
    *out = nnm_custom_kernel_entry(e->kernel);
    return NNM_OK;
}
