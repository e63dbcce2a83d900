// The library's threads take no part in the host's signal handling: all of them block its signals, the host's own mask
// stays as it is, and what the host blocks to read it by signalfd arrives there.
//
//     signals SOURCE...
#include "check.h"
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT};

static bool is_fault(int number) {
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        if (faults[i] == number) {
            return true;
        }
    }
    return false;
}

// The signals that a thread blocks, as /proc shows them: bit n - 1 for signal n.
static unsigned long long blocked_by(const char *thread) {
    char path[64], line[256];
    unsigned long long mask = 0;
    snprintf(path, sizeof path, "/proc/self/task/%s/status", thread);
    FILE *status = fopen(path, "r");
    while (status != NULL && fgets(line, sizeof line, status) != NULL) {
        sscanf(line, "SigBlk: %llx", &mask);
    }
    if (status != NULL) {
        fclose(status);
    }
    return mask;
}

// What each of the library's threads must block: all but faults, what cannot be blocked, and what glibc keeps for itself
// (SIGCANCEL and SIGSETXID). While glibc starts a thread, it blocks these, too.
static unsigned long long expected(void) {
    unsigned long long mask = 0;
    for (int number = 1; number <= 64; number++) {
        bool is_glibcs = number > 31 && number < SIGRTMIN;
        if (!is_fault(number) && !is_glibcs && number != SIGKILL && number != SIGSTOP) {
            mask |= 1ULL << (number - 1);
        }
    }
    return mask;
}

static int check_threads(void) {
    int seen = 0;
    char own[16];
    snprintf(own, sizeof own, "%ld", (long)syscall(SYS_gettid));
    DIR *threads = opendir("/proc/self/task");
    for (struct dirent *thread; (thread = readdir(threads)) != NULL;) {
        if (thread->d_name[0] == '.' || strcmp(thread->d_name, own) == 0) {
            continue;
        }
        seen++;
        unsigned long long mask = blocked_by(thread->d_name);
        if ((mask & expected()) != expected()) {
            failures++;
            fprintf(stderr, "thread %s blocks %llx, expected %llx\n", thread->d_name, mask, expected());
        }
    }
    closedir(threads);
    return seen;
}

static void check_mask(const sigset_t *wanted) {
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    for (int number = 1; number < NSIG; number++) {
        CHECK(sigismember(&mask, number) == sigismember(wanted, number));
    }
}

int main(int argc, char **argv) {
    alarm(200); // whatever hangs, this ends
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR2);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    MpegClient *clients[8];
    for (int i = 1; i < argc && i < 8; i++) {
        clients[i] = mpegclient_new();
        EXPECT(mpegclient_set_parameter(clients[i], "threads", "3"), MPEGCLIENT_OK);
        EXPECT(mpegclient_setup(clients[i], argv[i], 0, NULL), MPEGCLIENT_OK);
        check_mask(&mask);
        EXPECT(mpegclient_start(clients[i]), MPEGCLIENT_OK);
        check_mask(&mask);
        CHECK(check_threads() > 0);
        EXPECT(mpegclient_wait(clients[i], 3, 20000, NULL, NULL), MPEGCLIENT_OK);
    }
    CHECK(check_threads() >= argc - 1);
    // Blocked only now, when the threads are there, as by a daemon that opens its streams first.
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGRTMIN);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    int descriptor = signalfd(-1, &mask, SFD_CLOEXEC);
    for (int i = 0; i < 2; i++) {
        struct signalfd_siginfo info = {0};
        struct pollfd poll_fd = {descriptor, POLLIN, 0};
        kill(getpid(), i == 0 ? SIGTERM : SIGRTMIN);
        CHECK(poll(&poll_fd, 1, 10000) == 1);
        CHECK(read(descriptor, &info, sizeof info) == sizeof info);
        CHECK(info.ssi_signo == (uint32_t)(i == 0 ? SIGTERM : SIGRTMIN));
    }
    for (int i = 1; i < argc && i < 8; i++) {
        EXPECT(mpegclient_terminate(clients[i]), MPEGCLIENT_OK);
        mpegclient_free(clients[i]);
        check_mask(&mask);
    }
    return failures > 0;
}
