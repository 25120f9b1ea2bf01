#include "edges/otlp_export_answer.h"

#include <jansson.h>
#include <stdlib.h>

#include "edges/proto/otlp.pb-c.h"

/* As a person may see it on a terminal. */
static void keep_message(struct otlp_answer *answer, const char *text, size_t len)
{
    len = MIN(len, sizeof answer->message - 1);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        answer->message[i] = (char)(c >= ' ' && c < 0x7f ? c : '?');
    }
    answer->message[len] = '\0';
}

static uint64_t not_negative(int64_t number)
{
    return number > 0 ? (uint64_t)number : 0;
}

static json_t *load(const char *body, size_t len)
{
    /* jansson nests at most 2048 deep */
    return json_loadb(body, len, JSON_REJECT_DUPLICATES, NULL);
}

static int64_t whole_number(const json_t *value)
{
    if (json_is_string(value))
        return strtoll(json_string_value(value), NULL, 10);
    return json_is_integer(value) ? json_integer_value(value) : 0;
}

static void read_json(struct otlp_answer *answer, const char *body, size_t len)
{
    static const char *const keys[] = {"rejectedSpans", "rejectedDataPoints", "rejectedLogRecords"};
    json_t *root = load(body, len);
    const json_t *partial = json_object_get(root, "partialSuccess");
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        answer->rejected += not_negative(whole_number(json_object_get(partial, keys[i])));
    const json_t *message = json_object_get(partial, "errorMessage");
    if (json_is_string(message))
        keep_message(answer, json_string_value(message), json_string_length(message));
    json_decref(root);
}

static void read_proto(struct otlp_answer *answer, const char *body, size_t len)
{
    Otlp__ExportResponse *response = otlp__export_response__unpack(NULL, len, (const uint8_t *)body);
    const Otlp__PartialSuccess *partial = response ? response->partial_success : NULL;
    if (partial) {
        answer->rejected = not_negative(partial->rejected);
        keep_message(answer, (const char *)partial->error_message.data, partial->error_message.len);
    }
    if (response)
        otlp__export_response__free_unpacked(response, NULL);
}

void otlp_answer_read(struct otlp_answer *answer, bool json, const char *body, size_t len)
{
    *answer = (struct otlp_answer){0};
    if (len && json)
        read_json(answer, body, len);
    else if (len)
        read_proto(answer, body, len);
}

void otlp_answer_error(struct otlp_answer *answer, bool json, const char *body, size_t len)
{
    *answer = (struct otlp_answer){0};
    if (len && json) {
        json_t *root = load(body, len);
        const json_t *message = json_object_get(root, "message");
        if (json_is_string(message))
            keep_message(answer, json_string_value(message), json_string_length(message));
        json_decref(root);
    } else if (len) {
        /* The message is field 2 of google.rpc.Status, as it is of PartialSuccess. */
        Otlp__PartialSuccess *status = otlp__partial_success__unpack(NULL, len, (const uint8_t *)body);
        if (status) {
            keep_message(answer, (const char *)status->error_message.data, status->error_message.len);
            otlp__partial_success__free_unpacked(status, NULL);
        }
    }
    /* Plain text, as proxies send it. */
    if (!answer->message[0])
        keep_message(answer, body, len);
}
