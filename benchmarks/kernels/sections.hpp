#pragma once

namespace effuse::benchmark {

void compare_attention();
void compare_optimisers();

}  // namespace effuse::benchmark
