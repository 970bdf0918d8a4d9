/* clock: elapsed time and memory. tv_clock() is for waits and measurements, because an administrator or NTP may set the
 * time of day while a program runs; tv_clock_wall() is for times that are shown or stored. */
#include "trivet/base/clock.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static double read_clock(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

double tv_clock(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

double tv_clock_wall(void)
{
    return read_clock(CLOCK_REALTIME);
}

double tv_peak_memory(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    /* Linux counts ru_maxrss in units of 1024 bytes (getrusage(2)). */
    return (double)usage.ru_maxrss * 1024.0;
}

/* The number after `name` in a file of /proc or /sys ("": at the beginning of the file); -1 if there is none. A control
 * group without a limit says "max", which is no number either. */
static double read_number(const char *path, const char *name)
{
    char line[256];
    double number = -1;
    FILE *f = fopen(path, "re");
    while (f && number < 0 && fgets(line, sizeof line, f))
        if (strncmp(line, name, strlen(name)) != 0 || sscanf(line + strlen(name), "%lf", &number) != 1)
            number = -1;
    if (f)
        fclose(f);
    return number;
}

/* A search decides by it how many trials run side by side. Inside a container the files of the group lie at these paths
 * (cgroup version 2); with version 1 they are missing and the machine's figure counts alone. */
double tv_available_memory(void)
{
    double machine = read_number("/proc/meminfo", "MemAvailable:") * 1024;
    double limit = read_number("/sys/fs/cgroup/memory.max", ""), used = read_number("/sys/fs/cgroup/memory.current", "");
    double group = limit >= 0 && used >= 0 ? (limit > used ? limit - used : 0) : -1;
    if (machine < 0)
        return group < 0 ? 0 : group;
    return group >= 0 && group < machine ? group : machine;
}
