#include "store/repeats.h"

#include <stdlib.h>

#include "base/memory.h"
#include "store/record.h"
#include "store/shared.h"

void nnm_repeats_fini(nnm_repeats *repeats)
{
    free(repeats->first);
    free(repeats->second);
    *repeats = (nnm_repeats){0};
}

nnm_status nnm_repeats_add(nnm_repeats *repeats, double first, double second, nnm_error *err)
{
    void *firsts = repeats->first, *seconds = repeats->second;
    size_t count = repeats->count + 1;
    nnm_status status = nnm_grow(&firsts, &repeats->first_capacity, count, sizeof first, err);
    repeats->first = firsts;
    if (status == NNM_OK) status = nnm_grow(&seconds, &repeats->second_capacity, count, sizeof second, err);
    repeats->second = seconds;
    if (status) return status;
    repeats->first[repeats->count] = first;
    repeats->second[repeats->count] = second;
    repeats->count = count;
    return NNM_OK;
}

/* The label that the rounds of one pass make, ms; 0 where there are none. Brings those rounds to the front. */
static double label_of_pass(nnm_round *rounds, size_t count, unsigned pass)
{
    size_t taken = 0;
    for (size_t i = 0; i < count; i++) {
        if (rounds[i].pass != pass) continue;
        nnm_round other = rounds[taken];
        rounds[taken++] = rounds[i];
        rounds[i] = other;
    }
    if (taken == 0) return 0;
    double latency_ns, spread_ns;
    nnm_rounds_combine(rounds, taken, &latency_ns, &spread_ns);
    return latency_ns * 1e-6;
}

nnm_status nnm_repeats_read(nnm_repeats *repeats, nnm_journal *journal, const nnm_journal_source *source,
                            const nnm_kernel_data *data, nnm_error *err)
{
    nnm_status status = NNM_OK;
    for (size_t i = 0; i < data->count && status == NNM_OK; i++) {
        const nnm_kernel_record *record = &data->records[i];
        char subject[NNM_SUBJECT_BYTES];
        nnm_round *rounds = NULL;
        size_t count = 0;
        if (!record->has_latency) continue;
        nnm_record_describe(data->kernel, record, subject, sizeof subject);
        status =
            nnm_journal_shared_rounds(journal, source, data->kernel, record->id, subject, &rounds, &count, NULL, err);
        if (status) break;
        double first = label_of_pass(rounds, count, 0), second = label_of_pass(rounds, count, 1);
        if (first > 0 && second > 0) status = nnm_repeats_add(repeats, first, second, err);
        free(rounds);
    }
    return status;
}
