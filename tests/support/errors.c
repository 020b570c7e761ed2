/* Lets the nth call on a path fail: a library for LD_PRELOAD, armed by tests/support/injected.py. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum { OPEN = 1, WRITE = 2, RENAME = 4, LINK = 8, SYNC = 16, UNLINK = 32, MKDIR = 64, TIME = 128, TRUNCATE = 256, READ = 512 };

static char below[PATH_MAX];
static int operations, error, lasting;
static long left;

void arm(const char *path, int which, long nth, int number, int lasts) {
    strncpy(below, path, sizeof below - 1);
    left = nth, error = number, lasting = lasts, operations = which;
}

static int fails(int operation, const char *path) {
    if (!(operations & operation) || path == NULL || strstr(path, below) == NULL) return 0;
    if (left-- > 0) return 0;
    left = 0;
    if (!lasting) operations = 0;
    errno = error;
    return 1;
}

static int fails_on(int operation, int file) {
    char link[64], path[PATH_MAX];
    ssize_t size;
    if (!(operations & operation)) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    size = readlink(link, path, sizeof path - 1);
    if (size < 0) return 0;
    path[size] = 0;
    return fails(operation, path);
}

#define NEXT(name) static __typeof__(name) *next; if (!next) next = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)
#define MODE(flags) mode_t mode = 0; if ((flags) & (O_CREAT | O_TMPFILE)) { va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); }

int open(const char *path, int flags, ...) { NEXT(open); MODE(flags) return fails(OPEN, path) ? -1 : next(path, flags, mode); }
int open64(const char *path, int flags, ...) { NEXT(open64); MODE(flags) return fails(OPEN, path) ? -1 : next(path, flags, mode); }
int openat(int at, const char *path, int flags, ...) { NEXT(openat); MODE(flags) return fails(OPEN, path) ? -1 : next(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { NEXT(openat64); MODE(flags) return fails(OPEN, path) ? -1 : next(at, path, flags, mode); }
ssize_t write(int file, const void *data, size_t size) { NEXT(write); return fails_on(WRITE, file) ? -1 : next(file, data, size); }
ssize_t read(int file, void *data, size_t size) { NEXT(read); return fails_on(READ, file) ? -1 : next(file, data, size); }
int rename(const char *from, const char *to) { NEXT(rename); return fails(RENAME, to) ? -1 : next(from, to); }
int renameat(int a, const char *from, int b, const char *to) { NEXT(renameat); return fails(RENAME, to) ? -1 : next(a, from, b, to); }
int link(const char *from, const char *to) { NEXT(link); return fails(LINK, to) ? -1 : next(from, to); }
int linkat(int a, const char *from, int b, const char *to, int flags) { NEXT(linkat); return fails(LINK, to) ? -1 : next(a, from, b, to, flags); }
int fsync(int file) { NEXT(fsync); return fails_on(SYNC, file) ? -1 : next(file); }
int unlink(const char *path) { NEXT(unlink); return fails(UNLINK, path) ? -1 : next(path); }
int unlinkat(int at, const char *path, int flags) { NEXT(unlinkat); return fails(UNLINK, path) ? -1 : next(at, path, flags); }
int mkdir(const char *path, mode_t mode) { NEXT(mkdir); return fails(MKDIR, path) ? -1 : next(path, mode); }
int utimensat(int at, const char *path, const struct timespec times[2], int flags) { NEXT(utimensat); return fails(TIME, path) ? -1 : next(at, path, times, flags); }
int truncate64(const char *path, off64_t size) { NEXT(truncate64); return fails(TRUNCATE, path) ? -1 : next(path, size); }
int ftruncate64(int file, off64_t size) { NEXT(ftruncate64); return fails_on(TRUNCATE, file) ? -1 : next(file, size); }
