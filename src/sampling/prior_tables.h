/* The built-in prior tables, data/prior/<family>.csv, as text. */
#ifndef NNM_SAMPLING_PRIOR_TABLES_H
#define NNM_SAMPLING_PRIOR_TABLES_H

typedef struct nnm_prior_table {
    const char *family; /* NULL ends the list */
    const char *csv;
} nnm_prior_table;

extern const nnm_prior_table nnm_prior_tables[];

#endif
