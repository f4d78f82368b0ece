#pragma once

namespace effuse {

/// Throws CommError naming `call`, with MPI's own words, unless `code` is MPI_SUCCESS. Means
/// something only under MPI_ERRORS_RETURN, which Session sets: MPI's default ends the process.
void check_mpi(int code, const char* call);

}  // namespace effuse
