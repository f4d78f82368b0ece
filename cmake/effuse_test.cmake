# Tests run beside each other. Two that have as many threads as there are cores wait for each other in loops, and take five times
# as long; what is about threads asks for its own (at::set_num_threads, parallel.threads).
set(effuse_test_threads "OMP_NUM_THREADS=1;OMP_WAIT_POLICY=passive")

# effuse_test(<file> [RANKS single 1 2 3 4] [TIMEOUT s] [LABELS ...] [LINK targets...])
# A GoogleTest program from one file of the calling folder; the test is named <folder>/<stem>, and the
# library of the folder's name is linked (core/random_test.cpp -> effuse::core). With RANKS the program is
# started under mpirun at each number of ranks ("single": as one process without a launcher): a launch
# that fails is a failed test, never a skip.
function(effuse_test file)
  cmake_parse_arguments(arg "" "TIMEOUT" "RANKS;LABELS;LINK" ${ARGN})
  get_filename_component(library "${CMAKE_CURRENT_SOURCE_DIR}" NAME)
  get_filename_component(stem "${file}" NAME_WE)
  set(name "${library}/${stem}")
  set(target "test_${library}_${stem}")

  add_executable(${target} "${file}")
  target_link_libraries(${target} PRIVATE effuse::options GTest::gtest ${arg_LINK})
  if(TARGET effuse::${library})
    target_link_libraries(${target} PRIVATE effuse::${library})
  endif()
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  effuse_test_uses_torch(${target} ${library} "${arg_LINK}" uses_torch)
  if(uses_torch)
    effuse_use_tensor_pch(${target})
  endif()

  # Tests are compiled more often than they are waited for.
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O1>)

  if(arg_RANKS)
    target_link_libraries(${target} PRIVATE effuse_mpi_test_main)
    foreach(ranks IN LISTS arg_RANKS)
      set(launcher "${MPIEXEC_EXECUTABLE}" --oversubscribe --bind-to none -n ${ranks})
      if(ranks STREQUAL "single")
        set(launcher)
      endif()
      add_test(NAME ${name}/${ranks} COMMAND ${launcher} $<TARGET_FILE:${target}>)
      effuse_test_properties(${name}/${ranks} "${arg_TIMEOUT}" "multi_rank;${arg_LABELS}")
      set_tests_properties(${name}/${ranks} PROPERTIES PROCESSORS 2
        ENVIRONMENT "${effuse_test_threads};OMPI_ALLOW_RUN_AS_ROOT=1;OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1;OMPI_MCA_mpi_yield_when_idle=1")
    endforeach()
  else()
    target_link_libraries(${target} PRIVATE GTest::gtest_main)
    add_test(NAME ${name} COMMAND ${target})
    effuse_test_properties(${name} "${arg_TIMEOUT}" "unit;${arg_LABELS}")
    set_tests_properties(${name} PROPERTIES ENVIRONMENT "${effuse_test_threads}")
  endif()
endfunction()

# effuse_script_test(<file.py> [TIMEOUT s] [LABELS ...]): a pytest file that drives the built programs
# from outside. It finds them in $EFFUSE_BIN. Compiled Python is kept beside the build, where it does
# not litter the sources: without it, importing diffusers takes twice as long.
function(effuse_script_test file)
  cmake_parse_arguments(arg "" "TIMEOUT" "LABELS" ${ARGN})
  get_filename_component(folder "${CMAKE_CURRENT_SOURCE_DIR}" NAME)
  get_filename_component(stem "${file}" NAME_WE)
  set(name "${folder}/${stem}")
  add_test(NAME ${name} COMMAND "${EFFUSE_PYTHON}" -m pytest -q -p no:cacheprovider "${CMAKE_CURRENT_SOURCE_DIR}/${file}")
  effuse_test_properties(${name} "${arg_TIMEOUT}" "script;${arg_LABELS}")
  set_tests_properties(${name} PROPERTIES ENVIRONMENT
    "${effuse_test_threads};EFFUSE_BIN=${CMAKE_RUNTIME_OUTPUT_DIRECTORY};EFFUSE_SOURCE=${PROJECT_SOURCE_DIR};PYTHONDONTWRITEBYTECODE=;PYTHONPYCACHEPREFIX=${CMAKE_BINARY_DIR}/pycache;OMPI_ALLOW_RUN_AS_ROOT=1;OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1")
endfunction()

function(effuse_test_properties test timeout labels)
  if(NOT timeout)
    set(timeout 120)
  endif()
  set_tests_properties("${test}" PROPERTIES TIMEOUT ${timeout} LABELS "${labels}")
endfunction()

# True where the library under test, or one named by LINK, brings torch's headers.
function(effuse_test_uses_torch target library links out)
  set(${out} FALSE PARENT_SCOPE)
  foreach(candidate IN ITEMS effuse::${library} ${links})
    if(candidate MATCHES "^effuse::(comm|kernels|models|diffusion|data|checkpoint|training|generation|exchange|preflight|app)$")
      set(${out} TRUE PARENT_SCOPE)
    endif()
  endforeach()
endfunction()
