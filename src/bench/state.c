#include "bench/state.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/number.h"
#include "bench/memory.h"
#include "bench/reference.h"

#define STATE_BYTES 1024
#define PATH_BYTES 512
#define REFERENCE_MIN_NS 100.0
#define REFERENCE_MAX_NS 1e7

static const char head[] = "nn-meter quiet state 1\n";

static uint64_t hash(const char *text, size_t length)
{
    uint64_t value = UINT64_C(0xCBF29CE484222325); /* FNV-1a */
    for (size_t i = 0; i < length; i++)
        value = (value ^ (unsigned char)text[i]) * UINT64_C(0x100000001B3);
    return value;
}

/* The time of a loop depends on how it was compiled, so builds that differ in that have a file each. */
static void state_path(char *out, size_t size)
{
    char build[256];
    int length = snprintf(build, sizeof build, "%s %d", nnm_reference_build(), nnm_memory_is_watched());
    snprintf(out, size, "/tmp/nnmeter-machine-%08x.state", (unsigned)(hash(build, (size_t)length) & UINT32_MAX));
}

/* Which machine, and which of its starts: a virtual machine may wake up on another host. */
static void describe_machine(char *out, size_t size)
{
    nnm_machine machine;
    char boot[64] = "";
    FILE *stream = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (stream && !fgets(boot, sizeof boot, stream)) boot[0] = '\0';
    if (stream) fclose(stream);
    boot[strcspn(boot, "\n")] = '\0';
    nnm_machine_describe(&machine);
    snprintf(out, size, "boot %s\ncpu %s\n", boot, machine.cpu);
}

static bool is_sane(double reference_ns)
{
    return isfinite(reference_ns) && reference_ns >= REFERENCE_MIN_NS && reference_ns <= REFERENCE_MAX_NS;
}

/* ---- reading ---- */

/* Not through links, not from pipes, and not what another user left there. */
static size_t read_text(const char *path, char text[STATE_BYTES])
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return 0;
    ssize_t got = 0;
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_nlink == 1 &&
        (info.st_uid == geteuid() || info.st_uid == 0) && !(info.st_mode & (S_IWGRP | S_IWOTH)))
        got = read(fd, text, STATE_BYTES - 1);
    close(fd);
    size_t length = got > 0 ? (size_t)got : 0;
    text[length] = '\0';
    return strlen(text) == length ? length : 0;
}

/* "name value\n" at `*text`, which is moved behind it. */
static bool take_number(const char **text, const char *name, double *out)
{
    char value[40];
    size_t name_length = strlen(name);
    const char *end = strchr(*text, '\n');
    if (!end || strncmp(*text, name, name_length) != 0 || (*text)[name_length] != ' ') return false;
    const char *begin = *text + name_length + 1;
    if (begin >= end || (size_t)(end - begin) >= sizeof value) return false;
    memcpy(value, begin, (size_t)(end - begin));
    value[end - begin] = '\0';
    *text = end + 1;
    return nnm_parse_double(value, out);
}

static bool take_text(const char **text, const char *expected)
{
    size_t length = strlen(expected);
    if (strncmp(*text, expected, length) != 0) return false;
    *text += length;
    return true;
}

bool nnm_machine_state_read_at(nnm_machine_state *out, const char *path)
{
    char text[STATE_BYTES], machine[256], sum[40];
    if (read_text(path, text) == 0) return false;
    describe_machine(machine, sizeof machine);
    const char *at = text;
    nnm_machine_state state;
    if (!take_text(&at, head) || !take_text(&at, machine) || !take_number(&at, "throughput_ns", &state.reference_ns) ||
        !take_number(&at, "latency_ns", &state.clock_ns) || !take_number(&at, "found_unix_s", &state.found_unix_s))
        return false;
    snprintf(sum, sizeof sum, "sum %016llx\n", (unsigned long long)hash(text, (size_t)(at - text)));
    if (strcmp(at, sum) != 0) return false;
    if (!is_sane(state.reference_ns) || !is_sane(state.clock_ns) || !isfinite(state.found_unix_s)) return false;
    *out = state;
    return true;
}

bool nnm_machine_state_read(nnm_machine_state *out)
{
    char path[PATH_BYTES];
    state_path(path, sizeof path);
    return nnm_machine_state_read_at(out, path);
}

/* ---- writing ---- */

static size_t write_text(const nnm_machine_state *state, char text[STATE_BYTES])
{
    char machine[256], reference[40], clock[40], found[40];
    describe_machine(machine, sizeof machine);
    int length = snprintf(text, STATE_BYTES, "%s%sthroughput_ns %s\nlatency_ns %s\nfound_unix_s %s\n", head, machine,
                          nnm_format_double(state->reference_ns, reference, sizeof reference),
                          nnm_format_double(state->clock_ns, clock, sizeof clock),
                          nnm_format_double(state->found_unix_s, found, sizeof found));
    int sum = snprintf(text + length, STATE_BYTES - (size_t)length, "sum %016llx\n",
                       (unsigned long long)hash(text, (size_t)length));
    return (size_t)(length + sum);
}

static nnm_status fail_write(const char *path, nnm_error *err)
{
    return nnm_fail_errno(err, "cannot write down the quiet state of this machine in '%s'", path);
}

/* A new file beside it that takes its name: a link of that name is replaced, and not followed. */
nnm_status nnm_machine_state_write_at(const nnm_machine_state *state, const char *path, nnm_error *err)
{
    char text[STATE_BYTES], temporary[PATH_BYTES + 16];
    if (!is_sane(state->reference_ns) || !is_sane(state->clock_ns))
        return nnm_fail(err, NNM_ERR_VALUE, "a quiet state of %g and %g ns cannot be", state->reference_ns,
                        state->clock_ns);
    size_t length = write_text(state, text);
    snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0) return fail_write(path, err);
    bool written = write(fd, text, length) == (ssize_t)length && fchmod(fd, 0644) == 0;
    int number = errno;
    if (close(fd) != 0 && written) {
        written = false;
        number = errno;
    }
    if (written && rename(temporary, path) == 0) return NNM_OK;
    if (written) number = errno;
    (void)unlink(temporary);
    errno = number;
    return fail_write(path, err);
}

nnm_status nnm_machine_state_write(const nnm_machine_lock *lock, const nnm_machine_state *state, nnm_error *err)
{
    char path[PATH_BYTES];
    if (!lock) return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT, "the machine's lock is not held");
    state_path(path, sizeof path);
    return nnm_machine_state_write_at(state, path, err);
}
