#include "goldens.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static size_t width(int type) {
    switch (type) {
    case T_UINT8: case T_INT8: case T_BOOL: return 1;
    case T_UINT16: case T_INT16: case T_FLOAT16: return 2;
    case T_FLOAT: case T_INT32: case T_UINT32: return 4;
    case T_INT64: case T_DOUBLE: case T_UINT64: return 8;
    default: die(65, "goldens: element type %d is not known here", type); return 0;
    }
}

int is_float(int type) { return type == T_FLOAT || type == T_FLOAT16 || type == T_DOUBLE; }

static double half(uint16_t bits) {
    int exponent = (bits >> 10) & 31, fraction = bits & 1023;
    double value = exponent == 31 ? (fraction ? NAN : INFINITY)
                   : exponent     ? ldexp(1024 + fraction, exponent - 25)
                                  : ldexp(fraction, -24);
    return bits & 0x8000 ? -value : value;
}

static double at(const void *data, int type, size_t index) {
    float single;
    double twice;
    uint16_t bits;
    if (type == T_FLOAT) return memcpy(&single, (const char *)data + 4 * index, 4), single;
    if (type == T_DOUBLE) return memcpy(&twice, (const char *)data + 8 * index, 8), twice;
    return memcpy(&bits, (const char *)data + 2 * index, 2), half(bits);
}

static void parse_tensor(Tensor *tensor, char *words) {
    int used = 0;
    size_t count = 1;
    if (sscanf(words, "%d %zu%n", &tensor->type, &tensor->rank, &used) != 2 || tensor->rank > RANK_MOST)
        die(65, "goldens: bad line");
    for (size_t axis = 0; axis < tensor->rank; axis++) {
        long long dim;
        int more = 0;
        if (sscanf(words + used, "%lld%n", &dim, &more) != 1 || dim < 0 || dim > 1 << 28) die(65, "goldens: bad shape");
        tensor->dims[axis] = dim;
        if (dim && count > (size_t)1 << 30) die(65, "goldens: too large");
        count *= (size_t)dim;
        used += more;
    }
    tensor->bytes = count * width(tensor->type);
    if (words[used] != ' ' || strlen(words + used + 1) >= sizeof tensor->name) die(65, "goldens: bad name");
    strcpy(tensor->name, words + used + 1);
}

static void find_scale(Tensor *tensor, int samples) {
    double low = INFINITY, high = -INFINITY;
    if (!is_float(tensor->type)) return;
    size_t count = tensor->bytes / width(tensor->type) * (size_t)samples;
    for (size_t index = 0; index < count; index++) {
        double value = at(tensor->data, tensor->type, index);
        if (!isfinite(value)) continue;
        low = value < low ? value : low;
        high = value > high ? value : high;
    }
    double most = fmax(fabs(low), fabs(high));
    tensor->scale = low > high ? 1e-30 : fmax(fmax(high - low, most), 1e-30);
}

void goldens_open(Goldens *goldens, const char *path) {
    struct stat facts;
    char line[1024];
    FILE *file = fopen(path, "rb");
    if (!file || fstat(fileno(file), &facts)) die(66, "%s cannot be read", path);
    const char *all = mmap(NULL, (size_t)facts.st_size, PROT_READ, MAP_PRIVATE, fileno(file), 0);
    if (all == MAP_FAILED) die(66, "%s cannot be mapped", path);
    if (!fgets(line, sizeof line, file) || strcmp(line, "trimtab-goldens 1\n") != 0) die(65, "not a file of goldens");
    while (fgets(line, sizeof line, file) && strcmp(line, "end\n") != 0) {
        Tensor *tensor = &goldens->tensor[goldens->tensors];
        line[strcspn(line, "\n")] = 0;
        if (sscanf(line, "samples %d", &goldens->samples) == 1) continue;
        if (sscanf(line, "tolerance %lf", &goldens->tolerance) == 1) continue;
        if (goldens->tensors == TENSORS_MOST) die(65, "goldens: too many tensors");
        tensor->output = strncmp(line, "output ", 7) == 0;
        parse_tensor(tensor, line + (tensor->output ? 7 : 6));
        goldens->tensors++;
    }
    size_t offset = (size_t)ftell(file);
    fclose(file);
    if (goldens->samples < 1) die(65, "goldens: no samples");
    for (int index = 0; index < goldens->tensors; index++) {
        Tensor *tensor = &goldens->tensor[index];
        size_t size = tensor->bytes * (size_t)goldens->samples;
        offset = (offset + 63) / 64 * 64;
        tensor->data = all + offset;
        if (offset > (size_t)facts.st_size || size > (size_t)facts.st_size - offset) die(65, "goldens: cut short");
        offset += size;
        if (tensor->output) find_scale(tensor, goldens->samples);
    }
}

static int same_shape(Tensor *want, int type, const int64_t *dims, size_t rank) {
    if (rank == want->rank && memcmp(dims, want->dims, rank * sizeof *dims) == 0 && type == want->type) return 1;
    if (type != want->type)
        snprintf(want->why, sizeof want->why, "element type %d instead of %d", type, want->type);
    else
        snprintf(want->why, sizeof want->why, "another shape than the goldens have");
    return 0;
}

static void worse(Tensor *want, int sample, double share) {
    if (share <= want->worst) return;
    want->worst = share;
    want->sample = sample;
}

void compare(Tensor *want, int sample, const void *got, int type, const int64_t *dims, size_t rank) {
    const char *wanted = want->data + want->bytes * (size_t)sample;
    if (want->why[0] || !same_shape(want, type, dims, rank)) return;
    size_t each = width(type), count = want->bytes / each;
    for (size_t index = 0; index < count; index++) {
        if (!is_float(type)) {
            if (memcmp(wanted + index * each, (const char *)got + index * each, each) == 0) continue;
            want->sample = want->worst > 0 ? want->sample : sample;
            want->worst += 1;
            continue;
        }
        double a = at(got, type, index), b = at(wanted, type, index);
        if (a == b || (isnan(a) && isnan(b))) continue;
        if (isfinite(a) && isfinite(b)) {
            worse(want, sample, fabs(a - b) / want->scale);
            continue;
        }
        snprintf(want->why, sizeof want->why, "not a number in sample %d", sample);
        want->sample = sample;
        return;
    }
}

int all_equal(const Goldens *goldens) {
    for (int index = 0; index < goldens->tensors; index++) {
        const Tensor *tensor = &goldens->tensor[index];
        if (tensor->output && (tensor->why[0] || tensor->worst > (is_float(tensor->type) ? goldens->tolerance : 0)))
            return 0;
    }
    return 1;
}
