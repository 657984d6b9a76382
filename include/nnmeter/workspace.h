/*
 * Workspaces: the folder in which configurations, model files, measurements and predictors of one device live.
 *
 *     DIR/configs/{backend_config,predictorbuild_config}.yaml
 *     DIR/predictor_build/kernels/<kernel>_<mark>_<ID>.onnx
 *     DIR/predictor_build/results/<kernel>_<mark>.json, profiled_<kernel>.json
 *     DIR/predictor_build/results/collection/{Data,TestResult}_<kernel>_<mark>.csv
 *     DIR/predictor_build/results/predictors/<kernel>_<mark>.nnm
 *     DIR/predictor_build/results/{generate,convert,profile}_error.log
 *     DIR/journal.sqlite
 */
#ifndef NNMETER_WORKSPACE_H
#define NNMETER_WORKSPACE_H

#include "nnmeter/config.h"
#include "nnmeter/kernel.h"
#include "nnmeter/registry.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Creates folders and the two configuration files with their defaults for `backend`. Parents of `path` are created.
 * Errors: EXISTS (a workspace is already there: nothing is touched), NOT_FOUND (backend), IO, NO_SPACE. */
NNM_NODISCARD NNM_API nnm_status nnm_workspace_create(const char *path, const char *backend, nnm_error *err);

/* An opened workspace: its paths and configuration. */
typedef struct nnm_workspace nnm_workspace;

/* Opens the workspace at `path` and reads both files. KERNELS may have entries for what `registry` knows, which must
 * outlive the workspace; NULL: for built-in kernels. Errors: NOT_FOUND (no folder; no workspace in it; the message
 * tells how to make one), those of config.h. Freed by nnm_workspace_close. */
NNM_NODISCARD NNM_API nnm_status nnm_workspace_open(nnm_workspace **out, const char *path, nnm_registry *registry,
                                                    nnm_error *err);

/* Reads both files again after an edit. On failure the old configuration stays. */
NNM_NODISCARD NNM_API nnm_status nnm_workspace_reload(nnm_workspace *workspace, nnm_error *err);
NNM_API void nnm_workspace_close(nnm_workspace *workspace); /* NULL is allowed */

NNM_API nnm_registry *nnm_workspace_registry(const nnm_workspace *workspace); /* as it was given */
/* Valid until the workspace is reloaded or closed. */
NNM_API const char *nnm_workspace_path(const nnm_workspace *workspace); /* absolute */
NNM_API const nnm_predictorbuild_config *nnm_workspace_predictorbuild(const nnm_workspace *workspace);
NNM_API const nnm_backend_config *nnm_workspace_backend(const nnm_workspace *workspace);
/* The KERNELS entry of a kernel type, or NULL. */
NNM_API const nnm_kernel_build *nnm_workspace_kernel(const nnm_workspace *workspace, const char *kernel_type);

#ifdef __cplusplus
}
#endif

#endif
