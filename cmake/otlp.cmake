# What the OTLP exporter stands on beside libev: libcurl, zlib, and protobuf-c's code for
# our own messages, as edges/proto/NAME.pb-c.h.
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)
pkg_check_modules(PROTOBUF_C REQUIRED IMPORTED_TARGET libprotobuf-c)
find_program(PROTOC_C protoc-c REQUIRED)

set(generated ${CMAKE_BINARY_DIR}/generated)
set(otlp_messages ${generated}/edges/proto/otlp.pb-c.c)
file(MAKE_DIRECTORY ${generated}/edges/proto)
add_custom_command(
  OUTPUT ${otlp_messages} ${generated}/edges/proto/otlp.pb-c.h
  COMMAND ${PROTOC_C} --proto_path=${CMAKE_SOURCE_DIR} --c_out=${generated} edges/proto/otlp.proto
  WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
  DEPENDS edges/proto/otlp.proto
  COMMENT "Messages of OTLP")

add_library(doorbuster_otlp_messages STATIC ${otlp_messages})
target_include_directories(doorbuster_otlp_messages SYSTEM PUBLIC ${generated})
target_compile_options(doorbuster_otlp_messages PRIVATE -w)
target_link_libraries(doorbuster_otlp_messages PUBLIC PkgConfig::PROTOBUF_C)

target_link_libraries(doorbuster_edges PUBLIC doorbuster_otlp_messages PkgConfig::CURL PkgConfig::ZLIB)
