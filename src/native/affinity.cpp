#include "affinity.hpp"

#include <algorithm>
#include <cstring>
#include <thread>

namespace chainrule {

#if defined(__linux__)

Affinity Affinity::of_this_thread() {
  Affinity found;
  std::memset(found.sets_, 0, sizeof found.sets_);
  if (sched_getaffinity(0, sizeof found.sets_, found.sets_) != 0)
    std::memset(found.sets_, 0, sizeof found.sets_);
  return found;
}

int Affinity::processors() const {
  const int count = CPU_COUNT_S(sizeof sets_, sets_);
  return count > 0 ? count : std::max(1, int(std::thread::hardware_concurrency()));
}

void Affinity::adopt() const { sched_setaffinity(0, sizeof sets_, sets_); }

bool Affinity::operator==(const Affinity& other) const {
  return std::memcmp(sets_, other.sets_, sizeof sets_) == 0;
}

#else

Affinity Affinity::of_this_thread() { return {}; }
int Affinity::processors() const { return std::max(1, int(std::thread::hardware_concurrency())); }
void Affinity::adopt() const {}
bool Affinity::operator==(const Affinity&) const { return true; }

#endif

}  // namespace chainrule
