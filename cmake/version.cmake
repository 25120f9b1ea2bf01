# DOORBUSTER_COMMIT, for edges/*version*.c alone, so that a commit recompiles one file. When git moves, the next
# build asks again. Outside git, as in an image's build, it is what -DDOORBUSTER_COMMIT says.
set(DOORBUSTER_COMMIT unknown CACHE STRING "The commit, where there is no git")
set(doorbuster_commit ${DOORBUSTER_COMMIT})
find_program(GIT_PROGRAM git)
if(GIT_PROGRAM AND EXISTS ${CMAKE_SOURCE_DIR}/.git)
  execute_process(COMMAND ${GIT_PROGRAM} rev-parse --short=12 HEAD WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
                  OUTPUT_VARIABLE git_commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(git_commit)
    set(doorbuster_commit ${git_commit})
  endif()
  if(EXISTS ${CMAKE_SOURCE_DIR}/.git/logs/HEAD)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/.git/logs/HEAD)
  endif()
endif()
file(GLOB version_sources CONFIGURE_DEPENDS edges/*version*.c)
set_property(SOURCE ${version_sources} APPEND PROPERTY COMPILE_DEFINITIONS DOORBUSTER_COMMIT="${doorbuster_commit}")
