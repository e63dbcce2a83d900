// Loads and unloads the library twice over, as a host of plug-ins does: once with every object given back before, once
// while a stream is running. The library stays mapped (NODELETE), because its threads may outlive the last handle.
//
//     dlopen LIBRARY URL
#include <dlfcn.h>
#include <mpegclient.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

// Finds a function by the name and type that the header gives it. POSIX lets a data pointer hold it; ISO C is silent.
#define FIND(function) \
    do { \
        *(void **)&function##_found = dlsym(library, #function); \
        require(function##_found != NULL, #function); \
    } while (0)

static MpegClient *(*mpegclient_new_found)(void);
static void (*mpegclient_free_found)(MpegClient *);
static int32_t (*mpegclient_setup_found)(MpegClient *, const char *, int64_t, const MpegClientCancel *);
static int32_t (*mpegclient_start_found)(MpegClient *);
static int32_t (*mpegclient_wait_found)(const MpegClient *, uint64_t, int64_t, const MpegClientCancel *, uint64_t *);
static const char *(*mpegclient_last_error_found)(void);

static void require(int holds, const char *what) {
    if (!holds) {
        fprintf(stderr, "%s: %s\n", what, mpegclient_last_error_found ? mpegclient_last_error_found() : dlerror());
        exit(1);
    }
}

static void *load(const char *path) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    require(library != NULL, path);
    FIND(mpegclient_last_error);
    FIND(mpegclient_new);
    FIND(mpegclient_free);
    FIND(mpegclient_setup);
    FIND(mpegclient_start);
    FIND(mpegclient_wait);
    return library;
}

static MpegClient *run(const char *url) {
    MpegClient *client = mpegclient_new_found();
    require(client != NULL, "new");
    require(mpegclient_setup_found(client, url, -1, NULL) == MPEGCLIENT_OK, "setup");
    require(mpegclient_start_found(client) == MPEGCLIENT_OK, "start");
    require(mpegclient_wait_found(client, 0, 10000, NULL, NULL) == MPEGCLIENT_OK, "wait");
    return client;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        return 2;
    }
    alarm(120); // whatever hangs, this ends
    for (int round = 0; round < 2; round++) {
        void *library = load(argv[1]);
        mpegclient_free_found(run(argv[2]));
        require(dlclose(library) == 0, "dlclose after free");

        library = load(argv[1]);
        MpegClient *client = run(argv[2]);
        uint64_t seen = 0;
        require(mpegclient_wait_found(client, 0, 0, NULL, &seen) == MPEGCLIENT_OK, "wait before dlclose");
        require(dlclose(library) == 0, "dlclose while running");
        library = load(argv[1]);
        require(mpegclient_wait_found(client, seen + 5, 10000, NULL, NULL) == MPEGCLIENT_OK, "wait after dlclose");
        mpegclient_free_found(client);
        require(dlclose(library) == 0, "last dlclose");
    }
    return 0;
}
