/*
 * utf8: whether bytes are UTF-8 (RFC 3629: no overlong forms, no surrogates), and how long a character is.
 */
#ifndef EDGES_UTF8_H
#define EDGES_UTF8_H

#include "core/text.h"

/* Length of the sequence of two to four bytes at `bytes`; 0: there is none. */
size_t utf8_length(const unsigned char *bytes, size_t len);

/* Bytes of the first so many characters at most; what is not UTF-8 counts as one each byte. */
size_t utf8_prefix(const char *bytes, size_t len, size_t characters);

bool utf8_valid(const char *bytes, size_t len);

/* Appends the bytes; what is not UTF-8 becomes U+FFFD, byte by byte. */
void utf8_repair(struct text *text, const char *bytes, size_t len);

#endif
