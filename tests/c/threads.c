// Where the system has no thread to give, start fails and leaves the client in the state that it had: nobody waits for a
// connection that nothing makes.
//
//     threads FILE
#define _GNU_SOURCE
#include "check.h"
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

static atomic_bool has_threads = true;

// Stands before the system's own for whatever this program loads.
int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *), void *argument) {
    static int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
    return has_threads ? real(thread, attributes, body, argument) : EAGAIN;
}

static void fail_to_start(MpegClient *client, int32_t state, int32_t status) {
    has_threads = false;
    EXPECT(mpegclient_start(client), MPEGCLIENT_ERROR_SYSTEM);
    has_threads = true;
    CHECK(state_of(client) == state);
    EXPECT(mpegclient_wait(client, UINT64_MAX - 1, -1, NULL, NULL), status);
}

int main(int argc, char **argv) {
    if (argc != 2) {
        return 2;
    }
    alarm(100); // whatever hangs, this ends
    MpegClient *client = mpegclient_new();
    EXPECT(mpegclient_set_parameter(client, "realtime", "off"), MPEGCLIENT_OK);
    has_threads = false;
    EXPECT(mpegclient_setup(client, argv[1], -1, NULL), MPEGCLIENT_ERROR_SYSTEM);
    CHECK(state_of(client) == MPEGCLIENT_STATE_IDLE);
    EXPECT(mpegclient_setup(client, argv[1], 0, NULL), MPEGCLIENT_ERROR_SYSTEM);
    CHECK(state_of(client) == MPEGCLIENT_STATE_IDLE);
    has_threads = true;
    EXPECT(mpegclient_setup(client, argv[1], -1, NULL), MPEGCLIENT_OK);
    EXPECT(mpegclient_start(client), MPEGCLIENT_OK);
    await_state(client, MPEGCLIENT_STATE_ENDED);
    fail_to_start(client, MPEGCLIENT_STATE_ENDED, MPEGCLIENT_ERROR_ENDED);
    EXPECT(mpegclient_start(client), MPEGCLIENT_OK); // the same client is as good as a new one
    EXPECT(mpegclient_wait(client, 0, 10000, NULL, NULL), MPEGCLIENT_OK);
    await_state(client, MPEGCLIENT_STATE_ENDED);
    mpegclient_free(client);
    return failures > 0;
}
