#pragma once

namespace effuse {

/// Lets the C library keep memory that was freed for what is asked for next, tensors included, up
/// to blocks of 32 MiB. By default glibc gives large blocks back to the system, which then clears
/// each page anew: some 40,000 a training step. MALLOC_ variables of the environment are heeded
/// (those of GLIBC_TUNABLES too), and other allocators are left alone.
void keep_freed_memory();

/// Gives back to the system what was freed and kept, as far as whole pages of it are free.
void release_freed_memory();

}  // namespace effuse
