// Shows the newest five frames of a stream, ten times over, brought to 480x360 and 5 frames a second.
//
//     extract URL [PICTURE.ppm]
#include <inttypes.h>
#include <mpegclient.h>
#include <stdio.h>
#include <stdlib.h>

enum { FRAMES = 5 };

static MpegClient *client;
static uint8_t *buffer;

// Ends the program if a call failed. The library's words name what, where and why.
static void require(int32_t status, const char *what) {
    if (status != MPEGCLIENT_OK) {
        fprintf(stderr, "extract: %s: %s\n", what, mpegclient_last_error());
        mpegclient_free(client);
        free(buffer);
        exit(1);
    }
}

static void write_picture(const char *path, const MpegClientBatch *batch) {
    const uint8_t *newest = batch->data + (batch->count - 1) * batch->frame_stride;
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        perror(path);
        return;
    }
    fprintf(file, "P6\n%" PRIu32 " %" PRIu32 "\n255\n", batch->width, batch->height);
    fwrite(newest, 1, batch->frame_stride, file);
    fclose(file);
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: extract URL [PICTURE.ppm]\n");
        return 2;
    }

    client = mpegclient_new();
    if (client == NULL) {
        fprintf(stderr, "extract: %s\n", mpegclient_last_error());
        return 1;
    }
    require(mpegclient_set_parameter(client, "width", "480"), "width");
    require(mpegclient_set_parameter(client, "height", "360"), "height");
    require(mpegclient_set_parameter(client, "frame_rate", "5/1"), "frame_rate");
    require(mpegclient_set_parameter(client, "cache_size", "12"), "cache_size");
    require(mpegclient_setup(client, argv[1], -1, NULL), "setup");
    require(mpegclient_start(client), "start");

    size_t frame_bytes;
    require(mpegclient_output_shape(client, 3000, NULL, NULL, NULL, NULL, &frame_bytes), "shape");
    buffer = malloc(FRAMES * frame_bytes);

    MpegClientFrameInfo infos[FRAMES];
    MpegClientReadOptions options = {.struct_size = sizeof options, .count = FRAMES, .timeout_ms = 3000};
    MpegClientBatch batch = {.struct_size = sizeof batch};
    uint64_t seen = 0;
    for (int time = 0; time < 10; time++) {
        // For a frame newer than those shown, so that each time shows another.
        require(mpegclient_wait(client, seen, 3000, NULL, NULL), "wait");
        require(mpegclient_extract_frames(client, &options, buffer, FRAMES * frame_bytes, infos, sizeof *infos, &batch),
                "extract");
        const MpegClientFrameInfo *newest = &infos[batch.count - 1];
        seen = newest->seq;
        printf("(%" PRIu32 ", %" PRIu32 ", %" PRIu32 ", %" PRIu32 ") seq %" PRIu64 "..%" PRIu64 ", pts %.3f s, age %.1f ms\n",
               batch.count, batch.height, batch.width, batch.channels, infos[0].seq, newest->seq,
               (double)newest->pts_ns / 1e9, (double)batch.newest_age_ns / 1e6);
    }
    if (argc > 2) {
        write_picture(argv[2], &batch);
    }

    require(mpegclient_terminate(client), "terminate");
    mpegclient_free(client);
    free(buffer);
    return 0;
}
