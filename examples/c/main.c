/* A device that learns from what it sees: pictures come one by one, as bytes, and each is learned from once.
 * `make` writes the network (export.py), compiles and runs this; on a microcontroller it is the same file. */
#include <stdio.h>

#include "digits.h"
#include "pictures.h"

static float x[DIGITS_INPUTS];

/* What a camera gives, as the network takes it. */
static void look(const unsigned char *picture) {
    for (int i = 0; i < DIGITS_INPUTS; i++)
        x[i] = (float)picture[i] / 255;
}

static int answer(void) {
    float y[DIGITS_OUTPUTS];
    int best = 0;
    digits_predict(x, y);
    for (int k = 1; k < DIGITS_OUTPUTS; k++)
        if (y[k] > y[best]) best = k;
    return best;
}

static void test(const char *when) {
    int right = 0;
    for (int n = 0; n < TEST; n++) {
        look(test_pictures + n * DIGITS_INPUTS);
        right += answer() == test_labels[n];
    }
    printf("%s: %d of %d right\n", when, right, TEST);
}

int main(void) {
    test("before");
    for (int n = 0; n < TRAIN; n++) {
        look(train_pictures + n * DIGITS_INPUTS);
        digits_train_step(x, train_labels + n, 1, 0.01f);
    }
    test("after");
    return 0;
}
