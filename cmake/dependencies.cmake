# Third-party libraries, all given by Debian 12 except libtorch (PyPI wheel) and the CUDA toolkit.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

# What every program needs, the data tools included.
set(Boost_USE_STATIC_LIBS OFF)
find_package(Boost 1.74 REQUIRED COMPONENTS log)
find_package(OpenSSL 3 REQUIRED COMPONENTS Crypto)
find_package(HDF5 1.10 REQUIRED COMPONENTS C)
find_package(CLI11 2.1 REQUIRED)
find_package(tomlplusplus 3.3 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(simdjson 3.0 REQUIRED)
find_package(prometheus-cpp REQUIRED)  # 1.0; its package states no version
find_path(PROTOZERO_INCLUDE_DIR protozero/pbf_builder.hpp REQUIRED)  # headers alone, 1.7
find_package(JPEG REQUIRED)
find_package(PNG REQUIRED)
pkg_check_modules(isal REQUIRED IMPORTED_TARGET libisal)
pkg_check_modules(zimg REQUIRED IMPORTED_TARGET zimg)
pkg_check_modules(turbojpeg REQUIRED IMPORTED_TARGET libturbojpeg)
pkg_check_modules(webp REQUIRED IMPORTED_TARGET libwebp)
pkg_check_modules(exif REQUIRED IMPORTED_TARGET libexif)
pkg_check_modules(libzip REQUIRED IMPORTED_TARGET libzip)
# A script that is compiled into effuse-report: one file, the same on every system.
find_file(EFFUSE_CHART_JS chart.min.js
  PATH_SUFFIXES share/javascript/chart.js share/nodejs/chart.js/dist javascript/chart.js
  DOC "Chart.js 3, minified (chart.min.js)")
if(NOT EFFUSE_CHART_JS)
  message(FATAL_ERROR "Chart.js is missing, which draws the curves of effuse-report. Install Debian's package libjs-chart.js "
    "(scripts/setup does), or give the file chart.min.js of Chart.js 3: -DEFFUSE_CHART_JS=FILE.")
endif()

if(EFFUSE_TRAINING)
  find_package(TorchWheel 2.11 REQUIRED)
  find_package(MPI 3.1 REQUIRED COMPONENTS C)
  # The C interface alone: the C++ bindings that Open MPI still ships are long deprecated.
  target_compile_definitions(MPI::MPI_C INTERFACE OMPI_SKIP_MPICXX)
endif()

# CUDA and NCCL, where there is a toolkit. NCCL has to be the one library that libtorch itself loads.
set(EFFUSE_WITH_CUDA OFF)
if(EFFUSE_TRAINING AND NOT EFFUSE_CUDA STREQUAL "OFF")
  find_package(CUDAToolkit 13)
  find_path(NCCL_INCLUDE_DIR nccl.h HINTS "${TorchWheel_ROOT}/../nvidia/nccl/include" "${CUDAToolkit_INCLUDE_DIRS}")
  find_library(NCCL_LIBRARY NAMES libnccl.so.2 nccl HINTS "${TorchWheel_ROOT}/../nvidia/nccl/lib")
  if(CUDAToolkit_FOUND AND NCCL_LIBRARY AND NCCL_INCLUDE_DIR AND TARGET effuse::torch_cuda)
    set(EFFUSE_WITH_CUDA ON)
    add_library(effuse::nccl INTERFACE IMPORTED)
    target_include_directories(effuse::nccl SYSTEM INTERFACE "${NCCL_INCLUDE_DIR}")
    target_link_libraries(effuse::nccl INTERFACE "${NCCL_LIBRARY}" CUDA::cudart)
  elseif(EFFUSE_CUDA STREQUAL "ON")
    message(FATAL_ERROR "EFFUSE_CUDA=ON needs a CUDA 13 toolkit, NCCL and the CUDA form of libtorch "
      "(CUDA toolkit: ${CUDAToolkit_FOUND}, NCCL: ${NCCL_LIBRARY}, libtorch_cuda: ${TorchWheel_CUDA_LIBRARY}). "
      "Run scripts/setup, or configure with EFFUSE_CUDA=OFF.")
  endif()
endif()
set(EFFUSE_WITH_CUDA ${EFFUSE_WITH_CUDA} CACHE INTERNAL "whether the CUDA and NCCL parts are built")
message(STATUS "Effuse: training ${EFFUSE_TRAINING}, CUDA and NCCL ${EFFUSE_WITH_CUDA}")

if(EFFUSE_TESTS)
  find_package(GTest 1.12 REQUIRED)
  find_program(EFFUSE_PYTHON NAMES python3 HINTS "${PROJECT_SOURCE_DIR}/.deps/python/bin" NO_DEFAULT_PATH)
  if(NOT EFFUSE_PYTHON)
    find_program(EFFUSE_PYTHON NAMES python3 REQUIRED)
  endif()
endif()
