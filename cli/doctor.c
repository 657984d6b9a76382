/* doctor: what this machine offers. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"

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
     .maximum = 3600,
     .fallback = "4",
     .help = "time to spend on the noise of all CPUs together"},
    OPTION_JSON(doctor_values),
};

/* The noise of one CPU, or why it is not known. */
typedef struct cpu_noise {
    unsigned cpu;
    bool known;
    nnm_noise noise;
    nnm_error err;
} cpu_noise;

/* What doctor found; `noise` is NULL where somebody else holds the profiling lock. */
typedef struct findings {
    nnm_machine machine;
    bool lock_free;
    nnm_error lock_error;
    cpu_noise *noise;
    size_t cpu_count;
} findings;

static const char *judgement(const cpu_noise *cpu)
{
    if (!cpu->known) return cpu->err.message;
    if (cpu->noise.quiet_share >= 0.9 && cpu->noise.clock_spread <= 0.05) return "Quiet: measurements repeat well.";
    if (cpu->noise.quiet_share >= 0.9)
        return "Nothing else runs here, but the clock changes: measurements repeat within that spread.";
    if (cpu->noise.quiet_share >= 0.5) return "Disturbed at times: profiling waits for quiet moments and takes longer.";
    if (cpu->noise.quiet_share >= 0.1) return "Disturbed most of the time: profiling is slow, and labels are noisy.";
    return "Hardly ever quiet: measure on another CPU, or when less runs here.";
}

/* Measures every CPU this process may use. Returns an exit code. */
static int measure_noise(const cli_command *self, double seconds, findings *out)
{
    cpu_set_t usable;
    CPU_ZERO(&usable);
    if (sched_getaffinity(0, sizeof usable, &usable) || CPU_COUNT(&usable) == 0)
        return command_error(self, "cannot tell which CPUs this process may use");
    size_t count = (size_t)CPU_COUNT(&usable);
    out->noise = calloc(count, sizeof *out->noise);
    if (!out->noise) return command_error(self, "out of memory");
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &usable)) continue;
        cpu_noise *entry = &out->noise[out->cpu_count++];
        entry->cpu = cpu;
        entry->known = nnm_noise_measure(&entry->noise, cpu, seconds / (double)count, &entry->err) == NNM_OK;
    }
    return EXIT_DONE;
}

/* Noise is not measured while somebody profiles: it would spoil what they measure. */
static int examine(const cli_command *self, double seconds, findings *out)
{
    nnm_machine_lock *lock = NULL;
    int code = EXIT_DONE;
    nnm_machine_describe(&out->machine);
    nnm_status status = nnm_machine_lock_take(&lock, "nn-meter doctor", &out->lock_error);
    out->lock_free = status == NNM_OK;
    if (status == NNM_OK) {
        code = measure_noise(self, seconds, out);
    } else if (status != NNM_ERR_BUSY) {
        code = command_fail(self, &out->lock_error);
    }
    nnm_machine_lock_release(lock);
    return code;
}

/* ---- as text ---- */

static const char *or_unknown(const char *text)
{
    return *text ? text : "unknown";
}

static void print_backends(void)
{
    output_heading("Backends");
    for (size_t i = 0; i < nnm_backend_count(); i++) {
        const nnm_backend *backend = nnm_backend_at(i);
        nnm_backend_info info = {0};
        backend->probe(&info);
        if (info.available) {
            output_pair(backend->name, "version %s", or_unknown(info.version));
        } else {
            output_pair(backend->name, "not available: %s", info.why_not);
        }
    }
}

static void print_noise(const findings *found)
{
    output_heading("Noise");
    for (size_t i = 0; i < found->cpu_count; i++) {
        const cpu_noise *cpu = &found->noise[i];
        char name[OUTPUT_CELL_BYTES], quiet[OUTPUT_CELL_BYTES], spread[OUTPUT_CELL_BYTES];
        snprintf(name, sizeof name, "CPU %u", cpu->cpu);
        if (cpu->known) {
            output_pair(name, "quiet %s of the time, else %.2f times slower; clock spread %s",
                        output_share(cpu->noise.quiet_share, quiet), cpu->noise.slow_factor,
                        output_share(cpu->noise.clock_spread, spread));
        }
        output_pair(cpu->known ? "" : name, "%s", judgement(cpu));
    }
    if (!found->lock_free) output_pair("", "Not measured: it would disturb whoever profiles now.");
}

static int print_findings(const findings *found)
{
    const nnm_machine *machine = &found->machine;
    output_heading("Machine");
    output_pair("host", "%s", or_unknown(machine->host));
    output_pair("CPU", "%s", or_unknown(machine->cpu));
    output_pair("usable CPUs", "%u", machine->cpus);
    output_pair("memory", "%.1f GiB", machine->memory_gib);
    output_pair("system", "%s", or_unknown(machine->kernel_release));
    output_pair("load", "%.2f", machine->load);
    output_pair("governor", "%s", or_unknown(machine->governor));
    output_pair("clock", "%.2f GHz", machine->clock_ghz);
    output_pair("timer cost", "%.0f ns", machine->timer_ns);
    output_pair("real-time", "%s", machine->may_realtime ? "permitted" : "not permitted");
    output_pair("profiling lock", "%s", found->lock_free ? "free" : found->lock_error.message);
    print_backends();
    print_noise(found);
    return EXIT_DONE;
}

/* ---- as JSON ---- */

static json_t *machine_json(const nnm_machine *machine)
{
    return json_pack("{s:o, s:o, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "host", output_text(machine->host), "cpu",
                     output_text(machine->cpu), "cpus", (int)machine->cpus, "memory_gib",
                     output_number(machine->memory_gib), "system", output_text(machine->kernel_release), "load",
                     output_number(machine->load), "governor", output_text(machine->governor), "clock_ghz",
                     output_number(machine->clock_ghz), "timer_ns", output_number(machine->timer_ns), "may_realtime",
                     machine->may_realtime);
}

static json_t *noise_json(const cpu_noise *cpu)
{
    return json_pack("{s:i, s:o, s:o, s:o, s:o}", "cpu", (int)cpu->cpu, "quiet_share",
                     output_number(if_known(cpu->known, cpu->noise.quiet_share)), "slow_factor",
                     output_number(if_known(cpu->known, cpu->noise.slow_factor)), "clock_spread",
                     output_number(if_known(cpu->known, cpu->noise.clock_spread)), "judgement",
                     output_text(judgement(cpu)));
}

static int json_findings(const findings *found)
{
    json_t *noise = json_array();
    for (size_t i = 0; i < found->cpu_count; i++)
        output_append(&noise, noise_json(&found->noise[i]));
    return output_json(json_pack("{s:o, s:o, s:o, s:b, s:o}", "machine", machine_json(&found->machine), "backends",
                                 backends_json(), "noise", noise, "lock_free", found->lock_free, "lock_holder",
                                 output_text(found->lock_free ? NULL : found->lock_error.message)));
}

static int run_doctor(const cli_command *self, const void *values)
{
    const doctor_values *v = values;
    findings found = {0};
    int code = examine(self, v->seconds.value, &found);
    if (!code) code = v->json ? json_findings(&found) : print_findings(&found);
    free(found.noise);
    return code;
}

const cli_command command_doctor = {
    .name = "doctor",
    .summary = "Show what this machine offers: runtimes, clock, noise, locks",
    .run = run_doctor,
    .values_size = sizeof(doctor_values),
    OPTIONS(doctor_options),
    .usage = "[--seconds N] [--json]",
    .example = "  nn-meter doctor\n",
};
