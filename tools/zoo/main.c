/* nnm_zoo FOLDER: writes the prior tables conv.csv, dwconv.csv, fc.csv and pooling.csv into FOLDER.
 * nnm_zoo --list: prints every network's multiply-adds and parameters. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "zoo.h"

static nnm_status write_tables(const char *folder, nnm_error *err)
{
    nnm_status status = nnm_folder_create(folder, err);
    for (nnm_zoo_kind kind = 0; status == NNM_OK && kind < NNM_ZOO_KINDS; kind++) {
        nnm_buffer csv = {0}, path = {0};
        nnm_buffer_printf(&path, "%s/%s.csv", folder, nnm_zoo_kind_name(kind));
        status = nnm_buffer_check(&path, err);
        if (status == NNM_OK) status = nnm_zoo_write_table(&csv, kind, err);
        if (status == NNM_OK) status = nnm_file_write(path.data, csv.data, csv.size, err);
        nnm_buffer_fini(&csv);
        nnm_buffer_fini(&path);
    }
    return status;
}

static nnm_status list_networks(nnm_error *err)
{
    nnm_status status = NNM_OK;
    printf("model,layers,multiply_adds,parameters\n");
    for (const nnm_zoo_entry *entry = nnm_zoo_networks; status == NNM_OK && entry->name; entry++) {
        nnm_zoo_network net;
        status = nnm_zoo_build(&net, entry->describe, err);
        if (status == NNM_OK)
            printf("%s,%zu,%" PRId64 ",%" PRId64 "\n", entry->name, net.layer_count, net.multiply_adds, net.parameters);
        nnm_zoo_fini(&net);
    }
    return status;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: nnm_zoo FOLDER | nnm_zoo --list\n");
        return 2;
    }
    nnm_error err = NNM_ERROR_INIT;
    nnm_status status = strcmp(argv[1], "--list") == 0 ? list_networks(&err) : write_tables(argv[1], &err);
    if (status) fprintf(stderr, "nnm_zoo: %s: %s\n", nnm_status_name(status), err.message);
    return status ? 1 : 0;
}
