// Watches a stream through whatever happens to it, reading all the time, until its standard input ends; then gives all
// back, in the midst of it. Something else judges: valgrind, or a sanitizer.
//
//     watch URL [NAME=VALUE]...
//
// Tells "CONNECTING" once it has asked for the stream, and "SEEN" once there are frames. That a stream cannot be had is
// no failure of this program; a status that stands for a defect is.
#include "check.h"
#include <poll.h>
#include <string.h>
#include <unistd.h>

static bool is_known(int32_t status) {
    CHECK(status != MPEGCLIENT_ERROR_INTERNAL && strcmp(mpegclient_status_string(status), "unknown status") != 0);
    return status == MPEGCLIENT_OK;
}

static void set_parameter(MpegClient *client, char *pair) {
    char *value = strchr(pair, '=');
    CHECK(value != NULL);
    if (value != NULL) {
        *value = '\0';
        EXPECT(mpegclient_set_parameter(client, pair, value + 1), MPEGCLIENT_OK);
    }
}

// Copies the newest frames and lends them; returns whether there were any.
static bool read_newest(MpegClient *client, uint8_t **buffer, size_t *size) {
    MpegClientReadOptions options = {.struct_size = sizeof options, .count = 2, .timeout_ms = 20};
    MpegClientBatch batch = {.struct_size = sizeof batch};
    MpegClientFrameInfo infos[2];
    MpegClientLease *lease = NULL;
    int32_t status = mpegclient_extract_frames(client, &options, *buffer, *size, infos, sizeof *infos, &batch);
    if (status == MPEGCLIENT_ERROR_BUFFER_TOO_SMALL) {
        *size = batch.buffer_needed;
        *buffer = realloc(*buffer, *size);
        return false;
    }
    bool any = is_known(status);
    is_known(mpegclient_acquire_frames(client, &options, &lease, infos, sizeof *infos, &batch));
    mpegclient_lease_release(lease);
    return any;
}

static void ask_everything(MpegClient *client) {
    MpegClientStreamInfo stream = {.struct_size = sizeof stream};
    MpegClientStats stats = {.struct_size = sizeof stats};
    MpegClientError error = {.struct_size = sizeof error};
    MpegClientEvent event = {.struct_size = sizeof event};
    char text[1 << 13];
    is_known(mpegclient_stream_info(client, &stream));
    is_known(mpegclient_stats(client, &stats));
    is_known(mpegclient_client_error(client, &error));
    is_known(mpegclient_describe(client, text, sizeof text, NULL));
    while (is_known(mpegclient_next_event(client, &event))) {
    }
}

static bool is_over(void) {
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    return poll(&input, 1, 20) != 0;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        return 2;
    }
    alarm(280); // whatever hangs, this ends
    uint8_t *buffer = NULL;
    size_t size = 0;
    MpegClient *client = mpegclient_new();
    for (int i = 2; i < argc; i++) {
        set_parameter(client, argv[i]);
    }
    is_known(mpegclient_setup(client, argv[1], 1, NULL)); // in vain, most of the time
    is_known(mpegclient_clear(client));
    is_known(mpegclient_setup(client, argv[1], 0, NULL));
    is_known(mpegclient_start(client));
    puts("CONNECTING");
    fflush(stdout);
    for (bool seen = false; !is_over();) {
        if (read_newest(client, &buffer, &size) && !seen) {
            seen = true;
            puts("SEEN");
            fflush(stdout);
        }
        ask_everything(client);
    }
    is_known(mpegclient_terminate(client));
    is_known(mpegclient_clear(client));
    mpegclient_free(client);
    free(buffer);
    return failures > 0;
}
