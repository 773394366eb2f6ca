/* Text in HTML (the HTML standard, 13.1). */
#include "html_layout.h"

#include <string.h>

#include "text.h"

static const char style[] =
    "body{font:15px/1.5 system-ui,sans-serif;max-width:62em;margin:2em auto;padding:0 1em;color:#222;background:#fff}"
    "h1{font-size:1.5em;margin-bottom:.3em}h2{font-size:1.15em;margin:1.8em 0 .4em;border-bottom:1px solid #ccc}"
    ".client,.server,.network{color:#a11}.unknown,.risk{color:#960}.none{color:#171}"
    "code{font:13px ui-monospace,monospace;background:#f3f3f3;padding:0 .25em;overflow-wrap:anywhere}"
    "table{border-collapse:collapse;width:100%;font-size:14px}th{text-align:left;font-weight:600}"
    "td,th{border-bottom:1px solid #e4e4e4;padding:.25em .6em .25em 0;vertical-align:top}"
    "td.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}.faint{color:#666}"
    "li{margin:.25em 0}@media print{body{margin:0;max-width:none}tr,li{break-inside:avoid}}"
    "@media(prefers-color-scheme:dark){body{color:#ddd;background:#1b1b1b}code{background:#2b2b2b}.faint{color:#999}"
    ".client,.server,.network{color:#f77}.unknown,.risk{color:#db5}.none{color:#7c7}td,th{border-color:#333}}";

void html_begin(const char *title, struct sink *sink)
{
    sink_put(sink, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                   "<meta name=\"viewport\" content=\"width=device-width\">\n<title>");
    html_put(title, sink);
    sink_format(sink, "</title>\n<style>%s</style>\n</head>\n<body>\n", style);
}

void html_end(struct sink *sink)
{
    sink_put(sink, "</body>\n</html>\n");
}

static const char *name_of(char character)
{
    switch (character) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    default:
        return "&#39;";
    }
}

static void put_safe(const char *text, size_t size, struct sink *sink)
{
    const char *end = text + size;
    while (text < end) {
        const char *from = text;
        while (text < end && !strchr("&<>\"'", *text))
            text++;
        sink_put_bytes(sink, from, (size_t)(text - from));
        if (text < end)
            sink_put(sink, name_of(*text++));
    }
}

void html_put(const char *text, struct sink *sink)
{
    put_safe(text, strlen(text), sink);
}

void html_put_words(const char *text, struct sink *sink)
{
    for (bool code = false; *text; code = !code) {
        size_t size = strcspn(text, "`");
        bool closed = text[size] == '`';
        sink_put(sink, code ? "<code>" : "");
        put_safe(text, size, sink);
        sink_put(sink, code ? "</code>" : "");
        text += size + closed;
    }
}

void html_put_paragraph(const char *text, struct sink *sink)
{
    if (!text[0])
        return;
    sink_put(sink, "<p>");
    html_put_words(text, sink);
    sink_put(sink, "</p>\n");
}

void html_put_untrusted(const char *bytes, struct sink *sink)
{
    struct text safe = {0};
    text_add_untrusted(&safe, (struct span){(const uint8_t *)bytes, strlen(bytes)});
    html_put(text_string(&safe), sink);
    text_close(&safe);
}
