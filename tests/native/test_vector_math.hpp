// exp, log, tanh, sigmoid and pow against the C library in long double: the largest error in units of the
// last place.
#pragma once

#include "../../src/native/kernels/vector_math.hpp"
#include "world.hpp"

namespace vector_math {

template <class T>
double ulps(T got, long double want) {
  const T rounded = T(want);
  if (got == rounded || (std::isnan(got) && std::isnan(rounded))) return 0;
  if (!std::isfinite(got) || !std::isfinite(rounded)) return INFINITY;
  const T size = std::abs(rounded);
  const T next = std::nextafter(size, T(INFINITY));
  const T ulp = std::isinf(next) ? size - std::nextafter(size, T(0)) : next - size;
  return double(std::abs((got - want) / ulp));
}

template <class T, int L, class F, class G>
void sweep(const char* name, double allowed, const std::vector<T>& xs, F function, G exact) {
  double worst = 0;
  T at = 0;
  for (size_t i = 0; i + L <= xs.size(); i += L) {
    const auto y = function(kernels::load_unaligned<T, L>(&xs[i]));
    for (int lane = 0; lane < L; ++lane) {
      const double error = ulps<T>(y[lane], exact((long double)(xs[i + lane])));
      if (!(error <= worst)) worst = error, at = xs[i + lane];
    }
  }
  std::printf("  %-12s %-6s x %-2d  %.2f ulp, at %.9g\n", name, type_name<T>(), L, worst, double(at));
  if (!(worst <= allowed)) fail(std::string(name) + " is too far from the C library");
}

// Evenly in value and evenly in exponent, with what lies at the ends of a number type.
template <class T>
std::vector<T> grid(double low, double high, int count = 100000) {
  using Limits = std::numeric_limits<T>;
  std::vector<T> xs;
  for (int i = 0; i < count; ++i) xs.push_back(T(low + (high - low) * i / (count - 1)));
  const double smallest = std::log2(double(Limits::denorm_min())), largest = std::log2(std::max(high, -low));
  for (int i = 0; i < count; ++i) {
    const T x = T(std::exp2(smallest + (largest - smallest) * i / (count - 1)));
    xs.push_back(std::min(x, T(high)));
    if (low < 0) xs.push_back(-std::min(x, T(-low)));
  }
  for (T x : {T(0), T(1), Limits::denorm_min(), Limits::min(), Limits::infinity(), Limits::quiet_NaN()})
    xs.push_back(x);
  if (low < 0)
    for (T x : {-T(0), -T(1), -Limits::denorm_min(), -Limits::max(), -Limits::infinity()}) xs.push_back(x);
  xs.push_back(Limits::max());
  while (xs.size() % 16 != 0) xs.push_back(1);
  return xs;
}

template <class T, int L>
void run() {
  using V = kernels::Vec<T, L>;
  const double exp_range = sizeof(T) == 4 ? 105 : 750, largest = double(std::numeric_limits<T>::max());
  const auto wide = grid<T>(-exp_range, exp_range), narrow = grid<T>(-3, 3), positive = grid<T>(0, largest),
             near_one = grid<T>(0, 4);
  const auto exp = [](V x) { return kernels::exp<T, L>(x); };
  const auto tanh = [](V x) { return kernels::tanh<T, L>(x); };
  const auto sigmoid = [](V x) { return kernels::sigmoid<T, L>(x); };
  const auto log = [](V x) { return kernels::log<T, L>(x); };
  const auto exact_sigmoid = [](long double x) { return 1 / (1 + expl(-x)); };
  sweep<T, L>("exp", 1.1, wide, exp, expl);
  sweep<T, L>("exp", 1.1, narrow, exp, expl);
  sweep<T, L>("tanh", 2.6, wide, tanh, tanhl);
  sweep<T, L>("tanh", 2.6, narrow, tanh, tanhl);
  sweep<T, L>("sigmoid", 2.6, wide, sigmoid, exact_sigmoid);
  sweep<T, L>("sigmoid", 2.6, narrow, sigmoid, exact_sigmoid);
  sweep<T, L>("log", 1.1, positive, log, logl);
  sweep<T, L>("log", 1.1, near_one, log, logl);
  auto unit = grid<T>(0, 1);
  for (T& x : unit)
    if (!(x <= 1)) x = 1;
  sweep<T, L>("log1p", 1.3, unit, [](V x) { return kernels::log1p<T, L>(x); }, log1pl);
  for (const double p : {0.5, 1.5, 2.3, 17.3, -0.75, -1.75, 1.0 / 3, 0.0}) {
    const auto pow = [p](V x) { return kernels::pow<T, L>(x, T(p)); };
    const auto exact = [p](long double x) { return std::isnan(x) ? x : powl(x, (long double)(T(p))); };
    sweep<T, L>(("pow " + std::to_string(p).substr(0, 5)).c_str(), 1.4, positive, pow, exact);
    sweep<T, L>(("pow " + std::to_string(p).substr(0, 5)).c_str(), 1.4, near_one, pow, exact);
  }
}

}  // namespace vector_math
