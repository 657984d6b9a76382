/* What is measured goes into the journal, and comes back. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "store/journal_db.h"

static const char add_run[] =
    "INSERT INTO run (began_unix_s, nnmeter_version, backend, runtime_version, threads, rounds, warmup_ms, sample_us,"
    " round_ms, budget_s, timeout_s, memory_limit_mib, cpu_setting, gate, host, cpu_name, kernel_release, governor,"
    " cpus, memory_gib, load, clock_ghz, timer_ns, may_realtime, optimization, implement, settings)"
    " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";
static const char add_round[] =
    "INSERT INTO round (run, kernel, kernel_id, config, began_unix_s, estimate_ns, open_ns, wall_ns, calls_per_sample,"
    " sample_count, quiet_count, reference_best_ns, clock_ns, cpu, pass, realtime, measured_ns, waited_ns, sample_ns,"
    " reference_ns, sample_clock_ns) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";
static const char add_failure[] =
    "INSERT INTO failure (run, kernel, kernel_id, config, failed_unix_s, code, code_name, message, pass)"
    " VALUES (?,?,?,?,?,?,?,?,?)";
/* A journal of version 1 does not tell optimization and implement: they are '' there, which may be any. Every text
 * holds the empty identity of a backend without settings of its own. */
#define FROM_SOURCE                                                                                            \
    " kernel = ? AND kernel_id = ? AND config = ? AND backend = ? AND threads = ? AND optimization IN ('', ?)" \
    " AND implement IN ('', ?) AND instr(settings, ?) > 0"
static const char get_rounds[] =
    "SELECT r.began_unix_s, estimate_ns, open_ns, wall_ns, calls_per_sample, sample_count, quiet_count,"
    " reference_best_ns, clock_ns, cpu, pass, realtime, measured_ns, waited_ns, sample_ns, reference_ns,"
    " sample_clock_ns FROM round AS r JOIN run ON run.id = r.run WHERE" FROM_SOURCE " ORDER BY r.id";
static const char get_last_failure[] =
    "SELECT max(failed_unix_s) FROM failure JOIN run ON run.id = failure.run WHERE" FROM_SOURCE " AND pass = 0";

/* Rounds of version 1 were compared with the fastest reference seen, and have no clock beside each sample; those of
 * backends that time models themselves have no references. */
static const char get_quiet_state[] =
    "SELECT reference_best_ns, clock_ns FROM round AS r JOIN run ON run.id = r.run WHERE host = ? AND cpu_name = ?"
    " AND (?3 IS NULL OR instr(settings, '" NNM_JOURNAL_REFERENCE
    "' || ?3 || char(10)) > 0) AND quiet_count > 0 AND sample_clock_ns IS NOT NULL AND gate > 0"
    " AND reference_best_ns > 0 ORDER BY r.id DESC LIMIT 1";

/* ---- writing ---- */

nnm_status nnm_journal_begin(nnm_journal *journal, const nnm_journal_run *run, int64_t *run_id, nnm_error *err)
{
    nnm_journal_statement b = {0};
    nnm_status status = nnm_journal_use(&b, journal, add_run, err);
    if (status) return status;
    const nnm_protocol *protocol = run->protocol;
    const nnm_machine *machine = run->machine;
    nnm_bind_real(&b, nnm_unix_time_s());
    nnm_bind_text(&b, nnm_version());
    nnm_bind_text(&b, run->source.backend);
    nnm_bind_text(&b, run->runtime_version);
    nnm_bind_whole(&b, run->source.threads);
    nnm_bind_whole(&b, protocol->rounds);
    nnm_bind_real(&b, protocol->warmup_ms);
    nnm_bind_real(&b, protocol->sample_us);
    nnm_bind_real(&b, protocol->round_ms);
    nnm_bind_real(&b, protocol->budget_s);
    nnm_bind_real(&b, protocol->timeout_s);
    nnm_bind_whole(&b, protocol->memory_limit_mib == NNM_MEMORY_LIMIT_AUTO ? -1 : (int64_t)protocol->memory_limit_mib);
    nnm_bind_whole(&b, protocol->cpu);
    nnm_bind_real(&b, protocol->gate);
    nnm_bind_text(&b, machine->host);
    nnm_bind_text(&b, machine->cpu);
    nnm_bind_text(&b, machine->kernel_release);
    nnm_bind_text(&b, machine->governor);
    nnm_bind_whole(&b, machine->cpus);
    nnm_bind_real(&b, machine->memory_gib);
    nnm_bind_real(&b, machine->load);
    nnm_bind_real(&b, machine->clock_ghz);
    nnm_bind_real(&b, machine->timer_ns);
    nnm_bind_whole(&b, machine->may_realtime);
    nnm_bind_text(&b, run->source.optimization);
    nnm_bind_text(&b, run->source.implement);
    nnm_bind_text(&b, run->settings);
    return nnm_journal_insert(&b, run_id, err);
}

static void encode(const double *values, size_t count, unsigned char *bytes)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t bits = 0;
        memcpy(&bits, &values[i], sizeof bits);
        for (int byte = 0; byte < 8; byte++)
            *bytes++ = (unsigned char)(bits >> (8 * byte));
    }
}

static void decode(const unsigned char *bytes, size_t count, double *values)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t bits = 0;
        for (int byte = 0; byte < 8; byte++)
            bits |= (uint64_t)*bytes++ << (8 * byte);
        memcpy(&values[i], &bits, sizeof bits);
    }
}

/* A number that is not finite would be stored as nothing, and nothing can be derived from it. */
static nnm_status check_round(const nnm_round *round, nnm_error *err)
{
    const double numbers[] = {round->estimate_ns, round->open_ns,     round->wall_ns,     round->reference_best_ns,
                              round->clock_ns,    round->unix_time_s, round->measured_ns, round->waited_ns};
    bool finite = true;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        finite = finite && isfinite(numbers[i]);
    if (finite && round->estimate_ns > 0 && round->sample_count >= 1 && round->sample_count <= NNM_MAX_SAMPLES)
        return NNM_OK;
    return nnm_fail(err, NNM_ERR_INVALID_ARGUMENT,
                    "a round of %zu samples and %g ns is none: it has 1 to %d samples and finite times",
                    round->sample_count, round->estimate_ns, NNM_MAX_SAMPLES);
}

nnm_status nnm_journal_add_round(nnm_journal *journal, int64_t run_id, const nnm_kernel *kernel, const char *id,
                                 const char *config, const nnm_round *round, nnm_error *err)
{
    nnm_status status = check_round(round, err);
    if (status) return status;
    nnm_journal_statement b = {0};
    status = nnm_journal_use(&b, journal, add_round, err);
    if (status) return status;
    unsigned char samples[8 * NNM_MAX_SAMPLES], references[8 * NNM_MAX_SAMPLES], clocks[8 * NNM_MAX_SAMPLES];
    encode(round->sample_ns, round->sample_count, samples);
    encode(round->reference_ns, round->sample_count, references);
    encode(round->sample_clock_ns, round->sample_count, clocks);
    nnm_bind_whole(&b, run_id);
    nnm_bind_text(&b, nnm_kernel_name(kernel));
    nnm_bind_text(&b, id);
    nnm_bind_text(&b, config);
    nnm_bind_real(&b, round->unix_time_s);
    nnm_bind_real(&b, round->estimate_ns);
    nnm_bind_real(&b, round->open_ns);
    nnm_bind_real(&b, round->wall_ns);
    nnm_bind_whole(&b, (int64_t)round->calls_per_sample);
    nnm_bind_whole(&b, (int64_t)round->sample_count);
    nnm_bind_whole(&b, (int64_t)round->quiet_count);
    nnm_bind_real(&b, round->reference_best_ns);
    nnm_bind_real(&b, round->clock_ns);
    nnm_bind_whole(&b, round->cpu);
    nnm_bind_whole(&b, round->pass);
    nnm_bind_whole(&b, round->realtime);
    nnm_bind_real(&b, round->measured_ns);
    nnm_bind_real(&b, round->waited_ns);
    nnm_bind_bytes(&b, samples, 8 * round->sample_count);
    nnm_bind_bytes(&b, references, 8 * round->sample_count);
    nnm_bind_bytes(&b, clocks, 8 * round->sample_count);
    return nnm_journal_insert(&b, NULL, err);
}

nnm_status nnm_journal_add_failure(nnm_journal *journal, int64_t run_id, const nnm_kernel *kernel, const char *id,
                                   const char *config, unsigned pass, const nnm_error *failure, nnm_error *err)
{
    nnm_journal_statement b = {0};
    nnm_status status = nnm_journal_use(&b, journal, add_failure, err);
    if (status) return status;
    nnm_bind_whole(&b, run_id);
    nnm_bind_text(&b, nnm_kernel_name(kernel));
    nnm_bind_text(&b, id);
    nnm_bind_text(&b, config);
    nnm_bind_real(&b, nnm_unix_time_s());
    nnm_bind_whole(&b, failure->code);
    nnm_bind_text(&b, nnm_status_name(failure->code));
    nnm_bind_text(&b, failure->message);
    nnm_bind_whole(&b, pass);
    return nnm_journal_insert(&b, NULL, err);
}

/* ---- reading ---- */

static nnm_status read_samples(const nnm_journal *journal, sqlite3_stmt *query, int column, size_t count,
                               double *values, nnm_error *err)
{
    const void *bytes = sqlite3_column_blob(query, column);
    if (!bytes || sqlite3_column_bytes(query, column) != (int)(8 * count))
        return nnm_fail(err, NNM_ERR_PARSE, "%s is damaged: a round has lost its samples", journal->path);
    decode(bytes, count, values);
    return NNM_OK;
}

static nnm_status read_round(const nnm_journal *journal, sqlite3_stmt *query, bool with_samples, nnm_round *round,
                             nnm_error *err)
{
    memset(round, 0, sizeof *round);
    round->unix_time_s = sqlite3_column_double(query, 0);
    round->estimate_ns = sqlite3_column_double(query, 1);
    round->open_ns = sqlite3_column_double(query, 2);
    round->wall_ns = sqlite3_column_double(query, 3);
    round->calls_per_sample = (size_t)sqlite3_column_int64(query, 4);
    int64_t sample_count = sqlite3_column_int64(query, 5);
    round->quiet_count = (size_t)sqlite3_column_int64(query, 6);
    round->reference_best_ns = sqlite3_column_double(query, 7);
    round->clock_ns = sqlite3_column_double(query, 8);
    round->cpu = sqlite3_column_int(query, 9);
    round->pass = (unsigned)sqlite3_column_int(query, 10);
    round->realtime = sqlite3_column_int(query, 11) != 0;
    round->measured_ns = sqlite3_column_double(query, 12);
    round->waited_ns = sqlite3_column_double(query, 13);
    if (sample_count < 1 || sample_count > NNM_MAX_SAMPLES)
        return nnm_fail(err, NNM_ERR_PARSE, "%s is damaged: a round has %lld samples", journal->path,
                        (long long)sample_count);
    round->sample_count = (size_t)sample_count;
    if (check_round(round, NULL) != NNM_OK)
        return nnm_fail(err, NNM_ERR_PARSE, "%s is damaged: a round took %g ns", journal->path, round->estimate_ns);
    if (!with_samples) return NNM_OK;
    nnm_status status = read_samples(journal, query, 14, round->sample_count, round->sample_ns, err);
    if (status == NNM_OK) status = read_samples(journal, query, 15, round->sample_count, round->reference_ns, err);
    if (status || sqlite3_column_type(query, 16) == SQLITE_NULL) return status; /* measured before version 2 */
    return read_samples(journal, query, 16, round->sample_count, round->sample_clock_ns, err);
}

static void bind_source(nnm_journal_statement *s, const nnm_journal_source *source, const nnm_kernel *kernel,
                        const char *id, const char *config)
{
    nnm_bind_text(s, nnm_kernel_name(kernel));
    nnm_bind_text(s, id);
    nnm_bind_text(s, config);
    nnm_bind_text(s, source->backend);
    nnm_bind_whole(s, source->threads);
    nnm_bind_text(s, source->optimization);
    nnm_bind_text(s, source->implement);
    nnm_bind_text(s, source->identity);
}

nnm_status nnm_journal_rounds(nnm_journal *journal, const nnm_journal_source *source, const nnm_kernel *kernel,
                              const char *id, const char *config, bool with_samples, nnm_round **rounds, size_t *count,
                              nnm_error *err)
{
    nnm_journal_statement query = {0};
    nnm_status status = nnm_journal_use(&query, journal, get_rounds, err);
    if (status) return status;
    nnm_round *found = NULL;
    size_t found_count = 0, capacity = 0;
    bind_source(&query, source, kernel, id, config);
    while (status == NNM_OK && nnm_journal_next(&query)) {
        void *array = found;
        status = nnm_grow(&array, &capacity, found_count + 1, sizeof *found, err);
        if (status) break;
        found = array;
        status = read_round(journal, query.statement, with_samples, &found[found_count], err);
        found_count++;
    }
    nnm_status done = nnm_journal_done(&query, "read the journal", status ? NULL : err);
    if (status == NNM_OK) status = done;
    if (status == NNM_OK) {
        *rounds = found;
        *count = found_count;
    } else {
        free(found);
    }
    return status;
}

nnm_status nnm_journal_last_failure(nnm_journal *journal, const nnm_journal_source *source, const nnm_kernel *kernel,
                                    const char *id, const char *config, double *unix_time_s, nnm_error *err)
{
    nnm_journal_statement query = {0};
    nnm_status status = nnm_journal_use(&query, journal, get_last_failure, err);
    if (status) return status;
    bind_source(&query, source, kernel, id, config);
    double found = nnm_journal_next(&query) ? sqlite3_column_double(query.statement, 0) : 0; /* nothing: 0 */
    status = nnm_journal_done(&query, "read the journal", err);
    if (status == NNM_OK) *unix_time_s = found;
    return status;
}

nnm_status nnm_journal_quiet_state(nnm_journal *journal, const nnm_machine *machine, const char *reference,
                                   double *reference_ns, double *clock_ns, nnm_error *err)
{
    nnm_journal_statement query = {0};
    nnm_status status = nnm_journal_use(&query, journal, get_quiet_state, err);
    if (status) return status;
    nnm_bind_text(&query, machine->host);
    nnm_bind_text(&query, machine->cpu);
    nnm_bind_text(&query, reference);
    bool found = nnm_journal_next(&query);
    double best_ns = found ? sqlite3_column_double(query.statement, 0) : 0;
    double clock = found ? sqlite3_column_double(query.statement, 1) : 0;
    status = nnm_journal_done(&query, "read the journal", err);
    if (status) return status;
    *reference_ns = best_ns;
    *clock_ns = clock;
    return NNM_OK;
}
