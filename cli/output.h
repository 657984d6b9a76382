/* What the tool says: data on stdout, talk on stderr, colours and the progress line only on a terminal. */
#ifndef NNM_CLI_OUTPUT_H
#define NNM_CLI_OUTPUT_H

#include <jansson.h>

#include "nnmeter/hooks.h"
#include "nnmeter/status.h"

/* Looks at what stdout and stderr are. Call once, first. */
void output_begin(void);
/* Clears the progress line and flushes stdout; returns `code`, or 1 when what was printed could not be written. */
int output_end(int code);

/* Hooks that show log lines and progress on stderr. */
const nnm_hooks *output_hooks(void);
/* The same for work that can be asked to stop: the first SIGINT or SIGTERM asks, the second ends the program at once.
 */
const nnm_hooks *output_stoppable_hooks(void);

/* ---- talk ---- */

void output_log(const char *format, ...) NNM_PRINTF(1, 2);     /* "(nn-Meter) ..." */
void output_warning(const char *format, ...) NNM_PRINTF(1, 2); /* "(nn-Meter) warning: ..." */
void output_error(const char *command, const char *message);   /* "nn-meter COMMAND: message" */

/* ---- data ---- */

void output_heading(const char *text);                                       /* a line, bold on a terminal */
void output_pair(const char *key, const char *format, ...) NNM_PRINTF(2, 3); /* "key             value" */

/* Each writes into `text` and returns it. */
#define OUTPUT_CELL_BYTES 32
char *output_seconds(double seconds, char text[OUTPUT_CELL_BYTES]); /* "8.4 s", "3 min 05 s", "2 h 10 min" */
char *output_share(double share, char text[OUTPUT_CELL_BYTES]);     /* "97.3 %"; "-" for NaN */
char *output_ms(double milliseconds, char text[OUTPUT_CELL_BYTES]); /* "0.0123 ms"; "-" for NaN */

double if_known(bool known, double value); /* NaN for what is not known */

json_t *output_number(double value);   /* null where it is not finite */
json_t *output_text(const char *text); /* bytes that are not UTF-8 become '?'; null for NULL */
/* Appends and takes over `value`; an array that could not take it becomes NULL, which output_json tells. */
void output_append(json_t **array, json_t *value);
/* Prints one object in one line and gives it back. Returns an exit code. */
int output_json(json_t *object);

#endif
