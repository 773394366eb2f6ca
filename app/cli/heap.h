/* The program's heap. */
#ifndef TDSCOPE_CLI_HEAP_H
#define TDSCOPE_CLI_HEAP_H

/* Asks the system for large pages under the heap, before anything much is taken from it; where the system has none to give nothing happens. */
void heap_prepare(void);

#endif
