/* What describes the package of a customised kernel: a meta file, and the same keys as an entry of the registry. */
#ifndef NNM_PLUGINS_META_H
#define NNM_PLUGINS_META_H

#include "base/buffer.h"
#include "config/yaml.h"
#include "nnmeter/registry.h"

typedef enum nnm_meta_key {
    NNM_META_BUILTIN_NAME = 0,
    NNM_META_IMPLEMENT,
    NNM_META_PACKAGE_LOCATION,
    NNM_META_CLASS_MODULE,
    NNM_META_CLASS_NAME,
    NNM_META_SAMPLER_MODULE,
    NNM_META_SAMPLER_NAME,
    NNM_META_PARSER_MODULE,
    NNM_META_PARSER_NAME,
    NNM_META_KEYS
} nnm_meta_key;

typedef struct nnm_kernel_meta {
    char *value[NNM_META_KEYS]; /* owned */
    nnm_layout layout;          /* what IMPLEMENT means */
} nnm_kernel_meta;

/* Reads a meta file. Whether package and modules are there is not looked at.
 * Errors: NOT_FOUND, IO, PARSE, VALUE with file, line and key. Ended by nnm_kernel_meta_fini, which a zeroed one allows
 * too. */
NNM_NODISCARD nnm_status nnm_kernel_meta_read(nnm_kernel_meta *out, const char *path, nnm_error *err);

/* The same of a mapping; `name` is the builtin_name where the mapping has no such key, NULL where it must have one. */
NNM_NODISCARD nnm_status nnm_kernel_meta_of(nnm_kernel_meta *out, const nnm_yaml_node *mapping, const char *path,
                                            const char *name, nnm_error *err);
void nnm_kernel_meta_fini(nnm_kernel_meta *meta);

/* Appends the entry of the registry file, under the key that is its name. */
void nnm_kernel_meta_write(const nnm_kernel_meta *meta, nnm_buffer *text);

/* Names may have what file names and YAML keys can do without quotes. */
bool nnm_kernel_name_is_allowed(const char *name);

#endif
