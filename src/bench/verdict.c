/* What a survey means for measuring, in words. docs/measurement.md gives the reasons for the thresholds. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "nnmeter/survey.h"

#define QUIET_FIT 0.8         /* waiting for quiet moments adds a quarter to the time */
#define QUIET_UNFIT 0.2       /* it multiplies the time by five */
#define STRETCH_FIT_MS 1.0    /* a few samples fit into a quiet stretch */
#define STRETCH_UNFIT_MS 0.25 /* a sample of 0.2 ms with its references hardly does */
#define OTHERS_LIMITED 0.2    /* CPUs that others keep busy */
#define OTHERS_LEAVE 0.5      /* CPUs that they must leave to us */
#define PROCESS_NAMED 0.1     /* CPUs from which a process is named */
#define SIBLING_BUSY 0.05
#define STEAL_LIMITED 0.01
#define STEAL_UNFIT 0.1
#define GOT_LIMITED 0.95
#define DRIFT_LIMITED 0.05
#define DRIFT_NAMED 0.025
#define MEMORY_LIMITED_GIB 1.0
#define TIMER_LIMITED_NS 1000.0
#define SAME_SPEED 1.08 /* the gate's width: what is slower would not pass as quiet */

const char *nnm_fitness_name(nnm_fitness fitness)
{
    switch (fitness) {
    case NNM_FIT: return "fit";
    case NNM_FIT_LIMITED: return "limited";
    case NNM_UNFIT: return "unfit";
    case NNM_FITNESS_UNKNOWN: break;
    }
    return "unknown";
}

static void add_line(char lines[][NNM_VERDICT_BYTES], size_t *count, const char *format, va_list arguments)
    NNM_PRINTF(3, 0);

static void add_line(char lines[][NNM_VERDICT_BYTES], size_t *count, const char *format, va_list arguments)
{
    if (*count < NNM_VERDICT_LINES) vsnprintf(lines[(*count)++], NNM_VERDICT_BYTES, format, arguments);
}

/* A reason that allows for `at_best`. */
static void reason(nnm_verdict *v, nnm_fitness at_best, const char *format, ...) NNM_PRINTF(3, 4);

static void reason(nnm_verdict *v, nnm_fitness at_best, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add_line(v->reasons, &v->reason_count, format, arguments);
    va_end(arguments);
    if (at_best > v->fitness) v->fitness = at_best;
}

static void help(nnm_verdict *v, const char *format, ...) NNM_PRINTF(2, 3);

static void help(nnm_verdict *v, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add_line(v->help, &v->help_count, format, arguments);
    va_end(arguments);
}

static double fastest(const nnm_survey *s)
{
    double best = (double)INFINITY;
    for (size_t i = 0; i < s->cpu_count; i++)
        best = fmin(best, s->cpus[i].noise.best_ns);
    return best;
}

/* The CPU that is quiet most of the time, among those that reach the full speed. */
static const nnm_cpu_survey *choose_cpu(const nnm_survey *s)
{
    const nnm_cpu_survey *best = NULL;
    for (size_t i = 0; i < s->cpu_count; i++) {
        const nnm_cpu_survey *cpu = &s->cpus[i];
        if (cpu->noise.best_ns > SAME_SPEED * fastest(s)) continue;
        if (!best || cpu->noise.quiet_share > best->noise.quiet_share) best = cpu;
    }
    return best;
}

/* ---- who else works here ---- */

static void judge_others(nnm_verdict *v, const nnm_survey *s)
{
    bool many = s->others_cpus >= OTHERS_LIMITED; /* false where it is unknown */
    for (size_t i = 0; i < s->process_count; i++) {
        const nnm_busy_process *p = &s->processes[i];
        if (p->cpus < PROCESS_NAMED) continue;
        reason(
            v, p->cpus >= OTHERS_LIMITED || many ? NNM_FIT_LIMITED : NNM_FIT,
            "Another process is busy: '%s' (process %d, last seen on CPU %d) used %.0f %% of a CPU. Even from another "
            "CPU it takes cache, memory bandwidth and clock away.",
            p->name, p->pid, p->cpu, 100 * p->cpus);
        help(v, "Let '%s' (process %d) finish, or stop it while you profile: kill -STOP %d, later kill -CONT %d.",
             p->name, p->pid, p->pid, p->pid);
    }
    if (s->hidden_cpus >= OTHERS_LIMITED) {
        reason(v, NNM_FIT_LIMITED,
               "Processes that cannot be seen from here, or have ended meanwhile, kept %.1f CPUs busy.",
               s->hidden_cpus);
        help(v, "Look at the machine from outside this container, or while no short-lived programs are started.");
    } else if (many && (s->process_count == 0 || s->processes[0].cpus < PROCESS_NAMED)) {
        reason(v, NNM_FIT_LIMITED, "Many small processes together kept %.1f CPUs busy.", s->others_cpus);
    }
    if (s->others_cpus > (double)s->machine.cpus - OTHERS_LEAVE)
        reason(v, NNM_UNFIT, "Others keep %.1f CPUs busy, and this process may use %u: none is left to measure on.",
               s->others_cpus, s->machine.cpus);
}

/* ---- the CPU that would be measured on ---- */

static void judge_quiet(nnm_verdict *v, const nnm_survey *s, const nnm_cpu_survey *cpu)
{
    const nnm_noise *n = &cpu->noise;
    if (n->quiet_share < QUIET_FIT) {
        reason(
            v, n->quiet_share < QUIET_UNFIT ? NNM_UNFIT : NNM_FIT_LIMITED,
            "CPU %u is quiet only %.0f %% of the time, else %.2f times slower; profiling waits for quiet moments and "
            "takes about %.1f times as long.",
            cpu->cpu, 100 * n->quiet_share, n->slow_factor, 1 / fmax(n->quiet_share, 0.01));
    }
    if (n->slow.count && n->quiet.median_ms < STRETCH_FIT_MS)
        reason(v, n->quiet.median_ms < STRETCH_UNFIT_MS ? NNM_UNFIT : NNM_FIT_LIMITED,
               "Half of the quiet stretches of CPU %u are shorter than %.2f ms; a sample takes 0.2 ms.", cpu->cpu,
               n->quiet.median_ms);
    bool alone = n->got_share >= GOT_LIMITED && !(cpu->steal_share >= STEAL_LIMITED) &&
                 !(s->others_cpus >= OTHERS_LIMITED) && !(cpu->sibling_others_share >= SIBLING_BUSY);
    if (n->quiet_share < QUIET_FIT && alone) {
        reason(v, NNM_FIT_LIMITED,
               "Nothing on this system explains that: %s works on the other hardware thread of the core, or on the "
               "same caches.",
               s->virtual_machine ? "somebody outside this virtual machine" : "something");
        help(v, "%s",
             s->virtual_machine ? "Ask the host for whole cores, or profile at another hour."
                                : "Switch the other hardware threads off: echo off | sudo tee "
                                  "/sys/devices/system/cpu/smt/control.");
    }
    if (n->got_share < GOT_LIMITED)
        reason(v, NNM_FIT_LIMITED, "Of the time we wanted CPU %u, we had it for %.0f %% only.", cpu->cpu,
               100 * n->got_share);
}

static void judge_steal(nnm_verdict *v, const nnm_cpu_survey *cpu)
{
    if (!(cpu->steal_share >= STEAL_LIMITED)) return;
    reason(v, cpu->steal_share >= STEAL_UNFIT ? NNM_UNFIT : NNM_FIT_LIMITED,
           "The host gave CPU %u to somebody else for %.1f %% of the time it wanted to run (steal).", cpu->cpu,
           100 * cpu->steal_share);
    help(v, "Steal can only be helped on the host: dedicated CPUs, or fewer machines beside this one.");
}

static void judge_sibling(nnm_verdict *v, const nnm_cpu_survey *cpu)
{
    if (!(cpu->sibling_others_share >= SIBLING_BUSY)) return;
    reason(v, NNM_FIT_LIMITED,
           "The other hardware thread of its core, CPU %u, worked for other processes %.0f %% of the time%s.",
           cpu->sibling_cpu, 100 * cpu->sibling_others_share,
           cpu->sibling == NNM_SIBLING_FOREIGN ? ", and it is not ours" : "");
    help(v,
         "Switch that hardware thread off while you profile: echo 0 | sudo tee /sys/devices/system/cpu/cpu%u/online.",
         cpu->sibling_cpu);
}

static void judge_clock(nnm_verdict *v, const nnm_survey *s, const nnm_cpu_survey *cpu)
{
    const nnm_noise *n = &cpu->noise;
    if (n->clock_drift >= DRIFT_NAMED)
        reason(v, n->clock_drift >= DRIFT_LIMITED ? NNM_FIT_LIMITED : NNM_FIT,
               "The clock of CPU %u moved by %.1f %% while we looked (largest step %.1f %%); latencies move with it.",
               cpu->cpu, 100 * n->clock_drift, 100 * n->clock_step);
    if (*s->machine.governor && strcmp(s->machine.governor, "performance") != 0)
        help(v,
             "The frequency governor is '%s'; a steady clock needs: echo performance | sudo tee "
             "/sys/devices/system/cpu/cpu*/cpufreq/scaling_governor.",
             s->machine.governor);
    if (n->clock_drift >= DRIFT_NAMED && strcmp(s->turbo, "on") == 0)
        help(v, "Turbo is on, which makes the clock follow temperature and neighbours; switch it off if steady labels "
                "matter more than fast ones.");
}

static void judge_slower_cpus(nnm_verdict *v, const nnm_survey *s, const nnm_cpu_survey *chosen)
{
    for (size_t i = 0; i < s->cpu_count; i++) {
        const nnm_cpu_survey *cpu = &s->cpus[i];
        double factor = cpu->noise.best_ns / chosen->noise.best_ns;
        if (cpu == chosen || factor <= SAME_SPEED) continue;
        reason(v, NNM_FIT,
               "CPU %u was never as fast as CPU %u (%.2f times slower at its best): its core is of another kind, or "
               "its other hardware thread was busy all the time.",
               cpu->cpu, chosen->cpu, factor);
    }
}

static void judge_rest(nnm_verdict *v, const nnm_survey *s)
{
    const nnm_machine *m = &s->machine;
    if (s->available_gib > 0 && s->available_gib < MEMORY_LIMITED_GIB)
        reason(v, NNM_FIT_LIMITED, "Only %.2f GiB of memory are free; large kernels fail or make the system swap.",
               s->available_gib);
    if (m->timer_ns > TIMER_LIMITED_NS) {
        reason(v, NNM_FIT_LIMITED, "Reading the clock takes %.0f ns (clock source '%s').", m->timer_ns,
               *s->clock_source ? s->clock_source : "unknown");
        help(v, "A cheaper clock source, where the machine has one: echo tsc | sudo tee "
                "/sys/devices/system/clocksource/clocksource0/current_clocksource.");
    }
    if (!m->may_realtime)
        help(v,
             "Real-time scheduling is not permitted; this command grants it to this program: sudo setcap "
             "cap_sys_nice=ep %s",
             *s->program ? s->program : "nn-meter");
}

static void summarise(nnm_verdict *v, const nnm_cpu_survey *cpu)
{
    double quiet = 100 * cpu->noise.quiet_share;
    switch (v->fitness) {
    case NNM_FIT:
        snprintf(v->summary, sizeof v->summary,
                 "Fit for profiling: CPU %u is quiet %.0f %% of the time, and nobody else needs much of this machine.",
                 cpu->cpu, quiet);
        break;
    case NNM_FIT_LIMITED:
        snprintf(v->summary, sizeof v->summary,
                 "Fit for profiling with limits: CPU %u is the best choice, quiet %.0f %% of the time; some kernels "
                 "will repeat badly or take long.",
                 cpu->cpu, quiet);
        break;
    default:
        snprintf(v->summary, sizeof v->summary,
                 "Not fit for profiling now: even CPU %u, the best choice, is quiet %.0f %% of the time and disturbed "
                 "beyond what waiting mends.",
                 cpu->cpu, quiet);
    }
}

void nnm_survey_judge(const nnm_survey *s, nnm_verdict *out)
{
    memset(out, 0, sizeof *out);
    out->best_cpu = -1;
    const nnm_cpu_survey *cpu = choose_cpu(s);
    if (!cpu) {
        snprintf(out->summary, sizeof out->summary, "Not known: the CPUs were not watched.");
        return;
    }
    out->fitness = NNM_FIT;
    out->best_cpu = (int)cpu->cpu;
    judge_others(out, s);
    judge_quiet(out, s, cpu);
    judge_steal(out, cpu);
    judge_sibling(out, cpu);
    judge_clock(out, s, cpu);
    judge_slower_cpus(out, s, cpu);
    judge_rest(out, s);
    summarise(out, cpu);
}
