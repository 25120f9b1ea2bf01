#include "tests/stories/digest.h"

/* FNV-1a, eight bytes at a time: not for an adversary, but no two spans of ours agree by chance. */
static void mix(struct digest *digest, uint64_t bits)
{
    digest->value = (digest->value ^ bits) * UINT64_C(0x100000001b3);
    digest->value ^= digest->value >> 29;
}

static void mix_bytes(struct digest *digest, const char *bytes, size_t len)
{
    mix(digest, len);
    for (size_t i = 0; i < len; i++)
        mix(digest, (unsigned char)bytes[i]);
}

static void mix_attrs(struct digest *digest, const struct attrs *attrs)
{
    mix(digest, (uint64_t)attrs->count << 16 | attrs->dropped);
    for (size_t i = 0; i < attrs->count; i++) {
        const struct attr *attr = &attrs->list[i];
        uint64_t bits = 0;
        mix(digest, (uint64_t)attr->key << 8 | attr->type);
        switch ((enum attr_type)attr->type) {
        case ATTR_TEXT:
            mix_bytes(digest, attr->text, attr->len);
            continue;
        case ATTR_INT:
            bits = (uint64_t)attr->integer;
            break;
        case ATTR_REAL:
            memcpy(&bits, &attr->real, sizeof bits);
            break;
        case ATTR_BOOL:
            bits = attr->truth;
            break;
        }
        mix(digest, bits);
    }
}

void digest_span(struct digest *digest, const struct span *span)
{
    if (digest->until_ns && span->end_ns >= digest->until_ns)
        return;
    digest->spans++;
    mix(digest, span->site->id);
    mix(digest, span->trace_hi);
    mix(digest, span->trace_lo);
    mix(digest, span->id);
    mix(digest, span->parent);
    mix(digest, (uint64_t)span->start_ns);
    mix(digest, (uint64_t)span->end_ns);
    mix(digest, (uint64_t)span->status << 32 | (uint64_t)span->depth << 24 | (uint64_t)span->stream << 16 |
                    (uint64_t)span->flags << 8 | (uint64_t)span->demo << 1 | span->late);
    mix_bytes(digest, span->path_param.at, span->path_param.len);
    mix_attrs(digest, &span->attrs);
}

static void take_span(void *owner, const struct span *span)
{
    digest_span(owner, span);
}

static void take_log(void *owner, const struct log_record *record)
{
    struct digest *digest = owner;
    if (digest->until_ns && record->at_ns >= digest->until_ns)
        return;
    digest->logs++;
    mix(digest, (uint64_t)record->body << 32 | (uint64_t)record->severity << 16 | record->service);
    mix(digest, (uint64_t)record->at_ns);
    mix(digest, record->span);
    mix_attrs(digest, &record->attrs);
}

struct sink digest_sink(struct digest *digest)
{
    return (struct sink){.owner = digest, .span = take_span, .log = take_log};
}
