# Finds libtorch in the folder of a PyPI wheel (or an unpacked libtorch archive, which has the same
# layout) and makes the target effuse::torch (CPU) and, with CUDA, effuse::torch_cuda.
#
# The wheel's own TorchConfig.cmake is not used: it stops where there is no CUDA toolkit, and wants
# TORCH_CUDA_ARCH_LIST set even for programs that contain no kernels.
#
# Looked for, in this order: Torch_DIR, CMAKE_PREFIX_PATH, .deps/ (filled by scripts/setup).
set(torch_hints)
foreach(given IN ITEMS "${Torch_DIR}" "$ENV{Torch_DIR}")
  if(given)
    list(APPEND torch_hints "${given}" "${given}/../../..")
  endif()
endforeach()
file(GLOB torch_wheels "${PROJECT_SOURCE_DIR}/.deps/python/lib/python3.*/site-packages/torch")
list(APPEND torch_hints ${torch_wheels})

find_path(TorchWheel_INCLUDE_DIR torch/csrc/api/include/torch/torch.h
  HINTS ${torch_hints} PATH_SUFFIXES include torch/include)
if(TorchWheel_INCLUDE_DIR)
  get_filename_component(TorchWheel_ROOT "${TorchWheel_INCLUDE_DIR}" DIRECTORY)
endif()
find_library(TorchWheel_CPU_LIBRARY torch_cpu HINTS "${TorchWheel_ROOT}/lib" NO_DEFAULT_PATH)
find_library(TorchWheel_C10_LIBRARY c10 HINTS "${TorchWheel_ROOT}/lib" NO_DEFAULT_PATH)
find_library(TorchWheel_CUDA_LIBRARY torch_cuda HINTS "${TorchWheel_ROOT}/lib" NO_DEFAULT_PATH)
find_library(TorchWheel_C10_CUDA_LIBRARY c10_cuda HINTS "${TorchWheel_ROOT}/lib" NO_DEFAULT_PATH)
find_file(TorchWheel_VERSION_HEADER torch/headeronly/version.h
  HINTS "${TorchWheel_INCLUDE_DIR}" NO_DEFAULT_PATH)
if(TorchWheel_VERSION_HEADER)
  file(STRINGS "${TorchWheel_VERSION_HEADER}" version_lines REGEX "#define TORCH_VERSION_(MAJOR|MINOR|PATCH)")
  string(REGEX REPLACE ".*MAJOR ([0-9]+).*MINOR ([0-9]+).*PATCH ([0-9]+).*" "\\1.\\2.\\3"
    TorchWheel_VERSION "${version_lines}")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(TorchWheel
  REQUIRED_VARS TorchWheel_CPU_LIBRARY TorchWheel_C10_LIBRARY TorchWheel_INCLUDE_DIR
  VERSION_VAR TorchWheel_VERSION
  REASON_FAILURE_MESSAGE "run scripts/setup, or set Torch_DIR to the folder of an existing libtorch")

if(TorchWheel_FOUND AND NOT TARGET effuse::torch)
  add_library(effuse::torch INTERFACE IMPORTED)
  target_include_directories(effuse::torch SYSTEM INTERFACE
    "${TorchWheel_INCLUDE_DIR}" "${TorchWheel_INCLUDE_DIR}/torch/csrc/api/include")
  target_link_libraries(effuse::torch INTERFACE "${TorchWheel_CPU_LIBRARY}" "${TorchWheel_C10_LIBRARY}")
  if(TorchWheel_CUDA_LIBRARY)
    # Nothing names a symbol of torch_cuda: loading it is what registers the CUDA kernels.
    add_library(effuse::torch_cuda INTERFACE IMPORTED)
    target_link_libraries(effuse::torch_cuda INTERFACE effuse::torch
      "-Wl,--no-as-needed,${TorchWheel_CUDA_LIBRARY},${TorchWheel_C10_CUDA_LIBRARY},--as-needed")
    target_link_options(effuse::torch_cuda INTERFACE "-Wl,-rpath,${TorchWheel_ROOT}/lib")
  endif()
endif()
