/* What doctor found, for programs. */
#include "doctor.h"

static json_t *machine_json(const nnm_survey *survey)
{
    const nnm_machine *machine = &survey->machine;
    return json_pack("{s:o, s:o, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:b, s:i}", "host",
                     output_text(machine->host), "cpu", output_text(machine->cpu), "cpus", (int)machine->cpus,
                     "memory_gib", output_number(machine->memory_gib), "available_gib",
                     output_number(survey->available_gib), "system", output_text(machine->kernel_release), "load",
                     output_number(machine->load), "governor", output_text(machine->governor), "turbo",
                     output_text(survey->turbo), "clock_ghz", output_number(machine->clock_ghz), "timer_ns",
                     output_number(machine->timer_ns), "clock_source", output_text(survey->clock_source),
                     "virtual_machine", survey->virtual_machine, "hypervisor", output_text(survey->hypervisor),
                     "may_realtime", machine->may_realtime, "realtime_throttle_us", (int)survey->realtime_throttle_us);
}

static json_t *stretches_json(const nnm_stretches *stretches)
{
    bool any = stretches->count > 0;
    return json_pack("{s:I, s:o, s:o}", "count", (json_int_t)stretches->count, "median_ms",
                     output_number(if_known(any, stretches->median_ms)), "p90_ms",
                     output_number(if_known(any, stretches->p90_ms)));
}

static json_t *clock_json(const nnm_noise *noise)
{
    bool known = noise->clock_ghz > 0;
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "ghz", output_number(if_known(known, noise->clock_ghz)),
                     "low_ghz", output_number(if_known(known, noise->clock_low_ghz)), "high_ghz",
                     output_number(if_known(known, noise->clock_high_ghz)), "spread",
                     output_number(noise->clock_spread), "drift", output_number(noise->clock_drift), "step",
                     output_number(noise->clock_step));
}

static json_t *sibling_json(const nnm_cpu_survey *cpu)
{
    bool shown = cpu->sibling == NNM_SIBLING_OURS || cpu->sibling == NNM_SIBLING_FOREIGN;
    return json_pack("{s:o, s:o, s:o}", "kind", output_text(doctor_sibling_name(cpu->sibling)), "cpu",
                     shown ? json_integer((json_int_t)cpu->sibling_cpu) : json_null(), "others_share",
                     output_number(cpu->sibling_others_share));
}

static json_t *cpu_json(const nnm_cpu_survey *cpu)
{
    const nnm_noise *noise = &cpu->noise;
    return json_pack("{s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "cpu", (int)cpu->cpu, "quiet_share",
                     output_number(noise->quiet_share), "slow_factor", output_number(noise->slow_factor), "quiet",
                     stretches_json(&noise->quiet), "slow", stretches_json(&noise->slow), "clock", clock_json(noise),
                     "got_share", output_number(noise->got_share), "steal_share", output_number(cpu->steal_share),
                     "others_share", output_number(cpu->others_share), "sibling", sibling_json(cpu));
}

static json_t *activity_json(const nnm_survey *survey)
{
    json_t *processes = json_array();
    for (size_t i = 0; i < survey->process_count; i++) {
        const nnm_busy_process *p = &survey->processes[i];
        output_append(&processes, json_pack("{s:i, s:o, s:o, s:i}", "pid", p->pid, "name", output_text(p->name), "cpus",
                                            output_number(p->cpus), "cpu", p->cpu));
    }
    return json_pack("{s:o, s:o, s:o, s:o}", "seconds", output_number(survey->seconds), "others_cpus",
                     output_number(survey->others_cpus), "hidden_cpus", output_number(survey->hidden_cpus), "processes",
                     processes);
}

static json_t *lines_json(const char (*lines)[NNM_VERDICT_BYTES], size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        output_append(&array, output_text(lines[i]));
    return array;
}

static json_t *verdict_json(const nnm_verdict *verdict)
{
    return json_pack("{s:s, s:o, s:o, s:o, s:o}", "fitness", nnm_fitness_name(verdict->fitness), "best_cpu",
                     verdict->best_cpu >= 0 ? json_integer(verdict->best_cpu) : json_null(), "summary",
                     output_text(verdict->summary), "reasons", lines_json(verdict->reasons, verdict->reason_count),
                     "help", lines_json(verdict->help, verdict->help_count));
}

int doctor_json(const findings *found)
{
    json_t *noise = json_array();
    for (size_t i = 0; i < found->survey.cpu_count; i++)
        output_append(&noise, cpu_json(&found->survey.cpus[i]));
    return output_json(json_pack("{s:o, s:o, s:o, s:o, s:o, s:b, s:o}", "machine", machine_json(&found->survey),
                                 "backends", backends_json(), "noise", noise, "activity", activity_json(&found->survey),
                                 "verdict", verdict_json(&found->verdict), "lock_free", found->lock_free, "lock_holder",
                                 output_text(found->lock_free ? NULL : found->lock_error.message)));
}
