#include "edges/http_ask.h"

#include "edges/http_body.h"

/* ---- Request ---- */

struct writer {
    struct body_shape takes;
    struct cursor values[BODY_FIELDS_MAX]; /* of the outer fields, by index; at NULL: none */
    struct http_ask *out;
    char joint; /* before the next value of the query: ? or & */
};

static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

static void put_escaped(struct text *url, struct slice text)
{
    static const char digits[] = "0123456789ABCDEF";
    for (uint32_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (is_unreserved(text.at[i])) {
            text_char(url, text.at[i]);
            continue;
        }
        text_char(url, '%');
        text_char(url, digits[c >> 4]);
        text_char(url, digits[c & 15]);
    }
}

/* A scalar as it stands in a path or a query. False: it is a list. */
static bool put_plain(struct writer *writer, uint16_t index)
{
    struct cursor as_text = writer->values[index], cursor = as_text;
    struct slice text = cursor_text(&as_text);
    if (!as_text.bad) {
        put_escaped(&writer->out->url, text);
        return true;
    }
    if (writer->takes.fields[index].type == BODY_LIST)
        return false;
    http_body_write_value(&writer->takes, index, &cursor, &writer->out->url);
    return !cursor.bad;
}

/* Where each field's value begins; nil is none. */
static bool find_values(struct writer *writer, const struct body *body)
{
    struct cursor cursor = cursor_of(body);
    uint32_t items = cursor.at == cursor.end ? 0 : cursor_array(&cursor);
    for (uint16_t i = 0; i < writer->takes.count && items; i = writer->takes.fields[i].next, items--) {
        struct cursor value = cursor;
        if (!cursor_nil(&cursor)) {
            writer->values[i] = value;
            cursor_skip(&cursor);
        }
    }
    return !cursor.bad;
}

static bool put_param(struct writer *writer, struct slice name)
{
    size_t before = writer->out->url.len;
    for (uint16_t i = 0; i < writer->takes.count; i = writer->takes.fields[i].next) {
        struct slice field = writer->takes.fields[i].name;
        if (field.len != name.len || memcmp(field.at, name.at, name.len) != 0 || !writer->values[i].at)
            continue;
        bool put = put_plain(writer, i) && writer->out->url.len > before;
        writer->values[i].at = NULL; /* said */
        return put;
    }
    return false;
}

static bool put_path(struct writer *writer, const char *template)
{
    for (const char *at = template; *at;) {
        const char *end = *at == '{' ? strchr(at, '}') : NULL;
        if (!end) {
            text_char(&writer->out->url, *at++);
            continue;
        }
        if (!put_param(writer, (struct slice){at + 1, (uint32_t)(end - at - 1)}))
            return false;
        at = end + 1;
    }
    return true;
}

static bool put_query(struct writer *writer)
{
    struct text *url = &writer->out->url;
    for (uint16_t i = 0; i < writer->takes.count; i = writer->takes.fields[i].next) {
        if (!writer->values[i].at)
            continue;
        text_char(url, writer->joint);
        put_escaped(url, writer->takes.fields[i].name);
        text_char(url, '=');
        if (!put_plain(writer, i))
            return false;
        writer->joint = '&';
    }
    return true;
}

static bool put_body(struct writer *writer)
{
    struct text *json = &writer->out->body;
    char joint = '{';
    for (uint16_t i = 0; i < writer->takes.count; i = writer->takes.fields[i].next) {
        struct slice name = writer->takes.fields[i].name;
        struct cursor cursor = writer->values[i];
        if (!cursor.at)
            continue;
        text_char(json, joint);
        joint = ',';
        text_char(json, '"'); /* names are of a-z, 0-9 and _ */
        text_bytes(json, name.at, name.len);
        text_lit(json, "\":");
        http_body_write_value(&writer->takes, i, &cursor, json);
        if (cursor.bad)
            return false;
    }
    if (joint == '{')
        text_char(json, '{');
    text_char(json, '}');
    return true;
}

static bool has_no_body(const struct text *method)
{
    struct slice name = {method->bytes, (uint32_t)method->len};
    return slice_is(name, "GET") || slice_is(name, "DELETE");
}

bool http_ask_write(const struct outbound_ask *ask, const char *origin, struct http_ask *out)
{
    struct writer writer = {.out = out, .joint = '?'};
    const char *blank = strchr(ask->route->name, ' ');
    const struct trace_context *context = &ask->context;
    out->method.len = out->url.len = out->body.len = out->trace_state.len = 0;
    bool declared = blank && body_shape_parse(ask->route->takes, &writer.takes, NULL);
    ASSERT(declared);
    text_bytes(&out->method, ask->route->name, (size_t)(blank - ask->route->name));
    text_str(&out->url, origin);
    if (!find_values(&writer, ask->body) || !put_path(&writer, blank + 1))
        return false;
    if (has_no_body(&out->method) ? !put_query(&writer) : !put_body(&writer))
        return false;
    text_char(&out->url, writer.joint);
    text_str(&out->url, context->demo ? "traffic_type=demo" : "traffic_type=baseline");
    trace_parent_format(&(struct trace_parent){.trace_hi = context->trace_hi,
                                               .trace_lo = context->trace_lo,
                                               .parent = context->span,
                                               .flags = context->flags},
                        out->trace_parent);
    out->trace_parent[TRACE_PARENT_LEN] = '\0';
    if (context->state)
        text_bytes(&out->trace_state, (const char *)context->state->bytes, context->state->len);
    return true;
}

void http_ask_fini(struct http_ask *ask)
{
    text_fini(&ask->method);
    text_fini(&ask->url);
    text_fini(&ask->body);
    text_fini(&ask->trace_state);
}

/* ---- Answer ---- */

static enum status status_of(long code, const char *error)
{
    enum { GATEWAY_TIMEOUT = 504, OF_THE_CLIENT = 400, OF_THE_SERVER = 500 };
    for (int status = 0; status < STATUS_COUNT; status++)
        if (code && status_info((enum status)status)->http == code)
            return (enum status)status;
    if (code == GATEWAY_TIMEOUT && error && strcmp(error, status_info(STATUS_NO_PEER)->text) == 0)
        return STATUS_NO_PEER;
    if (code == GATEWAY_TIMEOUT)
        return STATUS_DEADLINE;
    return code >= OF_THE_CLIENT && code < OF_THE_SERVER ? STATUS_BAD_INPUT : STATUS_FAILED;
}

static void pack_error(const json_t *json, struct pack *pack)
{
    const json_t *error = json_object_get(json, "error"), *reason = json_object_get(json, "reason"),
                 *minute = json_object_get(json, "demo_minute");
    uint32_t fields = !json_is_string(error)     ? 0
                      : !json_is_string(reason)  ? 1
                      : !json_is_integer(minute) ? 2
                                                 : 3;
    pack_array(pack, fields);
    if (fields > 0)
        pack_text_len(pack, json_string_value(error), json_string_length(error));
    if (fields > 1)
        pack_text_len(pack, json_string_value(reason), json_string_length(reason));
    if (fields > 2)
        pack_int(pack, json_integer_value(minute));
}

/* False: it is not as declared. A route that answers nothing says {}. */
static bool pack_answer(const struct route *route, const json_t *json, struct pack *pack)
{
    struct body_shape answers;
    struct text why = {0};
    bool declared = body_shape_parse(route->answers, &answers, NULL);
    ASSERT(declared);
    if (json_object_size(json) == 0) {
        pack_array(pack, 0);
        return json != NULL;
    }
    bool packed = http_body_pack(&answers, &(struct http_fields){.body = json}, pack, &why);
    text_fini(&why);
    return packed;
}

enum status http_ask_read(const struct route *route, long code, struct slice body, struct pack *pack)
{
    struct text why = {0};
    json_t *json = http_body_parse(body, &why);
    text_fini(&why);
    enum status status = status_of(code, json_string_value(json_object_get(json, "error")));
    if (status != STATUS_OK && status != STATUS_CREATED) {
        pack_error(json, pack);
    } else if (!pack_answer(route, json, pack)) {
        status = STATUS_FAILED;
        pack->len = 0;
    }
    json_decref(json);
    return status;
}
