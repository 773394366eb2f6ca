/* Columns of conversations. */
#include "conversation_columns.h"

#include <string.h>

enum { KEY_SIZE = 32 };

const char *const conversation_columns[] = {
    "id",
    "culprit",
    "cause",
    "confidence",
    "client.address",
    "client.port",
    "server.address",
    "server.port",
    "seen_by_server.client.address",
    "seen_by_server.client.port",
    "seen_by_server.server.address",
    "seen_by_server.server.port",
    "protocol",
    "start",
    "end",
    "packets",
    "bytes",
    "ending",
    "closed_first_by",
    "retransmits",
    "keep_alives",
    "zero_windows",
    "login.stage",
    "login.duration_s",
    "login.encrypted",
    "login.tls_version",
    "login.cipher",
    "login.tds_version",
    "login.client_host",
    "login.application",
    "login.library",
    "login.user",
    "login.database",
    "login.server_name",
    "login.server_version",
    "login.connection_id",
    "login.authentication",
    "login.error.number",
    "login.error.state",
    "login.error.severity",
    "login.error.message",
    "mars",
    "display_filter",
};
const unsigned conversation_column_count = sizeof conversation_columns / sizeof *conversation_columns;

const json_t *conversation_member(const json_t *object, const char *path)
{
    while (object && *path) {
        char key[KEY_SIZE];
        size_t size = strcspn(path, ".");
        if (size >= sizeof key)
            return NULL;
        memcpy(key, path, size);
        key[size] = '\0';
        object = json_object_get(object, key);
        path += path[size] == '.' ? size + 1 : size;
    }
    return object;
}
