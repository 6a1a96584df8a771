// The interpreter's lock, given up while the core computes.
#pragma once

#include <Python.h>

namespace chainrule {

// An interpreter that ends also ends every thread that still asks for its lock: in the midst of C++, whose
// frames do not survive that. So `end`, called just before, waits for those who have given it up, and from
// then on nobody does. To be made and destroyed by a thread that holds the lock.
class Unlocked {
 public:
  Unlocked();
  ~Unlocked();
  Unlocked(const Unlocked&) = delete;
  Unlocked& operator=(const Unlocked&) = delete;

  static void end();

 private:
  PyThreadState* state_ = nullptr;
};

}  // namespace chainrule
