#pragma once

#include <gtest/gtest.h>

#include <string>

#include "kernels/processor.hpp"

namespace effuse {

/// Tests that run once with each of the forms that loops are compiled in. What this processor does
/// not have falls back to the widest that it has.
class EveryProcessor : public ::testing::TestWithParam<InstructionSet> {
 public:
  static auto values() {
    return ::testing::Values(InstructionSet::baseline, InstructionSet::avx2,
                             InstructionSet::avx512);
  }

  static std::string name(const ::testing::TestParamInfo<InstructionSet>& info) {
    switch (info.param) {
      case InstructionSet::baseline:
        return "baseline";
      case InstructionSet::avx2:
        return "avx2";
      case InstructionSet::avx512:
        return "avx512";
    }
    return "unknown";
  }

 protected:
  void SetUp() override { limit_instructions(GetParam()); }
  void TearDown() override { limit_instructions(InstructionSet::avx512); }
};

}  // namespace effuse
