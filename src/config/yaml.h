/*
 * A YAML file as a small tree that knows the line and column of every node.
 *
 * Configuration files are simple, and so is what is accepted: one document, at most NNM_YAML_MAX_DEPTH levels and
 * NNM_YAML_MAX_BYTES bytes, no aliases (a few of them can stand for gigabytes) and no tags.
 */
#ifndef NNM_CONFIG_YAML_H
#define NNM_CONFIG_YAML_H

#include <stdbool.h>

#include "nnmeter/status.h"

#define NNM_YAML_MAX_DEPTH 8
#define NNM_YAML_MAX_BYTES (1024 * 1024)

typedef enum nnm_yaml_kind {
    NNM_YAML_SCALAR = 0,
    NNM_YAML_MAPPING,
    NNM_YAML_SEQUENCE
} nnm_yaml_kind;

typedef struct nnm_yaml_node {
    nnm_yaml_kind kind;
    size_t line, column;             /* 1-based, where it begins */
    char *text;                      /* of a scalar */
    bool plain;                      /* a scalar without quotes */
    struct nnm_yaml_node **children; /* mapping: key, value, key, value, ...; keys are scalars */
    size_t child_count, child_capacity;
} nnm_yaml_node;

/* Reads a file. Errors: NOT_FOUND, IO, NO_MEMORY, PARSE (not YAML), VALUE (YAML of a kind that is not accepted; a file
 * without content), both with line and column. Freed by nnm_yaml_free. */
NNM_NODISCARD nnm_status nnm_yaml_read(nnm_yaml_node **out, const char *path, nnm_error *err);

/* The same for text in memory; `path` is for messages. */
NNM_NODISCARD nnm_status nnm_yaml_parse(nnm_yaml_node **out, const char *text, size_t size_bytes, const char *path,
                                        nnm_error *err);
void nnm_yaml_free(nnm_yaml_node *node); /* NULL is allowed */

/* What a node is, as messages call it: "'text'", "nothing", "a list", "a mapping". */
#define NNM_YAML_SHOWN_BYTES 80
const char *nnm_yaml_shown(const nnm_yaml_node *node, char text[NNM_YAML_SHOWN_BYTES]);

/* True for what YAML reads as null: no text at all, "~" or "null", without quotes. */
bool nnm_yaml_is_null(const nnm_yaml_node *node);

#endif
