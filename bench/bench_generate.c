/*
 * How fast kernels become model files: many small ones (where the file system matters) and one large one (where the
 * weights do). Usage: bench_generate [FOLDER], by default a new one under /tmp.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "nnmeter/kernel.h"
#include "nnmeter/model_file.h"

#define SMALL_FILES 200

static nnm_kernel_config configuration(const nnm_kernel *kernel, const char *text)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_kernel_config config = {{0}};
    if (nnm_kernel_config_parse(&config, kernel, text, &err)) {
        fprintf(stderr, "%s\n", err.message);
        exit(1);
    }
    return config;
}

/* Builds one graph and, with a path, writes it. Returns the seconds it took. */
static double generate(const nnm_kernel *kernel, const nnm_kernel_config *config, uint64_t seed, const char *path)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_graph *graph = NULL;
    nnm_graph_options options = {NNM_LAYOUT_NCHW, 1, seed, false};
    uint64_t begin = nnm_clock_ns();
    nnm_status status = nnm_kernel_build_graph(&graph, kernel, config, &options, &err);
    if (!status && path) status = nnm_onnx_write(graph, path, &err);
    uint64_t end = nnm_clock_ns();
    nnm_graph_free(graph);
    if (status) {
        fprintf(stderr, "%s\n", err.message);
        exit(1);
    }
    return (double)(end - begin) * 1e-9;
}

static double read_back(const char *path)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_graph *graph = NULL;
    uint64_t begin = nnm_clock_ns();
    nnm_status status = nnm_onnx_read(&graph, path, &err);
    uint64_t end = nnm_clock_ns();
    nnm_graph_free(graph);
    if (status) {
        fprintf(stderr, "%s\n", err.message);
        exit(1);
    }
    return (double)(end - begin) * 1e-9;
}

static void bench_small(const nnm_kernel *kernel, const char *folder)
{
    nnm_kernel_config config = configuration(kernel, "HW=14,CIN=32,COUT=32,KERNEL_SIZE=3,STRIDES=1");
    char path[4096];
    double build = 0, whole = 0, back = 0;
    for (uint64_t i = 0; i < SMALL_FILES; i++)
        build += generate(kernel, &config, i, NULL);
    for (uint64_t i = 0; i < SMALL_FILES; i++) {
        snprintf(path, sizeof path, "%s/small_%" PRIu64 ".onnx", folder, i);
        whole += generate(kernel, &config, i, path);
        back += read_back(path);
        unlink(path);
    }
    printf("small kernels (HW=14, 32 -> 32, 3x3): %.0f graphs/s built, %.0f files/s built and written, %.0f files/s "
           "read\n",
           SMALL_FILES / build, SMALL_FILES / whole, SMALL_FILES / back);
}

static void bench_large(const nnm_kernel *kernel, const char *folder)
{
    nnm_kernel_config config = configuration(kernel, "HW=7,CIN=2048,COUT=2048,KERNEL_SIZE=3,STRIDES=1");
    char path[4096];
    snprintf(path, sizeof path, "%s/large.onnx", folder);
    nnm_cost cost = {0};
    nnm_graph *graph = NULL;
    nnm_error err = NNM_ERROR_INIT;
    nnm_graph_options options = NNM_GRAPH_OPTIONS_INIT;
    if (nnm_kernel_build_graph(&graph, kernel, &config, &options, &err) == NNM_OK) nnm_graph_cost(graph, &cost);
    nnm_graph_free(graph);
    double megabytes = cost.weight_bytes * 1e-6;
    double build = generate(kernel, &config, 1, NULL);
    double whole = generate(kernel, &config, 1, path);
    double back = read_back(path);
    unlink(path);
    printf("one large kernel (%.0f MB of weights): %.0f MB/s built, %.0f MB/s built and written, %.0f MB/s read\n",
           megabytes, megabytes / build, megabytes / whole, megabytes / back);
}

int main(int argc, char **argv)
{
    char made[] = "/tmp/nnmeter-bench-XXXXXX";
    const char *folder = argc > 1 ? argv[1] : mkdtemp(made);
    nnm_error err = NNM_ERROR_INIT;
    const nnm_kernel *kernel = NULL;
    if (!folder || nnm_kernel_find(&kernel, "conv-bn-relu", &err)) {
        fprintf(stderr, "cannot begin: %s\n", folder ? err.message : "no folder");
        return 1;
    }
    bench_small(kernel, folder);
    bench_large(kernel, folder);
    if (argc <= 1) rmdir(folder);
    return 0;
}
