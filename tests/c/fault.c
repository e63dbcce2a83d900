// Faults of a caller, made on purpose: a sanitizer must tell each of them, and that it happened in the library.
//
//     fault overflow|leak|race FILE
#include "check.h"
#include <pthread.h>
#include <string.h>

static MpegClient *client;

static MpegClient *run(const char *file) {
    client = mpegclient_new();
    EXPECT(mpegclient_setup(client, file, -1, NULL), MPEGCLIENT_OK);
    EXPECT(mpegclient_start(client), MPEGCLIENT_OK);
    EXPECT(mpegclient_wait(client, 3, 10000, NULL, NULL), MPEGCLIENT_OK);
    return client;
}

// Room for one frame's info where two are asked for.
static void overflow(void) {
    MpegClientReadOptions options = {.struct_size = sizeof options, .count = 2, .timeout_ms = 10000};
    MpegClientBatch batch = {.struct_size = sizeof batch};
    MpegClientFrameInfo *infos = malloc(sizeof *infos);
    MpegClientLease *lease = NULL;
    EXPECT(mpegclient_acquire_frames(client, &options, &lease, infos, sizeof *infos, &batch), MPEGCLIENT_OK);
    mpegclient_lease_release(lease);
    free(infos);
}

// Two threads that have the library write into the same struct.
static MpegClientStats stats = {.struct_size = sizeof stats};

static void *ask(void *unused) {
    (void)unused;
    for (int round = 0; round < 1000; round++) {
        mpegclient_stats(client, &stats);
    }
    return NULL;
}

static void race(void) {
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        CHECK(pthread_create(&threads[i], NULL, ask, NULL) == 0);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
}

int main(int argc, char **argv) {
    if (argc != 3) {
        return 2;
    }
    run(argv[2]);
    if (strcmp(argv[1], "overflow") == 0) {
        overflow();
    } else if (strcmp(argv[1], "race") == 0) {
        race();
    }
    if (strcmp(argv[1], "leak") == 0) {
        MpegClientCancel *forgotten = mpegclient_cancel_new();
        mpegclient_cancel_trigger(forgotten);
    }
    mpegclient_free(client);
    return failures > 0;
}
