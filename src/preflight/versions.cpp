#include "preflight/versions.hpp"

#include <torch/version.h>

#include <algorithm>

#include "comm/library_versions.hpp"
#include "core/text.hpp"
#include "core/version.hpp"
#include "hdf5/version.hpp"
#include "preflight/gather.hpp"
#include "preflight/gpu.hpp"

namespace effuse {
namespace {

constexpr const char* kMpi = "MPI";  // whose version begins with the library's own name
constexpr const char* kDriver = "CUDA driver";

std::string own_version() {
  return revision().empty() ? std::string(version()) : cat(version(), " (", revision(), ")");
}

/// The names, in the order in which ranks give them.
std::vector<std::string> names_in(const std::vector<std::vector<LibraryVersion>>& versions) {
  std::vector<std::string> names;
  for (const auto& of_rank : versions) {
    for (const LibraryVersion& library : of_rank) {
      if (std::find(names.begin(), names.end(), library.name) == names.end()) {
        names.push_back(library.name);
      }
    }
  }
  return names;
}

std::string version_of(const std::vector<LibraryVersion>& libraries, const std::string& name) {
  for (const LibraryVersion& library : libraries) {
    if (library.name == name && !library.version.empty()) return library.version;
  }
  return "none";
}

Problem differing(const Places& places, const std::string& name,
                  const std::map<std::string, std::vector<int>>& ranks_with) {
  std::string list;
  for (const auto& [version, ranks] : ranks_with) {
    list += cat(list.empty() ? "" : ", ", version, " at ", name_ranks(places, ranks));
  }
  return {name == kDriver ? Verdict::warning : Verdict::failed,
          cat(name, " is not the same everywhere: ", list,
              " (ranks that compute or talk differently end in hangs or in wrong sums). Install "
              "one build for all nodes; on a shared file system, see that PATH and "
              "LD_LIBRARY_PATH are alike.")};
}

}  // namespace

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(LibraryVersion, name, version)

std::vector<LibraryVersion> find_versions() {
  return {{"Effuse", own_version()},       {"libtorch", TORCH_VERSION}, {kMpi, mpi_version()},
          {"NCCL", nccl_version()},        {"HDF5", hdf5::version()},   {"CUDA", cuda_version()},
          {kDriver, cuda_driver_version()}};
}

Finding judge_versions(const Places& places,
                       const std::vector<std::vector<LibraryVersion>>& versions) {
  Finding finding{.check = "versions"};
  for (const std::string& name : names_in(versions)) {
    std::map<std::string, std::vector<int>> ranks_with;
    for (std::size_t rank = 0; rank < versions.size(); ++rank) {
      ranks_with[version_of(versions[rank], name)].push_back(static_cast<int>(rank));
    }
    if (ranks_with.size() > 1) finding.problems.push_back(differing(places, name, ranks_with));
    const std::string here = version_of(versions.front(), name);
    if (here == "none") continue;
    finding.result += cat(finding.result.empty() ? "" : ", ", name == kMpi ? "" : name + " ", here);
  }
  return finding;
}

Finding check_versions(Communicator& comm, const Places& places) {
  return judge_versions(places, gather(comm, find_versions()));
}

}  // namespace effuse
