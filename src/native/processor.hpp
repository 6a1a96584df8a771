// What the processor and the operating system together can run. The compiler's own __builtin_cpu_supports
// answers "nothing" where its run-time library leaves the table empty, as zig's does: so the processor is
// asked directly.
#pragma once

#if defined(__x86_64__)
#include <cpuid.h>

#include <cstdint>

namespace chainrule {

struct Processor {
  bool avx2 = false, avx512 = false;  // avx2: with FMA; avx512: F, BW, DQ and VL

  Processor() {
    constexpr uint32_t kFma = 1u << 12, kXsave = 1u << 27, kAvx = 1u << 28;  // leaf 1, ecx
    constexpr uint32_t kAvx2 = 1u << 5;                                      // leaf 7, ebx, and below
    constexpr uint32_t kAvx512 = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31;  // F, DQ, BW, VL
    constexpr uint64_t kWide = 0x06, kWidest = 0xe6;  // registers that the system saves: 256, 512 bits
    uint32_t a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d)) return;
    constexpr uint32_t kNeeded = kFma | kXsave | kAvx;
    if ((c & kNeeded) != kNeeded) return;
    const uint64_t saved = saved_registers();
    if ((saved & kWide) != kWide || !__get_cpuid_count(7, 0, &a, &b, &c, &d)) return;
    avx2 = (b & kAvx2) != 0;
    avx512 = avx2 && (b & kAvx512) == kAvx512 && (saved & kWidest) == kWidest;
  }

 private:
  static uint64_t saved_registers() {  // XCR0; _xgetbv would need -mxsave for the whole file
    uint32_t low, high;
    asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return uint64_t(high) << 32 | low;
  }
};

}  // namespace chainrule
#endif
