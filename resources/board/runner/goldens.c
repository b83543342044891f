/* Golden samples: a text head, then each tensor's samples, raw, little-endian, aligned to 64 bytes.
 *
 *   trimtab-goldens 1
 *   samples N
 *   tolerance SHARE
 *   input|output TYPE RANK DIM ... NAME      one line per tensor, inputs first; the shape is that of one sample
 *   end */
#include "runner.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FLOAT = 1, HALF = 10, DOUBLE = 11 }; /* ONNXTensorElementDataType */

/* Bytes of one element, by ONNXTensorElementDataType: strings (8) and complex numbers are not known here. */
static const size_t WIDTHS[] = {0, 4, 1, 1, 2, 2, 4, 8, 0, 1, 2, 8, 4, 8};

int is_float(int type) { return type == FLOAT || type == HALF || type == DOUBLE; }

static double half(uint16_t bits) {
    int exponent = (bits >> 10) & 31, fraction = bits & 1023;
    double value = exponent == 31 ? (fraction ? NAN : INFINITY)
                   : exponent     ? ldexp(1024 + fraction, exponent - 25)
                                  : ldexp(fraction, -24);
    return bits & 0x8000 ? -value : value;
}

static double at(const void *data, int type, size_t index) {
    if (type == FLOAT) return ((const float *)data)[index];
    return type == DOUBLE ? ((const double *)data)[index] : half(((const uint16_t *)data)[index]);
}

static void parse_tensor(Tensor *tensor, const char *words) {
    int used = 0, more;
    long long dim;
    size_t count = 1;
    if (sscanf(words, "%d %zu%n", &tensor->type, &tensor->rank, &used) != 2 || tensor->rank > RANK_MOST)
        die(65, "goldens: bad line");
    if (tensor->type < 0 || tensor->type > 13 || !WIDTHS[tensor->type])
        die(65, "goldens: element type %d is not known here", tensor->type);
    for (size_t axis = 0; axis < tensor->rank; axis++, used += more) {
        if (sscanf(words + used, "%lld%n", &dim, &more) != 1 || dim < 0 || dim > 1 << 28) die(65, "goldens: bad shape");
        if (dim && count > (size_t)1 << 30) die(65, "goldens: too large");
        tensor->dims[axis] = dim;
        count *= (size_t)dim;
    }
    tensor->bytes = count * WIDTHS[tensor->type];
    if (words[used] != ' ' || strlen(words + used + 1) >= sizeof tensor->name) die(65, "goldens: bad name");
    strcpy(tensor->name, words + used + 1);
}

static void find_scale(Tensor *tensor, int samples) {
    double low = INFINITY, high = -INFINITY;
    size_t count = tensor->bytes / WIDTHS[tensor->type] * (size_t)samples;
    for (size_t index = 0; index < count && is_float(tensor->type); index++) {
        double value = at(tensor->data, tensor->type, index);
        if (!isfinite(value)) continue;
        low = fmin(low, value);
        high = fmax(high, value);
    }
    tensor->scale = low > high ? 1e-30 : fmax(fmax(high - low, fmax(fabs(low), fabs(high))), 1e-30);
}

static void read_head(Goldens *goldens, FILE *file) {
    char line[1024];
    if (!fgets(line, sizeof line, file) || strcmp(line, "trimtab-goldens 1\n") != 0) die(65, "not a file of goldens");
    while (fgets(line, sizeof line, file) && strcmp(line, "end\n") != 0) {
        line[strcspn(line, "\n")] = 0;
        if (sscanf(line, "samples %d", &goldens->samples) == 1) continue;
        if (sscanf(line, "tolerance %lf", &goldens->tolerance) == 1) continue;
        int side = strncmp(line, "output ", 7) == 0 ? OUT : IN;
        size_t index = goldens->count[side]++;
        if (index == TENSORS_MOST) die(65, "goldens: too many tensors");
        parse_tensor(&goldens->tensor[side][index], line + (side == OUT ? 7 : 6));
        goldens->names[side][index] = goldens->tensor[side][index].name;
    }
    if (goldens->samples < 1) die(65, "goldens: no samples");
}

void goldens_open(Goldens *goldens, const char *path) {
    struct stat facts;
    FILE *file = fopen(path, "rb");
    if (!file || fstat(fileno(file), &facts)) die(66, "%s cannot be read", path);
    const char *all = mmap(NULL, (size_t)facts.st_size, PROT_READ, MAP_PRIVATE, fileno(file), 0);
    if (all == MAP_FAILED) die(66, "%s cannot be mapped", path);
    read_head(goldens, file);
    size_t offset = (size_t)ftell(file), most = (size_t)facts.st_size;
    fclose(file);
    for (int side = IN; side <= OUT; side++) {
        for (size_t index = 0; index < goldens->count[side]; index++) {
            Tensor *tensor = &goldens->tensor[side][index];
            size_t size = tensor->bytes * (size_t)goldens->samples;
            offset = (offset + 63) / 64 * 64;
            if (offset > most || size > most - offset) die(65, "goldens: cut short");
            tensor->data = all + offset;
            offset += size;
            if (!(tensor->buffer = aligned_alloc(64, (tensor->bytes + 64) / 64 * 64))) die(70, "no memory");
            find_scale(tensor, goldens->samples);
        }
    }
}

/* How far one number is off, as a share of `scale`; -1 where only one of the two is a finite number. */
static double share_off(double got, double wanted, double scale) {
    if (got == wanted || (isnan(got) && isnan(wanted))) return 0;
    return isfinite(got) && isfinite(wanted) ? fabs(got - wanted) / scale : -1;
}

static void compare_tensor(Tensor *t, int sample) {
    size_t each = WIDTHS[t->type];
    const char *wanted = t->data + t->bytes * (size_t)sample;
    for (size_t index = 0; index < t->bytes / each && !t->broken; index++) {
        if (!is_float(t->type)) {
            if (memcmp(wanted + index * each, t->buffer + index * each, each) == 0) continue;
            if (t->worst++ == 0) t->sample = sample;
            continue;
        }
        double share = share_off(at(t->buffer, t->type, index), at(wanted, t->type, index), t->scale);
        t->broken = share < 0;
        if (share >= 0 && share <= t->worst) continue;
        t->worst = share;
        t->sample = sample;
    }
}

void compare(Goldens *goldens, int sample) {
    for (size_t index = 0; index < goldens->count[OUT]; index++) compare_tensor(&goldens->tensor[OUT][index], sample);
}

int all_equal(const Goldens *goldens) {
    for (size_t index = 0; index < goldens->count[OUT]; index++) {
        const Tensor *tensor = &goldens->tensor[OUT][index];
        if (tensor->broken || tensor->worst > (is_float(tensor->type) ? goldens->tolerance : 0)) return 0;
    }
    return 1;
}
