/* Runs a fuzzer without libFuzzer: replay FOLDER COUNT feeds it every file of its corpus, and COUNT inputs that are
 * made from these by seeded mutations, so that every run is the same. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/rng.h"

#define MAX_FILES 64

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

typedef struct input {
    char *bytes;
    size_t size;
} input;

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The files of the corpus in the order of their names. */
static size_t load(const char *folder, input inputs[MAX_FILES])
{
    char *names[MAX_FILES];
    size_t count = 0;
    DIR *entries = opendir(folder);
    for (struct dirent *entry; entries && (entry = readdir(entries));)
        if (entry->d_name[0] != '.' && count < MAX_FILES) names[count++] = strdup(entry->d_name);
    if (entries) closedir(entries);
    qsort(names, count, sizeof *names, by_name);
    for (size_t i = 0; i < count; i++) {
        char path[4096];
        nnm_error err = NNM_ERROR_INIT;
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        if (nnm_file_read(path, &inputs[i].bytes, &inputs[i].size, &err)) {
            fprintf(stderr, "%s\n", err.message);
            exit(1);
        }
        free(names[i]);
    }
    return count;
}

/* Bytes change, go, or come from elsewhere in the input; one to four times. Returns the new size. */
static size_t mutate(nnm_rng *rng, char *bytes, size_t size)
{
    for (uint64_t times = 1 + nnm_rng_below(rng, 4); times && size; times--) {
        size_t at = (size_t)nnm_rng_below(rng, size), from = (size_t)nnm_rng_below(rng, size);
        size_t room = size - (at > from ? at : from), length = 1 + (size_t)nnm_rng_below(rng, room < 32 ? room : 32);
        switch (nnm_rng_below(rng, 5)) {
        case 0: bytes[at] = (char)nnm_rng_next(rng); break;
        case 1: bytes[at] ^= (char)(1 << nnm_rng_below(rng, 8)); break;
        case 2: memmove(bytes + at, bytes + from, length); break;
        case 3: memmove(bytes + at, bytes + at + length, size - at - length), size -= length; break;
        default: size = at; break;
        }
    }
    return size;
}

/* In memory of exactly its size, so that reading past its end is found. */
static void feed(const char *bytes, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy) abort();
    memcpy(copy, bytes, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

int main(int argc, char **argv)
{
    input inputs[MAX_FILES];
    size_t count = argc == 3 ? load(argv[1], inputs) : 0;
    if (count == 0) {
        fprintf(stderr, "usage: replay FOLDER COUNT, and the folder must hold something\n");
        return 2;
    }
    nnm_rng rng;
    nnm_rng_init(&rng, 1, 0);
    for (size_t i = 0; i < count; i++)
        feed(inputs[i].bytes, inputs[i].size);
    for (long left = atol(argv[2]); left > 0; left--) {
        const input *original = &inputs[nnm_rng_below(&rng, count)];
        char *bytes = malloc(original->size + 1);
        if (!bytes) abort();
        memcpy(bytes, original->bytes, original->size);
        feed(bytes, mutate(&rng, bytes, original->size));
        free(bytes);
    }
    for (size_t i = 0; i < count; i++)
        free(inputs[i].bytes);
    return 0;
}
