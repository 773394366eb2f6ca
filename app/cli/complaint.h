/* What is said on standard error. */
#ifndef TDSCOPE_COMPLAINT_H
#define TDSCOPE_COMPLAINT_H

/* Says one line: "tdscope: ...". Control characters of names and values that it repeats are made harmless. */
#ifdef __GNUC__
__attribute__((format(printf, 1, 2)))
#endif
void complain(const char *format, ...);

#endif
