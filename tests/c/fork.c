// A child after fork must not use its parent's clients: it is told so, may free them, and does the parent no harm. Apart
// from misuse.c because valgrind would rightly call it a leak that the child leaves the client's memory be.
//
//     fork FILE
#include "check.h"
#include <sys/wait.h>
#include <unistd.h>

static MpegClientReadOptions options = {.struct_size = sizeof options, .count = 2, .timeout_ms = 10000};

static void in_child(MpegClient *client, MpegClientLease *lease) {
    int32_t state;
    MpegClientLease *another = NULL;
    MpegClientBatch batch = {.struct_size = sizeof batch};
    EXPECT(mpegclient_acquire_frames(client, &options, &another, NULL, 0, &batch), MPEGCLIENT_ERROR_FORKED);
    EXPECT(mpegclient_state(client, &state), MPEGCLIENT_ERROR_FORKED);
    EXPECT(mpegclient_set_parameter(client, "width", "1"), MPEGCLIENT_ERROR_FORKED);
    EXPECT(mpegclient_setup(client, "/no/such/file", -1, NULL), MPEGCLIENT_ERROR_FORKED);
    EXPECT(mpegclient_start(client), MPEGCLIENT_ERROR_FORKED);
    EXPECT(mpegclient_wait(client, 0, -1, NULL, NULL), MPEGCLIENT_ERROR_FORKED);
    EXPECT(mpegclient_terminate(client), MPEGCLIENT_ERROR_FORKED);
    EXPECT(mpegclient_clear(client), MPEGCLIENT_ERROR_FORKED);
    mpegclient_free(client);
    mpegclient_lease_release(lease);
}

int main(int argc, char **argv) {
    if (argc != 2) {
        return 2;
    }
    alarm(120); // whatever hangs, this ends
    MpegClient *client = mpegclient_new();
    EXPECT(mpegclient_setup(client, argv[1], -1, NULL), MPEGCLIENT_OK);
    EXPECT(mpegclient_start(client), MPEGCLIENT_OK);
    EXPECT(mpegclient_wait(client, 0, 10000, NULL, NULL), MPEGCLIENT_OK);
    MpegClientLease *lease = NULL;
    MpegClientBatch batch = {.struct_size = sizeof batch};
    MpegClientStats stats = {.struct_size = sizeof stats};
    EXPECT(mpegclient_acquire_frames(client, &options, &lease, NULL, 0, &batch), MPEGCLIENT_OK);
    pid_t child = fork();
    if (child == 0) {
        alarm(60); // a child does not inherit its parent's
        in_child(client, lease);
        MpegClient *own = mpegclient_new(); // a client of its own serves it as ever
        EXPECT(mpegclient_setup(own, argv[1], -1, NULL), MPEGCLIENT_OK);
        EXPECT(mpegclient_start(own), MPEGCLIENT_OK);
        EXPECT(mpegclient_wait(own, 0, 10000, NULL, NULL), MPEGCLIENT_OK);
        mpegclient_free(own);
        _exit(failures > 0);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    EXPECT(mpegclient_wait(client, 25, 10000, NULL, NULL), MPEGCLIENT_OK); // the parent's goes on
    EXPECT(mpegclient_stats(client, &stats), MPEGCLIENT_OK);
    CHECK(stats.leases == 1); // what the child gave back was not the parent's
    mpegclient_lease_release(lease);
    mpegclient_free(client);
    return failures > 0;
}
