// Fails what the library asks of the system, one call after the other: each time every call of the library comes back
// with a status, nothing is left behind, and the next calls work.
//
//     failures [--first N] [--step N] [--jobs N] [--engine libav|native] SOURCE...
//
// Tries each kind's first N calls, which are those of opening, and then every so many. Each try is a process of its own, so that one that dies
// is told like any other failure.
#include "failing.h"
#include "check.h"
#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <ucontext.h>

static const char *engine = "auto";
static long step = 1, first_calls = 24, jobs = 4;

// ---- A life of a client ----

static MpegClient *new_client(void) {
    MpegClient *client = mpegclient_new();
    if (client != NULL) {
        EXPECT(mpegclient_set_parameter(client, "realtime", "off"), MPEGCLIENT_OK);
        EXPECT(mpegclient_set_parameter(client, "overflow", "block"), MPEGCLIENT_OK);
        EXPECT(mpegclient_set_parameter(client, "rtsp_engine", engine), MPEGCLIENT_OK);
        EXPECT(mpegclient_set_parameter(client, "transport", "tcp"), MPEGCLIENT_OK);
        EXPECT(mpegclient_set_parameter(client, "threads", "2"), MPEGCLIENT_OK);
        EXPECT(mpegclient_set_parameter(client, "reconnect_delay_min", "50"), MPEGCLIENT_OK);
        EXPECT(mpegclient_set_parameter(client, "reconnect_max_attempts", "2"), MPEGCLIENT_OK);
    }
    return client;
}

// Whatever went wrong, it has a name and is no defect.
static bool is_ok(int32_t status) {
    CHECK(status == MPEGCLIENT_OK || mpegclient_last_error()[0] != '\0');
    CHECK(status != MPEGCLIENT_ERROR_INTERNAL);
    return status == MPEGCLIENT_OK;
}

static bool read_frames(MpegClient *client, int64_t timeout_ms) {
    static uint8_t buffer[2 * 320 * 240 * 3];
    MpegClientReadOptions options = {.struct_size = sizeof options, .count = 2, .timeout_ms = timeout_ms};
    MpegClientBatch batch = {.struct_size = sizeof batch};
    MpegClientFrameInfo infos[2];
    MpegClientLease *lease = NULL;
    bool all = is_ok(mpegclient_extract_frames(client, &options, buffer, sizeof buffer, infos, sizeof *infos, &batch));
    all &= is_ok(mpegclient_acquire_frames(client, &options, &lease, infos, sizeof *infos, &batch));
    mpegclient_lease_release(lease);
    return all;
}

// Every kind of call, whatever the ones before it returned. Returns whether all were well.
static bool live(MpegClient *client, const char *source, int64_t timeout_ms) {
    MpegClientStreamInfo stream = {.struct_size = sizeof stream};
    MpegClientError error = {.struct_size = sizeof error};
    int descriptor = -1;
    char text[4096];
    bool all = is_ok(mpegclient_setup(client, source, timeout_ms, NULL));
    all &= is_ok(mpegclient_event_fd(client, &descriptor));
    all &= is_ok(mpegclient_start(client));
    all &= read_frames(client, all ? timeout_ms : 100);
    all &= is_ok(mpegclient_stream_info(client, &stream));
    is_ok(mpegclient_describe(client, text, sizeof text, NULL));
    is_ok(mpegclient_client_error(client, &error));
    all &= is_ok(mpegclient_terminate(client));
    all &= is_ok(mpegclient_clear(client));
    return all;
}

// ---- What a process has ----

typedef struct {
    long descriptors, threads, ours, libavs, mapped;
} Footprint;

static long entries(const char *folder) {
    DIR *directory = opendir(folder);
    long count = 0;
    while (readdir(directory) != NULL) {
        count++;
    }
    closedir(directory);
    return count;
}

static Footprint footprint(void) {
    // The kernel lists a thread for a moment after it was joined.
    for (int tries = 0; tries < 200 && entries("/proc/self/task") > 3; tries++) {
        sleep_ms(5);
    }
    return (Footprint){entries("/proc/self/fd"), entries("/proc/self/task"), ours, libavs, mapped};
}

static void expect_no_more(const char *what, long before, long after) {
    if (after > before) {
        failures++;
        fprintf(stderr, "%s: %ld before, %ld after\n", what, before, after);
    }
}

// ---- A try ----

typedef struct {
    const char *source;
    int kind; // a Kind, or one of the limits
    long number;
    bool all_after; // fail also what comes after that number
} Try;

// What the system itself limits: descriptors, of which the number says how many are left; and the size of files, of which
// the library writes none.
enum { DESCRIPTOR_LIMIT = KINDS, SIZE_LIMIT, ALL_KINDS };

static const char *name_of(const Try *try) {
    static const char *const limits[] = {"descriptors by limit", "size by limit"};
    return try->kind >= KINDS ? limits[try->kind - KINDS] : kind_names[try->kind];
}

static int resource_of(const Try *try) { return try->kind == SIZE_LIMIT ? RLIMIT_FSIZE : RLIMIT_NOFILE; }

static void begin_failing(const Try *try, struct rlimit *before) {
    forget_failures();
    getrlimit(resource_of(try), before);
    struct rlimit few = *before;
    if (try->kind == DESCRIPTOR_LIMIT) {
        int lowest = dup(0);
        close(lowest);
        few.rlim_cur = (rlim_t)(lowest + try->number);
    } else if (try->kind == SIZE_LIMIT) {
        few.rlim_cur = (rlim_t)(try->number - 1) * 4096;
    } else {
        fail_on = try->all_after;
        fail_at[try->kind] = try->number;
    }
    setrlimit(resource_of(try), &few);
}

static void fail_once(const Try *try) {
    struct rlimit limit;
    begin_failing(try, &limit);
    MpegClient *client = new_client();
    CHECK(client != NULL || mpegclient_last_error()[0] != '\0');
    if (client != NULL) {
        live(client, try->source, 3000);
    }
    forget_failures();
    setrlimit(resource_of(try), &limit);
    client = client == NULL ? new_client() : client;
    CHECK(live(client, try->source, 10000)); // the same client is as good as a new one
    mpegclient_free(client);
}

// What FFmpeg itself does wrong where it runs out of memory is told apart, by the exit status: it may leave a block
// behind, and libavformat 5.1 closes a source twice whose last allocation of opening failed.
#define LIBAV_LEAKS 3
#define LIBAV_CRASHES 4

static void on_crash(int number, siginfo_t *info, void *context) {
    (void)info;
    const ucontext_t *machine = context;
#if defined(__x86_64__)
    const void *place = (const void *)machine->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    const void *place = (const void *)machine->uc_mcontext.pc;
#endif
    if (number == SIGSEGV && asker_at(place) == LIBAV) {
        _exit(LIBAV_CRASHES);
    }
    signal(number, SIG_DFL);
    raise(number);
}

static bool has_grown(const Footprint *before, const Footprint *after) {
    return after->descriptors > before->descriptors || after->threads > before->threads || after->ours > before->ours ||
           after->mapped > before->mapped || after->libavs > before->libavs;
}

static int run_try(const Try *try) {
    alarm(120); // whatever hangs, this ends
    struct sigaction crash = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigaction(SIGSEGV, &crash, NULL);
    fail_once(try); // what is made once in a process and kept is made by now
    // Of what is kept for the next use, such as memory to look for a pattern in, there is as much as was ever in use at once:
    // it grows now and then, where two threads meet. What is lost grows every time.
    Footprint before, after = footprint();
    int rounds = 0;
    do {
        before = after;
        fail_once(try);
        after = footprint();
    } while (has_grown(&before, &after) && ++rounds < 3);
    expect_no_more("descriptors", before.descriptors, after.descriptors);
    expect_no_more("threads", before.threads, after.threads);
    expect_no_more("allocations of the library", before.ours, after.ours);
    expect_no_more("bytes mapped by the library", before.mapped, after.mapped);
    if (failures == 0 && after.libavs > before.libavs) {
        return LIBAV_LEAKS;
    }
    return failures > 0;
}

// ---- All tries ----

#define MAX_JOBS 64

static struct {
    Try tries[MAX_JOBS];
    pid_t pids[MAX_JOBS];
    int count;
} running;

static long tried, failed, leaking, crashing;

static void tell_result(const Try *try, int status) {
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    const char *all = try->all_after ? " and all after" : "";
    tried++;
    leaking += code == LIBAV_LEAKS;
    crashing += code == LIBAV_CRASHES;
    if (code == LIBAV_LEAKS || code == LIBAV_CRASHES) {
        const char *what = code == LIBAV_LEAKS ? "leaves memory behind" : "crashes";
        printf("FFmpeg itself %s: %s number %ld%s, %s\n", what, name_of(try), try->number, all, try->source);
    } else if (code != 0) {
        failed++;
        fprintf(stderr, "FAILED: %s number %ld%s, %s: %s %d\n", name_of(try), try->number, all, try->source,
                code > 0 ? "status" : "killed by signal", code > 0 ? code : WTERMSIG(status));
    }
}

static void await_one(void) {
    int status = 0;
    pid_t pid = waitpid(-1, &status, 0);
    for (int i = 0; i < running.count; i++) {
        if (running.pids[i] != pid) {
            continue;
        }
        tell_result(&running.tries[i], status);
        running.count--;
        running.pids[i] = running.pids[running.count];
        running.tries[i] = running.tries[running.count];
        return;
    }
}

static void start(Try try) {
    while (running.count >= jobs) {
        await_one();
    }
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        _exit(run_try(&try));
    }
    running.tries[running.count] = try;
    running.pids[running.count++] = pid;
}

// How often each kind is asked for in a life without failures.
static void count_calls(const char *source, long counts[ALL_KINDS]) {
    forget_failures();
    MpegClient *client = new_client();
    CHECK(live(client, source, 10000));
    mpegclient_free(client);
    for (int kind = 0; kind < KINDS; kind++) {
        counts[kind] = asked[kind];
    }
    counts[DESCRIPTOR_LIMIT] = 12;
    counts[SIZE_LIMIT] = 2;
}

static void try_source(const char *source) {
    long counts[ALL_KINDS];
    count_calls(source, counts);
    // The native engine's runtime and session have buffers of fixed sizes, which end the process where there is none.
    bool is_native = strcmp(engine, "native") == 0;
    for (int kind = 0; kind < ALL_KINDS; kind++) {
        if (kind == LARGE_MEMORY && is_native) {
            continue;
        }
        long before = tried, bad = failed;
        for (long number = 1; number <= counts[kind]; number += number < first_calls ? 1 : step) {
            start((Try){source, kind, number, false});
            if (kind < KINDS && number <= first_calls) {
                start((Try){source, kind, number, true});
            }
        }
        while (running.count > 0) {
            await_one();
        }
        Try last = {.kind = kind};
        printf("%-22s %6ld calls, %5ld tries, %ld failed: %s\n", name_of(&last), counts[kind], tried - before,
               failed - bad, source);
        fflush(stdout);
    }
}

static long *option_named(const char *name) {
    static const struct {
        const char *name;
        long *value;
    } options[] = {{"--step", &step}, {"--first", &first_calls}, {"--jobs", &jobs}};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        if (strcmp(name, options[i].name) == 0) {
            return options[i].value;
        }
    }
    return NULL;
}

int main(int argc, char **argv) {
    int first = 1;
    for (; first + 1 < argc && strncmp(argv[first], "--", 2) == 0; first += 2) {
        long *value = option_named(argv[first]);
        if (value != NULL) {
            *value = strtol(argv[first + 1], NULL, 10);
        } else if (strcmp(argv[first], "--engine") == 0) {
            engine = argv[first + 1];
        } else {
            return 2;
        }
    }
    if (first == argc || step < 1 || first_calls < 1 || jobs < 1 || jobs > MAX_JOBS) {
        return 2;
    }
    dl_iterate_phdr(note_library, NULL);
    for (; first < argc; first++) {
        try_source(argv[first]);
    }
    printf("%ld calls failed on purpose: %ld defects; FFmpeg itself left memory behind in %ld and crashed in %ld\n", tried,
           failed, leaking, crashing);
    return failures > 0 || failed > 0;
}
