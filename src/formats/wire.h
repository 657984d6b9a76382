/*
 * A look over the bytes of a protobuf message before they are unpacked. protobuf-c neither limits how deep messages
 * nest (its recursion would use up the stack) nor how much memory a few bytes may ask for; both are checked here, and
 * where a file was cut short the place is known.
 */
#ifndef NNM_FORMATS_WIRE_H
#define NNM_FORMATS_WIRE_H

#include <protobuf-c/protobuf-c.h>

#include "nnmeter/status.h"

/* Unpacked, a message may take this many bytes for each of its own, beyond a first part that is free. Models of whole
 * networks without their weights take about 12. */
#define NNM_WIRE_MEMORY_FACTOR 32
#define NNM_WIRE_MEMORY_FREE ((size_t)1 << 20)

/* Errors: PARSE, with the offset. */
NNM_NODISCARD nnm_status nnm_wire_check(const ProtobufCMessageDescriptor *descriptor, const void *bytes,
                                        size_t size_bytes, nnm_error *err);

#endif
