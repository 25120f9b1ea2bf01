#include "edges/trace_parent.h"

#include "edges/json_out.h"

enum { KEY_MAX = 256, VALUE_MAX = 256, LARGE_MEMBER = 128, VERSION_REFUSED = 0xff };

/* Where the parts of the header begin. */
enum { TRACE_AT = 3, PARENT_AT = 36, FLAGS_AT = 53 };

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct slice trimmed(struct slice text)
{
    while (text.len && is_blank(text.at[0]))
        text = (struct slice){text.at + 1, text.len - 1};
    while (text.len && is_blank(text.at[text.len - 1]))
        text.len--;
    return text;
}

/* Lower case alone. False: another character is among them. */
static bool hex(const char *at, size_t digits, uint64_t *value)
{
    *value = 0;
    for (size_t i = 0; i < digits; i++) {
        char c = at[i];
        unsigned digit;
        if (c >= '0' && c <= '9')
            digit = (unsigned)(c - '0');
        else if (c >= 'a' && c <= 'f')
            digit = (unsigned)(c - 'a') + 10;
        else
            return false;
        *value = *value << 4 | digit;
    }
    return true;
}

bool trace_parent_parse(struct slice header, struct trace_parent *parent)
{
    struct trace_parent found;
    uint64_t version, flags;
    struct slice text = trimmed(header);
    const char *at = text.at;
    if (text.len < TRACE_PARENT_LEN || at[TRACE_AT - 1] != '-' || at[PARENT_AT - 1] != '-' ||
        at[FLAGS_AT - 1] != '-')
        return false;
    if (!hex(at, 2, &version) || !hex(at + TRACE_AT, 16, &found.trace_hi) ||
        !hex(at + TRACE_AT + 16, 16, &found.trace_lo) || !hex(at + PARENT_AT, 16, &found.parent) ||
        !hex(at + FLAGS_AT, 2, &flags))
        return false;
    if (version == VERSION_REFUSED || !(found.trace_hi | found.trace_lo) || !found.parent)
        return false;
    if (text.len > TRACE_PARENT_LEN && (version == 0 || at[TRACE_PARENT_LEN] != '-'))
        return false;
    found.flags = (uint8_t)(flags & TRACE_FLAGS_KNOWN);
    *parent = found;
    return true;
}

void trace_parent_format(const struct trace_parent *parent, char *at)
{
    static const char digits[] = "0123456789abcdef";
    at = JSON_PUT(at, "00-");
    at = json_hex64(at, parent->trace_hi);
    at = json_hex64(at, parent->trace_lo);
    *at++ = '-';
    at = json_hex64(at, parent->parent);
    *at++ = '-';
    *at++ = digits[(parent->flags & TRACE_FLAGS_KNOWN) >> 4];
    *at = digits[parent->flags & TRACE_FLAGS_KNOWN];
}

/* ---- tracestate ---- */

static bool in_key(char c, bool first)
{
    bool letter_or_digit = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    return letter_or_digit || (!first && (c == '_' || c == '-' || c == '*' || c == '/' || c == '@'));
}

static bool in_value(char c)
{
    return c >= 0x20 && c <= 0x7e && c != ',' && c != '=';
}

/* key=value; the blanks around it are gone, so the value does not end with one. */
static bool is_member(struct slice member)
{
    uint32_t key = 0;
    while (key < member.len && in_key(member.at[key], key == 0))
        key++;
    if (key == 0 || key > KEY_MAX || key == member.len || member.at[key] != '=')
        return false;
    uint32_t value_len = member.len - key - 1;
    if (value_len == 0 || value_len > VALUE_MAX)
        return false;
    for (uint32_t i = key + 1; i < member.len; i++)
        if (!in_value(member.at[i]))
            return false;
    return true;
}

void trace_state_add(struct trace_state *state, struct slice header)
{
    const char *at = header.at, *end = header.at + header.len;
    while (at < end && !state->bad) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        const char *stop = comma ? comma : end;
        struct slice member = trimmed((struct slice){at, (uint32_t)(stop - at)});
        if (member.len) {
            state->bad = !is_member(member) || state->members == TRACE_STATE_MEMBERS_MAX;
            if (!state->bad)
                state->list[state->members++] = member;
        }
        at = comma ? comma + 1 : end;
    }
}

/* Leaves out members longer than `limit`, the last ones first, until what is left is short enough. `len` has a
   comma behind each. */
static void shorten(struct slice *list, uint32_t members, uint32_t limit, uint32_t *len)
{
    for (uint32_t i = members; i-- > 0 && *len > TRACE_STATE_BYTES_MAX + 1;) {
        if (list[i].len <= limit)
            continue;
        *len -= list[i].len + 1;
        list[i].len = 0;
    }
}

uint32_t trace_state_write(const struct trace_state *state, char at[static TRACE_STATE_BYTES_MAX])
{
    struct slice list[TRACE_STATE_MEMBERS_MAX];
    uint32_t len = 0, written = 0;
    if (state->bad || !state->members)
        return 0;
    for (uint32_t i = 0; i < state->members; i++) {
        list[i] = state->list[i];
        len += list[i].len + 1;
    }
    shorten(list, state->members, LARGE_MEMBER, &len);
    shorten(list, state->members, 0, &len);
    for (uint32_t i = 0; i < state->members; i++) {
        if (!list[i].len)
            continue;
        if (written)
            at[written++] = ',';
        memcpy(at + written, list[i].at, list[i].len);
        written += list[i].len;
    }
    return written;
}
