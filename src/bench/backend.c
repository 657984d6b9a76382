#include "nnmeter/backend.h"

#include "base/error.h"

/* The member that a table of its sort lacks, or NULL. */
static const char *missing_member(const nnm_backend *backend)
{
    if (!backend->name) return "name";
    if (!backend->description) return "description";
    if (!backend->probe) return "probe";
    if (!backend->supports) return "supports";
    if (!backend->reads_onnx && !backend->reads_tflite) return "reads_onnx or reads_tflite";
    if (backend->setting_count && !backend->settings) return "settings";
    if (backend->measure) return NULL;
    if (backend->device != NNM_DEVICE_LOCAL) return "measure, without which nothing can be timed on another device";
    if (!backend->open) return "open (or measure)";
    if (!backend->run) return "run (or measure)";
    return backend->close ? NULL : "close (or measure)";
}

nnm_status nnm_backend_check(const nnm_backend *backend, nnm_error *err)
{
    const char *name = backend->name ? backend->name : "?";
    if (backend->abi != NNM_BACKEND_ABI)
        return nnm_fail(err, NNM_ERR_VERSION,
                        "backend '%s' was built for interface %u, this library has %d: it must be built anew with this "
                        "library's nnmeter/backend.h",
                        name, (unsigned)backend->abi, NNM_BACKEND_ABI);
    const char *missing = missing_member(backend);
    if (missing) return nnm_fail(err, NNM_ERR_VALUE, "the table of backend '%s' has no %s", name, missing);
    if (backend->setting_count > NNM_MAX_SETTINGS)
        return nnm_fail(err, NNM_ERR_VALUE, "the table of backend '%s' has %zu settings, at most %d are allowed", name,
                        backend->setting_count, NNM_MAX_SETTINGS);
    return NNM_OK;
}

void nnm_backend_probe(const nnm_backend *backend, const nnm_session_options *options, nnm_backend_info *info)
{
    static const nnm_session_options usual = {.threads = 1};
    *info = (nnm_backend_info){0};
    backend->probe(backend, options ? options : &usual, info);
}

const char *nnm_backend_setting(const nnm_backend *backend, const nnm_session_options *options, size_t index)
{
    return options && options->settings ? options->settings[index] : backend->settings[index].initial;
}
