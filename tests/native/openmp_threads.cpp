// OpenMP's parallel regions with threads of the C++ library, for ThreadSanitizer: it does not see how GNU's
// OpenMP hands work to its pool of threads, and would take every meeting of them for a race. Linked in place
// of libgomp.
#include <omp.h>

#include <thread>
#include <vector>

namespace {
thread_local int number = 0, team = 1;
}

extern "C" {

void GOMP_parallel(void (*body)(void*), void* data, unsigned threads, unsigned) {
  const int size = threads == 0 ? omp_get_max_threads() : int(threads);
  const auto work = [=](int index) {
    number = index, team = size;
    body(data);
    number = 0, team = 1;
  };
  std::vector<std::thread> others;
  for (int index = 1; index < size; ++index) others.emplace_back(work, index);
  work(0);
  for (std::thread& other : others) other.join();
}

int omp_get_thread_num() noexcept { return number; }
int omp_get_num_threads() noexcept { return team; }
int omp_get_max_threads() noexcept { return 4; }
}
