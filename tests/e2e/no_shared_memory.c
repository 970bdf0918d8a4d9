/* A library for LD_PRELOAD: no shared memory can be made, as where /dev/shm is read-only, full, or somebody else's. */
#include <errno.h>
#include <sys/types.h>

int shm_open(const char *name, int flags, mode_t mode);
int shm_open(const char *name, int flags, mode_t mode)
{
    (void)name, (void)flags, (void)mode;
    errno = EACCES;
    return -1;
}
