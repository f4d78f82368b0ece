#include "comm/mpi_check.hpp"

#include <mpi.h>

#include <array>

#include "core/error.hpp"
#include "core/text.hpp"

namespace effuse {

void check_mpi(int code, const char* call) {
  if (code == MPI_SUCCESS) return;
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  MPI_Error_string(code, text.data(), &length);
  throw CommError(cat(call, " failed: ", text.data()));
}

}  // namespace effuse
