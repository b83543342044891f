#ifndef TRIMTAB_RUNNER_H
#define TRIMTAB_RUNNER_H

#include "goldens.h"

typedef struct {
    int runs, warm_up, threads;
    double seconds;
    const char *profile, *counters, *powers, *health, *socket;
} Wish;

double now_ms(void);
double run_sample(Ort *ort, Goldens *goldens, int sample, int comparing);
int serve(Ort *ort, Goldens *goldens, const Wish *wish, const char *release);

#endif
