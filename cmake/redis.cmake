# The cache of live runs: hiredis, whose libev adapter is a header of ours to compile.
pkg_check_modules(HIREDIS REQUIRED IMPORTED_TARGET hiredis)
target_link_libraries(doorbuster_edges PUBLIC PkgConfig::HIREDIS)
