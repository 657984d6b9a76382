/* The simulated device: its latencies are those of its model, in steps and with cliffs, and its noise has its size. */
#include "unit/testing.h"

#include <math.h>

#include "backends/backends.h"
#include "backends/simulated_model.h"
#include "nnmeter/kernel.h"
#include "nnmeter/measure.h"
#include "nnmeter/model_file.h"

static nnm_graph *graph_of(const char *kernel_name, const char *config_text, nnm_layout layout)
{
    nnm_error err = NNM_ERROR_INIT;
    const nnm_kernel *kernel = NULL;
    nnm_kernel_config config;
    nnm_graph *graph = NULL;
    nnm_graph_options options = NNM_GRAPH_OPTIONS_INIT;
    options.layout = layout;
    options.zero_weights = true;
    assert_ok(nnm_kernel_find(&kernel, kernel_name, &err));
    assert_ok(nnm_kernel_config_parse(&config, kernel, config_text, &err));
    assert_ok(nnm_kernel_build_graph(&graph, kernel, &config, &options, &err));
    return graph;
}

static double latency_with(const nnm_simulated_settings *settings, const char *kernel, const char *config)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_graph *graph = graph_of(kernel, config, NNM_LAYOUT_NHWC);
    double ns = 0.0;
    assert_ok(nnm_simulated_latency_ns(graph, settings, &ns, &err));
    nnm_graph_free(graph);
    return ns;
}

static double conv(int hw, int cin, int cout, int kernel_size, int strides)
{
    char config[128];
    const nnm_simulated_settings settings = nnm_simulated_settings_default();
    snprintf(config, sizeof config, "HW=%d,CIN=%d,COUT=%d,KERNEL_SIZE=%d,STRIDES=%d", hw, cin, cout, kernel_size,
             strides);
    return latency_with(&settings, "conv-bn-relu", config);
}

static double dwconv(int cin, int kernel_size)
{
    char config[128];
    const nnm_simulated_settings settings = nnm_simulated_settings_default();
    snprintf(config, sizeof config, "HW=30,CIN=%d,KERNEL_SIZE=%d,STRIDES=1", cin, kernel_size);
    return latency_with(&settings, "dwconv-bn-relu", config);
}

/* ---- the model ---- */

static void test_every_kernel_has_a_latency(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    for (size_t d = 0; nnm_simulated_device_at(d); d++) {
        nnm_simulated_settings settings = nnm_simulated_settings_default();
        settings.device = nnm_simulated_device_at(d);
        for (size_t i = 0; i < nnm_kernel_count(); i++) {
            const nnm_kernel *kernel = nnm_kernel_at(i);
            nnm_kernel_config config = {0};
            nnm_graph *graph = NULL;
            nnm_graph_options options = NNM_GRAPH_OPTIONS_INIT;
            for (size_t j = 0; j < nnm_kernel_param_count(kernel); j++) {
                int64_t low, high;
                nnm_kernel_param_range(kernel, j, &low, &high);
                const char *name = nnm_kernel_param_name(kernel, j);
                config.value[j] = strstr(name, "STRIDES") || strcmp(name, "KERNEL_SIZE") == 0 ? 1 : 16;
                if (config.value[j] < low) config.value[j] = low;
                if (config.value[j] > high) config.value[j] = high;
            }
            for (int layout = NNM_LAYOUT_NCHW; layout <= NNM_LAYOUT_NHWC; layout++) {
                double ns = 0.0;
                options.layout = (nnm_layout)layout;
                assert_ok(nnm_kernel_build_graph(&graph, kernel, &config, &options, &err));
                assert_ok(nnm_backend_simulated.supports(&nnm_backend_simulated, graph, &err));
                assert_ok(nnm_simulated_latency_ns(graph, &settings, &ns, &err));
                nnm_graph_free(graph);
                assert_true(isfinite(ns) && ns > settings.device->launch_ns + settings.device->operator_ns);
            }
        }
    }
}

/* Up to the next multiple of the tile channels cost no arithmetic, only a few bytes. */
static void test_staircase(void **state)
{
    (void)state;
    double tread = conv(30, 96, 64, 5, 1) - conv(30, 96, 57, 5, 1),
           riser = conv(30, 96, 65, 5, 1) - conv(30, 96, 64, 5, 1);
    assert_true(tread > 0.0);
    assert_true(riser > 3.0 * tread);
    double cin_tread = conv(30, 96, 64, 1, 1) - conv(30, 93, 64, 1, 1);
    double cin_riser = conv(30, 97, 64, 1, 1) - conv(30, 96, 64, 1, 1);
    assert_true(cin_riser > 2.0 * cin_tread);
}

static void test_cliffs(void **state)
{
    (void)state;
    /* Winograd begins at 32 channels. */
    assert_true(conv(30, 31, 64, 3, 1) > 1.3 * conv(30, 32, 64, 3, 1));
    assert_true(conv(30, 64, 31, 3, 1) > 1.3 * conv(30, 64, 32, 3, 1));
    /* Rows of 4 * 128 * 8 bytes fall into the same sets: 4 KiB. */
    double even = conv(8, 128, 8, 5, 1), odd = conv(8, 130, 8, 5, 1), smaller = conv(8, 126, 8, 5, 1);
    assert_true(even > odd && odd > smaller);
    /* Only 3x3 and 5x5 depthwise windows have code of their own: 49 / 25 of the work takes far longer. */
    assert_true(dwconv(64, 7) > 2.0 * 49.0 / 25.0 * dwconv(64, 5));
}

/* Four times the pixels: the working set leaves a cache, and takes more than four times as long. */
static void test_bandwidth_falls_with_the_working_set(void **state)
{
    (void)state;
    nnm_simulated_settings settings = nnm_simulated_settings_default();
    double fixed = settings.device->launch_ns + settings.device->operator_ns;
    double small = latency_with(&settings, "relu", "HW=14,CIN=32") - fixed;
    double large = latency_with(&settings, "relu", "HW=112,CIN=512") - fixed;
    assert_true(large > 2.0 * 64.0 * 16.0 * small);
}

static void test_threads_follow_amdahl(void **state)
{
    (void)state;
    nnm_simulated_settings settings = nnm_simulated_settings_default();
    const char *config = "HW=56,CIN=256,COUT=256,KERNEL_SIZE=1,STRIDES=1";
    double one = latency_with(&settings, "conv-bn-relu", config);
    settings.threads = 4;
    double four = latency_with(&settings, "conv-bn-relu", config);
    settings.threads = 64; /* it has four cores */
    assert_true(one > 2.5 * four && one < 1.0 / (0.1 + 0.9 / 4) * four);
    assert_true(latency_with(&settings, "conv-bn-relu", config) == four);
}

/* ---- noise ---- */

static void test_equal_seeds_give_equal_latencies(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_simulated_settings settings = nnm_simulated_settings_default();
    const char *config = "HW=28,CIN=32,COUT=32,KERNEL_SIZE=3,STRIDES=1";
    nnm_graph *graph = graph_of("conv-bn-relu", config, NNM_LAYOUT_NHWC);
    nnm_graph *other = graph_of("conv-bn-relu", "HW=28,CIN=32,COUT=33,KERNEL_SIZE=3,STRIDES=1", NNM_LAYOUT_NHWC);
    double first[16], again[16], ideal_ns, other_ns;
    assert_ok(nnm_simulated_runs_ns(graph, &settings, 3, first, 16, &err));
    assert_ok(nnm_simulated_runs_ns(graph, &settings, 3, again, 16, &err));
    assert_memory_equal(first, again, sizeof first);
    assert_ok(nnm_simulated_runs_ns(graph, &settings, 4, again, 16, &err));
    assert_true(first[0] != again[0]);
    settings.seed = 1;
    assert_ok(nnm_simulated_runs_ns(graph, &settings, 3, again, 16, &err));
    assert_true(first[0] != again[0]);
    settings.seed = 0;
    assert_ok(nnm_simulated_latency_ns(graph, &settings, &ideal_ns, &err)); /* each model has noise of its own */
    assert_ok(nnm_simulated_latency_ns(other, &settings, &other_ns, &err));
    assert_ok(nnm_simulated_runs_ns(other, &settings, 3, again, 16, &err));
    assert_true(fabs(first[0] / ideal_ns - again[0] / other_ns) > 1e-9);
    nnm_graph_free(graph);
    nnm_graph_free(other);
}

static void deviation_of_logs(const double *values, size_t count, double *mean, double *deviation)
{
    double sum = 0.0, squares = 0.0;
    for (size_t i = 0; i < count; i++)
        sum += log(values[i]);
    *mean = sum / (double)count;
    for (size_t i = 0; i < count; i++)
        squares += pow(log(values[i]) - *mean, 2.0);
    *deviation = sqrt(squares / (double)(count - 1));
}

#define MANY 4000

static void test_noise_has_its_size(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    static double runs[MANY], rounds[MANY];
    double ideal_ns, mean, deviation;
    nnm_simulated_settings settings = nnm_simulated_settings_default();
    nnm_graph *graph = graph_of("fc", "CIN=256,COUT=100", NNM_LAYOUT_NHWC);
    assert_ok(nnm_simulated_latency_ns(graph, &settings, &ideal_ns, &err));
    settings = (nnm_simulated_settings){settings.device, 1, 7, 0.0, 0.0, 0.0};
    assert_ok(nnm_simulated_runs_ns(graph, &settings, 0, runs, 3, &err));
    assert_true(runs[0] == ideal_ns && runs[2] == ideal_ns);

    settings.noise = 0.05;
    assert_ok(nnm_simulated_runs_ns(graph, &settings, 0, runs, MANY, &err));
    deviation_of_logs(runs, MANY, &mean, &deviation);
    assert_true(fabs(mean - log(ideal_ns)) < 0.003 && fabs(deviation - 0.05) < 0.003);

    settings.noise = 0.0;
    settings.round_noise = 0.03;
    for (size_t i = 0; i < MANY; i++)
        assert_ok(nnm_simulated_runs_ns(graph, &settings, i, &rounds[i], 1, &err));
    deviation_of_logs(rounds, MANY, &mean, &deviation);
    assert_true(fabs(mean - log(ideal_ns)) < 0.002 && fabs(deviation - 0.03) < 0.002);

    settings.round_noise = 0.0;
    settings.outliers = 0.1;
    assert_ok(nnm_simulated_runs_ns(graph, &settings, 0, runs, MANY, &err));
    size_t outliers = 0;
    for (size_t i = 0; i < MANY; i++) {
        assert_true(runs[i] >= ideal_ns && runs[i] <= 3.0 * ideal_ns);
        outliers += runs[i] > ideal_ns;
    }
    assert_in_range(outliers, MANY / 10 - 80, MANY / 10 + 80);
    nnm_graph_free(graph);
}

/* ---- the backend ---- */

static const nnm_session_options usual = {.threads = 1};

static void test_tells_of_a_file_what_the_model_says(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    char folder[256], path[512];
    make_folder(folder);
    nnm_graph *graph = graph_of("conv-bn-relu", "HW=28,CIN=32,COUT=40,KERNEL_SIZE=3,STRIDES=1", NNM_LAYOUT_NHWC);
    assert_ok(nnm_model_write(graph, in_folder(path, folder, "model.tflite"), &err));
    const char *const given[] = {"phone", "0", "0", "0", "0"};
    const nnm_session_options quiet = {.threads = 1, .settings = given};
    nnm_simulated_settings settings = nnm_simulated_settings_default();
    nnm_protocol protocol = NNM_PROTOCOL_INIT;
    nnm_worker *worker = NULL;
    nnm_round round, again;
    double ns = 0.0;
    assert_ok(nnm_simulated_latency_ns(graph, &settings, &ns, &err));
    assert_ok(nnm_worker_start(&worker, &nnm_backend_simulated, &quiet, &protocol, &err));
    assert_ok(nnm_worker_measure(worker, path, &round, &err));
    nnm_worker_stop(worker);
    assert_true(round.estimate_ns == ns);

    assert_ok(nnm_worker_start(&worker, &nnm_backend_simulated, &usual, &protocol, &err));
    assert_ok(nnm_worker_measure_again(worker, path, 5, &round, &err));
    assert_ok(nnm_worker_measure_again(worker, path, 5, &again, &err));
    nnm_worker_stop(worker);
    assert_int_equal(round.sample_count, 11);
    assert_memory_equal(round.sample_ns, again.sample_ns, sizeof round.sample_ns);
    assert_true(round.estimate_ns != ns && fabs(round.estimate_ns / ns - 1.0) < 0.1);
    nnm_graph_free(graph);
    remove_folder(folder);
}

static void test_settings_are_checked(void **state)
{
    (void)state;
    nnm_backend_info info;
    const char *given[] = {"phone", "0", "0.1", "0", "0"};
    const nnm_session_options options = {.threads = 1, .settings = given};
    nnm_backend_probe(&nnm_backend_simulated, NULL, &info);
    assert_true(info.available);
    assert_string_equal(info.version, "model 1, phone");
    given[0] = "laptop";
    nnm_backend_probe(&nnm_backend_simulated, &options, &info);
    assert_false(info.available);
    assert_string_equal(info.why_not, "SIMULATED_DEVICE: found 'laptop'");
    given[0] = "desktop";
    given[2] = "-1";
    nnm_backend_probe(&nnm_backend_simulated, &options, &info);
    assert_string_equal(info.why_not, "SIMULATED_NOISE: found '-1'");
    given[2] = "0";
    nnm_backend_probe(&nnm_backend_simulated, &options, &info);
    assert_string_equal(info.version, "model 1, desktop");
}

static void test_is_listed_as_simulated(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    const nnm_backend *backend = NULL;
    assert_ok(nnm_backend_find(&backend, "simulated", &err));
    assert_ok(nnm_backend_check(backend, &err));
    assert_int_equal(backend->device, NNM_DEVICE_SIMULATED);
    assert_non_null(strstr(backend->description, "simulated"));
    assert_null(backend->run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kernel_has_a_latency),
        cmocka_unit_test(test_staircase),
        cmocka_unit_test(test_cliffs),
        cmocka_unit_test(test_bandwidth_falls_with_the_working_set),
        cmocka_unit_test(test_threads_follow_amdahl),
        cmocka_unit_test(test_equal_seeds_give_equal_latencies),
        cmocka_unit_test(test_noise_has_its_size),
        cmocka_unit_test(test_tells_of_a_file_what_the_model_says),
        cmocka_unit_test(test_settings_are_checked),
        cmocka_unit_test(test_is_listed_as_simulated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
