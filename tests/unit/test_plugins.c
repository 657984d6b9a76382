#include "unit/testing.h"

#include <elf.h>

#include "base/file.h"
#include "base/rng.h"
#include "builder/acquire.h"
#include "kernels/catalogue.h"
#include "nnmeter/model_file.h"
#include "nnmeter/registry.h"
#include "nnmeter/sampler.h"
#include "plugins/graph_bytes.h"
#include "unit/kernel_by_name.h"

typedef struct fixture {
    char folder[256];
    char path[512]; /* of the registry file */
    nnm_registry *registry;
    char name[NNM_KERNEL_NAME_BYTES];
} fixture;

static int set_up(void **state)
{
    nnm_error err = NNM_ERROR_INIT;
    fixture *f = calloc(1, sizeof *f);
    make_folder(f->folder);
    in_folder(f->path, f->folder, "home/config/registry.yaml");
    assert_ok(nnm_registry_open(&f->registry, f->path, &err));
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    nnm_registry_close(f->registry);
    remove_folder(f->folder);
    free(f);
    return 0;
}

static void write_text(const char *path, const char *text)
{
    nnm_error err = NNM_ERROR_INIT;
    assert_ok(nnm_file_write(path, text, strlen(text), &err));
}

static char *read_text(const char *path, size_t *size)
{
    nnm_error err = NNM_ERROR_INIT;
    char *text = NULL;
    assert_ok(nnm_file_read(path, &text, size, &err));
    return text;
}

/* What a meta file says; what is NULL is as it should be. */
typedef struct meta {
    const char *name, *implement, *location, *class_module, *class_name, *sampler_module, *sampler, *parser;
} meta;

static const char * or (const char *given, const char *otherwise)
{
    return given ? given : otherwise;
}

static const char *write_meta(fixture *f, const meta *m)
{
    static char path[512];
    char text[2048];
    snprintf(text, sizeof text,
             "builtin_name: %s\nimplement: %s\npackage_location: %s\nclass_module: %s\nclass_name: %s\n"
             "sampler_module: %s\nsampler_name: %s\nparser_module: parts\nparser_name: %s\n",
             or (m->name, "mine"), or (m->implement, "tensorflow"), or (m->location, NNM_TEST_MODULES),
             or (m->class_module, "parts"), or (m->class_name, "Kernel"), or (m->sampler_module, "parts"),
             or (m->sampler, "Sampler"), or (m->parser, "Parser"));
    write_text(in_folder(path, f->folder, "meta.yaml"), text);
    return path;
}

static nnm_status reg(fixture *f, const meta *m, nnm_error *err)
{
    return nnm_registry_register_kernel(f->registry, write_meta(f, m), f->name, err);
}

/* ---- what works ---- */

static void a_registered_kernel_is_one_like_any_other(void **state)
{
    fixture *f = *state;
    nnm_error err = NNM_ERROR_INIT;
    const nnm_kernel *kernel = NULL;
    assert_int_equal(nnm_registry_kernel_count(f->registry), nnm_kernel_count());
    assert_ok(reg(f, &(meta){0}, &err));
    assert_string_equal(f->name, "mine");
    assert_int_equal(nnm_registry_kernel_count(f->registry), nnm_kernel_count() + 1);
    assert_string_equal(nnm_registry_kernel_name(f->registry, nnm_kernel_count()), "mine");

    assert_ok(nnm_registry_find_kernel(f->registry, "mine", &kernel, &err));
    assert_true(nnm_kernel_is_customized(kernel));
    assert_string_equal(nnm_kernel_family(kernel), "customized");
    assert_string_equal(nnm_kernel_predictor(kernel), "mine");
    assert_int_equal(nnm_kernel_param_count(kernel), 2);
    assert_int_equal(nnm_kernel_feature_count(kernel), 3);
    assert_string_equal(nnm_kernel_feature_name(kernel, 2), "PIXELS");

    nnm_kernel_config config = parse(kernel, "HW=5,CIN=6");
    double features[NNM_KERNEL_MAX_FEATURES];
    assert_ok(nnm_kernel_features(kernel, &config, features, &err));
    assert_true(features[0] == 5 && features[1] == 6 && features[2] == 150);
    assert_true(nnm_kernel_flops(kernel, &config) == 150); /* without a function of its own: elements of the inputs */
    config.value[1] = 7;
    assert_fails(nnm_kernel_config_check(kernel, &config, &err), NNM_ERR_VALUE, "mine: CIN=7 is not allowed");
}

static void the_file_keeps_what_was_registered(void **state)
{
    fixture *f = *state;
    nnm_error err = NNM_ERROR_INIT;
    const nnm_kernel *kernel = NULL;
    assert_ok(reg(f, &(meta){.name = "one"}, &err));
    assert_ok(reg(f, &(meta){.name = "two"}, &err));
    nnm_registry_close(f->registry);
    f->registry = NULL;
    assert_ok(nnm_registry_open(&f->registry, f->path, &err));
    assert_int_equal(nnm_registry_kernel_count(f->registry), nnm_kernel_count() + 2);
    assert_ok(nnm_registry_find_kernel(f->registry, "two", &kernel, &err));
    assert_ok(nnm_registry_unregister_kernel(f->registry, "one", &err));
    assert_int_equal(nnm_registry_kernel_count(f->registry), nnm_kernel_count() + 1);
    assert_string_equal(nnm_registry_kernel_name(f->registry, nnm_kernel_count()), "two");
    assert_fails(nnm_registry_find_kernel(f->registry, "one", &kernel, &err), NNM_ERR_NOT_FOUND,
                 "there is no kernel type 'one'");
    assert_fails(nnm_registry_find_kernel(f->registry, "tow", &kernel, &err), NNM_ERR_NOT_FOUND, "did you mean 'two'?");
    assert_fails(nnm_registry_find_kernel(f->registry, "rleu", &kernel, &err), NNM_ERR_NOT_FOUND,
                 "did you mean 'relu'?");
    assert_ok(nnm_registry_find_kernel(f->registry, "relu", &kernel, &err));
    assert_ptr_equal(kernel, find("relu"));
}

static void a_registry_sees_what_another_process_registered(void **state)
{
    fixture *f = *state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_registry *other = NULL;
    assert_ok(nnm_registry_open(&other, f->path, &err));
    assert_ok(reg(f, &(meta){.name = "one"}, &err));
    assert_ok(nnm_registry_register_kernel(other, write_meta(f, &(meta){.name = "two"}), f->name, &err));
    assert_int_equal(nnm_registry_kernel_count(other), nnm_kernel_count() + 2);
    assert_fails(reg(f, &(meta){.name = "two"}, &err), NNM_ERR_EXISTS, "a kernel 'two' is registered already");
    nnm_registry_close(other);
}

static void samplers_give_what_is_new_and_in_order(void **state)
{
    fixture *f = *state;
    nnm_error err = NNM_ERROR_INIT;
    const nnm_kernel *kernel = NULL;
    nnm_prior *prior = NULL;
    nnm_config_list first = {0}, again = {0}, around = {0};
    assert_ok(reg(f, &(meta){0}, &err));
    assert_ok(nnm_registry_find_kernel(f->registry, "mine", &kernel, &err));
    assert_null(nnm_prior_table_of(kernel));
    assert_ok(nnm_prior_builtin(&prior, kernel, &err));
    assert_ok(nnm_sample_prior(&first, kernel, prior, 20, 3, NULL, &err));
    assert_int_equal(first.count, 20);
    for (size_t i = 1; i < first.count; i++)
        assert_true(nnm_kernel_flops(kernel, &first.items[i - 1]) <= nnm_kernel_flops(kernel, &first.items[i]));
    assert_ok(nnm_sample_prior(&again, kernel, prior, 20, 3, NULL, &err));
    assert_memory_equal(first.items, again.items, 20 * sizeof *first.items);
    nnm_config_list_fini(&again);
    assert_ok(nnm_sample_prior(&again, kernel, prior, 20, 3, &first, &err)); /* none of those there are */
    for (size_t i = 0; i < again.count; i++)
        for (size_t j = 0; j < first.count; j++)
            assert_false(nnm_kernel_config_equal(kernel, &again.items[i], &first.items[j]));
    nnm_config_list two = {first.items, 2, 0};
    assert_ok(nnm_sample_finegrained(&around, kernel, &two, 5, 1, NULL, &err));
    assert_in_range(around.count, 5, 10);
    nnm_config_list_fini(&first);
    nnm_config_list_fini(&again);
    nnm_config_list_fini(&around);
    nnm_prior_free(prior);
}

/* Acquisition chooses among what the kernel's own sampler gives. */
static void acquisition_knows_customised_kernels(void **state)
{
    fixture *f = *state;
    nnm_error err = NNM_ERROR_INIT;
    const nnm_kernel *kernel = NULL;
    nnm_prior *prior = NULL;
    nnm_config_list first = {0}, next = {0};
    double latency_ms[NNM_ACQUIRE_MIN_KNOWN];
    assert_ok(reg(f, &(meta){0}, &err));
    assert_ok(nnm_registry_find_kernel(f->registry, "mine", &kernel, &err));
    assert_ok(nnm_prior_builtin(&prior, kernel, &err));
    assert_ok(nnm_acquire_start(&first, kernel, prior, NNM_ACQUIRE_MIN_KNOWN, NULL, 5, &err));
    assert_int_equal(first.count, NNM_ACQUIRE_MIN_KNOWN);
    for (size_t i = 0; i < first.count; i++)
        latency_ms[i] = 1e-3 + 1e-6 * nnm_kernel_flops(kernel, &first.items[i]);
    const nnm_known_kernels known = {first.items, latency_ms, NULL, first.count};
    assert_ok(nnm_acquire(&next, kernel, prior, &known, 10, NULL, NULL, 5, NULL, &err));
    assert_int_equal(next.count, 10);
    for (size_t i = 0; i < next.count; i++) {
        assert_ok(nnm_kernel_config_check(kernel, &next.items[i], &err));
        for (size_t j = 0; j < first.count; j++)
            assert_false(nnm_kernel_config_equal(kernel, &next.items[i], &first.items[j]));
    }
    nnm_config_list_fini(&first);
    nnm_config_list_fini(&next);
    nnm_prior_free(prior);
}

/* Model files and features of the example are those of the kernel it rebuilds. */
static void the_example_equals_conv_bn_relu(void **state)
{
    fixture *f = *state;
    nnm_error err = NNM_ERROR_INIT;
    const nnm_kernel *conv = find("conv-bn-relu"), *mine = NULL;
    assert_ok(nnm_registry_register_kernel(f->registry, NNM_EXAMPLE "/meta.yaml", f->name, &err));
    assert_string_equal(f->name, "mykernel");
    assert_ok(nnm_registry_find_kernel(f->registry, "mykernel", &mine, &err));
    static const char *const configs[] = {"HW=14,CIN=16,COUT=24,KERNEL_SIZE=3,STRIDES=1",
                                          "HW=13,CIN=3,COUT=5,KERNEL_SIZE=7,STRIDES=4",
                                          "HW=1,CIN=640,COUT=64,KERNEL_SIZE=1,STRIDES=2"};
    for (size_t i = 0; i < sizeof configs / sizeof *configs; i++) {
        const nnm_kernel *kernels[2] = {conv, mine};
        char path[512], *bytes[2];
        size_t size[2];
        double features[2][NNM_KERNEL_MAX_FEATURES] = {{0}};
        for (size_t k = 0; k < 2; k++) {
            nnm_kernel_config config = parse(kernels[k], configs[i]);
            nnm_graph_options options = {.layout = NNM_LAYOUT_NHWC, .batch_size = 2, .seed = 42};
            nnm_graph *graph = NULL;
            assert_ok(nnm_kernel_build_graph(&graph, kernels[k], &config, &options, &err));
            assert_ok(nnm_model_write(graph, in_folder(path, f->folder, "model.tflite"), &err));
            nnm_graph_free(graph);
            bytes[k] = read_text(path, &size[k]);
            assert_ok(nnm_kernel_features(kernels[k], &config, features[k], &err));
            assert_int_equal(nnm_kernel_feature_count(kernels[k]), 7);
            for (size_t j = 0; j < 7; j++)
                assert_string_equal(nnm_kernel_feature_name(kernels[k], j), nnm_kernel_feature_name(conv, j));
        }
        assert_int_equal(size[0], size[1]);
        assert_memory_equal(bytes[0], bytes[1], size[0]);
        assert_memory_equal(features[0], features[1], 7 * sizeof(double));
        free(bytes[0]);
        free(bytes[1]);
    }
}

static void a_kernel_is_built_for_its_layout_only(void **state)
{
    fixture *f = *state;
    nnm_error err = NNM_ERROR_INIT;
    const nnm_kernel *kernel = NULL;
    nnm_graph *graph = NULL;
    nnm_shape shapes[NNM_KERNEL_MAX_INPUTS];
    size_t count = 0;
    assert_ok(reg(f, &(meta){0}, &err));
    assert_ok(nnm_registry_find_kernel(f->registry, "mine", &kernel, &err));
    nnm_kernel_config config = parse(kernel, "HW=5,CIN=6");
    nnm_graph_options options = NNM_GRAPH_OPTIONS_INIT;
    assert_fails(nnm_kernel_build_graph(&graph, kernel, &config, &options, &err), NNM_ERR_UNSUPPORTED,
                 "customised kernel 'mine' is implemented for 'tensorflow' and cannot be built for 'torch'");
    assert_fails(nnm_kernel_input_shapes(kernel, &config, NNM_LAYOUT_NCHW, shapes, &count, &err), NNM_ERR_UNSUPPORTED,
                 "IMPLEMENT");
    assert_ok(nnm_kernel_input_shapes(kernel, &config, NNM_LAYOUT_NHWC, shapes, &count, &err));
    assert_int_equal(count, 1);
    assert_int_equal(shapes[0].dim[2], 6);
}

/* ---- what is wrong with a meta file ---- */

static void a_meta_file_is_checked(void **state)
{
    fixture *f = *state;
    nnm_error err = NNM_ERROR_INIT;
    static const struct {
        meta m;
        nnm_status code;
        const char *message;
    } cases[] = {
        {{.implement = "keras"}, NNM_ERR_VALUE, "meta.yaml:2:12: implement: found 'keras', need tensorflow or torch"},
        {{.location = "./package"}, NNM_ERR_VALUE, "package_location: found './package', need the absolute path"},
        {{.location = "/nowhere/at/all"}, NNM_ERR_NOT_FOUND, "there is no package folder '/nowhere/at/all'"},
        {{.name = "my/kernel"}, NNM_ERR_VALUE, "builtin_name: found 'my/kernel', need a name of 1 to 63 letters"},
        {{.name = "conv-bn-relu"}, NNM_ERR_EXISTS, "'conv-bn-relu' is the name of a built-in kernel"},
        {{.class_module = "parts.so"}, NNM_ERR_VALUE, "without folder and without '.so'"},
        {{.class_module = "part"}, NNM_ERR_NOT_FOUND, "has no module 'part.so'; did you mean 'parts'?"},
        {{.sampler_module = "elsewhere"}, NNM_ERR_NOT_FOUND, "has no module 'elsewhere.so'; it has "},
        {{.class_name = "Kernal"}, NNM_ERR_NOT_FOUND, "has no symbol 'Kernal'; did you mean 'Kernel'?"},
        {{.class_name = ""}, NNM_ERR_VALUE, "class_name: found nothing, need a text"},
        {{.class_name = "[a, b]"}, NNM_ERR_VALUE, "class_name: found a list, need a text"},
        {{.class_name = "Sampler"}, NNM_ERR_VALUE, "'Sampler' is not an nnm_plugin_kernel"},
        {{.class_name = "OldKernel"},
         NNM_ERR_VERSION,
         "'OldKernel' was compiled for version 0 of the plug-in interface"},
        {{.class_module = "stranger"}, NNM_ERR_VALUE, "nnm_nobody_has_this"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_fails(reg(f, &cases[i].m, &err), cases[i].code, cases[i].message);
        assert_false(nnm_file_exists(f->path));
    }
    static const struct {
        const char *text;
        nnm_status code;
        const char *message;
    } texts[] = {
        {"builtin_name: a\nimplement: torch\n", NNM_ERR_VALUE,
         "the key 'package_location' is missing; needed are builtin_name, implement, package_location, class_module, "
         "class_name, sampler_module, sampler_name, parser_module, parser_name"},
        {"builtin_name: a\nbuiltin_name: b\n", NNM_ERR_VALUE, "meta.yaml:2:1: builtin_name stands here a second time"},
        {"buildin_name: a\n", NNM_ERR_VALUE, "unknown key 'buildin_name'; did you mean 'builtin_name'?"},
        {"- a\n", NNM_ERR_VALUE, "found a list, need a mapping with the keys builtin_name"},
        {"builtin_name: [\n", NNM_ERR_PARSE, "meta.yaml:"},
    };
    char path[512];
    in_folder(path, f->folder, "meta.yaml");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        write_text(path, texts[i].text);
        assert_fails(nnm_registry_register_kernel(f->registry, path, f->name, &err), texts[i].code, texts[i].message);
    }
    assert_fails(nnm_registry_register_kernel(f->registry, "/nowhere/meta.yaml", f->name, &err), NNM_ERR_NOT_FOUND,
                 "/nowhere/meta.yaml");
}

/* ---- what is wrong with a package ---- */

static void register_tries_everything(void **state)
{
    fixture *f = *state;
    nnm_error err = NNM_ERROR_INIT;
    static const struct {
        meta m;
        nnm_status code;
        const char *message;
    } cases[] = {
        {{.class_name = "NoModelKernel"}, NNM_ERR_VALUE, "NoModelKernel has no function get_model"},
        {{.class_name = "BackwardsKernel"}, NNM_ERR_VALUE, "parameter HW: its range is 9 to 1"},
        {{.class_name = "TwiceKernel"}, NNM_ERR_VALUE, "parameter HW is there twice"},
        {{.class_name = "NamelessKernel"}, NNM_ERR_VALUE, "parameter 'H W': a name has up to 63 letters"},
        {{.class_name = "CrashingKernel"},
         NNM_ERR_CRASHED,
         "get_model of CrashingKernel (parts.so) crashed: signal 11 (SIGSEGV"},
        {{.class_name = "GroupsKernel"}, NNM_ERR_VALUE, "conv: 0 groups"},
        {{.class_name = "IdleKernel"},
         NNM_ERR_VALUE,
         "what the kernel returns as its output is computed by no operator"},
        {{.class_name = "InputlessKernel"}, NNM_ERR_VALUE, "it gave 0 inputs; allowed are 1 to 4"},
        {{.class_name = "SecretiveKernel"}, NNM_ERR_VALUE, "has other inputs than input_tensor_shape says"},
        {{.class_name = "RefusingKernel"}, NNM_ERR_VALUE, "this kernel wants to be alone"},
        {{.class_module = "initialiser"}, NNM_ERR_CRASHED, "Kernel (initialiser.so) crashed: signal 6 (SIGABRT"},
        {{.sampler = "EmptySampler"},
         NNM_ERR_VALUE,
         "prior_config_sampling was asked for 16 configurations and gave none"},
        {{.sampler = "LonelySampler"},
         NNM_ERR_VALUE,
         "finegrained_config_sampling was asked for 4 configurations around"},
        {{.sampler = "HalfSampler"}, NNM_ERR_VALUE, "HalfSampler has no function finegrained_config_sampling"},
        {{.sampler = "RepeatingSampler"}, NNM_ERR_VALUE, "of which only 3 differ"},
        {{.sampler = "WideSampler"},
         NNM_ERR_VALUE,
         "configuration 16 of 16 that prior_config_sampling gave: mine: HW=65 is out of range; allowed are 1 to 64"},
        {{.sampler = "OddSampler"},
         NNM_ERR_VALUE,
         "that finegrained_config_sampling gave: mine: CIN=3 is not allowed; it must be a multiple of 2"},
        {{.sampler = "RestlessSampler"},
         NNM_ERR_VALUE,
         "other configurations when it is called again with the same seed"},
        {{.sampler = "CrashingSampler"},
         NNM_ERR_CRASHED,
         "prior_config_sampling of CrashingSampler (parts.so) crashed: signal 11"},
        {{.sampler = "LeavingSampler"}, NNM_ERR_CRASHED, "LeavingSampler (parts.so) ended its process, with status 7"},
        {{.sampler = "UnsociableSampler"}, NNM_ERR_CRASHED, "closed the connection of its process, which was stopped"},
        {{.sampler = "SilentSampler"}, NNM_ERR_VALUE, "it failed without a message (code -77)"},
        {{.parser = "ForgetfulParser"}, NNM_ERR_VALUE, "features do not lead back to their configuration"},
        {{.parser = "OneWayParser"}, NNM_ERR_VALUE, "OneWayParser has no function get_config_by_feature"},
        {{.parser = "StrangerParser"},
         NNM_ERR_VALUE,
         "needed_config of StrangerParser names 'CINN', which is no parameter of the kernel; did you mean 'CIN'?"},
        {{.parser = "BareParser"}, NNM_ERR_VALUE, "BareParser has no features"},
        {{.parser = "InfiniteParser"}, NNM_ERR_VALUE, "InfiniteParser gives no number for feature PIXELS of HW="},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_fails(reg(f, &cases[i].m, &err), cases[i].code, cases[i].message);
        assert_false(nnm_file_exists(f->path));
        assert_int_equal(nnm_registry_kernel_count(f->registry), nnm_kernel_count());
    }
}

static void code_that_hangs_is_stopped(void **state)
{
    fixture *f = *state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_registry_set_limits(f->registry, 0.3, 0);
    assert_fails(reg(f, &(meta){.sampler = "HangingSampler"}, &err), NNM_ERR_TIMEOUT,
                 "prior_config_sampling of HangingSampler (parts.so) did not answer within 0.3 s and was stopped");
}

static void a_crash_in_use_costs_one_configuration(void **state)
{
    fixture *f = *state;
    nnm_error err = NNM_ERROR_INIT;
    const nnm_kernel *kernel = NULL;
    nnm_graph *graph = NULL;
    assert_ok(reg(f, &(meta){.class_name = "SometimesKernel"}, &err));
    assert_ok(nnm_registry_find_kernel(f->registry, "mine", &kernel, &err));
    nnm_graph_options options = {.layout = NNM_LAYOUT_NHWC, .batch_size = 1};
    nnm_kernel_config bad = parse(kernel, "HW=13,CIN=6"), good = parse(kernel, "HW=12,CIN=6");
    assert_fails(nnm_kernel_build_graph(&graph, kernel, &bad, &options, &err), NNM_ERR_CRASHED,
                 "mine with HW=13,CIN=6: get_model of SometimesKernel (parts.so) crashed: signal 11");
    assert_ok(nnm_kernel_build_graph(&graph, kernel, &good, &options, &err));
    nnm_graph_free(graph);
}

/* Changes what the header of a copy of a module says. */
static void a_module_of_another_machine_is_refused(void **state)
{
    fixture *f = *state;
    nnm_error err = NNM_ERROR_INIT;
    size_t size = 0;
    char path[512], *bytes = read_text(NNM_TEST_MODULES "/parts.so", &size);
    Elf64_Ehdr header;
    memcpy(&header, bytes, sizeof header);
    header.e_machine = header.e_machine == EM_AARCH64 ? EM_ARM : EM_AARCH64;
    memcpy(bytes, &header, sizeof header);
    assert_ok(nnm_file_write(in_folder(path, f->folder, "parts.so"), bytes, size, &err));
    assert_fails(reg(f, &(meta){.location = f->folder}, &err), NNM_ERR_UNSUPPORTED,
                 header.e_machine == EM_ARM ? "is for ARM; this machine is" : "is for AArch64; this machine is");
    write_text(path, "int main;\n");
    assert_fails(reg(f, &(meta){.location = f->folder}, &err), NNM_ERR_UNSUPPORTED, "is not a shared object");
    free(bytes);
}

static void a_package_that_was_moved_is_told(void **state)
{
    fixture *f = *state;
    nnm_error err = NNM_ERROR_INIT;
    const nnm_kernel *kernel = NULL;
    size_t size = 0;
    char package[512], path[1024], *bytes = read_text(NNM_TEST_MODULES "/parts.so", &size);
    in_folder(package, f->folder, "package");
    assert_ok(nnm_folder_create(package, &err));
    snprintf(path, sizeof path, "%s/parts.so", package);
    assert_ok(nnm_file_write(path, bytes, size, &err));
    free(bytes);
    assert_ok(reg(f, &(meta){.location = package}, &err));
    assert_int_equal(rename(package, in_folder(path, f->folder, "moved")), 0);
    assert_fails(nnm_registry_find_kernel(f->registry, "mine", &kernel, &err), NNM_ERR_NOT_FOUND,
                 "nn-meter unregister --kernel mine): there is no package folder '");
    assert_ok(nnm_registry_unregister_kernel(f->registry, "mine", &err));
}

/* ---- graphs on their way ---- */

static nnm_graph *example_graph(const nnm_kernel *kernel, bool zeros)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_prior *prior = NULL;
    nnm_config_list list = {0};
    nnm_graph *graph = NULL;
    nnm_graph_options options = {.layout = NNM_LAYOUT_NHWC, .batch_size = 2, .zero_weights = zeros};
    assert_ok(nnm_prior_builtin(&prior, kernel, &err));
    assert_ok(nnm_sample_prior(&list, kernel, prior, 16, 0, NULL, &err));
    assert_ok(nnm_kernel_build_graph(&graph, kernel, &list.items[0], &options, &err));
    nnm_config_list_fini(&list);
    nnm_prior_free(prior);
    return graph;
}

static void graphs_survive_the_way(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    for (size_t i = 0; i < 2 * nnm_kernel_count(); i++) {
        nnm_buffer there = {0}, back = {0};
        nnm_graph *graph = example_graph(nnm_kernel_at(i / 2), i % 2), *copy = NULL;
        nnm_graph_to_bytes(graph, &there);
        assert_ok(nnm_graph_from_bytes(&copy, there.data, there.size, &err));
        nnm_graph_to_bytes(copy, &back);
        assert_int_equal(there.size, back.size);
        assert_memory_equal(there.data, back.data, back.size);
        nnm_graph_free(graph);
        nnm_graph_free(copy);
        nnm_buffer_fini(&there);
        nnm_buffer_fini(&back);
    }
}

/* Bytes that are no graph are refused, whatever they are. */
static void damaged_graphs_are_refused(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_buffer bytes = {0};
    nnm_rng rng;
    nnm_graph *graph = example_graph(find("se"), true), *copy = NULL;
    nnm_graph_to_bytes(graph, &bytes);
    nnm_graph_free(graph);
    nnm_rng_init(&rng, 1, 1);
    for (size_t i = 0; i < 3000; i++) {
        size_t at = (size_t)nnm_rng_below(&rng, bytes.size);
        char before = bytes.data[at];
        bytes.data[at] = (char)nnm_rng_below(&rng, 256);
        if (nnm_graph_from_bytes(&copy, bytes.data, bytes.size, NULL) == NNM_OK) nnm_graph_free(copy);
        bytes.data[at] = before;
    }
    for (size_t cut = 0; cut < bytes.size; cut++) /* whole items are left, or it is refused */
        if (nnm_graph_from_bytes(&copy, bytes.data, cut, NULL) == NNM_OK) nnm_graph_free(copy);
    assert_fails(nnm_graph_from_bytes(&copy, bytes.data, 7, &err), NNM_ERR_PARSE, "the graph that came is none");
    assert_fails(nnm_graph_from_bytes(&copy, bytes.data, bytes.size - 1, &err), NNM_ERR_PARSE, "is none");
    nnm_buffer_fini(&bytes);
}

/* ---- the registry file ---- */

#define ENTRY                                                                                  \
    "    implement: torch\n    package_location: /p\n    class_module: a\n    class_name: b\n" \
    "    sampler_module: c\n    sampler_name: d\n    parser_module: e\n    parser_name: f\n"

static void a_damaged_file_is_told_with_line_and_key(void **state)
{
    fixture *f = *state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_registry *registry = NULL;
    static const struct {
        const char *text;
        nnm_status code;
        const char *message;
    } cases[] = {
        {"kernels: [\n", NNM_ERR_PARSE, "registry.yaml:"},
        {"kernels:\n  - a\n", NNM_ERR_VALUE, "registry.yaml:2:3: kernels: found a list, need a mapping of names"},
        {"kernel:\n", NNM_ERR_VALUE, "registry.yaml:1:1: unknown key 'kernel'; did you mean 'kernels'?"},
        {"- a\n", NNM_ERR_VALUE, "found a list, need the key 'kernels'"},
        {"kernels:\n  mine: 3\n", NNM_ERR_VALUE, "registry.yaml:2:9: found '3', need a mapping with the keys"},
        {"kernels:\n  mine:\n    implement: torch\n", NNM_ERR_VALUE, "mine: the key 'package_location' is missing"},
        {"kernels:\n  mine:\n    implement: jax\n", NNM_ERR_VALUE, "registry.yaml:3:16: implement: found 'jax'"},
        {"kernels:\n  relu:\n" ENTRY, NNM_ERR_VALUE, "2:3: kernels: 'relu' is the name of a built-in kernel"},
        {"kernels:\n  a/b:\n" ENTRY, NNM_ERR_VALUE, "2:3: kernels: 'a/b' is no name that a kernel can have"},
        {"kernels:\n  mine:\n" ENTRY "  mine:\n" ENTRY, NNM_ERR_VALUE,
         "11:3: kernels: 'mine' stands here a second time"},
        {"kernels:\n  mine:\n" ENTRY "    builtin_name: mine\n", NNM_ERR_VALUE, "11:5: unknown key 'builtin_name'"},
    };
    char folder[512];
    assert_ok(nnm_folder_create(in_folder(folder, f->folder, "home/config"), &err));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_text(f->path, cases[i].text);
        assert_fails(nnm_registry_open(&registry, f->path, &err), cases[i].code, cases[i].message);
        if (!strstr(err.message, "the registry of customised kernels is damaged")) fail_msg("%s", err.message);
    }
    write_text(f->path, "kernels:\n  mine:\n" ENTRY); /* by hand, and right */
    assert_ok(nnm_registry_open(&registry, f->path, &err));
    assert_string_equal(nnm_registry_kernel_name(registry, nnm_kernel_count()), "mine");
    nnm_registry_close(registry);
    write_text(f->path, "kernels:\n");
    assert_ok(nnm_registry_open(&registry, f->path, &err));
    assert_int_equal(nnm_registry_kernel_count(registry), nnm_kernel_count());
    nnm_registry_close(registry);
}

static void unregistering_what_is_not_there_fails(void **state)
{
    fixture *f = *state;
    nnm_error err = NNM_ERROR_INIT;
    assert_ok(reg(f, &(meta){0}, &err));
    assert_fails(nnm_registry_unregister_kernel(f->registry, "mien", &err), NNM_ERR_NOT_FOUND,
                 "no kernel 'mien' is registered; did you mean 'mine'?");
    assert_fails(nnm_registry_unregister_kernel(f->registry, "relu", &err), NNM_ERR_INVALID_ARGUMENT,
                 "'relu' is a built-in kernel: it cannot be unregistered");
    assert_ok(nnm_registry_unregister_kernel(f->registry, "mine", &err));
    assert_fails(nnm_registry_unregister_kernel(f->registry, "mine", &err), NNM_ERR_NOT_FOUND,
                 "no kernel 'mine' is registered");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_registered_kernel_is_one_like_any_other),
        TEST(the_file_keeps_what_was_registered),
        TEST(a_registry_sees_what_another_process_registered),
        TEST(samplers_give_what_is_new_and_in_order),
        TEST(acquisition_knows_customised_kernels),
        TEST(the_example_equals_conv_bn_relu),
        TEST(a_kernel_is_built_for_its_layout_only),
        TEST(a_meta_file_is_checked),
        TEST(register_tries_everything),
        TEST(code_that_hangs_is_stopped),
        TEST(a_crash_in_use_costs_one_configuration),
        TEST(a_module_of_another_machine_is_refused),
        TEST(a_package_that_was_moved_is_told),
        cmocka_unit_test(graphs_survive_the_way),
        cmocka_unit_test(damaged_graphs_are_refused),
        TEST(a_damaged_file_is_told_with_line_and_key),
        TEST(unregistering_what_is_not_there_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
