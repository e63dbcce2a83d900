// Clients that a forked child makes itself work, whatever the parent's threads do at that moment: a hundred children, one
// after the other, of a parent that waits, reads, logs, looks names up and makes clients all the while.
//
//     forks FILE [CHILDREN]
#include "check.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *file;
static atomic_bool is_over;

static void ignore(int32_t level, const char *line, void *user_data) { (void)level, (void)line, (void)user_data; }

// ---- What the parent's threads do ----

static MpegClient *held, *running, *blocked; // a parked writer, a paced one, one that waits for its reader
static MpegClientCancel *token;

// Waits without end for a frame that does not come, in many threads at once.
static void *wait_for_ever(void *unused) {
    (void)unused;
    int32_t status = mpegclient_wait(running, UINT64_MAX - 1, -1, token, NULL);
    CHECK(status == MPEGCLIENT_ERROR_CANCELLED);
    return NULL;
}

static void *make_clients(void *unused) {
    (void)unused;
    while (!is_over) {
        MpegClient *client = mpegclient_new();
        mpegclient_setup(client, file, -1, NULL);
        mpegclient_start(client);
        mpegclient_wait(client, 0, 5000, NULL, NULL);
        mpegclient_free(client);
    }
    return NULL;
}

// The name server, if there is one, may take its time: the look-up goes on without us.
static void *look_up_names(void *unused) {
    (void)unused;
    MpegClient *client = mpegclient_new();
    while (!is_over) {
        mpegclient_setup(client, "rtsp://no-such-host.invalid/video", 20, NULL);
    }
    mpegclient_free(client);
    return NULL;
}

static void *change_the_log(void *unused) {
    (void)unused;
    while (!is_over) {
        mpegclient_set_log_callback(ignore, NULL);
        mpegclient_set_log_level(MPEGCLIENT_LOG_DEBUG);
        mpegclient_cancel_reset(token);
    }
    return NULL;
}

static MpegClient *set_up(const char *key, const char *value) {
    MpegClient *client = mpegclient_new();
    EXPECT(mpegclient_set_parameter(client, key, value), MPEGCLIENT_OK);
    EXPECT(mpegclient_setup(client, file, -1, NULL), MPEGCLIENT_OK);
    return client;
}

// ---- What a child does ----

static void read_frames(MpegClient *client, unsigned char *buffer, size_t size) {
    MpegClientReadOptions options = {.struct_size = sizeof options, .count = 3, .timeout_ms = 10000};
    MpegClientBatch batch = {.struct_size = sizeof batch};
    EXPECT(mpegclient_extract_frames(client, &options, buffer, size, NULL, 0, &batch), MPEGCLIENT_OK);
    CHECK(batch.count == 3);
}

static void use_own_clients(void) {
    static unsigned char buffer[3 * 64 * 48 * 3];
    MpegClient *clients[2];
    MpegClientCancel *own = mpegclient_cancel_new();
    for (int i = 0; i < 2; i++) {
        clients[i] = mpegclient_new();
        EXPECT(mpegclient_set_parameter(clients[i], "width", "64"), MPEGCLIENT_OK);
        EXPECT(mpegclient_set_parameter(clients[i], "height", "48"), MPEGCLIENT_OK);
        EXPECT(mpegclient_setup(clients[i], file, 10000, own), MPEGCLIENT_OK);
        EXPECT(mpegclient_start(clients[i]), MPEGCLIENT_OK);
    }
    read_frames(clients[0], buffer, sizeof buffer);
    EXPECT(mpegclient_terminate(clients[0]), MPEGCLIENT_OK);
    EXPECT(mpegclient_start(clients[0]), MPEGCLIENT_OK);
    int32_t status = mpegclient_setup(clients[1], "rtsp://no-such-host.invalid/video", 500, own);
    CHECK(status == MPEGCLIENT_ERROR_RESOLVE_FAILED || status == MPEGCLIENT_ERROR_TIMEOUT);
    EXPECT(mpegclient_cancel_trigger(own), MPEGCLIENT_OK);
    EXPECT(mpegclient_wait(clients[0], UINT64_MAX - 1, -1, own, NULL), MPEGCLIENT_ERROR_CANCELLED);
    for (int i = 0; i < 2; i++) {
        mpegclient_free(clients[i]);
    }
    mpegclient_cancel_free(own);
}

static void leave_the_parents_alone(void) {
    EXPECT(mpegclient_terminate(held), MPEGCLIENT_ERROR_FORKED);
    EXPECT(mpegclient_cancel_trigger(token), MPEGCLIENT_ERROR_FORKED);
    EXPECT(mpegclient_cancel_reset(token), MPEGCLIENT_ERROR_FORKED);
    MpegClient *own = mpegclient_new();
    EXPECT(mpegclient_setup(own, file, -1, token), MPEGCLIENT_ERROR_FORKED);
    mpegclient_free(own);
    mpegclient_free(held);
    mpegclient_free(running);
    mpegclient_free(blocked);
    mpegclient_cancel_free(token);
}

static void run_child(int number) {
    pid_t child = fork();
    if (child == 0) {
        alarm(30); // a child does not inherit its parent's
        leave_the_parents_alone();
        use_own_clients();
        _exit(failures > 0);
    }
    int status = -1;
    waitpid(child, &status, 0);
    if (status != 0) {
        failures++;
        const char *how = WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "a failure";
        fprintf(stderr, "child %d ended with: %s\n", number, how);
    }
}

// ---- The whole ----

#define WAITERS 16

int main(int argc, char **argv) {
    if (argc < 2) {
        return 2;
    }
    alarm(280); // whatever hangs, this ends
    file = argv[1];
    int children = argc > 2 ? atoi(argv[2]) : 100;
    token = mpegclient_cancel_new();
    held = set_up("realtime", "on");
    running = set_up("realtime", "on");
    blocked = set_up("overflow", "block");
    EXPECT(mpegclient_start(running), MPEGCLIENT_OK);
    EXPECT(mpegclient_start(blocked), MPEGCLIENT_OK);
    mpegclient_set_log_callback(ignore, NULL);
    run_child(-1); // nothing but waiting threads
    void *(*const others[])(void *) = {make_clients, look_up_names, change_the_log};
    pthread_t waiters[WAITERS], threads[3];
    for (int i = 0; i < WAITERS; i++) {
        pthread_create(&waiters[i], NULL, wait_for_ever, NULL);
    }
    for (int i = 0; i < 3; i++) {
        pthread_create(&threads[i], NULL, others[i], NULL);
    }
    for (int number = 1; number <= children; number++) {
        run_child(number);
    }
    is_over = true;
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
    }
    EXPECT(mpegclient_cancel_trigger(token), MPEGCLIENT_OK);
    for (int i = 0; i < WAITERS; i++) {
        pthread_join(waiters[i], NULL);
    }
    mpegclient_free(held);
    mpegclient_free(running);
    mpegclient_free(blocked);
    mpegclient_cancel_free(token);
    return failures > 0;
}
