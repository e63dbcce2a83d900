// A program of another age than the library: its structs are smaller or larger.
//
//     growth FILE STRUCT=SIZE,KNOWN,FIRST...
//
// For each struct: the size that the program has in its header, 0 for that of the header it was compiled with; the size
// that the library has; and that of ABI 1, which may be a little more than the least that the library takes.
#include "check.h"
#include <string.h>

typedef enum { BATCH, ERROR, EVENT, FRAME_INFO, PARAMETER_INFO, READ_OPTIONS, STATS, STREAM_INFO, STRUCTS } Struct;

static const char *const names[STRUCTS] = {"MpegClientBatch",         "MpegClientError",       "MpegClientEvent",
                                           "MpegClientFrameInfo",     "MpegClientParameterInfo",
                                           "MpegClientReadOptions",   "MpegClientStats",       "MpegClientStreamInfo"};
static size_t sizes[STRUCTS] = {sizeof(MpegClientBatch),         sizeof(MpegClientError),       sizeof(MpegClientEvent),
                                sizeof(MpegClientFrameInfo),     sizeof(MpegClientParameterInfo),
                                sizeof(MpegClientReadOptions),   sizeof(MpegClientStats),       sizeof(MpegClientStreamInfo)};
static size_t known[STRUCTS], first[STRUCTS];

#define FRAMES 2
#define BEHIND 64
#define UNTOUCHED 0xAA

static MpegClient *client;
static uint8_t pixels[FRAMES * 320 * 240 * 3];
static uint64_t frame;

// ---- Each function with each struct that it takes, the others as they are now ----

static int32_t extract(const void *options, void *infos, size_t info_size, void *batch) {
    return mpegclient_extract_frames(client, options, pixels, sizeof pixels, infos, info_size, batch);
}

static int32_t acquire(const void *options, void *infos, size_t info_size, void *batch) {
    MpegClientLease *lease = NULL;
    int32_t status = mpegclient_acquire_frames(client, options, &lease, infos, info_size, batch);
    mpegclient_lease_release(lease);
    return status;
}

typedef int32_t Read(const void *options, void *infos, size_t info_size, void *batch);

static int32_t read_frames(Read *read, Struct kind, void *place, size_t size) {
    MpegClientReadOptions options = {.struct_size = (uint32_t)known[READ_OPTIONS], .count = FRAMES};
    uint8_t batch[1024] = {0};
    uint32_t batch_size = (uint32_t)known[BATCH];
    memcpy(batch, &batch_size, sizeof batch_size);
    return read(kind == READ_OPTIONS ? place : &options, kind == FRAME_INFO ? place : NULL, size,
                kind == BATCH ? place : batch);
}

static int32_t extract_batch(void *place, size_t size) { return read_frames(extract, BATCH, place, size); }
static int32_t acquire_batch(void *place, size_t size) { return read_frames(acquire, BATCH, place, size); }
static int32_t extract_infos(void *place, size_t size) { return read_frames(extract, FRAME_INFO, place, size); }
static int32_t acquire_infos(void *place, size_t size) { return read_frames(acquire, FRAME_INFO, place, size); }
static int32_t extract_options(void *place, size_t size) { return read_frames(extract, READ_OPTIONS, place, size); }
static int32_t acquire_options(void *place, size_t size) { return read_frames(acquire, READ_OPTIONS, place, size); }
static int32_t frame_info(void *place, size_t size) { return mpegclient_frame_info(client, frame, place, size); }
static int32_t thread_error(void *place, size_t size) { return (void)size, mpegclient_thread_error(place); }
static int32_t client_error(void *place, size_t size) { return (void)size, mpegclient_client_error(client, place); }
static int32_t next_event(void *place, size_t size) { return (void)size, mpegclient_next_event(client, place); }
static int32_t describe(void *place, size_t size) { return (void)size, mpegclient_parameter_describe(0, place); }
static int32_t stats(void *place, size_t size) { return (void)size, mpegclient_stats(client, place); }
static int32_t stream_info(void *place, size_t size) { return (void)size, mpegclient_stream_info(client, place); }

static const struct {
    const char *name;
    Struct kind;
    int32_t (*call)(void *place, size_t size);
    size_t elements;
} calls[] = {
    {"extract_frames, batch", BATCH, extract_batch, 1},
    {"acquire_frames, batch", BATCH, acquire_batch, 1},
    {"extract_frames, infos", FRAME_INFO, extract_infos, FRAMES},
    {"acquire_frames, infos", FRAME_INFO, acquire_infos, FRAMES},
    {"frame_info", FRAME_INFO, frame_info, 1},
    {"extract_frames, options", READ_OPTIONS, extract_options, 1},
    {"acquire_frames, options", READ_OPTIONS, acquire_options, 1},
    {"thread_error", ERROR, thread_error, 1},
    {"client_error", ERROR, client_error, 1},
    {"next_event", EVENT, next_event, 1},
    {"parameter_describe", PARAMETER_INFO, describe, 1},
    {"stats", STATS, stats, 1},
    {"stream_info", STREAM_INFO, stream_info, 1},
};

// ---- The caller's memory ----

static uint8_t *place_for(Struct kind, size_t size, size_t all) {
    uint8_t *place = malloc(all + BEHIND);
    memset(place, UNTOUCHED, all + BEHIND);
    if (kind == READ_OPTIONS) {
        memset(place, 0, all);
        ((MpegClientReadOptions *)place)->count = FRAMES;
    }
    if (kind != FRAME_INFO) {
        uint32_t struct_size = (uint32_t)size;
        memcpy(place, &struct_size, sizeof struct_size);
    }
    return place;
}

static bool are_all(const uint8_t *bytes, size_t count, uint8_t value) {
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] != value) {
            return false;
        }
    }
    return true;
}

static void accept(size_t index) {
    Struct kind = calls[index].kind;
    size_t size = sizes[kind], ours = known[kind] < size ? known[kind] : size, all = calls[index].elements * size;
    uint8_t *place = place_for(kind, size, all), *again = place_for(kind, size, all);
    EXPECT(calls[index].call(place, size), MPEGCLIENT_OK);
    CHECK(are_all(place + all, BEHIND, UNTOUCHED));
    for (size_t i = 0; i < calls[index].elements; i++) {
        const uint8_t *element = place + i * size;
        CHECK(are_all(element + ours, size - ours, 0));
        CHECK(kind == READ_OPTIONS || memcmp(element, again, size < ours ? size : ours) != 0);
        uint64_t seq = 0;
        memcpy(&seq, element, kind == FRAME_INFO ? sizeof seq : sizeof(uint32_t));
        CHECK(kind == FRAME_INFO ? seq == frame + i : seq == size);
    }
    free(place), free(again);
}

static void refuse(size_t index, size_t size) {
    Struct kind = calls[index].kind;
    size_t all = 4096;
    uint8_t *place = place_for(kind, size, all), *before = place_for(kind, size, all);
    EXPECT(calls[index].call(place, size), MPEGCLIENT_ERROR_INVALID_ARGUMENT);
    CHECK(memcmp(place, before, all + BEHIND) == 0);
    free(place), free(before);
}

// What a newer program sets and this library does not have would be ignored.
static void refuse_unknown(size_t index) {
    size_t size = sizes[READ_OPTIONS];
    uint8_t *place = place_for(READ_OPTIONS, size, size);
    place[size - 1] = 1;
    EXPECT(calls[index].call(place, size), MPEGCLIENT_ERROR_INVALID_ARGUMENT);
    free(place);
}

static bool take_sizes(const char *argument) {
    for (int kind = 0; kind < STRUCTS; kind++) {
        size_t length = strlen(names[kind]);
        if (strncmp(argument, names[kind], length) == 0 && argument[length] == '=') {
            size_t size = 0;
            bool all = sscanf(argument + length + 1, "%zu,%zu,%zu", &size, &known[kind], &first[kind]) == 3;
            sizes[kind] = size == 0 ? sizes[kind] : size;
            return all;
        }
    }
    return false;
}

int main(int argc, char **argv) {
    for (int i = 2; i < argc; i++) {
        if (!take_sizes(argv[i])) {
            fprintf(stderr, "%s: no struct with three sizes\n", argv[i]);
            return 2;
        }
    }
    if (argc != 2 + STRUCTS) {
        return 2;
    }
    client = mpegclient_new();
    EXPECT(mpegclient_set_parameter(client, "realtime", "off"), MPEGCLIENT_OK);
    EXPECT(mpegclient_setup(client, argv[1], -1, NULL), MPEGCLIENT_OK);
    EXPECT(mpegclient_start(client), MPEGCLIENT_OK);
    await_state(client, MPEGCLIENT_STATE_ENDED);
    EXPECT(mpegclient_wait(client, 0, 0, NULL, &frame), MPEGCLIENT_OK);
    frame -= FRAMES - 1;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        int before = failures;
        Struct kind = calls[i].kind;
        accept(i);
        const size_t nonsense[] = {0, first[kind] / 16 * 8, sizes[kind] - 4, sizes[kind] + 4, sizes[kind] + 1, 1 << 20};
        for (size_t j = 0; j < sizeof nonsense / sizeof *nonsense; j++) {
            refuse(i, nonsense[j]);
        }
        if (kind == READ_OPTIONS && sizes[kind] > known[kind]) {
            refuse_unknown(i);
        }
        if (failures > before) {
            fprintf(stderr, "%s: with %zu bytes, where the library has %zu\n", calls[i].name, sizes[kind], known[kind]);
        }
    }
    mpegclient_free(client);
    return failures > 0;
}
