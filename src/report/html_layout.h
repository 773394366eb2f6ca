/* Text in HTML: made safe, with commands set apart. */
#ifndef TDSCOPE_HTML_LAYOUT_H
#define TDSCOPE_HTML_LAYOUT_H

#include "renderer.h"

/* From the doctype to the begin of the body: a page that needs nothing else, on a screen and on paper. */
void html_begin(const char *title, struct sink *sink);
void html_end(struct sink *sink);

/* Makes characters that HTML would take for its own safe. */
void html_put(const char *text, struct sink *sink);

/* A sentence or several; `commands` become code. */
void html_put_words(const char *text, struct sink *sink);
void html_put_paragraph(const char *text, struct sink *sink);

/* A file name or the like: bytes that nobody made safe yet. */
void html_put_untrusted(const char *bytes, struct sink *sink);

#endif
