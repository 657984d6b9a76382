#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "config/backend_settings.h"
#include "config/files.h"

#define DEFAULT_BACKEND "xnnpack_cpu"

static const char *const memory_words[] = {"auto"};
static const char *const cpu_words[] = {"auto", "none"};
static const char *const optimization_words[] = {"all", "extended", "basic", "disable"}; /* nnm_optimization */

#define MEMBER(member) offsetof(nnm_backend_config, member)

static const nnm_option options[] = {
    {.key = "BACKEND",
     .type = NNM_OPTION_NAME,
     .offset = MEMBER(backend),
     .comment = "The runtime that kernels are timed on; 'nn-meter --list-backends' shows what there is."},
    {.key = "THREADS",
     .type = NNM_OPTION_UNSIGNED,
     .offset = MEMBER(threads),
     .minimum = 1,
     .maximum = 256,
     .comment = "Threads the runtime may use."},
    {.key = "GRAPH_OPTIMIZATION",
     .type = NNM_OPTION_WORD,
     .offset = MEMBER(optimization),
     .words = optimization_words,
     .word_count = 4,
     .comment = "What ONNX Runtime may do to a model before it runs; other runtimes have no such setting."},
    {.key = "LIBRARY_PATH",
     .type = NNM_OPTION_FILE,
     .offset = MEMBER(library_path),
     .comment = "The shared library of ONNX Runtime, when it shall be another one than the one that is found."},
    {.key = "NODE_TIMES",
     .type = NNM_OPTION_BOOLEAN,
     .offset = MEMBER(node_times),
     .comment = "Whether ONNX Runtime is asked once for each kernel how long every node takes, for the journal.\n"
                "It is asked apart from measuring, in a session of its own; other runtimes cannot tell."},
    {.key = "ROUNDS",
     .type = NNM_OPTION_UNSIGNED,
     .offset = MEMBER(protocol.rounds),
     .minimum = 1,
     .maximum = NNM_MAX_ROUNDS,
     .comment = "How often a kernel is measured at least, each time at another moment and with the model loaded\n"
                "anew. Its latency is the middle of the rounds. More rounds help more than longer ones."},
    {.key = "MAX_ROUNDS",
     .type = NNM_OPTION_UNSIGNED,
     .offset = MEMBER(protocol.max_rounds),
     .minimum = 1,
     .maximum = NNM_MAX_ROUNDS,
     .comment = "How often at most; at least ROUNDS."},
    {.key = "TARGET_ERROR",
     .type = NNM_OPTION_REAL,
     .offset = MEMBER(protocol.target_error),
     .minimum = 0,
     .maximum = 1,
     .comment = "A kernel gets no further rounds once the standard error of its latency is at most this share of it."},
    {.key = "WARMUP_MS",
     .type = NNM_OPTION_REAL,
     .offset = MEMBER(protocol.warmup_ms),
     .minimum = 0.001,
     .maximum = 60000,
     .comment = "Milliseconds of calls before the first sample of a round; at least one call is made."},
    {.key = "SAMPLE_US",
     .type = NNM_OPTION_REAL,
     .offset = MEMBER(protocol.sample_us),
     .minimum = 0.1,
     .maximum = 10000000,
     .comment = "Microseconds a sample lasts at least: short kernels are called many times within one."},
    {.key = "ROUND_MS",
     .type = NNM_OPTION_REAL,
     .offset = MEMBER(protocol.round_ms),
     .minimum = 0.001,
     .maximum = 600000,
     .comment = "Milliseconds of quiet samples in a round; at least five samples are taken."},
    {.key = "BUDGET_S",
     .type = NNM_OPTION_REAL,
     .offset = MEMBER(protocol.budget_s),
     .minimum = 0.001,
     .maximum = 86400,
     .comment = "Seconds after which a kernel gets no further rounds, so that giants do not hold up the rest."},
    {.key = "TIMEOUT_S",
     .type = NNM_OPTION_REAL,
     .offset = MEMBER(protocol.timeout_s),
     .minimum = 0.001,
     .maximum = 86400,
     .comment = "Seconds after which a round (load, warm-up, samples) is ended and counts as failed."},
    {.key = "MEMORY_LIMIT_MIB",
     .type = NNM_OPTION_CPU, /* a number or a word, -1 of which is NNM_MEMORY_LIMIT_AUTO */
     .offset = MEMBER(protocol.memory_limit_mib),
     .minimum = 0,
     .maximum = 16777216,
     .words = memory_words,
     .word_count = 1,
     .comment =
         "MiB of memory that one kernel may take; a kernel that needs more fails. 0: no limit; auto: nine tenths\n"
         "of the machine's memory."},
    {.key = "CPU",
     .type = NNM_OPTION_CPU,
     .offset = MEMBER(protocol.cpu),
     .minimum = 0,
     .maximum = 1023,
     .words = cpu_words,
     .word_count = 2,
     .comment = "The CPU that measuring is bound to. auto: rounds take turns on the quietest; none: bound to none."},
    {.key = "GATE",
     .type = NNM_OPTION_REAL,
     .offset = MEMBER(protocol.gate),
     .minimum = 0,
     .maximum = 1,
     .comment =
         "A sample is disturbed when the machine was, just before or just after it, slower than its quiet state\n"
         "by more than this share. 0: every sample counts as quiet, and as it was measured."},
    {.key = "CLOCK_GATE",
     .type = NNM_OPTION_REAL,
     .offset = MEMBER(protocol.clock_gate),
     .minimum = 0,
     .maximum = 1,
     .comment =
         "A sample is quiet when the machine was within this share of its quiet state, neither slower nor faster,\n"
         "and is waited for: for machines whose clock has few steps. 0: only GATE counts."},
    {.key = "NORMALISE",
     .type = NNM_OPTION_BOOLEAN,
     .offset = MEMBER(protocol.normalise),
     .comment = "Whether samples are brought to the machine's quiet state by the reference beside them."},
    {.key = "WAIT_S",
     .type = NNM_OPTION_REAL,
     .offset = MEMBER(protocol.wait_s),
     .minimum = 0,
     .maximum = 86400,
     .comment = "Seconds that a kernel waits in all for quiet moments, some in each round."},
    {.key = "REALTIME",
     .type = NNM_OPTION_BOOLEAN,
     .offset = MEMBER(protocol.realtime),
     .comment = "Whether kernels run under real-time scheduling where that is permitted."},
};
#define OPTION_COUNT (sizeof options / sizeof *options)

const nnm_option *nnm_backend_options(size_t *count)
{
    *count = OPTION_COUNT;
    return options;
}

nnm_backend_config nnm_backend_config_default(const char *backend)
{
    nnm_backend_config config = {.threads = 1, .protocol = NNM_PROTOCOL_INIT};
    strncat(config.backend, backend, sizeof config.backend - 1);
    return config;
}

static nnm_status fail_backend(const nnm_yaml_node *node, const char *path, const nnm_known_backend *backends,
                               size_t count, nnm_error *err)
{
    if (!node)
        return nnm_fail_at(err, NNM_ERR_VALUE, path, 0, 0, "BACKEND is missing, and '%s', its default, is not built in",
                           DEFAULT_BACKEND);
    const char **names = nnm_calloc(count, sizeof *names);
    if (!names) return nnm_fail_memory(err);
    for (size_t i = 0; i < count; i++)
        names[i] = backends[i].name;
    nnm_status status = nnm_option_unknown(node, path, "backend", names, count, err);
    free(names);
    return status;
}

/* The backend that BACKEND names, without which nobody knows what keys there are. One that is no name at all is left to
 * the reader of options: `*out` is then one without keys. */
static nnm_status find_backend(const nnm_yaml_node *root, const char *path, const nnm_known_backend *backends,
                               size_t count, const nnm_known_backend **out, nnm_error *err)
{
    static const nnm_known_backend none = {.name = ""};
    const nnm_yaml_node *node = NULL;
    for (size_t i = 0; root->kind == NNM_YAML_MAPPING && i + 1 < root->child_count && !node; i += 2)
        if (strcmp(root->children[i]->text, "BACKEND") == 0) node = root->children[i + 1];
    bool named = node && node->kind == NNM_YAML_SCALAR && !nnm_yaml_is_null(node) && node->text[0] != '\0';
    const char *name = named ? node->text : DEFAULT_BACKEND;
    *out = &none;
    if (root->kind != NNM_YAML_MAPPING || (node && !named)) return NNM_OK;
    for (size_t i = 0; i < count; i++)
        if (strcmp(name, backends[i].name) == 0) *out = &backends[i];
    if (*out != &none || strlen(name) >= NNM_KERNEL_NAME_BYTES) return NNM_OK;
    return fail_backend(node, path, backends, count, err);
}

static const nnm_yaml_node *node_of(const nnm_yaml_node *const *found, const char *key)
{
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (strcmp(options[i].key, key) == 0) return found[i];
    return NULL;
}

/* Files that were written before there was MAX_ROUNDS may have any ROUNDS. */
static nnm_status settle_rounds(nnm_backend_config *config, const nnm_yaml_node *const *found, const char *path,
                                nnm_error *err)
{
    nnm_protocol *protocol = &config->protocol;
    const nnm_yaml_node *node = node_of(found, "MAX_ROUNDS");
    if (protocol->max_rounds >= protocol->rounds) return NNM_OK;
    if (node)
        return nnm_fail_at(err, NNM_ERR_VALUE, path, node->line, node->column,
                           "MAX_ROUNDS: found '%u', need at least ROUNDS, which is %u", protocol->max_rounds,
                           protocol->rounds);
    protocol->max_rounds = protocol->rounds;
    return NNM_OK;
}

/* The configuration and, behind it, what the backend's own keys are read into: one table of options for both. */
typedef struct reading {
    nnm_backend_config config;
    nnm_setting_value own[NNM_MAX_SETTINGS];
} reading;

static nnm_status read_keys(nnm_backend_config *out, const nnm_yaml_node *root, const char *path,
                            const nnm_known_backend *backend, nnm_error *err)
{
    nnm_option all[OPTION_COUNT + NNM_MAX_SETTINGS];
    const nnm_yaml_node *found[OPTION_COUNT + NNM_MAX_SETTINGS] = {NULL};
    reading r = {.config = nnm_backend_config_default(DEFAULT_BACKEND)};
    memcpy(all, options, sizeof options);
    for (size_t i = 0; i < backend->setting_count; i++)
        all[OPTION_COUNT + i] = nnm_setting_option(backend, i, offsetof(reading, own) + i * sizeof(nnm_setting_value));
    nnm_status status = nnm_options_read(all, OPTION_COUNT + backend->setting_count, root, path, &r, found, err);
    if (status == NNM_OK) status = settle_rounds(&r.config, found, path, err);
    nnm_status taken = nnm_settings_take(r.config.settings, backend, r.own, found + OPTION_COUNT, status ? NULL : err);
    if (status == NNM_OK) status = taken;
    if (status)
        nnm_backend_config_fini(&r.config);
    else
        *out = r.config;
    return status;
}

nnm_status nnm_backend_config_read(nnm_backend_config *out, const char *path, const nnm_known_backend *backends,
                                   size_t backend_count, nnm_error *err)
{
    nnm_yaml_node *root = NULL;
    const nnm_known_backend *backend = NULL;
    nnm_status status = nnm_yaml_read(&root, path, err);
    if (status) return status;
    status = find_backend(root, path, backends, backend_count, &backend, err);
    if (status == NNM_OK) status = read_keys(out, root, path, backend, err);
    nnm_yaml_free(root);
    return status;
}

void nnm_backend_config_fini(nnm_backend_config *config)
{
    free(config->library_path);
    for (size_t i = 0; i < NNM_MAX_SETTINGS; i++)
        free(config->settings[i]);
    *config = (nnm_backend_config){0};
}

static const char *value_of(const nnm_backend_config *config, const nnm_known_backend *backend, size_t index)
{
    return config->settings[index] ? config->settings[index] : backend->settings[index].initial;
}

static void describe_settings(const nnm_backend_config *config, const nnm_known_backend *backend, bool identifying,
                              nnm_buffer *text)
{
    for (size_t i = 0; i < backend->setting_count; i++)
        if (backend->settings[i].identifies == identifying)
            nnm_buffer_printf(text, "%s: %s\n", backend->settings[i].key,
                              value_of(config, backend, i) ? value_of(config, backend, i) : "");
}

void nnm_backend_config_describe(const nnm_backend_config *config, const nnm_known_backend *backend, nnm_buffer *text)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        nnm_buffer_printf(text, "%s: ", options[i].key);
        nnm_option_format(&options[i], config, text);
        nnm_buffer_text(text, "\n");
    }
    describe_settings(config, backend, true, text);
    describe_settings(config, backend, false, text);
}

void nnm_backend_config_identify(const nnm_backend_config *config, const nnm_known_backend *backend, char *text,
                                 size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < backend->setting_count && used < size; i++) {
        const char *value = value_of(config, backend, i);
        if (!backend->settings[i].identifies) continue;
        used += (size_t)snprintf(text + used, size - used, "%s: %s\n", backend->settings[i].key, value ? value : "");
    }
}

const char *nnm_optimization_name(nnm_optimization optimization)
{
    return optimization_words[optimization];
}

static bool is_among(const char *key, const char *const *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(key, keys[i]) == 0) return true;
    return false;
}

/* Whether a key means something to a backend. */
static bool concerns(const char *key, const nnm_known_backend *backend)
{
    static const char *const timing[] = {"GRAPH_OPTIMIZATION", "LIBRARY_PATH", "NODE_TIMES", "SAMPLE_US", "CPU", "GATE",
                                         "CLOCK_GATE",         "NORMALISE",    "WAIT_S",     "REALTIME"};
    static const char *const running[] = {"WARMUP_MS", "ROUND_MS"};
    if (backend->times_itself && is_among(key, timing, sizeof timing / sizeof *timing)) return false;
    return !backend->simulated || !is_among(key, running, sizeof running / sizeof *running);
}

nnm_status nnm_backend_config_write(const nnm_backend_config *config, const nnm_known_backend *backend,
                                    const char *path, nnm_error *err)
{
    nnm_buffer text = {0};
    nnm_buffer_text(&text, "# How kernels are timed. Keys that are left out have the values of a new workspace.\n");
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (!concerns(options[i].key, backend)) continue;
        nnm_buffer_text(&text, "\n");
        nnm_option_write(&options[i], config, 0, true, &text);
    }
    for (size_t i = 0; i < backend->setting_count; i++) {
        nnm_buffer_text(&text, "\n");
        nnm_setting_write(&backend->settings[i], value_of(config, backend, i), true, &text);
    }
    nnm_status status = nnm_buffer_check(&text, err);
    if (status == NNM_OK) status = nnm_file_write(path, text.data, text.size, err);
    nnm_buffer_fini(&text);
    return status;
}
