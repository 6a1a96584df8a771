/* What a bare Cortex-M4F needs before main: a vector table, and its floating-point unit switched on. */
void _start(void);
extern unsigned stack_top[];

static void reset(void) {
    *(volatile unsigned *)0xE000ED88 |= 0xfu << 20; /* CPACR: coprocessors 10 and 11 */
    __asm__ volatile("dsb\n isb");
    _start();
}

static void fault(void) {
    for (;;) __asm__ volatile("bkpt 1");
}

__attribute__((section(".vectors"), used)) static void (*const vectors[16])(void) = {
    (void (*)(void))stack_top, reset, fault, fault, fault, fault, fault,
};
