/* doctor: what this machine offers, who else uses it, and whether it is fit for profiling. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"

typedef struct doctor_values {
    option_real seconds;
    bool json;
} doctor_values;

static const cli_option doctor_options[] = {
    {.name = "seconds",
     .kind = OPTION_REAL,
     .offset = offsetof(doctor_values, seconds),
     .value = "N",
     .minimum = 0.1,
     .maximum = 120,
     .fallback = "20",
     .help = "time to watch the CPUs for, all together"},
    OPTION_JSON(doctor_values),
};

/* The machine is not watched while somebody profiles: it would spoil what they measure. */
static int examine(const cli_command *self, double seconds, findings *out)
{
    nnm_machine_lock *lock = NULL;
    nnm_error err = NNM_ERROR_INIT;
    nnm_status status = nnm_machine_lock_take(&lock, "nn-meter doctor", &out->lock_error);
    out->lock_free = status == NNM_OK;
    if (status && status != NNM_ERR_BUSY) return command_fail(self, &out->lock_error);
    status = nnm_survey_take(&out->survey, out->lock_free ? seconds : 0.0, output_stoppable_hooks(), &err);
    nnm_machine_lock_release(lock);
    if (status) return command_fail(self, &err);
    nnm_survey_judge(&out->survey, &out->verdict);
    if (!out->lock_free)
        snprintf(out->verdict.summary, sizeof out->verdict.summary,
                 "Not known: the CPUs were not watched, for that would disturb whoever profiles now.");
    return EXIT_DONE;
}

const char *doctor_sibling_name(nnm_sibling sibling)
{
    switch (sibling) {
    case NNM_SIBLING_NONE: return "none";
    case NNM_SIBLING_OURS: return "ours";
    case NNM_SIBLING_FOREIGN: return "foreign";
    case NNM_SIBLING_UNKNOWN: break;
    }
    return "unknown";
}

/* ---- as text ---- */

static const char *or_unknown(const char *text)
{
    return *text ? text : "unknown";
}

static void print_realtime(const nnm_survey *survey)
{
    unsigned limit = survey->realtime_throttle_us;
    if (!survey->machine.may_realtime)
        output_pair("real-time", "not permitted");
    else if (limit == 0 || limit >= 1000000)
        output_pair("real-time", "permitted");
    else
        output_pair("real-time", "permitted, for %.0f ms of each second", limit * 1e-3);
}

static void print_machine(const findings *found)
{
    const nnm_survey *survey = &found->survey;
    const nnm_machine *machine = &survey->machine;
    output_heading("Machine");
    output_pair("host", "%s", or_unknown(machine->host));
    output_pair("CPU", "%s", or_unknown(machine->cpu));
    output_pair("usable CPUs", "%u", machine->cpus);
    output_pair("memory", "%.1f GiB, %.1f GiB free", machine->memory_gib, survey->available_gib);
    output_pair("system", "%s", or_unknown(machine->kernel_release));
    output_pair("virtual machine", "%s%s%s", survey->virtual_machine ? "yes" : "no", *survey->hypervisor ? ", " : "",
                survey->hypervisor);
    output_pair("load", "%.2f", machine->load);
    output_pair("governor", "%s", or_unknown(machine->governor));
    output_pair("turbo", "%s", or_unknown(survey->turbo));
    output_pair("clock", "%.2f GHz", machine->clock_ghz);
    output_pair("timer cost", "%.0f ns, clock source %s", machine->timer_ns, or_unknown(survey->clock_source));
    print_realtime(survey);
    output_pair("profiling lock", "%s", found->lock_free ? "free" : found->lock_error.message);
}

static void print_backends(void)
{
    output_heading("Backends");
    for (size_t i = 0; i < nnm_backend_count(); i++) {
        const nnm_backend *backend = nnm_backend_at(i);
        nnm_backend_info info;
        nnm_backend_probe(backend, NULL, &info);
        if (info.available) {
            output_pair(backend->name, "version %s%s", or_unknown(info.version),
                        backend->device == NNM_DEVICE_SIMULATED ? ", a simulated device: its latencies are computed"
                                                                : "");
        } else {
            output_pair(backend->name, "not available: %s", info.why_not);
        }
    }
}

static void print_sibling(const nnm_cpu_survey *cpu)
{
    char share[OUTPUT_CELL_BYTES];
    switch (cpu->sibling) {
    case NNM_SIBLING_OURS:
    case NNM_SIBLING_FOREIGN:
        output_pair("", "its core's other hardware thread: CPU %u%s, busy for others %s", cpu->sibling_cpu,
                    cpu->sibling == NNM_SIBLING_OURS ? "" : " (not ours)",
                    output_share(cpu->sibling_others_share, share));
        break;
    case NNM_SIBLING_NONE: output_pair("", "its core shows no other hardware thread"); break;
    case NNM_SIBLING_UNKNOWN: break;
    }
}

static void print_cpu(const nnm_cpu_survey *cpu)
{
    const nnm_noise *noise = &cpu->noise;
    char name[OUTPUT_CELL_BYTES], quiet[OUTPUT_CELL_BYTES], drift[OUTPUT_CELL_BYTES], step[OUTPUT_CELL_BYTES];
    char steal[OUTPUT_CELL_BYTES], others[OUTPUT_CELL_BYTES], got[OUTPUT_CELL_BYTES];
    snprintf(name, sizeof name, "CPU %u", cpu->cpu);
    output_pair(name, "quiet %s of the time, in stretches of %.4g ms (median; p90 %.4g ms)",
                output_share(noise->quiet_share, quiet), noise->quiet.median_ms, noise->quiet.p90_ms);
    if (noise->slow.count)
        output_pair("", "else %.2f times slower, in stretches of %.4g ms (median; p90 %.4g ms)", noise->slow_factor,
                    noise->slow.median_ms, noise->slow.p90_ms);
    if (noise->clock_ghz > 0) {
        output_pair("", "clock %.2f GHz, from %.2f to %.2f, largest step %s", noise->clock_ghz, noise->clock_low_ghz,
                    noise->clock_high_ghz, output_share(noise->clock_step, step));
    } else {
        output_pair("", "clock drift %s, largest step %s", output_share(noise->clock_drift, drift),
                    output_share(noise->clock_step, step));
    }
    output_pair("", "ours %s of the time wanted, steal %s, busy for others %s", output_share(noise->got_share, got),
                output_share(cpu->steal_share, steal), output_share(cpu->others_share, others));
    print_sibling(cpu);
}

static void print_noise(const nnm_survey *survey)
{
    char text[OUTPUT_CELL_BYTES];
    output_heading("Noise");
    if (survey->cpu_count == 0) {
        output_pair("", "not measured");
        return;
    }
    output_pair("watched", "%zu of %u usable CPUs, %s", survey->cpu_count, survey->machine.cpus,
                output_seconds(survey->seconds, text));
    for (size_t i = 0; i < survey->cpu_count; i++)
        print_cpu(&survey->cpus[i]);
    if (isfinite(survey->others_cpus)) output_pair("other processes", "kept %.2f CPUs busy", survey->others_cpus);
    for (size_t i = 0; i < survey->process_count; i++) {
        const nnm_busy_process *p = &survey->processes[i];
        output_pair("", "%s (process %d): %s of a CPU, last on CPU %d", p->name, p->pid, output_share(p->cpus, text),
                    p->cpu);
    }
}

static void print_verdict(const nnm_verdict *verdict)
{
    output_heading("Verdict");
    printf("%s\n", verdict->summary);
    for (size_t i = 0; i < verdict->reason_count; i++)
        printf("- %s\n", verdict->reasons[i]);
    if (verdict->help_count) output_heading("What would help");
    for (size_t i = 0; i < verdict->help_count; i++)
        printf("- %s\n", verdict->help[i]);
}

static int run_doctor(const cli_command *self, const void *values)
{
    const doctor_values *v = values;
    findings *found = calloc(1, sizeof *found);
    if (!found) return command_error(self, "out of memory");
    int code = examine(self, v->seconds.value, found);
    if (!code && v->json) {
        code = doctor_json(found);
    } else if (!code) {
        print_machine(found);
        print_backends();
        print_noise(&found->survey);
        print_verdict(&found->verdict);
    }
    free(found);
    return code;
}

const cli_command command_doctor = {
    .name = "doctor",
    .summary = "Show what this machine offers, how noisy it is, and whether it is fit for profiling",
    .run = run_doctor,
    .values_size = sizeof(doctor_values),
    OPTIONS(doctor_options),
    .usage = "[--seconds N] [--json]",
    .details =
        "Watches up to 8 of the CPUs that it may use, in turn, and who else works on the machine meanwhile; ends\n"
        "with a verdict and what would improve it.\n",
    .example = "  nn-meter doctor\n",
};
