/*
 * Frames between a process and its worker: messages of a local socket that keeps their boundaries. Both ends run the
 * same program, so structs travel as they are in memory; still nothing is believed before kind and size were checked.
 */
#ifndef NNM_BENCH_CHANNEL_H
#define NNM_BENCH_CHANNEL_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum nnm_frame_kind {
    NNM_FRAME_READY = 1, /* child: pinned and waiting; no payload */
    NNM_FRAME_MEASURE,   /* parent: nnm_model_request */
    NNM_FRAME_ROUND,     /* child: nnm_round */
    NNM_FRAME_FAILURE,   /* child: nnm_error */
    NNM_FRAME_LOOK,      /* parent: nnm_model_request; its nodes are to be timed */
    NNM_FRAME_NODES      /* child: nnm_node_time for each */
} nnm_frame_kind;

typedef struct nnm_model_request {
    uint64_t repetition;
    char model_path[PATH_MAX]; /* absolute, terminated */
} nnm_model_request;

#define NNM_FRAME_BYTES (20 * 1024) /* largest payload */

typedef struct nnm_frame {
    uint32_t magic;
    uint32_t kind;
    uint64_t size; /* of the payload */
    char payload[NNM_FRAME_BYTES];
} nnm_frame;

typedef enum nnm_receipt {
    NNM_RECEIVED = 0,
    NNM_RECEIVED_END,      /* the other side is gone */
    NNM_RECEIVED_NONSENSE, /* something came that is no frame */
    NNM_RECEIVED_TOO_LATE
} nnm_receipt;

/* False when the other side is gone. Never raises SIGPIPE. */
bool nnm_channel_send(int fd, nnm_frame_kind kind, const void *payload, size_t size);

/* Waits for one frame until `deadline_ns` (nnm_clock_ns; UINT64_MAX: for ever). */
nnm_receipt nnm_channel_receive(int fd, nnm_frame *out, uint64_t deadline_ns);

#endif
