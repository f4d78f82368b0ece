#include "comm/session.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "support/world.hpp"

namespace effuse {
namespace {

using testing::session;

TEST(Session, IsOpenedOnce) { EXPECT_THROW(Session::open(), CommError); }

TEST(Session, KnowsTheLaunchersRankBeforeMpi) { EXPECT_EQ(launched_rank(), session().rank()); }

TEST(Session, KnowsItsHostAndNeighbours) {
  std::string host(256, '\0');
  ASSERT_EQ(::gethostname(host.data(), host.size()), 0);
  EXPECT_EQ(session().host(), host.c_str());
  EXPECT_EQ(session().local_rank(), session().rank()) << "all ranks of a test are on one host";
  EXPECT_EQ(session().local_size(), session().world_size());
}

TEST(Session, UsesMpiUnderALauncherOnly) {
  EXPECT_EQ(session().uses_mpi(), std::getenv("OMPI_COMM_WORLD_SIZE") != nullptr);
}

}  // namespace
}  // namespace effuse
