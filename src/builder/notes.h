/* What the builder notes in the journal beside measurements: the run they belong to, and what files hold. */
#ifndef NNM_BUILDER_NOTES_H
#define NNM_BUILDER_NOTES_H

#include "builder/builder.h"
#include "store/journal.h"

/* What this workspace measures now; valid until its configuration is read again. */
nnm_journal_source nnm_builder_source(const nnm_builder *builder);

NNM_NODISCARD nnm_status nnm_builder_open_journal(const nnm_builder *builder, nnm_journal **out, nnm_error *err);

/* Fails where there is no journal, rather than to make an empty one. Errors: NOT_FOUND. */
NNM_NODISCARD nnm_status nnm_builder_find_journal(const nnm_builder *builder, nnm_error *err);

/* Sets a record's latency from its rounds, those of pass 0; none when there are none. Rounded as the latency file holds
 * it, so that fitting from memory and from the file is the same. */
void nnm_builder_set_latency(nnm_kernel_record *record, const nnm_round *rounds, size_t count);

/* Lets the caller's wish to stop end a round that is being measured. */
void nnm_builder_make_interruptible(const nnm_builder *builder, nnm_worker *worker);

/* With NODE_TIMES: asks the backend once where the time of a kernel goes, and notes it. A backend that cannot tell is a
 * warning. Errors: those of the journal; INTERRUPTED. */
NNM_NODISCARD nnm_status nnm_builder_keep_node_times(const nnm_builder *builder, nnm_worker *worker,
                                                     nnm_journal *journal, int64_t run_id, const nnm_kernel *kernel,
                                                     const nnm_kernel_record *record, nnm_error *err);

/* Begins a run with all that its measurements depend on. */
NNM_NODISCARD nnm_status nnm_builder_begin_run(const nnm_builder *builder, nnm_journal *journal,
                                               const char *runtime_version, int64_t *run_id, nnm_error *err);

/* Notes what a file of results/ holds. To be called before the file is written. */
NNM_NODISCARD nnm_status nnm_builder_note_file(const nnm_builder *builder, nnm_journal_table table, const char *mark,
                                               const nnm_kernel_data *data, nnm_error *err);

/* The same for a configuration file that was written; nothing when it is not one of this workspace's. */
NNM_NODISCARD nnm_status nnm_builder_note_saved(const nnm_builder *builder, const char *path,
                                                const nnm_kernel_data *data, nnm_error *err);

#endif
