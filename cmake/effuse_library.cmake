# effuse_library(<folder> [PUBLIC targets...] [PRIVATE targets...] [EXCLUDE files...])
# One static library effuse::<folder> from src/<folder>/*.cpp, linked to the layers it may know
# (layers.cmake) and to the third-party targets named. A library that sees torch, directly or through
# a lower layer, shares the one precompiled header.
function(effuse_library library)
  cmake_parse_arguments(arg "" "" "PUBLIC;PRIVATE;EXCLUDE" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
  foreach(file IN LISTS arg_EXCLUDE)
    list(REMOVE_ITEM sources "${CMAKE_CURRENT_SOURCE_DIR}/${file}")
  endforeach()
  set(target effuse_${library})
  if(NOT sources)
    add_library(${target} INTERFACE)
    add_library(effuse::${library} ALIAS ${target})
    return()
  endif()
  add_library(${target} STATIC ${sources})
  add_library(effuse::${library} ALIAS ${target})
  target_link_libraries(${target} PUBLIC effuse::options ${arg_PUBLIC} PRIVATE ${arg_PRIVATE})
  foreach(lower IN LISTS EFFUSE_LINKS_${library})
    target_link_libraries(${target} PUBLIC effuse::${lower})
  endforeach()
  if("effuse::torch" IN_LIST arg_PUBLIC)
    effuse_use_tensor_pch(${target})
  endif()
endfunction()

# Shares the precompiled <ATen/ATen.h>: tensors and their operations, what most files that see torch need of
# it. It costs 1.4 s a file, where the header itself costs 7 s. <torch/torch.h> would cost 5 s in every
# file even precompiled, since its templates are instantiated anew: files that define networks include
# the torch::nn headers they need.
function(effuse_use_tensor_pch target)
  if(NOT TARGET effuse_tensor_pch)
    file(GENERATE OUTPUT "${PROJECT_BINARY_DIR}/generated/tensor_pch.cpp" CONTENT "// carries the precompiled header\n")
    add_library(effuse_tensor_pch STATIC "${PROJECT_BINARY_DIR}/generated/tensor_pch.cpp")
    target_link_libraries(effuse_tensor_pch PUBLIC effuse::options effuse::torch)
    target_precompile_headers(effuse_tensor_pch PRIVATE <ATen/ATen.h>)
  endif()
  target_precompile_headers(${target} REUSE_FROM effuse_tensor_pch)
endfunction()
