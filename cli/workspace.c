/* create, connect, --list-kernels, --list-backends. */
#include <stdio.h>

#include "commands.h"

/* ---- create ---- */

typedef struct create_values {
    const char *workspace, *backend;
} create_values;

static const cli_option create_options[] = {
    {.name = "workspace",
     .kind = OPTION_TEXT,
     .offset = offsetof(create_values, workspace),
     .value = "DIR",
     .required = true,
     .help = "the folder to make; its parents are made too"},
    {.name = "backend",
     .kind = OPTION_TEXT,
     .offset = offsetof(create_values, backend),
     .value = "NAME",
     .fallback = "xnnpack_cpu",
     .help = "the runtime to measure, see --list-backends"},
    {.name = "tflite-workspace",
     .kind = OPTION_LATER,
     .help = "--tflite-workspace is not in this version; use --workspace DIR --backend NAME"},
    {.name = "customized-workspace",
     .kind = OPTION_LATER,
     .help = "--customized-workspace is not in this version; use --workspace DIR --backend NAME"},
};

static int run_create(const cli_command *self, const void *values)
{
    const create_values *v = values;
    nnm_error err = NNM_ERROR_INIT;
    nnm_workspace *workspace = NULL;
    if (nnm_workspace_create(v->workspace, v->backend, &err) ||
        nnm_workspace_open(&workspace, v->workspace, NULL, &err))
        return command_fail(self, &err);
    output_log("Created workspace %s for backend %s", nnm_workspace_path(workspace), v->backend);
    output_log("Its settings stand in %s/configs/predictorbuild_config.yaml", nnm_workspace_path(workspace));
    nnm_workspace_close(workspace);
    return EXIT_DONE;
}

const cli_command command_create = {
    .name = "create",
    .summary = "Make a workspace: the folder of one device's configurations, measurements and predictors",
    .run = run_create,
    .values_size = sizeof(create_values),
    OPTIONS(create_options),
    .usage = "--workspace DIR [--backend NAME]",
    .example = "  nn-meter create --workspace ws --backend xnnpack_cpu\n",
};

/* ---- connect ---- */

typedef struct connect_values {
    const char *workspace, *backend;
    bool json;
} connect_values;

static const cli_option connect_options[] = {
    OPTION_WORKSPACE(connect_values),
    OPTION_BACKEND(connect_values),
    OPTION_JSON(connect_values),
};

static int run_connect(const cli_command *self, const void *values)
{
    const connect_values *v = values;
    nnm_error err = NNM_ERROR_INIT;
    nnm_builder *builder = NULL;
    double latency_ms = 0;
    int code = EXIT_DONE;
    if (open_builder(self, v->workspace, output_stoppable_hooks(), &builder)) return EXIT_FAILED;
    const char *backend = choose_backend(builder, v->backend);
    if (nnm_connect_backend(builder, backend, &latency_ms, &err)) {
        code = command_fail(self, &err);
    } else if (v->json) {
        code = output_json(json_pack("{s:o, s:b, s:o}", "backend", output_text(backend), "connected", 1, "latency_ms",
                                     output_number(latency_ms)));
    } else {
        printf("(nn-Meter) hello backend !\n");
    }
    nnm_builder_free(builder);
    return code;
}

const cli_command command_connect = {
    .name = "connect",
    .summary = "Run a small kernel on a backend, to see that it works",
    .run = run_connect,
    .values_size = sizeof(connect_values),
    OPTIONS(connect_options),
    .usage = "--workspace DIR [--backend NAME] [--json]",
    .details = "Prints \"(nn-Meter) hello backend !\" when the backend really ran something.\n",
    .example = "  nn-meter connect --workspace ws --backend xnnpack_cpu\n",
};

/* ---- lists ---- */

static json_t *kernel_json(const nnm_kernel *kernel)
{
    json_t *parameters = json_array();
    for (size_t i = 0; i < nnm_kernel_param_count(kernel); i++) {
        int64_t minimum = 0, maximum = 0;
        nnm_kernel_param_range(kernel, i, &minimum, &maximum);
        output_append(&parameters, json_pack("{s:s, s:I, s:I}", "name", nnm_kernel_param_name(kernel, i), "minimum",
                                             (json_int_t)minimum, "maximum", (json_int_t)maximum));
    }
    return json_pack("{s:s, s:s, s:b, s:I, s:o}", "name", nnm_kernel_name(kernel), "family", nnm_kernel_family(kernel),
                     "customized", nnm_kernel_is_customized(kernel), "default_samples",
                     (json_int_t)nnm_kernel_default_samples(kernel), "parameters", parameters);
}

/* A customised kernel that cannot be loaded is listed with the reason. */
static json_t *kernels_json(nnm_registry *registry)
{
    json_t *kernels = json_array();
    for (size_t i = 0; i < nnm_registry_kernel_count(registry); i++) {
        const nnm_kernel *kernel = NULL;
        const char *name = nnm_registry_kernel_name(registry, i);
        nnm_error err = NNM_ERROR_INIT;
        nnm_status status = nnm_registry_find_kernel(registry, name, &kernel, &err);
        output_append(&kernels, status == NNM_OK ? kernel_json(kernel)
                                                 : json_pack("{s:s, s:b, s:o}", "name", name, "customized", 1,
                                                             "problem", output_text(err.message)));
    }
    return json_pack("{s:o}", "kernels", kernels);
}

int list_kernels(const cli_command *self, bool json)
{
    nnm_registry *registry = NULL;
    int code = open_registry(self, &registry);
    if (code) return code;
    if (json) return output_json(kernels_json(registry));
    printf("(nn-Meter) Supported kernels: ('*' indicates customized kernels)\n");
    for (size_t i = 0; i < nnm_registry_kernel_count(registry); i++)
        printf("(nn-Meter) [Kernel] %s%s\n", i < nnm_kernel_count() ? "" : "* ", nnm_registry_kernel_name(registry, i));
    return EXIT_DONE;
}

/* What an available backend cannot do: kernel types and layouts it refuses, with its reasons. */
static json_t *refusals_json(const nnm_backend *backend)
{
    static const char *const layouts[] = {"NCHW", "NHWC"}; /* in the order of nnm_layout */
    json_t *refusals = json_array();
    for (size_t i = 0; i < nnm_kernel_count(); i++) {
        for (int layout = NNM_LAYOUT_NCHW; layout <= NNM_LAYOUT_NHWC; layout++) {
            nnm_error err = NNM_ERROR_INIT;
            if (nnm_backend_supports_kernel(backend, nnm_kernel_at(i), (nnm_layout)layout, &err) == NNM_OK) continue;
            output_append(&refusals, json_pack("{s:s, s:s, s:o}", "kernel", nnm_kernel_name(nnm_kernel_at(i)), "layout",
                                               layouts[layout], "reason", output_text(err.message)));
        }
    }
    return refusals;
}

static json_t *formats_json(const nnm_backend *backend)
{
    json_t *formats = json_array();
    if (backend->reads_onnx) output_append(&formats, json_string("onnx"));
    if (backend->reads_tflite) output_append(&formats, json_string("tflite"));
    return formats;
}

static json_t *backend_json(const nnm_backend *backend, const nnm_backend_info *info)
{
    static const char *const devices[] = {"local", "remote", "simulated"}; /* in the order of nnm_device_kind */
    return json_pack("{s:s, s:o, s:s, s:o, s:b, s:b, s:o, s:o}", "name", backend->name, "description",
                     output_text(backend->description), "device", devices[backend->device], "reads",
                     formats_json(backend), "customized", 0, "available", info->available, "version",
                     output_text(info->available ? info->version : NULL), "why_not",
                     output_text(info->available ? NULL : info->why_not));
}

json_t *backends_json(void)
{
    json_t *backends = json_array();
    for (size_t i = 0; i < nnm_backend_count(); i++) {
        nnm_backend_info info;
        nnm_backend_probe(nnm_backend_at(i), NULL, &info);
        output_append(&backends, backend_json(nnm_backend_at(i), &info));
    }
    return backends;
}

int list_backends(bool json)
{
    if (json) {
        json_t *backends = backends_json();
        for (size_t i = 0; backends && i < json_array_size(backends); i++)
            if (json_is_true(json_object_get(json_array_get(backends, i), "available")))
                json_object_set_new(json_array_get(backends, i), "cannot", refusals_json(nnm_backend_at(i)));
        return output_json(json_pack("{s:o}", "backends", backends));
    }
    printf("(nn-Meter) Supported backends: ('*' indicates customized backends)\n");
    for (size_t i = 0; i < nnm_backend_count(); i++)
        printf("(nn-Meter) [Backend] %s\n", nnm_backend_at(i)->name);
    return EXIT_DONE;
}
