#include "nnmeter/workspace.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "config/files.h"
#include "nnmeter/backend.h"
#include "store/known.h"
#include "store/paths.h"

#define PREDICTORBUILD "predictorbuild_config.yaml"
#define BACKEND "backend_config.yaml"

/* Where the configuration files are until both are written: a workspace is one that has configs/. */
#define UNFINISHED ".configs.new-"

struct nnm_workspace {
    char *path;
    nnm_registry *registry;
    nnm_predictorbuild_config predictorbuild;
    nnm_backend_config backend;
};

/* ---- what there is ---- */

typedef struct known_names {
    nnm_known_kernel *kernels;
    size_t kernel_count;
    nnm_known_backend *backends;
    size_t backend_count;
} known_names;

static void known_fini(known_names *known)
{
    free(known->kernels);
    free(known->backends);
}

nnm_known_backend nnm_workspace_known_backend(const nnm_backend *backend)
{
    return (nnm_known_backend){.name = backend->name,
                               .settings = backend->settings,
                               .setting_count = backend->setting_count,
                               .times_itself = backend->measure != NULL,
                               .simulated = backend->device == NNM_DEVICE_SIMULATED};
}

static nnm_status known_init(known_names *known, const nnm_registry *registry, nnm_error *err)
{
    *known = (known_names){.kernel_count = nnm_registry_kernel_count(registry), .backend_count = nnm_backend_count()};
    known->kernels = nnm_calloc(known->kernel_count, sizeof *known->kernels);
    known->backends = nnm_calloc(known->backend_count, sizeof *known->backends);
    if (!known->kernels || !known->backends) {
        known_fini(known);
        return nnm_fail_memory(err);
    }
    for (size_t i = 0; i < known->kernel_count; i++) {
        size_t samples = i < nnm_kernel_count() ? nnm_kernel_default_samples(nnm_kernel_at(i)) : 0;
        known->kernels[i] = (nnm_known_kernel){nnm_registry_kernel_name(registry, i), samples};
    }
    for (size_t i = 0; i < known->backend_count; i++)
        known->backends[i] = nnm_workspace_known_backend(nnm_backend_at(i));
    return NNM_OK;
}

/* ---- creating ---- */

static bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool has_config(const char *path, const char *file)
{
    char *name = nnm_path_config(path, file);
    bool there = name && nnm_file_exists(name);
    free(name);
    return there;
}

/* A folder may become a workspace when it is empty, but for what an attempt that was cut short has left. */
static nnm_status check_vacant(const char *path, nnm_error *err)
{
    if (has_config(path, PREDICTORBUILD) || has_config(path, BACKEND))
        return nnm_fail(err, NNM_ERR_EXISTS, "'%s' is a workspace already; nothing was changed", path);
    DIR *folder = opendir(path);
    if (!folder) return nnm_fail_errno(err, "cannot use '%s' as a workspace", path);
    nnm_status status = NNM_OK;
    for (const struct dirent *entry; status == NNM_OK && (entry = readdir(folder)) != NULL;) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
        if (strcmp(name, "predictor_build") != 0 && !starts_with(name, UNFINISHED))
            status = nnm_fail(err, NNM_ERR_EXISTS, "folder '%s' is not empty: it has '%s'", path, name);
    }
    closedir(folder);
    return status;
}

/* What a new workspace has, and one whose file does not say: TensorFlow's kernels where the backend reads their files.
 */
static nnm_implement default_implement(const nnm_backend *backend)
{
    return backend->reads_tflite ? NNM_IMPLEMENT_TENSORFLOW : NNM_IMPLEMENT_TORCH;
}

static nnm_status write_configs(const char *folder, const nnm_backend *backend, nnm_error *err)
{
    known_names known;
    nnm_predictorbuild_config build = {0};
    nnm_status status = known_init(&known, NULL, err);
    if (status) return status;
    nnm_backend_config timing = nnm_backend_config_default(backend->name);
    char *build_path = nnm_format("%s/" PREDICTORBUILD, folder);
    char *timing_path = nnm_format("%s/" BACKEND, folder);
    if (!build_path || !timing_path) status = nnm_fail_memory(err);
    if (status == NNM_OK)
        status = nnm_predictorbuild_config_default(&build, default_implement(backend), known.kernels,
                                                   known.kernel_count, err);
    if (status == NNM_OK)
        status = nnm_predictorbuild_config_write(&build, build_path, known.kernels, known.kernel_count, err);
    nnm_known_backend known_backend = nnm_workspace_known_backend(backend);
    if (status == NNM_OK) status = nnm_backend_config_write(&timing, &known_backend, timing_path, err);
    nnm_predictorbuild_config_fini(&build);
    known_fini(&known);
    free(build_path);
    free(timing_path);
    return status;
}

static nnm_status create_folder_in(const char *workspace, const char *name, nnm_error *err)
{
    char *path = nnm_format("%s/%s", workspace, name);
    nnm_status status = path ? nnm_folder_create(path, err) : nnm_fail_memory(err);
    free(path);
    return status;
}

/* Makes everything, and gives configs/ its name last: before that the folder is no workspace, after it a whole one. */
static nnm_status fill(const char *path, const nnm_backend *backend, const char *unfinished, nnm_error *err)
{
    static const char *const folders[] = {"predictor_build/kernels", "predictor_build/results/collection",
                                          "predictor_build/results/predictors"};
    char *configs = nnm_format("%s/configs", path);
    nnm_status status = configs ? NNM_OK : nnm_fail_memory(err);
    for (size_t i = 0; status == NNM_OK && i < sizeof folders / sizeof *folders; i++)
        status = create_folder_in(path, folders[i], err);
    if (status == NNM_OK) status = nnm_folder_create(unfinished, err);
    if (status == NNM_OK) status = write_configs(unfinished, backend, err);
    if (status == NNM_OK && rename(unfinished, configs) != 0) {
        if (errno == ENOTEMPTY || errno == EEXIST)
            status = nnm_fail(err, NNM_ERR_EXISTS, "'%s' has just become a workspace by another process", path);
        else
            status = nnm_fail_errno(err, "cannot create '%s'", configs);
    }
    free(configs);
    return status;
}

static void remove_in(const char *folder, const char *name)
{
    char *path = nnm_format("%s/%s", folder, name);
    if (path && unlink(path) != 0) rmdir(path); /* empty folders only */
    free(path);
}

/* Takes back what a failed attempt has made. Folders with something in them stay, so nothing of value can go. */
static void clean_up(const char *path, const char *unfinished, bool made)
{
    static const char *const folders[] = {"predictor_build/kernels", "predictor_build/results/collection",
                                          "predictor_build/results/predictors", "predictor_build/results",
                                          "predictor_build"};
    remove_in(unfinished, PREDICTORBUILD);
    remove_in(unfinished, BACKEND);
    rmdir(unfinished);
    char *configs = nnm_format("%s/configs", path);
    bool another_won = configs && nnm_folder_exists(configs);
    free(configs);
    if (another_won) return;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        remove_in(path, folders[i]);
    if (made) rmdir(path);
}

nnm_status nnm_workspace_create(const char *path, const char *backend, nnm_error *err)
{
    const nnm_backend *found = NULL;
    nnm_status status = nnm_backend_find(&found, backend, err);
    if (status) return status;
    if (path[0] == '\0') return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "the path of the workspace is empty");
    struct stat info;
    bool there = stat(path, &info) == 0;
    if (there && !S_ISDIR(info.st_mode))
        return nnm_fail(err, NNM_ERR_EXISTS, "'%s' is there already, and not a folder", path);
    if (there) status = check_vacant(path, err);
    if (status) return status;
    char *unfinished = nnm_format("%s/" UNFINISHED "%ld", path, (long)getpid());
    if (!unfinished) return nnm_fail_memory(err);
    status = nnm_folder_create(path, err);
    if (status == NNM_OK) {
        status = fill(path, found, unfinished, err);
        if (status) clean_up(path, unfinished, !there);
    }
    free(unfinished);
    return nnm_context(err, status, "cannot create a workspace");
}

/* ---- opening ---- */

/* Relative paths in the files begin at the workspace. */
static nnm_status make_absolute(const nnm_workspace *workspace, char **path, nnm_error *err)
{
    if (!*path || **path == '/') return NNM_OK;
    char *absolute = nnm_format("%s/%s", workspace->path, *path);
    free(*path);
    *path = absolute;
    return absolute ? NNM_OK : nnm_fail_memory(err);
}

static nnm_status read_configs(nnm_workspace *workspace, nnm_error *err)
{
    known_names known;
    nnm_status status = known_init(&known, workspace->registry, err);
    if (status) return status;
    char *build_path = nnm_path_config(workspace->path, PREDICTORBUILD);
    char *timing_path = nnm_path_config(workspace->path, BACKEND);
    nnm_predictorbuild_config build = {0};
    nnm_backend_config timing = {0};
    if (!build_path || !timing_path) status = nnm_fail_memory(err);
    const nnm_backend *backend = NULL;
    if (status == NNM_OK)
        status = nnm_backend_config_read(&timing, timing_path, known.backends, known.backend_count, err);
    if (status == NNM_OK) status = nnm_backend_find(&backend, timing.backend, err);
    if (status == NNM_OK)
        status = nnm_predictorbuild_config_read(&build, build_path, default_implement(backend), known.kernels,
                                                known.kernel_count, err);
    if (status == NNM_OK) status = make_absolute(workspace, &build.prior_dir, err);
    if (status == NNM_OK) status = make_absolute(workspace, &timing.library_path, err);
    for (size_t i = 0; status == NNM_OK && i < backend->setting_count; i++)
        if (backend->settings[i].type == NNM_SETTING_FILE) status = make_absolute(workspace, &timing.settings[i], err);
    if (status == NNM_OK) {
        nnm_predictorbuild_config_fini(&workspace->predictorbuild);
        workspace->predictorbuild = build;
        nnm_backend_config_fini(&workspace->backend);
        workspace->backend = timing;
        build = (nnm_predictorbuild_config){0};
        timing = (nnm_backend_config){0};
    }
    nnm_predictorbuild_config_fini(&build);
    nnm_backend_config_fini(&timing);
    known_fini(&known);
    free(build_path);
    free(timing_path);
    return status;
}

/* Says what is missing, and what makes a workspace. */
static nnm_status check_files(const char *path, nnm_error *err)
{
    static const char *const files[] = {PREDICTORBUILD, BACKEND};
    if (!nnm_folder_exists(path))
        return nnm_fail(err, NNM_ERR_NOT_FOUND,
                        "there is no folder '%s'; a workspace is made by: nn-meter create --workspace DIR --backend "
                        "NAME",
                        path);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (!has_config(path, files[i]))
            return nnm_fail(err, NNM_ERR_NOT_FOUND,
                            "'%s' is not a workspace: it has no configs/%s; a workspace is made by: nn-meter create "
                            "--workspace DIR --backend NAME",
                            path, files[i]);
    return NNM_OK;
}

nnm_status nnm_workspace_open(nnm_workspace **out, const char *path, nnm_registry *registry, nnm_error *err)
{
    nnm_status status = check_files(path, err);
    if (status) return status;
    nnm_workspace *workspace = nnm_calloc(1, sizeof *workspace);
    if (!workspace) return nnm_fail_memory(err);
    workspace->registry = registry;
    workspace->path = realpath(path, NULL);
    status = workspace->path ? read_configs(workspace, err) : nnm_fail_errno(err, "cannot open '%s'", path);
    if (status)
        nnm_workspace_close(workspace);
    else
        *out = workspace;
    return status;
}

nnm_status nnm_workspace_reload(nnm_workspace *workspace, nnm_error *err)
{
    nnm_status status = check_files(workspace->path, err);
    return status ? status : read_configs(workspace, err);
}

void nnm_workspace_close(nnm_workspace *workspace)
{
    if (!workspace) return;
    nnm_predictorbuild_config_fini(&workspace->predictorbuild);
    nnm_backend_config_fini(&workspace->backend);
    free(workspace->path);
    free(workspace);
}

nnm_registry *nnm_workspace_registry(const nnm_workspace *workspace)
{
    return workspace->registry;
}

const char *nnm_workspace_path(const nnm_workspace *workspace)
{
    return workspace->path;
}

const nnm_predictorbuild_config *nnm_workspace_predictorbuild(const nnm_workspace *workspace)
{
    return &workspace->predictorbuild;
}

const nnm_backend_config *nnm_workspace_backend(const nnm_workspace *workspace)
{
    return &workspace->backend;
}

const nnm_kernel_build *nnm_workspace_kernel(const nnm_workspace *workspace, const char *kernel_type)
{
    const nnm_predictorbuild_config *config = &workspace->predictorbuild;
    for (size_t i = 0; i < config->kernel_count; i++)
        if (strcmp(config->kernels[i].kernel, kernel_type) == 0) return &config->kernels[i];
    return NULL;
}
