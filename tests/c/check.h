// What the C tests share: a check that names what failed and where, and waiting for a state.
#ifndef CHECK_H
#define CHECK_H

#include <inttypes.h>
#include <mpegclient.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int failures;

// Checks that a call returns a status, and goes on if it does not: one run shows all that is wrong.
#define EXPECT(call, status) expect_status((call), (status), #call, __LINE__)
#define CHECK(condition) check((condition), #condition, __LINE__)

static inline void expect_status(int32_t got, int32_t wanted, const char *call, int line) {
    if (got != wanted) {
        failures++;
        fprintf(stderr, "line %d: %s: %" PRId32 " (%s), expected %" PRId32 " (%s); last error: %s\n", line, call, got,
                mpegclient_status_string(got), wanted, mpegclient_status_string(wanted), mpegclient_last_error());
    }
}

static inline void check(bool holds, const char *condition, int line) {
    if (!holds) {
        failures++;
        fprintf(stderr, "line %d: not so: %s\n", line, condition);
    }
}

static inline int32_t state_of(const MpegClient *client) {
    int32_t state = -1;
    EXPECT(mpegclient_state(client, &state), MPEGCLIENT_OK);
    return state;
}

static inline void sleep_ms(long milliseconds) {
    struct timespec pause = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

// Waits for a state, for a minute at most.
static inline void await_state(const MpegClient *client, int32_t state) {
    for (int tries = 0; tries < 6000; tries++) {
        if (state_of(client) == state) {
            return;
        }
        sleep_ms(10);
    }
    fprintf(stderr, "the state \"%s\" was awaited in vain; it is \"%s\"\n", mpegclient_state_string(state),
            mpegclient_state_string(state_of(client)));
    exit(1);
}

#endif
