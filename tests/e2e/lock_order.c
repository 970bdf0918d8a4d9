/* lock_order: loaded before the C library, it tells which mutexes of a program are taken while it holds others.
 *
 * The file that $LOCK_ORDER names gets a line a pair, once: where the one that is held was locked, and where the other, as
 * offsets into the program. A pair of which one was locked by a library is none of ours.
 *
 *   cc -shared -fPIC -o lock_order.so lock_order.c
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MOST_HELD = 32, PAIRS = 4096 };

struct lock {
    pthread_mutex_t *mutex;
    size_t at; /* offset into the program */
};

static _Thread_local struct lock held[MOST_HELD];
static _Thread_local int n_held;
static atomic_size_t pairs[PAIRS]; /* told, by their hash */
static size_t first, last;         /* the program's addresses */
static int file = -1;
static int (*lock)(pthread_mutex_t *), (*unlock)(pthread_mutex_t *);

/* The program itself is the first that is told of. */
static int take_program(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size, (void)context;
    first = info->dlpi_addr;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        size_t end = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr + info->dlpi_phdr[i].p_memsz;
        if (info->dlpi_phdr[i].p_type == PT_LOAD && end > last)
            last = end;
    }
    return 1;
}

__attribute__((constructor)) static void begin(void)
{
    dl_iterate_phdr(take_program, NULL);
    lock = (int (*)(pthread_mutex_t *))dlsym(RTLD_NEXT, "pthread_mutex_lock");
    unlock = (int (*)(pthread_mutex_t *))dlsym(RTLD_NEXT, "pthread_mutex_unlock");
    file = open(getenv("LOCK_ORDER"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void tell(size_t outer, size_t inner)
{
    char line[64];
    size_t key = outer << 32 ^ inner, place = (key ^ key >> 32) % PAIRS;
    if (atomic_exchange(&pairs[place], key) == key)
        return;
    int n = snprintf(line, sizeof line, "%zx %zx\n", outer, inner);
    if (write(file, line, (size_t)n) != n)
        abort();
}

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    size_t at = (size_t)__builtin_return_address(0);
    if (lock == NULL) /* before us: the loader's */
        begin();
    int code = lock(mutex);
    if (code != 0 || at < first || at >= last)
        return code;
    for (int i = 0; i < n_held; i++)
        tell(held[i].at, at - first - 1);
    if (n_held == MOST_HELD)
        abort();
    held[n_held++] = (struct lock){mutex, at - first - 1};
    return code;
}

int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    if (unlock == NULL)
        begin();
    for (int i = n_held; i-- > 0;)
        if (held[i].mutex == mutex) {
            held[i] = held[--n_held];
            break;
        }
    return unlock(mutex);
}
