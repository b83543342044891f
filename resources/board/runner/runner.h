/* What the runner's files share: the library's calls, golden samples, one run. */
#ifndef TRIMTAB_RUNNER_H
#define TRIMTAB_RUNNER_H

#include <stddef.h>
#include <stdint.h>

#define RANK_MOST 12
#define TENSORS_MOST 64

typedef void *Handle;          /* every object of the library is opaque to us */
typedef void (*OrtCall)(void); /* cast to the function's true type where it is called */

typedef struct {
    const OrtCall *table;
    const char *version;
    Handle env, session, memory;
} Ort;

enum { IN, OUT };

typedef struct {
    int type;
    size_t rank, bytes; /* bytes of one sample */
    int64_t dims[RANK_MOST];
    char name[512];
    const char *data;    /* every sample, as the file has them */
    char *buffer;        /* one sample, which the library reads or writes */
    double scale, worst; /* range of what is wanted; largest difference as a share of it, or how many differ */
    int sample;          /* where `worst` was seen */
    int broken;          /* it gave a number where none is wanted, or none where one is */
} Tensor;

typedef struct {
    int samples;
    double tolerance;
    size_t count[2]; /* of inputs, of outputs */
    Tensor tensor[2][TENSORS_MOST];
    const char *names[2][TENSORS_MOST];
    Handle values[2][TENSORS_MOST]; /* each over its tensor's buffer */
} Goldens;

typedef struct {
    int runs, warm_up, threads;
    double seconds;
    const char *profile, *counters, *powers, *health, *socket;
} Wish;

void die(int status, const char *format, ...);
double now_ms(void);

void ort_open(Ort *ort, const char *library);
void ort_load(Ort *ort, const char *model, int threads, const char *profile);
/* Gives every tensor of the goldens its value; the library then checks what the model takes and gives against them. */
void ort_bind(Ort *ort, Goldens *goldens);
void ort_run(Ort *ort, Goldens *goldens);
void ort_close(Ort *ort); /* this is also what writes the profile */

void goldens_open(Goldens *goldens, const char *path);
int is_float(int type);
/* Compares what lies in the outputs' buffers with what is wanted of that sample; remembers the worst. */
void compare(Goldens *goldens, int sample);
/* 1 where every output seen so far is within the tolerance. */
int all_equal(const Goldens *goldens);

double run_sample(Ort *ort, Goldens *goldens, int sample, int comparing);
int serve(Ort *ort, Goldens *goldens, const Wish *wish, const char *release);

#endif
