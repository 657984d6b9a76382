#include "store/stale.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"

/* A temporary file is called "<final name>.<process>.tmp" (base/file.c). */
static bool is_stale(const char *name)
{
    size_t length = strlen(name);
    if (length < 7 || strcmp(name + length - 4, ".tmp") != 0) return false;
    const char *digits = name + length - 4;
    while (digits > name && digits[-1] >= '0' && digits[-1] <= '9')
        digits--;
    if (digits == name || digits[-1] != '.' || digits == name + length - 4) return false;
    long pid = strtol(digits, NULL, 10);
    if (pid <= 1 || pid == (long)getpid()) return false;
    return kill((pid_t)pid, 0) != 0 && errno == ESRCH;
}

static void clean_folder(const char *folder)
{
    DIR *files = opendir(folder);
    if (!files) return;
    for (const struct dirent *file; (file = readdir(files)) != NULL;) {
        if (!is_stale(file->d_name)) continue;
        char *path = nnm_format("%s/%s", folder, file->d_name);
        if (path && nnm_file_exists(path)) (void)unlink(path);
        free(path);
    }
    closedir(files);
}

void nnm_workspace_remove_stale(const char *workspace)
{
    static const char *const folders[] = {"predictor_build/kernels", "predictor_build/results",
                                          "predictor_build/results/collection", "predictor_build/results/predictors"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char *folder = nnm_format("%s/%s", workspace, folders[i]);
        if (folder) clean_folder(folder);
        free(folder);
    }
}
