# What the OTLP exporter stands on beside libev: libcurl, zlib, and protobuf-c's code for
# our own messages, as edges/proto/NAME.pb-c.h; the profile's messages are made likewise.
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)
pkg_check_modules(PROTOBUF_C REQUIRED IMPORTED_TARGET libprotobuf-c)
find_program(PROTOC_C protoc-c REQUIRED)

set(generated ${CMAKE_BINARY_DIR}/generated)
set(messages)
file(MAKE_DIRECTORY ${generated}/edges/proto)
foreach(proto otlp profile)
  set(made ${generated}/edges/proto/${proto}.pb-c)
  add_custom_command(
    OUTPUT ${made}.c ${made}.h
    COMMAND ${PROTOC_C} --proto_path=${CMAKE_SOURCE_DIR} --c_out=${generated} edges/proto/${proto}.proto
    WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
    DEPENDS edges/proto/${proto}.proto
    COMMENT "Messages of ${proto}.proto")
  list(APPEND messages ${made}.c)
endforeach()

add_library(doorbuster_otlp_messages STATIC ${messages})
target_include_directories(doorbuster_otlp_messages SYSTEM PUBLIC ${generated})
target_compile_options(doorbuster_otlp_messages PRIVATE -w)
target_link_libraries(doorbuster_otlp_messages PUBLIC PkgConfig::PROTOBUF_C)

target_link_libraries(doorbuster_edges PUBLIC doorbuster_otlp_messages PkgConfig::CURL PkgConfig::ZLIB)
