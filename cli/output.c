#include "output.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "options.h"

#define REDRAW_S 0.1

static struct {
    bool stdout_colour, stderr_colour;
    bool progress;       /* stderr is a terminal that can redraw a line */
    bool progress_shown; /* the cursor stands in a progress line */
    double drawn_s;      /* when it was last drawn */
    int write_errno;     /* why standard output took too little, where that is known before the end */
} screen;

static volatile sig_atomic_t stop_asked;

void output_begin(void)
{
    const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
    bool capable = term && *term && strcmp(term, "dumb") != 0;
    bool colour = capable && !(no_color && *no_color);
    screen.stdout_colour = colour && isatty(STDOUT_FILENO);
    screen.stderr_colour = colour && isatty(STDERR_FILENO);
    screen.progress = capable && isatty(STDERR_FILENO);
    setvbuf(stderr, NULL, _IOLBF, BUFSIZ); /* a line in one write: it is not torn by what others write */
}

static void clear_progress(void)
{
    if (!screen.progress_shown) return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    screen.progress_shown = false;
}

int output_end(int code)
{
    clear_progress();
    errno = screen.write_errno;
    bool written = fflush(stdout) == 0 && !ferror(stdout);
    if (written || code == EXIT_FAILED) return code;
    char message[256];
    snprintf(message, sizeof message, "cannot write to standard output: %s", strerror(errno ? errno : EIO));
    output_error("", message);
    return EXIT_FAILED;
}

/* ---- talk ---- */

static void say(const char *mark, const char *colour, const char *format, va_list arguments) NNM_PRINTF(3, 0);

static void say(const char *mark, const char *colour, const char *format, va_list arguments)
{
    char text[2048];
    vsnprintf(text, sizeof text, format, arguments);
    clear_progress();
    bool coloured = screen.stderr_colour && *mark;
    fprintf(stderr, "(nn-Meter) %s%s%s%s\n", coloured ? colour : "", mark, coloured ? "\033[0m" : "", text);
}

void output_log(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say("", "", format, arguments);
    va_end(arguments);
}

void output_warning(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say("warning: ", "\033[33m", format, arguments);
    va_end(arguments);
}

void output_error(const char *command, const char *message)
{
    clear_progress();
    fflush(stdout); /* what was printed before the error stands before it */
    fprintf(stderr, "%snn-meter%s%s:%s %s\n", screen.stderr_colour ? "\033[1;31m" : "", *command ? " " : "", command,
            screen.stderr_colour ? "\033[0m" : "", message);
}

/* ---- hooks ---- */

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static size_t screen_columns(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1) return size.ws_col;
    return 80;
}

static void on_log(void *context, nnm_log_level level, const char *line)
{
    (void)context;
    if (level == NNM_LOG_WARNING) {
        output_warning("%s", line);
    } else if (level > NNM_LOG_DEBUG) {
        output_log("%s", line);
    }
}

static void on_progress(void *context, const nnm_progress *progress)
{
    (void)context;
    if (!screen.progress) return;
    if (progress->done >= progress->total) {
        clear_progress();
        screen.drawn_s = 0;
        return;
    }
    double now = now_s();
    if (now - screen.drawn_s < REDRAW_S) return;
    screen.drawn_s = now;

    char line[512], failed[48] = "", rate[48] = "", remaining[64] = "", time[OUTPUT_CELL_BYTES];
    if (progress->failed) snprintf(failed, sizeof failed, " (%zu failed)", progress->failed);
    if (progress->done && progress->elapsed_s > 0)
        snprintf(rate, sizeof rate, "  %.3g/s", (double)progress->done / progress->elapsed_s);
    if (progress->remaining_s >= 0)
        snprintf(remaining, sizeof remaining, "  ETA %s", output_seconds(progress->remaining_s, time));
    snprintf(line, sizeof line, "%s  %zu/%zu%s%s%s", progress->activity ? progress->activity : "", progress->done,
             progress->total, failed, rate, remaining);
    fprintf(stderr, "\r%.*s\033[K", (int)(screen_columns() - 1), line);
    fflush(stderr);
    screen.progress_shown = true;
}

static bool on_interrupted(void *context)
{
    (void)context;
    return stop_asked != 0;
}

static void on_signal(int number)
{
    (void)number;
    if (stop_asked) _exit(EXIT_INTERRUPTED);
    stop_asked = 1;
    static const char text[] = "\n(nn-Meter) Stopping; what was measured is kept. Once more ends at once.\n";
    size_t skip = screen.progress ? 0 : 1; /* the line break is for the "^C" that a terminal shows */
    int saved = errno;
    ssize_t written = write(STDERR_FILENO, text + skip, sizeof text - 1 - skip);
    (void)written; /* nothing can be done about it here */
    errno = saved;
}

const nnm_hooks *output_hooks(void)
{
    static const nnm_hooks hooks = {NULL, on_log, on_progress, NULL};
    return &hooks;
}

const nnm_hooks *output_stoppable_hooks(void)
{
    static const nnm_hooks hooks = {NULL, on_log, on_progress, on_interrupted};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    return &hooks;
}

/* ---- data ---- */

void output_heading(const char *text)
{
    printf("%s%s%s\n", screen.stdout_colour ? "\033[1m" : "", text, screen.stdout_colour ? "\033[0m" : "");
}

void output_pair(const char *key, const char *format, ...)
{
    printf("%-16s ", key);
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
}

char *output_seconds(double seconds, char text[OUTPUT_CELL_BYTES])
{
    unsigned long whole = seconds < 1e9 ? (unsigned long)(seconds + 0.5) : 1000000000ul;
    if (seconds < 59.95) {
        snprintf(text, OUTPUT_CELL_BYTES, "%.1f s", seconds);
    } else if (whole < 3600) {
        snprintf(text, OUTPUT_CELL_BYTES, "%lu min %02lu s", whole / 60, whole % 60);
    } else {
        snprintf(text, OUTPUT_CELL_BYTES, "%lu h %02lu min", whole / 3600, whole / 60 % 60);
    }
    return text;
}

char *output_share(double share, char text[OUTPUT_CELL_BYTES])
{
    if (isfinite(share)) {
        snprintf(text, OUTPUT_CELL_BYTES, "%.1f %%", 100 * share);
    } else {
        snprintf(text, OUTPUT_CELL_BYTES, "-");
    }
    return text;
}

char *output_ms(double milliseconds, char text[OUTPUT_CELL_BYTES])
{
    if (isfinite(milliseconds)) {
        snprintf(text, OUTPUT_CELL_BYTES, "%.4g ms", milliseconds);
    } else {
        snprintf(text, OUTPUT_CELL_BYTES, "-");
    }
    return text;
}

double if_known(bool known, double value)
{
    return known ? value : (double)NAN;
}

json_t *output_number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *output_text(const char *text)
{
    if (!text) return json_null();
    json_t *value = json_string(text);
    if (value) return value;
    char *ascii = strdup(text);
    if (!ascii) return NULL;
    for (char *byte = ascii; *byte; byte++) {
        if ((unsigned char)*byte >= 0x80) *byte = '?';
    }
    value = json_string(ascii);
    free(ascii);
    return value;
}

void output_append(json_t **array, json_t *value)
{
    if (!*array) {
        json_decref(value);
    } else if (json_array_append_new(*array, value)) {
        json_decref(*array);
        *array = NULL;
    }
}

int output_json(json_t *object)
{
    char *text = object ? json_dumps(object, 0) : NULL;
    json_decref(object);
    if (!text) {
        output_error("", "out of memory");
        return EXIT_FAILED;
    }
    clear_progress();
    if (printf("%s\n", text) < 0) screen.write_errno = errno;
    free(text);
    return EXIT_DONE;
}
