#include "bench/cpu.h"

#include <stdio.h>

#include "base/error.h"

nnm_status nnm_cpu_allowed(cpu_set_t *out, nnm_error *err)
{
    CPU_ZERO(out);
    if (sched_getaffinity(0, sizeof *out, out) != 0)
        return nnm_fail_errno(err, "cannot find out which CPUs this process may use");
    return NNM_OK;
}

/* "0-3,8" */
static void list_cpus(const cpu_set_t *set, char *text, size_t size)
{
    size_t length = 0;
    text[0] = '\0';
    for (int first = 0; first < CPU_SETSIZE && length < size; first++) {
        if (!CPU_ISSET((size_t)first, set)) continue;
        int last = first;
        while (last + 1 < CPU_SETSIZE && CPU_ISSET((size_t)last + 1, set))
            last++;
        int n = last > first ? snprintf(text + length, size - length, "%s%d-%d", length ? "," : "", first, last)
                             : snprintf(text + length, size - length, "%s%d", length ? "," : "", first);
        length += n > 0 ? (size_t)n : size;
        first = last;
    }
}

nnm_status nnm_cpu_check(int cpu, nnm_error *err)
{
    cpu_set_t allowed;
    nnm_status status = nnm_cpu_allowed(&allowed, err);
    if (status) return status;
    if (cpu >= 0 && cpu < CPU_SETSIZE && CPU_ISSET((size_t)cpu, &allowed)) return NNM_OK;
    char list[128];
    list_cpus(&allowed, list, sizeof list);
    return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "there is no CPU %d for this process; it may use %s", cpu, list);
}

nnm_status nnm_cpu_pin(int cpu, nnm_error *err)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    if (cpu >= 0 && cpu < CPU_SETSIZE) CPU_SET((size_t)cpu, &one);
    if (sched_setaffinity(0, sizeof one, &one) != 0) return nnm_fail_errno(err, "cannot run on CPU %d only", cpu);
    return NNM_OK;
}

bool nnm_cpu_realtime(bool on)
{
    struct sched_param param = {.sched_priority = on ? sched_get_priority_min(SCHED_FIFO) : 0};
    return sched_setscheduler(0, on ? SCHED_FIFO | SCHED_RESET_ON_FORK : SCHED_OTHER, &param) == 0;
}
