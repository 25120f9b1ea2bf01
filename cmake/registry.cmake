# The registry: everything the program knows of the shop, made from the file names in actors/. Each
# actors/NAME.c defines `const struct actor_kind actor_NAME`. Sets registry_source.
file(GLOB actor_files CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}/actors actors/*.c)
list(SORT actor_files)

set(actor_declarations "")
set(actor_entries "")
foreach(file IN LISTS actor_files)
  string(REGEX REPLACE "\\.c$" "" name ${file})
  string(APPEND actor_declarations "extern const struct actor_kind actor_${name};\n")
  string(APPEND actor_entries "    &actor_${name},\n")
endforeach()

set(registry_source ${CMAKE_BINARY_DIR}/generated/registry.c)
file(CONFIGURE OUTPUT ${registry_source} @ONLY CONTENT [[
/* Made by cmake/registry.cmake from the file names in actors/. */
#include "actors/shop/statements.h"
#include "core/actor.h"

@actor_declarations@
static const struct actor_kind *const kinds[] = {
@actor_entries@};

extern const struct registry registry;
const struct registry registry = {
    .kinds = kinds,
    .kind_count = ARRAY_LEN(kinds),
    .statements = shop_statements,
    .statement_count = ARRAY_LEN(shop_statements),
    .indexes = shop_indexes,
    .index_count = ARRAY_LEN(shop_indexes),
};
]])
