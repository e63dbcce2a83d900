// Frames lent by a writer at full speed: they never change while they are held, whoever holds them for however long, and
// one that is forgotten costs memory, not freshness.
//
//     lease FILE
//
// a file of some thousand frames of 320x240.
#include "check.h"
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

static MpegClient *client;
static atomic_bool over;
static atomic_uint held;

static MpegClientStats stats_of(void) {
    MpegClientStats stats = {.struct_size = sizeof stats};
    EXPECT(mpegclient_stats(client, &stats), MPEGCLIENT_OK);
    return stats;
}

static uint64_t published(void) { return stats_of().newest_seq; }

// Lends frames and compares them, once many more have been written, with what they were.
static void *hold(void *argument) {
    uint32_t count = *(uint32_t *)argument;
    MpegClientReadOptions options = {.struct_size = sizeof options, .count = count, .timeout_ms = 10000};
    MpegClientFrameInfo infos[8];
    uint8_t *before = NULL;
    while (!over) {
        MpegClientLease *lease = NULL;
        MpegClientBatch batch = {.struct_size = sizeof batch};
        EXPECT(mpegclient_acquire_frames(client, &options, &lease, infos, sizeof *infos, &batch), MPEGCLIENT_OK);
        if (lease == NULL) {
            break;
        }
        CHECK(batch.count == count && infos[count - 1].seq == batch.first_seq + count - 1);
        size_t size = (size_t)batch.frame_stride * count;
        before = realloc(before, size);
        memcpy(before, batch.data, size);
        // Some hold for a frame or two, some for several rounds of the ring.
        for (uint64_t until = published() + 20 * count; published() < until && !over;) {
            CHECK(memcmp(before, batch.data, size) == 0);
            sleep_ms(1);
        }
        mpegclient_lease_release(lease);
        held++;
    }
    free(before);
    return NULL;
}

// One that is never given back, until the end.
static void forget(void) {
    MpegClientReadOptions options = {.struct_size = sizeof options, .count = 5, .timeout_ms = 10000};
    MpegClientLease *lease = NULL;
    MpegClientBatch batch = {.struct_size = sizeof batch}, newest = {.struct_size = sizeof newest};
    EXPECT(mpegclient_acquire_frames(client, &options, &lease, NULL, 0, &batch), MPEGCLIENT_OK);
    size_t size = (size_t)batch.frame_stride * batch.count;
    uint8_t *before = malloc(size), *read = malloc(size);
    memcpy(before, batch.data, size);
    uint64_t seen = batch.first_seq;
    for (int round = 0; round < 10; round++) {
        EXPECT(mpegclient_wait(client, seen + 30, 10000, NULL, &seen), MPEGCLIENT_OK);
        EXPECT(mpegclient_extract_frames(client, &options, read, size, NULL, 0, &newest), MPEGCLIENT_OK);
        CHECK(newest.first_seq + newest.count > seen);
        CHECK(memcmp(before, batch.data, size) == 0);
    }
    MpegClientStats stats = stats_of();
    CHECK(stats.dropped_by_lease == 0 && stats.orphaned_rings == 1);
    CHECK(stats.leases == 1 && stats.oldest_lease_age_ns > 0);
    mpegclient_lease_release(lease);
    stats = stats_of();
    CHECK(stats.leases == 0 && stats.orphaned_rings == 0 && stats.oldest_lease_age_ns == 0);
    free(before), free(read);
}

int main(int argc, char **argv) {
    if (argc != 2) {
        return 2;
    }
    alarm(120); // whatever hangs, this ends
    client = mpegclient_new();
    EXPECT(mpegclient_set_parameter(client, "realtime", "off"), MPEGCLIENT_OK);
    EXPECT(mpegclient_set_parameter(client, "max_orphans", "16"), MPEGCLIENT_OK);
    EXPECT(mpegclient_setup(client, argv[1], -1, NULL), MPEGCLIENT_OK);
    EXPECT(mpegclient_start(client), MPEGCLIENT_OK);
    forget();
    static uint32_t counts[] = {1, 3, 8};
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) {
        CHECK(pthread_create(&threads[i], NULL, hold, &counts[i]) == 0);
    }
    await_state(client, MPEGCLIENT_STATE_ENDED);
    over = true;
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
    }
    MpegClientStats stats = stats_of();
    printf("%u leases held while %" PRIu64 " frames were written\n", held, stats.published);
    CHECK(held > 20 && stats.published == 2500 && stats.leases == 0);
    mpegclient_free(client);
    return failures > 0;
}
