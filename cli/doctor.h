/* What doctor found, between the file that finds and the one that writes JSON. */
#ifndef NNM_CLI_DOCTOR_H
#define NNM_CLI_DOCTOR_H

#include "commands.h"

typedef struct findings {
    nnm_survey survey;
    nnm_verdict verdict;
    bool lock_free;
    nnm_error lock_error; /* names the holder where it is not free */
} findings;

/* doctor_json.c; returns an exit code. */
int doctor_json(const findings *found);

const char *doctor_sibling_name(nnm_sibling sibling); /* "none", "ours", "foreign", "unknown" */

#endif
