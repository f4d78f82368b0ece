#include "models/precision.hpp"

#include <gtest/gtest.h>

namespace effuse {
namespace {

constexpr auto kFirst = at::MemoryFormat::Contiguous, kLast = at::MemoryFormat::ChannelsLast;

at::MemoryFormat format_of(const char* compute, const char* layout, at::DeviceType device) {
  PrecisionConfig config;
  config.compute = compute;
  config.layout = layout;
  return memory_format(config, device);
}

TEST(MemoryFormat, IsTheFasterOneUnlessToldOtherwise) {
  EXPECT_EQ(format_of("fp32", "auto", at::kCPU), kLast);
  EXPECT_EQ(format_of("bf16", "auto", at::kCPU), kFirst);
  EXPECT_EQ(format_of("fp16", "auto", at::kCPU), kFirst);
  EXPECT_EQ(format_of("bf16", "auto", at::kCUDA), kLast);
  for (const char* compute : {"fp32", "bf16"}) {
    for (const at::DeviceType device : {at::kCPU, at::kCUDA}) {
      EXPECT_EQ(format_of(compute, "contiguous", device), kFirst);
      EXPECT_EQ(format_of(compute, "channels_last", device), kLast);
    }
  }
}

TEST(Precision, IsNeverSlowInFp32NorOnGpus) {
  EXPECT_FALSE(computes_slowly("fp32", at::kCPU));
  EXPECT_FALSE(computes_slowly("bf16", at::kCUDA));
  EXPECT_FALSE(computes_slowly("fp16", at::kCUDA));
}

}  // namespace
}  // namespace effuse
