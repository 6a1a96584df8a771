// The processors that a thread may run on.
#pragma once

#if defined(__linux__)
#include <sched.h>
#endif

namespace chainrule {

// Where the system does not say: all of them, and nothing to adopt.
class Affinity {
 public:
  static Affinity of_this_thread();
  int processors() const;  // at least 1
  void adopt() const;      // this thread may run there from now on, if the system allows it
  bool operator==(const Affinity& other) const;

 private:
#if defined(__linux__)
  static constexpr int kSets = 8;  // of 1,024 processors each
  cpu_set_t sets_[kSets];
#endif
};

}  // namespace chainrule
