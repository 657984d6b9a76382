/* JSON of files that people edit: what is wrong is told with its place and, where that can be seen, how to mend it. */
#ifndef NNM_STORE_JSON_TEXT_H
#define NNM_STORE_JSON_TEXT_H

#include <stddef.h>

#include <jansson.h>

#include "nnmeter/status.h"

/* Reads a text; a byte-order mark is skipped, a key that stands twice in an object is refused. `path` is for messages.
 * Errors: PARSE with line and column, NO_MEMORY. */
NNM_NODISCARD nnm_status nnm_json_parse(json_t **out, const char *text, size_t size_bytes, const char *path,
                                        nnm_error *err);

typedef struct nnm_text_place {
    size_t line, column; /* 1-based, a character a column; 0: not found */
} nnm_text_place;

/* Where the key `inner` stands in the object that is the value of the key `outer` of the outermost object. `text` was
 * read by nnm_json_parse. Keys that are written with escapes are not found. */
nnm_text_place nnm_json_find(const char *text, size_t size_bytes, const char *outer, const char *inner);

#endif
