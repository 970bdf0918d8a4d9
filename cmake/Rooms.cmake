# The rooms from the ground up: what a room is made of may need the rooms before it, never one after it. tests/e2e/test_rooms.py
# holds the object files against this list.
set(TRIVET_ROOMS
    lib/base
    lib/core/formats lib/core lib/core/scan lib/core/svd lib/core/als lib/core/eval lib/core/sets
    lib/read lib/store lib/cli lib/schema lib/model lib/model/life lib/similar lib/repair
    etl/formats etl/peek etl/detect etl/synth etl/fetch etl/load etl
    train/learn train/source train/command train/lists train/judge train/similar train/models train/fit train/search train/travel train
    serve/web serve/catalogue serve/model serve/stores serve/follow serve/html serve/lab serve/pick serve/api serve/route serve/listen serve)

# A room is a folder of .c files, those of its inner rooms with them, that becomes one static library, tv_<name>.
function(trivet_room name)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.c)
  add_library(tv_${name} STATIC ${sources})
  trivet_includes(tv_${name})
  target_link_libraries(tv_${name} PUBLIC ${ARGN})
endfunction()

# Every include line names a file from the top ("serve/web/out.h", "lib/core/normal.h") or from include/ ("trivet/base/log.h").
function(trivet_includes target)
  target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR}/include ${PROJECT_BINARY_DIR}/include
                                              PRIVATE ${PROJECT_SOURCE_DIR})
endfunction()

# A program is a folder of .c files: main.c, and the rest as a library of its own that tests link, too.
function(trivet_program name)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.c)
  list(FILTER sources EXCLUDE REGEX "/main\\.c$")
  get_filename_component(room ${CMAKE_CURRENT_SOURCE_DIR} NAME)
  add_library(tv_${room} STATIC ${sources})
  target_include_directories(tv_${room} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(tv_${room} PUBLIC ${ARGN})
  add_executable(${name} main.c)
  target_link_libraries(${name} PRIVATE tv_${room})
endfunction()

# Turns files into a C array of {name, text}: SQL and web pages travel inside the programs.
function(trivet_embed target variable)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/${variable}.c)
  add_custom_command(OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DOUT=${out} -DVARIABLE=${variable} "-DFILES=${ARGN}"
            -P ${PROJECT_SOURCE_DIR}/cmake/Embed.cmake
    DEPENDS ${ARGN} ${PROJECT_SOURCE_DIR}/cmake/Embed.cmake VERBATIM)
  target_sources(${target} PRIVATE ${out})
endfunction()
