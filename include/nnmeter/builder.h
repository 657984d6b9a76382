/*
 * Building kernel latency predictors: the steps of the description, and the whole.
 *
 *     nnm_builder *builder = NULL;
 *     nnm_builder_config_init(&builder, "path/to/workspace", NULL, NULL, &err);
 *     nnm_build_options options = NNM_BUILD_OPTIONS_INIT;
 *     nnm_build_result result = {0};
 *     nnm_build_predictor_for_kernel(builder, "conv-bn-relu", "xnnpack_cpu", &options, &result, &err);
 *     ...
 *     nnm_build_result_fini(&result);
 *     nnm_builder_free(builder);
 *
 * Thread-safety: a builder belongs to one thread at a time. Calls that profile take the machine-wide profiling lock
 * (measure.h) while they measure, and calls that write take the workspace's own lock: NNM_ERR_BUSY names the holder.
 */
#ifndef NNMETER_BUILDER_H
#define NNMETER_BUILDER_H

#include <stdio.h>

#include "nnmeter/backend.h"
#include "nnmeter/config.h"
#include "nnmeter/hooks.h"
#include "nnmeter/kernel_data.h"
#include "nnmeter/predictor.h"
#include "nnmeter/sampler.h"
#include "nnmeter/workspace.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the builder configuration: an opened workspace and the caller's hooks ---- */

typedef struct nnm_builder nnm_builder;

/* Opens a workspace for building. Kernel types are looked up in `registry` (NULL: built-in ones only). It and `hooks`,
 * which may be NULL too, must outlive the builder and what it gave. Errors: as nnm_workspace_open. */
NNM_NODISCARD NNM_API nnm_status nnm_builder_config_init(nnm_builder **out, const char *workspace_path,
                                                         nnm_registry *registry, const nnm_hooks *hooks,
                                                         nnm_error *err);
/* Reads the configuration files again; on failure the old configuration stays. */
NNM_NODISCARD NNM_API nnm_status nnm_builder_config_reload(nnm_builder *builder, nnm_error *err);
NNM_API void nnm_builder_free(nnm_builder *builder); /* NULL is allowed */
NNM_API const nnm_workspace *nnm_builder_workspace(const nnm_builder *builder);

/* How much time measuring may take, from now on: as backend_config.yaml has it, or less, or more (measure.h,
 * nnm_protocol_quick and nnm_protocol_thorough). */
typedef enum nnm_effort {
    NNM_EFFORT_CONFIGURED = 0,
    NNM_EFFORT_QUICK,
    NNM_EFFORT_THOROUGH
} nnm_effort;
NNM_API void nnm_builder_set_effort(nnm_builder *builder, nnm_effort effort);

/* Runs a small kernel on the backend, in a worker, with the workspace's settings; `latency_ms` may be NULL.
 * Errors: NOT_FOUND (backend), UNSUPPORTED (not available, with the reason), BACKEND, CRASHED, TIMEOUT, BUSY. */
NNM_NODISCARD NNM_API nnm_status nnm_connect_backend(nnm_builder *builder, const char *backend, double *latency_ms,
                                                     nnm_error *err);

/* ---- the steps ---- */

typedef struct nnm_sample_options {
    const char *mark;               /* names the files: letters, digits, '.', '_' and '-'; NULL: the mode's name */
    nnm_sampling_mode mode;         /* NNM_SAMPLING_PRIOR */
    const nnm_config_list *configs; /* around which fine-grained sampling samples; those given; NULL with the prior */
    const nnm_config_list *exclude; /* never drawn; may be NULL */
    uint64_t seed;
    size_t *failed; /* where to put how many configurations make no model file; may be NULL */
} nnm_sample_options;
#define NNM_SAMPLE_OPTIONS_INIT                       \
    {                                                 \
        NULL, NNM_SAMPLING_PRIOR, NULL, NULL, 0, NULL \
    }

/* Draws `num` configurations (fine-grained: `num` around each), writes a model file for each and
 * results/<kernel>_<mark>.json. If that file already has kernels, new ones are added and none is drawn again. `out`
 * holds what the file holds and is the caller's. A configuration whose model cannot be written gets a line in
 * generate_error.log and is left out. Errors: that of the first when none makes a model. */
NNM_NODISCARD NNM_API nnm_status nnm_generate_config_sample(nnm_builder *builder, const char *kernel_type, size_t num,
                                                            const nnm_sample_options *options, nnm_kernel_data **out,
                                                            nnm_error *err);

/* Checks that every model is what its configuration says and that the backend can run it, and sets converted_model to
 * the file the backend loads; failures go to convert_error.log. `save_path`: configuration file to write the result to;
 * NULL: none. Errors: PARTIAL never; BACKEND when every model failed, which `failed` then counts too. */
NNM_NODISCARD NNM_API nnm_status nnm_convert_models(nnm_builder *builder, const char *backend, nnm_kernel_data *models,
                                                    const char *save_path, size_t *failed, nnm_error *err);

typedef struct nnm_profile_summary {
    size_t requested; /* kernels given */
    size_t known;     /* of these, already measured: taken from the journal */
    size_t profiled;  /* measured now */
    size_t failed;    /* lines added to profile_error.log */
    double elapsed_s;
    double measured_s;      /* of that, in measured calls and in opening sessions */
    double waited_s;        /* of that, waiting for quiet windows */
    double quiet_share;     /* samples that passed the gate */
    size_t noisy;           /* kernels whose standard error stayed over the target */
    size_t repeated;        /* kernels measured again in a separate pass at the end */
    double agree5, agree10; /* share of these whose two passes agree within 5 / 10 % */
} nnm_profile_summary;

/* Measures every kernel of `models` that the journal does not know yet for this backend, and fills in latencies. A
 * model that is not what its configuration says is not measured, and counts as failed. Then one in twenty, at least 20,
 * is measured once more, in a pass that only tells how well latencies repeat. results/profiled_<kernel>.json is brought
 * up to date, also when the call is interrupted. Every round is in the journal before the next begins. `summary` may be
 * NULL; it is filled in also for INTERRUPTED and BACKEND. Errors: INTERRUPTED, BUSY, NO_SPACE, BACKEND (everything
 * failed: the first reason is given). */
NNM_NODISCARD NNM_API nnm_status nnm_profile_models(nnm_builder *builder, const char *backend, nnm_kernel_data *models,
                                                    nnm_profile_summary *summary, nnm_error *err);

/* generate_config_sample, convert_models and profile_models in one. */
NNM_NODISCARD NNM_API nnm_status nnm_sample_and_profile_kernel_data(nnm_builder *builder, const char *kernel_type,
                                                                    size_t num, const char *backend,
                                                                    const nnm_sample_options *options,
                                                                    nnm_kernel_data **out, nnm_profile_summary *summary,
                                                                    nnm_error *err);

/* ---- fitting ---- */

typedef struct nnm_fit_options {
    double error_threshold; /* relative error above which a test row is a large-error configuration, 0.1..1 */
    double test_size;       /* share of rows kept for the test, 0..0.9; 0: train on every row */
    uint64_t seed;          /* of the split and the forest */
    unsigned threads;       /* 0: one a CPU */
    nnm_model_kind model;
    const char *mark;       /* with a builder: names the files to write; NULL: write none */
    const nnm_hooks *hooks; /* hears how far fitting is and may ask it to stop; NULL: nobody does */
} nnm_fit_options;
#define NNM_FIT_OPTIONS_INIT                        \
    {                                               \
        0.1, 0.2, 10, 0, NNM_MODEL_BEST, NULL, NULL \
    }

/* Rows of a table that were left out because they cannot be used. */
typedef struct nnm_skipped_rows {
    size_t count;
    char first[NNM_ERROR_MESSAGE_BYTES]; /* why the first of them was: file, line, column and what was found; "" without
                                            one */
} nnm_skipped_rows;

/* Rows of a table that lie far outside of what the predictor was trained on (nnm_prediction.extrapolated). */
typedef struct nnm_extrapolated_rows {
    size_t count;
    char first[NNM_ERROR_MESSAGE_BYTES]; /* file, line, feature, its value and range; "" without one */
} nnm_extrapolated_rows;

typedef struct nnm_fit_result {
    nnm_predictor *predictor;
    nnm_training_summary summary;
    size_t duplicates;             /* rows dropped before the split because their configuration was there already */
    nnm_skipped_rows skipped;      /* bad rows of a table */
    nnm_agreement labels;          /* how far labels that were measured twice agree */
    nnm_config_list error_configs; /* test rows with a relative error above the threshold */
} nnm_fit_result;
NNM_API void nnm_fit_result_fini(nnm_fit_result *result);

/* How far the labels of these kernels agree that `profile` measured again in a separate pass, according to the
 * workspace's journal. Without a journal there are no pairs. Errors: those of the journal. */
NNM_NODISCARD NNM_API nnm_status nnm_check_labels(const nnm_builder *builder, const nnm_kernel_data *data,
                                                  nnm_agreement *out, nnm_error *err);

/* Drops duplicate configurations, splits the rest, fits the forest the description prescribes for the kernel type, and
 * tests it. With a builder and a mark it writes collection/Data_…csv, collection/TestResult_…csv and
 * predictors/….nnm. `builder` may be NULL.
 * Errors: TOO_FEW_ROWS, VALUE, those of the learner and of writing. */
NNM_NODISCARD NNM_API nnm_status nnm_build_predictor_by_data(nnm_builder *builder, const nnm_kernel_data *data,
                                                             const nnm_fit_options *options, nnm_fit_result *out,
                                                             nnm_error *err);

/* ---- the loop ---- */

/* The mark of test sets, and what marks that a caller gave begin with there: "testset_<mark>". */
#define NNM_TEST_SET_MARK "testset"

typedef struct nnm_build_options {
    size_t init_sample_num;        /* the description's experiment: 1000 */
    size_t finegrained_sample_num; /* 10 */
    size_t iteration;              /* 5; 1: no adaptive sampling */
    double error_threshold;        /* 0.1 */
    const char *mark;              /* appended to the documented marks; NULL or "": none */
    uint64_t seed;
    unsigned threads;
    nnm_model_kind model;
    nnm_sampler sampler;
    int test_sample_num; /* configurations set apart as the test set; NNM_TEST_SAMPLES_AUTO: a fifth of init_sample_num,
                            but at least 20 and at most 200; 0: none */
    nnm_budget budget;   /* what is measured in all, by this call and by those it continues */
    nnm_target until;    /* by cross-validation; figure NNM_TARGET_NONE: none */
} nnm_build_options;
#define NNM_BUILD_OPTIONS_INIT                                                                                \
    {                                                                                                         \
        1000, 10, 5, 0.1, NULL, 0, 0, NNM_MODEL_BEST, NNM_SAMPLER_FINEGRAINED, NNM_TEST_SAMPLES_AUTO, {0, 0}, \
        {                                                                                                     \
            NNM_TARGET_NONE, 0                                                                                \
        }                                                                                                     \
    }

typedef struct nnm_build_result {
    /* Of the last iteration. Summary, labels and error_configs are those of the description's 8:2 split. The predictor
     * is the one that was written: where there is a test set, it is fitted to all rows of `data`. */
    nnm_fit_result fit;
    nnm_kernel_data *data;       /* everything sampled and profiled but the test set */
    nnm_kernel_data *test_set;   /* drawn before anything else, never learned from; NULL: none */
    nnm_metrics honest;          /* of fit.predictor on the test set; rows 0: there is none */
    nnm_agreement labels;        /* how far labels repeat, those of the test set included */
    nnm_metrics estimate;        /* cross-validated, by which the build decided; rows 0: it had nothing to decide */
    nnm_profile_summary profile; /* summed over the iterations, the test set included */
    size_t iterations;           /* done */
    char ended[160];             /* why no further kernels were sampled */
    char predictor_path[4096];   /* the file that holds fit.predictor */
} nnm_build_result;
NNM_API void nnm_build_result_fini(nnm_build_result *result);

/* Samples from the prior, profiles, fits: mark "prior". Sets no test set apart and knows no budget. */
NNM_NODISCARD NNM_API nnm_status nnm_build_initial_predictor_by_data(nnm_builder *builder, const char *kernel_type,
                                                                     const char *backend,
                                                                     const nnm_build_options *options,
                                                                     nnm_build_result *out, nnm_error *err);

/* One round of adaptive sampling on existing data: fits, samples around the configurations with large errors, profiles
 * them, merges, fits again: mark "finegrained". Sets no test set apart and knows no budget. Errors: also TOO_FEW_ROWS
 * when no row has a large error. */
NNM_NODISCARD NNM_API nnm_status nnm_build_adaptive_predictor_by_data(nnm_builder *builder, const nnm_kernel_data *data,
                                                                      const char *backend,
                                                                      const nnm_build_options *options,
                                                                      nnm_build_result *out, nnm_error *err);

/* The whole for one kernel type. First a test set is drawn from the prior and measured in twice the rounds of others:
 * mark "testset". Then come the first kernels and, `iteration` - 1 times, further ones: marks "prior", "finegrained1",
 * "finegrained2", ...; "prior", "prior1", ...; or "auto", "auto1", ..., by the sampler. With a budget the samplers
 * prior and auto go on until it is spent. It ends early when the target or, where the sampler is not finegrained or a
 * budget or target is given, the ceiling of the labels is reached (nnm_build_result.ended). Interrupted or killed, it
 * continues where it was when called again with the same arguments. Errors: VALUE (an option), those of the steps. */
NNM_NODISCARD NNM_API nnm_status nnm_build_predictor_for_kernel(nnm_builder *builder, const char *kernel_type,
                                                                const char *backend, const nnm_build_options *options,
                                                                nnm_build_result *out, nnm_error *err);

/* Called after each predictor: `kernel_type` is the one whose name it bears, that of nnm_kernel_predictor. Called for a
 * kernel type that failed, with NULL for a result; its error says why. */
typedef void (*nnm_build_report_fn)(void *context, const char *kernel_type, const nnm_build_result *result,
                                    const nnm_error *error);

/* What a call has in place of predictorbuild_config.yaml; NULL: what stands there. */
typedef struct nnm_build_all_options {
    const nnm_model_kind *model;
    const nnm_sampler *sampler;
    const int *test_sample_num;
    const nnm_budget *budget;
    const nnm_target *until;
    uint64_t seed;
    unsigned threads;
    nnm_build_report_fn report; /* may be NULL */
    void *context;
} nnm_build_all_options;

/* The whole for every kernel of predictorbuild_config.yaml, with its settings there. Kernel types that share a
 * predictor (nnm_kernel_predictor) are learned from together; their files keep their names. Without a budget one
 * predictor is finished after the other. With one, all get their first kernels, and the rest goes where most error
 * remains. One that fails does not stop the others. `options` may be NULL. Errors: PARTIAL when some failed, all
 * named. */
NNM_NODISCARD NNM_API nnm_status nnm_build_latency_predictor(nnm_builder *builder, const char *backend,
                                                             const nnm_build_all_options *options, nnm_error *err);

/* ---- files from the journal ---- */

/* Writes every file of results/ that follows from the journal again, whatever the old ones hold: <kernel>_<mark>.json
 * with what was sampled, profiled_<kernel>.json with the latencies of the workspace's backend and settings, and
 * collection/Data_<kernel>_<mark>.csv with what predictors were made of. Files of which the journal knows nothing are
 * left alone. `report` (may be NULL) is called for each file written, with the number of its kernels.
 * Errors: NOT_FOUND (no journal), BUSY, INTERRUPTED, those of the journal and of writing. */
typedef void (*nnm_rebuild_report_fn)(void *context, const char *path, size_t kernels);
NNM_NODISCARD NNM_API nnm_status nnm_rebuild_files(nnm_builder *builder, nnm_rebuild_report_fn report, void *context,
                                                   nnm_error *err);

/* ---- what backends can do ---- */

/* Asks a backend whether it can run kernels of this type in model files of this layout, by an example: the cheapest of
 * a few configurations from the built-in prior. Runs nothing. Errors: UNSUPPORTED with the reason; NO_MEMORY. */
NNM_NODISCARD NNM_API nnm_status nnm_backend_supports_kernel(const nnm_backend *backend, const nnm_kernel *kernel,
                                                             nnm_layout layout, nnm_error *err);

/* ---- predicting and evaluating from configurations and tables ---- */

/* Where a predictor or a table is of a customised kernel, `registry` is to know it, also that of the table's options;
 * with NULL, or one that does not, features have to stand in tables as they are. */

/* Predicts one configuration, "HW=56,CIN=64,...". Columns that the predictor was trained on beyond the kernel's
 * parameters must be given too. Errors: PARSE, VALUE, NOT_FOUND (a column the predictor needs), as in the message. */
NNM_NODISCARD NNM_API nnm_status nnm_predict_config(nnm_registry *registry, const nnm_predictor *predictor,
                                                    const char *config, nnm_prediction *out, nnm_error *err);

/* A CSV table from anywhere: columns named like the kernel's parameters (any case), the target column, further numeric
 * columns as features. BATCH, GROUPS, PAD and PADDING (same | valid) enter the cost of convolutions. Files are read a
 * few rows at a time; a pipe will do. */
typedef struct nnm_table_options {
    const char *target; /* column with the latencies, ms */
    bool skip_bad;      /* leave rows out whose latency is not > 0 or that have a cell that is no number; else they are
                           refused */
    nnm_fit_options fit;
    nnm_registry *registry; /* where the kernel type is looked up; NULL: among the built-in ones */
} nnm_table_options;
#define NNM_TABLE_OPTIONS_INIT                  \
    {                                           \
        NULL, false, NNM_FIT_OPTIONS_INIT, NULL \
    }

/* Trains on a CSV table. `out->error_configs` stays empty.
 * Errors: NOT_FOUND (file, kernel type or column, with the closest name), PARSE, VALUE (line, column and text of a bad
 * cell), TOO_FEW_ROWS, those of the learner. */
NNM_NODISCARD NNM_API nnm_status nnm_train_csv(const char *kernel_type, const char *csv_path,
                                               const nnm_table_options *options, nnm_fit_result *out, nnm_error *err);

/* ---- how good predictors of some data are ---- */

/* Mean and standard deviation of what several fits gave; `rows` of the mean are the rows tested by each, of the
 * deviation 0. */
typedef struct nnm_metrics_spread {
    nnm_metrics mean, deviation;
} nnm_metrics_spread;

/* K-fold cross-validation: every row is predicted once, by a predictor that was fitted to the other folds. Rows of
 * equal configuration count once, so none is on both sides. */
typedef struct nnm_cross_validation {
    size_t rows, duplicates; /* rows without duplicates; those that were left out */
    nnm_skipped_rows skipped;
    size_t folds;
    nnm_metrics *fold;         /* of each */
    nnm_metrics all;           /* of all rows together */
    nnm_metrics_spread spread; /* over the folds */
} nnm_cross_validation;
NNM_API void nnm_cross_validation_fini(nnm_cross_validation *result);

/* `folds`: 2..rows; `options`: those of nnm_train_csv and nnm_build_predictor_by_data, of which test_size and mark are
 * not used. Errors: as there; VALUE for a number of folds that is out of range. */
NNM_NODISCARD NNM_API nnm_status nnm_cross_validate_csv(const char *kernel_type, const char *csv_path,
                                                        const nnm_table_options *options, size_t folds,
                                                        nnm_cross_validation *out, nnm_error *err);
NNM_NODISCARD NNM_API nnm_status nnm_cross_validate_data(const nnm_kernel_data *data, const nnm_fit_options *options,
                                                         size_t folds, nnm_cross_validation *out, nnm_error *err);

/* A learning curve: how good predictors are that were fitted to so many rows. The test rows are the same for all points
 * (test_size of the rows, by the seed); each draw shuffles the other rows and takes the first ones, so that within a
 * draw every training set contains the smaller ones. */
typedef struct nnm_curve_point {
    size_t rows; /* trained on */
    nnm_metrics_spread test;
} nnm_curve_point;

typedef struct nnm_learning_curve {
    size_t rows, duplicates;
    nnm_skipped_rows skipped;
    size_t test_rows, draws;
    nnm_curve_point *points; /* by the number of rows */
    size_t count;
} nnm_learning_curve;
NNM_API void nnm_learning_curve_fini(nnm_learning_curve *curve);

/* `sizes`: `count` numbers of training rows, each at least 2. Errors: as above; TOO_FEW_ROWS where a size is more than
 * what the test leaves; VALUE (no sizes, no draws, test_size 0). */
NNM_NODISCARD NNM_API nnm_status nnm_learning_curve_csv(const char *kernel_type, const char *csv_path,
                                                        const nnm_table_options *options, const size_t *sizes,
                                                        size_t count, size_t draws, nnm_learning_curve *out,
                                                        nnm_error *err);
NNM_NODISCARD NNM_API nnm_status nnm_learning_curve_data(const nnm_kernel_data *data, const nnm_fit_options *options,
                                                         const size_t *sizes, size_t count, size_t draws,
                                                         nnm_learning_curve *out, nnm_error *err);

/* ---- using predictors on tables ---- */

/* Compares a predictor with the latencies of a table. Bad rows are left out and counted in `skipped`; NULL: refused.
 * `labels` (may be NULL): how far rows with equal features and different latencies agree.
 * Errors: as nnm_train_csv. */
NNM_NODISCARD NNM_API nnm_status nnm_evaluate_csv(nnm_registry *registry, const nnm_predictor *predictor,
                                                  const char *csv_path, const char *target, nnm_skipped_rows *skipped,
                                                  nnm_metrics *out, nnm_agreement *labels, nnm_error *err);

/* Writes the table to `out` with the columns predicted_ms, lower_ms, upper_ms added, rows in their order, in memory
 * that does not grow with the table. The new cells of a bad row stay empty, and it is counted in `skipped`; NULL: it is
 * refused, after the rows before it were written. `far` may be NULL. Errors: as nnm_train_csv, IO. */
NNM_NODISCARD NNM_API nnm_status nnm_predict_csv(nnm_registry *registry, const nnm_predictor *predictor,
                                                 const char *csv_path, nnm_skipped_rows *skipped,
                                                 nnm_extrapolated_rows *far, FILE *out, nnm_error *err);

/* Writes a predictor as an ONNX model (operator sets 14 and ai.onnx.ml 3). Input "configuration", float [N, columns]:
 * the kernel's parameters, then the further columns it was trained on, as the metadata entry "inputs" names them;
 * PADDING is 1 for same and 0 for valid. Output "latency_ms", float [N, 1]. FLOPS and PARAMS are computed inside, in
 * double precision: rows of floats get the latencies that nnm_predictor_predict gives, rounded to floats. Nothing
 * checks that a configuration is one the kernel can have. Of a customised kernel the columns are its features. Errors:
 * IO, NO_SPACE, NO_MEMORY, UNSUPPORTED (a forest for which 2 GiB do not suffice). */
NNM_NODISCARD NNM_API nnm_status nnm_export_onnx(const nnm_predictor *predictor, const char *onnx_path, nnm_error *err);

/* Writes the feature table of kernel data: model_path, the features, latency (collection/Data_…csv). */
NNM_NODISCARD NNM_API nnm_status nnm_export_csv(const nnm_kernel_data *data, const char *csv_path, nnm_error *err);

#ifdef __cplusplus
}
#endif

#endif
