#include "bench/activity.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"

/* A process as /proc/PID/stat tells of it; times are in ticks. */
typedef struct process {
    int pid;
    unsigned long long ticks, began;
    int cpu;
    char name[32];
} process;

typedef struct cpu_ticks {
    unsigned cpu;
    unsigned long long busy, stolen;
} cpu_ticks;

typedef struct snapshot {
    process *processes; /* in the order of their pids */
    size_t process_count, process_capacity;
    cpu_ticks *cpus;
    size_t cpu_count, cpu_capacity;
    uint64_t when_ns;
} snapshot;

struct nnm_activity {
    snapshot begin, end;
    double tick_s;
};

static bool read_process(const char *pid, process *out)
{
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
    FILE *stream = fopen(path, "re");
    if (!stream) return false; /* it has ended */
    size_t length = fread(text, 1, sizeof text - 1, stream);
    fclose(stream);
    text[length] = '\0';
    /* The name stands in parentheses and may hold any byte, parentheses too. */
    char *open = strchr(text, '('), *close = strrchr(text, ')');
    if (!open || !close || close < open) return false;
    unsigned long long user = 0, system = 0, began = 0;
    int cpu = -1;
    int fields = sscanf(close + 1,
                        " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d %*d %*d %llu %*u %*d"
                        " %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*d %d",
                        &user, &system, &began, &cpu);
    if (fields < 3) return false;
    *out = (process){.pid = atoi(pid), .ticks = user + system, .began = began, .cpu = cpu};
    *close = '\0';
    snprintf(out->name, sizeof out->name, "%.31s", open + 1);
    for (char *byte = out->name; *byte; byte++)
        if ((unsigned char)*byte < ' ' || *byte == 0x7f) *byte = '?';
    return true;
}

static int by_pid(const void *a, const void *b)
{
    const process *left = a, *right = b;
    return (left->pid > right->pid) - (left->pid < right->pid);
}

static nnm_status read_processes(snapshot *s, nnm_error *err)
{
    DIR *folder = opendir("/proc");
    if (!folder) return NNM_OK;
    nnm_status status = NNM_OK;
    for (struct dirent *entry; status == NNM_OK && (entry = readdir(folder));) {
        process p;
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9' || !read_process(entry->d_name, &p)) continue;
        void *grown = s->processes;
        status = nnm_grow(&grown, &s->process_capacity, s->process_count + 1, sizeof p, err);
        s->processes = grown;
        if (status == NNM_OK) s->processes[s->process_count++] = p;
    }
    closedir(folder);
    if (s->process_count) qsort(s->processes, s->process_count, sizeof *s->processes, by_pid);
    return status;
}

/* Lines "cpu3 user nice system idle iowait irq softirq steal ...". */
static nnm_status read_cpus(snapshot *s, nnm_error *err)
{
    FILE *stream = fopen("/proc/stat", "re");
    if (!stream) return NNM_OK;
    char line[512];
    nnm_status status = NNM_OK;
    while (status == NNM_OK && fgets(line, sizeof line, stream) && strncmp(line, "cpu", 3) == 0) {
        cpu_ticks c = {0};
        unsigned long long user, nice, system, irq, softirq;
        if (line[3] < '0' || line[3] > '9') continue; /* the line of all CPUs together */
        if (sscanf(line, "cpu%u %llu %llu %llu %*u %*u %llu %llu %llu", &c.cpu, &user, &nice, &system, &irq, &softirq,
                   &c.stolen) != 7)
            continue;
        c.busy = user + nice + system + irq + softirq;
        void *grown = s->cpus;
        status = nnm_grow(&grown, &s->cpu_capacity, s->cpu_count + 1, sizeof c, err);
        s->cpus = grown;
        if (status == NNM_OK) s->cpus[s->cpu_count++] = c;
    }
    fclose(stream);
    return status;
}

static nnm_status take_snapshot(snapshot *s, nnm_error *err)
{
    s->when_ns = nnm_clock_ns();
    nnm_status status = read_cpus(s, err);
    return status == NNM_OK ? read_processes(s, err) : status;
}

nnm_status nnm_activity_begin(nnm_activity **out, nnm_error *err)
{
    nnm_activity *activity = nnm_calloc(1, sizeof *activity);
    if (!activity) return nnm_fail_memory(err);
    long ticks_per_s = sysconf(_SC_CLK_TCK);
    activity->tick_s = 1.0 / (double)(ticks_per_s > 0 ? ticks_per_s : 100);
    nnm_status status = take_snapshot(&activity->begin, err);
    if (status)
        nnm_activity_free(activity);
    else
        *out = activity;
    return status;
}

/* A number that went back belongs to another process with the same pid, or to a counter that the system corrected. */
static unsigned long long since(unsigned long long before, unsigned long long now)
{
    return now > before ? now - before : 0;
}

static const cpu_ticks *find_cpu(const snapshot *s, unsigned cpu)
{
    for (size_t i = 0; i < s->cpu_count; i++)
        if (s->cpus[i].cpu == cpu) return &s->cpus[i];
    return NULL;
}

nnm_cpu_time nnm_activity_of_cpu(const nnm_activity *a, unsigned cpu)
{
    const cpu_ticks *before = find_cpu(&a->begin, cpu), *now = find_cpu(&a->end, cpu);
    if (!before || !now) return (nnm_cpu_time){(double)NAN, (double)NAN};
    return (nnm_cpu_time){(double)since(before->busy, now->busy) * a->tick_s,
                          (double)since(before->stolen, now->stolen) * a->tick_s};
}

/* CPU time of a process since the beginning; one that began later counts whole. */
static double worked_s(const nnm_activity *a, const process *now)
{
    const process *before =
        a->begin.process_count ? bsearch(now, a->begin.processes, a->begin.process_count, sizeof *now, by_pid) : NULL;
    bool same = before && before->began == now->began;
    return (double)since(same ? before->ticks : 0, now->ticks) * a->tick_s;
}

static void add_process(nnm_survey *out, const process *p, double cpus)
{
    size_t place = out->process_count;
    while (place > 0 && out->processes[place - 1].cpus < cpus)
        place--;
    if (place == NNM_SURVEY_PROCESSES) return;
    if (out->process_count < NNM_SURVEY_PROCESSES) out->process_count++;
    memmove(&out->processes[place + 1], &out->processes[place],
            (out->process_count - 1 - place) * sizeof *out->processes);
    out->processes[place] = (nnm_busy_process){.pid = p->pid, .cpus = cpus, .cpu = p->cpu};
    memcpy(out->processes[place].name, p->name, sizeof p->name);
}

nnm_status nnm_activity_end(nnm_activity *a, nnm_survey *out, nnm_error *err)
{
    nnm_status status = take_snapshot(&a->end, err);
    if (status) return status;
    out->seconds = (double)(a->end.when_ns - a->begin.when_ns) * 1e-9;
    out->process_count = 0;
    double ours_s = 0, seen_s = 0, busy_s = 0;
    for (size_t i = 0; i < a->end.process_count; i++) {
        const process *p = &a->end.processes[i];
        double s = worked_s(a, p);
        if (p->pid == (int)getpid()) {
            ours_s = s;
            continue;
        }
        seen_s += s;
        if (s > 0) add_process(out, p, s / out->seconds);
    }
    for (size_t i = 0; i < a->end.cpu_count; i++)
        busy_s += nnm_activity_of_cpu(a, a->end.cpus[i].cpu).busy_s;
    bool known = a->begin.cpu_count && a->end.cpu_count && a->end.process_count;
    out->others_cpus = known ? fmax(busy_s - ours_s, 0) / out->seconds : (double)NAN;
    out->hidden_cpus = known ? fmax(busy_s - ours_s - seen_s, 0) / out->seconds : (double)NAN;
    return NNM_OK;
}

void nnm_activity_free(nnm_activity *a)
{
    if (!a) return;
    free(a->begin.processes);
    free(a->begin.cpus);
    free(a->end.processes);
    free(a->end.cpus);
    free(a);
}
