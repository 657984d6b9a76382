/*
 * From nothing to a latency predictor, step by step, with nothing but libnnmeter:
 * sample configurations, convert and profile them, fit a predictor, and ask it about a kernel nobody measured.
 *
 *     build_predictor WORKSPACE
 *     build_predictor WORKSPACE dwconv-bn-relu 50 HW=28,CIN=192,KERNEL_SIZE=5,STRIDES=2
 *
 * Ten measured kernels show every step in a few seconds; a useful predictor needs some hundreds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nnmeter/nnmeter.h>

static const char backend[] = "xnnpack_cpu";
static const char usage[] = "usage: build_predictor WORKSPACE [KERNEL COUNT CONFIGURATION]\n";

static void print_line(void *context, nnm_log_level level, const char *line)
{
    (void)context;
    if (level >= NNM_LOG_INFO) fprintf(stderr, "%s\n", line);
}

/* Opens the workspace; the first time, it is made. */
static nnm_status open_workspace(nnm_builder **builder, const char *path, const nnm_hooks *hooks, nnm_error *err)
{
    nnm_status status = nnm_workspace_create(path, backend, err);
    if (status && status != NNM_ERR_EXISTS) return status;
    return nnm_builder_config_init(builder, path, NULL, hooks, err);
}

/* Steps 2 and 3: configurations as real networks use them, a model file for each, and what each takes on this CPU. */
static nnm_status measure(nnm_kernel_data **out, nnm_builder *builder, const char *kernel, size_t count, nnm_error *err)
{
    nnm_kernel_data *data = NULL;
    nnm_sample_options sample = NNM_SAMPLE_OPTIONS_INIT;
    sample.mark = "test";
    nnm_status status = nnm_generate_config_sample(builder, kernel, count, &sample, &data, err);
    if (status) goto done;

    size_t failed = 0;
    status = nnm_convert_models(builder, backend, data, NULL, &failed, err);
    if (status) goto done;

    nnm_profile_summary profile = {0};
    status = nnm_profile_models(builder, backend, data, &profile, err);
    if (status) goto done;

    printf("%zu kernels: %zu measured in %.1f s, %zu known before, %zu failed\n", profile.requested, profile.profiled,
           profile.elapsed_s, profile.known, profile.failed + failed);
    for (size_t i = 0; i < data->count; i++) {
        const nnm_kernel_record *record = &data->records[i];
        if (!record->has_latency) continue;
        char config[256];
        nnm_kernel_config_format(data->kernel, &record->config, config, sizeof config);
        printf("  %s  %-58s %9.4f +- %.4f ms\n", record->id, config, record->latency_ms, record->spread_ms);
    }
    *out = data;
    data = NULL;
done:
    nnm_kernel_data_free(data);
    return status;
}

/* Steps 4 and 5: fit, look at how good it is, and predict the latency of a configuration. */
static nnm_status fit_and_predict(nnm_builder *builder, const nnm_kernel_data *data, const char *config, nnm_error *err)
{
    nnm_fit_options options = NNM_FIT_OPTIONS_INIT;
    options.mark = "test";
    nnm_fit_result fit = {0};
    nnm_status status = nnm_build_predictor_by_data(builder, data, &options, &fit, err);
    if (status) return status;
    printf("Iteration 0: acc10 %g, error_configs number: %zu\n", fit.summary.test.acc10, fit.error_configs.count);

    nnm_prediction prediction;
    status = nnm_predict_config(NULL, fit.predictor, config, &prediction, err);
    if (status) goto done;
    printf("%s: %.4f ms predicted\n", config, prediction.latency_ms);
done:
    nnm_fit_result_fini(&fit);
    return status;
}

static int run(const char *workspace, const char *kernel, size_t count, const char *config)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_hooks hooks = {.log = print_line};
    nnm_builder *builder = NULL;
    nnm_kernel_data *data = NULL;
    nnm_status status = open_workspace(&builder, workspace, &hooks, &err);
    if (status == NNM_OK) status = measure(&data, builder, kernel, count, &err);
    if (status == NNM_OK) status = fit_and_predict(builder, data, config, &err);
    if (status) fprintf(stderr, "build_predictor: %s\n", err.message);
    nnm_kernel_data_free(data);
    nnm_builder_free(builder);
    return status ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        printf("%sBuilds a latency predictor with nnmeter %s; the workspace is made if it is not there.\n", usage,
               nnm_version());
        return EXIT_SUCCESS;
    }
    if (argc == 2) return run(argv[1], "conv-bn-relu", 10, "HW=56,CIN=64,COUT=128,KERNEL_SIZE=3,STRIDES=1");
    unsigned long count = argc == 5 ? strtoul(argv[3], NULL, 10) : 0;
    if (count == 0) {
        fputs(usage, stderr);
        return 2;
    }
    return run(argv[1], argv[2], count, argv[4]);
}
