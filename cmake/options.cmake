# What can be chosen at configure time, and the flags every target shares (effuse::options).
option(EFFUSE_TRAINING "Build the libraries and jobs that need torch and MPI" ON)
option(EFFUSE_TESTS "Build the tests" ON)
option(EFFUSE_C10D_ORACLE "Hold the reduction of gradients against PyTorch's c10d::Reducer in tests" ON)
option(EFFUSE_WERROR "Treat warnings as errors" ON)
option(EFFUSE_SANITIZE "Build with AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
set(EFFUSE_CUDA AUTO CACHE STRING "Build the CUDA and NCCL parts: ON, OFF or AUTO (on where nvcc is found)")
set_property(CACHE EFFUSE_CUDA PROPERTY STRINGS AUTO ON OFF)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_CXX_FLAGS_RELEASE "-O2")
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")

find_program(CCACHE ccache)
if(CCACHE)
  # Precompiled headers are only cached when ccache may look past their time stamps and macros. What a
  # file depends on is taken from the compiler, which saves a run of the preprocessor.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_DEPEND=1 CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
endif()

add_library(effuse_options INTERFACE)
add_library(effuse::options ALIAS effuse_options)
target_include_directories(effuse_options INTERFACE "${PROJECT_SOURCE_DIR}/src")
target_compile_options(effuse_options INTERFACE
  -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wunused -fpch-preprocess
  -Wno-restrict)  # false positives on std::string in GCC 12 (GCC bug 105651)
if(EFFUSE_WERROR)
  target_compile_options(effuse_options INTERFACE -Werror)
endif()
if(EFFUSE_SANITIZE)
  target_compile_options(effuse_options INTERFACE -fsanitize=address,undefined -fno-omit-frame-pointer)
  target_link_options(effuse_options INTERFACE -fsanitize=address,undefined)
endif()
