#include "bench/channel.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"

#define MAGIC UINT32_C(0x4e4e4d31) /* "NNM1" */
#define HEADER_BYTES offsetof(nnm_frame, payload)

bool nnm_channel_send(int fd, nnm_frame_kind kind, const void *payload, size_t size)
{
    struct {
        uint32_t magic, kind;
        uint64_t size;
    } header = {MAGIC, (uint32_t)kind, size};
    _Static_assert(sizeof header == HEADER_BYTES, "the header of a frame has no gaps");
    char message[HEADER_BYTES + NNM_FRAME_BYTES];
    if (size > NNM_FRAME_BYTES) return false;
    memcpy(message, &header, HEADER_BYTES);
    if (size) memcpy(message + HEADER_BYTES, payload, size);
    ssize_t sent;
    do {
        sent = send(fd, message, HEADER_BYTES + size, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)(HEADER_BYTES + size);
}

/* True once something can be read, which includes that the other side went away. */
static bool wait_readable(int fd, uint64_t deadline_ns)
{
    for (;;) {
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        struct timespec left = {0}, *timeout = NULL;
        if (deadline_ns != UINT64_MAX) {
            uint64_t now = nnm_clock_ns();
            uint64_t left_ns = deadline_ns > now ? deadline_ns - now : 0;
            left.tv_sec = (time_t)(left_ns / 1000000000u);
            left.tv_nsec = (long)(left_ns % 1000000000u);
            timeout = &left;
        }
        int ready = ppoll(&poll_fd, 1, timeout, NULL);
        if (ready > 0) return true;
        if (ready < 0 && errno != EINTR) return true; /* recv will say what is wrong */
        if (ready == 0 && timeout && nnm_clock_ns() >= deadline_ns) return false;
    }
}

nnm_receipt nnm_channel_receive(int fd, nnm_frame *out, uint64_t deadline_ns)
{
    for (;;) {
        if (!wait_readable(fd, deadline_ns)) return NNM_RECEIVED_TOO_LATE;
        ssize_t got = recv(fd, out, sizeof *out, MSG_TRUNC | MSG_DONTWAIT);
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (got <= 0) return NNM_RECEIVED_END;
        if ((size_t)got < HEADER_BYTES || (size_t)got > sizeof *out) return NNM_RECEIVED_NONSENSE;
        if (out->magic != MAGIC || out->size != (size_t)got - HEADER_BYTES) return NNM_RECEIVED_NONSENSE;
        return NNM_RECEIVED;
    }
}
