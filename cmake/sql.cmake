# PostgreSQL's client library, and sql/init-db.sql as text in the program, for a managed server: an installed
# program has no sql/ beside it. Made anew when the file changes.
pkg_check_modules(PQ REQUIRED IMPORTED_TARGET libpq)

set(init_db ${CMAKE_SOURCE_DIR}/sql/init-db.sql)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${init_db})
file(READ ${init_db} bytes HEX)
string(REGEX REPLACE "(..)" "0x\\1, " bytes "${bytes}")
string(REGEX REPLACE "((0x.., ){18})" "\\1\n    " bytes "${bytes}")
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/init_db.c @ONLY CONTENT [[
/* Made by cmake/sql.cmake from sql/init-db.sql. */
#include "edges/managed_sql.h"

const char managed_init_db[] = {
    @bytes@0x00};
]])

target_sources(doorbuster_edges PRIVATE ${CMAKE_BINARY_DIR}/generated/init_db.c)
target_link_libraries(doorbuster_edges PUBLIC PkgConfig::PQ)
