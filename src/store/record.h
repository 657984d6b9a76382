/* One kernel record as text. */
#ifndef NNM_STORE_RECORD_H
#define NNM_STORE_RECORD_H

#include "nnmeter/kernel_data.h"

#define NNM_SUBJECT_BYTES 256

/* What a record's rounds are filed under: its configuration, and its batch size where that is not 1. */
char *nnm_record_describe(const nnm_kernel *kernel, const nnm_kernel_record *record, char *text, size_t size);

/* The other way round; texts that are no description leave `record` as it is. */
void nnm_record_take_description(const nnm_kernel *kernel, nnm_kernel_record *record, const char *text);

/* The entry of a configuration file, as one line of JSON. The caller frees `*out`. */
NNM_NODISCARD nnm_status nnm_record_format(const nnm_kernel *kernel, const nnm_kernel_record *record, char **out,
                                           nnm_error *err);

/* Reads such a line and adds it to `data` as `id`. Errors: PARSE, VALUE, EXISTS. */
NNM_NODISCARD nnm_status nnm_record_add_parsed(nnm_kernel_data *data, const char *id, const char *entry,
                                               nnm_error *err);

/* Writes a file anew, whatever an old one holds. */
typedef enum nnm_write_parts {
    NNM_WRITE_CONFIGS = 0, /* all but the latency */
    NNM_WRITE_LATENCIES,   /* records that have a latency, the latency alone */
    NNM_WRITE_EVERYTHING,  /* records that have a latency */
    NNM_WRITE_ALL          /* every record, with its latency where it has one */
} nnm_write_parts;
NNM_NODISCARD nnm_status nnm_kernel_data_write(const nnm_kernel_data *data, const char *path, nnm_write_parts which,
                                               nnm_error *err);

#endif
