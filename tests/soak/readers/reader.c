// One of the four readers of the soak: the C interface itself. See PROTOCOL in ../readers.py.
//
//     reader "URL KEY=VALUE ..." ...
#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <mpegclient.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MOST_STREAMS = 16, BATCH = 8, WAIT_MS = 200, STOP_MS = 500 };

static const int64_t TOLERANCE_NS = 30000000000;

typedef struct {
    MpegClient *client;
    pthread_t thread;
    // Guards what follows.
    pthread_mutex_t lock;
    double late_ms;
    const char *call;
    uint64_t back, apart, misdated, generation;
    int64_t first_pts_ns, first_arrival_ns, last_pts_ns, span_ns, dated_ns;
} Stream;

static Stream streams[MOST_STREAMS];
static int count;
static atomic_bool is_over;

static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

// How long this thread ever waited for a processor; 0 where the kernel does not tell.
static int64_t waited_ns(void) {
    static _Thread_local int file = -1;
    char text[96] = "";
    if (file < 0) {
        file = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
    }
    int64_t waited = 0;
    if (pread(file, text, sizeof text - 1, 0) > 0) {
        sscanf(text, "%*d %" SCNd64, &waited);
    }
    return waited;
}

// The time of this thread alone: on a machine that is busy with other things the clock on the wall says nothing of a call.
static int64_t own_ns(void) { return now_ns() - waited_ns(); }

// Notes a call that was begun at a time of this thread and allowed to take so long.
static void note_call(Stream *stream, const char *call, int64_t begun_ns, int64_t bound_ms) {
    double late_ms = (double)(own_ns() - begun_ns) / 1e6 - (double)bound_ms;
    pthread_mutex_lock(&stream->lock);
    if (late_ms > stream->late_ms) {
        stream->late_ms = late_ms;
        stream->call = call;
    }
    pthread_mutex_unlock(&stream->lock);
}

static bool is_apart(int64_t one_ns, int64_t other_ns) { return llabs(one_ns - other_ns) > TOLERANCE_NS; }

// Compares a frame's times with those of the frames before: within a connection they go on with the local clock.
static void note_frame(Stream *stream, const MpegClientFrameInfo *frame) {
    if (frame->pts_ns == INT64_MIN) {
        return;
    }
    if (frame->generation != stream->generation) {
        stream->generation = frame->generation;
        stream->first_pts_ns = stream->last_pts_ns = frame->pts_ns;
        stream->first_arrival_ns = frame->arrival_monotonic_ns;
    }
    int64_t span_ns = frame->pts_ns - stream->first_pts_ns;
    stream->back += frame->pts_ns < stream->last_pts_ns;
    stream->apart += is_apart(span_ns, frame->arrival_monotonic_ns - stream->first_arrival_ns);
    if (frame->capture_clock != MPEGCLIENT_CLOCK_NONE) {
        stream->dated_ns = span_ns > stream->dated_ns ? span_ns : stream->dated_ns;
        stream->misdated += is_apart(frame->capture_time_ns, frame->arrival_time_ns);
    }
    stream->last_pts_ns = frame->pts_ns;
    stream->span_ns = span_ns > stream->span_ns ? span_ns : stream->span_ns;
}

// Reads on from a frame; gives the number of the last one read.
static uint64_t read_on(Stream *stream, uint64_t after, uint8_t *buffer, size_t size) {
    MpegClientFrameInfo infos[BATCH];
    MpegClientReadOptions options = {.struct_size = sizeof options, .order = MPEGCLIENT_ORDER_NEXT, .count = BATCH};
    options.after_seq = after;
    options.timeout_ms = WAIT_MS;
    MpegClientBatch batch = {.struct_size = sizeof batch};
    int64_t begun = own_ns();
    int32_t status = mpegclient_extract_frames(stream->client, &options, buffer, size, infos, sizeof *infos, &batch);
    note_call(stream, "extract", begun, WAIT_MS);
    if (status != MPEGCLIENT_OK) {
        // A stream that is stopped for a moment makes nobody wait.
        usleep(10000);
        return after;
    }
    pthread_mutex_lock(&stream->lock);
    for (uint32_t i = 0; i < batch.count; i++) {
        note_frame(stream, &infos[i]);
    }
    pthread_mutex_unlock(&stream->lock);
    return infos[batch.count - 1].seq;
}

// Looks at the newest frames where they lie.
static void look(Stream *stream) {
    MpegClientReadOptions options = {.struct_size = sizeof options, .count = BATCH / 2};
    MpegClientBatch batch = {.struct_size = sizeof batch};
    MpegClientLease *lease = NULL;
    int64_t begun = own_ns();
    if (mpegclient_acquire_frames(stream->client, &options, &lease, NULL, sizeof(MpegClientFrameInfo), &batch) == MPEGCLIENT_OK) {
        volatile uint8_t last = batch.data[batch.count * batch.frame_stride - 1];
        (void)last;
        mpegclient_lease_release(lease);
    }
    note_call(stream, "acquire", begun, 0);
}

// Asks for all that can be asked for.
static void ask(Stream *stream) {
    char text[8192];
    MpegClientEvent event = {.struct_size = sizeof event};
    MpegClientStreamInfo info = {.struct_size = sizeof info};
    int64_t begun = own_ns();
    mpegclient_describe(stream->client, text, sizeof text, NULL);
    mpegclient_stream_info(stream->client, &info);
    while (mpegclient_next_event(stream->client, &event) == MPEGCLIENT_OK) {
    }
    note_call(stream, "describe", begun, 0);
}

static void *read_stream(void *argument) {
    Stream *stream = argument;
    size_t frame_bytes = 0;
    while (mpegclient_output_shape(stream->client, WAIT_MS, NULL, NULL, NULL, NULL, &frame_bytes) != MPEGCLIENT_OK) {
        if (is_over) {
            return NULL;
        }
    }
    uint8_t *buffer = malloc(BATCH * frame_bytes);
    uint64_t after = 0;
    for (unsigned round = 0; !is_over; round++) {
        after = read_on(stream, after, buffer, BATCH * frame_bytes);
        if (round % 5 == 0) {
            look(stream);
        }
        if (round % 25 == 0) {
            ask(stream);
        }
    }
    free(buffer);
    return NULL;
}

static void report(void) {
    for (int i = 0; i < count; i++) {
        Stream *stream = &streams[i];
        int32_t state = MPEGCLIENT_STATE_IDLE;
        MpegClientStats stats = {.struct_size = sizeof stats};
        mpegclient_state(stream->client, &state);
        mpegclient_stats(stream->client, &stats);
        pthread_mutex_lock(&stream->lock);
        printf("stream %d state %" PRId32 " frames %" PRIu64 " connects %" PRIu64 " back %" PRIu64
               " apart %" PRIu64 " misdated %" PRIu64 " span %" PRId64 " dated %" PRId64 " late %.1f call %s\n",
               i, state, stats.published, stats.connects, stream->back, stream->apart, stream->misdated,
               stream->span_ns / 1000000, stream->dated_ns / 1000000, stream->late_ms, stream->call);
        stream->late_ms = 0;
        stream->call = "none";
        pthread_mutex_unlock(&stream->lock);
    }
    // What malloc keeps for later says nothing of a leak.
    malloc_trim(0);
    struct mallinfo2 heap = mallinfo2();
    printf("process heap %zu\n", heap.uordblks + heap.hblkhd);
    fflush(stdout);
}

static void timed(Stream *stream, const char *name, int32_t (*call)(MpegClient *), int64_t bound_ms) {
    int64_t begun = own_ns();
    call(stream->client);
    note_call(stream, name, begun, bound_ms);
}

// Opens a stream in the background: its address, then parameters.
static void open_stream(Stream *stream, char *words) {
    stream->client = mpegclient_new();
    stream->call = "none";
    pthread_mutex_init(&stream->lock, NULL);
    const char *url = strtok(words, " ");
    for (char *word = strtok(NULL, " "); word != NULL; word = strtok(NULL, " ")) {
        char *value = strchr(word, '=');
        *value++ = '\0';
        if (mpegclient_set_parameter(stream->client, word, value) != MPEGCLIENT_OK) {
            fprintf(stderr, "reader: %s\n", mpegclient_last_error());
            exit(1);
        }
    }
    int64_t begun = own_ns();
    mpegclient_setup(stream->client, url, 0, NULL);
    note_call(stream, "setup", begun, 0);
    timed(stream, "start", mpegclient_start, 0);
    pthread_create(&stream->thread, NULL, read_stream, stream);
}

static void *report_every_second(void *unused) {
    while (!is_over) {
        report();
        sleep(1);
    }
    return unused;
}

static void close_streams(void) {
    for (int i = 0; i < count; i++) {
        pthread_join(streams[i].thread, NULL);
        timed(&streams[i], "terminate", mpegclient_terminate, STOP_MS);
        timed(&streams[i], "clear", mpegclient_clear, STOP_MS);
    }
    report();
    for (int i = 0; i < count; i++) {
        mpegclient_free(streams[i].client);
    }
}

int main(int argc, char **argv) {
    count = argc - 1 < MOST_STREAMS ? argc - 1 : MOST_STREAMS;
    for (int i = 0; i < count; i++) {
        open_stream(&streams[i], argv[1 + i]);
    }
    pthread_t reporter;
    pthread_create(&reporter, NULL, report_every_second, NULL);
    char line[64];
    while (fgets(line, sizeof line, stdin) != NULL) {
        Stream *stream = &streams[atoi(line) % count];
        timed(stream, "terminate", mpegclient_terminate, STOP_MS);
        timed(stream, "start", mpegclient_start, 0);
    }
    is_over = true;
    pthread_join(reporter, NULL);
    close_streams();
    return 0;
}
