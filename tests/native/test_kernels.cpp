// Every kernel against plain loops over single samples, in all the forms that one instruction set's tables
// have. A program of its own for each instruction set: see `native-test` in the Makefile.
#include "test_elementwise.hpp"
#include "test_linear.hpp"
#include "test_losses.hpp"
#include "test_normalization.hpp"
#include "test_pooling.hpp"
#include "test_vector_math.hpp"
#include "test_winograd.hpp"

#define CHAINRULE_TEST(function) for_lanes([]<class T, int L>(int used) { function<T, L>(used); })

int main() {
  std::printf("vectors of %d bytes\n", kernels::kVectorBytes);
  vector_math::run<float, kernels::kChannelVector<float>>();
  vector_math::run<double, kernels::kChannelVector<double>>();
  CHAINRULE_TEST(elementwise::activations);
  CHAINRULE_TEST(elementwise::softmax);
  CHAINRULE_TEST(elementwise::dropout);
  CHAINRULE_TEST(elementwise::joins);
  CHAINRULE_TEST(pooling::max);
  CHAINRULE_TEST(pooling::weighted);
  CHAINRULE_TEST(pooling::norm);
  CHAINRULE_TEST(pooling::trainable);
  CHAINRULE_TEST(pooling::adaptive);
  CHAINRULE_TEST(losses::run);
  CHAINRULE_TEST(normalization::batch_norm);
  CHAINRULE_TEST(normalization::response_norm);
  CHAINRULE_TEST(linear::rbf);
  CHAINRULE_TEST(linear::local);
  for_many_lanes([]<class T, int L>(int used) { winograd::run<T, L>(used); });
  std::printf("%s: %d failures\n", failures == 0 ? "passed" : "FAILED", failures);
  return failures == 0 ? 0 : 1;
}
