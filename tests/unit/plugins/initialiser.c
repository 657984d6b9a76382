/* A module that crashes as soon as it is opened. */
#include <signal.h>

#include "nnmeter/plugin.h"

__attribute__((constructor)) static void begin(void)
{
    raise(SIGABRT);
}

NNM_PLUGIN_EXPORT const nnm_plugin_kernel Kernel = {NNM_PLUGIN_KERNEL, .params = {{"HW", 1, 64, 0}}};
