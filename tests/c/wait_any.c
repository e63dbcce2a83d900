// Waits for the first of several streams: all of them are returned in turn, also to callers with other sets in other
// threads.
//
//     wait_any FILE
//
// Each stream is the file, read to its end: its last frames stay readable, so that each always has one.
#include "check.h"
#include <pthread.h>

#define STREAMS 16

static MpegClient *clients[STREAMS];

typedef struct {
    size_t first, count;
} Set;

// Waits often enough for each of the set to be returned 50 times.
static void *take_turns(void *argument) {
    const Set *set = argument;
    const MpegClient *waited[STREAMS] = {0};
    uint64_t seen[STREAMS] = {0};
    int returned[STREAMS] = {0};
    for (size_t i = 0; i < set->count; i++) {
        waited[i] = clients[(set->first + i) % STREAMS];
    }
    for (size_t i = 0; i < 50 * set->count; i++) {
        size_t index = STREAMS;
        EXPECT(mpegclient_wait_any(waited, seen, set->count, 0, NULL, &index), MPEGCLIENT_OK);
        CHECK(index < set->count);
        returned[index < set->count ? index : 0]++;
    }
    for (size_t i = 0; i < set->count; i++) {
        CHECK(returned[i] == 50);
    }
    return NULL;
}

int main(int argc, char **argv) {
    if (argc != 2) {
        return 2;
    }
    for (int i = 0; i < STREAMS; i++) {
        clients[i] = mpegclient_new();
        EXPECT(mpegclient_set_parameter(clients[i], "realtime", "off"), MPEGCLIENT_OK);
        EXPECT(mpegclient_set_parameter(clients[i], "cache_size", "5"), MPEGCLIENT_OK);
        EXPECT(mpegclient_setup(clients[i], argv[1], -1, NULL), MPEGCLIENT_OK);
        EXPECT(mpegclient_start(clients[i]), MPEGCLIENT_OK);
    }
    for (int i = 0; i < STREAMS; i++) {
        await_state(clients[i], MPEGCLIENT_STATE_ENDED);
    }
    // One caller at a time, then all at once: their sets overlap, and no two are the same.
    Set sets[] = {{0, 2}, {0, 3}, {0, STREAMS}, {1, 2}, {STREAMS - 1, 2}, {7, 8}};
    enum { SETS = sizeof sets / sizeof *sets };
    pthread_t threads[SETS];
    for (int i = 0; i < SETS; i++) {
        take_turns(&sets[i]);
    }
    for (int i = 0; i < SETS; i++) {
        CHECK(pthread_create(&threads[i], NULL, take_turns, &sets[i]) == 0);
    }
    for (int i = 0; i < SETS; i++) {
        pthread_join(threads[i], NULL);
    }
    for (int i = 0; i < STREAMS; i++) {
        mpegclient_free(clients[i]);
    }
    return failures > 0;
}
