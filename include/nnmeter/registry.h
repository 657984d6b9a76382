/*
 * The registry of customised kernels: one YAML file a user, which names the packages that plugin.h describes.
 *
 *     nnm_registry *registry = NULL;
 *     nnm_registry_open(&registry, "/home/me/.nn_meter/config/registry.yaml", &err);
 *     nnm_registry_register_kernel(registry, "my-kernel/meta.yaml", name, &err);
 *     nnm_builder_config_init(&builder, "path/to/workspace", registry, NULL, &err);
 *
 * Calls that look a kernel type up by name take a registry; NULL knows the built-in kernels only. What a package holds
 * runs in a process of its own, with limits of time and memory: code that crashes or hangs is an error of the call that
 * needed it.
 *
 * Thread-safety: a registry and the kernels it found belong to one thread at a time.
 */
#ifndef NNMETER_REGISTRY_H
#define NNMETER_REGISTRY_H

#include "nnmeter/config.h"
#include "nnmeter/kernel.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nnm_registry nnm_registry;

/* Reads a registry file. One that is not there is empty: it is made by the first registration. `path` is copied.
 * Errors: PARSE, VALUE (file, line and key), IO, NO_MEMORY. Ended by nnm_registry_close. */
NNM_NODISCARD NNM_API nnm_status nnm_registry_open(nnm_registry **out, const char *path, nnm_error *err);

/* Ends the registry and every customised kernel that it found. NULL is allowed. */
NNM_API void nnm_registry_close(nnm_registry *registry);

/* What one answer of customised code may take; 60 s and 4096 MiB unless set. A limit of 0 MiB is none. */
NNM_API void nnm_registry_set_limits(nnm_registry *registry, double seconds, unsigned memory_mib);

/* ---- kernels ---- */

/* The names of all kernel types, built-in ones first, in the order that --list-kernels prints. Loads no code. */
NNM_API size_t nnm_registry_kernel_count(const nnm_registry *registry);
NNM_API const char *nnm_registry_kernel_name(const nnm_registry *registry, size_t index);

/* Finds a kernel type by name, and loads it where it is customised. `*out` stays valid until the registry is closed or
 * a kernel is registered or unregistered. Errors: NOT_FOUND (no such name: the closest is suggested; the package has
 * vanished: the message tells how to unregister it), VERSION, VALUE, UNSUPPORTED, CRASHED, TIMEOUT. */
NNM_NODISCARD NNM_API nnm_status nnm_registry_find_kernel(nnm_registry *registry, const char *name,
                                                          const nnm_kernel **out, nnm_error *err);

/* Loads the package that a meta file describes, tries all of it (both samplers, a graph and a model file for a few
 * configurations, features forth and back), and adds it to the file. `name` receives its builtin_name.
 * Errors: as nnm_registry_find_kernel; NOT_FOUND (a file, folder, module or symbol), EXISTS (the name is taken), PARSE
 * and VALUE (the meta file; something that the kernel does wrong), IO, NO_SPACE. The file is then as before. */
NNM_NODISCARD NNM_API nnm_status nnm_registry_register_kernel(nnm_registry *registry, const char *meta_path,
                                                              char name[NNM_KERNEL_NAME_BYTES], nnm_error *err);

/* Takes a customised kernel out of the file; its package stays where it is. Errors: NOT_FOUND (with the closest name),
 * INVALID_ARGUMENT (built in), IO, NO_SPACE. */
NNM_NODISCARD NNM_API nnm_status nnm_registry_unregister_kernel(nnm_registry *registry, const char *name,
                                                                nnm_error *err);

#ifdef __cplusplus
}
#endif

#endif
