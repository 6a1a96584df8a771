// The fastest that this machine can multiply and add: what benchmarks are measured against.
#pragma once

#include <cstdint>

#include "dispatch.hpp"

namespace chainrule {

// Floating-point operations per second (a multiply-add is two) of at most `threads` threads that do nothing
// but independent multiply-adds in registers, in the widest vectors of the instruction set, for about
// `seconds`.
double multiply_add_peak(const InstructionSet& set, int number_bytes, int threads, double seconds);

}  // namespace chainrule
