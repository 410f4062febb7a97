# Warnings, hardening and sanitizers, the same for every target of ours.
add_library(district_warnings INTERFACE)
add_library(District::warnings ALIAS district_warnings)
target_compile_options(district_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-align
  -Woverloaded-virtual -Wconversion -Wformat=2 -Werror)

add_compile_options(-fstack-protector-strong)
add_compile_definitions($<$<NOT:$<CONFIG:Debug>>:_FORTIFY_SOURCE=2> _GLIBCXX_ASSERTIONS)
# A library that nothing refers to is left out; libgsoap++ would demand generated code that is not there.
add_link_options(-Wl,-z,relro,-z,now LINKER:--as-needed)

if(DISTRICT_SANITIZE)
  add_compile_options(-fsanitize=${DISTRICT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  # Beside the instrumentation g++ takes optional values of Boost for uninitialized. clang, which
  # builds the fuzz targets, has no such warning and refuses the option.
  target_compile_options(district_warnings INTERFACE
                         $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  add_link_options(-fsanitize=${DISTRICT_SANITIZE})
  if(DISTRICT_SANITIZE MATCHES thread)
    add_compile_options(-Wno-tsan)  # Asio's fences, which the sanitizer does not model
  endif()
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE_PROGRAM}")
endif()
