// Stands between the library and the system: counts what is asked for and fails the call that it is told to. A program
// that includes this defines malloc, mmap, socket and their kind itself, and so for everything that it loads.
#ifndef FAILING_H
#define FAILING_H

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

// What can fail, by what is asked for and who asks.
typedef enum {
    LIBAV_MEMORY, // FFmpeg's libraries, which answer with ENOMEM
    LARGE_MEMORY, // this library, for as much as a picture takes
    MAPPING,      // mmap, by anybody
    MIRROR,       // mremap: the ring's memory can then not be mapped twice
    DESCRIPTOR,   // open, socket, eventfd, epoll_create1, fcntl to duplicate
    CONNECTION,   // connect, setsockopt, epoll_ctl
    THREAD,       // pthread_create
    KINDS
} Kind;

static const char *const kind_names[KINDS] = {"allocations by FFmpeg", "large allocations", "mappings", "second mappings",
                                              "descriptors", "connections", "threads"};

// Smaller ones of this library end the process where there is no memory, as everywhere in Rust.
#define LARGE 8192

static atomic_long asked[KINDS];
static atomic_long fail_at[KINDS]; // fail the call of this number, counted from 1; 0: none
static atomic_bool fail_on;        // and all that come after it

// What is had at the moment: blocks of memory that this library and FFmpeg's asked for, and bytes that this one mapped.
static atomic_long ours, libavs, mapped;

// ---- Who asks ----

typedef struct {
    uintptr_t begin, end;
    bool is_libav;
} Library;

static Library libraries[16];
static size_t library_count;

static int note_library(struct dl_phdr_info *info, size_t size, void *unused) {
    (void)size, (void)unused;
    bool is_libav = strstr(info->dlpi_name, "/libav") != NULL || strstr(info->dlpi_name, "/libsw") != NULL;
    if (!is_libav && strstr(info->dlpi_name, "/libmpegclient") == NULL) {
        return 0;
    }
    for (int i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type == PT_LOAD && info->dlpi_phdr[i].p_flags & PF_X && library_count < 16) {
            uintptr_t begin = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
            libraries[library_count++] = (Library){begin, begin + info->dlpi_phdr[i].p_memsz, is_libav};
        }
    }
    return 0;
}

typedef enum { OTHER, OURS, LIBAV } Asker;

static Asker asker_at(const void *address) {
    for (size_t i = 0; i < library_count; i++) {
        if ((uintptr_t)address >= libraries[i].begin && (uintptr_t)address < libraries[i].end) {
            return libraries[i].is_libav ? LIBAV : OURS;
        }
    }
    return OTHER;
}
#define ASKER asker_at(__builtin_return_address(0))

// ---- Whether to fail ----

static bool fails(Kind kind) {
    long number = atomic_fetch_add(&asked[kind], 1) + 1, wanted = fail_at[kind];
    return wanted != 0 && (number == wanted || (fail_on && number > wanted));
}

static bool memory_fails(Asker asker, size_t size) {
    return (asker == LIBAV && fails(LIBAV_MEMORY)) || (asker == OURS && size >= LARGE && fails(LARGE_MEMORY));
}

// Who asked for each block that is out. Whoever gives it back may not be seen from there: a function may end by jumping
// to free. Blocks lie at multiples of 16, which leaves room for the asker.
#define BUCKETS (1 << 14)
#define BUCKET_SIZE 16
static _Atomic(uintptr_t) owned[BUCKETS][BUCKET_SIZE];

static _Atomic(uintptr_t) *bucket_of(const void *block) {
    return owned[((uintptr_t)block >> 4) * 2654435761u % BUCKETS];
}

static void *counted(Asker asker, void *block) {
    if (block == NULL || asker == OTHER) {
        return block;
    }
    _Atomic(uintptr_t) *bucket = bucket_of(block);
    for (int i = 0; i < BUCKET_SIZE; i++) {
        uintptr_t empty = 0;
        if (atomic_compare_exchange_strong(&bucket[i], &empty, (uintptr_t)block | asker)) {
            ours += asker == OURS;
            libavs += asker == LIBAV;
            return block;
        }
    }
    abort(); // more blocks than the table was made for
}

// Takes a block out of the count; returns whose it was.
static Asker discounted(const void *block) {
    _Atomic(uintptr_t) *bucket = bucket_of(block);
    for (int i = 0; block != NULL && i < BUCKET_SIZE; i++) {
        uintptr_t entry = bucket[i];
        if ((entry & ~(uintptr_t)15) == (uintptr_t)block) {
            bucket[i] = 0;
            ours -= (entry & 15) == OURS;
            libavs -= (entry & 15) == LIBAV;
            return (Asker)(entry & 15);
        }
    }
    return OTHER;
}

static void forget_failures(void) {
    for (int kind = 0; kind < KINDS; kind++) {
        fail_at[kind] = 0;
        asked[kind] = 0;
    }
    fail_on = false;
}

// ---- Memory. glibc has each function under a name of its own too. ----

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *block);

#define OR_NO_MEMORY(asker, size, block) \
    (memory_fails(asker, size) ? (errno = ENOMEM, (void *)NULL) : counted(asker, block))

void *malloc(size_t size) { return OR_NO_MEMORY(ASKER, size, __libc_malloc(size)); }

void *calloc(size_t count, size_t size) { return OR_NO_MEMORY(ASKER, count * size, __libc_calloc(count, size)); }

void *realloc(void *block, size_t size) {
    Asker asker = ASKER;
    if (memory_fails(asker, size)) {
        errno = ENOMEM;
        return NULL;
    }
    Asker before = discounted(block);
    void *moved = __libc_realloc(block, size);
    return counted(block == NULL ? asker : before, moved);
}

int posix_memalign(void **block, size_t alignment, size_t size) {
    *block = OR_NO_MEMORY(ASKER, size, __libc_memalign(alignment, size));
    return *block == NULL ? ENOMEM : 0;
}

void *memalign(size_t alignment, size_t size) { return OR_NO_MEMORY(ASKER, size, __libc_memalign(alignment, size)); }

void *aligned_alloc(size_t alignment, size_t size) {
    return OR_NO_MEMORY(ASKER, size, __libc_memalign(alignment, size));
}

void free(void *block) {
    discounted(block);
    __libc_free(block);
}

// ---- The rest of the system. REAL finds the function that this one stands before. ----

#define REAL(result, name, ...) \
    static result (*real)(__VA_ARGS__); \
    if (real == NULL) { \
        *(void **)&real = dlsym(RTLD_NEXT, name); \
    }

#define FAIL(kind, number, value) \
    if (ASKER != OTHER && fails(kind)) { \
        errno = number; \
        return value; \
    }

static void *map(const char *name, void *at, size_t size, int access, int flags, int file, off_t offset, Asker asker) {
    REAL(void *, name, void *, size_t, int, int, int, off_t)
    void *place = real(at, size, access, flags, file, offset);
    if (place != MAP_FAILED && asker == OURS && !(flags & MAP_FIXED)) {
        mapped += (long)size;
    }
    return place;
}

void *mmap(void *at, size_t size, int access, int flags, int file, off_t offset) {
    FAIL(MAPPING, ENOMEM, MAP_FAILED)
    return map("mmap", at, size, access, flags, file, offset, ASKER);
}

void *mmap64(void *at, size_t size, int access, int flags, int file, off_t offset) {
    FAIL(MAPPING, ENOMEM, MAP_FAILED)
    return map("mmap64", at, size, access, flags, file, offset, ASKER);
}

int munmap(void *at, size_t size) {
    REAL(int, "munmap", void *, size_t)
    mapped -= ASKER == OURS ? (long)size : 0;
    return real(at, size);
}

void *mremap(void *at, size_t size, size_t new_size, int flags, ...) {
    REAL(void *, "mremap", void *, size_t, size_t, int, ...)
    FAIL(MIRROR, ENOMEM, MAP_FAILED)
    va_list more;
    va_start(more, flags);
    void *wanted = flags & MREMAP_FIXED ? va_arg(more, void *) : NULL;
    va_end(more);
    return real(at, size, new_size, flags, wanted);
}

// The mode, where there is one. Reading one that was not passed harms nothing on the systems that this runs on.
#define OPENING(name) \
    int name(const char *path, int flags, ...) { \
        REAL(int, #name, const char *, int, ...) \
        FAIL(DESCRIPTOR, EMFILE, -1) \
        va_list more; \
        va_start(more, flags); \
        mode_t mode = va_arg(more, mode_t); \
        va_end(more); \
        return real(path, flags, mode); \
    }
OPENING(open)
OPENING(open64)

int socket(int domain, int type, int protocol) {
    REAL(int, "socket", int, int, int)
    FAIL(DESCRIPTOR, EMFILE, -1)
    return real(domain, type, protocol);
}

int eventfd(unsigned value, int flags) {
    REAL(int, "eventfd", unsigned, int)
    FAIL(DESCRIPTOR, EMFILE, -1)
    return real(value, flags);
}

int epoll_create1(int flags) {
    REAL(int, "epoll_create1", int)
    FAIL(DESCRIPTOR, EMFILE, -1)
    return real(flags);
}

int fcntl(int file, int command, ...) {
    REAL(int, "fcntl", int, int, ...)
    if (command == F_DUPFD_CLOEXEC) {
        FAIL(DESCRIPTOR, EMFILE, -1)
    }
    va_list more;
    va_start(more, command);
    void *argument = va_arg(more, void *);
    va_end(more);
    return real(file, command, argument);
}

int connect(int file, __CONST_SOCKADDR_ARG address, socklen_t size) {
    REAL(int, "connect", int, __CONST_SOCKADDR_ARG, socklen_t)
    FAIL(CONNECTION, ENOBUFS, -1)
    return real(file, address, size);
}

int setsockopt(int file, int level, int name, const void *value, socklen_t size) {
    REAL(int, "setsockopt", int, int, int, const void *, socklen_t)
    FAIL(CONNECTION, ENOMEM, -1)
    return real(file, level, name, value, size);
}

int epoll_ctl(int file, int command, int other, struct epoll_event *event) {
    REAL(int, "epoll_ctl", int, int, int, struct epoll_event *)
    FAIL(CONNECTION, ENOSPC, -1)
    return real(file, command, other, event);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *), void *argument) {
    REAL(int, "pthread_create", pthread_t *, const pthread_attr_t *, void *(*)(void *), void *)
    if (ASKER != OTHER && fails(THREAD)) {
        return EAGAIN;
    }
    return real(thread, attributes, body, argument);
}

#endif
