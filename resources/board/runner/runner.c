/* Runs a release on a board that has no Python: golden samples, then timed runs; or serves it.
 *
 *   trimtab-run FOLDER LIBRARY [--runs N] [--seconds S] [--warm-up N] [--threads N] [--cores LIST]
 *               [--profile PREFIX] [--counters FILES] [--powers FILES] [--serve HEALTH [--socket PATH]]
 *
 * Prints `step FRACTION TEXT` lines on standard error and one JSON object on standard output.
 * Exit: 64 arguments, 65 goldens that make no sense, 66 missing, 69 no usable onnxruntime, 70 the model. */
#define _GNU_SOURCE
#include "runner.h"

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

void die(int status, const char *format, ...) {
    va_list rest;
    va_start(rest, format);
    vfprintf(stderr, format, rest);
    va_end(rest);
    fputc('\n', stderr);
    exit(status);
}

double now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* One sample through the model; compares the outputs where asked to, and gives milliseconds of the run itself. */
double run_sample(Ort *ort, Goldens *goldens, int sample, int comparing) {
    const char *ins[TENSORS_MOST], *outs[TENSORS_MOST];
    Handle fed[TENSORS_MOST], given[TENSORS_MOST] = {0};
    Tensor *wanted[TENSORS_MOST];
    size_t in_count = 0, out_count = 0;
    for (int index = 0; index < goldens->tensors; index++) {
        Tensor *tensor = &goldens->tensor[index];
        if (tensor->output) {
            wanted[out_count] = tensor;
            outs[out_count++] = tensor->name;
            continue;
        }
        const char *data = tensor->data + tensor->bytes * (size_t)sample;
        fed[in_count] = ort_tensor(ort, data, tensor->bytes, tensor->dims, tensor->rank, tensor->type);
        ins[in_count++] = tensor->name;
    }
    double start = now_ms();
    ort_run(ort, ins, fed, in_count, outs, out_count, given);
    double took = now_ms() - start;
    for (size_t index = 0; index < out_count; index++) {
        int type;
        int64_t dims[RANK_MOST];
        size_t rank;
        void *data = ort_data(ort, given[index], &type, dims, &rank, RANK_MOST);
        if (comparing) compare(wanted[index], sample, data, type, dims, rank);
        ort_release(ort, ORT_RELEASE_VALUE, given[index]);
    }
    for (size_t index = 0; index < in_count; index++) ort_release(ort, ORT_RELEASE_VALUE, fed[index]);
    return took;
}

static void json_text(const char *text) {
    putchar('"');
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') printf("\\%c", c);
        else if (c < 32) printf("\\u%04x", c);
        else putchar(c);
    }
    putchar('"');
}

static void json_outputs(const Goldens *goldens) {
    const char *comma = "";
    printf("\"outputs\": [");
    for (int index = 0; index < goldens->tensors; index++) {
        const Tensor *tensor = &goldens->tensor[index];
        if (!tensor->output) continue;
        printf("%s{\"name\": ", comma);
        json_text(tensor->name);
        if (tensor->why[0]) {
            printf(", \"worst\": null, \"why\": ");
            json_text(tensor->why);
        } else
            printf(", \"worst\": %.9g", tensor->worst);
        printf(", \"exact\": %s, \"sample\": %d}", is_float(tensor->type) ? "false" : "true", tensor->sample);
        comma = ", ";
    }
    printf("]");
}

static double peak_bytes(void) {
    char line[256];
    double kib = 0;
    struct rusage use;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "VmHWM: %lf", &kib) == 1) break;
    if (file) fclose(file);
    if (kib <= 0 && getrusage(RUSAGE_SELF, &use) == 0) kib = (double)use.ru_maxrss;
    return kib * 1024;
}

/* Sum of the numbers in a comma-separated list of files; -1 where none can be read. */
static double readings(const char *files) {
    char list[2048];
    double sum = 0, value;
    int seen = 0;
    snprintf(list, sizeof list, "%s", files ? files : "");
    for (char *name = strtok(list, ","); name; name = strtok(NULL, ",")) {
        FILE *file = fopen(name, "r");
        if (file && fscanf(file, "%lf", &value) == 1) sum += value, seen = 1;
        if (file) fclose(file);
    }
    return seen ? sum : -1;
}

static void choose_cores(const char *list) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (const char *at = list; *at; at += strcspn(at, ","), at += *at == ',') CPU_SET((unsigned)atoi(at) % CPU_SETSIZE, &set);
    if (sched_setaffinity(0, sizeof set, &set)) die(64, "no such cores: %s", list);
}

typedef struct {
    int most, count;
    double *ms, microwatts, joules; /* joules and microwatts are below 0 where nothing measures them */
} Times;

static Times timed(Ort *ort, Goldens *goldens, const Wish *wish) {
    Times times = {wish->runs > 0 ? wish->runs : 1, 0, NULL, 0, -1};
    double next = 0, power_sum = 0, power, start, end;
    int powers = 0;
    if (!(times.ms = malloc(sizeof(double) * (size_t)times.most))) die(70, "no memory for %d times", times.most);
    for (int run = 0; run < wish->warm_up; run++) run_sample(ort, goldens, run % goldens->samples, 0);
    double before = readings(wish->counters);
    start = now_ms();
    while (times.count < times.most && (wish->seconds <= 0 || now_ms() - start < wish->seconds * 1e3 || !times.count)) {
        times.ms[times.count] = run_sample(ort, goldens, times.count % goldens->samples, 0);
        times.count++;
        if (now_ms() < next) continue;
        next = now_ms() + 200;
        if ((power = readings(wish->powers)) >= 0) power_sum += power, powers++;
        double share = wish->seconds > 0 ? (now_ms() - start) / wish->seconds / 1e3 : (double)times.count / times.most;
        fprintf(stderr, "step %.4f run %d\n", 0.3 + 0.7 * (share < 1 ? share : 1), times.count);
    }
    end = now_ms();
    double after = readings(wish->counters);
    times.microwatts = powers ? power_sum / powers : -1;
    if (before >= 0 && after >= before) times.joules = (after - before) / 1e6 / times.count;
    else if (powers) times.joules = times.microwatts / 1e6 * (end - start) / 1e3 / times.count;
    return times;
}

static Wish wishes(int count, char **words) {
    Wish wish = {.runs = 50, .warm_up = 5, .threads = 1};
    if (count < 3 || count % 2 == 0) die(64, "usage: %s FOLDER LIBRARY [--runs N] [--threads N] ...", words[0]);
    for (int index = 3; index + 1 < count; index += 2) {
        const char *key = words[index], *value = words[index + 1];
        if (!strcmp(key, "--runs")) wish.runs = atoi(value);
        else if (!strcmp(key, "--seconds")) wish.seconds = atof(value);
        else if (!strcmp(key, "--warm-up")) wish.warm_up = atoi(value);
        else if (!strcmp(key, "--threads")) wish.threads = atoi(value);
        else if (!strcmp(key, "--cores")) choose_cores(value);
        else if (!strcmp(key, "--profile")) wish.profile = value;
        else if (!strcmp(key, "--counters")) wish.counters = value;
        else if (!strcmp(key, "--powers")) wish.powers = value;
        else if (!strcmp(key, "--serve")) wish.health = value;
        else if (!strcmp(key, "--socket")) wish.socket = value;
        else die(64, "unknown argument %s", key);
    }
    return wish;
}

int main(int count, char **words) {
    static Goldens goldens;
    static char path[4096];
    Ort ort = {0};
    Wish wish = wishes(count, words);
    snprintf(path, sizeof path, "%s/goldens.bin", words[1]);
    goldens_open(&goldens, path);
    ort_open(&ort, words[2]);
    snprintf(path, sizeof path, "%s/model.onnx", words[1]);
    double start = now_ms();
    ort_load(&ort, path, wish.threads, wish.profile);
    double load = now_ms() - start, first = 0;
    for (int sample = 0; sample < goldens.samples; sample++) {
        double took = run_sample(&ort, &goldens, sample, 1);
        first = sample ? first : took;
        if (!wish.health) fprintf(stderr, "step %.4f golden sample %d of %d\n", 0.3 * (sample + 1) / goldens.samples, sample + 1, goldens.samples);
    }
    if (wish.health) return serve(&ort, &goldens, &wish, words[1]);
    Times times = timed(&ort, &goldens, &wish);
    printf("{\"ort\": \"%s\", \"python\": \"\", \"samples\": %d, \"tolerance\": %.9g, ", ort.version, goldens.samples, goldens.tolerance);
    json_outputs(&goldens);
    printf(", \"load_ms\": %.4f, \"first_ms\": %.4f, \"peak_bytes\": %.0f, \"joules\": ", load, first, peak_bytes());
    if (times.joules >= 0) printf("%.9g, \"times_ms\": [", times.joules);
    else printf("null, \"times_ms\": [");
    for (int run = 0; run < times.count; run++) printf("%s%.4f", run ? ", " : "", times.ms[run]);
    printf("]}\n");
    ort_release(&ort, ORT_RELEASE_SESSION, ort.session); /* this is also what writes the profile */
    ort_release(&ort, ORT_RELEASE_ENV, ort.env);
    return 0;
}
