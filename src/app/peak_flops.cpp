#include "app/peak_flops.hpp"

#include <string>
#include <string_view>

#include "app/device.hpp"

namespace effuse {
namespace {

/// 10^12 operations a second without sparsity, by NVIDIA's data sheets.
struct Peak {
  std::string_view name;  ///< a part of the GPU's
  double half;            ///< bf16 and fp16, tensor cores
  double tf32;
  double fp32;
};

/// The first that fits; so the longer of two names that begin alike comes first.
constexpr Peak kPeaks[] = {{"B200", 2250, 1125, 75},          {"GH200", 989.4, 494.7, 66.9},
                           {"H200", 989.4, 494.7, 66.9},      {"H100 PCIe", 756, 378, 51},
                           {"H100 NVL", 835.5, 417.5, 60},    {"H100", 989.4, 494.7, 66.9},
                           {"A100", 312, 156, 19.5},          {"L40S", 362, 183, 91.6},
                           {"NVIDIA A40", 149.7, 74.8, 37.4}, {"NVIDIA A30", 165, 82, 10.3},
                           {"RTX 4090", 165.2, 82.6, 82.6}};

}  // namespace

double peak_flops_per_s(const Config& config, at::Device device) {
  constexpr double kTera = 1e12;
  if (config.metrics.peak_tflops > 0) return config.metrics.peak_tflops * kTera;
  if (device.is_cpu()) return 0.0;
  const std::string name = device_name(device);
  for (const Peak& peak : kPeaks) {
    if (name.find(peak.name) == std::string::npos) continue;
    if (config.precision.compute != "fp32") return peak.half * kTera;
    return (config.precision.tf32 ? peak.tf32 : peak.fp32) * kTera;
  }
  return 0.0;
}

}  // namespace effuse
