#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "bench/cpu.h"
#include "bench/reference.h"
#include "bench/statistics.h"
#include "nnmeter/measure.h"

#define CLOCK_READINGS 1000
#define REPEATS 20

static void copy_text(char *out, size_t size, const char *text)
{
    snprintf(out, size, "%.*s", (int)(size - 1), text);
}

/* First line of a small file of the kernel's, or "". */
static void read_line(const char *path, char *out, size_t size)
{
    out[0] = '\0';
    FILE *stream = fopen(path, "re");
    if (!stream) return;
    if (!fgets(out, (int)size, stream)) out[0] = '\0';
    out[strcspn(out, "\n")] = '\0';
    fclose(stream);
}

/* x86 names its processor in /proc/cpuinfo, Arm boards name themselves in the device tree. */
static void describe_cpu(char *out, size_t size)
{
    char line[512];
    FILE *stream = fopen("/proc/cpuinfo", "re");
    out[0] = '\0';
    while (stream && !out[0] && fgets(line, sizeof line, stream)) {
        char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || !colon) continue;
        colon[strcspn(colon, "\n")] = '\0';
        copy_text(out, size, colon[1] == ' ' ? colon + 2 : colon + 1);
    }
    if (stream) fclose(stream);
    if (!out[0]) read_line("/proc/device-tree/model", out, size);
}

static double measure_timer(void)
{
    double best = (double)INFINITY;
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        uint64_t begin = nnm_clock_ns(), end = begin;
        for (int i = 0; i < CLOCK_READINGS; i++)
            end = nnm_clock_ns();
        best = fmin(best, (double)(end - begin) / CLOCK_READINGS);
    }
    return best;
}

static double measure_clock(void)
{
    double values[REPEATS];
    for (int repeat = 0; repeat < REPEATS; repeat++)
        values[repeat] = nnm_reference_latency();
    return nnm_reference_clock_ghz(nnm_percentile(values, REPEATS, 0.25));
}

/* Asks for it on a thread that ends at once: permission depends on limits, capabilities and control groups alike. */
static void *try_realtime(void *permitted)
{
    struct sched_param lowest = {.sched_priority = sched_get_priority_min(SCHED_FIFO)};
    *(bool *)permitted = pthread_setschedparam(pthread_self(), SCHED_FIFO, &lowest) == 0;
    return NULL;
}

static bool may_realtime(void)
{
    bool permitted = false;
    pthread_t thread;
    if (pthread_create(&thread, NULL, try_realtime, &permitted) != 0) return false;
    (void)pthread_join(thread, NULL);
    return permitted;
}

void nnm_machine_describe(nnm_machine *out)
{
    nnm_machine machine = {0};
    struct utsname system;
    if (uname(&system) == 0) {
        copy_text(machine.host, sizeof machine.host, system.nodename);
        copy_text(machine.kernel_release, sizeof machine.kernel_release, system.release);
    }
    describe_cpu(machine.cpu, sizeof machine.cpu);
    read_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", machine.governor, sizeof machine.governor);
    machine.cpus = nnm_cpu_count();
    struct sysinfo memory;
    if (sysinfo(&memory) == 0) machine.memory_gib = (double)memory.totalram * memory.mem_unit / (1024.0 * 1024 * 1024);
    if (getloadavg(&machine.load, 1) != 1) machine.load = 0.0;
    machine.clock_ghz = measure_clock();
    machine.timer_ns = measure_timer();
    machine.may_realtime = may_realtime();
    *out = machine;
}
