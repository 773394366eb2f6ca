/* Threads, and semaphores to hand work from one to another. */
#ifndef TDSCOPE_OS_THREAD_H
#define TDSCOPE_OS_THREAD_H

struct os_thread;
struct os_semaphore;

/* Processors that this program may use at once; at least 1. */
unsigned os_processors(void);

/* Runs run(context) beside the caller. NULL: the system refuses another thread. */
struct os_thread *os_thread_start(void (*run)(void *context), void *context);
void os_thread_join(struct os_thread *thread); /* waits for its end, and frees it */

/* What was written before a post is seen after the wait that it ends. */
struct os_semaphore *os_semaphore_open(unsigned count);
void os_semaphore_post(struct os_semaphore *semaphore);
void os_semaphore_wait(struct os_semaphore *semaphore);
void os_semaphore_close(struct os_semaphore *semaphore);

#endif
