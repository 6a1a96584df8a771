#include "peak.hpp"

#include <atomic>
#include <chrono>

#include "threads.hpp"

namespace chainrule {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

}  // namespace

double multiply_add_peak(const InstructionSet& set, int number_bytes, int threads, double seconds) {
  const KernelTables tables = set.tables();
  const auto multiply_adds = number_bytes == 4 ? tables.float_multiply_adds : tables.double_multiply_adds;
  constexpr int64_t kRounds = 20'000;  // a tenth of a millisecond between looks at the clock
  constexpr double kFactor = 0.5;      // chains converge to 2: no overflow, no denormal
  std::atomic<int64_t> done = 0;
  std::atomic<int> kept = 0;  // reads the sums, which nobody needs
  const Clock::time_point begin = Clock::now();
  in_team(threads, threads, [&](const Member&) {
    int64_t mine = 0;
    double sum = 0;
    do mine += multiply_adds(kRounds, kFactor, &sum);
    while (seconds_since(begin) < seconds);
    done += mine;
    kept += sum > 0;
  });
  return 2.0 * double(done.load()) / seconds_since(begin);
}

}  // namespace chainrule
