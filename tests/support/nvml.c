/* A fake of the part of NVIDIA's management library that energy meters use. It follows NVML's API reference: return
   codes, size queries before reads, an energy counter in millijoules. The file named by NVML_STAND_IN holds the return
   code of the initialisation, that of the counter, and the counter. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SUCCESS = 0, NOT_SUPPORTED = 3, NOT_FOUND = 6, INSUFFICIENT_SIZE = 7 };

typedef struct { unsigned pid; unsigned long long memory; unsigned gpu_instance, compute_instance; } process;
typedef struct { const char *uuid; int mig, processes; } gpu;

static gpu gpus[] = {
    {"GPU-00000000-0000-0000-0000-00000000000a", -1, 1}, /* too old for MIG: the query is not supported */
    {"GPU-00000000-0000-0000-0000-00000000000b", 0, 2},  /* two processes compute on it */
    {"GPU-00000000-0000-0000-0000-00000000000c", 1, 1},  /* partitioned by MIG */
    {"GPU-00000000-0000-0000-0000-00000000000d", 0, 0},  /* in a container, which hides processes */
};

static long long state(int index)
{
    long long values[3] = {0, 0, 0};
    FILE *file = fopen(getenv("NVML_STAND_IN"), "r");
    if (file) {
        if (fscanf(file, "%lld %lld %lld", values, values + 1, values + 2) != 3)
            abort();
        fclose(file);
    }
    return values[index];
}

int nvmlInitWithFlags(unsigned flags) { return (int)state(0); }
int nvmlShutdown(void) { return SUCCESS; }
const char *nvmlErrorString(int code) { return "stand-in"; }

int nvmlDeviceGetHandleByUUID(const char *uuid, gpu **device)
{
    for (size_t i = 0; i < sizeof gpus / sizeof *gpus; i++)
        if (strcmp(gpus[i].uuid, uuid) == 0) {
            *device = gpus + i;
            return SUCCESS;
        }
    return NOT_FOUND;
}

int nvmlDeviceGetMigMode(gpu *device, unsigned *current, unsigned *pending)
{
    if (device->mig < 0)
        return NOT_SUPPORTED;
    *current = *pending = (unsigned)device->mig;
    return SUCCESS;
}

int nvmlDeviceGetComputeRunningProcesses_v3(gpu *device, unsigned *count, process *found)
{
    unsigned room = *count;
    *count = (unsigned)device->processes;
    if (room < *count)
        return INSUFFICIENT_SIZE;
    for (unsigned i = 0; i < *count; i++)
        found[i] = (process){100 + i, 1 << 20, 0xFFFFFFFF, 0xFFFFFFFF};
    return SUCCESS;
}

int nvmlDeviceGetTotalEnergyConsumption(gpu *device, unsigned long long *millijoules)
{
    *millijoules = (unsigned long long)state(2);
    return (int)state(1);
}
