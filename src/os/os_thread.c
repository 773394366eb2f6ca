/* POSIX threads and semaphores. The affinity mask is Linux's: `taskset` and containers set it. */
#define _GNU_SOURCE

#include "os_thread.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>

#include "memory.h"

struct os_thread {
    pthread_t id;
    void (*run)(void *context);
    void *context;
};

struct os_semaphore {
    sem_t count;
};

unsigned os_processors(void)
{
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return 1;
    int count = CPU_COUNT(&allowed);
    return count > 1 ? (unsigned)count : 1;
}

static void *run_thread(void *context)
{
    struct os_thread *thread = context;
    thread->run(thread->context);
    return NULL;
}

struct os_thread *os_thread_start(void (*run)(void *context), void *context)
{
    struct os_thread *thread = memory_take(sizeof *thread);
    thread->run = run;
    thread->context = context;
    if (pthread_create(&thread->id, NULL, run_thread, thread) == 0)
        return thread;
    memory_give(thread);
    return NULL;
}

void os_thread_join(struct os_thread *thread)
{
    pthread_join(thread->id, NULL);
    memory_give(thread);
}

struct os_semaphore *os_semaphore_open(unsigned count)
{
    struct os_semaphore *semaphore = memory_take(sizeof *semaphore);
    sem_init(&semaphore->count, 0, count);
    return semaphore;
}

void os_semaphore_post(struct os_semaphore *semaphore)
{
    sem_post(&semaphore->count);
}

void os_semaphore_wait(struct os_semaphore *semaphore)
{
    while (sem_wait(&semaphore->count) != 0 && errno == EINTR)
        ;
}

void os_semaphore_close(struct os_semaphore *semaphore)
{
    sem_destroy(&semaphore->count);
    memory_give(semaphore);
}
