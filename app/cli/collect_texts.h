/* What tdscope collect prints: for each system the commands that collect the evidence, as a script to read and to paste from. */
#ifndef TDSCOPE_COLLECT_TEXTS_H
#define TDSCOPE_COLLECT_TEXTS_H

/* PowerShell, sh, sh. */
extern const char collect_windows[], collect_linux[], collect_macos[];

#endif
