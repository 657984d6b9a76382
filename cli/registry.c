/* register, unregister, and the user-wide registry of customised kernels that all commands look kernel types up in. */
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"

#define REGISTRY "config/registry.yaml"

static nnm_registry *the_registry;

/* $NN_METER_HOME/config/registry.yaml, or ~/.nn_meter/config/registry.yaml. */
static int find_path(const cli_command *self, char *path, size_t size)
{
    const char *home = getenv("NN_METER_HOME"), *user = getenv("HOME");
    int length;
    if (home && *home)
        length = snprintf(path, size, "%s/" REGISTRY, home);
    else if (user && *user)
        length = snprintf(path, size, "%s/.nn_meter/" REGISTRY, user);
    else
        return command_error(self,
                             "neither NN_METER_HOME nor HOME is set: where is the registry of customised kernels?");
    if (length < 0 || (size_t)length >= size) return command_error(self, "the path in NN_METER_HOME is too long");
    return EXIT_DONE;
}

int open_registry(const cli_command *self, nnm_registry **out)
{
    char path[4096];
    nnm_error err = NNM_ERROR_INIT;
    if (!the_registry) {
        int code = find_path(self, path, sizeof path);
        if (code) return code;
        if (nnm_registry_open(&the_registry, path, &err)) return command_fail(self, &err);
    }
    *out = the_registry;
    return EXIT_DONE;
}

void registry_end(void)
{
    nnm_registry_close(the_registry);
    the_registry = NULL;
}

int find_kernel(const cli_command *self, const char *name, const nnm_kernel **out)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_registry *registry = NULL;
    int code = open_registry(self, &registry);
    if (!code && nnm_registry_find_kernel(registry, name, out, &err)) code = command_fail(self, &err);
    return code;
}

int open_builder(const cli_command *self, const char *workspace, const nnm_hooks *hooks, nnm_builder **out)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_registry *registry = NULL;
    int code = open_registry(self, &registry);
    if (!code && nnm_builder_config_init(out, workspace, registry, hooks, &err)) code = command_fail(self, &err);
    return code;
}

/* ---- register ---- */

typedef struct register_values {
    const char *kernel;
} register_values;

static const cli_option register_options[] = {
    {.name = "kernel",
     .kind = OPTION_TEXT,
     .offset = offsetof(register_values, kernel),
     .value = "META.yaml",
     .required = true,
     .help = "the meta file of a kernel's package"},
    {.name = "backend",
     .kind = OPTION_LATER,
     .help = "customised backends cannot be registered in this version; --list-backends shows what it has"},
};

static int run_register(const cli_command *self, const void *values)
{
    const register_values *v = values;
    nnm_error err = NNM_ERROR_INIT;
    nnm_registry *registry = NULL;
    char name[NNM_KERNEL_NAME_BYTES];
    int code = open_registry(self, &registry);
    if (code) return code;
    if (nnm_registry_register_kernel(registry, v->kernel, name, &err)) return command_fail(self, &err);
    printf("(nn-Meter) Successfully register kernel: %s\n", name);
    return EXIT_DONE;
}

const cli_command command_register = {
    .name = "register",
    .summary = "Add a kernel of your own, after trying it",
    .run = run_register,
    .values_size = sizeof(register_values),
    OPTIONS(register_options),
    .usage = "--kernel META.yaml",
    .details =
        "The meta file names a package folder, and the modules and symbols in it. All of them are loaded and\n"
        "tried, in a process of their own, before the kernel can be used under its builtin_name like any other.\n"
        "The package has to stay where it is. Registered kernels stand in ~/.nn_meter/config/registry.yaml, or\n"
        "in $NN_METER_HOME/config/registry.yaml.\n",
    .example = "  nn-meter register --kernel build/examples/custom-kernel-c/meta.yaml\n",
};

/* ---- unregister ---- */

typedef struct unregister_values {
    const char *kernel;
} unregister_values;

static const cli_option unregister_options[] = {
    {.name = "kernel",
     .kind = OPTION_TEXT,
     .offset = offsetof(unregister_values, kernel),
     .value = "NAME",
     .required = true,
     .help = "the builtin_name of a customised kernel"},
    {.name = "backend",
     .kind = OPTION_LATER,
     .help = "customised backends cannot be registered in this version, so there is none to unregister"},
};

static int run_unregister(const cli_command *self, const void *values)
{
    const unregister_values *v = values;
    nnm_error err = NNM_ERROR_INIT;
    nnm_registry *registry = NULL;
    int code = open_registry(self, &registry);
    if (code) return code;
    if (nnm_registry_unregister_kernel(registry, v->kernel, &err)) return command_fail(self, &err);
    printf("(nn-Meter) Successfully unregister %s.\n", v->kernel);
    return EXIT_DONE;
}

const cli_command command_unregister = {
    .name = "unregister",
    .summary = "Take a kernel of your own out again",
    .run = run_unregister,
    .values_size = sizeof(unregister_values),
    OPTIONS(unregister_options),
    .usage = "--kernel NAME",
    .details = "Its package stays as it is, and so does what was measured and built with it.\n",
    .example = "  nn-meter unregister --kernel mykernel\n",
};
