// Calls the library wrongly in every way a caller can without breaking C itself: NULL for each pointer in turn in every
// state, calls out of order, structs of other sizes, two threads on one client. Each wrong call must give an error and
// change nothing; none may crash or leak (the harness runs this under valgrind too).
//
//     misuse FILE LIVE KEYLESS SILENT LOST
//
// addresses of a short file, a live stream, one without key frames, one that falls silent and one whose server closes.
#include "check.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *file_url, *live_url, *keyless_url, *silent_url, *lost_url;

#define REFUSED(call) EXPECT(call, MPEGCLIENT_ERROR_INVALID_ARGUMENT)

// ---- NULL for each pointer in turn ----

static void null_for_parameters(MpegClient *client) {
    char text[64];
    size_t needed = 0;
    REFUSED(mpegclient_set_parameter(NULL, "width", "1"));
    REFUSED(mpegclient_set_parameter(client, NULL, "1"));
    REFUSED(mpegclient_set_parameter(client, "width", NULL));
    REFUSED(mpegclient_set_parameter_int(NULL, "width", 1));
    REFUSED(mpegclient_set_parameter_int(client, NULL, 1));
    REFUSED(mpegclient_get_parameter(NULL, "width", text, sizeof text, &needed));
    REFUSED(mpegclient_get_parameter(client, NULL, text, sizeof text, &needed));
    REFUSED(mpegclient_get_parameter(client, "width", NULL, sizeof text, &needed));
    EXPECT(mpegclient_get_parameter(client, "width", text, sizeof text, NULL), MPEGCLIENT_OK);
    EXPECT(mpegclient_get_parameter(client, "width", NULL, 0, &needed), MPEGCLIENT_ERROR_BUFFER_TOO_SMALL);
    EXPECT(mpegclient_get_parameter(client, "width", NULL, 0, NULL), MPEGCLIENT_ERROR_BUFFER_TOO_SMALL);
    CHECK(needed == strlen(text) + 1);
    REFUSED(mpegclient_parameter_describe(0, NULL));
}

static void null_for_life_cycle(MpegClient *client) {
    int32_t before = state_of(client);
    REFUSED(mpegclient_setup(NULL, file_url, 0, NULL));
    REFUSED(mpegclient_start(NULL));
    REFUSED(mpegclient_terminate(NULL));
    REFUSED(mpegclient_clear(NULL));
    REFUSED(mpegclient_interrupt(NULL, 1));
    REFUSED(mpegclient_state(NULL, &before));
    REFUSED(mpegclient_state(client, NULL));
    CHECK(state_of(client) == before);
    mpegclient_free(NULL);
}

static void null_for_knowledge(MpegClient *client) {
    MpegClientStreamInfo stream = {.struct_size = sizeof stream};
    MpegClientStats stats = {.struct_size = sizeof stats};
    MpegClientError error = {.struct_size = sizeof error};
    char text[1 << 16];
    size_t needed = 0;
    REFUSED(mpegclient_stream_info(NULL, &stream));
    REFUSED(mpegclient_stream_info(client, NULL));
    REFUSED(mpegclient_stats(NULL, &stats));
    REFUSED(mpegclient_stats(client, NULL));
    REFUSED(mpegclient_client_error(NULL, &error));
    REFUSED(mpegclient_client_error(client, NULL));
    REFUSED(mpegclient_thread_error(NULL));
    REFUSED(mpegclient_redact(NULL, text, sizeof text, &needed));
    REFUSED(mpegclient_redact("text", NULL, sizeof text, &needed));
    EXPECT(mpegclient_redact("text", NULL, 0, NULL), MPEGCLIENT_ERROR_BUFFER_TOO_SMALL);
    EXPECT(mpegclient_redact("\xff\xfe", text, sizeof text, NULL), MPEGCLIENT_OK);
    REFUSED(mpegclient_describe(NULL, text, sizeof text, &needed));
    REFUSED(mpegclient_describe(client, NULL, sizeof text, &needed));
    EXPECT(mpegclient_describe(client, NULL, 0, NULL), MPEGCLIENT_ERROR_BUFFER_TOO_SMALL);
    EXPECT(mpegclient_describe(client, text, sizeof text, NULL), MPEGCLIENT_OK);
}

static void null_for_frames(MpegClient *client) {
    MpegClientReadOptions options = {.struct_size = sizeof options, .count = 1};
    MpegClientBatch batch = {.struct_size = sizeof batch};
    MpegClientFrameInfo info;
    uint8_t buffer[16];
    uint32_t side;
    size_t bytes;
    uint64_t newest;
    REFUSED(mpegclient_output_shape(NULL, 0, NULL, &side, &side, &side, &bytes));
    REFUSED(mpegclient_wait(NULL, 0, 0, NULL, &newest));
    REFUSED(mpegclient_extract_frames(NULL, &options, buffer, sizeof buffer, &info, sizeof info, &batch));
    REFUSED(mpegclient_extract_frames(client, NULL, buffer, sizeof buffer, &info, sizeof info, &batch));
    REFUSED(mpegclient_extract_frames(client, &options, NULL, sizeof buffer, &info, sizeof info, &batch));
    REFUSED(mpegclient_extract_frames(client, &options, buffer, sizeof buffer, &info, sizeof info, NULL));
    REFUSED(mpegclient_frame_info(NULL, 1, &info, sizeof info));
    REFUSED(mpegclient_frame_info(client, 1, NULL, sizeof info));
    // These may be NULL: the same is returned as with them, whatever the state makes that.
    int32_t shape = mpegclient_output_shape(client, 0, NULL, &side, &side, &side, &bytes);
    EXPECT(mpegclient_output_shape(client, 0, NULL, NULL, NULL, NULL, NULL), shape);
    int32_t wait = mpegclient_wait(client, UINT64_MAX, 0, NULL, &newest);
    EXPECT(mpegclient_wait(client, UINT64_MAX, 0, NULL, NULL), wait);
}

static void null_for_leases(MpegClient *client) {
    MpegClientReadOptions options = {.struct_size = sizeof options, .count = 1};
    MpegClientBatch batch = {.struct_size = sizeof batch};
    MpegClientFrameInfo info;
    MpegClientLease *untouched = (MpegClientLease *)&info, *lease = untouched;
    REFUSED(mpegclient_acquire_frames(NULL, &options, &lease, &info, sizeof info, &batch));
    REFUSED(mpegclient_acquire_frames(client, NULL, &lease, &info, sizeof info, &batch));
    REFUSED(mpegclient_acquire_frames(client, &options, NULL, &info, sizeof info, &batch));
    REFUSED(mpegclient_acquire_frames(client, &options, &lease, &info, sizeof info, NULL));
    CHECK(lease == untouched && batch.data == NULL);
    mpegclient_lease_release(NULL);
    // The infos may be NULL: the same is returned as with them, whatever the state makes that.
    for (int with_infos = 0; with_infos < 2; with_infos++) {
        lease = NULL;
        MpegClientFrameInfo *infos = with_infos ? &info : NULL;
        int32_t status = mpegclient_acquire_frames(client, &options, &lease, infos, sizeof info, &batch);
        CHECK((status == MPEGCLIENT_OK) == (lease != NULL));
        EXPECT(mpegclient_wait(client, 0, 0, NULL, NULL), status);
        mpegclient_lease_release(lease);
    }
}

static void null_for_events(MpegClient *client) {
    MpegClientEvent event = {.struct_size = sizeof event};
    int descriptor = -1;
    REFUSED(mpegclient_next_event(NULL, &event));
    REFUSED(mpegclient_next_event(client, NULL));
    REFUSED(mpegclient_event_fd(NULL, &descriptor));
    REFUSED(mpegclient_event_fd(client, NULL));
    REFUSED(mpegclient_event_arm(NULL, 0));

    const MpegClient *clients[] = {client}, *nobody[] = {client, NULL};
    uint64_t seen[] = {UINT64_MAX, UINT64_MAX};
    size_t index = 7;
    REFUSED(mpegclient_wait_any(NULL, seen, 1, 0, NULL, &index));
    REFUSED(mpegclient_wait_any(nobody, seen, 2, 0, NULL, &index));
    REFUSED(mpegclient_wait_any(clients, NULL, 1, 0, NULL, &index));
    REFUSED(mpegclient_wait_any(clients, seen, 1, 0, NULL, NULL));
    REFUSED(mpegclient_wait_any(clients, seen, 0, 0, NULL, &index));
    REFUSED(mpegclient_wait_any(clients, seen, SIZE_MAX, 0, NULL, &index));
    CHECK(index == 7);
}

static void null_for_the_rest(void) {
    REFUSED(mpegclient_cancel_trigger(NULL));
    REFUSED(mpegclient_cancel_reset(NULL));
    mpegclient_cancel_free(NULL);
    EXPECT(mpegclient_set_log_callback(NULL, NULL), MPEGCLIENT_OK);
    REFUSED(mpegclient_set_log_level(-1));
    REFUSED(mpegclient_set_log_level(5));
    CHECK(mpegclient_version() != NULL && mpegclient_build_info() != NULL && mpegclient_last_error() != NULL);
    CHECK(mpegclient_version_number() > 0 && mpegclient_abi_version() >= MPEGCLIENT_ABI_VERSION);
    static const int32_t numbers[] = {INT32_MIN, -1000, -1, 0, 1, 1000, INT32_MAX};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        CHECK(mpegclient_status_string(numbers[i]) != NULL);
        CHECK(mpegclient_state_string(numbers[i]) != NULL);
        CHECK(mpegclient_phase_string(numbers[i]) != NULL);
    }
}

// ---- Structs and numbers that are not valid ----

static void structs_of_other_sizes(MpegClient *client) {
    MpegClientParameterInfo row = {.struct_size = 0};
    REFUSED(mpegclient_parameter_describe(0, &row));
    row.struct_size = sizeof row;
    REFUSED(mpegclient_parameter_describe(mpegclient_parameter_count(), &row));

    static const uint32_t wrong[] = {0, 4, UINT32_MAX};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        MpegClientStats stats = {.struct_size = wrong[i]};
        MpegClientError error = {.struct_size = wrong[i]};
        MpegClientStreamInfo stream = {.struct_size = wrong[i]};
        MpegClientEvent event = {.struct_size = wrong[i]};
        REFUSED(mpegclient_next_event(client, &event));
        REFUSED(mpegclient_stats(client, &stats));
        REFUSED(mpegclient_client_error(client, &error));
        error.struct_size = wrong[i];
        REFUSED(mpegclient_thread_error(&error));
        REFUSED(mpegclient_stream_info(client, &stream));
    }

    // A struct of a newer header: what the library does not know is written as 0, and refused where it is read.
    struct {
        MpegClientStats known;
        uint64_t newer;
    } stats = {.known = {.struct_size = sizeof stats}, .newer = 7};
    EXPECT(mpegclient_stats(client, &stats.known), MPEGCLIENT_OK);
    CHECK(stats.newer == 0 && stats.known.struct_size == sizeof stats);

    struct {
        MpegClientReadOptions known;
        uint64_t newer;
    } options = {.known = {.struct_size = sizeof options, .count = 1}, .newer = 7};
    MpegClientBatch batch = {.struct_size = sizeof batch};
    uint8_t buffer[16];
    MpegClientLease *lease = NULL;
    REFUSED(mpegclient_extract_frames(client, &options.known, buffer, sizeof buffer, NULL, 0, &batch));
    REFUSED(mpegclient_acquire_frames(client, &options.known, &lease, NULL, 0, &batch));
    CHECK(lease == NULL);
}

static void options_that_are_not_valid(MpegClient *client) {
    const MpegClientReadOptions valid = {.struct_size = sizeof valid, .count = 1};
    MpegClientReadOptions wrong[8];
    for (int i = 0; i < 8; i++) {
        wrong[i] = valid;
    }
    wrong[0].struct_size = 0;
    wrong[1].order = 7;
    wrong[2].count = UINT32_MAX; // more than cache_size
    wrong[3].flags = 0x80;
    wrong[4].max_age_ms = -1;
    wrong[5].view = 1;
    wrong[6].reserved = 1;
    wrong[7].count = 0; // without a count nobody knows how long the array of infos has to be
    MpegClientFrameInfo info;
    MpegClientBatch batch = {.struct_size = sizeof batch};
    uint8_t buffer[16];
    MpegClientLease *lease = NULL;
    for (int i = 0; i < 8; i++) {
        REFUSED(mpegclient_extract_frames(client, &wrong[i], buffer, sizeof buffer, &info, sizeof info, &batch));
        REFUSED(mpegclient_acquire_frames(client, &wrong[i], &lease, &info, sizeof info, &batch));
    }
    REFUSED(mpegclient_extract_frames(client, &valid, buffer, sizeof buffer, &info, 1, &batch));
    REFUSED(mpegclient_acquire_frames(client, &valid, &lease, &info, 1, &batch));
    CHECK(lease == NULL);
    REFUSED(mpegclient_frame_info(client, 1, &info, 1));
    EXPECT(mpegclient_extract_frames(client, &valid, NULL, 0, NULL, 0, &batch), MPEGCLIENT_ERROR_BUFFER_TOO_SMALL);
    CHECK(batch.buffer_needed > 0);
    EXPECT(mpegclient_set_parameter(client, "widht", "1"), MPEGCLIENT_ERROR_UNKNOWN_PARAMETER);
    REFUSED(mpegclient_set_parameter(client, "width", "wide"));
    REFUSED(mpegclient_set_parameter(client, "width", "\xff\xfe")); // not UTF-8
    REFUSED(mpegclient_set_parameter_int(client, "width", -1));
}

// ---- The states ----

// A socket that connections are made to and that nobody accepts them from: a mute server.
static int listen_mute(char *url, size_t size) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(bind(listener, (struct sockaddr *)&address, length) == 0 && listen(listener, 8) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
    snprintf(url, size, "rtsp://127.0.0.1:%d/video", ntohs(address.sin_port));
    return listener;
}

static void null_in(MpegClient *client, int32_t state) {
    await_state(client, state);
    printf("NULL in the state \"%s\"\n", mpegclient_state_string(state));
    null_for_parameters(client);
    null_for_life_cycle(client);
    null_for_knowledge(client);
    null_for_frames(client);
    null_for_leases(client);
    null_for_events(client);
    null_for_the_rest();
}

// Starts a stream and gives NULL to everything once it is in the state.
static void null_in_started(const char *url, int32_t state) {
    MpegClient *client = mpegclient_new();
    EXPECT(mpegclient_set_parameter(client, "stall_timeout", "8000"), MPEGCLIENT_OK);
    EXPECT(mpegclient_set_parameter(client, "reconnect_delay_max", "60000"), MPEGCLIENT_OK);
    EXPECT(mpegclient_set_parameter(client, "reconnect_delay_min", "60000"), MPEGCLIENT_OK);
    EXPECT(mpegclient_setup(client, url, -1, NULL), MPEGCLIENT_OK);
    EXPECT(mpegclient_start(client), MPEGCLIENT_OK);
    null_in(client, state);
    mpegclient_free(client);
}

static void null_in_every_state(void) {
    MpegClient *client = mpegclient_new();
    null_in(client, MPEGCLIENT_STATE_IDLE);

    char mute_url[64];
    int mute = listen_mute(mute_url, sizeof mute_url);
    EXPECT(mpegclient_setup(client, mute_url, 0, NULL), MPEGCLIENT_OK);
    null_in(client, MPEGCLIENT_STATE_CONNECTING);
    EXPECT(mpegclient_clear(client), MPEGCLIENT_OK);
    close(mute);

    // Nobody listens there any more.
    EXPECT(mpegclient_set_parameter(client, "reconnect_max_attempts", "1"), MPEGCLIENT_OK);
    EXPECT(mpegclient_setup(client, mute_url, 0, NULL), MPEGCLIENT_OK);
    EXPECT(mpegclient_start(client), MPEGCLIENT_OK);
    null_in(client, MPEGCLIENT_STATE_FAILED);

    EXPECT(mpegclient_setup(client, live_url, -1, NULL), MPEGCLIENT_OK);
    null_in(client, MPEGCLIENT_STATE_READY);
    EXPECT(mpegclient_start(client), MPEGCLIENT_OK);
    null_in(client, MPEGCLIENT_STATE_RUNNING);
    structs_of_other_sizes(client);
    EXPECT(mpegclient_wait(client, 0, 10000, NULL, NULL), MPEGCLIENT_OK);
    options_that_are_not_valid(client);
    EXPECT(mpegclient_terminate(client), MPEGCLIENT_OK);
    null_in(client, MPEGCLIENT_STATE_STOPPED);

    EXPECT(mpegclient_set_parameter(client, "realtime", "off"), MPEGCLIENT_OK);
    EXPECT(mpegclient_setup(client, file_url, -1, NULL), MPEGCLIENT_OK);
    EXPECT(mpegclient_start(client), MPEGCLIENT_OK);
    null_in(client, MPEGCLIENT_STATE_ENDED);
    mpegclient_free(client);

    null_in_started(keyless_url, MPEGCLIENT_STATE_WAITING_KEYFRAME);
    null_in_started(silent_url, MPEGCLIENT_STATE_STALLED);
    null_in_started(lost_url, MPEGCLIENT_STATE_RECONNECTING);
}

// ---- Out of order ----

static void calls_out_of_order(void) {
    MpegClientReadOptions options = {.struct_size = sizeof options, .count = 1};
    MpegClientBatch batch = {.struct_size = sizeof batch};
    MpegClientStreamInfo stream = {.struct_size = sizeof stream};
    MpegClientFrameInfo info;
    uint8_t buffer[16];
    MpegClientLease *lease = NULL;
    MpegClient *client = mpegclient_new();
    for (int round = 0; round < 2; round++) {
        // Not set up: at first because it never was, then because of clear.
        EXPECT(mpegclient_start(client), MPEGCLIENT_ERROR_BAD_STATE);
        EXPECT(mpegclient_wait(client, 0, -1, NULL, NULL), MPEGCLIENT_ERROR_BAD_STATE);
        EXPECT(mpegclient_output_shape(client, -1, NULL, NULL, NULL, NULL, NULL), MPEGCLIENT_ERROR_BAD_STATE);
        EXPECT(mpegclient_extract_frames(client, &options, buffer, sizeof buffer, NULL, 0, &batch),
               MPEGCLIENT_ERROR_BAD_STATE);
        EXPECT(mpegclient_acquire_frames(client, &options, &lease, NULL, 0, &batch), MPEGCLIENT_ERROR_BAD_STATE);
        EXPECT(mpegclient_frame_info(client, 1, &info, sizeof info), MPEGCLIENT_ERROR_BAD_STATE);
        EXPECT(mpegclient_stream_info(client, &stream), MPEGCLIENT_ERROR_BAD_STATE);
        EXPECT(mpegclient_terminate(client), MPEGCLIENT_OK);
        EXPECT(mpegclient_terminate(client), MPEGCLIENT_OK);
        EXPECT(mpegclient_clear(client), MPEGCLIENT_OK);
        CHECK(state_of(client) == MPEGCLIENT_STATE_IDLE);
        if (round == 0) {
            REFUSED(mpegclient_setup(client, NULL, -1, NULL)); // no address anywhere
            EXPECT(mpegclient_setup(client, "/no/such/file", -1, NULL), MPEGCLIENT_ERROR_NOT_FOUND);
            CHECK(state_of(client) == MPEGCLIENT_STATE_IDLE);
        }
        EXPECT(mpegclient_setup(client, file_url, -1, NULL), MPEGCLIENT_OK);
        EXPECT(mpegclient_setup(client, NULL, -1, NULL), MPEGCLIENT_OK); // again, by the address kept
        EXPECT(mpegclient_terminate(client), MPEGCLIENT_OK);              // before any start
        CHECK(state_of(client) == MPEGCLIENT_STATE_STOPPED);
        EXPECT(mpegclient_start(client), MPEGCLIENT_OK);
        EXPECT(mpegclient_start(client), MPEGCLIENT_OK);
        EXPECT(mpegclient_interrupt(client, 0), MPEGCLIENT_OK); // without having been on
        EXPECT(mpegclient_clear(client), MPEGCLIENT_OK);
        EXPECT(mpegclient_clear(client), MPEGCLIENT_OK);
    }
    mpegclient_free(client);

    MpegClientCancel *cancel = mpegclient_cancel_new();
    EXPECT(mpegclient_cancel_reset(cancel), MPEGCLIENT_OK); // without having been triggered
    EXPECT(mpegclient_cancel_trigger(cancel), MPEGCLIENT_OK);
    EXPECT(mpegclient_cancel_trigger(cancel), MPEGCLIENT_OK);
    client = mpegclient_new();
    EXPECT(mpegclient_setup(client, live_url, -1, cancel), MPEGCLIENT_ERROR_CANCELLED);
    CHECK(state_of(client) == MPEGCLIENT_STATE_IDLE);
    mpegclient_free(client);
    mpegclient_cancel_free(cancel);
}

// ---- Leases that outlive everything ----

static void *release(void *lease) {
    mpegclient_lease_release(lease);
    return NULL;
}

// The sum of a batch's bytes, with the place of each.
static uint64_t sum_of(const MpegClientBatch *batch) {
    uint64_t sum = 0;
    for (size_t i = 0; i < batch->count * (size_t)batch->frame_stride; i++) {
        sum = sum * 31 + batch->data[i];
    }
    return sum;
}

// Leases that are out stay as they are after terminate, clear, another setup and free, and go back in any order, on any
// thread.
static void leases_outlive_their_client(void) {
    MpegClientReadOptions options = {.struct_size = sizeof options, .count = 3, .timeout_ms = 10000};
    MpegClientStats stats = {.struct_size = sizeof stats};
    MpegClientLease *leases[4];
    MpegClientBatch batches[4];
    uint64_t sums[4];
    MpegClient *client = mpegclient_new();
    for (int i = 0; i < 4; i++) {
        EXPECT(mpegclient_setup(client, file_url, -1, NULL), MPEGCLIENT_OK);
        EXPECT(mpegclient_start(client), MPEGCLIENT_OK);
        batches[i] = (MpegClientBatch){.struct_size = sizeof *batches};
        EXPECT(mpegclient_acquire_frames(client, &options, &leases[i], NULL, 0, &batches[i]), MPEGCLIENT_OK);
        CHECK(batches[i].count == 3 && batches[i].frame_stride == 320 * 240 * 3 && batches[i].buffer_needed == 0);
        sums[i] = sum_of(&batches[i]);
        EXPECT(i % 2 ? mpegclient_terminate(client) : mpegclient_clear(client), MPEGCLIENT_OK);
        EXPECT(mpegclient_stats(client, &stats), MPEGCLIENT_OK);
        CHECK(stats.leases == (uint64_t)i + 1 && stats.oldest_lease_age_ns > 0);
    }
    mpegclient_lease_release(leases[2]);
    EXPECT(mpegclient_stats(client, &stats), MPEGCLIENT_OK);
    CHECK(stats.leases == 3);
    mpegclient_free(client);
    for (int i = 0; i < 4; i++) {
        CHECK(i == 2 || sum_of(&batches[i]) == sums[i]);
    }
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, release, leases[1]) == 0);
    pthread_join(thread, NULL);
    CHECK(sum_of(&batches[3]) == sums[3]);
    mpegclient_lease_release(leases[3]);
    mpegclient_lease_release(leases[0]);
}

// ---- Two threads on one client ----

static MpegClient *shared;
static atomic_bool over;

// Whatever two threads do to each other, a call ends with a status of the table, and never in a defect.
static void expect_known(int32_t status, int line) {
    if (status == MPEGCLIENT_ERROR_INTERNAL || strcmp(mpegclient_status_string(status), "unknown status") == 0) {
        fprintf(stderr, "line %d: status %" PRId32 ": %s\n", line, status, mpegclient_last_error());
        exit(1);
    }
}
#define KNOWN(call) expect_known((call), __LINE__)

static void *read_all_the_time(void *unused) {
    (void)unused;
    MpegClientReadOptions options = {.struct_size = sizeof options, .count = 2, .timeout_ms = 20};
    MpegClientBatch batch = {.struct_size = sizeof batch};
    MpegClientFrameInfo infos[2];
    MpegClientStreamInfo stream = {.struct_size = sizeof stream};
    MpegClientStats stats = {.struct_size = sizeof stats};
    MpegClientError error = {.struct_size = sizeof error};
    MpegClientEvent event = {.struct_size = sizeof event};
    const MpegClient *clients[] = {shared};
    size_t size = 2 * 320 * 240 * 4;
    uint8_t *buffer = malloc(size);
    char text[64];
    while (!over) {
        uint64_t newest = 0;
        uint32_t side;
        int32_t state;
        int descriptor;
        size_t index;
        MpegClientLease *lease = NULL;
        KNOWN(mpegclient_next_event(shared, &event));
        KNOWN(mpegclient_event_fd(shared, &descriptor));
        KNOWN(mpegclient_event_arm(shared, newest));
        KNOWN(mpegclient_wait_any(clients, &newest, 1, 5, NULL, &index));
        KNOWN(mpegclient_output_shape(shared, 5, NULL, &side, &side, &side, NULL));
        KNOWN(mpegclient_wait(shared, 0, 5, NULL, &newest));
        KNOWN(mpegclient_extract_frames(shared, &options, buffer, size, infos, sizeof *infos, &batch));
        KNOWN(mpegclient_acquire_frames(shared, &options, &lease, infos, sizeof *infos, &batch));
        mpegclient_lease_release(lease);
        KNOWN(mpegclient_frame_info(shared, newest, infos, sizeof *infos));
        KNOWN(mpegclient_state(shared, &state));
        KNOWN(mpegclient_stream_info(shared, &stream));
        KNOWN(mpegclient_stats(shared, &stats));
        KNOWN(mpegclient_client_error(shared, &error));
        KNOWN(mpegclient_describe(shared, text, sizeof text, NULL));
        KNOWN(mpegclient_get_parameter(shared, "url", text, sizeof text, NULL));
    }
    free(buffer);
    return NULL;
}

static void *live_all_the_time(void *unused) {
    (void)unused;
    while (!over) {
        KNOWN(mpegclient_set_parameter(shared, "cache_size", "4"));
        KNOWN(mpegclient_setup(shared, file_url, -1, NULL));
        KNOWN(mpegclient_start(shared));
        sleep_ms(20);
        KNOWN(mpegclient_terminate(shared));
        KNOWN(mpegclient_start(shared));
        KNOWN(mpegclient_interrupt(shared, 1));
        KNOWN(mpegclient_interrupt(shared, 0));
        KNOWN(mpegclient_setup(shared, live_url, 0, NULL));
        sleep_ms(5);
        KNOWN(mpegclient_start(shared));
        KNOWN(mpegclient_clear(shared));
    }
    return NULL;
}

// Two of each kind, so that every call meets every other and itself.
static void two_threads(void) {
    void *(*const bodies[])(void *) = {read_all_the_time, live_all_the_time, read_all_the_time, live_all_the_time};
    pthread_t threads[4];
    shared = mpegclient_new();
    for (int i = 0; i < 4; i++) {
        CHECK(pthread_create(&threads[i], NULL, bodies[i], NULL) == 0);
    }
    sleep_ms(5000);
    over = true;
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    EXPECT(mpegclient_clear(shared), MPEGCLIENT_OK);
    mpegclient_free(shared);
}

int main(int argc, char **argv) {
    if (argc != 6) {
        return 2;
    }
    file_url = argv[1], live_url = argv[2], keyless_url = argv[3], silent_url = argv[4], lost_url = argv[5];
    alarm(280); // whatever hangs, this ends
    null_in_every_state();
    calls_out_of_order();
    leases_outlive_their_client();
    two_threads();
    return failures > 0;
}
