/* What the files of this room share: the builder itself, and how it talks to its caller. */
#ifndef NNM_BUILDER_BUILDER_H
#define NNM_BUILDER_BUILDER_H

#include "builder/locks.h"
#include "nnmeter/builder.h"

struct nnm_builder {
    nnm_workspace *workspace;
    nnm_hooks hooks; /* zeroed where the caller gave none */
    nnm_effort effort;
    bool testing; /* a test set is being measured */
    nnm_builder_locks locks;
    uint64_t deadline_ns; /* when measuring ends by itself; 0: never */
};

/* Finds a kernel type by name, customised ones too. Errors: as nnm_registry_find_kernel. */
NNM_NODISCARD nnm_status nnm_builder_kernel(const nnm_builder *builder, const char *kernel_type, const nnm_kernel **out,
                                            nnm_error *err);

/* Hands one line to the caller's log; `builder` may be NULL. */
void nnm_builder_log(const nnm_builder *builder, nnm_log_level level, const char *format, ...) NNM_PRINTF(3, 4);

/* Whether the caller asked to stop. */
bool nnm_builder_is_asked_to_stop(const nnm_builder *builder);
/* NNM_ERR_INTERRUPTED when the caller asked to stop, or the deadline is over. */
NNM_NODISCARD nnm_status nnm_builder_check_interrupted(const nnm_builder *builder, nnm_error *err);

/* Appends "<id>: <configuration>: <code>: <message>" to results/<step>_error.log. */
NNM_NODISCARD nnm_status nnm_builder_log_failure(const nnm_builder *builder, const char *step, const nnm_kernel *kernel,
                                                 const nnm_kernel_record *record, const nnm_error *failure,
                                                 nnm_error *err);

/* Finds a backend and makes sure that it is here. Errors: NOT_FOUND, UNSUPPORTED with the reason. */
NNM_NODISCARD nnm_status nnm_builder_backend(const nnm_builder *builder, const char *name, const nnm_backend **out,
                                             nnm_backend_info *info, nnm_error *err);

/* Before something is measured: takes this machine's profiling lock where models run on it, and tells the caller's log
 * of a device that is simulated. Errors: BUSY, ... */
NNM_NODISCARD nnm_status nnm_builder_take_device(nnm_builder *builder, const nnm_backend *backend, const char *purpose,
                                                 nnm_error *err);

/* How the workspace wants sessions; valid until its configuration is read again. */
nnm_session_options nnm_builder_session_options(const nnm_builder *builder);

/* How the workspace wants kernels measured, with the effort that the caller asked for; test sets in twice the rounds.
 */
nnm_protocol nnm_builder_protocol(const nnm_builder *builder);

/* Options from which a kernel's graph is built in this workspace. */
nnm_graph_options nnm_builder_graph_options(const nnm_builder *builder, const char *id);

/* The user's own table of the kernel's family where PRIOR_DIR has one, else the built-in one. */
NNM_NODISCARD nnm_status nnm_builder_open_prior(const nnm_builder *builder, const nnm_kernel *kernel, nnm_prior **out,
                                                nnm_error *err);

/* Reads results/<kernel>_<mark>.json; empty data where there is no such file. */
NNM_NODISCARD nnm_status nnm_builder_load_configs(const nnm_builder *builder, const nnm_kernel *kernel,
                                                  const char *mark, nnm_kernel_data **out, nnm_error *err);

/* Adds every configuration that the workspace's files have for a kernel type, under any mark. */
NNM_NODISCARD nnm_status nnm_builder_list_known(const nnm_builder *builder, const nnm_kernel *kernel,
                                                nnm_config_list *out, nnm_error *err);

/* Draws configurations until results/<kernel>_<mark>.json holds `total` of them (fine-grained: `total` around each, or
 * those given, but only if the file has none), writes that file first and
 * then every model file that is missing, so that a call that died is completed by the next. */
NNM_NODISCARD nnm_status nnm_builder_generate(nnm_builder *builder, const nnm_kernel *kernel, size_t total,
                                              const nnm_sample_options *options, nnm_kernel_data **out, nnm_error *err);

/* nnm_profile_models with or without the separate pass that tells how well latencies repeat. */
NNM_NODISCARD nnm_status nnm_builder_profile(nnm_builder *builder, const char *backend, nnm_kernel_data *models,
                                             bool repeat, nnm_profile_summary *summary, nnm_error *err);

/* A file name made of anything but letters, digits, '.', '_' and '-' is refused (VALUE). */
NNM_NODISCARD nnm_status nnm_builder_check_mark(const char *mark, nnm_error *err);

/* What a record's rounds are filed under in the journal: its configuration, and its batch size where that is not 1. */
void nnm_builder_describe(const nnm_kernel *kernel, const nnm_kernel_record *record, char *text, size_t size);

/* Refuses data whose model files are of another batch size than the workspace's BATCH_SIZE. Errors: VALUE. */
NNM_NODISCARD nnm_status nnm_builder_check_batch(const nnm_builder *builder, const nnm_kernel_data *data,
                                                 nnm_error *err);

/* Writes the model file of a record. */
NNM_NODISCARD nnm_status nnm_builder_write_model(const nnm_builder *builder, const nnm_kernel *kernel,
                                                 const nnm_kernel_record *record, nnm_error *err);

/* Writes the model of a record that has a configuration but none (data written by hand). It is written anew although it
 * may be there: another file may have had this id for another configuration. On failure the record has none still. */
NNM_NODISCARD nnm_status nnm_builder_give_model(const nnm_builder *builder, const nnm_kernel *kernel,
                                                nnm_kernel_record *record, nnm_error *err);

/* Whether a failure to write a model is the fault of its configuration; a disk or a folder would fail for them all. */
bool nnm_builder_is_kernels_fault(nnm_status status);

/* Gives every record that has a configuration but no model file, or whose model lies in another folder because the
 * workspace was moved, one in this workspace. A configuration that makes no model is left without one, and
 * nnm_builder_check_model tells why. Errors: those of the disk; INTERRUPTED. */
NNM_NODISCARD nnm_status nnm_builder_find_models(const nnm_builder *builder, nnm_kernel_data *data, nnm_error *err);

/* Adds the copies of every configuration of `data` to `list`. */
NNM_NODISCARD nnm_status nnm_builder_list_configs(nnm_config_list *list, const nnm_kernel_data *data, nnm_error *err);

#endif
