#include "plugins/module.h"

#include <dirent.h>
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/closest.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"

#define SUFFIX ".so"
#define MAX_NAMES 4096
#define MAX_MODULE_BYTES (1LL << 30)

/* ---- names that were meant ---- */

typedef struct name_list {
    char **items;
    size_t count;
} name_list;

/* What does not fit, or finds no memory, is not suggested. */
static void add_name(name_list *list, const char *name, size_t length)
{
    if (list->count == MAX_NAMES) return;
    if (!list->items) list->items = nnm_calloc(MAX_NAMES, sizeof *list->items);
    char *copy = list->items ? nnm_format("%.*s", (int)length, name) : NULL;
    if (copy) list->items[list->count++] = copy;
}

static void name_list_fini(name_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
}

static nnm_status fail_unknown(const char *text, const name_list *names, const char *what, nnm_error *err)
{
    const char *closest = nnm_closest(text, (const char *const *)names->items, names->count);
    if (closest) return nnm_fail(err, NNM_ERR_NOT_FOUND, "%s; did you mean '%s'?", what, closest);
    char known[256] = "";
    for (size_t i = 0, used = 0; i < names->count && used < sizeof known - 1; i++)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", names->items[i]);
    return nnm_fail(err, NNM_ERR_NOT_FOUND, "%s; it has %s", what, *known ? known : "none");
}

/* ---- the file ---- */

static nnm_status fail_no_module(const char *folder, const char *module, nnm_error *err)
{
    name_list names = {0};
    DIR *files = opendir(folder);
    if (!files) return nnm_fail(err, NNM_ERR_NOT_FOUND, "there is no package folder '%s' (package_location)", folder);
    for (struct dirent *file; (file = readdir(files));) {
        size_t length = strlen(file->d_name), suffix = strlen(SUFFIX);
        if (length > suffix && strcmp(file->d_name + length - suffix, SUFFIX) == 0)
            add_name(&names, file->d_name, length - suffix);
    }
    closedir(files);
    char what[NNM_ERROR_MESSAGE_BYTES];
    snprintf(what, sizeof what, "package '%s' has no module '%s" SUFFIX "'", folder, module);
    nnm_status status = fail_unknown(module, &names, what, err);
    name_list_fini(&names);
    return status;
}

static const char *machine_name(unsigned machine)
{
    switch (machine) {
    case EM_X86_64: return "x86-64";
    case EM_386: return "x86";
    case EM_AARCH64: return "AArch64";
    case EM_ARM: return "ARM";
    case EM_RISCV: return "RISC-V";
    case EM_PPC64: return "PowerPC 64";
    case EM_S390: return "S/390";
    case EM_LOONGARCH: return "LoongArch";
    default: return "another architecture";
    }
}

/* The first bytes of an ELF file, which are the same in 32 and 64 bits. */
static bool read_header(const char *path, Elf64_Ehdr *header)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t got = read(fd, header, sizeof *header);
    close(fd);
    return got == sizeof *header && memcmp(header->e_ident, ELFMAG, SELFMAG) == 0;
}

static nnm_status check_architecture(const char *path, nnm_error *err)
{
    Elf64_Ehdr header, ours;
    if (!read_header(path, &header) || header.e_type != ET_DYN)
        return nnm_fail(err, NNM_ERR_UNSUPPORTED, "'%s' is not a shared object (compile with -shared -fPIC)", path);
    if (!read_header("/proc/self/exe", &ours)) return NNM_OK; /* dlopen will tell */
    if (header.e_machine == ours.e_machine && header.e_ident[EI_CLASS] == ours.e_ident[EI_CLASS] &&
        header.e_ident[EI_DATA] == ours.e_ident[EI_DATA])
        return NNM_OK;
    return nnm_fail(err, NNM_ERR_UNSUPPORTED, "'%s' is for %s; this machine is %s", path,
                    machine_name(header.e_machine), machine_name(ours.e_machine));
}

nnm_status nnm_module_check(const char *folder, const char *module, nnm_error *err)
{
    char *path = nnm_format("%s/%s" SUFFIX, folder, module);
    if (!path) return nnm_fail_memory(err);
    nnm_status status = nnm_file_exists(path) ? check_architecture(path, err) : fail_no_module(folder, module, err);
    free(path);
    return status;
}

/* ---- symbols ---- */

typedef struct elf_bytes {
    const char *data;
    size_t size;
} elf_bytes;

/* A part of the file, or NULL where it has no such part. */
static const void *part(const elf_bytes *elf, uint64_t offset, uint64_t size)
{
    return offset <= elf->size && size <= elf->size - offset ? elf->data + offset : NULL;
}

/* Names of one table of dynamic symbols that the module defines. */
static void list_table(const elf_bytes *elf, const Elf64_Shdr *table, const Elf64_Shdr *strings, name_list *out)
{
    const char *text = part(elf, strings->sh_offset, strings->sh_size);
    for (uint64_t at = 0; text && at + sizeof(Elf64_Sym) <= table->sh_size; at += sizeof(Elf64_Sym)) {
        Elf64_Sym symbol;
        const void *bytes = part(elf, table->sh_offset + at, sizeof symbol);
        if (!bytes) return;
        memcpy(&symbol, bytes, sizeof symbol);
        if (symbol.st_shndx == SHN_UNDEF || symbol.st_name >= strings->sh_size) continue;
        const char *name = text + symbol.st_name;
        size_t length = strnlen(name, strings->sh_size - symbol.st_name);
        if (length && name[0] != '_') add_name(out, name, length);
    }
}

/* Only modules of 64-bit machines; of others nothing is suggested. */
static void list_symbols(const elf_bytes *elf, name_list *out)
{
    Elf64_Ehdr header;
    const void *bytes = part(elf, 0, sizeof header);
    if (!bytes) return;
    memcpy(&header, bytes, sizeof header);
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_shentsize != sizeof(Elf64_Shdr)) return;
    for (unsigned i = 0; i < header.e_shnum; i++) {
        Elf64_Shdr table, strings;
        const void *entry = part(elf, header.e_shoff + i * sizeof table, sizeof table);
        if (!entry) return;
        memcpy(&table, entry, sizeof table);
        if (table.sh_type != SHT_DYNSYM || table.sh_link >= header.e_shnum) continue;
        entry = part(elf, header.e_shoff + table.sh_link * sizeof strings, sizeof strings);
        if (!entry) return;
        memcpy(&strings, entry, sizeof strings);
        list_table(elf, &table, &strings, out);
    }
}

static nnm_status fail_no_symbol(const char *path, const char *symbol, nnm_error *err)
{
    name_list names = {0};
    char *data = NULL, what[NNM_ERROR_MESSAGE_BYTES];
    elf_bytes elf = {0};
    if (nnm_file_check(path, MAX_MODULE_BYTES, "a module", NULL) == NNM_OK &&
        nnm_file_read(path, &data, &elf.size, NULL) == NNM_OK) {
        elf.data = data;
        list_symbols(&elf, &names);
    }
    snprintf(what, sizeof what, "module '%s' has no symbol '%s'", path, symbol);
    nnm_status status = fail_unknown(symbol, &names, what, err);
    name_list_fini(&names);
    free(data);
    return status;
}

nnm_status nnm_module_find(const void **out, const char *folder, const char *module, const char *symbol, nnm_error *err)
{
    nnm_status status = nnm_module_check(folder, module, err);
    char *path = status == NNM_OK ? nnm_format("%s/%s" SUFFIX, folder, module) : NULL;
    if (status) return status;
    if (!path) return nnm_fail_memory(err);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const char *why = library ? NULL : dlerror();
    const void *found = library ? dlsym(library, symbol) : NULL;
    if (!library)
        status = nnm_fail(err, NNM_ERR_VALUE, "cannot open module '%s': %s", path, why ? why : "unknown");
    else if (!found)
        status = fail_no_symbol(path, symbol, err);
    else
        *out = found;
    free(path);
    return status;
}
