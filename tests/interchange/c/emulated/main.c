/* Trains an exported network on a file of samples and writes what it has learned; the same source on every processor.
 * NET is the network's header, net_ its functions; STEP the samples of one step, EACH the targets of one sample. */
#include <stdio.h>
#include <string.h>

#include "net.h"
#include "setting.h"

static float x[STEP * NET_INPUTS];
static TARGET targets[STEP * EACH];
static float y[NET_OUTPUTS];

#ifdef __ARM_ARCH_7EM__
/* Timer 0 of the board counts down at 25 MHz; where the emulator lets an instruction take a nanosecond, a tick is 40. */
#define TIMER ((volatile unsigned *)0x40000000)
static void start_counting(void) {
    TIMER[0] = 0;
    TIMER[2] = 0xffffffffu;
    TIMER[1] = 0xffffffffu;
    TIMER[0] = 1;
}
static unsigned long long counted(void) { return 40ull * (0xffffffffu - TIMER[1]); }
#else
static void start_counting(void) {}
static unsigned long long counted(void) { return 0; }
#endif

int main(void) {
    FILE *inputs = fopen("inputs.bin", "rb"), *wanted = fopen("targets.bin", "rb"), *out = fopen("learned.bin", "wb");
    unsigned long long training = 0, prediction;
    int steps = 0;
    if (!inputs || !wanted || !out) return 1;
    while (fread(x, sizeof x, 1, inputs) == 1 && fread(targets, sizeof targets, 1, wanted) == 1) {
        start_counting();
        float loss = net_train_step(x, targets, STEP, RATE);
        training += counted();
        fwrite(&loss, sizeof loss, 1, out);
        steps++;
    }
    start_counting();
    net_predict(x, y);
    prediction = counted();
    fwrite(y, sizeof y, 1, out);
    fwrite(net_parameters, sizeof net_parameters, 1, out);
    fclose(out);
    printf("%d steps", steps);
    if (training) printf(", instructions: %llu a step, %llu a prediction", training / (unsigned)steps, prediction);
    printf("\n");
    return 0;
}
