#include "config/yaml.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <yaml.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"

typedef struct reader {
    yaml_parser_t parser;
    const char *path;
    const char *text;
    size_t size;
    nnm_error *err;
} reader;

void nnm_yaml_free(nnm_yaml_node *node)
{
    if (!node) return;
    for (size_t i = 0; i < node->child_count; i++)
        nnm_yaml_free(node->children[i]);
    free(node->children);
    free(node->text);
    free(node);
}

bool nnm_yaml_is_null(const nnm_yaml_node *node)
{
    if (node->kind != NNM_YAML_SCALAR || !node->plain) return false;
    return node->text[0] == '\0' || strcmp(node->text, "~") == 0 || strcasecmp(node->text, "null") == 0;
}

const char *nnm_yaml_shown(const nnm_yaml_node *node, char text[NNM_YAML_SHOWN_BYTES])
{
    if (node->kind == NNM_YAML_MAPPING) return "a mapping";
    if (node->kind == NNM_YAML_SEQUENCE) return "a list";
    if (nnm_yaml_is_null(node)) return "nothing";
    size_t length = strlen(node->text), room = NNM_YAML_SHOWN_BYTES - 6; /* quotes, three dots, the end */
    size_t kept = length <= room ? length : room;
    while (kept < length && kept > 0 && ((unsigned char)node->text[kept] & 0xC0) == 0x80)
        kept--; /* not within a character */
    char *end = text;
    *end++ = node->plain ? '\'' : '"';
    for (size_t i = 0; i < kept; i++)
        *end++ = (unsigned char)node->text[i] < 0x20 ? ' ' : node->text[i];
    if (kept < length) {
        memcpy(end, "...", 3);
        end += 3;
    }
    *end++ = node->plain ? '\'' : '"';
    *end = '\0';
    return text;
}

/* True when the text of a line (1-based) has a tab before any other character but blanks. */
static bool indented_by_tab(const reader *r, size_t line)
{
    const char *p = r->text, *end = r->text + r->size;
    for (; line > 1 && p < end; line--) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        if (!newline) return false;
        p = newline + 1;
    }
    while (p < end && *p == ' ')
        p++;
    return p < end && *p == '\t';
}

static nnm_status fail_syntax(const reader *r)
{
    const yaml_parser_t *p = &r->parser;
    if (p->error == YAML_MEMORY_ERROR) return nnm_fail_memory(r->err);
    const char *problem = p->problem ? p->problem : "not YAML";
    if (p->error == YAML_READER_ERROR) { /* bytes that are no text; the parser knows only their position */
        size_t line = 1;
        for (size_t i = 0; i < p->problem_offset && i < r->size; i++)
            line += r->text[i] == '\n';
        return nnm_fail_at(r->err, NNM_ERR_PARSE, r->path, line, 0, "not readable as text: %s", problem);
    }
    size_t line = p->problem_mark.line + 1, column = p->problem_mark.column + 1;
    const char *hint = indented_by_tab(r, line) ? " (this line begins with a tab: indent with blanks)" : "";
    if (p->context)
        return nnm_fail_at(r->err, NNM_ERR_PARSE, r->path, line, column, "%s, %s%s", p->context, problem, hint);
    return nnm_fail_at(r->err, NNM_ERR_PARSE, r->path, line, column, "%s%s", problem, hint);
}

static nnm_status fail_here(const reader *r, const yaml_mark_t *mark, const char *message)
{
    return nnm_fail_at(r->err, NNM_ERR_VALUE, r->path, mark->line + 1, mark->column + 1, "%s", message);
}

static nnm_status next_event(reader *r, yaml_event_t *event)
{
    return yaml_parser_parse(&r->parser, event) ? NNM_OK : fail_syntax(r);
}

static nnm_status append(nnm_yaml_node *parent, nnm_yaml_node *child, nnm_error *err)
{
    void *children = parent->children;
    nnm_status status =
        nnm_grow(&children, &parent->child_capacity, parent->child_count + 1, sizeof *parent->children, err);
    if (status) return status;
    parent->children = children;
    parent->children[parent->child_count++] = child;
    return NNM_OK;
}

static nnm_status check_event(const reader *r, const yaml_event_t *event, size_t depth)
{
    const yaml_char_t *tag = NULL;
    if (event->type == YAML_ALIAS_EVENT)
        return fail_here(r, &event->start_mark, "an alias ('*name') is not accepted here: write the value out");
    if (depth > NNM_YAML_MAX_DEPTH) return fail_here(r, &event->start_mark, "nested too deep");
    if (event->type == YAML_SCALAR_EVENT) tag = event->data.scalar.tag;
    if (event->type == YAML_SEQUENCE_START_EVENT) tag = event->data.sequence_start.tag;
    if (event->type == YAML_MAPPING_START_EVENT) tag = event->data.mapping_start.tag;
    if (tag) return fail_here(r, &event->start_mark, "a tag ('!name') is not accepted here: write the plain value");
    return NNM_OK;
}

static nnm_status read_node(reader *r, const yaml_event_t *event, size_t depth, nnm_yaml_node **out);

/* Reads the children of a mapping or list up to its end. */
static nnm_status read_children(reader *r, nnm_yaml_node *node, size_t depth)
{
    for (;;) {
        yaml_event_t event;
        nnm_status status = next_event(r, &event);
        if (status) return status;
        nnm_yaml_node *child = NULL;
        bool end = event.type == YAML_MAPPING_END_EVENT || event.type == YAML_SEQUENCE_END_EVENT;
        if (!end) status = read_node(r, &event, depth + 1, &child);
        bool is_key = node->kind == NNM_YAML_MAPPING && node->child_count % 2 == 0;
        if (status == NNM_OK && child && is_key && child->kind != NNM_YAML_SCALAR)
            status = fail_here(r, &event.start_mark, "a key must be a word");
        if (status == NNM_OK && child) status = append(node, child, r->err);
        if (status) nnm_yaml_free(child);
        yaml_event_delete(&event);
        if (status || end) return status;
    }
}

static nnm_status read_scalar(reader *r, const yaml_event_t *event, nnm_yaml_node *node)
{
    const char *value = (const char *)event->data.scalar.value;
    size_t length = event->data.scalar.length;
    if (memchr(value, '\0', length)) return fail_here(r, &event->start_mark, "a zero character is not accepted here");
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    node->text = nnm_strdup(value);
    return node->text ? NNM_OK : nnm_fail_memory(r->err);
}

/* Makes the node that `event` begins; the event stays the caller's. Recursion ends at NNM_YAML_MAX_DEPTH. */
static nnm_status read_node(reader *r, const yaml_event_t *event, size_t depth, nnm_yaml_node **out)
{
    nnm_status status = check_event(r, event, depth);
    if (status) return status;
    nnm_yaml_node *node = nnm_calloc(1, sizeof *node);
    if (!node) return nnm_fail_memory(r->err);
    node->line = event->start_mark.line + 1;
    node->column = event->start_mark.column + 1;
    switch (event->type) {
    case YAML_SCALAR_EVENT: status = read_scalar(r, event, node); break;
    case YAML_MAPPING_START_EVENT:
        node->kind = NNM_YAML_MAPPING;
        status = read_children(r, node, depth);
        break;
    case YAML_SEQUENCE_START_EVENT:
        node->kind = NNM_YAML_SEQUENCE;
        status = read_children(r, node, depth);
        break;
    default: status = nnm_fail(r->err, NNM_ERR_INTERNAL, "unexpected YAML event %d", (int)event->type); break;
    }
    if (status)
        nnm_yaml_free(node);
    else
        *out = node;
    return status;
}

/* Reads events to the end of the stream; `*out` stays NULL when it holds no document. */
static nnm_status read_stream(reader *r, nnm_yaml_node **out)
{
    for (;;) {
        yaml_event_t event;
        nnm_status status = next_event(r, &event);
        if (status) return status;
        bool end = event.type == YAML_STREAM_END_EVENT;
        switch (event.type) {
        case YAML_NO_EVENT:
        case YAML_STREAM_START_EVENT:
        case YAML_STREAM_END_EVENT:
        case YAML_DOCUMENT_END_EVENT: break;
        case YAML_DOCUMENT_START_EVENT:
            if (*out) status = fail_here(r, &event.start_mark, "a second document begins here; only one is accepted");
            break;
        default: status = read_node(r, &event, 1, out); break;
        }
        yaml_event_delete(&event);
        if (status || end) return status;
    }
}

nnm_status nnm_yaml_parse(nnm_yaml_node **out, const char *text, size_t size_bytes, const char *path, nnm_error *err)
{
    if (size_bytes > NNM_YAML_MAX_BYTES)
        return nnm_fail_at(err, NNM_ERR_VALUE, path, 0, 0, "found %zu bytes; a configuration has at most %d",
                           size_bytes, NNM_YAML_MAX_BYTES);
    reader r = {.path = path, .text = text, .size = size_bytes, .err = err};
    if (!yaml_parser_initialize(&r.parser)) return nnm_fail_memory(err);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, size_bytes);
    nnm_yaml_node *root = NULL;
    nnm_status status = read_stream(&r, &root);
    if (status == NNM_OK && (!root || nnm_yaml_is_null(root)))
        status = nnm_fail_at(err, NNM_ERR_VALUE, path, 0, 0, "the file is empty: lines of 'KEY: value' are needed");
    if (status == NNM_OK) {
        *out = root;
        root = NULL;
    }
    nnm_yaml_free(root);
    yaml_parser_delete(&r.parser);
    return status;
}

nnm_status nnm_yaml_read(nnm_yaml_node **out, const char *path, nnm_error *err)
{
    char *text = NULL;
    size_t size = 0;
    nnm_status status = nnm_file_read(path, &text, &size, err);
    if (status) return status;
    status = nnm_yaml_parse(out, text, size, path, err);
    free(text);
    return status;
}
