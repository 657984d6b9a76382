#include "builder/test_set.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "builder/fit.h"
#include "builder/notes.h"
#include "builder/turn.h"
#include "store/paths.h"

nnm_status nnm_test_set_measure(nnm_builder *builder, const nnm_group *group, nnm_member *member,
                                const nnm_sitting *sitting, nnm_profile_summary *summary, nnm_error *err)
{
    nnm_config_list taken = {0};
    nnm_kernel_data *fresh = NULL;
    char *mark = nnm_turn_mark(NNM_TEST_SET_MARK, 0, group->options.mark);
    nnm_sample_options sample = NNM_SAMPLE_OPTIONS_INIT;
    sample.mark = mark;
    sample.seed = group->options.seed;
    sample.exclude = &taken;
    nnm_status status = mark ? nnm_group_list_taken(builder, group, &taken, err) : nnm_fail_memory(err);
    builder->testing = true;
    if (status == NNM_OK)
        status =
            nnm_builder_sit(builder, member->kernel, member->test_sample_num, &sample, sitting, &fresh, summary, err);
    builder->testing = false;
    if (status == NNM_OK) status = nnm_group_take(&member->test_set, fresh, err);
    nnm_config_list_fini(&taken);
    free(mark);
    return status;
}

/* Every row, in their order. */
static size_t *all_rows(const nnm_features *features)
{
    size_t *rows = nnm_calloc(features->rows, sizeof *rows);
    for (size_t i = 0; rows && i < features->rows; i++)
        rows[i] = i;
    return rows;
}

static nnm_status write_tables(const nnm_builder *builder, const nnm_group *group, const nnm_features *features,
                               const nnm_test_rows *test, nnm_error *err)
{
    const char *root = nnm_workspace_path(builder->workspace), *kernel = nnm_kernel_name(group->kernel);
    char *mark = nnm_turn_mark(NNM_TEST_SET_MARK, 0, group->options.mark);
    char *data_csv = mark ? nnm_path_data_csv(root, kernel, mark) : NULL;
    char *test_csv = mark ? nnm_path_test_csv(root, kernel, mark) : NULL;
    nnm_status status = data_csv && test_csv ? NNM_OK : nnm_fail_memory(err);
    if (status == NNM_OK)
        status = nnm_builder_note_file(builder, NNM_JOURNAL_COLLECTED, mark, group->result.test_set, err);
    if (status == NNM_OK) status = nnm_export_csv(group->result.test_set, data_csv, err);
    if (status == NNM_OK) status = nnm_fit_write_test(test_csv, features, test, err);
    free(mark);
    free(data_csv);
    free(test_csv);
    return status;
}

/* What the file of the predictor tells: rows of the test set are rows, too. */
static void summarise(nnm_predictor *predictor, size_t rows, const nnm_metrics *honest, const nnm_agreement *labels)
{
    nnm_training_summary summary = *nnm_predictor_summary(predictor);
    summary.rows = rows + honest->rows;
    summary.test_rows = honest->rows;
    summary.test = *honest;
    summary.noise_ceiling10 = labels->ceiling10;
    nnm_predictor_set_summary(predictor, &summary);
}

nnm_status nnm_test_set_fit(nnm_builder *builder, nnm_group *group, const char *path, nnm_error *err)
{
    nnm_build_result *result = &group->result;
    nnm_features train = {0}, test = {0};
    nnm_test_rows tested = {0};
    nnm_predictor *predictor = NULL;
    nnm_metrics honest = {0};
    size_t *rows = NULL;
    const nnm_fit_options options = nnm_turn_fit_options(builder, group, NULL);
    nnm_status status = nnm_features_of_data(&test, result->test_set, options.model, err);
    if (status || test.rows == 0) goto done;
    status = nnm_features_of_data(&train, result->data, options.model, err);
    if (status) goto done;
    rows = all_rows(&train);
    tested.rows = all_rows(&test);
    tested.count = test.rows;
    tested.predicted = nnm_calloc(test.rows, sizeof *tested.predicted);
    status = rows && tested.rows && tested.predicted ? NNM_OK : nnm_fail_memory(err);
    if (status == NNM_OK) status = nnm_fit_rows(&predictor, &train, rows, train.rows, group->kernel, &options, err);
    if (status == NNM_OK)
        status = nnm_fit_test(predictor, &test, tested.rows, test.rows, tested.predicted, &honest, err);
    if (status == NNM_OK) summarise(predictor, train.rows, &honest, &result->labels);
    if (status == NNM_OK) status = write_tables(builder, group, &test, &tested, err);
    if (status == NNM_OK) status = nnm_predictor_save(predictor, path, err);
    if (status == NNM_OK) {
        nnm_predictor_free(result->fit.predictor);
        result->fit.predictor = predictor;
        result->honest = honest;
        predictor = NULL;
    }
done:
    nnm_predictor_free(predictor);
    nnm_test_rows_fini(&tested);
    nnm_features_fini(&train);
    nnm_features_fini(&test);
    free(rows);
    return status;
}
