/*
 * text: bytes that grow at the end, and numbers written without stdio or locale.
 *
 * Owner: whoever declares it; text_fini frees. Bounded by memory alone: callers that take bytes from
 * outside bound them first. `bytes` is not NUL-terminated until text_c is called.
 */
#ifndef CORE_TEXT_H
#define CORE_TEXT_H

#include "core/base.h"

struct text {
    char *bytes;
    size_t len, cap;
};

void text_fini(struct text *text);
void text_reserve(struct text *text, size_t more);
/* NUL-terminated view, valid until the next change. */
const char *text_c(struct text *text);

void text_str(struct text *text, const char *string);
void text_i64(struct text *text, int64_t value);
void text_u64(struct text *text, uint64_t value);
void text_count(struct text *text, uint64_t value); /* 1,204 */
/* `decimals` digits after the point (0 to 9), rounded half away from zero; |value| < 1e15. */
void text_fixed(struct text *text, double value, int decimals);
/* A duration as a person writes it: 6h, 2m30s, 250ms, 1.5us. */
void text_duration(struct text *text, int64_t duration_ns);
/* mm:ss on the timeline (h:mm:ss from an hour on). */
void text_clock(struct text *text, int64_t at_ns);

static inline void text_bytes(struct text *text, const void *bytes, size_t len)
{
    if (!len)
        return;
    if (text->cap - text->len < len)
        text_reserve(text, len);
    memcpy(text->bytes + text->len, bytes, len);
    text->len += len;
}

static inline void text_char(struct text *text, char c)
{
    if (text->cap == text->len)
        text_reserve(text, 1);
    text->bytes[text->len++] = c;
}

/* A literal whose length the compiler knows. */
#define text_lit(text, literal) text_bytes((text), "" literal, sizeof(literal) - 1)

#endif
