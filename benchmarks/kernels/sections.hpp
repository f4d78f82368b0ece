#pragma once

namespace effuse::benchmark {

void compare_attention();
void compare_group_norm();
void compare_optimisers();

}  // namespace effuse::benchmark
