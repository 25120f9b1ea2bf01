/*
 * part_file: the files that the processes of a spread run write in the place of one.
 *
 * A process is called by the first service that it hosts, and has several lives when it is restarted:
 *
 *     --traces out/t.jsonl    out/t.cart-service.jsonl, in its second life out/t.cart-service.2.jsonl
 *
 * So who says out/t.jsonl and finds no such file means its parts. Only names with services of this program count, so that no
 * other file is taken for one.
 */
#ifndef EDGES_PART_FILE_H
#define EDGES_PART_FILE_H

#include "core/actor.h"
#include "core/text.h"

/* `life` counts from 1. */
void part_file_name(struct text *name, const char *path, const char *service, unsigned life);

/* The parts of `path` that are there, in no order, each path ended by a NUL; how many. A folder that cannot be read has
   none. */
size_t part_files_find(const char *path, const struct registry *registry, struct text *paths);

#endif
