#include <inttypes.h>

#include "zoo.h"

static const struct {
    const char *name, *header;
} kinds[NNM_ZOO_KINDS] = {
    [NNM_ZOO_CONV] = {"conv", "MODEL,LAYER,HW,CIN,COUT,KERNEL_SIZE,STRIDES,GROUPS"},
    [NNM_ZOO_DWCONV] = {"dwconv", "MODEL,LAYER,HW,CIN,COUT,KERNEL_SIZE,STRIDES,GROUPS"},
    [NNM_ZOO_FC] = {"fc", "MODEL,LAYER,CIN,COUT"},
    [NNM_ZOO_POOLING] = {"pooling", "MODEL,LAYER,HW,CIN,KERNEL_SIZE,POOL_STRIDES"},
};

const char *nnm_zoo_kind_name(nnm_zoo_kind kind)
{
    return kinds[kind].name;
}

static void write_row(nnm_buffer *csv, const char *model, const nnm_zoo_layer *layer)
{
    nnm_buffer_printf(csv, "%s,%s,", model, layer->name);
    switch (layer->kind) {
    case NNM_ZOO_CONV:
    case NNM_ZOO_DWCONV:
        nnm_buffer_printf(csv, "%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 "\n", layer->hw,
                          layer->cin, layer->cout, layer->kernel, layer->stride, layer->groups);
        break;
    case NNM_ZOO_FC: nnm_buffer_printf(csv, "%" PRId64 ",%" PRId64 "\n", layer->cin, layer->cout); break;
    case NNM_ZOO_POOLING:
        nnm_buffer_printf(csv, "%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 "\n", layer->hw, layer->cin,
                          layer->kernel, layer->stride);
        break;
    case NNM_ZOO_KINDS: break;
    }
}

nnm_status nnm_zoo_write_table(nnm_buffer *csv, nnm_zoo_kind kind, nnm_error *err)
{
    nnm_buffer_printf(csv, "%s\n", kinds[kind].header);
    for (const nnm_zoo_entry *entry = nnm_zoo_networks; entry->name; entry++) {
        nnm_zoo_network net;
        nnm_status status = nnm_zoo_build(&net, entry->describe, err);
        for (size_t i = 0; status == NNM_OK && i < net.layer_count; i++)
            if (net.layers[i].kind == kind) write_row(csv, entry->name, &net.layers[i]);
        nnm_zoo_fini(&net);
        if (status) return status;
    }
    return nnm_buffer_check(csv, err);
}
