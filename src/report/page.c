#include "report/page.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"

static void kernel_fini(nnm_report_kernel *kernel)
{
    free(kernel->tests);
    free(kernel->labels);
    free(kernel->marks);
    free(kernel->sweep.steps);
    free(kernel->sweep.near);
}

static void texts_fini(char **texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(texts[i]);
    free(texts);
}

void nnm_report_page_fini(nnm_report_page *page)
{
    for (size_t i = 0; i < page->kernel_count; i++)
        kernel_fini(&page->kernels[i]);
    free(page->kernels);
    free(page->machines);
    free(page->failures);
    texts_fini(page->notes, page->note_count);
    texts_fini(page->not_begun, page->not_begun_count);
    nnm_buffer_fini(&page->settings);
    free(page->workspace);
    *page = (nnm_report_page){0};
}

nnm_status nnm_report_add_text(char ***list, size_t *count, size_t *capacity, const char *text, nnm_error *err)
{
    void *array = *list;
    char *copy = nnm_strdup(text);
    nnm_status status = copy ? nnm_grow(&array, capacity, *count + 1, sizeof **list, err) : nnm_fail_memory(err);
    if (status) {
        free(copy);
        return status;
    }
    *list = array;
    (*list)[(*count)++] = copy;
    return NNM_OK;
}
