/* What a machine is and what happens on it, taken together. */
#include "nnmeter/survey.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "base/error.h"
#include "bench/activity.h"
#include "bench/cpu.h"

static bool read_text(const char *path, char *out, size_t size)
{
    out[0] = '\0';
    FILE *stream = fopen(path, "re");
    if (!stream) return false;
    if (!fgets(out, (int)size, stream)) out[0] = '\0';
    out[strcspn(out, "\n")] = '\0';
    fclose(stream);
    return out[0] != '\0';
}

static void describe_turbo(char *out, size_t size)
{
    char text[16];
    out[0] = '\0';
    if (read_text("/sys/devices/system/cpu/intel_pstate/no_turbo", text, sizeof text))
        snprintf(out, size, "%s", text[0] == '0' ? "on" : "off");
    else if (read_text("/sys/devices/system/cpu/cpufreq/boost", text, sizeof text))
        snprintf(out, size, "%s", text[0] == '1' ? "on" : "off");
}

/* Processors tell in a reserved bit whether a hypervisor runs them, and hypervisors tell their names in a leaf of
 * their own. Elsewhere the device tree or the system's own word is all there is. */
static void describe_hypervisor(nnm_survey *out)
{
#if defined(__x86_64__)
    static const char *const names[][2] = {
        {"KVMKVMKVM", "KVM"},     {"Microsoft Hv", "Hyper-V"},    {"VMwareVMware", "VMware"},
        {"XenVMMXenVMM", "Xen"},  {"TCGTCGTCGTCG", "QEMU (TCG)"}, {"bhyve bhyve ", "bhyve"},
        {"ACRNACRNACRN", "ACRN"}, {"VBoxVBoxVBox", "VirtualBox"},
    };
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & (1u << 31))) return;
    out->virtual_machine = true;
    unsigned text[4] = {0};
    __cpuid(0x40000000u, a, text[0], text[1], text[2]);
    char name[sizeof text];
    memcpy(name, text, sizeof text);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i][0]) == 0) snprintf(out->hypervisor, sizeof out->hypervisor, "%s", names[i][1]);
#else
    char text[32];
    out->virtual_machine = read_text("/sys/hypervisor/type", text, sizeof text);
    if (out->virtual_machine) snprintf(out->hypervisor, sizeof out->hypervisor, "%s", text);
#endif
}

static double available_gib(void)
{
    char line[128];
    double kib = 0;
    FILE *stream = fopen("/proc/meminfo", "re");
    while (stream && fgets(line, sizeof line, stream)) {
        unsigned long long value;
        if (sscanf(line, "MemAvailable: %llu kB", &value) == 1) kib = (double)value;
    }
    if (stream) fclose(stream);
    return kib / (1024.0 * 1024.0);
}

/* Real-time tasks may run so many microseconds of each second. */
static unsigned realtime_throttle(void)
{
    char runtime[32], period[32];
    if (!read_text("/proc/sys/kernel/sched_rt_runtime_us", runtime, sizeof runtime) ||
        !read_text("/proc/sys/kernel/sched_rt_period_us", period, sizeof period))
        return 0;
    double run = atof(runtime), of = atof(period);
    return run < 0 || of <= 0 ? 1000000u : (unsigned)(1e6 * fmin(run / of, 1));
}

static void describe_static(nnm_survey *out)
{
    nnm_machine_describe(&out->machine);
    describe_turbo(out->turbo, sizeof out->turbo);
    describe_hypervisor(out);
    (void)read_text("/sys/devices/system/clocksource/clocksource0/current_clocksource", out->clock_source,
                    sizeof out->clock_source);
    out->available_gib = available_gib();
    out->realtime_throttle_us = realtime_throttle();
    ssize_t length = readlink("/proc/self/exe", out->program, sizeof out->program - 1);
    out->program[length > 0 ? length : 0] = '\0';
    out->others_cpus = out->hidden_cpus = (double)NAN;
}

/* ---- CPUs ---- */

/* The hardware threads of the core that `cpu` belongs to, e.g. "0-1" or "3,35". */
static void describe_sibling(nnm_cpu_survey *out, const cpu_set_t *usable)
{
    char path[96], text[128];
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%u/topology/thread_siblings_list", out->cpu);
    out->sibling = NNM_SIBLING_UNKNOWN;
    if (!read_text(path, text, sizeof text)) return;
    out->sibling = NNM_SIBLING_NONE;
    for (char *rest = text; *rest;) {
        char *end;
        unsigned long first = strtoul(rest, &end, 10), last = first;
        if (end == rest) return;
        if (*end == '-') last = strtoul(end + 1, &end, 10);
        for (unsigned long cpu = first; cpu <= last && cpu < CPU_SETSIZE; cpu++) {
            if (cpu == out->cpu) continue;
            bool ours = CPU_ISSET(cpu, usable);
            if (out->sibling == NNM_SIBLING_OURS) continue;
            out->sibling = ours ? NNM_SIBLING_OURS : NNM_SIBLING_FOREIGN;
            out->sibling_cpu = (unsigned)cpu;
        }
        rest = *end == ',' ? end + 1 : end;
        if (rest == end && *end) return;
    }
}

/* All CPUs that may be used, or so many of them, spread evenly. */
static void choose_cpus(nnm_survey *out, const cpu_set_t *usable)
{
    size_t count = (size_t)CPU_COUNT(usable), seen = 0;
    size_t wanted = count < NNM_SURVEY_CPUS ? count : NNM_SURVEY_CPUS;
    for (unsigned cpu = 0; cpu < CPU_SETSIZE && out->cpu_count < wanted; cpu++) {
        if (!CPU_ISSET(cpu, usable)) continue;
        if (seen++ != out->cpu_count * count / wanted) continue;
        nnm_cpu_survey *entry = &out->cpus[out->cpu_count++];
        *entry = (nnm_cpu_survey){.cpu = cpu};
        describe_sibling(entry, usable);
    }
}

/* CPU time that a survey spent on a CPU itself. */
static double own_s(const nnm_survey *survey, unsigned cpu)
{
    for (size_t i = 0; i < survey->cpu_count; i++)
        if (survey->cpus[i].cpu == cpu) return survey->cpus[i].noise.cpu_s;
    return 0;
}

static double others_share(const nnm_survey *survey, const nnm_activity *activity, unsigned cpu)
{
    double others_s = nnm_activity_of_cpu(activity, cpu).busy_s - own_s(survey, cpu);
    if (isnan(others_s)) return others_s;
    return fmin(fmax(others_s, 0) / survey->seconds, 1.0);
}

static void describe_activity(nnm_survey *survey, const nnm_activity *activity)
{
    for (size_t i = 0; i < survey->cpu_count; i++) {
        nnm_cpu_survey *entry = &survey->cpus[i];
        nnm_cpu_time time = nnm_activity_of_cpu(activity, entry->cpu);
        double wanted_s = time.busy_s + time.stolen_s;
        entry->steal_share = wanted_s <= 0 ? 0.0 : time.stolen_s / wanted_s; /* NaN stays NaN */
        entry->others_share = others_share(survey, activity, entry->cpu);
        bool shown = entry->sibling == NNM_SIBLING_OURS || entry->sibling == NNM_SIBLING_FOREIGN;
        entry->sibling_others_share = shown ? others_share(survey, activity, entry->sibling_cpu) : (double)NAN;
    }
}

static nnm_status watch(nnm_survey *survey, double seconds, const nnm_hooks *hooks, nnm_error *err)
{
    nnm_activity *activity = NULL;
    cpu_set_t usable;
    unsigned cpus[NNM_SURVEY_CPUS];
    nnm_noise noise[NNM_SURVEY_CPUS];
    nnm_status status = nnm_cpu_allowed(&usable, err);
    if (status == NNM_OK) {
        choose_cpus(survey, &usable);
        for (size_t i = 0; i < survey->cpu_count; i++)
            cpus[i] = survey->cpus[i].cpu;
        status = nnm_activity_begin(&activity, err);
    }
    if (status == NNM_OK) status = nnm_noise_measure(noise, cpus, survey->cpu_count, seconds, hooks, err);
    if (status == NNM_OK) {
        for (size_t i = 0; i < survey->cpu_count; i++)
            survey->cpus[i].noise = noise[i];
        status = nnm_activity_end(activity, survey, err);
    }
    if (status == NNM_OK) describe_activity(survey, activity);
    nnm_activity_free(activity);
    return status;
}

nnm_status nnm_survey_take(nnm_survey *out, double seconds, const nnm_hooks *hooks, nnm_error *err)
{
    nnm_survey survey = {0};
    describe_static(&survey);
    nnm_status status = seconds == 0.0 ? NNM_OK : watch(&survey, seconds, hooks, err);
    if (status == NNM_OK) *out = survey;
    return status;
}
