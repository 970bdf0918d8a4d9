# A room is a folder of .c files that becomes one static library, tv_<name>.
function(trivet_room name)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.c)
  add_library(tv_${name} STATIC ${sources})
  target_include_directories(tv_${name} PUBLIC ${PROJECT_SOURCE_DIR}/include ${PROJECT_BINARY_DIR}/include)
  target_link_libraries(tv_${name} PUBLIC ${ARGN})
endfunction()

# A program is a folder of .c files: main.c, and the rest as a library of its own that tests link, too.
function(trivet_program name)
  file(GLOB sources CONFIGURE_DEPENDS *.c)
  list(FILTER sources EXCLUDE REGEX "/main\\.c$")
  get_filename_component(room ${CMAKE_CURRENT_SOURCE_DIR} NAME)
  add_library(tv_${room} STATIC ${sources})
  target_include_directories(tv_${room} PUBLIC ${PROJECT_SOURCE_DIR}) # "train/fit.h"
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
