// exp, log, tanh, sigmoid, pow and sqrt of whole vectors: no branches, no tables, right at 0, infinities, NaN
// and denormals. Each is a range reduction that the bits of a floating-point number make cheap, then a
// polynomial. The coefficients are minimax (Remez) fits made for this file; their relative error is below a
// thirtieth of an ulp.
#pragma once

#include "../vec.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

// How a number type is laid out in bits, and the constants whose digits depend on its precision.
template <class T>
struct Format;

template <>
struct Format<float> {
  using Int = int32_t;
  using Unsigned = uint32_t;
  static constexpr int kMantissaBits = 23;
  static constexpr Unsigned kBias = 127;
  static constexpr Unsigned kUpperHalf = ~Unsigned{0xfff};  // bits few enough for exact products
  static constexpr Unsigned kSqrtHalf = 0x3f3504f3;         // bits of sqrt(1/2)
  static constexpr float kSmallestNormal = 0x1p-126f;
  static constexpr float kRounder = 0x1.8p23f;  // adding it leaves the nearest integer in the low bits
  static constexpr float kExpLow = -104, kExpHigh = 89;  // beyond, exp is 0 or infinite
  static constexpr float kTanhHigh = 9.5f;               // beyond, tanh is 1
  static constexpr float kLn2High = 0x1.63p-1f;          // so few bits that its multiples are exact
  static constexpr float kLn2Low = -2.12194440e-4f;
  // (exp(r) - 1 - r) / r² on |r| <= ln 2 / 2
  static constexpr float kExp[] = {5.000000000e-01f, 1.666666567e-01f, 4.166635871e-02f,
                                   8.333389647e-03f, 1.394066843e-03f, 1.984589617e-04f};
  // (2 atanh(s) / s - 2) / s² in s², for s up to (sqrt(2) - 1) / (sqrt(2) + 1)
  static constexpr float kLog[] = {6.666666865e-01f, 4.000012279e-01f, 2.855072021e-01f, 2.333284169e-01f};
};

template <>
struct Format<double> {
  using Int = int64_t;
  using Unsigned = uint64_t;
  static constexpr int kMantissaBits = 52;
  static constexpr Unsigned kBias = 1023;
  static constexpr Unsigned kUpperHalf = ~Unsigned{0x7ffffff};
  static constexpr Unsigned kSqrtHalf = 0x3fe6a09e667f3bcd;
  static constexpr double kSmallestNormal = 0x1p-1022;
  static constexpr double kRounder = 0x1.8p52;
  static constexpr double kExpLow = -746, kExpHigh = 710;
  static constexpr double kTanhHigh = 20;
  static constexpr double kLn2High = 0x1.62e42feep-1;
  static constexpr double kLn2Low = 1.90821492927058770002e-10;
  static constexpr double kExp[] = {5.00000000000000000e-01, 1.66666666666666768e-01, 4.16666666666665048e-02,
                                    8.33333333332165506e-03, 1.38888888889625870e-03, 1.98412698860724848e-04,
                                    2.48015871722546980e-05, 2.75572442551607528e-06, 2.75574027613067752e-07,
                                    2.51090241309298178e-08, 2.08753318243864035e-09};
  static constexpr double kLog[] = {6.66666666666666630e-01, 4.00000000000008904e-01, 2.85714285707966809e-01,
                                    2.22222223931680701e-01, 1.81817954949106797e-01, 1.53862471422974101e-01,
                                    1.32685842888386418e-01, 1.30885082105542228e-01};
};

// Integers as wide as the numbers: masks of comparisons, and the numbers' bits (a cast keeps the
// bits). Exponents are reckoned without sign, modulo 2^32 or 2^64, so that a NaN's meaningless ones
// overflow harmlessly.
template <class T, int L>
using IntVec = Vec<typename Format<T>::Int, L>;
template <class T, int L>
using UnsignedVec = Vec<typename Format<T>::Unsigned, L>;

template <class T, int L>
CHAINRULE_INLINE Vec<T, L> absolute(Vec<T, L> x) {
  constexpr auto kSign = typename Format<T>::Unsigned{1} << (8 * sizeof(T) - 1);
  return (Vec<T, L>)((UnsignedVec<T, L>)x & ~(UnsignedVec<T, L>{} + kSign));
}

// `x` with the sign of `sign`; x must not be negative.
template <class T, int L>
CHAINRULE_INLINE Vec<T, L> with_sign(Vec<T, L> x, Vec<T, L> sign) {
  constexpr auto kSign = typename Format<T>::Unsigned{1} << (8 * sizeof(T) - 1);
  return (Vec<T, L>)((UnsignedVec<T, L>)x | ((UnsignedVec<T, L>)sign & (UnsignedVec<T, L>{} + kSign)));
}

// The larger number; NaN if either is.
template <class T, int L>
CHAINRULE_INLINE Vec<T, L> maximum(Vec<T, L> a, Vec<T, L> b) {
  const Vec<T, L> larger = a > b ? a : b;  // a NaN in b comes through, for the comparison is then false
  return a != a ? a : larger;
}

// Where a takes the place of b as maximum: it is larger, or NaN and b is not.
template <class T, int L>
CHAINRULE_INLINE auto beats(Vec<T, L> a, Vec<T, L> b) {
  return ~(a <= b) & (b == b);
}

CHAINRULE_INLINE float square_root(float x) { return __builtin_sqrtf(x); }
CHAINRULE_INLINE double square_root(double x) { return __builtin_sqrt(x); }

template <class T, int L>
CHAINRULE_INLINE Vec<T, L> square_root(Vec<T, L> x) {
  Vec<T, L> y = {};
  for (int lane = 0; lane < L; ++lane) y[lane] = square_root(x[lane]);
  return y;
}

// c[0] + c[1] x + c[2] x² + ...
template <class T, int L, int N>
CHAINRULE_INLINE Vec<T, L> polynomial(const T (&c)[N], Vec<T, L> x) {
  Vec<T, L> y = broadcast<T, L>(c[N - 1]);
  for (int i = N - 2; i >= 0; --i) y = y * x + c[i];
  return y;
}

// 2^k for k within the exponents of normal numbers.
template <class T, int L>
CHAINRULE_INLINE Vec<T, L> power_of_two(UnsignedVec<T, L> k) {
  return (Vec<T, L>)((k + Format<T>::kBias) << Format<T>::kMantissaBits);
}

// x = k ln 2 + r with |r| <= ln 2 / 2, and exp(r) - 1.
template <class T, int L>
struct Reduced {
  UnsignedVec<T, L> k;
  Vec<T, L> expm1;
};

// `correction` is a small addition to x that x itself is too coarse to hold.
template <class T, int L>
CHAINRULE_INLINE Reduced<T, L> reduce(Vec<T, L> x, Vec<T, L> correction) {
  using F = Format<T>;
  const Vec<T, L> rounder = broadcast<T, L>(F::kRounder);
  const Vec<T, L> rounded = x * T(1.44269504088896340736) + rounder;
  const Vec<T, L> k = rounded - rounder;
  const Vec<T, L> r = (x - k * F::kLn2High) - k * F::kLn2Low + correction;
  return {(UnsignedVec<T, L>)rounded - (UnsignedVec<T, L>)rounder, r + r * r * polynomial<T, L>(F::kExp, r)};
}

// exp(x + correction).
template <class T, int L>
CHAINRULE_INLINE Vec<T, L> exp_of_sum(Vec<T, L> x, Vec<T, L> correction) {
  using F = Format<T>;
  const Vec<T, L> low = broadcast<T, L>(F::kExpLow), high = broadcast<T, L>(F::kExpHigh);
  x = x < low ? low : x;
  x = x > high ? high : x;
  const Reduced<T, L> reduced = reduce<T, L>(x, correction);
  // 2^k may be no number where exp(r) 2^k is one, so it is multiplied in two halves. Twice the bias makes k
  // positive before the shift, for instruction sets lack the shift of a signed 64-bit number.
  const UnsignedVec<T, L> half = ((reduced.k + 2 * F::kBias) >> 1) - F::kBias;
  return (reduced.expm1 + T(1)) * power_of_two<T, L>(half) * power_of_two<T, L>(reduced.k - half);
}

template <class T, int L>
CHAINRULE_INLINE Vec<T, L> exp(Vec<T, L> x) {
  return exp_of_sum<T, L>(x, Vec<T, L>{});
}

// tanh |x| = (exp(2|x|) - 1) / (exp(2|x|) + 1), where exp(2|x|) - 1 = 2^k (exp(r) - 1) + (2^k - 1) is made
// without cancellation, so that small x keep all their digits.
template <class T, int L>
CHAINRULE_INLINE Vec<T, L> tanh(Vec<T, L> x) {
  const Vec<T, L> limit = broadcast<T, L>(Format<T>::kTanhHigh);
  Vec<T, L> size = absolute<T, L>(x);
  size = size > limit ? limit : size;
  const Reduced<T, L> reduced = reduce<T, L>(size + size, Vec<T, L>{});
  const Vec<T, L> scale = power_of_two<T, L>(reduced.k);
  const Vec<T, L> growth = scale * reduced.expm1 + (scale - T(1));
  return with_sign<T, L>(growth / (growth + T(2)), x);
}

// 1 / (1 + exp(-x)) from exp(-|x|), so that no x overflows.
template <class T, int L>
CHAINRULE_INLINE Vec<T, L> sigmoid(Vec<T, L> x) {
  const Vec<T, L> decay = exp<T, L>(-absolute<T, L>(x));
  const Vec<T, L> one = broadcast<T, L>(1);
  return (x >= T(0) ? one : decay) / (one + decay);
}

// x = 2^k (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)), for x > 0.
template <class T, int L>
struct Split {
  Vec<T, L> k, f;
};

template <class T, int L>
CHAINRULE_INLINE Split<T, L> split_exponent(Vec<T, L> x) {
  using F = Format<T>;
  constexpr T kLift = T(int64_t{1} << (F::kMantissaBits + 2));  // brings denormals into the normal numbers
  const IntVec<T, L> small = (IntVec<T, L>)(x < F::kSmallestNormal);
  const auto bits = (UnsignedVec<T, L>)(small ? x * kLift : x);
  constexpr typename F::Unsigned kOffset = F::kBias + 1, kLifted = F::kMantissaBits + 2;
  // The offset makes the number positive before the shift, as in `exp_of_sum`.
  const UnsignedVec<T, L> k =
      ((bits - F::kSqrtHalf + (kOffset << F::kMantissaBits)) >> F::kMantissaBits) - kOffset;
  const auto mantissa = (Vec<T, L>)(bits - (k << F::kMantissaBits));
  // From integer to number by the same trick as, in `reduce`, from number to integer.
  const Vec<T, L> rounder = broadcast<T, L>(F::kRounder);
  const UnsignedVec<T, L> rounded = (UnsignedVec<T, L>)rounder + k - ((UnsignedVec<T, L>)small & kLifted);
  return {(Vec<T, L>)rounded - rounder, mantissa - T(1)};
}

// Puts the values of log at 0, infinity, NaN and below 0 into `y`.
template <class T, int L>
CHAINRULE_INLINE Vec<T, L> log_at_ends(Vec<T, L> x, Vec<T, L> y) {
  const Vec<T, L> infinity = broadcast<T, L>(T(__builtin_inf())), nan = broadcast<T, L>(T(__builtin_nan("")));
  y = x < infinity ? y : x;  // NaN too stays
  y = x == T(0) ? -infinity : y;
  return x < T(0) ? nan : y;
}

// With s = f / (2 + f): log(1 + f) = 2 atanh(s) = f - (f²/2 - s (f²/2 + s² P(s²))). Its largest term is
// exact.
template <class T, int L>
CHAINRULE_INLINE Vec<T, L> log(Vec<T, L> x) {
  using F = Format<T>;
  const Split<T, L> split = split_exponent<T, L>(x);
  const Vec<T, L> f = split.f, s = f / (f + T(2)), z = s * s, half_square = f * f * T(0.5);
  const Vec<T, L> small = s * (half_square + z * polynomial<T, L>(F::kLog, z)) + split.k * F::kLn2Low;
  return log_at_ends<T, L>(x, split.k * F::kLn2High - ((half_square - small) - f));
}

// log(1 + x) for finite x >= 0: log(u) of the rounded sum u = 1 + x, and what the rounding lost.
template <class T, int L>
CHAINRULE_INLINE Vec<T, L> log1p(Vec<T, L> x) {
  const Vec<T, L> u = x + T(1);
  return log<T, L>(u) + (x - (u - T(1))) / u;
}

template <class T, int L>
CHAINRULE_INLINE Vec<T, L> upper_half(Vec<T, L> x) {
  return (Vec<T, L>)((UnsignedVec<T, L>)x & Format<T>::kUpperHalf);
}

// x^y = exp(y log x) for x >= 0. An error of log x is multiplied by y log x, so the logarithm is a sum of two
// numbers, `sum + low`, here, and products are made exact by halving the bits of their factors.
template <class T, int L>
CHAINRULE_INLINE Vec<T, L> pow(Vec<T, L> x, T y) {
  using F = Format<T>;
  const Split<T, L> split = split_exponent<T, L>(x);
  const Vec<T, L> f = split.f, divisor = f + T(2), s = f / divisor, z = s * s;
  const Vec<T, L> s_high = upper_half<T, L>(s), divisor_high = upper_half<T, L>(divisor);
  const Vec<T, L> divisor_low = f - (divisor_high - T(2));
  const Vec<T, L> s_low = ((f - s_high * divisor_high) - s_high * divisor_low) / divisor;
  const Vec<T, L> tail = (s_low + s_low) + s * z * polynomial<T, L>(F::kLog, z) + split.k * F::kLn2Low;
  const Vec<T, L> whole = split.k * F::kLn2High, sum = whole + (s_high + s_high);
  const Vec<T, L> low = ((s_high + s_high) - (sum - whole)) + tail;

  const Vec<T, L> exponent = broadcast<T, L>(y), exponent_high = upper_half<T, L>(exponent);
  const Vec<T, L> sum_high = upper_half<T, L>(sum);
  const Vec<T, L> product = exponent_high * sum_high;
  const Vec<T, L> rest = exponent * ((sum - sum_high) + low) + (exponent - exponent_high) * sum_high;
  const Vec<T, L> total = product + rest;
  const IntVec<T, L> finite = (IntVec<T, L>)(absolute<T, L>(total) < T(1e4));
  const Vec<T, L> correction = finite ? rest - (total - product) : Vec<T, L>{};
  const Vec<T, L> result = exp_of_sum<T, L>(total, correction);

  const T infinity = T(__builtin_inf());
  const Vec<T, L> at_zero = broadcast<T, L>(y > 0 ? 0 : y < 0 ? infinity : 1);
  const Vec<T, L> at_infinity = broadcast<T, L>(y > 0 ? infinity : y < 0 ? 0 : 1);
  const Vec<T, L> inside = x == T(0) ? at_zero : x == infinity ? at_infinity : result;
  return x != x ? x : inside;
}

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
