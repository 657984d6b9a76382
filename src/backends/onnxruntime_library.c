#include "backends/onnxruntime_library.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

/* The oldest that the ONNX files we write, of IR version 8, have been run with. */
#define MINIMUM_MINOR 10

/* Names without a slash are looked up by the system's loader. The build says where the others are. */
static const char *const places[] = {
    "libonnxruntime.so.1",
    "libonnxruntime.so",
    NNM_ONNXRUNTIME_INSTALLED,
    NNM_ONNXRUNTIME_FETCHED,
};
#define PLACE_COUNT (sizeof places / sizeof *places)

static bool is_new_enough(const char *version)
{
    unsigned major = 0, minor = 0;
    if (sscanf(version, "%u.%u", &major, &minor) != 2) return false;
    return major > 1 || (major == 1 && minor >= MINIMUM_MINOR);
}

/* The function by that name; what POSIX promises of dlsym, C does not know how to say. */
static const nnm_ort_api_base *get_base(void *handle)
{
    const nnm_ort_api_base *(*function)(void) = NULL;
    void *symbol = dlsym(handle, "OrtGetApiBase");
    _Static_assert(sizeof function == sizeof symbol, "functions and objects have addresses of one size");
    memcpy(&function, &symbol, sizeof function);
    return function ? function() : NULL;
}

static nnm_status take_table(nnm_ort_library *library, const char *path, nnm_error *err)
{
    const nnm_ort_api_base *base = get_base(library->handle);
    if (!base) return nnm_fail(err, NNM_ERR_UNSUPPORTED, "'%s' is not ONNX Runtime: it has no OrtGetApiBase", path);
    const char *version = base->get_version();
    if (!version) version = "unknown";
    if (!is_new_enough(version))
        return nnm_fail(err, NNM_ERR_VERSION,
                        "'%s' is ONNX Runtime %.40s; 1.%d or newer is needed for ONNX files of IR version 8", path,
                        version, MINIMUM_MINOR);
    library->api = base->get_api(MINIMUM_MINOR);
    if (!library->api)
        return nnm_fail(err, NNM_ERR_VERSION, "'%s' (ONNX Runtime %.40s) does not offer version %d of its interface",
                        path, version, MINIMUM_MINOR);
    snprintf(library->version, sizeof library->version, "%s", version);
    return NNM_OK;
}

static nnm_status load(nnm_ort_library *out, const char *path, nnm_error *err)
{
    nnm_ort_library library = {.handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE)};
    if (!library.handle) {
        const char *why = dlerror();
        return nnm_fail(err, NNM_ERR_UNSUPPORTED, "cannot load ONNX Runtime: %s", why ? why : path);
    }
    nnm_status status = take_table(&library, path, err);
    if (status)
        nnm_ort_library_close(&library);
    else
        *out = library;
    return status;
}

static nnm_status search(nnm_ort_library *out, nnm_error *err)
{
    nnm_error found = NNM_ERROR_INIT; /* something was there, but it cannot be used */
    for (size_t i = 0; i < PLACE_COUNT; i++) {
        nnm_error why = NNM_ERROR_INIT;
        if (strchr(places[i], '/') && access(places[i], F_OK) != 0) continue;
        nnm_status status = load(out, places[i], &why);
        if (status == NNM_OK) return NNM_OK;
        bool absent = status == NNM_ERR_UNSUPPORTED && !strchr(places[i], '/') &&
                      strstr(why.message, "No such file or directory");
        if (!absent && found.code == NNM_OK) found = why;
    }
    if (found.code) return nnm_fail(err, found.code, "%s", found.message);
    return nnm_fail(err, NNM_ERR_NOT_FOUND,
                    "there is no libonnxruntime.so.1; scripts/setup.sh fetches it, and LIBRARY_PATH in "
                    "backend_config.yaml can name one");
}

nnm_status nnm_ort_library_open(nnm_ort_library *out, const char *path, nnm_error *err)
{
    if (!path) return search(out, err);
    if (strchr(path, '/') && access(path, F_OK) != 0)
        return nnm_fail_errno(err, "cannot load ONNX Runtime from '%s'", path);
    return load(out, path, err);
}

void nnm_ort_library_close(nnm_ort_library *library)
{
    if (library->handle) (void)dlclose(library->handle);
    *library = (nnm_ort_library){0};
}

nnm_status nnm_ort_check(const nnm_ort_api *api, nnm_ort_status *status, const char *doing, nnm_error *err)
{
    if (!status) return NNM_OK;
    (void)nnm_fail(err, NNM_ERR_BACKEND, "ONNX Runtime cannot %s: %s", doing, api->get_error_message(status));
    api->release_status(status);
    return NNM_ERR_BACKEND;
}
