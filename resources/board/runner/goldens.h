/* Golden samples: a text head, then each tensor's samples, raw, little-endian, aligned to 64 bytes.
 *
 *   trimtab-goldens 1
 *   samples N
 *   tolerance SHARE
 *   input|output TYPE RANK DIM ... NAME      one line per tensor; the shape is that of one sample as it is fed
 *   end */
#ifndef TRIMTAB_GOLDENS_H
#define TRIMTAB_GOLDENS_H

#include "ort.h"

#define RANK_MOST 12
#define TENSORS_MOST 64

typedef struct {
    int type, output;
    size_t rank, bytes; /* bytes of one sample */
    int64_t dims[RANK_MOST];
    char name[512];
    const char *data;
    double scale, worst; /* range of what is wanted; largest difference as a share of it, or how many differ */
    int sample;          /* where `worst` was seen */
    char why[128];       /* not "" where the two cannot be compared */
} Tensor;

typedef struct {
    int samples, tensors;
    double tolerance;
    Tensor tensor[TENSORS_MOST];
} Goldens;

void goldens_open(Goldens *goldens, const char *path);
int is_float(int type);
/* Compare one output of one sample with what is wanted, in steps; remembers the worst. */
void compare(Tensor *want, int sample, const void *got, int type, const int64_t *dims, size_t rank);
/* 1 where every output seen so far is within the tolerance. */
int all_equal(const Goldens *goldens);

#endif
