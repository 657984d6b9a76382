/* Reads bytes as either configuration file of a workspace. What is read must read back the same once it is written;
 * what is refused must say why, with one of the documented codes. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"
#include "config/files.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const nnm_known_kernel kernels[] = {{"conv-bn-relu", 100}, {"fc", 50}, {"matmul", 0}};
static const nnm_setting settings[] = {
    {.key = "SEED", .type = NNM_SETTING_WHOLE, .minimum = 0, .maximum = 1e9, .initial = "0", .comment = "a number"},
    {.key = "DEVICE", .type = NNM_SETTING_TEXT, .comment = "any text", .identifies = true},
    {.key = "PROGRAM", .type = NNM_SETTING_FILE, .comment = "a path"},
};
static const nnm_known_backend backends[] = {
    {.name = "xnnpack_cpu"},
    {.name = "simulated", .settings = settings, .setting_count = 3, .times_itself = true, .simulated = true},
};
#define KERNEL_COUNT (sizeof kernels / sizeof *kernels)
#define BACKEND_COUNT (sizeof backends / sizeof *backends)

static char path[64];

static void remove_file(void)
{
    unlink(path);
}

static void require(int condition)
{
    if (!condition) abort();
}

static void check_refusal(const nnm_error *err, nnm_status status)
{
    require(err->code == status && strncmp(err->message, path, strlen(path)) == 0);
    require(status == NNM_ERR_PARSE || status == NNM_ERR_VALUE || status == NNM_ERR_UNSUPPORTED);
}

static void read_predictorbuild(void)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_predictorbuild_config config = {0}, again = {0};
    nnm_status status = nnm_predictorbuild_config_read(&config, path, NNM_IMPLEMENT_TORCH, kernels, KERNEL_COUNT, &err);
    if (status) {
        check_refusal(&err, status);
        return;
    }
    require(nnm_predictorbuild_config_write(&config, path, kernels, KERNEL_COUNT, &err) == NNM_OK);
    require(nnm_predictorbuild_config_read(&again, path, NNM_IMPLEMENT_TENSORFLOW, kernels, KERNEL_COUNT, &err) ==
            NNM_OK);
    require(again.kernel_count == config.kernel_count && again.implement == config.implement &&
            again.batch_size == config.batch_size);
    for (size_t i = 0; i < config.kernel_count; i++)
        require(memcmp(&again.kernels[i].init_sample_num, &config.kernels[i].init_sample_num, sizeof(size_t)) == 0 &&
                strcmp(again.kernels[i].kernel, config.kernels[i].kernel) == 0);
    nnm_predictorbuild_config_fini(&again);
    nnm_predictorbuild_config_fini(&config);
}

static const nnm_known_backend *known(const nnm_backend_config *config)
{
    return &backends[strcmp(config->backend, backends[0].name) != 0];
}

static void read_backend(void)
{
    nnm_error err = NNM_ERROR_INIT;
    nnm_backend_config config, again;
    nnm_buffer text = {0}, again_text = {0};
    nnm_status status = nnm_backend_config_read(&config, path, backends, BACKEND_COUNT, &err);
    if (status) {
        check_refusal(&err, status);
        return;
    }
    require(nnm_backend_config_write(&config, known(&config), path, &err) == NNM_OK);
    require(nnm_backend_config_read(&again, path, backends, BACKEND_COUNT, &err) == NNM_OK);
    nnm_backend_config_describe(&config, known(&config), &text);
    nnm_backend_config_describe(&again, known(&again), &again_text);
    require(text.data && again_text.data && strcmp(text.data, again_text.data) == 0);
    nnm_buffer_fini(&text);
    nnm_buffer_fini(&again_text);
    nnm_backend_config_fini(&again);
    nnm_backend_config_fini(&config);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (!*path) {
        bool memory = access("/dev/shm", W_OK) == 0; /* where writing a file through costs nothing */
        snprintf(path, sizeof path, "%s/nnmeter-fuzz-%ld.yaml", memory ? "/dev/shm" : "/tmp", (long)getpid());
        atexit(remove_file);
    }
    for (int which = 0; which < 2; which++) {
        FILE *file = fopen(path, "we");
        require(file != NULL);
        require(fwrite(bytes, 1, size, file) == size && fclose(file) == 0);
        if (which == 0)
            read_predictorbuild();
        else
            read_backend();
    }
    return 0;
}
